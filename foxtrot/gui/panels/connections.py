"""Connections: a line per account with its state, latency and faults; below it the streams and books of the chosen one."""

from typing import ClassVar, Final

import msgspec
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSplitter, QTabWidget, QWidget

from foxtrot.adapter.health import BookFigures, StreamFigures
from foxtrot.app.control_requests import Reconcile
from foxtrot.app.desktop_requests import AccountOverview
from foxtrot.app.desktop_wishes import Renew
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.gui.alert_form import AlertForm
from foxtrot.gui.alerts import AlertKind
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING, age_text
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.state_words import fastest_ms, state_word
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr

_STATES: Final = {
    AdapterState.READY: ("●", Tone.GOOD), AdapterState.CONNECTED: ("◆", Tone.WARNING), AdapterState.CONNECTING: ("◆", Tone.WARNING),
    AdapterState.BACKING_OFF: ("▲", Tone.DANGER), AdapterState.LOST: ("▲", Tone.DANGER), AdapterState.FAILED: ("✕", Tone.DANGER),
}  # fmt: skip
"""A shape of its own for each, so that colour is not alone."""
_RIGHT: Final = Align.RIGHT


class StreamRow(msgspec.Struct, frozen=True):
    """A stream of an account."""

    figures: StreamFigures


class BookRow(msgspec.Struct, frozen=True):
    """A streamed book of an account."""

    instrument_id: str
    figures: BookFigures


def state_of(account: AccountOverview) -> AdapterState:
    """Return the state that an account was told last."""
    return AdapterState.DISCONNECTED if account.status is None else AdapterState(account.status.state)


def _state(account: AccountOverview) -> Cell:
    state = state_of(account)
    shape, tone = _STATES.get(state, ("○", Tone.DIM))
    return Cell(f"{shape} {state_word(state)}", str(state), tone)


def _latency(account: AccountOverview) -> Cell:
    fastest = fastest_ms(account.health)
    return number(fastest, f"{fastest:.0f} ms") if fastest else _nothing()


def _age(account: AccountOverview) -> Cell:
    ages = [one.last_age_s for one in account.health.streams if one.up and one.last_age_s is not None]
    stale = any(one.stale for one in account.health.streams)
    return number(min(ages), age_text(min(ages)), Tone.WARNING if stale else Tone.PLAIN) if ages else _nothing()


def _books(account: AccountOverview) -> Cell:
    books = account.health.books.values()
    good = sum(one.state == BookState.LIVE for one in books)
    tone = Tone.PLAIN if good == len(books) else Tone.WARNING
    return number(good, f"{good}/{len(books)}", tone) if books else _nothing()


def _failed(account: AccountOverview) -> Cell:
    failed = account.health.failed_requests
    return count(failed, Tone.WARNING if failed else Tone.PLAIN)


def _money(account: AccountOverview) -> Cell:
    return word(tr("connections.real"), Tone.DANGER) if account.real_money else word(tr("connections.play"), Tone.DIM)


def count(value: int, tone: Tone = Tone.PLAIN) -> Cell:
    """Return a cell of a count."""
    return number(value, f"{value:,}", tone)


def _nothing() -> Cell:
    return Cell(NOTHING, float("-inf"), Tone.DIM)


def _seconds(value: float | None) -> Cell:
    return _nothing() if value is None else number(value, age_text(value))


ACCOUNTS: Final = (
    Column[AccountOverview]("state", "connections.state", _state, width=120),
    Column[AccountOverview]("account", "connections.account", lambda one: word(one.account), width=90),
    Column[AccountOverview]("venue", "connections.venue", lambda one: word(f"{one.adapter} {one.environment}".strip()), width=130, rank=2),
    Column[AccountOverview]("money", "connections.money", _money, width=70, rank=1),
    Column[AccountOverview]("latency", "connections.latency", _latency, align=_RIGHT, width=74),
    Column[AccountOverview]("age", "connections.age", _age, align=_RIGHT, width=74),
    Column[AccountOverview]("reconnects", "connections.reconnects", lambda one: count(one.health.reconnects), align=_RIGHT, width=80, rank=1),
    Column[AccountOverview]("rest", "connections.rest", lambda one: count(one.health.rest_fallbacks), align=_RIGHT, width=64, rank=3),
    Column[AccountOverview]("weight", "connections.weight", lambda one: count(one.health.used_weight), align=_RIGHT, width=74, rank=3),
    Column[AccountOverview]("failed", "connections.failed", _failed, align=_RIGHT, width=64, rank=2),
    Column[AccountOverview]("books", "connections.books", _books, align=_RIGHT, width=64, rank=2),
    Column[AccountOverview]("cause", "connections.cause", lambda one: word(one.health.last_cause, Tone.DIM), width=200, rank=3),
)  # fmt: skip


