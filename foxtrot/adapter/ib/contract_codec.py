"""Instruments from IB's contract details and market rules, pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from foxtrot.adapter.ib.contract_wish import FOREX, FUTURE, OPRA, OPTION, STOCK, id_of
from foxtrot.adapter.ib.figures import amount, figure, whole
from foxtrot.domain.calendar_presets import ALWAYS_OPEN, CALENDAR_NAMES, calendar_named, calendar_of_venue
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.instrument import Grid, Instrument, PriceBand
from foxtrot.domain.interval import SECOND_NS
from foxtrot.domain.price_steps import HK_PRICE_GRID, US_PRICE_GRID

VENUE: Final = "ib"
PRODUCTS: Final = {STOCK: Product.STOCK, FUTURE: Product.FUTURE, FOREX: Product.FOREX, OPTION: Product.OPTION}
"""Source: TWS API, Contract, secType."""
CALENDARS: Final = {
    "IDEALPRO": "FX", "OPRA": "XNYS", "BATS": "XNYS", "IEX": "XNYS", "CME": "CMES", "CBOT": "CMES", "NYMEX": "CMES", "COMEX": "CMES",
}  # fmt: skip
"""Calendars of venues that have one here, besides those of shares; Globex is one for its four exchanges."""
OWN_GRIDS: Final = {"USD": US_PRICE_GRID, "HKD": HK_PRICE_GRID}
"""Counting units of shares by money, which are the same by whatever venue's interface a share is traded."""
ZONES: Final = {
    "EST": "America/New_York", "EST5EDT": "America/New_York", "US/Eastern": "America/New_York", "CST": "America/Chicago",
    "US/Central": "America/Chicago", "MET": "Europe/Berlin", "GB": "Europe/London", "JST": "Asia/Tokyo", "HKT": "Asia/Hong_Kong",
    "Hongkong": "Asia/Hong_Kong", "Japan": "Asia/Tokyo", "GB-Eire": "Europe/London", "GMT": "Europe/London",
}  # fmt: skip
"""Time zones that IB names in its own way. Source: TWS API, ContractDetails, timeZoneId: "EST (Eastern Standard Time)"."""
LAST_TRADING: Final = {
    "CME": (time(8, 30), "America/Chicago"), "CBOT": (time(12, 1), "America/Chicago"), "NYMEX": (time(13, 30), "America/New_York"),
    "COMEX": (time(12, 0), "America/New_York"), "CFE": (time(8, 0), "America/Chicago"), OPRA: (time(16, 0), "America/New_York"),
}  # fmt: skip
"""When trading ends on the last day, where IB says no time.

Source: CME Group, contract specifications (equity indices at 08:30 of Chicago, of other contracts later); the earliest of a venue's that
is common: a moment too early only refuses to open for some hours on the last day.
"""
LONGEST_NAME: Final = 80


class Step(msgspec.Struct, frozen=True):
    """From a price on, its legal steps."""

    low_edge: Decimal
    increment: Decimal


def steps_of(increments: Iterable[Any]) -> tuple[Step, ...]:
    """Return the rows of a market rule, from the lowest price on.

    Source: TWS API, Minimum Price Increment: marketRule, PriceIncrement.

    Raises:
        BadMessage: a number is none, or there are no steps.
    """
    found = [
        Step(figure(row.lowEdge, "low edge") or Decimal(0), amount(row.increment, "increment")) for row in increments
    ]
    found = [step for step in found if step.increment > 0]
    if not found:
        raise BadMessage(VENUE, "market_rule", "a market rule without price steps")
    return tuple(sorted(found, key=lambda step: step.low_edge))


def rule_of(details: Any, exchange: str) -> int:
    """Return the number of the market rule that holds at an exchange, 0 where there is none.

    Source: TWS API, ContractDetails: marketRuleIds is a list beside validExchanges.
    """
    exchanges, rules = str(details.validExchanges).split(","), str(details.marketRuleIds).split(",")
    for name, rule in zip(exchanges, rules, strict=False):
        if name == exchange and rule.strip().isdigit():
            return int(rule)
    first = rules[0].strip()
    return int(first) if first.isdigit() else 0


