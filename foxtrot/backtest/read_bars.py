"""Bars from a file or a data frame, checked row by row; every fault is one line that names its place and the fix."""

import importlib
from pathlib import Path

import msgspec
import numpy as np

from foxtrot.backtest.column_names import TIME_NAMES, Role, choose_columns
from foxtrot.backtest.columns import BarColumns, Float64Column, Int64Column
from foxtrot.backtest.delimited import DelimitedTable
from foxtrot.backtest.frame_table import DataFrameLike, FrameTable
from foxtrot.backtest.input_file import InputText, read_input
from foxtrot.backtest.number_values import decimals_of, read_numbers, rounded
from foxtrot.backtest.row_order import in_time_order
from foxtrot.backtest.table import RowTable, Table
from foxtrot.backtest.time_values import read_times
from foxtrot.domain.errors import InputError
from foxtrot.domain.interval import SECOND_NS, Interval, IntervalKind

ROLES = (
    Role("time", TIME_NAMES),
    Role("open", ("open", "o")),
    Role("high", ("high", "h")),
    Role("low", ("low", "l")),
    Role("close", ("close", "c")),
    Role("volume", ("volume", "vol", "v"), required=False),
)
KLINE_WIDTH = 12
"""Columns of a Binance kline: open time, OHLC, volume, close time, quote volume, count, taker volumes, ignore.

Source: github.com/binance/binance-public-data, README, Klines.
"""

_PRICES = ("open", "high", "low", "close")
_UNITS = (
    (IntervalKind.WEEK, 604_800 * SECOND_NS),
    (IntervalKind.DAY, 86_400 * SECOND_NS),
    (IntervalKind.HOUR, 3_600 * SECOND_NS),
    (IntervalKind.MINUTE, 60 * SECOND_NS),
    (IntervalKind.SECOND, SECOND_NS),
)
_FIX = "correct or remove the line"


def read_bars(path: Path, instrument_id: str = "") -> BarColumns:
    """Read bars from CSV, CSV.gz, a zip with one CSV, JSON or JSON.gz ([[time, o, h, l, c, v], …]), or Parquet.

    A CSV has a header (names in any case; extra columns are ignored, volume may be absent), or none and the order time,
    open, high, low, close[, volume] or that of a Binance kline. The interval is the most common step between rows.

    Blocks: for the disk.

    Raises:
        InputError: the file cannot be read, or holds something that is no sound row of bars.
    """
    if path.suffix.lower() == ".parquet":
        return bars_from_frame(_read_parquet(path), instrument_id, source=path.name)
    text = read_input(path)
    table = _json_table(text) if text.format == "json" else DelimitedTable(text.source, text.data)
    return _bars_of(table, instrument_id)


def bars_from_frame(frame: DataFrameLike, instrument_id: str = "", *, source: str = "DataFrame") -> BarColumns:
    """Return the bars of a pandas or polars DataFrame with a time column, or with a DatetimeIndex.

    Raises:
        InputError: a column is missing or ambiguous, or a row is not a sound bar.
    """
    if not len(frame):
        raise InputError(f"{source} has no rows; name one with data")
    return _bars_of(FrameTable(source, frame), instrument_id)


def _read_parquet(path: Path) -> DataFrameLike:
    if not path.is_file():
        raise InputError(f"{path} does not exist; check the path")
    try:
        frame: DataFrameLike = importlib.import_module("pandas").read_parquet(path)
    except ImportError:
        raise InputError(f"{path.name}: Parquet needs pandas and pyarrow; pip install both, or use CSV") from None
    except (ValueError, OSError) as error:
        raise InputError(
            f"{path.name} is not a sound Parquet file ({str(error).splitlines()[0]}); write it anew"
        ) from None
    return frame


