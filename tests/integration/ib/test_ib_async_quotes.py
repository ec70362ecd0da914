"""ib_async, an independent client, gets contract details, depth, history and ticks; it logs every message that it cannot take apart."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_async_rig import with_ib_async
from tests.support.ib_served_market import START_NS, ServedMarket, served_market

VERSIONS = pytest.mark.parametrize("version", [157, 178])


def connect(port: int, work: Callable[[Any], Any], version: int = 0) -> Any:
    """What ib_async asks for when it connects is the account's; here only market data are looked at."""
    from ib_async.ib import StartupFetch

    return with_ib_async(port, work, version=version, fetchFields=StartupFetch(0))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for has no one event
            await asyncio.sleep(0.005)


async def on_market(work: Callable[[], object]) -> None:
    """Trade on a thread of its own, because the server answers there."""
    await asyncio.to_thread(work)


def settings(version: int) -> IbSettings:
    return IbSettings(newest_version=version)


def traded(market: ServedMarket) -> None:
    for price in ("200", "200.1", "200.2"):
        market.trade(price, 2)
        market.wait(60)
    for cent in (1, 2, 3):
        market.rest(Side.BUY, f"199.9{cent}", cent)
    market.rest(Side.SELL, "200.3", 4)


@VERSIONS
def test_contract_details_depth_and_history(version: int) -> None:
    async def work(ib: Any) -> tuple[Any, Any, Any]:
        import ib_async

        (share,) = await ib.qualifyContractsAsync(ib_async.Stock("AAPL", "SMART", "USD"))
        assert share.conId > 0
        (details,) = await ib.reqContractDetailsAsync(share)
        ticker = ib.reqMktDepth(share, 5, True)
        await until(lambda: len(ticker.domBids) == 3 and len(ticker.domAsks) == 1)
        rows = [(row.price, row.size, row.marketMaker) for row in (*ticker.domBids, *ticker.domAsks)]
        bars = await ib.reqHistoricalDataAsync(share, "", "3600 S", "1 min", "TRADES", False, 2)
        ib.cancelMktDepth(share, True)
        return details, rows, bars

    with served_market(settings(version)) as market:
        traded(market)
        details, rows, bars = connect(market.port, work, version)
    assert details.contract.primaryExchange == "NASDAQ"
    assert rows == [(199.93, 3, "NASDAQ"), (199.92, 2, "NASDAQ"), (199.91, 1, "NASDAQ"), (200.3, 4, "NASDAQ")]
    assert [(int(bar.date.timestamp()), bar.close, bar.volume, bar.barCount) for bar in bars] == [
        (START_NS // 10**9 + 60 * n, price, 2, 1) for n, price in enumerate((200.0, 200.1, 200.2))
    ]


@VERSIONS
def test_ticks_tick_by_tick_and_bars_as_they_happen(version: int) -> None:
    async def work(ib: Any, market: ServedMarket) -> None:
        import ib_async

        share = ib_async.Stock("AAPL", "SMART", "USD", primaryExchange="NASDAQ")
        await ib.qualifyContractsAsync(share)
        ticker = ib.reqMktData(share, "233,236", False, False)
        ib.reqTickByTickData(share, "BidAsk", 5)
        ib.reqTickByTickData(share, "AllLast", 5)
        bars = ib.reqRealTimeBars(share, 5, "TRADES", False)
        kept = await ib.reqHistoricalDataAsync(share, "", "3600 S", "1 min", "TRADES", False, 2, True)
        await until(lambda: ticker.bid == 199.93 and ticker.last == 200.2 and ticker.close == 200.0)
        assert (ticker.bidSize, ticker.ask, ticker.volume, ticker.halted, ticker.marketDataType) == (3, 200.3, 6, 0, 1)
        assert ticker.shortableShares == 1_000_000
        await on_market(lambda: market.rest(Side.BUY, "200.3", 1, account="bob"))
        await until(lambda: ticker.rtVolume == 7 and ticker.askSize == 3)
        await on_market(lambda: market.wait(5))
        await until(lambda: bool(bars) and bars[-1].close == 200.3 and kept[-1].close == 200.3)
        assert kept[-1].volume == 1

    with served_market(settings(version)) as market:
        traded(market)
        connect(market.port, lambda ib: work(ib, market), version)


def test_a_snapshot_of_a_currency_pair_and_depth_exchanges() -> None:
    async def work(ib: Any) -> None:
        import ib_async

        (pair,) = await ib.qualifyContractsAsync(ib_async.Forex("EURUSD"))
        (ticker,) = await ib.reqTickersAsync(pair)
        assert (ticker.bid, ticker.bidSize) == (1.1, 20_000)
        found = await ib.reqMktDepthExchangesAsync()
        assert {one.exchange for one in found} >= {"NASDAQ", "CME", "IDEALPRO"}

    with served_market() as market:
        market.rest(Side.BUY, "1.1", 20_000, name="EURUSD.IDEALPRO")
        connect(market.port, work)
