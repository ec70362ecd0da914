"""Conditional orders of one instrument, waiting for the last trade price to reach their trigger.

A buy stop and a sell take-profit wait for the price to rise to the trigger, the other two for it to fall. A trailing stop
follows the best price since it was entered at a fixed distance, and its trigger with it.
"""

from bisect import bisect_left, insort

from foxtrot.domain.enums import OrderType
from foxtrot.exchange.working_order import WorkingOrder

_PROFIT = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_Key = tuple[int, int]


def fires_on_rise(order: WorkingOrder) -> bool:
    """Tell whether the order waits for the price to rise to its trigger."""
    return order.is_buy != (order.order_type in _PROFIT)


class TriggerBook:
    """Pending orders by trigger; both lists end with the one that fires next, the oldest first among equals.

    Thread: belongs to its venue.
    """

    __slots__ = ("_falling", "_rising", "_trailing", "orders")

    def __init__(self) -> None:
        self.orders: dict[int, WorkingOrder] = {}
        self._rising: list[_Key] = []
        self._falling: list[_Key] = []
        self._trailing: dict[int, WorkingOrder] = {}

    def add(self, order: WorkingOrder, last_price: int) -> None:
        """Put an order in waiting; a trailing stop starts to follow at the last price, or at the next one when none is known."""
        self.orders[order.order_id] = order
        if order.order_type is OrderType.TRAILING_STOP:
            self._trailing[order.order_id] = order
            if last_price and not order.anchor:
                order.anchor = last_price
            if order.anchor:
                self._set_trail(order)
            return
        keys, key = self._place_of(order)
        insort(keys, key)

    def remove(self, order: WorkingOrder) -> None:
        """Take an order out."""
        del self.orders[order.order_id]
        if self._trailing.pop(order.order_id, None) is not None:
            return
        keys, key = self._place_of(order)
        del keys[bisect_left(keys, key)]

    def reached(self, order: WorkingOrder, price: int) -> bool:
        """Tell whether a trade at `price` triggers an order."""
        if order.order_type is OrderType.TRAILING_STOP and not order.anchor:
            return False
        return price >= order.trigger_price if fires_on_rise(order) else price <= order.trigger_price

    def fire(self, price: int) -> list[WorkingOrder]:
        """Take out and return the orders that a trade at `price` triggers, oldest first, then let the trailing ones follow."""
        if not self.orders:
            return []
        fired: list[WorkingOrder] = []
        rising, falling = self._rising, self._falling
        while rising and -rising[-1][0] <= price:
            fired.append(self.orders.pop(-rising.pop()[1]))
        while falling and falling[-1][0] >= price:
            fired.append(self.orders.pop(-falling.pop()[1]))
        if self._trailing:
            self._follow(price, fired)
        fired.sort(key=_age)
        return fired

    def _follow(self, price: int, fired: list[WorkingOrder]) -> None:
        for order in list(self._trailing.values()):
            if self.reached(order, price):
                del self._trailing[order.order_id], self.orders[order.order_id]
                fired.append(order)
            elif not order.anchor or (price < order.anchor if order.is_buy else price > order.anchor):
                order.anchor = price
                self._set_trail(order)

    @staticmethod
    def _set_trail(order: WorkingOrder) -> None:
        offset = order.trailing_offset
        order.trigger_price = order.anchor + offset if order.is_buy else max(1, order.anchor - offset)

    def _place_of(self, order: WorkingOrder) -> tuple[list[_Key], _Key]:
        if fires_on_rise(order):
            return self._rising, (-order.trigger_price, -order.order_id)
        return self._falling, (order.trigger_price, -order.order_id)


def _age(order: WorkingOrder) -> int:
    return order.order_id
