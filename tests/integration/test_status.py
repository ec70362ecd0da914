"""`foxtrot status` beside a real `foxtrot run`: running, refused twice, frozen, failed, ended, gone."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = {{ instruments = "BTCUSDT.BINANCE" }}

[strategy.watcher]
class = "{folder}/watcher.py:{name}"
account = "paper"
symbols = ["BTCUSDT.BINANCE"]
"""
UNREACHABLE = """
[account.prices]
adapter = "binance"
environment = "loopback"
settings = { port = 1 }

[alerts]
not_ready_s = 1.5
reconnects = 1
"""
STRATEGIES = """
from foxtrot.api import Strategy


class Watcher(Strategy):
    def on_depth(self, depth):
        pass


class Broken(Strategy):
    def on_tick(self, tick):
        raise RuntimeError("half-way")
"""


class Place:
    """A folder with a configuration, and the home of what runs there."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.config = folder / "foxtrot.toml"
        (folder / "watcher.py").write_text(STRATEGIES)
        self.config.write_text(CONFIG.format(folder=folder, name="Watcher"))

    def foxtrot(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "foxtrot", *words, "--home", str(self.home)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def status(self) -> tuple[int, dict[str, object]]:
        asked = self.foxtrot("status", "--json")
        assert asked.stdout.count("\n") == 1
        return asked.returncode, json.loads(asked.stdout)

    def file(self) -> dict[str, object]:
        try:
            return dict(json.loads((self.home / "status.json").read_text()))
        except FileNotFoundError:
            return {}

    def is_trading(self, state: str = "running") -> bool:
        rows = self.file().get("strategies")
        return isinstance(rows, list) and bool(rows) and rows[0]["state"] == state

    def has_prices(self) -> bool:
        """Whether the last status tells a book and a rate; the rate is that of one interval, so it is looked at until it is there."""
        account = dict(self.file()["accounts"][0])  # type: ignore[index]
        return bool(account["books"]) and account["messages_per_s"] > 0

    @contextmanager
    def running(self) -> "Iterator[subprocess.Popen[str]]":
        command = [sys.executable, "-m", "foxtrot", "run", str(self.config), "--json", "--home", str(self.home)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGCONT)
                if process.poll() is None:
                    process.kill()
                process.communicate()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_running_platform_tells_everything_and_ends_with_a_last_word(place: Place) -> None:
    with place.running() as process:
        wait_until(place.is_trading, deadline_s=30)
        wait_until(place.has_prices, deadline_s=30)
        assert stat.S_IMODE((place.home / "status.json").stat().st_mode) == 0o600
        code, found = place.status()
        assert (code, found["running"], found["state"], found["needs_person"]) == (0, True, "running", [])
        assert (found["pid"], found["mode"]) == (process.pid, "paper")
        (account,) = found["accounts"]  # type: ignore[misc]
        assert (account["account"], account["adapter"], account["state"]) == ("paper", "simulated", "ready")
        assert account["books"]["BTCUSDT.BINANCE"]["state"] == "live"
        assert found["blocks"] == []
        assert found["engine"]["handled"] > 0  # type: ignore[index]
        shown = place.foxtrot("status")
        assert shown.returncode == 0, shown.stderr
        assert "BTCUSDT.BINANCE" in shown.stdout
        assert "watcher" in shown.stdout
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0
    code, found = place.status()
    assert (code, found["running"], found["state"]) == (1, False, "ended")
    assert "ended" in place.foxtrot("status").stdout
    assert not (place.home / "run.lock").exists()


def test_a_second_run_in_the_same_home_is_refused_and_changes_nothing(place: Place) -> None:
    with place.running() as process:
        wait_until(place.is_trading, deadline_s=30)
        second = place.foxtrot("run", str(place.config), "--seconds", "1", "--json")
        assert second.returncode == 2
        error = json.loads(second.stdout)["error"]
        assert error["type"] == "ConfigError"
        assert f"a platform already runs in {place.home} (pid {process.pid})" in error["message"]
        assert place.status()[1]["pid"] == process.pid
        elsewhere = Place(place.home.parent)
        elsewhere.home = place.home.parent / "other"
        third = elsewhere.foxtrot("run", str(place.config), "--seconds", "1", "--json")
        assert third.returncode == 0, third.stderr
        assert place.status()[0] == 0


def test_a_frozen_platform_is_named_as_such(place: Place) -> None:
    with place.running() as process:
        wait_until(place.is_trading, deadline_s=30)
        process.send_signal(signal.SIGSTOP)
        told = place.file() | {"written_ns": int(str(place.file()["written_ns"])) - 20 * 10**9}
        (place.home / "status.json").write_text(json.dumps(told))  # 20 s pass
        code, found = place.status()
        assert (code, found["state"], found["running"]) == (3, "frozen", True)
        assert "is frozen" in str(found["needs_person"])
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: place.status()[0] == 0, deadline_s=30)


def test_a_strategy_that_failed_needs_a_person(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace(":Watcher", ":Broken"))
    with place.running():
        wait_until(lambda: place.is_trading("failed"), deadline_s=30)
        code, found = place.status()
        assert code == 3
        assert "strategy watcher failed" in str(found["needs_person"])
        assert "needs a person: strategy watcher failed" in place.foxtrot("status").stdout


def test_a_platform_that_was_killed_is_gone_and_the_next_one_takes_its_home_over(place: Place) -> None:
    with place.running() as process:
        wait_until(place.is_trading, deadline_s=30)
        process.kill()
        process.communicate()
        code, found = place.status()
        assert (code, found["state"]) == (1, "gone")
        assert "gone without having ended in order" in place.foxtrot("status").stdout
    assert (place.home / "run.lock").exists()
    again = place.foxtrot("run", str(place.config), "--seconds", "2", "--json")
    assert again.returncode == 0, again.stderr
    assert place.status()[1]["state"] == "ended"


def test_a_platform_that_never_connects_is_starting_and_soon_needs_a_person(place: Place) -> None:
    place.config.write_text(UNREACHABLE)
    codes = []

    def needs_a_person() -> bool:
        codes.append(place.foxtrot("status").returncode)
        return codes[-1] == 3

    with place.running():
        wait_until(needs_a_person, deadline_s=30)
        assert 0 not in codes
        wait_until(lambda: place.file()["accounts"][0]["alerts"] == 1, deadline_s=30)  # type: ignore[index]
        code, found = place.status()
        assert (code, found["state"], found["running"]) == (3, "starting", True)
        (need,) = found["needs_person"]  # type: ignore[misc]
        assert need.startswith("account prices has not been READY since 2")
        assert "last cause: " in need
        assert "no cause given" not in need


def test_where_none_has_ever_run_a_line_says_so(place: Place) -> None:
    asked = place.foxtrot("status")
    assert (asked.returncode, asked.stdout) == (
        1, f"no platform runs in {place.home}; `foxtrot run CONFIG.toml` starts one\n",
    )  # fmt: skip
    assert place.status() == (
        1,
        {"running": False, "state": "none", "home": str(place.home), "age_s": 0.0, "needs_person": [], "halt": None, "guardian": None},
    )  # fmt: skip