def _stream_state(row: StreamRow) -> Cell:
    if not row.figures.up:
        return word(f"▲ {tr('connections.down')}", Tone.DANGER)
    return (
        word(f"◆ {tr('connections.stale')}", Tone.WARNING)
        if row.figures.stale
        else word(f"● {tr('connections.up')}", Tone.GOOD)
    )


def _stream_latency(row: StreamRow) -> Cell:
    shown = row.figures.venue_latency
    return number(shown.p50_ms, f"{shown.p50_ms:.0f} / {shown.p99_ms:.0f} ms") if shown.p99_ms else _nothing()


STREAMS: Final = (
    Column[StreamRow]("state", "connections.state", _stream_state, width=64),
    Column[StreamRow]("name", "connections.stream", lambda row: word(row.figures.name), width=170),
    Column[StreamRow]("latency", "connections.latency_tail", _stream_latency, align=_RIGHT, width=110),
    Column[StreamRow]("age", "connections.age", lambda row: _seconds(row.figures.last_age_s), align=_RIGHT, width=74),
    Column[StreamRow](
        "rate", "connections.rate", lambda row: number(row.figures.messages_per_s, f"{row.figures.messages_per_s:,.1f}"), align=_RIGHT, width=74
    ),
    Column[StreamRow]("messages", "connections.messages", lambda row: count(row.figures.messages), align=_RIGHT, width=90),
    Column[StreamRow]("reconnects", "connections.reconnects", lambda row: count(row.figures.reconnects), align=_RIGHT, width=80, rank=1),
    Column[StreamRow]("rest", "connections.rest", lambda row: count(row.figures.rest_fallbacks), align=_RIGHT, width=64, rank=2),
)  # fmt: skip


def _book_state(row: BookRow) -> Cell:
    good = row.figures.state == BookState.LIVE
    return word(f"{'●' if good else '▲'} {row.figures.state}", Tone.GOOD if good else Tone.WARNING)


def _match(row: BookRow) -> Cell:
    score = row.figures.match_score
    return _nothing() if score is None else number(score, f"{score:.1%}", Tone.PLAIN if score == 1.0 else Tone.WARNING)


def _book_age(row: BookRow) -> Cell:
    return _seconds(None if row.figures.age_ms is None else row.figures.age_ms / 1000)


BOOKS: Final = (
    Column[BookRow]("state", "connections.state", _book_state, width=100),
    Column[BookRow]("instrument", "connections.instrument", lambda row: word(row.instrument_id), width=150),
    Column[BookRow]("kind", "connections.kind", lambda row: word(row.figures.implementation), width=100),
    Column[BookRow]("age", "connections.age", _book_age, align=_RIGHT, width=74),
    Column[BookRow]("gaps", "connections.gaps", lambda row: count(row.figures.gaps), align=_RIGHT, width=60),
    Column[BookRow]("resyncs", "connections.resyncs", lambda row: count(row.figures.resyncs), align=_RIGHT, width=74),
    Column[BookRow]("match", "connections.match", _match, align=_RIGHT, width=74),
)  # fmt: skip


