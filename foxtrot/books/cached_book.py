"""One book of a DepthCache: what comes of it by stream and by request, from nothing to LIVE and back again."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from foxtrot.books.audit import Audit, AuditResult, AuditVerdict
from foxtrot.books.book_state import HAS_LEVELS
from foxtrot.books.depth_book import DepthBook, Loss
from foxtrot.books.late_books import LateBooks
from foxtrot.books.level_book import UnitLevel
from foxtrot.books.sequence import SequenceRule
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BookOutOfSync, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData

CROSSED_LIMIT = 10
"""After so many changes in a row that leave the book crossed it is not the venue's any more: it is fetched anew."""


class BookView(msgspec.Struct, frozen=True, gc=False):
    """The best levels of a book at one moment, in units, best first; frozen, so any thread may keep it.

    `lowest_known` and `highest_known` are the prices down and up to which the book is known, None where it is known entirely: beyond
    them the venue may have levels that nobody told us.
    """

    instrument_id: str
    state: BookState
    update_id: int
    venue_time_ns: int
    local_time_ns: int
    bids: tuple[UnitLevel, ...]
    asks: tuple[UnitLevel, ...]
    lowest_known: int | None = None
    highest_known: int | None = None

    @property
    def is_best_known(self) -> bool:
        """Tell whether no level better than the best of each side can have been left out."""
        lowest, highest = self.lowest_known, self.highest_known
        if lowest is not None and not (self.bids and self.bids[0][0] >= lowest):
            return False
        return highest is None or bool(self.asks and self.asks[0][0] <= highest)


class BookCounters(msgspec.Struct):
    """What happened to one book since it was opened."""

    changes: int = 0
    old: int = 0
    snapshots: int = 0
    snapshots_dropped: int = 0
    gaps: int = 0
    crossings: int = 0
    off_grid: int = 0
    checksum_failures: int = 0
    audits: int = 0
    audits_failed: int = 0
    restarts: int = 0
    """How often the venue began to count its ids anew; like checksum failures they are among the gaps."""
    replaced: int = 0
    """Whole books by stream."""


class BookOwner(Protocol):
    """Whoever keeps the book: the cache.

    Thread: the venue's.
    """

    def on_state(self, book: "CachedBook", cause: str) -> None:
        """Hear that the book became usable or unusable, before anything else is told of it."""

    def on_change(self, book: "CachedBook", change: DepthChange | None) -> None:
        """Hear that levels changed, by a change that follows what was told before, or by a snapshot (None)."""


