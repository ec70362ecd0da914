"""GRVT's row: what its frames say, and that a book follows their numbers from a snapshot that has none."""

from typing import Any

import pytest

from foxtrot.adapter.ccxt.venue import Confirmed, Stream
from foxtrot.adapter.ccxt.venues.grvt import VENUE, tap
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from tests.support.instruments import a_spot
from tests.support.tap_context import NOW_NS, FixedContext

NAME = "BTCUSDT.GRVT"
CONTEXT = FixedContext({"BTC_USDT_Perp": NAME})
TRADE = {
    "event_time": "1767257046164798775", "instrument": "BTC_USDT_Perp", "is_taker_buyer": True, "size": "0.001", "price": "87700.1",
    "mark_price": "87700.817100682", "index_price": "87708.566729268", "interest_rate": "0.0", "forward_price": "0.0",
    "trade_id": "73808524-19", "venue": "ORDERBOOK", "is_rpi": False,
}  # fmt: skip
"""A sample in ccxt's class."""


def frame(stream: str, selector: str, feed: dict[str, Any], number: int) -> Any:
    """Return a frame with its number and the one before."""
    numbers = {"sequence_number": str(number), "prev_sequence_number": str(max(0, number - 1))}
    return {"stream": stream, "selector": selector, "feed": feed, **numbers}


def book(number: int, stream: str = "v1.book.d", **levels: Any) -> Any:
    """Return a frame of the book."""
    feed = {"event_time": "1767292408400000000", "instrument": "BTC_USDT_Perp", "bids": [], "asks": [], **levels}
    return frame(stream, "BTC_USDT_Perp@100", feed, number)


def test_a_documented_snapshot_is_a_book_without_a_number() -> None:
    """The sample in ccxt's class, cut to a level a side; its number is 0."""
    bids, asks = (
        [{"price": "88107.3", "size": "5.322", "num_orders": 11}],
        [{"price": "88107.4", "size": "5.273", "num_orders": 37}],
    )
    whole = DepthData(NAME, 1767292408400000000, NOW_NS, 0, ((88107.3, 5.322),), ((88107.4, 5.273),))
    assert tap(book(0, bids=bids, asks=asks), CONTEXT) == (whole,)


def test_a_documented_delta_is_a_change_that_names_the_one_before() -> None:
    """Outgoing levels are published with a size of 0."""
    change = DepthChange(NAME, 1767292408400000000, NOW_NS, 1061214, 1061214, 1061213, ((88107.3, 0.0),), ())
    assert tap(book(1061214, bids=[{"price": "88107.3", "size": "0", "num_orders": 0}]), CONTEXT) == (change,)


def test_every_frame_of_the_snapshot_stream_is_a_whole_book() -> None:
    """Whatever its number."""
    (whole,) = tap(book(7, "v1.book.s"), CONTEXT) or ()
    assert isinstance(whole, DepthData)


def test_a_print_is_a_trade_and_past_ones_are_none() -> None:
    """Those of the snapshot have the number 0, as in ccxt's sample."""
    print_ = MarketTrade(NAME, 1767257046164798775, NOW_NS, "73808524-19", 87700.1, 0.001, Side.BUY)
    assert tap(frame("v1.trade", "BTC_USDT_Perp@50", TRADE, 12), CONTEXT) == (print_,)
    assert tap(frame("v1.trade", "BTC_USDT_Perp@50", TRADE, 0), CONTEXT) == ()
    (sold,) = tap(frame("v1.trade", "BTC_USDT_Perp@50", {**TRADE, "is_taker_buyer": False}, 13), CONTEXT) or ()
    assert isinstance(sold, MarketTrade)
    assert sold.aggressor is Side.SELL


def test_the_answer_to_a_subscription_confirms_it() -> None:
    """As documented, with one instrument that is not listed."""
    result = {
        "stream": "v1.book.d", "subs": ["BTC_USDT_Perp@100", "ETH_USDT_Perp@100"], "unsubs": [], "num_snapshots": [1, 1],
        "first_sequence_number": ["1061214", "7"], "latest_sequence_number": ["1061213", "6"],
    }  # fmt: skip
    assert tap({"jsonrpc": "2.0", "result": result, "id": 1, "method": "subscribe"}, CONTEXT) == (
        Confirmed(NAME, Stream.BOOK),
    )


def test_the_answer_to_the_end_of_a_subscription_confirms_nothing() -> None:
    """The documented sample, which calls itself the answer to a subscription."""
    result = {"stream": "v1.book.d", "unsubs": ["BTC_USDT_Perp@500"]}
    assert tap({"jsonrpc": "2.0", "result": result, "id": 123, "method": "subscribe"}, CONTEXT) == ()


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "error": {"code": 3000, "message": "Instrument is invalid"}, "id": 1, "method": "subscribe"},
        {
            "jsonrpc": "2.0",
            "result": {"stream": "v1.book.d", "subs": [], "unsubs": ["BTC_USDT_Perp@100"]},
            "id": 2,
            "method": "unsubscribe",
        },
        {
            "jsonrpc": "2.0",
            "result": {"stream": "v1.ticker.s", "subs": ["BTC_USDT_Perp@500"]},
            "id": 3,
            "method": "subscribe",
        },
        frame("v1.ticker.s", "BTC_USDT_Perp@500", {"instrument": "BTC_USDT_Perp"}, 0),
    ],
)
def test_everything_else_is_left_to_ccxt(message: Any) -> None:
    """Refusals, and channels of others."""
    assert tap(message, CONTEXT) is None


def test_what_is_not_listed_is_nobodys() -> None:
    """Ccxt would have no use for it either."""
    assert tap(book(1), FixedContext({})) == ()


def test_a_book_follows_the_numbers_after_a_snapshot_without_one() -> None:
    """The first may have any; a repeated one is ignored, as the documentation asks; one too high is a gap."""
    assert VENUE.rule is not None
    kept = DepthBook(a_spot(instrument_id=NAME, price_grid=Grid.of("0.1")), VENUE.rule())
    (whole,) = tap(book(0, bids=[{"price": "88107.3", "size": "1", "num_orders": 1}]), CONTEXT) or ()
    assert isinstance(whole, DepthData)
    kept.replace(whole)
    assert kept.apply(a_change(1061214))
    assert not kept.apply(a_change(1061214))
    assert kept.apply(a_change(1061215))
    assert kept.depth(1).bids == ((88107.3, 1061.215),)
    with pytest.raises(BookOutOfSync):
        kept.apply(a_change(1061217))


def test_no_two_of_its_streams_have_one_name_at_ccxt() -> None:
    """Ccxt knows a subscription by instrument and rate alone: a second one of the same would never be sent."""
    assert VENUE.book_params["interval"] not in (50, 500)


def a_change(number: int) -> DepthChange:
    """Return a change of the bid, whose size says which it is."""
    (change,) = (
        tap(book(number, bids=[{"price": "88107.3", "size": f"{number / 1000:.3f}", "num_orders": 1}]), CONTEXT) or ()
    )
    assert isinstance(change, DepthChange)
    return change
