"""When a book is not to be believed any more, and how it comes back: failing requests, the grid, the end of what is known, drift."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ccxt import adapter as adapter_module
from foxtrot.adapter.ccxt.venue_rows import venue_row
from foxtrot.core.notices import BookStateChanged, RequestFailed
from foxtrot.domain.enums import AdapterState, BookState, Side
from foxtrot.domain.market import REST, DepthData, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.scripted_venues.backpack import BackpackScript
from tests.support.scripted_venues.lighter import LighterScript
from tests.support.scripted_venues.scene import CcxtScene
from tests.support.scripted_venues.script import Asked, VenueScript

SECOND_NS = 1_000_000_000


class MoodyLighter(LighterScript):
    """Refuses requests for its book, or gives a price off the grid."""

    refuses = False
    off_grid = False

    def rest(self, asked: Asked) -> Any:
        if self.refuses and asked.path.endswith("orderBookOrders"):
            return {"code": 21903, "message": "market is suspended"}
        answer = super().rest(asked)
        if self.off_grid and asked.path.endswith("orderBookOrders"):
            answer["bids"][0]["price"] = "0.203511"
        return answer


class MoodyBackpack(BackpackScript):
    """Gives a snapshot off the grid."""

    off_grid = False

    def rest(self, asked: Asked) -> Any:
        answer = super().rest(asked)
        if self.off_grid and asked.path.endswith("/depth"):
            answer["bids"][0][0] = "214.071"
        return answer


@pytest.fixture
def polled() -> Iterator[tuple[CcxtScene, MoodyLighter]]:
    script = MoodyLighter()
    with CcxtScene(script, websocket=False) as scene:
        scene.connect(SubscribeRequest(scene.name, ticks=True, depth_levels=10))
        scene.until(scene.shows_truth)
        yield scene, script


def depth_of(script: VenueScript) -> SubscribeRequest:
    return SubscribeRequest(script.instrument_id, ticks=False, depth_levels=10)


def live(scene: CcxtScene) -> None:
    scene.connect(depth_of(scene.script))
    scene.until(lambda: BookState.LIVE in scene.states())


def on_loop(scene: CcxtScene, job: Callable[[], Any]) -> Any:
    """Do something on the session's thread."""

    async def do() -> Any:
        return job()

    return scene.adapter.session.bridge.submit(do()).result(5)


def entry_of(scene: CcxtScene) -> Any:
    return scene.adapter.market_data._entries[scene.name]


def pass_s(scene: CcxtScene, seconds: float, also: Callable[[], Any] = lambda: None) -> None:
    """Let the clock go so far."""
    ends_ns = scene.clock.now_ns() + int(seconds * SECOND_NS)

    def over() -> bool:
        also()
        return scene.clock.now_ns() >= ends_ns

    scene.until(over, deadline_s=30, pace=8)


def asked_depth(scene: CcxtScene) -> int:
    return len([line for line in scene.server.requests if line.endswith("/depth")])


# --- requests that fail -----------------------------------------------------------------------------------------------


def test_a_polled_book_whose_requests_are_refused_is_stale_until_they_are_not(
    polled: tuple[CcxtScene, MoodyLighter],
) -> None:
    scene, script = polled
    since = len(scene.heard)
    script.refuses = True
    scene.until(lambda: scene.states(since) == [BookState.STALE])
    assert "market is suspended" in scene.heard.of(BookStateChanged, since)[0].cause
    assert scene.adapter.best_in_memory(scene.name) is None
    script.refuses = False
    scene.until(lambda: scene.states(since) == [BookState.STALE, BookState.LIVE])
    assert scene.shows_truth()
    assert scene.heard.of(TickData)[-1].source == REST
    assert scene.heard.states()[-1] is AdapterState.READY


def test_a_polled_book_off_the_grid_is_stale_at_once_and_told_once(polled: tuple[CcxtScene, MoodyLighter]) -> None:
    scene, script = polled
    since = len(scene.heard)
    script.off_grid = True
    scene.until(lambda: scene.states(since) == [BookState.STALE])
    depths = len(scene.heard.of(DepthData))
    pass_s(scene, 5)
    assert [told.what for told in scene.heard.of(RequestFailed)] == [f"book of {scene.name}"]
    assert len(scene.heard.of(DepthData)) == depths
    script.off_grid = False
    scene.until(lambda: scene.states(since) == [BookState.STALE, BookState.LIVE])


def test_a_snapshot_off_the_grid_is_asked_for_again_slowly() -> None:
    script = MoodyBackpack()
    script.off_grid = True
    with CcxtScene(script) as scene:
        scene.adapter.subscribe(depth_of(script))
        scene.adapter.connect()
        scene.until(lambda: scene.heard.of(RequestFailed))
        asked = asked_depth(scene)
        pass_s(scene, 35)
        assert asked_depth(scene) - asked == 1
        assert [told.what for told in scene.heard.of(RequestFailed)] == [f"book of {scene.name}"]
        script.off_grid = False
        scene.until(lambda: scene.is_true(scene.book()), deadline_s=30, pace=4)


# --- lists of orders --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_where_orders_are_listed_a_few_levels_have_their_whole_size(levels: int) -> None:
    with CcxtScene(LighterScript()) as scene:
        scene.connect()
        book = scene.adapter.get_order_book_depth(scene.name, levels)
        bids, asks = scene.script.book()
        assert (book.bids, book.asks) == (bids[:levels], asks[:levels])


