"""Alerts: which there are, which have rung; made, changed, armed again and removed here."""

from typing import ClassVar, Final

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from foxtrot.gui.alert_form import AlertForm
from foxtrot.gui.alerts import Alert, AlertBook
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.flow_layout import FlowLayout
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr


def _state(alert: Alert) -> Cell:
    if alert.armed:
        return word(f"○ {tr('alerts.armed')}", Tone.GOOD)
    return word(f"◆ {tr('alerts.has_rung')}", Tone.WARNING)


def _side(alert: Alert) -> Cell:
    if alert.rises is None:
        return word("")
    return word(f"↑ {tr('alerts.above')}" if alert.rises else f"↓ {tr('alerts.below')}")


def columns_of(book: AlertBook) -> tuple[Column[Alert], ...]:
    """Return the columns of the list, which shows limits as their book does."""
    return (
        Column("state", "alerts.state", _state, width=100, rank=1),
        Column("kind", "alerts.form_kind", lambda alert: word(tr(f"alerts.{alert.kind}")), width=130, rank=2),
        Column("subject", "alerts.form_subject", lambda alert: word(alert.subject), width=150),
        Column("side", "alerts.side", _side, width=90, rank=1),
        Column(
            "limit", "alerts.form_limit", lambda alert: number(alert.limit, book.limit_text(alert)), align=Align.RIGHT, width=110
        ),
        Column("rang", "alerts.rang", lambda alert: word(alert.rang, Tone.WARNING), align=Align.RIGHT, width=110, rank=2),
        Column("note", "alerts.form_note", lambda alert: word(alert.note), width=220, rank=3),
    )  # fmt: skip


_BUTTONS: Final = ("new", "edit", "arm", "remove")


class AlertsPanel(Panel):
    """Lists the alerts of the desk.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "alerts"
    least_size: ClassVar[tuple[int, int]] = (290, 160)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.book = AlertBook.of(desk)
        self.model = FactTable(columns_of(self.book), lambda alert: alert.number)
        self.view = FactView(self.model, desk.theme, self)
        self.view.empty = tr("empty.alerts")
        self.buttons: dict[str, QPushButton] = {}
        self.form: AlertForm | None = None
        row = FlowLayout(desk.theme.pixels(4), desk.theme.pixels(4))
        for name, do in zip(_BUTTONS, (self.make, self.edit, self.arm, self.remove), strict=True):
            button = self.buttons[name] = QPushButton(tr(f"alerts.{name}"), self)
            button.setObjectName(f"alerts_{name}")
            button.clicked.connect(lambda _on=False, do=do: do())
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            row.addWidget(button)
        self.body.addLayout(row)
        self.body.addWidget(self.view, 1)
        self.view.chosen.connect(lambda _alert: self.edit())
        self.view.asked.connect(self._menu)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._allow())
        self.book.changed.connect(self._take)
        self._take()

    def flush(self) -> None:
        """Show what was changed."""
        self.model.apply()
        self._allow()

    def make(self) -> None:
        """Show the form of a new alert."""
        self._open(None)

    def edit(self) -> None:
        """Show the form of the chosen alert."""
        for alert in self.view.selected()[:1]:
            self._open(alert)

    def arm(self) -> None:
        """Watch the chosen alerts again."""
        for alert in self.view.selected():
            self.book.arm(alert.number)

    def remove(self) -> None:
        """Forget the chosen alerts."""
        for alert in self.view.selected():
            self.book.remove(alert.number)

    def save_state(self) -> State:
        """Return the columns."""
        return {**super().save_state(), "columns": self.view.columns_state()}

    def restore_state(self, state: State) -> None:
        """Take up the columns."""
        super().restore_state(state)
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])

    def leave(self) -> None:
        """Hear nothing any more."""
        super().leave()
        self.book.changed.disconnect(self._take)

    def _open(self, alert: Alert | None) -> None:
        if self.form is not None:
            self.form.close()
            self.form.deleteLater()
        self.form = AlertForm(self.desk, alert, self.desk.groups.shown("blue"), self)
        self.form.open()

    def _take(self) -> None:
        self.model.replace_all(self.book.all())

    def _allow(self) -> None:
        some = bool(self.view.selectionModel().hasSelection())
        for name in _BUTTONS[1:]:
            self.buttons[name].setEnabled(some)
            self.buttons[name].setToolTip("" if some else tr("alerts.choose_first"))

    def _menu(self, _row: object, where: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction(tr("alerts.new"), self.make)
        if self.view.selectionModel().hasSelection():
            for name, do in (("edit", self.edit), ("arm", self.arm), ("remove", self.remove)):
                menu.addAction(tr(f"alerts.{name}"), do)
        menu.popup(where)
        menu.aboutToHide.connect(menu.deleteLater)
