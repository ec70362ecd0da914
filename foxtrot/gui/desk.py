"""What every panel is given: the way to the platform, what instruments there are, which account and symbol are looked at."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from foxtrot.app.control_requests import Request
from foxtrot.app.desktop_requests import OverviewFound
from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, GateChanged
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, BookState, GateState
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import NOT_LIVE, DepthData, TickData
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.link import Answered, Heard, PlatformLink, Questions
from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.state_words import state_word
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

if TYPE_CHECKING:
    from foxtrot.gui.order_actions import OrderActions

CHIPS: Final = ("", "blue", "green", "orange", "violet")
"""Link groups: panels with the same chip show the same instrument; "" is on its own."""
CHIP_COLOURS: Final = {"": "", "blue": "#4c8dff", "green": "#2fbf71", "orange": "#e8a33d", "violet": "#a06bff"}

Kept = TypeVar("Kept", bound=QObject)

FEW_INSTRUMENTS: Final = 12
"""So many are all of interest; of thousands somebody has to choose."""


class LinkGroups(QObject):
    """Which instrument each link group shows. `changed` tells group, instrument id and who changed it."""

    changed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: dict[str, str] = {}

    def shown(self, chip: str) -> str:
        """Return the instrument of a group, "" where nobody has chosen one."""
        return self._shown.get(chip, "")

    def show(self, chip: str, instrument_id: str) -> None:
        """Let a group show an instrument; the group "" has no members."""
        if chip and self._shown.get(chip) != instrument_id:
            self._shown[chip] = instrument_id
            self.changed.emit(chip, instrument_id)


class Desk(QObject):
    """Shared by all panels of a window.

    It keeps copies of facts for painting, and no state that trading relies on.

    Thread: the desktop's.

    Args:
        bridge: brings facts.
        settings: what the user has chosen.
    """

    instruments_changed = Signal()
    accounts_changed = Signal()
    account_chosen = Signal(str)
    gate_changed = Signal()
    connected = Signal()
    said = Signal(str, str)
    """A level and a text for the user: what could not be done, and why."""
    panel_asked = Signal(str, str)
    """A kind of panel and an instrument that it is to show: the panel is opened, or raised where it is open."""
    alert_asked = Signal(str, float)
    """An instrument and a price at which the user wants to be told."""
    account_form_asked = Signal()
    """The form of a new account is to be shown."""
    overview_changed = Signal()
    order_asked = Signal(str)
    """An order whose life is to be shown."""
    moment_chosen = Signal(str, object)
    """An instrument and a moment in nanoseconds of UTC that is to be looked at, such as a trade's."""
    alerts: QObject | None = None
    """The alerts, set when they are made."""
    actions: "OrderActions"
    """By which a person trades; set when that is made."""
    home: Path | None = None
    """Where state lives, for programs that are started beside the desktop; None: where they find it themselves."""

    def __init__(self, bridge: Bridge, settings: DesktopSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.settings = settings
        self.theme: Theme = settings.theme
        self.groups = LinkGroups(self)
        self.instruments: dict[str, Instrument] = {}
        self.listed_by: dict[str, set[str]] = {}
        """Instrument id → the accounts that can trade it."""
        self.statuses: dict[str, AdapterStatus] = {}
        self.balances: dict[str, AccountData] = {}
        self.ticks: dict[str, TickData] = {}
        self.depths: dict[str, DepthData] = {}
        self.books: dict[tuple[str, str], BookState] = {}
        """Account and instrument → whether its book may be believed."""
        self.late_s = 0.0
        """For how long the engine has not answered, 0.0 where it answers."""
        self.gate = GateState.ACTIVE
        self.gate_reason = ""
        self.account = ""
        """The account that is looked at, "" for all."""
        self.is_live = False
        self.home: Path | None = None
        """Where state lives; None where nothing is kept."""
        self.questions: Questions | None = None
        self.overview: OverviewFound | None = None
        """How the platform stood when it was asked last."""
        self._hear(bridge)

    # --- the platform -----------------------------------------------------------------------------------------------

    def open(self, link: PlatformLink, *, is_live: bool) -> None:
        """Take a platform."""
        self.questions = Questions(link)
        self.is_live = is_live
        self.connected.emit()

    def ask(self, request: Request, heard: Heard) -> None:
        """Ask the platform; without one, `heard` is told so at once."""
        if self.questions is None:
            heard(None, "there is no platform")
            return
        self.questions.ask(request, _while_it_lives(heard))

    def put(self, command: msgspec.Struct) -> bool:
        """Send a command; where none is taken the user is told."""
        taken = self.questions is not None and self.questions.link.put(command)
        if not taken:
            self.said.emit("WARNING", "the platform takes no command: it has not started or has stopped")
        return taken

    def take_overview(self, found: OverviewFound) -> None:
        """Take how the platform stands."""
        self.overview = found
        self._take_gate(GateState(found.gate), found.gate_reason)  # it may have been closed before anybody listened
        self.overview_changed.emit()

    def the(self, kind: type[Kept]) -> Kept:
        """Return the one of a class that lives with the desk, whichever panels come and go; it is made where there is none yet."""
        for child in self.children():
            if isinstance(child, kind):
                return child
        return kind(self)

    # --- what is looked at ------------------------------------------------------------------------------------------

    def choose_account(self, account: str) -> None:
        """Look at one account, or at all with ""."""
        if account != self.account:
            self.account = account
            self.account_chosen.emit(account)

    def first_instrument(self) -> str:
        """Return what to look at before anybody has chosen: the only instruments' first one, "" where accounts list many."""
        return next(iter(self.instruments), "") if len(self.instruments) <= FEW_INSTRUMENTS else ""

    def accounts(self) -> list[str]:
        """Return the accounts that were heard of, by name."""
        return sorted(self.statuses.keys() | self.balances.keys())

    def accounts_of(self, instrument_id: str) -> list[str]:
        """Return the accounts that can trade an instrument, the one looked at first."""
        found = sorted(self.listed_by.get(instrument_id, ()))
        return sorted(found, key=lambda name: name != self.account)

    def doubt(self, instrument_id: str, account: str) -> str:
        """Return why the prices of an instrument in an account are not to be believed now, "" where they are."""
        if self.late_s:
            return tr("order.doubt_engine", seconds=f"{self.late_s:.0f}")
        status = self.statuses.get(account)
        if status is not None and status.state is not AdapterState.READY:
            return tr("order.doubt_link", account=account, state=state_word(status.state))
        book = self.books.get((account, instrument_id), BookState.LIVE)
        if book not in (BookState.LIVE, BookState.EMPTY):  # it is empty where nobody has asked for it
            return tr("order.doubt_book", state=tr(f"watchlist.book_{book}"))
        tick = self.ticks.get(instrument_id)
        return tr("order.doubt_source") if tick is not None and tick.source in NOT_LIVE else ""

    def find(self, words: str, most: int = 50) -> list[Instrument]:
        """Return instruments whose id, name or assets have every word, those that begin with the first one first."""
        wanted = words.casefold().split()
        if not wanted:
            return []
        found = [one for one in self.instruments.values() if _has(one, wanted)]
        found.sort(
            key=lambda one: (not one.symbol.casefold().startswith(wanted[0]), len(one.symbol), one.instrument_id)
        )
        return found[:most]

    # --- facts ------------------------------------------------------------------------------------------------------

    def _hear(self, bridge: Bridge) -> None:
        bridge.on(Answered, self._hear_answer)
        bridge.on(ContractsLoaded, self._hear_contracts)
        bridge.on(AdapterStatus, self._hear_status)
        bridge.on(AccountData, self._hear_account)
        bridge.on(GateChanged, self._hear_gate)
        bridge.on(TickData, self._hear_tick)
        bridge.on(DepthData, self._hear_depth)
        bridge.on(BookStateChanged, self._hear_book)

    def _hear_answer(self, answer: Answered) -> None:
        if self.questions is not None:
            self.questions.hear(answer)

    def _hear_contracts(self, loaded: ContractsLoaded) -> None:
        self.take_contracts(loaded.account, loaded.instruments)

    def take_contracts(self, account: str, instruments: Iterable[Instrument]) -> None:
        """Take what an account can trade."""
        for one in instruments:
            self.instruments[one.instrument_id] = one
            self.listed_by.setdefault(one.instrument_id, set()).add(account)
        self.instruments_changed.emit()

    def _hear_status(self, status: AdapterStatus) -> None:
        is_new = status.account not in self.statuses
        self.statuses[status.account] = status
        if is_new:
            self.accounts_changed.emit()

    def _hear_account(self, account: AccountData) -> None:
        is_new = account.account not in self.accounts()
        self.balances[account.account] = account
        if is_new:
            self.accounts_changed.emit()

    def _hear_gate(self, change: GateChanged) -> None:
        if not change.account and not change.instrument_id:
            self._take_gate(change.state, change.reason)

    def _take_gate(self, state: GateState, reason: str) -> None:
        if (state, reason) != (self.gate, self.gate_reason):
            self.gate, self.gate_reason = state, reason
            self.gate_changed.emit()

    def _hear_tick(self, tick: TickData) -> None:
        self.ticks[tick.instrument_id] = tick

    def _hear_depth(self, depth: DepthData) -> None:
        self.depths[depth.instrument_id] = depth

    def _hear_book(self, change: BookStateChanged) -> None:
        self.books[change.account, change.instrument_id] = change.state


def _while_it_lives(heard: Heard) -> Heard:
    """Return what hears an answer only while the window or panel that asked is there: one may be closed meanwhile."""

    def hear(found: msgspec.Struct | None, error: str) -> None:
        if all(map(isValid, _held_by(heard))):
            heard(found, error)

    return hear


def _held_by(heard: Callable[..., object]) -> list[QObject]:
    """Return the windows and panels that a function is bound to or was made in."""
    if isinstance(heard, partial):
        return _held_by(heard.func)
    cells = getattr(heard, "__closure__", None) or ()
    return [
        one
        for one in (getattr(heard, "__self__", None), *(cell.cell_contents for cell in cells))
        if isinstance(one, QObject)
    ]


def _has(one: Instrument, wanted: list[str]) -> bool:
    text = f"{one.instrument_id} {one.name} {one.base_asset} {one.quote_asset} {one.product}".casefold()
    return all(word in text for word in wanted)
