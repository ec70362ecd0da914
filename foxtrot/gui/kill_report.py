"""What has become of a kill: beside the window, renewed until every entry order has ended; flattening is a second step of its own."""

from time import monotonic
from typing import Final

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from foxtrot.app.control_requests import FollowKill, KillProgress, PositionRow
from foxtrot.domain.account import EXTERNAL
from foxtrot.gui.desk import Desk
from foxtrot.gui.link import PlatformLink
from foxtrot.gui.numbers import size_text
from foxtrot.gui.risk_columns import cover_cell
from foxtrot.gui.texts import tr

LOOK_MS: Final = 400
LATE_S: Final = 1.0
MOST_LINES: Final = 12


class KillReport(QDialog):
    """Follows one kill; it is not modal, and closing it changes nothing.

    `flatten_asked` comes when the person has seen what would be closed, and agreed.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        kill_id: which kill.
        link: tells whether the gate is closed, and where the engine is, to be named while it does not answer.
    """

    flatten_asked = Signal()

    def __init__(self, desk: Desk, kill_id: int, link: PlatformLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("kill_report")
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(tr("kill.title"))
        self.setMinimumWidth(desk.theme.pixels(460))
        self.kill_id = kill_id
        self.found: KillProgress | None = None
        self._desk = desk
        self._link = link
        self._is_closed = False
        self._asked_s = 0.0
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self.look()

    def look(self) -> None:
        """Ask again, or say that the gate is not closed yet, or that the engine does not answer."""
        self._is_closed = self._is_closed or self._link.gate_is_closed()
        if not self._is_closed:
            self.text.setText(tr("kill.hand_over"))
            return
        now_s = monotonic()
        if self._asked_s:
            if now_s - self._asked_s > LATE_S:
                self.text.setText(
                    tr("kill.stuck", seconds=f"{now_s - self._asked_s:.1f}", place=self._link.stands_in())
                )
            return
        self._asked_s = now_s
        self._desk.ask(FollowKill(kill_id=self.kill_id), self._hear)

    def follow(self, kill_id: int) -> None:
        """Follow another kill from now on: the same switch, thrown again."""
        self.kill_id, self.found, self._asked_s, self._is_closed = kill_id, None, 0.0, False
        self.look()

    def _hear(self, found: msgspec.Struct | None, error: str) -> None:
        self._asked_s = 0.0
        if isinstance(found, KillProgress):
            self.found = found
            self.text.setText("\n".join(_lines(found)))
            mine = positions_of_ours(found)
            self.flatten.setEnabled(bool(mine))
            self.flatten.setToolTip(tr("kill.flatten_hint" if mine else "kill.flatten_why"))
        elif error:
            self.text.setText(tr("kill.no_answer", error=error))

    def _flatten(self) -> None:
        """List what would be closed, and ask."""
        rows = [] if self.found is None else positions_of_ours(self.found)
        listed = "\n".join(_position(row) for row in rows[:MOST_LINES])
        if rows and self._desk.actions.confirm(tr("kill.flatten_title"), tr("kill.flatten_text", listed=listed)):
            self.flatten.setEnabled(False)
            self.flatten_asked.emit()

    def _lay_out(self) -> None:
        self.text = QLabel(tr("kill.closed"), self)
        self.text.setObjectName("kill_text")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.flatten = QPushButton(tr("kill.flatten"), self)
        self.flatten.setObjectName("kill_flatten")
        self.flatten.setEnabled(False)
        self.flatten.setToolTip(tr("kill.flatten_why"))
        self.flatten.clicked.connect(lambda _on=False: self._flatten())
        close = QPushButton(tr("dialog.hide"), self)
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        for button in (self.flatten, close):
            button.setAutoDefault(False)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row.addWidget(self.flatten)
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.addWidget(self.text, 1)
        column.addLayout(row)


def positions_of_ours(found: KillProgress) -> list[PositionRow]:
    """Return the positions that flattening would close: not those that somebody else has opened."""
    return [row for row in found.positions if row.owner != EXTERNAL]


def _lines(found: KillProgress) -> list[str]:
    done = found.still_open == 0
    lines = [tr("kill.closed"), ""]
    if not found.entries:
        lines.append(tr("kill.no_entries"))
    else:
        lines.append(tr("kill.entries", entries=found.entries, cancelled=found.cancelled, filled=found.filled))
        lines.append(tr("kill.done") if done else tr("kill.still_open", count=found.still_open))
        lines += [
            f"   {row.order_id}  {row.instrument_id}  {tr(f'risk.{row.side}')}" for row in found.open[:MOST_LINES]
        ]
    if found.reducing or found.foreign:
        lines.append(tr("kill.staying", reducing=found.reducing, foreign=found.foreign))
    lines += (
        [tr("kill.positions"), *(f"   {_position(row)}" for row in found.positions[:MOST_LINES])]
        if found.positions
        else []
    )
    lines += [tr("kill.closing", what=", ".join(found.closing))] if found.closing else []
    return lines


def _position(row: PositionRow) -> str:
    size = ("+" if row.quantity > 0 else "−") + size_text(abs(row.quantity), 8)
    return f"{row.instrument_id}  {size}  {row.owner}  {cover_cell(row).text}"
