"""Market data of IB as ibapi calls back with it, and our facts, pure: numbers in, frozen facts out.

Numbers are int and float with ibapi 9.81, Decimal with 10.x, text in RTVolume; all are taken alike.
"""

from typing import Any, Final

import msgspec

from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.market import DELAYED, FROZEN, STREAM, BarData, MarketTrade

VENUE: Final = "ib"
SECOND_NS: Final = 1_000_000_000
NO_PRICE: Final = -1.0
"""Source: TWS API, Available Tick Types: a price of -1 says that there is none."""
LARGEST: Final = 1e15
"""No size or price comes near it; what stands for "not set" lies above."""
UNSET_INT: Final = 2147483647.0
"""Source: seen with ibapi 9.81, common.UNSET_INTEGER."""

BID, BID_SIZE, ASK, ASK_SIZE, LAST, LAST_SIZE = "bid", "bid_size", "ask", "ask_size", "last", "last_size"
VOLUME, HIGH, LOW, OPEN, CLOSE, STAMP, MARK = "volume", "high", "low", "open", "close", "stamp", "mark"
INTEREST, RT_VOLUME, HALTED = "interest", "rt_volume", "halted"

TICKS: Final[dict[int, str]] = {
    0: BID_SIZE, 1: BID, 2: ASK, 3: ASK_SIZE, 4: LAST, 5: LAST_SIZE, 6: HIGH, 7: LOW, 8: VOLUME, 9: CLOSE, 14: OPEN, 22: INTEREST,
    37: MARK, 45: STAMP, 48: RT_VOLUME, 49: HALTED, 86: INTEREST,
}  # fmt: skip
"""Live and frozen ticks by number. Source: TWS API, Available Tick Types."""
RT_VOLUME_TICK: Final = 48
"""Source: TWS API, Available Tick Types, RT Volume."""
DELAYED_TICKS: Final[dict[int, str]] = {
    66: BID, 67: ASK, 68: LAST, 69: BID_SIZE, 70: ASK_SIZE, 71: LAST_SIZE, 72: HIGH, 73: LOW, 74: VOLUME, 75: CLOSE, 76: OPEN,
    88: STAMP, 90: HALTED,
}  # fmt: skip
"""The same, fifteen minutes late or so. Source: TWS API, Available Tick Types and Delayed Streaming Data."""
TYPES: Final[dict[int, str]] = {1: STREAM, 2: FROZEN, 3: DELAYED, 4: DELAYED}
"""What a market-data type says of the facts under it. Source: TWS API, Market Data Types: live, frozen, delayed, delayed-frozen."""
TYPE_NUMBERS: Final[dict[str, int]] = {"live": 1, "frozen": 2, "delayed": 3, "delayed_frozen": 4}
"""Numbers by the names of the settings. Source: TWS API, Market Data Types."""

_ALL: Final[dict[int, tuple[str, bool]]] = {
    **{number: (name, False) for number, name in TICKS.items()},
    **{number: (name, True) for number, name in DELAYED_TICKS.items()},
}


class RtTrade(msgspec.Struct, frozen=True, gc=False):
    """One print as tick 48 tells it; `price` is 0.0 where the print is of a kind without one."""

    price: float
    size: float
    time_ns: int
    volume: float


def tick_name(number: Any) -> tuple[str, bool] | None:
    """Return what a tick is of and whether it is delayed, None for one that is not told here.

    Source: TWS API, Available Tick Types.
    """
    return _ALL.get(number)


def price_of(value: Any, snap: PriceSnap) -> float:
    """Return a price on the grid of its instrument, 0.0 where there is none.

    Source: TWS API, Available Tick Types: -1 is no price; seen with ibapi 9.81: the largest double is one that is not set.

    Raises:
        BadMessage: it is no number.
    """
    try:
        known = snap.known.get(value)
        if known is not None:
            return known
        number = float(value)
        if number == NO_PRICE or not -LARGEST < number < LARGEST:
            return 0.0
        return snap(number)
    except (TypeError, ValueError):
        raise BadMessage(VENUE, "price", f"{value!r} is no price") from None


