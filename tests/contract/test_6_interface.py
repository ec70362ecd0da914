"""Promise 6: the three ways to a book when connected and ready, connected and not ready, and not connected; each counted in health."""

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.book_paths import BookPath
from foxtrot.adapter.capabilities import BookKind
from foxtrot.domain.enums import AdapterState, Side
from foxtrot.domain.errors import AdapterError, InvariantBroken
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.contract_rig import ContractRig

CALLERS = 8
NOT_CONNECTED = ("new", "lost", "closed")


def _wish(rig: ContractRig) -> SubscribeRequest:
    return SubscribeRequest(rig.spot.instrument_id, trades=True, depth_levels=5)


def _ready(rig: ContractRig) -> None:
    """Connect, subscribe to quotes and the book, and let the best prices change since."""
    rig.connect()
    rig.adapter.subscribe(_wish(rig))
    rig.settle()
    rig.rest(Side.BUY, 9_937, 333)
    rig.rest(Side.SELL, 10_063, 1_117)
    rig.settle()


def _not_connected(rig: ContractRig, when: str) -> None:
    if when == "new":
        return
    _ready(rig)
    if when == "lost":
        rig.lose_link("cable pulled")
    else:
        rig.adapter.close()


def _memory(rig: ContractRig) -> ExactBook | None:
    return rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id)


def _best(rig: ContractRig) -> BestBidOffer | None:
    return rig.adapter.get_best_bid_offer(rig.spot.instrument_id)


def _depth(rig: ContractRig, levels: int = 2) -> ExactBook:
    return rig.adapter.get_order_book_depth(rig.spot.instrument_id, levels)


def _counts(rig: ContractRig) -> dict[str, int]:
    return {path: figures.count for path, figures in rig.adapter.health().book_paths.items()}


def _full(rig: ContractRig) -> bool:
    return rig.capabilities.book is BookKind.FULL


def _has_best(rig: ContractRig) -> bool:
    return rig.capabilities.best_by_stream or _full(rig)


def _top(rig: ContractRig) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    price, size = rig.spot.price_grid.to_decimal, rig.spot.quantity_grid.to_decimal
    bids, asks = rig.book()
    return price(bids[0][0]), size(bids[0][1]), price(asks[0][0]), size(asks[0][1])


