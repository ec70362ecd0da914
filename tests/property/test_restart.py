"""A snapshot stands for everything before it, over many runs; what an old order traded is not counted twice."""

from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountAdjusted, DifferenceFound, TradeBooked
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState, PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData
from foxtrot.storage.journal_records import (
    Adjusted,
    DifferenceSettled,
    GateMoved,
    JournalRecord,
    ProtectionKept,
    Record,
    Snapshot,
    StrategyHalted,
    StrategyRearmed,
    decode_record,
    encode_record,
)
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.adjustment import apply_adjustment
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.protection_state import Protection, encode_protection
from foxtrot.trading.reconcile_settings import ReconcileSettings
from foxtrot.trading.restored_state import UNFOLDED, encode_state, fold
from foxtrot.trading.snapshots import REMEMBERED_NS, TOLD_AGAIN_NS, state_of
from tests.support.builders import a_perpetual, a_spot
from tests.support.line_rig import LIMITS, T0
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig

PERP, SPOT = a_perpetual(), a_spot()
BUY, SELL = Side.BUY, Side.SELL
SECOND = "second"


def snapshot(rig: ReconcileRig, remembered_ns: int = REMEMBERED_NS) -> None:
    """Write a snapshot as a platform does when it ends in order."""
    line, now_ns = rig.line, rig.clock.now_ns()
    state = state_of(line.desk, line.portfolio, line.notes.decisions, now_ns - remembered_ns)
    line.notes.append(Snapshot(now_ns, encode_state(state)))


class Step(NamedTuple):
    """Something that happens: its kind, a side, a place and a number that says how much or which."""

    kind: str
    side: Side
    spot: bool
    number: int

    def __call__(self, rig: ReconcileRig) -> None:
        """Do it."""
        rig.wait(self.number / 7)
        getattr(self, f"_{self.kind}")(rig)

    def _market(self, rig: ReconcileRig) -> None:
        rig.order(self.side, self.number / 10, instrument=self._place, owner=self._owner)

    def _limit(self, rig: ReconcileRig) -> None:
        price = 100.5 if self.side is SELL else 99.5
        rig.order(self.side, self.number / 10, price, self._place, self._owner)

    def _hit(self, rig: ReconcileRig) -> None:
        rig.hit(self.side, self.number / 10, 100.5 if self.side is BUY else 99.5, self._place)

    def _elsewhere(self, rig: ReconcileRig) -> None:
        rig.elsewhere(self.side, self.number / 10, instrument=self._place)

    def _money(self, rig: ReconcileRig) -> None:
        rig.move_money("USDT", str(self.number))

    def _cancel(self, rig: ReconcileRig) -> None:
        ours = [one for one in rig.line.desk.open_records(account=ACCOUNT) if one.owner != "EXTERNAL"]
        if ours:
            rig.line.desk.cancel(ours[self.number % len(ours)].terms.order_id)
            rig.settle()

    def _deaf(self, rig: ReconcileRig) -> None:
        """Lose every other report from now on, until the next run begins or reconciliation is asked for."""
        random = Random(self.number)
        rig.link.fate = lambda _event: random.choice((0, 1))

    def _reconcile(self, rig: ReconcileRig) -> None:
        rig.link.fate = lambda _event: 1
        rig.reconcile()

    def _decide(self, rig: ReconcileRig) -> None:
        for record in self._decisions(rig.clock.now_ns()):
            rig.line.notes.append(record)

    def _adjust(self, rig: ReconcileRig) -> None:
        record = Adjusted(
            rig.clock.now_ns(), f"a{self.number}", ACCOUNT, OWNER, PERP.instrument_id, PositionSide.NET, self.number, 100.0, "",
            Decimal(0), "a person's decision", "ann",
        )  # fmt: skip
        if apply_adjustment(rig.line.portfolio, record):
            rig.line.notes.append(record)

    def _snapshot(self, rig: ReconcileRig) -> None:
        for _ in range(1 + self.number % 2):
            snapshot(rig)

    def _crash(self, rig: ReconcileRig) -> None:
        rig.crash()
        rig.restart()
        rig.wait(10)

    def _stop(self, rig: ReconcileRig) -> None:
        snapshot(rig)
        self._crash(rig)

    @property
    def _place(self) -> Instrument:
        return SPOT if self.spot else PERP

    @property
    def _owner(self) -> str:
        return SECOND if self.number % 3 == 0 else OWNER

    def _decisions(self, now_ns: int) -> Iterable[Record]:
        """Return one decision or its end, by the number."""
        which, name, place = self.number % 5, f"d{self.number % 2}", PERP.instrument_id
        begins, state = self.side is BUY, GateState.HALTED if self.side is BUY else GateState.ACTIVE
        if which == 0:
            yield GateMoved(now_ns, state, "other", "", "by hand", name, lasting=True)
        elif which == 1:
            yield (
                StrategyHalted(now_ns, name, "runaway", "it loops")
                if begins
                else StrategyRearmed(now_ns, name, "ann", "")
            )
        elif which == 2:
            text = encode_protection(Protection(OWNER, "other", place, PositionSide.NET, long=True, stop_units=900))
            yield ProtectionKept(now_ns, name, OWNER, "other", place, text if begins else "")
        elif which == 3:
            yield DifferenceSettled(now_ns, name, "ignore", "other", place, "1", "2", "ann", "known")
        else:
            yield GateMoved(now_ns, GateState.REDUCING, "other", place, "reduce", name, lasting=self.spot)


