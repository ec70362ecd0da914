"""Kraken's row: what its frames say, and that a book has the checksum of every recorded frame and notices what is lost by the next."""

from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ccxt.venue import Confirmed, Quote, Stream
from foxtrot.adapter.ccxt.venues.kraken import VENUE, tap
from foxtrot.books.checksums import Checksum
from foxtrot.books.depth_book import DepthBook, Loss
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from tests.support.instruments import a_spot
from tests.support.tap_context import NOW_NS, FixedContext

NAME = "BTCUSD.KRAKEN"
CONTEXT = FixedContext({"BTC/USD": NAME}, number=7)
INSTRUMENT = a_spot(instrument_id=NAME, price_grid=Grid.of("0.1"), quantity_grid=Grid.of("0.00000001"))
BIDS = (
    (85600.4, 0.20401971), (85599.6, 0.04385864), (85599.5, 0.17523456), (85597.8, 5e-05), (85597.7, 2.92063885),
    (85596.3, 5.1e-05), (85595.8, 0.00596174), (85595.2, 0.58888844), (85593.6, 2.92077632), (85592, 5.1e-05),
)  # fmt: skip
ASKS = (
    (85600.5, 0.90679198), (85601.6, 0.21608516), (85601.7, 2.92050281), (85602.1, 0.000233), (85603, 0.0077),
    (85603.7, 2.92043523), (85604.4, 0.87632208), (85604.8, 5.1e-05), (85606.2, 0.00116814), (85607.7, 2.92029921),
)  # fmt: skip
UPDATES = (
    (((85601.6, 0), (85608, 0.04358176)), 3973935795, "2026-10-06T08:04:56.153890Z"),
    (((85600.5, 1.12287714),), 402752521, "2026-10-06T08:04:56.153890Z"),
    (((85600.5, 0.90679198),), 3973935795, "2026-10-06T08:04:56.283958Z"),
    (((85601.6, 0.21608516),), 817831036, "2026-10-06T08:04:56.283958Z"),
)
"""Asks, checksum and time: recorded by ccxt on 2026-10-06 (depth 10) right after the snapshot; so are BIDS and ASKS."""


def book(kind: str, bids: Any, asks: Any, checksum: int, time: str | None) -> Any:
    """Return a frame of the channel book."""
    sides = {
        name: [{"price": price, "qty": size} for price, size in side] for name, side in (("bids", bids), ("asks", asks))
    }
    row = {"symbol": "BTC/USD", **sides, "checksum": checksum}
    return {"channel": "book", "type": kind, "data": [row if time is None else {**row, "timestamp": time}]}


def test_a_recorded_snapshot_is_a_book_under_the_number_of_its_message() -> None:
    """Kraken gives no ids."""
    frame = book("snapshot", BIDS, ASKS, 817831036, "2026-10-06T08:04:56.000569Z")
    assert tap(frame, CONTEXT) == (DepthData(NAME, 1791273896000569000, NOW_NS, 7, BIDS, ASKS),)


def test_a_snapshot_without_a_time_is_of_now() -> None:
    """As in the documentation's sample."""
    (whole,) = tap(book("snapshot", BIDS, ASKS, 817831036, None), CONTEXT) or ()
    assert isinstance(whole, DepthData)
    assert whole.venue_time_ns == NOW_NS


def test_a_recorded_update_is_a_change_with_its_checksum() -> None:
    """It follows the message before it."""
    asks, checksum, time = UPDATES[0]
    change = DepthChange(
        NAME, 1791273896153890000, NOW_NS, 7, 7, 6, (), ((85601.6, 0.0), (85608.0, 0.04358176)), checksum
    )
    assert tap(book("update", (), asks, checksum, time), CONTEXT) == (change,)


def test_a_book_has_the_checksum_of_every_recorded_frame() -> None:
    """That of the snapshot too."""
    kept, recipe = a_book(), VENUE.checksum and VENUE.checksum(INSTRUMENT)
    assert recipe is not None
    assert recipe(kept.levels) == 817831036
    for number, change in enumerate(changes(), 1):
        assert kept.apply(change), f"change {number}"
    assert recipe(kept.levels) == 817831036


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_update_shows_at_the_next_one(lost: int) -> None:
    """By the checksum alone, as there are no ids."""
    kept = a_book()
    following = [change for number, change in enumerate(changes()) if number != lost]
    for change in following[:lost]:
        kept.apply(change)
    if lost == 1:  # the two after the first undo each other: without either of them the levels are right again
        assert kept.apply(following[lost])
        return
    with pytest.raises(BookOutOfSync):
        kept.apply(following[lost])
    assert kept.lost_by is Loss.CHECKSUM


def test_a_wrong_checksum_is_not_believed() -> None:
    """One bit of it."""
    kept, first = a_book(), changes()[0]
    assert first.checksum is not None
    with pytest.raises(BookOutOfSync):
        kept.apply(msgspec.structs.replace(first, checksum=first.checksum ^ 1))


