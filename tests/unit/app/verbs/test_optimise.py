"""The verb optimise: grids, order of results, and the same results from any number of processes."""

import os
import signal
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from foxtrot.app.verbs.optimise import grid_axis
from foxtrot.cli import main
from tests.support.waiting import wait_until

LINE = ("optimise", "--strategy", "double_ma")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fast=10:30:10", ("10", "20", "30")),
        ("fast=10:35:10", ("10", "20", "30")),
        ("size=0.1:0.3:0.1", ("0.1", "0.2", "0.3")),
        ("fast=5:1:-2", ("5", "3", "1")),
        ("fast=3", ("3",)),
        ("mode=a, b", ("a", "b")),
    ],
)
def test_an_axis_has_exact_steps_and_includes_its_end(text: str, values: tuple[str, ...]) -> None:
    assert grid_axis(text) == (text.partition("=")[0], values)


@pytest.mark.parametrize(
    "text",
    ["fast", "fast=", "=1:2:1", "fast=1:2", "fast=1:2:0", "fast=1:x:1", "fast=2:1:1", "fast=1:1e9:1", "fast=1:nan:1"],
)
def test_an_axis_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        grid_axis(text)


def test_every_combination_is_run_and_the_best_comes_first(run, bars: Path) -> None:
    status, result = run(
        *LINE, "--bars", bars, "--grid", "fast=2:3:1", "--grid", "slow=4,5", "--by", "total_return", "--workers", "1"
    )
    assert status == 0
    assert (result["count"], result["workers"]) == (4, 1)
    returns = [row["total_return"] for row in result["runs"]]
    assert returns == sorted(returns, reverse=True)
    assert result["best"] == result["runs"][0]
    assert {tuple(row["parameters"].values()) for row in result["runs"]} == {(2, 4), (2, 5), (3, 4), (3, 5)}


def test_runs_without_the_figure_come_last(run, bars: Path) -> None:
    grid = ("--grid", "slow=60,4", "--param", "fast=2", "--by", "win_rate", "--workers", "1")
    rows = run(*LINE, "--bars", bars, *grid)[1]["runs"]
    assert [(row["parameters"]["slow"], row["win_rate"]) for row in rows] == [(4, 1.0), (60, None)]


@pytest.mark.slow
def test_processes_give_the_same_results_as_one(run, bars: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from foxtrot.samples.double_ma import DoubleMa\nclass Mine(DoubleMa):\n    pass\n", "utf-8"
    )
    line = ("optimise", "--strategy", "mine.py", "--bars", bars, "--grid", "fast=2:3:1", "--grid", "slow=4,5")
    status, one = run(*line, "--workers", "1")
    two = run(*line, "--workers", "2")[1]
    assert status == 0
    assert two["workers"] == 2
    assert two["runs"] == one["runs"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ((), "give at least one parameter to vary"),
        (("--grid", "fst=1,2"), "did you mean fast?"),
        (("--grid", "fast=1.5,2"), "parameter fast must be a whole number, not '1.5'"),
        (("--grid", "fast=1:1000:1", "--grid", "slow=2:1000:1"), "the grid has 999,000 combinations"),
        (("--grid", "fast=2", "--by", "shrp"), "there is no statistic 'shrp' to sort by"),
    ],
)
def test_a_bad_grid_is_one_line_and_status_2(line: tuple[str, ...], message: str, run, bars: Path) -> None:
    status, result = run(*LINE, "--bars", bars, *line)
    assert status == 2
    assert message in result["error"]["message"]


def test_people_get_a_table(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*LINE, "--bars", str(bars), "--grid", "fast=2", "--grid", "slow=4", "--workers", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["fast", "slow", "total_return", "sharpe", "max_drawdown", "round_trips", "trades"]
    assert lines[1].split()[:2] == ["2", "4"]


ENDLESS = """\
import os
from pathlib import Path
from foxtrot.api import Parameter, Strategy

class Endless(Strategy):
    n = Parameter(1)
    def on_bar(self, bar):
        Path(f"{os.getpid()}.pid").touch()
        while True:
            pass
"""
FAULTY = """\
from foxtrot.api import Parameter, Strategy

class Faulty(Strategy):
    n = Parameter(1)
    def on_bar(self, bar):
        if self.n > 1:
            raise ValueError("n is too large")
"""


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(number: int, bars: Path, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS, "utf-8")
    line = ["optimise", "--strategy", "endless.py", "--bars", str(bars), "--grid", "n=1:4:1", "--workers", "2"]
    parent = subprocess.Popen([sys.executable, "-m", "foxtrot", *line], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(list(tmp_path.glob("*.pid"))) == 2, 30)
        workers = [int(path.stem) for path in tmp_path.glob("*.pid")]
        assert all(map(is_running, workers))
        parent.send_signal(number)
        assert parent.wait(10) == (128 + number if number == signal.SIGTERM else -number)
        wait_until(lambda: not any(map(is_running, workers)))
    finally:
        parent.kill()


def test_the_table_says_why_combinations_failed(bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY, "utf-8")
    line = ("optimise", "--strategy", "faulty.py", "--bars", str(bars), "--grid", "n=1:3:1", "--workers", "1")
    assert main(list(line)) == 0
    last, reason = capsys.readouterr().out.splitlines()[-2:]
    assert last.endswith("the strategy failed in 2")
    assert reason.startswith("  n=2 and 1 more: ")
    assert "n is too large" in reason


def test_free_trading_is_warned_of(run, bars: Path) -> None:
    result = run(*LINE, "--bars", bars, "--grid", "fast=2", "--workers", "1")[1]
    assert result["warnings"][0].startswith("Zero cost: ")
