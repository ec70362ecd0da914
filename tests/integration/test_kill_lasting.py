"""A kill that a full disk keeps from outliving a restart says so first of all, and needs a person."""

import json
from pathlib import Path

import pytest

from foxtrot.app import halt_file
from foxtrot.app.verbs import kill_steps
from foxtrot.cli import main
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import ConfigError
from tests.support.steered_platform import recorded, steered, write_config


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
        raise ConfigError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(halt_file, "write_private", write_private)


def test_a_live_kill_that_is_nowhere_on_disk_says_so_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with steered(tmp_path, capsys) as running:
        running.settle()
        fill_the_disk(monkeypatch)
        status, out, _ = running.say("kill", "--why", "mad", "--as", "Ann")
        assert running.platform.line.gate.state is GateState.HALTED
        first = out.splitlines()[0]
        assert first.startswith("killed, but it will NOT outlive a restart: ")
        assert "halt.json cannot be written: No space left on device; there is no journal" in first
        assert status == 3
        status, found = running.ask("kill", "--why", "mad", "--as", "Ann")
        assert (status, found["lasting"], found["needs_person"]) == (3, False, True)


def test_where_the_journal_works_still_a_live_kill_says_that_it_may_not_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with steered(tmp_path, capsys, make=lambda config, home: recorded(config, home)[0]) as running:
        status, found = running.ask("kill", "--why", "mad", "--as", "Ann")
        assert (found["lasting"], found["fading"]) == (True, "")
        (running.home / "halt.json").unlink()
        fill_the_disk(monkeypatch)
        status, found = running.ask("kill", "--why", "mad", "--as", "Ann")
        assert (status, found["lasting"]) == (3, False)
        assert str(found["fading"]).startswith("it may NOT outlive a restart: ")


def test_a_cold_kill_that_leaves_no_halt_file_says_so_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, home = write_config(tmp_path), tmp_path / "home"
    line = ["kill", str(config), "--why", "mad", "--as", "Ann", "--home", str(home)]
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lasting"] is True
    (home / "halt.json").unlink()
    fill_the_disk(monkeypatch)
    assert main(line) == 3
    told = capsys.readouterr().out.splitlines()[0]
    assert told.startswith("killed, but it will NOT outlive a restart: ")
    assert "halt.json cannot be written: No space left on device" in told
    assert main([*line, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["lasting"], found["needs_person"]) == (False, True)


def test_without_a_configuration_nothing_is_said_to_be_halted_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_the_disk(monkeypatch)
    wish = kill_steps.KillWish("Ann", "mad", flatten=False, everything=False, yes=False, wait_s=1.0)
    with pytest.raises(ConfigError, match="is NOT halted"):
        kill_steps.cold_way(tmp_path, None, wish, "none runs")
