"""The link: all that the desktop can do with a platform. Whatever goes over it can be encoded, so that a platform elsewhere can stand behind it.

Nothing here waits, but a KILL for a quarter of a second at most: answers come through the store, as facts do.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final, Protocol

import msgspec
from loguru import logger

from foxtrot.app.control_answers import Wish
from foxtrot.app.control_requests import Request
from foxtrot.app.desktop_answers import DesktopAnswers
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import NAME as JOURNAL
from foxtrot.app.watchdog import place_of
from foxtrot.core.commands import KillSwitch
from foxtrot.core.notices import (
    AccountAdjusted,
    AccountReconciled,
    AdapterStatus,
    AmendAnswered,
    BookStateChanged,
    ContractsLoaded,
    DifferenceFound,
    EquityMarked,
    GateChanged,
    HandlerFailed,
    HistoryLoaded,
    JournalFailed,
    OrderChanged,
    PartFailed,
    PartRecovered,
    ProtectionChanged,
    RequestFailed,
    StrategyLog,
    StrategyStatus,
    TradeBooked,
    VenueUnsteady,
)
from foxtrot.domain.account import AccountCharge, AccountData
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import FoxtrotError, QueueClosed
from foxtrot.domain.market import BarData, DepthData, FundingRate, MarketTrade, TickData
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.texts import tr

OWNER: Final = "desktop"
KILL_THREAD: Final = "foxtrot-kill"
STUCK_S: Final = 0.25
"""A hand-over that takes longer is stuck."""
FACTS: Final[tuple[type, ...]] = (
    TickData, DepthData, MarketTrade, BarData, FundingRate, AccountData, AccountCharge, OrderChanged, TradeBooked, AmendAnswered,
    StrategyStatus, StrategyLog, EquityMarked, AdapterStatus, VenueUnsteady, ContractsLoaded, BookStateChanged, RequestFailed,
    HandlerFailed, JournalFailed, GateChanged, DifferenceFound, AccountAdjusted, AccountReconciled, ProtectionChanged, PartFailed,
    PartRecovered, HistoryLoaded,
)  # fmt: skip
"""What the desktop is told."""
_NUMBERS: Final = count(1)
"""Of questions, over all platforms of this process: the late answer of one that was closed is nobody else's."""


class Answered(msgspec.Struct, frozen=True):
    """The answer to a question or a wish: what was found, or why not; `command` is that of a wish that passed its check."""

    number: int
    found: msgspec.Struct | None
    error: str = ""
    command: object = None


class PlatformLink(Protocol):
    """What a desktop needs of a platform.

    Thread: the desktop's; nothing blocks.
    """

    store: FactStore
    journal: Path | None
    """Where the platform's journal is, for reading; None where it is on another machine."""

    def ask(self, request: Request) -> int:
        """Ask a question, or put a wish that is checked first; returns the number that its Answered will have."""
        ...

    def put(self, command: object) -> bool:
        """Send a command; False when the platform takes none any more."""
        ...

    def kill(self, reason: str, *, flatten: bool = False, everything: bool = False) -> int:
        """Throw the kill switch: the gate closes at once, whatever the engine is busy with; returns by which number FollowKill knows it."""
        ...

    def stands_in(self) -> str:
        """Return where the engine is at this moment, as a line of code; "" where that cannot be told."""
        ...

    def gate_is_closed(self) -> bool:
        """Tell whether a kill has closed the gate, which it has at once unless an order is being handed over and that does not end."""
        ...


