"""Limits of the venue and clocks that differ: nothing is asked that may not be, and a refusal is told as one."""

from collections.abc import Iterator

import pytest

from foxtrot.domain.enums import AdapterState, OrderStatus, Side
from foxtrot.exchange.faults import Fault
from tests.support import order_truth as truth
from tests.support.trading_scene import PRODUCTS, TradingScene

S = OrderStatus
PLACE = "POST */order"


@pytest.fixture(params=list(PRODUCTS))
def scene(request: pytest.FixtureRequest) -> Iterator[TradingScene]:
    """A connected adapter of each product."""
    made = TradingScene(PRODUCTS[request.param])
    try:
        yield made
    finally:
        made.rig.discard()


# --- limits ---------------------------------------------------------------------------------------------------------


LIMITS = {
    "429": Fault(kind="too_many_requests", retry_after_s=40),
    "418": Fault(kind="banned", retry_after_s=120),
}


@pytest.mark.parametrize("how", list(LIMITS))
def test_nothing_is_asked_until_a_limit_is_over(scene: TradingScene, how: str) -> None:
    rig, fault = scene.rig, LIMITS[how]
    resting = rig.send(quantity=500)
    with scene.fault(fault):
        first = rig.send()
        before = truth.requests(rig)
        orders = [rig.send() for _ in range(3)]
        rig.cancel(resting)
        rig.adapter.query_account()
        rig.adapter.query_orders()
        scene.pass_s(fault.retry_after_s - 2)
        assert truth.requests(rig) == before
        assert scene.statuses(first) == [S.REJECTED]
        assert [scene.statuses(one) for one in orders] == [[S.DENIED]] * 3
        scene.pass_s(3)
    last = rig.send()
    assert rig.received() == [resting, first, last]
    assert scene.statuses(last) == [S.ACCEPTED]
    scene.recover(f"{how} for {fault.retry_after_s:g} s", 10)


def test_nothing_is_asked_until_a_limit_is_over_though_the_link_is_lost(scene: TradingScene) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="too_many_requests", retry_after_s=40)):
        rig.send()
        before = truth.requests(rig)
        rig.lose_link("cut", 0)
        scene.pass_s(37)
        assert truth.requests(rig) == before
        scene.pass_s(5)
    scene.recover("429 for 40 s, the link lost in it", 20)


def test_too_many_orders_stop_orders_and_not_cancels(scene: TradingScene) -> None:
    rig = scene.rig
    resting = rig.send(quantity=500)
    with scene.fault(Fault(kind="error_code", endpoint=PLACE, code=-1015)):
        refused = rig.send()
        assert scene.statuses(refused) == [S.REJECTED]
    stopped = rig.send()
    assert scene.statuses(stopped) == [S.DENIED]
    rig.cancel(resting)
    assert scene.statuses(resting)[-1] is S.CANCELLED
    scene.pass_s(11)
    assert scene.statuses(rig.send()) == [S.ACCEPTED]
    scene.recover("-1015, too many orders", 15)


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_ms", [90_000, -90_000])
def test_a_clock_that_is_off_from_the_beginning_is_measured(scene: TradingScene, skew_ms: int) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="clock_skew", skew_ms=skew_ms)):
        rig.lose_link("cut")
        rig.restore_link(6)
        assert rig.heard.states()[-1] is AdapterState.READY
        order_id = rig.send()
        assert scene.statuses(order_id) == [S.ACCEPTED]
        rig.take(Side.SELL, 300)
        scene.recover(f"the venue's clock is {skew_ms / 1000:+g} s off from the beginning", 5)


@pytest.mark.parametrize("skew_ms", [90_000, -90_000, 6_000, -2_000])
def test_a_clock_that_drifts_away_costs_one_refusal(scene: TradingScene, skew_ms: int) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="clock_skew", skew_ms=skew_ms)):
        refused = rig.send()
        assert scene.statuses(refused) == [S.REJECTED]
        assert rig.heard.reports(refused)[-1].rule == "-1021"
        accepted = rig.send()
        assert scene.statuses(accepted) == [S.ACCEPTED]
        rig.cancel(accepted)
        rig.send(price=0, quantity=100)
        scene.recover(f"the venue's clock jumps by {skew_ms / 1000:+g} s", 5)


def test_a_cancel_under_a_clock_that_drifted_away_is_done(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="clock_skew", skew_ms=90_000)):
        rig.cancel(order_id)
        assert scene.statuses(order_id) == [S.ACCEPTED, S.CANCELLED]
        scene.recover("the venue's clock jumps before a cancel", 5)
