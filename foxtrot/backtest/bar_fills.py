"""How a bar fills orders: the venue's fill model when all that is known of history is bars.

The rules, one test each, are listed in docs/backtest_rules.md:
- Only orders that were at the venue when the bar opened take part.
- Market orders fill at the open, worse by the slippage.
- A limit fills when the bar trades through it by a step (`touch`: when it reaches it), at the better of limit and open.
- A stop fills at the worse of stop and open, worse by the slippage.
- Stops come before targets: what one bar reaches on both sides is filled stop first.
- At most `max_volume_share` of the bar's volume per order.
- What happens after the open is dated one nanosecond before the close: nobody knows when in the bar it was.
"""

from foxtrot.backtest.fill_model import FillModel
from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.backtest.parked_order import AT_ONCE, STOPS, TARGETS, Parked
from foxtrot.domain.enums import Liquidity, OrderType, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.venue import Venue

__all__ = ["BarFills", "FillOn", "FillSettings"]


class BarFills(FillModel):
    """Fills the waiting orders of one instrument from bars.

    Thread: the backtest's.
    """

    def __init__(self, venue: Venue, instrument: Instrument, settings: FillSettings) -> None:
        super().__init__(venue, instrument, settings)
        self._touch = settings.fill_on is FillOn.TOUCH
        self._opening = 0
        self._row = (0.0, 0.0, 0.0, 0.0)
        self._volume = 0.0
        self._open_ns = 0

    def at_open(self, open_ns: int, bar: tuple[float, float, float, float], volume: float) -> None:
        """Fill at the open: market orders, and whatever the open has already passed.

        Args:
            open_ns: when the bar opens; orders younger than that wait for the next bar.
            bar: open, high, low, close.
            volume: of the bar.
        """
        opening = self.instrument.price_grid.from_float(bar[0])
        self._opening, self._row = opening, bar
        self._open_ns, self._volume = open_ns, volume
        self.arrived.clear()
        for order in self._eligible():
            if order.kind is OrderType.TRAILING_STOP and not order.anchor:
                order.anchor = opening
            if order.is_conditional:
                self._conditional_at_open(order, opening, open_ns)
            elif order.kind is OrderType.MARKET:
                self._take(order, self._worse(order, opening), Liquidity.TAKER, open_ns)
            else:
                self._limit_at_open(order, opening, open_ns)

    def stops(self, time_ns: int) -> None:
        """Fill the stops that the bar reached after its open."""
        opening, high, low = self._opening, *self._extremes()
        for order in self._eligible():
            if order.kind not in STOPS:
                continue
            level = order.stop_level
            if (high >= level) if order.buys else (low <= level):
                self._reach(order, max(level, opening) if order.buys else min(level, opening), time_ns)
            elif order.kind is OrderType.TRAILING_STOP:
                order.trail(low if order.buys else high)

    def targets(self, time_ns: int) -> None:
        """Fill the limits and take-profits that the bar reached after its open; those sent at the open meet it first."""
        opening, high, low = self._opening, *self._extremes()
        for order in self._eligible():
            if order.kind is OrderType.LIMIT and order.is_new:
                self._limit_at_open(order, opening, time_ns)
            if order.order_id not in self.parked:
                continue
            if order.kind is OrderType.LIMIT:
                margin = 0 if self._touch else self.instrument.step_units(order.price)
                if (low <= order.price - margin) if order.buys else (high >= order.price + margin):
                    self._take(order, order.price, Liquidity.MAKER, time_ns)
            elif order.kind in TARGETS and order.is_set_off_by(low if order.buys else high):
                self._reach(order, order.trigger, time_ns)

    def _extremes(self) -> tuple[int, int]:
        to_units = self.instrument.price_grid.from_float
        return to_units(self._row[1]), to_units(self._row[2])

    def _eligible(self) -> list[Parked]:
        return [order for order in self.parked.values() if order.since_ns <= self._open_ns]

    def _conditional_at_open(self, order: Parked, opening: int, open_ns: int) -> None:
        if order.is_set_off_by(opening):
            self._reach(order, opening, open_ns)
            if order.kind is OrderType.LIMIT and order.order_id in self.parked:
                self._limit_at_open(order, opening, open_ns)
        elif order.kind is OrderType.TRAILING_STOP:
            order.trail(opening)

    def _limit_at_open(self, order: Parked, opening: int, open_ns: int) -> None:
        """Fill a limit that the open has passed; an order that meets its first open takes, one that rested makes."""
        is_new, order.is_new = order.is_new, False
        if (opening <= order.price) if order.buys else (opening >= order.price):
            if is_new and order.post_only:
                self._expire(order, "post_only", open_ns)
            else:
                self._take(order, opening, Liquidity.TAKER if is_new else Liquidity.MAKER, open_ns)
        elif order.time_in_force in AT_ONCE:
            self._expire(order, order.time_in_force.value, open_ns)

    def _reach(self, order: Parked, price: int, time_ns: int) -> None:
        """Fill an order whose trigger was reached, at a price, or let it become a limit order."""
        self._trigger(order, time_ns)
        if not order.price and order.order_id in self.parked:
            self._take(order, self._worse(order, price), Liquidity.TAKER, time_ns)

    def _take(self, order: Parked, price: int, liquidity: Liquidity, time_ns: int) -> None:
        """Fill what the bar's volume allows, and end the rest of an order that may not wait."""
        quantity = order.leaves
        share = self._settings.max_volume_share
        if share:
            quantity = min(quantity, self.instrument.round_quantity_units(self._volume * share))
        if quantity == order.leaves or order.time_in_force is not TimeInForce.FOK:
            self._fill(order, price, quantity, liquidity, time_ns)
        if order.order_id not in self.parked:
            return
        order.since_ns = self._open_ns + 1  # its share of this bar is used up
        if order.time_in_force in AT_ONCE:
            self._expire(order, order.time_in_force.value, time_ns)
