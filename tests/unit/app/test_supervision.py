"""Supervision over real threads: whatever dies or stands still is named, with where it stands, and halts what it served."""

import gc
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.app.supervision_parts import enter_aids, log_part, process_part
from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.heartbeat import Part, PartRegistry, Progress, ident_of
from foxtrot.core.notices import PartFailed, PartRecovered
from foxtrot.domain.enums import GateState
from tests.support.supervised_rig import PAPER, PRICES, SupervisedRig
from tests.support.waiting import wait_until

NAMES = {
    "foxtrot-engine",
    "foxtrot-journal",
    "foxtrot-pace",
    "simulated-io of paper",
    "binance-io of prices",
    "link of prices",
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[SupervisedRig]:
    made = SupervisedRig(tmp_path)
    yield made
    made.close()


def failures(rig: SupervisedRig) -> list[PartFailed]:
    return [event for event in rig.heard if isinstance(event, PartFailed)]


def test_every_thread_of_a_platform_is_a_part(rig: SupervisedRig) -> None:
    idents = {part.thread() for part in rig.registry.parts()}
    ours = [one for one in threading.enumerate() if one.name.startswith("foxtrot-") or "-io" in one.name]
    assert len(ours) >= 4
    assert [one.name for one in ours if one.ident not in idents] == []


def test_a_platform_that_is_well_is_left_alone(rig: SupervisedRig) -> None:
    for _ in range(20):
        rig.supervisor.look()
    assert {state.name: state.state for state in rig.supervisor.states} == dict.fromkeys(NAMES, "ok")
    assert rig.supervisor.failed == 0
    assert rig.sends()


def enter_impatient(rig: SupervisedRig, name: str) -> None:
    """Enter a part once more as "short", which may not be silent for so long."""
    part = next(one for one in rig.registry.parts() if one.name == name)
    fields = {field: getattr(part, field) for field in part.__struct_fields__}
    rig.registry.enter(Part(**fields | {"silent_s": 0.5, "name": "short"}))


def collect_what_the_dead_left() -> None:
    """Collect what a killed thread could not close, here where its warnings are no surprise and not in some later test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def killed_part(rig: SupervisedRig, part: str) -> None:
    """Kill one part and hold what became of it against what it served."""
    serves = next(one.serves for one in rig.registry.parts() if one.name == part)
    rig.supervisor.look()
    rig.kill(part)
    rig.look_until(lambda: rig.state_of(part) == "dead")
    assert [line for line in rig.lines if line.startswith(f"ERROR {part} is dead: its ")], rig.lines
    if part == "foxtrot-pace":
        assert rig.sends()
        return
    if not serves:
        assert not rig.sends(reduces=True)
        assert part in rig.permit.reason
        return
    rig.settle()
    assert part in {one.part for one in failures(rig)}
    assert {one.serves for one in failures(rig)} == {serves}
    blocked = rig.line.gate.blocked(serves, "", "supervision")
    assert blocked is not None
    assert blocked[0] is GateState.HALTED
    assert rig.sends()


def test_each_part_that_is_killed_in_turn_is_named_and_halts_what_it_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts come from the registry, so that a new one is killed too."""
    monkeypatch.setattr(
        threading, "excepthook", lambda died: None if died.exc_type is SystemExit else pytest.fail(str(died))
    )
    left, killed = set(NAMES), set[str]()
    while left:
        part = min(left)
        folder = tmp_path / str(len(killed))
        folder.mkdir()
        rig = SupervisedRig(folder)
        try:
            left |= {one.name for one in rig.registry.parts()} - killed
            killed_part(rig, part)
        finally:
            rig.close()
            del rig
            collect_what_the_dead_left()
        killed.add(part)
        left.discard(part)
    assert killed >= NAMES


@pytest.mark.parametrize("spins", [False, True])
def test_an_engine_that_is_held_up_is_named_with_its_stack_and_the_gate_closes(tmp_path: Path, spins: bool) -> None:
    rig = SupervisedRig(tmp_path, silent_s=0.2)
    entered, release = threading.Event(), threading.Event()

    def stands(_event: ReconcileNow) -> None:
        entered.set()
        while spins and not release.is_set():
            sum(range(100))
        release.wait(10)

    rig.events.dispatcher.subscribe(ReconcileNow, stands, owner="sleepy")
    try:
        rig.events.put(ReconcileNow())
        assert entered.wait(5)
        rig.events.put(ReconcileNow())
        rig.look_until(lambda: rig.state_of("foxtrot-engine") == "blocked")
        assert not rig.sends(reduces=True)
        told = [line for line in rig.lines if line.startswith("ERROR")]
        assert len(told) == 1
        assert "foxtrot-engine is blocked: has not moved for 0." in told[0]
        assert "in stands" in told[0]
        assert "trading of the platform is halted" in told[0]
        assert "\n" not in told[0].rstrip()
        rig.look_until(lambda: rig.supervisor.watchdog.stalled_in != "")
        release.set()
        rig.look_until(lambda: rig.state_of("foxtrot-engine") == "ok")
        assert any("moves again" in line for line in rig.lines)
        rig.settle()
        assert len(failures(rig)) == 1
        assert "in stands" in failures(rig)[0].stack
        assert not rig.sends(reduces=True), "a person reopens the gate, not the recovery"
        rig.line.gate.reopen("a person")
        assert rig.sends()
    finally:
        release.set()
        rig.close()


def test_a_loop_that_is_held_up_blocks_its_account_until_it_is_reconciled(rig: SupervisedRig) -> None:
    enter_impatient(rig, "binance-io of prices")
    entered, release = threading.Event(), threading.Event()

    def holds_up_the_loop() -> None:
        entered.set()
        release.wait(10)

    try:
        rig.supervisor.look()
        rig.prices.session.call_soon(holds_up_the_loop)
        assert entered.wait(5)
        rig.look_until(lambda: rig.state_of("short") == "blocked")
        rig.settle()
        assert rig.line.gate.blocked(PRICES, "", "supervision") is not None
        assert any("in holds_up_the_loop" in line for line in rig.lines)
        rig.reconcile(PRICES)
        assert rig.line.gate.blocked(PRICES, "", "supervision") is not None, "it does not move yet"
    finally:
        release.set()
    rig.look_until(lambda: rig.state_of("short") == "ok")
    wait_until(lambda: any(isinstance(event, PartRecovered) for event in rig.heard))
    wait_until(lambda: any(isinstance(event, ReconcileNow) and event.account == PRICES for event in rig.heard))
    assert rig.line.gate.blocked(PRICES, "", "supervision") is not None
    rig.reconcile(PRICES, error="no answer")
    assert rig.line.gate.blocked(PRICES, "", "supervision") is not None
    rig.reconcile(PRICES)
    assert rig.line.gate.blocked(PRICES, "", "supervision") is None


def test_both_sides_of_a_deadlock_between_engine_and_adapter_are_named_with_where_they_stand(tmp_path: Path) -> None:
    rig = SupervisedRig(tmp_path, silent_s=0.5)
    enter_impatient(rig, "binance-io of prices")
    first, second, over = threading.Lock(), threading.Lock(), threading.Event()
    both = threading.Barrier(2)

    def wait_for(lock: threading.Lock) -> None:
        while not over.is_set() and not lock.acquire(timeout=0.05):
            pass

    def engine_side(_event: ReconcileNow) -> None:
        with first:
            both.wait(5)
            wait_for(second)

    def adapter_side() -> None:
        with second:
            both.wait(5)
            wait_for(first)

    rig.events.dispatcher.subscribe(ReconcileNow, engine_side, owner="test")
    try:
        rig.supervisor.look()
        rig.prices.session.call_soon(adapter_side)
        rig.events.put(ReconcileNow())
        rig.look_until(lambda: rig.state_of("foxtrot-engine") == rig.state_of("short") == "blocked")
        told = [line for line in rig.lines if line.startswith("ERROR")]
        assert len(told) == 2
        assert any("foxtrot-engine is blocked" in line and "in engine_side" in line for line in told)
        assert any("short is blocked" in line and "in adapter_side" in line for line in told)
        assert not rig.sends(reduces=True)
    finally:
        over.set()
        rig.close()


def test_a_core_handler_that_runs_out_of_memory_closes_the_gate_and_the_engine_goes_on(rig: SupervisedRig) -> None:
    def needs_too_much(_event: ReconcileNow) -> None:
        bytearray(1 << 60)

    rig.events.dispatcher.subscribe(ReconcileNow, needs_too_much, owner="test", core=True)
    rig.events.put(ReconcileNow())
    rig.settle()
    assert not rig.sends(reduces=True)
    assert "needs_too_much failed on ReconcileNow: MemoryError" in rig.permit.reason


def test_a_hand_over_that_hangs_stops_neither_the_look_nor_hides_behind_the_lease(rig: SupervisedRig) -> None:
    inside, go_on = threading.Event(), threading.Event()
    sender = threading.Thread(
        target=rig.permit.send, args=(lambda: (inside.set(), go_on.wait(10)),), kwargs={"reduces": False}
    )
    sender.start()
    try:
        assert inside.wait(5)
        rig.supervisor.look()
        rig.supervisor.look()
        assert len([line for line in rig.lines if "a hand-over to a venue does not end" in line]) == 1
    finally:
        go_on.set()
        sender.join()
    rig.supervisor.look()
    assert rig.sends()


def test_what_nothing_depends_on_is_told_and_halts_nothing(rig: SupervisedRig) -> None:
    code: list[int] = []
    rig.registry.enter(process_part("guardian", lambda: code[0] if code else None))
    stop = threading.Event()
    aid = threading.Thread(target=stop.wait, name="foxtrot-control")
    aid.start()
    enter_aids(rig.registry)
    rig.supervisor.look()
    assert rig.state_of("guardian") == rig.state_of("foxtrot-control") == "ok"
    code.append(-9)
    stop.set()
    aid.join()
    rig.supervisor.look()
    assert rig.state_of("guardian") == rig.state_of("foxtrot-control") == "dead"
    assert any("guardian is dead: its process has ended with status -9; trading goes on" in line for line in rig.lines)
    rig.settle()
    assert rig.sends()
    assert rig.line.gate.blocks() == ()


def test_a_log_that_writes_nothing_is_held_to_be_blocked_only_while_lines_wait(rig: SupervisedRig) -> None:
    clock = ManualClock()
    written, waiting = [0], [0]
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="foxtrot-log")
    thread.start()
    try:
        part = log_part(lambda: written[0], lambda: waiting[0], clock.monotonic_ns)
        assert part.beat_ns is not None
        clock.advance(10**12)
        assert part.beat_ns() is None
        waiting[0] = 5
        assert part.beat_ns() == 10**12
        clock.advance(10**9)
        assert part.beat_ns() == 10**12
        written[0] = 1
        assert part.beat_ns() == 10**12 + 10**9
        assert not part.halts
        assert part.thread() == thread.ident == ident_of("foxtrot-log")
        assert part.death() == ""
    finally:
        stop.set()
        thread.join()
    assert part.death() == "its thread has ended"


