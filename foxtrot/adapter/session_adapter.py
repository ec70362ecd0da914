"""SessionAdapter: how what is asked of an adapter, on any thread, gets to the loop of its session, and how its life begins and ends."""

import abc
import enum
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any, Protocol

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, ExactBook
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth, HealthFigures
from foxtrot.core.heartbeat import Part
from foxtrot.core.notices import BookLoaded
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import ConnectionLost, FoxtrotError, InvariantBroken, RequestTimedOut
from foxtrot.domain.market import REST, STREAM, DepthData

Job = Callable[[], Coroutine[Any, Any, None]]


class Session(Protocol):
    """What a session must have: its loop, its figures, and whether its link stands."""

    health: AdapterHealth
    bridge: AsyncBridge
    linked: bool

    def call_soon(self, function: Callable[[], None]) -> bool:
        """Run a function on the loop, from any thread; False when the session is not running."""
        ...

    def run(self, job: Coroutine[Any, Any, None], name: str) -> None:
        """Run something that was asked for and ends by itself."""
        ...

    def lose(self, cause: str) -> None:
        """Give the link up, and make another."""
        ...

    def parts(self) -> tuple[Part, ...]:
        """Return what is to be supervised."""
        ...

    def close(self, before_end: Callable[[], None], deadline_s: float) -> str:
        """End everything; returns what overran the deadline, or ""."""
        ...


class _Life(enum.Enum):
    NEW = "new"
    ENTERED = "entered"
    CLOSED = "closed"


class SessionAdapter(BaseAdapter):
    """An adapter whose session has a loop and a thread of its own.

    Thread: public methods, any. What is asked of an adapter that is not connected yet, or closed, is refused on the caller's
        thread, since there is no other.

    Args:
        context: what the platform gives.
        session: the session; it is started by `connect`.
    """

    not_connected = "the venue is not connected"
    """Why something cannot be had while there is no link."""

    def __init__(self, context: AdapterContext, session: Session) -> None:
        super().__init__(context)
        self._link = session
        session.health.book_paths = self.book_paths
        self._early: list[Callable[[], None]] = []  # wishes for streams before there was a thread
        self._life = _Life.NEW
        self._door = threading.RLock()  # no job of ours enters the loop behind the one that ends us
        self._ended = threading.Event()

    @abc.abstractmethod
    def start_session(self) -> None:
        """Start the session; returns at once."""

    @abc.abstractmethod
    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask the venue for a book, on the loop.

        Raises:
            FoxtrotError: it could not be had.
        """

    def health(self) -> HealthFigures:
        """Return how well the link and its streams do."""
        return self._link.health.snapshot(self.clock.monotonic_ns())

    # --- life -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Start the thread and connect; doing it twice, or after `close`, does nothing."""
        with self._door:
            if self._life is _Life.NEW:
                self._life = _Life.ENTERED
                self.start_session()
                for wish in self._early:
                    self._link.call_soon(wish)
                self._early.clear()

    def close(self, deadline_s: float = 5.0) -> str:
        """End the session; whoever closes second waits for the first.

        Blocks: at most `deadline_s`.
        """
        with self._door:
            before, self._life = self._life, _Life.CLOSED
        if before is _Life.NEW:
            self._end()
        elif before is _Life.ENTERED:
            return self._link.close(self._end, deadline_s)
        overran = self._link.bridge.join(deadline_s)
        if overran or self._link.bridge.is_own_thread:
            return overran
        return "" if self._ended.wait(deadline_s) else self._link.bridge.name

    def _end(self) -> None:
        try:
            self.on_status(AdapterState.CLOSED)
        finally:
            self._ended.set()

    def parts(self) -> tuple[Part, ...]:
        """Return the loop and the task that holds the link."""
        return self._link.parts()

    def renew_link(self, cause: str) -> None:
        """Give the link up and make another, with fresh books and streams."""
        self._link.call_soon(partial(self._link.lose, cause))

    # --- books ------------------------------------------------------------------------------------------------------

    def request_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Ask for a book without waiting: the stream's, or else the venue's."""

        def refuse(error: str) -> None:
            self.on_book(BookLoaded(request_id, instrument_id, None, "none", 0.0, error))

        async def tell() -> None:
            book = self.book_in_memory(instrument_id) or await self.read_book(instrument_id, levels)
            facts = _depth_of(book, levels, self.clock.now_ns())
            self.on_book(BookLoaded(request_id, instrument_id, facts, book.source, book.age_ms))

        self.ask_or(tell, refuse, f"book of {instrument_id}")

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Ask the venue for a book and wait for it.

        Blocks: at most `deadline_s`.

        Raises:
            ConnectionLost: the venue is not connected.
            AdapterError: it does not list the instrument, or refuses.
            RequestTimedOut: no answer in time.
            InvariantBroken: called on the session's own thread, which would wait for itself.
        """
        bridge = self._link.bridge
        if bridge.is_own_thread:
            raise InvariantBroken(f"{bridge.name} cannot wait for a book; request_book answers by an event")
        if not self._link.linked:
            raise ConnectionLost(self.adapter_name, "not_connected", self.not_connected)
        asked = bridge.submit(self.read_book(instrument_id, levels))
        try:
            return asked.result(deadline_s)
        except FutureTimeout as error:
            asked.cancel()
            text = f"no book of {instrument_id} in {deadline_s} s"
            raise RequestTimedOut(self.adapter_name, "timeout", text) from error

    # --- how jobs get to the loop -----------------------------------------------------------------------------------

    def wish(self, what: str, job: Callable[[], None]) -> None:
        """Do something on the loop that outlasts links, also when it is wished before there is a loop."""
        with self._door:
            if self._life is _Life.NEW:
                self._early.append(job)
                return
            if self._life is _Life.ENTERED and self._link.call_soon(job):
                return
        self.on_request_failed(what, "the adapter is closed")

    def submit(self, job: Job, name: str) -> bool:
        """Give the loop a job; False when nobody would do it, before `connect` and after `close`."""
        with self._door:
            if self._life is not _Life.ENTERED:
                return False
            return self._link.call_soon(lambda: self._link.run(job(), name))

    def ask(self, what: str, job: Job) -> None:
        """Do a job if the link stands then; when it does not, or the job fails, RequestFailed says so."""
        self.ask_or(job, lambda error: self.on_request_failed(what, error), what)

    def ask_or(self, job: Job, refuse: Callable[[str], None], name: str) -> None:
        """Do a job if the link stands then; otherwise, and when it fails, say so by `refuse`."""

        async def ask() -> None:
            if not self._link.linked:
                refuse(self.not_connected)
                return
            try:
                await job()
            except FoxtrotError as error:
                refuse(str(error))

        if not self.submit(ask, name):
            refuse(self.not_connected)


def _depth_of(book: ExactBook, levels: int, now_ns: int) -> DepthData:
    """Return a book as a fact."""
    bids = tuple((float(price), float(size)) for price, size in book.bids[:levels])
    asks = tuple((float(price), float(size)) for price, size in book.asks[:levels])
    source = STREAM if book.source == STREAM else REST
    return DepthData(book.instrument_id, 0, now_ns, book.update_id, bids, asks, source)
