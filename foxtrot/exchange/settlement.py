"""How fills change hands: ownership (spot, stocks, currency pairs) or margin and profit (perpetuals, futures).

Both answer the same three questions: may the account enter this order, what is held for it, and what does a fill move.
"""

from fractions import Fraction
from typing import Protocol

from foxtrot.domain.enums import PositionSide
from foxtrot.exchange.accounts import Account, Position
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.reports import PositionMargin
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.venue_state import VenueState
from foxtrot.exchange.working_order import WorkingOrder

_NET, _LONG, _SHORT = PositionSide.NET, PositionSide.LONG, PositionSide.SHORT
_OK = ResultCode.OK


class Settlement(Protocol):
    """One way of settling."""

    def refusal(self, account: Account, market: Market, order: WorkingOrder, notional: int) -> ResultCode:
        """Tell whether the account can bear an order that is worth `notional` at worst; OK when it can."""
        ...

    def hold(self, account: Account, market: Market, order: WorkingOrder, leaves: int) -> None:
        """Hold exactly what `leaves` units of the order need (0 releases everything)."""
        ...

    def fill(self, account: Account, market: Market, order: WorkingOrder, price: int, quantity: int) -> None:
        """Move what one fill moves; fees are charged elsewhere."""
        ...

    def reducible(self, account: Account, market: Market, is_buy: bool, side: PositionSide) -> int:
        """Return how many units an order of this direction can close."""
        ...


class OwnershipSettlement:
    """Assets change hands in full: a buy holds quote money at its limit (and fees), a sell holds what it sells.

    Thread: belongs to its venue.
    """

    def __init__(self, state: VenueState) -> None:
        self._state = state

    def refusal(self, account: Account, market: Market, order: WorkingOrder, notional: int) -> ResultCode:
        """Refuse buying without money and selling what is not owned (unless the account may be short)."""
        if not account.margin_checked:
            return _OK
        if order.is_buy:
            free = account.balance(market.money_asset).free + order.locked
            enough = free >= notional + order.fee_reserve
        else:
            free = account.balance(market.instrument.base_asset).free + order.locked
            enough = self._may_short(account, market) or free >= order.leaves * market.quantity_value
        return _OK if enough else ResultCode.ACCOUNT_INSUFFICIENT_BALANCE

    def hold(self, account: Account, market: Market, order: WorkingOrder, leaves: int) -> None:
        """Lock quote money for a buy with a limit, the asset itself for a sell."""
        if not account.margin_checked:
            return
        if not leaves or (not order.is_buy and self._may_short(account, market)):
            held = 0
        elif not order.is_buy:
            held = leaves * market.quantity_value
        else:
            held = leaves * order.price * market.unit_value + order.fee_reserve if order.price else 0
        change = held - order.locked
        if change:
            asset = market.money_asset if order.is_buy else market.instrument.base_asset
            order.locked = held
            account.balance(asset).locked += change
            self._state.touched_balances[account.name, asset] = None

    def fill(self, account: Account, market: Market, order: WorkingOrder, price: int, quantity: int) -> None:
        """Exchange base for quote at the price of the fill."""
        state = self._state
        base, quote = market.instrument.base_asset, market.money_asset
        signed = quantity if order.is_buy else -quantity
        account.balance(base).total += signed * market.quantity_value
        account.balance(quote).total -= signed * price * market.unit_value
        state.touched_balances[account.name, base] = None
        state.touched_balances[account.name, quote] = None
        if market.owned:
            account.position(market.instrument_id, _NET).fill(signed, price * market.unit_value)
            state.touched_positions[account.name, market.instrument_id, _NET] = None
        if market.external:
            state.ledger.bring_in(base, signed * market.quantity_value)
            state.ledger.bring_in(quote, -signed * price * market.unit_value)

    def reducible(self, account: Account, market: Market, is_buy: bool, side: PositionSide) -> int:
        """Return what is owned (for a sell) or owed (for a buy)."""
        total = account.balance(market.instrument.base_asset).total
        return max(0, -total if is_buy else total) // market.quantity_value

    @staticmethod
    def _may_short(account: Account, market: Market) -> bool:
        return account.allow_short and market.owned


