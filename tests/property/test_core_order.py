"""The same events in the same order, in line and on the thread, whatever handlers put and whoever fails."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import CloseGate
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.lanes import MARKET_LANE
from foxtrot.core.notices import HandlerFailed, TimerFired
from foxtrot.core.timers import TimerQueue
from foxtrot.domain.market import BarData, TickData

KINDS = (
    lambda number: TickData(f"I{number % 3}", number, number),
    lambda number: BarData(f"I{number % 3}", "1m", number, number, 1.0, 1.0, 1.0, 1.0, 1.0),
    lambda number: CloseGate(str(number)),
)

scripts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=20)
reactions = st.dictionaries(st.integers(0, 9), st.lists(st.tuples(st.integers(0, 2), st.integers(10, 19)), max_size=3))
failures = st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 19)), max_size=4)
delays = st.lists(st.integers(0, 3), max_size=5)


def number_of(event: object) -> int:
    if isinstance(event, CloseGate):
        return int(event.reason)
    assert isinstance(event, TickData | BarData)
    return event.venue_time_ns if isinstance(event, TickData) else event.open_time_ns


def wire(dispatcher: Dispatcher, script: "Script") -> list[object]:
    """Subscribe handlers that note, react and fail as the script says; return the notes."""
    notes: list[object] = []
    dispatcher.add_tap(lambda sequence, event: notes.append((sequence, event)))

    def hear(owner: str, event: object) -> None:
        number = number_of(event)
        notes.append((owner, number))
        if owner == "a":
            for kind, next_number in script.reactions.get(number, []):
                dispatcher.put(KINDS[kind](next_number))
        if (owner, number) in script.failures:
            raise ValueError(f"{owner} fails on {number}")

    for owner, key in (("a", ""), ("b", "I1"), ("c", "")):
        for event_class in (TickData, BarData):
            dispatcher.subscribe(event_class, lambda e, owner=owner: hear(owner, e), owner=owner, key=key)
        dispatcher.subscribe(CloseGate, lambda e, owner=owner: hear(owner, e), owner=owner, core=owner == "b")

    def on_timer(event: TimerFired) -> None:
        notes.append(event)
        dispatcher.put(KINDS[event.timer_id % 3](event.timer_id))

    dispatcher.subscribe(TimerFired, on_timer, owner="t", key="t")
    dispatcher.on_core_failure = notes.append
    for place, delay_ns in enumerate(script.delays):
        dispatcher.set_timer("t", f"timer {place}", delay_ns)
    return notes


class Script:
    """What happens in one run."""

    def __init__(
        self,
        events: list[tuple[int, int]],
        reactions: dict[int, list[tuple[int, int]]],
        failures: set[tuple[str, int]],
        delays: list[int],
    ) -> None:
        self.events = [KINDS[kind](number) for kind, number in events]
        self.reactions = reactions
        self.failures = failures
        self.delays = delays


def in_line(script: Script) -> list[object]:
    clock = ManualClock()
    dispatcher = Dispatcher(clock)
    notes = wire(dispatcher, script)
    for event in script.events:
        dispatcher.put(event)
    dispatcher.fire_timers(0)
    for now_ns in (1, 2, 3):
        clock.move_to(now_ns)
        dispatcher.fire_timers(now_ns)
    return notes


def threaded(script: Script) -> list[object]:
    clock = ManualClock()
    engine = EventEngine(clock)
    notes = wire(engine.dispatcher, script)
    for event in script.events:
        engine.put(event)
    engine.start()
    settle(engine)
    for now_ns in (1, 2, 3):
        clock.move_to(now_ns)
        settle(engine)
    engine.stop()
    return notes


def settle(engine: EventEngine) -> None:
    """Wait until the engine sleeps again."""
    pause, quiet = threading.Event(), 0
    ends_at = time.monotonic() + 5
    while quiet < 2:
        assert time.monotonic() < ends_at, "the engine does not come to rest"
        idle = engine.depth == 0 and engine._signal and engine.dispatcher.timers.next_due_ns > engine.clock.now_ns()
        quiet = quiet + 1 if idle else 0
        pause.wait(0.0002)


@given(scripts, reactions, failures, delays)
def test_the_thread_keeps_the_order_of_the_dispatcher_in_line(
    events: list[tuple[int, int]],
    reactions: dict[int, list[tuple[int, int]]],
    failures: set[tuple[str, int]],
    delays: list[int],
) -> None:
    script = Script(events, reactions, failures, delays)
    assert threaded(script) == in_line(script) == in_line(script)


@given(scripts, reactions, failures, delays)
def test_taps_number_every_event_once_and_control_comes_first(
    events: list[tuple[int, int]],
    reactions: dict[int, list[tuple[int, int]]],
    failures: set[tuple[str, int]],
    delays: list[int],
) -> None:
    notes = in_line(Script(events, reactions, failures, delays))
    tapped = [note for note in notes if isinstance(note, tuple) and isinstance(note[0], int)]
    assert [sequence for sequence, _ in tapped] == list(range(1, len(tapped) + 1))
    put_before_start = [event for _, event in tapped][: len(events)]
    lanes = [type(event) in MARKET_LANE for event in put_before_start if not isinstance(event, HandlerFailed)]
    control = sum(1 for kind, _ in events if kind == 2)
    assert not any(lanes[:control])


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0, 0, 1, 7])), max_size=20),
    st.sets(st.integers(1, 20)),
    st.lists(st.integers(0, 30), max_size=20),
)
def test_timers_fire_never_early_in_order_and_as_often_as_they_are_due(
    timers: list[tuple[int, int]], cancelled: set[int], steps: list[int]
) -> None:
    queue = TimerQueue()
    for place, (due_ns, interval_ns) in enumerate(timers):
        queue.set("x", str(place), due_ns, interval_ns)
    for timer_id in cancelled:
        queue.cancel(timer_id)
    now_ns, seen = 0, dict.fromkeys(range(1, len(timers) + 1), 0)
    for step in steps:
        now_ns += step
        fired = []
        while (event := queue.pop_due(now_ns)) is not None:
            fired.append((event.due_ns, event.timer_id))
            seen[event.timer_id] += 1
            assert event.due_ns <= now_ns
        assert fired == sorted(fired)
        assert len({timer_id for _, timer_id in fired}) == len(fired)
        assert queue.next_due_ns > now_ns
    for timer_id, (due_ns, interval_ns) in enumerate(timers, 1):
        due = now_ns >= due_ns and bool(steps) and timer_id not in cancelled
        assert (seen[timer_id] > 0) is due
        assert interval_ns or seen[timer_id] <= 1
