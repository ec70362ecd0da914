"""Numbers are written as Binance writes them, and read strictly."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.exchange.listings import listing
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.numbers import (
    average_text,
    decimal_text,
    notional_text,
    parse_units,
    price_text,
    quantity_text,
)

SPOT, USDM = listing("BTCUSDT.BINANCE"), listing("BTCUSDT.BINANCE_USDM")


def test_spot_has_eight_decimals_and_usdm_those_of_the_grid() -> None:
    assert (price_text(SPOT, 6_000_001), quantity_text(SPOT, 1_000)) == ("60000.01000000", "0.00001000")
    assert (price_text(USDM, 600_001), quantity_text(USDM, 5)) == ("60000.1", "0.005")
    assert (quantity_text(SPOT, 0), quantity_text(USDM, 0), price_text(SPOT, -50)) == (
        "0.00000000",
        "0.000",
        "-0.50000000",
    )
    assert (notional_text(SPOT, 6_000_001 * 1_000), notional_text(USDM, 600_001 * 5)) == ("0.60000010", "300.0005")
    assert (average_text(SPOT, 7, 2), average_text(USDM, 7, 2), average_text(USDM, 0, 0)) == (
        "0.03500000",
        "0.35000",
        "0.00000",
    )
    assert (decimal_text(Decimal("0.000000005")), decimal_text(Decimal(1), 2)) == ("0.00000000", "1.00")


@settings(max_examples=40)
@given(st.integers(0, 10**15))
def test_what_is_written_is_read_back(units: int) -> None:
    for instrument in (SPOT, USDM):
        assert parse_units(instrument.price_grid, price_text(instrument, units)) == units
        assert parse_units(instrument.quantity_grid, quantity_text(instrument, units)) == units


@pytest.mark.parametrize(
    ("text", "code"), [("", -1100), ("x", -1100), ("NaN", -1100), ("1e", -1100), ("1 ", -1100), ("0.001", -1111)]
)
def test_what_is_no_number_or_off_the_grid_is_refused(text: str, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        parse_units(SPOT.price_grid, text)
    assert refused.value.code == code


@settings(max_examples=40)
@given(st.text(max_size=12))
def test_nothing_but_an_api_error_ever_comes_of_any_text(text: str) -> None:
    try:
        assert isinstance(parse_units(SPOT.price_grid, text), int)
    except ApiError as error:
        if error.code not in (-1100, -1111):
            raise


def test_huge_exponents_are_refused() -> None:
    for text in ("1e999999", "1e-999999", "9" * 500):
        with pytest.raises(ApiError):
            parse_units(SPOT.price_grid, text)
