"""What an account is worth and what margin it needs, in its base currency: by positions, and with one order on top."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.exchange.listings import REFERENCE_PRICES
from foxtrot.exchange.reports import PositionReport
from foxtrot.exchange.wire.ib.holdings import Holdings
from foxtrot.exchange.wire.ib.ib_contract import CASH, FUT, OPT, STK
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbContract, IbSide

BASE: Final = "USD"
_ZERO: Final = Decimal(0)
HKD_OF_USD: Final = Decimal("7.8")
"""What a US dollar is in Hong Kong dollars where no pair tells it: the middle of the band of the peg.

Source: Hong Kong Monetary Authority, Linked Exchange Rate System.
"""
STOCK_INITIAL: Final = Decimal("0.5")
LONG_MAINTENANCE: Final = Decimal("0.25")
SHORT_MAINTENANCE: Final = Decimal("0.3")
"""Rates of a stock's value. Source: Federal Reserve Regulation T; FINRA rule 4210."""
CASH_RATE: Final = Decimal("0.03")
"""Rate of a currency position's value. Source: IB's margin for major pairs, rounded up to one figure."""
OPTION_RATE: Final = Decimal("0.2")
"""Of the underlying's value, beside the option's own. Source: Cboe Margin Manual, short uncovered equity options."""
LEVERAGE: Final = Decimal(2)
"""How much can be bought with one of available funds. Source: Federal Reserve Regulation T."""


class HeldPosition(msgspec.Struct, frozen=True):
    """A position as the account has it: quantities in shares or contracts, money in the contract's currency."""

    contract: IbContract
    quantity: Decimal
    price: Decimal
    value: Decimal
    average: Decimal
    unrealised: Decimal
    realised: Decimal
    open_profit: Decimal
    """What the venue would pay: without commissions, which are paid already."""


class Figures(msgspec.Struct, frozen=True):
    """An account in its base currency."""

    cash: Decimal
    net_liquidation: Decimal
    equity: Decimal
    initial: Decimal
    maintenance: Decimal
    stock_value: Decimal
    option_value: Decimal
    gross: Decimal
    unrealised: Decimal
    realised: Decimal

    @property
    def available(self) -> Decimal:
        """Return what is not needed as initial margin.

        Source: TWS API documentation, Account Value Keys: AvailableFunds.
        """
        return self.equity - self.initial

    @property
    def excess(self) -> Decimal:
        """Return what is not needed as maintenance margin.

        Source: TWS API documentation, Account Value Keys: ExcessLiquidity.
        """
        return self.equity - self.maintenance

    @property
    def buying_power(self) -> Decimal:
        """Return how much could be bought.

        Source: TWS API documentation, Account Value Keys: BuyingPower.
        """
        return max(_ZERO, self.available) * LEVERAGE


