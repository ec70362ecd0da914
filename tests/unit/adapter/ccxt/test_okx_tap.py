"""OKX's row: what its frames say, and that a book follows their ids through quiet minutes and a maintenance."""

from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ccxt.venue import Confirmed, Quote, Stream
from foxtrot.adapter.ccxt.venues.okx import VENUE, tap
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from tests.support.instruments import a_spot
from tests.support.tap_context import NOW_NS, FixedContext

NAME = "BTCUSDT.OKX"
CONTEXT = FixedContext({"BTC-USDT": NAME})
BOOKS = {"channel": "books", "instId": "BTC-USDT"}
MS = 1_000_000


def books(action: str, before: int, seq_id: int, checksum: int = 0, **levels: Any) -> Any:
    """Return a frame of the channel books, as the API guide has it."""
    row = {
        "asks": [],
        "bids": [],
        **levels,
        "ts": "1597026383085",
        "checksum": checksum,
        "prevSeqId": before,
        "seqId": seq_id,
    }
    return {"arg": BOOKS, "action": action, "data": [row]}


def test_a_documented_snapshot_is_a_book() -> None:
    """The guide's sample, cut; its first action is a snapshot, whose prevSeqId is -1."""
    asks, bids = [["8476.98", "415", "0", "13"], ["8477", "7", "0", "2"]], [["8476.97", "256", "0", "12"]]
    frame = books("snapshot", -1, 123456, -855196043, asks=asks, bids=bids)
    whole = DepthData(NAME, 1597026383085 * MS, NOW_NS, 123456, ((8476.97, 256.0),), ((8476.98, 415.0), (8477.0, 7.0)))
    assert tap(frame, CONTEXT) == (whole,)


def test_a_documented_update_is_a_change_that_names_the_one_before() -> None:
    """The guide's sample of an update, cut."""
    frame = books("update", 123456, 123457, -855196043, asks=[["8476.98", "0", "0", "0"]])
    change = DepthChange(NAME, 1597026383085 * MS, NOW_NS, 123457, 123457, 123456, (), ((8476.98, 0.0),), -855196043)
    assert tap(frame, CONTEXT) == (change,)


def test_a_recorded_snapshot_has_the_checksum_of_our_recipe() -> None:
    """Of an option, from 2023-12-01, when OKX still gave checksums: five bids, four asks, figures with and without a point."""
    asks = [["0.038", "200"], ["0.0385", "1550"], ["0.0395", "2888"], ["0.0435", "1500"]]
    bids = [["0.035", "1550"], ["0.031", "200"], ["0.0305", "2888"], ["0.0285", "1500"], ["0.026", "500"]]
    (whole,) = tap(books("snapshot", -1, 7966474, 750243667, asks=asks, bids=bids), CONTEXT) or ()
    instrument = a_spot(instrument_id=NAME, price_grid=Grid.of("0.0001"), quantity_grid=Grid.of("1"))
    assert isinstance(whole, DepthData)
    assert VENUE.rule is not None
    assert VENUE.checksum is not None
    book = DepthBook(instrument, VENUE.rule(), VENUE.window)
    book.replace(whole)
    assert VENUE.checksum(instrument)(book.levels) == 750243667


@pytest.mark.parametrize("checksum", [0, None])
def test_the_checksum_of_nothing_is_none(checksum: int | None) -> None:
    """Since June 2026 OKX sends 0, which is no checksum."""
    frame = books("update", 1, 2)
    frame["data"][0]["checksum"] = checksum
    (change,) = tap(frame, CONTEXT) or ()
    assert isinstance(change, DepthChange)
    assert change.checksum is None


def test_a_recorded_frame_of_books5_is_a_whole_book() -> None:
    """Recorded on 2026-08-12, cut to a level; it has no action and no prevSeqId."""
    row = {
        "asks": [["64073.1", "1.07909367", "0", "12"]], "bids": [["64073", "0.58849577", "0", "41"]],
        "instId": "BTC-USDT", "ts": "1786538744703", "seqId": 79706756227,
    }  # fmt: skip
    frame = {"arg": {"channel": "books5", "instId": "BTC-USDT"}, "data": [row]}
    whole = DepthData(NAME, 1786538744703 * MS, NOW_NS, 79706756227, ((64073.0, 0.58849577),), ((64073.1, 1.07909367),))
    assert tap(frame, CONTEXT) == (whole,)


