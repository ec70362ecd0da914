"""Pairs at the desk and in risk: two orders that leave together or not at all, and that count once whatever is told when."""

from decimal import Decimal
from functools import partial
from itertools import permutations

import pytest

from foxtrot.core.notices import IntentDurable, JournalFailed, OrderChanged
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, PositionSide, Side
from foxtrot.domain.order import OrderData, OrderRequest, TradeData
from foxtrot.storage.journal_records import Intent, JournalRecord, NotSent
from foxtrot.trading.exposure import Exposure
from foxtrot.trading.journal_wait import JOURNAL_DEADLINE_NS
from foxtrot.trading.limits import Limits
from foxtrot.trading.protection_cover import resting_stop_units
from tests.support.builders import (
    ACCOUNT,
    OWNER,
    TradingFloor,
    a_perpetual,
    a_request,
    a_spot,
    a_tick,
    a_trade,
    an_account,
    an_order,
)
from tests.support.pair_floor import PairFloor, a_stop, a_target

PERP, SPOT = "BTCUSDT.PERP", "BTCUSDT.SPOT"
S, SELL = OrderStatus, Side.SELL
Pair = tuple[str, str]


class SlowJournal:
    """A journal that answers when the test says so."""

    keeps_reports = True

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        return

    def of(self, kind: type) -> list[JournalRecord]:
        return [record for record in self.records if type(record) is kind]


def a_floor(journal: SlowJournal | None = None, held: int = 1000, **options: object) -> PairFloor:
    made = PairFloor(journal=journal, **options)  # type: ignore[arg-type]
    made.put(a_tick())
    if held:
        made.hold(held)
    return made


def send(made: TradingFloor, first: OrderRequest | None = None, second: OrderRequest | None = None) -> Pair:
    ids = made.desk.submit_pair(first or a_stop(), second or a_target(), OWNER)
    made.dispatcher.drain()
    return ids


def orders(made: TradingFloor, ids: Pair) -> tuple[OrderData, OrderData]:
    one, other = (made.desk.order(order_id) for order_id in ids)
    assert one is not None
    assert other is not None
    return one, other


def ends(made: TradingFloor, ids: Pair) -> set[tuple[OrderStatus, str]]:
    """How the two ended; one element when both ended alike."""
    return {(order.status, order.rule) for order in orders(made, ids)}


# --- through the journal to the wire -------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [0, 1])
def test_a_pair_leaves_once_and_only_when_both_intents_are_durable(last: int) -> None:
    made = a_floor(SlowJournal())
    ids = send(made)
    made.put(IntentDurable((ids[1 - last],)))
    assert (made.pairs, made.adapter.sent) == ([], [])
    assert ends(made, ids) == {(S.CREATED, "")}
    made.put(IntentDurable((ids[last],)))
    made.put(IntentDurable(ids))
    [pair] = made.pairs
    assert {order.order_id for order in pair} == set(ids)
    assert [order.pair_id for order in pair] == [order.order_id for order in reversed(pair)]
    assert made.adapter.sent == []
    assert ends(made, ids) == {(S.SUBMITTED, "")}


def test_one_answer_for_both_intents_sends_the_pair_once() -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    assert [record.order.order_id for record in journal.of(Intent)] == list(ids)  # type: ignore[attr-defined]
    made.put(IntentDurable(ids))
    assert (len(made.pairs), made.adapter.sent) == (1, [])
    told = [change.order.order_id for change in made.heard(OrderChanged)]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(ids)


def test_the_intents_on_disk_are_those_of_a_pair() -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    assert [record.order.pair_id for record in journal.of(Intent)] == [ids[1], ids[0]]  # type: ignore[attr-defined]
    made.put(IntentDurable(ids))
    assert sorted(made.pairs[0], key=lambda o: o.order_id) == sorted(
        (record.order for record in journal.of(Intent)),  # type: ignore[attr-defined]
        key=lambda o: o.order_id,
    )