class AccountBooks:
    """Reads accounts of the venue as IB's clients see them.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide) -> None:
        self._side = side
        self.holdings = Holdings(side.venue, side.contracts.of_instrument)

    def rate(self, currency: str) -> Decimal:
        """Return what one unit of a currency is in the base currency, 0 where nothing tells it.

        Source: TWS API documentation, Account Value Keys: ExchangeRate.
        """
        if currency == BASE:
            return Decimal(1)
        for contract in self._side.contracts.all():
            if contract.sec_type != CASH or {contract.symbol, contract.currency} != {currency, BASE}:
                continue
            mark = self._side.venue.ticker(contract.instrument_id).mark_price
            opening = REFERENCE_PRICES.get(contract.instrument_id, _ZERO)
            # Before its first trade a pair is worth what its market opens at: money in it is no profit of the day later on.
            price = contract.instrument.price_grid.to_decimal(mark) if mark else opening
            if price:
                return price if contract.symbol == currency else 1 / price
        return 1 / HKD_OF_USD if currency == "HKD" else _ZERO

    def cash(self, account: IbAccount) -> dict[str, Decimal]:
        """Return the money of an account, by currency.

        Source: TWS API documentation, Account Value Keys: CashBalance.
        """
        contracts = self._side.contracts.all()
        currencies = {one.currency for one in contracts} | {one.symbol for one in contracts if one.sec_type == CASH}
        balances = self._side.venue.balances(account.account)
        return {name: total for name, (total, _) in balances.items() if name in currencies or name == BASE}

    def positions(self, account: IbAccount) -> list[HeldPosition]:
        """Return the positions of an account, those that are flat again included.

        Source: TWS API documentation, updatePortfolio.
        """
        rows = []
        for report in self._side.venue.positions(account.account):
            contract = self._side.contracts.of_instrument(report.instrument_id)
            if contract is not None:
                rows.append(self._holding(contract, report))
        return rows

    def figures(self, account: IbAccount) -> Figures:
        """Return an account as it stands.

        Source: TWS API documentation, Account Value Keys.
        """
        rows = self.positions(account)
        cash = sum((amount * self.rate(name) for name, amount in self.cash(account).items()), _ZERO)
        stocks, options = self._sum(rows, STK), self._sum(rows, OPT)
        futures = self._sum_of((row.open_profit, row) for row in rows if row.contract.sec_type == FUT)
        margins = [self.margins(row.contract, row.quantity, row.price) for row in rows]
        return Figures(
            cash=cash,
            net_liquidation=cash + stocks + options + futures,
            equity=cash + stocks + futures,
            initial=sum((one for one, _ in margins), _ZERO),
            maintenance=sum((one for _, one in margins), _ZERO),
            stock_value=stocks,
            option_value=options,
            gross=self._sum_of((abs(row.value), row) for row in rows if row.contract.sec_type in (STK, OPT)),
            unrealised=self._sum_of((row.unrealised, row) for row in rows),
            realised=self._sum_of((row.realised, row) for row in rows),
        )

    def margins(self, contract: IbContract, quantity: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
        """Return initial and maintenance margin of a position of a contract, in the base currency.

        Source: TWS API documentation, Account Value Keys: InitMarginReq, MaintMarginReq; the rates say theirs.
        """
        value = abs(quantity) * price * contract.instrument.multiplier * self.rate(contract.currency)
        if contract.sec_type == STK:
            return value * STOCK_INITIAL, value * (LONG_MAINTENANCE if quantity > 0 else SHORT_MAINTENANCE)
        if contract.sec_type == CASH:
            return value * CASH_RATE, value * CASH_RATE
        if contract.sec_type == OPT:
            margin = _ZERO if quantity >= 0 else value + OPTION_RATE * self._underlying_value(contract, quantity)
            return margin, margin
        initial, maintenance = self._side.venue.margin_rates(contract.instrument_id)
        return value * initial, value * maintenance

    def mark(self, contract: IbContract) -> Decimal:
        """Return the price at which a contract is valued, 0 before the first.

        Source: TWS API documentation, updatePortfolio: marketPrice.
        """
        return contract.instrument.price_grid.to_decimal(self._side.venue.ticker(contract.instrument_id).mark_price)

    def _holding(self, contract: IbContract, report: PositionReport) -> HeldPosition:
        instrument = contract.instrument
        quantity = instrument.quantity_grid.to_decimal(report.quantity)
        price = instrument.price_grid.to_decimal(report.reference_price)
        own = self.holdings.of(report.account, report.instrument_id)
        average = own.average
        if own.quantity != quantity:  # the venue has forgotten the fills of it, or moved it without any
            average = round(Decimal(str(report.average_price)), 8) * instrument.multiplier
        value = quantity * price * instrument.multiplier
        unrealised = value - quantity * average if quantity and price else _ZERO
        return HeldPosition(
            contract, quantity, price, value, average, unrealised, own.realised, report.unrealised_profit
        )

    def _sum(self, rows: list[HeldPosition], kind: str) -> Decimal:
        return self._sum_of((row.value, row) for row in rows if row.contract.sec_type == kind)

    def _sum_of(self, parts: Iterable[tuple[Decimal, HeldPosition]]) -> Decimal:
        """Return amounts of positions in the base currency."""
        return sum((amount * self.rate(row.contract.currency) for amount, row in parts), _ZERO)

    def _underlying_value(self, contract: IbContract, quantity: Decimal) -> Decimal:
        underlying = self._side.contracts.of_instrument(contract.instrument.underlying)
        price = self.mark(underlying) if underlying is not None else contract.instrument.strike
        return abs(quantity) * price * contract.instrument.multiplier * self.rate(contract.currency)