KINDS = (
    "market", "market", "limit", "limit", "hit", "hit", "elsewhere", "money", "cancel", "deaf", "reconcile", "decide", "decide",
    "adjust", "snapshot", "crash", "stop",
)  # fmt: skip


def story(seed: int) -> list[Step]:
    """Return something that happens."""
    random = Random(seed)
    return [
        Step(random.choice(KINDS), random.choice(tuple(Side)), random.random() < 0.5, random.randint(1, 20))
        for _ in range(random.randint(4, 18))
    ]


def held(line: Line) -> dict[str, object]:
    """Return all that a start takes over."""
    desk, portfolio, gate = line.desk, line.portfolio, line.gate
    return {
        "orders": {
            record.key: (record.owner, order_of(record), record.cancel_asked, record.approved, sorted(record.fills))
            for record in desk.records()
        },
        "early": sorted((one.trade_id, one.order_id) for one in desk.early.all(ACCOUNT)),
        "open": (sorted(desk.index.open), sorted(desk.index.lacking)),
        "positions": positions_of(portfolio),
        "accounts": {
            name: (book.opening, book.opening_time_ns, book.positions_found, book.charges, book.unshared, book.charge_ids)
            for name, book in portfolio.accounts.items()
        },
        "balances": portfolio.balances(ACCOUNT),
        "decisions": line.notes.decisions,
        "halted": sorted(line.halted.all(), key=lambda record: record.strategy_id),
        "gate": gate.state,
    }  # fmt: skip


def order_of(record: OrderRecord) -> OrderData:
    """Return an order but for the time of the last report, which is not written down when it told nothing new."""
    return msgspec.structs.replace(record.to_order(), local_time_ns=0)


def positions_of(portfolio: Portfolio) -> dict[object, object]:
    return {
        key: (p.quantity, p.cost, p.realised, p.flow, p.turnover, p.fills, p.found, p.found_value, p.fees, p.funding, p.base_at(0))
        for key, p in [*portfolio.positions(), *portfolio.net_positions()]
    }  # fmt: skip


def begun_from(records: Iterable[JournalRecord]) -> Line:
    """Return the line that a start makes of some records, before anything connects."""
    restored = fold(decode_record(encode_record(record)) for record in records)
    setting = LineSettings(run_id="run0000099", limits=LIMITS, reconcile=ReconcileSettings())
    return Line(Dispatcher(ManualClock(T0)), SendPermit(), setting, restored=restored)


def a_record_of(seed: int) -> list[JournalRecord]:
    """Return the journal of some runs, with a snapshot near its end."""
    rig = ReconcileRig(PERP, SPOT)
    rig.wait(1)
    for step in story(seed):
        step(rig)
    snapshot(rig)
    rig.order(BUY, 0.3)
    rig.hit(SELL, 0.1, 99.5)
    return list(rig.records)


def differing(seed: int) -> list[str]:
    """Return what a start from a snapshot has otherwise than one from all that was written."""
    records = a_record_of(seed)
    whole, found = held(begun_from(one for one in records if type(one) is not Snapshot)), []
    needed = [one for one in records if type(one) not in UNFOLDED]
    if fold(needed) != fold(records):
        found.append(f"{seed}: something that a start needs is left out")
    for first in [0, *(index for index, one in enumerate(records) if type(one) is Snapshot)]:
        got = held(begun_from(records[first:]))
        found += [
            f"{seed}, from {first}: {name}: {got[name]} != {whole[name]}" for name in whole if got[name] != whole[name]
        ]
    return found


