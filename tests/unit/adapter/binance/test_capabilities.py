"""How long an unanswered order may still turn up is a matter of its receive window and of Binance's own timeout."""

import pytest

from foxtrot.adapter.binance.capabilities import SPOT, USDM, within


@pytest.mark.parametrize(("recv_window_ms", "bound_s"), [(5_000, 20.0), (60_000, 75.0), (1, 15.001)])
def test_the_bound_is_the_receive_window_and_binances_timeout_and_a_margin(recv_window_ms: int, bound_s: float) -> None:
    assert within(USDM, recv_window_ms).unknown_bound_s == pytest.approx(bound_s)


def test_the_table_shows_the_bound_of_the_default_window() -> None:
    assert within(SPOT, 5_000) == SPOT
