"""What Futu tells of money and holdings, as facts. A figure that a message lacks reads as 0 there, and is asked after first."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from foxtrot.adapter.exact_sums import EXACT, exact_of
from foxtrot.adapter.futu.codec import NAME
from foxtrot.domain.account import BalanceData, PositionData
from foxtrot.domain.enums import PositionSide
from foxtrot.domain.errors import BadMessage

CURRENCIES: Final = {
    1: "HKD", 2: "USD", 3: "CNH", 4: "JPY", 5: "SGD", 6: "AUD", 7: "CAD", 8: "MYR", 9: "NZD",
}  # fmt: skip
"""Source: Trd_Common.proto, Currency."""
SHORT: Final = 1
"""Source: Trd_Common.proto, PositionSide."""
PREFIXES: Final = {1: "HK", 2: "US", 31: "SH", 32: "SZ"}
"""TrdSecMarket → the prefix of codes. Source: Trd_Common.proto, TrdSecMarket."""
ZERO: Final = Decimal(0)
LARGEST: Final = 1e18
Money = dict[str, tuple[Decimal, Decimal]]
"""Total and locked by currency."""


def money_of(funds: Any, asked: str) -> Money:
    """Return total and locked of each currency of an account; without a list of currencies, of the one that was asked for.

    What is locked is what cannot be withdrawn: it is bound by orders, or not settled.

    Source: Trd_Common.proto, Funds and AccCashInfo; Futu OpenAPI, trade, Get Account Funds.

    Raises:
        BadMessage: a figure cannot be.
    """
    named = [(CURRENCIES.get(row.currency, ""), row) for row in funds.cashInfoList]
    found: Money = {}
    for currency, row in named:
        if not currency:
            continue
        total = _amount(row.cash, "cash")
        known = row.HasField("availableBalance")
        found[currency] = total, _locked(total, _amount(row.availableBalance, "availableBalance")) if known else ZERO
    if found:
        return found
    total = _amount(funds.cash, "cash")
    currency = CURRENCIES.get(funds.currency, "") or asked
    return {currency: (total, min(max(_amount(funds.frozenCash, "frozenCash"), ZERO), max(total, ZERO)))}


def balances_of(monies: Iterable[Money], account: str, now_ns: int) -> tuple[BalanceData, ...]:
    """Return the balances of one or several accounts at Futu that are one account here.

    Source: Futu OpenAPI, trade, Get Account Funds.
    """
    sums: Money = {}
    for money in monies:
        for asset, (total, locked) in money.items():
            before = sums.get(asset, (ZERO, ZERO))
            sums[asset] = EXACT.add(before[0], total), EXACT.add(before[1], locked)
    return tuple(
        BalanceData(account, asset, total, EXACT.subtract(total, locked), locked, now_ns, now_ns)
        for asset, (total, locked) in sorted(sums.items())
    )


def code_of_position(position: Any) -> str:
    """Return the SDK's code of what is held.

    Source: Trd_Common.proto, Position (secMarket, code).
    """
    return f"{PREFIXES.get(position.secMarket, 'N/A')}.{position.code}"


def position_data(position: Any, account: str, instrument_id: str, now_ns: int) -> PositionData:
    """Return one holding; a short one has a negative quantity.

    Its price is the average that it was bought at where Futu has that, or else the one lowered by what was realised. Futu's profit of a
    stock is against that price.

    Source: Trd_Common.proto, Position (averageCostPrice, dilutedCostPrice, costPrice).

    Raises:
        BadMessage: a figure cannot be.
    """
    quantity = _amount(abs(position.qty), "qty")
    signed = -quantity if position.positionSide == SHORT or position.qty < 0 else quantity
    cost = next((value for value in _costs(position) if value is not None), 0.0)
    realised = _amount(position.realizedPL, "realizedPL") if position.HasField("realizedPL") else ZERO
    unrealised = position.unrealizedPL if position.HasField("unrealizedPL") else position.plVal
    return PositionData(
        account, instrument_id, PositionSide.NET, float(signed), float(_amount(cost, "cost")) if quantity else 0.0,
        _amount(unrealised, "plVal"), realised, now_ns, now_ns,
    )  # fmt: skip


def _costs(position: Any) -> tuple[float | None, ...]:
    names = ("averageCostPrice", "dilutedCostPrice", "costPrice")
    return tuple(getattr(position, name) if position.HasField(name) else None for name in names)


def _locked(total: Decimal, available: Decimal) -> Decimal:
    return max(EXACT.subtract(total, available), ZERO) if total > 0 else ZERO


def _amount(value: float, name: str) -> Decimal:
    if not -LARGEST < value < LARGEST:
        raise BadMessage(NAME, name, f"{name} {value!r} is no possible amount")
    return exact_of(value)