def _on_the_engines_thread(ask: Callable[[], object]) -> list[object]:
    """What a call gives or raises on a thread of the engine's name."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(ask())
        except InvariantBroken as error:
            found.append(error)

    caller = threading.Thread(target=run, name="foxtrot-engine")
    caller.start()
    caller.join(10)
    return found


# --- connected and ready ------------------------------------------------------------------------------------------


def test_6_when_ready_the_book_is_in_memory_where_the_stream_is_full(rig: ContractRig) -> None:
    _ready(rig)
    book = _memory(rig)
    assert (book is not None) is _full(rig)
    assert _counts(rig) == {BookPath.MEMORY if _full(rig) else BookPath.NOT_IN_MEMORY: 1}
    if book is not None:
        assert (*book.bids[0], *book.asks[0]) == _top(rig)


def test_6_when_ready_the_depth_comes_from_the_stream_or_else_by_request(rig: ContractRig) -> None:
    _ready(rig)
    book = _depth(rig)
    assert book.source == ("stream" if _full(rig) else "rest")
    assert (*book.bids[0], *book.asks[0]) == _top(rig)
    assert _counts(rig)[book.source] == 1


def test_6_when_ready_the_best_prices_are_exact_and_come_from_memory(rig: ContractRig) -> None:
    _ready(rig)
    best = _best(rig)
    assert (best is not None) is _has_best(rig)
    assert _counts(rig) == {BookPath.BEST if _has_best(rig) else BookPath.NO_BEST: 1}
    if best is not None:
        assert (best.bid, best.bid_size, best.ask, best.ask_size) == _top(rig)
        assert (best.instrument_id, best.source) == (rig.spot.instrument_id, "stream")
        assert all(type(figure) is Decimal for figure in (best.bid, best.bid_size, best.ask, best.ask_size))


def test_6_the_best_prices_follow_the_stream_and_tell_their_age(rig: ContractRig) -> None:
    _ready(rig)
    first = _best(rig)
    rig.rest(Side.BUY, 9_951, 77)
    rig.settle()
    second = _best(rig)
    if first is None or second is None:
        pytest.skip(f"{rig.name}: the capability table says no best_by_stream")
    assert (first.bid, second.bid, second.bid_size) == (Decimal("99.37"), Decimal("99.51"), Decimal("0.077"))
    rig.clock.advance(3 * 10**9)
    aged = _best(rig)
    assert aged is not None
    assert aged.age_ms >= 3_000 > second.age_ms >= 0


def test_6_the_best_prices_come_by_ticks_alone_and_by_the_book_alone(rig: ContractRig) -> None:
    rig.connect()
    instrument_id = rig.spot.instrument_id
    for wish, comes in (
        (SubscribeRequest(instrument_id), rig.capabilities.best_by_stream),
        (SubscribeRequest(instrument_id, ticks=False, depth_levels=5), _full(rig)),
    ):
        rig.adapter.subscribe(wish)
        rig.settle()
        added = rig.rest(Side.BUY, 9_951, 77)
        rig.settle()
        best = _best(rig)
        assert (best is not None) is comes, wish
        assert best is None or best.bid == Decimal("99.51")
        rig.withdraw(added)
        rig.adapter.unsubscribe(instrument_id)
        rig.settle()
        assert _best(rig) is None


def test_6_memory_is_read_while_the_venue_does_not_move(rig: ContractRig) -> None:
    _ready(rig)
    with rig.held():
        assert rig.returns(lambda: (_memory(rig), _best(rig)))
        assert (_best(rig) is not None) is _has_best(rig)


# --- connected and not ready --------------------------------------------------------------------------------------


def test_6_before_the_snapshot_there_is_no_book_in_memory(rig: ContractRig) -> None:
    rig.connect()
    with rig.unready(_wish(rig)):
        assert rig.returns(lambda: _memory(rig))
        assert _memory(rig) is None
        assert _counts(rig)[BookPath.NOT_IN_MEMORY] == 2


def test_6_before_the_snapshot_the_depth_is_requested_and_says_so(rig: ContractRig) -> None:
    rig.connect()
    with rig.unready(_wish(rig)):
        book = _depth(rig)
        assert book.source == "rest"
        assert (*book.bids[0], *book.asks[0]) == _top(rig)
        assert _depth(rig).source == "cache"
        assert _counts(rig) == {BookPath.NOT_IN_MEMORY: 2, BookPath.REST: 1, BookPath.CACHE: 1}


def test_6_before_the_first_quote_there_are_no_best_prices(rig: ContractRig) -> None:
    rig.connect()
    with rig.unready(_wish(rig)):
        assert _best(rig) is None
        assert _counts(rig) == {BookPath.NO_BEST: 1}


def test_6_what_was_not_ready_becomes_ready(rig: ContractRig) -> None:
    rig.connect()
    with rig.unready(_wish(rig)):
        assert _memory(rig) is None
    rig.advance(5)
    rig.rest(Side.BUY, 9_951, 77)
    rig.settle()
    assert (_memory(rig) is not None) is _full(rig)
    assert (_best(rig) is not None) is _has_best(rig)
    assert _depth(rig).source == ("stream" if _full(rig) else "rest")


# --- not connected ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", NOT_CONNECTED)
def test_6_without_a_connection_there_is_nothing_in_memory(rig: ContractRig, when: str) -> None:
    _not_connected(rig, when)
    assert rig.returns(lambda: (_memory(rig), _best(rig)))
    assert (_memory(rig), _best(rig)) == (None, None)
    assert _counts(rig) == {BookPath.NOT_IN_MEMORY: 2, BookPath.NO_BEST: 2}


@pytest.mark.parametrize("when", NOT_CONNECTED)
def test_6_without_a_connection_the_depth_fails_at_once_and_is_counted(rig: ContractRig, when: str) -> None:
    _not_connected(rig, when)

    def ask() -> None:
        with pytest.raises(AdapterError):
            rig.adapter.get_order_book_depth(rig.spot.instrument_id, 2, deadline_s=60)

    assert rig.returns(ask)
    assert _counts(rig) == {BookPath.NOT_IN_MEMORY: 1, BookPath.FAILED: 1}


def test_6_a_lost_connection_that_is_back_has_best_prices_again(rig: ContractRig) -> None:
    _ready(rig)
    rig.lose_link("cable pulled")
    assert _best(rig) is None
    rig.restore_link()
    rig.rest(Side.BUY, 9_951, 77)
    rig.settle()
    best = _best(rig)
    assert (best is not None) is _has_best(rig)
    assert best is None or best.bid == Decimal("99.51")


# --- whoever asks -------------------------------------------------------------------------------------------------


def test_6_only_the_waiting_way_is_refused_on_the_engines_thread(rig: ContractRig) -> None:
    _ready(rig)
    assert _on_the_engines_thread(lambda: _memory(rig)) == [_memory(rig)]
    assert _on_the_engines_thread(lambda: _best(rig)) == [_best(rig)]
    (refused,) = _on_the_engines_thread(lambda: _depth(rig))
    assert isinstance(refused, InvariantBroken)


@pytest.mark.parametrize("when", ["ready", *NOT_CONNECTED])
def test_6_the_waiting_way_is_refused_on_the_engines_thread_in_every_state(rig: ContractRig, when: str) -> None:
    if when == "ready":
        rig.connect()
    else:
        _not_connected(rig, when)
    (refused,) = _on_the_engines_thread(lambda: _depth(rig))
    assert isinstance(refused, InvariantBroken)
    assert BookPath.FAILED not in _counts(rig), "what was not asked did not fail"


def test_6_many_callers_at_once_all_get_the_same_book(rig: ContractRig) -> None:
    _ready(rig)
    found: list[tuple[object, object, object]] = []

    def ask() -> None:
        depth, book, best = _depth(rig), _memory(rig), _best(rig)
        found.append(((depth.bids, depth.asks), book and (book.bids, book.asks), best and (best.bid, best.ask)))

    with rig.together([ask] * CALLERS):
        pass
    assert len(found) == CALLERS
    assert [one == found[0] for one in found] == [True] * CALLERS
    counts = _counts(rig)
    assert sum(counts.get(path, 0) for path in (BookPath.STREAM, BookPath.CACHE, BookPath.REST)) == CALLERS
    assert counts[BookPath.BEST if _has_best(rig) else BookPath.NO_BEST] == CALLERS


def test_6_many_callers_at_once_without_a_connection_are_all_refused(rig: ContractRig) -> None:
    refused: list[bool] = []

    def ask() -> None:
        with pytest.raises(AdapterError):
            _depth(rig)
        refused.append(_memory(rig) is None and _best(rig) is None)

    with rig.together([ask] * CALLERS):
        pass
    assert refused == [True] * CALLERS
    assert _counts(rig)[BookPath.FAILED] == CALLERS


def test_6_callers_during_a_close_get_a_book_or_an_adapter_error(rig: ContractRig) -> None:
    _ready(rig)
    outcomes: list[object] = []

    def ask() -> None:
        try:
            outcomes.append(_depth(rig))
        except AdapterError as error:
            outcomes.append(error)
        _memory(rig)
        _best(rig)

    with rig.together([*[ask] * CALLERS, rig.adapter.close]):
        pass
    assert len(outcomes) == CALLERS
    assert (_memory(rig), _best(rig)) == (None, None)


def test_6_health_has_the_account_and_the_state_of_the_link(rig: ContractRig) -> None:
    assert (rig.adapter.state, rig.adapter.health().up) == (AdapterState.DISCONNECTED, False)
    rig.connect()
    assert (rig.adapter.state, rig.adapter.health().up) == (AdapterState.READY, True)
    assert rig.adapter.health().account == rig.account
    rig.adapter.close()
    assert (rig.adapter.state, rig.adapter.health().up) == (AdapterState.CLOSED, False)