class CachedBook:
    """The book of one instrument, by a stream of changes and snapshots that are asked for.

    A snapshot belongs to the generation it was asked for in: when the stream has begun anew or gone since, nothing says what has
    changed after it, so it is dropped.

    Thread: the venue's, which feeds it.

    Args:
        instrument: whose book.
        rule: how its changes follow each other.
        owner: hears of it.
        need_snapshot: begins to fetch a snapshot, which comes by `load`, or by `replace` where the stream brings it; called whenever the
            book has none.
        window: how many levels a side the stream tells of, as in DepthBook.
    """

    def __init__(
        self,
        instrument: Instrument,
        rule: SequenceRule,
        owner: BookOwner,
        need_snapshot: Callable[["CachedBook"], None],
        window: int = 0,
    ) -> None:
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.book = DepthBook(instrument, rule, window)
        self.counters = BookCounters()
        self.generation = 0
        """Raised whenever the stream begins or goes, or the book is given up."""
        self.streams = False
        """Whether changes come, by which a snapshot can be kept up to date."""
        self.state = BookState.EMPTY
        """What was told last; the levels may be believed when this is LIVE."""
        self._owner = owner
        self._need_snapshot = need_snapshot
        self._crossed = 0
        self._late = LateBooks()
        self._audit: Audit | None = None
        self._floor = 0
        """The id that the stream had reached when the book began anew on it: a snapshot of before that is older than what was told."""

    def begin(self, cause: str = "", *, same_stream: bool = False) -> None:
        """Start from nothing: the changes stream from now on, and a snapshot is needed.

        On the `same_stream` ids go on, so that a snapshot of before is dropped.
        """
        self._floor = self.book.update_id if same_stream else 0
        self._renew(streams=True)
        self.book.drop()
        self._tell_lost(cause)

    def apply(self, change: DepthChange) -> bool:
        """Take a change; True when the levels changed.

        What does not follow is told as SYNCING before anything else, and fetched anew. What comes while the stream is held to be
        gone is left alone: the book begins anew with the stream.
        """
        if not self.streams:
            return False
        self.counters.changes += 1
        if self._audit is not None:
            self._audit.keep(change)
        if change.last_update_id < self._floor:  # its ids may have begun anew
            self._floor = 0
        try:
            changed = self.book.apply(change)
        except BookOutOfSync as gap:
            self._lose(str(gap))
            return False
        except OffGrid as error:
            self.counters.off_grid += 1
            self.begin(f"{self.instrument_id}: {error}")
            return False
        if not changed:
            if self.book.state in HAS_LEVELS:
                self.counters.old += 1
            return False
        if (self.book.state is not self.state or self._crossed) and not self._survives_crossing():
            return False
        self._owner.on_change(self, change)
        return True

    def load(self, snapshot: DepthData, generation: int, limit: int = 0) -> bool:
        """Take a snapshot that was asked for in a generation.

        Args:
            snapshot: the book.
            generation: that of this book when the snapshot was asked for.
            limit: how many levels a side were asked for, 0 for all: what lies beyond that is not known.

        Returns:
            False when it is dropped: it is of another generation, too old for the changes that are waiting, or older than the book.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        if not self.streams or generation != self.generation or self._is_behind(snapshot):
            self.counters.snapshots_dropped += 1
            return False
        try:
            self.book.load(snapshot, limit)
        except BookOutOfSync:
            self.counters.snapshots_dropped += 1
            return False
        self.counters.snapshots += 1
        self._settle()
        return True

    def replace(self, snapshot: DepthData, limit: int = 0) -> bool:
        """Take a whole book that came by the stream: it needs nothing before it, and what comes after it follows.

        Args:
            snapshot: the book.
            limit: how many levels a side the stream gives, 0 for all.

        Returns:
            False when it is dropped: the stream is held to be gone; it is older than the book, of which LateBooks judges; it is off the
            grid; or changes between it and those that wait are missing.
        """
        if not self.streams:
            return False
        if self._late.is_late(snapshot, self.book):
            self.counters.old += 1
            return False
        try:
            self.book.replace(snapshot, limit)
        except BookOutOfSync as gap:
            self._lose(str(gap))
            return False
        except OffGrid as error:
            self.counters.off_grid += 1
            self.begin(f"{self.instrument_id}: {error}")
            return False
        self.counters.replaced += 1
        self._late.clear()
        if self.book.state is BookState.CROSSED and not self._survives_crossing():
            return False
        self._settle()
        return True

    def silence(self, cause: str) -> None:
        """Say that the stream is gone or silent: nobody may believe the book until it is fetched anew."""
        self._renew(streams=False)
        self.book.mark_stale()
        if self.state in HAS_LEVELS:
            self._tell(BookState.STALE, cause)

    def end(self) -> None:
        """Take nothing more and say nothing; the levels stay for looking at, as of a book that is filled by requests alone."""
        self._renew(streams=False)

    def close(self) -> None:
        """Take nothing more and forget everything: nobody wants the book, and who still holds it finds it EMPTY."""
        self.end()
        self.book.drop()
        self._tell(BookState.EMPTY, "closed")

    def view(self, levels: int) -> BookView:
        """Return the best levels as they are now."""
        book = self.book
        bids, asks = book.levels.top(levels)
        return BookView(
            self.instrument_id,
            self.state,
            book.update_id,
            book.venue_time_ns,
            book.local_time_ns,
            bids,
            asks,
            book.lowest_known,
            book.highest_known,
        )

    @property
    def is_thin(self) -> bool:
        """Tell whether the market has gone half of the way to where the book is not known: an audit renews it."""
        return self.book.is_thin

    def begin_audit(self) -> None:
        """Keep what changes from now on; ask for a snapshot after this, and give it to `finish_audit`."""
        self._audit = Audit(self.book) if self.state is BookState.LIVE else None

    def drop_audit(self) -> None:
        """Keep changes no longer: nobody will finish the audit."""
        self._audit = None

    def finish_audit(self, snapshot: DepthData, limit: int = 0) -> AuditResult:
        """Compare the book with a fresh snapshot brought up to date by what changed since `begin_audit`.

        A book that differs begins anew; one that is equal knows from then on as much as the snapshot tells. Where the snapshot is ahead of
        the stream the audit goes on: give it again after the next change.

        Args:
            snapshot: the book, asked for after `begin_audit`.
            limit: how many levels a side were asked for, 0 for all.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        if self._audit is None:
            return AuditResult(0, 0, AuditVerdict.UNKNOWN, "the book was given up meanwhile, or no audit was begun")
        result = self._audit.compare(snapshot, limit)
        if result.is_early:
            return result
        self._audit = None
        if result.verdict is not AuditVerdict.UNKNOWN:
            self.counters.audits += 1
        if result.verdict is AuditVerdict.DIFFERS:
            self.counters.audits_failed += 1
            wrong = f"{result.levels - result.equal} of {result.levels}"
            self.begin(f"{self.instrument_id}: {wrong} levels differ from a fresh snapshot", same_stream=True)
        return result

    def _renew(self, *, streams: bool) -> None:
        self.generation += 1
        self.streams = streams
        self._audit = None

    def _lose(self, cause: str) -> None:
        """Go on after a gap: the change that showed it waits in the book for the snapshot, one that was asked for after it."""
        self.counters.gaps += 1
        why = self.book.lost_by
        self.counters.restarts += why is Loss.RESTART
        self.counters.checksum_failures += why is Loss.CHECKSUM
        self._renew(streams=True)
        self._tell_lost(cause)

    def _tell_lost(self, cause: str) -> None:
        """Tell that there is no book before one is asked for; it is asked for whatever becomes of the telling."""
        try:
            self._tell(BookState.SYNCING, cause)
        finally:
            self._need_snapshot(self)

    def _is_behind(self, snapshot: DepthData) -> bool:
        if self.book.state in HAS_LEVELS:
            return snapshot.update_id < self.book.update_id
        return 0 < snapshot.update_id < self._floor  # without an id nobody can tell

    def _settle(self) -> None:
        """Tell of a whole book."""
        if self.book.state is not BookState.CROSSED:
            self._crossed = 0
        self._tell(self.book.state, "")
        self._owner.on_change(self, None)

    def _survives_crossing(self) -> bool:
        state = self.book.state
        self._crossed = self._crossed + 1 if state is BookState.CROSSED else 0
        if self._crossed > CROSSED_LIMIT:
            self._crossed = 0
            self.begin(f"{self.instrument_id}: crossed for {CROSSED_LIMIT} changes")
            return False
        self._tell(state, "")
        return True

    def _tell(self, state: BookState, cause: str) -> None:
        if state is not self.state:
            self.state = state
            if state is BookState.CROSSED:
                self.counters.crossings += 1
            self._owner.on_state(self, cause)
