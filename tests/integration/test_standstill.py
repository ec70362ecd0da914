"""A platform that is frozen and goes on, as on a laptop that slept: nothing is sent before the account is known again."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest

from tests.support.waiting import wait_until

FROZEN_S = 2.5
LEAST_SLACK_S = 0.2
"""Who freezes a process hears of its first moment a little later."""
CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE" }
"""


class Lines:
    """What a process says, read by a thread of its own."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._stream:
            self._lines.append(line.strip())

    @property
    def count(self) -> int:
        return len(self._lines)

    def since(self, place: int) -> list[str]:
        return self._lines[place:]

    def place_of(self, words: str, since: int = 0) -> int:
        """Wait for the first line that has these words."""

        def place() -> int | None:
            return next((at for at in range(since, len(self._lines)) if words in self._lines[at]), None)

        wait_until(lambda: place() is not None, 60)
        found = place()
        assert found is not None
        return found

    def wait_for(self, words: str, since: int = 0) -> str:
        return self._lines[self.place_of(words, since)]

    def join(self) -> None:
        self._reader.join()


def order(stdin: IO[str], line: str) -> None:
    stdin.write(f"{line}\n")
    stdin.flush()


@pytest.mark.timeout(180)
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system cannot freeze a process")
def test_after_a_freeze_nothing_is_sent_until_the_account_is_reconciled(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.frozen_platform", str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said, errors = Lines(process.stdout), Lines(process.stderr)
        try:
            said.wait_for("sent")
            order(process.stdin, "hold")
            said.wait_for("obeyed hold")
            os.kill(process.pid, signal.SIGSTOP)
            threading.Event().wait(FROZEN_S)
            seen, logged = said.count, errors.count
            os.kill(process.pid, signal.SIGCONT)
            told = said.wait_for("told: this process stood still for ", seen)
            assert float(told.split()[6]) >= FROZEN_S - LEAST_SLACK_S
            lost = errors.place_of("connection lost: this process stood still", logged)
            errors.wait_for("connection ready", lost)
            assert "sent" not in said.since(seen), "nobody has reconciled yet"
            order(process.stdin, "go on")
            said.wait_for("sent", said.place_of("obeyed hold"))
            errors.wait_for("orders may leave again", logged)
        finally:
            process.stdin.close()
            process.wait(60)
            said.join()
            errors.join()
    assert process.returncode == 0, errors.since(0)
    assert int(said.wait_for("fired at once: ").rpartition(" ")[2]) <= 3, "missed timers fire once"


def health_in(home: Path) -> dict[str, object]:
    try:
        return dict(json.loads((home / "status.json").read_text())["health"])
    except FileNotFoundError:
        return {}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system cannot freeze a process")
def test_a_run_that_was_frozen_reconciles_by_itself_and_trades_again(tmp_path: Path) -> None:
    (tmp_path / "foxtrot.toml").write_text(CONFIG)
    home = tmp_path / "home"
    command = [sys.executable, "-m", "foxtrot", "run", str(tmp_path / "foxtrot.toml"), "--home", str(home), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: health_in(home).get("state") == "ok", deadline_s=30)
            os.kill(process.pid, signal.SIGSTOP)
            threading.Event().wait(2.5)
            os.kill(process.pid, signal.SIGCONT)

            def is_back() -> bool:
                health = health_in(home)
                counters = health.get("counters")
                lapses = counters["lease_lapses"] if isinstance(counters, dict) else 0
                return bool(lapses) and health["lapsed"] == "" and health["state"] == "ok"

            wait_until(is_back, deadline_s=20)
        finally:
            process.terminate()
            stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["reconciled"] is True
    assert stderr.count("ERROR") == 1, stderr
    frozen, lost, back = (
        stderr.find(words) for words in ("this process stood still for", "connection lost", "orders may leave again")
    )
    assert 0 < frozen < lost < back
