"""Every venue with a row, by unmodified ccxt.pro against a scripted server: subscribe, snapshot, updates, gap, reconnect, REST."""

from collections.abc import Iterator
from importlib import import_module
from itertools import cycle

import pytest

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.venue_rows import venue_rows
from foxtrot.core.notices import ContractsLoaded, RequestFailed
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.market import REST, STREAM, DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.scripted_venues.scene import CcxtScene
from tests.support.scripted_venues.script import VenueScript

ALL = sorted(venue_rows())
WITH_BOOK = [name for name in ALL if venue_rows()[name].book is BookKind.FULL]
WITH_CHANGES = [name for name in WITH_BOOK if venue_rows()[name].rule is not None]


def a_script(exchange: str) -> VenueScript:
    made: VenueScript = import_module(f"tests.support.scripted_venues.{exchange}").SCRIPT()
    return made


def everything(script: VenueScript) -> SubscribeRequest:
    return SubscribeRequest(script.instrument_id, ticks=True, trades=True, depth_levels=50)


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[CcxtScene]:
    with CcxtScene(a_script(request.param)) as made:
        yield made


def live(scene: CcxtScene, request: SubscribeRequest | None = None) -> None:
    """Connect, and wait for the whole book."""
    scene.connect(request or everything(scene.script))
    scene.until(lambda: scene.is_true(scene.book()))


def stir(scene: CcxtScene, size: str) -> bool:
    """Let the venue change its book once."""
    scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], size))
    return False


def chat(scene: CcxtScene) -> bool:
    """Let the connection say something else, so that nobody drops it for its silence."""
    scene.server.push("trade", scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[0])[1])
    return False


@pytest.mark.parametrize("scene", ALL, indirect=True)
def test_the_market_is_listed_with_its_grids(scene: CcxtScene) -> None:
    scene.connect()
    listed = scene.heard.of(ContractsLoaded)[0].instruments
    found = next(one for one in listed if one.instrument_id == scene.name)
    for text in scene.script.price:
        found.price_grid.from_decimal(text)
    for text in scene.script.size:
        found.quantity_grid.from_decimal(text)


@pytest.mark.parametrize("scene", WITH_BOOK, indirect=True)
def test_the_book_is_the_venues_and_follows_it(scene: CcxtScene) -> None:
    live(scene)
    assert scene.states() == [BookState.SYNCING, BookState.LIVE]
    bid, ask = scene.script.price
    for side, price, size in (
        (Side.BUY, bid, scene.script.size[0]),
        (Side.SELL, ask, scene.script.size[1]),
        (Side.BUY, bid, scene.script.size[1]),
        (Side.SELL, ask, "0"),
    ):
        scene.server.push("book", scene.script.change(side, price, size))
        scene.until(lambda: scene.is_true(scene.book()))
    scene.until(scene.shows_truth)
    assert BookState.SYNCING not in scene.states()[1:]
    assert scene.heard.of(DepthData)[-1].source == STREAM


@pytest.mark.parametrize("scene", WITH_CHANGES, indirect=True)
def test_changes_follow_a_snapshot(scene: CcxtScene) -> None:
    live(scene, SubscribeRequest(scene.name, ticks=False, depth_changes=True))
    scene.until(lambda: scene.heard.of(DepthData))
    for size in scene.script.size:
        scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], size))
    scene.until(lambda: len(scene.heard.of(DepthChange)) == 2)
    first, second = scene.heard.of(DepthChange)
    assert first.previous_update_id == scene.heard.of(DepthData)[-1].update_id
    assert second.previous_update_id == first.last_update_id


@pytest.mark.parametrize("scene", WITH_CHANGES, indirect=True)
def test_a_gap_is_told_first_and_mended(scene: CcxtScene) -> None:
    if not scene.script.has_gaps:
        pytest.skip(f"{scene.script.exchange} gives nothing by which a lost change shows")
    live(scene)
    scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[1]))
    scene.until(lambda: scene.is_true(scene.book()))
    since = len(scene.heard)
    scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])  # lost
    scene.server.push("book", scene.script.change(Side.SELL, scene.script.price[1], scene.script.size[1]))
    scene.until(lambda: BookState.SYNCING in scene.states(since))
    scene.until(lambda: scene.is_true(scene.book()) or chat(scene))
    assert scene.states(since)[0] is BookState.SYNCING
    assert scene.states(since)[-1] is BookState.LIVE
    scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], "0"))
    scene.until(lambda: scene.is_true(scene.book()))


@pytest.mark.parametrize("scene", WITH_BOOK, indirect=True)
def test_a_lost_connection_leaves_no_book_until_there_is_a_fresh_one(scene: CcxtScene) -> None:
    live(scene)
    since = len(scene.heard)
    scene.server.close_sockets()
    scene.until(lambda: BookState.STALE in scene.states(since))
    scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])  # nobody hears it
    scene.until(lambda: scene.is_true(scene.book()))
    assert scene.states(since)[0] is BookState.STALE
    assert scene.states(since)[-1] is BookState.LIVE
    assert scene.server.subscribed("book") == 1


