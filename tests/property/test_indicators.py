"""Every running indicator equals its array twin, value by value, also where nothing moves and long after the start."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.market import BarData
from foxtrot.strategy import indicators as ta

Update = Callable[[BarData], float | Sequence[float] | None]
Columns = dict[str, ta.FloatArray]

# A price walks by cents, often by none, and sometimes stands still for long.
STEPS = st.lists(st.one_of(st.just(0), st.integers(-300, 300)), max_size=80)
WICKS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 30)), min_size=80, max_size=80)
PERIOD = st.integers(2, 9)


def bars_of(steps: list[int], wicks: list[tuple[int, int, int]]) -> list[BarData]:
    bars, cents = [], 50_000
    for at, step in enumerate(steps):
        cents += step
        up, down, volume = wicks[at % len(wicks)]
        high, low = (cents + up) / 100, (cents - down) / 100
        bars.append(BarData("X", "1m", at, at + 1, cents / 100, high, low, cents / 100, float(volume)))
    return bars


def columns_of(bars: list[BarData]) -> Columns:
    return {name: np.array([getattr(bar, name) for bar in bars], float) for name in ("high", "low", "close", "volume")}


def by_close(indicator: object) -> Update:
    return lambda bar: indicator.update(bar.close)  # type: ignore[attr-defined,no-any-return]


def by_bar(indicator: object) -> Update:
    return indicator.update  # type: ignore[attr-defined,no-any-return]


CASES: dict[str, tuple[Callable[[int], Update], Callable[[Columns, int], object]]] = {
    "sma": (lambda n: by_close(ta.RunningSma(n)), lambda c, n: ta.sma(c["close"], n)),
    "ema": (lambda n: by_close(ta.RunningEma(n)), lambda c, n: ta.ema(c["close"], n)),
    "wma": (lambda n: by_close(ta.RunningWma(n)), lambda c, n: ta.wma(c["close"], n)),
    "std": (lambda n: by_close(ta.RunningStd(n)), lambda c, n: ta.std(c["close"], n)),
    "rsi": (lambda n: by_close(ta.RunningRsi(n)), lambda c, n: ta.rsi(c["close"], n)),
    "macd": (lambda n: by_close(ta.RunningMacd(n, n + 3, 4)), lambda c, n: ta.macd(c["close"], n, n + 3, 4)),
    "bollinger": (lambda n: by_close(ta.RunningBollinger(n, 2.5)), lambda c, n: ta.bollinger(c["close"], n, 2.5)),
    "atr": (lambda n: by_bar(ta.RunningAtr(n)), lambda c, n: ta.atr(c["high"], c["low"], c["close"], n)),
    "adx": (lambda n: by_bar(ta.RunningAdx(n)), lambda c, n: ta.adx(c["high"], c["low"], c["close"], n)),
    "donchian": (lambda n: by_bar(ta.RunningDonchian(n)), lambda c, n: ta.donchian(c["high"], c["low"], n)),
    "stochastic": (
        lambda n: by_bar(ta.RunningStochastic(n, 3)),
        lambda c, n: ta.stochastic(c["high"], c["low"], c["close"], n, 3),
    ),
    "cci": (lambda n: by_bar(ta.RunningCci(n)), lambda c, n: ta.cci(c["high"], c["low"], c["close"], n)),
    "obv": (lambda n: by_bar(ta.RunningObv()), lambda c, n: ta.obv(c["close"], c["volume"])),
    "vwap": (lambda n: by_bar(ta.RunningVwap()), lambda c, n: ta.vwap(c["high"], c["low"], c["close"], c["volume"])),
}
# TA-Lib takes variances from sums of squares, which leaves sqrt(1e-16 * 500^2) of a flat line.
TOLERANCE = {"std": 1e-4, "bollinger": 3e-4}


def table(values: list[float | Sequence[float] | None]) -> ta.FloatArray:
    width = max((len(value) for value in values if isinstance(value, tuple)), default=1)
    rows = [(np.nan,) * width if value is None else value if isinstance(value, tuple) else (value,) for value in values]
    return np.array(rows, float).reshape(len(values), width)


def check(name: str, bars: list[BarData], period: int) -> None:
    running, array = CASES[name]
    update = running(period)
    expected = array(columns_of(bars), period)
    stacked = np.column_stack(expected) if isinstance(expected, tuple) else np.asarray(expected).reshape(-1, 1)
    found = table([update(bar) for bar in bars])
    if len(found):
        np.testing.assert_allclose(found, stacked[:, : found.shape[1]], rtol=1e-9, atol=TOLERANCE.get(name, 1e-7))


@pytest.mark.parametrize("name", CASES)
@given(steps=STEPS, wicks=WICKS, period=PERIOD)
@settings(max_examples=25)
def test_running_equals_array(name: str, steps: list[int], wicks: list[tuple[int, int, int]], period: int) -> None:
    check(name, bars_of(steps, wicks), period)


@pytest.mark.parametrize("name", CASES)
def test_they_are_still_equal_after_old_values_were_forgotten(name: str) -> None:
    random = np.random.default_rng(7)
    steps = [int(step) for step in random.integers(-200, 201, 3_000)]
    wicks = [(int(a), int(b), int(v)) for a, b, v in random.integers(1, 50, (80, 3))]
    check(name, bars_of(steps, wicks), 14)


@pytest.mark.parametrize("name", CASES)
def test_a_line_that_never_moves_is_no_special_case(name: str) -> None:
    check(name, bars_of([0] * 60, [(0, 0, 5)]), 5)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("obv", "vwap")])
@pytest.mark.parametrize("period", [0, 1, -3, 2.5])
def test_a_period_that_makes_no_sense_is_refused_by_both(name: str, period: int) -> None:
    running, array = CASES[name]
    bars = columns_of(bars_of([1] * 30, [(1, 1, 1)]))
    with pytest.raises(ConfigError, match="period"):
        running(period)
    with pytest.raises(ConfigError, match="period"):
        array(bars, period)


def test_macd_wants_the_fast_period_shorter() -> None:
    with pytest.raises(ConfigError, match="must be shorter"):
        ta.RunningMacd(26, 12)


def test_known_values() -> None:
    average = ta.RunningSma(3)
    assert [average.update(value) for value in (1.0, 2.0, 3.0, 6.0)] == [None, None, 2.0, pytest.approx(11 / 3)]
    assert ta.rsi([1.0, 2.0, 3.0, 4.0], 2).tolist()[-1] == 100.0


def test_vwap_starts_anew_after_a_reset() -> None:
    average = ta.RunningVwap()
    bar = BarData("X", "1m", 0, 1, 1.0, 1.0, 1.0, 1.0, 5.0)
    assert average.update(bar) == 1.0
    average.reset()
    assert average.update(BarData("X", "1m", 1, 2, 4.0, 4.0, 4.0, 4.0, 0.0)) is None
    assert average.update(BarData("X", "1m", 1, 2, 4.0, 4.0, 4.0, 4.0, 1.0)) == 4.0
