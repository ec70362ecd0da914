"""The middle and the tail of some figures; pure."""

from collections import deque
from collections.abc import Sequence

import msgspec


class Percentiles(msgspec.Struct, frozen=True):
    """The middle and the tail of some latencies, in ms; 0 without any."""

    p50_ms: float = 0.0
    p99_ms: float = 0.0


def quantile(values: "deque[float] | Sequence[float]", share: float) -> float:
    """Return the nearest-rank quantile of some values, 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def percentiles(values_ms: "deque[float] | Sequence[float]") -> Percentiles:
    """Return the middle and the tail of some latencies; a deque may grow on another thread meanwhile."""
    ordered = sorted(list(values_ms))  # noqa: C414  (the copy is made in one step, sorting a deque is not)
    return Percentiles(quantile(ordered, 0.50), quantile(ordered, 0.99))
