"""Money, positions, and how much more could be traded, as the venue's own books have it."""

from decimal import Decimal
from typing import Any, Final

from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.fees import FeeBasis
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.reports import PositionReport
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.trade_accounts import TradeAccounts
from foxtrot.exchange.wire.futu.trade_hours import TradeHours
from foxtrot.exchange.wire.futu.trade_orders import TradeOrders
from foxtrot.exchange.wire.futu.trade_request import KINDS, MARKET, OrderReader, price_units
from foxtrot.exchange.wire.futu.trade_rows import CURRENCIES
from foxtrot.exchange.wire.futu.trade_texts import refused
from foxtrot.exchange.wire.futu.venue_side import FutuAccount, FutuSide

_FUNDS, _POSITIONS, _MOST = 2101, 2102, 2111
_LONG, _SHORT = 0, 1
_MARKET_CURRENCIES: Final = {1: "HKD", 2: "USD", 4: "CNH"}
_ASSETS: Final = {number: asset for asset, number in CURRENCIES.items()}
HKD_OF: Final = {"HKD": Decimal(1), "USD": Decimal("7.8"), "CNH": Decimal("1.1")}
"""What one unit of a currency is in HKD where sums go over several: the middle of the band of the Hong Kong dollar's peg,
and for renminbi, which have no peg, a round rate of our own.

Source: Hong Kong Monetary Authority, Linked Exchange Rate System.
"""
_ZERO: Final = Decimal(0)
_THREE_PLACES: Final = Decimal("0.001")
_SAFE, _LEVEL_1 = 0, 1
_ACC_PART, _MOST_STOCKS = 10**9, 10_000
"""A position id is the last digits of the account id, then the number of the stock."""


