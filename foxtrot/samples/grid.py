"""Grid: resting buys below an anchor price; what a level bought is offered one level higher, again and again.

What it shows: many resting orders, telling them apart by price, and state that survives a restart: the anchor is a saved
variable, and what each level holds is worked out anew from the position, which always comes from fills.
"""

from foxtrot.api import BarData, OrderData, OrderStatus, Parameter, Side, Strategy, TradeData, Variable


class Grid(Strategy):
    """Level k buys at anchor * (1 - step)^k and sells what it bought at the price of level k - 1."""

    levels = Parameter(5, "levels below the anchor", minimum=1, maximum=50)
    step_percent = Parameter(0.5, "distance between levels, in percent", minimum=0.01, maximum=50.0)
    size = Parameter(0.1, "quantity of a level, in the base asset", minimum=0.0)
    anchor = Variable(0.0, "price of level 0; 0.0 before the first bar")

    def on_init(self) -> None:
        """Begin with no levels: their prices need the anchor."""
        self._prices: list[float] = []
        self._held: list[float] = []
        self._waiting: dict[str, tuple[int, float]] = {}  # order id -> its level, and what of it has no fill yet

    def on_start(self) -> None:
        """Take back the orders of an earlier run: this one does not know which level they belong to."""
        self.cancel_all()

    def on_bar(self, bar: BarData) -> None:
        """Lay out the grid at the first close, and renew at every close what was refused or has ended."""
        if not self.trading:
            return
        if not self.anchor:
            self.anchor = self.round_price(bar.close)
        if not self._prices:
            self._lay_out()
        self._renew()

    def on_trade(self, trade: TradeData) -> None:
        """Count a fill for its level, however small; a whole order is answered with its counterpart at once."""
        if trade.order_id not in self._waiting:
            return
        level, missing = self._waiting[trade.order_id]
        signed = trade.quantity if trade.side is Side.BUY else -trade.quantity
        self._held[level] = self.round_quantity(self._held[level] + signed, "nearest")
        missing = self.round_quantity(missing - trade.quantity, "nearest")
        self._waiting[trade.order_id] = (level, missing)
        if missing <= 0.0:
            del self._waiting[trade.order_id]
            if self.trading:
                self._renew_level(level)

    def on_order(self, order: OrderData) -> None:
        """Forget an order that came to nothing; the next close renews it."""
        if order.status in (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED):
            self._waiting.pop(order.order_id, None)

    def _lay_out(self) -> None:
        """Price the levels, and give the position of an earlier run to the highest ones: these were filled first."""
        ratio = 1.0 - self.step_percent / 100.0
        self._prices = [self.round_price(self.anchor * ratio**k) for k in range(self.levels + 1)]
        self._held = [0.0] * (self.levels + 1)
        left = max(0.0, self.round_quantity(self.position))
        for level in range(1, self.levels + 1):
            self._held[level] = min(self.size, left)
            left = self.round_quantity(left - self._held[level], "nearest")

    def _renew(self) -> None:
        for level in range(1, self.levels + 1):
            self._renew_level(level)

    def _renew_level(self, level: int) -> None:
        """Let a level rest what it lacks: a sell of what it holds, a buy of what it does not hold yet."""
        orders = [self.order(order_id) for order_id, (of, _) in self._waiting.items() if of == level]
        sides = {order.side for order in orders if order is not None}
        held = self._held[level]
        worth_selling = held * self._prices[level - 1] >= self.instrument.min_notional
        if held > 0.0 and worth_selling and Side.SELL not in sides:
            self._waiting[self.sell(held, self._prices[level - 1])] = (level, held)
        missing = self.round_quantity(self.size - held, "nearest")
        if missing > 0.0 and not sides:
            self._waiting[self.buy(missing, self._prices[level])] = (level, missing)
