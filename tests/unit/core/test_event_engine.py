"""The engine thread: lanes, back-pressure, timers, counters, isolation."""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import CancelOrder, CloseGate, ReplayDeadLetters, StartTimer
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import Gap, HandlerFailed, TimerFired
from foxtrot.domain.enums import Side
from foxtrot.domain.market import BarData, MarketTrade, TickData

DEADLINE_S = 5.0


def tick(number: int, instrument_id: str = "BTC") -> TickData:
    return TickData(instrument_id, number, number)


def trade(number: int, instrument_id: str = "BTC") -> MarketTrade:
    return MarketTrade(instrument_id, number, number, str(number), 1.0, 1.0, Side.BUY)


def bar(number: int) -> BarData:
    return BarData("BTC", "1m", number, number + 1, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.fixture
def engine() -> Iterator[EventEngine]:
    engine = EventEngine(high_water=4)
    yield engine
    engine.stop()


class Latch:
    """A handler that holds the engine until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, _event: object) -> None:
        self.entered.set()
        assert self.released.wait(DEADLINE_S)


def hold(engine: EventEngine) -> Latch:
    """Start the engine and keep it inside a handler."""
    latch = Latch()
    engine.dispatcher.subscribe(CancelOrder, latch, owner="latch")
    engine.start()
    engine.put(CancelOrder("hold"))
    assert latch.entered.wait(DEADLINE_S)
    return latch


def listen(engine: EventEngine, event_class: type) -> list[object]:
    heard: list[object] = []
    engine.dispatcher.subscribe(event_class, heard.append, owner="listener")
    return heard


def test_a_full_lane_conflates_ticks_per_instrument_and_never_brings_an_older_one_later(engine: EventEngine) -> None:
    heard = listen(engine, TickData)
    latch = hold(engine)
    for number in range(20):
        engine.put(tick(number, "BTC"))
        engine.put(tick(number, "ETH"))
    latch.released.set()
    result = engine.stop()
    for instrument_id in ("BTC", "ETH"):
        numbers = [e.venue_time_ns for e in heard if isinstance(e, TickData) and e.instrument_id == instrument_id]
        assert numbers == [0, 1, 19]
    statistics = engine.statistics()
    assert (statistics.accepted, statistics.handled, statistics.conflated) == (41, 7, 34)
    assert (result.handled, result.left, result.overran) == (7, {}, "")


def test_a_conflated_tick_is_replaced_also_once_the_lane_has_room_again(engine: EventEngine) -> None:
    heard = listen(engine, TickData)
    engine.dispatcher.subscribe(CloseGate, lambda _event: None, owner="x")
    for number in range(6):
        engine.put(tick(number))
    engine._market.popleft()
    engine._market.popleft()
    engine.put(tick(6))
    engine.start()
    engine.stop()
    assert [event.venue_time_ns for event in heard if isinstance(event, TickData)] == [2, 3, 6]


def test_a_full_lane_sheds_trades_and_announces_one_gap_in_their_place_before_later_ones(engine: EventEngine) -> None:
    heard = listen(engine, object)
    latch = hold(engine)
    for number in range(10):
        engine.put(trade(number))
    latch.released.set()
    until(lambda: engine.depth == 0)
    engine.put(trade(10))
    engine.stop()
    assert [e.trade_id if isinstance(e, MarketTrade) else e for e in heard if not isinstance(e, CancelOrder)] == [
        "0", "1", "2", "3", Gap("BTC", "MarketTrade", 6), "10",
    ]  # fmt: skip


def test_a_kept_trade_ends_a_gap_so_that_the_next_one_stands_at_its_own_place(engine: EventEngine) -> None:
    heard = listen(engine, object)
    for number in range(6):
        engine.put(trade(number))
    engine._market.popleft()
    engine._market.popleft()
    for number in range(6, 9):
        engine.put(trade(number))
    engine.start()
    engine.stop()
    assert [e.trade_id if isinstance(e, MarketTrade) else e for e in heard] == [
        "2", "3", Gap("BTC", "MarketTrade", 2), "6", Gap("BTC", "MarketTrade", 2),
    ]  # fmt: skip


def test_bars_and_control_events_are_kept_however_full_the_lanes_are(engine: EventEngine) -> None:
    bars, gates = listen(engine, BarData), listen(engine, CloseGate)
    latch = hold(engine)
    for number in range(200):
        engine.put(bar(number))
        engine.put(CloseGate(str(number)))
    latch.released.set()
    engine.stop()
    assert bars == [bar(number) for number in range(200)]
    assert gates == [CloseGate(str(number)) for number in range(200)]


def test_control_events_overtake_waiting_market_events(engine: EventEngine) -> None:
    heard = listen(engine, object)
    latch = hold(engine)
    engine.put(tick(1))
    engine.put(CloseGate("first"))
    latch.released.set()
    engine.stop()
    assert heard[1:] == [CloseGate("first"), tick(1)]


def test_counters_balance_under_four_producers_that_overflow_the_market_lane() -> None:
    engine = EventEngine(high_water=50)
    slow = threading.Event()
    engine.dispatcher.subscribe(BarData, lambda _event: slow.wait(0.0002), owner="slow")
    heard = listen(engine, CloseGate)
    engine.start()
    each, start = 2_000, threading.Barrier(4)

    def produce(name: str) -> None:
        dice = random.Random(name)
        start.wait()
        for number in range(each):
            kind = dice.randrange(4)
            engine.put((tick(number, name), trade(number, name), CloseGate(name), bar(number))[kind])

    producers = [threading.Thread(target=produce, args=(f"P{number}",)) for number in range(4)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    engine.stop(20)
    statistics = engine.statistics()
    gaps = statistics.events_per_class.get("Gap", 0)
    assert statistics.conflated > 0
    assert gaps > 0
    assert statistics.accepted == 4 * each + gaps
    assert statistics.accepted == statistics.handled + statistics.conflated + statistics.left
    assert statistics.events_per_class["CloseGate"] == len(heard)
    assert statistics.peak_depth >= 50


def test_ten_thousand_random_raises_on_the_thread_lose_no_event_elsewhere() -> None:
    engine = EventEngine(high_water=1_000_000)
    dice = random.Random(3)
    kinds: list[type[BaseException]] = [ValueError, KeyError, SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError]
    halted: list[str] = []
    engine.dispatcher.on_core_failure = halted.append

    def always(_event: TickData) -> None:
        raise dice.choice(kinds)("by chance")

    engine.dispatcher.subscribe(TickData, always, owner="core", core=True)
    engine.dispatcher.subscribe(TickData, always, owner="isolated")
    heard = listen(engine, TickData)
    failures = listen(engine, HandlerFailed)
    events = [tick(number) for number in range(10_000)]
    engine.start()
    for event in events:
        engine.put(event)
    assert engine.stop(20).left == {}
    assert heard == events
    assert len(halted) == 10_000
    assert engine.statistics().failures == 10_001
    assert [f.owner for f in failures if isinstance(f, HandlerFailed)].count("isolated") == 1


def test_a_raise_of_a_core_handler_is_told_on_the_thread_before_anything_else_is_handled(engine: EventEngine) -> None:
    steps: list[str] = []
    engine.dispatcher.on_core_failure = lambda text: steps.append(f"halted: {text}")
    engine.dispatcher.subscribe(CancelOrder, lambda _event: 1 // 0, owner="desk", core=True)
    engine.dispatcher.subscribe(CloseGate, lambda event: steps.append(event.reason), owner="x")
    engine.put(CancelOrder("1"))
    engine.put(CloseGate("later"))
    engine.start()
    engine.stop()
    assert (
        "failed on CancelOrder: ZeroDivisionError: integer division or modulo by zero (test_event_engine.py:"
        in steps[0]
    )
    assert steps[1:] == ["later"]


def test_a_timer_fires_on_the_thread_though_nothing_is_put(engine: EventEngine) -> None:
    fired = threading.Event()
    engine.dispatcher.subscribe(TimerFired, lambda _event: fired.set(), owner="x", key="x")
    engine.dispatcher.set_timer("x", "soon", 20_000_000)
    began = time.monotonic()
    engine.start()
    assert fired.wait(DEADLINE_S)
    assert time.monotonic() - began >= 0.02


def test_a_timer_set_by_a_command_repeats_while_market_events_keep_coming(engine: EventEngine) -> None:
    beats: list[str] = []
    engine.dispatcher.subscribe(TimerFired, lambda event: beats.append(event.name), owner="x", key="x")
    engine.start()
    engine.put(StartTimer("x", "beat", 0, 1_000_000))
    ends_at, number = time.monotonic() + DEADLINE_S, 0
    while len(beats) < 5 and time.monotonic() < ends_at:
        engine.put(tick(number))
        number += 1
    engine.stop()
    statistics = engine.statistics()
    assert len(beats) >= 5
    assert statistics.accepted == statistics.handled + statistics.conflated


def test_moving_a_manual_clock_wakes_the_engine_for_its_timers() -> None:
    clock = ManualClock()
    engine = EventEngine(clock)
    names: list[str] = []
    engine.dispatcher.subscribe(TimerFired, lambda event: names.append(event.name), owner="x")
    for name, delay_ns in (("a", 10), ("c", 10**15), ("b", 20)):
        engine.dispatcher.set_timer("x", name, delay_ns)
    engine.start()
    clock.move_to(19)
    until(lambda: names == ["a"])
    clock.move_to(20)
    until(lambda: names == ["a", "b"])
    engine.stop()
    assert names == ["a", "b"]


def test_dead_letters_are_replayed_by_command(engine: EventEngine) -> None:
    broken, heard = True, []

    def wobbly(event: TickData) -> None:
        if broken:
            raise ValueError("not now")
        heard.append(event)

    engine.dispatcher.subscribe(TickData, wobbly, owner="s")
    engine.start()
    engine.put(tick(1))
    until(lambda: engine.statistics().failures == 1)
    broken = False
    engine.put(ReplayDeadLetters("s"))
    engine.put(tick(2))
    engine.stop()
    assert heard == [tick(1), tick(2)]


def test_a_handler_over_five_milliseconds_is_named_with_its_time(engine: EventEngine) -> None:
    def slow(_event: TickData) -> None:
        ends_at = time.perf_counter() + 0.006
        while time.perf_counter() < ends_at:
            pass

    listen(engine, TickData)
    engine.dispatcher.subscribe(TickData, slow, owner="s")
    engine.put(tick(1))
    engine.start()
    engine.stop()
    statistics = engine.statistics()
    assert statistics.slowest_handler.startswith("s: ")
    assert statistics.slowest_handler.endswith("slow")
    assert statistics.slowest_ms >= 6.0


def test_slow_handlers_in_a_backlog_are_named_together_once_and_then_each_alone() -> None:
    engine = EventEngine()
    waits = iter([0.006, 0.007])

    def slow(_event: TickData) -> None:
        ends_at = time.perf_counter() + next(waits, 0.0)
        while time.perf_counter() < ends_at:
            pass

    def quick(_event: TickData) -> None:
        """Take no time."""

    engine.dispatcher.subscribe(TickData, slow, owner="s")
    engine.dispatcher.subscribe(TickData, quick, owner="q")
    for number in range(1_000):
        engine.put(tick(number))
    engine.start()
    engine.stop()
    named = engine.statistics().slow_handlers
    together, alone = [name for name in named if "quick" in name], [name for name in named if "quick" not in name]
    assert len(together) == len(alone) == 1
    assert together[0].startswith(alone[0])
    assert named[together[0]] >= 6.0
    assert named[alone[0]] >= 7.0


def test_statistics_measure_the_lag_from_put_to_handling(engine: EventEngine) -> None:
    latch = hold(engine)
    engine.put(tick(1))
    latch.released.wait(0.02)
    latch.released.set()
    engine.stop()
    statistics = engine.statistics()
    assert statistics.lag_p99_us >= 20_000
    assert statistics.lag_p99_us >= statistics.lag_p50_us
    assert statistics.events_per_class == {"CancelOrder": 1, "TickData": 1}


def test_an_idle_engine_sleeps(engine: EventEngine) -> None:
    engine.start()
    engine.put(tick(1))
    until(lambda: engine.depth == 0)
    spent = time.process_time()
    threading.Event().wait(0.1)
    assert time.process_time() - spent < 0.05


def test_no_wake_up_is_lost_in_four_thousand_hand_overs() -> None:
    engine = EventEngine()
    answered = threading.Semaphore(0)
    engine.dispatcher.subscribe(CloseGate, lambda _event: answered.release(), owner="x")
    engine.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(4_000):
            engine.put(CloseGate(""))
            assert answered.acquire(timeout=DEADLINE_S), "the engine slept on an event"
    finally:
        sys.setswitchinterval(interval)
        engine.stop()


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that another thread makes true."""
    ends_at = time.monotonic() + DEADLINE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < ends_at, "it did not happen in time"
        pause.wait(0.001)
