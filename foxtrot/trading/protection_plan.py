"""What a protection does next, as a pure function of what stands: cancel, place, close the position, wait or end.

The rule above all: orders that close never come to more than the position. What must grow is added first, what must shrink is
cancelled first, and a part too small for an order of its own is joined with a piece that is cancelled for it.
"""

from enum import StrEnum

import msgspec

from foxtrot.trading.protection_state import Step, VenueLeg

PIECES = 3
"""How many orders may share the protection of one position; one more is joined with the smallest. A venue's own limit of
conditional orders can be as low as five for all of an instrument."""


class Leg(msgspec.Struct, frozen=True, gc=False):
    """One order of a protection at the venue: what it may still close, and whether its end was asked for."""

    order_id: str
    pending: int
    ending: bool = False
    stale: bool = False


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What stands of one protected position, in quantity units.

    `held` is what can be sold of it, `others` what orders of its owner that are no part of the protection may close;
    `waits` tells whether an entry may still add to it, `exits` whether the closing order is out. `least` and `most` bound one
    order. `sends` tells whether an order that closes would leave now.
    """

    held: int
    others: int
    legs: tuple[Leg, ...]
    waits: bool
    exits: bool
    least: int
    most: int
    sends: bool = True


class Act(StrEnum):
    """What is done next."""

    WAIT = "wait"
    END = "end"
    CANCEL = "cancel"
    PLACE = "place"
    EXIT = "exit"


class Move(msgspec.Struct, frozen=True, gc=False):
    """An act with what it is about: the orders to cancel, or the units to place."""

    act: Act
    order_ids: tuple[str, ...] = ()
    units: int = 0


WAIT, END = Move(Act.WAIT), Move(Act.END)


def next_move(step: Step, leg: VenueLeg, standing: Standing) -> Move:
    """Return what a protection does next."""
    if standing.held < max(1, standing.least):
        return _cancel(standing.legs) or (WAIT if _is_busy(standing) else END)
    room = max(0, standing.held - standing.others)
    if (step is Step.EXITING or leg is VenueLeg.NONE) and not standing.sends and _rests(standing):
        return WAIT  # what rests at the venue closes the position still, and nothing else could
    if step is Step.EXITING:
        return _cancel(standing.legs) or _exit(standing, room)
    if leg is VenueLeg.NONE:
        return _cancel(standing.legs) or WAIT
    stale = _cancel(tuple(piece for piece in standing.legs if piece.stale))
    return stale or _shrink(standing, room) or _grow(standing, room) or WAIT


def _is_busy(standing: Standing) -> bool:
    return standing.waits or standing.exits or any(piece.pending for piece in standing.legs)


def _rests(standing: Standing) -> bool:
    return any(piece.pending and not piece.ending for piece in standing.legs)


def _exit(standing: Standing, room: int) -> Move:
    busy = standing.exits or any(piece.pending for piece in standing.legs)
    return WAIT if busy or room < standing.least else Move(Act.EXIT, units=min(room, standing.most or room))


def _cancel(pieces: tuple[Leg, ...]) -> Move | None:
    """Return the move that ends pieces which may still close something and were not asked to end."""
    names = tuple(piece.order_id for piece in pieces if piece.pending and not piece.ending)
    return Move(Act.CANCEL, names) if names else None


def _shrink(standing: Standing, room: int) -> Move | None:
    """Cancel the smallest pieces until what is left fits; what then lacks is placed when they are gone."""
    surplus = sum(piece.pending for piece in standing.legs if not piece.ending) - room
    ended = []
    for piece in sorted(standing.legs, key=lambda piece: piece.pending):
        if surplus > 0 and piece.pending and not piece.ending:
            ended.append(piece)
            surplus -= piece.pending
    return _cancel(tuple(ended))


def _grow(standing: Standing, room: int) -> Move | None:
    """Place what lacks, or make room for it by ending the smallest piece."""
    live = [piece for piece in standing.legs if piece.pending]
    lacking = room - sum(piece.pending for piece in live)
    if lacking <= 0:
        return None
    if lacking < standing.least or len(live) >= PIECES:
        joined = _join(standing, live, lacking)
        if joined is not None or lacking < standing.least:
            return joined
    return Move(Act.PLACE, units=min(lacking, standing.most or lacking))


def _join(standing: Standing, live: list[Leg], lacking: int) -> Move | None:
    """End the smallest piece, so that what lacks is placed with it; WAIT while one ends, None where that makes too large an order."""
    if any(piece.ending for piece in live):
        return WAIT
    smallest = min(live, key=lambda piece: piece.pending, default=None)
    if smallest is None or (standing.most and smallest.pending + lacking > standing.most):
        return None
    return Move(Act.CANCEL, (smallest.order_id,))