def _json_table(text: InputText) -> RowTable:
    try:
        rows = msgspec.json.decode(text.data, type=list[list[object]])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{text.source} is not JSON of the form [[time, open, high, low, close, volume], …]: {error}"
        ) from None
    if not rows or not rows[0]:
        raise InputError(f"{text.source} holds no rows; name a file with data")
    return RowTable(text.source, rows)


def _columns_of(table: Table) -> tuple[dict[str, int], tuple[str, ...]]:
    if table.names:
        return choose_columns(table.source, table.names, ROLES)
    if table.width not in (5, 6, KLINE_WIDTH):
        raise InputError(
            f"{table.source} has no header and {table.width} columns; add a header line, or use time, open, high, low, "
            f"close, volume or the {KLINE_WIDTH} columns of a Binance kline"
        )
    columns = {role.name: index for index, role in enumerate(ROLES[: table.width])}
    kind = "a Binance kline" if table.width == KLINE_WIDTH else ", ".join(columns)
    return columns, (() if isinstance(table, RowTable) else (f"no header: columns taken as {kind}",))


def _bars_of(table: Table, instrument_id: str) -> BarColumns:
    columns, notes = _columns_of(table)
    times, assumed_utc = read_times(table, columns["time"])
    prices = [read_numbers(table, columns[name], name, above_zero=True) for name in _PRICES]
    volume = _volume_of(table, columns)
    _check_shape(table, prices)
    rows, order_notes = in_time_order(table, times, strict=True)
    opens = np.ascontiguousarray(times[rows])
    interval, closes, interval_notes = _closes_of(table, opens)
    notes += ("times without an offset are read as UTC",) * assumed_utc
    notes += ("no volume column: volume is 0",) * ("volume" not in columns)
    price_decimals, quantity_decimals = decimals_of(*prices), decimals_of(volume)
    open_, high, low, close = (rounded(column[rows], price_decimals) for column in prices)
    return BarColumns(
        instrument_id=instrument_id,
        interval=interval,
        open_time_ns=opens,
        close_time_ns=closes,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=rounded(volume[rows], quantity_decimals),
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        warnings=notes + order_notes + interval_notes,
    )


def _volume_of(table: Table, columns: dict[str, int]) -> Float64Column:
    if "volume" not in columns:
        return np.zeros(len(table))
    return read_numbers(table, columns["volume"], "volume", above_zero=False)


def _check_shape(table: Table, prices: list[Float64Column]) -> None:
    open_, high, low, close = prices
    for wrong, complaint in (
        (high < low, "high {1} is below low {2}"),
        ((open_ > high) | (open_ < low), "open {0} is outside low {2} to high {1}"),
        ((close > high) | (close < low), "close {3} is outside low {2} to high {1}"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise table.refusal(row, complaint.format(*(float(column[row]) for column in prices)), _FIX)


def _closes_of(table: Table, opens: Int64Column) -> tuple[str, Int64Column, tuple[str, ...]]:
    """Return the interval (the most common step), the close times, and notes on longer and shorter steps."""
    if len(opens) < 2:
        raise InputError(f"{table.source} has one bar; at least two are needed to find the interval")
    steps = np.diff(opens)
    values, counts = np.unique(steps, return_counts=True)
    step = int(values[np.argmax(counts)])
    text = _interval_text(table, step)
    longer, shorter = int((steps > step).sum()), int((steps < step).sum())
    closes = opens + step
    closes[:-1] = np.minimum(closes[:-1], opens[1:])
    notes = (f"{longer} steps are longer than {text}: no bars are made up for them",) * (longer > 0)
    notes += (f"{shorter} steps are shorter than {text}: those bars close when the next one opens",) * (shorter > 0)
    return text, closes, notes


def _interval_text(table: Table, step_ns: int) -> str:
    for kind, unit in _UNITS:
        if step_ns % unit == 0:
            return Interval.of(kind, step_ns // unit).text
    raise InputError(f"{table.source}: the bars are {step_ns} ns apart; the step must be whole seconds")
