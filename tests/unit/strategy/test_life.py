"""The life of a strategy: stages, who may trade when, commands, reasons to fail."""

import pytest

from foxtrot.api import OrderRefused, OrderStatus, Parameter, Side, Strategy
from foxtrot.core.commands import ReloadStrategy, SetParameters, StartStrategy, StopStrategy
from foxtrot.core.notices import StrategyStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.host import NEXT, Stage
from foxtrot.strategy.strategy_view import view_of
from tests.support.instruments import a_future, a_perpetual, a_spot
from tests.support.line_rig import LineRig
from tests.support.recording import Recording


class Sized(Recording):
    size = Parameter(1.0, "size", minimum=0.1)


def test_a_strategy_goes_through_its_stages_and_hears_them() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    rig.stop()
    assert rig.stages() == ["initialising", "ready", "running", "stopped"]
    assert strategy.heard == [("on_init", None, False), ("on_start", None, True), ("on_stop", None, True)]
    rig.line.strategies.start("one")
    rig.dispatcher.drain()
    assert rig.stages()[4:] == ["initialising", "ready", "running"]


@pytest.mark.parametrize("stage", list(Stage))
def test_every_cell_of_the_table_of_stages(stage: Stage) -> None:
    for target in Stage:
        rig = LineRig(a_perpetual())
        host = rig.add(Recording)
        host.stage = stage
        assert host.move(target) == (target in NEXT[stage])
        assert host.stage is (target if target in NEXT[stage] else stage)
        assert host.seat.may_trade == (host.stage is Stage.RUNNING and target in NEXT[stage])


class Unlucky(Recording):
    def on_start(self) -> None:
        raise KeyError("no such luck")


def test_a_strategy_that_raises_in_on_start_is_never_told_as_running() -> None:
    """Whoever asks may be handled between the raise and the failure, which is an event of its own."""
    rig = LineRig(a_perpetual())
    host = rig.add(Unlucky)
    told: list[tuple[str, str]] = []
    rig.dispatcher.add_tap(lambda *_: told.append((str(host.stage), view_of(host).stage)))
    rig.line.strategies.start("one")
    rig.dispatcher.drain()
    assert ("running", "ready") in told
    assert "running" not in {seen for _, seen in told}
    assert told[-1] == ("failed", "failed")


class Hasty(Recording):
    def on_init(self) -> None:
        """Order too early."""
        super().on_init()
        with pytest.raises(OrderRefused, match="one is initialising: orders need a running strategy"):
            self.buy(1.0)


def test_orders_in_on_init_raise() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Hasty)
    rig.stop()
    with pytest.raises(OrderRefused, match="one is stopped"):
        strategy.sell(1.0)


def test_what_a_handler_needs_is_subscribed_and_nothing_else() -> None:
    class Quiet(Strategy):
        pass

    rig = LineRig(a_perpetual())
    host = rig.add(Quiet)
    wishes = host.wishes()
    assert (wishes.ticks, wishes.trades, wishes.depth_levels, wishes.depth_changes) == (True, False, 0, False)
    wishes = rig.add(Recording, "two", depth_levels=7).wishes()
    assert (wishes.ticks, wishes.trades, wishes.depth_levels, wishes.depth_changes) == (True, True, 7, True)


def test_every_handler_is_called() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99, 101)
    strategy = rig.start(Recording)
    rig.trade(100.0)
    strategy.buy(1.0)
    strategy.set_timer("soon", 1.0)
    strategy.request_book("", 5)
    rig.wait(61)
    rig.stop()
    assert set(strategy.calls()) == {
        "on_init", "on_start", "on_tick", "on_depth", "on_depth_change", "on_market_trade", "on_order", "on_trade", "on_timer",
        "on_book", "on_bar", "on_stop",
    }  # fmt: skip


def test_a_bare_symbol_is_resolved_when_the_strategy_starts() -> None:
    rig = LineRig(a_perpetual(), connect=False)
    host = rig.add(Recording, symbols=("BTCUSDT",))
    rig.connect()
    rig.line.strategies.start("one")
    rig.dispatcher.drain()
    assert (host.strategy.symbols, host.stage) == (("BTCUSDT.PERP",), Stage.RUNNING)
    rig.trade(100.0)
    assert "on_market_trade" in host.strategy.calls()


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("BTCUSDT", "BTCUSDT fits several instruments: BTCUSDT.PERP, BTCUSDT.TEST"),
        ("BTCUSDT.PREP", "instrument BTCUSDT.PREP is not known; did you mean BTCUSDT.PERP"),
        ("ZZZ", "instrument ZZZ is not known"),
    ],
)
def test_a_symbol_that_is_unknown_or_ambiguous_fails_the_start_with_candidates(symbol: str, reason: str) -> None:
    rig = LineRig(a_perpetual(), a_spot())
    strategy = rig.start(Recording, symbols=(symbol,))
    host = rig.line.strategies.hosts["one"]
    assert (host.stage, not hasattr(strategy, "heard")) == (Stage.FAILED, True)
    assert host.reason.startswith(reason)
    other = rig.start(Recording, "two")
    assert other.calls() == ["on_init", "on_start"]


def test_a_calendar_or_interval_that_is_unknown_fails_the_start_and_nothing_else() -> None:
    rig = LineRig(a_perpetual(calendar="XMAR"), a_spot())
    rig.start(Recording)
    assert "calendar 'XMAR' is not known" in rig.line.strategies.hosts["one"].reason
    with pytest.raises(ConfigError, match="interval"):
        rig.add(Recording, "two", interval="5 parsecs")


