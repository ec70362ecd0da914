"""What an instrument is worth to those who make its market: a recorded path or a fixed price, with a seeded wander around it."""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from random import Random

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument

PricePath = Sequence[tuple[int, Decimal | float]]
"""Recorded prices as (time in ns, price), times ascending; for bars, their closing times and closes."""

TICK_NS = 100_000_000
"""How often the fair value moves."""

_WHOLE = 10**9
_LONGEST_WALK = 20_000
"""Steps walked at most in one go; after a longer absence the wander has forgotten where it was anyway."""


class FairValue:
    """A mean-reverting walk, in integers, around a base price.

    Without a path the base is the reference price, a step is up to 0.2 basis points and half of a deviation is gone after
    about half an hour. Around a path the wander is a tenth of that and short-lived. A path begins when the market opens and
    stays at its last price when it ends; between two of its points the price moves evenly.

    Thread: belongs to its population.
    """

    def __init__(self, instrument: Instrument, price: Decimal, random: Random, path: PricePath = ()) -> None:
        rows = [(time_ns, instrument.price_grid.round(value)) for time_ns, value in path]
        _check(instrument.instrument_id, rows or [(0, instrument.price_grid.round(price))])
        self._times = [time_ns for time_ns, _ in rows]
        self._prices = [units for _, units in rows] or [instrument.price_grid.round(price)]
        self._random = random
        self._swing, self._memory = (2_000, 100) if rows else (20_000, 26_000)
        self._deviation = 0
        self._start_ns = 0
        self._ticks = 0

    @property
    def opening(self) -> int:
        """Return the price to begin with, in units."""
        return self._prices[0]

    def open(self, now_ns: int) -> None:
        """Let the path begin now."""
        self._start_ns, self._ticks = now_ns, 0

    def at(self, now_ns: int) -> int:
        """Return the fair value in units, at least 1; times must not go backwards."""
        elapsed_ns = max(0, now_ns - self._start_ns)
        self._walk(elapsed_ns // TICK_NS)
        base = self._base(elapsed_ns)
        return max(1, base + base * self._deviation // _WHOLE)

    def _walk(self, ticks: int) -> None:
        swing, memory, draw, deviation = self._swing, self._memory, self._random.randrange, self._deviation
        for _ in range(min(ticks - self._ticks, _LONGEST_WALK)):
            deviation += draw(-swing, swing + 1) - deviation // memory
        self._deviation = deviation
        self._ticks = max(ticks, self._ticks)

    def _base(self, elapsed_ns: int) -> int:
        times, prices = self._times, self._prices
        if not times:
            return prices[0]
        time_ns = times[0] + elapsed_ns
        index = bisect_right(times, time_ns)
        if index == len(times):
            return prices[-1]
        before, after = index - 1, index
        passed, whole = time_ns - times[before], times[after] - times[before]
        return prices[before] + (prices[after] - prices[before]) * passed // whole


def _check(instrument_id: str, rows: list[tuple[int, int]]) -> None:
    for time_ns, units in rows:
        if units < 1:
            raise ConfigError(f"{instrument_id}: the price at {time_ns} must be at least one step above 0")
    for (before, _), (after, _) in pairwise(rows):
        if after <= before:
            raise ConfigError(f"{instrument_id}: the path goes from {before} to {after}; its times must ascend")
