"""Intervals are read, written and measured."""

from decimal import Decimal

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval, IntervalKind

MINUTE_NS = 60_000_000_000


@pytest.mark.parametrize("text", ["1s", "1m", "5m", "15m", "1h", "4h", "1d", "1w", "100t", "50v", "0.5v", "100000$"])
def test_text_reads_back_as_itself(text: str) -> None:
    assert Interval.parse(text).text == text


def test_equal_steps_are_one_interval() -> None:
    assert Interval.parse("0.50v") == Interval.parse("0.5v")
    assert hash(Interval.parse("0.50v")) == hash(Interval.parse("0.5v"))
    assert Interval.parse("05m").text == "5m"
    assert Interval.of(IntervalKind.MINUTE, 5) == Interval.parse("5m")


@pytest.mark.parametrize(
    ("text", "minutes"), [("1m", 1), ("15m", 15), ("1h", 60), ("4h", 240), ("1d", 1440), ("1w", 10080)]
)
def test_time_intervals_have_a_duration(text: str, minutes: int) -> None:
    assert Interval.parse(text).duration_ns == minutes * MINUTE_NS


@pytest.mark.parametrize("text", ["100t", "50v", "100000$"])
def test_intervals_counted_by_trading_have_no_duration(text: str) -> None:
    interval = Interval.parse(text)
    assert not interval.kind.is_time
    with pytest.raises(ConfigError, match="closes by trading"):
        _ = interval.duration_ns


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5min", "5m"),
        ("1H", "1h"),
        ("M5", "5m"),
        ("1 hour", "1h"),
        ("daily", "1d"),
        ("1W", "1w"),
        ("50vol", "50v"),
        ("15", "15m"),
    ],
)
def test_a_misspelt_interval_is_answered_with_the_nearest(text: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean {meant}"):
        Interval.parse(text)


@pytest.mark.parametrize("text", ["", "abc", "-5m", "nan", "5m5m", "0m", "0v", "1.5m", "٥m"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="interval"):
        Interval.parse(text)


def test_volume_may_be_a_fraction() -> None:
    assert Interval.parse("0.25v").step == Decimal("0.25")
