"""Charges fees: in the asset received, in quote money, or in a coin the account chose."""

from decimal import Decimal

from foxtrot.domain.enums import Liquidity
from foxtrot.domain.fees import FeeBasis
from foxtrot.exchange.accounts import FEES, Account
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import fee_money, to_decimal
from foxtrot.exchange.settlement import OwnershipSettlement
from foxtrot.exchange.venue_state import VenueState
from foxtrot.exchange.working_order import WorkingOrder

RECEIVED = "received"
QUOTE = "quote"
_ZERO = Decimal(0)


class FeeDesk:
    """Takes fees from accounts into the fee account, exactly what it tells.

    A spot fee never takes more than is free: a balance that is checked is never negative.

    Thread: belongs to its venue.
    """

    def __init__(self, state: VenueState, ownership: OwnershipSettlement) -> None:
        self._state = state
        self._ownership = ownership

    def reserve(self, account: Account, market: Market, order: WorkingOrder, notional: int) -> int:
        """Return the money to hold, beside the notional, for the fees of a whole buy; at least 0."""
        if market.fee_free or not account.margin_checked or market.derivative or not order.is_buy:
            return 0
        if self._mode(account, market) != QUOTE:
            return 0
        quantity = market.instrument.quantity_grid.to_decimal(order.leaves)
        fees = (
            market.fees_of(account.fee_plan).fee(FeeBasis(order.side, liquidity, quantity, to_decimal(notional)))
            for liquidity in Liquidity
        )
        return max(0, *map(fee_money, fees))

    def charge(
        self, account: Account, market: Market, order: WorkingOrder, trade: tuple[int, int], liquidity: Liquidity
    ) -> tuple[Decimal, str]:
        """Charge one fill (price, quantity) whose quantities the order already includes; return amount and asset."""
        price, quantity = trade
        mode = self._mode(account, market)
        if mode == RECEIVED and order.is_buy and not market.derivative:
            return self._take_received(account, market, order, quantity, liquidity)
        notional = to_decimal(quantity * price * market.unit_value)
        before = to_decimal((order.cost - price * quantity) * market.unit_value)
        amount = self._fee(account, market, order, (quantity, notional), liquidity, before)
        fee = fee_money(amount)
        if mode not in (RECEIVED, QUOTE):
            coin = self._in_coin(fee, market.money_asset, mode)
            if coin is not None and account.balance(mode).free >= coin:
                order.fees_before += amount
                return self._take(account, mode, coin)
            if order.is_buy and not market.derivative:
                return self._take_received(account, market, order, quantity, liquidity)
        order.fees_before += amount
        return self._take_money(account, market, order, fee)

    def _take_received(
        self, account: Account, market: Market, order: WorkingOrder, quantity: int, liquidity: Liquidity
    ) -> tuple[Decimal, str]:
        received = to_decimal(quantity * market.quantity_value)
        fee = fee_money(self._fee(account, market, order, (quantity, received), liquidity))
        return self._take(account, market.instrument.base_asset, fee)

    def _fee(
        self,
        account: Account,
        market: Market,
        order: WorkingOrder,
        trade: tuple[int, Decimal],
        liquidity: Liquidity,
        notional_before: Decimal = _ZERO,
    ) -> Decimal:
        quantity, notional = trade
        grid = market.instrument.quantity_grid
        return market.fees_of(account.fee_plan).fee(
            FeeBasis(
                order.side,
                liquidity,
                grid.to_decimal(quantity),
                notional,
                grid.to_decimal(order.filled - quantity),
                notional_before,
                order.fees_before,
            )
        )

    def _take_money(self, account: Account, market: Market, order: WorkingOrder, fee: int) -> tuple[Decimal, str]:
        asset = market.money_asset
        used = min(order.fee_reserve, max(fee, 0))
        order.fee_reserve -= used
        if account.margin_checked and not market.derivative:
            self._ownership.hold(account, market, order, order.leaves)
            fee = min(fee, max(0, account.balance(asset).free))
        return self._take(account, asset, fee)

    def _take(self, account: Account, asset: str, fee: int) -> tuple[Decimal, str]:
        if fee:
            account.balance(asset).total -= fee
            self._state.ledger.fees.balance(asset).total += fee
            self._state.touched_balances[account.name, asset] = None
            self._state.touched_balances[FEES, asset] = None
        return to_decimal(fee), asset

    def _in_coin(self, fee: int, quote: str, coin: str) -> int | None:
        for market in self._state.markets.values():
            pair = (market.instrument.base_asset, market.money_asset)
            if pair == (coin, quote) and market.last and not market.derivative:
                return fee_money(to_decimal(fee * market.quantity_value // (market.last * market.unit_value)))
        return None

    def _mode(self, account: Account, market: Market) -> str:
        return account.fee_asset or market.fee_asset_mode
