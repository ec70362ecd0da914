"""What a result says of its run: what was refused and why, what failed, what strategies said, what was assumed."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.backtest.assumptions import ZERO_COST, ZERO_LATENCY
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import BacktestSettings, InstrumentTerms
from foxtrot.core.notices import StrategyLog
from foxtrot.domain.enums import Product
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.market import BarData
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import MINUTE_NS, T0, bars_of, on_bars, settings_of

ROWS = [(100, 101, 99, 100)] * 10


def run(
    strategy: type[Strategy], *, latency_ns: int = 0, **settings: object
) -> tuple[BacktestResult, list[tuple[str, str, int]]]:
    """Return the result, and what was said as (level, text, minute)."""
    bars, heard = bars_of(ROWS), list[StrategyLog]()
    product = settings.pop("product", Product.PERPETUAL)
    assert isinstance(product, Product)
    instrument = instrument_for(bars, InstrumentTerms(product=product, tick=Decimal("0.01")))
    known = BacktestSettings(
        strategies=((settings_of(strategy), strategy),), bars=(bars,), instruments=(instrument,), latency_ns=latency_ns
    )
    result = Backtest(msgspec.structs.replace(known, **settings), hear=heard.append).run()
    return result, [(line.level, line.text, (line.local_time_ns - T0) // MINUTE_NS) for line in heard]


def test_orders_the_account_cannot_pay_are_counted_by_reason() -> None:
    deeds = {1: lambda s: s.buy(50), 2: lambda s: s.buy(50), 3: lambda s: s.buy(50, 99.5)}
    result, _ = run(on_bars(deeds), product=Product.SPOT, balance=Decimal(100))
    assert result.trades == ()
    assert result.refused == {"account.insufficient_balance": 3}
    sentence = "the venue refused 3 orders, or what was left of them: account.insufficient_balance"
    assert sentence in result.every_warning
    assert sentence in result.summary()["warnings"]  # type: ignore[operator]


def test_an_order_that_its_strategy_cancelled_is_not_refused() -> None:
    result, _ = run(on_bars({1: lambda s: s.buy(1, 50.0), 2: lambda s: s.cancel_all()}))
    assert (result.orders, result.refused) == (1, {})


def test_what_a_strategy_says_is_heard_once_at_its_simulated_time() -> None:
    class Speaker(Strategy):
        def on_init(self) -> None:
            self.load_bar(3)
            self.log("hello")

        def on_bar(self, bar: BarData) -> None:
            if self.trading:
                self.log("bar", "WARNING")

    _, heard = run(Speaker)
    assert heard == [("INFO", "hello", 3)] + [("WARNING", "bar", minute) for minute in range(4, 11)]


def test_without_a_warm_up_what_on_init_says_is_heard_too() -> None:
    class Speaker(Strategy):
        def on_init(self) -> None:
            self.log("hello")

    assert run(Speaker)[1] == [("INFO", "hello", 0)]


def test_a_failure_is_heard_as_one_error() -> None:
    def fail(_strategy: Strategy) -> None:
        raise ValueError("no price")

    result, heard = run(on_bars({4: fail}))
    ((level, text, minute),) = heard
    assert (level, minute) == ("ERROR", 5)
    assert "no price" in text
    assert result.failures == (f"test: {text}",)


@pytest.mark.parametrize("latency_ns", [0, MINUTE_NS])
def test_on_stop_is_called_at_the_end_and_what_it_raises_is_a_failure(latency_ns: int) -> None:
    class Bad(Strategy):
        def on_stop(self) -> None:
            raise ValueError("cannot end")

    result, heard = run(Bad, latency_ns=latency_ns)
    assert len(result.failures) == len(heard) == 1
    assert "cannot end" in result.failures[0]


def test_the_stop_closes_no_position_and_orders_it_sends_meet_no_market() -> None:
    class Last(on_bars({1: lambda s: s.buy(1)})):  # type: ignore[misc]
        def on_stop(self) -> None:
            self.sell(1)

    result, _ = run(Last)
    assert result.failures == ()
    assert [trade.side.value for trade in result.trades] == ["buy"]


def test_a_strategy_that_the_engine_failed_is_a_failure() -> None:
    class Unheard(Strategy):
        def on_init(self) -> None:
            self.load_bar(3, "NOBODY.X")

    result, _ = run(Unheard)
    assert len(result.failures) == 1


def test_a_warm_up_over_all_of_history_is_warned_of() -> None:
    class Greedy(Strategy):
        def on_init(self) -> None:
            self.load_bar(len(ROWS))

    result, _ = run(Greedy)
    assert "nothing was replayed" in result.warnings[-1]
    assert run(Strategy)[0].warnings == ()


def test_free_and_instant_trading_are_warned_of() -> None:
    free, _ = run(Strategy)
    assert free.every_warning == [ZERO_COST, ZERO_LATENCY]
    paid, _ = run(Strategy, latency_ns=1, fees=FeeSchedule.percentage("0.0002", "0.0002"))
    assert paid.every_warning == []
    assert paid.summary()["warnings"] == []
    assert paid.summary()["assumptions"]["fees"] == "0.02 % maker / taker of notional"  # type: ignore[index]
