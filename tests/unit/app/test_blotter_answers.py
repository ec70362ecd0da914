"""What the tables of a desktop ask for: legs of protections, profit by position, day and over time, charges, worth."""

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from foxtrot.app.blotter_answers import BlotterAnswers
from foxtrot.app.blotter_requests import (
    ListPerformance,
    ListProtections,
    ListWorth,
    PerformanceFound,
    ProtectionLeg,
    ProtectionLegs,
    WorthFound,
)
from foxtrot.app.profit_history import ProfitCurve, ProfitHistory
from foxtrot.core.commands import CancelOrder, ProtectPosition, SendOrder, SendProtectedOrder
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.instruments import a_perpetual
from tests.support.line_rig import T0, LineRig, S

NAME = a_perpetual().instrument_id
DAY = 86_400 * S


@pytest.fixture
def rig() -> LineRig:
    made = LineRig(a_perpetual())
    made.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    made.quote(99.0, 101.0, 50.0)
    return made


@pytest.fixture
def answers(rig: LineRig) -> BlotterAnswers:
    return BlotterAnswers(rig.line, rig.clock)


def order(
    side: Side = Side.BUY, quantity: float = 2.0, kind: OrderType = OrderType.MARKET, **terms: object
) -> OrderRequest:
    return OrderRequest(NAME, "main", side, kind, quantity, **terms)


def legs(answers: BlotterAnswers, request: ListProtections | None = None) -> list[ProtectionLeg]:
    request = request or ListProtections()
    found = answers.by_kind[ListProtections](request)
    assert isinstance(found, ProtectionLegs)
    assert msgspec.json.decode(msgspec.json.encode(found), type=ProtectionLegs) == found
    return list(found.legs)


def performance(answers: BlotterAnswers, **fields: int) -> PerformanceFound:
    found = answers.by_kind[ListPerformance](ListPerformance(**fields))
    assert isinstance(found, PerformanceFound)
    assert msgspec.json.decode(msgspec.json.encode(found), type=PerformanceFound) == found
    return found


def told(leg: ProtectionLeg) -> tuple[object, ...]:
    return leg.kind, leg.level, leg.where, leg.covers, leg.held, bool(leg.order_id), leg.protection


def test_a_bracket_is_a_stop_at_the_venue_and_a_take_profit_here(rig: LineRig, answers: BlotterAnswers) -> None:
    rig.put(SendProtectedOrder(order(), "manual", stop=80.0, take_profit=150.0))
    rig.settle()
    assert [told(leg) for leg in legs(answers)] == [
        ("stop", 80.0, "venue", 2.0, 2.0, True, "at the venue"),
        ("take_profit", 150.0, "here", 2.0, 2.0, False, "at the venue"),
    ]


def test_a_position_without_a_stop_is_named_and_one_stop_as_an_order_is_a_leg(
    rig: LineRig, answers: BlotterAnswers
) -> None:
    rig.put(SendOrder(order(), "manual"))
    rig.settle()
    assert [told(leg) for leg in legs(answers)] == [("", 0.0, "", 0.0, 2.0, False, "naked")]
    rig.put(SendOrder(order(Side.SELL, 1.5, OrderType.STOP, trigger_price=80.0, reduce_only=True), "manual"))
    rig.settle()
    (leg,) = legs(answers)
    assert (leg.kind, leg.level, leg.where, leg.covers, leg.protection) == ("stop", 80.0, "venue", 1.5, "naked")
    assert "1.500 of 2.000" in leg.remark
    rig.put(CancelOrder(leg.order_id))
    rig.settle()
    assert [one.kind for one in legs(answers)] == [""]


def test_what_protects_an_entry_that_rests_waits_for_its_position(rig: LineRig, answers: BlotterAnswers) -> None:
    rig.put(SendProtectedOrder(order(kind=OrderType.LIMIT, price=90.0), "manual", stop=80.0))
    rig.settle()
    assert [told(leg) for leg in legs(answers)] == [("stop", 80.0, "waits", 0.0, 0.0, False, "")]


