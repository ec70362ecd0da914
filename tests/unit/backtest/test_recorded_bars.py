"""The readers on recorded files of several sources; a standard-library reading of the same bytes is the reference."""

import csv
import gzip
import io
from pathlib import Path

import pytest

from foxtrot.backtest.read_bars import read_bars
from foxtrot.domain.errors import InputError


@pytest.mark.slow
def test_the_recorded_bitcoin_minutes_are_read_whole_and_exactly(data_dir: Path) -> None:
    path = data_dir / "bars" / "btcusdt_spot_1m_2025.csv.gz"
    bars = read_bars(path, "BTCUSDT.BINANCE")
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
    assert (len(bars), bars.interval, bars.price_decimals, bars.warnings) == (130_708, "1m", 2, ())
    assert bars.open_time_ns.tolist() == [int(row["open_time_ms"]) * 10**6 for row in rows]
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, name).tolist() == [float(row[name]) for row in rows], name


@pytest.mark.parametrize(
    ("file", "rows", "interval", "decimals"),
    [
        ("bars/nearusdt-1m-2026-04.csv.gz", 43_200, "1m", (3, 0)),
        ("bars/unittest_btc_1m_2017_gappy.json.gz", 13_681, "1m", (8, 8)),
        ("fx/eurusd_1h_2017_2018.csv.gz", 5_000, "1h", (5, 0)),
        ("fx/gbpusd_1m_bid_201202.csv.gz", 30_117, "1m", (5, 0)),
        ("stocks/goog_daily_2004_2013.csv.gz", 2_148, "1d", (2, 0)),
        ("stocks/aapl_daily.zip", 5_849, "1d", (0, 0)),
    ],
)
def test_recorded_files_of_other_layouts_are_read(
    data_dir: Path, file: str, rows: int, interval: str, decimals: tuple[int, int]
) -> None:
    bars = read_bars(data_dir / file)
    assert (len(bars), bars.interval, (bars.price_decimals, bars.quantity_decimals)) == (rows, interval, decimals)


def test_a_recorded_row_whose_open_is_below_its_low_is_refused(data_dir: Path) -> None:
    with pytest.raises(InputError, match=r"line 424: open 102\.8 is outside low 107\.9 to high 112\.0"):
        read_bars(data_dir / "stocks" / "hk_0700_daily_2012_2015.csv.gz")
