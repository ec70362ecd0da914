"""The questions of the interface in three states: not connected, connected and not ready, connected and ready."""

from collections.abc import Iterator

import pytest

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.market import REST
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.scripted_venues.aster import AsterScript
from tests.support.scripted_venues.hyperliquid import HyperliquidScript
from tests.support.scripted_venues.lighter import LighterScript
from tests.support.scripted_venues.scene import CcxtScene

SCRIPTS = {"lighter": LighterScript, "hyperliquid": HyperliquidScript, "aster": AsterScript}
WITH_BOOK = ["lighter", "hyperliquid"]


@pytest.fixture(params=list(SCRIPTS))
def scene(request: pytest.FixtureRequest) -> Iterator[CcxtScene]:
    with CcxtScene(SCRIPTS[request.param]()) as made:
        yield made


def wish(scene: CcxtScene) -> SubscribeRequest:
    return SubscribeRequest(scene.name, ticks=True, depth_levels=10)


def nothing_in_memory(adapter: BaseAdapter, name: str) -> None:
    assert adapter.get_order_book_from_websocket(name) is None
    assert adapter.get_best_bid_offer(name) is None


def test_not_connected(scene: CcxtScene) -> None:
    scene.adapter.subscribe(wish(scene))
    nothing_in_memory(scene.adapter, scene.name)
    with pytest.raises(AdapterError, match="not connected"):
        scene.adapter.get_order_book_depth(scene.name, 5)


def test_connected_and_not_ready_the_book_is_asked_for(scene: CcxtScene) -> None:
    scene.server.deaf = True
    scene.adapter.subscribe(wish(scene))
    scene.adapter.connect()
    scene.until(lambda: scene.adapter.session.linked and scene.server.sockets)
    assert scene.book() is None
    book = scene.adapter.get_order_book_depth(scene.name, 50)
    assert (book.source, scene.is_true(book)) == (REST, True)


def test_connected_and_ready_the_book_comes_from_the_stream_where_it_has_one(scene: CcxtScene) -> None:
    scene.connect(wish(scene))
    scene.until(lambda: scene.adapter.get_best_bid_offer(scene.name) is not None)
    best = scene.adapter.get_best_bid_offer(scene.name)
    bids, asks = scene.script.book()
    assert best is not None
    assert (best.bid, best.bid_size, best.ask, best.ask_size) == (*bids[0], *asks[0])
    if scene.script.exchange in WITH_BOOK:
        scene.until(lambda: scene.book() is not None)
        assert scene.adapter.get_order_book_depth(scene.name, 50).source == "stream"
    else:
        assert scene.book() is None, "Aster's stream has the best prices, not the book"
        assert scene.adapter.get_order_book_depth(scene.name, 50).source == REST
    assert scene.is_true(scene.adapter.get_order_book_depth(scene.name, 50))
    figures = scene.adapter.health().book_paths
    assert figures["stream" if scene.script.exchange in WITH_BOOK else "rest"].count >= 1


def test_a_lost_link_has_nothing_in_memory(scene: CcxtScene) -> None:
    scene.connect(wish(scene))
    scene.until(lambda: scene.adapter.get_best_bid_offer(scene.name) is not None)
    scene.server.refuses = 503
    scene.server.close_sockets()
    scene.until(lambda: scene.adapter.get_order_book_from_websocket(scene.name) is None)
    scene.adapter.close()
    nothing_in_memory(scene.adapter, scene.name)
    with pytest.raises(AdapterError):
        scene.adapter.get_order_book_depth(scene.name, 5)
