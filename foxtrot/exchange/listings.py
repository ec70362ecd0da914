"""Instruments that the embedded venue lists when nothing else is said, as the venues they are named after would.

Source: Binance exchangeInfo (filters of BTCUSDT and ETHUSDT, spot and USD-M), rounded figures;
the price steps of shares are the newest of `domain.price_steps`. Made for trading without a network, not for live orders.
"""

from decimal import Decimal
from typing import NamedTuple

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid, Instrument, PriceBand
from foxtrot.domain.price_steps import (
    CN_PRICE_GRID,
    HK_PRICE_GRID,
    HK_SPREADS,
    US_PRICE_GRID,
    cn_price_bands,
    hk_price_bands,
    us_price_bands,
)


def _spot(symbol: str, base: str, lot: str) -> Instrument:
    """Return a pair whose book counts in 1e-8 (recorded sizes are finer than the lot) and whose orders are whole lots."""
    lot_units = int(Decimal(lot) * 10**8)
    return Instrument(
        instrument_id=f"{symbol}.BINANCE", symbol=symbol, venue="BINANCE", product=Product.SPOT, base_asset=base,
        quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.00000001"),
        lot_units=lot_units, min_quantity_units=lot_units, max_quantity_units=9_000 * 10**8, min_notional=Decimal(5),
        max_notional=Decimal(9_000_000), max_open_orders=200,
    )  # fmt: skip


def spot_pair(base: str, price_step: str, lot: str) -> Instrument:
    """Return another pair against USDT, with steps of its own."""
    units = int(Decimal(lot) * 10**8)
    return msgspec.structs.replace(
        _spot(f"{base}USDT", base, lot), price_grid=Grid.of(price_step), max_quantity_units=units * 9_000_000
    )


def _perpetual(symbol: str, base: str, price_step: str, step: str) -> Instrument:
    return Instrument(
        instrument_id=f"{symbol}.BINANCE_USDM", symbol=symbol, venue="BINANCE_USDM", product=Product.PERPETUAL,
        base_asset=base, quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of(price_step),
        quantity_grid=Grid.of(step), min_quantity_units=1, max_quantity_units=1_000 * 10**3, min_notional=Decimal(5),
        max_open_orders=200, initial_margin_rate=Decimal("0.05"), maintenance_margin_rate=Decimal("0.025"),
        funding_interval_s=8 * 3600,
    )  # fmt: skip


class _StockMarket(NamedTuple):
    """What the shares of one venue have in common."""

    venue: str
    currency: str
    calendar: str
    grid: Grid
    bands: tuple[PriceBand, ...]


def _stock(symbol: str, market: _StockMarket, lot: int, name: str = "") -> Instrument:
    return Instrument(
        instrument_id=f"{symbol}.{market.venue}", symbol=symbol, venue=market.venue, product=Product.STOCK,
        base_asset=symbol, quote_asset=market.currency, settle_asset=market.currency, price_grid=market.grid,
        quantity_grid=Grid.of(1), price_bands=market.bands, lot_units=lot, min_quantity_units=lot,
        calendar=market.calendar, name=name,
    )  # fmt: skip


_HONG_KONG = _StockMarket("SEHK", "HKD", "XHKG", HK_PRICE_GRID, hk_price_bands(HK_SPREADS[-1].holds_from))
_NASDAQ = _StockMarket("NASDAQ", "USD", "XNYS", US_PRICE_GRID, us_price_bands())
_SHANGHAI = _StockMarket("SSE", "CNH", "XSHG", CN_PRICE_GRID, cn_price_bands())
_SHENZHEN = _StockMarket("SZSE", "CNH", "XSHG", CN_PRICE_GRID, cn_price_bands())
_STOCK_MARKETS = (_HONG_KONG, _NASDAQ, _SHANGHAI, _SHENZHEN)


def stock(symbol: str, venue: str, lot: int, name: str = "") -> Instrument:
    """Return a share as a venue that trades it lists it, with the newest price steps.

    Raises:
        ConfigError: shares of that venue are not known.
    """
    for market in _STOCK_MARKETS:
        if market.venue == venue:
            return _stock(symbol, market, lot, name)
    raise ConfigError(f"venue {venue!r} has no shares; there are {', '.join(one.venue for one in _STOCK_MARKETS)}")


def currency_pair(base: str, quote: str) -> Instrument:
    """Return two currencies as a market of banks lists them: steps of half a pip, and any amount."""
    return Instrument(
        instrument_id=f"{base}{quote}.IDEALPRO", symbol=f"{base}{quote}", venue="IDEALPRO", product=Product.FOREX,
        base_asset=base, quote_asset=quote, settle_asset=quote, price_grid=Grid.of("0.00005"), quantity_grid=Grid.of(1),
        min_quantity_units=1, calendar="FX", name=f"{base}.{quote}",
    )  # fmt: skip


def default_listings() -> tuple[Instrument, ...]:
    """Return BTCUSDT and ETHUSDT, spot and USD-M, 00700.SEHK and AAPL.NASDAQ; none of them ever expires."""
    return (
        _spot("BTCUSDT", "BTC", "0.00001"),
        _spot("ETHUSDT", "ETH", "0.0001"),
        _perpetual("BTCUSDT", "BTC", "0.1", "0.001"),
        _perpetual("ETHUSDT", "ETH", "0.01", "0.001"),
        _stock("00700", _HONG_KONG, 100),
        _stock("AAPL", _NASDAQ, 1),
    )


REFERENCE_PRICES: dict[str, Decimal] = {
    "BTCUSDT.BINANCE": Decimal("60000.00"),
    "ETHUSDT.BINANCE": Decimal("2500.00"),
    "BTCUSDT.BINANCE_USDM": Decimal("60000.0"),
    "ETHUSDT.BINANCE_USDM": Decimal("2500.00"),
    "00700.SEHK": Decimal("400.0"),
    "AAPL.NASDAQ": Decimal("200.00"),
    "EURUSD.IDEALPRO": Decimal("1.10000"),
}
"""Where a living market of a default listing begins."""


def listing(instrument_id: str) -> Instrument:
    """Return one default listing.

    Raises:
        ConfigError: there is none of that id; those there are get named.
    """
    for instrument in default_listings():
        if instrument.instrument_id == instrument_id:
            return instrument
    names = ", ".join(instrument.instrument_id for instrument in default_listings())
    raise ConfigError(f"the embedded venue lists no {instrument_id}; it has: {names}")
