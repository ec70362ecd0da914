"""What a backtest did, moment by moment, as a JSON file that another program draws: equity, fall, months, fills, round trips."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from foxtrot.backtest.columns import BarColumns, Float64Column, Int64Column
from foxtrot.backtest.report.thinning import drawdowns, merged_candles, points_to_keep
from foxtrot.backtest.result import BacktestResult
from foxtrot.backtest.round_trips import Fill, RoundTrip, match_round_trips
from foxtrot.domain.errors import ConfigError

MOST_FILLS: Final = 20_000
MOST_DECIMALS: Final = 10
SECOND_NS: Final = 1_000_000_000


class MonthReturn(msgspec.Struct, frozen=True):
    """What one month of UTC returned, as a fraction of the equity at its beginning; None where that was 0 or less."""

    year: int
    month: int
    value: float | None


class PriceHistory(msgspec.Struct, frozen=True):
    """The candles of one instrument, of which each may stand for several bars; times are their openings."""

    instrument_id: str
    interval: str
    time_ns: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    decimals: int


class BacktestDetails(msgspec.Struct, frozen=True):
    """Equity and its fall from the highest so far, in points that draw the same picture, and what was traded.

    `left_out` counts the fills that are not among the first 20,000; `prices` are those of the first file of bars, None without one.
    """

    time_ns: list[int]
    equity: list[float]
    drawdown: list[float]
    months: list[MonthReturn]
    fills: list[Fill]
    trips: list[RoundTrip]
    left_out: int = 0
    prices: PriceHistory | None = None


def details_of(result: BacktestResult) -> BacktestDetails:
    """Return the details of a result, with the candles that it was traded on."""
    start = float(result.start_balance)
    falls = drawdowns(result.equity, start)
    keep = np.union1d(points_to_keep(result.equity), [np.argmin(falls)]).astype(np.int64)
    return BacktestDetails(
        result.equity_time_ns[keep].tolist(),
        result.equity[keep].tolist(),
        falls[keep].tolist(),
        month_returns(result.equity_time_ns, result.equity, start),
        list(result.fills[:MOST_FILLS]),
        match_round_trips(result.fills).trips[:MOST_FILLS],
        max(0, len(result.fills) - MOST_FILLS),
        None if not result.settings.bars else price_history(result.settings.bars[0]),
    )


def price_history(bars: BarColumns) -> PriceHistory | None:
    """Return the candles of bars, at most 20,000; None of none."""
    if not len(bars):
        return None
    candles = merged_candles(bars)
    volume = np.add.reduceat(bars.volume, np.arange(0, len(bars), candles.merged))
    return PriceHistory(
        bars.instrument_id, bars.interval, candles.open_time_ns.tolist(), candles.open.tolist(), candles.high.tolist(),
        candles.low.tolist(), candles.close.tolist(), volume.tolist(), min(bars.price_decimals, MOST_DECIMALS),
    )  # fmt: skip


def month_returns(time_ns: Int64Column, equity: Float64Column, start: float) -> list[MonthReturn]:
    """Return what each month of UTC that has a sample returned; a sample at exactly midnight closes the day before."""
    months = [_month((moment - 1) // SECOND_NS) for moment in _day_ends(time_ns).tolist()]
    closes = equity[_day_places(time_ns)].tolist()
    last = dict(zip(months, closes, strict=True))
    found, before = [], start
    for (year, month), close in last.items():
        found.append(MonthReturn(year, month, close / before - 1.0 if before > 0 else None))
        before = close
    return found


def write_details(result: BacktestResult, path: Path) -> None:
    """Write the details of a result into a file.

    Blocks: for the disk.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        path.write_bytes(msgspec.json.encode(details_of(result)))
    except OSError as error:
        raise ConfigError(f"--details {path} cannot be written: {error.strerror or error}; name another file") from None


def read_details(data: bytes) -> BacktestDetails:
    """Return details that were written.

    Raises:
        ConfigError: these are none.
    """
    try:
        return msgspec.json.decode(data, type=BacktestDetails)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"these are no details of a backtest: {error}") from error


def _day_places(time_ns: Int64Column) -> Int64Column:
    """Return the row of the last sample of each day."""
    days = (time_ns - 1) // (86_400 * SECOND_NS)
    return np.append(np.flatnonzero(np.diff(days)), len(days) - 1).astype(np.int64)


def _day_ends(time_ns: Int64Column) -> Int64Column:
    return time_ns[_day_places(time_ns)]


def _month(seconds: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.year, moment.month
