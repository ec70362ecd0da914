"""The dispatcher in line: order, isolation, taps, timers, dead letters."""

import random
from collections.abc import Iterator

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import CancelOrder, CloseGate
from foxtrot.core.dead_letters import DEAD_LETTER_LIMIT
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import Gap, HandlerFailed, TimerFired
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.market import TickData


def tick(number: int, instrument_id: str = "BTCUSDT.BINANCE") -> TickData:
    return TickData(instrument_id, number, number)


@pytest.fixture
def dispatcher() -> Dispatcher:
    return Dispatcher(ManualClock())


def fail(event: object) -> None:
    raise ValueError(f"cannot take {event}")


def test_an_event_put_by_a_handler_is_handled_after_the_present_one_and_never_inside_it(dispatcher: Dispatcher) -> None:
    seen: list[str] = []

    def first(command: CancelOrder) -> None:
        seen.append(f"begin {command.order_id}")
        if command.order_id == "a":
            dispatcher.put(CancelOrder("c"))
            dispatcher.drain()
        seen.append(f"end {command.order_id}")

    dispatcher.subscribe(CancelOrder, first, owner="x")
    dispatcher.put(CancelOrder("a"))
    dispatcher.put(CancelOrder("b"))
    dispatcher.drain()
    assert seen == ["begin a", "end a", "begin b", "end b", "begin c", "end c"]


def test_the_control_lane_is_empty_before_the_market_lane_is_touched(dispatcher: Dispatcher) -> None:
    seen: list[object] = []
    dispatcher.subscribe(object, seen.append, owner="x")
    market, control = [tick(1), tick(2)], [CloseGate("a"), CloseGate("b")]
    for event in (market[0], control[0], market[1], control[1]):
        dispatcher.put(event)
    dispatcher.drain()
    assert seen == [*control, *market]


def test_a_key_narrows_what_is_heard_and_keeps_subscription_order(dispatcher: Dispatcher) -> None:
    seen: list[str] = []
    for name, key in (("eth", "ETH"), ("all", ""), ("btc", "BTC"), ("btc again", "BTC")):
        dispatcher.subscribe(TickData, lambda _event, name=name: seen.append(name), owner=name, key=key)
    for instrument_id in ("BTC", "ETH", "XRP"):
        seen.append(f"{instrument_id}:")
        dispatcher.dispatch(tick(1, instrument_id))
    assert seen == ["BTC:", "all", "btc", "btc again", "ETH:", "eth", "all", "XRP:", "all"]


def test_a_class_without_a_key_field_cannot_be_subscribed_by_key(dispatcher: Dispatcher) -> None:
    with pytest.raises(ConfigError, match="Gap cannot be subscribed by key"):
        dispatcher.subscribe(Gap, fail, owner="x", key="BTC")


def test_a_raise_halts_its_owner_only_and_is_published_with_handler_and_event(dispatcher: Dispatcher) -> None:
    heard: list[str] = []
    failures: list[HandlerFailed] = []
    dispatcher.subscribe(TickData, fail, owner="bad")
    dispatcher.subscribe(TickData, lambda _event: heard.append("bad again"), owner="bad")
    dispatcher.subscribe(TickData, lambda _event: heard.append("good"), owner="good")
    dispatcher.subscribe(HandlerFailed, failures.append, owner="watcher")
    for number in range(3):
        dispatcher.put(tick(number))
    dispatcher.drain()
    assert heard == ["good"] * 3
    assert [(f.owner, f.handler, f.event_class, f.core, f.sequence) for f in failures] == [
        ("bad", "fail", "TickData", False, 1)
    ]
    assert "ValueError: cannot take TickData" in failures[0].error


def test_a_raise_of_a_core_handler_halts_trading_at_once_and_keeps_the_handler(dispatcher: Dispatcher) -> None:
    order: list[str] = []
    dispatcher.on_core_failure = order.append
    dispatcher.subscribe(TickData, fail, owner="desk", core=True)
    dispatcher.subscribe(TickData, lambda _event: order.append("next handler"), owner="other")
    dispatcher.put(tick(1))
    dispatcher.put(tick(2))
    dispatcher.drain()
    text = "fail failed on TickData: ValueError: cannot take "
    assert [line.startswith(text) or line for line in order] == [True, "next handler", True, "next handler"]


def test_ten_thousand_random_raises_lose_no_event_elsewhere(dispatcher: Dispatcher) -> None:
    dice, heard, raised = random.Random(7), [], 0
    kinds = [ValueError, KeyError, RuntimeError, ZeroDivisionError, RecursionError, AssertionError, StopIteration]

    def sometimes(_event: TickData) -> None:
        nonlocal raised
        if dice.random() < 0.7:
            raised += 1
            raise dice.choice(kinds)("by chance")

    dispatcher.subscribe(TickData, sometimes, owner="core", core=True)
    dispatcher.subscribe(TickData, sometimes, owner="wobbly")
    dispatcher.subscribe(TickData, lambda event: heard.append(event.venue_time_ns), owner="witness")
    sent = 0
    while raised < 10_000:
        dispatcher.put(tick(sent))
        dispatcher.drain()
        dispatcher.resume("wobbly")
        sent += 1
    assert heard == list(range(sent))
    assert dispatcher.failures == raised
    assert len(dispatcher.dead_letters) == DEAD_LETTER_LIMIT


