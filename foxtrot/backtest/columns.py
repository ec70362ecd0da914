"""Market history as numpy columns: bars, trades and quotes, one array per field, oldest row first.

The columns stay columns until a strategy asks for an object. Times are UTC nanoseconds. The arrays are shared, not
copied: whoever holds a column must not write to it.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from foxtrot.domain.errors import InvariantBroken

Int64Column = NDArray[np.int64]
Float64Column = NDArray[np.float64]
Int8Column = NDArray[np.int8]

ColumnTypes = Mapping[str, type[np.generic]]
TableT = TypeVar("TableT", bound=msgspec.Struct)

BUYER_AGGRESSOR = 1
SELLER_AGGRESSOR = -1
UNKNOWN_AGGRESSOR = 0


class BarColumns(msgspec.Struct, frozen=True, eq=False, kw_only=True, gc=False):
    """Bars of one instrument and interval; row i covers [open_time_ns[i], close_time_ns[i]).

    `price_decimals` and `quantity_decimals` are the fewest decimal places that write every price and every volume of
    the input exactly: its smallest decimal step. `warnings` says what the reader had to assume or leave out.
    """

    instrument_id: str
    interval: str
    open_time_ns: Int64Column
    close_time_ns: Int64Column
    open: Float64Column
    high: Float64Column
    low: Float64Column
    close: Float64Column
    volume: Float64Column
    price_decimals: int = 0
    quantity_decimals: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_columns(self, _BAR_TYPES)

    def __len__(self) -> int:
        return len(self.open_time_ns)

    def __getitem__(self, rows: slice) -> "BarColumns":
        """Return the rows of a slice without a step, as views on the same arrays."""
        return _rows_of(self, rows, _BAR_TYPES)


class TradeColumns(msgspec.Struct, frozen=True, eq=False, kw_only=True, gc=False):
    """Public trades of one instrument; `side` is the aggressor: +1 buyer, -1 seller, 0 unknown; `id` the venue's number."""

    instrument_id: str
    time_ns: Int64Column
    price: Float64Column
    size: Float64Column
    side: Int8Column
    id: Int64Column
    price_decimals: int = 0
    quantity_decimals: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_columns(self, _TRADE_TYPES)

    def __len__(self) -> int:
        return len(self.time_ns)

    def __getitem__(self, rows: slice) -> "TradeColumns":
        """Return the rows of a slice without a step, as views on the same arrays."""
        return _rows_of(self, rows, _TRADE_TYPES)


class QuoteColumns(msgspec.Struct, frozen=True, eq=False, kw_only=True, gc=False):
    """Best bid and ask of one instrument over time; a size is 0 where the input has none."""

    instrument_id: str
    time_ns: Int64Column
    bid: Float64Column
    ask: Float64Column
    bid_size: Float64Column
    ask_size: Float64Column
    price_decimals: int = 0
    quantity_decimals: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_columns(self, _QUOTE_TYPES)

    def __len__(self) -> int:
        return len(self.time_ns)

    def __getitem__(self, rows: slice) -> "QuoteColumns":
        """Return the rows of a slice without a step, as views on the same arrays."""
        return _rows_of(self, rows, _QUOTE_TYPES)


_BAR_TYPES: ColumnTypes = {
    **dict.fromkeys(("open_time_ns", "close_time_ns"), np.int64),
    **dict.fromkeys(("open", "high", "low", "close", "volume"), np.float64),
}
_TRADE_TYPES: ColumnTypes = {
    "time_ns": np.int64,
    "price": np.float64,
    "size": np.float64,
    "side": np.int8,
    "id": np.int64,
}
_QUOTE_TYPES: ColumnTypes = {
    "time_ns": np.int64,
    **dict.fromkeys(("bid", "ask", "bid_size", "ask_size"), np.float64),
}


def _check_columns(table: msgspec.Struct, types: ColumnTypes) -> None:
    rows = {len(getattr(table, name)) for name in types}
    if len(rows) != 1:
        raise InvariantBroken(f"{type(table).__name__}: columns of unequal length {sorted(rows)}")
    for name, wanted in types.items():
        column = getattr(table, name)
        if column.dtype != wanted or not column.flags.c_contiguous:
            raise InvariantBroken(f"{type(table).__name__}.{name} must be contiguous {wanted.__name__}: {column.dtype}")


def _rows_of(table: TableT, rows: slice, types: ColumnTypes) -> TableT:
    if rows.step not in (None, 1):
        raise InvariantBroken(f"{type(table).__name__} is sliced without a step, not by {rows.step}")
    return msgspec.structs.replace(table, **{name: getattr(table, name)[rows] for name in types})
