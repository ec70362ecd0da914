"""How a bar fills orders: the venue's fill model when all that is known of history is bars.

The rules, one test each, are listed in docs/backtest_rules.md:
- Only orders that were at the venue when the bar opened take part.
- Market orders fill at the open, worse by the slippage.
- A limit fills when the bar trades through it by a step (`touch`: when it reaches it), at the better of limit and open.
- A stop fills at the worse of stop and open, worse by the slippage.
- Stops come before targets: what one bar reaches on both sides is filled stop first.
- At most `max_volume_share` of the bar's volume per order.
"""

import enum

import msgspec

from foxtrot.domain.enums import Liquidity, OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import ExpireOrder, FillOrder, TriggerOrder, VenueCommand
from foxtrot.exchange.events import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    VenueEvent,
)
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue


class FillOn(enum.StrEnum):
    """What a resting limit needs to be filled."""

    THROUGH = "through"
    TOUCH = "touch"


class FillSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Assumptions of the fill model. `slippage` is money per unit, always against us; a share of 0.0 means no limit."""

    slippage: float = 0.0
    fill_on: FillOn = FillOn.THROUGH
    max_volume_share: float = 0.0


class Parked:
    """An order that waits at the venue for the market to reach it.

    Thread: the backtest's.
    """

    __slots__ = ("account", "anchor", "buys", "expires_at_once", "kind", "leaves", "order_id", "price", "reduce_only", "since_ns",
                 "trailing", "trigger")  # fmt: skip

    def __init__(self, event: OrderEvent, trailing: int) -> None:
        self.order_id = event.order_id
        self.account = event.account
        self.buys = event.side is Side.BUY
        self.kind = event.order_type
        self.price = event.price
        self.trigger = event.trigger_price
        self.leaves = event.quantity - event.filled
        self.reduce_only = event.reduce_only
        self.expires_at_once = event.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        self.since_ns = event.time_ns
        self.trailing = trailing
        self.anchor = 0


_ENDS = frozenset({OrderCancelled, OrderExpired})
_TARGETS = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


class BarFills:
    """Fills the parked orders of one instrument from bars.

    Thread: the backtest's; hears every venue event through `observe`.
    """

    def __init__(self, venue: Venue, instrument: Instrument, settings: FillSettings) -> None:
        self._venue = venue
        self._instrument = instrument
        self._settings = settings
        self._slip = instrument.price_grid.round(settings.slippage, "up") if settings.slippage else 0
        self._open_ns = 0
        self._bar: tuple[int, int, int, int] = (0, 0, 0, 0)
        self.parked: dict[int, Parked] = {}

    def observe(self, event: VenueEvent) -> None:
        """Keep the list of parked orders true."""
        if not isinstance(event, OrderEvent) or event.instrument_id != self._instrument.instrument_id:
            return
        kind = type(event)
        if kind is OrderAccepted:
            self.parked[event.order_id] = Parked(event, self._trailing_of(event))
        elif kind is OrderFilled:
            order = self.parked.get(event.order_id)
            if order is not None:
                order.leaves = event.quantity - event.filled
                if order.leaves <= 0:
                    del self.parked[event.order_id]
        elif kind in _ENDS:
            self.parked.pop(event.order_id, None)
        elif kind is OrderAmended and event.order_id in self.parked:
            order = self.parked[event.order_id]
            order.price, order.leaves = event.price, event.quantity - event.filled
        elif kind is OrderTriggered and event.order_id in self.parked:
            order = self.parked[event.order_id]
            order.kind = OrderType.LIMIT if event.price else OrderType.MARKET
            order.since_ns = event.time_ns

    def at_open(self, open_ns: int, bar: tuple[float, float, float, float], volume: float) -> None:
        """Fill at the open: market orders, and whatever the open has already passed.

        Args:
            open_ns: when the bar opens; orders younger than that wait for the next bar.
            bar: open, high, low, close.
            volume: of the bar.
        """
        to_units = self._instrument.price_grid.from_float
        self._bar = (to_units(bar[0]), to_units(bar[1]), to_units(bar[2]), to_units(bar[3]))
        self._open_ns = open_ns
        self._volume = volume
        opening = self._bar[0]
        for order in self._eligible():
            kind = order.kind
            if kind is OrderType.MARKET:
                self._fill(order, self._worse(order, opening), Liquidity.TAKER, open_ns)
            elif kind is OrderType.LIMIT:
                if (opening <= order.price) if order.buys else (opening >= order.price):
                    self._fill(order, opening, Liquidity.TAKER, open_ns)
                elif order.expires_at_once:
                    self._command(
                        ExpireOrder(open_ns, self._instrument.instrument_id, order.order_id, "not_marketable")
                    )
            elif kind is OrderType.TRAILING_STOP:
                self._trail_at_open(order, opening)
            elif self._reached(order, opening):
                self._set_off(order, opening, open_ns)

    def stops(self, close_ns: int) -> None:
        """Fill the stops that the bar reached after its open."""
        opening, high, low, _ = self._bar
        for order in self._eligible():
            if order.kind not in _STOPS:
                continue
            level = self._stop_level(order)
            if (high >= level) if order.buys else (low <= level):
                worst = max(level, opening) if order.buys else min(level, opening)
                self._set_off(order, worst, close_ns)
            elif order.kind is OrderType.TRAILING_STOP:
                order.anchor = min(order.anchor, low) if order.buys else max(order.anchor, high)

    def targets(self, close_ns: int) -> None:
        """Fill the limits and take-profits that the bar reached after its open."""
        _, high, low, _ = self._bar
        for order in self._eligible():
            if order.kind is OrderType.LIMIT:
                margin = 0 if self._settings.fill_on is FillOn.TOUCH else self._instrument.step_units(order.price)
                if (low <= order.price - margin) if order.buys else (high >= order.price + margin):
                    self._fill(order, order.price, Liquidity.MAKER, close_ns)
            elif order.kind in _TARGETS and ((low <= order.trigger) if order.buys else (high >= order.trigger)):
                self._set_off(order, order.trigger, close_ns)

    def _eligible(self) -> list[Parked]:
        return [order for order in self.parked.values() if order.since_ns <= self._open_ns]

    def _reached(self, order: Parked, price: int) -> bool:
        """Tell whether a price sets a stop or a take-profit off."""
        rises = order.buys if order.kind in _STOPS else not order.buys
        return price >= order.trigger if rises else price <= order.trigger

    def _stop_level(self, order: Parked) -> int:
        if order.kind is not OrderType.TRAILING_STOP:
            return order.trigger
        return order.anchor + order.trailing if order.buys else order.anchor - order.trailing

    def _trail_at_open(self, order: Parked, opening: int) -> None:
        if not order.anchor:
            order.anchor = opening
        level = self._stop_level(order)
        if (opening >= level) if order.buys else (opening <= level):
            self._set_off(order, opening, self._open_ns)

    def _set_off(self, order: Parked, price: int, time_ns: int) -> None:
        """Fill a triggered market order at a price; turn a triggered limit order into a resting one."""
        if order.price:
            self._command(TriggerOrder(time_ns, self._instrument.instrument_id, order.order_id))
        else:
            self._fill(order, self._worse(order, price), Liquidity.TAKER, time_ns)

    def _worse(self, order: Parked, price: int) -> int:
        return price + self._slip if order.buys else max(1, price - self._slip)

    def _fill(self, order: Parked, price: int, liquidity: Liquidity, time_ns: int) -> None:
        quantity = self._cap(order)
        if quantity <= 0:
            return
        name = self._instrument.instrument_id
        self._command(FillOrder(time_ns, name, order.order_id, price, quantity, liquidity))

    def _cap(self, order: Parked) -> int:
        quantity = order.leaves
        share = self._settings.max_volume_share
        if share:
            quantity = min(quantity, self._instrument.round_quantity_units(self._volume * share))
        if order.reduce_only:
            quantity = min(quantity, self._reducible(order))
            if quantity <= 0:
                name = self._instrument.instrument_id
                self._command(ExpireOrder(self._open_ns, name, order.order_id, "nothing_to_reduce"))
        return quantity

    def _reducible(self, order: Parked) -> int:
        for row in self._venue.positions(order.account):
            held = row.quantity
            if row.instrument_id == self._instrument.instrument_id and (held < 0) == order.buys and held:
                return abs(held)
        return 0

    def _trailing_of(self, event: OrderEvent) -> int:
        if event.order_type is not OrderType.TRAILING_STOP:
            return 0
        report = self._venue.order(event.account, event.instrument_id, event.order_id)
        return report.trailing_offset if report is not None else 0

    def _command(self, command: VenueCommand) -> CommandResult:
        return self._venue.execute(command)
