"""Which lane an event takes and what may happen to it when the market lane is full."""

import enum

from foxtrot.core.commands import StrategyStep
from foxtrot.core.notices import (
    BookLoaded,
    HistoryLoaded,
    OrderChanged,
    StrategyLog,
    StrategyStatus,
    TimerFired,
    TradeBooked,
)
from foxtrot.domain.market import BarData, DepthChange, DepthData, FundingRate, MarketTrade, TickData


class Overflow(enum.Enum):
    """What the market lane does with an event past its high-water mark."""

    CONFLATE = "the newest of an instrument replaces the waiting one"
    GAP = "shed, and its subscribers get one Gap"
    KEEP = "always kept: too rare to be a burden and too dear to lose"


MARKET_LANE: dict[type, Overflow] = {
    TickData: Overflow.CONFLATE,
    DepthData: Overflow.CONFLATE,
    FundingRate: Overflow.CONFLATE,
    DepthChange: Overflow.GAP,
    MarketTrade: Overflow.GAP,
    BarData: Overflow.KEEP,
}
"""The classes of the market lane; every other class takes the control lane, which is drained first and has no limit."""

KEY_FIELD: dict[type, str] = {
    **dict.fromkeys(MARKET_LANE, "instrument_id"),
    OrderChanged: "strategy_id",
    TradeBooked: "strategy_id",
    StrategyStatus: "strategy_id",
    StrategyLog: "strategy_id",
    TimerFired: "owner",
    StrategyStep: "strategy_id",
    BookLoaded: "request_id",
    HistoryLoaded: "request_id",
}
"""The field by which subscribers of a class can ask for a part of it."""
