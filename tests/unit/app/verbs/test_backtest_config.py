"""A configuration given to backtest: its account's limits and position mode, its rates and its day hold as they do live."""

from pathlib import Path

import pytest

ACCOUNT = '[account.paper]\nadapter = "simulated"\n'
STRATEGY = '[strategy.{0}]\nclass = "{1}"\naccount = "{2}"\nsymbols = ["BTCUSDT.BINANCE"]\n'
ONE = STRATEGY.format("one", "double_ma", "paper") + "params = { fast = 2, slow = 4 }\n"
HEDGER = """\
from foxtrot.api import Strategy
from foxtrot.domain.enums import PositionSide
class Hedger(Strategy):
    def on_bar(self, bar):
        if bar.close == 105.0:
            self.buy(2.0)
            self.short(3.0)
        elif bar.close == 107.0:
            name = bar.instrument_id
            held = self.position_of(name, PositionSide.LONG), self.position_of(name, PositionSide.SHORT)
            raise RuntimeError(f"holds {held}")
"""


@pytest.fixture
def test_of(run, bars: Path, tmp_path: Path):
    """Return a function that backtests a configuration on the forty bars."""

    def run_config(text: str) -> tuple[int, dict[str, object]]:
        (tmp_path / "c.toml").write_text(text, "utf-8")
        return run("backtest", "c.toml", "--bars", f"BTCUSDT={bars}")

    return run_config


def test_limits_of_the_account_refuse_orders(test_of) -> None:
    assert test_of(ACCOUNT + ONE)[1]["trades"] == 2
    status, result = test_of(ACCOUNT + "[account.paper.limits]\nmax_order_quantity = 0.5\n" + ONE)
    assert status == 0
    assert (result["trades"], list(result["denied"])) == (0, ["max_order_quantity"])


def test_a_hedging_account_holds_both_sides(test_of, tmp_path: Path) -> None:
    (tmp_path / "hedger.py").write_text(HEDGER, "utf-8")
    hedger = STRATEGY.format("one", "hedger.py", "paper")
    assert "holds (2.0, -3.0)" in str(test_of(ACCOUNT + 'position_mode = "hedging"\n' + hedger)[1]["failures"])
    assert "holds (2.0, -3.0)" not in str(test_of(ACCOUNT + hedger)[1]["failures"])


def test_money_of_limits_is_converted_by_the_rates_of_the_configuration(test_of) -> None:
    text = '[platform]\nbase_currency = "EUR"\n[risk]\nmax_order_notional = 60\n' + ACCOUNT + ONE
    assert test_of(text)[1]["denied"].keys() == {"max_order_notional"}
    assert test_of(text + '[rates]\n"USDT/EUR" = 0.25\n')[1]["trades"] == 2
    assert test_of(text + '[rates]\n"USDT/EUR" = 0.9\n')[1]["trades"] == 0


def test_accounts_that_differ_are_refused(test_of) -> None:
    other = '[account.other]\nadapter = "simulated"\nposition_mode = "hedging"\n'
    text = ACCOUNT + other + ONE + STRATEGY.format("two", "double_ma", "other")
    status, result = test_of(text)
    assert status == 2
    assert "[account.paper] and [account.other] differ in limits or position_mode" in result["error"]["message"]
    assert test_of(text.replace('position_mode = "hedging"\n', ""))[0] == 0
