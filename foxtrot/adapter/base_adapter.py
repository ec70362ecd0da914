"""BaseAdapter: what every venue's adapter promises to the platform."""

import abc
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.book_paths import BookPath
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.adapter.health import AdapterHealth, HealthFigures
from foxtrot.core.clock import Clock
from foxtrot.core.notices import (
    AdapterStatus,
    BookLoaded,
    BookStateChanged,
    ContractsLoaded,
    Gap,
    HistoryLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountCharge, AccountData, PositionData
from foxtrot.domain.enums import AdapterState, BookState, PositionMode
from foxtrot.domain.errors import AdapterError, FoxtrotError, InvariantBroken
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, DepthChange, DepthData, FundingRate, MarketTrade, TickData
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

ENGINE_THREAD = "foxtrot-engine"
Setting = str | int | float | bool
_SEVERITY = {AdapterState.LOST: "WARNING", AdapterState.BACKING_OFF: "WARNING", AdapterState.FAILED: "ERROR"}
"""How a change of the connection is logged where it is trouble; FAILED needs a person, for it is not tried again."""

ANSWERS = (BookPath.STREAM, BookPath.CACHE, BookPath.REST)
"""What the `source` of a book can be."""


class EventSink(Protocol):
    """Whatever events are put into: the engine, or a dispatcher called in line.

    Thread: any for the engine, the caller's for a dispatcher.
    """

    def put(self, event: object) -> None:
        """Queue an event and return at once."""
        ...


class AdapterContext(msgspec.Struct, frozen=True):
    """What the platform gives an adapter: the way up, the send permit, the clock, settings and secrets of the account.

    `environment` is one of the venue's, in the adapter's own words; "" is its safest. `shared` belongs to the platform and lets adapters of one family share a session; it is used before threads start.
    `settings` hold no secret: `NAME_env = "VARIABLE"` and settings named like a secret arrive in `secrets` by NAME.
    """

    account: str
    sink: EventSink
    permit: SendPermit
    clock: Clock
    settings: Mapping[str, Setting]
    shared: dict[str, object]
    environment: str = ""
    position_mode: PositionMode = PositionMode.NETTING
    secrets: Mapping[str, Secret] = {}


class ExactBook(msgspec.Struct, frozen=True):
    """An order book with exact prices and sizes, best first, and where it came from (stream, cache or rest)."""

    instrument_id: str
    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    source: str
    age_ms: float


class BestBidOffer(msgspec.Struct, frozen=True):
    """The best bid and ask with exact prices and sizes, as the stream told them (`source` "stream") and how long ago."""

    instrument_id: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    source: str
    age_ms: float


class BaseAdapter(abc.ABC):
    """One account at one venue.

    The promises, each held by a test of the contract suite:

    1. `connect`, `close`, `subscribe`, `send_order`, `cancel_order` and `query_*` return at once on any thread and never
       raise for what the venue does; outcomes come as events.
    2. After connecting, in this order: status, contracts, account, positions, open orders, trades since the cursor, READY.
    3. Reconnecting is the adapter's own business: back-off with full jitter, the desired subscriptions once, fresh
       snapshots, reconcile, READY; silence is found by its own clock; every step is one AdapterStatus.
    4. The order id is the desk's; no id is sent twice; an unknown outcome is reported as UNKNOWN, never as rejected.
    5. Depth reaches the engine as DepthData; DepthChange follows a snapshot without a gap, or not at all. Bars come at their
       close, each once and in order, those of a lost link too.
    6. `get_order_book_from_websocket` and `get_best_bid_offer` answer from memory, `get_order_book_depth` says where its answer
       came from and raises at once on the engine's thread. By which way a book was had is counted in `health`.
    7. `close` is idempotent and leaves no thread, task, socket or subscription behind.
    8. Nothing is sent once the send permit is closed: such an order comes back as DENIED.

    Thread: the public methods, any; the `on_*` methods, the adapter's own.
    """

    adapter_name: ClassVar[str] = ""
    capabilities: ClassVar[Capabilities]
    book_cache_ms: ClassVar[float] = 1_000.0
    """How old a book that was requested before may be to answer `get_order_book_depth` again."""
    logs_status: bool = True
    """Whether each change of the connection is a line in the log; a backtest's adapter leaves it out."""

    def __init__(self, context: AdapterContext) -> None:
        self.context = context
        self.account = context.account
        self.clock = context.clock
        self.link = AdapterHealth(context.account)
        self.book_paths = self.link.book_paths
        self.state = AdapterState.DISCONNECTED
        self.cause = ""
        self.state_since_ns = self.clock.monotonic_ns()
        self._sink = context.sink
        self._fetched: dict[str, tuple[int, int, ExactBook]] = {}  # levels asked for, when, and the answer
        self._ways: dict[str, str] = {}  # the way by which each instrument's book was had last

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell whether orders in an environment ("" is the safest) spend real money; who does not say so may well do it."""
        return True

    def health(self) -> HealthFigures:
        """Return how well the link and its streams do; from any thread. What keeps figures of its own shows `book_paths` in them."""
        return self.link.snapshot(self.clock.monotonic_ns())

    # --- downward: called by the platform -------------------------------------------------------------------------

    @abc.abstractmethod
    def connect(self) -> None:
        """Begin to connect and go on trying until closed."""

    @abc.abstractmethod
    def close(self, deadline_s: float = 5.0) -> str:
        """End everything the adapter started; returns the name of a thread that overran the deadline, or "".

        Blocks: at most `deadline_s`.
        """

    @abc.abstractmethod
    def subscribe(self, request: SubscribeRequest) -> None:
        """Add to the desired streams; what cannot be had comes back as RequestFailed."""

    @abc.abstractmethod
    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""

    @abc.abstractmethod
    def send_order(self, order: ApprovedOrder) -> None:
        """Send an approved order; its life comes back as OrderData and TradeData."""

    @abc.abstractmethod
    def cancel_order(self, request: CancelRequest) -> None:
        """Ask the venue to cancel an order; allowed whatever the send permit says."""

    @abc.abstractmethod
    def query_account(self) -> None:
        """Ask for balances; answered by AccountData."""

    @abc.abstractmethod
    def query_positions(self) -> None:
        """Ask for positions; answered by PositionsLoaded."""

    @abc.abstractmethod
    def query_orders(self) -> None:
        """Ask for open orders; answered by OpenOrdersLoaded."""

    @abc.abstractmethod
    def query_trades(self, since_ns: int) -> None:
        """Ask for our trades since a time, inclusive; answered by TradesLoaded."""

    @abc.abstractmethod
    def query_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars; answered by HistoryLoaded."""

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh DepthData for an instrument whose changes were shed."""
        self.on_request_failed(f"snapshot of {instrument_id}", f"{self.adapter_name} has no depth stream")

    def request_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Ask for a book without waiting; answered by BookLoaded."""
        error = f"{self.adapter_name} gives no order book: capability is {self.capabilities.book}"
        self.on_book(BookLoaded(request_id, instrument_id, None, "none", 0.0, error))

    def get_order_book_from_websocket(self, instrument_id: str) -> ExactBook | None:
        """Return the book from memory, or None when there is no full book, no connection or no valid snapshot.

        Blocks: never.
        """
        began_ns = self.clock.monotonic_ns()
        book = self.book_in_memory(instrument_id)
        self._note(BookPath.NOT_IN_MEMORY if book is None else BookPath.MEMORY, began_ns, book)
        return book

    def get_best_bid_offer(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best bid and ask from memory, or None when they are not subscribed, not connected or not valid.

        Blocks: never.
        """
        began_ns = self.clock.monotonic_ns()
        best = self.best_in_memory(instrument_id)
        self._note(BookPath.NO_BEST if best is None else BookPath.BEST, began_ns, best)
        return best

    def get_order_book_depth(self, instrument_id: str, levels: int, deadline_s: float = 5.0) -> ExactBook:
        """Return a book from the stream, else from a young cached copy, else from a request; `source` says which.

        Blocks: at most `deadline_s`.

        Raises:
            InvariantBroken: called on the engine's thread, where nothing may wait.
            AdapterError: the venue gives no book by any way.
        """
        if threading.current_thread().name == ENGINE_THREAD:
            raise InvariantBroken("get_order_book_depth waits; strategies use self.book() or self.request_book()")
        began_ns = self.clock.monotonic_ns()
        try:
            book = self._nearest_book(instrument_id, levels, deadline_s)
        except AdapterError as error:
            self._note(BookPath.FAILED, began_ns)
            self._say_way(instrument_id, f"could not be had: {error}", BookPath.FAILED)
            raise
        self._note(BookPath(book.source), began_ns, book)
        self._say_way(instrument_id, f"from {book.source}, {book.age_ms:.0f} ms old", BookPath(book.source))
        return msgspec.structs.replace(book, bids=book.bids[:levels], asks=book.asks[:levels])

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the stream's full book: what an adapter whose stream has one overrides."""
        return None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best prices of the stream; by default those of the full book, if there is one."""
        book = self.book_in_memory(instrument_id)
        if book is None or not book.bids or not book.asks:
            return None
        return BestBidOffer(instrument_id, *book.bids[0], *book.asks[0], book.source, book.age_ms)

    def _nearest_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        book = self.get_order_book_from_websocket(instrument_id) or self._cached_book(instrument_id, levels)
        if book is None:
            book = self.fetch_order_book(instrument_id, levels, deadline_s)
            self._fetched[instrument_id] = (levels, self.clock.monotonic_ns(), book)
        return book

    def _note(self, path: BookPath, began_ns: int, found: ExactBook | BestBidOffer | None = None) -> None:
        latency_ms = (self.clock.monotonic_ns() - began_ns) / 1e6
        self.book_paths.note(path, latency_ms, None if found is None else found.age_ms)

    def _say_way(self, instrument_id: str, words: str, way: BookPath) -> None:
        """Log how a book was had: in every log when the way is another one than before, else for who looks closely."""
        level = "DEBUG" if self._ways.get(instrument_id) == way else "INFO"
        self._ways[instrument_id] = way
        logger.bind(account=self.account).log(level, "book of {}: {}", instrument_id, words)

    def _cached_book(self, instrument_id: str, levels: int) -> ExactBook | None:
        cached = self._fetched.get(instrument_id)
        if cached is None or cached[0] < levels:
            return None
        age_ms = (self.clock.monotonic_ns() - cached[1]) / 1e6 + cached[2].age_ms
        if age_ms > self.book_cache_ms:
            return None
        return msgspec.structs.replace(cached[2], source="cache", age_ms=age_ms)

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Request a book from the venue.

        Blocks: at most `deadline_s`.

        Raises:
            AdapterError: this venue has no such request, or it failed.
        """
        kind = self.capabilities.book
        raise AdapterError(self.adapter_name, "no_book", f"no order book for {instrument_id}: capability is {kind}")

    # --- upward: the only way out of a venue thread ---------------------------------------------------------------

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        """Publish a change of the connection and log it."""
        now_ns = self.clock.now_ns()
        self._follow(state, cause)
        if self.logs_status:
            bound = logger.bind(account=self.account, adapter=self.adapter_name, attempt=attempt, delay_s=delay_s)
            bound.log(_SEVERITY.get(state, "INFO"), "connection {}{}", state, cause and f": {cause}")
        self._sink.put(AdapterStatus(self.account, self.adapter_name, state, cause, attempt, delay_s, now_ns))

    def _follow(self, state: AdapterState, cause: str) -> None:
        now_ns = self.clock.monotonic_ns()
        self.state, self.cause, self.state_since_ns = state, cause, now_ns
        if state in (AdapterState.CONNECTED, AdapterState.READY):
            self.link.up(now_ns)
        elif state in (AdapterState.LOST, AdapterState.FAILED, AdapterState.CLOSED):
            self.link.down(cause)
        if state is AdapterState.CLOSED:
            self._fetched.clear()

    def on_contracts(self, instruments: tuple[Instrument, ...]) -> None:
        """Publish what can be traded."""
        self._sink.put(ContractsLoaded(self.account, instruments))

    def on_account(self, account: AccountData) -> None:
        """Publish balances."""
        self._sink.put(account)

    def on_positions(self, positions: PositionsLoaded) -> None:
        """Publish all positions."""
        self._sink.put(positions)

    def on_position(self, position: PositionData) -> None:
        """Publish one position that changed."""
        self._sink.put(position)

    def on_open_orders(self, orders: OpenOrdersLoaded) -> None:
        """Publish all open orders."""
        self._sink.put(orders)

    def on_trades(self, trades: TradesLoaded) -> None:
        """Publish past trades."""
        self._sink.put(trades)

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""
        self._sink.put(tick)

    def on_depth(self, depth: DepthData) -> None:
        """Publish a depth snapshot."""
        self._sink.put(depth)

    def on_depth_change(self, change: DepthChange) -> None:
        """Publish a depth change that follows the last one."""
        self._sink.put(change)

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Publish a public print."""
        self._sink.put(trade)

    def on_bar(self, bar: BarData) -> None:
        """Publish a bar that has closed; each once, in their order."""
        self._sink.put(bar)

    def on_gap(self, gap: Gap) -> None:
        """Publish that events of an instrument are missing and cannot be had any more."""
        self._sink.put(gap)

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        """Publish that a local book became usable or unusable."""
        self._sink.put(BookStateChanged(self.account, instrument_id, state, cause, self.clock.now_ns()))

    def on_funding_rate(self, rate: FundingRate) -> None:
        """Publish a funding rate."""
        self._sink.put(rate)

    def on_order(self, order: OrderData) -> None:
        """Publish the state of one of our orders."""
        self._sink.put(order)

    def on_trade(self, trade: TradeData) -> None:
        """Publish a fill of one of our orders."""
        self._sink.put(trade)

    def on_charge(self, charge: AccountCharge) -> None:
        """Publish money that moved without a trade."""
        self._sink.put(charge)

    def on_history(self, history: HistoryLoaded) -> None:
        """Publish the answer to a history request."""
        self._sink.put(history)

    def on_book(self, book: BookLoaded) -> None:
        """Publish the answer to a book request."""
        known = book.book is not None and book.source in ANSWERS
        self.book_paths.note(book.source if known else BookPath.FAILED, None, book.age_ms if known else None)
        self._sink.put(book)

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that a query or subscription failed."""
        self._sink.put(RequestFailed(self.account, what, str(error), self.clock.now_ns()))
