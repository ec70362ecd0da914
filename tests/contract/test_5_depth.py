"""Promise 5: depth as DepthData; DepthChange after a snapshot and without a gap, or not at all."""

from random import Random

import pytest

from foxtrot.books.depth_book import DepthBook
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.contract_rig import ContractRig, Rows


def _floats(rows: Rows, instrument: Instrument) -> tuple[Level, ...]:
    return tuple((instrument.price(price), instrument.quantity(quantity)) for price, quantity in rows)


def _rebuilt(rig: ContractRig, since: int = 0) -> DepthBook:
    """The book that a reader of snapshots and changes has; a gap raises."""
    book = DepthBook(rig.spot, rig.sequence_rule)
    for event in rig.heard.events(since):
        if isinstance(event, DepthData):
            book.load(event)
        elif isinstance(event, DepthChange):
            book.apply(event)
    return book


def _assert_true(rig: ContractRig, book: DepthBook) -> None:
    bids, asks = rig.book()
    assert book.state is BookState.LIVE
    assert book.levels.top(1_000) == (bids, asks)


def _move_about(rig: ContractRig, moves: int, seed: int) -> None:
    """Let others trade at random, with a moment for the adapter to publish after every few moves."""
    random, resting = Random(seed), []
    for move in range(moves):
        side = random.choice(list(Side))
        price = random.randrange(9_850, 9_990) if side is Side.BUY else random.randrange(10_010, 10_150)
        resting.append(rig.rest(side, price, random.randrange(100, 900)))
        if random.random() < 0.4:
            rig.withdraw(resting.pop(random.randrange(len(resting))))
        if move % 3 == 0:
            rig.settle()
    rig.settle()


def _subscribe(rig: ContractRig, **wishes: object) -> None:
    facts: dict[str, object] = {"ticks": False}
    rig.adapter.subscribe(SubscribeRequest(rig.spot.instrument_id, **(facts | wishes)))  # type: ignore[arg-type]
    rig.settle()


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_5_a_snapshot_has_the_best_levels_best_first_and_no_more(rig: ContractRig, levels: int) -> None:
    rig.connect()
    _subscribe(rig, depth_levels=levels)
    _move_about(rig, 12, seed=levels)
    depth = rig.heard.of(DepthData)[-1]
    bids, asks = rig.book()
    assert depth.bids == _floats(bids[:levels], rig.spot)
    assert depth.asks == _floats(asks[:levels], rig.spot)
    assert 0 < depth.venue_time_ns <= depth.local_time_ns


def test_5_depth_without_a_change_is_not_told_again(rig: ContractRig) -> None:
    rig.connect()
    _subscribe(rig, depth_levels=5)
    before = len(rig.heard)
    rig.settle()
    rig.settle()
    assert rig.heard.events(before) == []


def test_5_update_ids_of_snapshots_only_rise(rig: ContractRig) -> None:
    rig.connect()
    _subscribe(rig, depth_levels=5)
    _move_about(rig, 30, seed=1)
    ids = [depth.update_id for depth in rig.heard.of(DepthData)]
    assert len(ids) > 5
    assert ids == sorted(set(ids))


def test_5_changes_begin_with_a_full_snapshot(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 9, seed=2)
    first, *rest = (event for event in rig.heard.events() if isinstance(event, DepthData | DepthChange))
    assert isinstance(first, DepthData)
    assert rest
    assert all(isinstance(event, DepthChange) for event in rest)


@pytest.mark.parametrize("seed", range(3))
def test_5_snapshot_and_changes_rebuild_the_venues_book_without_a_gap(rig: ContractRig, seed: int) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 60, seed)
    rig.take(Side.BUY, 3_000)
    rig.settle()
    _assert_true(rig, _rebuilt(rig))
    assert len(rig.heard.of(DepthChange)) > 15


def test_5_each_change_names_the_end_of_the_last_and_goes_forward(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 30, seed=3)
    last_id = rig.heard.of(DepthData)[0].update_id
    for change in rig.heard.of(DepthChange):
        assert change.previous_update_id == last_id
        assert last_id < change.first_update_id <= change.last_update_id
        last_id = change.last_update_id


