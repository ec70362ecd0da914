"""Starting and stopping the engine: every event accounted for, no thread left."""

import threading
from collections import Counter

import pytest

from foxtrot.core.clock import ManualClock, SystemClock
from foxtrot.core.commands import CancelOrder, CloseGate
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import TimerFired
from foxtrot.core.statistics import StopResult
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import InvariantBroken, QueueClosed
from foxtrot.domain.market import BarData, MarketTrade, TickData
from tests.unit.core.test_event_engine import DEADLINE_S, Latch, hold, listen, tick, trade, until


def test_a_stop_with_a_hundred_thousand_events_queued_handles_each() -> None:
    engine = EventEngine(high_water=1_000_000)
    heard = listen(engine, TickData)
    events = [tick(number) for number in range(100_000)]
    latch = hold(engine)
    for event in events:
        engine.put(event)
    results: list[StopResult] = []
    stopper = threading.Thread(target=lambda: results.append(engine.stop(60)))
    stopper.start()
    until(lambda: not engine.running)
    latch.released.set()
    stopper.join(60)
    assert heard == events
    assert results == [StopResult(handled=100_001, left={}, overran="")]


def test_a_stop_past_its_deadline_lists_what_is_left_and_keeps_each_as_a_dead_letter() -> None:
    engine = EventEngine(high_water=1_000_000)
    pause = threading.Event()
    engine.dispatcher.subscribe(CloseGate, lambda _event: pause.wait(0.01), owner="slow")
    events = [tick(number, f"I{number % 3}") for number in range(99_000)] + [CloseGate(str(n)) for n in range(1_000)]
    for event in events:
        engine.put(event)
    engine.start()
    result = engine.stop(0.1)
    statistics = engine.statistics()
    assert result.overran == ""
    assert 1 <= result.handled < 1_000
    assert result.left == {"CloseGate": 1_000 - result.handled, **{f"TickData I{n}": 33_000 for n in range(3)}}
    assert statistics.accepted == statistics.handled + statistics.left == 100_000
    assert {id(letter.event) for letter in engine.dispatcher.dead_letters} < {id(event) for event in events}
    assert len(engine.dispatcher.dead_letters) == 100_000 - result.handled


def test_a_handler_that_does_not_return_is_overrun_and_its_event_is_listed_first() -> None:
    engine = EventEngine(high_water=4)
    heard = listen(engine, object)
    latch = hold(engine)
    engine.dispatcher.subscribe(CancelOrder, heard.append, owner="after the latch")
    for number in range(10):
        engine.put(tick(number))
        engine.put(trade(number))
    result = engine.stop(0.01)
    assert result.overran == "foxtrot-engine"
    assert result.left == {"CancelOrder": 1, "TickData BTC": 3, "MarketTrade BTC": 2}
    assert engine.dispatcher.dead_letters[0].event == CancelOrder("hold")
    statistics = engine.statistics()
    assert statistics.accepted == statistics.handled + statistics.conflated + statistics.left == 21
    assert engine.stop() is result
    latch.released.set()
    until(lambda: not any(thread.name == "foxtrot-engine" for thread in threading.enumerate()))
    assert heard == [CancelOrder("hold")]
    assert engine.statistics().handled == statistics.handled == 0


def test_an_overrun_handler_cannot_put_any_more_and_its_failure_stays_a_dead_letter() -> None:
    engine = EventEngine()
    raised: list[BaseException] = []
    latch = Latch()

    def put_late(_event: CancelOrder) -> None:
        latch(_event)
        try:
            engine.put(CloseGate("too late"))
        except QueueClosed as error:
            raised.append(error)
            raise

    engine.dispatcher.subscribe(CancelOrder, put_late, owner="s")
    engine.start()
    engine.put(CancelOrder("x"))
    assert latch.entered.wait(DEADLINE_S)
    engine.stop(0.0)
    latch.released.set()
    until(lambda: engine.statistics().failures == 1)
    assert [str(error) for error in raised] == ["the engine has stopped; CloseGate was not taken"]
    assert "QueueClosed" in engine.dispatcher.dead_letters[-1].error
    assert engine.depth == 0


