"""Instruments of ccxt's markets: names that keep products apart, grids that are exact or said not to be."""

from decimal import Decimal
from typing import Any

import ccxt
import pytest

from foxtrot.adapter.ccxt.contracts import FINE, listing, step_of, symbol_of
from foxtrot.adapter.ccxt.venue import Venue
from foxtrot.domain.enums import Product

ROW = Venue(exchange="x", title="X", suffixes={"spot": "X", "swap": "X_PERP"})


def market(symbol: str, kind: str = "spot", **changes: Any) -> dict[str, Any]:
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    found = {
        "id": symbol, "symbol": symbol, "type": kind, "base": base, "quote": quote, "settle": settle or None, "contract": kind != "spot",
        "contractSize": None, "inverse": False, "expiry": None, "precision": {"price": 0.01, "amount": 0.001},
    }  # fmt: skip
    return found | changes


def listed(*markets: dict[str, Any], venue: Venue | None = ROW, mode: int = ccxt.TICK_SIZE) -> Any:
    return listing("exchange", venue, {one["symbol"]: one for one in markets}, mode)


@pytest.mark.parametrize(
    ("unified", "symbol"),
    [
        ("BTC/USDT", "BTCUSDT"),
        ("BTC/USDT:USDT", "BTCUSDT"),
        ("BTC/USDT:USDT-251226", "BTCUSDT-251226"),
        ("kPEPE/USDC:USDC", "KPEPEUSDC"),
    ],
)
def test_symbols_lose_their_signs(unified: str, symbol: str) -> None:
    assert symbol_of(unified) == symbol


def test_the_row_names_the_venue_of_each_product() -> None:
    found = listed(market("BTC/USDT"), market("BTC/USDT:USDT", "swap"), market("BTC/USDT:USDT-251226", "future"))
    assert {name: one.product for name, one in found.instruments.items()} == {
        "BTCUSDT.X": Product.SPOT,
        "BTCUSDT.X_PERP": Product.PERPETUAL,
    }
    assert found.unified["BTCUSDT.X_PERP"] == "BTC/USDT:USDT"
    assert found.skipped == {"product future": ["BTC/USDT:USDT-251226"]}


def test_without_a_row_the_exchange_gives_its_name() -> None:
    found = listed(market("BTC/USDT"), market("BTC/USDT:USDT", "swap", contractSize=0.01), venue=None)
    assert set(found.instruments) == {"BTCUSDT.EXCHANGE", "BTCUSDT.EXCHANGE_SWAP"}
    assert found.instruments["BTCUSDT.EXCHANGE_SWAP"].multiplier == Decimal("0.01")


def test_an_id_of_two_products_is_found_with_the_product_only() -> None:
    found = listed(market("BTC/USDT", id="BTCUSDT"), market("BTC/USDT:USDT", "swap", id="BTCUSDT"))
    assert found.ids["spot", "BTCUSDT"] == "BTCUSDT.X"
    assert found.ids["swap", "BTCUSDT"] == "BTCUSDT.X_PERP"
    assert not found.ids["", "BTCUSDT"]
    assert found.ids["", "BTC/USDT:USDT"] == "BTCUSDT.X_PERP"


def test_what_cannot_be_named_or_counted_is_left_out_with_the_reason() -> None:
    found = listed(
        market("A.B/USDT"),
        market("BTC/USD:BTC", "swap", inverse=True),
        market("BTC/USDT:USDT-251226-100000-C", "option"),
        market("AB/C"),
        market("A/BC"),
    )
    assert list(found.instruments) == ["ABC.X"]
    assert found.skipped == {
        "a name with other signs": ["A.B/USDT"],
        "inverse contract": ["BTC/USD:BTC"],
        "product option": ["BTC/USDT:USDT-251226-100000-C"],
        "another market has its name": ["AB/C"],
    }


@pytest.mark.parametrize(
    ("value", "mode", "step", "exact"),
    [
        (0.01, ccxt.TICK_SIZE, "0.01", True),
        (1e-08, ccxt.TICK_SIZE, "1E-8", True),
        (0.5, ccxt.TICK_SIZE, "0.5", True),
        (10, ccxt.TICK_SIZE, "10", True),
        (2, ccxt.DECIMAL_PLACES, "0.01", True),
        (0, ccxt.DECIMAL_PLACES, "1", True),
        (5, ccxt.SIGNIFICANT_DIGITS, FINE, False),
        (None, ccxt.TICK_SIZE, FINE, False),
    ],
)
def test_precision_becomes_a_step(value: object, mode: int, step: str, exact: bool) -> None:
    found, is_exact = step_of(value, mode)
    assert (Decimal(found), is_exact) == (Decimal(step), exact)


def test_a_grid_that_is_a_guess_is_said_to_be_one() -> None:
    found = listed(market("BTC/USDT"), market("ETH/USDT", precision={"price": None, "amount": 0.1}))
    assert found.inexact == ("ETHUSDT.X",)
    assert found.instruments["ETHUSDT.X"].price_grid.step == Decimal(FINE)


def test_a_row_may_know_the_steps_and_names_better() -> None:
    row = Venue(
        exchange="x",
        title="X",
        suffixes={"spot": "X"},
        price_step=lambda _market: "0.00001",
        raw_id=lambda one: str(one["base"]),
    )
    found = listed(market("BTC/USDT"), venue=row)
    assert found.instruments["BTCUSDT.X"].price_grid.step == Decimal("0.00001")
    assert found.ids["", "BTC"] == "BTCUSDT.X"
