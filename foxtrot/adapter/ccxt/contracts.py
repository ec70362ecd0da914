"""Instruments of what ccxt says of a venue's markets: ids that keep products apart, and grids that are exact or said not to be."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import ccxt
import msgspec
from loguru import logger

from foxtrot.adapter.ccxt.venue import GridText, Venue
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid, Instrument

PRODUCTS: Final = {"spot": Product.SPOT, "swap": Product.PERPETUAL, "future": Product.FUTURE}
"""ccxt's market types that are listed; options are not."""
ENDINGS: Final = {"spot": "", "swap": "_SWAP", "future": "_FUTURE"}
"""What is put behind the venue's name for a product, at a venue without a row."""
FINE: Final = "0.00000001"
"""The counting grid where ccxt gives none: finer than most venues quote."""
NAMED: Final = 5
_SYMBOL: Final = re.compile(r"[A-Z0-9_-]+")


class Listing(msgspec.Struct, frozen=True):
    """What a venue lists, and how it is found.

    `unified` has ccxt's symbol by instrument id, `ids` the instrument id by ccxt's market type and id and, under type "", by an id
    that names one market only; `inexact` has the instruments whose grid is a guess, `skipped` ccxt's symbols that are left out, by why.
    """

    instruments: dict[str, Instrument]
    unified: dict[str, str]
    ids: dict[tuple[str, str], str]
    inexact: tuple[str, ...]
    skipped: dict[str, list[str]]


def suffix_of(exchange: str, venue: Venue | None, kind: str) -> str:
    """Return our venue of a market type: the row's, or else the exchange's name with an ending per product; "" is not listed."""
    if venue is not None:
        return venue.suffixes.get(kind, "")
    return f"{exchange.upper()}{ENDINGS[kind]}" if kind in ENDINGS else ""


def symbol_of(unified: str) -> str:
    """Return our symbol of ccxt's: BTC/USDT and BTC/USDT:USDT are BTCUSDT, BTC/USDT:USDT-251226 is BTCUSDT-251226."""
    pair, _, settled = unified.partition(":")
    _, dash, expiry = settled.partition("-")
    return (pair.replace("/", "") + dash + expiry).upper()


def listing(exchange: str, venue: Venue | None, markets: Mapping[str, Any], precision_mode: int) -> Listing:
    """Return the instruments of ccxt's markets."""
    found = Listing({}, {}, {}, (), {})
    inexact = []
    for market in sorted(markets.values(), key=lambda one: str(one["symbol"])):
        try:
            instrument, exact = _instrument(exchange, venue, market, precision_mode)
            if instrument.instrument_id in found.instruments:
                raise ConfigError("another market has its name")
        except ConfigError as why:
            found.skipped.setdefault(str(why), []).append(str(market["symbol"]))
            continue
        name = instrument.instrument_id
        found.instruments[name], found.unified[name] = instrument, str(market["symbol"])
        _note_id(found.ids, market, name, venue)
        inexact += [] if exact else [name]
    return msgspec.structs.replace(found, inexact=tuple(inexact))


def say_left_out(account: str, found: Listing) -> None:
    """Log what is not listed, and whose grids are guessed."""
    for why, symbols in found.skipped.items():
        logger.bind(account=account).debug("{} markets are not listed ({}): {}", len(symbols), why, _some(symbols))
    if found.inexact:
        logger.bind(account=account).warning(
            "{} instruments have no exact price or size step at ccxt; theirs is {} and may be too coarse: {}",
            len(found.inexact),
            FINE,
            _some(list(found.inexact)),
        )


def say_strangers(account: str, exchange: str, found: Listing, named: frozenset[str]) -> None:
    """Log the symbols of the settings that the venue does not list."""
    strangers = sorted(named - {one.symbol for one in found.instruments.values()})
    if strangers:
        logger.bind(account=account).warning(
            "book_of or no_websocket names {}, which {} does not list", _some(strangers), exchange
        )


def step_of(value: object, precision_mode: int) -> tuple[str, bool]:
    """Return a step as text, and whether it is exact.

    Significant digits make no uniform grid, so that they and what is absent become the FINE grid.
    """
    if value is None or precision_mode == ccxt.SIGNIFICANT_DIGITS:
        return FINE, False
    if precision_mode == ccxt.DECIMAL_PLACES:
        return str(Decimal(1).scaleb(-int(Decimal(str(value))))), True
    return str(Decimal(str(value))), True


def _instrument(
    exchange: str, venue: Venue | None, market: Mapping[str, Any], precision_mode: int
) -> tuple[Instrument, bool]:
    kind, unified = str(market["type"]), str(market["symbol"])
    suffix, symbol = suffix_of(exchange, venue, kind), symbol_of(unified)
    if kind not in PRODUCTS or not suffix:
        raise ConfigError(f"product {kind}")
    if market.get("inverse"):
        raise ConfigError("inverse contract")
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError("a name with other signs")
    price, price_is_exact = _step(market, "price", venue.price_step if venue else None, precision_mode)
    size, size_is_exact = _step(market, "amount", venue.size_step if venue else None, precision_mode)
    instrument = Instrument(
        instrument_id=f"{symbol}.{suffix}",
        symbol=symbol,
        venue=suffix,
        product=PRODUCTS[kind],
        base_asset=str(market["base"]),
        quote_asset=str(market["quote"]),
        settle_asset=str(market.get("settle") or market["quote"]),
        price_grid=Grid.of(price),
        quantity_grid=Grid.of(size),
        multiplier=Decimal(str(market.get("contractSize") or 1)) if market.get("contract") else Decimal(1),
        expiry_ns=int(market.get("expiry") or 0) * 1_000_000,
        name=unified,
    )
    return instrument, price_is_exact and size_is_exact


def _step(market: Mapping[str, Any], what: str, own: GridText | None, precision_mode: int) -> tuple[str, bool]:
    if own is not None:
        return own(market), True
    return step_of(market["precision"].get(what), precision_mode)


def _note_id(
    ids: dict[tuple[str, str], str], market: Mapping[str, Any], instrument_id: str, venue: Venue | None
) -> None:
    kind, raw = str(market["type"]), venue.raw_id if venue is not None else None
    own = str(market["id"]) if raw is None else raw(market)
    for market_id in {own, str(market["symbol"])}:
        ids[kind, market_id] = instrument_id
        ids["", market_id] = "" if ("", market_id) in ids else instrument_id  # of two products it names neither


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
