"""The spread: both legs at once, sizes by money, no single leg left standing."""

from pathlib import Path

import pytest

from foxtrot.domain.enums import Product
from foxtrot.samples.spread import Spread
from tests.support.history import bars_of_closes, lean_daily, replay

# log(first / second) is 0 four times; a first close of 110 makes it stretch above any deviation it had.
FIRST = [100.0, 100.1, 100.0, 100.1, 110.0, 110.0, 100.0, 100.0]
SECOND = [100.0] * 8
PARAMETERS = {"window": 4, "enter": 1.5, "leave": 0.5, "notional": 1100.0}


def fills(first: list[float], second: list[float]) -> list[tuple[str, str, float, float]]:
    result = replay(Spread, bars_of_closes(first, "A.H"), bars_of_closes(second, "B.H"), **PARAMETERS)
    assert (result.failures, result.denied) == ((), {})
    return [(t.instrument_id, str(t.side), t.quantity, t.price) for t in result.trades]


def test_a_stretched_pair_is_sold_dear_and_bought_cheap_for_the_same_money() -> None:
    assert fills(FIRST[:6], SECOND[:6]) == [("A.H", "sell", 10.0, 110.0), ("B.H", "buy", 11.0, 100.0)]


def test_both_legs_are_closed_when_the_ratio_is_back() -> None:
    assert fills(FIRST, SECOND)[2:] == [("A.H", "buy", 10.0, 100.0), ("B.H", "sell", 11.0, 100.0)]


def test_the_pair_stretched_the_other_way_is_traded_the_other_way() -> None:
    assert [(name, side) for name, side, _, _ in fills(SECOND[:6], FIRST[:6])] == [("A.H", "buy"), ("B.H", "sell")]


def test_it_waits_for_both_closes() -> None:
    first, second = bars_of_closes(FIRST[:6], "A.H"), bars_of_closes(SECOND[:4], "B.H")
    result = replay(Spread, first, second, **PARAMETERS)
    assert result.trades == ()


def test_spot_and_a_single_instrument_are_refused_in_words() -> None:
    pair = bars_of_closes(FIRST, "A.H"), bars_of_closes(SECOND, "B.H")
    assert "which A.H does not allow" in replay(Spread, *pair, product=Product.SPOT).failures[0]
    assert "needs two symbols" in replay(Spread, pair[0]).failures[0]


@pytest.mark.slow
def test_on_eight_recorded_years_of_two_stocks_the_legs_are_always_opposite_or_both_flat(data_dir: Path) -> None:
    legs = [
        lean_daily(data_dir / "stocks" / f"{name}_daily.zip", f"{name.upper()}.H", "20060101", "20131231")
        for name in ("aapl", "spy")
    ]
    result = replay(Spread, *legs, product=Product.FUTURE)
    assert (result.failures, result.denied, len(result.trades)) == ((), {}, 112)
    held = {"AAPL.H": 0.0, "SPY.H": 0.0}
    for index, trade in enumerate(result.trades):
        held[trade.instrument_id] += trade.side.sign * trade.quantity
        if index % 2:
            assert held["AAPL.H"] * held["SPY.H"] < 0.0 or set(held.values()) == {0.0}