def test_all_records_and_those_since_any_snapshot_come_to_the_same() -> None:
    assert [text for seed in range(40) for text in differing(seed)] == []


@pytest.mark.slow
def test_all_records_and_those_since_any_snapshot_come_to_the_same_very_often() -> None:
    assert [text for seed in range(1_000, 3_000) for text in differing(seed)] == []


# --- orders that ended long ago ---------------------------------------------------------------------------------------


def an_old_day(*pauses: float) -> ReconcileRig:
    """Return a rig that traded, with pauses of seconds between, and ended in order three days later."""
    rig = ReconcileRig(PERP, SPOT)
    for number, pause in enumerate(pauses):
        rig.wait(pause)
        rig.order(BUY if number % 2 else SELL, 0.5 + number / 10, instrument=SPOT if number % 3 == 2 else PERP)
    rig.elsewhere(BUY, 0.3)
    rig.wait(3 * 86_400)
    snapshot(rig)
    rig.crash()
    return rig


@pytest.mark.parametrize("pauses", [(1.0, 1.0, 1.0), (1.0, 3_000.0, 1.0), (1.0, 300.0, 400.0, 300.0, 3_000.0)])
def test_a_fill_of_an_order_that_ended_long_ago_is_not_counted_twice(pauses: tuple[float, ...]) -> None:
    rig = an_old_day(*pauses)
    before, balances = positions_of(rig.line.portfolio), rig.line.portfolio.balances(ACCOUNT)
    for _ in range(2):
        rig.restart()
        rig.wait(10)
        assert rig.reconcile().error == ""
        assert rig.told(TradeBooked) == rig.told(AccountAdjusted) == rig.told(DifferenceFound) == []
        assert [one for one in rig.differences() if not one.startswith("fill ")] == []
        found = positions_of(rig.line.portfolio)
        assert {key: value[:-1] for key, value in found.items()} == {key: value[:-1] for key, value in before.items()}
        assert rig.line.portfolio.balances(ACCOUNT) == balances
        snapshot(rig)
        rig.crash()


def test_what_may_be_told_once_more_is_carried_along_and_nothing_else_that_is_old() -> None:
    rig = an_old_day(1.0, 3_000.0, 400.0, 300.0)
    last = max(trade.venue_time_ns for trade in rig.line.desk.fills(ACCOUNT))
    kept = fold(rig.records).orders
    again = {key for key, life in kept.items() if any(t.venue_time_ns >= last - TOLD_AGAIN_NS for t in life.fills)}
    assert again == set(kept)
    assert 0 < len(kept) < len(list(rig.line.desk.records()))


def test_a_fill_that_was_lost_before_a_snapshot_is_put_in_its_place_after_it() -> None:
    """Cost and realised profit depend on the order of fills: out of place it would not agree with the venue's balance."""
    rig = ReconcileRig(PERP)
    rig.wait(1)
    rig.order(BUY, 1.0)
    rig.order(BUY, 1.0, 99.5)
    rig.wait(1)
    rig.link.fate = lambda _event: 0
    rig.hit(SELL, 1.0, 99.5)
    rig.link.fate = lambda _event: 1
    rig.wait(1)
    rig.elsewhere(SELL, 0.5)
    snapshot(rig)
    rig.crash()
    rig.restart()
    rig.wait(10)
    assert rig.told(AccountAdjusted) == []
    assert rig.differences() == []
    position = rig.line.portfolio.net_position(ACCOUNT, PERP.instrument_id)
    assert position is not None
    assert (position.quantity, position.average_price, position.realised_profit()) == (1500, 100.25, Decimal("-0.625"))


def test_an_adjustment_in_an_instrument_that_was_never_traded_can_be_read_back() -> None:
    rig = ReconcileRig(PERP, SPOT)
    record = Adjusted(
        T0, "a1", ACCOUNT, OWNER, PERP.instrument_id, PositionSide.NET, 500, 100.0, "", Decimal(0), "adopted", "ann"
    )
    assert apply_adjustment(rig.line.portfolio, record)
    rig.line.notes.append(record)
    position = begun_from(rig.records).portfolio.position(OWNER, ACCOUNT, PERP.instrument_id)
    assert position is not None
    assert position.quantity == 500
