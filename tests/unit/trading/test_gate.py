"""The gate: what it lets through, who may close it, and what an unknown order blocks."""

import threading

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import GateChanged
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState, OrderStatus, Side
from foxtrot.domain.errors import QueueClosed
from foxtrot.storage.journal_records import GateMoved, JournalRecord
from foxtrot.trading.decisions import Decisions
from foxtrot.trading.gate import Gate
from tests.support.builders import ACCOUNT, SECOND, T0, TradingFloor, a_perpetual, a_request, a_tick, an_order

ID, BUY, SELL = "BTCUSDT.PERP", Side.BUY, Side.SELL
ACTIVE, REDUCING, HALTED = GateState.ACTIVE, GateState.REDUCING, GateState.HALTED


class Listener:
    """A sink that keeps or refuses what it is given."""

    def __init__(self, *, closed: bool = False) -> None:
        self.events: list[object] = []
        self.closed = closed

    def put(self, event: object) -> None:
        if self.closed:
            raise QueueClosed("the engine has stopped")
        self.events.append(event)


def floor() -> TradingFloor:
    made = TradingFloor(a_perpetual(), a_perpetual("ETHUSDT"), accounts=(ACCOUNT, "second"))
    made.put(a_tick(), a_tick("ETHUSDT.PERP"))
    made.hold(1000)
    return made


def passes(made: TradingFloor, side: Side = BUY, **terms: object) -> bool:
    return made.send(a_request(side, 0.1, **terms)).status is OrderStatus.SUBMITTED  # type: ignore[arg-type]


def test_an_active_gate_lets_everything_through() -> None:
    made = floor()
    assert passes(made, BUY)
    assert passes(made, SELL)


def test_a_reducing_gate_lets_only_reducing_orders_through() -> None:
    made = floor()
    made.gate.reduce_only("low on margin")
    order = made.send(a_request(BUY, 0.1))
    assert (order.status, order.rule) == (OrderStatus.DENIED, "gate")
    assert "low on margin" in order.reason
    assert passes(made, SELL)


def test_a_halted_gate_lets_no_order_through_but_every_cancel() -> None:
    made = floor()
    order = made.send(a_request(BUY, 0.1, 99.0))
    made.gate.close("kill switch")
    assert not passes(made, BUY)
    assert not passes(made, SELL)
    assert made.desk.cancel(order.order_id)
    assert len(made.adapter.cancels) == 1
    assert len(made.adapter.sent) == 1


def test_closing_the_gate_closes_the_send_permit_at_once() -> None:
    made = floor()
    made.gate.close("kill switch")
    assert made.permit.state is HALTED
    assert not made.permit.send(lambda: None, reduces=True)


def test_closing_the_send_permit_closes_the_gate() -> None:
    made = floor()
    made.permit.close("kill switch")
    assert made.gate.state is HALTED
    assert not passes(made)


def test_the_first_reason_for_closing_stays_and_is_told_once() -> None:
    made = floor()
    made.gate.close("first")
    made.gate.close("second")
    made.gate.reduce_only("third")
    made.dispatcher.drain()
    assert (made.gate.state, made.gate.reason) == (HALTED, "first")
    assert made.heard(GateChanged) == [GateChanged(HALTED, "first", "", "", T0)]


def test_only_reopening_by_somebody_named_opens_it_again() -> None:
    made = floor()
    made.gate.close("kill switch")
    made.gate.reopen("Ann")
    made.dispatcher.drain()
    assert passes(made)
    assert made.heard(GateChanged)[-1] == GateChanged(ACTIVE, "reopened by Ann", "", "", T0)


@pytest.mark.parametrize(
    ("account", "instrument_id", "blocked"),
    [
        (ACCOUNT, "", {(ACCOUNT, ID), (ACCOUNT, "ETHUSDT.PERP")}),
        ("", ID, {(ACCOUNT, ID), ("second", ID)}),
        (ACCOUNT, ID, {(ACCOUNT, ID)}),
    ],
)
def test_a_block_holds_for_its_account_and_instrument_alone(
    account: str, instrument_id: str, blocked: set[tuple[str, str]]
) -> None:
    made = floor()
    made.gate.block(account, instrument_id, HALTED, "by hand")
    for name in (ACCOUNT, "second"):
        for traded in (ID, "ETHUSDT.PERP"):
            assert passes(made, account=name, instrument_id=traded) is ((name, traded) not in blocked)


