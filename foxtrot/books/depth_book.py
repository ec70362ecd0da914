"""One local order book kept from snapshots and changes: sequence checked, changes buffered until a snapshot fits."""

import enum
from collections import deque

from foxtrot.books.book_state import BOOK_TRANSITIONS, HAS_LEVELS, BookInput
from foxtrot.books.level_book import LevelBook, UnitLevel
from foxtrot.books.old_run import OldRun, is_back
from foxtrot.books.sequence import SequenceRule, Verdict
from foxtrot.books.unit_levels import UnitScale, to_floats
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.errors import BookOutOfSync, InvariantBroken, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData

BUFFER_LIMIT = 10_000
"""Changes kept while waiting for a snapshot; older ones are let go, which a snapshot then reports as a gap."""


class Loss(enum.StrEnum):
    """Why a book had to be given up."""

    GAP = "does not follow"
    """Something is missing before a change."""
    RESTART = "counts anew, after"
    """The venue counts its ids anew, from lower ones."""
    CHECKSUM = "leaves levels without the venue's checksum, after"
    """The levels are not the venue's."""


class DepthBook:
    """A LevelBook with its sequence rule and state.

    Feed every change to `apply` from the first one on, and a snapshot to `load` whenever `state` is SYNCING.

    How far the book is known: a snapshot that was cut to a number of levels says nothing of what lies beyond its last one. Changes tell of
    single levels there, but others may stand between them. `lowest_known` and `highest_known` are where that begins. When the market has
    gone there not even the best level is known for sure: `is_best_known`. `is_thin` says so in time to take in a fresh snapshot.

    Thread: belongs to the venue's thread that feeds it; `depth` gives frozen facts to others.

    Args:
        instrument: whose book.
        rule: how its changes follow each other.
        window: how many levels a side the stream tells of, best first; what falls out of it is dropped, since it is not told of any more.
            0 for a stream that tells of all levels.
    """

    def __init__(self, instrument: Instrument, rule: SequenceRule, window: int = 0) -> None:
        self.instrument = instrument
        self.levels = LevelBook()
        self.state = BookState.EMPTY
        self.update_id = 0
        self.venue_time_ns = 0
        self.local_time_ns = 0
        self.lost_by: Loss | None = None
        """Why it was given up the last time."""
        self.lowest_known: int | None = None
        """The price, in units, down to which bids are known; None where they are known entirely."""
        self.highest_known: int | None = None
        """The price, in units, up to which asks are known; None where they are known entirely."""
        self.fallen: tuple[list[int], list[int]] = ([], [])
        """Prices of bids and asks, in units, that the last change has pushed out of the window."""
        self._scale = UnitScale(instrument.price_grid, instrument.quantity_grid)
        self.thin_from: tuple[int | None, int | None] = (None, None)
        """Prices of bids and asks, in units, from which on the book is thin; None where it cannot be."""
        self._rule = rule
        self._window = window
        self._bridged = False
        self._old = OldRun()
        self._buffer: deque[DepthChange] = deque(maxlen=BUFFER_LIMIT)

    def apply(self, change: DepthChange) -> bool:
        """Take in one change.

        Returns:
            True when the levels changed; False when it was buffered or is older than the book.

        Raises:
            BookOutOfSync: the book is not the venue's any more, for what `lost_by` says. The levels are dropped, the change is kept for
                the next snapshot.
            OffGrid: a price or size does not lie on the instrument's grid, or a size is negative.
        """
        if self.state not in HAS_LEVELS:
            self._keep(change)
            return False
        changed = self._follow(change)
        if changed:
            self._note_followed()
        return changed

    def load(self, snapshot: DepthData, limit: int = 0) -> None:
        """Take in a snapshot and the buffered changes that follow it.

        Args:
            snapshot: the book.
            limit: how many levels a side were asked for: a side with fewer is known entirely. 0 when all of them were.

        Raises:
            BookOutOfSync: changes between the snapshot and the buffer are missing (it is too old): ask for another.
            OffGrid: a price or size does not lie on the instrument's grid, or a size is negative.
        """
        if self._bridged:
            self._old.note_followed()
        self._set(snapshot, limit)
        waiting = list(self._buffer)
        self._old.clear(max(waiting, key=_last_id, default=None))
        for index, change in enumerate(waiting):
            try:
                if not self._follow(change):  # however long it waited: the snapshot was asked for after it
                    self._old.length = 0
            except BookOutOfSync:
                self._buffer.extend(waiting[index + 1 :])
                raise
            except OffGrid:
                self._forget()
                raise
        self._buffer.clear()
        self._move(BookInput.CROSSED if self.levels.is_crossed else BookInput.SNAPSHOT)

    def replace(self, snapshot: DepthData, limit: int = 0) -> None:
        """Take in a whole book that came by the stream; changes that wait for one and are later than it go on from it.

        Later by the venue's clock, since the ids of a venue that has restarted say nothing of those before, and some snapshots have none.
        Without a time, or a number that changes go on from, the order of the stream holds: what came before it is in it.

        Raises:
            BookOutOfSync: changes between it and those that wait are missing.
            OffGrid: a price or size does not lie on the instrument's grid, or a size is negative.
        """
        later = [change for change in self._buffer if change.venue_time_ns > snapshot.venue_time_ns > 0]
        self._buffer.clear()
        if self._rule.numbers_snapshots:
            self._buffer.extend(later)
        self.load(snapshot, limit)

    def mark_stale(self) -> None:
        """Say that nothing came for too long or the connection is gone; the levels stay for looking at."""
        self._move(BookInput.SILENCE)

    def drop(self) -> None:
        """Forget everything."""
        self._forget()
        self._move(BookInput.DROPPED)

    def knows(self, side: Side, price: int) -> bool:
        """Tell whether a price, in units, lies where all levels of a side are known."""
        if self.state not in HAS_LEVELS:
            return False
        if side is Side.BUY:
            return self.lowest_known is None or price >= self.lowest_known
        return self.highest_known is None or price <= self.highest_known

    @property
    def is_best_known(self) -> bool:
        """Tell whether no level better than the best of each side can have been left out."""
        return self.levels.is_best_within(self.lowest_known, self.highest_known)

    @property
    def is_thin(self) -> bool:
        """Tell whether the market has gone half of the way to where a side is not known any more."""
        return not self.levels.is_best_within(*self.thin_from)

    def depth(self, levels: int) -> DepthData:
        """Return the best levels a side as a fact, with the times of the last change."""
        bids, asks = self.levels.top(levels)
        price, size = self.instrument.price_grid, self.instrument.quantity_grid
        return DepthData(
            self.instrument.instrument_id,
            self.venue_time_ns,
            self.local_time_ns,
            self.update_id,
            to_floats(bids, price, size),
            to_floats(asks, price, size),
        )

    def adopt(self, other: "DepthBook") -> None:
        """Learn from a twin at the same id what it knows and this book does not; what this one knows beyond the twin stays."""
        self.levels.apply(self._news(other, Side.BUY), self._news(other, Side.SELL))
        thin_bid, thin_ask = self.thin_from
        if self.lowest_known is not None and (other.lowest_known is None or other.lowest_known < self.lowest_known):
            self.lowest_known, thin_bid = other.lowest_known, other.thin_from[0]
        if self.highest_known is not None and (other.highest_known is None or other.highest_known > self.highest_known):
            self.highest_known, thin_ask = other.highest_known, other.thin_from[1]
        self.thin_from = thin_bid, thin_ask

    def twin(self) -> "DepthBook":
        """Return an empty book of the same instrument, by the same rule."""
        return DepthBook(self.instrument, self._rule, self._window)

    def waiting(self) -> list[DepthChange]:
        """Return the changes that wait for a snapshot, oldest first."""
        return list(self._buffer)

    # --- changes ----------------------------------------------------------------------------------------------------

    def _keep(self, change: DepthChange) -> None:
        if self._buffer and is_back(change, self._buffer[-1].last_update_id, self._buffer[-1].venue_time_ns):
            raise self._lose(change, Loss.RESTART)
        self._buffer.append(change)
        self._move(BookInput.BUFFERED)

    def _follow(self, change: DepthChange) -> bool:
        judge = self._rule.after_change if self._bridged else self._rule.after_snapshot
        verdict = judge(self.update_id, change)
        if verdict is Verdict.FOLLOWS:
            self._take(change)
            return True
        if verdict is Verdict.GAP:
            raise self._lose(change, Loss.GAP)
        if self._is_restart(change):
            raise self._lose(change, Loss.RESTART)
        if not self._bridged and self._leaves_out(change):
            raise self._lose(change, Loss.GAP)
        return False

    def _take(self, change: DepthChange) -> None:
        levels = self.levels
        units = self._scale.units
        levels.apply(units(change.bids), units(change.asks))
        if self._window:
            self._cut()
        if change.checksum is not None and not self._rule.matches(levels, change):
            raise self._lose(change, Loss.CHECKSUM)
        self._bridged = True
        if self._old.length:
            self._old.clear()
        self.update_id = change.last_update_id
        self.venue_time_ns, self.local_time_ns = change.venue_time_ns, change.local_time_ns

    def _note_followed(self) -> None:
        if self.levels.is_crossed:
            self._move(BookInput.CROSSED)
        elif self.state is not BookState.LIVE:  # where it is, it stays
            self._move(BookInput.FOLLOWED)

    def _is_restart(self, change: DepthChange) -> bool:
        if self._bridged:
            return self._old.is_restart_after(change, self.update_id, self.venue_time_ns)
        return self._old.is_restart(change)

    def _leaves_out(self, change: DepthChange) -> bool:
        """Tell whether something is missing before an old change: it could be the venue's restart, and then the snapshot is of before it."""
        newest = self._old.newest_id
        missing = bool(newest) and self._rule.after_change(newest, change) is Verdict.GAP
        self._old.note_heard(change)
        return missing

    def _lose(self, change: DepthChange, why: Loss) -> BookOutOfSync:
        last_id = self.update_id
        self._forget()
        self._buffer.append(change)
        self.lost_by = why
        self._move(BookInput.GAP)
        return BookOutOfSync(
            f"{self.instrument.instrument_id}: change {change.first_update_id}..{change.last_update_id} (previous "
            f"{change.previous_update_id}) {why} {last_id} by {self._rule.name}: load a fresh snapshot"
        )

    # --- levels -----------------------------------------------------------------------------------------------------

    def _news(self, other: "DepthBook", side: Side) -> list[UnitLevel]:
        """Return the levels of a side that are otherwise here than at a twin, where it knows them; a size of 0 is one that is gone."""
        ours, theirs = dict(self.levels.levels(side)), dict(other.levels.levels(side))
        changed = [(p, size) for p, size in theirs.items() if ours.get(p) != size and other.knows(side, p)]
        return changed + [(p, 0) for p in ours if p not in theirs and other.knows(side, p)]

    def _set(self, snapshot: DepthData, limit: int) -> None:
        bids, asks = self._scale.units(snapshot.bids), self._scale.units(snapshot.asks)
        self.levels.load(bids, asks)
        self.lowest_known = min(bids)[0] if limit and len(bids) >= limit else None
        self.highest_known = max(asks)[0] if limit and len(asks) >= limit else None
        self.thin_from = _middle(bids, self.lowest_known), _middle(asks, self.highest_known)
        if self._window:
            self._cut()
            self.thin_from = (None, None)
        self.update_id = snapshot.update_id
        self.venue_time_ns, self.local_time_ns = snapshot.venue_time_ns, snapshot.local_time_ns
        self._bridged = False

    def _cut(self) -> None:
        self.fallen = self.levels.beyond(self._window)
        self.lowest_known, self.highest_known = self.levels.cut(self._window)

    def _forget(self) -> None:
        self.levels.clear()
        self._buffer.clear()
        self._old.clear()
        self.update_id = 0
        self.lowest_known = self.highest_known = None

    def _move(self, what: BookInput) -> None:
        new = BOOK_TRANSITIONS[self.state].get(what)
        if new is None:
            raise InvariantBroken(f"{self.instrument.instrument_id}: a {self.state} book cannot take {what}")
        self.state = new


def _last_id(change: DepthChange) -> int:
    return change.last_update_id


def _middle(levels: list[UnitLevel], known: int | None) -> int | None:
    """Return the price half of the way from the best of some levels, however sorted, to the last that is known."""
    if known is None:
        return None
    return (min(levels)[0] + max(levels)[0]) // 2