@pytest.mark.parametrize("heard", [(), (0,), (1,)])
@pytest.mark.parametrize("failed", [(0,), (1,), (0, 1)])
def test_a_journal_that_fails_for_one_denies_both(heard: tuple[int, ...], failed: tuple[int, ...]) -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    made.put(IntentDurable(tuple(ids[i] for i in heard)))
    made.put(JournalFailed(tuple(ids[i] for i in failed), "disk full"))
    assert ends(made, ids) == {(S.DENIED, "journal")}
    assert made.gate.state is GateState.HALTED
    made.gate.reopen("Ann")
    made.put(IntentDurable(ids))
    assert (made.pairs, made.adapter.sent) == ([], [])
    assert sorted(record.order_id for record in journal.of(NotSent)) == sorted(ids)  # type: ignore[attr-defined]


@pytest.mark.parametrize("heard", [(), (0,), (1,)])
def test_two_seconds_of_silence_on_one_deny_both(heard: tuple[int, ...]) -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    made.put(IntentDurable(tuple(ids[i] for i in heard)))
    made.clock.advance(JOURNAL_DEADLINE_NS)
    made.desk.journal_wait.check()
    assert ends(made, ids) == {(S.CREATED, "")}
    made.clock.advance(1)
    made.desk.journal_wait.check()
    made.dispatcher.drain()
    assert ends(made, ids) == {(S.DENIED, "journal")}
    assert made.gate.state is GateState.HALTED
    made.gate.reopen("Ann")
    made.put(IntentDurable(ids))
    made.desk.journal_wait.check()
    assert (made.pairs, made.adapter.sent) == ([], [])
    assert sorted(record.order_id for record in journal.of(NotSent)) == sorted(ids)  # type: ignore[attr-defined]
    assert made.desk.open_count == 0


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("heard", [(), (0,), (1,)])
def test_the_cancel_of_either_before_the_wire_ends_both(which: int, heard: tuple[int, ...]) -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    made.put(IntentDurable(tuple(ids[i] for i in heard)))
    assert made.desk.cancel(ids[which])
    made.put(IntentDurable(ids))
    assert ends(made, ids) == {(S.CANCELLED, "cancel")}
    assert (made.pairs, made.adapter.sent, made.adapter.cancels) == ([], [], [])
    told = {(record.order_id, record.status) for record in journal.of(NotSent)}  # type: ignore[attr-defined]
    assert told == {(ids[0], S.CANCELLED), (ids[1], S.CANCELLED)}


@pytest.mark.parametrize("heard", [(), (0,), (1,)])
def test_a_gate_closed_between_intent_and_wire_denies_both(heard: tuple[int, ...]) -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    made.put(IntentDurable(tuple(ids[i] for i in heard)))
    made.gate.close("kill switch")
    made.put(IntentDurable(ids))
    assert ends(made, ids) == {(S.DENIED, "gate")}
    assert (made.pairs, made.adapter.sent) == ([], [])
    assert len(journal.of(NotSent)) == 2
    made.gate.reopen("Ann")
    made.put(IntentDurable(ids))
    assert made.pairs == []


def test_a_pair_that_only_reduces_passes_a_gate_that_lets_only_reducing_orders_through() -> None:
    made = a_floor()
    made.gate.block(ACCOUNT, "", GateState.REDUCING, "a loss lock")
    ids = send(made)
    assert len(made.pairs) == 1
    assert all(order.reduces for order in made.pairs[0])
    assert all(order_id.startswith("R-") for order_id in ids)


def test_a_cancel_after_the_wire_is_asked_of_the_venue_for_that_order_alone() -> None:
    made = a_floor()
    ids = send(made)
    assert made.desk.cancel(ids[1])
    assert [request.order_id for request in made.adapter.cancels] == [ids[1]]
    assert ends(made, ids) == {(S.SUBMITTED, "")}


def test_what_the_adapter_denies_is_denied_for_both_and_written_down() -> None:
    journal = SlowJournal()
    made = a_floor(journal)
    ids = send(made)
    made.put(IntentDurable(ids))
    made.put(*(an_order(order_id, S.DENIED, rule="send_permit", reason="lapsed") for order_id in ids))
    assert ends(made, ids) == {(S.DENIED, "send_permit")}
    assert len(journal.of(NotSent)) == 2
    assert made.desk.open_count == 0


