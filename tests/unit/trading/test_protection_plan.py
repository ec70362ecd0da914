"""The next move of a protection as a table: what stands, and what is done about it."""

import pytest

from foxtrot.trading.protection_plan import END, WAIT, Act, Leg, Move, Standing, next_move
from foxtrot.trading.protection_state import Step, VenueLeg

STOP, NONE = VenueLeg.STOP, VenueLeg.NONE
ARMED, EXITING = Step.ARMED, Step.EXITING


def standing(
    held: int, *legs: Leg, others: int = 0, waits: bool = False, exits: bool = False, least: int = 2, most: int = 0
) -> Standing:
    return Standing(held, others, legs, waits, exits, least, most)


def leg(name: str, pending: int, *, ending: bool = False, stale: bool = False) -> Leg:
    return Leg(name, pending, ending, stale)


def cancel(*names: str) -> Move:
    return Move(Act.CANCEL, names)


def place(units: int) -> Move:
    return Move(Act.PLACE, units=units)


def leave(units: int) -> Move:
    return Move(Act.EXIT, units=units)


A, B, C = leg("a", 5), leg("b", 3), leg("c", 2)
GONE = leg("a", 5, ending=True)

TABLE = {
    "flat: over": (ARMED, STOP, standing(0), END),
    "flat: an entry may still fill": (ARMED, STOP, standing(0, waits=True), WAIT),
    "flat: what rests is cancelled": (ARMED, STOP, standing(0, A), cancel("a")),
    "flat: until that is gone": (ARMED, STOP, standing(0, GONE), WAIT),
    "flat: a closing order is out": (EXITING, STOP, standing(0, exits=True), WAIT),
    "dust cannot be protected": (ARMED, STOP, standing(1), END),
    "naked: a stop is placed": (ARMED, STOP, standing(5), place(5)),
    "covered": (ARMED, STOP, standing(5, A), WAIT),
    "grown: the rest is added": (ARMED, STOP, standing(8, A), place(3)),
    "grown by too little: a piece is ended for it": (ARMED, STOP, standing(6, A), cancel("a")),
    "and both are placed as one": (ARMED, STOP, standing(6), place(6)),
    "not before the piece is gone": (ARMED, STOP, standing(6, GONE), WAIT),
    "one piece too many: the smallest is ended": (ARMED, STOP, standing(13, A, B, C), cancel("c")),
    "unless together they were too large": (ARMED, STOP, standing(16, A, A, A, least=1, most=5), place(1)),
    "the largest order allowed": (ARMED, STOP, standing(9, most=4), place(4)),
    "shrunk: the smallest piece goes": (ARMED, STOP, standing(6, A, B), cancel("b")),
    "shrunk by more": (ARMED, STOP, standing(4, A, B), cancel("b", "a")),
    "shrunk: what is going counts": (ARMED, STOP, standing(3, GONE, B), WAIT),
    "other orders take room": (ARMED, STOP, standing(8, A, others=3), WAIT),
    "other orders take more": (ARMED, STOP, standing(8, A, others=4), cancel("a")),
    "other orders take everything": (ARMED, STOP, standing(8, others=8), WAIT),
    "stale terms": (ARMED, STOP, standing(5, leg("a", 5, stale=True)), cancel("a")),
    "watched here: nothing rests": (ARMED, NONE, standing(5, A), cancel("a")),
    "watched here": (ARMED, NONE, standing(5), WAIT),
    "leaving: the stop first": (EXITING, STOP, standing(5, A), cancel("a")),
    "leaving: until it is gone": (EXITING, STOP, standing(5, GONE), WAIT),
    "leaving": (EXITING, STOP, standing(5), leave(5)),
    "leaving in parts": (EXITING, STOP, standing(5, most=4), leave(4)),
    "leaving: beside other orders": (EXITING, STOP, standing(5, others=2), leave(3)),
    "leaving: it is out": (EXITING, STOP, standing(5, exits=True), WAIT),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_the_next_move(case: str) -> None:
    step, venue_leg, facts, move = TABLE[case]
    assert next_move(step, venue_leg, facts) == move
