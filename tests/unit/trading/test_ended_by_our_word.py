"""An end that nobody but us has told yields to whatever the venue tells of the order later: it counts again, and a kill cancels it."""

import pytest

from foxtrot.core.commands import KillSwitch, ResolveOrder
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.restored_state import fold
from tests.support.builders import a_spot, a_trade, changed
from tests.support.reconcile_rig import ACCOUNT, ReconcileRig

RESTS_AT = 90.0
RESOLVED = (OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED)


def an_order_said_to_be_over(rig: ReconcileRig, status: OrderStatus) -> OrderRecord:
    """An order that rests at the venue while a person says that it is over."""
    order = rig.order(Side.BUY, 1.0, RESTS_AT)
    record = rig.line.desk.index.all[order.order_id]
    record.status = OrderStatus.SUBMITTED  # as if its answer had not come
    rig.put(changed(record.to_order(), status=OrderStatus.UNKNOWN, reason="no answer"))
    rig.put(ResolveOrder(order.order_id, status, "ann", "the venue's page shows none"))
    assert (record.status, record.rule) == (status, "resolved")
    return record


def is_alive_again(rig: ReconcileRig, record: OrderRecord, before: OrderStatus) -> None:
    """Check that the order counts, that somebody was told, and that a kill cancels it."""
    assert record.status is OrderStatus.ACCEPTED
    assert (record.rule, record.reason) == ("", "")
    assert record.remaining_units == record.quantity_units
    (alarm,) = rig.told(RequestFailed)
    assert f"held to be {before} and is accepted" in alarm.error
    rig.line.gate.close("kill", "ann", lasting=True, killed=True)
    rig.put(KillSwitch("kill", "ann"))
    rig.wait(30)
    assert not rig.session.venue.open_orders(ACCOUNT)
    assert record.status is OrderStatus.CANCELLED


def test_an_order_that_the_venue_had_forgotten_and_lists_again_is_open() -> None:
    rig = ReconcileRig(a_spot())
    record = rig.line.desk.index.all[rig.order(Side.BUY, 1.0, RESTS_AT).order_id]
    rig.reconciler._acts.forget(record)
    rig.dispatcher.drain()
    assert (record.status, record.rule) == (OrderStatus.EXPIRED, "forgotten_by_venue")
    rig.reconcile()
    is_alive_again(rig, record, OrderStatus.EXPIRED)


@pytest.mark.parametrize("status", RESOLVED)
def test_an_order_that_a_person_called_over_and_the_venue_lists_is_open(status: OrderStatus) -> None:
    rig = ReconcileRig(a_spot())
    record = an_order_said_to_be_over(rig, status)
    rig.reconcile()
    is_alive_again(rig, record, status)


@pytest.mark.parametrize("status", RESOLVED)
def test_a_restart_between_the_word_and_the_list_changes_nothing(status: OrderStatus) -> None:
    rig = ReconcileRig(a_spot())
    order_id = an_order_said_to_be_over(rig, status).terms.order_id
    rig.crash()
    rig.restart()
    rig.reconcile()
    is_alive_again(rig, rig.line.desk.index.all[order_id], status)


def test_the_journal_tells_that_it_was_over_no_more() -> None:
    rig = ReconcileRig(a_spot())
    order_id = an_order_said_to_be_over(rig, OrderStatus.CANCELLED).terms.order_id
    assert fold(rig.records).orders[order_id].ended is None  # it was told with that end, which says it all
    rig.reconcile()
    life = fold(rig.records).orders[order_id]
    assert life.told is not None
    assert (life.told.status, life.ended) == (OrderStatus.ACCEPTED, None)


def test_a_fill_of_an_order_that_was_called_over_opens_it_until_the_venue_tells_its_end() -> None:
    rig = ReconcileRig(a_spot())
    record = an_order_said_to_be_over(rig, OrderStatus.CANCELLED)
    order = record.to_order()
    at = {"account": ACCOUNT, "instrument_id": order.instrument_id}
    rig.put(a_trade(order.order_id, "9", 0.5, RESTS_AT, **at))
    assert record.status is OrderStatus.PARTIALLY_FILLED
    (alarm,) = rig.told(RequestFailed)
    assert "is partially_filled at the venue" in alarm.error


def test_the_venues_own_end_is_not_replaced_by_our_word() -> None:
    rig = ReconcileRig(a_spot())
    order = rig.order(Side.BUY, 1.0, RESTS_AT)
    record = rig.line.desk.index.all[order.order_id]
    rig.put(changed(order, status=OrderStatus.REJECTED, reason="the venue says so"))
    rig.reconciler._acts.forget(record)
    rig.dispatcher.drain()
    assert (record.status, record.reason) == (OrderStatus.REJECTED, "the venue says so")
