"""A network without WebSockets: everything comes by REST meanwhile, orders work, and the streams come back once, nothing doubled."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from foxtrot.core.notices import BookStateChanged, RequestFailed, TradesLoaded
from foxtrot.domain.enums import AdapterState, BookState, OrderStatus, Product, Side
from foxtrot.domain.market import REST, STREAM, DepthData, MarketTrade, TickData
from foxtrot.domain.order import CancelRequest, OrderData, TradeData
from foxtrot.exchange.faults import Fault
from tests.support.rest_scene import REFUSED_S, Scene
from tests.support.waiting import wait_until


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with Scene(request.param) as made:
        yield made


def sources(events: list[Any]) -> set[str]:
    return {event.source for event in events}


def all_comes_by_rest(scene: Scene) -> None:
    """Trade for some seconds while nothing can stream, and look at what is told."""
    since = len(scene.heard)
    resting = scene.order(quantity=5_000, price=9_950)
    cancelled = scene.order(quantity=1_000, price=9_800)
    scene.adapter.send_order(resting)
    scene.adapter.send_order(cancelled)
    scene.second()
    assert [order.status for order in scene.heard.reports(resting.order_id)] == [OrderStatus.ACCEPTED]
    scene.take(Side.SELL, 5_000)
    scene.adapter.cancel_order(CancelRequest(cancelled.order_id, scene.account, scene.spot.instrument_id))
    for _ in range(4):
        scene.second()
    told = scene.heard.reports(resting.order_id)
    assert [order.status for order in told] == [OrderStatus.ACCEPTED, OrderStatus.FILLED]
    assert told[-1].source == REST
    assert scene.heard.reports(cancelled.order_id)[-1].status is OrderStatus.CANCELLED
    fills = [fill for fill in scene.heard.of(TradeData, since) if fill.order_id == resting.order_id]
    assert sources(fills) == {REST}
    assert sum(fill.quantity for fill in fills) == scene.spot.quantity(resting.quantity_units)
    for fact in (TickData, MarketTrade, DepthData):
        assert sources(scene.heard.of(fact, since)) == {REST}, fact
    book = scene.adapter.get_order_book_depth(scene.spot.instrument_id, 5)
    assert book.source == REST
    assert scene.adapter.health().breakers["user"] != "closed"


def all_streams_again(scene: Scene, before: Counter[str]) -> None:
    """Let the rest of the minute pass, and look whether everything streams as before, once."""
    for _ in range(REFUSED_S + 15):
        scene.second()
    assert (scene.last_state(), scene.status().cause) == (AdapterState.READY, "")
    assert scene.adapter.health().breakers == {"user": "closed", "market": "closed", "requests": "closed"}
    assert scene.streams_served() == before or not before
    assert set(scene.streams_served().values()) == {1}
    book = scene.adapter.get_order_book_from_websocket(scene.spot.instrument_id)
    assert book is not None
    assert scene.heard.of(BookStateChanged)[-1].state is BookState.LIVE
    bids, asks = scene.book()
    units = scene.spot.price_grid, scene.spot.quantity_grid
    for told, true in ((book.bids, bids), (book.asks, asks)):
        assert list(told) == [(units[0].to_decimal(price), units[1].to_decimal(size)) for price, size in true]
    since = len(scene.heard)
    rounds = scene.binance.trading.polling.rounds
    later = scene.order(quantity=1_000, price=9_950)
    scene.adapter.send_order(later)
    scene.second()
    scene.take(Side.SELL, 1_000)
    scene.second()
    assert scene.heard.reports(later.order_id)[-1].status is OrderStatus.FILLED
    for fact in (TickData, MarketTrade, DepthData, OrderData, TradeData):
        assert sources(scene.heard.of(fact, since)) == {STREAM}, fact
    assert scene.binance.trading.polling.rounds == rounds, "the account is still asked for"


def nothing_is_doubled(scene: Scene) -> None:
    """Look at everything that was told since the beginning."""
    prints = Counter(trade.trade_id for trade in scene.heard.of(MarketTrade))
    assert max(prints.values(), default=1) == 1
    fills = Counter((fill.trade_id, fill.order_id) for fill in scene.heard.of(TradeData))
    assert max(fills.values()) == 1
    listed = {fill.trade_id for loaded in scene.heard.of(TradesLoaded) for fill in loaded.trades}
    assert {fill[0] for fill in fills} | listed == {fill[0] for fill in scene.fills()}
    states = Counter((one.order_id, one.status, one.filled_quantity) for one in scene.heard.of(OrderData))
    assert max(states.values()) == 1
    assert [failed.what for failed in scene.heard.of(RequestFailed)] == []


def test_refused_when_it_connects(scene: Scene) -> None:
    scene.refuse()
    scene.want()
    scene.connect_and_wait()
    assert scene.status().cause.startswith("by REST: ")
    all_comes_by_rest(scene)
    all_streams_again(scene, Counter())
    nothing_is_doubled(scene)


def test_refused_in_the_middle_of_trading(scene: Scene) -> None:
    scene.want()
    scene.connect_and_wait()
    scene.second()
    served = scene.streams_served()
    before = scene.order(quantity=3_000, price=9_940)
    scene.adapter.send_order(before)
    scene.second()
    scene.refuse()
    scene.server.inject(Fault(kind="reset", count=0, for_s=0.5))
    wait_until(lambda: scene.last_state() is AdapterState.BACKING_OFF)
    scene.take(Side.SELL, 1_000)
    scene.until_ready()
    assert AdapterState.LOST in scene.heard.states()
    assert scene.status().cause.startswith("by REST: ")
    all_comes_by_rest(scene)
    all_streams_again(scene, served)
    nothing_is_doubled(scene)


def test_an_order_that_fills_all_the_while_is_told_fill_by_fill(scene: Scene) -> None:
    scene.connect_and_wait()
    order = scene.order(quantity=100_000, price=9_950)
    scene.adapter.send_order(order)
    scene.second()
    filled = 0
    for second in range(REFUSED_S + 20):
        if second == 5:
            scene.refuse()
            scene.server.inject(Fault(kind="reset", count=0, for_s=0.5))
        if second > 10 and not scene.status().cause and scene.last_state() is AdapterState.READY:
            break  # the last fill was in the second in which the stream came back: only the questions tell of it
        scene.take(Side.SELL, 100)
        filled += 100
        scene.second()
    assert (scene.last_state(), scene.status().cause) == (AdapterState.READY, "")
    assert AdapterState.LOST in scene.heard.states()
    nothing_is_doubled(scene)
    told = scene.heard.reports(order.order_id)[-1]
    assert told.filled_quantity == scene.spot.quantity(order.quantity_units // 100_000 * filled)
