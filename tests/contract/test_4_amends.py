"""Promise 4, of changes: a resting order becomes what it is to be under its own id, or stays what it was, and the answer says which."""

import pytest
from msgspec.structs import replace

from foxtrot.core.notices import AmendAnswered
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder
from foxtrot.domain.outcome import Outcome
from tests.support.contract_rig import ContractRig

OURS = 9_950
ELSEWHERE = 9_940


def resting(rig: ContractRig) -> ApprovedOrder:
    """Connect and send an order that rests."""
    rig.require("amend")
    rig.connect()
    order = rig.order(price=OURS)
    rig.adapter.send_order(order)
    rig.settle()
    return order


def amend(rig: ContractRig, order: ApprovedOrder, number: int = 1, **terms: object) -> AmendAnswered:
    """Change an order and return the answer."""
    rig.adapter.amend_order(ApprovedAmend(number, replace(order, **terms)))  # type: ignore[arg-type]
    rig.settle()
    answers = [one for one in rig.heard.of(AmendAnswered) if one.number == number]
    assert [one.order_id for one in answers] == [order.order_id]
    return answers[0]


def test_4_a_change_is_denied_where_the_venue_changes_no_orders(rig: ContractRig) -> None:
    if rig.capabilities.amend:
        pytest.skip(f"{rig.name}: it changes orders")
    rig.connect()
    order = rig.order(price=OURS)
    rig.adapter.send_order(order)
    rig.settle()
    answer = amend(rig, order, price_units=ELSEWHERE)
    assert (answer.outcome, answer.rule) == (Outcome.DENIED_LOCALLY, "no_amend")
    assert rig.open_orders() == {order.order_id}


def test_4_an_order_that_is_changed_rests_with_its_new_terms_under_its_id(rig: ContractRig) -> None:
    order = resting(rig)
    answer = amend(rig, order, price_units=ELSEWHERE, quantity_units=2_000)
    assert (answer.outcome, answer.rule) == (Outcome.CONFIRMED, "")
    assert rig.open_orders() == {order.order_id}
    bids = dict(rig.book()[0])
    assert (bids.get(OURS), bids.get(ELSEWHERE)) == (None, 2_000)
    assert set(rig.received()) == {order.order_id}  # at IB a change is the order itself once more, under its id
    told = rig.heard.reports(order.order_id)[-1]
    assert (told.status, told.quantity) == (OrderStatus.ACCEPTED, rig.spot.quantity(2_000))
    assert told.price == rig.spot.price(ELSEWHERE)


def test_4_a_second_change_follows_the_first_and_the_order_can_be_cancelled(rig: ContractRig) -> None:
    order = resting(rig)
    amend(rig, order, price_units=ELSEWHERE)
    amend(rig, order, 2, price_units=OURS, quantity_units=3_000)
    assert dict(rig.book()[0]).get(OURS) == 3_000
    rig.cancel(order.order_id)
    assert rig.open_orders() == set()
    assert rig.heard.reports(order.order_id)[-1].status is OrderStatus.CANCELLED


def test_4_a_change_that_the_venue_refuses_leaves_the_order_as_it_was(rig: ContractRig) -> None:
    order = resting(rig)
    answer = amend(rig, order, quantity_units=10**9)
    assert answer.outcome is Outcome.REFUSED
    assert answer.reason
    assert dict(rig.book()[0]).get(OURS) == 1_000


def test_4_what_is_not_there_is_not_changed(rig: ContractRig) -> None:
    rig.require("amend")
    rig.connect()
    answer = amend(rig, rig.order(price=OURS), price_units=ELSEWHERE)
    assert answer.outcome in (Outcome.REFUSED, Outcome.DENIED_LOCALLY)
    assert rig.open_orders() == set()


def test_4_before_connecting_nothing_is_changed(rig: ContractRig) -> None:
    rig.require("amend")
    answer = amend(rig, rig.order(price=OURS), price_units=ELSEWHERE)
    assert answer.outcome is Outcome.DENIED_LOCALLY


def test_8_a_change_under_a_closed_permit_does_not_leave(rig: ContractRig) -> None:
    order = resting(rig)
    rig.permit.close("kill switch")
    answer = amend(rig, order, price_units=ELSEWHERE)
    assert (answer.outcome, answer.rule, answer.reason) == (Outcome.DENIED_LOCALLY, "send_permit", "kill switch")
    assert dict(rig.book()[0]).get(OURS) == 1_000
