"""A restart: what the journal tells, what happened at the venue meanwhile, and that nothing is done twice."""

from decimal import Decimal

import pytest

from foxtrot.core.commands import SettleDifference
from foxtrot.core.notices import AccountAdjusted, AccountReconciled, DifferenceFound, TradeBooked, TradesLoaded
from foxtrot.domain.enums import OrderStatus, PositionSide, Side
from foxtrot.storage.journal_records import Adjusted, FillsWhole
from foxtrot.trading.restored_state import decode_state, encode_state
from foxtrot.trading.snapshots import asked_since_ns, state_of
from tests.support.builders import a_perpetual, a_spot
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig

PERP, SPOT = a_perpetual(), a_spot()
BUY, SELL = Side.BUY, Side.SELL


def adjusted(rig: ReconcileRig) -> list[Adjusted]:
    return [record for record in rig.records if isinstance(record, Adjusted)]


def test_what_happened_while_nothing_ran_is_found_and_belongs_to_whom_it_should() -> None:
    rig = ReconcileRig(PERP, SPOT)
    rig.wait(1)
    resting = rig.order(BUY, 1.0, 99.5)
    gone = rig.order(BUY, 1.0, 90.0)
    rig.order(BUY, 2.0, instrument=SPOT)
    rig.crash()
    rig.hit(SELL, 0.4, 99.5)
    rig.cancel_elsewhere(gone)
    rig.elsewhere(BUY, 3.0)
    rig.move_money("USDT", "25")
    rig.restart()
    rig.wait(5)
    assert [(run.cause, run.error, run.differences) for run in rig.told(AccountReconciled)] == [("start", "", 0)]
    assert rig.differences() == []
    desk, portfolio = rig.line.desk, rig.line.portfolio
    assert desk.order(resting.order_id).filled_quantity == 0.4  # type: ignore[union-attr]
    assert desk.order(gone.order_id).status is OrderStatus.CANCELLED  # type: ignore[union-attr]
    assert portfolio.position(OWNER, ACCOUNT, PERP.instrument_id).quantity == 400  # type: ignore[union-attr]
    assert portfolio.net_position(ACCOUNT, PERP.instrument_id).quantity == 3400  # type: ignore[union-attr]
    assert [one.what for one in rig.told(AccountAdjusted)] == ["25 USDT"]
    assert rig.blocked() == rig.blocked(PERP) == rig.blocked(SPOT) == ""


def test_nothing_is_adjusted_twice_however_often_it_starts() -> None:
    rig = ReconcileRig(PERP)
    rig.order(BUY, 1.0)
    rig.crash()
    rig.move_money("USDT", "25")
    for _ in range(3):
        rig.restart()
        rig.wait(5)
        assert rig.differences() == []
        rig.crash()
    assert len(adjusted(rig)) == 1


def test_a_crash_before_an_adjustment_was_on_disk_makes_the_same_one_again() -> None:
    rig = ReconcileRig(PERP)
    rig.order(BUY, 1.0)
    rig.crash()
    rig.move_money("USDT", "25")
    kept = list(rig.records)
    rig.restart()
    rig.wait(5)
    (first,) = adjusted(rig)
    rig.crash()
    rig.records[:] = kept
    rig.restart()
    rig.wait(5)
    (second,) = adjusted(rig)
    assert second.adjustment_id == first.adjustment_id
    assert rig.differences() == []


def test_an_order_that_may_never_have_left_is_found_out_about_before_anything_else_is_sent() -> None:
    rig = ReconcileRig(PERP)
    order = rig.order(BUY, 1.0, 90.0)
    rig.records[:] = [record for record in rig.records if type(record).__name__ not in ("Handed", "OrderTold")]
    rig.crash()
    rig.restart()
    rig.wait(5)
    found = rig.line.desk.order(order.order_id)
    assert found is not None
    assert found.status is OrderStatus.ACCEPTED
    assert rig.blocked() == ""


def test_fills_are_counted_once_over_a_restart() -> None:
    rig = ReconcileRig(PERP)
    rig.order(BUY, 1.0)
    rig.crash()
    rig.restart()
    rig.wait(5)
    assert rig.told(TradeBooked) == []
    assert rig.line.portfolio.position(OWNER, ACCOUNT, PERP.instrument_id).quantity == 1000  # type: ignore[union-attr]
    assert rig.differences() == []


@pytest.mark.parametrize("lost", [(), (TradesLoaded,)], ids=["told at the log-in", "asked for after it"])
def test_a_fill_lost_long_before_the_last_one_is_found_after_a_restart(lost: tuple[type, ...]) -> None:
    rig = ReconcileRig(PERP, SPOT)
    rig.wait(1)
    rig.order(BUY, 1.0)
    assert rig.reconcile().error == ""
    rig.link.deaf, rig.link.fate = (TradesLoaded,), lambda _event: 0
    rig.elsewhere(BUY, 3.0)
    rig.wait(900)  # the venue lists no fills for longer than a start asks back from the last one that was heard
    rig.link.fate = lambda _event: 1
    rig.order(BUY, 2.0, instrument=SPOT)
    rig.crash()
    rig.restart(*lost)
    rig.link.deaf = ()
    rig.wait(40)
    last = rig.told(AccountReconciled)[-1]
    assert (last.error, last.differences, rig.differences()) == ("", 0, [])
    assert rig.line.portfolio.net_position(ACCOUNT, PERP.instrument_id).quantity == 4000  # type: ignore[union-attr]


def test_up_to_when_fills_are_whole_is_written_now_and_then_and_carried_along() -> None:
    rig = ReconcileRig(PERP)
    for _ in range(4):
        rig.order(BUY, 1.0)
        rig.wait(200)
        assert rig.reconcile().error == ""
    whole = [record for record in rig.records if isinstance(record, FillsWhole)]
    assert len(whole) == 2, "the first, and one five minutes of fills later"
    line = rig.line
    state = state_of(line.desk, line.portfolio, line.notes.decisions, rig.clock.now_ns())
    assert asked_since_ns(decode_state(encode_state(state)), ACCOUNT) <= whole[-1].until_ns
    assert state.decisions.fills_whole == {ACCOUNT: whole[-1].until_ns}
    assert state.decisions.without([ACCOUNT], []).fills_whole == {}


def test_an_unexplained_difference_stands_over_a_restart_and_an_ignored_one_is_not_told_again() -> None:
    rig = ReconcileRig(PERP)
    rig.order(BUY, 1.0)
    rig.crash()
    rig.records.append(
        Adjusted(
            rig.clock.now_ns(), "wrong", ACCOUNT, OWNER, PERP.instrument_id, PositionSide.NET, 500, 100.0, "", Decimal(0), "", ""
        )
    )  # fmt: skip
    for _ in range(2):
        rig.restart()
        rig.wait(5)
        (found,) = rig.reconciler.differences()
        assert (found.finding.ours, found.finding.venue) == (Decimal("1.5"), Decimal(1))
        assert rig.blocked(PERP)
        rig.crash()
    rig.restart()
    rig.wait(5)
    rig.put(SettleDifference(found.difference_id, "ignore", "ann", "known"))
    rig.crash()
    rig.restart()
    rig.wait(5)
    assert rig.told(DifferenceFound) == []
    assert rig.blocked(PERP) == ""
