"""How an order of one account gets to Binance: once, over a link, past the send permit, or not at all."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.advice import advised, not_trading, unlisted
from foxtrot.adapter.binance.contract_codec import MarketLot
from foxtrot.adapter.binance.errors import VENUE, NotSent, outcome_of
from foxtrot.adapter.binance.leverage import Leverage
from foxtrot.adapter.binance.order_cancels import OrderCancels
from foxtrot.adapter.binance.order_codec import (
    OrderCall,
    check_market_lot,
    order_call,
)
from foxtrot.adapter.binance.order_events import OrderEvents, unwrapped
from foxtrot.adapter.binance.order_lists import pair_call
from foxtrot.adapter.binance.order_queries import OrderQueries, take_pair
from foxtrot.adapter.binance.permit_request import ORDER_LEFT
from foxtrot.adapter.binance.raw_messages import RawMessages
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.order_look_up import OrderLookUp
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import OrderWatch
from foxtrot.adapter.own_order import denied_order, own_order
from foxtrot.adapter.sent_ids import SentIds
from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.errors import (
    AdapterError,
    BadMessage,
    OrderRefused,
)
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.order_state import WORKING
from foxtrot.domain.outcome import Outcome

NOT_CONNECTED = "the venue is not connected"
SENT_BEFORE = "this id was sent before; an id is never sent twice"
REMEMBERED = 500_000
"""How many ids that were sent are remembered; the desk never gives one twice, so that only a fault could ask for older ones."""

DUPLICATE = frozenset({"-4116"})
"""The id belongs to an order that is there: not a refusal of that order.