def instrument_of(details: Any, steps: Sequence[Step] = ()) -> Instrument:
    """Return the instrument of a contract.

    Futures that are quoted in hundredths of their money, with price magnifier 100, have a multiplier that much smaller.

    Source: TWS API, ContractDetails: minTick, priceMagnifier, multiplier, tradingHours, realExpirationDate; seen with ibapi 9.81.

    Args:
        details: of the SDK.
        steps: of its market rule; without them minTick is the step at every price.

    Raises:
        BadMessage: a number is none.
        ConfigError: it is of a kind that is not traded here, or its steps make no grid.
    """
    contract = details.contract
    instrument_id = id_of(contract)
    symbol, _, venue = instrument_id.rpartition(".")
    product = PRODUCTS[str(contract.secType)]
    currency = str(contract.currency)
    tick = amount(details.minTick, "minTick")
    rows = tuple(steps) or (Step(Decimal(0), tick),)
    if any(row.increment <= 0 for row in rows):
        raise BadMessage(VENUE, "minTick", f"{instrument_id} has no price step")
    grid, bands = _bands(rows, OWN_GRIDS.get(currency) if product is Product.STOCK else None)
    lot = _lot(details)
    return Instrument(
        instrument_id=instrument_id,
        symbol=symbol,
        venue=venue,
        product=product,
        base_asset=str(contract.symbol) if product in (Product.FUTURE, Product.FOREX) else symbol,
        quote_asset=currency,
        settle_asset=currency,
        price_grid=grid,
        quantity_grid=Grid.of(1),
        price_bands=bands,
        lot_units=lot,
        min_quantity_units=lot,
        multiplier=multiplier_of(details),
        calendar=calendar_name(venue),
        expiry_ns=expiry_ns(details, venue) if product in (Product.FUTURE, Product.OPTION) else 0,
        underlying=_underlying(details, product),
        strike=(figure(contract.strike, "strike") or Decimal(0)) if product is Product.OPTION else Decimal(0),
        right={"C": "call", "P": "put"}.get(str(contract.right)[:1], "") if product is Product.OPTION else "",
        name=str(details.longName)[:LONGEST_NAME],
    )


def multiplier_of(details: Any) -> Decimal:
    """Return what one unit of price is worth in the contract's money.

    Source: TWS API, Contract, multiplier; ContractDetails, priceMagnifier.

    Raises:
        BadMessage: it is no number above 0.
    """
    many = figure(str(details.contract.multiplier) or "1", "multiplier")
    magnifier = whole(details.priceMagnifier, "priceMagnifier") or 1
    if many is None or many <= 0 or magnifier <= 0:
        raise BadMessage(
            VENUE,
            "multiplier",
            f"multiplier {details.contract.multiplier!r} of {details.contract.symbol} is not above 0",
        )
    return many / magnifier


def size_multiplier(details: Any) -> float:
    """Return how many units one counted in market data is, as 100 for shares of the United States with old versions.

    Source: TWS API, ContractDetails, mdSizeMultiplier; seen with ibapi 10.46: it has no such field.
    """
    return float(max(1, whole(getattr(details, "mdSizeMultiplier", 1), "mdSizeMultiplier")))


def calendar_name(venue: str) -> str:
    """Return the calendar of a venue; one that is not known never closes, and IB's own hours tell when it trades.

    Source: the exchanges' own hours, see domain/data/calendars.
    """
    name = CALENDARS.get(venue, "")
    return name if name in CALENDAR_NAMES else calendar_of_venue(venue)


