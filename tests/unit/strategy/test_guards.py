"""What keeps a strategy in its place: its name, its account, its constructor, and a raise that would end the program."""

import re
from pathlib import Path

import pytest

import foxtrot
from foxtrot.api import OrderRefused, OrderRequest, OrderType, Side, Strategy
from foxtrot.core.notices import StrategyStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.seat import Seat
from foxtrot.strategy.settings import RESERVED_NAMES
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording


class BadConstructor(Strategy):
    def __init__(self, seat: Seat) -> None:
        """Break."""
        super().__init__(seat)
        raise ValueError("no such file")


def test_a_constructor_that_raises_is_a_wrong_configuration_that_names_the_strategy() -> None:
    rig = LineRig(a_perpetual())
    with pytest.raises(ConfigError, match="strategy one: BadConstructor cannot be made: ValueError: no such file"):
        rig.add(BadConstructor)


class Quitter(Recording):
    def on_start(self) -> None:
        """Leave the program."""
        raise SystemExit(5)


def test_a_strategy_that_calls_exit_fails_and_the_run_goes_on() -> None:
    rig = LineRig(a_perpetual())
    rig.start(Quitter)
    status = rig.told(StrategyStatus)[-1]
    assert (status.state, status.reason) == ("failed", "StrategyHost.on_step on StrategyStep: SystemExit: 5")
    other = rig.start(Recording, "two")
    rig.quote(99.0, 101.0)
    assert other.facts("on_tick")


def test_a_request_for_another_account_is_refused() -> None:
    rig = LineRig(a_perpetual(), accounts=("main", "other"))
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording, account="main")
    request = OrderRequest("BTCUSDT.PERP", "other", Side.BUY, OrderType.MARKET, 1.0)
    with pytest.raises(OrderRefused, match="one trades main only") as refused:
        strategy.send(request)
    rig.settle()
    assert (refused.value.rule, rig.net()) == ("account", {})


@pytest.mark.parametrize("name", ["order_desk", "line", "EXTERNAL", "manual", "Engine"])
def test_a_name_of_a_part_of_the_platform_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"strategy name '{name}' is the platform's own"):
        LineRig(a_perpetual()).add(Recording, name)


def test_every_part_that_hears_events_has_a_reserved_name() -> None:
    root = Path(foxtrot.__file__).parent
    source = "\n".join(path.read_text("utf-8") for path in root.rglob("*.py"))
    found = re.findall(r'(?:\bowner=|^OWNER = |^HOUSEKEEPING = )"(\w+)"', source, re.MULTILINE)
    assert len(set(found)) > 10
    assert set(found) <= RESERVED_NAMES
