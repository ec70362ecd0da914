"""One strategy raises anywhere; what the other hears and does is unchanged, to the last event."""

from collections.abc import Callable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.api import BarData, Parameter, TickData
from foxtrot.strategy.host import Stage
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

Move = tuple[str, int]
moves = st.lists(st.tuples(st.sampled_from(["trade", "quote", "wait"]), st.integers(0, 20)), min_size=5, max_size=25)


class Steady(Recording):
    """Trades a little, so that its own orders and fills are part of what it hears."""

    def on_tick(self, tick: TickData) -> None:
        """Keep one bid below the market."""
        super().on_tick(tick)
        if not self.open_orders() and tick.bid_price:
            self.buy(1.0, tick.bid_price)

    def on_bar(self, bar: BarData) -> None:
        """Close at every bar."""
        super().on_bar(bar)
        self.close_position()


class Bomb(Recording):
    """Raises at its n-th call, whatever that is."""

    fuse = Parameter(0, "calls until it raises; 0 for never")

    def _note(self, name: str, fact: object) -> None:
        super()._note(name, fact)
        if len(self.heard) == self.fuse:
            raise RuntimeError(f"call {self.fuse}")


def play(story: list[Move], fuse: int) -> tuple[LineRig, Steady]:
    rig = LineRig(a_perpetual(), accounts=("first", "second"))
    rig.quote(99.0, 101.0)
    steady = rig.start(Steady, "steady", account="first", interval="1m")
    rig.start(Bomb, "bomb", account="second", interval="1m", parameters={"fuse": fuse})
    actions: dict[str, Callable[[int], None]] = {
        "trade": lambda n: rig.trade(100.0 + n / 10 - 1.0),
        "quote": lambda n: rig.quote(98.0 + n / 100, 102.0 - n / 100),
        "wait": lambda n: rig.wait(3.0 * n),
    }
    for name, number in story:
        actions[name](number)
    assert isinstance(steady, Steady)
    return rig, steady


def sequence(strategy: Steady) -> list[bytes]:
    return [msgspec.json.encode((name, fact, trading)) for name, fact, trading in strategy.heard]


@settings(max_examples=40)
@given(story=moves, fuse=st.integers(1, 40))
def test_the_other_hears_and_does_exactly_the_same(story: list[Move], fuse: int) -> None:
    calm, expected = play(story, 0)
    rig, found = play(story, fuse)
    exploded = len(calm.line.strategies.hosts["bomb"].strategy.heard) >= fuse  # type: ignore[attr-defined]
    assert rig.line.strategies.hosts["bomb"].stage is (Stage.FAILED if exploded else Stage.RUNNING)
    assert rig.line.strategies.hosts["steady"].stage is Stage.RUNNING
    assert sequence(found) == sequence(expected)
    assert rig.session.venue.positions("first") == calm.session.venue.positions("first")
    assert str(rig.line.gate.state) == "active"


def test_a_strategy_started_again_and_again_after_its_failures_costs_the_other_nothing() -> None:
    class Hopeless(Recording):
        def on_market_trade(self, trade: object) -> None:
            """Raise every time."""
            raise ValueError("again")

    rig = LineRig(a_perpetual())
    steady = rig.start(Recording, "steady")
    rig.start(Hopeless, "bomb")
    for number in range(200):
        rig.trade(100.0)
        if number % 2:
            rig.line.strategies.start("bomb")
            rig.dispatcher.drain()
    assert len(steady.facts("on_market_trade")) == 200
    assert rig.dispatcher.failures == 100
