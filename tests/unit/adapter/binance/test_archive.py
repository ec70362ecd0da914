"""Binance's files are read whole, or refused with the place named."""

import gzip
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from foxtrot.adapter.binance.archive import read_capture, read_frames, read_klines, read_trades
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import InputError
from foxtrot.domain.market import BarData, DepthData, MarketTrade

MS = 1_000_000
CODEC = MarketCodec(Product.SPOT)
TRADE = b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"5","q":"1","T":1700000000000,"m":true}}'
BOOK = b'{"lastUpdateId":7,"bids":[["4","1"]],"asks":[["6","1"]]}'
KLINE = b"1601510340000,4.15070000,4.15870000,4.15060000,4.15540000,539.23000000,1601510399999,2240.39860900,13,401.82,1669.98121300,0\n"
SPOT_TRADE = b"51175358,17.80180000,5.69000000,101.29224200,1583709433583,True,True\n"
USDM_TRADE = b"id,price,qty,quote_qty,time,is_buyer_maker\n51175358,17.8018,5.69,101.292242,1583709433583,false\n"
SPOT_AGG = b"0,0.20000000,50.00000000,0,0,1608872400000000,False,True\n"
USDM_AGG = b"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n26129,0.01,4.7,27781,27781,1498793709153,true\n"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def test_a_capture_is_read_plain_and_gzipped(tmp_path: Path) -> None:
    content = b"5 " + TRADE + b"\n6 " + BOOK + b"\n"
    for packed in (content, gzip.compress(content)):
        trade, book = read_capture(written(tmp_path, packed), CODEC)
        assert isinstance(trade, MarketTrade)
        assert trade.local_time_ns == 5
        assert isinstance(book, DepthData)
        assert (book.instrument_id, book.local_time_ns, book.update_id) == ("BTCUSDT.BINANCE", 6, 7)


def test_a_snapshot_that_comes_first_needs_a_symbol(tmp_path: Path) -> None:
    path = written(tmp_path, b"6 " + BOOK + b"\n")
    with pytest.raises(InputError, match="line 1: a book snapshot names no symbol"):
        list(read_capture(path, CODEC))
    (book,) = read_capture(path, CODEC, "BTCUSDT")
    assert book.instrument_id == "BTCUSDT.BINANCE"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello\n", "line 1: expected '<receive time in ns> <frame>'"),
        (b"5 " + TRADE + b"\n4 " + TRADE + b"\n", "line 2: time goes backwards, from 5 to 4"),
        (b"5 {}\n", "line 1: event type"),
        (b"5 " + TRADE.replace(b'"5"', b'"NaN"') + b"\n", r"line 1: .*\$\.p"),
        (gzip.compress(b"5 " + TRADE + b"\n", mtime=0)[:-12], "cut off or damaged"),
        (gzip.compress(b"5 " + TRADE + b"\n", mtime=0) + b"rubbish", "cut off or damaged"),
    ],
)
def test_a_bad_capture_is_refused_with_its_place(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        list(read_capture(written(tmp_path, content), CODEC))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere cannot be read: No such file"):
        list(read_frames(tmp_path / "nowhere"))


def test_a_folder_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_frames(tmp_path))


@pytest.mark.parametrize(
    "header", [b"", b"open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore\n"]
)
def test_klines_are_read_with_and_without_header(tmp_path: Path, header: bytes) -> None:
    (bar,) = read_klines(written(tmp_path, header + KLINE), "X")
    start = 1601510340000 * MS
    end = start + 60_000 * MS
    assert bar == BarData("X", "1m", start, end, 4.1507, 4.1587, 4.1506, 4.1554, 539.23, 2240.398609, 13, end)


def test_klines_in_microseconds_and_zipped(tmp_path: Path) -> None:
    path = tmp_path / "k.zip"
    row = KLINE.replace(b"1601510340000", b"1735689600000000").replace(b"1601510399999", b"1735703999999999")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("k.csv", row)
    (bar,) = read_klines(path, "X")
    assert bar.interval == "4h"
    assert bar.open_time_ns == 1735689600 * 10**9


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"open_time,open\n", "is empty"),
        (KLINE.replace(b"4.15870000", b"NaN"), "line 1: 'NaN'"),
        (KLINE.replace(b"4.15870000", b"4.0"), "cannot be a bar"),
        (KLINE + b"1,2,3\n", "line 2: expected 12 columns"),
        (KLINE.replace(b"4.15070000", b"0"), "must be above zero"),
        (KLINE.replace(b"1601510399999", b"x"), "'x' is not a whole number"),
        (b"PK\x03\x04 but no more", "cut off or damaged"),
    ],
)
def test_bad_klines_are_refused_with_their_place(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        list(read_klines(written(tmp_path, content), "X"))


def test_the_four_layouts_of_trades_are_told_apart(tmp_path: Path) -> None:
    found = [
        next(read_trades(written(tmp_path, content), "X")) for content in (SPOT_TRADE, USDM_TRADE, SPOT_AGG, USDM_AGG)
    ]
    times = [1583709433583 * MS, 1583709433583 * MS, 1608872400000 * MS, 1498793709153 * MS]
    assert [trade.venue_time_ns for trade in found] == times
    assert [trade.aggressor for trade in found] == [Side.SELL, Side.BUY, Side.BUY, Side.SELL]
    assert [trade.trade_id for trade in found] == ["51175358", "51175358", "0", "26129"]
    assert [trade.price for trade in found] == [17.8018, 17.8018, 0.2, 0.01]


def test_rows_that_are_no_trades_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1: expected the columns of trades"):
        list(read_trades(written(tmp_path, b"1,2,3,4,5\n"), "X"))


def test_the_recorded_kline_file_is_read_whole(data_dir: Path) -> None:
    bars = list(read_klines(data_dir / "bars" / "nearusdt-1m-2026-04.csv.gz", "NEARUSDT.BINANCE_USDM"))
    assert len(bars) == 43_200
    assert {bar.interval for bar in bars} == {"1m"}
    assert all(left.close_time_ns == right.open_time_ns for left, right in pairwise(bars))
