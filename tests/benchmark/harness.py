"""The harness: contestants take turns in one process, so that the noise of the machine falls on all alike."""

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

Sample = Callable[[], float]
"""Runs one contestant once and returns its figure."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: a figure of ours, that of a peer, and how they compare."""

    name: str
    unit: str
    ours: Sample
    peer: Sample | None = None
    peer_name: str = ""
    repeats: int = 9
    higher_is_better: bool = True
    goal: float | None = None
    limit: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """The samples of a row."""

    row: Row
    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """How many times better ours is, by medians; None without a peer."""
        if not self.peer:
            return None
        ours, peer = statistics.median(self.ours), statistics.median(self.peer)
        return ours / peer if self.row.higher_is_better else peer / ours

    @property
    def met(self) -> bool | None:
        """Whether goal and limit are met; None where there is none, or no peer to compare with."""
        verdicts = []
        if self.row.goal is not None and self.ratio is not None:
            verdicts.append(self.ratio >= self.row.goal)
        if self.row.limit is not None:
            ours = statistics.median(self.ours)
            verdicts.append(ours >= self.row.limit if self.row.higher_is_better else ours <= self.row.limit)
        return all(verdicts) if verdicts else None

    def best(self, samples: list[float]) -> float:
        """Return the best sample."""
        return max(samples) if self.row.higher_is_better else min(samples)


def measure(row: Row) -> Measured:
    """Let the contestants take turns, each going first every other time."""
    measured = Measured(row)
    for turn in range(row.repeats):
        turns = [(row.ours, measured.ours)]
        if row.peer is not None:
            turns.insert(turn % 2, (row.peer, measured.peer))
        for sample, samples in turns:
            gc.collect()
            samples.append(sample())
    return measured


def peer_or_none(load: Callable[[], Sample]) -> Sample | None:
    """Return a peer's contestant, or None where the peer is not installed."""
    try:
        return load()
    except ImportError:
        return None
