"""All that a strategy or plugin author may import: the one public door to the platform."""

from foxtrot.core.notices import BookLoaded, TimerFired
from foxtrot.domain.enums import (
    Liquidity,
    OrderStatus,
    OrderType,
    PositionSide,
    Product,
    Side,
    TimeInForce,
)
from foxtrot.domain.errors import FoxtrotError, OffGrid, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.order import OrderData, OrderRequest, TradeData
from foxtrot.strategy.bars import BarBuilder, BarCorrection
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.parameters import Parameter, Variable

__all__ = [
    "BarBuilder",
    "BarCorrection",
    "BarData",
    "BookLoaded",
    "DepthChange",
    "DepthData",
    "FoxtrotError",
    "Instrument",
    "Interval",
    "Liquidity",
    "MarketTrade",
    "OffGrid",
    "OrderData",
    "OrderRefused",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Parameter",
    "PositionSide",
    "Product",
    "Side",
    "Strategy",
    "TickData",
    "TimeInForce",
    "TimerFired",
    "TradeData",
    "Variable",
]