class TradeFunds:
    """Answers what an account has and could do.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide, accounts: TradeAccounts, orders: TradeOrders, hours: TradeHours) -> None:
        self._side = side
        self._hours = hours
        self._accounts = accounts
        self._orders = orders
        self._reader = OrderReader(side, hours)

    def funds(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the money: each currency by itself, and sums in the one asked for.

        What can be bought with is the free money of that currency alone: the venue lends nothing and changes nothing.

        Source: Futu OpenAPI documentation, Get Account Funds.
        """
        account = self._accounts.of(c2s.header)
        currency = _ASSETS.get(c2s.currency) or _MARKET_CURRENCIES[c2s.header.trdMarket]
        s2c = new_answer(_FUNDS)
        s2c.header.CopyFrom(c2s.header)
        self._fill_sums(s2c.funds, account, currency)
        balances, values = self._cash(account), self._values(account)
        for asset, (total, locked) in balances.items():
            free = float(total - locked)
            s2c.funds.cashInfoList.add(
                currency=CURRENCIES[asset], cash=float(total), availableBalance=free, netCashPower=free
            )
        for market, asset in _MARKET_CURRENCIES.items():
            if asset not in balances:
                continue
            assets = balances[asset][0] + sum(value for name, value in values if name == asset)
            s2c.funds.marketInfoList.add(trdMarket=market, assets=float(assets))
        return s2c

    def positions(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the stocks that are held.

        Source: Futu OpenAPI documentation, Get Positions.
        """
        account = self._accounts.of(c2s.header)
        s2c = new_answer(_POSITIONS)
        s2c.header.CopyFrom(c2s.header)
        wanted = c2s.filterConditions
        for instrument, held in self._held(account):
            row = self._position_row(account, instrument, held)
            market = self._side.trd_market_of(instrument)
            if wanted.codeList and instrument.symbol not in wanted.codeList:
                continue
            if wanted.filterMarket not in (0, market) or (wanted.idList and row.positionID not in wanted.idList):
                continue
            if _has_ratio(c2s, row.plRatio):
                s2c.positionList.append(row)
        return s2c

    def most(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer how much could be bought and sold, in whole lots.

        Source: Futu OpenAPI documentation, Query the Maximum Quantity that Can be Bought or Sold.

        Raises:
            FutuRefused: there is no such stock or order, or the price is not legal.
        """
        account = self._accounts.of(c2s.header)
        instrument = self._reader.stock(c2s)
        if c2s.orderType not in KINDS:
            raise refused("order_type", order_type=c2s.orderType, market=self._side.trd_market_of(instrument))
        price = price_units(instrument, c2s, c2s.price) if c2s.orderType != MARKET or c2s.price > 0 else 0
        buying, selling = self._held_for(account, instrument, c2s.orderIDEx)
        balances = self._side.venue.balances(account.account)
        total, locked = balances.get(instrument.quote_asset, (_ZERO, _ZERO))
        price = price or self._side.venue.ticker(instrument.instrument_id).mark_price
        s2c = new_answer(_MOST)
        s2c.header.CopyFrom(c2s.header)
        most = s2c.maxTrdQtys
        most.maxCashBuy = most.maxCashAndMarginBuy = self._buyable(instrument, price, total - locked + buying)
        owned, held = balances.get(instrument.base_asset, (_ZERO, _ZERO))
        lots = instrument.round_quantity_units(max(_ZERO, owned - held + selling))
        most.maxPositionSell, most.maxSellShort = instrument.quantity(lots), 0.0
        most.maxBuyBack = float(max(_ZERO, -owned))
        return s2c

    # --- money ------------------------------------------------------------------------------------------------------

    def _cash(self, account: FutuAccount) -> dict[str, tuple[Decimal, Decimal]]:
        """Return (total, held for orders) of every currency."""
        balances = self._side.venue.balances(account.account)
        return {
            asset: balances.get(asset, (_ZERO, _ZERO)) for asset in CURRENCIES if asset != "CNH" or asset in balances
        }

    def _values(self, account: FutuAccount) -> list[tuple[str, Decimal]]:
        """Return currency and value of every stock that is held; short ones are negative."""
        return [
            (instrument.quote_asset, instrument.notional(held.reference_price, held.quantity))
            for instrument, held in self._held(account)
        ]

    def _fill_sums(self, funds: Any, account: FutuAccount, currency: str) -> None:
        balances, values = self._cash(account), self._values(account)
        cash = _sum(((asset, total) for asset, (total, _) in balances.items()), currency)
        frozen = _sum(((asset, locked) for asset, (_, locked) in balances.items()), currency)
        debt = _sum(((asset, max(_ZERO, -total)) for asset, (total, _) in balances.items()), currency)
        held_long = _sum((row for row in values if row[1] > 0), currency)
        held_short = _sum((row for row in values if row[1] < 0), currency)
        own_total, own_locked = balances.get(currency, (_ZERO, _ZERO))
        free = float(max(_ZERO, own_total - own_locked))
        funds.power = funds.netCashPower = free
        funds.totalAssets = funds.securitiesAssets = float(cash + held_long + held_short)
        funds.cash, funds.frozenCash, funds.debtCash = float(cash), float(frozen), float(debt)
        funds.marketVal, funds.longMv, funds.shortMv = (
            float(held_long + held_short),
            float(held_long),
            float(held_short),
        )
        funds.avlWithdrawalCash = funds.maxWithdrawal = free
        funds.maxPowerShort, funds.pendingAsset, funds.currency = 0.0, 0.0, CURRENCIES[currency]
        funds.unrealizedPL = float(self._open_profit(account, currency))
        funds.riskLevel, funds.riskStatus = _SAFE, _LEVEL_1

    def _open_profit(self, account: FutuAccount, currency: str) -> Decimal:
        return _sum(((one.quote_asset, held.unrealised_profit) for one, held in self._held(account)), currency)

    def _buyable(self, instrument: Instrument, price: int, money: Decimal) -> float:
        """Return how many shares money pays for, fees included, in whole lots."""
        if not price or money <= 0:
            return 0.0
        low, high = 0, int(money / (instrument.notional(price, instrument.lot_units))) + 1
        while high - low > 1:
            middle = (low + high) // 2
            fits = self._cost(instrument, price, middle * instrument.lot_units) <= money
            low, high = (middle, high) if fits else (low, middle)
        return instrument.quantity(low * instrument.lot_units)

    def _cost(self, instrument: Instrument, price: int, units: int) -> Decimal:
        """Return what the venue would hold for a buy."""
        schedule, notional = self._side.venue.fees(instrument.instrument_id), instrument.notional(price, units)
        quantity = instrument.quantity_grid.to_decimal(units)
        fees = (schedule.fee(FeeBasis(Side.BUY, liquidity, quantity, notional)) for liquidity in Liquidity)
        return notional + max(_ZERO, *fees)

    def _held_for(self, account: FutuAccount, instrument: Instrument, order_id_ex: str) -> tuple[Decimal, Decimal]:
        """Return what an order that is to be modified holds: money if it buys, stock if it sells."""
        if not order_id_ex:
            return _ZERO, _ZERO
        order = self._orders.named(account, order_id_ex)
        if order is None:
            raise refused("order", order_id=order_id_ex)
        state = self._orders.state(order)
        leaves = state.quantity - state.filled if order.venue_id else 0
        if order.side is Side.BUY:
            return self._cost(instrument, state.price, leaves) if leaves else _ZERO, _ZERO
        return _ZERO, instrument.quantity_grid.to_decimal(leaves)

    # --- positions --------------------------------------------------------------------------------------------------

    def _held(self, account: FutuAccount) -> list[tuple[Instrument, PositionReport]]:
        stocks = {one.instrument_id: one for one in self._side.stocks().values()}
        reports = self._side.venue.positions(account.account)
        return [(stocks[one.instrument_id], one) for one in reports if one.instrument_id in stocks and one.quantity]

    def _position_row(self, account: FutuAccount, instrument: Instrument, held: PositionReport) -> Any:
        quantity = instrument.quantity(abs(held.quantity))
        owned, locked = self._side.venue.balances(account.account).get(instrument.base_asset, (_ZERO, _ZERO))
        price = instrument.price(held.reference_price)
        row = new_answer(_POSITIONS).positionList.add()
        number = list(self._side.stocks().values()).index(instrument)
        row.positionID = account.acc_id % _ACC_PART * _MOST_STOCKS + number + 1
        row.positionSide = _LONG if held.quantity > 0 else _SHORT
        row.code, row.name = instrument.symbol, instrument.name or instrument.symbol
        row.qty, row.canSellQty = quantity, float(max(_ZERO, owned - locked)) if held.quantity > 0 else quantity
        row.price, row.val = price, float(instrument.notional(held.reference_price, held.quantity))
        row.costPrice = row.averageCostPrice = row.dilutedCostPrice = held.average_price
        row.plVal = row.unrealizedPL = float(held.unrealised_profit.quantize(_THREE_PLACES))
        row.realizedPL = float(held.realised_profit)
        if held.average_price:
            change = (price - held.average_price) / held.average_price
            row.plRatio = row.averagePlRatio = change if held.quantity > 0 else -change
        row.secMarket, row.trdMarket = self._side.sec_market_of(instrument), self._side.trd_market_of(instrument)
        row.currency, row.accID = CURRENCIES[instrument.quote_asset], account.acc_id
        self._fill_today(row, account, instrument)
        return row

    def _fill_today(self, row: Any, account: FutuAccount, instrument: Instrument) -> None:
        """Fill in what was bought and sold of a stock today."""
        since_ns = self._hours.day_start_ns(instrument, self._side.now_ns())
        quantities, values = {Side.BUY: 0, Side.SELL: 0}, {Side.BUY: _ZERO, Side.SELL: _ZERO}
        for fill in self._side.venue.fills(account.account):
            if fill.instrument_id == instrument.instrument_id and fill.time_ns >= since_ns:
                quantities[fill.side] += fill.fill_quantity
                values[fill.side] += instrument.notional(fill.fill_price, fill.fill_quantity)
        row.td_buyQty, row.td_buyVal = instrument.quantity(quantities[Side.BUY]), float(values[Side.BUY])
        row.td_sellQty, row.td_sellVal = instrument.quantity(quantities[Side.SELL]), float(values[Side.SELL])
        row.td_trdVal = float(sum(values.values(), _ZERO))


def _sum(rows: Any, currency: str) -> Decimal:
    """Return amounts of several currencies in one."""
    return sum((amount * HKD_OF[asset] / HKD_OF[currency] for asset, amount in rows), _ZERO)


def _has_ratio(c2s: Any, ratio: float) -> bool:
    """Tell whether a profit lies within the bounds; the SDK sends 10 % as 0.1, as it reads plRatio."""
    low = not c2s.HasField("filterPLRatioMin") or ratio >= c2s.filterPLRatioMin
    return low and (not c2s.HasField("filterPLRatioMax") or ratio <= c2s.filterPLRatioMax)