# --- what risk refuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        (a_stop(reduce_only=True), a_target(price=110.05, reduce_only=True), "price_grid"),
        (a_stop(trigger=0.0), a_target(), "terms"),
        (a_stop(1.5, reduce_only=True), a_target(1.5, reduce_only=True), "reduce_only"),
        (a_stop(), a_target(reduce_only=True), "reduce_only"),
    ],
)
def test_risk_refusing_one_denies_both_and_neither_is_journalled(
    first: OrderRequest, second: OrderRequest, rule: str
) -> None:
    journal = SlowJournal()
    made = a_floor(journal, held=0 if first.quantity == second.quantity == 1.0 and rule == "reduce_only" else 1000)
    ids = send(made, first, second)
    assert len(set(ids)) == 2
    assert ends(made, ids) == {(S.DENIED, rule)}
    assert journal.of(Intent) == []
    assert (made.pairs, made.adapter.sent, made.desk.open_count) == ([], [], 0)
    assert [change.order.order_id for change in made.heard(OrderChanged)] == list(ids)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        (a_stop(), a_stop(trigger=94.0), "stop and stop"),
        (a_target(), a_target(price=111.0), "limit and limit"),
        (a_stop(), a_request(side=SELL), "stop and market"),
        (a_stop(side=Side.BUY, trigger=120.0), a_target(), "buy and sell"),
        (a_stop(), a_target(0.9), "1.0 and 0.9"),
        (a_stop(account="other"), a_target(), "other and main"),
        (a_stop(), a_target(instrument_id="ETHUSDT.PERP"), "BTCUSDT.PERP and ETHUSDT.PERP"),
        (a_stop(position_side=PositionSide.LONG), a_target(), "long and net"),
        (a_stop(), a_target(post_only=False), "post-only"),
    ],
)
def test_what_is_no_pair_is_refused_as_one_and_the_value_named(
    first: OrderRequest, second: OrderRequest, named: str
) -> None:
    journal = SlowJournal()
    made = a_floor(journal, accounts=(ACCOUNT, "other"))
    for ids in (send(made, first, second), send(made, second, first)):
        words = named.split(" and ")
        assert ends(made, ids) == {(S.DENIED, "pair")}
        assert all(word in order.reason for order in orders(made, ids) for word in words)
    assert made.risk.refusals == {"pair": 2}
    assert (journal.records, made.pairs) == ([], [])


def test_a_venue_without_pairs_is_named() -> None:
    journal = SlowJournal()
    made = TradingFloor(journal=journal)
    made.put(a_tick())
    made.hold(1000)
    ids = send(made)
    assert ends(made, ids) == {(S.DENIED, "pair")}
    assert all("scripted keeps none" in order.reason for order in orders(made, ids))
    assert journal.records == []


def test_a_stop_limit_is_the_stop_of_a_pair_too() -> None:
    made = a_floor()
    send(made, a_stop(order_type=OrderType.STOP_LIMIT, price=94.5))
    assert len(made.pairs) == 1


@pytest.mark.parametrize("whose", ["the platform's", "the venue's"])
def test_a_pair_needs_two_places_among_the_open_orders(whose: str) -> None:
    limits = Limits(check_funds=False, max_open_orders=3 if whose == "the platform's" else 0)
    made = a_floor(None, 0, limits=limits) if limits.max_open_orders else a_narrow_floor(limits)
    made.send(a_request(price=99.0))
    second = made.send(a_request(price=98.0)).order_id
    ids = send(made)
    assert ends(made, ids) == {(S.DENIED, "max_open_orders")}
    assert all("4" in order.reason for order in orders(made, ids))
    assert made.pairs == []
    made.put(an_order(second, S.CANCELLED))
    assert ends(made, send(made)) == {(S.SUBMITTED, "")}


def a_narrow_floor(limits: Limits) -> PairFloor:
    """A venue that takes three open orders of an instrument."""
    made = PairFloor(a_perpetual(max_open_orders=3), limits=limits)
    made.put(a_tick())
    return made


# --- what a pair counts --------------------------------------------------------------------------------------------------


def a_spot_floor() -> PairFloor:
    """Somebody who holds one coin and nothing else."""
    made = PairFloor(a_spot(), limits=Limits())
    made.put(a_tick(SPOT), an_account({"BTC": "1", "USDT": "1000"}))
    made.hold(100_000, 10_000, instrument_id=SPOT)
    made.portfolio.account(ACCOUNT).opening["BTC"] = Decimal(0)  # type: ignore[index]
    return made


