"""What ccxt.pro makes of a venue's faults by itself is to hang, mostly: what the adapter makes of them, on one venue."""

from collections.abc import Iterator
from typing import Any

import pytest

from foxtrot.core.notices import AdapterStatus, RequestFailed
from foxtrot.domain.enums import AdapterState, BookState, Side
from foxtrot.domain.market import MarketTrade
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.scripted_venues.lighter import LighterScript
from tests.support.scripted_venues.scene import CcxtScene

ERROR = {"error": {"code": 30005, "message": "Invalid Channel:  (marketId)"}}


class StubbornScript(LighterScript):
    """Refuses to serve some streams, or does not answer for them."""

    refused: frozenset[str] = frozenset()
    unheard: frozenset[str] = frozenset()
    disturbed: frozenset[str] = frozenset()

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Refuse by an error without a number, as Lighter does, which ccxt hands to everybody."""
        name = str(frame.get("channel", "")).partition("/")[0]
        if name in self.unheard:
            return []
        if name in self.refused and frame["type"] == "subscribe":
            return [ERROR]
        return [ERROR] * (name in self.disturbed) + super().hear(frame, subscribed)


@pytest.fixture
def script() -> StubbornScript:
    return StubbornScript()


@pytest.fixture
def scene(script: StubbornScript) -> Iterator[CcxtScene]:
    with CcxtScene(script) as made:
        yield made


def everything(scene: CcxtScene) -> SubscribeRequest:
    return SubscribeRequest(scene.name, ticks=True, trades=True, depth_levels=10)


def live(scene: CcxtScene) -> None:
    scene.connect(everything(scene))
    scene.until(lambda: scene.is_true(scene.book()))
    scene.until(lambda: scene.server.subscribed("trade") == 1)


def chat(scene: CcxtScene) -> bool:
    """Let the connection say something else, so that nobody drops it for its silence."""
    scene.server.push("trade", scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[0])[1])
    return False


def _asked(scene: CcxtScene, channel: str) -> list[Any]:
    return [frame for frame in scene.server.heard if frame.get("channel") == channel]


def goes_on(scene: CcxtScene) -> None:
    """See that book and prints come."""
    since = len(scene.heard)
    scene.until(lambda: scene.server.subscribed("trade") == 1)
    scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0]))
    trade_id, frame = scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[0])
    scene.server.push("trade", frame)
    scene.until(lambda: scene.is_true(scene.book()))
    scene.until(lambda: trade_id in [one.trade_id for one in scene.heard.of(MarketTrade, since)])


@pytest.mark.parametrize(
    "frame",
    [
        "no JSON at all",
        {"channel": "order_book:36", "type": "update/order_book"},
        {"channel": "trade:36", "type": "update/trade", "trades": [{"price": "much"}]},
        [],
        {"channel": "order_book:36", "type": "update/order_book", "order_book": None},
    ],
    ids=["text", "no book", "no price", "list", "null"],
)
def test_a_frame_that_cannot_be_read_harms_nobody(scene: CcxtScene, frame: Any) -> None:
    live(scene)
    scene.server.push("book", frame)
    goes_on(scene)
    assert scene.heard.states()[-1] is AdapterState.READY


def test_a_subscription_that_is_not_answered_is_asked_for_again(script: StubbornScript, scene: CcxtScene) -> None:
    script.unheard = frozenset({"order_book"})
    scene.connect(everything(scene))
    scene.until(lambda: scene.adapter.market_data.topics.kicks > 0 or chat(scene))
    assert scene.book() is None
    script.unheard = frozenset()
    goes_on(scene)


def test_one_refused_stream_is_told_and_the_others_go_on(script: StubbornScript, scene: CcxtScene) -> None:
    script.refused = frozenset({"ticker"})
    scene.connect(everything(scene))
    scene.until(lambda: scene.arrive() or scene.heard.of(RequestFailed), deadline_s=60, pace=4)
    (told,) = scene.heard.of(RequestFailed)
    assert told.what == f"stream quote of {scene.name}"
    assert "Invalid Channel" in told.error
    goes_on(scene)
    asked, until_ns = len(_asked(scene, "ticker/36")), scene.clock.now_ns() + 60_000_000_000
    scene.until(lambda: scene.clock.now_ns() > until_ns or chat(scene), pace=8)
    assert len(_asked(scene, "ticker/36")) - asked <= 30, "it is asked for again without a pause"


def test_a_book_that_is_refused_for_a_while_comes_later(script: StubbornScript, scene: CcxtScene) -> None:
    script.refused = frozenset({"order_book"})
    scene.connect(SubscribeRequest(scene.name, ticks=False, depth_levels=10))
    scene.until(lambda: scene.adapter.market_data.topics.restarts > 1)
    script.refused = frozenset()
    scene.until(lambda: scene.is_true(scene.book()), deadline_s=30)
    assert scene.adapter.market_data.topics.kicks == 0


def test_an_error_of_another_stream_harms_none_that_waits_for_its_answer(
    script: StubbornScript, scene: CcxtScene
) -> None:
    script.disturbed = frozenset({"order_book", "trade"})
    live(scene)
    goes_on(scene)
    topics = scene.adapter.market_data.topics
    assert (topics.restarts, topics.kicks) == (0, 0)
    assert scene.states() == [BookState.SYNCING, BookState.LIVE]


def test_a_connection_that_stands_and_says_nothing_is_dropped(scene: CcxtScene) -> None:
    live(scene)
    since, kicks = len(scene.heard), scene.adapter.market_data.topics.kicks
    scene.until(lambda: scene.adapter.market_data.topics.kicks > kicks, pace=8)
    scene.until(lambda: BookState.STALE in scene.states(since))
    goes_on(scene)


def test_a_stream_that_is_silent_while_its_market_is_not_is_found_out(scene: CcxtScene) -> None:
    live(scene)
    size = iter(range(1, 10_000))

    def moves() -> bool:
        """Let the market move where nobody hears it, and the connection say something that proves nothing."""
        scene.script.change(Side.BUY, scene.script.price[0], f"{next(size)}.0")
        scene.server.push("trade", scene.script.trade(Side.BUY, scene.script.price[1], scene.script.size[0])[1])
        return scene.adapter.market_data.topics.kicks > 0

    scene.until(moves, deadline_s=40, pace=8)
    goes_on(scene)


def test_a_venue_that_answers_no_request_costs_the_link_until_it_does(scene: CcxtScene) -> None:
    live(scene)
    scene.server.refuses = 503
    scene.server.fails = 500
    scene.server.close_sockets()
    scene.until(lambda: AdapterState.LOST in scene.heard.states(), deadline_s=60)
    assert scene.book() is None
    scene.server.refuses = scene.server.fails = 0
    scene.until(lambda: scene.heard.states()[-1] is AdapterState.READY, deadline_s=60)
    goes_on(scene)
    assert scene.adapter.health().breakers == {"requests": "closed", "market": "closed"}


def test_a_venue_that_is_not_there_is_dialled_until_it_is(scene: CcxtScene) -> None:
    scene.server.fails = 500
    scene.adapter.subscribe(everything(scene))
    scene.adapter.connect()
    scene.until(lambda: scene.heard.states().count(AdapterState.CONNECTING) > 2)
    states = [state for state in scene.heard.states() if state is not AdapterState.CONNECTING]
    assert set(states) == {AdapterState.LOST, AdapterState.BACKING_OFF}
    scene.server.fails = 0
    scene.until(lambda: AdapterState.READY in scene.heard.states(), deadline_s=60)
    goes_on(scene)


def test_ready_is_told_once_more_by_rest_and_when_the_streams_are_back(scene: CcxtScene) -> None:
    live(scene)
    since = len(scene.heard)
    scene.server.refuses = 503
    scene.server.close_sockets()
    scene.until(lambda: scene.heard.of(AdapterStatus, since), deadline_s=60)
    told = scene.heard.of(AdapterStatus, since)[0]
    assert (told.state, told.cause) == (AdapterState.READY, "by REST: the venue's streams cannot be had")
    scene.server.refuses = 0
    scene.until(lambda: scene.heard.of(AdapterStatus)[-1].cause == "", deadline_s=60)
    goes_on(scene)


def test_a_print_that_came_while_the_connection_was_away_is_told_after(scene: CcxtScene) -> None:
    live(scene)
    goes_on(scene)
    since = len(scene.heard)
    scene.server.close_sockets()
    scene.script.trade_id += 1  # type: ignore[attr-defined]  # what the venue then lists as the last one
    scene.script.time_ms += 5  # type: ignore[attr-defined]
    missed = str(scene.script.trade_id)  # type: ignore[attr-defined]
    scene.until(lambda: missed in [one.trade_id for one in scene.heard.of(MarketTrade, since)], deadline_s=30)
    goes_on(scene)
    ids = [one.trade_id for one in scene.heard.of(MarketTrade)]
    assert len(set(ids)) == len(ids)


def test_closing_leaves_no_socket_and_is_done_once(scene: CcxtScene) -> None:
    live(scene)
    assert scene.adapter.close() == ""
    assert scene.adapter.close() == ""
    scene.until(lambda: scene.server.sockets == 0)
    assert scene.heard.states()[-1] is AdapterState.CLOSED
    assert scene.heard.states().count(AdapterState.CLOSED) == 1
    scene.adapter.subscribe(everything(scene))
    assert scene.heard.of(RequestFailed)[-1].error == "the adapter is closed"
