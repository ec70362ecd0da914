"""The tape in the engine: what came from outside, what followed from it, what was read meanwhile; and the same played again."""

import threading
from collections.abc import Iterator

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import CancelAllOrders, CancelOrder, StartTimer
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import StrategyLog, TimerFired
from foxtrot.core.played_tape import PlayedEngine, TapeDiffers, TapeFeed
from foxtrot.core.send_permit import SendPermit
from foxtrot.core.tape import INTENT, NOW, PERMIT, STEADY, Entry, EntryKind, Tape
from foxtrot.core.taped_permit import PlayedPermit, TapedPermit
from foxtrot.domain.enums import GateState
from foxtrot.domain.market import BarData, TickData
from tests.support.waiting import wait_until

S = 1_000_000_000
KNOWN = {CancelOrder, CancelAllOrders, StartTimer, TimerFired, TickData, BarData}


class Rig:
    """An engine whose tape is kept in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock(S)
        self.engine = EventEngine(self.clock)
        self.entries: list[Entry] = []
        self.tape = Tape(self.entries.append, KNOWN.__contains__)
        self.engine.record(self.tape)
        self.dispatcher = self.engine.dispatcher

    def run(self, *events: object) -> list[Entry]:
        """Handle events, stop, and return the entries after the prologue."""
        self.tape.begin()
        self.engine.start()
        for event in events:
            self.engine.put(event)
        handled = len(events)
        wait_until(lambda: self.engine.statistics().handled >= handled)
        self.engine.stop()
        self.tape.end()
        return self.entries[1:]


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.engine.stop()


def short(entries: list[Entry]) -> list[tuple[int, str, str]]:
    return [(one.sequence, one.kind.name, type(one.event).__name__) for one in entries]


def test_what_a_handler_puts_is_told_from_what_comes_from_outside(rig: Rig) -> None:
    def on_cancel(command: CancelOrder) -> None:
        rig.dispatcher.put(StrategyLog("one", "INFO", command.order_id, 0))
        rig.engine.put(CancelAllOrders("an adapter called by a handler"))

    rig.dispatcher.subscribe(CancelOrder, on_cancel, owner="test")
    assert short(rig.run(CancelOrder("a"))) == [
        (1, "INPUT", "CancelOrder"),
        (2, "DERIVED", "StrategyLog"),
        (3, "INPUT", "CancelAllOrders"),
    ]


def test_what_another_thread_puts_by_the_dispatcher_is_an_input(rig: Rig) -> None:
    def on_cancel(_command: CancelOrder) -> None:
        other = threading.Thread(target=rig.dispatcher.put, args=(CancelAllOrders(),))
        other.start()
        other.join()

    rig.dispatcher.subscribe(CancelOrder, on_cancel, owner="test")
    assert [kind for _, kind, _ in short(rig.run(CancelOrder("a")))] == ["INPUT", "INPUT"]


def test_a_question_is_opaque_and_what_it_puts_is_an_input(rig: Rig) -> None:
    class Question:
        """Something that only the asker knows."""

    rig.dispatcher.subscribe(Question, lambda _: rig.dispatcher.put(CancelAllOrders()), owner="test")
    kinds = [(kind, name) for _, kind, name in short(rig.run(Question()))]
    assert kinds == [("OPAQUE", "Question"), ("INPUT", "CancelAllOrders")]


def test_a_bar_that_a_handler_puts_is_derived_and_a_tick_that_may_be_shed_is_not(rig: Rig) -> None:
    def on_cancel(_command: CancelOrder) -> None:
        rig.dispatcher.put(TickData("A.B", 1, 1))
        rig.dispatcher.put(BarData("A.B", "1m", 1, 2, 1.0, 1.0, 1.0, 1.0, 5.0, 1, 2))

    rig.dispatcher.subscribe(CancelOrder, on_cancel, owner="test")
    kinds = {name: kind for _, kind, name in short(rig.run(CancelOrder("a")))}
    assert kinds == {"CancelOrder": "INPUT", "TickData": "INPUT", "BarData": "DERIVED"}


def test_reads_are_noted_with_their_event_and_those_of_other_threads_are_not(rig: Rig) -> None:
    permit = TapedPermit(SendPermit(), rig.tape)

    def on_cancel(_command: CancelOrder) -> None:
        rig.dispatcher.clock.now_ns()
        other = threading.Thread(target=rig.dispatcher.clock.monotonic_ns)
        other.start()
        other.join()
        permit.send(rig.dispatcher.clock.monotonic_ns, reduces=True)
        assert permit.state is GateState.ACTIVE

    rig.dispatcher.subscribe(CancelOrder, on_cancel, owner="test")
    entries = rig.run(CancelOrder("a"), CancelAllOrders())
    assert entries[0].reads == [(NOW, S), (PERMIT, True), (STEADY, S), (PERMIT, "active")]
    assert entries[1].reads == []


def test_what_is_read_while_the_platform_is_built_is_the_prologue(rig: Rig) -> None:
    rig.dispatcher.clock.now_ns()
    rig.run(CancelOrder("a"))
    assert rig.entries[0] == Entry(0, EntryKind.PROLOGUE, None, [(NOW, S)])


def test_timers_are_inputs_and_the_loops_own_looks_at_the_clock_are_not_noted(rig: Rig) -> None:
    rig.dispatcher.subscribe(TimerFired, lambda _: None, owner="test")
    rig.dispatcher.set_timer("test", "tick", 0)
    entries = rig.run(CancelOrder("a"))
    assert {(one.kind.name, type(one.event).__name__) for one in entries} >= {("INPUT", "TimerFired")}
    assert all(one.reads == [] for one in rig.entries)


def test_a_raise_of_a_taped_handler_is_derived_like_all_that_it_leads_to(rig: Rig) -> None:
    def fail(_command: CancelOrder) -> None:
        raise ValueError("half-way")

    rig.dispatcher.subscribe(CancelOrder, fail, owner="test")
    assert [name for _, kind, name in short(rig.run(CancelOrder("a"))) if kind == "DERIVED"] == ["HandlerFailed"]


# --- played -----------------------------------------------------------------------------------------------------------


def played() -> tuple[PlayedEngine, TapeFeed]:
    feed = TapeFeed()
    return PlayedEngine(ManualClock(), feed), feed


def test_a_played_handler_reads_what_was_read() -> None:
    engine, feed = played()
    permit, seen = PlayedPermit(feed), []
    engine.dispatcher.subscribe(
        CancelOrder, lambda _: seen.extend([engine.dispatcher.clock.now_ns(), permit.state]), owner="test"
    )
    feed.begin(1, "CancelOrder", [(NOW, 77), (PERMIT, "halted")])
    engine.play(CancelOrder("a"))
    feed.end()
    assert seen == [77, GateState.HALTED]


def _play(engine: PlayedEngine, feed: TapeFeed) -> None:
    engine.play(CancelOrder("a"))
    feed.end()


@pytest.mark.parametrize(
    ("reads", "what"),
    [
        ([], "more is read or done than then"),
        ([(STEADY, 1)], "something else is read or done"),
        ([(NOW, 1), (NOW, 2)], "a read of now"),
        ([(NOW, 1), (INTENT, b"an order")], "an order intent"),
    ],
)
def test_a_handler_that_reads_otherwise_is_named(reads: list[tuple[str, int | str | bytes | bool]], what: str) -> None:
    engine, feed = played()
    engine.dispatcher.subscribe(CancelOrder, lambda _: engine.dispatcher.clock.now_ns() and None, owner="test")
    feed.begin(5, "CancelOrder", reads)
    with pytest.raises(TapeDiffers):
        _play(engine, feed)
    assert feed.difference is not None
    assert (feed.difference.sequence, feed.difference.event, feed.difference.what) == (5, "CancelOrder", what)


def test_no_guard_of_a_strategy_hides_a_difference() -> None:
    engine, _ = played()

    def careless(_command: CancelOrder) -> None:
        try:
            engine.dispatcher.clock.now_ns()
        except Exception:  # noqa: BLE001  (as a careless strategy does)
            return

    engine.dispatcher.subscribe(CancelOrder, careless, owner="test")
    with pytest.raises(TapeDiffers):
        engine.play(CancelOrder("a"))


def test_an_intent_of_other_bytes_is_named_with_both() -> None:
    _, feed = played()
    feed.begin(9, "TickData", [(INTENT, b"buy 1")])
    with pytest.raises(TapeDiffers):
        feed.intend(b"buy 2")
    assert feed.difference is not None
    assert feed.difference.text == "event 9 (TickData): an order intent: recorded the intent b'buy 1', now b'buy 2'"


def test_what_was_put_waits_for_its_turn_in_its_own_lane() -> None:
    engine, _ = played()
    bar = BarData("A.B", "1m", 1, 2, 1.0, 1.0, 1.0, 1.0, 5.0, 1, 2)
    for event in (bar, CancelOrder("a"), TickData("A.B", 1, 1)):
        engine.dispatcher.put(event)
    assert engine.next_put(market=False) == CancelOrder("a")
    assert engine.next_put(market=True) is bar
    with pytest.raises(TapeDiffers):
        engine.next_put(market=True)
