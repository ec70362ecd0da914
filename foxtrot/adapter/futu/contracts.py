"""Instruments from Futu's static information: whose lots come from there, whose price steps from the market's own tables."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.futu.codec import MARKETS, TRADED_IN, MarketFacts
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid, Instrument, PriceBand
from foxtrot.domain.price_steps import (
    CN_PRICE_GRID,
    HK_PRICE_GRID,
    US_PRICE_GRID,
    cn_price_bands,
    hk_price_bands,
    us_price_bands,
)

STOCK, ETF = "STOCK", "ETF"
SECURITY_TYPES: Final = {"HK": (STOCK,), "US": (STOCK, ETF), "SH": (STOCK,), "SZ": (STOCK,)}
"""What is listed of a market. Hong Kong's funds have price steps of their own, Part B and D of its rules, which are not known here."""
_NUMBERS: Final = {STOCK: 3, ETF: 4}
"""Source: Qot_Common.proto, SecurityType; futu-api 10.11.7108, constant.SecurityType."""
VENUES: Final = {1: "SEHK", 2: "SEHK", 3: "SEHK", 4: "NYSE", 5: "NASDAQ", 6: "OTC", 7: "AMEX", 13: "CBOE"}
"""Source: Qot_Common.proto, ExchType."""
VENUE_UNSAID: Final = {"HK": "SEHK", "US": "NASDAQ", "SH": "SSE", "SZ": "SZSE"}
"""Where a security is listed when Futu does not say."""
MAINLAND: Final = {"SSE": "SH", "SZSE": "SZ"}
"""The prefix by venue, for two markets of one currency."""
GRIDS: Final = {"HK": HK_PRICE_GRID, "US": US_PRICE_GRID, "CN": CN_PRICE_GRID}
WHOLE: Final = Grid.of(1)


RENMINBI: Final = re.compile("8[0-9]{4}")
"""Codes of Hong Kong's counters in renminbi.

Source: HKEX, Stock Code Allocation Plan: 80000 to 89999.
"""


def instruments_of(prefix: str, rows: Iterable[Any], day: date) -> tuple[Instrument, ...]:
    """Return the instruments of a market's static information; what is delisted or cannot be traded here is left out.

    Source: Qot_GetStaticInfo.proto, SecurityStaticBasic; Futu OpenAPI, Get Static Information.

    Args:
        prefix: the market's, as in codes.
        rows: of the answer's staticInfoList.
        day: on which the price steps hold, in the market's zone.
    """
    market, bands = MARKETS[prefix], bands_of(prefix, day)
    kinds = {_NUMBERS[kind] for kind in SECURITY_TYPES[prefix]}
    found: dict[str, Instrument] = {}
    left_out = 0
    for row in rows:
        basic = row.basic
        if basic.security.market != market.qot_market or basic.delisting or basic.secType not in kinds:
            left_out += 1
            continue
        if prefix == "HK" and RENMINBI.fullmatch(basic.security.code):
            left_out += 1  # its money is not the market's, and the static information does not say so
            continue
        try:
            instrument = _instrument(basic, market, bands)
        except ConfigError as error:
            logger.warning("{} of Futu is left out: {}", basic.security.code, error)
            continue
        found[instrument.instrument_id] = instrument
    if left_out:
        logger.debug("{} securities of {} are delisted or of another kind and left out", left_out, prefix)
    return tuple(found.values())


def bands_of(prefix: str, day: date) -> tuple[PriceBand, ...]:
    """Return a market's legal price steps on a day.

    Source: the market's own rules, see domain/price_steps.py; Futu's static information has none.
    """
    if prefix == "HK":
        return hk_price_bands(day)
    return us_price_bands() if prefix == "US" else cn_price_bands()


def code_of_instrument(instrument: Instrument) -> str:
    """Return Futu's code of an instrument, such as HK.00700.

    Raises:
        ConfigError: its money is of no market that Futu has here.
    """
    if instrument.venue in MAINLAND:
        return f"{MAINLAND[instrument.venue]}.{instrument.symbol}"
    for market in MARKETS.values():
        if market.currency == instrument.quote_asset:
            return f"{market.prefix}.{instrument.symbol}"
    raise ConfigError(f"{instrument.instrument_id} is of no market of Futu's; there are {', '.join(MARKETS)}")


def _instrument(basic: Any, market: MarketFacts, bands: tuple[PriceBand, ...]) -> Instrument:
    code = basic.security.code
    unsaid = VENUE_UNSAID[market.prefix]
    venue = unsaid if unsaid in MAINLAND else VENUES.get(basic.exchType, unsaid)
    return Instrument(
        instrument_id=f"{code}.{venue}",
        symbol=code,
        venue=venue,
        product=Product.STOCK,
        base_asset=code,
        quote_asset=market.currency,
        settle_asset=market.currency,
        price_grid=GRIDS[TRADED_IN[market.prefix]],
        quantity_grid=WHOLE,
        price_bands=bands,
        lot_units=basic.lotSize,
        min_quantity_units=basic.lotSize,
        calendar=market.calendar,
        name=basic.name,
    )
