"""What the tables of a desktop ask for beside orders, positions and fills: what protects positions, and what was earned, paid and charged."""

from decimal import Decimal
from typing import Annotated

import msgspec

from foxtrot.app.control_requests import Filter, Request

Since = Annotated[int, msgspec.Meta(ge=0)]


class ListProtections(Filter, frozen=True, tag="protections"):
    """What protects each position: every stop, take-profit and trailing stop, and positions that have none."""


class ListPerformance(Request, frozen=True, tag="performance"):
    """What was made: by position over all runs, by day of this run, over time after `since_ns`."""

    since_ns: Since = 0


class ListWorth(Request, frozen=True, tag="worth"):
    """What one unit of each asset that an account holds is worth in the base currency."""


class ProtectionLeg(msgspec.Struct, frozen=True):
    """One leg of what protects a position.

    `kind` is stop, take_profit, trailing, or "" of a position without any. `level` is the price at which it acts, 0.0 where it is not
    known yet; `offset` that of a trailing stop. `where` is "venue" (it rests there), "sent" (on its way), "here" (it is watched by this
    process), "waits" (its position is not there yet) or "" (nothing). `covers` is the quantity that it closes, `held` that of the
    position, with a sign. `kept` is False for a stop that somebody placed as an order of its own, which follows no position.
    """

    owner: str
    account: str
    instrument_id: str
    position_side: str
    kind: str
    level: float
    offset: float
    where: str
    covers: float
    held: float
    order_id: str
    protection: str
    remark: str
    kept: bool = True


class ProtectionLegs(msgspec.Struct, frozen=True):
    """The answer to ListProtections."""

    legs: tuple[ProtectionLeg, ...]


class ProfitRow(msgspec.Struct, frozen=True):
    """What a position has made in the base currency after fees, None without a price or a rate, and what was paid, by asset.

    `funding` counts what was received, negative what was paid.
    """

    owner: str
    account: str
    instrument_id: str
    position_side: str
    quantity: float
    profit: Decimal | None
    fees: dict[str, Decimal]
    funding: dict[str, Decimal]
    fills: int


class DayProfit(msgspec.Struct, frozen=True):
    """What an owner, or "" all accounts together, has made in a trading day of this run, in the base currency."""

    day_ns: int
    owner: str
    profit: Decimal


class ProfitPoint(msgspec.Struct, frozen=True):
    """What was made up to a moment, since the first fill that is known, in the base currency."""

    time_ns: int
    profit: Decimal


class PerformanceFound(msgspec.Struct, frozen=True):
    """The answer to ListPerformance."""

    base_currency: str
    rows: tuple[ProfitRow, ...]
    days: tuple[DayProfit, ...]
    points: tuple[ProfitPoint, ...]


class WorthFound(msgspec.Struct, frozen=True):
    """The answer to ListWorth; None where a rate is missing."""

    base_currency: str
    worth: dict[str, Decimal | None]
