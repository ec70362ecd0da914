"""The obvious order book: one list, sorted anew each time somebody looks at it."""

from collections.abc import Iterator
from dataclasses import dataclass

from foxtrot.domain.enums import OrderType, PositionSide, SelfTradePrevention, Side, TimeInForce

STP = SelfTradePrevention
TAKE_PROFITS = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
LIMITS = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)


@dataclass(eq=False)
class NaiveOrder:
    """An open order and its place in time; `state` is "waiting" for a trigger, "working" or "resting"."""

    order_id: int
    account: str
    instrument_id: str
    client_order_id: str
    side: Side
    order_type: OrderType
    quantity: int
    price: int
    trigger_price: int
    time_in_force: TimeInForce
    reduce_only: bool
    post_only: bool
    position_side: PositionSide
    trailing_offset: int
    display: int
    expire_time_ns: int
    stp: SelfTradePrevention
    leaves: int
    visible: int = 0
    filled: int = 0
    cost: int = 0
    anchor: int = 0
    reserve: int = 0
    priority: int = 0
    state: str = "working"

    @property
    def buys(self) -> bool:
        return self.side is Side.BUY

    def shows(self) -> int:
        return min(self.display, self.leaves) if self.display else self.leaves


@dataclass(eq=False)
class Meeting:
    """Two orders met: what came of it."""

    kind: str
    maker: NaiveOrder
    price: int
    quantity: int


class Clock:
    """Gives out places in time."""

    def __init__(self) -> None:
        self.now = 0

    def next(self) -> int:
        self.now += 1
        return self.now


def side_of(orders: list[NaiveOrder], buys: bool) -> list[NaiveOrder]:
    """Return the resting orders of a side, best first."""
    resting = [order for order in orders if order.state == "resting" and order.buys is buys]
    return sorted(resting, key=lambda order: (-order.price if buys else order.price, order.priority))


def crosses(order: NaiveOrder, price: int) -> bool:
    """Tell whether an order would trade at a price."""
    if not order.price:
        return True
    return price <= order.price if order.buys else price >= order.price


def meet(taker: NaiveOrder, orders: list[NaiveOrder], clock: Clock, pro_rata: bool) -> Iterator[Meeting]:
    """Let an order take; yields each meeting after it happened. `orders` is looked at anew every time."""
    while taker.leaves:
        others = [o for o in side_of(orders, not taker.buys) if crosses(taker, o.price)]
        if not others:
            return
        level = [order for order in others if order.price == others[0].price]
        shares = shares_of(level, taker.leaves) if pro_rata else [(level[0], min(level[0].visible, taker.leaves))]
        for maker, quantity in shares:
            if maker.state != "resting" or maker.visible < quantity:
                break
            if not quantity:
                continue
            if maker.account == taker.account and taker.stp is not STP.NONE:
                yield prevented(taker, maker)
                break
            taker.leaves -= quantity
            maker.leaves -= quantity
            maker.visible -= quantity
            if not maker.visible and maker.leaves:
                maker.visible, maker.priority = maker.shows(), clock.next()
            if not maker.leaves:
                maker.state = "done"
            yield Meeting("trade", maker, maker.price, quantity)


def shares_of(level: list[NaiveOrder], quantity: int) -> list[tuple[NaiveOrder, int]]:
    """Share a quantity pro rata: rounded down, the rest by time."""
    total = sum(order.visible for order in level)
    quantity = min(quantity, total)
    shares = [quantity * order.visible // total for order in level]
    for index, order in enumerate(level):
        shares[index] += min(quantity - sum(shares), order.visible - shares[index])
    return list(zip(level, shares, strict=True))


def prevented(taker: NaiveOrder, maker: NaiveOrder) -> Meeting:
    """Keep an account from trading with itself."""
    both = min(taker.leaves, maker.leaves)
    if taker.stp is STP.CANCEL_OLDEST:
        maker.state = "done"
        return Meeting("maker_out", maker, maker.price, maker.leaves)
    if taker.stp is STP.DECREMENT:
        taker.leaves -= both
        maker.leaves -= both
        maker.visible = min(maker.visible, maker.leaves)
        maker.state = "resting" if maker.leaves else "done"
        return Meeting("both_down", maker, maker.price, both)
    taker.leaves = 0
    if taker.stp is STP.CANCEL_BOTH:
        maker.state = "done"
        return Meeting("both_out", maker, maker.price, 0)
    return Meeting("taker_out", maker, maker.price, 0)


def triggered(order: NaiveOrder, price: int) -> bool:
    """Tell whether a trade at a price triggers a waiting order."""
    if order.order_type is OrderType.TRAILING_STOP and not order.anchor:
        return False
    rising = order.buys != (order.order_type in TAKE_PROFITS)
    return price >= order.trigger_price if rising else price <= order.trigger_price


def follow(order: NaiveOrder, price: int) -> None:
    """Let a trailing stop follow a price."""
    if order.order_type is not OrderType.TRAILING_STOP:
        return
    order.anchor = price if not order.anchor else (min if order.buys else max)(order.anchor, price)
    step = order.trailing_offset
    order.trigger_price = order.anchor + step if order.buys else max(1, order.anchor - step)
