"""What a run tells of fills that are older than itself: a day of them, and of an order left open nothing but what is new."""

from collections.abc import Iterator

import pytest

from foxtrot.core.notices import TradesLoaded
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.order import TradeData
from foxtrot.exchange.faults import Fault
from tests.support.binance_rig import BinanceRig

LONG_NS = 25 * 3_600_000_000_000


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def rig(request: pytest.FixtureRequest) -> Iterator[BinanceRig]:
    """An adapter of a run that starts 25 hours after 0.2 of an order were filled, and an hour after 0.3 more."""
    made = BinanceRig(request.param)
    try:
        made.place_elsewhere("earlier", Side.BUY, 9_960, 3_000)
        made.take(Side.SELL, 200)
        made.clock.advance(LONG_NS - 3_600_000_000_000)
        made.server.step()
        made.take(Side.SELL, 300)
        made.clock.advance(3_600_000_000_000)
        made.server.step()
        made.new_adapter()
        made.connect()
        yield made
    finally:
        made.discard()


def _listed(rig: BinanceRig) -> list[float]:
    return [trade.quantity for trade in rig.heard.of(TradesLoaded)[-1].trades]


def test_fills_of_the_last_day_are_told_and_none_that_is_older_though_it_is_asked_for(rig: BinanceRig) -> None:
    assert _listed(rig) == [0.3]
    rig.adapter.query_trades(0)
    rig.settle()
    assert len(rig.heard.of(TradesLoaded)) == 2
    assert _listed(rig) == [0.3]


def test_a_fill_that_is_missed_is_asked_for_and_those_from_before_the_run_are_not_told_with_it(rig: BinanceRig) -> None:
    number = rig.server.inject(Fault(kind="gap", stream="fills", count=1))
    rig.take(Side.SELL, 100)
    rig.settle()
    rig.server.clear_faults(number)
    rig.take(Side.SELL, 500)
    rig.settle()
    rig.advance(3)
    assert sorted(trade.quantity for trade in rig.heard.of(TradeData)) == [0.1, 0.5]