class ConnectionsPanel(Panel):
    """Shows how every link does.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "connections"
    least_size: ClassVar[tuple[int, int]] = (320, 180)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.chosen = ""
        self.form: AlertForm | None = None
        self.accounts = FactTable(ACCOUNTS, lambda one: one.account)
        self.streams = FactTable(STREAMS, lambda row: row.figures.name)
        self.books = FactTable(BOOKS, lambda row: row.instrument_id)
        self.view = FactView(self.accounts, desk.theme, self)
        self.view.empty = tr("empty.connections")
        self.view.setObjectName("connections_accounts")
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.stream_view = FactView(self.streams, desk.theme, self)
        self.book_view = FactView(self.books, desk.theme, self)
        self.tabs.addTab(self.stream_view, tr("connections.streams"))
        self.tabs.addTab(self.book_view, tr("connections.books_tab"))
        self.body.addLayout(self._buttons())
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.view)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        self.body.addWidget(split, 1)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._choose())
        self.view.asked.connect(self._ask_choices)
        desk.overview_changed.connect(self._take)
        self._take()
        self._allow()

    def flush(self) -> None:
        """Show what was answered last."""
        for table in (self.accounts, self.streams, self.books):
            table.apply()

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
        self.desk.overview_changed.disconnect(self._take)

    # --- what a person does -----------------------------------------------------------------------------------------

    def renew_chosen(self) -> None:
        """Give the connection of the chosen account up and make another, after asking."""
        actions, account = self.desk.actions, self.chosen
        if account and actions.confirm(tr("connections.renew_title"), tr("connections.renew_text", account=account)):
            self.desk.ask(Renew(account=account, who=actions.who, why=tr("connections.renew_why")), self._say)

    def watch(self) -> None:
        """Show the form of an alert on the chosen connection."""
        if self.form is not None:
            self.form.close()
            self.form.deleteLater()
        self.form = AlertForm(self.desk, None, self.chosen, self, AlertKind.CONNECTION)
        self.form.open()

    def menu(self) -> QMenu:
        """Return what can be done with the chosen connection."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("connections.reconcile"), self._reconcile)
        menu.addAction(tr("connections.renew"), self.renew_chosen)
        menu.addSeparator()
        menu.addAction(tr("connections.alert"), self.watch)
        return menu

    def _ask_choices(self, row: AccountOverview | None, where: QPoint) -> None:
        if row is not None:
            self.chosen = row.account
            self._detail()
            self.menu().popup(where)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(*(self.desk.theme.pixels(4),) * 4)
        row.setSpacing(self.desk.theme.pixels(4))
        self.reconcile = QPushButton(tr("connections.reconcile"), self)
        self.reconcile.clicked.connect(self._reconcile)
        self.renew = QPushButton(tr("connections.renew"), self)
        self.renew.setObjectName("connections_renew")
        self.renew.clicked.connect(lambda _on=False: self.renew_chosen())
        self.reconcile.setObjectName("connections_reconcile")
        self.add = QPushButton(tr("connections.add"), self)
        self.add.setObjectName("connections_add")
        self.add.setToolTip(tr("connections.add_hint"))
        self.add.clicked.connect(self.desk.account_form_asked.emit)
        for button in (self.reconcile, self.renew, self.add):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _take(self) -> None:
        found = self.desk.overview
        if found is None:
            return
        self.accounts.replace_all(found.accounts)
        names = [one.account for one in found.accounts]
        if self.chosen not in names:
            self.chosen = names[0] if names else ""
        self._detail()
        self._allow()

    def _allow(self) -> None:
        for button, name in ((self.reconcile, "reconcile"), (self.renew, "renew")):
            why = "" if self.chosen else f"\n{tr('connections.no_account')}"
            button.setEnabled(bool(self.chosen))
            button.setToolTip(f"{tr(f'connections.{name}_hint')}{why}")

    def _choose(self) -> None:
        rows = self.view.selected()
        if rows:
            self.chosen = rows[0].account
            self._detail()
            self.flush()

    def _detail(self) -> None:
        account = self.accounts.row_by(self.chosen)
        if account is None:
            return
        self.streams.replace_all(StreamRow(one) for one in account.health.streams)
        self.books.replace_all(BookRow(name, one) for name, one in sorted(account.health.books.items()))

    def _reconcile(self) -> None:
        self.desk.ask(Reconcile(who=self.desk.actions.who, account=self.chosen), self._say)

    def _say(self, _found: object, error: str) -> None:
        if error:
            self.desk.said.emit("WARNING", error)
