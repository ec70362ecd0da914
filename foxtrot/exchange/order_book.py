"""One instrument's book: levels by price, orders by time within a level. Usable alone, without accounts or a venue."""

import enum
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator

import msgspec

from foxtrot.domain.enums import SelfTradePrevention, Side
from foxtrot.domain.errors import InvariantBroken
from foxtrot.exchange.matching import PRICE_TIME, MatchingRule
from foxtrot.exchange.resting_order import Level, RestingOrder

DepthRow = tuple[int, int]
"""Price and shown quantity of a level, in units."""

_NONE = SelfTradePrevention.NONE
_BUY = Side.BUY
_STOPS_TAKER = frozenset({SelfTradePrevention.CANCEL_NEWEST, SelfTradePrevention.CANCEL_BOTH})


class Outcome(enum.Enum):
    """What came of two orders meeting."""

    TRADE = "trade"
    MAKER_REMOVED = "maker_removed"
    TAKER_STOPPED = "taker_stopped"
    BOTH_REMOVED = "both_removed"
    BOTH_REDUCED = "both_reduced"


class Match(msgspec.Struct, frozen=True, gc=False):
    """One meeting of the incoming order with a resting one; everything but TRADE is self-trade prevention."""

    maker: RestingOrder
    price: int
    quantity: int
    outcome: Outcome


_TRADE = Outcome.TRADE


