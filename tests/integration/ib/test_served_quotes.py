"""The unmodified ibapi reads the served market data: its own callbacks get what the venue did."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_rig import EURUSD
from tests.support.ib_served_market import START_NS, ServedMarket, served_market
from tests.support.ib_served_rig import ib_port, served_ib
from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until

ES = "ESZ6.CME"


def contract(symbol: str = "AAPL", kind: str = "STK", exchange: str = "SMART", **more: object) -> Any:
    from ibapi.contract import Contract

    one = Contract()
    one.symbol, one.secType, one.exchange, one.currency = symbol, kind, exchange, "USD"
    for name, value in more.items():
        setattr(one, name, value)
    return one


def euro() -> Any:
    return contract("EUR", "CASH", "IDEALPRO")


def es() -> Any:
    return contract("ES", "FUT", "CME", lastTradeDateOrContractMonth="202612")


@contextmanager
def market_and_client(settings: IbSettings | None = None) -> Iterator[tuple[ServedMarket, Any]]:
    with served_market(settings) as market, connected(market.port) as client:
        yield market, client


def rows_of(heard: list[tuple[str, tuple[Any, ...]]], request_id: int) -> dict[int, list[tuple[float, int]]]:
    """Apply the rows of both callbacks as TWS's documentation says; a reset empties them."""
    sides: dict[int, list[tuple[float, int]]] = {0: [], 1: []}
    for name, arguments in list(heard):
        if name not in ("updateMktDepth", "updateMktDepthL2", "error") or arguments[0] != request_id:
            continue
        if name == "error":
            assert arguments[1] == 317
            sides = {0: [], 1: []}
            continue
        at, operation, side, price, size = (arguments[1], *(arguments[3:7] if name.endswith("L2") else arguments[2:6]))
        if operation == 0:
            sides[side].insert(at, (price, size))
        elif operation == 1:
            sides[side][at] = (price, size)
        else:
            del sides[side][at]
    return sides


def book_of(market: ServedMarket, levels: int, name: str = "AAPL.NASDAQ") -> dict[int, list[tuple[float, int]]]:
    bids, asks = market.book(levels, name)
    return {1: bids, 0: asks}


def test_ticks_of_a_share() -> None:
    with market_and_client() as (market, client):
        market.trade("200.05", 3)
        market.rest(Side.BUY, "200", 7)
        client.reqMktData(5, contract(), "233", False, False, [])
        client.wait_for("tickGeneric")
        assert client.named("marketDataType") == [(5, 1)]
        assert client.named("tickReqParams") == [(5, 0.01, "9c0001", 3)]
        assert {n: price for _, n, price, _ in client.named("tickPrice")} == {
            1: 200.0, 2: -1.0, 4: 200.05, 6: 200.05, 7: 200.05, 9: 200.0, 14: 200.05,
        }  # fmt: skip
        sizes = {n: size for _, n, size in client.named("tickSize")}
        assert (sizes[0], sizes[5], sizes[8]) == (7, 3, 3)
        texts = {n: text for _, n, text in client.named("tickString")}
        assert texts[48] == f"200.05;3;{START_NS // 10**6};3;200.05;true"
        market.rest(Side.BUY, "200", 5)
        wait_until(lambda: (5, 0, 12) in client.named("tickSize"))
        client.cancelMktData(5)
        client.reqMktData(6, contract(), "", True, False, [])
        assert client.wait_for("tickSnapshotEnd") == (6,)
        assert client.codes() == [2104, 2106, 2158]


def test_delayed_ticks_where_nothing_better_is_paid_for() -> None:
    with market_and_client(IbSettings(has_quotes=False, delay_s=0)) as (market, client):
        market.rest(Side.BUY, "200", 7)
        client.reqMktData(5, contract(), "", False, False, [])
        wait_until(lambda: 10168 in client.codes())
        client.reqMarketDataType(3)
        client.reqMktData(6, contract(), "", False, False, [])
        wait_until(lambda: (6, 69, 7) in client.named("tickSize"))
        assert client.named("marketDataType") == [(6, 3)]
        assert 10167 in client.codes()


@pytest.mark.parametrize("is_smart", [True, False])
def test_rows_of_a_book(is_smart: bool) -> None:
    with market_and_client() as (market, client):
        orders = [market.rest(Side.BUY, f"199.{cent}", cent) for cent in range(90, 97)]
        market.rest(Side.SELL, "200", 4)
        client.reqMktDepth(6, contract(), 5, is_smart, [])
        name = "updateMktDepthL2" if is_smart else "updateMktDepth"
        client.wait_for(name, 6)
        assert rows_of(client.heard, 6) == book_of(market, 5)
        market.rest(Side.BUY, "199.99", 1)
        market.cancel(orders[-1])
        market.rest(Side.BUY, "200", 3, account="bob")
        wait_until(lambda: rows_of(client.heard, 6) == book_of(market, 5))
        assert not client.named("updateMktDepth" if is_smart else "updateMktDepthL2")
        client.cancelMktDepth(6, is_smart)
        client.cancelMktDepth(6, is_smart)
        wait_until(lambda: 310 in client.codes())


