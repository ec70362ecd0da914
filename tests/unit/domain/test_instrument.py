"""Instruments: legal steps by price band, lots, exact notional; and the table that finds them by name."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, OffGrid, OrderRefused
from foxtrot.domain.instrument import Grid, Instrument, InstrumentTable, PriceBand

HONG_KONG = {
    "0": "0.001",
    "0.25": "0.005",
    "0.50": "0.010",
    "10": "0.020",
    "20": "0.050",
    "100": "0.100",
    "200": "0.200",
    "500": "0.500",
    "1000": "1.000",
    "2000": "2.000",
    "5000": "5.000",
}


def instrument(instrument_id="BTCUSDT.BINANCE", step="0.01", lot_step="0.00001", **fields):
    symbol, venue = instrument_id.rsplit(".", 1)
    return Instrument(
        instrument_id=instrument_id,
        symbol=symbol,
        venue=venue,
        product=fields.pop("product", Product.SPOT),
        base_asset="BTC",
        quote_asset="USDT",
        settle_asset="USDT",
        price_grid=Grid.of(step),
        quantity_grid=Grid.of(lot_step),
        **fields,
    )


def tencent():
    thousandths = Grid.of("0.001")
    bands = tuple(PriceBand(thousandths.from_decimal(a), thousandths.from_decimal(b)) for a, b in HONG_KONG.items())
    return instrument("00700.SEHK", "0.001", "1", price_bands=bands, lot_units=100, product=Product.STOCK)


@pytest.mark.parametrize(("start", "step"), HONG_KONG.items())
def test_a_hong_kong_band_begins_with_its_own_step(start, step):
    stock = tencent()
    units = stock.price_grid.from_decimal(start)
    step_units = stock.price_grid.from_decimal(step)
    assert stock.step_units(units) == step_units
    assert stock.price_units(float(start) + float(step)) == units + step_units
    if units:
        assert stock.step_units(units - 1) < step_units
        assert stock.price_units(float(start)) == units


@pytest.mark.parametrize(
    ("price", "below", "above"),
    [
        ("0.2505", "0.250", "0.255"),
        ("0.2495", "0.249", "0.250"),
        ("9.995", "9.990", "10.000"),
        ("10.01", "10.000", "10.020"),
        ("19.99", "19.980", "20.000"),
        ("420.1", "420.000", "420.200"),
        (420.1, "420.000", "420.200"),
        ("4999", "4998.000", "5000.000"),
        ("5001", "5000.000", "5005.000"),
    ],
)
def test_a_price_off_its_band_is_refused_with_the_nearest_legal_ones(price, below, above):
    with pytest.raises(OffGrid, match=f"price {price} is off the grid") as refusal:
        tencent().price_units(price)
    assert (refusal.value.below, refusal.value.above) == (below, above)
    assert refusal.value.rule == "price_grid"


@pytest.mark.parametrize(
    ("rounding", "price", "expected"),
    [
        ("nearest", "420.11", "420.200"),
        ("nearest", "420.10", "420.000"),
        ("down", "420.19", "420.000"),
        ("up", "420.01", "420.200"),
        ("up", "199.95", "200.000"),
        ("to_zero", "420.19", "420.000"),
        ("up", "420.2", "420.200"),
    ],
)
def test_rounding_a_price_lands_on_a_legal_one(rounding, price, expected):
    stock = tencent()
    units = stock.round_price_units(price, rounding)
    assert stock.price_grid.to_text(units) == expected
    assert stock.price_units(expected) == units


def test_negative_prices_have_steps_too():
    oil = instrument("CLK0.NYMEX", "0.01", "1", product=Product.FUTURE)
    assert oil.price_units(-37.63) == -3763
    assert oil.price(-3763) == -37.63
    with pytest.raises(OffGrid) as refusal:
        oil.price_units("-37.635")
    assert (refusal.value.below, refusal.value.above) == ("-37.64", "-37.63")
    assert oil.round_price_units("-37.639", "to_zero") == -3763
    assert oil.round_price_units("-37.639", "down") == -3764


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "nan", "Infinity", "abc", ""])
def test_a_price_or_quantity_that_is_no_number_is_refused(value):
    with pytest.raises(OffGrid, match=r"price .* nearest legal: a finite number"):
        tencent().price_units(value)
    with pytest.raises(OffGrid, match=r"quantity .* nearest legal: a finite number"):
        tencent().quantity_units(value)
    with pytest.raises(OffGrid):
        tencent().round_price_units(value)


def test_a_quantity_must_be_whole_lots():
    stock = tencent()
    assert stock.quantity_units(300) == 300
    assert stock.quantity_units(300.0) == 300
    with pytest.raises(OffGrid) as refusal:
        stock.quantity_units(250)
    assert (refusal.value.below, refusal.value.above, refusal.value.rule) == ("200", "300", "quantity_grid")
    assert stock.round_quantity_units(299.9) == 200
    assert stock.round_quantity_units(299.9, "nearest") == 300
    assert stock.round_quantity_units(-299.9) == -200


def test_an_unknown_rounding_is_refused():
    with pytest.raises(ConfigError, match="'nearst' must be one of"):
        tencent().round_price_units(420, "nearst")
    with pytest.raises(ConfigError, match="'floor' must be one of"):
        Grid.of("0.01").round(1, "floor")


def test_notional_is_exact_however_large():
    coin = instrument(multiplier=Decimal("0.001"))
    units = 2**53 - 1
    assert coin.notional(units, units) == Decimal(f"{units * units}e-10")
    assert instrument(step="0.25", lot_step="1", multiplier=Decimal(50)).notional(4 * 5000 + 1, 3) == Decimal(
        "750037.5"
    )


@pytest.mark.parametrize("step", ["0", "-0.01", "nan", "inf", "abc", "", "1e-40", "1e40"])
def test_a_step_that_makes_no_grid_is_refused(step):
    with pytest.raises(ConfigError, match="must be a positive decimal"):
        Grid.of(step)


@pytest.mark.parametrize(
    ("step", "numerator", "denominator"),
    [("0.25", 25, 100), ("1e-8", 1, 10**8), ("5", 5, 1), ("1E+2", 100, 1), (0.1, 1, 10)],
)
def test_a_grid_knows_its_step(step, numerator, denominator):
    grid = Grid.of(step)
    assert (grid.numerator, grid.denominator) == (numerator, denominator)
    assert grid.step == Decimal(str(step))


@pytest.mark.parametrize(
    "fields",
    [
        {"lot_units": 0},
        {"multiplier": Decimal(0)},
        {"price_bands": ()},
        {"price_bands": (PriceBand(0, 0),)},
        {"price_bands": (PriceBand(0, 1), PriceBand(0, 5))},
        {"price_bands": (PriceBand(0, 2), PriceBand(251, 1))},
        {"price_bands": (PriceBand(0, 1), PriceBand(251, 5))},
    ],
)
def test_an_instrument_on_which_no_order_could_be_placed_is_refused(fields):
    with pytest.raises(ConfigError, match=r"BTCUSDT\.BINANCE"):
        instrument(**fields)


def test_a_name_is_resolved_by_id_or_by_a_symbol_that_fits_one():
    spot, perpetual, stock = instrument(), instrument("BTCUSDT.BINANCE_USDM"), tencent()
    table = InstrumentTable((spot, perpetual, stock))
    assert table.resolve("BTCUSDT.BINANCE_USDM") is perpetual
    assert table.resolve("00700") is stock
    assert (len(table), table.all(), "00700.SEHK" in table) == (3, (spot, perpetual, stock), True)
    assert table.get("00700") is None


def test_a_symbol_that_fits_several_is_refused_with_the_candidates():
    table = InstrumentTable((instrument("BTCUSDT.BINANCE_USDM"), instrument()))
    with pytest.raises(
        OrderRefused, match=r"BTCUSDT fits several instruments: BTCUSDT\.BINANCE, BTCUSDT\.BINANCE_USDM"
    ):
        table.resolve("BTCUSDT")


def test_an_unknown_name_is_refused():
    with pytest.raises(OrderRefused, match="DOGE is not known"):
        InstrumentTable().resolve("DOGE")


def test_adding_an_instrument_again_replaces_it_without_making_it_ambiguous():
    table = InstrumentTable((instrument(),))
    table.add(instrument(lot_units=10))
    assert table.resolve("BTCUSDT").lot_units == 10
    with pytest.raises(ConfigError, match="fixed for life"):
        table.add(instrument(step="0.1"))
