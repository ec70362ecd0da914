"""Two orders of which one ends the other, by the real adapter on the served exchange: one request, two lives, no order twice."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderStatus, OrderType, Product, Side
from foxtrot.domain.order import OrderData
from foxtrot.exchange.faults import Fault
from tests.support import order_truth as truth
from tests.support.trading_scene import TradingScene

S = OrderStatus
PLACE = "POST */orderList/oco"


@pytest.fixture
def scene() -> Iterator[TradingScene]:
    """A connected spot adapter; the market last traded at 10 000, bids begin at 9 900 and asks at 10 100."""
    made = TradingScene(Product.SPOT)
    try:
        yield made
    finally:
        made.rig.discard()


def send_pair(scene: TradingScene, stop: int = 9_850, limit: int = 10_050, quantity: int = 1_000) -> tuple[str, str]:
    """Send a selling pair and return the ids of its stop and its limit."""
    rig = scene.rig
    first = rig.order(Side.SELL, quantity, 0, order_type=OrderType.STOP, trigger_units=stop)
    second = rig.order(Side.SELL, quantity, limit, post_only=True)
    rig.adapter.send_pair(first, second)
    rig.settle()
    return first.order_id, second.order_id


def last(scene: TradingScene, order_id: str) -> OrderStatus:
    return scene.last(order_id).status


def held(scene: TradingScene) -> Decimal:
    return scene.rig.balances()["BTC"][1]


def test_both_are_taken_by_one_request_and_the_asset_is_held_once(scene: TradingScene) -> None:
    stop, limit = send_pair(scene)
    assert (last(scene, stop), last(scene, limit)) == (S.ACCEPTED, S.ACCEPTED)
    assert scene.rig.open_orders() == {stop, limit}
    assert sorted(scene.rig.received()) == sorted((stop, limit))
    assert held(scene) == 1
    scene.check()


def test_the_limit_trades_in_parts_and_the_stop_is_gone_with_the_first(scene: TradingScene) -> None:
    stop, limit = send_pair(scene)
    scene.rig.take(Side.BUY, 400)
    scene.rig.settle()
    assert (last(scene, stop), last(scene, limit)) == (S.EXPIRED, S.PARTIALLY_FILLED)
    scene.rig.take(Side.BUY, 600)
    scene.rig.settle()
    assert scene.statuses(limit) == [S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED]
    scene.check()
    truth.check_account(scene.rig)


def test_the_stop_is_triggered_and_the_limit_is_gone(scene: TradingScene) -> None:
    stop, limit = send_pair(scene)
    scene.rig.take(Side.SELL, 6_000)
    scene.rig.settle()
    assert (last(scene, stop), last(scene, limit)) == (S.FILLED, S.EXPIRED)
    assert sum(fill.quantity for fill in scene.rig.heard.fills(stop)) == 1.0
    scene.check()


@pytest.mark.parametrize("which", [0, 1])
def test_the_cancel_of_one_is_heard_as_the_end_of_both(scene: TradingScene, which: int) -> None:
    pair = send_pair(scene)
    scene.rig.cancel(pair[which])
    assert [last(scene, one) for one in pair] == [S.CANCELLED, S.CANCELLED]
    assert scene.rig.open_orders() == set()
    scene.check()


@pytest.mark.parametrize("deaf", [False, True])
def test_a_lost_answer_makes_both_unknown_until_each_is_found(scene: TradingScene, deaf: bool) -> None:
    faults = [Fault(kind="ack_lost", endpoint=PLACE)]
    faults += [Fault(kind="go_silent", connection="user")] if deaf else []
    with scene.fault(*faults):
        pair = send_pair(scene)
        scene.pass_s(2)
        assert all(S.REJECTED not in scene.statuses(one) for one in pair)
    for _ in range(20):
        scene.pass_s(1)
    assert [last(scene, one) for one in pair] == [S.ACCEPTED, S.ACCEPTED]
    assert scene.rig.open_orders() == set(pair)
    assert sorted(scene.rig.received()) == sorted(pair)
    scene.check()


def test_a_request_that_never_arrives_leaves_both_unknown_until_they_are_proved_absent(scene: TradingScene) -> None:
    with scene.fault(Fault(kind="http_status", endpoint=PLACE, status=503)):
        pair = send_pair(scene)
        assert [last(scene, one) for one in pair] == [S.UNKNOWN, S.UNKNOWN]
    for _ in range(40):
        scene.pass_s(1)
    assert [last(scene, one) for one in pair] == [S.DENIED, S.DENIED]
    assert scene.rig.open_orders() == set()


def test_a_closed_permit_lets_neither_leave(scene: TradingScene) -> None:
    scene.rig.permit.close("halted")
    pair = send_pair(scene)
    reports = [scene.rig.heard.reports(one)[-1] for one in pair]
    assert [one.status for one in reports] == [S.DENIED, S.DENIED]
    assert scene.rig.open_orders() == set()


def test_what_the_venue_refuses_is_rejected_for_both(scene: TradingScene) -> None:
    pair = send_pair(scene, quantity=11_000)
    reports: list[OrderData] = [scene.rig.heard.reports(one)[-1] for one in pair]
    assert [(one.status, one.rule) for one in reports] == [(S.REJECTED, "-2010")] * 2
    assert held(scene) == 0


def test_a_pair_on_contracts_is_denied() -> None:
    scene = TradingScene(Product.PERPETUAL)
    try:
        pair = send_pair(scene)
        assert [(one.status, one.rule) for name in pair for one in scene.rig.heard.reports(name)] == [
            (S.DENIED, "no_oco"),
            (S.DENIED, "no_oco"),
        ]
    finally:
        scene.rig.discard()
