"""Messages of partial streams: told apart by their names, whole books, and nothing else."""

from typing import Any

import msgspec
import pytest

from foxtrot.adapter.binance.ccxt_facts import CcxtBook
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.partial_books import PartialBook, PartialBooks, is_partial
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import DepthChange
from tests.support.scripted_binance import btcusdt

SIDES = {"bids": [["40000.00", "1.00000000"]], "asks": [["40001.00", "2.00000000"]]}
SPOT = {"stream": "btcusdt@depth20@100ms", "data": {"lastUpdateId": 7, **SIDES}}
USDM = {
    "stream": "btcusdt@depth20@100ms",
    "data": {
        "e": "depthUpdate", "E": 1_700_000_000_001, "T": 1_700_000_000_000, "s": "BTCUSDT", "U": 5, "u": 7, "pu": 4,
        "b": SIDES["bids"], "a": SIDES["asks"],
    },
}  # fmt: skip


class Nobody:
    """Hears everything and does nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_facts, **_more: None


def scene(product: Product) -> tuple[PartialBooks, PartialBook, list[object]]:
    """Partial books of one symbol, the book, and the messages that were refused."""
    book, refused = PartialBook(btcusdt(product), Nobody()), list[object]()
    book.want(5, changes=False)
    book.begin()
    codec = MarketCodec(product)
    return PartialBooks(codec, {"BTCUSDT": book}, lambda: 9, lambda what, _: refused.append(what)), book, refused


@pytest.mark.parametrize(
    ("product", "message"), [(Product.SPOT, SPOT), (Product.PERPETUAL, USDM)], ids=["spot", "usdm"]
)
def test_a_message_is_the_whole_book_of_its_stream(product: Product, message: dict[str, Any]) -> None:
    partials, book, _ = scene(product)
    assert is_partial(message)
    assert partials.hear(message) is book
    assert (book.state, book.update_id, book.book.depth(20).bids) == (BookState.LIVE, 7, ((40_000.0, 1.0),))
    assert book.exact(1) is None


def test_a_message_that_cannot_be_read_is_refused_and_the_book_stays() -> None:
    partials, book, refused = scene(Product.SPOT)
    partials.hear(SPOT)
    bad = {**SPOT, "data": {"lastUpdateId": 8, "bids": [["x", "1"]], "asks": []}}
    assert partials.hear(bad) is None
    assert refused == [bad]
    assert book.update_id == 7


def test_a_message_of_another_symbol_or_of_a_book_had_otherwise_is_nobodys() -> None:
    partials, _, _ = scene(Product.SPOT)
    assert partials.hear({**SPOT, "stream": "ethusdt@depth20@100ms"}) is None
    assert not is_partial({"stream": "btcusdt@depth@100ms"})
    assert not is_partial({"result": None, "id": 1})


@pytest.mark.parametrize("message", [SPOT, USDM], ids=["spot", "usdm"])
def test_the_hot_path_takes_no_partial_book_for_a_change(message: dict[str, Any]) -> None:
    board = StreamBoard(ManualClock(1), lambda: None)
    board.live = True
    assert not board.take(msgspec.json.encode(message).decode())


def test_changes_of_the_stream_that_was_had_before_disturb_neither_a_partial_book_nor_ccxts() -> None:
    instrument = btcusdt()
    late = DepthChange(instrument.instrument_id, 1, 1, 3, 4, 2, ((40_000.0, 5.0),), ())
    partial, kept = PartialBook(instrument, Nobody()), CcxtBook(instrument, ContiguousIds(), Nobody(), lambda: None)
    whole: Any = {"nonce": 7, "timestamp": None, "bids": [[40_000.0, 1.0]], "asks": [[40_001.0, 2.0]]}
    for book in (partial, kept):
        book.want(5, changes=False)
        book.begin()
    partial.replace(MarketCodec(Product.SPOT).snapshot(SPOT["data"], 1, "BTCUSDT"))  # type: ignore[arg-type]
    kept.take_book(whole, 1)
    for book in (partial, kept):
        assert not book.take(late)
        assert (book.state, book.update_id) == (BookState.LIVE, 7)
    kept.take_book({**whole, "nonce": None}, 2)
    assert kept.state is BookState.LIVE


def test_a_message_that_comes_late_does_not_take_the_book_back_in_id() -> None:
    partials, book, _ = scene(Product.SPOT)
    for update_id, bid in ((100, "40000.00"), (110, "40000.50"), (90, "39999.00")):
        sides = {"bids": [[bid, "1.0"]], "asks": SIDES["asks"]}
        partials.hear({**SPOT, "data": {"lastUpdateId": update_id, **sides}})
    assert (book.state, book.update_id, book.book.depth(1).bids) == (BookState.LIVE, 110, ((40_000.5, 1.0),))


def test_a_first_book_of_ccxts_without_a_time_has_none_so_that_the_next_is_no_older() -> None:
    second_ns = 1_000_000_000
    kept = CcxtBook(btcusdt(), ContiguousIds(), Nobody(), lambda: None)
    kept.want(5, changes=False)
    kept.begin()
    kept.take_book(
        {"nonce": 100, "timestamp": None, "bids": [[40_000.0, 1.0]], "asks": [[40_001.0, 2.0]]}, 9 * second_ns
    )
    assert kept.book.venue_time_ns == 0
    kept.take_book(
        {"nonce": 101, "timestamp": 4_000, "bids": [[39_000.0, 1.0]], "asks": [[39_001.0, 2.0]]}, 9 * second_ns
    )
    assert (kept.update_id, kept.book.venue_time_ns, kept.counters.old) == (101, 4 * second_ns, 0)
