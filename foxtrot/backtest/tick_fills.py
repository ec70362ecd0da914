"""How prints, quotes and depth fill orders: the venue's fill model where history is finer than bars.

The rules are listed in docs/backtest_rules.md:
- What takes, takes what the recording shows: the levels of the book one after the other, else the best bid or ask; where
  neither is known, a market order gets the next print, at its price and at most its size.
- A limit that rests in recorded depth queues behind the size displayed at its price (see queue_model).
- Without depth it fills when the other side's quote reaches it, or when a print goes through it (`touch`: meets it).
- One print fills at most its own size, best-priced order first, then the oldest.
- Stops and take-profits are set off by prints, by the other side's quote where there are no prints.
- Outside the sessions of the instrument's calendar nothing fills and nothing is set off; what arrives then, or before anything of its
  session was shown, waits for the first quote or print of the session.
"""

from foxtrot.backtest.fill_model import FillModel
from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.backtest.offered import Offered, Quote
from foxtrot.backtest.parked_order import AT_ONCE, Parked
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.enums import Liquidity, OrderType, Side, TimeInForce
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData
from foxtrot.exchange.venue import Venue

_LIMIT, _MARKET = OrderType.LIMIT, OrderType.MARKET


class TickFills(FillModel):
    """Fills the waiting orders of one instrument from prints, quotes and depth.

    Thread: the backtest's. Whoever replays calls `settle` after each moment, until nothing new has arrived.
    """

    def __init__(
        self, venue: Venue, instrument: Instrument, settings: FillSettings, book: DepthBook | None = None
    ) -> None:
        super().__init__(venue, instrument, settings)
        self._touch = settings.fill_on is FillOn.TOUCH
        self._queue = settings.queue
        self._market = Offered(instrument, book)
        self._calendar = calendar_named(instrument.calendar)
        self._shown_ns = -1
        """When the recording last showed anything of the market."""
        self._last = 0
        self._printed: dict[tuple[Side, int], int] = {}

    # --- what the recording shows -----------------------------------------------------------------------------------

    def on_print(self, price: int, size: int, aggressor: int, time_ns: int) -> None:
        """Take in a public trade: triggers first, then what it fills.

        Args:
            price: in units.
            size: in units.
            aggressor: +1 buyer, -1 seller, 0 unknown.
            time_ns: now.
        """
        if not self._trades(time_ns):
            return
        self._last, self._shown_ns = price, time_ns
        if not self.parked:
            return
        self._set_off(price, time_ns)
        left = size
        for order in self._by_priority():
            if left <= 0:
                break
            left -= self._meet(order, price, left, aggressor, time_ns)
        self._note_print(price, size, aggressor)

    def on_quote(self, bid: Quote, ask: Quote, time_ns: int) -> None:
        """Take in a best bid and ask."""
        self._market.set_quote(bid, ask)
        self._shown_ns = time_ns
        if self.parked and self._trades(time_ns):
            self._meet_other_side(time_ns)

    def on_snapshot(self, snapshot: DepthData, time_ns: int) -> None:
        """Take in a whole book."""
        if self._market.book is not None:
            self._market.book.load(snapshot)
            self._market.book_changed(None)
            self._shown_ns = time_ns
            self._join_queues()
            if self._trades(time_ns):
                self._meet_other_side(time_ns)

    def on_change(self, change: DepthChange, time_ns: int) -> bool:
        """Take in a change of depth; returns whether the book changed.

        Raises:
            BookOutOfSync: a change before it is missing; the book is empty until the next snapshot.
        """
        book = self._market.book
        if book is None:
            return False
        queued = [order for order in self.parked.values() if order.ahead >= 0]
        before = [book.levels.size_at(order.side, order.price) for order in queued]
        try:
            if not book.apply(change):
                return False
        except BookOutOfSync:
            for order in queued:
                order.ahead = -1
            raise
        self._market.book_changed(change)
        self._shown_ns = time_ns
        if queued:
            self._move_queues(queued, before, book)
        if self.parked and self._trades(time_ns):
            self._meet_other_side(time_ns)
        return True

    def settle(self, time_ns: int) -> None:
        """Let the orders that arrived meet the market."""
        arrived, self.arrived = self.arrived, []
        if arrived and not self._is_shown(time_ns):
            return
        for order in arrived:
            if order.order_id in self.parked:
                self._arrive(order, time_ns)

    # --- sessions ---------------------------------------------------------------------------------------------------

    def _trades(self, time_ns: int) -> bool:
        return self._calendar.always_open or self._calendar.is_open(time_ns)

    def _is_shown(self, time_ns: int) -> bool:
        """Tell whether the market trades and the recording has shown something of this session."""
        if self._calendar.always_open:
            return True
        session = self._calendar.session_of(time_ns)
        return session is not None and self._shown_ns >= session.open_ns

    # --- arriving ---------------------------------------------------------------------------------------------------

    def _arrive(self, order: Parked, time_ns: int) -> None:
        if order.is_conditional:
            self._wait_for_trigger(order, time_ns)
        elif self._market.is_known:
            self._take_or_rest(order, time_ns)

    def _wait_for_trigger(self, order: Parked, time_ns: int) -> None:
        price = self._trigger_price(order)
        if order.trailing and price:
            order.trail(price)
        if price and order.is_set_off_by(price):
            self._trigger(order, time_ns)

    def _take_or_rest(self, order: Parked, time_ns: int) -> None:
        order.is_new = False
        if order.kind is _LIMIT and order.post_only and self._market.reaches(order.side, order.price):
            self._expire(order, "post_only", time_ns)
            return
        is_fok = order.time_in_force is TimeInForce.FOK
        if is_fok and self._market.available(order.side, order.price) < order.leaves:
            self._expire(order, TimeInForce.FOK.value, time_ns)
            return
        self._take(order, time_ns)
        if order.order_id not in self.parked:
            return
        if order.time_in_force in AT_ONCE:
            self._expire(order, order.time_in_force.value, time_ns)
        elif order.kind is _MARKET and self._market.has_depth:
            self._expire(order, "no_liquidity", time_ns)
        elif order.kind is _LIMIT:
            self._join_queue(order)

    def _take(self, order: Parked, time_ns: int) -> None:
        for price, quantity in self._market.take(order.side, order.price, order.leaves):
            filled = self._worse(order, price) if order.kind is _MARKET else price
            if order.order_id in self.parked:
                self._fill(order, filled, quantity, Liquidity.TAKER, time_ns)

    # --- resting ----------------------------------------------------------------------------------------------------

    def _join_queues(self) -> None:
        for order in self.parked.values():
            if order.kind is _LIMIT and not order.is_new:
                known = order.ahead
                self._join_queue(order)
                order.ahead = order.ahead if known < 0 else min(known, order.ahead)

    def _join_queue(self, order: Parked) -> None:
        """Stand behind the size displayed at the price; without depth there is no queue to stand in."""
        order.ahead = self._market.displayed(order.side, order.price) if self._market.has_depth else -1

    def _move_queues(self, queued: list[Parked], before: list[int], book: DepthBook) -> None:
        for order, size in zip(queued, before, strict=True):
            printed = self._printed.get((order.side, order.price), 0)
            after = book.levels.size_at(order.side, order.price)
            order.ahead = self._queue.after_change(order.ahead, size, after, printed)
        self._printed.clear()

    def _note_print(self, price: int, size: int, aggressor: int) -> None:
        """Remember what was printed at the levels where orders queue, until the depth shows it."""
        for order in self.parked.values():
            if order.ahead >= 0 and order.price == price and aggressor * order.side.sign <= 0:
                key = (order.side, price)
                self._printed[key] = self._printed.get(key, 0) + size
                return

    def _meet_other_side(self, time_ns: int) -> None:
        """Fill what the other side's best price has reached, and what waited for a price."""
        for order in list(self.parked.values()):
            if order.order_id not in self.parked:
                continue
            if order.is_conditional:
                if not self._last:
                    self._wait_for_trigger(order, time_ns)
            elif order.is_new or order.kind is _MARKET:
                self._take_or_rest(order, time_ns)
            elif self._market.reaches(order.side, order.price):
                for _, quantity in self._market.take(order.side, order.price, order.leaves):
                    self._fill(order, order.price, quantity, Liquidity.MAKER, time_ns)

    # --- prints -----------------------------------------------------------------------------------------------------

    def _set_off(self, price: int, time_ns: int) -> None:
        for order in list(self.parked.values()):
            if order.is_conditional and order.order_id in self.parked:
                if order.trailing:
                    order.trail(price)
                if order.is_set_off_by(price):
                    self._trigger(order, time_ns)

    def _by_priority(self) -> list[Parked]:
        """Return the orders that a print can fill, best price first on each side, then the oldest."""
        orders = [order for order in self.parked.values() if not order.is_conditional and order not in self.arrived]
        if len(orders) > 1:
            orders.sort(key=lambda order: -order.price if order.buys else order.price)
        return orders

    def _meet(self, order: Parked, price: int, size: int, aggressor: int, time_ns: int) -> int:
        """Fill an order from what a print has left, and return how much of it is gone."""
        if order.is_new or order.kind is _MARKET:
            if self._market.is_known:
                return 0
            if order.kind is _MARKET or ((price < order.price) if order.buys else (price > order.price)):
                return self._take_print(order, price, size, time_ns)
            order.is_new = False
            if order.time_in_force in AT_ONCE:
                self._expire(order, order.time_in_force.value, time_ns)
        if order.order_id not in self.parked:
            return 0
        return self._fill_resting(order, price, size, aggressor, time_ns)

    def _fill_resting(self, order: Parked, price: int, size: int, aggressor: int, time_ns: int) -> int:
        if (price < order.price) if order.buys else (price > order.price):
            return self._fill(order, order.price, size, Liquidity.MAKER, time_ns)
        if price != order.price or aggressor * order.side.sign > 0:
            return 0
        if order.ahead < 0:
            return self._fill(order, price, size, Liquidity.MAKER, time_ns) if self._touch else 0
        passed = min(order.ahead, size)
        order.ahead -= passed
        return self._fill(order, price, size - passed, Liquidity.MAKER, time_ns)

    def _take_print(self, order: Parked, price: int, size: int, time_ns: int) -> int:
        """Let an order that has seen no market take from the first print after it."""
        order.is_new, limit = False, order.price
        if limit and order.post_only:
            self._expire(order, "post_only", time_ns)
            return 0
        if order.time_in_force is TimeInForce.FOK and size < order.leaves:
            self._expire(order, TimeInForce.FOK.value, time_ns)
            return 0
        filled = self._fill(order, price if limit else self._worse(order, price), size, Liquidity.TAKER, time_ns)
        if order.order_id in self.parked and order.time_in_force in AT_ONCE:
            self._expire(order, order.time_in_force.value, time_ns)
        return filled

    def _trigger_price(self, order: Parked) -> int:
        """Return the price that triggers are judged by: the last print, else the quote an order would take."""
        if self._last:
            return self._last
        return (self._market.ask if order.buys else self._market.bid)[0]
