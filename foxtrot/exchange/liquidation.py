"""Liquidation: an account whose equity has fallen below its maintenance margin loses its positions.

Its orders in that settle asset are cancelled, each position is sold into the book at market, the insurance fund takes over
what the book cannot take at the mark price, and pays what the account then owes.
"""

from foxtrot.domain.enums import OrderType, PositionSide, SelfTradePrevention, Side, TimeInForce
from foxtrot.exchange.accounts import INSURANCE, Account
from foxtrot.exchange.events import ChargeBooked, Liquidated
from foxtrot.exchange.floor import Floor
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.working_order import WorkingOrder

LIQUIDATION = "liquidation"


class Liquidation:
    """Watches margin accounts after every change of a mark price or a position.

    Thread: belongs to its venue.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._life = floor.life
        self._state = floor.state

    def check_marks(self) -> None:
        """Check every account that holds a position in an instrument whose mark price moved, until no price moves."""
        state = self._state
        while state.moved_marks:
            moved, state.moved_marks = state.moved_marks, {}
            if not state.ledger.watched:
                return
            for instrument_id in moved:
                market = state.markets[instrument_id]
                if market.derivative:
                    self._check_holders(market)

    def check(self, account: Account, asset: str) -> None:
        """Liquidate an account that breaches its maintenance margin."""
        margin = self._life.margin
        maintenance = margin.maintenance(account, asset)
        if maintenance and margin.equity(account, asset) < maintenance:
            self._liquidate(account, asset)

    def _check_holders(self, market: Market) -> None:
        for account in list(self._state.ledger.watched):
            if any(key[0] == market.instrument_id and held.quantity for key, held in account.positions.items()):
                self.check(account, market.money_asset)

    def _liquidate(self, account: Account, asset: str) -> None:
        markets = self._state.markets
        for order in list(account.orders.values()):
            market = markets[order.instrument_id]
            if market.derivative and market.money_asset == asset:
                self._life.cancel(market, order, LIQUIDATION)
        for (instrument_id, side), position in list(account.positions.items()):
            market = markets[instrument_id]
            if market.derivative and market.money_asset == asset and position.quantity:
                self._close(account, market, side)
        self._cover(account, asset)

    def _close(self, account: Account, market: Market, side: PositionSide) -> None:
        position = account.position(market.instrument_id, side)
        before = position.quantity
        if not market.external:
            self._sell_out(account, market, side, before)
        left = position.quantity
        if left:
            insurance = self._state.ledger.insurance
            self._life.margin.move(account, market, side, -left, market.reference)
            self._life.margin.move(insurance, market, PositionSide.NET, left, market.reference)
        stream, name = self._state.stream, market.instrument_id
        closed = abs(before) - abs(left)
        stream.sink(
            Liquidated(stream.next(), stream.time_ns, account.name, name, side, closed, abs(left), market.reference)
        )

    def _sell_out(self, account: Account, market: Market, side: PositionSide, quantity: int) -> None:
        state = self._state
        is_buy, size = quantity < 0, abs(quantity)
        order = WorkingOrder(
            state.next_order_id,
            account.name,
            is_buy,
            0,
            size,
            size,
            0,
            SelfTradePrevention.NONE,
            market.instrument_id,
            f"{LIQUIDATION}-{state.next_order_id}",
            Side.BUY if is_buy else Side.SELL,
            OrderType.MARKET,
            size,
            0,
            TimeInForce.IOC,
            True,
            False,
            side,
            0,
            0,
            state.stream.time_ns,
        )
        state.next_order_id += 1
        self._life.accept(account, market, order)
        self._floor.work(market, order)
        self._floor.wake(market)

    def _cover(self, account: Account, asset: str) -> None:
        balance = account.balance(asset)
        if balance.total >= 0:
            return
        state, deficit = self._state, -balance.total
        balance.total = 0
        state.ledger.insurance.balance(asset).total -= deficit
        for name, amount in ((account.name, deficit), (INSURANCE, -deficit)):
            state.touched_balances[name, asset] = None
            stream = state.stream
            stream.sink(ChargeBooked(stream.next(), stream.time_ns, name, asset, to_decimal(amount), "insurance"))
