"""Pairs over a restart: wherever the journal ends, the two know each other again, count once, and are asked for if unheard."""

import msgspec
import pytest

from foxtrot.core.notices import AdapterStatus, IntentDurable
from foxtrot.domain.enums import AdapterState, GateState, OrderStatus, PositionSide, Side
from foxtrot.storage.journal_records import (
    FillBooked,
    Intent,
    JournalRecord,
    NotSent,
    OrderTold,
    Snapshot,
    decode_record,
    encode_record,
)
from foxtrot.trading.exposure import Exposure
from foxtrot.trading.restore import Restore
from foxtrot.trading.restored_state import decode_state, encode_state, fold
from foxtrot.trading.snapshots import state_of
from tests.support.builders import ACCOUNT, OWNER, T0, a_request, a_tick, a_trade, an_order
from tests.support.pair_floor import PairFloor, a_stop, a_target

S, SELL = OrderStatus, Side.SELL
PLACE = ("BTCUSDT.PERP", PositionSide.NET)
STEPS = 10
READY = AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0)


class KeptJournal:
    """Keeps every record as the disk would have it; the test answers."""

    keeps_reports = True

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, record: JournalRecord) -> None:
        self.lines.append(encode_record(record))

    def close(self) -> None:
        return

    def records(self) -> list[JournalRecord]:
        return [decode_record(line) for line in self.lines]


class Story:
    """A position of one, its pair, and what becomes of that, a step at a time; the limit fills in part and ends the stop."""

    def __init__(self) -> None:
        self.journal = KeptJournal()
        self.floor = PairFloor(journal=self.journal)
        self.floor.put(a_tick())
        entry = self.floor.desk.submit(a_request(), OWNER)
        self.floor.put(IntentDurable((entry,)), a_trade(entry, "entry"))
        self.began = len(self.journal.lines)
        self.ids = ("", "")

    def go(self, step: int) -> None:
        """Let one step happen."""
        if step == 0:
            stop, target = a_stop(reduce_only=True), a_target(reduce_only=True)
            self.ids = self.floor.desk.submit_pair(stop, target, OWNER)
            self.floor.dispatcher.drain()
            return
        stop_id, limit_id = self.ids
        known = {"side": SELL}
        events = (
            IntentDurable((stop_id,)),
            IntentDurable((limit_id,)),
            an_order(stop_id, S.ACCEPTED, **known),
            an_order(limit_id, S.ACCEPTED, **known),
            a_trade(limit_id, "part", 0.4, 110.0, **known),
            an_order(limit_id, S.PARTIALLY_FILLED, 0.4, 110.0, **known),
            an_order(stop_id, S.EXPIRED, **known),
            an_order(limit_id, S.CANCELLED, 0.4, 110.0, **known),
        )
        if step <= len(events):
            self.floor.put(events[step - 1])

    def snapshot(self) -> None:
        """Let the run write a snapshot of what it holds."""
        state = state_of(self.floor.desk, self.floor.portfolio, self.floor.notes.decisions, since_ns=0)
        self.journal.append(Snapshot(T0, encode_state(state)))


def again(records: list[JournalRecord]) -> PairFloor:
    made = PairFloor(run_id="0000000002")
    made.put(a_tick())
    restore = Restore(made.desk, made.portfolio)
    restore.put(decode_state(msgspec.Raw(bytes(encode_state(fold(records))))))
    restore.watch(made.dispatcher)
    return made


def counts(made: PairFloor) -> tuple[int, int]:
    """Units that were sold, and that may yet be."""
    position = made.portfolio.position(OWNER, ACCOUNT, PLACE[0])
    assert position is not None
    return 1000 - position.whole_units, Exposure(made.desk, made.portfolio).pending_units(SELL, OWNER, ACCOUNT, PLACE)


