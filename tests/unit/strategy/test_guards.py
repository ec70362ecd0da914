"""What keeps a strategy in its place: its name, its account, its constructor, and a raise that would end the program."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
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
    reason = r"StrategyHost.on_step on StrategyStep: SystemExit: 5 \(test_guards.py:\d+ in on_start\)"
    assert (status.state, bool(re.fullmatch(reason, status.reason))) == ("failed", True)
    other = rig.start(Recording, "two")
    rig.quote(99.0, 101.0)
    assert other.facts("on_tick")


class Asking(Strategy):
    """Asks for something that makes no sense, in on_init."""

    question: Callable[[Strategy], object]

    def on_init(self) -> None:
        """Ask."""
        type(self).question(self)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda s: s.load_bar(-5), "load_bar needs a count of at least 1, a whole number, not -5"),
        (lambda s: s.load_bar(2.5), "load_bar needs a count of at least 1, a whole number, not 2.5"),
        (lambda s: s.load_bar("9"), "load_bar needs a count of at least 1, a whole number, not '9'"),
        (lambda s: s.load_bar(True), "load_bar needs a count of at least 1, a whole number, not True"),
        (lambda s: s.request_book("", 2.5), "request_book needs levels of at least 1, a whole number, not 2.5"),
        (lambda s: s.set_timer("beat", 0.0), "timer 'beat' needs seconds above 0, not 0.0"),
        (lambda s: s.set_timer("beat", -1.0), "timer 'beat' needs seconds above 0, not -1.0"),
        (lambda s: s.set_timer("beat", float("nan")), "timer 'beat' needs seconds above 0, not nan"),
        (lambda s: s.set_timer("beat", 1e-10, repeat=True), "timer 'beat' needs seconds above 0, not 1e-10"),
    ],
)
def test_a_count_or_time_that_makes_no_sense_fails_the_one_that_asks(
    question: Callable[[Strategy], object], message: str
) -> None:
    rig = LineRig(a_perpetual())
    rig.start(type("Asks", (Asking,), {"question": question}))
    assert f"ConfigError: one: {message} (test_guards.py:" in rig.line.strategies.hosts["one"].reason


def test_numpy_counts_bars_as_well() -> None:
    rig = LineRig(a_perpetual())
    rig.trade(100.0)
    rig.wait(61)
    rig.start(type("Asks", (Asking,), {"question": lambda s: s.load_bar(np.int64(1))}))
    assert rig.stages()[-1] == "running"


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
