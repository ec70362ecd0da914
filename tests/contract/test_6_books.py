"""Promise 6: an exact book from memory or None; a book with its source; never waited for on the engine's thread."""

import threading
from decimal import Decimal

import pytest

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.capabilities import BookKind
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import BookLoaded, StrategyLog
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import AdapterError, InvariantBroken, RequestTimedOut
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.contract_rig import ContractRig


def _stream_book(rig: ContractRig) -> None:
    """Subscribe to the book, with levels whose exact figures no float has."""
    rig.rest(Side.BUY, 9_937, 333)
    rig.rest(Side.SELL, 10_063, 1_117)
    rig.adapter.subscribe(SubscribeRequest(rig.spot.instrument_id, depth_levels=5))
    rig.settle()


def _full_stream(rig: ContractRig) -> None:
    if rig.capabilities.book is not BookKind.FULL:
        pytest.skip(f"{rig.name}: the capability table says the stream has a book of kind {rig.capabilities.book}")


def _truth(rig: ContractRig, levels: int = 1_000) -> tuple[object, object]:
    price, size = rig.spot.price_grid.to_decimal, rig.spot.quantity_grid.to_decimal
    bids, asks = rig.book()
    return tuple((price(p), size(q)) for p, q in bids[:levels]), tuple((price(p), size(q)) for p, q in asks[:levels])


def _memory(rig: ContractRig) -> ExactBook | None:
    return rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id)


def test_6_the_book_from_memory_is_exact(rig: ContractRig) -> None:
    _full_stream(rig)
    rig.connect()
    _stream_book(rig)
    book = _memory(rig)
    assert book is not None
    assert (book.bids, book.asks) == _truth(rig)
    assert book.bids[0] == (Decimal("99.37"), Decimal("0.333"))
    assert all(type(figure) is Decimal for row in (*book.bids, *book.asks) for figure in row)
    assert (book.instrument_id, book.source) == (rig.spot.instrument_id, "stream")


def test_6_the_book_from_memory_follows_the_stream_and_tells_its_age(rig: ContractRig) -> None:
    _full_stream(rig)
    rig.connect()
    _stream_book(rig)
    first = _memory(rig)
    rig.rest(Side.BUY, 9_951, 77)
    rig.settle()
    second = _memory(rig)
    assert first is not None
    assert second is not None
    assert second.update_id > first.update_id
    assert second.bids[0] == (Decimal("99.51"), Decimal("0.077"))
    rig.advance(3)
    aged = _memory(rig)
    assert aged is not None
    assert aged.age_ms >= 3_000 > second.age_ms


def test_6_the_book_from_memory_does_not_wait_for_the_venue(rig: ContractRig) -> None:
    _full_stream(rig)
    rig.connect()
    _stream_book(rig)
    with rig.held():
        assert rig.returns(lambda: _memory(rig))
        assert _memory(rig) is not None


def test_6_there_is_no_book_in_memory_before_connecting(rig: ContractRig) -> None:
    assert _memory(rig) is None


def test_6_there_is_no_book_in_memory_of_what_is_not_streamed(rig: ContractRig) -> None:
    rig.connect()
    assert _memory(rig) is None
    _stream_book(rig)
    assert rig.adapter.get_order_book_from_websocket(rig.contract.instrument_id) is None
    assert rig.adapter.get_order_book_from_websocket("NOPE.TEST") is None


def test_6_there_is_no_book_in_memory_while_the_link_is_lost_and_a_new_one_after(rig: ContractRig) -> None:
    _full_stream(rig)
    rig.connect()
    _stream_book(rig)
    assert _memory(rig) is not None
    rig.lose_link("cable pulled")
    assert _memory(rig) is None
    rig.restore_link()
    assert _memory(rig) is not None


def test_6_there_is_no_book_in_memory_after_unsubscribing(rig: ContractRig) -> None:
    rig.connect()
    _stream_book(rig)
    assert (_memory(rig) is None) is (rig.capabilities.book is not BookKind.FULL)
    rig.adapter.unsubscribe(rig.spot.instrument_id)
    rig.settle()
    assert _memory(rig) is None


def test_6_there_is_no_book_in_memory_after_closing(rig: ContractRig) -> None:
    rig.connect()
    _stream_book(rig)
    assert (_memory(rig) is None) is (rig.capabilities.book is not BookKind.FULL)
    rig.adapter.close()
    assert _memory(rig) is None


def test_6_a_book_comes_from_the_stream_when_there_is_one(rig: ContractRig) -> None:
    _full_stream(rig)
    rig.connect()
    _stream_book(rig)
    book = rig.adapter.get_order_book_depth(rig.spot.instrument_id, 2)
    assert (book.bids, book.asks) == _truth(rig, 2)
    assert book.source == "stream"


def test_6_a_book_is_requested_when_there_is_no_stream(rig: ContractRig) -> None:
    rig.connect()
    rig.rest(Side.BUY, 9_937, 333)
    book = rig.adapter.get_order_book_depth(rig.spot.instrument_id, 2)
    assert (book.bids, book.asks) == _truth(rig, 2)
    assert all(type(figure) is Decimal for row in (*book.bids, *book.asks) for figure in row)
    assert book.source == "rest"


