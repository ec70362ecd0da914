"""The newest value: read, waited for and looped over, by threads and by loops, until it ends."""

import asyncio
import threading

import pytest

from foxtrot.adapter.latest_value import LatestValue
from foxtrot.domain.errors import AdapterError
from tests.support.waiting import wait_until


def test_a_loop_gets_the_newest_now_and_every_newer_one_and_ends() -> None:
    value = LatestValue(0)
    seen: list[int] = []

    def read() -> None:
        seen.extend(value)

    reader = threading.Thread(target=read)
    reader.start()
    for number in (1, 2, 3):
        value.give(number)
        wait_until(lambda number=number: number in seen)
    value.end(-1)
    reader.join(5)
    assert seen[-3:] == [1, 2, 3]
    assert value.latest == -1
    assert value.is_ended


def test_a_slow_reader_leaves_out_what_came_in_between() -> None:
    value = LatestValue(0)
    values = iter(value)
    assert next(values) == 0
    for number in range(1, 1_000):
        value.give(number)
    assert next(values) == 999


def test_waiting_too_long_raises_and_leaves_no_waiter_behind() -> None:
    value = LatestValue(0)
    values = value.each(0.01)
    next(values)
    with pytest.raises(TimeoutError, match=r"nothing newer in 0\.01 s"):
        next(values)
    assert value._waiters == []


def test_the_end_by_an_error_is_raised_in_every_loop() -> None:
    value = LatestValue(0)
    values = iter(value)
    next(values)
    value.end(0, AdapterError("venue", "no_book", "there is none"))
    with pytest.raises(AdapterError, match="there is none"):
        next(values)
    value.give(1)
    assert value.latest == 0
    assert value.error is not None


def test_an_async_loop_is_woken_from_another_thread() -> None:
    value = LatestValue(0)

    async def read() -> list[int]:
        seen: list[int] = []
        async for number in value:
            seen.append(number)
            if number < 3:
                threading.Thread(target=value.give, args=(number + 1,)).start()
            else:
                value.end(9)
        return seen

    assert asyncio.run(asyncio.wait_for(read(), 5)) == [0, 1, 2, 3]


def test_an_async_loop_that_is_given_up_leaves_no_waiter_behind() -> None:
    value = LatestValue(0)

    async def read() -> None:
        async for _ in value:
            continue

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 0.05)

    asyncio.run(give_up())
    assert value._waiters == []


def test_the_first_that_is_wanted_is_waited_for_however_many_others_come() -> None:
    value, stop = LatestValue(0), threading.Event()

    def give() -> None:
        number = 1
        while not stop.wait(0.005):
            value.give(number)
            number += 2

    giver = threading.Thread(target=give)
    giver.start()
    try:
        with pytest.raises(TimeoutError, match="nothing that is wanted in"):
            value.first(lambda number: number % 2 == 0 and number > 0, 0.1)
    finally:
        stop.set()
        giver.join(5)
    assert value._wishes == []
    threading.Timer(0.01, value.give, (8,)).start()
    assert value.first(lambda number: number % 2 == 0, 5.0) == 8
    value.end(1)
    assert value.first(lambda number: number == 2, 5.0) == 1  # nothing more comes


def test_who_waits_for_a_value_hears_of_an_end_by_an_error() -> None:
    value = LatestValue(0)
    threading.Timer(0.01, value.end, (0, AdapterError("venue", "no_book", "there is none"))).start()
    with pytest.raises(AdapterError, match="there is none"):
        value.first(bool, 5.0)
