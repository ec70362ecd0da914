"""The time of day is set while prices are judged by their age: for as long as that tells nothing, none counts as young."""

import pytest

from foxtrot.domain.enums import OrderStatus
from foxtrot.trading.limits import Limits
from tests.support.builders import SECOND, T0, TradingFloor, a_request, a_tick


def _set_by(made: TradingFloor, step_s: int, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(made.clock, "now_ns", lambda: made.clock.monotonic_ns() + step_s * SECOND)


@pytest.mark.parametrize("step_s", [-90, 3_600])
def test_a_price_from_before_the_step_is_refused_and_the_first_one_after_it_counts(
    step_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = TradingFloor(limits=Limits(check_funds=False))
    made.put(a_tick())
    assert made.send(a_request(price=100.0)).status is OrderStatus.SUBMITTED
    _set_by(made, step_s, monkeypatch)
    made.clock.advance(9 * SECOND)
    for _ in range(7):
        made.clock.advance(10 * SECOND)
        assert made.send(a_request(price=99.0)).rule == "quote_age"
    made.put(a_tick(at=made.clock.now_ns()))
    assert made.send(a_request(price=99.0)).status is OrderStatus.SUBMITTED


def test_a_clock_that_is_set_back_by_less_than_a_second_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = TradingFloor(limits=Limits(check_funds=False))
    made.put(a_tick(at=T0 + SECOND // 2))
    assert made.send(a_request(price=100.0)).status is OrderStatus.SUBMITTED
