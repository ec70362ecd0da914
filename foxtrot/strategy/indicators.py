"""Technical indicators for strategies: one value at a time (`RunningSma(20).update(x)`) and over arrays (`sma(values, 20)`)."""

from foxtrot.strategy.array_indicators import (
    FloatArray,
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
from foxtrot.strategy.indicator_values import Adx, Bands, Macd, Stochastic
from foxtrot.strategy.running_adx import RunningAdx
from foxtrot.strategy.running_indicators import (
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
)

__all__ = [
    "Adx", "Bands", "FloatArray", "Macd", "RunningAdx", "RunningAtr", "RunningBollinger", "RunningCci", "RunningDonchian",
    "RunningEma", "RunningMacd", "RunningObv", "RunningRsi", "RunningSma", "RunningStd", "RunningStochastic", "RunningVwap",
    "RunningWma", "Stochastic", "adx", "atr", "bollinger", "cci", "donchian", "ema", "macd", "obv", "rsi", "sma", "std",
    "stochastic", "vwap", "wma",
]  # fmt: skip
