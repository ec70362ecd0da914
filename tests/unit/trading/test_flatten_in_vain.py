"""A kill that is to close a position where nobody buys: its stops are gone already, so that it must not give up."""

import pytest

from foxtrot.api import OrderType
from foxtrot.core.commands import KillSwitch, ResumeTrading, StopStrategy
from foxtrot.core.notices import StrategyLog, StrategyStatus
from foxtrot.domain.enums import GateState
from foxtrot.exchange.commands import CancelAll
from foxtrot.strategy.settings import ExitPolicy, PositionExit
from tests.support.instruments import a_perpetual
from tests.support.line_rig import CROWD, LineRig
from tests.support.recording import Recording

FLATTEN = KillSwitch("all is lost", "Ann", flatten=True)


def abandoned() -> tuple[LineRig, Recording]:
    """A strategy that is long 2 with a stop, in a market that everybody else has left."""
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    policy = ExitPolicy(position={"on_stop": PositionExit.FLATTEN})
    strategy = rig.start(Recording, exit_policy=policy)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    strategy.sell(2.0, order_type=OrderType.STOP, trigger_price=80.0)
    rig.settle()
    for account in CROWD:
        rig.session.execute(CancelAll(rig.clock.now_ns(), account))
    rig.settle()
    return rig, strategy  # type: ignore[return-value]


def kill(rig: LineRig) -> None:
    rig.line.gate.close(FLATTEN.reason, FLATTEN.who, lasting=True, killed=True)
    rig.put(FLATTEN)
    rig.settle()


def alarms(rig: LineRig) -> list[str]:
    return [log.text for log in rig.told(StrategyLog) if log.level == "ERROR"]


@pytest.mark.parametrize("before_s", [0.0, 5.0])
def test_a_flatten_goes_on_until_somebody_buys_and_says_so_once_a_minute(before_s: float) -> None:
    rig, strategy = abandoned()
    if before_s:  # it is being closed already, by an exit that would give up
        rig.put(StopStrategy("one"))
        rig.wait(before_s)
    kill(rig)
    rig.wait(600)
    assert (strategy.position, rig.line.gate.state) == (2.0, GateState.REDUCING)
    standing = rig.line.kill.standing()
    assert standing is not None
    assert standing.closing == ("one",)
    assert 9 <= len(alarms(rig)) <= 11
    assert "2.000 BTCUSDT" in rig.told(StrategyStatus)[-1].reason
    orders = len(rig.line.desk.index.all)
    assert orders < 60, "with growing pauses"
    rig.quote(69.0, 71.0)
    rig.wait(31)
    assert (strategy.position, rig.line.gate.state) == (0.0, GateState.HALTED)


def test_it_gives_up_once_a_person_has_resumed() -> None:
    rig, strategy = abandoned()
    kill(rig)
    rig.wait(120)
    rig.put(ResumeTrading("Ann", "by hand"))
    rig.wait(31)
    assert strategy.position == 2.0
    assert rig.line.strategies.leaving == frozenset()
    assert "close by hand" in alarms(rig)[-1]