def test_handlers_of_failures_that_fail_themselves_do_not_go_round_for_ever(dispatcher: Dispatcher) -> None:
    dispatcher.subscribe(HandlerFailed, fail, owner="core", core=True)
    dispatcher.subscribe(HandlerFailed, lambda _event: dispatcher.put(CloseGate("again")), owner="reacts")
    dispatcher.subscribe(CloseGate, fail, owner="core", core=True)
    dispatcher.put(CloseGate("first"))
    dispatcher.drain()
    assert dispatcher.handled_per_class() == {"CloseGate": 101, "HandlerFailed": 100}


def test_who_is_unsubscribed_by_an_earlier_handler_does_not_hear_the_event_any_more(dispatcher: Dispatcher) -> None:
    heard: list[object] = []
    dispatcher.subscribe(TickData, lambda _event: dispatcher.unsubscribe_owner("leaves"), owner="first")
    gone = dispatcher.subscribe(TickData, heard.append, owner="leaves")
    dispatcher.set_timer("leaves", "t", 0)
    dispatcher.dispatch(tick(1))
    dispatcher.unsubscribe(gone)
    dispatcher.fire_timers(1)
    assert heard == []
    assert "TimerFired" not in dispatcher.handled_per_class()


def test_who_subscribes_during_an_event_hears_from_the_next_one_on(dispatcher: Dispatcher) -> None:
    heard: list[int] = []

    def join(event: TickData) -> None:
        if event.venue_time_ns == 1:
            dispatcher.subscribe(TickData, lambda later: heard.append(later.venue_time_ns), owner="late")

    dispatcher.subscribe(TickData, join, owner="first")
    for number in (1, 2):
        dispatcher.dispatch(tick(number))
    assert heard == [2]


def test_a_tap_sees_every_event_before_its_handlers_with_its_number(dispatcher: Dispatcher) -> None:
    seen: list[object] = []
    dispatcher.subscribe(TickData, lambda event: seen.append(event.venue_time_ns), owner="x")
    tap = dispatcher.add_tap(lambda sequence, event: seen.append((sequence, type(event).__name__)))
    for event in (tick(5), CloseGate("unheard"), tick(6)):
        dispatcher.dispatch(event)
    dispatcher.unsubscribe(tap)
    dispatcher.dispatch(tick(7))
    assert seen == [(1, "TickData"), 5, (2, "CloseGate"), (3, "TickData"), 6, 7]


def test_a_tap_that_raises_is_halted_alone_and_gets_its_event_again_with_its_number(dispatcher: Dispatcher) -> None:
    other: list[int] = []
    mine: list[tuple[int, object]] = []
    broken = True

    def frail(sequence: int, event: object) -> None:
        if broken:
            raise OSError("disk full")
        mine.append((sequence, event))

    dispatcher.add_tap(frail, owner="recorder")
    dispatcher.add_tap(lambda sequence, _event: other.append(sequence))
    for number in (1, 2):
        dispatcher.put(tick(number))
    dispatcher.drain()
    assert other == [1, 2, 3]  # the third is the HandlerFailed
    broken = False
    assert dispatcher.replay_dead_letters("recorder") == 1
    assert mine == [(1, tick(1))]


def test_dead_letters_are_replayed_in_order_and_stay_when_they_fail_again(dispatcher: Dispatcher) -> None:
    broken, heard = True, []

    def wobbly(event: TickData) -> None:
        if broken:
            raise ValueError("not now")
        heard.append(event.venue_time_ns)

    dispatcher.subscribe(TickData, wobbly, owner="s", key="BTC")
    dispatcher.subscribe(TickData, lambda event: heard.append(-event.venue_time_ns), owner="s", key="ETH")
    for number in (1, 2, 3):
        dispatcher.dispatch(tick(number, "BTC"))
        dispatcher.resume("s")
    assert dispatcher.replay_dead_letters("s") == 1
    assert [letter.event for letter in dispatcher.dead_letters] == [tick(2, "BTC"), tick(3, "BTC"), tick(1, "BTC")]
    broken = False
    assert dispatcher.replay_dead_letters("s") == 3
    assert heard == [2, 3, 1]
    assert not dispatcher.dead_letters


