"""RSI reversion: buy weakness with a limit order, protect what was bought with a stop, leave when strength is back.

What it shows: limit and stop orders, orders that follow fills, and how not to repeat a refused order without end. After
every event the same question is asked: do the open orders fit what is wanted and held? One step is taken towards it at a
time; the answer to that step is the next event.
"""

from foxtrot.api import (
    BarData,
    OrderData,
    OrderStatus,
    OrderType,
    Parameter,
    RunningRsi,
    Side,
    Strategy,
    TradeData,
    Variable,
)


class RsiReversion(Strategy):
    """Long only. Enters at the close's price below `low`, leaves at market above `high` or by its stop."""

    period = Parameter(14, "closes in the index", minimum=2)
    low = Parameter(30.0, "index below which it buys", minimum=0.0, maximum=100.0)
    high = Parameter(55.0, "index above which it leaves", minimum=0.0, maximum=100.0)
    stop_percent = Parameter(2.0, "distance of the stop below the average entry", minimum=0.01, maximum=99.0)
    size = Parameter(1.0, "quantity to buy, in the base asset", minimum=0.0)
    wants_long = Variable(False, "whether it wants to hold a position")

    def on_init(self) -> None:
        """Ask for more closes than the index needs, because Wilder's average forgets slowly."""
        self._rsi = RunningRsi(self.period)
        self._entry_price = 0.0
        self._refused = False
        self.load_bar(4 * self.period)

    def on_start(self) -> None:
        """Take back what an earlier run left open; a position it left is protected at the first event."""
        self.cancel_all()

    def on_bar(self, bar: BarData) -> None:
        """Decide at the close; an entry that was not filled is renewed at the new price."""
        rsi = self._rsi.update(bar.close)
        if rsi is None or not self.trading:
            return
        self._refused = False
        if rsi < self.low:
            self.wants_long = True
            self._entry_price = self.round_price(bar.close, "down")
            for order in self._entries():
                self.cancel(order.order_id)
        elif rsi > self.high:
            self.wants_long = False
        self._advance()

    def on_order(self, order: OrderData) -> None:
        """Take the next step; a refused one waits for the next close, a stop that was set off ends the wish."""
        if order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
            self._refused = True
        elif order.order_type is OrderType.STOP and order.status is OrderStatus.FILLED:
            self.wants_long = False
        self._advance()

    def on_trade(self, trade: TradeData) -> None:
        """Let the stop follow what is held."""
        self._advance()

    def _advance(self) -> None:
        """Take one step from what is to what is wanted."""
        if not self.trading or self._refused:
            return
        if not self.wants_long:
            self._leave()
        elif self._stop_fits() and not self._entries():
            missing = self.quantity_to(self.size)
            if missing > 0.0 and self._entry_price:
                self.buy(missing, self._entry_price)
                self._entry_price = 0.0

    def _leave(self) -> None:
        """Cancel what rests, and close once nothing is open: a stop beside a closing order could sell twice."""
        for order in self.open_orders():
            if order.order_type is not OrderType.MARKET:
                self.cancel(order.order_id)
        if not self.is_pending():
            self.close_position()

    def _stop_fits(self) -> bool:
        """Tell whether the stop covers exactly what is held; if not, move towards that by one step."""
        stops = [order for order in self.open_orders() if order.order_type is OrderType.STOP]
        held = 0.0 if self.is_flat else self.round_quantity(self.position)
        if [order.remaining_quantity for order in stops] == ([held] if held else []):
            return True
        if stops:
            for order in stops:
                self.cancel(order.order_id)
        else:
            trigger = self.round_price(self.average_price() * (1.0 - self.stop_percent / 100.0))
            self.sell(held, trigger_price=trigger, reduce_only=True)
        return False

    def _entries(self) -> list[OrderData]:
        return [order for order in self.open_orders() if order.side is Side.BUY]