def size_of(value: Any, multiplier: float = 1.0) -> float:
    """Return a size or volume in units, 0.0 where it is not set.

    Source: seen with ibapi 9.81 (int) and 10.46 (Decimal); TWS API, ContractDetails, mdSizeMultiplier: shares of the United States
        are counted in lots of 100 by versions below 163.

    Raises:
        BadMessage: it is no number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadMessage(VENUE, "size", f"{value!r} is no size") from None
    if number == UNSET_INT or not 0.0 <= number < LARGEST:
        return 0.0
    return number * multiplier


def seconds_ns(value: Any) -> int:
    """Return a moment that is told in seconds of the epoch, as text or number, in UTC ns.

    Source: TWS API, Tick-by-Tick Data (time), Historical Bar Data (formatDate 2), Available Tick Types (45, 88).

    Raises:
        BadMessage: it is no such number.
    """
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        raise BadMessage(VENUE, "time", f"{value!r} is no time in seconds") from None
    if not 0 <= seconds < 1 << 34:
        raise BadMessage(VENUE, "time", f"{value!r} is no time in seconds")
    return seconds * SECOND_NS


def rt_volume(text: Any, snap: PriceSnap, multiplier: float = 1.0) -> RtTrade:
    """Return the print of a tick 48, `price;size;time in ms;volume of the day;VWAP;single`.

    Source: TWS API, Available Tick Types, RT Volume. The price is empty where it is of a kind that moves no last price.

    Raises:
        BadMessage: it has other fields.
    """
    parts = str(text).split(";")
    if len(parts) < 4:
        raise BadMessage(
            VENUE, "rt_volume", f"{text!r} is no print such as 701.28;1;1348075471534;67854;701.46918464;true"
        )
    try:
        stamp_ns = int(parts[2]) * 1_000_000
        size, volume = (size_of(part or "0", multiplier) for part in (parts[1], parts[3]))
        return RtTrade(price_of(float(parts[0]), snap) if parts[0] else 0.0, size, stamp_ns, volume)
    except ValueError:
        raise BadMessage(VENUE, "rt_volume", f"{text!r} has a field that is no number") from None


def side_of(price: float, bid: float, ask: float, before: MarketTrade | None) -> Side:
    """Return who took liquidity, which IB does not say: by the quote where the price touches it, else by the move since the print before.

    Source: Lee and Ready, Inferring Trade Direction from Intraday Data, 1991.
    """
    if ask > 0.0 and price >= ask:
        return Side.BUY
    if bid > 0.0 and price <= bid:
        return Side.SELL
    if before is None or price > before.price:
        return Side.BUY
    return Side.SELL if price < before.price else before.aggressor


def bar_of(row: Any, snap: PriceSnap, multiplier: float = 1.0) -> BarData:
    """Return the bar of a row of history or of an update, without its instrument and times, which its asker knows.

    IB tells no turnover: it is the volume at the mean price, as exact as IB tells that.

    Source: TWS API, Historical Bar Data: `average` with ibapi 9.81, `wap` with 10.x; both are the volume-weighted price.

    Raises:
        BadMessage: a number is none, or it has no prices.
    """
    opens, high, low, close = (_row_price(value, snap) for value in (row.open, row.high, row.low, row.close))
    volume = size_of(row.volume, multiplier)
    average = getattr(row, "wap", None)
    mean = _plain(average if average is not None else getattr(row, "average", 0.0))
    count = max(0, int(_plain(row.barCount)))
    return BarData("", "", 0, 0, opens, high, low, close, volume, round(volume * mean, 6), count)


def _row_price(value: Any, snap: PriceSnap) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadMessage(VENUE, "bar", f"{value!r} is no price") from None
    if not -LARGEST < number < LARGEST:
        raise BadMessage(VENUE, "bar", f"{value!r} is no price of a bar")
    return snap(number)


def _plain(value: Any) -> float:
    """Return a number that tells nothing where it is not set or below 0."""
    return size_of(value if value is not None else 0)


def is_no_bar(row: Any) -> bool:
    """Tell whether a row of history has a time and no trade: IB marks such counts and volumes with -1.

    Source: TWS API, Historical Bar Data: volume and count are -1 where they do not apply, as of mid prices and currencies.
    """
    return float(row.high) <= 0.0 and float(row.low) <= 0.0 and float(row.volume) <= 0.0
