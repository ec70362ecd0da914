"""Risk: limits with what stands against them, the gate and who closed it, what needs a person, and what a sudden death would leave behind."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from foxtrot.app.control_requests import Blocks, ListBlocks, ListPositions, PositionRow, Positions, Request
from foxtrot.app.desktop_risk_requests import RiskFound, RiskOverview
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import GateState
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import Panel
from foxtrot.gui.risk_columns import (
    BLOCKS,
    DEATH,
    DIFFERENCES,
    LIMITS,
    SHARE_COLUMN,
    UNKNOWN,
    BarDelegate,
    gate_cell,
    place_of,
)
from foxtrot.gui.risk_decisions import RiskDecisions
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView, tone_colours
from foxtrot.gui.texts import tr
from foxtrot.trading.protection_cover import AT_VENUE, HERE, NAKED

EVERY_FLUSHES: Final = 15
_COUNTED: Final = ((AT_VENUE, "risk.count_venue"), (HERE, "risk.count_here"), (NAKED, "risk.count_naked"))


class RiskPanel(Panel):
    """Asks twice a second while it is seen, and never a second time before the first was answered.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "risk"
    least_size: ClassVar[tuple[int, int]] = (430, 180)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._flushes = 0
        self._open: set[type[Request]] = set()
        self.blocks_found: Blocks | None = None
        self.limits = FactTable(LIMITS, lambda use: (use.scope, use.rule))
        self.blocks = FactTable(BLOCKS, lambda row: (row.account, row.instrument_id, row.who))
        self.differences = FactTable(DIFFERENCES, lambda row: row.difference_id)
        self.decide = RiskDecisions(desk, self)
        self.unknown = FactTable(UNKNOWN, lambda row: row.order_id)
        self.death = FactTable(DEATH, lambda row: (row.owner, row.account, row.instrument_id, row.position_side))
        self.body.addLayout(self._gate_row())
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.views: dict[str, FactView] = {}
        self._fill_tabs()
        self.body.addWidget(self.tabs, 1)
        desk.account_chosen.connect(self.narrow)

    def narrow(self) -> None:
        """Ask at the next look, to show what belongs to the account that is looked at."""
        self._flushes = 0

    def leave(self) -> None:
        """Hear nothing any more."""
        self.desk.account_chosen.disconnect(self.narrow)
        super().leave()

    def flush(self) -> None:
        """Ask now and then, and show what was answered."""
        if self._flushes % EVERY_FLUSHES == 0:
            self._ask(RiskOverview(), self._take_limits)
            self._ask(ListBlocks(), self._take_blocks)
            self._ask(ListPositions(), self._take_positions)
        self._flushes += 1
        for table in (self.limits, self.blocks, self.differences, self.unknown, self.death):
            table.apply()

    # --- what was answered ------------------------------------------------------------------------------------------

    def _mine(self, rows: Iterable[Any]) -> list[Any]:
        """Return what belongs to the account that is looked at, or to none."""
        account = self.desk.account
        return [row for row in rows if not account or row.account in ("", account)]

    def _ask(self, request: Request, take: Callable[[Any], None]) -> None:
        kind = type(request)
        if kind in self._open or self.desk.questions is None:
            return
        self._open.add(kind)

        def heard(found: msgspec.Struct | None, _error: str) -> None:
            self._open.discard(kind)
            if found is not None:
                take(found)

        self.desk.ask(request, heard)

    def _take_limits(self, found: RiskFound) -> None:
        self.limits.replace_all(self._mine(found.uses))

    def _take_blocks(self, found: Blocks) -> None:
        self.blocks_found = found
        blocks, differences, unknown = map(self._mine, (found.blocks, found.differences, found.unknown))
        self.blocks.replace_all(blocks)
        self.differences.replace_all(differences)
        self.unknown.replace_all(unknown)
        self._show_gate(found)
        self.tabs.setTabText(1, tr("risk.blocks", count=len(blocks)))
        self.tabs.setTabText(2, tr("risk.differences", count=len(differences)))
        self.tabs.setTabText(3, tr("risk.unknown", count=len(unknown)))

    def _take_positions(self, found: Positions) -> None:
        held = self._mine(found.positions)
        self.death.replace_all(held)
        ours = [row for row in held if row.owner != EXTERNAL]
        self.summary.setText(_summary(ours))

    def _show_gate(self, found: Blocks) -> None:
        cell = gate_cell(found.gate)
        colour = tone_colours(self.desk.theme.colours)[cell.tone].name()
        who = next((row.who for row in found.blocks if not row.account and not row.instrument_id), "")
        closed = found.gate != GateState.ACTIVE
        text = cell.text + (f"   {tr('risk.closed_by', who=who, reason=found.gate_reason)}" if closed else "")
        self.gate.setStyleSheet(f"color:{colour};font-weight:600")
        self.gate.setText(text)
        self.gate.setToolTip(text)
        self.resume.setEnabled(closed)
        self.resume.setToolTip(tr("risk.resume_hint" if closed else "risk.resume_why"))

    # --- what a person decides --------------------------------------------------------------------------------------

    def resume_platform(self) -> None:
        """Open the gate of the platform, after asking why."""
        reason = "" if self.blocks_found is None else self.blocks_found.gate_reason
        self.decide.resume(tr("risk.platform"), reason)

    def lift_block(self) -> None:
        """Lift the chosen block, after asking why."""
        for row in self.views["blocks"].selected()[:1]:
            self.decide.resume(place_of(row), row.reason, row.account, row.instrument_id)

    def settle(self, *, adopt: bool) -> None:
        """Adopt or ignore the chosen differences, after asking why, and whose they are from now on."""
        self.decide.settle(self.views["differences"].selected(), adopt=adopt)

    def resolve(self) -> None:
        """Say what became of the chosen order of unknown outcome."""
        for row in self.views["unknown"].selected()[:1]:
            self.decide.resolve(row)

    # --- building ---------------------------------------------------------------------------------------------------

    def _gate_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(*(self.desk.theme.pixels(4),) * 4)
        row.setSpacing(self.desk.theme.pixels(4))
        self.gate = QLabel(tr("risk.no_platform"), self)
        self.gate.setTextFormat(Qt.TextFormat.PlainText)
        self.gate.setMinimumWidth(self.desk.theme.pixels(80))
        self.resume = self._button("risk.resume", self.resume_platform)
        self.resume.setEnabled(False)
        self.resume.setToolTip(tr("risk.resume_why"))
        row.addWidget(self.gate, 1)
        row.addWidget(self.resume)
        return row

    def _fill_tabs(self) -> None:
        limits = self._view("limits", self.limits)
        limits.setItemDelegate(BarDelegate(self.desk.theme, SHARE_COLUMN, limits))
        self.tabs.addTab(limits, tr("risk.limits"))
        lift = self._button("risk.lift", self.lift_block)
        self.tabs.addTab(self._page(self._view("blocks", self.blocks), lift), tr("risk.blocks", count=0))
        adopt = self._button("risk.adopt", lambda: self.settle(adopt=True))
        ignore = self._button("risk.ignore", lambda: self.settle(adopt=False))
        page = self._page(self._view("differences", self.differences), adopt, ignore)
        self.tabs.addTab(page, tr("risk.differences", count=0))
        unknown = self._view("unknown", self.unknown)
        unknown.chosen.connect(lambda order: self.desk.order_asked.emit(order.order_id))
        resolve = self._button("risk.resolve", self.resolve)
        self.tabs.addTab(self._page(unknown, resolve), tr("risk.unknown", count=0))
        self.summary = QLabel(tr("risk.nothing_held"), self)
        self.summary.setWordWrap(True)
        self.summary.setContentsMargins(*(self.desk.theme.pixels(6),) * 4)
        self.tabs.addTab(self._page(self._view("death", self.death), above=self.summary), tr("risk.death"))
        for place, name in enumerate(self.views):
            self.tabs.setTabToolTip(place, tr(f"risk.{name}_hint"))

    def _view(self, name: str, model: FactTable[Any]) -> FactView:
        view = self.views[name] = FactView(model, self.desk.theme, self)
        view.setObjectName(f"risk_{name}")
        view.empty = tr(f"empty.risk_{name}")
        return view

    def _page(self, view: FactView, *buttons: QPushButton, above: QWidget | None = None) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        if above is not None:
            column.addWidget(above)
        column.addWidget(view, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        if buttons:
            column.addLayout(row)
            allow = partial(_allow, view, buttons)
            view.selectionModel().selectionChanged.connect(lambda *_: allow())
            view.model().layoutChanged.connect(lambda *_: allow())
            view.model().modelReset.connect(lambda *_: allow())
            allow()
        return page

    def _button(self, text: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(tr(text), self)
        button.setObjectName(text.replace(".", "_"))
        button.clicked.connect(lambda _on=False: do())
        button.setAutoDefault(False)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button


def _allow(view: FactView, buttons: Sequence[QPushButton]) -> None:
    """Let buttons be pressed while a row is chosen, and say what they do, or why they cannot."""
    some = view.selectionModel().hasSelection()
    for button in buttons:
        hint = tr(f"{button.objectName().replace('_', '.', 1)}_hint")
        button.setEnabled(some)
        button.setToolTip(hint if some else f"{hint}\n{tr('risk.choose')}")


def _summary(ours: list[PositionRow]) -> str:
    """Return in one line what would stay protected if this process died now."""
    if not ours:
        return tr("risk.nothing_held")
    counted = [(sum(row.protection == cover for row in ours), key) for cover, key in _COUNTED]
    return "   ".join(tr(key, count=count) for count, key in counted if count) or tr("risk.nobody")
