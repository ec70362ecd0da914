"""By which way books were had, how long that took and how old they were; and how each streamed book does, in figures."""

import enum
import threading
from collections import deque
from typing import Final

import msgspec

from foxtrot.adapter.percentiles import Percentiles, percentiles

KEPT: Final = 512
"""How many latencies and ages are remembered per way."""


class BookPath(enum.StrEnum):
    """A way to a book, and what came of it."""

    STREAM = "stream"
    """`get_order_book_depth` or `request_book` answered from the stream's own book."""
    CACHE = "cache"
    """… from a book that was requested shortly before."""
    REST = "rest"
    """… by a request."""
    FAILED = "failed"
    """… not at all."""
    MEMORY = "memory"
    """`get_order_book_from_websocket` gave the book; `get_order_book_depth` asks it too, before anything else."""
    NOT_IN_MEMORY = "not_in_memory"
    """`get_order_book_from_websocket` had none."""
    BEST = "best"
    """`get_best_bid_offer` gave the best prices."""
    NO_BEST = "no_best"
    """`get_best_bid_offer` had none."""


class PathFigures(msgspec.Struct, frozen=True):
    """One way: how often it was gone, how long an answer took and how old what it gave was; of the last 512 answers."""

    count: int = 0
    latency: Percentiles = Percentiles()
    age: Percentiles = Percentiles()


class BookFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One streamed book at one moment.

    `implementation` is which one is in use (depth_cache, ccxt, partial), `age_ms` how long ago the book was last changed, None while
    it has no levels. `resyncs` counts snapshots that were fetched again. `match_score` is the share of levels that agreed with
    the venue at the last audit, 1.0 when all did and None before the first. `compared` counts comparisons with another implementation
    that runs beside it, `differences` those that did not agree.
    """

    implementation: str
    state: str
    update_id: int = 0
    age_ms: float | None = None
    gaps: int = 0
    resyncs: int = 0
    crossings: int = 0
    audits: int = 0
    audits_failed: int = 0
    match_score: float | None = None
    compared: int = 0
    differences: int = 0


class BookPaths:
    """The figures of every way that was gone.

    Thread: any; the lock is held for a few additions.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._latencies_ms: dict[str, deque[float]] = {}
        self._ages_ms: dict[str, deque[float]] = {}

    def note(self, path: str, latency_ms: float | None = None, age_ms: float | None = None) -> None:
        """Count an answer; what is None could not be measured or is nothing that has an age."""
        with self._lock:
            self._counts[path] = self._counts.get(path, 0) + 1
            if latency_ms is not None:
                self._latencies_ms.setdefault(path, deque(maxlen=KEPT)).append(latency_ms)
            if age_ms is not None:
                self._ages_ms.setdefault(path, deque(maxlen=KEPT)).append(age_ms)

    def figures(self) -> dict[str, PathFigures]:
        """Return the figures of the ways that were gone, by name."""
        with self._lock:
            kept = [
                (path, count, list(self._latencies_ms.get(path, ())), list(self._ages_ms.get(path, ())))
                for path, count in self._counts.items()
            ]
        return {path: PathFigures(count, percentiles(late), percentiles(old)) for path, count, late, old in kept}
