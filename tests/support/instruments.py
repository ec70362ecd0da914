"""Instruments for tests, with defaults, so that a test shows only what matters to it."""

from decimal import Decimal

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument


def a_spot(**changes: object) -> Instrument:
    """Return BTCUSDT spot: prices in 0.01, quantities in 0.001."""
    facts: dict[str, object] = {
        "instrument_id": "BTCUSDT.TEST",
        "symbol": "BTCUSDT",
        "venue": "TEST",
        "product": Product.SPOT,
        "base_asset": "BTC",
        "quote_asset": "USDT",
        "settle_asset": "USDT",
        "price_grid": Grid.of("0.01"),
        "quantity_grid": Grid.of("0.001"),
    }
    return Instrument(**(facts | changes))  # type: ignore[arg-type]


def a_perpetual(**changes: object) -> Instrument:
    """Return BTCUSDT perpetual: ten times leverage, maintenance 5 %, funding every eight hours."""
    facts: dict[str, object] = {
        "instrument_id": "BTCUSDT.PERP",
        "product": Product.PERPETUAL,
        "initial_margin_rate": Decimal("0.1"),
        "maintenance_margin_rate": Decimal("0.05"),
        "funding_interval_s": 28_800,
    }
    return a_spot(**(facts | changes))


def a_future(**changes: object) -> Instrument:
    """Return a dated contract with a multiplier of 50, prices in 0.25, whole contracts."""
    facts: dict[str, object] = {
        "instrument_id": "ESZ6.TEST",
        "symbol": "ESZ6",
        "product": Product.FUTURE,
        "base_asset": "ES",
        "quote_asset": "USD",
        "settle_asset": "USD",
        "price_grid": Grid.of("0.25"),
        "quantity_grid": Grid.of("1"),
        "multiplier": Decimal(50),
        "initial_margin_rate": Decimal("0.1"),
        "maintenance_margin_rate": Decimal("0.05"),
        "expiry_ns": 1_000_000_000_000,
    }
    return a_spot(**(facts | changes))


def a_stock(**changes: object) -> Instrument:
    """Return AAPL: prices in cents, whole shares."""
    facts: dict[str, object] = {
        "instrument_id": "AAPL.TEST",
        "symbol": "AAPL",
        "product": Product.STOCK,
        "base_asset": "AAPL",
        "quote_asset": "USD",
        "settle_asset": "USD",
        "quantity_grid": Grid.of("1"),
        "calendar": "XNYS",
    }
    return a_spot(**(facts | changes))
