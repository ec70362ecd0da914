"""Facts about accounts: balances and positions. Balances are Decimal, sizes and prices float."""

from decimal import Decimal

import msgspec

from foxtrot.domain.enums import PositionSide

EXTERNAL = "EXTERNAL"
"""The owner of whatever an account holds that no strategy of ours traded."""
PEOPLE = frozenset({EXTERNAL, "manual"})
"""Owners that are no strategies: a kill that flattens closes what they hold only when everything is to be closed."""


class BalanceData(msgspec.Struct, frozen=True, gc=False):
    """One asset of one account: total = free + locked."""

    account: str
    asset: str
    total: Decimal
    free: Decimal
    locked: Decimal
    venue_time_ns: int
    local_time_ns: int


class AccountData(msgspec.Struct, frozen=True, gc=False):
    """All balances of one account at one moment; margin figures are zero on a cash account.

    `step` is what a venue rounds the balances to that it tells; 0 where they are exact.
    """

    account: str
    balances: tuple[BalanceData, ...]
    venue_time_ns: int
    local_time_ns: int
    margin_used: Decimal = Decimal(0)
    margin_available: Decimal = Decimal(0)
    step: Decimal = Decimal(0)


class PositionData(msgspec.Struct, frozen=True, gc=False):
    """One position; `quantity` is signed (negative is short), `average_price` is 0.0 when flat."""

    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: float
    average_price: float
    unrealised_profit: Decimal
    realised_profit: Decimal
    venue_time_ns: int
    local_time_ns: int
    liquidation_price: float = 0.0


COMMISSION = "commission"
"""Kind of the charge of a fill that was told without its fee; its id begins with the fill's."""


class AccountCharge(msgspec.Struct, frozen=True, gc=False):
    """Money that moved without a trade: funding, deposit, transfer, dividend, liquidation fee (`kind`)."""

    account: str
    kind: str
    asset: str
    amount: Decimal
    instrument_id: str
    charge_id: str
    venue_time_ns: int
    local_time_ns: int