def spot_pair(made: TradingFloor) -> Pair:
    return send(made, a_stop(instrument_id=SPOT), a_target(instrument_id=SPOT))


def told(order_id: str, status: OrderStatus, filled: float = 0.0) -> OrderData:
    return an_order(order_id, status, filled, 100.0 if filled else 0.0, side=SELL, instrument_id=SPOT)


def fill(order_id: str, name: str, quantity: float) -> TradeData:
    return a_trade(order_id, name, quantity, 100.0, side=SELL, instrument_id=SPOT)


def part_of_the_limit(stop: str, limit: str) -> tuple[OrderData | TradeData, ...]:
    return (
        fill(limit, "a", 0.4),
        told(limit, S.PARTIALLY_FILLED, 0.4),
        told(stop, S.EXPIRED),
        told(limit, S.CANCELLED, 0.4),
    )


def all_of_the_limit(stop: str, limit: str) -> tuple[OrderData | TradeData, ...]:
    return fill(limit, "a", 0.4), fill(limit, "b", 0.6), told(limit, S.FILLED, 1.0), told(stop, S.EXPIRED)


def the_stop(stop: str, limit: str) -> tuple[OrderData | TradeData, ...]:
    return (
        told(limit, S.EXPIRED),
        fill(stop, "a", 0.7),
        told(stop, S.PARTIALLY_FILLED, 0.7),
        told(stop, S.CANCELLED, 0.7),
    )


def both_cancelled(stop: str, limit: str) -> tuple[OrderData | TradeData, ...]:
    return told(limit, S.CANCELLED), told(stop, S.CANCELLED), told(stop, S.ACCEPTED), told(limit, S.ACCEPTED)


STORIES = {
    "part of the limit": (part_of_the_limit, 40_000),
    "all of the limit": (all_of_the_limit, 100_000),
    "the stop": (the_stop, 70_000),
    "both cancelled": (both_cancelled, 0),
}


@pytest.mark.parametrize("name", STORIES)
def test_whatever_is_told_first_a_pair_counts_once_and_wholly_until_both_are_over(name: str) -> None:
    """In units: what is booked and what is waited for come to the pair's quantity, and once both are over to the venue's fills."""
    story, truth = STORIES[name]
    for order in permutations(range(4)):
        made = a_spot_floor()
        stop, limit = spot_pair(made)
        exposure, messages = Exposure(made.desk, made.portfolio), story(stop, limit)
        for told_so_far in range(5):
            position = made.portfolio.position(OWNER, ACCOUNT, SPOT)
            assert position is not None
            gone = 100_000 - position.whole_units
            waiting = exposure.pending_units(SELL, OWNER, ACCOUNT, (SPOT, PositionSide.NET))
            where = (order, told_so_far, gone, waiting)
            assert gone + waiting == (100_000 if made.desk.open_count else truth), where
            free = made.risk.funds.free(ACCOUNT, "BTC")
            assert free == Decimal(100_000 - gone - waiting) / 100_000, where
            assert all(r.remaining_units <= 100_000 - gone for r in made.desk.open_records()), where
            if told_so_far < 4:
                made.put(messages[order[told_so_far]], messages[order[told_so_far]])
        assert (gone, waiting) == (truth, 0), order
        assert made.desk.index.lacking == {}


def test_a_second_reducing_order_beside_a_pair_of_the_whole_position_is_refused() -> None:
    made = a_floor()
    ids = send(made)
    for request in (a_request(SELL, 0.001, reduce_only=True), a_stop(0.001, 94.0, reduce_only=True)):
        assert made.send(request).rule == "reduce_only"
    again = send(made, a_stop(0.001, 94.0, reduce_only=True), a_target(0.001, 111.0, reduce_only=True))
    assert ends(made, again) == {(S.DENIED, "reduce_only")}
    assert ends(made, ids) == {(S.SUBMITTED, "")}


def test_beside_a_pair_of_a_part_of_the_position_the_rest_can_be_closed_and_no_more() -> None:
    made = a_floor()
    send(made, a_stop(0.6), a_target(0.6))
    assert made.send(a_request(SELL, 0.401, reduce_only=True)).rule == "reduce_only"
    rest = made.send(a_request(SELL, 0.4, reduce_only=True))
    assert rest.status is S.SUBMITTED
    assert rest.order_id.startswith("R-")


