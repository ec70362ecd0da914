"""What IB tells of money and positions, as facts."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from foxtrot.adapter.ib.figures import figure
from foxtrot.domain.account import AccountData, BalanceData, PositionData
from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.instrument import Instrument

ZERO: Final = Decimal(0)
BASE: Final = "BASE"
"""Under this currency IB tells sums over all currencies. Source: TWS API, EWrapper.updateAccountValue (currency)."""
CASH_STEP: Final = Decimal("0.01")
"""What cash is rounded to where it is told, though commissions are not.

Source: TWS API, EWrapper.updateAccountValue (CashBalance).
"""
CASH_KEYS: Final = ("CashBalance", "TotalCashBalance")
"""The first that is told counts. Source: TWS API, EWrapper.updateAccountValue (key)."""
MARGIN_USED: Final = "InitMarginReq"
MARGIN_LEFT: Final = "AvailableFunds"
NET_WORTH: Final = "NetLiquidation"


class AccountValue(msgspec.Struct, frozen=True):
    """One value of one account as IB tells it: a key, its text, and its currency."""

    account: str
    key: str
    text: str
    currency: str


def cash_of(values: Iterable[AccountValue]) -> dict[str, Decimal]:
    """Return what an account has of each currency; a loan is below 0.

    Source: TWS API, EWrapper.updateAccountValue; a row of the base currency's sum is not a currency.

    Raises:
        BadMessage: a figure cannot be.
    """
    rows = list(values)
    for key in CASH_KEYS:
        found = {row.currency: figure(row.text, row.key) or ZERO for row in rows if row.key == key and row.currency}
        found.pop(BASE, None)
        if found:
            return found
    return {}


def margin_of(values: Iterable[AccountValue]) -> tuple[Decimal, Decimal]:
    """Return the margin that is used and what is left, in the account's base currency.

    Source: TWS API, EWrapper.updateAccountValue (InitMarginReq, AvailableFunds).

    Raises:
        BadMessage: a figure cannot be.
    """
    found = {row.key: figure(row.text, row.key) or ZERO for row in values if row.key in (MARGIN_USED, MARGIN_LEFT)}
    return found.get(MARGIN_USED, ZERO), found.get(MARGIN_LEFT, ZERO)


def account_data(values: Iterable[AccountValue], account: str, known: frozenset[str], now_ns: int) -> AccountData:
    """Return an account as a fact. IB does not say how much of the cash is bound by orders: margin_available says what is left.

    Args:
        values: what was told of it.
        account: its name here.
        known: currencies that were told before, which are told again though nothing is left.
        now_ns: UTC ns.

    Source: TWS API, EWrapper.updateAccountValue.

    Raises:
        BadMessage: a figure cannot be.
    """
    rows = list(values)
    cash, (used, left) = cash_of(rows), margin_of(rows)
    balances = tuple(
        BalanceData(account, currency, total, total, ZERO, now_ns, now_ns)
        for currency, total in sorted(cash.items())
        if total or currency in known
    )
    return AccountData(account, balances, now_ns, now_ns, used, left, CASH_STEP)


def position_data(
    quantity: Any, average_cost: Any, account: str, instrument: Instrument, now_ns: int
) -> PositionData | None:
    """Return one position; None for one of two currencies, which IB tells as a sum of trades: their balances are the truth.

    IB's average cost of a contract includes the multiplier and what was charged; here it is a price.

    Source: TWS API, EWrapper.position (avgCost).

    Raises:
        BadMessage: a figure cannot be.
    """
    if instrument.product is Product.FOREX:
        return None
    held = figure(quantity, "position") or ZERO
    cost = figure(average_cost, "avgCost") or ZERO
    price = float(cost / instrument.multiplier) if held else 0.0
    return PositionData(
        account, instrument.instrument_id, PositionSide.NET, float(held), price, ZERO, ZERO, now_ns, now_ns
    )
