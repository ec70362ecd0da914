"""Changes that were told as made and were not, and orders that a change has ended: never counted as less than what rests."""

import pytest

from foxtrot.core.notices import IntentDurable, RequestFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.market import REST
from foxtrot.domain.outcome import Outcome
from tests.support.builders import a_trade, an_order
from tests.unit.trading.test_order_amends import BOUND_S, AmendFloor, SlowJournal, _again

O = Outcome  # noqa: E741


def test_a_restart_between_the_new_terms_and_the_end_of_a_change_counts_no_less_than_the_order_is() -> None:
    journal = SlowJournal()
    made = AmendFloor(journal=journal)
    made.amend(quantity=2.0)
    made.put(IntentDurable((f"{made.order_id}/1",)))
    made.answer(O.CONFIRMED)
    _, desk = _again(journal.records[:-1])
    [record] = desk.open_records()
    assert record.pending_units == 2000
    assert record.terms.quantity == 2.0


@pytest.mark.parametrize("by_report", [True, False])
def test_a_change_that_the_venue_took_back_is_none_once_its_list_says_so_past_the_bound(by_report: bool) -> None:
    made = AmendFloor()
    made.amend(quantity=0.5, price=99.0)
    if by_report:
        made.told(0.5, 99.0)
    made.answer(O.CONFIRMED)
    made.told()
    made.told(source=REST)  # on its way while the change was made
    assert (made.order.quantity, made.pending()) == (0.5, 500)
    made.clock.advance(int(BOUND_S * 1e9))
    made.told()
    assert (made.order.quantity, made.pending()) == (0.5, 500)
    made.told(source=REST)
    assert (made.order.quantity, made.order.price, made.pending()) == (1.0, 100.0, 1000)
    assert "as it was" in made.heard(RequestFailed)[-1].error  # type: ignore[attr-defined]
    made.told(0.5, 99.0)
    assert made.pending() == 1000
    assert made.amend(quantity=0.4) == 2


def test_a_change_that_was_refused_after_its_terms_were_told_is_none() -> None:
    made = AmendFloor()
    made.amend(quantity=0.5)
    made.told(0.5)
    made.answer(O.REFUSED, rule="venue", reason="201")
    assert (made.order.quantity, made.pending()) == (1.0, 1000)


def test_an_order_that_its_change_has_filled_is_open_no_more() -> None:
    made = AmendFloor()
    made.amend(quantity=0.5)
    made.put(a_trade(made.order_id, "a", 0.5))
    made.answer(O.CONFIRMED)
    assert made.order.status is OrderStatus.FILLED
    assert list(made.desk.open_records()) == []
    assert not made.desk.cancel(made.order_id)


def test_an_order_that_has_ended_is_not_opened_again_by_a_late_refusal() -> None:
    made = AmendFloor()
    made.amend(quantity=0.5)
    made.told(0.5)
    made.put(an_order(made.order_id, OrderStatus.CANCELLED, quantity=0.5))
    made.answer(O.REFUSED, rule="venue", reason="201")
    assert (made.order.status, made.order.quantity, made.pending()) == (OrderStatus.CANCELLED, 0.5, 0)
