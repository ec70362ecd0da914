"""Live bars over real sockets on loopback: what a stream does not bring is asked for, with the hot path and without."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import Product
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.binance_stand_in import START_NS, MarketRig, market_rig, play

Scenario = Callable[[MarketRig], Coroutine[Any, Any, None]]
MINUTE_MS = 60_000
FIRST_MS = START_NS // 1_000_000 - START_NS // 1_000_000 % MINUTE_MS
"""When the bar opens that is open at the beginning, 20 s before it."""


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def product(request: pytest.FixtureRequest) -> Product:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=[True, False], ids=["hot", "ccxt"])
def hot(request: pytest.FixtureRequest) -> bool:
    return request.param  # type: ignore[no-any-return]


def run(product: Product, hot: bool, scenario: Scenario, **options: Any) -> None:
    async def body() -> None:
        async with market_rig(product, hot_path=hot, **options) as rig:
            rig.data.add(SubscribeRequest(rig.name, ticks=False, bars=("1m",)))
            await rig.data.resume()
            await scenario(rig)

    play(body)


def opens(rig: MarketRig) -> list[int]:
    """Which bars were told, counted from the first."""
    return [(bar.open_time_ns // 1_000_000 - FIRST_MS) // MINUTE_MS for bar in rig.heard.of(BarData)]


async def jump(rig: MarketRig, seconds: float) -> None:
    """Let time pass at once."""
    rig.clock.advance(int(seconds * 1e9))
    rig.venue.now_ms = rig.clock.now_ns() // 1_000_000
    await rig.quiet(3)


def test_a_closing_push_is_told_and_an_open_one_is_not(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.kline(FIRST_MS, "101.00", closed=False)
        await rig.quiet()
        assert rig.heard.of(BarData) == []
        rig.venue.kline(FIRST_MS, "102.00", closed=True)
        await rig.until(lambda: opens(rig) == [0])
        assert rig.heard.of(BarData)[0].close == 102.0
        assert rig.venue.requests.count("klines") == 0

    run(product, hot, scenario)


def test_a_close_that_was_not_pushed_is_asked_for(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.kline(FIRST_MS, "102.00", closed=True, send=False)
        await jump(rig, 45)
        rig.venue.kline(FIRST_MS + MINUTE_MS, "103.00", closed=False)
        await rig.until(lambda: opens(rig) == [0])

    run(product, hot, scenario)


def test_a_stream_that_says_nothing_does_not_keep_a_bar_back(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.kline(FIRST_MS, "102.00", closed=True, send=False)
        await jump(rig, 42)
        assert opens(rig) == []
        await rig.advance(5)
        await rig.until(lambda: opens(rig) == [0])

    run(product, hot, scenario)


def test_a_bar_waits_for_the_one_before_it_until_that_could_be_had(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.fail_klines = 2
        rig.venue.kline(FIRST_MS, "102.00", closed=True, send=False)
        await jump(rig, 101)
        rig.venue.kline(FIRST_MS + MINUTE_MS, "103.00", closed=True)
        await rig.until(lambda: rig.venue.fail_klines < 2)
        await rig.quiet()
        assert opens(rig) == []
        await rig.advance(4)
        await rig.until(lambda: opens(rig) == [0, 1])

    run(product, hot, scenario)


def test_a_closing_push_that_cannot_be_read_is_asked_for(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.kline(FIRST_MS, "102.00", closed=True, c="much")
        await rig.until(lambda: rig.data.board.bad_frames == 1)
        await jump(rig, 43)
        await rig.advance(4)
        await rig.until(lambda: opens(rig) == [0])

    run(product, hot, scenario)


def test_without_a_stream_bars_are_asked_for_after_their_close(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        assert rig.venue.sockets == {}
        for number in range(2):
            rig.venue.kline(FIRST_MS + number * MINUTE_MS, "102.00", closed=True)
            await jump(rig, 41)
            await rig.advance(3)
            await rig.until(lambda count=number: opens(rig) == list(range(count + 1)))  # type: ignore[misc]
            await jump(rig, 16)
        assert not any(bar.backfilled for bar in rig.heard.of(BarData))

    run(product, True, scenario, websocket=False)


def test_unsubscribing_ends_the_stream(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        await rig.until(lambda: rig.venue.held("kline_1m") == 1)
        rig.data.remove(rig.name)
        await rig.until(lambda: rig.venue.held("kline_1m") == 0)
        rig.venue.kline(FIRST_MS, "102.00", closed=True)
        await jump(rig, 100)
        await rig.advance(3)
        assert rig.heard.of(BarData) == []
        assert rig.venue.requests.count("klines") == 0

    run(product, hot, scenario)


def test_a_lost_connection_is_subscribed_once_and_nothing_is_lost(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        await rig.until(lambda: rig.venue.held("kline_1m") == 1)
        await rig.venue.drop()
        rig.venue.kline(FIRST_MS, "102.00", closed=True)
        await jump(rig, 41)
        await rig.advance(4)
        await rig.until(lambda: rig.venue.held("kline_1m") == 1)
        await rig.until(lambda: opens(rig) == [0])
        rig.venue.kline(FIRST_MS + MINUTE_MS, "103.00", closed=True)
        await rig.until(lambda: opens(rig) == [0, 1])

    run(product, hot, scenario)


def test_an_interval_that_binance_does_not_have_is_refused_with_those_it_has(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(SubscribeRequest(rig.name, ticks=False, bars=("7m",)))
        (failed,) = rig.heard.of(RequestFailed)
        assert "7m" in failed.what
        assert "5m" in failed.error
        assert ("1s" in failed.error) == (product is Product.SPOT)
        assert rig.data.wanted[rig.name].bars == ("1m",)

    run(product, True, scenario)


def test_two_words_for_one_interval_are_one_stream(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(SubscribeRequest(rig.name, ticks=False, bars=("60s",)))
        await rig.until(lambda: rig.venue.held("kline_1m") == 1)
        rig.venue.kline(FIRST_MS, "102.00", closed=True)
        await rig.until(lambda: len(rig.heard.of(BarData)) == 2)
        assert [bar.interval for bar in rig.heard.of(BarData)] == ["1m", "60s"]
        assert rig.venue.subscribes.count("btcusdt@kline_1m") == 1

    run(product, True, scenario)
