"""Market making: one bid and one ask around the fair price, moved away from the side on which too much is held.

What it shows: depth, post-only orders, quoting both sides at once, and giving an order up before its successor is sent, so
that the two never stand together. On a spot market it can only sell what it has bought, so that it aims at half of
`max_position` and begins by buying; where short positions exist it aims at none.
"""

from foxtrot.api import DepthData, OrderData, OrderStatus, Parameter, Side, Strategy

_ENDED = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.DENIED}
)


class MarketMaking(Strategy):
    """Quotes at fair price * (1 -/+ half spread), both shifted against the inventory.

    The fair price is the micro-price: the middle of the best bid and ask, weighted towards the side that holds less.
    """

    size = Parameter(0.01, "quantity of each quote, in the base asset", minimum=0.0)
    max_position = Parameter(
        0.1, "most that is held long, and short where that is possible, in the base asset", minimum=0.0
    )
    half_spread_bps = Parameter(0.05, "distance of a quote from the fair price, in basis points", minimum=0.0)
    skew_bps = Parameter(0.1, "shift of both quotes when max_position is reached, in basis points", minimum=0.0)
    requote_bps = Parameter(
        0.05, "a quote is moved when it is so far from where it should be, in basis points", minimum=0.0
    )
    pause_s = Parameter(0.4, "least time between two moves of a quote, in seconds", minimum=0.0)

    def on_init(self) -> None:
        """Begin without quotes."""
        self._quotes: dict[Side, str] = {}
        self._next_ns: dict[Side, int] = {}
        self._leaving: set[str] = set()

    def on_start(self) -> None:
        """Take back the quotes of an earlier run."""
        self.cancel_all()

    def on_depth(self, depth: DepthData) -> None:
        """Compare both quotes with where they should be."""
        if not self.trading or not depth.bids or not depth.asks:
            return
        (bid, bid_size), (ask, ask_size) = depth.bids[0], depth.asks[0]
        fair = (bid * ask_size + ask * bid_size) / (bid_size + ask_size)
        middle = fair * (1.0 - self._inventory() * self.skew_bps / 10_000.0)
        distance = middle * self.half_spread_bps / 10_000.0
        buy_at = self.round_price(middle - distance, "down")
        sell_at = self.round_price(middle + distance, "up")
        self._quote(Side.BUY, buy_at if buy_at < ask else bid)
        self._quote(Side.SELL, sell_at if sell_at > bid else ask)

    def on_order(self, order: OrderData) -> None:
        """Forget a quote that has ended."""
        if order.status in _ENDED:
            self._leaving.discard(order.order_id)
            if self._quotes.get(order.side) == order.order_id:
                del self._quotes[order.side]

    def on_stop(self) -> None:
        """Leave no quote behind."""
        self.cancel_all()

    def _inventory(self) -> float:
        """Return how much more is held than aimed at, as a share of the most: -1 to 1."""
        aim = 0.0 if self.instrument.product.is_derivative else self.max_position / 2.0
        reach = self.max_position - aim
        return max(-1.0, min(1.0, (self.position - aim) / reach)) if reach else 0.0

    def _quote(self, side: Side, price: float) -> None:
        """Send a quote where there is none, or give up one that stands too far from its price."""
        now_ns = self.clock.now_ns()
        known = self._quotes.get(side)
        if known is None:
            quantity = self._quantity(side)
            if quantity > 0.0 and now_ns >= self._next_ns.get(side, 0):
                send = self.buy if side is Side.BUY else self.sell
                self._next_ns[side] = now_ns + round(self.pause_s * 1e9)
                self._quotes[side] = send(quantity, price, post_only=True)
            return
        order = self.order(known)
        if order is None or known in self._leaving or now_ns < self._next_ns[side]:
            return
        if abs(order.price - price) > price * self.requote_bps / 10_000.0 and self.cancel(known):
            self._leaving.add(known)
            self._next_ns[side] = 0

    def _quantity(self, side: Side) -> float:
        """Return how much may be quoted: no more than takes the position to its bounds."""
        least = -self.max_position if self.instrument.product.is_derivative else 0.0
        room = self.max_position - self.position if side is Side.BUY else self.position - least
        quantity = self.round_quantity(min(self.size, max(0.0, room)))
        return quantity if quantity >= self._least_quantity() else 0.0

    def _least_quantity(self) -> float:
        instrument = self.instrument
        return instrument.quantity(max(1, instrument.min_quantity_units))