def test_nobody_looks_any_more_once_the_platform_is_being_stopped(rig: SupervisedRig) -> None:
    rig.supervisor.look()
    rig.supervisor.stop()
    rig.journal.close()
    rig.supervisor.look()
    assert rig.supervisor.failed == 0
    assert rig.sends()


def test_a_source_is_asked_anew_at_each_look() -> None:
    registry, found = PartRegistry(), [Part(name="one")]
    registry.enter_source(lambda: found)
    assert [part.name for part in registry.parts()] == ["one"]
    found.append(Part(name="two"))
    assert [part.name for part in registry.parts()] == ["one", "two"]


def test_progress_stands_only_while_something_waits() -> None:
    clock, done, waiting = ManualClock(5), [0], [1]
    progress = Progress(lambda: done[0], lambda: waiting[0], clock.monotonic_ns)
    assert progress.beat_ns() == 5
    clock.advance(5)
    assert progress.beat_ns() == 5
    waiting[0] = 0
    assert progress.beat_ns() is None
    waiting[0] = 1
    clock.advance(5)
    assert progress.beat_ns() == 10


def test_the_paper_account_is_served_by_the_simulated_thread(rig: SupervisedRig) -> None:
    assert {part.serves for part in rig.registry.parts()} == {"", PAPER, PRICES}
