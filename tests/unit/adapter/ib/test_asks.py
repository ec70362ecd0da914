"""Lists whose end names no request: a late end is the list's that was given up, and no later list is taken for whole by it."""

import asyncio

from foxtrot.adapter.ib.asks import RENEW_AFTER, Asks

END, NAMES = "openOrderEnd", frozenset({"openOrder", "orderStatus"})


def give_up(asks: Asks) -> None:
    """Let a list time out that was asked for."""
    asks.open_list(END, NAMES)
    asks.close_list(END, asked=True)


async def late_end_then_own(asks: Asks) -> list[tuple[str, tuple[object, ...]]]:
    give_up(asks)
    told = asks.open_list(END, NAMES)
    asks.hear("openOrder", ("of the first",))
    asks.hear(END, ())
    assert not told.done()
    asks.hear("openOrder", ("of the second",))
    asks.hear(END, ())
    found = await told
    asks.close_list(END, asked=True)
    return found


def test_an_end_that_comes_after_a_list_was_given_up_is_that_lists() -> None:
    assert asyncio.run(late_end_then_own(Asks())) == [("openOrder", ("of the second",))]


async def three_late_in_a_row(asks: Asks) -> list[bool]:
    ended = []
    for _ in range(3):
        told = asks.open_list(END, NAMES)
        asks.hear(END, ())  # of the list before
        ended.append(told.done())
        asks.close_list(END, asked=True)
    return ended


def test_lists_that_are_late_each_time_are_never_taken_for_whole() -> None:
    async def scene() -> list[bool]:
        asks = Asks()
        give_up(asks)
        return await three_late_in_a_row(asks)

    assert asyncio.run(scene()) == [False, False, False]


def test_an_end_between_two_lists_and_a_new_link_owe_nothing() -> None:
    async def scene() -> list[bool]:
        asks, done = Asks(), []
        give_up(asks)
        asks.hear(END, ())
        done.append(asks.open_list(END, NAMES))
        asks.hear(END, ())
        asks.close_list(END, asked=True)
        give_up(asks)
        asks.begin_link()
        done.append(asks.open_list(END, NAMES))
        asks.hear(END, ())
        return [one.done() for one in done]

    assert asyncio.run(scene()) == [True, True]


def test_what_never_left_owes_no_end() -> None:
    async def scene() -> bool:
        asks = Asks()
        asks.open_list(END, NAMES)
        asks.close_list(END, asked=False)
        told = asks.open_list(END, NAMES)
        asks.hear(END, ())
        return told.done()

    assert asyncio.run(scene())


def test_three_lists_of_a_kind_without_their_end_ask_for_another_link_and_one_that_ends_counts_anew() -> None:
    async def scene() -> list[bool]:
        asks = Asks()
        told = [asks.give_up(END) for _ in range(RENEW_AFTER)]
        asks.open_list(END, NAMES)
        asks.hear(END, ())
        asks.close_list(END, asked=True)
        return [*told, asks.give_up(END), asks.give_up("positionEnd")]

    assert asyncio.run(scene()) == [False, False, True, False, False]
