"""Wishes for data: what to stream and what history to fetch."""

import msgspec


class SubscribeRequest(msgspec.Struct, frozen=True, gc=False):
    """What to stream of one instrument; asking again adds to what is already streamed.

    `depth_levels` > 0 asks for DepthData with so many levels a side; `depth_changes` for a snapshot and then DepthChange; `bars`
    for BarData of intervals such as "1m", as the venue makes them, each at its close.
    """

    instrument_id: str
    ticks: bool = True
    trades: bool = False
    depth_levels: int = 0
    depth_changes: bool = False
    bars: tuple[str, ...] = ()

    def with_also(self, other: "SubscribeRequest") -> "SubscribeRequest":
        """Return what both ask for together; they are of one instrument."""
        return SubscribeRequest(
            self.instrument_id,
            self.ticks or other.ticks,
            self.trades or other.trades,
            max(self.depth_levels, other.depth_levels),
            self.depth_changes or other.depth_changes,
            tuple(dict.fromkeys(self.bars + other.bars)),
        )


class HistoryRequest(msgspec.Struct, frozen=True, gc=False):
    """The last `count` closed bars that end at or before `end_ns`."""

    request_id: str
    instrument_id: str
    interval: str
    count: int
    end_ns: int