def test_what_handlers_put_while_stopping_is_handled_through_engine_and_dispatcher_alike() -> None:
    engine = EventEngine()
    heard = listen(engine, object)

    def chain(command: CancelOrder) -> None:
        number = int(command.order_id)
        if number < 100:
            (engine if number % 2 else engine.dispatcher).put(CancelOrder(str(number + 1)))
            engine.put(tick(number))

    engine.dispatcher.subscribe(CancelOrder, chain, owner="x")
    latch = hold_on(engine)
    engine.put(CancelOrder("0"))
    stopper = threading.Thread(target=engine.stop)
    stopper.start()
    until(lambda: not engine.running)
    with pytest.raises(QueueClosed, match="CloseGate was not taken"):
        engine.put(CloseGate("from outside"))
    latch.released.set()
    stopper.join(DEADLINE_S)
    assert Counter(type(event).__name__ for event in heard) == {"CancelOrder": 101, "TickData": 100, "CloseGate": 1}
    statistics = engine.statistics()
    assert statistics.accepted == statistics.handled == 202


def hold_on(engine: EventEngine) -> Latch:
    """Start the engine and keep it inside a handler of CloseGate."""
    latch = Latch()
    engine.dispatcher.subscribe(CloseGate, latch, owner="latch")
    engine.start()
    engine.put(CloseGate("hold"))
    assert latch.entered.wait(DEADLINE_S)
    return latch


def test_handlers_that_put_for_ever_are_cut_off_at_the_deadline() -> None:
    engine = EventEngine()
    engine.dispatcher.subscribe(CloseGate, engine.put, owner="x")
    engine.start()
    engine.put(CloseGate("again"))
    result = engine.stop(0.05)
    assert result.overran == ""
    # One is queued; another was in hand if the thread got no processor between its handler and the deadline's end.
    assert result.left in ({"CloseGate": 1}, {"CloseGate": 2})
    statistics = engine.statistics()
    assert statistics.accepted == statistics.handled + statistics.left


def test_producers_racing_a_stop_have_each_event_handled_listed_or_refused() -> None:
    for attempt in range(60):
        engine = EventEngine(high_water=3)
        heard: Counter[str] = Counter()
        engine.dispatcher.subscribe(object, lambda event, heard=heard: heard.update([type(event).__name__]), owner="x")
        taken: Counter[str] = Counter()
        begin = threading.Barrier(4)

        def produce(
            number: int, engine: EventEngine = engine, taken: Counter[str] = taken, begin: threading.Barrier = begin
        ) -> None:
            makes = (tick, trade, lambda n: CloseGate(str(n)), lambda n: BarData("B", "1m", n, n, 1, 1, 1, 1, 1))
            begin.wait()
            try:
                for step in range(100_000):
                    event = makes[(step + number) % 4](step)
                    engine.put(event)
                    taken[f"{number}"] += 1
            except QueueClosed:
                return

        producers = [threading.Thread(target=produce, args=(number,)) for number in range(3)]
        for producer in producers:
            producer.start()
        engine.start()
        begin.wait()
        threading.Event().wait(0.0005 * (attempt % 5))
        engine.stop()
        for producer in producers:
            producer.join()
        statistics = engine.statistics()
        gaps = heard["Gap"]
        assert statistics.accepted == sum(taken.values()) + gaps
        assert statistics.accepted == statistics.handled + statistics.conflated + statistics.left
        assert statistics.handled == sum(heard.values())
        assert engine.depth == 0


def test_an_event_whose_put_was_overtaken_by_the_end_is_taken_back_by_its_producer() -> None:
    class Overtaken(EventEngine):
        """Ends between a producer's look at the door and its append."""

        def _heed(self, event: object) -> None:
            if not self._sealed:
                self._control.clear()
                self._market.clear()
                self.stop()
                self._market.append(other)
                (self._market if isinstance(event, TickData) else self._control).append(event)
            super()._heed(event)

    other = tick(99)
    for event in (tick(99), CloseGate("x")):
        engine = Overtaken()
        engine._signal = True
        with pytest.raises(QueueClosed, match=f"{type(event).__name__} was not taken"):
            engine.put(event)
        assert list(engine._market) == [other]
        assert engine._market[0] is other
        assert engine.statistics().accepted == 0


