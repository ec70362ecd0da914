"""The record of one order: what reports and fills make of it. Permutations are in tests/property/test_trading_merge.py."""

import pytest

from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order import OrderData
from foxtrot.trading.order_record import OrderRecord
from tests.support.builders import OWNER, T0, a_perpetual, a_trade, an_order

S = OrderStatus


def record() -> OrderRecord:
    return OrderRecord(an_order("o", S.CREATED, venue_order_id=""), a_perpetual(), OWNER, None)


@pytest.mark.parametrize(
    "reports",
    [
        (an_order("o", S.PARTIALLY_FILLED, 0.5, 0.0), an_order("o", S.PARTIALLY_FILLED, 0.5, 99.5)),
        (an_order("o", S.PARTIALLY_FILLED, 0.5, 99.5), an_order("o", S.PARTIALLY_FILLED, 0.5, 0.0)),
        (an_order("o", S.PARTIALLY_FILLED, 0.5, 99.5), an_order("o", S.PARTIALLY_FILLED, 0.4, 99.9)),
    ],
)
def test_the_average_price_is_that_of_the_largest_filled_quantity_told(reports: tuple[OrderData, ...]) -> None:
    merged = record()
    for report in reports:
        merged.merge_report(report)
    assert (merged.to_order().filled_quantity, merged.to_order().average_price) == (0.5, 99.5)


def test_the_average_of_fills_replaces_the_venues_once_all_of_them_have_come() -> None:
    merged = record()
    merged.merge_report(an_order("o", S.PARTIALLY_FILLED, 0.5, 99.0))
    merged.add_fill(a_trade("o", "1"), 300, 1000)
    assert (merged.to_order().average_price, merged.missing_units, merged.pending_units) == (99.0, 200, 700)
    merged.add_fill(a_trade("o", "2"), 200, 990)
    assert (merged.to_order().average_price, merged.missing_units, merged.pending_units) == (99.6, 0, 500)


def test_an_end_before_its_fills_leaves_only_what_was_reported_pending() -> None:
    merged = record()
    merged.merge_report(an_order("o", S.CANCELLED, 0.5, 100.0))
    assert (merged.remaining_units, merged.pending_units, merged.is_open) == (0, 500, False)
    merged.add_fill(a_trade("o", "1"), 500, 1000)
    assert (merged.remaining_units, merged.pending_units) == (0, 0)


def test_a_status_that_follows_from_fills_has_no_reason_and_an_end_keeps_its_own() -> None:
    merged = record()
    merged.merge_report(an_order("o", S.CANCELLED, reason="by hand", rule="user"))
    assert (merged.status, merged.rule, merged.reason) == (S.CANCELLED, "user", "by hand")
    merged.add_fill(a_trade("o", "1"), 1000, 1000)
    assert (merged.status, merged.rule, merged.reason) == (S.FILLED, "", "")


def test_a_fill_revives_an_order_that_we_had_denied() -> None:
    merged = record()
    assert merged.set_status(S.DENIED, "journal", "late")
    assert not merged.set_status(S.SUBMITTED)
    merged.add_fill(a_trade("o", "1"), 500, 1000)
    assert merged.status is S.PARTIALLY_FILLED


def test_the_latest_times_and_the_first_venue_id_stay() -> None:
    merged = record()
    merged.merge_report(an_order("o", venue_order_id="v1", venue_time_ns=T0 + 2, local_time_ns=T0 + 3))
    assert not merged.merge_report(an_order("o", venue_order_id="v1", venue_time_ns=T0 + 1, local_time_ns=T0 + 1))
    order = merged.to_order()
    assert (order.venue_order_id, order.venue_time_ns, order.local_time_ns) == ("v1", T0 + 2, T0 + 3)
