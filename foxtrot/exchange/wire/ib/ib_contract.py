"""An instrument of the venue as IB lists it: its contract."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument

SMART: Final = "SMART"
STK, FUT, CASH, OPT = "STK", "FUT", "CASH", "OPT"
"""Kinds of contracts that are listed."""
_BITS: Final = 0x7FFF_FFFF
_NEW_YORK: Final = "US/Eastern"


class _Place(msgspec.Struct, frozen=True):
    """What the contracts of one venue have in common."""

    sec_type: str
    exchange: str
    """Where orders are routed unless the client says otherwise."""
    primary: str
    zone: str
    zone_text: str


_PLACES: Final[dict[str, _Place]] = {
    **{name: _Place(STK, SMART, name, "America/New_York", _NEW_YORK) for name in ("NASDAQ", "NYSE", "ARCA", "AMEX", "BATS")},
    "SEHK": _Place(STK, "SEHK", "SEHK", "Asia/Hong_Kong", "Hongkong"),
    "CME": _Place(FUT, "CME", "CME", "America/Chicago", "US/Central"),
    "IDEALPRO": _Place(CASH, "IDEALPRO", "", "America/New_York", _NEW_YORK),
    "OPRA": _Place(OPT, SMART, "", "America/New_York", _NEW_YORK),
}  # fmt: skip
VENUES: Final = tuple(_PLACES)
"""Venue parts of the instrument ids that IB's clients see."""


class IbContract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract: the instrument behind it, and what IB's messages say of it. Texts are "" where IB says nothing."""

    con_id: int
    instrument: Instrument
    sec_type: str
    symbol: str
    local_symbol: str
    trading_class: str
    exchange: str
    """SMART for what is routed, else the exchange itself."""
    primary_exchange: str
    valid_exchanges: tuple[str, ...]
    currency: str
    expiry_text: str
    strike_text: str
    right_text: str
    multiplier_text: str
    long_name: str
    market_rule_id: int
    min_tick: Decimal
    zone: ZoneInfo
    zone_text: str
    under_symbol: str

    @property
    def instrument_id(self) -> str:
        """Return the id of the instrument behind it.

        Source: none; Foxtrot's own name.
        """
        return self.instrument.instrument_id

    @property
    def contract_month(self) -> str:
        """Return the month of what expires as YYYYMM.

        Source: TWS API documentation, ContractDetails.contractMonth.
        """
        return self.expiry_text[:6]


def con_id_of(instrument_id: str, attempt: int = 0) -> int:
    """Return an id that is the same in every run; a further attempt where another contract has it.

    Source: TWS API documentation, Contract.conId: a whole number of 31 bits, unique among all contracts.
    """
    digest = hashlib.blake2b(f"{instrument_id}#{attempt}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & _BITS or 1


def contract_of(instrument: Instrument, con_id: int, market_rule_id: int) -> IbContract:
    """Return an instrument as IB lists it.

    Raises:
        KeyError: IB's clients do not see instruments of that venue.

    Source: TWS API documentation, Contracts (stocks, futures, options, FX pairs); seen with ibapi 9.81.
    """
    place = _PLACES[instrument.venue]
    symbol, local_symbol, trading_class = _names(instrument, place.sec_type)
    routed = (SMART,) if place.sec_type in (STK, OPT) else ()
    return IbContract(
        con_id=con_id,
        instrument=instrument,
        sec_type=place.sec_type,
        symbol=symbol,
        local_symbol=local_symbol,
        trading_class=trading_class,
        exchange=place.exchange,
        primary_exchange=place.primary,
        valid_exchanges=(*routed, "CBOE" if place.sec_type == OPT else instrument.venue),
        currency=instrument.quote_asset,
        expiry_text=_expiry(instrument, place),
        strike_text=format(instrument.strike.normalize(), "f") if instrument.strike else "0",
        right_text=instrument.right[:1].upper(),
        multiplier_text="" if instrument.multiplier == 1 else format(instrument.multiplier.normalize(), "f"),
        long_name=instrument.name or symbol,
        market_rule_id=market_rule_id,
        min_tick=_min_tick(instrument),
        zone=ZoneInfo(place.zone),
        zone_text=place.zone_text,
        under_symbol=symbol if place.sec_type in (FUT, OPT) else "",
    )


def _min_tick(instrument: Instrument) -> Decimal:
    """Return the smallest step; of a US share that of its usual prices, for IB says 0.01 though below 1 USD it is finer."""
    steps = [instrument.price_grid.to_decimal(band.step_units) for band in instrument.price_bands]
    is_us = instrument.product is Product.STOCK and instrument.quote_asset == "USD"
    return steps[-1] if is_us else min(steps)


def _names(instrument: Instrument, sec_type: str) -> tuple[str, str, str]:
    """Return symbol, local symbol and trading class."""
    if sec_type == CASH:
        pair = f"{instrument.base_asset}.{instrument.quote_asset}"
        return instrument.base_asset, pair, pair
    if sec_type == FUT:
        return instrument.base_asset, instrument.symbol, instrument.base_asset
    if sec_type == OPT:
        root = instrument.underlying.partition(".")[0]
        return root, f"{root:<6}{instrument.symbol[len(root) :]}", root
    symbol = instrument.symbol
    if instrument.venue == "SEHK":
        symbol = symbol.lstrip("0") or symbol
        return symbol, symbol, symbol
    return symbol.replace(".", " "), symbol.replace(".", " "), "NMS" if instrument.venue == "NASDAQ" else symbol


def _expiry(instrument: Instrument, place: _Place) -> str:
    if instrument.product not in (Product.FUTURE, Product.OPTION):
        return ""
    return datetime.fromtimestamp(instrument.expiry_ns / 1e9, ZoneInfo(place.zone)).strftime("%Y%m%d")
