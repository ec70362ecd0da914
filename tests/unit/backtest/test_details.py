"""The returns of months: each against the end of the one before, a sample at midnight with the day that it closes."""

from datetime import UTC, datetime

import numpy as np
import pytest

from foxtrot.backtest.details import month_returns, read_details
from foxtrot.domain.errors import ConfigError


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def months(*samples: tuple[str, float], start: float = 100.0) -> list[tuple[int, int, float | None]]:
    times = np.array([ns(text) for text, _ in samples], dtype=np.int64)
    found = month_returns(times, np.array([value for _, value in samples]), start)
    return [(month.year, month.month, month.value) for month in found]


def test_each_month_is_against_the_end_of_the_one_before() -> None:
    found = months(("2024-12-31T12:00", 110.0), ("2025-01-01T00:00", 120.0), ("2025-01-15", 90.0), ("2025-03-02", 99.0))
    assert [(year, month) for year, month, _ in found] == [(2024, 12), (2025, 1), (2025, 3)]
    assert [value for *_, value in found] == [pytest.approx(0.2), pytest.approx(-0.25), pytest.approx(0.1)]


def test_a_month_after_ruin_has_no_return() -> None:
    assert months(("2025-01-15", -5.0), ("2025-02-15", 5.0))[1] == (2025, 2, None)


def test_what_is_no_details_is_said() -> None:
    with pytest.raises(ConfigError, match="no details"):
        read_details(b"{}")