def test_5_a_level_that_goes_is_told_with_a_size_of_zero(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    order_id = rig.rest(Side.BUY, 9_955, 100)
    _subscribe(rig, depth_changes=True)
    rig.withdraw(order_id)
    rig.settle()
    assert rig.heard.of(DepthChange)[-1].bids == ((99.55, 0.0),)


def test_5_changes_asked_for_after_a_few_levels_begin_with_a_full_snapshot(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_levels=1)
    before = len(rig.heard)
    _subscribe(rig, depth_changes=True)
    first = next(event for event in rig.heard.events(before) if isinstance(event, DepthData | DepthChange))
    assert isinstance(first, DepthData)
    assert len(first.bids) == len(rig.book()[0])


def test_5_changes_chain_on_from_a_requested_snapshot(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 9, seed=4)
    before = len(rig.heard)
    rig.adapter.request_snapshot(rig.spot.instrument_id)
    rig.settle()
    _move_about(rig, 20, seed=5)
    assert isinstance(rig.heard.of(DepthData | DepthChange, before)[0], DepthData)  # type: ignore[arg-type]
    _assert_true(rig, _rebuilt(rig, before))
    _assert_true(rig, _rebuilt(rig))


def test_5_changes_after_a_loss_begin_with_a_fresh_snapshot(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 9, seed=6)
    rig.lose_link("cable pulled")
    _move_about(rig, 9, seed=7)
    before = len(rig.heard)
    rig.restore_link()
    _move_about(rig, 9, seed=8)
    _assert_true(rig, _rebuilt(rig, before))


def test_5_subscribing_the_same_again_breaks_no_chain(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 6, seed=9)
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 6, seed=10)
    _assert_true(rig, _rebuilt(rig))


def test_5_a_snapshot_of_what_has_no_depth_stream_comes_back_as_a_failed_request(rig: ContractRig) -> None:
    rig.connect()
    _subscribe(rig, ticks=True)
    rig.adapter.request_snapshot(rig.spot.instrument_id)
    rig.settle()
    assert len(rig.heard.of(RequestFailed)) == 1
    assert rig.heard.of(DepthData) == []


def test_5_a_tick_shows_the_top_of_the_book_and_the_last_trade(rig: ContractRig) -> None:
    rig.connect()
    _subscribe(rig, ticks=True)
    rig.rest(Side.BUY, 9_933, 123)
    rig.take(Side.BUY, 250)
    rig.settle()
    tick = rig.heard.of(TickData)[-1]
    assert (tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size) == (99.33, 0.123, 101.0, 4.75)
    assert (tick.last_price, tick.last_size) == (101.0, 0.25)


def test_5_every_public_trade_is_told_once_with_its_aggressor(rig: ContractRig) -> None:
    rig.require("market_trades")
    rig.connect()
    _subscribe(rig, trades=True)
    rig.take(Side.BUY, 300)
    rig.take(Side.SELL, 200)
    rig.send(price=0, quantity=100)
    trades = rig.heard.of(MarketTrade)
    assert [(trade.price, trade.size, trade.aggressor) for trade in trades] == [
        (101.0, 0.3, Side.BUY),
        (99.0, 0.2, Side.SELL),
        (101.0, 0.1, Side.BUY),
    ]
    assert len({trade.trade_id for trade in trades}) == 3


def test_5_only_what_is_asked_for_is_streamed(rig: ContractRig) -> None:
    rig.connect()
    _subscribe(rig, ticks=True)
    rig.take(Side.BUY, 300)
    rig.take(Side.BUY, 300, rig.contract)
    rig.settle()
    assert rig.heard.of(DepthData) == rig.heard.of(DepthChange) == rig.heard.of(MarketTrade) == []
    assert {tick.instrument_id for tick in rig.heard.of(TickData)} == {rig.spot.instrument_id}


def test_5_wishes_for_one_instrument_add_up(rig: ContractRig) -> None:
    rig.require("market_trades")
    rig.connect()
    _subscribe(rig, trades=True)
    _subscribe(rig, depth_levels=1)
    _subscribe(rig, depth_levels=2)
    _subscribe(rig, ticks=True, depth_levels=1)
    before = len(rig.heard)
    rig.take(Side.BUY, 300)
    rig.settle()
    kinds = [type(event) for event in rig.heard.events(before)]
    assert kinds.count(TickData) in rig.ticks_per_change
    assert {kind: kinds.count(kind) for kind in kinds if kind is not TickData} == {MarketTrade: 1, DepthData: 1}
    assert len(rig.heard.of(DepthData, before)[0].bids) == 2


def test_5_nothing_is_streamed_after_unsubscribing(rig: ContractRig) -> None:
    rig.connect()
    wishes = {"trades": rig.capabilities.market_trades, "depth_changes": rig.capabilities.depth_changes}
    _subscribe(rig, ticks=True, depth_levels=5, **wishes)
    rig.adapter.unsubscribe(rig.spot.instrument_id)
    rig.settle()
    before = len(rig.heard)
    rig.take(Side.BUY, 300)
    rig.settle()
    assert rig.heard.events(before) == []


def test_5_subscribing_again_after_unsubscribing_begins_anew(rig: ContractRig) -> None:
    rig.require("depth_changes")
    rig.connect()
    _subscribe(rig, depth_changes=True)
    rig.adapter.unsubscribe(rig.spot.instrument_id)
    rig.rest(Side.BUY, 9_955, 100)
    rig.settle()
    before = len(rig.heard)
    _subscribe(rig, depth_changes=True)
    _move_about(rig, 6, seed=11)
    _assert_true(rig, _rebuilt(rig, before))
