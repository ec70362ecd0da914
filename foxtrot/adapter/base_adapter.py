"""BaseAdapter: what every venue's adapter promises to the platform."""

import abc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.book_access import ENGINE_THREAD, BestBidOffer, BookAccess, ExactBook
from foxtrot.adapter.health import AdapterHealth, HealthFigures
from foxtrot.adapter.key_rights import KeyHolder
from foxtrot.adapter.order_amends import OrderAmends
from foxtrot.adapter.order_pairs import OrderPairs
from foxtrot.adapter.supervised import Supervised
from foxtrot.core.clock import Clock
from foxtrot.core.notices import (
    AdapterStatus,
    BookLoaded,
    BookStateChanged,
    ContractsLoaded,
    Gap,
    HistoryLoaded,
    OpenOrdersLoaded,
    OrderMissing,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
    VenueMessage,
)
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountCharge, AccountData, PositionData
from foxtrot.domain.enums import AdapterState, BookState, PositionMode
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, DepthChange, DepthData, FundingRate, MarketTrade, TickData
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

__all__ = ["ENGINE_THREAD", "AdapterContext", "BaseAdapter", "BestBidOffer", "EventSink", "ExactBook", "Setting"]

Setting = str | int | float | bool
_SEVERITY = {AdapterState.LOST: "WARNING", AdapterState.BACKING_OFF: "WARNING", AdapterState.FAILED: "ERROR"}
"""How a change of the connection is logged where it is trouble; FAILED needs a person, for it is not tried again."""


def _as_it_is(seen: str | int) -> str | int:
    """Return what was seen: nobody notes it."""
    return seen


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
    `settings` hold no secret: `NAME_env = "VARIABLE"` and settings named like a secret arrive in `secrets` by NAME. Before `fills_since_ns`
    (venue time) the platform has every fill by its journal; 0 when it has none, so that the adapter's own setting counts.
    `home` is the platform's folder, for what must outlive the process; None keeps nothing.
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
    fills_since_ns: int = 0
    home: Path | None = None


class BaseAdapter(OrderPairs, OrderAmends, BookAccess, KeyHolder, Supervised, abc.ABC):
    """One account at one venue.

    The promises, each held by a test of the contract suite:

    1. `connect`, `close`, `subscribe`, `send_order`, `send_pair`, `amend_order`, `cancel_order` and `query_*` return at once on any thread and never
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
    9. `query_order` tells an order, or that there is none once that is proved; lists of open orders and of fills are complete.

    Thread: the public methods, any; the `on_*` methods, the adapter's own.
    """

    logs_status: bool = True
    """Whether each change of the connection is a line in the log; a backtest's adapter leaves it out."""

    def __init__(self, context: AdapterContext) -> None:
        self.context = context
        self.link = AdapterHealth(context.account)
        super().__init__(context.account, context.clock, self.link.book_paths)
        self.state = AdapterState.DISCONNECTED
        self.cause = ""
        self.state_since_ns = self.clock.monotonic_ns()
        self.was_ready = False
        self.not_ready_since_ns: int | None = self.state_since_ns
        self.failed_dials = 0
        """Attempts to connect that came to nothing, each followed by another; losses of a link that stood are not among them."""
        self.watched: frozenset[str] = frozenset()
        """Instruments of which fills are asked for besides those of the streams, where a venue tells them by instrument; replaced whole."""
        self.on_look: Callable[[str | int], str | int] = _as_it_is
        """Passes what trading looks at: a tape notes it, and says it again when it is played."""
        self._stood = False
        self._sink = context.sink

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell whether orders in an environment ("" is the safest) spend real money; who does not say so may well do it."""
        return True

    @property
    def trades(self) -> bool:
        """Tell whether there is an account to ask and to trade with; without one there are prices only."""
        return True

    def health(self) -> HealthFigures:
        """Return how well the link and its streams do; from any thread. What keeps figures of its own shows `book_paths` in them."""
        return self.link.snapshot(self.clock.monotonic_ns())

    # --- what trading looks at, on the engine's thread ---------------------------------------------------------------

    def state_now(self) -> AdapterState:
        """Return the state of the connection, which another thread may change at any moment."""
        return AdapterState(str(self.on_look(str(self.state))))

    def weight_spent(self) -> int:
        """Return how much of what the venue allows in a minute is spent."""
        return int(self.on_look(self.health().used_weight))

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

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Find out what became of an order that an earlier run may have sent; its life comes back as OrderData and TradeData.

        It counts as sent now: NOT FOUND proves nothing before the adapter's bound has passed from here on. This default, for venues
        without a bound, asks for the open orders; an order that is not among them stays unknown.

        Args:
            order: the order; its id is never sent again.
            sent_ns: when its intent was written, UTC ns.
        """
        logger.bind(order_id=order.order_id).info(
            "an earlier run may have sent it at {}; asking for open orders", sent_ns
        )
        self.query_orders()

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

    def query_order(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order; answered by OrderData, or by OrderMissing past the bound within which the venue might not see it.

        A venue that cannot be asked for one is asked for all open orders, whose list proves nothing of an order that it lacks.
        """
        self.query_orders()

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
        self._follow_readiness(state, now_ns)
        if state in (AdapterState.CONNECTED, AdapterState.READY):
            self.link.up(now_ns)
        elif state in (AdapterState.LOST, AdapterState.FAILED, AdapterState.CLOSED):
            self.link.down(cause)
        if state is AdapterState.CLOSED:
            self.forget_requested_books()

    def _follow_readiness(self, state: AdapterState, now_ns: int) -> None:
        if state is AdapterState.READY:
            self.was_ready, self.not_ready_since_ns = True, None
        elif self.not_ready_since_ns is None:
            self.not_ready_since_ns = now_ns
        if state in (AdapterState.CONNECTED, AdapterState.READY):
            self._stood = True
        elif state is AdapterState.BACKING_OFF:
            self.failed_dials += not self._stood
            self._stood = False

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

    def on_order_missing(self, order_id: str, instrument_id: str) -> None:
        """Publish that the venue has no order of an id, past the bound within which it might not see it yet."""
        self._sink.put(OrderMissing(order_id, self.account, instrument_id, self.clock.now_ns()))

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
        self.note_answer(book)
        self._sink.put(book)

    def on_venue_message(self, message: VenueMessage) -> None:
        """Publish a raw message about an order, without signatures and keys."""
        self._sink.put(message)

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that a query or subscription failed."""
        self._sink.put(RequestFailed(self.account, what, str(error), self.clock.now_ns()))
