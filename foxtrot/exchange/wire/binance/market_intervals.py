"""The intervals of klines: where a bar begins and where the next one does, in UTC."""

from datetime import UTC, datetime

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.api_error import ApiError

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
_WEEK_MS = 7 * DAY_MS
_FIRST_MONDAY_MS = 4 * DAY_MS

_FIXED_MS: dict[str, int] = {
    "1s": SECOND_MS,
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
}
_CALENDAR = frozenset({"1w", "1M"})


def is_interval(product: Product, interval: str) -> bool:
    """Tell whether a product has klines of an interval; seconds are spot's alone.

    Source: Binance spot API, Kline/Candlestick chart intervals; USDⓈ-M Futures, Kline/Candlestick Data.
    """
    if interval == "1s":
        return product is Product.SPOT
    return interval in _FIXED_MS or interval in _CALENDAR


def check_interval(product: Product, interval: str) -> str:
    """Return an interval that the product has.

    Source: Binance spot API, Error codes, -1120 BAD_INTERVAL.

    Raises:
        ApiError: -1120.
    """
    if not is_interval(product, interval):
        raise ApiError(-1120, "Invalid interval.")
    return interval


def bar_open_ms(interval: str, time_ms: int) -> int:
    """Return when the bar of a moment begins; weeks begin on Monday, months on the first.

    Source: Binance spot API, Kline/Candlestick data.
    """
    if interval == "1w":
        return time_ms - (time_ms - _FIRST_MONDAY_MS) % _WEEK_MS
    if interval == "1M":
        day = datetime.fromtimestamp(time_ms // 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    return time_ms - time_ms % _FIXED_MS[interval]


def next_open_ms(interval: str, open_ms: int) -> int:
    """Return when the bar after the one that begins at `open_ms` begins.

    Source: Binance spot API, Kline/Candlestick data: the close time is one millisecond before it.
    """
    if interval == "1w":
        return open_ms + _WEEK_MS
    if interval == "1M":
        return bar_open_ms("1M", open_ms + 32 * DAY_MS)
    return open_ms + _FIXED_MS[interval]


def window_ms(text: str) -> int:
    """Return the length of a rolling window: 1m to 59m, 1h to 23h, 1d to 7d.

    Source: Binance spot API, Rolling window price change statistics.

    Raises:
        ApiError: -1130, there is no such window.
    """
    number, unit = text[:-1], text[-1:]
    unit_ms, most = {"m": (MINUTE_MS, 59), "h": (HOUR_MS, 23), "d": (DAY_MS, 7)}.get(unit, (0, 0))
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= most:
        raise ApiError(-1130, "Data sent for parameter 'windowSize' is not valid.")
    return int(number) * unit_ms
