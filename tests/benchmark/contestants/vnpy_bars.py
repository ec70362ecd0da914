"""vn.py's CTA backtester as a contestant, with its own ArrayManager or with sums kept by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import BarData
from vnpy_ctastrategy import ArrayManager, CtaTemplate
from vnpy_ctastrategy.backtesting import BacktestingEngine

from tests.benchmark.contestants.bars import FAST, SLOW, bars


class Crossing(CtaTemplate):
    """Long one while the fast average is above the slow one, short one while it is below."""

    def on_init(self) -> None:
        self.closes = ArrayManager(SLOW)
        self.wanted = 0

    def on_bar(self, bar: BarData) -> None:
        closes = self.closes
        closes.update_bar(bar)
        if closes.inited:
            self.follow(closes.sma(FAST) - closes.sma(SLOW), bar)

    def follow(self, difference: float, bar: BarData) -> None:
        """Trade the difference to what is wanted at the next open: a limit far beyond it is the peer's market order."""
        wanted = int(difference > 0) - int(difference < 0)
        if not wanted or wanted == self.wanted:
            return
        self.wanted = wanted
        change = wanted - self.pos
        if change > 0:
            self.buy(bar.close_price * 2, change)
        else:
            self.short(bar.close_price / 2, -change)


class LeanCrossing(Crossing):
    """The same with running sums in whole steps, as Foxtrot's double_ma has them: the least work a strategy can do."""

    def on_init(self) -> None:
        self.ring, self.seen, self.fast_sum, self.slow_sum, self.wanted = [0] * SLOW, 0, 0, 0, 0

    def on_bar(self, bar: BarData) -> None:
        close, ring, seen = round(bar.close_price * 100), self.ring, self.seen
        self.slow_sum += close - ring[seen % SLOW]
        self.fast_sum += close - (ring[(seen - FAST) % SLOW] if seen >= FAST else 0)
        ring[seen % SLOW] = close
        self.seen = seen + 1
        if self.seen >= SLOW:
            self.follow(SLOW * self.fast_sum - FAST * self.slow_sum, bar)


def prepare(count: int, strategy: type[Crossing] = Crossing) -> Callable[[], int]:
    """Build the input; return the run, which says how many fills there were."""
    engine = BacktestingEngine()
    engine.output = lambda _text: None
    start = datetime(2020, 1, 1, tzinfo=UTC)
    engine.set_parameters(
        vt_symbol="BTCUSDT.GLOBAL", interval=Interval.MINUTE, start=start, rate=0.0, slippage=0.0, size=1, pricetick=0.01,
        capital=1_000_000,
    )  # fmt: skip
    engine.history_data = peer_bars(count, start)
    engine.add_strategy(strategy, {})

    def run() -> int:
        engine.run_backtesting()
        assert engine.datetime == engine.history_data[-1].datetime, "the peer stopped early"
        return engine.trade_count

    return run


def peer_bars(count: int, start: datetime) -> list[BarData]:
    """Return the bars as the peer's objects."""
    columns, minute = bars(count), timedelta(minutes=1)
    table = zip(columns.open, columns.high, columns.low, columns.close, columns.volume, strict=True)
    return [
        BarData(
            gateway_name="BENCH", symbol="BTCUSDT", exchange=Exchange.GLOBAL, datetime=start + number * minute,
            interval=Interval.MINUTE, open_price=float(opening), high_price=float(high), low_price=float(low),
            close_price=float(close), volume=float(volume),
        )
        for number, (opening, high, low, close, volume) in enumerate(table)
    ]  # fmt: skip
