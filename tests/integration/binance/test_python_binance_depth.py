"""The scripts that our DepthCache gets right go wrong in python-binance's own class: the tests of them test something."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.depth_script import AFTER_A_GAP, STRADDLING, Played, Script

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON = REPOSITORY / ".venv-clients" / "bin" / "python"
PLAYER = REPOSITORY / "tests" / "support" / "python_binance_depth.py"


def played_by_python_binance(script: Script) -> dict[str, Any]:
    assert PYTHON.exists(), f"{PYTHON} is missing: run scripts/setup --clients"
    done = subprocess.run(
        [PYTHON, PLAYER], input=json.dumps(script), capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "last_id"), [(STRADDLING, 103), (AFTER_A_GAP, 106)], ids=["straddling", "after_a_gap"]
)
def test_python_binance_takes_an_older_event_for_newer_than_its_snapshot(script: Script, last_id: int) -> None:
    theirs, ours = played_by_python_binance(script), Played(script)
    assert theirs["asked"] == 2
    assert (theirs["last_id"], theirs["bids"][0][0]) == (last_id, 10.0), "the level was gone by 110, and so was that id"
    if script is AFTER_A_GAP:
        assert (ours.view.update_id, ours.best_bid) == (110, 9.9)
    else:
        assert (ours.asked, ours.view.update_id) == (1, 103)
