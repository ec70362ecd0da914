"""What a backtest is asked to do."""

from decimal import Decimal

import msgspec

from foxtrot.backtest.bar_fills import FillSettings
from foxtrot.backtest.columns import BarColumns
from foxtrot.domain.enums import PositionMode, Product
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings
from foxtrot.trading.limits import Limits, LimitTable

ACCOUNT = "backtest"


class BacktestLimits:
    """The limits of a backtest: the built-in ones less those that make no sense on bars.

    Orders come a bar apart and prices jump between bars, so pace and funds are left to the venue unless they are asked for.
    """

    DEFAULT = LimitTable(platform=Limits(check_funds=False))


class BacktestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One backtest.

    `balance` is money of the quote asset; `latency_ns` delays orders on their way to the venue and answers on their way
    back. With `margin_checked` the venue refuses what the account cannot pay (always so for spot and stocks).
    """

    strategies: tuple[tuple[StrategySettings, type[Strategy]], ...]
    bars: tuple[BarColumns, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    balance: Decimal = Decimal(1_000_000)
    fees: FeeSchedule | None = None
    fills: FillSettings = FillSettings()
    latency_ns: int = 0
    margin_checked: bool = False
    position_mode: PositionMode = PositionMode.NETTING
    limits: LimitTable = BacktestLimits.DEFAULT
    seed: int = 1


class InstrumentTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of an instrument that a file does not say; 0 takes the smallest decimal step found in the file."""

    product: Product = Product.PERPETUAL
    tick: Decimal = Decimal(0)
    lot: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    currency: str = "USDT"
