"""Whatever happens to the messages of a run of orders, reconciliation brings it to the state of the run to which nothing happened.

They are lost, doubled, late, turned round, or not heard by a process that ended; nothing is invented to make up for that.
"""

from collections.abc import Iterator
from functools import cache
from random import Random

import pytest

from foxtrot.core.notices import AccountReconciled, DifferenceFound
from foxtrot.domain.account import AccountCharge
from foxtrot.domain.enums import GateState, OrderStatus
from tests.support.order_story import MESSAGES, PERP, SPOT, Fate, StoryRig

LOST, PART = 0.25, 0.25


def lived(fate: Fate, *, snapshots: bool = False) -> tuple[StoryRig, AccountReconciled]:
    """Return a run with a fate, and how its reconciliation ended."""
    rig = StoryRig(fate)
    rig.live(snapshots=snapshots)
    return rig, rig.reconcile()


@cache
def undisturbed() -> StoryRig:
    rig, _ = lived(Fate())
    return rig


def faults(fate: Fate, *, snapshots: bool = False) -> Iterator[str]:
    """Yield what is not as it is in the run to which nothing happened."""
    rig, ended = lived(fate, snapshots=snapshots)
    got = rig.end_state()
    yield from (f"{key} differ" for key, value in undisturbed().end_state().items() if got[key] != value)
    yield from (f"at the venue: {difference}" for difference in rig.differences())
    if ended.error or ended.differences or rig.reconciler.differences():
        yield f"it ends with {ended}"
    yield from (f"found on the way: {found}" for found in rig.told(DifferenceFound))
    if any(rig.blocked(one) for one in (None, PERP, SPOT)) or rig.line.gate.state is not GateState.ACTIVE:
        yield "trading is blocked"
    # A charge is told once and by no list: what was lost of them, and nothing else, moved the balance from outside.
    if rig.adjustments() != rig.unheard_charges():
        yield f"adjusted by {rig.adjustments()}, where charges of {rig.unheard_charges()} were lost"


def all_faults(fates: dict[str, Fate], *, snapshots: bool = False) -> list[str]:
    return [f"{name}: {fault}" for name, fate in fates.items() for fault in faults(fate, snapshots=snapshots)]


def one_by_one(what: str) -> dict[str, Fate]:
    """Return a fate for each message."""
    numbers = range(1, len(undisturbed().fated.heard) + 1)
    return {f"{what} {number}": Fate(**{what: frozenset({number})}) for number in numbers}  # type: ignore[arg-type]


def mixed(seed: int) -> Fate:
    """Lose some messages after the log-in, double some, and tell them all in another order."""
    random, rig = Random(seed), undisturbed()
    numbers = range(rig.log_in + 1, len(rig.fated.heard) + 1)
    drop, double = (frozenset(n for n in numbers if random.random() < share) for share in (LOST, PART))
    return Fate(drop=drop, double=double, keep_all=True, shuffle=seed)


def test_the_story_touches_what_an_order_can_go_through() -> None:
    rig = undisturbed()
    orders = {name: rig.line.desk.order(order_id) for name, order_id in rig.ids.items()}
    statuses = {name: order.status for name, order in orders.items() if order is not None}
    assert set(statuses.values()) == {
        OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELLED, OrderStatus.ACCEPTED,
        OrderStatus.EXPIRED,
    }  # fmt: skip
    assert len(statuses) == 13
    assert statuses["filled while cancelled"] is statuses["stop"] is OrderStatus.FILLED
    assert {type(message) for message in rig.fated.heard} == set(MESSAGES)
    assert sum(isinstance(message, AccountCharge) for message in rig.fated.heard) == 1
    spot = rig.line.portfolio.position("manual", "main", SPOT.instrument_id)
    assert spot is not None
    assert spot.fees["BTC"] > 0
    assert list(faults(Fate())) == []


@pytest.mark.parametrize("what", ["drop", "double", "to_the_end", "behind_the_next"])
def test_each_message_may_be_lost_doubled_late_or_behind_the_next(what: str) -> None:
    assert all_faults(one_by_one(what)) == []


@pytest.mark.parametrize("snapshots", [False, True])
def test_the_process_may_end_at_each_message(snapshots: bool) -> None:
    numbers = range(undisturbed().log_in + 1, len(undisturbed().fated.heard) + 1)
    deaths = {f"dead at {number}": Fate(dead_from=number) for number in numbers}
    assert all_faults(deaths, snapshots=snapshots) == []


def hard(seed: int) -> Fate:
    """Lose some messages, double some, let some come behind the next, and let the process end at one of them."""
    random, rig = Random(seed), undisturbed()
    numbers = range(rig.log_in + 1, len(rig.fated.heard) + 1)
    drop, double, behind = (frozenset(n for n in numbers if random.random() < LOST) for _ in range(3))
    return Fate(drop=drop, double=double, behind_the_next=behind, dead_from=random.choice(numbers))


@pytest.mark.parametrize("snapshots", [False, True])
def test_a_process_that_has_not_heard_everything_may_end_too(snapshots: bool) -> None:
    assert all_faults({f"hard {seed}": hard(seed) for seed in range(1, 41)}, snapshots=snapshots) == []


def test_all_messages_may_come_in_any_order() -> None:
    assert all_faults({f"order {seed}": Fate(keep_all=True, shuffle=seed) for seed in range(1, 101)}) == []


def test_some_may_be_lost_and_some_doubled_and_all_in_any_order() -> None:
    assert all_faults({f"mix {seed}": mixed(seed) for seed in range(1, 51)}) == []


@pytest.mark.slow
def test_in_very_many_orders() -> None:
    assert all_faults({f"order {seed}": Fate(keep_all=True, shuffle=seed) for seed in range(1_000, 4_000)}) == []
    assert all_faults({f"hard {seed}": hard(seed) for seed in range(1_000, 4_000)}, snapshots=True) == []
    assert all_faults({f"mix {seed}": mixed(seed) for seed in range(1_000, 4_000)}) == []
