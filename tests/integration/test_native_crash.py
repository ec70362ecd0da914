"""A platform dies of a fault in native code: it says where its threads stood, shows no value, and the next one starts in its home."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="by a signal of POSIX")
CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }
"""
START_S = 30.0


def started(folder: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "foxtrot", "run", str(folder / "c.toml"), "--home", str(folder / "home"), "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *options], cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True)


def stage(home: Path) -> str:
    try:
        return str(json.loads((home / "status.json").read_bytes()).get("stage", ""))
    except FileNotFoundError:
        return ""


def test_a_crash_is_told_with_its_threads_and_the_next_platform_starts(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG, "utf-8")
    with started(tmp_path) as platform:
        wait_until(lambda: stage(tmp_path / "home") == "running", START_S)
        platform.send_signal(signal.SIGSEGV)
        _, told = platform.communicate(timeout=START_S)
    assert platform.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in told
    stood = told[told.index("Fatal Python error") :]
    assert stood.count("(most recent call first)") > 2
    assert "live.py" in stood
    with started(tmp_path, "--seconds", "0.5") as again:
        stdout, stderr = again.communicate(timeout=START_S)
    assert again.returncode == 0, stderr
    assert json.loads(stdout)["reconciled"] is True
