"""An exchange without a row, market data only: ccxt's own book, bars, history, and what is asked of an account."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from loguru import logger

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt import adapter as adapter_module
from foxtrot.core.notices import (
    AdapterStatus,
    BookLoaded,
    ContractsLoaded,
    HistoryLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, BookState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.market import STREAM, BarData, DepthData, MarketTrade, TickData
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.scripted_venues.lighter import LighterScript
from tests.support.scripted_venues.scene import START_NS, CcxtScene

NAME = "CRVUSDC.LIGHTER_SWAP"
MINUTE_NS = 60_000_000_000


class UnknownScript(LighterScript):
    """Lighter, as if nobody had looked at it."""

    instrument_id = NAME


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[CcxtScene]:
    monkeypatch.setattr(adapter_module, "venue_row", lambda _exchange: None)
    with CcxtScene(UnknownScript()) as made:
        yield made


@pytest.fixture
def known() -> Iterator[CcxtScene]:
    with CcxtScene(LighterScript()) as made:
        yield made


def test_a_venue_without_a_row_streams_ccxts_own_book(scene: CcxtScene) -> None:
    scene.connect(SubscribeRequest(NAME, ticks=True, trades=True, depth_levels=10))
    scene.until(scene.shows_truth)
    for size in scene.script.size:
        scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], size))
        scene.until(scene.shows_truth)
    assert scene.heard.of(DepthData)[-1].source == STREAM
    assert scene.states()[-1] is BookState.LIVE
    scene.until(lambda: scene.heard.of(TickData)[-1].bid_size == float(scene.script.size[1]))
    trade_id, frame = scene.script.trade(Side.SELL, "0.20355", "5.5")
    scene.server.push("trade", frame)
    scene.until(lambda: [one for one in scene.heard.of(MarketTrade) if one.trade_id == trade_id])
    assert scene.adapter.health().books[NAME].implementation == "ccxt"


def test_symbols_of_the_settings_that_the_venue_does_not_list_are_warned_of() -> None:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(str(message)), format="{message}", level="WARNING")
    try:
        with CcxtScene(LighterScript(), book_of="CRVUSDC=ccxt, NOSUCH=partial", no_websocket="ODD/USDC:USDC") as scene:
            scene.connect()
    finally:
        logger.remove(handler)
    assert [line.strip() for line in lines if "book_of" in line] == [
        "book_of or no_websocket names NOSUCH, ODDUSDC, which lighter does not list"
    ]


def chat(scene: CcxtScene) -> bool:
    """Let the connection say something else, so that nobody drops it for its silence."""
    scene.server.push("trade", scene.script.trade(Side.BUY, "0.20355", "5.5")[1])
    return False


@pytest.mark.parametrize("rows", [[5], [{"price": "much", "size": []}], [None]])
def test_a_frame_that_breaks_ccxt_costs_its_connection_and_no_more(scene: CcxtScene, rows: Any) -> None:
    scene.connect(SubscribeRequest(NAME, ticks=True, trades=True, depth_levels=10))
    scene.until(scene.shows_truth)
    broken = {"channel": "order_book:36", "type": "update/order_book", "order_book": {"asks": rows, "bids": rows}}
    scene.server.push("book", broken)
    scene.until(lambda: scene.adapter.market_data.topics.restarts > 0 or chat(scene))
    scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])
    since = len(scene.heard)
    scene.until(lambda: scene.shows_truth(since))


def test_how_much_of_a_book_ccxt_keeps_is_not_known_so_it_is_none_in_memory(scene: CcxtScene) -> None:
    scene.connect(SubscribeRequest(NAME, depth_levels=10))
    scene.until(scene.shows_truth)
    assert scene.adapter.capabilities.book is BookKind.PARTIAL
    assert scene.book() is None
    assert scene.is_true(scene.adapter.get_order_book_depth(NAME, 10))


def test_levels_that_a_venue_lists_by_order_are_added_up(known: CcxtScene) -> None:
    known.connect()
    book = known.adapter.get_order_book_depth(known.name, 2)
    assert book.bids == ((Decimal("0.20351"), Decimal("25775.2")), (Decimal("0.20334"), Decimal("47502.5")))


def test_bars_come_at_their_close_once_and_in_order(known: CcxtScene) -> None:
    known.connect(SubscribeRequest(known.name, ticks=False, bars=("1m",)))
    known.until(lambda: len(known.heard.of(BarData)) >= 2, deadline_s=40, pace=10)
    first, second = known.heard.of(BarData)[:2]
    assert first.open_time_ns == START_NS - START_NS % MINUTE_NS
    assert second.open_time_ns == first.close_time_ns == first.open_time_ns + MINUTE_NS
    assert (first.open, first.high, first.low, first.close, first.volume) == (0.2, 0.3, 0.1, 0.25, 5.0)
    assert first.local_time_ns >= first.close_time_ns
    assert not first.backfilled


def test_an_interval_that_the_venue_does_not_have_is_told(known: CcxtScene) -> None:
    known.connect(SubscribeRequest(known.name, ticks=False, bars=("7m",)))
    known.until(lambda: known.heard.of(RequestFailed))
    assert "lighter has no bars of 7m" in known.heard.of(RequestFailed)[0].error


def test_history_is_of_closed_bars_and_ends_where_it_is_asked_to(known: CcxtScene) -> None:
    known.connect()
    end_ns = START_NS - START_NS % MINUTE_NS
    known.adapter.query_history(HistoryRequest("h-1", known.name, "1m", 3, end_ns + 5))
    known.until(lambda: known.heard.of(HistoryLoaded))
    loaded = known.heard.of(HistoryLoaded)[0]
    assert loaded.error == ""
    assert [bar.close_time_ns for bar in loaded.bars] == [end_ns - 2 * MINUTE_NS, end_ns - MINUTE_NS, end_ns]


@pytest.mark.parametrize(
    ("name", "interval", "count"), [("NOPE.LIGHTER", "1m", 3), ("", "7m", 3), ("", "1m", 0), ("", "?", 1)]
)
def test_history_that_cannot_be_had_says_why(known: CcxtScene, name: str, interval: str, count: int) -> None:
    known.connect()
    known.adapter.query_history(HistoryRequest("h-1", name or known.name, interval, count, START_NS))
    known.until(lambda: known.heard.of(HistoryLoaded))
    loaded = known.heard.of(HistoryLoaded)[0]
    assert (loaded.bars, bool(loaded.error)) == ((), True)


def test_a_book_asked_for_without_waiting_is_an_event(known: CcxtScene) -> None:
    known.connect()
    known.adapter.request_book("b-1", known.name, 2)
    known.adapter.request_book("b-2", "NOPE.LIGHTER", 2)
    known.until(lambda: len(known.heard.of(BookLoaded)) == 2)
    good, bad = sorted(known.heard.of(BookLoaded), key=lambda one: one.request_id)
    assert (good.source, good.error, good.book and len(good.book.bids)) == ("rest", "", 2)
    assert (bad.book, "NOPE.LIGHTER" in bad.error) == (None, True)


def test_an_order_is_denied(known: CcxtScene) -> None:
    known.connect()
    assert not known.adapter.capabilities.order_types
    listed = known.heard.of(ContractsLoaded)[0].instruments[0]
    order = ApprovedOrder(
        "o-1", "s", "ours", known.name, Side.BUY, OrderType.LIMIT, 15, 20_000, 0, TimeInForce.GTC, False, False,
        PositionSide.NET, 0, 0, 0, 0,
    )  # fmt: skip
    known.adapter.send_order(order)
    (told,) = known.heard.of(OrderData)
    assert (told.status, told.order_id, told.quantity, told.price) == (OrderStatus.DENIED, "o-1", 1.5, 0.2)
    assert "market data only" in told.reason
    assert listed.quantity(15) == 1.5
    known.adapter.cancel_order(CancelRequest("o-1", "ours", known.name))
    (failed,) = known.heard.of(RequestFailed)
    assert failed.what == "cancel of o-1"
    assert "market data only" in failed.error


def test_the_account_has_nothing_and_is_told_before_ready(known: CcxtScene) -> None:
    known.connect()
    told = [AccountData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded]
    kinds = [type(one) for one in known.heard.events() if type(one) in (ContractsLoaded, *told)]
    assert kinds == [ContractsLoaded, *told]
    since = len(known.heard)
    known.adapter.query_account()
    known.adapter.query_positions()
    known.adapter.query_orders()
    known.adapter.query_trades(0)
    known.until(lambda: len(known.heard.events(since)) == len(told))
    assert sorted(type(one).__name__ for one in known.heard.events(since)) == sorted(one.__name__ for one in told)
    assert known.heard.of(OpenOrdersLoaded)[-1].orders == ()
    known.adapter.close()
    known.adapter.query_orders()
    assert known.heard.of(RequestFailed)[-1].what == "orders"


def test_an_instrument_that_is_not_listed_is_told(known: CcxtScene) -> None:
    known.connect(SubscribeRequest("NOPE.LIGHTER"))
    assert "does not list NOPE.LIGHTER" in known.heard.of(RequestFailed)[0].error


def test_a_link_that_is_renewed_is_given_up_and_made_again_and_its_parts_live(known: CcxtScene) -> None:
    known.connect()
    parts = {part.name: part for part in known.adapter.parts()}
    assert len(parts) == 2
    assert {part.serves for part in parts.values()} == {known.adapter.account}
    since = len(known.heard)
    known.adapter.renew_link("the process stood still")
    known.until(lambda: [one.state for one in known.heard.of(AdapterStatus, since)][-1:] == [AdapterState.READY])
    told = [one.state for one in known.heard.of(AdapterStatus, since)]
    assert told[:2] == [AdapterState.LOST, AdapterState.BACKING_OFF]
    assert known.heard.of(AdapterStatus, since)[0].cause == "the process stood still"
    assert [part.death() for part in parts.values()] == ["", ""]
    known.adapter.close()
    assert [part.death() for part in parts.values()] == ["", ""]
