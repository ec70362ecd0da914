"""Bybit's row: what its frames say, and that a book follows their ids over a restart."""

from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ccxt.venues.bybit import VENUE, tap
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from tests.support.instruments import a_spot
from tests.support.tap_context import NOW_NS, FixedContext

NAME, SPOT = "BTCUSDT.BYBIT_SWAP", "BTCUSDT.BYBIT"
LISTED = {"swap:BTCUSDT": NAME, "spot:BTCUSDT": SPOT}
CONTEXT = FixedContext(LISTED, url="ws://127.0.0.1:1/stream.bybit.com/v5/public/linear")
ON_SPOT = FixedContext(LISTED, url="ws://127.0.0.1:1/stream.bybit.com/v5/public/spot")
MS = 1_000_000


def orderbook(kind: str, u: int, **levels: Any) -> Any:
    """Return a frame as recorded on 2026-08-12."""
    data = {"s": "BTCUSDT", "b": [], "a": [], **levels, "u": u, "seq": 760578520138}
    return {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1786540345129, "data": data, "cts": 1786540345127}


def test_a_recorded_snapshot_is_a_book() -> None:
    """Cut to two levels a side; its time is the matching engine's."""
    frame = orderbook("snapshot", 53935309, b=[["63982.70", "6.408"], ["63982.60", "0.001"]], a=[["63982.80", "5.015"]])
    bids, asks = ((63982.7, 6.408), (63982.6, 0.001)), ((63982.8, 5.015),)
    assert tap(frame, CONTEXT) == (DepthData(NAME, 1786540345127 * MS, NOW_NS, 53935309, bids, asks),)


def test_the_recorded_delta_after_it_is_the_change_that_follows() -> None:
    """Its u is one higher."""
    frame = orderbook("delta", 53935310, b=[["63982.50", "0.003"], ["63980.60", "0.004"]], a=[["63990.50", "0.008"]])
    bids, asks = ((63982.5, 0.003), (63980.6, 0.004)), ((63990.5, 0.008),)
    change = DepthChange(NAME, 1786540345127 * MS, NOW_NS, 53935310, 53935310, 53935309, bids, asks)
    assert tap(frame, CONTEXT) == (change,)


def test_one_id_names_two_products_which_the_url_tells_apart() -> None:
    """BTCUSDT is a spot market and a contract."""
    (whole,) = tap(orderbook("snapshot", 1), ON_SPOT) or ()
    assert isinstance(whole, DepthData)
    assert whole.instrument_id == SPOT


def test_recorded_prints_are_trades() -> None:
    """Spot, 2026-08-12: several in a frame, S is the taker's side."""
    row = {
        "i": "2290000001190010747", "T": 1786538700833, "p": "64104.5", "v": "0.00225", "S": "Sell", "seq": 112571834644,
        "s": "BTCUSDT", "BT": False, "RPI": False,
    }  # fmt: skip
    frame = {
        "topic": "publicTrade.BTCUSDT",
        "ts": 1786538700834,
        "type": "snapshot",
        "data": [row, {**row, "i": "2290000001190010748"}],
    }
    first = MarketTrade(SPOT, 1786538700833 * MS, NOW_NS, "2290000001190010747", 64104.5, 0.00225, Side.SELL)
    assert tap(frame, ON_SPOT) == (first, msgspec.structs.replace(first, trade_id="2290000001190010748"))


@pytest.mark.parametrize(
    "message",
    [
        {
            "success": True,
            "ret_msg": "subscribe",
            "conn_id": "d9avsh3fo0jvsls9d82g-5m9jh",
            "req_id": "1",
            "op": "subscribe",
        },
        {"success": True, "ret_msg": "pong", "conn_id": "d9avsh3fo0jvsls9d82g-5m9jh", "req_id": "2", "op": "ping"},
        {"topic": "tickers.BTCUSDT", "type": "delta", "data": {"symbol": "BTCUSDT"}, "ts": 1786540397983},
        {
            "topic": "orderbook.1.BTCUSDT",
            "type": "snapshot",
            "ts": 1,
            "data": {"s": "BTCUSDT", "b": [], "a": [], "u": 1, "seq": 1},
        },
    ],
)
def test_everything_else_is_left_to_ccxt(message: Any) -> None:
    """Recorded answers, other topics, and a book of another depth, which is not the one we keep."""
    assert tap(message, CONTEXT) is None


def test_what_is_not_listed_is_nobodys() -> None:
    """Ccxt would have no use for it either."""
    frame = orderbook("delta", 2)
    frame["data"]["s"] = "ETHUSDT"
    assert tap(frame, CONTEXT) == ()
    assert tap({"topic": "publicTrade.ETHUSDT", "data": []}, CONTEXT) == ()


def test_a_book_follows_over_a_restart_of_the_service() -> None:
    """A snapshot whose u is 1 overwrites the book, and the changes after it count on from there."""
    book = a_book()
    for u in (101, 102):
        assert book.apply(a_change(u))
    (whole,) = tap(orderbook("snapshot", 1, b=[["63982.70", "2.000"]]), CONTEXT) or ()
    assert isinstance(whole, DepthData)
    book.replace(whole)
    assert book.apply(a_change(2))
    assert book.depth(1).bids == ((63982.7, 0.002),)


def test_a_lost_change_is_a_gap_and_a_repeated_one_is_old() -> None:
    """Ids are in sequence, so two more is one too many."""
    book = a_book()
    assert book.apply(a_change(101))
    assert not book.apply(a_change(101))
    with pytest.raises(BookOutOfSync):
        book.apply(a_change(103))


def a_book() -> DepthBook:
    """Return a book by the row's rule at the id 100."""
    assert VENUE.rule is not None
    book = DepthBook(a_spot(instrument_id=NAME), VENUE.rule(), VENUE.window)
    (whole,) = tap(orderbook("snapshot", 100, b=[["63982.70", "1.000"]]), CONTEXT) or ()
    assert isinstance(whole, DepthData)
    book.replace(whole)
    return book


def a_change(u: int) -> DepthChange:
    """Return a change of the bid, whose size says which it is."""
    (change,) = tap(orderbook("delta", u, b=[["63982.70", f"{u / 1000:.3f}"]]), CONTEXT) or ()
    assert isinstance(change, DepthChange)
    return change
