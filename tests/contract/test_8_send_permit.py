"""Promise 8: nothing is sent once the send permit is closed; what was parked comes back as DENIED."""

import pytest

from foxtrot.domain.enums import GateState, OrderStatus, Side
from foxtrot.domain.order import CancelRequest
from tests.support.contract_rig import ContractRig


def _statuses(rig: ContractRig, order_id: str) -> list[OrderStatus]:
    return [report.status for report in rig.heard.reports(order_id)]


def test_8_an_order_under_a_closed_permit_comes_back_denied_with_the_reason(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.close("kill switch")
    order_id = rig.send()
    (report,) = rig.heard.reports(order_id)
    assert report.status is OrderStatus.DENIED
    assert report.rule == "send_permit"
    assert "kill switch" in report.reason
    assert rig.received() == []


def test_8_a_denied_order_is_told_with_its_terms(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.close("kill switch")
    order_id = rig.send(side=Side.SELL, quantity=1_234, price=10_050, post_only=True)
    (report,) = rig.heard.reports(order_id)
    assert (report.side, report.quantity, report.price, report.post_only) == (Side.SELL, 1.234, 100.5, True)
    assert (report.account, report.instrument_id) == (rig.account, rig.spot.instrument_id)
    assert (report.filled_quantity, report.venue_order_id) == (0.0, "")


def test_8_orders_queued_when_the_permit_closes_come_back_denied(rig: ContractRig) -> None:
    rig.connect()
    with rig.held():
        orders = [rig.order() for _ in range(5)]
        for order in orders:
            rig.adapter.send_order(order)
        rig.permit.close("kill switch")
    rig.settle()
    assert rig.received() == []
    assert [_statuses(rig, order.order_id) for order in orders] == [[OrderStatus.DENIED]] * 5


def test_8_only_what_left_before_the_closing_is_at_the_venue(rig: ContractRig) -> None:
    rig.connect()
    left = rig.send()
    with rig.held():
        parked = rig.order()
        rig.adapter.send_order(parked)
        rig.permit.close("kill switch")
    rig.settle()
    assert rig.received() == [left]
    assert rig.open_orders() == {left}


def test_8_orders_asked_for_while_reconnecting_do_not_leave_later(rig: ContractRig) -> None:
    rig.connect()
    rig.lose_link("cable pulled")
    order_id = rig.send()
    rig.permit.close("kill switch")
    rig.restore_link()
    rig.advance(60)
    assert rig.received() == []
    assert _statuses(rig, order_id) == [OrderStatus.DENIED]


def test_8_a_denied_order_does_not_leave_when_the_permit_opens(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.close("kill switch")
    denied = rig.send()
    rig.permit.allow(GateState.ACTIVE)
    later = rig.send()
    rig.advance(60)
    assert rig.received() == [later]
    assert _statuses(rig, denied) == [OrderStatus.DENIED]
    assert _statuses(rig, later) == [OrderStatus.ACCEPTED]


def test_8_cancels_pass_a_closed_permit(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    rig.permit.close("kill switch")
    rig.cancel(order_id)
    assert rig.open_orders() == set()
    assert _statuses(rig, order_id)[-1] is OrderStatus.CANCELLED


def test_8_cancels_queued_when_the_permit_closes_still_go(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    with rig.held():
        rig.adapter.cancel_order(CancelRequest(order_id, rig.account, rig.spot.instrument_id))
        rig.permit.close("kill switch")
    rig.settle()
    assert rig.open_orders() == set()


def test_8_queries_pass_a_closed_permit(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.close("kill switch")
    before = len(rig.heard)
    rig.adapter.query_account()
    rig.adapter.query_orders()
    rig.settle()
    assert len(rig.heard.events(before)) == 2


def test_8_a_reducing_order_passes_while_only_reducing_is_allowed(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.allow(GateState.REDUCING, "loss limit")
    order_id = rig.send(side=Side.SELL, reduces=True, price=10_050)
    assert _statuses(rig, order_id) == [OrderStatus.ACCEPTED]


def test_8_any_other_order_is_denied_while_only_reducing_is_allowed(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.allow(GateState.REDUCING, "loss limit")
    order_id = rig.send()
    assert _statuses(rig, order_id) == [OrderStatus.DENIED]
    assert "loss limit" in rig.heard.reports(order_id)[0].reason
    assert rig.received() == []


def test_8_a_reducing_order_is_denied_too_when_everything_is_halted(rig: ContractRig) -> None:
    rig.connect()
    rig.permit.close("kill switch")
    order_id = rig.send(side=Side.SELL, reduces=True, price=10_050)
    assert _statuses(rig, order_id) == [OrderStatus.DENIED]
    assert rig.received() == []


@pytest.mark.parametrize("threads", [1, 4])
def test_8_once_closing_has_returned_nothing_more_reaches_the_venue(rig: ContractRig, threads: int) -> None:
    rig.connect()
    batches = [[rig.order(quantity=100, price=9_000) for _ in range(100)] for _ in range(threads)]

    def send(batch):  # type: ignore[no-untyped-def]
        return lambda: [rig.adapter.send_order(order) for order in batch]

    with rig.together([send(batch) for batch in batches]):
        while not rig.received():
            pass
        rig.permit.close("kill switch")
        left = len(rig.landed())
    rig.settle()
    assert len(rig.received()) == left
    for batch in batches:
        for order in batch:
            sent = order.order_id in rig.open_orders()
            assert _statuses(rig, order.order_id) == [OrderStatus.ACCEPTED if sent else OrderStatus.DENIED]