def test_a_trailing_stop_tells_its_offset(rig: LineRig, answers: BlotterAnswers) -> None:
    rig.put(SendOrder(order(), "manual"))
    rig.settle()
    rig.put(ProtectPosition("manual", "main", NAME, trailing=5.0))
    rig.settle()
    (leg,) = legs(answers)
    assert (leg.kind, leg.offset, leg.covers) == ("trailing", 5.0, 2.0)


def test_legs_are_narrowed_by_account_owner_and_instrument(rig: LineRig, answers: BlotterAnswers) -> None:
    rig.put(SendOrder(order(), "manual"))
    rig.settle()
    assert len(legs(answers, ListProtections(account="main", strategy="manual", instrument=NAME))) == 1
    for other in (ListProtections(account="x"), ListProtections(strategy="x"), ListProtections(instrument="x")):
        assert not legs(answers, other)


def test_profit_is_told_by_position_with_what_was_paid(rig: LineRig, answers: BlotterAnswers) -> None:
    rig.put(SendOrder(order(), "manual"))
    rig.settle()
    rig.quote(109.0, 111.0, 50.0)
    rig.trade(110.0)
    rig.settle()
    (row,) = performance(answers).rows
    assert (row.owner, row.instrument_id, row.quantity, row.fills) == ("manual", NAME, 2.0, 1)
    assert row.profit is not None
    assert row.profit == rig.line.portfolio.account_profit("main")
    assert row.profit > 0


def test_days_and_the_curve_count_from_what_was_first_seen(rig: LineRig, answers: BlotterAnswers) -> None:
    history = answers.history
    history.note(T0, Decimal(5))
    history.note(T0 + S // 2, Decimal(6))
    history.note(T0 + 2 * S, Decimal(9))
    history.note(T0 + DAY, Decimal(8))
    found = performance(answers)
    assert [(point.time_ns - T0, point.profit) for point in found.points] == [(0, 5), (2 * S, 9), (DAY, 8)]
    assert [(day.day_ns - T0, day.owner, day.profit) for day in found.days] == [(0, "", 4), (DAY, "", 0)]
    assert len(performance(answers, since_ns=T0 + 2 * S).points) == 1


def test_an_owner_who_begins_within_the_day_counts_from_nothing(rig: LineRig, answers: BlotterAnswers) -> None:
    answers.history.note(T0, rig.line.portfolio.account_profit("main"))
    rig.put(SendOrder(order(), "manual"))
    rig.quote(109.0, 111.0, 50.0)
    rig.trade(110.0)
    rig.settle()
    profit = rig.line.portfolio.account_profit("main")
    answers.history.note(T0 + S, profit)
    days = {day.owner: day.profit for day in performance(answers).days}
    assert days == {"": profit, "manual": profit}
    assert profit


def test_without_a_price_there_is_no_point(answers: BlotterAnswers) -> None:
    answers.history.note(T0, None)
    assert performance(answers).points == ()
    assert performance(answers).days == ()


def test_the_curve_goes_on_while_nobody_looks(rig: LineRig, answers: BlotterAnswers) -> None:
    rig.line.start_housekeeping()
    rig.dispatcher.drain()
    for _ in range(1, 11):
        rig.clock.advance(S // 2)
        rig.dispatcher.fire_timers(rig.clock.monotonic_ns())
    assert len(performance(answers).points) == 5
    assert answers.history.day_profit("main") == 0


def test_a_curve_thins_out_evenly_and_keeps_its_newest_points() -> None:
    curve = ProfitCurve(most=8, step_ns=S)
    for second in range(40):
        curve.note(T0 + second * S, Decimal(second))
    kept = [point.profit for point in curve.since(0)]
    assert len(kept) <= 9
    assert kept[0] == 0
    assert kept[-1] >= 32
    assert len({later - before for before, later in pairwise(kept[1:])}) <= 2


def test_each_asset_that_is_held_has_its_worth(answers: BlotterAnswers) -> None:
    found = answers.by_kind[ListWorth](ListWorth())
    assert isinstance(found, WorthFound)
    assert found.base_currency == "USDT"
    assert found.worth["USDT"] == 1


def test_history_of_a_line_without_fills_is_empty(rig: LineRig) -> None:
    assert ProfitHistory(rig.line, rig.clock).answer(ListPerformance()).rows == ()
