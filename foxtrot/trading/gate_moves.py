"""What stands of all the moves a gate ever made: blocks by place and by who set them."""

from collections.abc import Iterable
from typing import Protocol

from foxtrot.domain.enums import GateState
from foxtrot.storage.journal_records import GateMoved, JournalRecord

Place = tuple[str, str]
"""(account, instrument id), "" for all of them"""
PLATFORM: Place = ("", "")
STRICTNESS = {GateState.ACTIVE: 0, GateState.REDUCING: 1, GateState.HALTED: 2}


class DecisionJournal(Protocol):
    """What whoever decides needs of the journal.

    Thread: the dispatcher's.
    """

    @property
    def keeps_reports(self) -> bool:
        """Tell whether decisions are kept."""
        ...

    def append(self, record: JournalRecord) -> None:
        """Keep one."""
        ...


class StandingMoves:
    """The moves that stand, by place and by cause.

    Causes do not undo each other: who lifts a block (a move to ACTIVE) lifts its own alone, unless the move is lasting, which is a
    person's: that lifts all blocks of the place.

    Thread: the dispatcher's.
    """

    def __init__(self, moves: Iterable[GateMoved] = ()) -> None:
        self._by_place: dict[Place, dict[str, GateMoved]] = {}
        for move in moves:
            self.take(move)

    def __bool__(self) -> bool:
        """Tell whether anything stands."""
        return bool(self._by_place)

    def take(self, move: GateMoved) -> None:
        """Let a move have its effect."""
        place = (move.account, move.instrument_id)
        if move.state is not GateState.ACTIVE:
            self._by_place.setdefault(place, {})[move.who] = move
            return
        causes = self._by_place.get(place, {})
        if move.lasting:
            causes.clear()
        else:
            causes.pop(move.who, None)
        if not causes:
            self._by_place.pop(place, None)

    def at(self, place: Place) -> tuple[GateMoved, ...]:
        """Return what stands at exactly this place, oldest first."""
        return tuple(self._by_place.get(place, {}).values())

    def by(self, place: Place, who: str) -> GateMoved | None:
        """Return what somebody has set at a place, or None."""
        return self._by_place.get(place, {}).get(who)

    def strictest(self, place: Place) -> GateMoved | None:
        """Return the strictest of what stands at a place, the first of several; None when nothing does."""
        causes = self._by_place.get(place)
        if not causes:
            return None
        return max(causes.values(), key=lambda move: STRICTNESS[move.state])

    def all(self) -> tuple[GateMoved, ...]:
        """Return everything that stands; any thread may ask, for each step copies at once what another may change."""
        return tuple(move for causes in tuple(self._by_place.values()) for move in tuple(causes.values()))

    def lasting(self) -> tuple[GateMoved, ...]:
        """Return what stands over a restart."""
        return tuple(move for move in self.all() if move.lasting)
