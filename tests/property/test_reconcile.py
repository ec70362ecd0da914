"""Reconciliation converges in one run, whatever was lost, doubled, late or turned round; doing it twice changes nothing."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.core.notices import AccountAdjusted, DifferenceFound, TradeBooked
from foxtrot.domain.account import AccountCharge
from foxtrot.domain.enums import Side
from foxtrot.trading.reconcile_asking import SILENT_NS
from tests.support.builders import a_perpetual, a_spot
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig

PERP, SPOT = a_perpetual(), a_spot()
Step = Callable[[ReconcileRig], None]


class Act(NamedTuple):
    """One thing that somebody does: its kind, a side, a place, and a number that says how much or which."""

    kind: str
    side: Side
    spot: bool
    number: int

    def __call__(self, rig: ReconcileRig) -> None:
        """Do it."""
        instrument = SPOT if self.spot else PERP
        quantity, away = self.number / 10, 1 if self.side is Side.SELL else -1
        opened = [record for record in rig.line.desk.open_records(account=ACCOUNT) if record.owner == OWNER]
        if self.kind == "market":
            rig.order(self.side, quantity, instrument=instrument)
        elif self.kind == "limit":
            rig.order(self.side, quantity, 100.0 + away * 0.5, instrument=instrument)
        elif self.kind == "elsewhere":
            rig.elsewhere(self.side, quantity, instrument=instrument)
        elif self.kind == "hit":
            rig.hit(self.side, quantity, 100.0 - away * 0.5, instrument=instrument)
        elif self.kind == "money":
            rig.move_money("USDT" if self.spot else "BTC", f"{self.number}")
        elif self.kind == "cancel" and opened:
            rig.line.desk.cancel(opened[self.number % len(opened)].terms.order_id)
            rig.settle()
        elif self.kind == "cancel elsewhere" and rig.session.venue.open_orders(ACCOUNT):
            at_venue = [
                order for order in rig.session.venue.open_orders(ACCOUNT) if order.client_order_id.startswith("F-")
            ]
            if at_venue:
                chosen = rig.line.desk.order(at_venue[self.number % len(at_venue)].client_order_id)
                assert chosen is not None
                rig.cancel_elsewhere(chosen)


KINDS = ("market", "limit", "limit", "hit", "elsewhere", "money", "cancel", "cancel elsewhere")
acts = st.lists(
    st.builds(Act, st.sampled_from(KINDS), st.sampled_from(Side), st.booleans(), st.integers(1, 20)),
    min_size=1,
    max_size=8,
)
seeds = st.integers(0, 2**16)


def troubled(seed: int, *, held: bool = False) -> ReconcileRig:
    """Return a rig whose link loses, doubles and, when held, turns round what nobody asked for."""
    rig, random = ReconcileRig(PERP, SPOT), Random(seed)
    rig.link.fate = lambda _event: random.choice((0, 0, 1, 1, 2))
    rig.link.held = [] if held else None
    return rig


def suffer(rig: ReconcileRig, steps: list[Act]) -> None:
    """Let everything happen; after that the link is well, and what was sent has had its time to be heard of."""
    for step in steps:
        step(rig)
    rig.link.fate = lambda _event: 1
    rig.clock.advance(SILENT_NS + 1)


def state(rig: ReconcileRig) -> tuple[object, ...]:
    """What we hold: orders, fills, positions by owner, balances."""
    line = rig.line
    return (
        sorted((record.terms.order_id, record.status, record.filled_units) for record in line.desk.records()),
        sorted((trade.trade_id, trade.order_id) for trade in line.desk.fills(ACCOUNT)),
        sorted((key, position.quantity) for key, position in line.portfolio.positions()),
        sorted(line.portfolio.balances(ACCOUNT).items()),
        len(rig.told(AccountAdjusted)),
        len(rig.told(TradeBooked)),
    )


@settings(max_examples=100)
@given(acts, seeds, st.booleans())
def test_one_run_converges_and_a_second_changes_nothing(steps: list[Act], seed: int, held: bool) -> None:
    rig = troubled(seed, held=held)
    suffer(rig, steps)
    if held:
        rig.link.release(Random(seed))
    ended = rig.reconcile()
    assert (ended.error, ended.differences) == ("", 0)
    assert rig.differences() == []
    assert rig.told(DifferenceFound) == [], "all of it is explained by fills, or moved outside"
    before = state(rig)
    rig.reconcile()
    assert state(rig) == before


@settings(max_examples=80)
@given(acts, seeds)
def test_whatever_comes_late_and_in_whatever_order_counts_once(steps: list[Act], seed: int) -> None:
    rig, random = troubled(seed), Random(seed)
    suffer(rig, steps)
    rig.reconcile()
    late = [event for event in rig.link.lost if not isinstance(event, AccountCharge)]
    random.shuffle(late)
    before = state(rig)[1:]
    for event in late * 2:
        rig.put(event)
    assert state(rig)[1:] == before, "an order of somebody else may be told only now, but nothing that counts"
    assert rig.differences() == []


@settings(max_examples=80)
@given(acts, seeds)
def test_answers_and_events_in_any_order_end_in_the_same_state(steps: list[Act], seed: int) -> None:
    rig = troubled(seed, held=True)
    suffer(rig, steps)
    ended = rig.reconcile(mixed=Random(seed))
    assert ended.error == ""
    assert rig.reconcile().error == ""
    assert rig.differences() == []
    assert rig.told(DifferenceFound) == []


@settings(max_examples=40)
@given(acts, seeds, st.integers(-50, 50).filter(bool))
def test_a_position_that_nothing_explains_is_found_and_halts_that_instrument_alone(
    steps: list[Act], seed: int, units: int
) -> None:
    rig = troubled(seed)
    suffer(rig, steps)
    rig.line.portfolio.adjust((OWNER, ACCOUNT, PERP.instrument_id, "net"), units, units * 1_000)  # type: ignore[arg-type]
    assert rig.reconcile().differences == 1
    (found,) = rig.told(DifferenceFound)
    assert (found.kind, found.subject) == ("position", PERP.instrument_id)
    assert rig.blocked(PERP)
    assert not rig.blocked(SPOT)
