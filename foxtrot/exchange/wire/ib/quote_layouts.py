"""Messages of market data that the server sends, as data.

Source: EDecoder of ibapi 9.81 and 10.46, read as documentation of the protocol; every one was seen with three clients.
"""

from collections.abc import Iterable
from typing import Final

from foxtrot.exchange.wire.ib.layout import Field, Layout, Value, layout, text_of

TICK_PRICE: Final = layout(1, "request_id tick_type price size mask", version=6)
TICK_SIZE: Final = layout(2, "request_id tick_type size", version=6)
DEPTH: Final = layout(12, "request_id position operation side price size", version=1)
DEPTH_L2: Final = layout(13, "request_id position maker operation side price size is_smart", version=1)
TICK_GENERIC: Final = layout(45, "request_id tick_type value", version=6)
TICK_STRING: Final = layout(46, "request_id tick_type value", version=6)
REALTIME_BAR: Final = layout(50, "request_id time open high low close volume wap count", version=3)
SNAPSHOT_END: Final = layout(57, "request_id", version=1)
MARKET_DATA_TYPE: Final = layout(58, "request_id type", version=1)
DEPTH_EXCHANGES: Final = layout(80, "count rows")
TICK_PARAMS: Final = layout(81, "request_id min_tick bbo_exchange snapshot_permissions")
BAR_UPDATE: Final = layout(90, "request_id count date open close high low wap volume")
"""An update of the bar that still forms: the close stands before the high."""
HISTORY: Final = layout(17, "request_id start end count rows")
TICK_LAST: Final = layout(99, "request_id kind time price size mask exchange conditions")
TICK_BID_ASK: Final = layout(99, "request_id kind time bid ask bid_size ask_size mask")
TICK_MID: Final = layout(99, "request_id kind time price")
PAST_MIDS, PAST_BIDS_ASKS, PAST_LASTS = 96, 97, 98
"""Ticks before the first live one: midpoints, bids and asks, trades."""


def past_ticks(message_id: int, *, any_rows: bool) -> Layout:
    """Return the layout of past ticks; without ticks there is no field between their number and the end.

    Source: EDecoder of ibapi 9.81 (historicalTicks, historicalTicksBidAsk, historicalTicksLast).
    """
    return _PAST[message_id, any_rows]


def joined(values: Iterable[Value]) -> str:
    """Return several fields as the one named `rows`: what ends a field stands between them.

    Source: comm.py of ibapi 9.81 (make_field).
    """
    return "\0".join(text_of(value) for value in values)


_PAST: Final = {
    (message_id, any_rows): layout(
        message_id, "request_id count rows" if any_rows else "request_id count", Field("done", True)
    )
    for message_id in (PAST_MIDS, PAST_BIDS_ASKS, PAST_LASTS)
    for any_rows in (True, False)
}
