"""What Binance lists for trading, as instruments: exactly, or not at all."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.adapter.binance.codec import VENUE_OF_PRODUCT
from foxtrot.adapter.binance.exact import Exact, read
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import BadMessage, FoxtrotError
from foxtrot.domain.instrument import Grid, Instrument, PriceBand

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
SPOT_UNIT = Decimal("0.00000001")
"""Spot amounts have eight decimals, always; a pair counts in them and its step is a lot of many."""

FUNDING_HOURS = 8
"""How often funding is paid where the venue does not say otherwise."""


class Filter(Exact, frozen=True):
    """One rule of a symbol; which figures it has depends on its type. Zero switches a rule off."""

    filterType: str  # noqa: N815  (the venue's name)
    tickSize: Decimal = ZERO  # noqa: N815
    stepSize: Decimal = ZERO  # noqa: N815
    minQty: Decimal = ZERO  # noqa: N815
    maxQty: Decimal = ZERO  # noqa: N815
    minNotional: Decimal = ZERO  # noqa: N815
    maxNotional: Decimal = ZERO  # noqa: N815
    notional: Decimal = ZERO
    maxNumOrders: int = 0  # noqa: N815
    limit: int = 0
    multiplierUp: Decimal = ZERO  # noqa: N815
    multiplierDown: Decimal = ZERO  # noqa: N815


class SymbolRow(Exact, frozen=True):
    """One symbol of Exchange Information; the last five on USD-M only."""

    symbol: str
    status: str
    baseAsset: str  # noqa: N815  (the venue's name)
    quoteAsset: str  # noqa: N815
    filters: tuple[Filter, ...]
    isSpotTradingAllowed: bool = True  # noqa: N815
    contractType: str = ""  # noqa: N815
    marginAsset: str = ""  # noqa: N815
    requiredMarginPercent: Decimal = HUNDRED  # noqa: N815
    maintMarginPercent: Decimal = ZERO  # noqa: N815


class _Info(msgspec.Struct, frozen=True):
    symbols: tuple[dict[str, object], ...]


class _FundingRow(msgspec.Struct, frozen=True):
    symbol: str
    fundingIntervalHours: int = FUNDING_HOURS  # noqa: N815


class MarketLot(msgspec.Struct, frozen=True):
    """The quantities that a market order may have, in units; a zero maximum is none."""

    min_units: int
    max_units: int
    step_units: int


class Listing(msgspec.Struct, frozen=True):
    """What is listed, its market lots by instrument id, what had to be left out and why, and what does not trade now.

    `halted` has the venue's word for it by instrument id; what is halted may have orders, which can be asked for and cancelled.
    """

    instruments: tuple[Instrument, ...]
    market_lots: dict[str, MarketLot]
    skipped: tuple[str, ...]
    halted: dict[str, str] = {}


def listing(info: object, product: Product, funding_hours: Mapping[str, int]) -> Listing:
    """Return every symbol of a product as an instrument, those included that do not trade now; what cannot be one is skipped.

    Raises:
        BadMessage: this is no Exchange Information.

    Source: Binance spot API, rest-api, Exchange information and filters; USDⓈ-M Futures, Exchange Information.
    """
    instruments: list[Instrument] = []
    lots: dict[str, MarketLot] = {}
    skipped: list[str] = []
    halted: dict[str, str] = {}
    for raw in read(_Info, info, "exchangeInfo").symbols:
        try:
            row = read(SymbolRow, raw, f"symbol {raw.get('symbol')!s:.40}")
            if product is not Product.SPOT and row.contractType != "PERPETUAL":
                continue
            instrument = instrument_of(row, product, funding_hours.get(row.symbol, FUNDING_HOURS))
            lots[instrument.instrument_id] = market_lot(row, instrument)
            instruments.append(instrument)
            if why := _halt(row):
                halted[instrument.instrument_id] = why
        except FoxtrotError as error:
            skipped.append(str(error))
    return Listing(tuple(instruments), lots, tuple(skipped), halted)


def instrument_of(row: SymbolRow, product: Product, funding_hours: int = FUNDING_HOURS) -> Instrument:
    """Return one symbol as an instrument.

    Raises:
        ConfigError: its steps make no grid.
        BadMessage: a rule without which nothing can be ordered is missing.

    Source: Binance spot API, filters (PRICE_FILTER, LOT_SIZE, NOTIONAL, MIN_NOTIONAL, MAX_NUM_ORDERS); USDⓈ-M Futures,
        Common Definition, Filters, and Get Funding Rate Info.
    """
    rules = {rule.filterType: rule for rule in row.filters}
    price_rule, lot_rule = _needed(rules, row, "PRICE_FILTER"), _needed(rules, row, "LOT_SIZE")
    spot = product is Product.SPOT
    quantity = Grid.of(SPOT_UNIT if spot else lot_rule.stepSize)
    venue = VENUE_OF_PRODUCT[product]
    notional = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL") or Filter("NOTIONAL")
    orders = rules.get("MAX_NUM_ORDERS") or Filter("MAX_NUM_ORDERS")
    return Instrument(
        instrument_id=f"{row.symbol}.{venue}",
        symbol=row.symbol,
        venue=venue,
        product=product,
        base_asset=row.baseAsset,
        quote_asset=row.quoteAsset,
        settle_asset=row.quoteAsset if spot else row.marginAsset or row.quoteAsset,
        price_grid=Grid.of(price_rule.tickSize),
        quantity_grid=quantity,
        price_bands=(PriceBand(0, 1),),
        lot_units=quantity.from_decimal(lot_rule.stepSize),
        min_quantity_units=quantity.round(lot_rule.minQty, "up"),
        max_quantity_units=quantity.round(lot_rule.maxQty, "down"),
        min_notional=notional.minNotional or notional.notional,
        max_notional=notional.maxNotional,
        max_open_orders=orders.maxNumOrders or orders.limit,
        price_limit_rate=ZERO if spot else _price_limit(rules),
        initial_margin_rate=ONE if spot else row.requiredMarginPercent / HUNDRED,
        maintenance_margin_rate=ZERO if spot else row.maintMarginPercent / HUNDRED,
        funding_interval_s=0 if spot else funding_hours * 3_600,
    )


def market_lot(row: SymbolRow, instrument: Instrument) -> MarketLot:
    """Return what MARKET_LOT_SIZE allows, where LOT_SIZE allows it too.

    Source: Binance spot API, filters, MARKET_LOT_SIZE; USDⓈ-M Futures, Common Definition, MARKET_LOT_SIZE.
    """
    rule = next((rule for rule in row.filters if rule.filterType == "MARKET_LOT_SIZE"), Filter("MARKET_LOT_SIZE"))
    grid = instrument.quantity_grid
    step = grid.round(rule.stepSize, "up")
    return MarketLot(grid.round(rule.minQty, "up"), grid.round(rule.maxQty, "down"), step or instrument.lot_units)


def funding_intervals(rows: object) -> dict[str, int]:
    """Return hours between funding payments by symbol, for those whose interval was adjusted.

    Raises:
        BadMessage: this is no list of funding intervals.

    Source: USDⓈ-M Futures, Market Data, Get Funding Rate Info.
    """
    found = read(tuple[_FundingRow, ...], rows, "fundingInfo")
    return {row.symbol: row.fundingIntervalHours for row in found if row.fundingIntervalHours > 0}


def _halt(row: SymbolRow) -> str:
    """Return the venue's word for why nothing new can be ordered, "" while it can; only spot has the second."""
    if row.status != "TRADING":
        return row.status or "no status"
    return "" if row.isSpotTradingAllowed else "no spot trading"


def _needed(rules: Mapping[str, Filter], row: SymbolRow, name: str) -> Filter:
    rule = rules.get(name)
    if rule is None:
        raise BadMessage("binance", "filter", f"{row.symbol} has no {name}")
    return rule


def _price_limit(rules: Mapping[str, Filter]) -> Decimal:
    """Return how far from the mark price a limit may be, as the tighter of both sides."""
    rule = rules.get("PERCENT_PRICE")
    if rule is None or not rule.multiplierUp or not rule.multiplierDown:
        return ZERO
    return max(ZERO, min(rule.multiplierUp - ONE, ONE - rule.multiplierDown))