def test_of_gate_and_blocks_the_strictest_counts_and_a_block_can_be_lifted() -> None:
    made = floor()
    made.gate.block(ACCOUNT, "", REDUCING, "account")
    made.gate.block(ACCOUNT, ID, HALTED, "instrument")
    assert not passes(made, SELL)
    made.gate.block(ACCOUNT, ID, ACTIVE, "")
    assert passes(made, SELL)
    assert not passes(made, BUY)
    made.gate.block(ACCOUNT, "", ACTIVE, "")
    made.clock.advance(SECOND)
    assert passes(made, BUY)


def test_an_order_of_unknown_outcome_blocks_entries_of_its_account_and_instrument_until_it_is_known() -> None:
    made = floor()
    order = made.send(a_request(BUY, 0.1, 99.0))
    made.put(an_order(order.order_id, OrderStatus.UNKNOWN, quantity=0.1, venue_order_id=""))
    refused = made.send(a_request(BUY, 0.2, 98.0))
    assert refused.rule == "unknown_order"
    assert order.order_id in refused.reason
    assert passes(made, SELL)
    assert passes(made, instrument_id="ETHUSDT.PERP")
    assert passes(made, account="second")
    made.put(an_order(order.order_id, OrderStatus.ACCEPTED, quantity=0.1))
    assert made.send(a_request(BUY, 0.3, 97.0)).rule == ""


def test_a_fill_makes_an_unknown_order_known() -> None:
    made = floor()
    order = made.send(a_request(BUY, 1.0, 99.0))
    made.put(an_order(order.order_id, OrderStatus.UNKNOWN, venue_order_id=""))
    made.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 99.0))
    assert made.send(a_request(BUY, 0.3, 97.0)).rule == ""


def test_closing_after_the_engine_has_stopped_closes_and_does_not_raise() -> None:
    permit = SendPermit()
    Gate(permit, Listener(closed=True), ManualClock(T0)).close("too late to tell")
    assert permit.state is HALTED


