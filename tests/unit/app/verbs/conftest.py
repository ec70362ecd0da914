"""What tests of verbs share: a home folder of their own, small files of bars, and reading the one object on stdout."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from foxtrot.cli import main

Run = Callable[..., tuple[int, dict[str, object]]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOXTROT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a line with --json and gives its status and its object."""

    def run_line(*arguments: object) -> tuple[int, dict[str, object]]:
        status = main([*map(str, arguments), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run_line


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """Return a file of forty one-minute bars that rise, then fall."""
    closes = [100.0 + minute for minute in range(20)] + [120.0 - minute for minute in range(20)]
    return write_bars(tmp_path / "btcusdt_1m.csv", closes)


def write_bars(path: Path, closes: list[float]) -> Path:
    """Write one-minute bars that open at the close before them."""
    rows, opening = ["time,open,high,low,close,volume"], closes[0]
    for minute, close in enumerate(closes):
        high, low = max(opening, close) + 0.5, min(opening, close) - 0.5
        rows.append(f"2025-01-01T00:{minute:02}:00Z,{opening},{high},{low},{close},10")
        opening = close
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path
