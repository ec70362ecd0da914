"""What all fill models share: the list of waiting orders, kept from the venue's events, and the commands that fill them."""

from foxtrot.backtest.fill_settings import FillSettings
from foxtrot.backtest.parked_order import Parked
from foxtrot.domain.enums import Liquidity, OrderType
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import ExpireOrder, FillOrder, TriggerOrder
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
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.venue import Venue

_ENDS = frozenset({OrderCancelled, OrderExpired})


class FillModel:
    """Decides the fills of one instrument; the venue books them.

    Thread: the backtest's; hears every venue event through `observe`, in the middle of a command, so that it only takes notes
    there.
    """

    def __init__(self, venue: Venue, instrument: Instrument, settings: FillSettings) -> None:
        self._venue = venue
        self.instrument = instrument
        self._id = instrument.instrument_id
        self._settings = settings
        self._slip = instrument.price_grid.round(repr(settings.slippage), "up") if settings.slippage else 0
        self.parked: dict[int, Parked] = {}
        self.arrived: list[Parked] = []

    def observe(self, event: VenueEvent) -> None:
        """Keep the list of waiting orders true; those that must meet the market come into `arrived`."""
        if not isinstance(event, OrderEvent) or event.instrument_id != self._id:
            return
        kind = type(event)
        if kind is OrderAccepted:
            order = self.parked[event.order_id] = Parked(event, self._trailing_of(event))
            self.arrived.append(order)
            return
        known = self.parked.get(event.order_id)
        if known is None:
            return
        if kind in _ENDS:
            del self.parked[event.order_id]
            known.leaves = 0
            return
        leaves = event.quantity - event.filled
        if kind is OrderFilled:
            known.leaves = leaves
            if leaves <= 0:
                del self.parked[event.order_id]
        elif kind is OrderAmended:
            self._amend(known, event.price, leaves, event.time_ns)
        elif kind is OrderTriggered:
            known.kind = OrderType.LIMIT if event.price else OrderType.MARKET
            known.since_ns = event.time_ns
            self.arrived.append(known)

    def _amend(self, order: Parked, price: int, leaves: int, time_ns: int) -> None:
        """Note new terms; only a smaller size at the same price keeps its place."""
        if price != order.price or leaves > order.leaves:
            order.ahead, order.is_new, order.since_ns = -1, True, time_ns
            self.arrived.append(order)
        order.price, order.leaves = price, leaves

    def _worse(self, order: Parked, price: int) -> int:
        """Return a price with the slippage against us, on a legal step."""
        if not self._slip:
            return price
        if order.buys:
            found = price + self._slip
            return found + -found % self.instrument.step_units(found)
        found = max(1, price - self._slip)
        step = self.instrument.step_units(found)
        return max(step, found - found % step)

    def _fill(self, order: Parked, price: int, quantity: int, liquidity: Liquidity, time_ns: int) -> int:
        """Fill up to a quantity and return how much was filled: nothing where the account cannot pay."""
        quantity = min(quantity, order.leaves)
        if quantity <= 0:
            return 0
        result = self._venue.execute(FillOrder(time_ns, self._id, order.order_id, price, quantity, liquidity))
        return quantity if result.code is ResultCode.OK else 0

    def _trigger(self, order: Parked, time_ns: int) -> None:
        self._venue.execute(TriggerOrder(time_ns, self._id, order.order_id))

    def _expire(self, order: Parked, reason: str, time_ns: int) -> None:
        self._venue.execute(ExpireOrder(time_ns, self._id, order.order_id, reason))

    def _trailing_of(self, event: OrderEvent) -> int:
        if event.order_type is not OrderType.TRAILING_STOP:
            return 0
        report = self._venue.order(event.account, event.instrument_id, event.order_id)
        return report.trailing_offset if report is not None else 0
