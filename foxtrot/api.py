"""All that a strategy or plugin author may import: the one public door to the platform.

Importing it starts nothing and reads nothing; the indicators' libraries are loaded when the first of them is used. A name here is a promise.
"""

import importlib
from typing import TYPE_CHECKING

from foxtrot.core.notices import AmendAnswered, BookLoaded, TimerFired
from foxtrot.domain.account import AccountData, BalanceData, PositionData
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.enums import (
    Liquidity,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    Product,
    Side,
    TimeInForce,
)
from foxtrot.domain.errors import ConfigError, FoxtrotError, InputError, OffGrid, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval, IntervalKind
from foxtrot.domain.market import BarData, DepthChange, DepthData, FundingRate, MarketTrade, TickData
from foxtrot.domain.order import AmendRequest, OrderData, OrderRequest, TradeData
from foxtrot.domain.outcome import Outcome
from foxtrot.strategy.bar_facts import BarCorrection, BarSettings, PriceSource
from foxtrot.strategy.bars import BarBuilder
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.parameters import Parameter, Variable
from foxtrot.trading.protection import ProtectionView

if TYPE_CHECKING:
    from foxtrot.adapter.live_books import LiveBook, LiveBooks
    from foxtrot.backtest.notebook import backtest
    from foxtrot.hub.client import HubClient
    from foxtrot.strategy.indicators import (
        Adx,
        Bands,
        FloatArray,
        Macd,
        RunningAdx,
        RunningAtr,
        RunningBollinger,
        RunningCci,
        RunningDonchian,
        RunningEma,
        RunningMacd,
        RunningObv,
        RunningRsi,
        RunningSma,
        RunningStd,
        RunningStochastic,
        RunningVwap,
        RunningWma,
        Stochastic,
        adx,
        atr,
        bollinger,
        cci,
        donchian,
        ema,
        macd,
        obv,
        rsi,
        sma,
        std,
        stochastic,
        vwap,
        wma,
    )

__all__ = [
    "AccountData",
    "Adx",
    "AmendAnswered",
    "AmendRequest",
    "BalanceData",
    "Bands",
    "BarBuilder",
    "BarCorrection",
    "BarData",
    "BarSettings",
    "BookLoaded",
    "ConfigError",
    "DepthChange",
    "DepthData",
    "FloatArray",
    "FoxtrotError",
    "FundingRate",
    "HubClient",
    "InputError",
    "Instrument",
    "Interval",
    "IntervalKind",
    "Liquidity",
    "LiveBook",
    "LiveBooks",
    "Macd",
    "MarketTrade",
    "OffGrid",
    "OrderData",
    "OrderRefused",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "Parameter",
    "PositionData",
    "PositionMode",
    "PositionSide",
    "PriceSource",
    "Product",
    "ProtectionView",
    "RunningAdx",
    "RunningAtr",
    "RunningBollinger",
    "RunningCci",
    "RunningDonchian",
    "RunningEma",
    "RunningMacd",
    "RunningObv",
    "RunningRsi",
    "RunningSma",
    "RunningStd",
    "RunningStochastic",
    "RunningVwap",
    "RunningWma",
    "Side",
    "Stochastic",
    "Strategy",
    "TickData",
    "TimeInForce",
    "TimerFired",
    "TradeData",
    "TradingCalendar",
    "Variable",
    "adx",
    "atr",
    "backtest",
    "bollinger",
    "cci",
    "donchian",
    "ema",
    "macd",
    "obv",
    "rsi",
    "sma",
    "std",
    "stochastic",
    "vwap",
    "wma",
]

_LATE = dict.fromkeys(
    (
        "Adx",
        "Bands",
        "FloatArray",
        "Macd",
        "RunningAdx",
        "RunningAtr",
        "RunningBollinger",
        "RunningCci",
        "RunningDonchian",
        "RunningEma",
        "RunningMacd",
        "RunningObv",
        "RunningRsi",
        "RunningSma",
        "RunningStd",
        "RunningStochastic",
        "RunningVwap",
        "RunningWma",
        "Stochastic",
        "adx",
        "atr",
        "bollinger",
        "cci",
        "donchian",
        "ema",
        "macd",
        "obv",
        "rsi",
        "sma",
        "std",
        "stochastic",
        "vwap",
        "wma",
    ),
    "foxtrot.strategy.indicators",
)
"""Name → the module that has it, imported when the name is first used."""
_LATE["backtest"] = "foxtrot.backtest.notebook"
_LATE["HubClient"] = "foxtrot.hub.client"
_LATE["LiveBooks"] = "foxtrot.adapter.live_books"
_LATE["LiveBook"] = "foxtrot.adapter.live_books"


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(_LATE[name]), name)
    globals()[name] = found
    return found
