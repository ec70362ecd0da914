"""A strategy that does what a script says at each close, bars written as rows, and one run of both."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import PriceBand
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings

MINUTE_NS = 60_000_000_000
T0 = 1_700_006_400_000_000_000
NAME = "BTCUSDT.HISTORY"

Deed = Callable[[Strategy], object]
Row = Sequence[float]


def scripted(
    deeds: Mapping[int, Deed], on_trade: Callable[[Strategy, TradeData], object] | None = None
) -> type[Strategy]:
    """A strategy that does deed n when it hears bar (or, without bars, event) n, counted from 0."""

    class Scripted(Strategy):
        heard = -1

        def on_init(self) -> None:
            self.orders: list[OrderData] = []
            self.events: list[object] = []

        def do(self, event: object) -> None:
            self.heard += 1
            self.events.append(event)
            deed = deeds.get(self.heard)
            if deed is not None:
                deed(self)

        def on_order(self, order: OrderData) -> None:
            self.orders.append(order)

        def on_trade(self, trade: TradeData) -> None:
            if on_trade is not None:
                on_trade(self, trade)

    return Scripted


def on_bars(
    deeds: Mapping[int, Deed], on_trade: Callable[[Strategy, TradeData], object] | None = None
) -> type[Strategy]:
    """A scripted strategy that counts bars."""

    class OnBars(scripted(deeds, on_trade)):  # type: ignore[misc]
        def on_bar(self, bar: BarData) -> None:
            self.do(bar)

    return OnBars


def on_ticks(deeds: Mapping[int, Deed]) -> type[Strategy]:
    """A scripted strategy that counts ticks."""

    class OnTicks(scripted(deeds)):  # type: ignore[misc]
        def on_tick(self, tick: TickData) -> None:
            self.do(tick)

    return OnTicks


def on_prints(deeds: Mapping[int, Deed]) -> type[Strategy]:
    """A scripted strategy that counts prints."""

    class OnPrints(scripted(deeds)):  # type: ignore[misc]
        def on_market_trade(self, trade: MarketTrade) -> None:
            self.do(trade)

    return OnPrints


def bars_of(rows: Sequence[Row], name: str = NAME, open_for_ns: int = MINUTE_NS) -> BarColumns:
    """Bars a minute apart from rows of open, high, low, close and perhaps volume."""
    table = np.array([[*row, 1000.0][:5] for row in rows], dtype=np.float64)
    opens = T0 + MINUTE_NS * np.arange(len(rows), dtype=np.int64)
    prices = {
        name: np.ascontiguousarray(table[:, at]) for at, name in enumerate(("open", "high", "low", "close", "volume"))
    }
    return BarColumns(
        instrument_id=name, interval="1m", open_time_ns=opens, close_time_ns=opens + open_for_ns, price_decimals=2,
        quantity_decimals=3, **prices,
    )  # fmt: skip


def settings_of(strategy: type[Strategy], *names: str) -> StrategySettings:
    """Settings of the one strategy of a test."""
    return StrategySettings(strategy_id="test", class_name=strategy.__name__, account=ACCOUNT, symbols=names or (NAME,))


def run_bars(
    strategy: type[Strategy],
    rows: Sequence[Row],
    *,
    product: Product = Product.PERPETUAL,
    tick: str = "0.01",
    step: int = 1,
    open_for_ns: int = MINUTE_NS,
    **settings: object,
) -> tuple[BacktestResult, Strategy]:
    """Run a strategy over rows; returns the result and the strategy."""
    bars = bars_of(rows, open_for_ns=open_for_ns)
    instrument = instrument_for(bars, InstrumentTerms(product=product, tick=Decimal(tick)))
    instrument = msgspec.structs.replace(instrument, price_bands=(PriceBand(0, step),))
    backtest = Backtest(
        BacktestSettings(
            strategies=((settings_of(strategy), strategy),),
            bars=(bars,),
            instruments=(instrument,),
            **settings,  # type: ignore[arg-type]
        )
    )
    result = backtest.run()
    assert result.failures == ()
    return result, backtest.line.strategies.hosts["test"].strategy


def told(result: BacktestResult) -> list[tuple[str, float, float]]:
    """The fills as (side, quantity, price)."""
    return [(str(trade.side), trade.quantity, trade.price) for trade in result.trades]
