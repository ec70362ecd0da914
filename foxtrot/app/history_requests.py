"""What a desktop asks about money over all runs of a platform, and what it is answered: every amount exact, each asset apart."""

from decimal import Decimal
from typing import Annotated

import msgspec

from foxtrot.app.control_requests import Request

Seen = Annotated[int, msgspec.Meta(ge=0)]


class ListHistory(Request, frozen=True, tag="history"):
    """What was made and moved in all runs, a page at a time: days that changed after the `days`th change, lines of the ledger after the `lines`th."""

    days: Seen = 0
    lines: Seen = 0


class DayTotals(msgspec.Struct, frozen=True):
    """What an owner made of an instrument in a trading day, by asset: realised before fees, fees paid, funding and other charges received.

    `change` counts up over all rows: a row with a higher one is newer.
    """

    day_ns: int
    owner: str
    account: str
    instrument_id: str
    realised: dict[str, Decimal]
    fees: dict[str, Decimal]
    funding: dict[str, Decimal]
    fills: int
    change: int


class CostTotal(msgspec.Struct, frozen=True):
    """What came (above 0) and went of one kind, and how often."""

    kind: str
    account: str
    asset: str
    amount: Decimal
    count: int


class CashLine(msgspec.Struct, frozen=True):
    """One line of the cash ledger; those of an account and an asset sum to its balance. `number` counts them from 1."""

    number: int
    time_ns: int
    account: str
    kind: str
    instrument_id: str
    asset: str
    amount: Decimal
    reference: str


class HistoryFound(msgspec.Struct, frozen=True):
    """The answer to ListHistory: a page of what is new, and how far it goes.

    `rates` has what one unit of each asset is worth in the base currency now, None where that is not known. `first_line` is the oldest
    line that is kept. `reading`: not all of the journal is read yet. `error` says why it cannot be read.
    """

    base_currency: str
    days: tuple[DayTotals, ...]
    lines: tuple[CashLine, ...]
    costs: tuple[CostTotal, ...]
    rates: dict[str, Decimal | None]
    changes: int
    line_count: int
    first_line: int
    reading: bool
    error: str = ""
