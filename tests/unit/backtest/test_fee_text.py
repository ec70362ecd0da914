"""Fees in words: every figure that is charged can be read."""

from decimal import Decimal

import pytest

from foxtrot.backtest.fee_text import fee_text
from foxtrot.domain.enums import Side
from foxtrot.domain.fees import FeeItem, FeeSchedule, FeeTier, load_preset, preset_names


def item(name: str, rate: str, **terms: object) -> FeeItem:
    tier = FeeTier(Decimal(0), Decimal(rate), Decimal(rate), Decimal(str(terms.pop("minimum", 0))))
    return FeeItem(name=name, tiers=(tier,), **{"unit": "notional", **terms})  # type: ignore[arg-type]


def test_a_percentage_is_told_as_one() -> None:
    assert fee_text(FeeSchedule.percentage("0.0002", "0.0002")) == "0.02 % maker / taker of notional"
    assert fee_text(FeeSchedule.percentage("-0.0001", "0.0005")) == "-0.01 % maker / 0.05 % taker of notional"
    assert fee_text(None) == fee_text(FeeSchedule.zero()) == "none"


def test_a_preset_has_its_name_and_items() -> None:
    text = fee_text(load_preset("binance_spot"))
    assert text.startswith("binance_spot: 0.1 % maker / taker of notional, the first of 10 tiers by 30-day volume")
    assert text.endswith("(not every figure was read from the source)")


def test_bounds_sides_and_shares_are_told() -> None:
    broker = FeeSchedule(
        name="broker",
        items=(
            item("commission", "0.005", unit="quantity", scope="order", minimum=1, maximum_rate=Decimal("0.01")),
            item("tax", "0.001", side=Side.SELL, maximum=Decimal(7)),
            item("levy", "0.2", unit="item", of="tax"),
        ),
    )
    assert fee_text(broker) == (
        "broker: commission 0.005 maker / taker per unit of quantity, at least 1, at most 1 % of notional per order; "
        "tax 0.1 % maker / taker of notional, at most 7, sell only; levy 20 % maker / taker of tax"
    )


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_told(name: str) -> None:
    assert fee_text(load_preset(name)).startswith(f"{name}: ")