@pytest.mark.parametrize("event", [tick(1), trade(1), CloseGate("x")])
def test_after_a_stop_put_raises_and_keeps_nothing(event: object) -> None:
    engine = EventEngine()
    engine.start()
    engine.stop()
    with pytest.raises(QueueClosed, match="was not taken"):
        engine.put(event)
    with pytest.raises(QueueClosed, match="was not taken"):
        engine.dispatcher.put(event)
    assert engine.depth == 0
    assert engine.statistics().accepted == 0


def test_an_engine_that_was_never_started_lists_everything_at_its_stop() -> None:
    engine = EventEngine(high_water=2)
    for number in range(5):
        engine.put(tick(number))
        engine.put(MarketTrade("BTC", 1, 1, "1", 1.0, 1.0, Side.BUY))
    result = engine.stop()
    assert result.left == {"TickData BTC": 2, "MarketTrade BTC": 1}
    statistics = engine.statistics()
    assert statistics.accepted == statistics.handled + statistics.conflated + statistics.left == 10


def test_an_engine_starts_once_and_never_after_a_stop() -> None:
    engine = EventEngine()
    engine.start()
    with pytest.raises(InvariantBroken, match="make a new engine"):
        engine.start()
    engine.stop()
    with pytest.raises(InvariantBroken, match="make a new engine"):
        engine.start()
    fresh = EventEngine()
    fresh.stop()
    with pytest.raises(InvariantBroken, match="make a new engine"):
        fresh.start()


def test_the_engine_cannot_stop_itself() -> None:
    engine = EventEngine()
    engine.dispatcher.subscribe(CloseGate, lambda _event: engine.stop(), owner="x")
    engine.start()
    engine.put(CloseGate("x"))
    engine.stop()
    assert "cannot stop itself" in engine.dispatcher.dead_letters[0].error


def test_a_stop_from_two_threads_at_once_gives_both_the_same_result() -> None:
    engine = EventEngine()
    latch = hold(engine)
    results: list[object] = []
    stoppers = [threading.Thread(target=lambda: results.append(engine.stop())) for _ in range(2)]
    for stopper in stoppers:
        stopper.start()
    latch.released.set()
    for stopper in stoppers:
        stopper.join(DEADLINE_S)
    assert len(results) == 2
    assert results[0] is results[1]


def test_timers_that_are_not_due_when_the_stop_begins_do_not_fire_any_more() -> None:
    clock = ManualClock()
    engine = EventEngine(clock)
    fired = listen(engine, TimerFired)
    engine.dispatcher.set_timer("x", "soon", 10)
    latch = hold(engine)
    stopper = threading.Thread(target=engine.stop)
    stopper.start()
    until(lambda: not engine.running)
    clock.move_to(20)
    latch.released.set()
    stopper.join(DEADLINE_S)
    assert fired == []


def test_a_hundred_starts_and_stops_leave_no_thread() -> None:
    before = threading.active_count()
    for number in range(100):
        engine = EventEngine()
        engine.start()
        engine.put(tick(number))
        assert engine.stop().left == {}
        assert not engine.running
        assert threading.active_count() == before


def test_a_thread_that_dies_halts_trading_refuses_further_events_and_accounts_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class BrokenClock(SystemClock):
        def monotonic_ns(self) -> int:
            if engine.statistics().handled:
                raise SystemExit("no time left")
            return super().monotonic_ns()

    seen: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_type))
    engine = EventEngine(BrokenClock())
    halted: list[str] = []
    engine.dispatcher.on_core_failure = halted.append
    engine.dispatcher.set_timer("x", "late", 10**15)
    engine.start()
    engine.put(CloseGate("x"))
    until(lambda: bool(seen))
    with pytest.raises(QueueClosed):
        engine.put(tick(1))
    assert not engine.running
    assert halted == ["foxtrot-engine died of SystemExit('no time left')"]
    assert seen == [SystemExit]
    statistics = engine.statistics()
    assert engine.stop().left == {}
    assert statistics.accepted == statistics.handled == 1


def test_a_wake_up_during_the_close_does_not_lower_the_signal_that_late_producers_must_see() -> None:
    engine = EventEngine()
    engine._close()
    engine.wake()
    assert engine._signal
    engine.stop()
