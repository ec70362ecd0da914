"""The one way of requests: deadlines by our clock, what left and what did not, a venue that is left alone while it is down."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from foxtrot.adapter.binance.errors import NotSent, PermitClosed, UnknownOutcome
from foxtrot.adapter.binance.rest_door import RestDoor
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import AdapterError, BadMessage, ConnectionLost, RateLimited, RequestTimedOut, VenueRejected
from tests.support.binance_bench import BinanceBench

ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "50000",
    "newClientOrderId": "door-1",
}  # fmt: skip


@pytest.fixture
def bench() -> Iterator[BinanceBench]:
    with BinanceBench("spot") as made:
        made.connect()
        yield made


def _door(bench: BinanceBench) -> RestDoor:
    return bench.adapter.session.door


def _do(bench: BinanceBench, coroutine: Coroutine[Any, Any, Any], meanwhile: Callable[[], None] | None = None) -> Any:
    asked = bench.adapter.session.bridge.submit(coroutine)
    if meanwhile is not None:
        meanwhile()
    return asked.result(10)


def _send(bench: BinanceBench) -> Coroutine[Any, Any, Any]:
    return _door(bench).send_permitted("privatePostOrder", ORDER, reduces=False)


def test_a_question_is_answered_and_counted(bench: BinanceBench) -> None:
    before = bench.adapter.health().requests
    assert _do(bench, _door(bench).request("privateGetOpenOrders", {})) == []
    assert bench.adapter.health().requests == before + 1


def test_a_refused_question_says_binances_code_and_words(bench: BinanceBench) -> None:
    with pytest.raises(VenueRejected) as raised:
        _do(bench, _door(bench).request("privateGetOpenOrders", {"symbol": "NOPE"}))
    assert (raised.value.code, raised.value.text) == ("-1121", "Invalid symbol.")


def test_a_question_without_an_answer_ends_by_our_clock(bench: BinanceBench) -> None:
    bench.fault("delay", endpoint="GET /api/v3/openOrders", delay_s=3600)
    with pytest.raises(RequestTimedOut):
        _do(bench, _door(bench).request("privateGetOpenOrders", {}, deadline_s=4.0), lambda: _pass(bench, 4.5))


def _pass(bench: BinanceBench, seconds: float) -> None:
    """Let time pass once the bridge has begun what it was given before."""
    bench.adapter.session.bridge.submit(_nothing()).result(5)
    bench.advance(seconds)


async def _nothing() -> None:
    """Do nothing."""


def test_an_order_that_never_left_is_told_apart_from_one_that_may_live(bench: BinanceBench) -> None:
    bench.fault("error_code", endpoint="POST /api/v3/order", status=503, code=-1007, msg="Timeout", executed=True)
    with pytest.raises(UnknownOutcome):
        _do(bench, _send(bench))
    assert bench.open_orders() == ["door-1"]
    bench.server.stop()
    with pytest.raises(AdapterError) as raised:
        _do(bench, _send(bench))
    assert isinstance(raised.value, NotSent | UnknownOutcome)
    bench.server.start()
    assert bench.open_orders() == ["door-1"]


def test_a_refused_order_is_no_unknown_one(bench: BinanceBench) -> None:
    bench.fault(
        "error_code", endpoint="POST /api/v3/order", status=400, code=-2010, msg="Account has insufficient balance."
    )
    with pytest.raises(VenueRejected):
        _do(bench, _send(bench))


def test_an_order_without_the_permit_or_while_binance_wants_quiet_does_not_leave(bench: BinanceBench) -> None:
    bench.permit.close("kill switch")
    with pytest.raises(PermitClosed, match="kill switch"):
        _do(bench, _send(bench))
    bench.fault("http_status", status=418, retry_after_s=30, count=1)
    with pytest.raises(RateLimited):
        _do(bench, _door(bench).request("privateGetOpenOrders", {}))
    with pytest.raises(NotSent) as raised:
        _do(bench, _send(bench))
    assert raised.value.rule == "rate_limited"
    assert bench.open_orders() == []


def test_a_venue_that_keeps_failing_is_left_alone_and_tried_with_one_request(bench: BinanceBench) -> None:
    bench.fault("html", endpoint="GET /api/v3/openOrders", status=502, count=5)
    for _ in range(5):
        with pytest.raises(ConnectionLost):
            _do(bench, _door(bench).request("privateGetOpenOrders", {}))
    with pytest.raises(ConnectionLost, match="breaker"):
        _do(bench, _door(bench).request("privateGetOpenOrders", {}))
    bench.advance(10.0)
    assert _do(bench, _door(bench).request("privateGetOpenOrders", {})) == []


def test_a_clock_that_jumped_costs_one_more_question_and_no_order_is_sent_twice(bench: BinanceBench) -> None:
    bench.fault("clock_skew", skew_ms=-60_000)
    with pytest.raises(VenueRejected, match="-1021"):
        _do(bench, _send(bench))
    assert bench.open_orders() == []
    assert _do(bench, _send(bench))["clientOrderId"] == "door-1"


# --- what nobody listed ---------------------------------------------------------------------------------------------


def _fail(_answer: object = None, *_rest: object) -> None:
    raise LookupError("unknown encoding: hex")


def test_an_order_whose_answer_fails_in_an_unlisted_way_is_unknown_and_a_question_has_a_bad_answer(
    bench: BinanceBench,
) -> None:
    bench.adapter.session.exchange.on_rest_response = _fail  # type: ignore[method-assign]
    with pytest.raises(UnknownOutcome, match="hex"):
        _do(bench, _send(bench))
    assert bench.open_orders() == ["door-1"]
    with pytest.raises(BadMessage, match="hex"):
        _do(bench, _door(bench).request("privateGetOpenOrders", {}))


def test_an_order_that_fails_in_an_unlisted_way_before_it_leaves_is_not_sent(bench: BinanceBench) -> None:
    bench.adapter.session.exchange.sign = _fail  # type: ignore[method-assign]
    with pytest.raises(NotSent, match="hex"):
        _do(bench, _send(bench))
    assert bench.open_orders() == []


def test_a_question_that_is_given_up_under_us_is_a_lost_connection_and_one_we_give_up_is_not(
    bench: BinanceBench,
) -> None:
    async def given_up(_exchange: object) -> None:
        raise asyncio.CancelledError

    async def for_ever(_exchange: object) -> None:
        await asyncio.get_running_loop().create_future()

    async def we_give_up() -> bool:
        asking = asyncio.ensure_future(_door(bench).ask(for_ever))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        return asking.cancelled()

    with pytest.raises(ConnectionLost, match="closed under"):
        _do(bench, _door(bench).ask(given_up))
    assert _do(bench, we_give_up())


def test_nobody_to_ask_is_a_lost_connection_of_which_the_breaker_hears_nothing() -> None:
    with BinanceBench("spot") as bench:
        bench.adapter.session.bridge.start()
        door = _door(bench)
        for _ in range(5):
            door._breaker.failed()
        with pytest.raises(ConnectionLost, match="not connected"):
            _do(bench, door.request("publicGetTime", {}))
        assert not door._breaker.allows()
        bench.adapter.session.bridge.stop()


def test_a_task_that_ends_because_what_it_waited_for_was_given_up_costs_the_link(bench: BinanceBench) -> None:
    session = bench.adapter.session

    async def given_up() -> None:
        raise asyncio.CancelledError

    async def for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    def cancel_one() -> None:
        session.spawn(for_ever(), "a task of ours").cancel()

    session.call_soon(cancel_one)
    session.bridge.submit(_nothing()).result(5)
    assert session.linked
    since = len(bench.heard)
    session.call_soon(lambda: session.spawn(given_up(), "a task of ours") and None)
    lost = bench.wait_state(AdapterState.LOST, since)
    assert "a task of ours failed" in lost.cause
