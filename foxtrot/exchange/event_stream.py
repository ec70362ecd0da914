"""The way out of the venue: numbers events and hands them to the sink, in order."""

from collections.abc import Callable
from decimal import Decimal

from foxtrot.domain.enums import Liquidity, OrderType, PositionSide, Side, TimeInForce
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.events import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    VenueEvent,
)
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.working_order import WorkingOrder

Sink = Callable[[VenueEvent], None]
"""Who hears every event."""

OrderFacts = tuple[str, str, int, str, Side, OrderType, int, int, int, TimeInForce, bool, bool, PositionSide, int, int]
"""What every order event tells of the order, in the order of its fields."""

OrderEnd = type[OrderAmended] | type[OrderCancelled] | type[OrderExpired]
"""The order events that carry nothing but a reason."""


class EventStream:
    """Counts events from 1 and knows the venue's time.

    Thread: belongs to its venue.
    """

    __slots__ = ("sequence", "sink", "time_ns")

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.sequence = 0
        self.time_ns = 0

    def next(self) -> int:
        """Return the number of the next event."""
        self.sequence += 1
        return self.sequence

    def accepted(self, order: WorkingOrder) -> None:
        """Tell that an order was accepted."""
        self.sequence += 1
        o = order
        self.sink(
            OrderAccepted(
                self.sequence, self.time_ns, o.account, o.instrument_id, o.order_id, o.client_order_id, o.side, o.order_type,
                o.quantity, o.price, o.trigger_price, o.time_in_force, o.reduce_only, o.post_only, o.position_side, o.filled,
                o.cost,
            )
        )  # fmt: skip

    def triggered(self, order: WorkingOrder) -> None:
        """Tell that the trigger of an order was reached."""
        self.sequence += 1
        self.sink(OrderTriggered(self.sequence, self.time_ns, *_facts(order)))

    def ended(self, kind: OrderEnd, order: WorkingOrder, reason: str) -> None:
        """Tell that an order was amended, cancelled or expired."""
        self.sequence += 1
        self.sink(kind(self.sequence, self.time_ns, *_facts(order), reason))

    def filled(
        self, order: WorkingOrder, trade: tuple[int, int, int], liquidity: Liquidity, fee: tuple[Decimal, str]
    ) -> OrderFilled:
        """Tell one fill to its side, and return the event.

        Args:
            order: the order, the fill included.
            trade: trade id, price and quantity.
            liquidity: maker or taker.
            fee: amount and asset.
        """
        self.sequence += 1
        o = order
        event = OrderFilled(
            self.sequence, self.time_ns, o.account, o.instrument_id, o.order_id, o.client_order_id, o.side, o.order_type,
            o.quantity, o.price, o.trigger_price, o.time_in_force, o.reduce_only, o.post_only, o.position_side, o.filled,
            o.cost, trade[0], trade[1], trade[2], liquidity, fee[0], fee[1],
        )  # fmt: skip
        self.sink(event)
        return event

    def rejected(self, command: PlaceOrder, code: ResultCode, reason: str) -> None:
        """Tell that an order was refused."""
        c = command
        self.sequence += 1
        self.sink(
            OrderRejected(
                self.sequence,
                self.time_ns,
                c.account,
                c.instrument_id,
                0,
                c.client_order_id,
                c.side,
                c.order_type,
                c.quantity,
                c.price,
                c.trigger_price,
                c.time_in_force,
                c.reduce_only,
                c.post_only,
                c.position_side,
                0,
                0,
                code.value,
                reason,
            )
        )


def _facts(order: WorkingOrder) -> OrderFacts:
    return (
        order.account,
        order.instrument_id,
        order.order_id,
        order.client_order_id,
        order.side,
        order.order_type,
        order.quantity,
        order.price,
        order.trigger_price,
        order.time_in_force,
        order.reduce_only,
        order.post_only,
        order.position_side,
        order.filled,
        order.cost,
    )