def test_6_a_requested_book_answers_again_while_it_is_young(rig: ContractRig) -> None:
    rig.connect()
    first = rig.adapter.get_order_book_depth(rig.spot.instrument_id, 2)
    rig.clock.advance(10**8)
    again = rig.adapter.get_order_book_depth(rig.spot.instrument_id, 1)
    assert (again.source, again.bids) == ("cache", first.bids[:1])
    assert again.age_ms == pytest.approx(first.age_ms + 100)
    rig.clock.advance(int(rig.adapter.book_cache_ms * 1e6))
    assert rig.adapter.get_order_book_depth(rig.spot.instrument_id, 2).source == "rest"


def test_6_a_requested_book_does_not_answer_for_more_levels_than_it_has(rig: ContractRig) -> None:
    rig.connect()
    rig.adapter.get_order_book_depth(rig.spot.instrument_id, 1)
    book = rig.adapter.get_order_book_depth(rig.spot.instrument_id, 2)
    assert (book.source, len(book.bids)) == ("rest", 2)


def test_6_a_book_of_an_unknown_instrument_raises_an_adapter_error(rig: ContractRig) -> None:
    rig.connect()
    with pytest.raises(AdapterError, match=r"NOPE\.TEST"):
        rig.adapter.get_order_book_depth("NOPE.TEST", 5)
    assert rig.adapter.get_order_book_depth(rig.spot.instrument_id, 1).source == "rest"


@pytest.mark.parametrize("when", ["new", "lost", "closed"])
def test_6_a_book_without_a_connection_raises_an_adapter_error_at_once(rig: ContractRig, when: str) -> None:
    if when != "new":
        rig.connect()
        if when == "lost":
            rig.lose_link("cable pulled")
        else:
            rig.adapter.close()

    def ask() -> None:
        with pytest.raises(AdapterError):
            rig.adapter.get_order_book_depth(rig.spot.instrument_id, 5, deadline_s=60)

    assert rig.returns(ask)


def test_6_a_book_that_does_not_come_within_the_deadline_raises(rig: ContractRig) -> None:
    rig.connect()
    with rig.held():
        if rig.io_thread:
            with pytest.raises(RequestTimedOut):
                rig.adapter.get_order_book_depth(rig.spot.instrument_id, 5, deadline_s=0.05)
        else:
            assert rig.returns(lambda: rig.adapter.get_order_book_depth(rig.spot.instrument_id, 5, deadline_s=60))


def test_6_waiting_for_a_book_on_the_engines_thread_raises_at_once(rig: ContractRig) -> None:
    rig.connect()
    _stream_book(rig)
    raised: list[str] = []
    asked = threading.Event()

    def ask(_event: StrategyLog) -> None:
        try:
            rig.adapter.get_order_book_depth(rig.spot.instrument_id, 5)
        except InvariantBroken as error:
            raised.append(str(error))
        asked.set()

    engine = EventEngine()
    engine.dispatcher.subscribe(StrategyLog, ask, owner="asker")
    engine.start()
    try:
        engine.put(StrategyLog("s", "info", "ask", 0))
        assert asked.wait(5)
    finally:
        engine.stop()
    assert len(raised) == 1
    assert "request_book" in raised[0]


def test_6_the_book_from_memory_may_be_read_on_the_engines_thread(rig: ContractRig) -> None:
    _full_stream(rig)
    rig.connect()
    _stream_book(rig)
    found: list[ExactBook | None] = []
    reader = threading.Thread(target=lambda: found.append(_memory(rig)), name="foxtrot-engine")
    reader.start()
    reader.join(5)
    assert found == [_memory(rig)]


def test_6_a_book_asked_for_without_waiting_is_answered_by_an_event(rig: ContractRig) -> None:
    rig.connect()
    rig.rest(Side.BUY, 9_937, 333)
    rig.adapter.request_book("b-17", rig.spot.instrument_id, 2)
    rig.settle()
    answer = rig.heard.of(BookLoaded)[0]
    assert (answer.request_id, answer.instrument_id, answer.error) == ("b-17", rig.spot.instrument_id, "")
    assert answer.source in ("stream", "cache", "rest")
    assert answer.book is not None
    assert answer.book.bids == ((99.37, 0.333), (99.0, 5.0))
    assert len(answer.book.asks) == 2


@pytest.mark.parametrize("when", ["new", "lost", "closed"])
def test_6_a_book_asked_for_without_a_connection_is_answered_by_an_error(rig: ContractRig, when: str) -> None:
    if when != "new":
        rig.connect()
        if when == "lost":
            rig.lose_link("cable pulled")
        else:
            rig.adapter.close()
    rig.adapter.request_book("b-18", rig.spot.instrument_id, 2)
    rig.settle()
    answer = rig.heard.of(BookLoaded)[0]
    assert answer.book is None
    assert answer.error
