"""What the engine tells about itself: its counters while it runs, its account of a stop."""

from collections.abc import Iterable

import msgspec


class EngineStatistics(msgspec.Struct, frozen=True):
    """What the engine did so far: accepted = handled + conflated + left, plus depth while events wait.

    `accepted` counts what was put, timers that fired and gaps that were announced; `conflated` what was replaced by a newer
    one or shed. Lags are microseconds from put to handling, sampled one event in 64, of the last 4,096 samples.
    """

    accepted: int
    handled: int
    conflated: int
    left: int
    depth: int
    peak_depth: int
    failures: int
    lag_p50_us: float
    lag_p99_us: float
    events_per_class: dict[str, int]
    slow_handlers: dict[str, float]
    slowest_handler: str
    slowest_ms: float


class StopResult(msgspec.Struct, frozen=True):
    """How a stop went.

    `handled` events since it began; `left` behind by class and instrument; `overran` names a thread past its deadline, whose
    event in progress is among those left.
    """

    handled: int
    left: dict[str, int]
    overran: str


def percentiles_us(samples_s: Iterable[float], *shares: float) -> tuple[float, ...]:
    """Return percentiles of durations in seconds, in microseconds; 0.0 where there are no samples."""
    ordered = sorted(samples_s)
    if not ordered:
        return tuple(0.0 for _ in shares)
    return tuple(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e6 for share in shares)


def count_by_kind(events: Iterable[object]) -> dict[str, int]:
    """Return how many events there are of each class and instrument."""
    counts: dict[str, int] = {}
    for event in events:
        label = f"{type(event).__name__} {getattr(event, 'instrument_id', '')}".rstrip()
        counts[label] = counts.get(label, 0) + 1
    return counts
