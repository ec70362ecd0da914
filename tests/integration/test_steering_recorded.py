"""A run that people steered: its tape gives the same intents again, its journal says who wished for what and why."""

from pathlib import Path

import pytest

from foxtrot.app.config import Config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.replay import replay_run
from foxtrot.storage.journal_reader import read_only
from foxtrot.storage.journal_records import GateMoved, SettingChanged
from tests.support.steered_platform import Steered, recorded, steered


def steer(running: Steered) -> None:
    """Stop, set, load and start the strategy, kill, resume, reconcile, and flatten at last."""
    lines = (
        "strategy stop holder --as Ann --why enough", "strategy set holder size=0.03 --as Ann", "strategy reload holder",
        "strategy start holder", "kill --as Ann --why mad", "resume --as Bob --why calm", "report --reconcile", "kill --flatten --as Ann",
        "resume --as Bob --why over",
    )  # fmt: skip
    for line in lines:
        status, out, err = running.say(*line.split())
        assert status == 0, f"{line}: {out}{err}"


def test_a_steered_run_replays_equal_and_its_journal_says_who_wished_for_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tapes: list[Path] = []

    def make(config: Config, home: Path) -> MainEngine:
        platform, tape = recorded(config, home)
        tapes.append(tape)
        return platform

    with steered(tmp_path, capsys, make=make) as running:
        running.settle()
        steer(running)
        path = running.platform.config.data_dir(running.home) / "journal.db"
        fills = running.ask("trades")[1]["trades"]
        assert all(isinstance(row["slippage"], float) for row in fills)  # type: ignore[attr-defined]
    with read_only(path) as view:
        records = [found.record for found in view.newest_first()][::-1]
    changes = [
        (one.scope, one.name, one.before, one.after, one.who) for one in records if isinstance(one, SettingChanged)
    ]
    assert changes[:2] == [
        ("strategy", "holder", "running", "stop (enough)", "Ann"),
        ("strategy.holder", "size", "0.02", "0.03", "Ann"),
    ]
    moves = [(str(one.state), one.who, one.killed) for one in records if isinstance(one, GateMoved) and not one.account]
    assert ("halted", "Ann", True) in moves
    assert ("active", "Bob", False) in moves
    result = replay_run(tapes[0])
    assert result.difference is None
    assert (result.equal, result.intents, result.damage) == (True, result.recorded_intents, "")
    assert result.intents > 3
