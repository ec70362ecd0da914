"""Order storms: whoever sends again and again what is refused is failed, with the reason."""

from contextlib import suppress

import pytest

from foxtrot.api import OrderData, OrderRefused, OrderStatus, Strategy
from foxtrot.core.commands import CloseGate, ResumeTrading
from foxtrot.core.notices import HandlerFailed, OrderChanged
from foxtrot.strategy.denial_guard import PER_MOMENT, PER_SECOND
from foxtrot.strategy.host import Stage
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

OFF_GRID = 0.0000001


class Stubborn(Strategy):
    """Sends again whatever is refused."""

    wrong = OFF_GRID

    def on_start(self) -> None:
        """Send the first."""
        self.buy(self.wrong, 90.0)

    def on_order(self, order: OrderData) -> None:
        """Send again."""
        if self.trading and order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
            self.buy(self.wrong, 90.0)


class Looping(Stubborn):
    """Loops inside its handler."""

    def on_start(self) -> None:
        """Never leave by itself."""
        while self.is_flat:
            self.buy(self.wrong, 90.0)


class Swallowing(Stubborn):
    """Takes no notice of what is raised."""

    def on_order(self, order: OrderData) -> None:
        """Send again, twice."""
        for _ in range(2):
            with suppress(OrderRefused):
                self.buy(self.wrong, 90.0)


def refused(rig: LineRig) -> int:
    return sum(change.order.status is OrderStatus.DENIED for change in rig.told(OrderChanged))


@pytest.mark.parametrize("kind", [Stubborn, Looping, Swallowing])
def test_a_loop_of_refused_orders_ends_with_a_failed_strategy_though_no_time_passes(kind: type[Strategy]) -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    other = rig.start(Recording, "two")
    rig.start(kind)
    host = rig.line.strategies.hosts["one"]
    assert (host.stage, refused(rig)) == (Stage.FAILED, PER_MOMENT + 1)
    assert "denial_storm: more than 1000 orders without time passing were refused, the last one denied: " in host.reason
    assert [failure.owner for failure in rig.told(HandlerFailed)] == ["one"]
    rig.quote(99.0, 102.0)
    assert (other.calls()[-1] != "on_start", rig.line.gate.state) == (True, "active")


def test_a_gate_that_is_closed_and_knocked_at_again_and_again_ends_in_the_same_way() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    rig.put(CloseGate("closed by hand"))
    rig.start(type("Knocking", (Stubborn,), {"wrong": 1.0}))
    host = rig.line.strategies.hosts["one"]
    assert (host.stage, refused(rig)) == (Stage.FAILED, PER_MOMENT + 1)
    assert "denial_storm" in host.reason


def deny(rig: LineRig, strategy: Strategy, count: int, pause_ns: int) -> None:
    for _ in range(count):
        rig.clock.advance(pause_ns)
        strategy.buy(OFF_GRID, 90.0)
        rig.dispatcher.drain()


def test_more_than_a_hundred_refusals_within_a_second_are_a_storm() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    deny(rig, strategy, PER_SECOND, 9_000_000)
    with pytest.raises(OrderRefused, match="more than 100 orders within a second were refused") as storm:
        strategy.buy(OFF_GRID, 90.0)
    assert storm.value.rule == "denial_storm"


def test_a_hundred_refusals_a_second_are_none() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    deny(rig, strategy, 5 * PER_SECOND, 10_000_000)
    assert strategy.trading


def test_a_strategy_that_a_person_has_rearmed_begins_anew() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    rig.start(Stubborn)
    assert rig.line.strategies.hosts["one"].stage is Stage.FAILED
    rig.quote(99.0, 102.0)
    rig.line.strategies.hosts["one"].strategy.wrong = 1.0
    rig.line.strategies.start("one")
    rig.settle()
    assert rig.line.strategies.hosts["one"].stage is Stage.FAILED
    rig.put(ResumeTrading("Ann", "mended", strategy_id="one"))
    rig.line.strategies.start("one")
    rig.settle()
    assert rig.line.strategies.hosts["one"].stage is Stage.RUNNING