def test_books_of_a_future_and_of_a_currency_pair() -> None:
    with market_and_client() as (market, client):
        market.rest(Side.BUY, "6000.25", 2, name=ES)
        market.rest(Side.SELL, "1.1001", 25_000, name=EURUSD)
        client.reqMktDepth(6, es(), 5, False, [])
        client.reqMktDepth(7, euro(), 5, False, [])
        client.wait_for("updateMktDepth", 2)
        assert client.named("updateMktDepth") == [(6, 0, 0, 1, 6000.25, 2), (7, 0, 0, 0, 1.1001, 25_000)]
        client.reqMktDepthExchanges()
        (found,) = client.wait_for("mktDepthExchanges")
        assert {one.exchange: one.serviceDataType for one in found}["CME"] == "Deep"


def test_tick_by_tick_with_past_ones() -> None:
    with market_and_client() as (market, client):
        market.trade("200.05", 3)
        market.rest(Side.BUY, "200", 7)
        client.reqTickByTickData(7, contract(), "AllLast", 10, False)
        client.reqTickByTickData(8, contract(), "BidAsk", 10, False)
        client.reqTickByTickData(9, contract(), "MidPoint", 0, True)
        (_, trades, is_done) = client.wait_for("historicalTicksLast")
        assert [(one.price, one.size, one.exchange) for one in trades] == [(200.05, 3, "NASDAQ")]
        assert is_done
        (_, quotes, _) = client.wait_for("historicalTicksBidAsk")
        assert (quotes[-1].priceBid, quotes[-1].sizeBid) == (200.0, 7)
        market.rest(Side.SELL, "200.1", 2)
        market.rest(Side.BUY, "200.1", 1, account="bob")
        assert client.wait_for("tickByTickAllLast")[:5] == (7, 2, START_NS // 10**9, 200.1, 1)
        assert client.wait_for("tickByTickBidAsk")[2:6] == (200.0, 200.1, 7, 2)
        assert client.wait_for("tickByTickMidPoint")[2] == 200.05


def test_bars_of_the_past_and_the_one_that_forms() -> None:
    with market_and_client() as (market, client):
        for price in ("200", "200.1", "200.2"):
            market.trade(price, 2)
            market.wait(60)
        client.reqHistoricalData(9, contract(), "", "3600 S", "1 min", "TRADES", 0, 2, True, [])
        client.wait_for("historicalDataEnd")
        bars = [bar for _, bar in client.named("historicalData")]
        assert [int(bar.date) for bar in bars] == [START_NS // 10**9 + 60 * n for n in range(3)]
        assert [(bar.close, bar.volume, bar.average, bar.barCount) for bar in bars] == [
            (200.0, 2, 200.0, 1), (200.1, 2, 200.1, 1), (200.2, 2, 200.2, 1),
        ]  # fmt: skip
        market.trade("201", 4)
        market.wait(1)
        _, bar = client.wait_for("historicalDataUpdate")
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (201.0, 201.0, 201.0, 201.0, 4)
        client.reqHistoricalData(10, euro(), "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
        wait_until(lambda: 162 in client.codes())


def test_real_time_bars() -> None:
    with market_and_client() as (market, client):
        client.reqRealTimeBars(8, contract(), 5, "TRADES", False, [])
        client.reqCurrentTime()
        client.wait_for("currentTime")
        market.trade("200", 2)
        market.wait(5)
        assert client.wait_for("realtimeBar") == (8, START_NS // 10**9, 200.0, 200.0, 200.0, 200.0, 2, 200.0, 1)


def test_a_living_market_never_breaks_the_client() -> None:
    with served_ib(agents=8) as server, connected(ib_port(server)) as client:
        for number, one in enumerate((contract(), euro(), es())):
            client.reqMktData(10 + number, one, "", False, False, [])
            client.reqMktDepth(20 + number, one, 10, False, [])
            client.reqTickByTickData(30 + number, one, "BidAsk", 100, False)
        client.reqHistoricalData(40, contract(), "", "60 S", "5 secs", "MIDPOINT", 0, 1, True, [])
        client.wait_for("updateMktDepth", 500)
        client.wait_for("tickByTickBidAsk", 100)
        client.wait_for("historicalDataUpdate", 2)
        assert client.isConnected()
        assert client.codes() == [2104, 2106, 2158]
