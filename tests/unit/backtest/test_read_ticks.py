"""Trades and quotes from files: the archive layouts, the generic one, and faults with place and fix."""

from pathlib import Path

import pytest

from foxtrot.backtest.columns import QuoteColumns, TradeColumns
from foxtrot.backtest.read_ticks import read_quotes, read_ticks, read_trades
from foxtrot.domain.errors import InputError

MS = 1_610_064_000_278
GENERIC = f"time,price,size,side,id\n{MS},39432.48,0.5,buy,7\n{MS},39432.5,0.25,SELL,8\n{MS + 5},39433,1,,9\n"
QUOTES = f"time,bid,ask,bid_size,ask_size\n{MS},39432.99,39433.62,0.0031,2\n{MS + 1},39433,39433.5,1,1\n"


def written(folder: Path, text: str, name: str = "ticks.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_generic_trades_give_their_columns(tmp_path: Path) -> None:
    trades = read_trades(written(tmp_path, GENERIC), "BTCUSDT.BINANCE")
    assert trades.instrument_id == "BTCUSDT.BINANCE"
    assert trades.time_ns.tolist() == [MS * 10**6, MS * 10**6, (MS + 5) * 10**6]
    assert trades.price.tolist() == [39432.48, 39432.5, 39433.0]
    assert trades.size.tolist() == [0.5, 0.25, 1.0]
    assert trades.side.tolist() == [1, -1, 0]
    assert trades.id.tolist() == [7, 8, 9]
    assert (trades.price_decimals, trades.quantity_decimals, trades.warnings) == (2, 2, ())


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"7,39432.48,0.5,19716.24,{MS},False,True\n8,39432.5,0.25,9858,{MS},True,True\n", "Binance trades"),
        (f"7,39432.48,0.5,19716.24,{MS},false\n8,39432.5,0.25,9858,{MS},true\n", "Binance trades"),
        (f"7,39432.48,0.5,70,71,{MS},False,True\n8,39432.5,0.25,72,72,{MS},True,True\n", "Binance aggTrades"),
        (f"7,39432.48,0.5,70,71,{MS},false\n8,39432.5,0.25,72,72,{MS},true\n", "Binance aggTrades"),
        (f"id,price,qty,quote_qty,time,is_buyer_maker\n7,39432.48,0.5,1,{MS},false\n8,39432.5,0.25,1,{MS},true\n", ""),
        (
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
            f"7,39432.48,0.5,1,1,{MS},false\n8,39432.5,0.25,2,2,{MS},true\n",
            "",
        ),
    ],
)
def test_the_binance_archives_are_read_with_and_without_header(tmp_path: Path, text: str, note: str) -> None:
    trades = read_trades(written(tmp_path, text))
    assert trades.time_ns.tolist() == [MS * 10**6] * 2
    assert trades.price.tolist() == [39432.48, 39432.5]
    assert trades.size.tolist() == [0.5, 0.25]
    assert trades.side.tolist() == [1, -1]
    assert trades.id.tolist() == [7, 8]
    assert trades.warnings[0].startswith(f"no header: columns taken as {note}" if note else "columns ignored: ")


def test_trades_without_side_and_id_are_counted_and_have_no_aggressor(tmp_path: Path) -> None:
    trades = read_trades(written(tmp_path, f"time,price,size\n{MS},1,1\n{MS},1,1\n"))
    assert (trades.side.tolist(), trades.id.tolist()) == ([0, 0], [0, 1])
    assert trades.warnings == ("no id column: trades are counted from 0",)
    named = read_trades(written(tmp_path, f"time,price,size,id\n{MS},1,1,x\n{MS},1,1,y\n"))
    assert named.warnings == ("ids are not whole numbers: trades are counted from 0",)


def test_newest_first_trades_are_reversed(tmp_path: Path) -> None:
    trades = read_trades(written(tmp_path, f"time,price,size,id\n{MS + 2},3,1,3\n{MS},2,1,2\n{MS},1,1,1\n"))
    assert trades.id.tolist() == [1, 2, 3]
    assert trades.warnings == ("rows are newest first: reversed",)


