"""Instruments that expire, as the embedded venue lists them on a day: index futures, and options on a share.

Source: CME, E-mini S&P 500 futures contract specs (months, last trading day, tick, multiplier); OCC, options symbology.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from foxtrot.domain.calendar_presets import CALENDAR_NAMES
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.exchange.listings import REFERENCE_PRICES, currency_pair

_MONTH_CODES = "FGHJKMNQUVXZ"
_QUARTERLY = (3, 6, 9, 12)
_CHICAGO, _NEW_YORK = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")
_ES_ENDS, _OPTION_ENDS = time(8, 30), time(16, 0)
_FRIDAY = 4
_DATED = (Product.FUTURE, Product.OPTION)
_SECOND_NS = 1_000_000_000
STRIKES = (Decimal(180), Decimal(190), Decimal(200), Decimal(210), Decimal(220))
"""Strikes of the options that are listed by default, around AAPL's reference price."""
_PREMIUM = Decimal(6)
"""What an option at the money costs to begin with."""


def third_friday(year: int, month: int) -> date:
    """Return the day on which index futures and most options of a month end."""
    first = date(year, month, 1)
    return first + timedelta((_FRIDAY - first.weekday()) % 7 + 14)


def es_futures(now_ns: int, count: int = 2) -> tuple[Instrument, ...]:
    """Return the nearest quarterly E-mini S&P 500 futures that still trade, the front one first."""
    found: list[Instrument] = []
    year = _day(now_ns, _CHICAGO).year
    for at in range(4 * (count + 2)):
        one = _es(year + at // 4, _QUARTERLY[at % 4])
        if one.expiry_ns > now_ns and len(found) < count:
            found.append(one)
    return tuple(found)


def aapl_options(now_ns: int, strikes: tuple[Decimal, ...] = STRIKES) -> tuple[Instrument, ...]:
    """Return calls and puts on AAPL.NASDAQ that end on the next third Friday."""
    day = _day(now_ns, _NEW_YORK)
    months = ((day.year + (day.month - 1 + ahead) // 12, (day.month - 1 + ahead) % 12 + 1) for ahead in range(3))
    expiry = next(
        one for one in (third_friday(*month) for month in months) if _moment(one, _OPTION_ENDS, _NEW_YORK) > now_ns
    )
    return tuple(_option("AAPL", expiry, strike, right) for strike in strikes for right in ("call", "put"))


def ib_listings(now_ns: int) -> tuple[Instrument, ...]:
    """Return what a venue that speaks IB's protocol lists beside shares: EURUSD.IDEALPRO, the front two ES, and options on AAPL."""
    return (currency_pair("EUR", "USD"), *es_futures(now_ns), *aapl_options(now_ns))


def opening_prices(instruments: tuple[Instrument, ...]) -> dict[str, Decimal]:
    """Return where the market of each begins: the index at 6,000, an option at its inner worth and some time value."""
    known = (one for one in instruments if one.instrument_id in REFERENCE_PRICES or one.product in _DATED)
    return {one.instrument_id: _opening_price(one) for one in known}


def activity_shares(instruments: tuple[Instrument, ...]) -> tuple[Decimal, ...]:
    """Return which part of the traders' activity each gets where futures or options are listed; () where none are.

    What one looks at first gets most: an option, or a future that is not the front one, is traded less than a share.
    """
    if not any(one.product in _DATED for one in instruments):
        return ()
    futures = [one.expiry_ns for one in instruments if one.product is Product.FUTURE]
    front_ns = min(futures, default=0)
    parts = [1 if one.product is Product.OPTION else 2 if one.expiry_ns > front_ns else 8 for one in instruments]
    return tuple(Decimal(part) / sum(parts) for part in parts)


def _opening_price(one: Instrument) -> Decimal:
    if one.instrument_id in REFERENCE_PRICES:
        return REFERENCE_PRICES[one.instrument_id]
    if one.product is Product.FUTURE:
        return Decimal(6_000)
    share = REFERENCE_PRICES[one.underlying]
    inner = share - one.strike if one.right == "call" else one.strike - share
    return max(inner, Decimal(0)) + _PREMIUM - min(abs(inner) / 5, _PREMIUM - 1)


def _es(year: int, month: int) -> Instrument:
    symbol = f"ES{_MONTH_CODES[month - 1]}{year % 10}"
    return Instrument(
        instrument_id=f"{symbol}.CME", symbol=symbol, venue="CME", product=Product.FUTURE, base_asset="ES",
        quote_asset="USD", settle_asset="USD", price_grid=Grid.of("0.25"), quantity_grid=Grid.of(1),
        min_quantity_units=1, multiplier=Decimal(50), initial_margin_rate=Decimal("0.08"),
        maintenance_margin_rate=Decimal("0.07"), expiry_ns=_moment(third_friday(year, month), _ES_ENDS, _CHICAGO),
        calendar="CMES" if "CMES" in CALENDAR_NAMES else "XNYS", name="E-mini S&P 500",
    )  # fmt: skip


def _option(root: str, expiry: date, strike: Decimal, right: str) -> Instrument:
    symbol = f"{root}{expiry:%y%m%d}{right[0].upper()}{int(strike * 1000):08d}"
    return Instrument(
        instrument_id=f"{symbol}.OPRA", symbol=symbol, venue="OPRA", product=Product.OPTION, base_asset=symbol,
        quote_asset="USD", settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of(1),
        min_quantity_units=1, multiplier=Decimal(100), expiry_ns=_moment(expiry, _OPTION_ENDS, _NEW_YORK),
        underlying=f"{root}.NASDAQ", strike=strike, right=right, calendar="XNYS", name=f"{root} {expiry:%b%d'%y} {strike} {right}",
    )  # fmt: skip


def _day(now_ns: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(now_ns / _SECOND_NS, zone).date()


def _moment(day: date, at: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, at, zone).astimezone(UTC).timestamp()) * _SECOND_NS
