"""Entries that wait for the guardian: at the start, when it dies, and what is told meanwhile."""

import os
from pathlib import Path

import pytest

from foxtrot.api import OrderStatus
from foxtrot.app.guardian_sign import GuardianSign, GuardianSignFile
from foxtrot.app.guardian_wait import GuardianWait
from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import HoldEntries
from foxtrot.domain.enums import GateState
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

S = 1_000_000_000


class Process:
    """A guardian's process as it is told to be."""

    def __init__(self) -> None:
        self.pid = 7
        self.refused = False
        self.dead = ""

    def death(self) -> str:
        return self.dead


class Scene:
    """A wait, what it has put, and the guardian's side of it."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(S)
        self.process = Process()
        self.put: list[HoldEntries] = []
        self.file = GuardianSignFile(home)
        self.wait = GuardianWait(self.process, home, self.put.append, self.clock)  # type: ignore[arg-type]
        self.wait.begin()

    def tell(self, *, pid: int = 7, watched: int = 0, waiting: dict[str, str] | None = None) -> None:
        self.file.tell(GuardianSign(pid, watched or os.getpid(), waiting or {}))

    def look(self, seconds: float = 0.0) -> bool:
        """Look four times a second for some time; tells whether entries pass."""
        for _ in range(max(1, round(seconds * 4))):
            self.clock.advance(S // 4)
            self.wait.look()
        return not self.put[-1].reason


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_entries_wait_until_it_says_that_it_can_cancel_on_every_account(scene: Scene) -> None:
    assert not scene.look(300)
    scene.tell(waiting={"main": "connecting"})
    assert not scene.look(300)
    scene.tell()
    assert scene.look()
    assert len(scene.put) == 2, "held once, let go once"


@pytest.mark.parametrize(("pid", "watched"), [(8, 0), (7, 1)])
def test_the_word_of_another_one_or_about_another_platform_counts_for_nothing(
    scene: Scene, pid: int, watched: int
) -> None:
    scene.tell(pid=pid, watched=watched)
    assert not scene.look(10)


def test_one_that_dies_has_half_a_minute_to_be_back(scene: Scene) -> None:
    scene.tell()
    assert scene.look()
    scene.process.dead = "it ended"
    assert scene.look(20)
    scene.process.dead, scene.process.pid = "", 9
    assert scene.look(5)
    scene.tell(pid=9)
    assert scene.look(300)
    scene.process.dead = "it ended"
    assert not scene.look(31)
    scene.process.dead, scene.process.pid = "", 10
    assert not scene.look(31)
    scene.tell(pid=10)
    assert scene.look()


def test_one_that_will_not_start_again_is_not_waited_for(scene: Scene) -> None:
    scene.tell()
    assert scene.look()
    scene.process.dead, scene.process.refused = "it ended with status 2", True
    assert not scene.look()


def test_while_held_entries_are_refused_reductions_pass_and_a_strategy_starts_only_after_it() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    first = rig.start(Recording)
    rig.settle()
    first.buy(1.0)
    rig.settle()
    rig.put(HoldEntries("guardian watch", "entries wait for the guardian: it does not watch yet"))
    rig.settle()
    second = rig.start(Recording, "two")
    rig.settle()
    assert rig.stages("two")[-1:] != ["running"]
    order_id = first.buy(0.5)
    rig.settle()
    denied = rig.line.desk.order(order_id)
    assert denied is not None
    assert (denied.status, denied.rule) == (OrderStatus.DENIED, "gate")
    first.sell(0.5)
    rig.settle()
    assert first.position == 0.5
    rig.line.gate.close("silent", "guardian", lasting=True, killed=True)
    rig.put(HoldEntries("guardian watch", ""))
    rig.settle()
    assert rig.line.gate.state is GateState.HALTED, "letting go lifts nothing else"
    rig.line.gate.reopen("Ann")
    rig.settle()
    assert rig.stages("two")[-1] == "running"
    assert second is not None


def test_nothing_of_it_outlives_the_run() -> None:
    rig = LineRig(a_perpetual())
    rig.put(HoldEntries("guardian watch", "it does not watch yet"))
    rig.settle()
    assert [move.lasting for move in rig.line.gate.blocks()] == [False]
