"""Rows of bar columns as Python numbers, some thousands at a time."""

from collections.abc import Iterator

from foxtrot.backtest.columns import BarColumns

CHUNK = 8_192
Row = tuple[int, int, float, float, float, float, float]
"""(open time, close time, open, high, low, close, volume)"""


def chunks(columns: BarColumns, first: int) -> Iterator[list[Row]]:
    """Yield rows from `first` on in lists, so that memory stays that of the columns."""
    for start in range(first, len(columns), CHUNK):
        part = slice(start, start + CHUNK)
        yield list(
            zip(
                columns.open_time_ns[part].tolist(), columns.close_time_ns[part].tolist(), columns.open[part].tolist(),
                columns.high[part].tolist(), columns.low[part].tolist(), columns.close[part].tolist(),
                columns.volume[part].tolist(), strict=True,
            )
        )  # fmt: skip