def test_an_id_account_or_parameter_that_is_wrong_is_refused_when_added() -> None:
    rig = LineRig(a_perpetual())
    rig.add(Sized)
    with pytest.raises(ConfigError, match="exists twice"):
        rig.add(Sized)
    with pytest.raises(ConfigError, match="account other is not configured; there are: main"):
        rig.add(Sized, "two", account="other")
    with pytest.raises(ConfigError, match="size must be at least"):
        rig.add(Sized, "three", parameters={"size": 0.0})
    assert list(rig.line.strategies.hosts) == ["one"]


def test_parameters_are_set_while_it_is_stopped_and_stay() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Sized)
    rig.put(SetParameters("one", (("size", 2.0),)))
    assert (strategy.size, "stop it first" in rig.told(StrategyStatus)[-1].reason) == (1.0, True)
    rig.stop()
    rig.put(SetParameters("one", (("size", 2.0),)))
    rig.put(SetParameters("one", (("size", -2.0),)))
    assert strategy.size == 2.0
    assert "size must be at least 0.1" in rig.told(StrategyStatus)[-1].reason
    assert rig.line.strategies.hosts["one"].settings.parameters == {"size": 2.0}


def test_why_a_strategy_failed_stays_what_it_was_when_parameters_are_set_or_its_code_is_loaded_again() -> None:
    rig = LineRig(a_perpetual())
    rig.start(Sized)
    host = rig.line.strategies.hosts["one"]
    host.fail("on_bar: broken")
    rig.put(SetParameters("one", (("size", 2.0),)))
    rig.put(SetParameters("one", (("size", -2.0),)))
    rig.put(ReloadStrategy("one"))
    told = [(status.state, status.reason.split(":")[0]) for status in rig.told(StrategyStatus)]
    assert [reason for state, reason in told if state == "failed"] == ["on_bar"]
    assert [state for state, _ in told[-3:]] == ["still failed"] * 3
    assert (told[-3][1], str(host.stage), host.reason) == ("parameters set", "failed", "on_bar: broken")


def test_a_command_for_a_strategy_that_does_not_exist_is_answered() -> None:
    rig = LineRig(a_perpetual())
    rig.add(Sized)
    for command in (StartStrategy("oen"), StopStrategy("oen"), SetParameters("oen", ())):
        rig.put(command)
        assert rig.told(StrategyStatus)[-1].reason == "there is no strategy oen; there are: one"
    with pytest.raises(ConfigError, match="there is no strategy oen"):
        rig.line.strategies.start("oen")


class Fragile(Recording):
    """Raises in whichever handler `breaks` names."""

    breaks = Parameter("", "handler")

    def _note(self, name: str, fact: object) -> None:
        super()._note(name, fact)
        if name == self.breaks:
            raise KeyError(name)


@pytest.mark.parametrize(
    "handler", ["on_init", "on_start", "on_tick", "on_bar", "on_order", "on_trade", "on_timer", "on_stop"]
)
def test_whatever_a_strategy_raises_fails_it_alone(handler: str) -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99, 101)
    broken = rig.start(Fragile, "one", parameters={"breaks": handler})
    healthy = rig.start(Recording, "two")
    rig.settle()
    if broken.trading:
        broken.set_timer("soon", 1.0)
        broken.buy(1.0)
    rig.wait(1)
    rig.trade(100.0)
    rig.wait(60)
    rig.stop("one")
    host = rig.line.strategies.hosts["one"]
    assert (host.stage, rig.line.strategies.hosts["two"].stage) == (Stage.FAILED, Stage.RUNNING)
    assert f"KeyError: '{handler}'" in host.reason
    before = len(broken.heard)
    rig.trade(100.0)
    assert (len(broken.heard), healthy.calls()[-1] != "on_start") == (before, True)
    host.strategy.__dict__["breaks"] = ""
    rig.line.strategies.start("one")
    rig.dispatcher.drain()
    assert host.stage is Stage.RUNNING


def test_orders_of_an_earlier_run_are_not_heard_before_on_init() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99, 101)
    first = rig.start(Recording)
    rig.settle()
    order_id = first.buy(1.0, 90.0)
    rig.settle()
    order = rig.line.desk.order(order_id)
    assert order is not None
    again = LineRig(a_perpetual())
    host = again.add(Recording)
    again.put(order)
    assert not hasattr(host.strategy, "heard")
    again.line.strategies.start("one")
    again.dispatcher.drain()
    (found,) = host.strategy.open_orders()
    assert (found.order_id, found.status, found.side) == (order_id, OrderStatus.ACCEPTED, Side.BUY)


def test_what_is_shown_of_a_strategy() -> None:
    rig = LineRig(a_perpetual(), a_future())
    rig.quote(99, 101)
    strategy = rig.start(Sized, parameters={"size": 3.0})
    rig.settle()
    strategy.buy(2.0)
    strategy.buy(1.0, 50.0)
    rig.settle()
    (view,) = rig.line.strategies.views()
    assert (view.strategy_id, view.stage, view.parameters, view.open_orders) == ("one", "running", {"size": 3.0}, 1)
    assert [(held.instrument_id, held.quantity, held.is_dust) for held in view.positions] == [
        ("BTCUSDT.PERP", 2.0, False)
    ]