class OrderBook:
    """Bids and asks of one instrument under a matching rule.

    Both price lists ascend towards the best price (asks are stored negated), so the best is the last item. Every change of a
    level's total gets the next `update_id`, and its price is noted until the changes are taken.

    Thread: belongs to the owner of the venue; not shared.
    """

    __slots__ = (
        "ask_prices",
        "asks",
        "bid_prices",
        "bids",
        "orders",
        "rule",
        "touched_asks",
        "touched_bids",
        "update_id",
    )

    def __init__(self, rule: MatchingRule = PRICE_TIME) -> None:
        self.rule = rule
        self.bids: dict[int, Level] = {}
        self.asks: dict[int, Level] = {}
        self.bid_prices: list[int] = []
        self.ask_prices: list[int] = []
        self.orders: dict[int, RestingOrder] = {}
        self.update_id = 0
        self.touched_bids: set[int] = set()
        self.touched_asks: set[int] = set()

    def place(self, order_id: int, account: str, side: Side, price: int, quantity: int) -> list[Match]:
        """Enter a plain order: it takes what it can and the rest joins its level (price 0: any price, nothing rests).

        Returns:
            What it met, in order.
        """
        is_buy = side is _BUY
        order = RestingOrder(order_id, account, is_buy, price, quantity, quantity, 0, _NONE)
        if not price or self.would_take(is_buy, price):
            matches = list(self.match(order))
            if price and order.leaves:
                self.rest(order)
            return matches
        self.rest(order)
        return []

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
            self._drop_level(order.is_buy, price)
        order.visible = 0
        return order

    def reduce(self, order_id: int, quantity: int) -> None:
        """Lower what is left of a resting order to `quantity` units (not 0); it keeps its place."""
        order = self.orders[order_id]
        visible = min(order.visible, quantity)
        self._level_of(order).total -= order.visible - visible
        order.leaves, order.visible = quantity, visible
        self._touch(order.is_buy, order.price)

    def show(self, order_id: int, visible: int) -> None:
        """Set how much of a resting order is shown, without its losing its place."""
        order = self.orders[order_id]
        self._level_of(order).total += visible - order.visible
        order.visible = visible

    def amend(self, order_id: int, price: int, quantity: int) -> list[Match]:
        """Change price and unfilled quantity of a plain order; only a lower quantity at the same price keeps priority.

        Raises:
            InvariantBroken: the order does not rest here.
        """
        order = self.orders.get(order_id)
        if order is None:
            raise InvariantBroken(f"order {order_id} does not rest in this book; amend only resting orders")
        if price == order.price and quantity <= order.leaves:
            self.reduce(order_id, quantity)
            return []
        self.cancel(order_id)
        order.price, order.leaves = price, quantity
        matches = list(self.match(order)) if self.would_take(order.is_buy, price) else []
        if order.leaves:
            self.rest(order)
        return matches

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

    def match(self, taker: RestingOrder) -> Iterator[Match]:
        """Let an incoming order take; its `leaves` fall as it goes. The owner may cancel other orders between two meetings."""
        is_buy = taker.is_buy
        prices, levels = (self.ask_prices, self.asks) if is_buy else (self.bid_prices, self.bids)
        limit = taker.price
        take = self.rule.take
        while taker.leaves and prices:
            price = -prices[-1] if is_buy else prices[-1]
            if limit and (price > limit if is_buy else price < limit):
                return
            for maker, quantity in take(levels[price], taker.leaves):
                if maker.visible < quantity:
                    break  # the owner took it out or lowered it meanwhile: share anew
                if maker.account == taker.account and taker.stp is not _NONE:
                    yield self._prevent(taker, maker)
                    break
                self._take(maker, quantity)
                taker.leaves -= quantity
                yield Match(maker, price, quantity, _TRADE)

    def preview(self, taker: RestingOrder) -> list[DepthRow]:
        """Return what an incoming order would trade now, as (price, quantity) by level; changes nothing.

        Hidden quantities and self-trade prevention count. Where own orders of a level share its volume by size, the
        others are taken to come first.
        """
        rows: list[DepthRow] = []
        left, limit = taker.leaves, taker.price
        prices, levels = (self.ask_prices, self.asks) if taker.is_buy else (self.bid_prices, self.bids)
        for key in reversed(prices):
            price = -key if taker.is_buy else key
            if not left or (limit and (price > limit if taker.is_buy else price < limit)):
                break
            traded, left = self._preview_level(levels[price], taker, left)
            if traded:
                rows.append((price, traded))
        return rows

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

    def _preview_level(self, level: Level, taker: RestingOrder, left: int) -> tuple[int, int]:
        """Return what trades on one level and what is left to trade beyond it (0 when self-trade prevention stops it)."""
        prevents = taker.stp is not _NONE
        orders = list(level.orders.values())
        if prevents and not self.rule.first_in_first_out:
            orders.sort(key=lambda order: order.account == taker.account)
        queue = deque((order, order.visible, order.leaves) for order in orders)
        traded = 0
        while queue and left:
            order, visible, leaves = queue.popleft()
            if prevents and order.account == taker.account:
                if taker.stp in _STOPS_TAKER:
                    return traded, 0
                if taker.stp is SelfTradePrevention.DECREMENT:
                    left -= min(left, leaves)
                continue
            quantity = min(left, visible)
            traded += quantity
            left -= quantity
            if quantity == visible and leaves > visible:
                queue.append((order, min(order.display, leaves - visible), leaves - visible))
        return traded, left

    def _take(self, maker: RestingOrder, quantity: int) -> None:
        price, order_id = maker.price, maker.order_id
        level = self.bids[price] if maker.is_buy else self.asks[price]
        level.total -= quantity
        maker.leaves -= quantity
        maker.visible -= quantity
        self.update_id += 1
        (self.touched_bids if maker.is_buy else self.touched_asks).add(price)
        if maker.visible:
            return
        orders = level.orders
        del orders[order_id]
        if maker.leaves:
            maker.visible = min(maker.display, maker.leaves)
            level.total += maker.visible
            orders[order_id] = maker
            return
        del self.orders[order_id]
        if not orders:
            self._drop_level(maker.is_buy, price)

    def _prevent(self, taker: RestingOrder, maker: RestingOrder) -> Match:
        price, mode = maker.price, taker.stp
        if mode is SelfTradePrevention.CANCEL_OLDEST:
            self.cancel(maker.order_id)
            return Match(maker, price, maker.leaves, Outcome.MAKER_REMOVED)
        if mode is SelfTradePrevention.DECREMENT:
            return self._decrement(taker, maker)
        quantity, taker.leaves = taker.leaves, 0
        if mode is SelfTradePrevention.CANCEL_NEWEST:
            return Match(maker, price, quantity, Outcome.TAKER_STOPPED)
        self.cancel(maker.order_id)
        return Match(maker, price, quantity, Outcome.BOTH_REMOVED)

    def _decrement(self, taker: RestingOrder, maker: RestingOrder) -> Match:
        quantity = min(taker.leaves, maker.leaves)
        taker.leaves -= quantity
        if quantity == maker.leaves:
            self.cancel(maker.order_id)
            maker.leaves = 0
        else:
            self.reduce(maker.order_id, maker.leaves - quantity)
        return Match(maker, maker.price, quantity, Outcome.BOTH_REDUCED)

    def _level_of(self, order: RestingOrder) -> Level:
        return self.bids[order.price] if order.is_buy else self.asks[order.price]

    def _touch(self, is_buy: bool, price: int) -> None:
        self.update_id += 1
        (self.touched_bids if is_buy else self.touched_asks).add(price)

    def _drop_level(self, is_buy: bool, price: int) -> None:
        if is_buy:
            del self.bids[price]
            del self.bid_prices[bisect_left(self.bid_prices, price)]
        else:
            del self.asks[price]
            del self.ask_prices[bisect_left(self.ask_prices, -price)]
