"""An account as rows of key, value and currency, the way TWS tells it."""

from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.account_figures import BASE, AccountBooks, Figures, HeldPosition
from foxtrot.exchange.wire.ib.ib_contract import FUT, OPT, STK
from foxtrot.exchange.wire.ib.venue_side import IbAccount

ALL_CURRENCIES: Final = "BASE"
LEDGER: Final = "$LEDGER"
_ZERO: Final = Decimal(0)
_CENT: Final = Decimal("0.01")
_PLACES: Final = Decimal("0.0001")
_ACCOUNT_TYPE: Final = "INDIVIDUAL"
_DAY_TRADES: Final = ("DayTradesRemaining", *(f"DayTradesRemainingT+{day}" for day in range(1, 5)))


class ValueRow(msgspec.Struct, frozen=True):
    """One figure of an account; `currency` is "" where it is no money."""

    key: str
    value: str
    currency: str = ""


class AccountValues:
    """Makes the rows.

    Thread: exchange-io.
    """

    def __init__(self, books: AccountBooks) -> None:
        self._books = books

    def totals(self, account: IbAccount) -> list[ValueRow]:
        """Return the figures of a whole account, in its base currency.

        Source: TWS API documentation, Account Summary Tags.
        """
        figures = self._books.figures(account)
        rows = [
            ValueRow("AccountCode", account.account_id),
            ValueRow("AccountReady", "true"),
            ValueRow("AccountType", _ACCOUNT_TYPE),
            ValueRow("Cushion", _ratio(figures.excess, figures.net_liquidation)),
            ValueRow("DayTradesRemaining", "-1"),
            *(ValueRow(name, "-1") for name in _DAY_TRADES[1:]),
            ValueRow("HighestSeverity", "0"),
            ValueRow("Leverage", _ratio(figures.gross, figures.net_liquidation)),
            ValueRow("LookAheadNextChange", "0"),
        ]
        return rows + [ValueRow(key, money(value), BASE) for key, value in _money(figures).items()]

    def ledger(self, account: IbAccount) -> list[ValueRow]:
        """Return the figures of each currency of an account, then those of all in the base currency.

        Source: TWS API documentation, Account Value Keys: CashBalance and those beside it.
        """
        cash, held = self._books.cash(account), self._books.positions(account)
        sums: dict[str, Decimal] = {}
        rows = []
        for currency in sorted({*cash, *(row.contract.currency for row in held), BASE}):
            of_currency = [row for row in held if row.contract.currency == currency]
            figures, rate = _ledger(cash.get(currency, _ZERO), of_currency), self._books.rate(currency)
            for key, value in figures.items():
                sums[key] = sums.get(key, _ZERO) + value * rate
            rows += _ledger_rows(currency, figures, rate)
        return rows + _ledger_rows(ALL_CURRENCIES, sums, Decimal(1))


def money(value: Decimal) -> str:
    """Return an amount to the cent.

    Source: seen with ibapi 9.81.
    """
    return format(value.quantize(_CENT), "f")


def _money(figures: Figures) -> dict[str, Decimal]:
    return {
        "AccruedCash": _ZERO,
        "AvailableFunds": figures.available,
        "BuyingPower": figures.buying_power,
        "EquityWithLoanValue": figures.equity,
        "ExcessLiquidity": figures.excess,
        "FullAvailableFunds": figures.available,
        "FullExcessLiquidity": figures.excess,
        "FullInitMarginReq": figures.initial,
        "FullMaintMarginReq": figures.maintenance,
        "GrossPositionValue": figures.gross,
        "InitMarginReq": figures.initial,
        "LookAheadAvailableFunds": figures.available,
        "LookAheadExcessLiquidity": figures.excess,
        "LookAheadInitMarginReq": figures.initial,
        "LookAheadMaintMarginReq": figures.maintenance,
        "MaintMarginReq": figures.maintenance,
        "NetLiquidation": figures.net_liquidation,
        "PreviousDayEquityWithLoanValue": figures.equity,
        "RegTEquity": figures.equity,
        "RegTMargin": figures.initial,
        "SMA": max(_ZERO, figures.available),
        "SettledCash": figures.cash,
        "TotalCashValue": figures.cash,
    }


def _ledger(cash: Decimal, rows: list[HeldPosition]) -> dict[str, Decimal]:
    def value(kind: str) -> Decimal:
        return sum((row.value for row in rows if row.contract.sec_type == kind), _ZERO)

    futures = sum((row.open_profit for row in rows if row.contract.sec_type == FUT), _ZERO)
    return {
        "CashBalance": cash,
        "TotalCashBalance": cash,
        "AccruedCash": _ZERO,
        "StockMarketValue": value(STK),
        "OptionMarketValue": value(OPT),
        "FuturesPNL": futures,
        "NetLiquidationByCurrency": cash + value(STK) + value(OPT) + futures,
        "UnrealizedPnL": sum((row.unrealised for row in rows), _ZERO),
        "RealizedPnL": sum((row.realised for row in rows), _ZERO),
    }


def _ledger_rows(currency: str, figures: dict[str, Decimal], rate: Decimal) -> list[ValueRow]:
    rows = [ValueRow("Currency", currency, currency)]
    rows += [ValueRow(key, money(value), currency) for key, value in figures.items()]
    return [*rows, ValueRow("ExchangeRate", format(rate.quantize(_PLACES), "f"), currency)]


def _ratio(part: Decimal, whole: Decimal) -> str:
    return format((part / whole).quantize(_PLACES), "f") if whole else "0"