def test_quotes_give_their_columns_and_absent_sizes_are_zero(tmp_path: Path) -> None:
    quotes = read_quotes(written(tmp_path, QUOTES))
    assert quotes.bid.tolist() == [39432.99, 39433.0]
    assert quotes.ask.tolist() == [39433.62, 39433.5]
    assert quotes.bid_size.tolist() == [0.0031, 1.0]
    assert quotes.ask_size.tolist() == [2.0, 1.0]
    assert (quotes.price_decimals, quotes.quantity_decimals, quotes.warnings) == (2, 4, ())
    bare = read_quotes(written(tmp_path, f"Timestamp,Bid,Ask\n{MS},2,1\n{MS},1,1\n"))
    assert (bare.bid_size.tolist(), bare.ask_size.tolist()) == ([0.0, 0.0], [0.0, 0.0])
    assert bare.warnings == ("1 quotes are crossed (bid above ask)",)


def test_the_columns_tell_trades_from_quotes(tmp_path: Path) -> None:
    assert isinstance(read_ticks(written(tmp_path, GENERIC)), TradeColumns)
    assert isinstance(read_ticks(written(tmp_path, QUOTES)), QuoteColumns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GENERIC.replace("SELL", "short"),
            'ticks.csv line 3: side is "short", not buy or sell; correct or remove the line',
        ),
        (GENERIC.replace("0.25", "0"), 'ticks.csv line 3: size is "0", it must be above 0; correct or remove the line'),
        (GENERIC.replace("39432.5,", "nan,"), 'ticks.csv line 3: price is "nan", it must be a finite number; correct'),
        (GENERIC.replace(",9\n", ",7\n"), "ticks.csv line 4: trade id 7 stands twice; keep one of the rows"),
        (
            GENERIC.replace(str(MS + 5), str(MS - 5)).replace(f"{MS},39432.48", f"{MS - 9},39432.48"),
            "ticks.csv line 4: time goes backwards from 2021-01-08T00:00:00.278",
        ),
        (
            GENERIC.replace("size", "buyer_maker"),
            "ticks.csv: no size column; name one of them size or qty or quantity or",
        ),
        (
            GENERIC.replace("id\n", "is_buyer_maker\n"),
            "ticks.csv: columns side and is_buyer_maker both tell the aggressor; keep one of them",
        ),
        (f"7,1,1,1,{MS},maybe\n", 'ticks.csv line 1: buyer_maker is "maybe", not true or false; correct or remove'),
        (
            f"{MS},1,1\n",
            "ticks.csv has no header and 3 columns; add a header line (time, price, size, side, id), or use",
        ),
        ("", "ticks.csv is empty; name a file with a header line and rows"),
        ("time,price,size\n", "ticks.csv has a header and no rows; name a file with data"),
        (QUOTES.replace("39433.62", "-1"), 'ticks.csv line 2: ask is "-1", it must be above 0; correct or remove the'),
    ],
)
def test_a_fault_is_one_line_with_file_place_value_and_fix(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_ticks(written(tmp_path, text))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_quotes_need_a_header_and_both_need_csv(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^ticks\.csv has no header; add one: time,bid,ask,bid_size,ask_size"):
        read_quotes(written(tmp_path, f"{MS},1,2\n"))
    with pytest.raises(InputError, match=r"^ticks\.json: trades and quotes are read from CSV; convert the file$"):
        read_ticks(written(tmp_path, "[]", "ticks.json"))


def test_recorded_trades_and_quotes_are_read(data_dir: Path) -> None:
    trades = read_ticks(data_dir / "ticks" / "btcusdt_trades_20210108.csv.gz")
    assert isinstance(trades, TradeColumns)
    assert (len(trades), trades.price_decimals, trades.quantity_decimals) == (2_001, 2, 6)
    assert trades.side[:2].tolist() == [-1, 1]
    quotes = read_ticks(data_dir / "ticks" / "btcusdt_quotes_20210108.csv.gz")
    assert isinstance(quotes, QuoteColumns)
    assert (len(quotes), quotes.warnings) == (451, ("columns ignored: symbol",))