def test_a_recorded_print_is_a_trade() -> None:
    """Recorded on 2026-08-12."""
    row = {
        "instId": "BTC-USDT", "tradeId": "1040968613", "px": "64040.2", "sz": "0.00240857", "side": "buy", "ts": "1786538760218",
        "count": "2", "source": "0", "seqId": 79706765242,
    }  # fmt: skip
    frame = {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [row]}
    print_ = MarketTrade(NAME, 1786538760218 * MS, NOW_NS, "1040968613", 64040.2, 0.00240857, Side.BUY)
    assert tap(frame, CONTEXT) == (print_,)


def test_a_documented_best_level_is_a_quote_and_an_empty_side_is_none() -> None:
    """The guide's sample of bbo-tbt, once with a side cut off."""
    arg = {"channel": "bbo-tbt", "instId": "BTC-USDT"}
    row = {
        "asks": [["111.06", "55154", "0", "2"]],
        "bids": [["111.05", "57745", "0", "2"]],
        "ts": "1670324386802",
        "seqId": 363996337,
    }
    time_ns = 1670324386802 * MS
    quote = Quote(NAME, time_ns, NOW_NS, 363996337, 111.05, 57745.0, 111.06, 55154.0)
    assert tap({"arg": arg, "data": [row]}, CONTEXT) == (quote,)
    no_bid = msgspec.structs.replace(quote, bid=0.0, bid_size=0.0)
    assert tap({"arg": arg, "data": [{**row, "bids": []}]}, CONTEXT) == (no_bid,)


def test_the_answer_to_a_subscription_confirms_it() -> None:
    """Recorded, of another channel."""
    assert tap({"event": "subscribe", "arg": BOOKS, "connId": "d604ccd0"}, CONTEXT) == (Confirmed(NAME, Stream.BOOK),)


@pytest.mark.parametrize(
    "message",
    [
        "pong",
        {"event": "unsubscribe", "arg": BOOKS, "connId": "d604ccd0"},
        {"event": "error", "code": "60012", "msg": "Illegal request"},
        {"arg": {"channel": "candle1m", "instId": "BTC-USDT"}, "data": [["1597026383085"]]},
    ],
)
def test_everything_else_is_left_to_ccxt(message: Any) -> None:
    """Its keep-alive, its way to unsubscribe, errors, and channels of others."""
    assert tap(message, CONTEXT) is None


def test_what_is_not_listed_is_nobodys() -> None:
    """Ccxt would have no use for it either."""
    assert tap({**books("update", 1, 2), "arg": {**BOOKS, "instId": "ETH-USDT"}}, CONTEXT) == ()


@pytest.mark.parametrize("missing", ["seqId", "ts", "bids"])
def test_a_frame_that_lacks_something_raises(missing: str) -> None:
    """Nothing is guessed."""
    frame = books("snapshot", -1, 10)
    del frame["data"][0][missing]
    with pytest.raises((LookupError, TypeError, ValueError)):
        tap(frame, CONTEXT)


def test_a_book_follows_the_documented_ids() -> None:
    """The guide's own row of (prevSeqId, seqId): a snapshot, a change, a quiet minute, a maintenance, a change after it."""
    book = a_book(10)
    for before, seq_id in ((10, 15), (15, 15), (15, 3), (3, 5)):
        (change,) = tap(books("update", before, seq_id, bids=[["8476.97", str(seq_id), "0", "1"]]), CONTEXT) or ()
        assert isinstance(change, DepthChange)
        assert book.apply(change)
        assert book.depth(1).bids == ((8476.97, float(seq_id)),)


def test_a_lost_change_is_a_gap() -> None:
    """It names one that never came."""
    book = a_book(10)
    (change,) = tap(books("update", 12, 15), CONTEXT) or ()
    assert isinstance(change, DepthChange)
    with pytest.raises(BookOutOfSync):
        book.apply(change)


def a_book(seq_id: int) -> DepthBook:
    """Return a book by the row's rule, with a level."""
    assert VENUE.rule is not None
    book = DepthBook(a_spot(instrument_id=NAME), VENUE.rule(), VENUE.window)
    (whole,) = tap(books("snapshot", -1, seq_id, bids=[["8476.97", "1", "0", "1"]]), CONTEXT) or ()
    assert isinstance(whole, DepthData)
    book.replace(whole)
    return book
