"""A fair value that behaves as a market's price does: quiet and wild stretches, trends that come and go."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import exp
from random import Random

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.agents.fair_value import TICK_NS, FairValue

_TICK_SWING = 1.1e-5
"""The usual move of a tick of 0.1 s: some 3 basis points in a minute."""
_CALM_TICKS = 9_000.0
"""A wild stretch is half over after some ten minutes."""
_TREND_TICKS = 24_000.0
_MOOD_SWING, _MOST_MOOD = 0.75, 1.5
_TREND_SWING = 1.0e-7
_HOME_TICKS = 900_000.0
"""A day away from where it began, half of the way back is gone."""
_LONGEST_STEP = 600
_MOST_AWAY = 0.12


class LivingValue(FairValue):
    """A walk whose size changes slowly (volatility comes in clusters) and whose drift does too (trends).

    It stays within some tenth of the reference price. Asked seldom it takes larger steps, of the same spread.

    Thread: belongs to its population.

    Args:
        instrument: whose price it is.
        price: where it begins.
        random: its chance.
        swing: how much wilder than the usual.
    """

    def __init__(self, instrument: Instrument, price: Decimal, random: Random, swing: float = 1.0) -> None:
        super().__init__(instrument, price, random)
        self._chance = random
        self._swing_of_tick = _TICK_SWING * swing
        self._mood = random.gauss(0.0, _MOOD_SWING / 2)
        self._drift = 0.0
        self._away = 0.0
        self._opened_ns = 0
        self._walked = 0

    def open(self, now_ns: int) -> None:
        """Begin now."""
        self._opened_ns, self._walked = now_ns, 0

    def at(self, now_ns: int) -> int:
        """Return the fair value in units, at least 1; times must not go backwards."""
        ticks = max(0, now_ns - self._opened_ns) // TICK_NS
        while self._walked < ticks:
            step = min(ticks - self._walked, _LONGEST_STEP)
            self._walked += step
            self._step(float(step))
        return max(1, round(self.opening * exp(self._away)))

    def _step(self, ticks: float) -> None:
        gauss, root = self._chance.gauss, ticks**0.5
        self._mood += gauss(0.0, _MOOD_SWING * (2 / _CALM_TICKS) ** 0.5) * root - self._mood * ticks / _CALM_TICKS
        self._mood = max(-_MOST_MOOD, min(_MOST_MOOD, self._mood))
        self._drift += gauss(0.0, _TREND_SWING * (2 / _TREND_TICKS) ** 0.5) * root - self._drift * ticks / _TREND_TICKS
        wild = self._swing_of_tick / _TICK_SWING
        move = gauss(0.0, self._swing_of_tick * exp(self._mood)) * root + self._drift * wild * ticks
        self._away = max(-_MOST_AWAY, min(_MOST_AWAY, self._away + move - self._away * ticks / _HOME_TICKS))


def living_values(
    instruments: Sequence[Instrument], prices: Mapping[str, Decimal], seed: int
) -> dict[str, LivingValue]:
    """Return a value for each instrument; the first is the calmest, as the largest market is."""
    return {
        one.instrument_id: LivingValue(
            one, prices[one.instrument_id], Random(f"{seed}:{one.instrument_id}:living"), 1.0 + min(place, 5) * 0.18
        )
        for place, one in enumerate(instruments)
    }
