"""The same operations for every matching engine: passive limits, cancels of resting orders, and marketable limits."""

import random
from dataclasses import dataclass

from foxtrot.domain.enums import Side
from foxtrot.exchange.order_book import OrderBook

SEED = 20_251_121
MIDDLE = 10_000
REACH = 100
"""Passive prices lie at most this many steps from the middle, so there are at most that many levels a side."""
PASSIVE, CANCEL = 0.6, 0.3

Fill = tuple[int, int, int]
"""Order that rested, price and quantity."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An order to enter, or, with a `target`, the order to cancel. Orders are numbered from 1 as they are entered."""

    target: int
    side: Side
    price: int
    quantity: int


class OrderFlow:
    """Makes operations from a seed; a book beside it says which orders still rest, so that every cancel finds one."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        self._book = OrderBook()
        self._passive: list[int] = []
        self._entered = 0

    def take(self, count: int) -> list[Operation]:
        """Return the first operations."""
        return [self._next() for _ in range(count)]

    def _next(self) -> Operation:
        draw = self._random.random()
        if draw < PASSIVE:
            return self._enter(is_passive=True)
        target = self._resting() if draw < PASSIVE + CANCEL else 0
        return self._cancel(target) if target else self._enter(is_passive=draw < PASSIVE + CANCEL)

    def _enter(self, *, is_passive: bool) -> Operation:
        """Enter an order behind the middle, or one past it that takes up to 150 units within the range of prices."""
        number = self._random.randint
        side = Side.BUY if self._random.random() < 0.5 else Side.SELL
        away = -number(1, REACH) if is_passive else REACH
        operation = Operation(0, side, MIDDLE + side.sign * away, number(1, 100 if is_passive else 150))
        self._entered += 1
        self._book.place(self._entered, "", side, operation.price, operation.quantity)
        if is_passive:
            self._passive.append(self._entered)
        return operation

    def _resting(self) -> int:
        """Return any passive order that rests, 0 when there is none."""
        passive = self._passive
        while passive:
            place = self._random.randrange(len(passive))
            passive[place], passive[-1] = passive[-1], passive[place]
            order_id = passive.pop()
            if order_id in self._book.orders:
                return order_id
        return 0

    def _cancel(self, target: int) -> Operation:
        self._book.cancel(target)
        return Operation(target, Side.BUY, 0, 0)
