"""Rates: named, fixed, inverted, missing; never one to one."""

from decimal import Decimal

import pytest

from foxtrot.domain.errors import ConfigError
from tests.support.builders import SECOND, TradingFloor, a_perpetual, a_spot, a_tick


def test_an_asset_in_itself_is_one_and_any_other_unknown_pair_is_nothing() -> None:
    rates = TradingFloor().rates
    assert rates.convert(Decimal(5), "USDT", "USDT") == 5
    assert rates.convert(Decimal(5), "USDT", "USD") is None
    assert rates.rate("USDT", "USD") is None
    assert rates.convert(Decimal(0), "USDT", "USD") == 0


def test_a_fixed_rate_holds_both_ways() -> None:
    rates = TradingFloor(pairs={"USDT/USD": 0.5}).rates
    assert rates.convert(Decimal(5), "USDT", "USD") == Decimal("2.5")
    assert rates.convert(Decimal(5), "USD", "USDT") == 10


def test_a_named_instrument_gives_its_price_and_beats_one_that_nobody_named() -> None:
    made = TradingFloor(a_spot("EURUSD", "EUR", "USD"), a_perpetual("EURX"), pairs={"EUR/USD": "EURX.PERP"})
    made.put(a_tick("EURUSD.SPOT", 1.09, 1.11), a_tick("EURX.PERP", 1.19, 1.21))
    assert made.rates.convert(Decimal(10), "EUR", "USD") == 12


def test_a_pair_that_nobody_named_is_found_when_its_instrument_comes_and_a_derivative_is_not_it() -> None:
    made = TradingFloor(a_perpetual("EURUSDT"))
    made.put(a_tick("EURUSDT.PERP"))
    assert made.rates.rate("EUR", "USDT") is None
    made.instruments.add(a_spot("EURUSDT", "EUR", "USDT"))
    made.put(a_tick("EURUSDT.SPOT"))
    assert made.rates.convert(Decimal(1), "EUR", "USDT") == 100


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ({"EURUSD": 1.1}, "EURUSD"), ({"EUR/": 1.1}, "EUR/"), ({"EUR/USD/JPY": 1.1}, "EUR/USD/JPY"),
        ({"EUR/USD": 0.0}, "above 0"), ({"EUR/USD": -1}, "above 0"), ({"EUR/USD": float("nan")}, "above 0"),
    ],
)  # fmt: skip
def test_a_pair_that_cannot_be_is_refused_when_it_is_named(pairs: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        TradingFloor(pairs=pairs)


@pytest.mark.parametrize(("calendar", "weekend"), [("FX", 100), ("24x7", None)])
def test_a_rate_does_not_age_while_its_market_is_closed(calendar: str, weekend: int | None) -> None:
    friday = 1_700_258_400 * SECOND  # 2023-11-17 22:00 UTC, 17:00 in New York: the week ends
    made = TradingFloor(a_spot("EURUSD", "EUR", "USD", calendar=calendar))
    made.clock.move_to(friday - 60 * SECOND)
    made.put(a_tick("EURUSD.SPOT", at=made.clock.now_ns()))
    made.clock.move_to(friday + 40 * 3_600 * SECOND)
    assert made.rates.convert(Decimal(1), "EUR", "USD") == weekend
    made.clock.move_to(friday + (48 * 3_600 + 3_540) * SECOND)
    assert made.rates.convert(Decimal(1), "EUR", "USD") == weekend
    made.clock.move_to(friday + (48 * 3_600 + 3_541) * SECOND)
    assert made.rates.rate("EUR", "USD") is None
