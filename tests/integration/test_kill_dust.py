"""A flatten that leaves dust is done: it says what no order can close, and needs nobody; what could be sold still needs a person."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support import steered_platform
from tests.support.steered_platform import Steered, steered
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = {{ instruments = "BTCUSDT.BINANCE", balances = "USDT=100000" }}

[strategy.holder]
class = "{folder}/holder.py:{name}"
account = "paper"
symbols = ["BTCUSDT.BINANCE"]
capital = 10000
orders = "keep"
"""
STRATEGIES = '''
from foxtrot.api import Strategy


class Buyer(Strategy):
    """Buys once; the fee is taken from what it bought."""

    keeps = 0.0

    def on_start(self):
        self.step = 0

    def on_tick(self, tick):
        if self.step == 0 and tick.bid_price and tick.ask_price:
            self.step = 1
            self.buy(0.02345)
        elif self.step == 1 and self.position > 0.019 and self.keeps:
            self.step = 2
            self.sell(self.round_quantity(self.position - self.keeps))


class Sweeper(Buyer):
    """Sells all but a rest that is worth less than the least order."""

    keeps = 0.00005
'''
NAME = "BTCUSDT.BINANCE"


@pytest.fixture
def spot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steered_platform, "CONFIG", CONFIG)
    monkeypatch.setattr(steered_platform, "STRATEGIES", STRATEGIES)


@pytest.fixture
def platform(spot: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Steered]:
    with steered(tmp_path, capsys, "Buyer") as running:
        wait_until(lambda: held(running) > Decimal("0.019"))
        yield running


def held(running: Steered) -> Decimal:
    """What the strategy holds."""
    line = running.platform.line
    found: Decimal = running.platform.ask(
        lambda: sum((one.exact_quantity for _, one in line.portfolio.positions("holder")), Decimal(0))
    )
    return found


def test_a_fee_s_rest_below_a_lot_is_told_and_needs_nobody(platform: Steered) -> None:
    status, found = platform.ask("kill", "--flatten")
    left = held(platform)
    assert 0 < left < Decimal("0.00001")
    assert (status, found["needs_person"], found["flatten"]) == (0, False, True)
    (dust,) = found["dust"]  # type: ignore[misc]
    assert (dust["owner"], dust["instrument_id"], Decimal(str(dust["quantity"]))) == ("holder", NAME, left)
    assert dust["dust"] == "orders go in steps of 0.00001"
    assert found["positions"] == found["dust"]
    status, out, err = platform.say("kill", "--flatten")
    assert status == 0
    assert f"dust is left: {left:f} {NAME} of holder on paper: no order can close it, for orders go in steps" in out
    assert "to be closed" not in err, "there is nothing to be sold any more"


def test_what_is_worth_less_than_the_least_order_is_dust_too(
    spot: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with steered(tmp_path, capsys, "Sweeper") as running:
        wait_until(lambda: Decimal("0.00004") < held(running) < Decimal("0.0001"))
        status, out, err = running.say("kill", "--flatten")
        assert status == 0, out + err
        assert "and the least value of an order is 5 USDT" in out


def test_what_could_be_sold_and_is_not_needs_a_person(platform: Steered, monkeypatch: pytest.MonkeyPatch) -> None:
    line = platform.platform.line
    assert line.kill.flattener is not None
    monkeypatch.setattr(line.kill.flattener, "begin", lambda *, everything: None)
    status, found = platform.ask("kill", "--flatten", "--wait", "0.3")
    assert (status, found["needs_person"], found["dust"]) == (3, True, [])
    assert held(platform) > Decimal("0.019")
