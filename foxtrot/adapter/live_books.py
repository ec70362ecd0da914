"""LiveBooks: the order books of a venue in any Python program, without an engine, an account or a configuration file."""

import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Final

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, Setting
from foxtrot.adapter.latest_value import LatestValue
from foxtrot.adapter.reader_callback import guarded
from foxtrot.adapter.registry import make_adapter
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.notices import AdapterStatus, BookStateChanged, RequestFailed
from foxtrot.core.secret import is_secret_name
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import AdapterError, ConfigError, FoxtrotError, RequestTimedOut
from foxtrot.domain.market import DepthData, Level
from foxtrot.domain.subscription import SubscribeRequest

READER: Final = "reader"
"""The name of the account, which has no keys: it only reads."""


class LiveBook(msgspec.Struct, frozen=True):
    """An order book at one moment, best first. While it is not LIVE it has no levels, so that nobody believes them by mistake."""

    instrument_id: str
    state: BookState
    update_id: int = 0
    venue_time_ns: int = 0
    local_time_ns: int = 0
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    source: str = ""
    cause: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether it may be believed."""
        return self.state is BookState.LIVE

    @property
    def best_bid(self) -> Level | None:
        """Return the highest bid, (price, size)."""
        return self.bids[0] if self.bids else None

    @property
    def best_ask(self) -> Level | None:
        """Return the lowest ask, (price, size)."""
        return self.asks[0] if self.asks else None


class BookFeed(LatestValue[LiveBook]):
    """One book: `latest`, `wait`, a callback for each, or `for book in feed` and `async for book in feed` for the newest.

    Thread: any; callbacks run on the venue's thread, which they must not keep waiting.
    """

    def __init__(self, instrument_id: str) -> None:
        super().__init__(LiveBook(instrument_id, BookState.EMPTY, cause="nothing came yet"))
        self.instrument_id = instrument_id
        self.callbacks: tuple[Callable[[LiveBook], None], ...] = ()

    def give(self, value: LiveBook) -> None:
        """Take a newer book, and call back."""
        super().give(value)
        for hear in self.callbacks:
            hear(value)

    def end(self, last: LiveBook, error: FoxtrotError | None = None) -> None:
        """Give nothing after a last book, which is called back too, so that nobody goes on believing the one before."""
        is_first = not self.is_ended
        super().end(last, error)
        for hear in self.callbacks if is_first else ():
            hear(last)

    def wait(self, timeout_s: float = 10.0) -> LiveBook:
        """Return the newest book that is LIVE, at once when it is.

        Blocks: at most `timeout_s`.

        Raises:
            RequestTimedOut: none came in time; it says what the book is instead.
            AdapterError: the venue has no such book.
            ConfigError: the books are closed.
        """
        try:
            book = self.first(lambda book: book.is_live, timeout_s)
        except TimeoutError:
            book = self.latest
            text = f"no LIVE book of {self.instrument_id} in {timeout_s} s: it is {book.state}, {book.cause}"
            raise RequestTimedOut(READER, "timeout", text) from None
        if not book.is_live:
            raise ConfigError(f"the books are closed; the feed of {self.instrument_id} has ended")
        return book


class LiveBooks:
    """Reads order books by one of the installed adapters: many symbols on one connection, right or saying that they are not.

    It connects when it is made and goes on trying; `close`, or the end of a `with` block, leaves nothing behind. Prices come
    without keys wherever the venue gives them.

    Thread: every method, any.

    Args:
        adapter: the name of an adapter, such as "binance" or "ccxt".
        settings: what an account of that adapter is set to, such as {"product": "usdm"}.
        environment: one of the adapter's, such as "live"; "" is its safest.
        clock: the system's by default.

    Raises:
        ConfigError: there is no such adapter, or a setting is wrong.
    """

    def __init__(
        self,
        adapter: str,
        settings: Mapping[str, Setting] | None = None,
        environment: str = "",
        clock: Clock | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._feeds: dict[str, BookFeed] = {}
        self._states: dict[str, BookState] = {}
        self._is_closed = False
        for name in settings or {}:
            if is_secret_name(name) or name.endswith("_env"):
                raise ConfigError(f"LiveBooks reads without keys; leave {name} out")
        permit = SendPermit()
        permit.close("this program only reads order books")
        context = AdapterContext(READER, self, permit, clock or SystemClock(), settings or {}, {}, environment)
        self.adapter: BaseAdapter = make_adapter(adapter, context)
        self.adapter.connect()

    def __enter__(self) -> "LiveBooks":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def book(self, instrument_id: str, levels: int = 20, on_book: Callable[[LiveBook], None] | None = None) -> BookFeed:
        """Return the feed of a book; asked for again it is the same one, with as many levels as anybody asked for.

        Args:
            instrument_id: which, such as "BTCUSDT.BINANCE".
            levels: how many a side.
            on_book: called with every book, on the venue's thread; an error in it is logged.

        Raises:
            ConfigError: no level at all was asked for, or the books are closed.
        """
        if levels < 1:
            raise ConfigError(f"levels = {levels} of {instrument_id} must be at least 1")
        with self._lock:
            if self._is_closed:
                raise ConfigError("the books are closed; make new ones")
            feed = self._feeds.get(instrument_id)
            if feed is None or feed.is_ended:
                feed = self._feeds[instrument_id] = BookFeed(instrument_id)
            if on_book is not None:
                feed.callbacks = (*feed.callbacks, guarded(on_book, "live books", instrument_id))
        self.adapter.subscribe(SubscribeRequest(instrument_id, ticks=False, depth_levels=levels))
        return feed

    def __iter__(self) -> Iterator[BookFeed]:
        return iter(tuple(self._feeds.values()))

    def forget(self, instrument_id: str) -> None:
        """End the feed of a book and its stream."""
        feed = self._feeds.pop(instrument_id, None)
        if feed is not None:
            self.adapter.unsubscribe(instrument_id)
            feed.end(LiveBook(instrument_id, BookState.EMPTY, cause="no longer wanted"))

    def close(self, deadline_s: float = 5.0) -> str:
        """End every feed and the connection; again is harmless. Returns the name of a thread that overran, or "".

        Blocks: at most `deadline_s`.
        """
        with self._lock:
            self._is_closed = True
        overran = self.adapter.close(deadline_s)
        for feed in tuple(self._feeds.values()):
            feed.end(LiveBook(feed.instrument_id, BookState.EMPTY, cause="closed"))
        return overran

    def put(self, event: object) -> None:
        """Hear what the adapter tells: the way up is this object instead of an engine.

        Thread: the venue's.
        """
        if isinstance(event, DepthData):
            self._on_depth(event)
        elif isinstance(event, BookStateChanged):
            self._on_state(event)
        elif isinstance(event, RequestFailed):
            self._on_failed(event)
        elif isinstance(event, AdapterStatus) and event.state in (AdapterState.LOST, AdapterState.FAILED):
            for feed in tuple(self._feeds.values()):
                feed.give(LiveBook(feed.instrument_id, BookState.STALE, cause=event.cause))

    def _on_depth(self, depth: DepthData) -> None:
        feed = self._feeds.get(depth.instrument_id)
        if feed is not None and self._states.get(depth.instrument_id, BookState.LIVE) is BookState.LIVE:
            times = depth.venue_time_ns, depth.local_time_ns
            levels = depth.bids, depth.asks
            feed.give(LiveBook(depth.instrument_id, BookState.LIVE, depth.update_id, *times, *levels, depth.source))

    def _on_state(self, change: BookStateChanged) -> None:
        self._states[change.instrument_id] = change.state
        feed = self._feeds.get(change.instrument_id)
        if feed is not None and change.state is not BookState.LIVE:  # when it is LIVE its levels follow at once
            feed.give(LiveBook(change.instrument_id, change.state, cause=change.cause))

    def _on_failed(self, failed: RequestFailed) -> None:
        for feed in tuple(self._feeds.values()):
            if feed.instrument_id in failed.what.split():
                error = AdapterError(self.adapter.adapter_name, "no_book", f"{failed.what}: {failed.error}")
                feed.end(LiveBook(feed.instrument_id, BookState.EMPTY, cause=failed.error), error)