def check(made: PairFloor, records: list[JournalRecord], ids: tuple[str, str]) -> None:
    """Hold a restored run against the records that it had."""
    intents = [r.order.order_id for r in records if isinstance(r, Intent) and r.order.order_id in ids]
    heard = {r.order.order_id for r in records if isinstance(r, OrderTold)}
    heard |= {r.trade.order_id for r in records if isinstance(r, FillBooked)}
    mine = [made.desk.index.all[name] for name in intents]
    other = dict(zip(ids, reversed(ids), strict=True))
    for record in mine:
        partner = "" if record.partner is None else record.partner.key
        assert partner == (other[record.key] if len(mine) == 2 else ""), record.key
    gone, waiting = counts(made)
    ended = any(isinstance(r, OrderTold) and r.order.status is S.CANCELLED for r in records)
    assert gone + waiting == (0 if not mine else 400 if ended else 1000)
    unheard = {name for name in intents if name not in heard}
    assert {record.key for record in mine if record.status is S.UNKNOWN} == unheard
    made.put(READY, READY)
    assert sorted(sent.order_id for sent, _ in made.adapter.recovered) == sorted(unheard)
    assert (made.adapter.sent, made.pairs) == ([], [])
    if mine:
        more = 0.601 if ended else 0.001
        assert made.send(a_request(SELL, more, reduce_only=True)).rule == "reduce_only"


def test_wherever_the_journal_ends_the_pair_is_one_again() -> None:
    story = Story()
    for step in range(STEPS):
        story.go(step)
    records = story.journal.records()
    kinds = [type(record).__name__ for record in records[story.began :]]
    assert kinds[:4] == ["Intent", "Intent", "Handed", "Handed"]
    assert kinds.count("FillBooked") == 1
    for cut in range(story.began, len(records) + 1):
        check(again(records[:cut]), records[:cut], story.ids)


@pytest.mark.parametrize("snapshot_after", range(STEPS))
def test_a_snapshot_at_any_step_carries_the_pair(snapshot_after: int) -> None:
    story, cuts = Story(), []
    for step in range(STEPS):
        story.go(step)
        if step == snapshot_after:
            story.snapshot()
            cuts = [len(story.journal.lines)]
        elif cuts:
            cuts.append(len(story.journal.lines))
    records = story.journal.records()
    for cut in cuts:
        from_it = again(records[cuts[0] - 1 : cut])
        whole = again([record for record in records[:cut] if not isinstance(record, Snapshot)])
        assert facts(from_it) == facts(whole)


def facts(made: PairFloor) -> object:
    """What trading decides by, and who is asked for once there is a connection."""
    orders = {
        record.key: (
            record.to_order(),
            record.pending_units,
            record.remaining_units,
            record.cancel_asked,
            record.partner.key if record.partner is not None else "",
        )
        for record in made.desk.records()
    }
    made.put(READY)
    return orders, counts(made), sorted(sent.order_id for sent, _ in made.adapter.recovered)


def test_the_cancel_that_was_asked_of_one_is_known_of_that_one() -> None:
    story = Story()
    for step in range(5):
        story.go(step)
    story.floor.desk.cancel(story.ids[1])
    made = again(story.journal.records())
    assert [made.desk.index.all[name].cancel_asked for name in story.ids] == [False, True]


def test_a_run_that_died_between_the_two_notes_that_neither_was_sent_asks_for_the_other_and_counts_it() -> None:
    story = Story()
    story.go(0)
    story.floor.gate.close("kill switch")
    for step in (1, 2):
        story.go(step)
    records = story.journal.records()
    first = next(at for at, record in enumerate(records) if isinstance(record, NotSent))
    made = again(records)
    assert (counts(made), made.desk.open_count) == ((0, 0), 0)
    torn = again(records[: first + 1])
    statuses = sorted(torn.desk.index.all[name].status for name in story.ids)
    assert statuses == [S.DENIED, S.UNKNOWN]
    assert counts(torn) == (0, 1000)
    torn.put(READY)
    assert len(torn.adapter.recovered) == 1


def test_what_is_heard_of_a_pair_after_the_restart_ends_it_as_it_would_have() -> None:
    story = Story()
    for step in range(3):
        story.go(step)
    made = again(story.journal.records())
    stop, limit = story.ids
    assert made.gate.state is GateState.ACTIVE
    assert made.send(a_request(price=99.0)).rule == "unknown_order"
    made.put(an_order(stop, S.EXPIRED, side=SELL), an_order(limit, S.FILLED, 1.0, 110.0, side=SELL))
    assert counts(made) == (0, 1000)
    made.put(a_trade(limit, "all", 1.0, 110.0, side=SELL))
    assert counts(made) == (1000, 0)
    assert made.send(a_request(price=98.0)).status is S.SUBMITTED
