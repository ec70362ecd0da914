"""How much is asked of TWS: messages a second with a part for orders, questions for history, active orders."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from foxtrot.adapter.ib.errors import NotSent
from foxtrot.adapter.ib.pacing import ActiveOrders, HistoryPace, Lane, MessagePace


class Time:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        return self.now

    async def wait_s(self, seconds: float) -> None:
        until = self.now + int(seconds * 1e9) + 1
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def ran(job: Callable[[Time], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await job(Time())

    return asyncio.run(run())


# --- messages -------------------------------------------------------------------------------------------------------


def test_no_second_has_more_than_the_limit_whoever_asks() -> None:
    async def job(time: Time) -> list[int]:
        pace, sent = MessagePace(45, time.now_ns, time.wait_s), []

        async def ask(lane: Lane) -> None:
            await pace.turn(lane)
            sent.append(time.now)

        await asyncio.gather(*(ask(Lane(number % 3)) for number in range(400)))
        return sent

    sent = sorted(ran(job))
    assert len(sent) == 400
    assert all(later - sooner >= 1_000_000_000 for sooner, later in zip(sent, sent[45:], strict=False))


def test_questions_leave_room_for_orders_and_orders_for_cancels() -> None:
    async def job(time: Time) -> list[int]:
        pace, lefts = MessagePace(45, time.now_ns, time.wait_s), []
        for lane in (Lane.QUESTION, Lane.ORDER, Lane.CANCEL):
            while pace.left(lane):
                await pace.turn(lane)
            lefts.append(pace.left(Lane.CANCEL))
        return lefts

    assert ran(job) == [15, 4, 0]


def test_of_those_that_wait_a_cancel_goes_before_an_order_and_that_before_a_question() -> None:
    async def job(time: Time) -> list[str]:
        pace, order = MessagePace(10, time.now_ns, time.wait_s), list[str]()
        for _ in range(10):
            await pace.turn(Lane.CANCEL)

        async def ask(lane: Lane) -> None:
            await pace.turn(lane)
            order.append(lane.name)

        await asyncio.gather(*(ask(lane) for lane in (Lane.QUESTION, Lane.QUESTION, Lane.ORDER, Lane.CANCEL)))
        return order

    assert sorted(ran(job)) == ["CANCEL", "ORDER", "QUESTION", "QUESTION"]


def test_a_second_is_a_whole_one() -> None:
    async def job(time: Time) -> list[int]:
        pace, lefts = MessagePace(45, time.now_ns, time.wait_s), []
        while pace.left(Lane.CANCEL):
            await pace.turn(Lane.CANCEL)
        for now in (999_999_999, 1_000_000_000):
            time.now = now
            lefts.append(pace.left(Lane.CANCEL))
        return lefts

    assert ran(job) == [0, 45]


# --- history --------------------------------------------------------------------------------------------------------


async def asked(pace: HistoryPace, request: Any, contract: Any = "c", *, small: bool = True) -> None:
    async with pace.turn(request, contract, small=small):
        pass


def test_the_same_is_not_asked_again_within_15_s_and_a_contract_not_six_times_in_2_s() -> None:
    async def job(time: Time) -> list[float]:
        pace, times = HistoryPace(time.now_ns, time.wait_s), []
        for request in ("a", "a"):
            await asked(pace, request)
            times.append(time.now / 1e9)
        for number in range(6):
            await asked(pace, number, "other")
            times.append(time.now / 1e9)
        return times

    times = ran(job)
    assert times[1] == pytest.approx(15.0, abs=0.01)
    assert times[6] == times[2]
    assert times[7] - times[2] == pytest.approx(2.0, abs=0.01)


def test_no_ten_minutes_have_more_than_sixty_small_ones_and_large_ones_wait_for_nothing() -> None:
    async def job(time: Time) -> tuple[list[float], float]:
        pace, times = HistoryPace(time.now_ns, time.wait_s), []
        for number in range(61):
            await asked(pace, number, number)
            times.append(time.now / 1e9)
        before = time.now
        for _ in range(100):
            await asked(pace, "same", "same", small=False)
        return times, (time.now - before) / 1e9

    times, large_s = ran(job)
    assert times[59] == 0.0
    assert times[60] == pytest.approx(600.0, abs=0.01)
    assert large_s == 0.0


def test_fifty_are_in_flight_at_most_and_a_complaint_is_waited_out() -> None:
    async def job(time: Time) -> tuple[int, float]:
        pace, flying, most = HistoryPace(time.now_ns, time.wait_s), [0], [0]

        async def fly(number: int) -> None:
            async with pace.turn(number, number, small=False):
                flying[0] += 1
                most[0] = max(most[0], flying[0])
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                flying[0] -= 1

        await asyncio.gather(*(fly(number) for number in range(200)))
        pace.hold(15.0)
        before = time.now
        await asked(pace, "x", small=False)
        return most[0], (time.now - before) / 1e9

    most, waited_s = ran(job)
    assert most == 50
    assert waited_s == pytest.approx(15.0, abs=0.01)


def test_one_that_fails_or_is_given_up_leaves_its_place() -> None:
    async def job(time: Time) -> int:
        pace = HistoryPace(time.now_ns, time.wait_s)
        for _ in range(120):
            with pytest.raises(ZeroDivisionError):
                async with pace.turn("a", "a", small=False):
                    raise ZeroDivisionError
        return pace._flights._value

    assert ran(job) == HistoryPace.IN_FLIGHT


# --- active orders --------------------------------------------------------------------------------------------------


def test_the_twenty_first_order_of_a_contract_and_side_is_refused_here() -> None:
    active = ActiveOrders()
    for number in range(20):
        active.check("AAPL", "BUY")
        active.begin(f"o{number}", "AAPL", "BUY")
    active.check("AAPL", "SELL")
    active.check("MSFT", "BUY")
    with pytest.raises(NotSent, match="20 orders to BUY it are alive") as refused:
        active.check("AAPL", "BUY")
    assert refused.value.rule == "active_orders"
    active.end("o7")
    active.check("AAPL", "BUY")
    active.begin("o7", "AAPL", "BUY")
    active.begin("o7", "AAPL", "BUY")
    active.end("o7")
    active.check("AAPL", "BUY")