def test_a_reloaded_owner_gets_the_dead_letters_of_its_former_self(dispatcher: Dispatcher) -> None:
    class Plugin:
        def __init__(self, *, broken: bool) -> None:
            self.broken = broken
            self.heard: list[TickData] = []

        def on_tick(self, event: TickData) -> None:
            if self.broken:
                raise ValueError("old code")
            self.heard.append(event)

    dispatcher.subscribe(TickData, Plugin(broken=True).on_tick, owner="s")
    dispatcher.dispatch(tick(1))
    dispatcher.unsubscribe_owner("s")
    mended = Plugin(broken=False)
    dispatcher.subscribe(TickData, mended.on_tick, owner="s")
    dispatcher.replay_dead_letters("s")
    assert mended.heard == [tick(1)]


def test_what_a_timer_puts_into_the_control_lane_comes_before_the_next_timer(dispatcher: Dispatcher) -> None:
    seen: list[str] = []

    def on_timer(event: TimerFired) -> None:
        seen.append(event.name)
        dispatcher.put(tick(1))
        dispatcher.put(CloseGate(f"of {event.name}"))

    dispatcher.subscribe(TimerFired, on_timer, owner="x", key="x")
    dispatcher.subscribe(CloseGate, lambda event: seen.append(event.reason), owner="x")
    dispatcher.subscribe(TickData, lambda _event: seen.append("tick"), owner="x")
    dispatcher.set_timer("x", "late", 20)
    dispatcher.set_timer("x", "early", 10)
    dispatcher.fire_timers(9)
    assert seen == []
    dispatcher.fire_timers(20)
    assert seen == ["early", "of early", "late", "of late", "tick", "tick"]


def test_a_raise_halts_what_is_isolated_of_an_owner_and_nothing_of_the_core(dispatcher: Dispatcher) -> None:
    heard: list[str] = []
    dispatcher.subscribe(TickData, fail, owner="shared")
    dispatcher.subscribe(TickData, lambda _event: heard.append("isolated"), owner="shared")
    dispatcher.subscribe(TickData, lambda _event: heard.append("core"), owner="shared", core=True)
    for number in (1, 2):
        dispatcher.put(tick(number))
        dispatcher.drain()
    assert heard == ["core", "core"]


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit])
def test_a_handler_that_would_end_the_program_fails_alone(dispatcher: Dispatcher, error: type[BaseException]) -> None:
    heard: list[TickData] = []

    def leave(_event: TickData) -> None:
        raise error

    dispatcher.subscribe(TickData, leave, owner="x")
    dispatcher.subscribe(TickData, heard.append, owner="y")
    for number in (1, 2):
        dispatcher.put(tick(number))
    dispatcher.drain()
    assert (heard, dispatcher.failures) == ([tick(1), tick(2)], 1)


def test_a_ctrl_c_in_a_handler_ends_the_loop_and_the_loop_can_go_on(dispatcher: Dispatcher) -> None:
    heard: list[TickData] = []

    def interrupted(event: TickData) -> None:
        if event.venue_time_ns == 1:
            raise KeyboardInterrupt
        heard.append(event)

    dispatcher.subscribe(TickData, interrupted, owner="x")
    dispatcher.put(tick(1))
    dispatcher.put(tick(2))
    with pytest.raises(KeyboardInterrupt):
        dispatcher.drain()
    dispatcher.drain()
    assert heard == [tick(2)]


def test_a_run_is_dispatched_as_event_by_event_and_what_each_causes_comes_before_the_next_is_asked_for(
    dispatcher: Dispatcher,
) -> None:
    seen: list[str] = []

    def hear(event: TickData) -> None:
        seen.append(f"tick {event.venue_time_ns}")
        dispatcher.put(CancelOrder(str(event.venue_time_ns)))

    def ticks() -> Iterator[TickData]:
        for number in (1, 2):
            seen.append(f"asked for {number}")
            yield tick(number, "BTC")

    dispatcher.add_tap(lambda sequence, event: seen.append(f"tap {sequence} {type(event).__name__}"))
    dispatcher.subscribe(TickData, hear, owner="btc", key="BTC")
    dispatcher.subscribe(TickData, fail, owner="eth", key="ETH")
    dispatcher.subscribe(CancelOrder, lambda command: seen.append(f"cancel {command.order_id}"), owner="desk")
    dispatcher.dispatch_run(TickData, "BTC", ticks())
    assert seen == [
        "asked for 1", "tap 1 TickData", "tick 1", "tap 2 CancelOrder", "cancel 1",
        "asked for 2", "tap 3 TickData", "tick 2", "tap 4 CancelOrder", "cancel 2",
    ]  # fmt: skip
    assert dispatcher.handled_per_class() == {"TickData": 2, "CancelOrder": 2}


def test_a_handler_that_raises_in_a_run_hears_no_more_of_it(dispatcher: Dispatcher) -> None:
    heard: list[int] = []
    dispatcher.subscribe(TickData, fail, owner="bad")
    dispatcher.subscribe(TickData, lambda event: heard.append(event.venue_time_ns), owner="good")
    dispatcher.dispatch_run(TickData, "BTC", (tick(number, "BTC") for number in range(3)))
    assert (heard, dispatcher.failures) == ([0, 1, 2], 1)
