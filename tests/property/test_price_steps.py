"""Price steps of Hong Kong and the United States: what is legal, at every band's edge and between, by the day's table."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, OffGrid
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.price_steps import (
    CN_LOT,
    CN_PRICE_GRID,
    HK_PRICE_GRID,
    HK_SPREADS,
    US_PRICE_GRID,
    cn_price_bands,
    hk_announced_bands,
    hk_price_bands,
    us_price_bands,
)
from foxtrot.exchange.listings import listing

PHASE_ONE = date(2025, 8, 4)
BEFORE = PHASE_ONE - timedelta(days=1)


def stock(venue, grid, bands):
    return Instrument(
        instrument_id=f"X.{venue}", symbol="X", venue=venue, product=Product.STOCK, base_asset="X", quote_asset="HKD",
        settle_asset="HKD", price_grid=grid, quantity_grid=Grid.of(1), price_bands=bands,
    )  # fmt: skip


STOCKS = {
    "hk 2006": stock("SEHK", HK_PRICE_GRID, hk_price_bands(BEFORE)),
    "hk 2025": stock("SEHK", HK_PRICE_GRID, hk_price_bands(PHASE_ONE)),
    "hk announced": stock("SEHK", HK_PRICE_GRID, hk_announced_bands()),
    "us": stock("NASDAQ", US_PRICE_GRID, us_price_bands()),
    "cn": stock("SSE", CN_PRICE_GRID, cn_price_bands()),
}
some_stock = st.sampled_from(list(STOCKS.values()))
prices = st.decimals(Decimal("0.0001"), Decimal(10_000), places=5, allow_nan=False)


@pytest.mark.parametrize(
    ("which", "price", "step"),
    [
        ("hk 2006", "0.249", "0.001"), ("hk 2006", "0.25", "0.005"), ("hk 2006", "0.5", "0.01"),
        ("hk 2006", "9.99", "0.01"), ("hk 2006", "10", "0.02"), ("hk 2006", "20", "0.05"), ("hk 2006", "49.95", "0.05"),
        ("hk 2025", "9.99", "0.01"), ("hk 2025", "10", "0.01"), ("hk 2025", "19.99", "0.01"), ("hk 2025", "20", "0.02"),
        ("hk 2025", "49.98", "0.02"), ("hk 2025", "50", "0.05"), ("hk 2025", "100", "0.1"), ("hk 2025", "200", "0.2"),
        ("hk 2025", "400", "0.2"), ("hk 2025", "500", "0.5"), ("hk 2025", "1000", "1"), ("hk 2025", "2000", "2"),
        ("hk 2025", "5000", "5"), ("hk 2025", "9995", "5"),
        ("hk announced", "0.495", "0.005"), ("hk announced", "0.5", "0.005"), ("hk announced", "9.995", "0.005"),
        ("hk announced", "10", "0.01"), ("us", "0.9999", "0.0001"), ("us", "1", "0.01"), ("us", "200", "0.01"),
        ("cn", "0.01", "0.01"), ("cn", "1700", "0.01"),
    ],
)  # fmt: skip
def test_the_published_step_at_a_price(which, price, step):
    instrument = STOCKS[which]
    assert instrument.price_grid.to_decimal(instrument.step_units(instrument.price_units(price))) == Decimal(step)


@pytest.mark.parametrize("instrument", STOCKS.values(), ids=STOCKS)
def test_the_edge_of_a_band_is_legal_and_so_are_its_neighbours_by_the_step_of_their_side(instrument):
    for lower, upper in pairwise(instrument.price_bands):
        edge = upper.from_units
        for units in (edge - lower.step_units, edge, edge + upper.step_units):
            assert instrument.price_units(instrument.price(units)) == units
        between = instrument.price_grid.to_decimal(edge) - instrument.price_grid.step / 2
        assert instrument.round_price_units(between, "up") == edge
        assert instrument.round_price_units(between, "down") == edge - lower.step_units


@given(some_stock, prices)
def test_a_price_is_a_multiple_of_its_step_or_refused_with_the_legal_ones_beside_it(instrument, price):
    below, above = instrument.round_price_units(price, "down"), instrument.round_price_units(price, "up")
    assert below % instrument.step_units(below) == above % instrument.step_units(above) == 0
    if below == above:
        assert instrument.price_units(price) == below
        return
    assert above - below == instrument.step_units(below)
    with pytest.raises(OffGrid) as refusal:
        instrument.price_units(price)
    named = (Decimal(refusal.value.below), Decimal(refusal.value.above))
    assert named == (instrument.price_grid.to_decimal(below), instrument.price_grid.to_decimal(above))
    assert named[0] < price < named[1]


@given(some_stock, st.integers(0, 100_000_000))
def test_every_multiple_of_the_step_is_a_legal_price(instrument, units):
    legal = units - units % instrument.step_units(units)
    assert instrument.price_units(instrument.price(legal)) == legal
    assert instrument.price_units(instrument.price_grid.to_text(legal)) == legal


@given(st.dates(date(2006, 7, 24), date(2040, 1, 1)), prices)
def test_the_day_decides_which_table_holds(day, price):
    instrument = STOCKS["hk 2006" if day < PHASE_ONE else "hk 2025"]
    assert hk_price_bands(day) == instrument.price_bands


@given(prices)
def test_every_reduction_keeps_what_was_legal_before_it(price):
    for before, after in pairwise(("hk 2006", "hk 2025", "hk announced")):
        units = STOCKS[before].round_price_units(price)
        assert units % STOCKS[after].step_units(units) == 0


def test_a_day_before_the_first_table_is_refused_by_name():
    with pytest.raises(ConfigError, match="known from 2006-07-24 on, not for 2006-07-23"):
        hk_price_bands(date(2006, 7, 23))


def test_the_listed_shares_trade_by_these_tables():
    tencent, apple = listing("00700.SEHK"), listing("AAPL.NASDAQ")
    assert (tencent.price_grid, tencent.price_bands) == (HK_PRICE_GRID, hk_price_bands(HK_SPREADS[-1].holds_from))
    assert (apple.price_grid, apple.price_bands) == (US_PRICE_GRID, us_price_bands())
    assert apple.price_units("0.9999") == 9_999
    with pytest.raises(OffGrid, match=r"200\.005"):
        apple.price_units("200.005")


def test_mainland_shares_are_counted_in_lots_of_a_hundred():
    share = msgspec.structs.replace(STOCKS["cn"], lot_units=CN_LOT, min_quantity_units=CN_LOT)
    assert share.quantity_units(200) == 200
    with pytest.raises(OffGrid, match="150"):
        share.quantity_units(150)