@pytest.mark.parametrize("scene", ALL, indirect=True)
def test_ticks_and_prints_come_by_stream(scene: CcxtScene) -> None:
    scene.connect(everything(scene.script))
    scene.until(lambda: scene.server.subscribed("trade") == 1)
    since = len(scene.heard)
    trade_id, frame = scene.script.trade(Side.SELL, scene.script.price[0], scene.script.size[0])
    scene.server.push("trade", frame)
    scene.until(lambda: scene.heard.of(MarketTrade, since))
    told = scene.heard.of(MarketTrade, since)[0]
    expected = (scene.name, trade_id, float(scene.script.price[0]), float(scene.script.size[0]), Side.SELL, STREAM)
    assert (told.instrument_id, told.trade_id, told.price, told.size, told.aggressor, told.source) == expected
    scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[1]))
    if "quote" in scene.script.streams:
        scene.server.push("quote", scene.script.quote())
    best = scene.script.book()[0][0]
    scene.until(lambda: [one for one in scene.heard.of(TickData, since) if one.bid_price == float(best[0])])
    scene.until(lambda: scene.adapter.get_best_bid_offer(scene.name) is not None)
    found = scene.adapter.get_best_bid_offer(scene.name)
    assert found is not None
    assert (found.bid, found.bid_size) == best


@pytest.mark.parametrize("scene", ALL, indirect=True)
def test_a_print_that_comes_twice_is_told_once(scene: CcxtScene) -> None:
    scene.connect(SubscribeRequest(scene.name, ticks=False, trades=True))
    scene.until(lambda: scene.server.subscribed("trade") == 1)
    first, frame = scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[0])
    scene.server.push("trade", frame)
    scene.server.push("trade", frame)
    last, other = scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[1])
    scene.server.push("trade", other)
    scene.until(lambda: last in [one.trade_id for one in scene.heard.of(MarketTrade)])
    assert [one.trade_id for one in scene.heard.of(MarketTrade) if one.trade_id in (first, last)] == [first, last]


@pytest.mark.parametrize("scene", ALL, indirect=True)
def test_a_book_can_be_asked_for(scene: CcxtScene) -> None:
    scene.connect()
    book = scene.adapter.get_order_book_depth(scene.name, 50)
    assert book.source == REST
    assert scene.is_true(book)
    assert scene.book() is None


@pytest.mark.parametrize("exchange", ALL)
def test_without_websockets_everything_comes_by_rest_until_they_are_back(exchange: str) -> None:
    with CcxtScene(a_script(exchange)) as scene:
        scene.server.refuses = 503
        scene.connect(everything(scene.script))
        scene.until(lambda: scene.adapter.health().breakers["market"] != "closed", deadline_s=30)
        scene.until(lambda: [one for one in scene.heard.of(DepthData) if one.source == REST])
        scene.until(lambda: [one for one in scene.heard.of(TickData) if one.source == REST])
        scene.until(scene.shows_truth)
        assert scene.book() is None
        scene.server.refuses = 0
        since = len(scene.heard)
        scene.until(lambda: scene.server.subscribed("trade") == 1, deadline_s=60)
        if exchange in WITH_BOOK:
            scene.until(lambda: scene.is_true(scene.book()), deadline_s=60)
            assert scene.states(since)[-1] is BookState.LIVE
        scene.until(lambda: scene.adapter.health().breakers["market"] == "closed")


@pytest.mark.parametrize("exchange", WITH_BOOK)
def test_a_book_that_ccxt_keeps_is_the_venues_too(exchange: str) -> None:
    with CcxtScene(a_script(exchange), book="ccxt") as scene:
        scene.connect(everything(scene.script))
        sizes = cycle(scene.script.size)
        for _ in range(3):
            scene.until(lambda: scene.is_true(scene.book()) or stir(scene, next(sizes)))
            stir(scene, next(sizes))
        scene.until(lambda: scene.is_true(scene.book()))
        assert scene.adapter.health().books[scene.name].implementation == "ccxt"


@pytest.mark.parametrize("scene", ALL, indirect=True)
def test_unsubscribing_ends_what_was_streamed(scene: CcxtScene) -> None:
    scene.connect(everything(scene.script))
    scene.until(lambda: scene.server.subscribed("trade") == 1)
    scene.adapter.unsubscribe(scene.name)
    scene.until(lambda: not scene.adapter.market_data.wanted)
    scene.until(lambda: not any(scene.server.subscribed(stream) for stream in scene.script.streams))
    assert scene.book() is None
    assert scene.adapter.get_best_bid_offer(scene.name) is None
    assert scene.heard.of(RequestFailed) == []


@pytest.mark.parametrize("scene", ALL, indirect=True)
def test_who_comes_back_gets_everything_anew(scene: CcxtScene) -> None:
    scene.connect(everything(scene.script))
    scene.until(lambda: scene.server.subscribed("trade") == 1)
    for _ in range(2):
        scene.adapter.unsubscribe(scene.name)
        scene.adapter.subscribe(everything(scene.script))
    since = len(scene.heard)
    scene.until(lambda: scene.shows_truth(since), deadline_s=30)
    trade_id = ""

    def comes() -> bool:
        nonlocal trade_id
        found = [one.trade_id for one in scene.heard.of(MarketTrade, since)]
        if trade_id not in found:
            trade_id, frame = scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[0])
            scene.server.push("trade", frame)
        return trade_id in found

    scene.until(comes, deadline_s=30)
    found = [one.trade_id for one in scene.heard.of(MarketTrade)]
    assert len(set(found)) == len(found)


def test_asters_twenty_levels_are_streamed_and_never_count_as_the_book() -> None:
    with CcxtScene(a_script("aster")) as scene:
        scene.connect(everything(scene.script))
        scene.until(scene.shows_truth)
        scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0]))
        scene.until(scene.shows_truth)
        assert scene.heard.of(DepthData)[-1].source == STREAM
        assert scene.adapter.health().books[scene.name].implementation == "partial"
        assert scene.book() is None
