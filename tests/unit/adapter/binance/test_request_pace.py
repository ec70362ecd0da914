"""Requests leave within the weight that Binance takes in a minute; orders and cancels do not wait, and nobody's clock is asked."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.request_pace import CANCEL_WEIGHT, WEIGHT_PER_MINUTE, RequestPace, WeightStore
from foxtrot.domain.order import CancelRequest
from tests.support.binance_bench import BinanceBench
from tests.support.scripted_binance import ScriptedSession, run

SECOND_NS, MINUTE_NS = 10**9, 60 * 10**9
STEPS = st.lists(
    st.tuples(st.integers(0, 20 * SECOND_NS), st.sampled_from([1, 2, 5, 10, 40, 50, 200]), st.booleans()), max_size=80
)


def most_in_a_minute(left: list[tuple[int, float]]) -> float:
    return max(sum(weight for at, weight in left if begin <= at < begin + MINUTE_NS) for begin, _ in left)


@given(STEPS, st.sampled_from(sorted(WEIGHT_PER_MINUTE.values())))
def test_no_minute_has_more_than_seven_eighths_of_the_venues_weight(
    steps: list[tuple[int, int, bool]], per_minute: int
) -> None:
    store, now_ns, left = WeightStore(per_minute), 0, [(0, 0.0)]
    for gap_ns, weight, is_order in steps:
        now_ns += gap_ns
        if is_order:
            store.take(now_ns, CANCEL_WEIGHT)
            left.append((now_ns, CANCEL_WEIGHT))
            continue
        now_ns += max(0, int(store.pause_ns(now_ns, weight)) + 1)
        assert store.pause_ns(now_ns, weight) <= 0
        store.take(now_ns, weight)
        left.append((now_ns, weight))
    assert most_in_a_minute(left) <= per_minute * 7 / 8 + 1


@given(st.integers(0, 10**18))
def test_a_full_store_gives_a_burst_at_once_and_then_three_quarters_of_the_venues_pace(now_ns: int) -> None:
    store = WeightStore(2_400)
    for _ in range(300):
        assert store.pause_ns(now_ns, 1) <= 0
        store.take(now_ns, 1)
    assert store.pause_ns(now_ns, 1) == pytest.approx(33_333_333, abs=1_000)
    assert store.pause_ns(now_ns + 10 * SECOND_NS, 300) <= 1_000


def test_what_weighs_more_than_the_store_holds_leaves_when_it_is_full_and_no_limit_never_waits() -> None:
    store, free = WeightStore(40), WeightStore(0)
    assert store.pause_ns(0, 10_000) <= 0
    store.take(0, 1)
    assert store.pause_ns(0, 10_000) > 0
    free.take(0, 10**9)
    assert free.pause_ns(0, 10**9) <= 0


def test_questions_have_their_turn_in_order_and_an_order_at_once() -> None:
    session, turns = ScriptedSession(), []  # type: ignore[var-annotated]

    async def story() -> None:
        pace = RequestPace(480, session.clock.monotonic_ns, session.wait_s)

        async def ask(name: str) -> None:
            await pace.turn(60)
            turns.append(name)

        asking = [session.spawn(ask(name), name) for name in "abcd"]
        await session.settle()
        assert (turns, pace.waiting) == (["a"], 3)
        pace.pass_by(1)
        asking[1].cancel()
        await session.advance(11)
        assert turns == ["a", "c"]
        await session.advance(11)
        assert (turns, pace.waiting) == (["a", "c", "d"], 0)
        await session.end()

    run(story)


# --- over sockets ---------------------------------------------------------------------------------------------------


QUESTIONS = {"spot": ("privateGetOpenOrders", 80), "usdm": ("fapiPrivateGetOpenOrders", 40)}


@pytest.mark.parametrize("product", list(QUESTIONS))
def test_questions_beyond_the_store_wait_by_our_clock_and_a_cancel_passes_them(product: str) -> None:
    with BinanceBench(product, settings={"rate_limit": True, "max_leverage": 20}) as bench:
        bench.connect()
        session: Any = bench.adapter.session
        order = bench.order()
        bench.adapter.send_order(order)
        bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
        endpoint, weight = QUESTIONS[product]
        most = session.exchange.pace._store.most // weight
        asked = session.bridge.submit(_ask(session, endpoint, int(most) + 10))
        bench.wait(lambda: session.exchange.pace.waiting >= 10)
        bench.adapter.cancel_order(CancelRequest(order.order_id, "ours", bench.instrument_id))
        bench.wait(lambda: bench.open_orders() == [])
        assert session.exchange.pace.waiting >= 10
        waiting = session.exchange.pace.waiting
        bench.advance(3.0)
        bench.wait(lambda: session.exchange.pace.waiting < waiting)
        assert not asked.done()


async def _ask(session: Any, endpoint: str, times: int) -> None:
    await asyncio.wait([asyncio.ensure_future(session.request(endpoint, {}, deadline_s=3600.0)) for _ in range(times)])


def test_what_one_client_has_asked_counts_for_the_next() -> None:
    with BinanceBench("spot", settings={"rate_limit": True}) as bench:
        bench.connect()
        session: Any = bench.adapter.session
        first, since = session.exchange, len(bench.heard)
        session.call_soon(lambda: session.lose("cut"))
        bench.come_back(since)
        assert session.exchange is not first
        assert session.exchange.pace is first.pace
