"""Facts about the public market. Prices and sizes are floats: correctly rounded values of grid points.

Every fact carries `venue_time_ns` (when it happened, by the venue's clock) and `local_time_ns` (when we received it), UTC
nanoseconds. `TickData` and `DepthData` may be conflated; `DepthChange`, `MarketTrade` and `BarData` may not.

`source` says how a fact came: STREAM, pushed by the venue or kept by its stream, or REST, asked for by a request because no
stream brought it: such a fact is as old as the question, and what happened between two questions is not in it. DELAYED is pushed so many
minutes late, FROZEN is what a market had when it closed: both are for the eye, and no order that opens is judged by them.
"""

import msgspec

from foxtrot.domain.enums import Side

Level = tuple[float, float]
"""One price level: (price, size)."""

STREAM, REST, DELAYED, FROZEN = "stream", "rest", "delayed", "frozen"
"""What the `source` of a fact may be."""

NOT_LIVE = frozenset({DELAYED, FROZEN})
"""Sources of facts that tell the past however lately they were heard."""

NO_PRICE = 0.0
"""A price or size that is absent from a tick (an empty side of the book, no trade yet)."""


class TickData(msgspec.Struct, frozen=True, gc=False):
    """Top of book, last trade and session totals of one instrument at one moment; 0.0 stands for absent."""

    instrument_id: str
    venue_time_ns: int
    local_time_ns: int
    bid_price: float = NO_PRICE
    bid_size: float = 0.0
    ask_price: float = NO_PRICE
    ask_size: float = 0.0
    last_price: float = NO_PRICE
    last_size: float = 0.0
    volume: float = 0.0
    turnover: float = 0.0
    open_price: float = NO_PRICE
    high_price: float = NO_PRICE
    low_price: float = NO_PRICE
    previous_close: float = NO_PRICE
    open_interest: float = 0.0
    mark_price: float = NO_PRICE
    source: str = STREAM


class DepthData(msgspec.Struct, frozen=True, gc=False):
    """A self-contained snapshot of the best n levels a side, best first, as of `update_id`."""

    instrument_id: str
    venue_time_ns: int
    local_time_ns: int
    update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    source: str = STREAM


class DepthChange(msgspec.Struct, frozen=True, gc=False):
    """Changed levels since `previous_update_id`; a size of 0.0 removes the level. Follows the last one without a gap.

    `checksum` is the venue's of its book after this change, None where it gives none.
    """

    instrument_id: str
    venue_time_ns: int
    local_time_ns: int
    first_update_id: int
    last_update_id: int
    previous_update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    checksum: int | None = None


class MarketTrade(msgspec.Struct, frozen=True, gc=False):
    """One public print with the venue's id; `aggressor` is the side that took liquidity."""

    instrument_id: str
    venue_time_ns: int
    local_time_ns: int
    trade_id: str
    price: float
    size: float
    aggressor: Side
    source: str = STREAM


class BarData(msgspec.Struct, frozen=True, gc=False):
    """One closed bar over [open_time_ns, close_time_ns); `interval` is the text of an Interval such as "1m".

    `backfilled` marks a bar that closed while the link was lost and came after it: it tells the past, nothing to trade on.
    """

    instrument_id: str
    interval: str
    open_time_ns: int
    close_time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    turnover: float = 0.0
    trade_count: int = 0
    local_time_ns: int = 0
    backfilled: bool = False


class FundingRate(msgspec.Struct, frozen=True, gc=False):
    """The funding rate of a perpetual and the next time it is paid; positive: longs pay shorts."""

    instrument_id: str
    venue_time_ns: int
    local_time_ns: int
    rate: float
    mark_price: float
    next_funding_time_ns: int
