"""What stands behind an order that OpenD does not answer: no cancel, and no order for longer than its price is worth anything."""

from collections.abc import Iterator

import pytest

from foxtrot.adapter.futu.trade_requests import LATEST_S
from foxtrot.domain.enums import OrderStatus
from tests.support.futu_trading_rig import FutuTradingRig

S = OrderStatus


@pytest.fixture
def rig(futu_sdk: object) -> Iterator[FutuTradingRig]:
    """A connected client of a paper account."""
    with FutuTradingRig() as made:
        yield made.start()


def test_a_cancel_does_not_wait_behind_an_order_that_is_not_answered(rig: FutuTradingRig) -> None:
    order_id = rig.send(price="399.8")
    mute = rig.fault("mute", endpoint="Trd_PlaceOrder")
    rig.adapter.send_order(rig.order(price="399.6"))
    rig.wait(lambda: rig.adapter.session.ledger.spent("place") == 2)
    rig.cancel(order_id)
    rig.until(order_id, S.CANCELLED)
    rig.server.clear_faults(mute)


def test_an_order_that_waited_too_long_behind_another_is_denied_and_never_leaves(rig: FutuTradingRig) -> None:
    rig.fault("delay", endpoint="Trd_PlaceOrder", delay_s=LATEST_S + 1, count=1)
    first, second = rig.order(price="399.8"), rig.order(price="399.6")
    rig.adapter.send_order(first)
    rig.adapter.send_order(second)
    rig.wait(lambda: rig.adapter.session.ledger.spent("place") == 2)
    rig.wait(lambda: rig.requests("Trd_PlaceOrder") == 1)
    rig.clock.advance(int((LATEST_S + 1) * 1e9))
    told = rig.until(second.order_id, S.DENIED)
    assert told.rule == "late"
    rig.until(first.order_id, S.ACCEPTED)
    assert rig.requests("Trd_PlaceOrder") == 1