def test_both_orders_of_a_pair_reduce_though_each_is_of_the_whole_position() -> None:
    made = a_floor()
    send(made, a_stop(reduce_only=True), a_target(reduce_only=True))
    [pair] = made.pairs
    assert [order.reduces for order in pair] == [True, True]
    assert [order.reduce_only for order in pair] == [True, True]


def test_a_pair_takes_the_position_once_from_what_a_limit_allows() -> None:
    made = a_floor(held=0, limits=Limits(check_funds=False, max_position=3.0))
    send(made, a_stop(2.0), a_target(2.0))
    assert len(made.pairs) == 1
    assert made.send(a_request(SELL, 1.001, 101.0)).rule == "max_position"
    assert made.send(a_request(SELL, 1.0, 101.0)).status is S.SUBMITTED
    again = send(made, a_stop(0.1, 94.0), a_target(0.1, 111.0))
    assert ends(made, again) == {(S.DENIED, "max_position")}


def test_a_pair_takes_its_value_once_from_what_a_limit_allows() -> None:
    made = a_floor(held=0, limits=Limits(check_funds=False, max_exposure=Decimal(300)))
    send(made, a_stop(2.0), a_target(2.0))
    assert made.send(a_request(SELL, 1.001, 101.0)).rule == "max_exposure"
    assert made.send(a_request(SELL, 1.0, 101.0)).status is S.SUBMITTED


def test_a_pair_reserves_what_it_sells_once() -> None:
    made = a_spot_floor()
    spot_pair(made)
    assert made.risk.funds.free(ACCOUNT, "BTC") == 0
    refused = made.send(a_request(SELL, 0.00001, 101.0, instrument_id=SPOT))
    assert refused.rule == "funds"


def test_a_pair_that_buys_reserves_the_dearer_of_the_two() -> None:
    made = PairFloor(a_spot(), limits=Limits())
    made.put(a_tick(SPOT), an_account({"USDT": "1000"}))
    made.risk.fee_rate = Decimal(0)
    stop = a_stop(side=Side.BUY, trigger=104.0, instrument_id=SPOT)
    limit = a_target(side=Side.BUY, price=97.0, instrument_id=SPOT)
    ids = send(made, stop, limit)
    assert len(made.pairs) == 1, orders(made, ids)
    assert made.risk.funds.free(ACCOUNT, "USDT") == 1000 - 104


def test_a_part_that_the_limit_has_filled_frees_the_stop_of_as_much() -> None:
    made = a_floor()
    stop, limit = send(made)
    made.put(a_trade(limit, "a", 0.4, 110.0, side=SELL))
    records = {record.key: record for record in made.desk.records()}
    assert [records[name].pending_units for name in (stop, limit)] == [600, 0]
    assert [records[name].remaining_units for name in (stop, limit)] == [600, 600]
    made.put(an_order(stop, S.EXPIRED, side=SELL))
    assert [records[name].pending_units for name in (stop, limit)] == [0, 600]
    assert made.send(a_request(SELL, 0.001, reduce_only=True)).rule == "reduce_only"
    made.put(an_order(limit, S.CANCELLED, 0.4, 110.0, side=SELL))
    assert made.send(a_request(SELL, 0.6, reduce_only=True)).status is S.SUBMITTED


def test_the_end_that_is_asked_of_one_is_asked_of_both_unless_the_venue_has_ended_that_one_itself() -> None:
    made = a_floor()
    stop, limit = send(made)
    made.put(*(an_order(name, side=SELL) for name in (stop, limit)))
    records = {record.key: record for record in made.desk.records()}
    stops = partial(resting_stop_units, tuple(records.values()), 1)
    assert ([record.end_asked for record in records.values()], stops()) == ([False, False], 1000)
    made.desk.cancel(limit)
    assert ([record.end_asked for record in records.values()], stops()) == ([True, True], 0)
    made.put(an_order(limit, S.EXPIRED, side=SELL))  # the stop was touched first, and sells
    assert (records[stop].end_asked, stops()) == (False, 1000)
    made.put(an_order(limit, S.CANCELLED, side=SELL))
    assert (records[stop].end_asked, stops()) == (True, 0)
