"""A restart from the journal: what the records add up to is what the run held when it ended."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec
import pytest

from foxtrot.core.notices import AdapterStatus, IntentDurable, PositionsLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus, Side
from foxtrot.storage.journal_records import Intent, JournalRecord, Snapshot, decode_record, encode_record
from foxtrot.trading.restore import Restore
from foxtrot.trading.restored_state import RestoredState, decode_state, encode_state, fold
from foxtrot.trading.snapshots import state_of
from tests.support.builders import (
    ACCOUNT,
    OWNER,
    T0,
    TradingFloor,
    a_charge,
    a_position,
    a_request,
    a_tick,
    a_trade,
    an_account,
    an_order,
)

S = OrderStatus
BUY, SELL = Side.BUY, Side.SELL


class KeptJournal:
    """Keeps every record as the disk would have it, and answers at once unless told not to."""

    keeps_reports = True

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.floor: TradingFloor | None = None
        self.answers = True

    def append(self, record: JournalRecord) -> None:
        self.lines.append(encode_record(record))
        if isinstance(record, Intent) and self.answers and self.floor is not None:
            self.floor.dispatcher.put(IntentDurable((record.order.order_id,)))

    def close(self) -> None:
        return

    def records(self) -> list[JournalRecord]:
        return [decode_record(line) for line in self.lines]


def a_run(**options: object) -> tuple[TradingFloor, KeptJournal]:
    journal = KeptJournal()
    made = TradingFloor(journal=journal, **options)  # type: ignore[arg-type]
    journal.floor = made
    made.put(a_tick())
    return made, journal


def restored(state: RestoredState) -> TradingFloor:
    made, _ = a_run(run_id="0000000002")
    restore = Restore(made.desk, made.portfolio)
    restore.put(state)
    restore.watch(made.dispatcher)
    return made


def again(records: Iterable[JournalRecord]) -> TradingFloor:
    return restored(fold(records))


def held(made: TradingFloor) -> object:
    """All that trading decides by."""
    orders = {
        record.terms.order_id: (record.owner, record.to_order(), record.cancel_asked) for record in made.desk.records()
    }
    positions = {
        key: (p.quantity, p.cost, p.realised, p.flow, p.turnover, p.fills, p.found, p.fees, p.funding)
        for key, p in [*made.portfolio.positions(), *made.portfolio.net_positions()]
    }
    return (
        orders,
        positions,
        made.portfolio.balances(ACCOUNT),
        sorted(made.desk.index.open),
        sorted(made.desk.index.lacking),
    )


def a_busy_day() -> tuple[TradingFloor, KeptJournal]:
    made, journal = a_run()
    made.put(an_account({"USDT": "10000"}))
    first = made.fill(a_request(price=100.0, quantity=2.0), 100.0)
    made.fill(a_request(side=SELL, price=100.0, quantity=1.0), 101.0)
    resting = made.send(a_request(price=99.0))
    made.put(an_order(resting.order_id, S.ACCEPTED, price=99.0))
    made.put(a_trade(resting.order_id, "part", 0.4, 99.0))
    cancelled = made.send(a_request(price=98.0))
    made.put(an_order(cancelled.order_id, S.ACCEPTED, price=98.0))
    assert made.desk.cancel(cancelled.order_id)
    made.put(a_trade("web_1", "foreign", 1.0, 100.0))
    made.put(a_charge("-1.5", "f1"))
    assert first.status is S.FILLED
    return made, journal


def test_a_restart_holds_what_the_run_held() -> None:
    made, journal = a_busy_day()
    assert held(again(journal.records())) == held(made)


def test_a_snapshot_stands_for_all_records_before_it_and_for_those_alone() -> None:
    made, journal = a_busy_day()
    state = state_of(made.desk, made.portfolio, made.notes.decisions, since_ns=0)
    tail = len(journal.lines)
    journal.append(Snapshot(T0, encode_state(state)))
    made.fill(a_request(price=100.0), 100.0)
    records = journal.records()
    assert held(again(records[tail:])) == held(made)
    assert held(again(records)) == held(made)


def test_a_state_survives_its_json() -> None:
    _, journal = a_busy_day()
    state = fold(journal.records())
    assert decode_state(msgspec.Raw(bytes(encode_state(state)))) == state


def test_an_intent_of_which_nothing_was_heard_comes_back_unknown_blocks_its_instrument_and_is_asked_for_once() -> None:
    made, journal = a_run()
    order = made.send(a_request(price=100.0))
    back = again(journal.records())
    found = back.desk.order(order.order_id)
    assert found is not None
    assert (found.status, found.rule) == (S.UNKNOWN, "restart")
    refused = back.send(a_request(price=99.0))
    assert (refused.status, refused.rule) == (S.DENIED, "unknown_order")
    assert back.adapter.recovered == []
    ready = AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0)
    back.put(ready, ready)
    assert [sent.order_id for sent, _ in back.adapter.recovered] == [order.order_id]
    assert back.adapter.sent == []


def test_an_intent_that_was_durable_but_never_handed_over_comes_back_unknown_too() -> None:
    made, journal = a_run()
    journal.answers = False
    order = made.send(a_request(price=100.0))
    back = again(journal.records())
    found = back.desk.order(order.order_id)
    assert found is not None
    assert found.status is S.UNKNOWN


def test_an_intent_that_was_refused_before_the_wire_comes_back_denied() -> None:
    made, journal = a_run()
    made.gate.close("by hand")
    order = made.send(a_request(price=100.0))
    back = again(journal.records())
    assert back.desk.order(order.order_id) == made.desk.order(order.order_id)
    assert back.desk.open_count == 0


def test_fills_told_once_more_after_a_restart_change_nothing() -> None:
    made, journal = a_busy_day()
    back = again(journal.records())
    before = held(back)
    for trade in made.desk.fills(ACCOUNT):
        back.put(trade)
    assert held(back) == before


def test_a_fill_missed_while_nobody_ran_is_counted_after_the_restart() -> None:
    made, journal = a_busy_day()
    [resting] = [r.terms.order_id for r in made.desk.open_records() if not r.cancel_asked]
    back = again(journal.records())
    missed = a_trade(resting, "missed", 0.6, 99.0)
    back.put(missed)
    made.put(missed)
    assert held(back) == held(made)
    found = back.desk.order(resting)
    assert found is not None
    assert found.status is S.FILLED


def test_positions_found_at_first_are_not_found_again() -> None:
    made, journal = a_run()
    loaded = PositionsLoaded(ACCOUNT, (a_position(3.0, 100.0),), T0)
    assert made.portfolio.on_positions(loaded)
    made.notes.positions_found(loaded)
    back = again(journal.records())
    assert not back.portfolio.on_positions(loaded)
    assert held(back) == held(made)


def test_an_order_that_a_person_resolved_stays_resolved_until_the_venue_says_otherwise() -> None:
    made, journal = a_run()
    order_id = made.send(a_request(price=100.0)).order_id
    made.put(an_order(order_id, S.UNKNOWN))
    assert made.desk.resolutions.resolve(order_id, S.CANCELLED, "ann", "the venue's page shows none")
    back = again(journal.records())
    found = back.desk.order(order_id)
    assert found is not None
    assert (found.status, found.reason) == (S.CANCELLED, "by ann: the venue's page shows none")
    back.put(a_trade(order_id, "late", 1.0, 100.0))
    assert back.portfolio.position(OWNER, ACCOUNT, "BTCUSDT.PERP") is not None
    late = back.desk.order(order_id)
    assert late is not None
    assert late.status is S.FILLED


@pytest.mark.parametrize("status", [S.ACCEPTED, S.FILLED, S.CANCELLED])
def test_only_an_unknown_order_can_be_resolved(status: OrderStatus) -> None:
    made, _ = a_run()
    order_id = made.send(a_request(price=100.0)).order_id
    made.put(an_order(order_id, status))
    assert not made.desk.resolutions.resolve(order_id, S.CANCELLED, "ann", "because")
    assert not made.desk.resolutions.resolve("F-none-0000000001-1", S.CANCELLED, "ann", "because")


def test_balances_after_a_restart_are_counted_from_the_first_opening_not_from_what_the_venue_says_now() -> None:
    made, journal = a_busy_day()
    back = again(journal.records())
    back.put(an_account({"USDT": "1"}))
    assert back.portfolio.balances(ACCOUNT) == made.portfolio.balances(ACCOUNT)
    assert back.portfolio.balances(ACCOUNT)["USDT"] != Decimal(1)


def test_an_account_whose_venue_ended_with_its_process_is_left_out() -> None:
    made, journal = a_busy_day()
    made.gate.close("by hand", "ann", lasting=True)
    state = fold(journal.records())
    assert state.without({"another"}) == state
    left = state.without({ACCOUNT})
    assert (left.orders, left.positions, left.movements, left.loose, left.last_fill_ns) == ({}, [], [], [], {})
    assert left.instruments == state.instruments
    assert left.decisions.gate == state.decisions.gate


def test_after_a_snapshot_that_does_not_carry_an_instrument_it_is_listed_again() -> None:
    made, journal = a_run()
    ended = made.send(a_request(price=100.0)).order_id
    made.put(an_order(ended, S.CANCELLED))
    state = state_of(made.desk, made.portfolio, made.notes.decisions, since_ns=T0 + 1)
    assert state.instruments == {}
    made.notes.append(Snapshot(T0, encode_state(state)))
    resting = made.send(a_request(price=99.0)).order_id
    state = fold(journal.records())
    assert list(state.orders) == [resting]
    assert list(state.instruments) == ["BTCUSDT.PERP"]
