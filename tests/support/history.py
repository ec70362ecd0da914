"""Bars for tests: made from closes, or read from recorded archives that Foxtrot itself has no reader for."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from foxtrot.backtest.bar_fills import FillSettings
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings

MINUTE_NS = 60_000_000_000
NO_LIMITS = FillSettings()
T0 = 1_700_006_400_000_000_000


def bars_of_closes(closes: Sequence[float], name: str = "BTCUSDT.HISTORY") -> BarColumns:
    """Minute bars that open where the one before closed, so that a market order is filled at the close it was decided on."""
    close = np.array(closes, dtype=np.float64)
    opening = np.concatenate((close[:1], close[:-1]))
    return columns(name, opening, np.maximum(opening, close), np.minimum(opening, close), close)


def columns(
    name: str,
    opening: np.ndarray[tuple[int], np.dtype[np.float64]],
    high: np.ndarray[tuple[int], np.dtype[np.float64]],
    low: np.ndarray[tuple[int], np.dtype[np.float64]],
    close: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> BarColumns:
    """Minute bars of given prices in cents."""
    opens = T0 + MINUTE_NS * np.arange(len(close), dtype=np.int64)
    return BarColumns(
        instrument_id=name, interval="1m", open_time_ns=opens, close_time_ns=opens + MINUTE_NS, open=opening, high=high, low=low,
        close=close, volume=np.full(len(close), 1000.0), price_decimals=2, quantity_decimals=3,
    )  # fmt: skip


def lean_daily(path: Path, name: str, first: str, last: str) -> BarColumns:
    """Daily bars of a zip with one CSV: `YYYYMMDD 00:00`, open, high, low, close times 10000, volume."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        rows = [row for row in csv.reader(io.TextIOWrapper(file)) if first <= row[0][:8] <= last]
    days = [datetime.strptime(row[0], "%Y%m%d %H:%M").replace(tzinfo=UTC) for row in rows]
    prices = np.array([[int(cell) / 10_000 for cell in row[1:5]] for row in rows])
    opens = np.array([int(day.timestamp()) * 10**9 for day in days], dtype=np.int64)
    closes = np.array([int((day + timedelta(days=1)).timestamp()) * 10**9 for day in days], dtype=np.int64)
    opening, high, low, close = (np.ascontiguousarray(prices[:, i]) for i in range(4))
    return BarColumns(
        instrument_id=name, interval="1d", open_time_ns=opens, close_time_ns=closes, open=opening, high=high, low=low,
        close=close, volume=np.array([float(row[5]) for row in rows]), price_decimals=4, quantity_decimals=0,
    )  # fmt: skip


def replay(
    strategy: type[Strategy],
    *bars: BarColumns,
    product: Product = Product.PERPETUAL,
    lot: str = "0",
    fills: FillSettings = NO_LIMITS,
    **parameters: float,
) -> BacktestResult:
    """Run a strategy over bars with default assumptions and return what it did."""
    settings = StrategySettings(
        strategy_id="sample", class_name=strategy.__name__, account=ACCOUNT, symbols=tuple(b.instrument_id for b in bars),
        interval=bars[0].interval, parameters=parameters,
    )  # fmt: skip
    terms = InstrumentTerms(product=product, lot=Decimal(lot))
    instruments = tuple(instrument_for(b, terms) for b in bars)
    return Backtest(
        BacktestSettings(strategies=((settings, strategy),), bars=bars, instruments=instruments, fills=fills)
    ).run()