def expiry_ns(details: Any, venue: str) -> int:
    """Return the last moment of trading of what expires, 0 where IB names no day.

    Source: TWS API, ContractDetails: realExpirationDate, lastTradeTime, timeZoneId; Contract, lastTradeDateOrContractMonth.

    Raises:
        BadMessage: the day is none.
    """
    text = str(details.contract.lastTradeDateOrContractMonth).split(" ")[0]
    text = text if len(text) == 8 else str(details.realExpirationDate)
    if len(text) != 8:
        return 0
    day = day_of(text)
    told = str(details.lastTradeTime).strip()
    at, zone_name = LAST_TRADING.get(venue, (time(0, 0), ""))
    zone = zone_of(str(details.timeZoneId)) if told or not zone_name else ZoneInfo(zone_name)
    if told:
        at = _clock_time(told)
    return int(datetime.combine(day, at, zone).timestamp()) * SECOND_NS


def day_of(text: str) -> date:
    """Return the date of a text such as 20261218.

    Source: TWS API, Contract, lastTradeDateOrContractMonth; Historical Bar Data.

    Raises:
        BadMessage: it is no date.
    """
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=ZoneInfo("UTC")).date()
    except ValueError:
        raise BadMessage(VENUE, "day", f"{text!r} is no day such as 20261218") from None


def zone_of(text: str) -> ZoneInfo:
    """Return a time zone by IB's name of it, "US/Eastern" or "EST (Eastern Standard Time)"; UTC where it is not known.

    Source: TWS API, ContractDetails, timeZoneId.
    """
    name = text.split(" (", maxsplit=1)[0].strip()
    try:
        return ZoneInfo(ZONES.get(name, name) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def described(details: Any) -> str:
    """Return a contract in words, for a refusal that names candidates.

    Source: TWS API, Contract.
    """
    contract = details.contract
    parts = (
        contract.localSymbol or contract.symbol, contract.secType, contract.lastTradeDateOrContractMonth,
        contract.primaryExchange or contract.exchange, contract.currency, f"conId {contract.conId}",
    )  # fmt: skip
    return " ".join(str(part) for part in parts if part)


def _bands(rows: Sequence[Step], own: Grid | None) -> tuple[Grid, tuple[PriceBand, ...]]:
    """Return counting unit and bands; a step that is finer than the unit of the share is coarsened to it, which is legal, too."""
    finest = min(row.increment for row in rows)
    grid = own or Grid.of(finest)
    unit = grid.step
    if own is None:
        places = max(-int(row.increment.normalize().as_tuple().exponent) for row in rows)
        coarse = all(row.increment % finest == 0 and row.low_edge % finest == 0 for row in rows)
        grid = grid if coarse else Grid.of(Decimal(1).scaleb(-max(0, places)))
        unit = grid.step
    bands: list[PriceBand] = []
    for row in rows:
        step = max(1, int(-(-row.increment // unit)))
        edge = int(max(row.low_edge, Decimal(0)) // unit)
        if bands and (edge <= bands[-1].from_units or step == bands[-1].step_units):
            continue
        bands.append(PriceBand(edge if bands else 0, step))
    return grid, tuple(bands)


def _lot(details: Any) -> int:
    """Return the step of quantities, which is told from version 164 on only; 1 before."""
    step = figure(getattr(details, "sizeIncrement", None), "sizeIncrement")
    least = figure(getattr(details, "minSize", None), "minSize")
    found = max(step or Decimal(1), least or Decimal(1))
    return int(found) if found >= 1 else 1


def _underlying(details: Any, product: Product) -> str:
    """Return the underlying of an option: our id where it is a share of the United States, whose listing IB does not say, else its symbol."""
    if product is not Product.OPTION:
        return ""
    return str(details.underSymbol) or str(details.contract.symbol)


def _clock_time(text: str) -> time:
    hour, _, rest = text.split(" ", maxsplit=1)[0].partition(":")
    try:
        return time(int(hour), int(rest[:2] or 0))
    except ValueError:
        raise BadMessage(VENUE, "lastTradeTime", f"{text!r} is no time such as 08:30") from None


def always_open(instrument: Instrument) -> Instrument:
    """Return an instrument that trades at all hours, as at the embedded exchange.

    Source: none; Foxtrot's own exchange.
    """
    return msgspec.structs.replace(instrument, calendar=calendar_named(ALWAYS_OPEN.name).name)
