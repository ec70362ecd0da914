"""Books, prints and ticks of one instrument, made of messages of the SDK's classes."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.futu import print_stream
from foxtrot.adapter.futu.books import SnapshotBook
from foxtrot.adapter.futu.codec import Quote
from foxtrot.adapter.futu.print_stream import PrintStream
from foxtrot.adapter.futu.tick_stream import TickStream
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import BookStateChanged, Gap
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from tests.support.futu_frames import HK, message, order_book, read, ten_levels, ticker_rows
from tests.support.futu_market_rig import MORNING_NS, Up
from tests.support.recorder import Recorder
from tests.unit.adapter.futu.test_codec import stock

pytestmark = pytest.mark.usefixtures("futu_sdk")
ZONE = ZoneInfo("Asia/Hong_Kong")
NOW_NS = MORNING_NS


class Streams:
    """The streams of 00700, and what they told."""

    def __init__(self) -> None:
        self.heard = Recorder()
        up = Up(self.heard, ManualClock(NOW_NS))
        snap = PriceSnap(stock())
        self.book = SnapshotBook(stock(), up, ZONE, snap)
        self.book.want(10)
        self.prints = PrintStream("00700.SEHK", up, ZONE, snap)
        self.prints.is_told = True
        self.ticks = TickStream("00700.SEHK", up)

    def push(self, bids: Any, asks: Any) -> DepthData | None:
        return self.book.take(order_book(HK, bids, asks).s2c, NOW_NS)

    def states(self) -> list[BookState]:
        return [change.state for change in self.heard.of(BookStateChanged)]

    def prices(self) -> list[float]:
        return [depth.bids[0][0] for depth in self.heard.of(DepthData)]

    def sequences(self) -> list[str]:
        return [trade.trade_id for trade in self.heard.of(MarketTrade)]


@pytest.fixture
def streams() -> Streams:
    return Streams()


def rows(*sequences: int) -> Any:
    s2c = message("Qot_GetTicker").s2c
    ticker_rows(s2c.tickerList, [{"sequence": sequence} for sequence in sequences])
    return s2c.tickerList


# --- books --------------------------------------------------------------------------------------------------------------


def test_a_push_is_a_whole_book(streams: Streams) -> None:
    streams.push(*ten_levels(400.0, 400.2, 0.2))
    streams.push([(399.8, 100)], [])
    first, second = streams.heard.of(DepthData)
    assert (len(first.bids), len(first.asks)) == (10, 10)
    assert (second.bids, second.asks, second.update_id) == (((399.8, 100.0),), (), 2)
    assert streams.states() == [BookState.LIVE]


def test_the_same_book_again_is_not_told(streams: Streams) -> None:
    assert streams.push([(400.0, 100)], [(400.2, 100)]) is not None
    assert streams.push([(400.0, 100)], [(400.2, 100)]) is None
    assert len(streams.heard.of(DepthData)) == 1


def test_as_many_levels_are_told_as_are_wanted_and_more_at_once(streams: Streams) -> None:
    streams.book.want(2)
    streams.push(*ten_levels(400.0, 400.2, 0.2))
    streams.book.want(1)
    streams.book.want(5)
    assert [(len(one.bids), len(one.asks)) for one in streams.heard.of(DepthData)] == [(2, 2), (5, 5)]
    exact = streams.book.exact(NOW_NS)
    assert exact is not None
    assert len(exact.bids) == 10, "the book itself is whole"
    assert streams.heard.of(DepthData)[1].update_id == 2


def test_a_stale_book_is_believed_by_nobody_and_the_next_push_is_told_though_it_is_the_same(streams: Streams) -> None:
    streams.push([(400.0, 100)], [(400.2, 100)])
    streams.book.stale("the link is lost")
    streams.book.stale("the link is lost")
    assert streams.book.exact(NOW_NS) is None
    assert streams.book.best(NOW_NS) is None
    streams.book.publish()
    streams.push([(400.0, 100)], [(400.2, 100)])
    assert streams.states() == [BookState.LIVE, BookState.STALE, BookState.LIVE]
    assert streams.heard.of(BookStateChanged)[1].cause == "the link is lost"
    assert [one.update_id for one in streams.heard.of(DepthData)] == [1, 2]


def test_a_crossed_book_as_in_an_auction_is_told_as_such_and_not_as_depth(streams: Streams) -> None:
    streams.book.take(read("order_book_crossed").s2c, NOW_NS)
    assert streams.states() == [BookState.CROSSED]
    assert streams.heard.of(DepthData) == []
    assert streams.book.exact(NOW_NS) is None
    streams.push([(400.0, 100)], [(400.2, 100)])
    assert streams.prices() == [400.0]


def test_exact_figures_and_the_best_of_them(streams: Streams) -> None:
    streams.push(*ten_levels(400.0, 400.2, 0.2))
    exact, best = streams.book.exact(NOW_NS + 2_000_000), streams.book.best(NOW_NS)
    assert exact is not None
    assert best is not None
    assert [str(figure) for figure in (*exact.bids[0], *exact.asks[9])] == ["400.000", "100", "402.000", "2000"]
    assert (exact.source, exact.age_ms, exact.instrument_id) == ("stream", 2.0, "00700.SEHK")
    assert (best.bid, best.bid_size, best.ask, best.ask_size) == (*exact.bids[0], *exact.asks[0])


def test_a_part_of_a_share_is_exact(streams: Streams) -> None:
    pushed = order_book(HK, [(400.0, 0)], [(400.2, 100)])
    pushed.s2c.orderBookBidList[0].hpVolume = 0.25
    streams.book.take(pushed.s2c, NOW_NS)
    exact = streams.book.exact(NOW_NS)
    assert exact is not None
    assert str(exact.bids[0][1]) == "0.25"


def test_a_push_that_was_on_its_way_when_nobody_wanted_the_book_any_more_tells_nothing(streams: Streams) -> None:
    streams.book.end()
    assert streams.push([(400.0, 100)], [(400.2, 100)]) is None
    assert streams.heard.events() == []


# --- prints -------------------------------------------------------------------------------------------------------------


def test_prints_are_told_once_each_in_the_order_they_come(streams: Streams) -> None:
    assert streams.prints.take(rows(7, 5), NOW_NS) == 2
    streams.prints.take(rows(5, 9, 7), NOW_NS)
    assert streams.sequences() == ["7", "5", "9"]


def test_prints_of_a_lost_link_come_before_those_of_the_next(streams: Streams) -> None:
    streams.prints.take(rows(1, 2), NOW_NS)
    streams.prints.hold()
    streams.prints.take(rows(4, 5), NOW_NS)
    assert streams.sequences() == ["1", "2"]
    streams.prints.fill(rows(0, 1, 2, 3, 4), NOW_NS)
    assert streams.sequences() == ["1", "2", "3", "4", "5"]
    assert streams.heard.of(Gap) == []


def test_what_was_before_the_first_print_is_not_told(streams: Streams) -> None:
    streams.prints.hold()
    streams.prints.take(rows(3), NOW_NS)
    streams.prints.fill(rows(1, 2, 3), NOW_NS)
    assert streams.sequences() == ["3"]


def test_more_missed_prints_than_futu_keeps_are_a_gap(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(print_stream, "KEPT", 3)
    streams.prints.take(rows(1), NOW_NS)
    streams.prints.hold()
    streams.prints.fill(rows(7, 8, 9), NOW_NS)
    assert streams.heard.of(Gap) == [Gap("00700.SEHK", "MarketTrade", 1)]
    assert streams.sequences() == ["1", "7", "8", "9"]


def test_prints_that_were_not_pushed_before_the_last_one_are_counted_once(streams: Streams) -> None:
    streams.prints.since_ns = 1
    streams.prints.take(rows(1, 4), NOW_NS)
    for _ in range(2):
        streams.prints.hold()
        streams.prints.fill(rows(1, 2, 3, 4, 5), NOW_NS)
    assert streams.heard.of(Gap) == [Gap("00700.SEHK", "MarketTrade", 2)]
    assert streams.sequences() == ["1", "4", "5"]


def test_missed_prints_that_cannot_be_had_are_a_gap(streams: Streams) -> None:
    streams.prints.take(rows(1), NOW_NS)
    streams.prints.hold()
    streams.prints.take(rows(4), NOW_NS)
    streams.prints.release(NOW_NS)
    assert [type(event) for event in streams.heard.events()] == [MarketTrade, Gap, MarketTrade]


def test_as_many_sequences_are_remembered_as_futu_can_send_again(streams: Streams) -> None:
    for first in range(0, 10_000, 500):
        streams.prints.take(rows(*range(first, first + 500)), NOW_NS)
    streams.prints.take(rows(*range(6_000, 10_000)), NOW_NS)
    assert len(streams.sequences()) == 10_000
    assert len(streams.prints._seen) + len(streams.prints._seen_before) <= 2 * print_stream.REMEMBERED


# --- ticks --------------------------------------------------------------------------------------------------------------


def test_a_tick_is_put_together_of_book_print_and_quote(streams: Streams) -> None:
    depth = streams.push([(400.0, 100)], [(400.2, 300)])
    assert depth is not None
    streams.ticks.take_book(depth)
    streams.ticks.take_trade(MarketTrade("00700.SEHK", NOW_NS, NOW_NS, "1", 400.2, 50.0, Side.BUY))
    streams.ticks.take_quote(Quote(NOW_NS + 5, 400.2, 1e6, 4e8, 399.0, 401.0, 398.0, 397.0), NOW_NS + 9)
    assert streams.heard.of(TickData)[-1] == TickData(
        "00700.SEHK",
        NOW_NS + 5,
        NOW_NS + 9,
        400.0,
        100.0,
        400.2,
        300.0,
        400.2,
        50.0,
        1e6,
        4e8,
        399.0,
        401.0,
        398.0,
        397.0,
    )
    assert len(streams.heard.of(TickData)) == 3


def test_what_changes_behind_the_best_prices_is_no_tick(streams: Streams) -> None:
    for behind in (399.8, 399.6):
        depth = streams.push([(400.0, 100), (behind, 100)], [(400.2, 300)])
        assert depth is not None
        streams.ticks.take_book(depth)
    quote = Quote(NOW_NS, 400.2, 1e6, 4e8, 399.0, 401.0, 398.0, 397.0)
    streams.ticks.take_quote(quote, NOW_NS)
    streams.ticks.take_quote(quote, NOW_NS)
    assert len(streams.heard.of(TickData)) == 2


def test_a_last_price_that_no_print_told_has_no_size(streams: Streams) -> None:
    streams.ticks.take_trade(MarketTrade("00700.SEHK", NOW_NS, NOW_NS, "1", 400.2, 50.0, Side.BUY))
    streams.ticks.take_quote(Quote(NOW_NS, 400.4, 1e6, 4e8, 399.0, 401.0, 398.0, 397.0), NOW_NS)
    assert (streams.heard.of(TickData)[-1].last_price, streams.heard.of(TickData)[-1].last_size) == (400.4, 0.0)


def test_times_of_ticks_do_not_go_back(streams: Streams) -> None:
    streams.ticks.take_trade(MarketTrade("00700.SEHK", NOW_NS, NOW_NS, "1", 400.2, 50.0, Side.BUY))
    streams.ticks.take_quote(Quote(NOW_NS - 9, 400.4, 1e6, 4e8, 399.0, 401.0, 398.0, 397.0), NOW_NS)
    assert streams.heard.of(TickData)[-1].venue_time_ns == NOW_NS