def test_where_orders_are_listed_polled_depth_is_as_deep_as_wanted() -> None:
    with CcxtScene(LighterScript(), websocket=False) as scene:
        scene.connect(SubscribeRequest(scene.name, ticks=True, depth_levels=2))
        scene.until(lambda: scene.heard.of(DepthData) and scene.heard.of(TickData))
        bids, _ = scene.script.book()
        told = scene.heard.of(DepthData)[-1].bids
        assert [(Decimal(repr(price)), Decimal(repr(size))) for price, size in told] == list(bids[:2])
        assert scene.heard.of(TickData)[-1].bid_size == float(bids[0][1])


def test_where_orders_are_listed_a_quiet_book_has_not_fallen_behind() -> None:
    with CcxtScene(LighterScript()) as scene:
        live(scene)
        asked = scene.adapter.session.bridge.submit(
            scene.adapter.market_data.fetching.has_fallen_behind(entry_of(scene), of_book=True)
        )
        scene.until(asked.done)
        assert asked.result() is False


# --- how far a book is known ------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[CcxtScene]:
    """Connect to a venue that gives three levels by a request, of four that it has."""
    row = venue_row("backpack")
    assert row is not None
    monkeypatch.setattr(adapter_module, "venue_row", lambda _exchange: msgspec.structs.replace(row, rest_levels=3))
    with CcxtScene(BackpackScript(), audit_interval_s=0) as scene:
        live(scene)
        yield scene


def test_a_book_whose_market_moves_away_is_renewed_while_it_stays_live(narrow: CcxtScene) -> None:
    book = narrow.book()
    assert book is not None
    assert book.bids == narrow.script.book()[0][:3]
    since, asked = len(narrow.heard), asked_depth(narrow)
    for price in ("218.58", "218.50"):
        narrow.server.push("book", narrow.script.change(Side.BUY, price, "0"))
    narrow.until(lambda: asked_depth(narrow) > asked)
    narrow.until(lambda: (now := narrow.book()) is not None and now.bids == narrow.script.book()[0])
    assert narrow.states(since) == []
    assert asked_depth(narrow) == asked + 1


def test_a_book_whose_market_has_left_what_is_known_begins_anew(narrow: CcxtScene) -> None:
    since = len(narrow.heard)
    for price in ("218.58", "218.50", "218.12"):
        narrow.server.push("book", narrow.script.change(Side.BUY, price, "0"))
    narrow.until(lambda: narrow.states(since) == [BookState.SYNCING, BookState.LIVE])
    assert "beyond the levels that are known" in narrow.heard.of(BookStateChanged, since)[0].cause
    book = narrow.book()
    assert book is not None
    assert book.bids == narrow.script.book()[0]


def test_a_book_that_is_pushed_is_subscribed_anew_when_its_market_has_left_what_is_known() -> None:
    with CcxtScene(LighterScript()) as scene:
        live(scene)
        since = len(scene.heard)
        on_loop(scene, lambda: setattr(entry_of(scene).book.book, "lowest_known", 10**9))
        scene.until(lambda: scene.states(since) == [BookState.SYNCING, BookState.LIVE])
        assert scene.is_true(scene.book())
        asked = [frame for frame in scene.server.heard if frame == {"type": "subscribe", "channel": "order_book/36"}]
        assert len(asked) == 2


# --- audits -----------------------------------------------------------------------------------------------------------


def test_a_book_is_compared_with_a_fresh_snapshot_now_and_then() -> None:
    with CcxtScene(BackpackScript(), audit_interval_s=10) as scene:
        live(scene)
        since = len(scene.heard)
        pass_s(scene, 25)
        figures = scene.adapter.health().books[scene.name]
        assert (figures.audits, figures.audits_failed, figures.match_score) == (2, 0, 1.0)
        assert scene.states(since) == []


def test_a_book_that_has_drifted_is_found_out_and_begins_anew() -> None:
    with CcxtScene(BackpackScript(), audit_interval_s=10) as scene:
        live(scene)
        since = len(scene.heard)
        scene.script.set_level(Side.BUY, "218.50", "9.99")  # no frame, and no id, says so
        scene.until(lambda: scene.states(since) == [BookState.SYNCING, BookState.LIVE])
        assert scene.is_true(scene.book())
        figures = scene.adapter.health().books[scene.name]
        assert (figures.audits, figures.audits_failed) == (1, 1)
        assert figures.match_score is not None
        assert figures.match_score < 1.0


def test_without_an_interval_nothing_is_audited() -> None:
    with CcxtScene(BackpackScript(), audit_interval_s=0) as scene:
        live(scene)
        asked = asked_depth(scene)
        pass_s(scene, 25)
        assert scene.adapter.health().books[scene.name].audits == 0
        assert asked_depth(scene) == asked


# --- gap after gap ----------------------------------------------------------------------------------------------------


def lose_one(scene: CcxtScene) -> None:
    """Let the book show a gap whenever it is whole."""
    if scene.book() is not None:
        scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])  # lost
        scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[1]))


@pytest.mark.parametrize("script", [BackpackScript, LighterScript], ids=["backpack", "lighter"])
def test_a_book_that_is_lost_again_and_again_is_fetched_ever_slower(script: type[VenueScript]) -> None:
    with CcxtScene(script()) as scene:
        live(scene)
        scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0]))
        scene.until(lambda: scene.is_true(scene.book()))
        since = len(scene.heard)
        pass_s(scene, 60, lambda: lose_one(scene))
        assert 4 <= scene.states(since).count(BookState.LIVE) <= 9
