"""A strategy that writes into what it hears fails alone: whoever hears the same event after it sees what was told."""

import pytest

from foxtrot.domain.market import DepthData, MarketTrade, TickData
from foxtrot.strategy.host import Stage
from tests.support.builders import a_depth, a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording


class Vandal(Recording):
    """Writes into each fact, by whatever way is named."""

    way = "attribute"

    def spoil(self, fact: object, name: str) -> None:
        """Write."""
        if self.way == "attribute":
            setattr(fact, name, 0.0)
        elif self.way == "delete":
            delattr(fact, name)
        else:
            getattr(fact, name)[0] = (0.0, 0.0)  # a row of a book

    def on_tick(self, tick: TickData) -> None:
        """Spoil it."""
        self.spoil(tick, "bid_price")

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Spoil it."""
        self.spoil(trade, "price")

    def on_depth(self, depth: DepthData) -> None:
        """Spoil it."""
        self.spoil(depth, "bids")


class Deleter(Vandal):
    """Deletes."""

    way = "delete"


class RowWriter(Vandal):
    """Writes into a row."""

    way = "row"


@pytest.mark.parametrize(
    ("vandal", "what"),
    [(kind, what) for kind in (Vandal, Deleter) for what in ("tick", "trade", "depth")] + [(RowWriter, "depth")],
)
def test_who_writes_into_a_fact_fails_alone_and_the_next_one_sees_what_was_told(
    vandal: type[Vandal], what: str
) -> None:
    rig = LineRig(a_perpetual())
    rig.start(vandal, "vandal")
    honest = rig.start(Recording, "honest")
    if what == "tick":
        rig.quote(99.9, 100.1)
        heard = [fact.bid_price for fact in honest.facts("on_tick")]  # type: ignore[attr-defined]
        assert heard[-1] == 99.9
    elif what == "trade":
        rig.trade(100.0)
        assert [fact.price for fact in honest.facts("on_market_trade")] == [100.0]  # type: ignore[attr-defined]
    else:
        told = a_depth(((99.9, 1.0),), ((100.1, 1.0),))
        rig.put(told)
        assert honest.facts("on_depth")[-1].bids == ((99.9, 1.0),)  # type: ignore[attr-defined]
    assert rig.line.strategies.hosts["vandal"].stage is Stage.FAILED
    assert rig.line.strategies.hosts["honest"].stage is Stage.RUNNING
