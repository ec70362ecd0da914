"""Books by each way, what takes the place of one that cannot be had, comparison and audits, against the embedded exchange."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from loguru import logger

from foxtrot.adapter.binance.book_choice import BookWay
from foxtrot.core.notices import BookStateChanged, RequestFailed
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import STREAM, DepthChange, DepthData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault
from tests.support.book_rig import BookRig

PRODUCTS = [Product.SPOT, Product.PERPETUAL]
NO_SNAPSHOTS = Fault(kind="http_status", endpoint="GET */depth", count=0, status=503)
pytestmark = pytest.mark.parametrize("product", PRODUCTS, ids=["spot", "usdm"])


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect the lines of the log from INFO on."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.record["message"]), level="INFO")
    try:
        yield lines
    finally:
        logger.remove(sink)


def last_depth(rig: BookRig, since: int = 0) -> DepthData:
    """Return the last depth that was told."""
    return rig.heard.of(DepthData, since)[-1]


# --- partial --------------------------------------------------------------------------------------------------------


def test_a_partial_book_is_told_whole_and_never_exact(product: Product) -> None:
    with BookRig(product, book="partial") as rig:
        rig.stream(depth_levels=5)
        rig.move(3)
        depth = last_depth(rig)
        assert rig.is_true(depth, 5)
        assert depth.source == STREAM
        assert rig.names() == ["btcusdt@depth20@100ms"]
        assert rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id) is None
        assert rig.adapter.get_order_book_depth(rig.spot.instrument_id, 5).source == "rest"
        assert rig.way() is BookWay.PARTIAL
        assert rig.states() == [BookState.SYNCING, BookState.LIVE]


def test_changes_of_a_partial_book_are_refused_and_its_levels_told_instead(product: Product) -> None:
    with BookRig(product, book_of="BTCUSDT=partial") as rig:
        rig.stream(depth_changes=True)
        rig.move(2)
        (refused,) = rig.heard.of(RequestFailed)
        assert "depth changes of BTCUSDT" in refused.what
        assert "depth_levels" in refused.error
        assert rig.heard.of(DepthChange) == []
        assert rig.is_true(last_depth(rig), 20)


def test_partial_books_of_two_symbols_are_told_apart_and_end_with_their_subscription(product: Product) -> None:
    with BookRig(product, book="partial") as rig:
        rig.stream(depth_levels=5)
        rig.adapter.subscribe(_depth_of(rig.contract.instrument_id))
        rig.move(1)
        ids = {depth.instrument_id for depth in rig.heard.of(DepthData)}
        assert ids == {rig.spot.instrument_id, rig.contract.instrument_id}
        other = [depth for depth in rig.heard.of(DepthData) if depth.instrument_id == rig.contract.instrument_id][-1]
        assert len(other.bids) == 2
        rig.adapter.unsubscribe(rig.spot.instrument_id)
        rig.settle()
        assert rig.names() == ["ethusdt@depth20@100ms"]


def test_a_partial_book_is_stale_while_the_link_is_lost_and_comes_back(product: Product) -> None:
    with BookRig(product, book="partial") as rig:
        rig.stream(depth_levels=5)
        rig.lose_link("cable pulled")
        assert rig.states()[-1] is BookState.STALE
        before = len(rig.heard)
        rig.restore_link()
        rig.move()
        assert rig.is_true(last_depth(rig, before), 5)
        assert rig.names() == ["btcusdt@depth20@100ms"]


def test_a_partial_book_goes_on_while_its_connection_is_replaced(product: Product) -> None:
    with BookRig(product, book="partial") as rig:
        rig.stream(depth_levels=5)
        rig.on_loop(lambda: setattr(rig.data.topics.care, "rotate_after_s", 5.0))
        rig.advance(8)
        rig.on_loop(lambda: setattr(rig.data.topics.care, "rotate_after_s", 0.0))
        rig.advance(8)
        health = rig.adapter.health()
        assert health is not None
        assert health.connections.rotations >= 1
        before = len(rig.heard)
        rig.move(2)
        assert rig.is_true(last_depth(rig, before), 5)
        assert rig.names() == ["btcusdt@depth20@100ms"]
        assert rig.states() == [BookState.SYNCING, BookState.LIVE]


# --- ccxt -----------------------------------------------------------------------------------------------------------


def test_ccxt_keeps_the_book_of_one_symbol_beside_the_hot_path(product: Product) -> None:
    with BookRig(product, book_of="BTCUSDT=ccxt") as rig:
        rig.stream(depth_levels=5, depth_changes=True, ticks=True)
        rig.adapter.subscribe(_depth_of(rig.contract.instrument_id))
        rig.move(3)
        assert rig.way() is BookWay.CCXT
        health: Any = rig.adapter.health()
        assert health.books[rig.contract.instrument_id].implementation == BookWay.DEPTH_CACHE
        assert rig.is_true(last_depth(rig), 5)
        assert len(rig.heard.of(DepthChange)) >= 3
        exact = rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id)
        assert exact is not None
        assert exact.update_id == rig.ours.update_id


# --- fall-back ------------------------------------------------------------------------------------------------------


def test_a_book_whose_snapshot_cannot_be_had_comes_by_the_partial_stream_until_it_can(product: Product) -> None:
    with BookRig(product) as rig, logged() as lines:
        rig.connect()
        number = rig.server.inject(NO_SNAPSHOTS)
        rig.adapter.subscribe(_depth_of(rig.spot.instrument_id, depth_changes=True))
        rig.on_loop(lambda: None)
        rig.pass_until(lambda: rig.way() is BookWay.PARTIAL and rig.ours.state is BookState.LIVE, 90)
        rig.move(2)
        assert rig.is_true(last_depth(rig), 20)
        assert "btcusdt@depth20@100ms" in rig.names()
        assert any("now ccxt, was depth_cache: no snapshot by" in line for line in lines)
        assert any("now partial, was ccxt" in line for line in lines)
        rig.server.clear_faults(number)
        rig.pass_until(lambda: rig.way() is BookWay.DEPTH_CACHE and rig.ours.state is BookState.LIVE, 250)
        assert any("now depth_cache, was partial: " in line for line in lines)
        before = len(rig.heard)
        rig.move(2)
        assert rig.names() == ["btcusdt@depth@100ms"]
        assert rig.heard.of(DepthChange, before)
        assert rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id) is not None


def test_a_new_link_tries_what_is_chosen(product: Product) -> None:
    with BookRig(product) as rig:
        rig.stream(depth_levels=5)
        entry = rig.data._entries[rig.spot.instrument_id]
        rig.on_loop(lambda: rig.data.books.on_refused(entry, "no such stream"))
        rig.move(2)
        assert (rig.way(), rig.names()) == (BookWay.PARTIAL, ["btcusdt@depth20@100ms"])
        assert rig.is_true(last_depth(rig), 5)
        rig.lose_link("cable pulled")
        rig.restore_link()
        rig.move()
        assert (rig.way(), rig.names()) == (BookWay.DEPTH_CACHE, ["btcusdt@depth@100ms"])
        assert rig.is_true(last_depth(rig), 5)


def test_nobody_goes_on_believing_a_book_that_ends_because_its_way_changes(product: Product) -> None:
    with BookRig(product) as rig:
        rig.stream(depth_levels=5)
        use = rig.data.books._uses[rig.spot.instrument_id]
        for way in (BookWay.PARTIAL, BookWay.DEPTH_CACHE, BookWay.CCXT, BookWay.PARTIAL):
            before, cause = len(rig.heard), f"{way} is tried"
            rig.on_loop(partial(rig.data.books._change, use, way, cause))
            rig.move()
            told = rig.heard.of(BookStateChanged, before)
            assert [one.state for one in told] == [BookState.STALE, BookState.SYNCING, BookState.LIVE], way
            assert told[0].cause == cause
            assert rig.is_true(last_depth(rig, before), 5)


def test_a_book_that_nobody_wants_any_more_is_told_stale(product: Product) -> None:
    with BookRig(product) as rig:
        rig.stream(depth_levels=5)
        rig.adapter.unsubscribe(rig.spot.instrument_id)
        rig.settle()
        assert rig.states() == [BookState.SYNCING, BookState.LIVE, BookState.STALE]


# --- comparison -----------------------------------------------------------------------------------------------------


def test_two_books_beside_each_other_do_not_differ_until_one_is_wrong(product: Product) -> None:
    with BookRig(product, compare_books="BTCUSDT") as rig, logged() as lines:
        rig.stream(depth_levels=5)
        rig.move(12)
        figures = rig.figures()
        assert figures.implementation == BookWay.DEPTH_CACHE
        assert figures.compared >= 10
        assert figures.differences == 0
        rig.on_loop(lambda: rig.ours.book.levels.apply([(9_800, 77)], []))
        rig.move(1)
        assert rig.figures().differences >= 1
        (line,) = [line for line in lines if "differ" in line][:1]
        assert f"the books of {rig.spot.instrument_id} differ" in line
        assert "buy level" in line.lower()
        assert "98.0" in line


def test_a_gap_of_the_book_that_is_compared_does_not_disturb_ours(product: Product) -> None:
    with BookRig(product, compare_books="BTCUSDT") as rig:
        rig.stream(depth_levels=5)
        rig.move(2)
        states = len(rig.states())
        rig.on_loop(lambda: _lose_one(rig))
        rig.move(4)
        assert len(rig.states()) == states
        assert rig.ours.counters.gaps == 0
        compared = rig.figures().compared
        rig.move(3)
        assert rig.figures().compared > compared
        assert rig.figures().differences == 0


# --- audits ---------------------------------------------------------------------------------------------------------


def test_an_audit_agrees_with_a_right_book_and_costs_a_small_request(product: Product) -> None:
    with BookRig(product, audit_interval_s=10) as rig:
        rig.stream(depth_levels=5, depth_changes=True)
        rig.move(3)
        before = rig.asked_depth()
        rig.advance(12)
        figures = rig.figures()
        assert (figures.audits, figures.audits_failed, figures.match_score) == (1, 0, 1.0)
        assert rig.asked_depth() == before + 1
        assert rig.states() == [BookState.SYNCING, BookState.LIVE]


def test_an_audit_finds_a_level_that_is_not_the_venues_and_the_book_begins_anew(product: Product) -> None:
    with BookRig(product, audit_interval_s=10) as rig, logged() as lines:
        rig.stream(depth_levels=5)
        rig.move(2)
        rig.on_loop(lambda: rig.ours.book.levels.apply([(9_800, 77)], []))
        before = len(rig.heard)
        rig.advance(12)
        figures = rig.figures()
        assert figures.audits_failed == 1
        assert figures.match_score is not None
        assert figures.match_score < 1.0
        assert rig.states(before) == [BookState.SYNCING, BookState.LIVE]
        assert rig.is_true(last_depth(rig, before), 5)
        assert len([line for line in lines if "was not the venue's" in line]) == 1
        rig.advance(12)
        assert rig.figures().audits_failed == 1
        assert rig.figures().match_score == 1.0


def test_without_an_interval_nothing_is_audited(product: Product) -> None:
    with BookRig(product, audit_interval_s=0) as rig:
        rig.stream(depth_levels=5)
        rig.advance(30)
        assert rig.figures().audits == 0


def test_a_book_whose_market_moves_away_is_renewed_while_it_stays_live(product: Product) -> None:
    with BookRig(product, audit_interval_s=0) as rig:
        rig.stream(depth_levels=5)
        rig.move(2)
        rig.on_loop(lambda: _make_thin(rig))
        before, states = rig.asked_depth(), len(rig.states())
        rig.advance(3)
        assert not rig.ours.book.is_thin
        assert rig.asked_depth() == before + 1
        assert len(rig.states()) == states


def test_a_book_whose_market_has_left_what_is_known_begins_anew(product: Product) -> None:
    with BookRig(product, audit_interval_s=0) as rig:
        rig.stream(depth_levels=5)
        rig.move(2)
        rig.on_loop(lambda: setattr(rig.ours.book, "lowest_known", 10**9))
        before = len(rig.heard)
        rig.advance(3)
        assert rig.states(before) == [BookState.SYNCING, BookState.LIVE]
        assert rig.ours.book.is_best_known


def _depth_of(instrument_id: str, **wishes: Any) -> SubscribeRequest:
    return SubscribeRequest(instrument_id, ticks=False, depth_levels=5, **wishes)


def _make_thin(rig: BookRig) -> None:
    """Let the bids be known down to a price, and the market be near to it."""
    rig.ours.book.lowest_known, rig.ours.book.thin_from = 1, (10**9, None)


def _lose_one(rig: BookRig) -> None:
    """Let ccxt's book be behind by ids that never come."""
    data = rig.data
    book = data._session.exchange.orderbooks[data._session.unified(rig.spot.instrument_id)]
    book["nonce"] -= 50