class MarginSettlement:
    """Positions are margin and profit in the settle asset; margin is cross within that asset.

    A position needs margin for the worse of all its open buys or all its open sells being filled. An order that does not
    raise the requirement is always allowed.

    Thread: belongs to its venue.
    """

    def __init__(self, state: VenueState) -> None:
        self._state = state

    def refusal(self, account: Account, market: Market, order: WorkingOrder, notional: int) -> ResultCode:
        """Refuse what equity cannot margin."""
        if not account.margin_checked or order.reduce_only:
            return _OK
        position = account.position(market.instrument_id, order.position_side)
        change = notional - order.locked
        before = requirement(market, order.position_side, position)
        if order.is_buy:
            after = requirement(market, order.position_side, position, extra_buys=change)
        else:
            after = requirement(market, order.position_side, position, extra_sells=change)
        if after <= before:
            return _OK
        asset = market.money_asset
        available = self.equity(account, asset) - self.required(account, asset) - order.fee_reserve
        return _OK if available >= after - before else ResultCode.ACCOUNT_INSUFFICIENT_MARGIN

    def hold(self, account: Account, market: Market, order: WorkingOrder, leaves: int) -> None:
        """Count the order's notional into the margin requirement of its position."""
        if not account.margin_checked or order.reduce_only:
            return
        price = order.price or order.trigger_price or market.reference
        change = leaves * price * market.unit_value - order.locked
        if change:
            order.locked += change
            position = account.position(market.instrument_id, order.position_side)
            if order.is_buy:
                position.open_buys += change
            else:
                position.open_sells += change

    def fill(self, account: Account, market: Market, order: WorkingOrder, price: int, quantity: int) -> None:
        """Change the position and pay the realised profit."""
        signed = quantity if order.is_buy else -quantity
        self.move(account, market, order.position_side, signed, price)
        if market.external:
            self._state.ledger.bring_in(market.money_asset, -signed * price * market.unit_value)

    def move(self, account: Account, market: Market, side: PositionSide, signed: int, price: int) -> None:
        """Add a signed quantity to a position at a price and pay the realised profit."""
        position = account.position(market.instrument_id, side)
        profit = position.fill(signed, price * market.unit_value)
        self._state.touched_positions[account.name, market.instrument_id, side] = None
        if profit:
            account.balance(market.money_asset).total += profit
            self._state.touched_balances[account.name, market.money_asset] = None

    def reducible(self, account: Account, market: Market, is_buy: bool, side: PositionSide) -> int:
        """Return the size of the position that the direction closes."""
        quantity = account.position(market.instrument_id, side).quantity
        return max(0, -quantity if is_buy else quantity)

    def equity(self, account: Account, asset: str) -> int:
        """Return balance plus unrealised profit of every position settled in an asset."""
        total = account.balance(asset).total
        for (instrument_id, _), position in account.positions.items():
            market = self._state.markets[instrument_id]
            if market.derivative and market.money_asset == asset and position.quantity:
                total += position.unrealised(market.reference * market.unit_value)
        return total

    def required(self, account: Account, asset: str) -> int:
        """Return the initial margin of all positions and open orders settled in an asset."""
        total = 0
        for (instrument_id, side), position in account.positions.items():
            market = self._state.markets[instrument_id]
            if market.derivative and market.money_asset == asset:
                total += requirement(market, side, position)
        return total

    def maintenance(self, account: Account, asset: str) -> int:
        """Return the maintenance margin of all positions settled in an asset."""
        total = 0
        for (instrument_id, _), position in account.positions.items():
            market = self._state.markets[instrument_id]
            if market.derivative and market.money_asset == asset:
                value = abs(position.quantity) * market.reference * market.unit_value
                total += _share(value, market.maintenance_margin)
        return total


def requirement(
    market: Market, side: PositionSide, position: Position, *, extra_buys: int = 0, extra_sells: int = 0
) -> int:
    """Return the initial margin of one position with its open orders, rounded up to the money grid."""
    value = position.quantity * market.reference * market.unit_value
    buys, sells = position.open_buys + extra_buys, position.open_sells + extra_sells
    if side is _LONG:
        exposure = value + buys
    elif side is _SHORT:
        exposure = sells - value
    else:
        exposure = max(abs(value + buys), abs(value - sells))
    return initial_margin(market, position, exposure)


def margin_of(market: Market, side: PositionSide, position: Position) -> PositionMargin:
    """Return the margins of one position as decimals."""
    value = abs(position.quantity) * market.reference * market.unit_value
    alone = initial_margin(market, position, value)
    orders = max(0, requirement(market, side, position) - alone)
    return PositionMargin(*map(to_decimal, (alone, orders, _share(value, market.maintenance_margin))))


def initial_margin(market: Market, position: Position, exposure: int) -> int:
    """Return the initial margin of an exposure at the position's leverage, else at the instrument's rate, rounded up."""
    leverage = position.leverage
    return -(-exposure // leverage) if leverage else _share(exposure, market.initial_margin)


def _share(money: int, rate: Fraction) -> int:
    return -(-money * rate.numerator // rate.denominator)
