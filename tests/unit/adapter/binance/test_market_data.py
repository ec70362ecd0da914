"""The adapter's public market data over real sockets on loopback, with the hot path and without."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from foxtrot.adapter.health import StreamHealth
from foxtrot.core.notices import BookStateChanged, Gap, RequestFailed
from foxtrot.domain.enums import BookState, Product, Side
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.binance_stand_in import MarketRig, market_rig, play

Scenario = Callable[[MarketRig], Coroutine[Any, Any, None]]


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def product(request: pytest.FixtureRequest) -> Product:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=[True, False], ids=["hot", "ccxt"])
def hot(request: pytest.FixtureRequest) -> bool:
    return request.param  # type: ignore[no-any-return]


def run(product: Product, hot: bool, scenario: Scenario, **options: Any) -> None:
    async def body() -> None:
        async with market_rig(product, hot_path=hot, **options) as rig:
            await scenario(rig)

    play(body)


def everything(rig: MarketRig, **wishes: Any) -> SubscribeRequest:
    return SubscribeRequest(rig.name, **({"ticks": True, "trades": True, "depth_levels": 5} | wishes))


def test_resuming_tells_a_fresh_tick_and_a_fresh_book(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        await rig.quiet()
        (tick,) = rig.heard.of(TickData)
        (depth,) = rig.heard.of(DepthData)
        assert (tick.bid_price, tick.bid_size, tick.ask_price, tick.last_price) == (99.0, 5.0, 101.0, 100.0)
        assert depth.bids == ((99.0, 5.0), (98.0, 5.0))
        assert [state.state for state in rig.heard.of(BookStateChanged)] == [BookState.SYNCING, BookState.LIVE]

    run(product, hot, scenario)


def test_a_print_and_the_quote_it_changed_are_one_tick_and_one_trade(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, depth_levels=0))
        await rig.data.resume()
        before = len(rig.heard)
        rig.venue.trade("101.00", "0.250")
        rig.venue.change("a", "101.00", "4.750")
        rig.venue.quote()
        await rig.until(lambda: bool(rig.heard.of(TickData, before)))
        await rig.quiet()
        (tick,) = rig.heard.of(TickData, before)
        assert (tick.ask_size, tick.last_price, tick.last_size) == (4.75, 101.0, 0.25)
        (trade,) = rig.heard.of(MarketTrade, before)
        assert (trade.trade_id, trade.price, trade.size, trade.aggressor) == ("1000", 101.0, 0.25, Side.BUY)

    run(product, hot, scenario)


def test_a_print_without_a_quote_is_a_tick_a_moment_later(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, depth_levels=0))
        await rig.data.resume()
        before = len(rig.heard)
        rig.venue.trade("101.00", "0.250", buyer_is_maker=True)
        await rig.until(lambda: bool(rig.heard.of(MarketTrade, before)))
        await rig.quiet(3)
        assert rig.heard.of(TickData, before) == []
        await rig.advance(1)
        await rig.until(lambda: bool(rig.heard.of(TickData, before)))
        assert rig.heard.of(TickData, before)[0].last_price == 101.0

    run(product, hot, scenario)


def test_depth_and_changes_follow_the_venue(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, ticks=False, trades=False, depth_levels=1, depth_changes=True))
        await rig.data.resume()
        (first,) = rig.heard.of(DepthData)
        assert len(first.bids) == 2
        before = len(rig.heard)
        rig.venue.change("b", "99.37", "0.333")
        await rig.until(lambda: bool(rig.heard.of(DepthChange, before)))
        await rig.quiet()
        (change,) = rig.heard.of(DepthChange, before)
        assert change.previous_update_id == first.update_id
        assert (change.first_update_id, change.last_update_id) == (first.update_id + 1, first.update_id + 2)
        assert change.bids == ((99.37, 0.333),)
        assert rig.heard.of(DepthData, before)[-1].bids == ((99.37, 0.333),)
        rig.venue.change("b", "99.37", "0.000")
        await rig.until(lambda: len(rig.heard.of(DepthChange, before)) == 2)
        assert rig.heard.of(DepthChange, before)[1].bids == ((99.37, 0.0),)

    run(product, hot, scenario)


def test_the_exact_book_is_exact_and_follows(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        assert rig.data.exact_book(rig.name) is None
        rig.data.add(everything(rig))
        await rig.data.resume()
        rig.venue.change("b", "99.37", "0.333")
        await rig.until(lambda: (rig.data.exact_book(rig.name) or _NONE).update_id == rig.venue.update_id)
        book = rig.data.exact_book(rig.name)
        assert book is not None
        assert book.bids[0] == (Decimal("99.37"), Decimal("0.333"))
        assert len(book.bids) == 3
        assert book.source == "stream"
        rig.data.stop()
        assert rig.data.exact_book(rig.name) is None

    run(product, hot, scenario)


class _NONE:
    update_id = -1


def test_a_gap_in_the_book_is_told_before_the_fresh_snapshot(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, ticks=False, trades=False, depth_changes=True))
        await rig.data.resume()
        rig.venue.change("b", "99.10", "1.000")
        await rig.until(lambda: bool(rig.heard.of(DepthChange)))
        before = len(rig.heard)
        rig.venue.change("b", "99.20", "1.000", send=False)
        rig.venue.change("b", "99.30", "1.000")
        await rig.until(lambda: bool(rig.heard.of(DepthData, before)))
        await rig.quiet()
        states = [state.state for state in rig.heard.of(BookStateChanged, before)]
        assert states == [BookState.SYNCING, BookState.LIVE]
        assert isinstance(rig.heard.events(before)[0], BookStateChanged)
        assert rig.heard.of(DepthChange, before) == []
        assert rig.heard.of(DepthData, before)[-1].bids[:3] == ((99.3, 1.0), (99.2, 1.0), (99.1, 1.0))

    run(product, hot, scenario)


def test_of_a_burst_the_last_quote_is_told(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, trades=False, depth_levels=0))
        await rig.data.resume()
        for number in range(300):
            rig.venue.change("b", "99.00", f"{number + 1}.000", send=False)
            rig.venue.quote()
        await rig.until(lambda: rig.heard.of(TickData)[-1].bid_size == 300.0)

    run(product, hot, scenario)


def test_missing_prints_are_fetched_and_told_in_order(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, depth_levels=0))
        await rig.data.resume()
        rig.venue.trade("101.00", "0.1")
        await rig.until(lambda: bool(rig.heard.of(MarketTrade)))
        rig.venue.trade("101.00", "0.2", send=False)
        rig.venue.trade("101.00", "0.3", send=False)
        rig.venue.trade("101.00", "0.4")
        rig.venue.trade("101.00", "0.5")
        await rig.until(lambda: len(rig.heard.of(MarketTrade)) == 5)
        assert [trade.size for trade in rig.heard.of(MarketTrade)] == [0.1, 0.2, 0.3, 0.4, 0.5]
        assert rig.heard.of(Gap) == []

    run(product, hot, scenario)


def test_prints_that_cannot_be_had_any_more_are_a_gap(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, depth_levels=0))
        await rig.data.resume()
        rig.venue.trade("101.00", "0.1")
        await rig.until(lambda: bool(rig.heard.of(MarketTrade)))
        rig.venue.trade("101.00", "0.2", send=False)
        lost = rig.venue.trades.pop()
        rig.venue.trades[-1] = {**rig.venue.trades[-1], "t": lost["t"]}
        rig.venue.trade("101.00", "0.4")
        rig.venue.trades[-2:-1] = []
        await rig.until(lambda: len(rig.heard.of(MarketTrade)) == 2)
        assert rig.heard.of(Gap) == [Gap(rig.name, "MarketTrade", 1)]

    run(product, hot, scenario)


def test_a_lost_connection_is_resubscribed_once_with_fresh_facts(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        await rig.quiet()
        before = len(rig.heard)
        await rig.venue.drop()
        await rig.until(lambda: BookState.STALE in [s.state for s in rig.heard.of(BookStateChanged, before)])
        assert rig.data.exact_book(rig.name) is None
        rig.venue.change("b", "99.50", "0.700")
        for _ in range(3):
            await rig.advance(1)
        await rig.until(lambda: bool(rig.heard.of(DepthData, before) and rig.heard.of(TickData, before)))
        assert rig.heard.of(DepthData, before)[0].bids[0] == (99.5, 0.7)
        assert rig.heard.of(TickData, before)[0].bid_price == 99.5
        assert [rig.venue.held(one) for one in ("trade", "bookTicker", "depth@100ms")] == [1, 1, 1]
        rig.venue.trade("101.00", "0.1")
        await rig.until(lambda: bool(rig.heard.of(MarketTrade, before)))
        await rig.quiet()
        assert len(rig.heard.of(MarketTrade, before)) == 1

    run(product, hot, scenario)


def test_stopping_and_resuming_opens_each_stream_once(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        for _ in range(3):
            await rig.data.resume()
            rig.data.stop()
            await rig.session.renew()
            before = len(rig.heard)
            rig.venue.trade("101.00", "0.1")
            rig.venue.quote()
            await rig.quiet(5)
            assert rig.heard.events(before) == []
        before = len(rig.heard)
        await rig.data.resume()
        await rig.quiet()
        assert [rig.venue.held(one) for one in ("trade", "bookTicker", "depth@100ms")] == [1, 1, 1]
        assert len(rig.heard.of(DepthData, before)) == 1
        assert len(rig.heard.of(TickData, before)) == 1

    run(product, hot, scenario)


def test_nothing_is_told_after_removing_and_subscribing_again_begins_anew(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, depth_changes=True))
        await rig.data.resume()
        rig.data.remove(rig.name)
        await rig.until(lambda: [rig.venue.held(one) for one in ("trade", "bookTicker", "depth@100ms")] == [0, 0, 0])
        before = len(rig.heard)
        rig.venue.trade("101.00", "0.1")
        rig.venue.change("b", "99.50", "0.700")
        rig.venue.quote()
        await rig.quiet()
        assert rig.heard.events(before) == []
        rig.data.add(everything(rig, depth_changes=True))
        await rig.until(lambda: bool(rig.heard.of(DepthData, before)))
        assert rig.heard.of(DepthData, before)[0].bids[0] == (99.5, 0.7)

    run(product, hot, scenario)


def test_a_subscription_that_is_removed_and_wanted_again_at_once_streams_on(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        for _ in range(3):
            rig.data.remove(rig.name)
            rig.data.add(everything(rig))
        await rig.quiet(30)
        before = len(rig.heard)
        rig.venue.trade("101.00", "0.1")
        rig.venue.change("b", "99.50", "0.700")
        await rig.until(lambda: bool(rig.heard.of(MarketTrade, before) and rig.heard.of(DepthData, before)))
        assert [rig.venue.held(one) for one in ("trade", "bookTicker", "depth@100ms")] == [1, 1, 1]

    run(product, hot, scenario)


@pytest.mark.parametrize("frame", ["[]", "{broken", '{"e":"trade","s":"BTCUSDT","t":"x"}', "plain text", '{"e":"new"}'])
def test_a_bad_frame_ends_nothing_for_long(product: Product, hot: bool, frame: str) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        before = len(rig.heard)
        rig.venue.push("trade", frame)
        await rig.quiet()
        for _ in range(3):
            await rig.advance(1)
        await rig.until(lambda: rig.venue.held("trade") == 1)
        await rig.quiet()
        rig.venue.trade("101.00", "0.1")
        rig.venue.change("b", "99.50", "0.700")
        await rig.until(lambda: bool(rig.heard.of(MarketTrade, before) and rig.heard.of(DepthData, before)))

    run(product, hot, scenario)


def test_a_refused_subscription_is_tried_again(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.refuse_subscribe = {"code": 2, "msg": "Invalid request: too busy"}
        rig.data.add(everything(rig))
        resumed = rig.session.loop.create_task(rig.data.resume())
        await rig.until(lambda: len(rig.venue.subscribes) >= 3)
        await rig.quiet()
        assert rig.heard.of(DepthData) == []
        rig.venue.refuse_subscribe = None
        for _ in range(6):
            await rig.advance(1)
        await rig.until(resumed.done)
        await rig.until(lambda: bool(rig.heard.of(DepthData) and rig.heard.of(TickData)))

    run(product, hot, scenario)


def test_an_unanswered_subscription_is_dialled_anew(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.answers = False
        rig.data.add(everything(rig, ticks=False, trades=False))
        resumed = rig.session.loop.create_task(rig.data.resume())
        await rig.until(lambda: len(rig.venue.subscribes) >= 1)
        rig.venue.answers = True
        for _ in range(12):
            await rig.advance(1)
        await rig.until(resumed.done)
        await rig.until(lambda: bool(rig.heard.of(DepthData)))
        assert rig.data.topics.kicks == 1

    run(product, hot, scenario)


@pytest.mark.parametrize("answers", [True, False])
def test_a_silent_connection_is_replaced_only_when_it_answers_nothing(
    product: Product, hot: bool, answers: bool
) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.answers_questions = answers
        rig.data.add(everything(rig))
        await rig.data.resume()
        await rig.quiet()
        before = len(rig.heard)
        for _ in range(25):
            await rig.advance(1)
        assert rig.venue.questions > 0
        told = [state.state for state in rig.heard.of(BookStateChanged, before)]
        if answers:
            assert told == []
        else:
            assert told[:1] == [BookState.STALE]
            await rig.until(lambda: bool(rig.heard.of(DepthData, before)))
            await rig.until(lambda: rig.data.topics.care.counts.replacements > 0)
        assert rig.data.topics.kicks == 0

    run(product, hot, scenario)


def test_silence_is_counted_by_the_clock_however_often_it_is_looked_at(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        rig.venue.quote()
        await rig.until(lambda: bool(rig.heard.of(TickData)))
        for _ in range(40):
            await rig.advance(0.1)
        assert rig.data.topics.kicks == 0, "four seconds are no long silence"

    run(product, True, scenario, poll_interval_s=0.1)


@pytest.mark.parametrize("behind", [True, False])
def test_the_connection_of_a_silent_book_is_replaced_only_when_the_venues_has_moved(
    product: Product, hot: bool, behind: bool
) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        rig.venue.change("b", "99.00", "4.000")
        await rig.until(lambda: rig.heard.of(DepthData)[-1].bids[0] == (99.0, 4.0))
        if behind:
            rig.venue.change("b", "99.50", "0.700", send=False)
        before = len(rig.heard)
        rig.session.on_stale(StreamHealth(f"book {rig.name}"))
        await rig.until(lambda: rig.venue.requests.count("depth") >= 2)
        await rig.quiet(5)
        await rig.advance(3)
        await rig.quiet(5)
        states = [state.state for state in rig.heard.of(BookStateChanged, before)]
        assert states[:1] == ([BookState.STALE] if behind else [])
        assert (rig.data.topics.kicks, rig.data.topics.care.counts.replacements) == (0, int(behind))

    run(product, hot, scenario)


def test_streams_show_their_figures(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        rig.venue.change("b", "99.00", "4.000")
        rig.venue.quote()
        await rig.until(lambda: all(rig.health.stream(f"{kind} {rig.name}").messages for kind in ("book", "ticks")))
        assert all(stream.up for stream in rig.health.snapshot(rig.clock.monotonic_ns()).streams)
        rig.data.remove(rig.name)
        assert not any(stream.up for stream in rig.health.snapshot(rig.clock.monotonic_ns()).streams)

    run(product, hot, scenario)


def test_a_snapshot_that_fails_is_asked_for_again(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.fail_depth = 2
        rig.data.add(everything(rig))
        resumed = rig.session.loop.create_task(rig.data.resume())
        await rig.until(lambda: "depth" in rig.venue.requests)
        for _ in range(6):
            await rig.advance(1)
        await rig.until(resumed.done)
        assert rig.heard.of(DepthData)

    run(product, True, scenario)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_snapshot_that_was_asked_for_before_the_stream_went_is_dropped(product: Product, comes_back: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig, ticks=False, trades=False))
        await rig.data.resume()
        answers: list[asyncio.Future[None]] = []

        async def hold() -> None:
            answers.append(rig.session.loop.create_future())
            await answers[-1]

        rig.venue.snapshot_hook = hold
        await rig.venue.drop()
        for _ in range(5):
            await rig.advance(1)
        await rig.until(lambda: len(answers) == 1)
        rig.venue.refuses_sockets = not comes_back
        await rig.venue.drop()
        await rig.until(lambda: rig.venue.held("depth@100ms") == 0)
        rig.venue.change("b", "99.50", "0.700")
        if comes_back:
            for _ in range(5):
                await rig.advance(1)
            await rig.until(lambda: len(answers) == 2)
        before = len(rig.heard)
        answers[0].set_result(None)
        await rig.quiet()
        assert rig.heard.events(before) == []
        assert rig.data.exact_book(rig.name) is None
        if comes_back:
            answers[1].set_result(None)
            await rig.until(lambda: rig.data.exact_book(rig.name) is not None)
            assert rig.heard.of(DepthData)[-1].bids[0] == (99.5, 0.7)

    run(product, True, scenario)


def test_a_snapshot_that_comes_after_unsubscribing_is_not_told(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        answers: list[asyncio.Future[None]] = []

        async def hold() -> None:
            answers.append(rig.session.loop.create_future())
            await answers[-1]

        rig.venue.snapshot_hook = hold
        rig.data.add(everything(rig, ticks=False, trades=False))
        resumed = rig.session.loop.create_task(rig.data.resume())
        await rig.until(lambda: len(answers) == 1)
        rig.data.remove(rig.name)
        before = len(rig.heard)
        answers[0].set_result(None)
        await rig.quiet()
        assert rig.heard.events(before) == []
        resumed.cancel()

    run(product, True, scenario)


def test_a_snapshot_that_is_older_than_the_changes_heard_is_never_told(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        asked = 0

        async def age() -> None:
            nonlocal asked
            asked += 1
            if asked == 1:
                rig.venue.change("b", "99.40", "0.700", send=False)
                rig.venue.change("b", "99.50", "0.700")
                await rig.quiet()

        rig.venue.snapshot_hook = age
        rig.data.add(everything(rig, ticks=False, trades=False))
        resumed = rig.session.loop.create_task(rig.data.resume())
        await rig.until(lambda: asked == 1)
        await rig.quiet(25)
        assert all(depth.bids[0] == (99.5, 0.7) for depth in rig.heard.of(DepthData))
        assert hot or [state.state for state in rig.heard.of(BookStateChanged)] == [BookState.SYNCING]
        rig.venue.change("b", "99.60", "0.700")
        await rig.until(resumed.done)
        await rig.until(lambda: (rig.data.exact_book(rig.name) or _NONE).update_id == rig.venue.update_id)
        assert rig.heard.of(DepthData)[-1].bids[:3] == ((99.6, 0.7), (99.5, 0.7), (99.4, 0.7))

    run(product, hot, scenario)


def test_a_book_that_is_asked_for_is_live_after_a_loss_though_nothing_has_changed(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        rig.data.stop()
        await rig.session.renew()
        await rig.data.resume()
        states = [state.state for state in rig.heard.of(BookStateChanged)]
        assert states == [BookState.LIVE, BookState.STALE, BookState.LIVE]
        assert len(rig.heard.of(DepthData)) == 2

    run(product, True, scenario, websocket=False)


def test_wishes_add_up_and_changes_begin_with_a_full_snapshot(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        await rig.data.resume()
        rig.data.add(everything(rig, ticks=False, trades=False, depth_levels=1))
        await rig.until(lambda: bool(rig.heard.of(DepthData)))
        before = len(rig.heard)
        rig.data.add(everything(rig, ticks=False, trades=True, depth_levels=0, depth_changes=True))
        await rig.until(lambda: bool(rig.heard.of(DepthData, before)))
        assert len(rig.heard.of(DepthData, before)[0].bids) == 2
        rig.data.publish_snapshot(rig.name)
        assert len(rig.heard.of(DepthData, before)) == 2
        assert rig.data.wanted[rig.name] == SubscribeRequest(rig.name, False, True, 1, True)

    run(product, hot, scenario)


def test_what_is_not_listed_and_what_has_no_depth_is_a_failed_request(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        await rig.data.resume()
        rig.data.add(SubscribeRequest("NOPE.BINANCE"))
        rig.data.publish_snapshot(rig.name)
        whats = [failed.what for failed in rig.heard.of(RequestFailed)]
        assert whats == ["subscribe NOPE.BINANCE", f"snapshot of {rig.name}"]
        assert "NOPE.BINANCE" not in rig.data.wanted

    run(product, hot, scenario)


def test_a_book_is_read_by_request_with_exact_figures(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        book = await rig.data.read_book(rig.name, 1)
        assert book.bids == ((Decimal("99.00"), Decimal("5.000")),)
        assert book.source == "rest"

    run(product, True, scenario)


def test_without_websockets_everything_is_asked_for(product: Product) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.venue.trade("100.00", "1.0")
        rig.data.add(everything(rig))
        await rig.data.resume()
        assert rig.heard.of(TickData)[0].last_price == 100.0
        assert rig.heard.of(DepthData)[0].bids[0] == (99.0, 5.0)
        assert rig.heard.of(MarketTrade) == []
        rig.venue.trade("101.00", "0.5")
        rig.venue.change("b", "99.50", "0.700")
        await rig.advance(1)
        await rig.until(lambda: len(rig.heard.of(DepthData)) == 2)
        await rig.advance(2)
        assert [trade.trade_id for trade in rig.heard.of(MarketTrade)] == ["1001"]
        assert len(rig.heard.of(TickData)) == 2
        assert rig.venue.sockets == {}
        assert rig.data.exact_book(rig.name) is None

    run(product, True, scenario, websocket=False)


def test_requests_stand_in_while_sockets_are_refused_and_streams_come_back_once(product: Product, hot: bool) -> None:
    async def scenario(rig: MarketRig) -> None:
        rig.data.add(everything(rig))
        await rig.data.resume()
        rig.venue.trade("101.00", "0.1")
        await rig.until(lambda: bool(rig.heard.of(MarketTrade)))
        rig.venue.refuses_sockets = True
        await rig.venue.drop()
        asked = rig.venue.requests.count("trades")
        rig.venue.trade("101.00", "0.2")
        for _ in range(60):
            await rig.advance(1)
            if rig.venue.requests.count("trades") > asked + 1:
                break
        await rig.until(lambda: len(rig.heard.of(MarketTrade)) == 2)
        rig.venue.refuses_sockets = False
        for _ in range(60):
            await rig.advance(1)
            if rig.venue.held("trade") and rig.venue.held("depth@100ms") and rig.venue.held("bookTicker"):
                break
        await rig.quiet()
        rig.venue.trade("101.00", "0.3")
        await rig.until(lambda: len(rig.heard.of(MarketTrade)) >= 3)
        await rig.quiet()
        assert [trade.size for trade in rig.heard.of(MarketTrade)] == [0.1, 0.2, 0.3]
        await rig.until(lambda: rig.data.exact_book(rig.name) is not None)
        assert [rig.venue.held(one) for one in ("trade", "bookTicker", "depth@100ms")] == [1, 1, 1]

    run(product, hot, scenario)
