"""Reading the parameters of market data calls."""

import msgspec

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.venue_side import VenueSide


def whole_number(call: Call, name: str, default: int) -> int:
    """Return a parameter that is a whole number.

    Source: Binance spot API, Error codes, -1100 ILLEGAL_CHARS.

    Raises:
        ApiError: -1100, it is no whole number.
    """
    text = call.params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(text)


def row_limit(call: Call, default: int, most: int) -> int:
    """Return how many rows are asked for; more than there may be means the most.

    Source: Binance spot API, Market Data endpoints: limit.

    Raises:
        ApiError: -1100 no whole number, -1130 zero.
    """
    limit = whole_number(call, "limit", default)
    if limit < 1:
        raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(limit, most)


def time_range(call: Call) -> tuple[int, int]:
    """Return startTime and endTime in milliseconds, -1 where one is absent; microseconds are taken too.

    Source: Binance spot API, Market Data endpoints: startTime and endTime.
    """
    start, end = (whole_number(call, name, -1) for name in ("startTime", "endTime"))
    return (start // 1000 if start >= 10**15 else start), (end // 1000 if end >= 10**15 else end)


def chosen(side: VenueSide, call: Call) -> tuple[list[Instrument], bool]:
    """Return the instruments a call is about, all when it names none, and whether the answer is a list.

    Source: Binance spot API, Exchange information and 24hr ticker: symbol or symbols.

    Raises:
        ApiError: -1121 unknown, -1128 both parameters, -1130 no JSON array of names, -1151 a name twice.
    """
    symbol, symbols = call.params.get("symbol", ""), call.params.get("symbols", "")
    if symbol and symbols:
        raise ApiError(-1128, "Combination of optional parameters invalid.")
    if symbol:
        return [side.instrument(symbol)], False
    if not symbols:
        return list(side.symbols().values()), True
    try:
        names = msgspec.json.decode(symbols, type=list[str])
    except (msgspec.DecodeError, RecursionError):
        raise ApiError(-1130, "Data sent for parameter 'symbols' is not valid.") from None
    if len(set(names)) != len(names):
        raise ApiError(-1151, "Symbol is present multiple times in the list.")
    return [side.instrument(name) for name in names], True
