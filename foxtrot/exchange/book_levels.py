"""One instrument's resting orders: levels by price, orders by time within a level, and what changed on them."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from foxtrot.domain.errors import InvariantBroken
from foxtrot.exchange.resting_order import Level, RestingOrder

DepthRow = tuple[int, int]
"""Price and shown quantity of a level, in units."""


class BookLevels:
    """Bids and asks of one instrument.

    Both price lists ascend towards the best price (asks are stored negated), so the best is the last item. Every change of a
    level's total gets the next `update_id`, and its price is noted until the changes are taken.

    Thread: belongs to the owner of the venue; not shared.
    """

    __slots__ = ("ask_prices", "asks", "bid_prices", "bids", "orders", "touched_asks", "touched_bids", "update_id")

    def __init__(self) -> None:
        self.bids: dict[int, Level] = {}
        self.asks: dict[int, Level] = {}
        self.bid_prices: list[int] = []
        self.ask_prices: list[int] = []
        self.orders: dict[int, RestingOrder] = {}
        self.update_id = 0
        self.touched_bids: set[int] = set()
        self.touched_asks: set[int] = set()

    def cancel(self, order_id: int) -> RestingOrder | None:
        """Take an order out; None when it does not rest here."""
        order = self.orders.pop(order_id, None)
        if order is None:
            return None
        price = order.price
        if order.is_buy:
            level = self.bids[price]
            self.touched_bids.add(price)
        else:
            level = self.asks[price]
            self.touched_asks.add(price)
        self.update_id += 1
        orders = level.orders
        del orders[order_id]
        if orders:
            level.total -= order.visible
        else:
            self.drop_level(order.is_buy, price)
        order.visible = 0
        return order

    def reduce(self, order_id: int, quantity: int) -> None:
        """Lower what is left of a resting order to `quantity` units (not 0); it keeps its place."""
        order = self.orders[order_id]
        visible = min(order.visible, quantity)
        self.level_of(order).total -= order.visible - visible
        order.leaves, order.visible = quantity, visible
        self.touch(order.is_buy, order.price)

    def show(self, order_id: int, visible: int) -> None:
        """Set how much of a resting order is shown, without its losing its place."""
        order = self.orders[order_id]
        self.level_of(order).total += visible - order.visible
        order.visible = visible

    def rest(self, order: RestingOrder) -> None:
        """Put an order at the back of its level without matching it."""
        price = order.price
        if order.is_buy:
            level = self.bids.get(price)
            if level is None:
                level = self.bids[price] = Level(price)
                insort(self.bid_prices, price)
            self.touched_bids.add(price)
        else:
            level = self.asks.get(price)
            if level is None:
                level = self.asks[price] = Level(price)
                insort(self.ask_prices, -price)
            self.touched_asks.add(price)
        leaves, display = order.leaves, order.display
        visible = order.visible = display if 0 < display < leaves else leaves
        level.orders[order.order_id] = order
        level.total += visible
        self.orders[order.order_id] = order
        self.update_id += 1

    def would_take(self, is_buy: bool, price: int) -> bool:
        """Tell whether an order at this price would meet the other side."""
        if is_buy:
            prices = self.ask_prices
            return bool(prices) and -prices[-1] <= price
        prices = self.bid_prices
        return bool(prices) and prices[-1] >= price

    def best_bid(self) -> int:
        """Return the best bid price, 0 when there is none."""
        return self.bid_prices[-1] if self.bid_prices else 0

    def best_ask(self) -> int:
        """Return the best ask price, 0 when there is none."""
        return -self.ask_prices[-1] if self.ask_prices else 0

    def depth(self, levels: int = 0) -> tuple[tuple[DepthRow, ...], tuple[DepthRow, ...]]:
        """Return bids and asks, best first, at most `levels` a side (0: all)."""
        bids = self.bid_prices[: -levels - 1 : -1] if levels else self.bid_prices[::-1]
        asks = self.ask_prices[: -levels - 1 : -1] if levels else self.ask_prices[::-1]
        return (
            tuple((price, self.bids[price].total) for price in bids),
            tuple((-price, self.asks[-price].total) for price in asks),
        )

    def queue(self, is_buy: bool) -> Iterator[RestingOrder]:
        """Yield the resting orders of a side, best price first, then oldest first."""
        if is_buy:
            for price in reversed(self.bid_prices):
                yield from self.bids[price].orders.values()
        else:
            for price in reversed(self.ask_prices):
                yield from self.asks[-price].orders.values()

    def take_touched(self) -> tuple[list[DepthRow], list[DepthRow]]:
        """Return the levels changed since the last call with their totals now (0: gone), best first, and forget them."""
        bids = [(p, self.bids[p].total if p in self.bids else 0) for p in sorted(self.touched_bids, reverse=True)]
        asks = [(p, self.asks[p].total if p in self.asks else 0) for p in sorted(self.touched_asks)]
        self.touched_bids.clear()
        self.touched_asks.clear()
        return bids, asks

    def validate(self) -> None:
        """Check every invariant of the book.

        Raises:
            InvariantBroken: the first one that does not hold.
        """
        for levels, prices in ((self.bids, self.bid_prices), (self.asks, [-p for p in reversed(self.ask_prices)])):
            if sorted(levels) != prices:
                raise InvariantBroken(f"levels {sorted(levels)} and price list {prices} differ")
            for level in levels.values():
                shown = sum(order.visible for order in level.orders.values())
                if shown != level.total or not level.orders:
                    raise InvariantBroken(f"level {level.price} says {level.total}, its orders show {shown}")
        if self.bid_prices and self.ask_prices and self.bid_prices[-1] >= -self.ask_prices[-1]:
            raise InvariantBroken(f"crossed: bid {self.bid_prices[-1]}, ask {-self.ask_prices[-1]}")
        if len(self.orders) != sum(len(lv.orders) for side in (self.bids, self.asks) for lv in side.values()):
            raise InvariantBroken("an order is in no level, or in two")

    def level_of(self, order: RestingOrder) -> Level:
        """Return the level on which an order rests."""
        return self.bids[order.price] if order.is_buy else self.asks[order.price]

    def touch(self, is_buy: bool, price: int) -> None:
        """Note that a level changed."""
        self.update_id += 1
        (self.touched_bids if is_buy else self.touched_asks).add(price)

    def drop_level(self, is_buy: bool, price: int) -> None:
        """Take an empty level out."""
        if is_buy:
            del self.bids[price]
            del self.bid_prices[bisect_left(self.bid_prices, price)]
        else:
            del self.asks[price]
            del self.ask_prices[bisect_left(self.ask_prices, -price)]
