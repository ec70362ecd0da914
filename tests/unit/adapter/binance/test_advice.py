"""What is advised about a refusal: figures that would be accepted, and nothing where Binance's words say it all."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.advice import advice, advised, least_quantity, unlisted
from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder
from tests.support.binance_rig import perpetual_like, spot_like

SPOT, USDM = spot_like("BTCUSDT", "BTC"), perpetual_like("BTCUSDT", "BTC")


def order(price_units: int = 10_000) -> ApprovedOrder:
    kind = OrderType.LIMIT if price_units else OrderType.MARKET
    return ApprovedOrder(
        "t-1", "tester", "ours", SPOT.instrument_id, Side.BUY, kind, 100_000, price_units, 0, TimeInForce.GTC, False, False,
        PositionSide.NET, 0, 0, 0, 0, False,
    )  # fmt: skip


@given(
    price_units=st.integers(1, 10_000_000),
    least=st.decimals("0.01", "1000", places=2),
    instrument=st.sampled_from([SPOT, USDM]),
)
def test_the_advised_quantity_is_legal_and_the_least_that_is_worth_enough(
    price_units: int, least: Decimal, instrument: Instrument
) -> None:
    changed = msgspec.structs.replace(instrument, min_notional=least)
    quantity = least_quantity(changed, price_units)
    units = changed.quantity_grid.from_decimal(quantity)
    price = Decimal(changed.price_grid.to_text(price_units))
    lot = Decimal(changed.quantity_grid.to_text(changed.lot_units))
    assert units % changed.lot_units == 0
    assert units >= changed.min_quantity_units
    assert Decimal(quantity) * price >= least
    assert units == changed.min_quantity_units or (Decimal(quantity) - lot) * price < least


@pytest.mark.parametrize(
    ("code", "text", "instrument", "words"),
    [
        ("-1013", "Filter failure: NOTIONAL", SPOT, "worth at least 5 USDT: raise the quantity to at least 0.05"),
        ("-1013", "Filter failure: MIN_NOTIONAL", SPOT, "raise the quantity to at least 0.05"),
        ("-4164", "Order's notional must be no smaller than 5", USDM, "raise the quantity to at least 0.05"),
        ("-1013", "Filter failure: LOT_SIZE", SPOT, "in steps of 0.001, from 0.01 to 9000: round it"),
        ("-1013", "Filter failure: MARKET_LOT_SIZE", SPOT, "in steps of 0.001"),
        ("-1013", "Filter failure: PERCENT_PRICE", SPOT, "too far from the market"),
        ("-1013", "Filter failure: MAX_NUM_ORDERS", SPOT, "cancel some first"),
        ("-2010", "Account has insufficient balance for requested action.", SPOT, "does not cover it"),
        ("-2010", "Stop price would trigger immediately.", SPOT, "behind the market already"),
        ("-2022", "ReduceOnly Order is rejected.", USDM, "no position that it would reduce"),
    ],
)
def test_codes_and_words_find_their_advice(code: str, text: str, instrument: Instrument, words: str) -> None:
    assert words in advice(code, text, order(), instrument)


def test_a_market_order_has_no_figure_and_an_unknown_refusal_no_advice() -> None:
    assert advice("-1013", "Filter failure: NOTIONAL", order(0), SPOT).endswith("5 USDT: raise the quantity")
    assert advised("-9999", "Something new.", order(), SPOT) == "Something new."
    assert advised("-1013", "Filter failure: NOTIONAL [said before]", order(), SPOT).endswith("NOTIONAL [said before]")


def test_an_unlisted_instrument_comes_with_the_nearest_one_or_the_endings() -> None:
    listed = ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]
    assert "did you mean BTCUSDT.BINANCE?" in unlisted("BTCUSTD.BINANCE", listed)
    assert ".BINANCE_USDM is USD-M" in unlisted("X.Y", listed)