def test_what_falls_out_of_the_depth_is_dropped() -> None:
    """Kraken says no more of it: at a depth of 10 an eleventh level would stay for ever."""
    assert VENUE.rule is not None
    kept = DepthBook(INSTRUMENT, VENUE.rule(), 10)
    kept.replace(DepthData(NAME, 1, 1, 6, BIDS, ASKS))
    kept.apply(DepthChange(NAME, 1, 1, 7, 7, 6, ((85600.1, 1.0),), ()))
    assert kept.depth(20).bids == (BIDS[0], (85600.1, 1.0), *BIDS[1:9])


def test_a_recorded_best_level_is_a_quote() -> None:
    """Recorded on 2026-08-12."""
    row = {
        "symbol": "BTC/USD", "bid": 63297.7, "bid_qty": 5.75119051, "ask": 63297.8, "ask_qty": 0.36977971, "last": 63297.8,
        "volume": 1020.88387727, "vwap": 63685.7, "low": 63250, "high": 64409.2, "change": 0.7, "change_pct": 0, "trades": 47535,
        "timestamp": "2026-08-12T19:29:00.921195Z",
    }  # fmt: skip
    quote = Quote(NAME, 1786562940921195000, NOW_NS, 7, 63297.7, 5.75119051, 63297.8, 0.36977971)
    assert tap({"channel": "ticker", "type": "snapshot", "data": [row]}, CONTEXT) == (quote,)


def test_a_documented_print_is_a_trade_and_past_ones_are_none() -> None:
    """The documentation's sample, under our symbol."""
    row = {
        "symbol": "BTC/USD", "side": "sell", "price": 0.5117, "qty": 40.0, "ord_type": "market", "trade_id": 4665906,
        "timestamp": "2023-09-25T07:49:37.708706Z",
    }  # fmt: skip
    print_ = MarketTrade(NAME, 1695628177708706000, NOW_NS, "4665906", 0.5117, 40.0, Side.SELL)
    assert tap({"channel": "trade", "type": "update", "data": [row]}, CONTEXT) == (print_,)
    assert tap({"channel": "trade", "type": "snapshot", "data": [row]}, CONTEXT) == ()


def test_the_answer_to_a_subscription_confirms_it() -> None:
    """Recorded on 2026-10-06."""
    result = {"channel": "book", "depth": 10, "snapshot": True, "symbol": "BTC/USD"}
    times = {"time_in": "2026-10-06T08:04:55.791872Z", "time_out": "2026-10-06T08:04:55.791930Z"}
    answer = {"method": "subscribe", "req_id": 1, "result": result, "success": True, **times}
    assert tap(answer, CONTEXT) == (Confirmed(NAME, Stream.BOOK),)


@pytest.mark.parametrize(
    "message",
    [
        {"channel": "heartbeat"},
        {
            "channel": "status",
            "type": "update",
            "data": [{"version": "2.0.10", "system": "online", "api_version": "v2"}],
        },
        {"method": "pong", "time_in": "2026-10-06T08:04:55.791872Z", "time_out": "2026-10-06T08:04:55.791930Z"},
        {
            "method": "subscribe",
            "error": "Currency pair not supported ABC/DEF",
            "req_id": 1,
            "success": False,
            "symbol": "ABC/DEF",
        },
        {"method": "unsubscribe", "req_id": 2, "result": {"channel": "book", "symbol": "BTC/USD"}, "success": True},
        {"channel": "ohlc", "type": "update", "data": [{"symbol": "BTC/USD"}]},
    ],
)
def test_everything_else_is_left_to_ccxt(message: Any) -> None:
    """Heartbeats, refusals, and channels of others."""
    assert tap(message, CONTEXT) is None


def test_what_is_not_listed_is_nobodys() -> None:
    """Ccxt would have no use for it either."""
    assert tap(book("update", (), (), 1, None), FixedContext({})) == ()


def test_grids_are_those_that_checksums_are_printed_in() -> None:
    """Not ccxt's: where the currency has fewer decimals than the pair it takes the currency's, and books are off that grid."""
    market = {"info": {"pair_decimals": 5, "lot_decimals": 8}}
    assert VENUE.price_step is not None
    assert VENUE.size_step is not None
    assert Grid.of(VENUE.price_step(market)) == Grid.of("0.00001")
    assert Grid.of(VENUE.size_step(market)) == Grid.of("0.00000001")


def a_book() -> DepthBook:
    """Return a book by the row's rule and checksum, with the recorded snapshot."""
    assert VENUE.rule is not None
    assert VENUE.checksum is not None
    kept = DepthBook(INSTRUMENT, Checksum(VENUE.rule(), VENUE.checksum(INSTRUMENT)), VENUE.window)
    (whole,) = tap(book("snapshot", BIDS, ASKS, 817831036, None), msgspec.structs.replace(CONTEXT, number=1)) or ()
    assert isinstance(whole, DepthData)
    kept.replace(whole)
    return kept


def changes() -> list[DepthChange]:
    """Return the recorded changes as the tap reads them, one message after another."""
    found = []
    for number, (asks, checksum, time) in enumerate(UPDATES, 2):
        (change,) = tap(book("update", (), asks, checksum, time), msgspec.structs.replace(CONTEXT, number=number)) or ()
        assert isinstance(change, DepthChange)
        found.append(change)
    return found
