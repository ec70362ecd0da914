"""Random orders of every kind over random and recorded history: whatever comes of them, the invariants hold."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.backtest.read_ticks import read_quotes, read_trades
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import OrderType, Product, Side, TimeInForce
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.market import BarData, TickData
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import bars_of, settings_of

KINDS = ("market", "limit", "stop", "stop_limit", "target", "trailing", "cancel", "close")
FEES = FeeSchedule.percentage(Decimal("0.0002"), Decimal("0.0005"))


class Wild(Strategy):
    """Sends something random most of the time."""

    def on_init(self) -> None:
        self.chance = Random(self.symbols[0])

    def on_bar(self, bar: BarData) -> None:
        self.act(bar.close)

    def on_tick(self, tick: TickData) -> None:
        if tick.bid_price and self.chance.random() < 0.1:
            self.act(tick.bid_price)

    def act(self, price: float) -> None:
        chance = self.chance
        kind = chance.choice(KINDS)
        if kind == "cancel":
            self.cancel_all()
            return
        if kind == "close":
            self.close_position()
            return
        send = chance.choice((self.buy, self.sell))
        near = self.round_price(price * (1 + chance.uniform(-0.01, 0.01)))
        far = self.round_price(price * (1 + chance.uniform(-0.01, 0.01)))
        quantity = self.round_quantity(chance.uniform(0.1, 3.0), "up")
        tif = chance.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY))
        if kind == "market":
            send(quantity, time_in_force=tif)
        elif kind == "limit":
            send(quantity, near, time_in_force=tif, post_only=tif is TimeInForce.GTC and chance.random() < 0.3)
        elif kind == "stop":
            send(quantity, trigger_price=near)
        elif kind == "stop_limit":
            send(quantity, far, trigger_price=near)
        elif kind == "target":
            send(quantity, trigger_price=near, order_type=OrderType.TAKE_PROFIT)
        else:
            send(quantity, trailing_offset=self.round_price(price * 0.004))


def run(backtest_settings: BacktestSettings) -> BacktestResult:
    """Run it, check what must hold of any run, and run it again."""
    backtest = Backtest(backtest_settings)
    result = backtest.run()
    assert result.failures == ()
    backtest.session.venue.validate()
    assert float(result.end_balance) == pytest.approx(float(result.equity[-1]), rel=1e-9)
    assert not backtest.line.desk.late_fills
    reported = sum(record.reported for record in backtest.line.desk.records())
    assert reported == sum(record.filled for record in backtest.line.desk.records())
    for trade in result.trades:
        order = backtest.line.desk.order(trade.order_id)
        assert order is not None
        if order.price:
            assert trade.price * trade.side.sign <= order.price * trade.side.sign
    assert Backtest(backtest_settings).run().state_hash == result.state_hash
    return result


@settings(max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(
    moves=st.lists(st.tuples(st.integers(-120, 120), st.integers(0, 90), st.integers(0, 90)), min_size=5, max_size=60),
    product=st.sampled_from([Product.PERPETUAL, Product.SPOT]),
    fills=st.builds(
        FillSettings,
        slippage=st.sampled_from([0.0, 0.03]),
        fill_on=st.sampled_from(list(FillOn)),
        max_volume_share=st.sampled_from([0.0, 0.001]),
    ),
    latency_ms=st.sampled_from([0, 5, 70_000]),
)
def test_over_any_bars_fills_lie_within_their_bar_and_the_books_balance(
    moves: list[tuple[int, int, int]], product: Product, fills: FillSettings, latency_ms: int
) -> None:
    rows, cents = [], 10_000
    for change, above, below in moves:
        opening, cents = cents, max(1_000, cents + change)
        high, low = max(opening, cents) + above, min(opening, cents) - below
        rows.append((opening / 100, high / 100, low / 100, cents / 100))
    bars = bars_of(rows)
    instrument = instrument_for(bars, InstrumentTerms(product=product))
    result = run(
        BacktestSettings(
            strategies=((settings_of(Wild), Wild),),
            bars=(bars,),
            instruments=(instrument,),
            fees=FEES,
            fills=fills,
            latency_ns=latency_ms * 1_000_000,
        )
    )
    for trade in result.trades:
        row = int(bars.open_time_ns.searchsorted(trade.venue_time_ns, side="right")) - 1
        slack = fills.slippage + 1e-9
        assert bars.low[row] - slack <= trade.price <= bars.high[row] + slack
    if fills.max_volume_share:
        assert all(trade.quantity <= 1.0 for trade in result.trades)


@pytest.mark.parametrize("latency_ms", [0, 40])
def test_over_recorded_quotes_and_trades_the_books_balance(data_dir: Path, latency_ms: int) -> None:
    name = "BTCUSDT.BINANCE"
    trades = read_trades(data_dir / "ticks" / "btcusdt_trades_20210108.csv.gz", name)
    quotes = read_quotes(data_dir / "ticks" / "btcusdt_quotes_20210108.csv.gz", name)
    instrument = instrument_for(trades, InstrumentTerms(product=Product.PERPETUAL), (quotes,))
    result = run(
        BacktestSettings(
            strategies=((settings_of(Wild, name), Wild),),
            trades=(trades,),
            quotes=(quotes,),
            instruments=(instrument,),
            fees=FEES,
            latency_ns=latency_ms * 1_000_000,
        )
    )
    assert len(result.trades) > 20
    worst, best = min(trades.price.min(), quotes.bid.min()), max(trades.price.max(), quotes.ask.max())
    for trade in result.trades:
        assert trade.price >= worst if trade.side is Side.BUY else trade.price <= best
