"""Tick-by-tick data: trades, bids and asks, midpoints, with and without past ones."""

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_rig import APPLE, EURO, EURUSD, QuoteClient, QuoteRig, error_of


def ticks(
    client: QuoteClient, kind: str, *, past: int = 0, ignores_size: int = 0, contract: tuple[object, ...] = APPLE
) -> list[list[str]]:
    return client.ask(97, 7, *contract, kind, past, ignores_size)


def seconds(rig: QuoteRig) -> str:
    return str(rig.now_ns // 10**9)


def test_every_trade_is_told_once() -> None:
    rig = QuoteRig()
    last, all_last = rig.client(), rig.client()
    assert ticks(last, "Last") == ticks(all_last, "AllLast") == []
    rig.rest(Side.SELL, "200.05", 3)
    rig.rest(Side.SELL, "200.06", 4)
    rig.rest(Side.BUY, "200.06", 5, account="bob")
    rows = [("200.05", "3"), ("200.06", "2")]
    assert last.take() == [["99", "7", "1", seconds(rig), price, size, "0", "NASDAQ", ""] for price, size in rows]
    assert all_last.take() == [["99", "7", "2", seconds(rig), price, size, "0", "NASDAQ", ""] for price, size in rows]
    assert last.ask(98, 7) == []
    rig.trade("200.06", 1)
    assert last.take() == []
    assert error_of(last.ask(98, 7)) == (7, 300)


def test_bids_and_asks_begin_with_those_there_are() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    client = rig.client()
    assert ticks(client, "BidAsk") == [["99", "7", "3", seconds(rig), "200.0", "0.0", "7", "0", "0"]]
    rig.rest(Side.SELL, "200.1", 2)
    rig.rest(Side.SELL, "200.1", 1)
    rig.rest(Side.SELL, "200.2", 1)
    assert client.take() == [
        ["99", "7", "3", seconds(rig), "200.0", "200.1", "7", "2", "0"],
        ["99", "7", "3", seconds(rig), "200.0", "200.1", "7", "3", "0"],
    ]


def test_sizes_alone_may_be_ignored_and_midpoints_have_none() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    prices, mids = rig.client(), rig.client()
    ticks(prices, "BidAsk", ignores_size=1)
    assert ticks(mids, "MidPoint") == []
    rig.rest(Side.BUY, "200", 7)
    assert prices.take() == mids.take() == []
    rig.rest(Side.SELL, "200.05", 7)
    assert prices.take() == [["99", "7", "3", seconds(rig), "200.0", "200.05", "14", "7", "0"]]
    assert mids.take() == [["99", "7", "4", seconds(rig), "200.025"]]


def test_past_trades_come_first() -> None:
    rig = QuoteRig()
    for price in ("200", "200.1", "200.2"):
        rig.trade(price, 4)
    rows = [part for price in ("200.1", "200.2") for part in (seconds(rig), "0", price, "4", "NASDAQ", "")]
    assert ticks(rig.client(), "Last", past=2) == [["98", "7", "2", *rows, "1"]]
    assert ticks(QuoteRig().client(), "Last", past=2) == [["98", "7", "0", "1"]]


def test_past_bids_and_midpoints_come_first_and_the_newest_is_not_told_twice() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    rig.rest(Side.SELL, "200.1", 7)
    rig.rest(Side.BUY, "200.02", 1)
    at = seconds(rig)
    rows = [at, "0", "200.0", "200.1", "7", "7", at, "0", "200.02", "200.1", "1", "7"]
    assert ticks(rig.client(), "BidAsk", past=2) == [["97", "7", "2", *rows, "1"]]
    assert ticks(rig.client(), "MidPoint", past=9) == [
        ["96", "7", "2", at, "0", "200.05", "0", at, "0", "200.06", "0", "1"]
    ]


def test_what_is_refused() -> None:
    client = QuoteRig().client()
    assert error_of(ticks(client, "Lasts")) == (7, 321)
    assert error_of(ticks(client, "Last", past=1_001)) == (7, 321)
    assert error_of(ticks(client, "Last", past=-1)) == (7, 321)
    assert error_of(ticks(client, "AllLast", contract=EURO)) == (7, 10189)
    assert error_of(ticks(QuoteRig(settings=IbSettings(has_quotes=False)).client(), "Last")) == (7, 10189)
    ticks(client, "Last")
    assert error_of(ticks(client, "Last")) == (7, 322)


def test_a_slow_client_misses_none() -> None:
    rig = QuoteRig()
    client = rig.client()
    ticks(client, "BidAsk", contract=EURO)
    client.is_slow = True
    for pip in range(5):
        rig.rest(Side.BUY, f"1.100{pip}", 20_000, name=EURUSD)
    assert [float(fields[4]) for fields in client.take(99)] == [1.1, 1.1001, 1.1002, 1.1003, 1.1004]
