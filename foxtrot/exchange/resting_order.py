"""What an order book holds: orders and the levels they queue on. Integer units throughout."""

import msgspec

from foxtrot.domain.enums import SelfTradePrevention


class RestingOrder(msgspec.Struct, gc=False):
    """An order as the book sees it.

    `price` 0 takes any price. `leaves` is what is not yet filled, `visible` the part of it in the queue; they differ for an
    iceberg, which shows at most `display` (0: all) at a time.

    Thread: belongs to its book.
    """

    order_id: int
    account: str
    is_buy: bool
    price: int
    leaves: int
    visible: int
    display: int
    stp: SelfTradePrevention


class Level:
    """One price: its orders by id, oldest first (a dict keeps the order of arrival), and the sum they show.

    Thread: belongs to its book.
    """

    __slots__ = ("orders", "price", "total")

    def __init__(self, price: int) -> None:
        self.price = price
        self.total = 0
        self.orders: dict[int, RestingOrder] = {}
