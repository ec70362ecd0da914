"""The bar above everything: workspace, search, lights of the connections, money, PAPER or LIVE, the arm switch, KILL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from foxtrot.app.desktop_requests import AccountOverview, OverviewFound
from foxtrot.core.clock import SystemClock
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.gui.desk import Desk
from foxtrot.gui.money_line import MoneyLine, clock_text, figures_of
from foxtrot.gui.numbers import age_text
from foxtrot.gui.order_actions import OrderActions
from foxtrot.gui.outer_text import hint_text
from foxtrot.gui.state_words import fastest_ms, state_word
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme
from foxtrot.gui.workspaces import CAME_WITH

HEIGHT: Final = 36
QUIET_S: Final = 5.0
_STATES: Final = {
    AdapterState.READY: "good", AdapterState.CONNECTED: "warning", AdapterState.CONNECTING: "warning",
    AdapterState.BACKING_OFF: "danger", AdapterState.LOST: "danger", AdapterState.FAILED: "danger",
}  # fmt: skip


def _figures(found: AccountOverview) -> tuple[str, str]:
    """Return what a light says of a connection that is ready, and what its hint says beside."""
    ages = [one.last_age_s for one in found.health.streams if one.last_age_s is not None]
    fastest = fastest_ms(found.health)
    age = age_text(min(ages)) if ages else ""
    travel = f"{fastest:.0f} ms" if fastest >= 1.0 else "<1 ms" if fastest else ""
    told = f"\n{tr('window.light_travel', travel=travel)}" if travel else ""
    told += f"\n{tr('window.light_age', age=age)}" if age else ""
    if travel and ages and min(ages) < QUIET_S:
        return travel, told
    return (tr("window.light_quiet", age=age) if age else ""), told


class Light(QWidget):
    """One connection: a dot in the colour of its state with a shape of its own, name, and how long its messages travel.

    Where nothing has come for QUIET_S, or no message says when it left the venue, it is how old the last one is.
    """

    def __init__(self, account: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.account = account
        self.meaning = "danger"
        self.text = account
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_account(self, found: AccountOverview) -> None:
        """Take how the connection stands."""
        state = AdapterState(found.status.state) if found.status is not None else AdapterState.DISCONNECTED
        self.meaning = _STATES.get(state, "dim")
        word = state_word(state)
        figure, told = _figures(found) if state is AdapterState.READY else ("", "")
        self.text = f"{found.account}  {figure or word}"
        cause = f"\n{found.status.cause}" if found.status is not None and found.status.cause else ""
        self.setToolTip(hint_text(f"{found.account}: {found.adapter} {found.environment} {word}{told}{cause}"))
        self.updateGeometry()
        self.update()

    def show_unknown(self) -> None:
        """Say that nothing is known of the connection now: what was heard of it last may be long over."""
        text = f"{self.account}  ?"
        if self.text != text:
            self.meaning, self.text = "dim", text
            self.setToolTip(hint_text(tr("window.light_unknown", account=self.account)))
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for dot and text, and for any age in milliseconds, so that the bar stands still."""
        usual = f"{self.account}  888 ms"
        wide = max(self.fontMetrics().horizontalAdvance(text) for text in (self.text, usual))
        return QSize(wide + self._theme.pixels(24), self._theme.pixels(22))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint a disc when all is well, a triangle when not, so that colour is not alone."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, px = self._theme.colours, self._theme.pixels
        colour = QColor(getattr(colours, self.meaning))
        painter.setPen(colour)
        painter.setBrush(colour)
        middle = self.height() // 2
        if self.meaning == "good":
            painter.drawEllipse(px(4), middle - px(4), px(8), px(8))
        else:
            painter.drawPolygon(
                [QPoint(px(8), middle - px(5)), QPoint(px(13), middle + px(4)), QPoint(px(3), middle + px(4))]
            )
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect().adjusted(px(18), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text)
        painter.end()


