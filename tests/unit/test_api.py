"""The public door: its names are a promise, and importing it loads no library that a strategy may not need."""

import subprocess
import sys

import foxtrot.api

PROMISED = """
AccountData Adx AmendAnswered AmendRequest BalanceData Bands BarBuilder BarCorrection BarData BarSettings BookLoaded ConfigError DepthChange DepthData FloatArray
FoxtrotError FundingRate HubClient InputError Instrument Interval IntervalKind Liquidity LiveBook LiveBooks Macd MarketTrade OffGrid OrderData OrderRefused OrderRequest
OrderStatus OrderType Outcome Parameter PositionData PositionMode PositionSide PriceSource Product ProtectionView RunningAdx RunningAtr RunningBollinger RunningCci
RunningDonchian RunningEma RunningMacd RunningObv RunningRsi RunningSma RunningStd RunningStochastic RunningVwap RunningWma Side Stochastic
Strategy TickData TimeInForce TimerFired TradeData TradingCalendar Variable adx atr backtest bollinger cci donchian ema macd obv rsi sma std stochastic
vwap wma
"""


def test_the_names_are_those_that_were_promised() -> None:
    assert sorted(set(foxtrot.api.__all__)) == sorted(PROMISED.split())
    assert len(set(foxtrot.api.__all__)) == len(foxtrot.api.__all__)


def test_every_name_is_there() -> None:
    assert [name for name in foxtrot.api.__all__ if getattr(foxtrot.api, name, None) is None] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(foxtrot.api, "no_such_name")


def test_importing_it_loads_no_heavy_library_and_starts_nothing() -> None:
    script = (
        "import sys, threading, foxtrot.api\n"
        "heavy = {'pandas', 'talib', 'talipp', 'sqlalchemy', 'rich', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(f'{heavy}' if heavy or threading.active_count() > 1 else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
