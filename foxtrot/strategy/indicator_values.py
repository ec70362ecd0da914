"""What indicators with several lines give: one number each while running, one array each over a history."""

from typing import Generic, NamedTuple, TypeVar

N = TypeVar("N")


class Bands(NamedTuple, Generic[N]):
    """An upper and a lower line around a middle one."""

    lower: N
    middle: N
    upper: N


class Macd(NamedTuple, Generic[N]):
    """Difference of two exponential averages, its own average, and the difference of these two."""

    line: N
    signal: N
    histogram: N


class Stochastic(NamedTuple, Generic[N]):
    """Place of the close in the range of the last bars, 0 to 100, and its average."""

    k: N
    d: N


class Adx(NamedTuple, Generic[N]):
    """Strength of a trend whichever way, and the two directional indices, each 0 to 100."""

    adx: N
    plus_di: N
    minus_di: N
