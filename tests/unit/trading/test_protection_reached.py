"""A take-profit at which the market stands when its pair is due: the stop goes alone, and both are a pair once the market is away."""

from foxtrot.core.notices import StrategyLog
from foxtrot.strategy.base import Strategy
from tests.support.instruments import a_spot
from tests.support.line_rig import LineRig


class Trader(Strategy):
    """Does what the test tells it."""


def reached() -> tuple[LineRig, Strategy]:
    """A long position whose stop rests alone, for a venue takes no pair at these prices."""
    rig = LineRig(a_spot())
    trader = rig.start(Trader)
    rig.quote(99.0, 101.0)
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    rig.quote(109.0, 112.0)
    trader.protect(stop=95.0, take_profit=110.0)
    rig.settle()
    assert kinds(trader) == ["stop"]
    return rig, trader


def kinds(trader: Strategy) -> list[str]:
    return sorted(str(order.order_type) for order in trader.open_orders())


def warnings(rig: LineRig) -> list[str]:
    return [log.text for log in rig.told(StrategyLog) if log.level in ("WARNING", "ERROR")]


def test_it_is_a_pair_once_the_stop_has_stood_and_the_market_is_away() -> None:
    rig, trader = reached()
    rig.wait(11.0)
    rig.quote(109.0, 111.5)
    assert kinds(trader) == ["stop"], "the market is still there"
    rig.quote(104.0, 106.0)
    rig.settle()
    assert kinds(trader) == ["limit", "stop"]
    assert warnings(rig) == []


def test_a_stop_that_was_just_placed_is_not_taken_away_again() -> None:
    rig, trader = reached()
    rig.quote(104.0, 106.0)
    rig.wait(5.0)
    rig.quote(104.5, 106.0)
    assert kinds(trader) == ["stop"]
    rig.wait(6.0)
    rig.quote(104.0, 106.0)
    rig.settle()
    assert kinds(trader) == ["limit", "stop"]


def test_meanwhile_the_take_profit_is_taken_by_us() -> None:
    rig, trader = reached()
    rig.quote(110.5, 112.0)
    rig.settle()
    assert trader.position == 0.0
    assert kinds(trader) == []


def test_other_terms_try_a_pair_at_once() -> None:
    rig, trader = reached()
    trader.protect(stop=95.0, take_profit=120.0)
    rig.settle()
    assert kinds(trader) == ["limit", "stop"]
