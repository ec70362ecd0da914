"""A run that begins halted, by a halt file or by the kill of the run before, is replayed like any other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foxtrot.app.config import load_config
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.life_signs import LifeSigns
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.replay import replay_run
from foxtrot.core.commands import KillSwitch, ResumeTrading
from foxtrot.domain.enums import GateState
from tests.support.steered_platform import recorded, write_config
from tests.support.waiting import wait_until


@contextmanager
def running(folder: Path, *, signs: bool) -> Iterator[tuple[MainEngine, Path]]:
    platform, tape = recorded(load_config(folder / "foxtrot.toml"), folder / "home")
    life = LifeSigns(platform, guarded=False) if signs else None
    platform.start()
    try:
        assert platform.all_ready.wait(10)
        yield platform, tape
    finally:
        platform.stop(5.0)
        if life is not None:
            life.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path)
    (tmp_path / "home").mkdir()
    return tmp_path


def resume(platform: MainEngine) -> None:
    """Let it trade, so that there is an intent to compare."""
    platform.put(ResumeTrading("Ann", "all is well"))
    wait_until(lambda: platform.ask(lambda: platform.line.gate.state is GateState.ACTIVE))
    wait_until(lambda: platform.ask(lambda: bool(platform.line.desk.index.all)))


def assert_replays(tape: Path) -> None:
    result = replay_run(tape)
    assert result.difference is None
    assert (result.equal, result.intent_hash) == (True, result.recorded_hash)
    assert result.intents > 0


def test_a_run_that_finds_a_halt_file_is_replayed_equally(folder: Path) -> None:
    HaltFile(folder / "home").write(Halt("mad", "Ann", 1))
    with running(folder, signs=True) as (platform, tape):
        assert platform.line.gate.state is GateState.HALTED
        resume(platform)
    assert_replays(tape)


@pytest.mark.parametrize("signs", [True, False])
def test_a_run_that_restores_a_kill_is_replayed_equally(folder: Path, signs: bool) -> None:
    with running(folder, signs=False) as (platform, _):
        platform.kill("mad", "Ann")
        platform.put(KillSwitch("mad", "Ann"))
        wait_until(lambda: platform.ask(lambda: platform.line.kill.standing() is not None))
    with running(folder, signs=signs) as (platform, tape):
        assert platform.line.gate.state is GateState.HALTED
        resume(platform)
    assert_replays(tape)


def test_a_run_that_is_killed_before_it_starts_is_replayed_equally(folder: Path) -> None:
    platform, tape = recorded(load_config(folder / "foxtrot.toml"), folder / "home")
    platform.kill("mad", "Ann")
    platform.put(KillSwitch("mad", "Ann"))
    platform.start()
    try:
        assert platform.all_ready.wait(10)
        resume(platform)
    finally:
        platform.stop(5.0)
    assert_replays(tape)