def test_many_threads_that_close_and_restrict_at_once_leave_it_closed() -> None:
    for _ in range(50):
        permit, sink = SendPermit(), Listener()
        gate = Gate(permit, sink, ManualClock(T0))
        begin = threading.Barrier(8)

        def restrict(index: int, gate: Gate = gate, begin: threading.Barrier = begin) -> None:
            begin.wait()
            gate.close(f"thread {index}") if index == 4 else gate.reduce_only(f"thread {index}")

        threads = [threading.Thread(target=restrict, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (gate.state, gate.reason) == (HALTED, "thread 4")
        assert isinstance(sink.events[-1], GateChanged)
        assert sink.events[-1].state is HALTED
        assert len(sink.events) <= 2


def test_a_restriction_that_waits_for_a_closing_does_not_undo_it() -> None:
    permit, sink = SendPermit(), Listener()
    gate = Gate(permit, sink, ManualClock(T0))
    other = threading.Thread(target=gate.reduce_only, args=("low on margin",))

    def close_while_the_other_waits() -> None:
        other.start()
        gate.close("kill switch")

    permit.send(close_while_the_other_waits, reduces=True)
    other.join()
    assert (gate.state, gate.reason) == (HALTED, "kill switch")


def test_a_block_without_account_and_instrument_is_the_platforms_own_state() -> None:
    made = floor()
    made.gate.block("", "", REDUCING, "low on margin")
    made.dispatcher.drain()
    assert (made.gate.state, passes(made, BUY), passes(made, SELL, account=ACCOUNT)) == (REDUCING, False, True)
    made.gate.block("", "", HALTED, "by hand")
    assert not made.permit.send(lambda: None, reduces=True)
    for name in (ACCOUNT, "second"):
        assert made.send(a_request(SELL, 0.2, account=name)).rule == "gate"
    made.gate.block("", "", ACTIVE, "Ann")
    made.dispatcher.drain()
    assert made.send(a_request(BUY, 0.3)).status is OrderStatus.SUBMITTED
    assert made.heard(GateChanged)[-1] == GateChanged(ACTIVE, "reopened by Ann", "", "", T0)


def test_a_block_by_one_cause_is_neither_lifted_nor_replaced_by_another() -> None:
    made = floor()
    made.gate.block(ACCOUNT, "", REDUCING, "a person")
    made.gate.block(ACCOUNT, "", HALTED, "not reconciled yet", "reconcile")
    assert not passes(made, SELL)
    made.gate.block(ACCOUNT, "", ACTIVE, "reconciled", "reconcile")
    assert made.gate.blocked(ACCOUNT, "") == (REDUCING, "a person")
    assert made.gate.blocked(ACCOUNT, "", "reconcile") is None
    assert passes(made, SELL)
    assert not passes(made, BUY)
    made.dispatcher.drain()
    assert [(told.state, told.reason) for told in made.heard(GateChanged)][-1] == (REDUCING, "a person")


class KeepingJournal:
    """A journal that keeps what it is given."""

    keeps_reports = True

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        """There is nothing to release."""


def kept(made: TradingFloor) -> list[GateMoved]:
    """What a gate told its journal, once its changes were heard."""
    journal = made.gate.journal
    made.dispatcher.drain()
    made.gate.keep_moves()
    assert isinstance(journal, KeepingJournal)
    return [record for record in journal.records if isinstance(record, GateMoved)]


def journaled() -> TradingFloor:
    made = floor()
    made.gate.journal = KeepingJournal()
    return made


def test_who_closed_what_why_and_for_how_long_is_journaled_once_it_is_heard() -> None:
    made = journaled()
    made.gate.close("all is lost", "Ann", lasting=True, killed=True)
    assert made.gate.journal.records == []  # type: ignore[union-attr]
    made.gate.block(ACCOUNT, ID, REDUCING, "odd", "reconcile")
    assert kept(made) == [
        GateMoved(T0, HALTED, "", "", "all is lost", "Ann", lasting=True, killed=True),
        GateMoved(T0, REDUCING, ACCOUNT, ID, "odd", "reconcile", lasting=False),
    ]
    assert made.gate.blocks() == tuple(kept(made))


def test_a_close_from_another_thread_is_journaled_on_the_thread_that_hears_it() -> None:
    made = journaled()
    other = threading.Thread(target=made.gate.close, args=("kill switch", "Ann"))
    other.start()
    other.join()
    assert made.gate.state is HALTED
    assert made.gate.journal.records == []  # type: ignore[union-attr]
    assert [(move.who, move.reason) for move in kept(made)] == [("Ann", "kill switch")]


def test_a_kill_after_another_close_is_kept_beside_it_and_one_reopening_lifts_both() -> None:
    made = journaled()
    made.gate.close("the engine failed")
    made.gate.close("all is lost", "Ann", lasting=True, killed=True)
    made.gate.close("again", "Ann", lasting=True, killed=True)
    assert made.gate.reason == "the engine failed"
    assert made.gate.killed is not None
    assert [move.reason for move in kept(made)] == ["the engine failed", "all is lost"]
    made.gate.reopen("Bob", "all is well")
    assert (made.gate.state, made.gate.killed, made.gate.blocks()) == (ACTIVE, None, ())


def test_what_lasts_stands_again_after_a_restart_and_what_a_person_lifted_does_not() -> None:
    first = journaled()
    first.gate.close("not for long", "engine")
    first.gate.close("all is lost", "Ann", lasting=True, killed=True)
    first.gate.block(ACCOUNT, ID, REDUCING, "a difference", "reconcile", lasting=True)
    first.gate.block(ACCOUNT, "", HALTED, "not reconciled yet", "reconcile")
    first.gate.block("second", "", HALTED, "on holiday", "Bob", lasting=True)
    first.gate.lift("second", "", "Ann", "Bob is back")
    second = journaled()
    second.gate.restore(kept(first))
    killed = second.gate.killed
    assert killed is not None
    assert (killed.reason, killed.who, second.gate.state) == ("all is lost", "Ann", HALTED)
    assert second.gate.blocked(ACCOUNT, ID, "reconcile") == (REDUCING, "a difference")
    assert [(move.account, move.who) for move in second.gate.blocks()] == [("", "Ann"), (ACCOUNT, "reconcile")]
    assert kept(second) == []
    second.gate.reopen("Ann", "fixed")
    third = journaled()
    third.gate.restore([*kept(first), *kept(second)])
    assert third.gate.state is ACTIVE


def test_a_flatten_lets_reducing_orders_pass_for_its_time_and_a_restart_ends_that() -> None:
    made = journaled()
    made.gate.close("all is lost", "Ann", lasting=True, killed=True)
    made.gate.close("me too", "Bob", lasting=True, killed=True)
    assert made.gate.soften()
    assert (passes(made, SELL), passes(made, BUY)) == (True, False)
    again = journaled()
    again.gate.restore(kept(made))
    assert again.gate.state is HALTED
    made.gate.harden()
    assert not passes(made, SELL, instrument_id="ETHUSDT.PERP")


def test_a_flatten_does_not_open_what_another_has_closed() -> None:
    made = floor()
    made.gate.close("the journal failed")
    made.gate.close("all is lost", "Ann", killed=True)
    assert not made.gate.soften()
    assert made.gate.state is HALTED


def test_lifting_a_place_lifts_every_cause_and_tells_which() -> None:
    made = floor()
    made.gate.block(ACCOUNT, ID, HALTED, "one", "reconcile")
    made.gate.block(ACCOUNT, ID, REDUCING, "two", "Bob")
    assert [move.reason for move in made.gate.lift(ACCOUNT, ID, "Ann", "seen to")] == ["one", "two"]
    assert passes(made, BUY)


def test_a_permit_that_was_closed_directly_is_not_loosened_by_a_weaker_block() -> None:
    made = floor()
    made.permit.close("directly")
    made.gate.reduce_only("low on margin")
    assert made.permit.state is HALTED


def test_a_lapsed_permit_keeps_nobody_from_closing_the_gate() -> None:
    made = floor()
    made.permit.send = lambda hand_over, *, reduces: False  # type: ignore[method-assign]
    made.gate.close("kill switch")
    assert made.gate.state is HALTED


def test_who_withdraws_his_own_block_of_the_platform_leaves_a_kill_alone() -> None:
    made = journaled()
    made.gate.reduce_only("lost too much", "loss limit", lasting=True)
    made.gate.close("all is lost", "Ann", lasting=True, killed=True)
    made.gate.withdraw("loss limit", "a new day")
    made.gate.withdraw("nobody", "a new day")
    assert (made.gate.state, [move.who for move in made.gate.blocks()]) == (HALTED, ["Ann"])
    decisions = Decisions()
    for move in kept(made):
        decisions.take(move)
    assert [move.who for move in decisions.gate] == ["Ann"]


def test_who_withdraws_the_only_block_opens_the_platform() -> None:
    made = journaled()
    made.gate.reduce_only("lost too much", "loss limit", lasting=True)
    made.gate.withdraw("loss limit", "a new day")
    assert (made.gate.state, made.gate.reason, made.gate.blocks()) == (ACTIVE, "", ())


def test_a_gate_closed_while_the_lease_has_lapsed_stays_closed_when_it_is_revived() -> None:
    now_ns = [0]
    permit = SendPermit(lambda: now_ns[0])
    gate = Gate(permit, Listener(), ManualClock(T0))
    permit.allow_until(10)
    now_ns[0] = 11
    assert permit.state is HALTED
    gate.close("kill switch", "Ann", lasting=True, killed=True)
    assert permit.revive(permit.lapses)
    assert permit.state is HALTED
    assert gate.reason == "kill switch"
