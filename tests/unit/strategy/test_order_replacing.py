"""An order is changed where the venue changes none: never two at once, never more than was left, nothing after somebody cancelled."""

import pytest

from foxtrot.core.commands import CancelAllOrders, CancelOrder, KillSwitch, ReplaceOrder, SendProtectedOrder
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.strategy.order_replacing import PATIENCE_NS
from tests.support.builders import a_perpetual
from tests.support.line_rig import LineRig

NAME = "BTCUSDT.PERP"


@pytest.fixture
def rig() -> LineRig:
    made = LineRig(a_perpetual())
    made.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    made.quote(99.0, 101.0)
    return made


def rest(rig: LineRig, price: float = 98.0, quantity: float = 2.0) -> str:
    order_id = rig.line.desk.submit(
        OrderRequest(NAME, "main", Side.BUY, OrderType.LIMIT, quantity, price, post_only=True), "manual"
    )
    rig.settle()
    return order_id


def resting(rig: LineRig) -> list[tuple[float, float]]:
    return [(r.terms.price, r.to_order().remaining_quantity) for r in rig.line.desk.open_records("manual")]


def why(rig: LineRig) -> list[str]:
    return [failure.error for failure in rig.told(RequestFailed)]


def test_what_is_left_is_placed_at_the_new_price(rig: LineRig) -> None:
    order_id = rest(rig, 99.5)
    rig.hit(Side.SELL, 0.5, 99.5)
    rig.put(ReplaceOrder(AmendRequest(order_id, price=97.0)))
    rig.settle()
    assert resting(rig) == [(97.0, 1.5)]
    (record,) = rig.line.desk.open_records("manual")
    assert (record.terms.post_only, record.terms.side, record.owner) == (True, Side.BUY, "manual")


def test_another_quantity_counts_what_was_filled(rig: LineRig) -> None:
    order_id = rest(rig, 99.5)
    rig.hit(Side.SELL, 0.5, 99.5)
    rig.put(ReplaceOrder(AmendRequest(order_id, quantity=3.0)))
    rig.settle()
    assert resting(rig) == [(99.5, 2.5)]


def test_an_order_that_ended_is_not_placed_again(rig: LineRig) -> None:
    order_id = rest(rig, 99.5)
    rig.hit(Side.SELL, 2.0, 99.5)
    rig.put(ReplaceOrder(AmendRequest(order_id, price=97.0)))
    rig.settle()
    assert resting(rig) == []
    assert "an open order" in why(rig)[0]


@pytest.mark.parametrize("taken_back", ["cancel", "all", "kill"])
def test_whoever_cancels_takes_the_wish_back(rig: LineRig, taken_back: str) -> None:
    order_id = rest(rig)
    rig.dispatcher.put(ReplaceOrder(AmendRequest(order_id, price=97.0)))
    command = {"cancel": CancelOrder(order_id), "all": CancelAllOrders(), "kill": KillSwitch("test", "me")}[taken_back]
    rig.put(command)
    rig.settle()
    assert resting(rig) == []


def test_a_cancel_that_is_told_too_late_places_nothing(rig: LineRig, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = rest(rig)
    monkeypatch.setattr("foxtrot.strategy.order_replacing.PATIENCE_NS", -1)
    rig.put(ReplaceOrder(AmendRequest(order_id, price=97.0)))
    rig.settle()
    assert (resting(rig), PATIENCE_NS > 0) == ([], True)
    assert "too long" in why(rig)[0]


def test_orders_of_a_protection_follow_that_alone(rig: LineRig) -> None:
    entry = OrderRequest(NAME, "main", Side.BUY, OrderType.MARKET, 1.0)
    rig.put(SendProtectedOrder(entry, "manual", stop=95.0))
    rig.settle()
    (stop,) = rig.line.desk.open_records("manual")
    rig.put(ReplaceOrder(AmendRequest(stop.key, trigger_price=94.0)))
    rig.settle()
    assert "follows its protection" in why(rig)[0]
    assert [r.status for r in rig.line.desk.open_records("manual")] == [OrderStatus.ACCEPTED]