class TopBar(QFrame):
    """Everything that must be seen whatever else is shown.

    Thread: the desktop's.
    """

    workspace_chosen = Signal(str)
    search_asked = Signal()
    kill_asked = Signal()

    def __init__(
        self, desk: Desk, actions: OrderActions, names: Callable[[], list[str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._actions = actions
        self._names = names
        self._theme = desk.theme
        self.lights: dict[str, Light] = {}
        self.setObjectName("top_bar")
        self.setFixedHeight(self._theme.pixels(HEIGHT))
        self._lights = QHBoxLayout()
        self.workspaces = self._combo("workspace", self._choose_workspace)
        self.accounts = self._combo("account", self._choose_account)
        self.search = self._button("search", "window.search")
        self.search.clicked.connect(self.search_asked.emit)
        self.money = MoneyLine(self._theme, self)
        self.clock, self.banner = self._label("clock"), self._label("banner")
        self.clock.setToolTip(tr("window.clock_hint"))
        self.banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.banner.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.arm = self._button("arm", "window.arm")
        self.arm.setCheckable(True)
        self.arm.clicked.connect(self._arm)
        self.kill = self._kill_button()
        self.gate = self._gate_button()
        self._lay_out()
        self._connect()
        self.fill_workspaces("")
        self.fill_accounts()
        self._show_armed(actions.armed)
        self.show_gate()
        self.show_mode(is_live=desk.is_live)

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        return label

    def _combo(self, name: str, chosen: Callable[[int], None]) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        combo.activated.connect(chosen)
        return combo

    def _button(self, name: str, text: str) -> QPushButton:
        """Return a button that no key presses by accident: none of them takes the focus."""
        button = QPushButton(tr(text), self)
        button.setObjectName(name)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _connect(self) -> None:
        self._desk.accounts_changed.connect(self.fill_accounts)
        self._desk.account_chosen.connect(self._take_account)
        self._actions.armed_changed.connect(self._show_armed)

    def _kill_button(self) -> QPushButton:
        kill = self._button("kill", "window.kill")
        kill.setToolTip(tr("window.kill_hint"))
        kill.clicked.connect(self.kill_asked.emit)
        return kill

    def _gate_button(self) -> QPushButton:
        gate = self._button("gate", "window.gate_halted")
        gate.clicked.connect(lambda: self._desk.panel_asked.emit("risk", ""))
        self._desk.gate_changed.connect(self.show_gate)
        return gate

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(self._theme.pixels(8), 0, self._theme.pixels(6), 0)
        row.setSpacing(self._theme.pixels(10))
        row.addWidget(self.workspaces)
        row.addWidget(self.search)
        row.addLayout(self._lights)
        row.addStretch(1)
        for widget in (self.clock, self.accounts, self.money, self.banner, self.gate, self.arm, self.kill):
            row.addWidget(widget)

    def fill_workspaces(self, chosen: str) -> None:
        """List the workspaces, one chosen."""
        self.workspaces.clear()
        for name in self._names():
            self.workspaces.addItem(tr(f"workspace.{name}") if name in CAME_WITH else name, name)
        self.workspaces.setCurrentIndex(max(0, self.workspaces.findData(chosen)))

    def fill_accounts(self) -> None:
        """List the accounts."""
        chosen = self._desk.account
        self.accounts.clear()
        self.accounts.addItem(tr("window.all_accounts"), "")
        for name in self._desk.accounts():
            self.accounts.addItem(name, name)
        self.accounts.setCurrentIndex(max(0, self.accounts.findData(chosen)))

    def show_mode(self, *, is_live: bool) -> None:
        """Say whether orders spend real money."""
        colours = self._theme.colours
        self.banner.setText(f"  {tr('window.live' if is_live else 'window.paper')}  ")
        self.banner.setToolTip(tr("window.live_hint" if is_live else "window.paper_hint"))
        colour = colours.live if is_live else colours.paper
        px = self._theme.pixels
        self.banner.setStyleSheet(
            f"background:{colour};color:white;font-weight:600;padding:{px(4)}px {px(8)}px;border-radius:{px(3)}px"
        )
        self.kill.setStyleSheet(
            f"background:{colours.danger};color:white;font-weight:700;border-radius:{px(3)}px;padding:{px(4)}px {px(14)}px"
        )

    def show_gate(self) -> None:
        """Say that the gate is not open, for as long as it is not: a click shows the risk panel, where it is opened."""
        state, px, colours = self._desk.gate, self._theme.pixels, self._theme.colours
        self.gate.setVisible(state is not GateState.ACTIVE)
        if state is not GateState.ACTIVE:
            self.gate.setText(tr(f"window.gate_{state}"))
            self.gate.setToolTip(hint_text(tr("window.gate_hint", reason=self._desk.gate_reason)))
            self.gate.setStyleSheet(
                f"border:{px(2)}px solid {colours.danger};color:{colours.danger};font-weight:700;padding:{px(2)}px {px(8)}px"
            )

    def show_overview(self, found: OverviewFound) -> None:
        """Show how the platform stands."""
        for account in found.accounts:
            light = self.lights.get(account.account)
            if light is None:
                light = self.lights[account.account] = Light(account.account, self._theme, self)
                light.setObjectName(f"light-{account.account}")
                self._lights.addWidget(light)
            light.show_account(account)
        self.show_money()

    def show_late(self) -> None:
        """Say that nothing is known of the connections while the engine does not answer."""
        for light in self.lights.values():
            light.show_unknown()

    def show_money(self) -> None:
        """Show the money of the account that is looked at."""
        found = self._desk.overview
        if found is not None:
            self.money.show_figures(figures_of(found, self._desk.account))

    def show_clock(self) -> None:
        """Show what time it is."""
        now = datetime.fromtimestamp(SystemClock().now_ns() // 1_000_000_000, UTC)
        self.clock.setText(clock_text(now, now.astimezone()))

    def _take_account(self, account: str) -> None:
        self.accounts.setCurrentIndex(max(0, self.accounts.findData(account)))
        self.show_money()

    def _choose_workspace(self, place: int) -> None:
        self.workspace_chosen.emit(str(self.workspaces.itemData(place)))

    def _choose_account(self, place: int) -> None:
        self._desk.choose_account(str(self.accounts.itemData(place)))

    def _arm(self, on: bool) -> None:
        self._actions.arm(armed=on)
        self._show_armed(self._actions.armed)  # the person may have said no

    def _show_armed(self, armed: bool) -> None:
        self.arm.setChecked(armed)
        self.arm.setText(tr("window.arm"))
        self.arm.setToolTip(tr("window.disarm_hint" if armed else "window.arm_hint"))
        px = self._theme.pixels
        style = f"background:{self._theme.colours.warning};color:black;font-weight:600;border-radius:{px(3)}px;padding:{px(4)}px {px(10)}px"
        self.arm.setStyleSheet(style if armed else "")
