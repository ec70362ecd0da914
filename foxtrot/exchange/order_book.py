"""One instrument's book: levels by price, orders by time within a level. Usable alone, without accounts or a venue."""

import enum
from collections import deque
from collections.abc import Iterator

import msgspec

from foxtrot.domain.enums import SelfTradePrevention, Side
from foxtrot.domain.errors import InvariantBroken
from foxtrot.exchange.book_levels import BookLevels, DepthRow
from foxtrot.exchange.matching import PRICE_TIME, MatchingRule
from foxtrot.exchange.resting_order import Level, RestingOrder

__all__ = ["DepthRow", "Match", "OrderBook", "Outcome"]

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


class OrderBook(BookLevels):
    """The book of one instrument and how orders meet in it, under a matching rule.

    Thread: belongs to the owner of the venue; not shared.
    """

    __slots__ = ("rule",)

    def __init__(self, rule: MatchingRule = PRICE_TIME) -> None:
        super().__init__()
        self.rule = rule

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
            self.drop_level(maker.is_buy, price)

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
