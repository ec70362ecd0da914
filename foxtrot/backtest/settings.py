"""What a backtest is asked to do."""

from decimal import Decimal

import msgspec

from foxtrot.backtest.columns import BarColumns, QuoteColumns, TradeColumns
from foxtrot.backtest.depth_capture import DepthCapture
from foxtrot.backtest.fill_settings import FillSettings
from foxtrot.domain.enums import PositionMode, Product
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings
from foxtrot.trading.limits import Limits, LimitTable

ACCOUNT = "backtest"


class BacktestLimits:
    """The limits of a backtest: the built-in ones, with funds left to the venue."""

    DEFAULT = LimitTable(platform=Limits(check_funds=False))


def limits_on_bars(limits: LimitTable) -> LimitTable:
    """Return limits without those that count seconds: inside a bar no time passes, and its last price is as old as it is."""

    def timeless(scope: Limits) -> Limits:
        return msgspec.structs.replace(scope, quote_age_s=0.0, messages_per_s=0, duplicate_window_s=0.0, repeated_executions=0, orders_per_minute=0)  # fmt: skip

    return LimitTable(
        timeless(limits.platform),
        {name: timeless(scope) for name, scope in limits.accounts.items()},
        {name: timeless(scope) for name, scope in limits.strategies.items()},
    )


def watches_losses(limits: LimitTable) -> bool:
    """Tell whether any scope has a loss limit."""
    scopes = (limits.platform, *limits.accounts.values(), *limits.strategies.values())
    return any(scope.max_daily_loss or scope.max_drawdown for scope in scopes)


History = BarColumns | TradeColumns | QuoteColumns | DepthCapture
"""One file of history, as read."""


class BacktestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One backtest.

    An instrument has bars, or any of trades, quotes and depth; one that has no bars gets those its strategies hear built from
    its trades or quotes. `instruments` has the terms of each. `balance` is money of the quote asset; `latency_ns` delays
    orders on their way to the venue and answers on their way back, `feed_latency_ns` all market data. A capture is heard as
    late as it was received (less its clock's offset) unless `recorded_latency` is false. With `margin_checked` the venue
    refuses what the account cannot pay (always so for spot and stocks). Money of limits is in `base_currency`, by default the
    quote asset; `rates` converts as [rates] of a configuration does. `timezone` and `day_start` say when a day of losses begins.
    """

    strategies: tuple[tuple[StrategySettings, type[Strategy]], ...]
    bars: tuple[BarColumns, ...] = ()
    trades: tuple[TradeColumns, ...] = ()
    quotes: tuple[QuoteColumns, ...] = ()
    depth: tuple[DepthCapture, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    balance: Decimal = Decimal(1_000_000)
    fees: FeeSchedule | None = None
    fills: FillSettings = FillSettings()
    latency_ns: int = 0
    feed_latency_ns: int = 0
    recorded_latency: bool = True
    margin_checked: bool = False
    position_mode: PositionMode = PositionMode.NETTING
    limits: LimitTable = BacktestLimits.DEFAULT
    base_currency: str = ""
    rates: dict[str, str | float | int] = {}
    timezone: str = "UTC"
    day_start: str = "00:00"
    seed: int = 1

    @property
    def history(self) -> tuple[History, ...]:
        """Return all that is replayed, of every kind."""
        return (*self.bars, *self.trades, *self.quotes, *self.depth)

    @property
    def limits_in_force(self) -> LimitTable:
        """Return the limits that the run enforces: on bars alone, those without a clock."""
        return self.limits if self.trades or self.quotes or self.depth else limits_on_bars(self.limits)

    @property
    def length(self) -> int:
        """Return about how many moments are replayed, for showing progress."""
        many = 4 if len(self.history) > 1 else 1
        return sum(many * len(bars) for bars in self.bars) + sum(map(len, self.history[len(self.bars) :]))


class InstrumentTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of an instrument that a file does not say; 0 takes the smallest decimal step found in the file.

    `calendar` says when its market trades; "" takes that of the venue in its id, which never closes where the venue is not known.
    """

    product: Product = Product.PERPETUAL
    tick: Decimal = Decimal(0)
    lot: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    currency: str = "USDT"
    calendar: str = ""
