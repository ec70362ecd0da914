"""The bar backtest: a 20/50 cross over synthetic minutes, beside vn.py's CTA backtester and backtesting.py.

Every run has a process of its own, so its peak memory is its own; stderr tells how fast the machine was at that moment.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.benchmark.harness import Row, Sample, peer_or_none

ROOT = Path(__file__).resolve().parents[2]
BARS = 1_000_000
ROUNDS = 1
SIZES = (100_000, 250_000, 1_000_000, 4_000_000)
TOLERANCE = 0.005
SAME = (
    "A seeded walk on a grid of 0.01, made in each process. The time is that of the run alone: ours from building the platform to "
    "statistics and hash, vn.py's replay without its statistics, backtesting.py's with them. Fills are within 0.5 % of each other "
    "(averages of floats decide ties otherwise than sums of whole steps do), or the benchmark fails."
)
STRATEGY = (
    "Each run has one thread, so processor time is the fairer figure on a busy machine, and the goal is asked of both. vn.py's "
    "strategy is written as its own samples are, with its ArrayManager. The lean one keeps running sums in whole steps as our "
    "double_ma does, which leaves the two engines alone to compare."
)
MEMORY = "Peak memory is that of the whole process, with its libraries and its input."
LINEAR = "The time of a run is linear when bars a second stay the same from the shortest history to the longest."

Result = dict[str, float]
Figure = Callable[[Result], float]


class Referee:
    """Compares the fills of all runs over the same bars."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, float]] = {}

    def judge(self, contestant: str, count: int, fills: float) -> None:
        """Fail when a contestant traded otherwise than the first."""
        name, known = self._known.setdefault(count, (contestant, fills))
        assert abs(fills / known - 1) <= TOLERANCE, f"{contestant} has {fills} fills, {name} {known}"


class Runs:
    """The runs of one contestant in one pairing; further figures are read from the runs made for the first.

    A figure that is read before there are runs, or more often than there were, is an IndexError.
    """

    def __init__(self, referee: Referee, contestant: str, count: int = BARS) -> None:
        self._referee = referee
        self._contestant = contestant
        self._count = count
        self._results: list[Result] = []

    def fresh(self, figure: Figure) -> Sample:
        """Return a sample that runs once more, in a new process, and reads a figure."""
        return lambda: figure(self._run())

    def kept(self, figure: Figure) -> Sample:
        """Return a sample that reads a figure of the runs made already, one after the other."""
        turns = iter(range(sys.maxsize))
        return lambda: figure(self._results[next(turns)])

    def _run(self) -> Result:
        command = [sys.executable, "-m", "tests.benchmark.contestants.one_run", self._contestant, str(self._count)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        result: Result = json.loads(done.stdout.splitlines()[-1])
        self._referee.judge(self._contestant, self._count, result["fills"])
        self._results.append(result | {"bars": self._count})
        return self._results[-1]


def by_wall(result: Result) -> float:
    """Bars a second on the wall."""
    return result["bars"] / result["wall_s"]


def by_processor(result: Result) -> float:
    """Bars a second of processor time."""
    return result["bars"] / result["processor_s"]


def peak(result: Result) -> float:
    """Peak memory, MB."""
    return result["peak_mb"]


def only_if_installed(package: str, sample: Sample) -> Sample | None:
    """Return a peer's sample, None where its package is missing; the package itself is loaded by its own process."""

    def load() -> Sample:
        if importlib.util.find_spec(package) is None:
            raise ImportError(package)
        return sample

    return peer_or_none(load)


def pairing(referee: Referee, peer: str, title: str, goal: float | None, memory_goal: float | None) -> list[Row]:
    """Speed on the wall, speed by processor time and peak memory, beside one peer."""
    package = "vnpy_ctastrategy" if peer.startswith("vnpy") else peer
    ours, theirs = Runs(referee, "foxtrot"), Runs(referee, peer)

    def row(name: str, figure: Figure, unit: str = "bars/s", **more: object) -> Row:
        return Row(
            name=name, unit=unit, ours=ours.kept(figure), peer=only_if_installed(package, theirs.kept(figure)),
            peer_name=title, repeats=ROUNDS, **more,
        )  # fmt: skip

    first = replace(
        row(f"1M bars beside {title}", by_wall, goal=goal, note=SAME),
        ours=ours.fresh(by_wall),
        peer=only_if_installed(package, theirs.fresh(by_wall)),
    )
    return [
        first,
        row("the same by processor time", by_processor, goal=goal, note=STRATEGY),
        row("peak memory of the same", peak, "MB", higher_is_better=False, goal=memory_goal, note=MEMORY),
    ]


def rows() -> list[Row]:
    """The rows of this benchmark."""
    referee = Referee()
    return [
        *pairing(referee, "vnpy", "vn.py 4.5", goal=6.0, memory_goal=2.0),
        *pairing(referee, "backtesting", "backtesting.py", goal=4.0, memory_goal=None),
        *pairing(referee, "vnpy_lean", "vn.py 4.5, lean", goal=None, memory_goal=None),
        *(
            Row(name=f"{count:,} bars alone, by processor time", unit="bars/s",
                ours=Runs(referee, "foxtrot", count).fresh(by_processor), repeats=1, note=LINEAR)
            for count in SIZES
        ),
    ]  # fmt: skip
