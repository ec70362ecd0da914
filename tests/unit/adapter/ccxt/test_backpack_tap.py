"""Backpack's row: what its frames say, and that a book follows their ids from a snapshot that was asked for."""

from typing import Any

import pytest

from foxtrot.adapter.ccxt.venue import Quote, Snapshots
from foxtrot.adapter.ccxt.venues.backpack import VENUE, tap
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from tests.support.instruments import a_spot
from tests.support.tap_context import NOW_NS, FixedContext

NAME = "SOLUSDC.BACKPACK"
CONTEXT = FixedContext({"SOL_USDC": NAME, "ETH_USDC_PERP": "ETHUSDC.BACKPACK_PERP"})
US = 1_000


def depth(first: int, last: int, **levels: Any) -> Any:
    """Return a frame as recorded on 2025-01-06."""
    data = {"E": 1736172778162587, "T": 1736172778151673, "U": first, "a": [], "b": [], **levels}
    return {"data": {**data, "e": "depth", "s": "SOL_USDC", "u": last}, "stream": "depth.200ms.SOL_USDC"}


def test_a_recorded_frame_of_depth_is_a_change() -> None:
    """It spans four ids; its time is the engine's."""
    frame = depth(
        1802083134, 1802083137, a=[["219.00", "2.98"]], b=[["218.12", "0.02"], ["218.60", "22.35"], ["218.61", "13.88"]]
    )
    bids, asks = ((218.12, 0.02), (218.6, 22.35), (218.61, 13.88)), ((219.0, 2.98),)
    change = DepthChange(NAME, 1736172778151673 * US, NOW_NS, 1802083134, 1802083137, 1802083133, bids, asks)
    assert tap(frame, CONTEXT) == (change,)


def test_times_may_be_text() -> None:
    """As ccxt quotes them, and as the documentation does not."""
    frame = depth(1, 1)
    frame["data"]["T"] = "1754903057554352"
    (change,) = tap(frame, CONTEXT) or ()
    assert isinstance(change, DepthChange)
    assert change.venue_time_ns == 1754903057554352 * US


def test_a_recorded_best_level_is_a_quote_under_an_id_of_the_book() -> None:
    """0.6 s before the change above, whose U is 42 higher."""
    data = {
        "A": "19.60", "B": "56.02", "E": 1736172777506225, "T": 1736172777497712, "a": "218.61", "b": "218.58", "e": "bookTicker",
        "s": "SOL_USDC", "u": 1802083092,
    }  # fmt: skip
    quote = Quote(NAME, 1736172777497712 * US, NOW_NS, 1802083092, 218.58, 56.02, 218.61, 19.6)
    assert tap({"data": data, "stream": "bookTicker.SOL_USDC"}, CONTEXT) == (quote,)


@pytest.mark.parametrize(("buyer_is_maker", "side"), [(True, Side.SELL), (False, Side.BUY)])
def test_a_recorded_print_is_a_trade(buyer_is_maker: bool, side: Side) -> None:
    """Recorded on 2025-01-06, once with its maker turned round."""
    data = {
        "E": 1736186248745457, "T": 1736186248744398, "a": "113782701997686784", "b": "113782700596854784", "e": "trade",
        "m": buyer_is_maker, "p": "218.50", "q": "0.07", "s": "SOL_USDC", "t": 341399899,
    }  # fmt: skip
    print_ = MarketTrade(NAME, 1736186248744398 * US, NOW_NS, "341399899", 218.5, 0.07, side)
    assert tap({"data": data, "stream": "trade.SOL_USDC"}, CONTEXT) == (print_,)


@pytest.mark.parametrize(
    "message",
    [
        {"id": None, "error": {"code": 4006, "message": "Invalid stream"}},
        {"data": {"e": "kline", "s": "SOL_USDC"}, "stream": "kline.1m.SOL_USDC"},
        {"data": [], "stream": "depth.SOL_USDC"},
        "text",
    ],
)
def test_everything_else_is_left_to_ccxt(message: Any) -> None:
    """Refusals, and channels of others."""
    assert tap(message, CONTEXT) is None


def test_what_is_not_listed_is_nobodys() -> None:
    """Ccxt would have no use for it either."""
    assert tap(depth(1, 2), FixedContext({})) == ()


def test_a_book_begins_where_a_change_spans_the_snapshot() -> None:
    """Older ones are left out, and each after it begins one higher."""
    assert VENUE.rule is not None
    assert VENUE.snapshots is Snapshots.REST
    book = DepthBook(a_spot(instrument_id=NAME), VENUE.rule())
    for first, last in ((95, 97), (98, 101), (102, 104)):
        book.apply(a_change(first, last))
    book.load(DepthData(NAME, 1, 1, 99, ((218.5, 0.5),), ()))
    assert book.update_id == 104
    assert book.depth(1).bids == ((218.5, 104.0),)
    with pytest.raises(BookOutOfSync):
        book.apply(a_change(106, 107))


def a_change(first: int, last: int) -> DepthChange:
    """Return a change of the bid, whose size says which it is."""
    (change,) = tap(depth(first, last, b=[["218.50", str(last)]]), CONTEXT) or ()
    assert isinstance(change, DepthChange)
    return change
