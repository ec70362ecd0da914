"""Bars built from recordings equal the recorded bars."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, TickData
from foxtrot.strategy.bars import BarBuilder, BarCorrection, BarSettings, PriceSource

MS = 1_000_000


def recorded_bars(file: Path, interval: str) -> Iterator[BarData]:
    length = Interval.parse(interval).duration_ns
    with gzip.open(file, "rt", newline="") as lines:
        next(lines)
        for row in csv.reader(lines):
            start = int(row[0]) * MS
            yield BarData("BTCUSDT.BINANCE", interval, start, start + length, *map(float, row[1:6]))


def rows_of(file: Path) -> Iterator[list[str]]:
    with zipfile.ZipFile(file) as archive, archive.open(archive.namelist()[0]) as raw:
        yield from csv.reader(io.TextIOWrapper(raw, "ascii"))


@pytest.fixture(scope="module")
def minutes(data_dir: Path) -> list[BarData]:
    return list(recorded_bars(data_dir / "bars" / "btcusdt_spot_1m_2025.csv.gz", "1m"))


@pytest.mark.parametrize(("interval", "count"), [("5m", 26_141), ("15m", 8_713)])
def test_larger_bars_built_from_recorded_minutes_equal_the_recorded_ones(
    data_dir: Path, minutes: list[BarData], interval: str, count: int
) -> None:
    builder = BarBuilder("BTCUSDT.BINANCE", Interval.parse(interval))
    built = [bar for minute in minutes for bar in builder.on_bar(minute)]
    recorded = list(recorded_bars(data_dir / "bars" / f"btcusdt_spot_{interval}_2025.csv.gz", interval))
    assert len(recorded) == count
    assert built == recorded


@pytest.mark.parametrize(("day", "count"), [("20140501", 1_363), ("20140502", 1_222)])
@pytest.mark.parametrize(("source", "column"), [(PriceSource.BID, 1), (PriceSource.ASK, 6)])
def test_minutes_built_from_recorded_quotes_equal_the_recorded_ones(
    data_dir: Path, day: str, count: int, source: PriceSource, column: int
) -> None:
    midnight = int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * 1_000 * MS
    builder = BarBuilder("EURUSD", BarSettings(interval=Interval.parse("1m"), price=source))
    built: dict[int, tuple[float, ...]] = {}
    for ms, bid, ask in rows_of(data_dir / "ticks" / f"eurusd_{day}_quotes.zip"):
        at = midnight + int(ms) * MS
        for bar in builder.on_tick(TickData("EURUSD", at, at, float(bid), 0.0, float(ask))):
            assert not isinstance(bar, BarCorrection)
            built[bar.open_time_ns] = (bar.open, bar.high, bar.low, bar.close)
    for bar in builder.on_time(midnight + 86_400_000 * MS):
        assert not isinstance(bar, BarCorrection)
        built[bar.open_time_ns] = (bar.open, bar.high, bar.low, bar.close)
    recorded = {
        midnight + int(row[0]) * MS: tuple(map(float, row[column : column + 4]))
        for row in rows_of(data_dir / "fx" / f"eurusd_{day}_1m.zip")
    }
    assert len(recorded) == count
    assert built == recorded


def test_missing_minutes_make_no_bar_unless_asked_for(data_dir: Path) -> None:
    rows = json.loads(gzip.decompress((data_dir / "bars" / "unittest_btc_1m_2017_gappy.json.gz").read_bytes()))
    bars = [BarData("X", "1m", r[0] * MS, (r[0] + 60_000) * MS, *map(float, r[1:6])) for r in rows]
    minute = Interval.parse("1m")
    plain, filling = BarBuilder("X", minute), BarBuilder("X", BarSettings(interval=minute, fill_empty=True))
    assert sum(len(plain.on_bar(bar)) for bar in bars) == len(bars)
    filled = [out for bar in bars for out in filling.on_bar(bar)]
    span = (bars[-1].close_time_ns - bars[0].open_time_ns) // minute.duration_ns
    assert len(filled) == span
    assert all(isinstance(bar, BarData) for bar in filled)
