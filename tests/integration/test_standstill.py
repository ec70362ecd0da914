"""A platform that is frozen and goes on, as on a laptop that slept: nothing is sent before the account is known again."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.support.waiting import wait_until

FROZEN_S = 1.5
CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE" }
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system cannot freeze a process")
def test_after_a_freeze_nothing_is_sent_until_the_account_is_reconciled(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.frozen_platform", str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines: SimpleQueue[str] = SimpleQueue()
        stdout = process.stdout
        reader = threading.Thread(target=lambda: [lines.put(line.strip()) for line in stdout])
        reader.start()
        try:
            assert lines.get(timeout=30) == "sent"
            os.kill(process.pid, signal.SIGSTOP)
            threading.Event().wait(FROZEN_S)
            assert lines.empty()
            os.kill(process.pid, signal.SIGCONT)
            refused = lines.get(timeout=10)
            assert refused.startswith("refused: this process stood still for ")
            assert FROZEN_S <= float(refused.split()[6]) < 10
            assert lines.empty(), "nobody has reconciled yet"
            process.stdin.write("reconcile\n")
            process.stdin.flush()
            told = [lines.get(timeout=30)]
            while told[-1] != "sent":  # a busy machine may let the process stand still once more
                told.append(lines.get(timeout=30))
            heard = next(line for line in told if line.startswith("heard: "))
            assert heard.startswith("heard: this process fires at once: ")
            assert int(heard.rpartition(" ")[2]) <= 3, "missed timers fire once"
        finally:
            process.stdin.close()
            process.wait(20)
            reader.join()
            stderr = process.stderr.read() if process.stderr is not None else ""
    assert process.returncode == 0, stderr
    assert "orders may leave again" in stderr


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
