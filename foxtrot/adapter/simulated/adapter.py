"""SimulatedAdapter: one account at the embedded venue, in process."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Never

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, ExactBook
from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.market_data import MarketData
from foxtrot.adapter.simulated.opening import open_session
from foxtrot.adapter.simulated.session import SessionFailed, SimulatedSession
from foxtrot.core.notices import BookLoaded, HistoryLoaded, OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import PositionData
from foxtrot.domain.enums import (
    AdapterState,
    OrderStatus,
    OrderType,
    PositionMode,
    TimeInForce,
)
from foxtrot.domain.errors import ConfigError, RequestTimedOut
from foxtrot.domain.interval import Interval
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.exchange.commands import CancelOrder
from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    FundingPaid,
    OrderEvent,
    OrderFilled,
    PositionChanged,
    VenueEvent,
)
from foxtrot.exchange.result import ResultCode

CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType),
    times_in_force=frozenset(TimeInForce),
    position_modes=frozenset(PositionMode),
    post_only=True,
    reduce_only=True,
    iceberg=True,
    book=BookKind.FULL,
    book_levels=1000,
    depth_changes=True,
    market_trades=True,
    history=True,
    network=False,
)


class SimulatedAdapter(BaseAdapter):
    """Trades one account at an embedded venue that other simulated accounts of the platform may share.

    Settings: see adapter/simulated/opening.py.

    Thread: public methods, any; everything that hears the venue, simulated-io (in line: the caller's).
    """

    adapter_name = "simulated"
    capabilities = CAPABILITIES

    def __init__(self, context: AdapterContext, session: SimulatedSession | None = None) -> None:
        super().__init__(context)
        self.session = session or open_session(context)
        self.market_data = MarketData(self, self.session)
        self.publish_balances = True
        self._sent: set[str] = set()
        self._linked = False
        self._closed = False
        self._cursor_ns = 0
        self._account_dirty = False
        self._handlers: dict[type[VenueEvent], Callable[[Never], None]] = {
            OrderFilled: self._on_filled,
            **dict.fromkeys(codec.STATUS_OF.keys() - {OrderFilled}, self._on_order_event),
            BalanceChanged: self._on_balance,
            ChargeBooked: self._on_charge,
            FundingPaid: self._on_charge,
            PositionChanged: self._on_position,
            SessionFailed: self._on_session_failed,
        }

    # --- life -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Enter the session and log in; doing it twice does nothing."""
        if self._closed or self._linked:
            return
        self.on_status(AdapterState.CONNECTING)
        self.session.enter(self.account)
        self.session.submit(self._log_in)

    def close(self, deadline_s: float = 5.0) -> str:
        """Leave the session.

        Blocks: at most `deadline_s`.
        """
        if self._closed:
            return ""
        self._closed = True
        if self.session.threaded:
            self.session.submit(self._log_out)
        else:
            self._log_out()
        overran = self.session.leave(self.account, deadline_s)
        self.on_status(AdapterState.CLOSED)
        return overran

    def drop_link(self, cause: str, back_after_s: float = 0.0) -> None:
        """Lose the connection as a network would, and connect again after a time (at the next step of the session).

        While it is lost nothing is heard and nothing can be sent; the log-in after it recovers what was missed.
        """
        self.session.submit(lambda: self._lose_link(cause, back_after_s))

    def _log_in(self) -> None:
        if self._closed:
            return
        self._linked = True
        self.session.listen(self.account, self._hear)
        self.on_status(AdapterState.CONNECTED)
        self.on_contracts(self.session.venue.instruments())
        self._tell_account()
        self._tell_positions()
        self._tell_orders()
        self._tell_trades(self._cursor_ns)
        self.market_data.resume()
        if self._flush not in self.session.after_step:
            self.session.after_step.append(self._flush)
        self.on_status(AdapterState.READY)

    def _log_out(self) -> None:
        self._linked = False
        self.market_data.stop()
        if self._flush in self.session.after_step:
            self.session.after_step.remove(self._flush)
        self.session.listen(self.account, _deaf)

    def _lose_link(self, cause: str, back_after_s: float) -> None:
        if not self._linked:
            return
        self._log_out()
        self.on_status(AdapterState.LOST, cause)
        self.on_status(AdapterState.BACKING_OFF, cause, attempt=1, delay_s=back_after_s)
        due_ns = self.clock.monotonic_ns() + int(back_after_s * 1e9)

        def come_back() -> None:
            if self._linked or self._closed or self.clock.monotonic_ns() >= due_ns:
                self.session.after_step.remove(come_back)
                if not self._linked and not self._closed:
                    self.on_status(AdapterState.CONNECTING, attempt=1)
                    self._log_in()

        self.session.after_step.append(come_back)

    # --- streams ----------------------------------------------------------------------------------------------------

    def subscribe(self, request: SubscribeRequest) -> None:
        """Add to the desired streams; an unknown instrument comes back as RequestFailed."""
        self.session.submit(lambda: self.market_data.add(request))

    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self.session.submit(lambda: self.market_data.remove(instrument_id))

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh depth snapshot."""
        self.session.submit(lambda: self.market_data.publish_snapshot(instrument_id))

    # --- orders -----------------------------------------------------------------------------------------------------

    def send_order(self, order: ApprovedOrder) -> None:
        """Send an order; the permit is asked in the same breath as the venue takes it."""
        if order.order_id in self._sent:
            self.on_request_failed(f"order {order.order_id}", "this id was sent before; an id is never sent twice")
            return
        self._sent.add(order.order_id)
        self.session.submit(lambda: self._place(order))

    def cancel_order(self, request: CancelRequest) -> None:
        """Cancel an order; one that the venue does not have comes back as RequestFailed."""
        self.session.submit(lambda: self._cancel(request))

    def _place(self, order: ApprovedOrder) -> None:
        if not self._linked:
            self._deny(order, "not_connected", "the venue is not connected")
            return
        command = codec.place_order(order, self.clock.now_ns())
        session = self.session
        if not self.context.permit.send(lambda: _discard(session.execute(command)), reduces=order.reduces):
            self._deny(order, "send_permit", self.context.permit.reason or "the send permit is closed")
        self._flush()

    def _cancel(self, request: CancelRequest) -> None:
        if not self._linked:
            self.on_request_failed(f"cancel of {request.order_id}", "the venue is not connected")
            return
        now_ns = self.clock.now_ns()
        command = CancelOrder(now_ns, self.account, request.instrument_id, 0, request.order_id)
        result = self.session.execute(command)
        if result.code is not ResultCode.OK:
            self.on_request_failed(f"cancel of {request.order_id}", f"{result.code}: {result.message}")
        self._flush()

    def _deny(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        instrument = self.session.instrument(order.instrument_id)
        now_ns = self.clock.now_ns()
        price = instrument.price(order.price_units) if order.price_units else 0.0
        denied = OrderData(
            order.order_id, order.account, order.instrument_id, order.side, order.order_type,
            instrument.quantity(order.quantity_units), price, OrderStatus.DENIED, 0.0, 0.0, "", now_ns, now_ns, rule=rule,
            reason=reason,
        )  # fmt: skip
        self.session.answer(lambda: self.on_order(denied))

    # --- queries ----------------------------------------------------------------------------------------------------

    def query_account(self) -> None:
        """Ask for balances."""
        self.session.submit(self._tell_account)

    def query_positions(self) -> None:
        """Ask for positions."""
        self.session.submit(self._tell_positions)

    def query_orders(self) -> None:
        """Ask for open orders."""
        self.session.submit(self._tell_orders)

    def query_trades(self, since_ns: int) -> None:
        """Ask for our trades since a time."""
        self.session.submit(lambda: self._tell_trades(since_ns))

    def query_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars of a whole number of minutes."""
        self.session.submit(lambda: self._tell_history(request))

    def request_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Ask for a book without waiting."""
        self.session.submit(lambda: self._tell_book(request_id, instrument_id, levels))

    def get_order_book_from_websocket(self, instrument_id: str) -> ExactBook | None:
        """Return the last published full book."""
        return self.market_data.exact_book(instrument_id) if self._linked else None

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Ask the venue for a book and wait for it.

        Blocks: at most `deadline_s`.

        Raises:
            RequestTimedOut: no answer in time.
        """
        answer: Future[ExactBook] = Future()
        self.session.submit(lambda: answer.set_result(self.market_data.read_book(instrument_id, levels, "rest")))
        try:
            return answer.result(deadline_s)
        except FutureTimeout as error:
            raise RequestTimedOut("simulated", "timeout", f"no book of {instrument_id} in {deadline_s} s") from error

    def _tell_account(self) -> None:
        balances = self.session.venue.balances(self.account)
        data = codec.account_data(self.account, balances, self.clock.now_ns())
        self.session.answer(lambda: self.on_account(data))

    def _tell_positions(self) -> None:
        now_ns = self.clock.now_ns()
        venue = self.session.venue
        rows = tuple(
            codec.listed_position(row, self.session.instrument(row.instrument_id), now_ns)
            for row in venue.positions(self.account)
        )
        self.session.answer(lambda: self.on_positions(PositionsLoaded(self.account, rows, now_ns)))

    def _tell_orders(self) -> None:
        now_ns = self.clock.now_ns()
        venue = self.session.venue
        rows = tuple(
            codec.listed_order(order, self.session.instrument(order.instrument_id), now_ns)
            for order in venue.open_orders(self.account)
        )
        self.session.answer(lambda: self.on_open_orders(OpenOrdersLoaded(self.account, rows, now_ns)))

    def _tell_trades(self, since_ns: int) -> None:
        now_ns = self.clock.now_ns()
        venue = self.session.venue
        rows = tuple(
            codec.trade_data(fill, self.session.instrument(fill.instrument_id), now_ns)
            for fill in venue.fills(self.account)
            if fill.time_ns >= since_ns
        )
        self.session.answer(lambda: self.on_trades(TradesLoaded(self.account, rows, now_ns)))

    def _tell_history(self, request: HistoryRequest) -> None:
        now_ns = self.clock.now_ns()
        try:
            interval = Interval.parse(request.interval)
            instrument = self.session.instrument(request.instrument_id)
            candles = self.session.venue.klines(request.instrument_id, interval.duration_ns, request.count + 1)
            bars = tuple(codec.bar_data(candle, instrument, interval, now_ns) for candle in candles)
            closed = tuple(bar for bar in bars if bar.close_time_ns <= request.end_ns)[-request.count :]
            loaded = HistoryLoaded(request.request_id, request.instrument_id, request.interval, closed)
        except (ConfigError, KeyError) as error:
            loaded = HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), str(error))
        self.session.answer(lambda: self.on_history(loaded))

    def _tell_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        depth = self.market_data.depth_data(instrument_id, levels)
        self.session.answer(lambda: self.on_book(BookLoaded(request_id, instrument_id, depth, "rest", 0.0)))

    # --- hearing the venue ------------------------------------------------------------------------------------------

    def _hear(self, event: VenueEvent) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)  # type: ignore[arg-type]  # the table pairs them

    def _on_filled(self, event: OrderFilled) -> None:
        instrument, now_ns = self.session.instrument(event.instrument_id), self.clock.now_ns()
        self._cursor_ns = event.time_ns
        self._answer_order(codec.order_data(event, instrument, now_ns))
        trade = codec.trade_data(event, instrument, now_ns)
        if self.session.latency_ns:
            self.session.answer(lambda: self.on_trade(trade))
        else:
            self.on_trade(trade)

    def _on_order_event(self, event: OrderEvent) -> None:
        instrument = self.session.instrument(event.instrument_id)
        self._answer_order(codec.order_data(event, instrument, self.clock.now_ns()))

    def _answer_order(self, order: OrderData) -> None:
        if self.session.latency_ns:
            self.session.answer(lambda: self.on_order(order))
        else:
            self.on_order(order)

    def _on_balance(self, _event: BalanceChanged) -> None:
        self._account_dirty = True

    def _on_charge(self, event: ChargeBooked | FundingPaid) -> None:
        charge = codec.charge(event, self.clock.now_ns())
        self.session.answer(lambda: self.on_charge(charge))

    def _on_position(self, event: PositionChanged) -> None:
        if self.publish_balances:
            instrument = self.session.instrument(event.instrument_id)
            self._publish_position(codec.position_data(event, instrument, self.clock.now_ns()))

    def _on_session_failed(self, event: SessionFailed) -> None:
        self.on_status(AdapterState.FAILED, event.error)

    def _publish_position(self, position: PositionData) -> None:
        self.session.answer(lambda: self.context.sink.put(position))

    def _flush(self) -> None:
        """Publish balances once for all that one job changed."""
        if self._account_dirty:
            self._account_dirty = False
            if self.publish_balances:
                self._tell_account()


def _deaf(_event: VenueEvent) -> None:
    """Hear nothing: the link is down."""


def _discard(_result: object) -> None:
    """Ignore a result: a refusal comes as an event."""