class LocalLink:
    """A platform in this process.

    Thread: made before the engine starts; then the desktop's.

    Args:
        platform: the platform.
        answers: who answers questions, on the engine's thread.
        store: where facts and answers go.
        who: in whose name wishes are made.
    """

    def __init__(self, platform: MainEngine, answers: DesktopAnswers, store: FactStore, who: str) -> None:
        self.store = store
        self.who = who
        self.journal: Path | None = platform.config.data_dir(platform.home) / JOURNAL
        self._platform = platform
        self._answers = answers
        dispatcher = platform.line.dispatcher
        for kind in FACTS:
            dispatcher.subscribe(kind, store.hear, owner=OWNER)

    def ask(self, request: Request) -> int:
        """Ask on the engine's thread; the answer comes through the store."""
        number = next(_NUMBERS)

        def heard(found: "Future[msgspec.Struct | Wish]") -> None:
            answer = _answer(number, found)
            if answer.command is None:
                self.store.hear(answer)
            else:
                self.store.hear_first(answer)

        try:
            self._platform.questions.begin(lambda: self._answers.answer(request)).add_done_callback(heard)
        except QueueClosed:
            self.store.hear(Answered(number, None, "the platform has stopped"))
        return number

    def put(self, command: object) -> bool:
        """Send a command."""
        try:
            self._platform.put(command)
        except QueueClosed:
            return False
        return True

    def kill(self, reason: str, *, flatten: bool = False, everything: bool = False) -> int:
        """Close gate and permit from this thread, then have the engine cancel.

        Where an order is being handed over at this moment and that does not end, a thread of its own closes them as soon as it does:
        nothing else is handed over meanwhile, and the window goes on.

        Blocks: for one small file, when both are closed; for at most STUCK_S before that.
        """
        kill_id = self._answers.kills.next_id()
        wish = KillSwitch(reason, self.who, flatten, everything)
        if self._platform.permit.is_free(STUCK_S):
            self._throw(kill_id, wish)
            return kill_id
        logger.error("the kill switch waits for an order that is being handed over: {}", reason)
        now_ns = self._platform.clock.now_ns()
        self.store.hear_first(RequestFailed("", "KILL", tr("kill.hand_over"), now_ns))
        threading.Thread(target=self._throw, args=(kill_id, wish), name=KILL_THREAD, daemon=True).start()
        return kill_id

    def _throw(self, kill_id: int, wish: KillSwitch) -> None:
        kills, reason = self._answers.kills, wish.reason
        self._platform.permit.close(reason)
        logger.warning("the kill switch was thrown at the desktop: {}", reason)
        with suppress(QueueClosed):  # the orders that it finds are known before it is handled
            self._platform.questions.begin(lambda: kills.survey(kill_id))
        self._platform.kill(reason, self.who)
        self.put(wish)

    def stands_in(self) -> str:
        """Return the line that the engine's thread is at."""
        return place_of(self._platform.events.name)

    def gate_is_closed(self) -> bool:
        """Tell whether the send permit was closed; asks for no lock."""
        return self._platform.permit.allowed is GateState.HALTED


def _answer(number: int, future: "Future[msgspec.Struct | Wish]") -> Answered:
    """Return what became of a question, on the engine's thread."""
    try:
        found = future.result()
    except FoxtrotError as error:
        return Answered(number, None, str(error))
    if isinstance(found, Wish):
        return Answered(number, found.taken, command=found.command)
    return Answered(number, found)


Heard = Callable[[msgspec.Struct | None, str], None]
"""Hears an answer: what was found, or None and why not."""


class Questions:
    """Brings answers to who asked, on the desktop's thread.

    Args:
        link: where questions go; may be replaced when another platform is opened.
    """

    def __init__(self, link: PlatformLink) -> None:
        self.link = link
        self._waiting: dict[int, Heard] = {}

    def ask(self, request: Request, heard: Heard) -> None:
        """Ask; `heard` is called when the answer comes."""
        self._waiting[self.link.ask(request)] = heard

    def hear(self, answer: Answered) -> None:
        """Take an answer; the command of a wish goes to the platform from here, from outside of its engine.

        The answer to a question that was asked of another platform is passed over, and so is its command.
        """
        heard = self._waiting.pop(answer.number, None)
        if heard is None:
            return
        if answer.command is not None and not self.link.put(answer.command):
            heard(None, "the platform has stopped before this could be done")
        else:
            heard(answer.found, answer.error)

    @property
    def open(self) -> int:
        """Return how many questions wait for an answer."""
        return len(self._waiting)