Source: USDⓈ-M Futures, Error Codes, -4116 DUPLICATED_CLIENT_TRAN_ID. Spot says it in words ("Duplicate order sent.").
"""


class Orders:
    """Places and cancels; hears what becomes of orders and asks where nothing is heard.

    `tracker` is for whoever publishes lists of orders and fills, so that nothing is told twice; `prepare` sets an instrument up
    before an order of it is sent.

    Thread: binance-io, except `deny`, which any thread may call.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: BinanceSession,
        market_lots: Mapping[str, MarketLot] | None = None,
        leverage: Leverage | None = None,
        raw: RawMessages | None = None,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._market_lots = {} if market_lots is None else market_lots
        self.leverage = leverage or Leverage(session, session.settings.max_leverage)
        self.tracker = OrderTracker(self._tell, adapter.on_trade)
        self._queries = OrderQueries(adapter, session, self.tracker)
        self._raw = raw or RawMessages("", session.clock, None)
        self._watch = OrderWatch(adapter, session, self.tracker, self._queries)
        self._events = OrderEvents(adapter, session, self.tracker, self._queries, self._watch)
        self._cancels = OrderCancels(adapter, session, self.tracker, self._queries, self._watch)
        self.look_up = OrderLookUp(adapter, VENUE, self.tracker, self._queries)
        self._sent = SentIds(REMEMBERED)
        self._open_at_venue: frozenset[str] | None = None
        self._on_taken: Callable[[int], None] = _ignore
        self.prepare: Callable[[str], Awaitable[None]] = _no_preparation
        self.on_halted: Callable[[Instrument], None] = _ignore_halt
        """Hears of an order that was denied because its instrument does not trade."""

    @property
    def unknown(self) -> frozenset[str]:
        """Return the ids of the orders whose outcome is not known."""
        return self._watch.unknown

    async def place(self, order: ApprovedOrder) -> None:
        """Send an order; what does not leave comes back as DENIED, what the venue refuses as REJECTED, silence as UNKNOWN."""
        await self._place((order,))

    async def place_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Send two orders of which one ends the other, as one request; what `place` says holds for each by its own id."""
        await self._place((first, second))

    async def _place(self, orders: tuple[ApprovedOrder, ...]) -> None:
        """Send the orders of one request, of one instrument."""
        instrument_id = orders[0].instrument_id
        instrument = self._session.find_instrument(instrument_id)
        if any(order.order_id in self._sent or self.tracker.knows(order.order_id) for order in orders):
            for order in orders:
                self._adapter.on_request_failed(f"order {order.order_id}", SENT_BEFORE)
        elif not self._session.linked:
            self._deny_all(orders, "not_connected", NOT_CONNECTED)
        elif instrument is None:
            self._deny_all(orders, "instrument", unlisted(instrument_id, self._session.instruments))
        elif instrument_id in self._session.halted:
            why = self._session.halted[instrument_id]
            self._deny_all(orders, "instrument_halted", not_trading(instrument_id, why))
            self.on_halted(instrument)
        else:
            self._sent.begin(orders)  # before anything is waited for, so that a second call finds them
            try:
                await self._check_and_send(orders, instrument)
            finally:
                for order in orders:
                    self._tell_untold(order)
                self._sent.end(orders)

    def _deny_all(self, orders: tuple[ApprovedOrder, ...], rule: str, reason: str) -> None:
        for order in orders:
            self.deny(order, rule, reason)

    async def cancel(self, request: CancelRequest) -> None:
        """Cancel an order, whatever the send permit says; one that the venue does not have comes back as RequestFailed.

        The cancel of an order that is under way waits until that was heard of, for it would not be found before.
        """
        if self.tracker.last(request.order_id) is None:
            await self._sent.until_heard(request.order_id)
        instrument = self._session.find_instrument(request.instrument_id)
        if not self._session.linked:
            self._cancels.fail(request, NOT_CONNECTED)
        elif instrument is None:
            self._cancels.fail(request, unlisted(request.instrument_id, self._session.instruments))
        else:
            self._raw.sent(request.order_id, "cancel", {"symbol": instrument.symbol, "id": request.order_id})
            await self._cancels.cancel(request, instrument)

    def recover(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Ask for an order that an earlier run may have sent; it is never sent here. Its bound begins anew.

        Args:
            order: the order.
            sent_ns: when it may have left at the earliest, UTC ns.
        """
        self._sent.remember(order.order_id)
        self._watch.note_unknown(order, "an earlier run may have sent it", sent_ns)

    def hear(self, raw_user_event: Mapping[str, object]) -> bool:
        """Take one event of the user stream; False when it does not speak of orders. Never raises."""
        event = unwrapped(raw_user_event)
        self._raw.event(event)
        return self._events.hear(event)

    def deny(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Publish that an order never left."""
        instrument = self._session.find_instrument(order.instrument_id)
        self._adapter.on_order(denied_order(order, instrument, self._adapter.clock.now_ns(), rule, reason))

    def note_listed(self, orders: tuple[OrderData, ...]) -> None:
        """Take the venue's list of open orders, which was told as a list; what it lacks is asked for by `resolve_unknown`."""
        self._open_at_venue = frozenset(order.order_id for order in orders)
        for order in orders:
            self.tracker.note_order(order)
            self._sent.note_heard(order.order_id)
        self._watch.note_fills()

    async def resolve_unknown(self) -> None:
        """Ask once for every order that is unknown, gone from the list of open orders, or short of fills."""
        await self._watch.ask_all()
        listed, self._open_at_venue = self._open_at_venue, None
        if listed is not None:
            for order in [order for order in self.tracker.open_orders() if order.order_id not in listed]:
                if order.status is not OrderStatus.UNKNOWN:
                    await self._watch.check(order.order_id, order.instrument_id)
        await self._watch.fetch_fills()

    def tell_taken(self, hear: Callable[[int], None]) -> None:
        """Let somebody hear the monotonic time at which an order or a cancel was sent that Binance has taken."""
        self._on_taken = self._watch.on_found = self._cancels.on_taken = hear

    def working(self) -> frozenset[str]:
        """Return the ids of the orders of which the venue has said that they may still trade."""
        return frozenset(order.order_id for order in self.tracker.open_orders() if order.status in WORKING)

    def differing(self, listed: tuple[OrderData, ...], known: frozenset[str]) -> list[tuple[str, str]]:
        """Return id and instrument of the orders of which a list of the open ones says more than we were told.

        Args:
            listed: the venue's list.
            known: what was `working` before it was asked for.
        """
        found = [
            (row.order_id, row.instrument_id) for row in listed if _says_more(row, self.tracker.last(row.order_id))
        ]
        gone = (known & self.working()) - {row.order_id for row in listed}
        return found + [(one.order_id, one.instrument_id) for one in self.tracker.open_orders() if one.order_id in gone]

    async def look_at(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order and the fills it lacks, and tell what is new; without an answer nothing changes."""
        await self._watch.check(order_id, instrument_id)
        await self._watch.fetch_fills()

    def _tell(self, order: OrderData) -> None:
        self._adapter.on_order(order)
        self._sent.note_heard(order.order_id)

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _check_and_send(self, orders: tuple[ApprovedOrder, ...], instrument: Instrument) -> None:
        try:
            call = await self._call_of(orders, instrument)
        except (OrderRefused, AdapterError) as refusal:
            for order in orders:
                self._sent.forget(order.order_id)
            self._deny_all(orders, getattr(refusal, "rule", "not_checked"), str(refusal))
            return
        for order in orders:
            self.tracker.expect(order.order_id)
        sent_ns = self._session.clock.monotonic_ns()
        ORDER_LEFT.set(partial(_note_left, self._raw, orders, call))
        reduces = all(order.reduces for order in orders)
        try:
            answer = await self._session.send_permitted(call.endpoint, call.params, reduces=reduces)
            _note_raw(self._raw, orders, answer)
            self._take_answer(orders, call, answer)
            self._on_taken(sent_ns)
        except AdapterError as error:
            _note_raw(self._raw, orders, error)
            for order in orders:
                self._judge(order, instrument, error)
        self._watch.note_fills()

    def _judge(self, order: ApprovedOrder, instrument: Instrument, error: AdapterError) -> None:
        """Tell what an error means for an order that was to be sent."""
        match outcome_of(error):
            case Outcome.DENIED_LOCALLY:
                self._sent.forget(order.order_id)
                self.tracker.forget(order.order_id)
                self.deny(order, error.code, error.text)
            case Outcome.REFUSED:
                self._refused(order, instrument, error)
            case _:
                self._watch.note_unknown(order, str(error))

    def _tell_untold(self, order: ApprovedOrder) -> None:
        """Tell what became of an order whose sending ended without a word: the adapter closes, or an error of ours."""
        if order.order_id not in self._sent or self.tracker.last(order.order_id) is not None:
            return
        if self.tracker.knows(order.order_id):
            self._watch.note_unknown(order, "its sending was broken off, as when the adapter closes")
        else:
            self._sent.forget(order.order_id)
            self.deny(order, "not_sent", "what must be known first was not heard before the adapter closed")

    async def _call_of(self, orders: tuple[ApprovedOrder, ...], instrument: Instrument) -> OrderCall:
        """Prepare an order's instrument, which one that reduces has no time for, and return the request of one or two orders.

        Raises:
            NotSent: the link was lost meanwhile.
            OrderRefused: Binance has no such order, or the account may not open with its leverage.
            AdapterError: what must be known first cannot be had.
        """
        order = orders[0]
        if not order.reduces:
            await self.prepare(order.instrument_id)
        if not self._session.linked:
            raise NotSent("not_connected", NOT_CONNECTED)
        if len(orders) > 1:
            first, second = orders
            return pair_call(first, second, instrument)
        trails = order.order_type is OrderType.TRAILING_STOP
        reference = await self._queries.last_price_units(instrument) if trails else 0
        call = order_call(order, instrument, reference)
        lot = self._market_lots.get(order.instrument_id)
        if lot is not None:
            check_market_lot(order, instrument, lot)
        await self.leverage.check(order, instrument)
        return call

    def _take_answer(self, orders: tuple[ApprovedOrder, ...], call: OrderCall, answer: object) -> None:
        """Tell what the answer to new orders says.

        Raises:
            BadMessage: it does not speak of these orders.
        """
        order = orders[0]
        if len(orders) > 1:
            take_pair(self._queries, orders, answer)
            return
        told = self._queries.take_conditional(answer)[0] if call.conditional else self._queries.take_plain(answer)
        if (told.order_id, told.instrument_id, told.side) != (order.order_id, order.instrument_id, order.side):
            raise BadMessage(VENUE, "echo", f"order {order.order_id} was answered with {told.order_id} {told.side}")

    def _refused(self, order: ApprovedOrder, instrument: Instrument, refusal: AdapterError) -> None:
        if refusal.code in DUPLICATE or "uplicate order" in refusal.text:
            self._watch.note_unknown(order, f"the venue has an order of this id: {refusal}")
            return
        now_ns, words = self._adapter.clock.now_ns(), advised(refusal.code, refusal.text, order, instrument)
        told = own_order(order, instrument, now_ns, OrderStatus.REJECTED, refusal.code, words)
        self.tracker.report(told)


def _note_left(raw: RawMessages, orders: tuple[ApprovedOrder, ...], call: OrderCall) -> None:
    for order in orders:
        raw.sent(order.order_id, call.endpoint, call.params)


def _note_raw(raw: RawMessages, orders: tuple[ApprovedOrder, ...], heard: object) -> None:
    for order in orders:
        raw.heard(order.order_id, heard)


def _says_more(row: OrderData, last: OrderData | None) -> bool:
    """Tell whether a listed order was never told, or with less filled."""
    if last is None or last.status is OrderStatus.UNKNOWN:
        return last is None
    return last.status in WORKING and last.filled_quantity < row.filled_quantity


def _ignore_halt(_instrument: Instrument) -> None:
    """Hear nothing."""


def _ignore(_sent_ns: int) -> None:
    """Hear nothing."""


async def _no_preparation(_instrument_id: str) -> None:
    """Set nothing up."""
