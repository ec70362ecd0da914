"""One local order book kept from snapshots and changes: sequence checked, changes buffered until a snapshot fits."""

from collections import deque

from foxtrot.books.book_state import BOOK_TRANSITIONS, HAS_LEVELS, BookInput
from foxtrot.books.level_book import LevelBook, UnitLevel
from foxtrot.books.sequence import SequenceRule, Verdict
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BookOutOfSync, InvariantBroken
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level

BUFFER_LIMIT = 10_000
"""Changes kept while waiting for a snapshot; older ones are let go, which a snapshot then reports as a gap."""

_FAST_UNITS = 2**50
"""Up to here scaling in floats finds the right unit by rounding, as in domain/instrument.py."""


class DepthBook:
    """A LevelBook with its sequence rule and state.

    Feed every change to `apply` from the first one on, and a snapshot to `load` whenever `state` is SYNCING.

    Thread: belongs to the venue's thread that feeds it; `depth` gives frozen facts to others.
    """

    def __init__(self, instrument: Instrument, rule: SequenceRule) -> None:
        self.instrument = instrument
        self.levels = LevelBook()
        self.state = BookState.EMPTY
        self.update_id = 0
        self.venue_time_ns = 0
        self.local_time_ns = 0
        self._rule = rule
        self._bridged = False
        self._buffer: deque[DepthChange] = deque(maxlen=BUFFER_LIMIT)

    def apply(self, change: DepthChange) -> bool:
        """Take in one change.

        Returns:
            True when the levels changed; False when it was buffered or is older than the book.

        Raises:
            BookOutOfSync: something is missing before it. The levels are dropped, the change is kept for the next snapshot.
            OffGrid: a price or size does not lie on the instrument's grid.
        """
        if self.state not in HAS_LEVELS:
            self._buffer.append(change)
            self._move(BookInput.BUFFERED)
            return False
        changed = self._follow(change)
        if changed:
            self._move(BookInput.CROSSED if self.levels.is_crossed else BookInput.FOLLOWED)
        return changed

    def load(self, snapshot: DepthData) -> None:
        """Take in a snapshot and the buffered changes that follow it.

        Raises:
            BookOutOfSync: changes between the snapshot and the buffer are missing (it is too old): ask for another.
            OffGrid: a price or size does not lie on the instrument's grid.
        """
        self.levels.load(*self._units(snapshot.bids, snapshot.asks))
        self.update_id = snapshot.update_id
        self.venue_time_ns, self.local_time_ns = snapshot.venue_time_ns, snapshot.local_time_ns
        self._bridged = False
        waiting = list(self._buffer)
        for index, change in enumerate(waiting):
            try:
                self._follow(change)
            except BookOutOfSync:
                self._buffer.extend(waiting[index + 1 :])
                raise
        self._buffer.clear()
        self._move(BookInput.CROSSED if self.levels.is_crossed else BookInput.SNAPSHOT)

    def mark_stale(self) -> None:
        """Say that nothing came for too long or the connection is gone; the levels stay for looking at."""
        self._move(BookInput.SILENCE)

    def drop(self) -> None:
        """Forget everything."""
        self.levels.clear()
        self._buffer.clear()
        self.update_id = 0
        self._move(BookInput.DROPPED)

    def depth(self, levels: int) -> DepthData:
        """Return the best levels a side as a fact, with the times of the last change."""
        bids, asks = self.levels.top(levels)
        price, size = self.instrument.price_grid, self.instrument.quantity_grid
        return DepthData(
            self.instrument.instrument_id,
            self.venue_time_ns,
            self.local_time_ns,
            self.update_id,
            _floats(bids, price, size),
            _floats(asks, price, size),
        )

    def _follow(self, change: DepthChange) -> bool:
        judge = self._rule.after_change if self._bridged else self._rule.after_snapshot
        verdict = judge(self.update_id, change)
        if verdict is Verdict.OLD:
            return False
        if verdict is Verdict.GAP:
            raise self._lose(change)
        self.levels.apply(*self._units(change.bids, change.asks))
        self._bridged = True
        self.update_id = change.last_update_id
        self.venue_time_ns, self.local_time_ns = change.venue_time_ns, change.local_time_ns
        return True

    def _lose(self, change: DepthChange) -> BookOutOfSync:
        last_id = self.update_id
        self.levels.clear()
        self._buffer.clear()
        self._buffer.append(change)
        self.update_id = 0
        self._move(BookInput.GAP)
        return BookOutOfSync(
            f"{self.instrument.instrument_id}: change {change.first_update_id}..{change.last_update_id} (previous "
            f"{change.previous_update_id}) does not follow {last_id} by {self._rule.name}: load a fresh snapshot"
        )

    def _units(self, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> tuple[list[UnitLevel], list[UnitLevel]]:
        price, size = self.instrument.price_grid, self.instrument.quantity_grid
        return _in_units(bids, price, size), _in_units(asks, price, size)

    def _move(self, what: BookInput) -> None:
        new = BOOK_TRANSITIONS[self.state].get(what)
        if new is None:
            raise InvariantBroken(f"{self.instrument.instrument_id}: a {self.state} book cannot take {what}")
        self.state = new


def _in_units(levels: tuple[Level, ...], price_grid: Grid, size_grid: Grid) -> list[UnitLevel]:
    """Return levels in units, by one division where the grids are decimal and the figures not too large.

    The quick way is that of Grid.from_float, for all levels at once: what does not come out exactly goes the long way.
    """
    if price_grid.numerator == 1 == size_grid.numerator:
        price_by, size_by = price_grid.denominator, size_grid.denominator
        try:
            units = [(round(price * price_by), round(size * size_by)) for price, size in levels]
        except (ValueError, OverflowError):  # not a number, or infinite: refused below
            units = []
        for (price, size), (price_units, size_units) in zip(levels, units, strict=False):
            wrong = price_units / price_by != price or size_units / size_by != size
            if wrong or not (price_units < _FAST_UNITS and size_units < _FAST_UNITS):
                break
        else:
            if len(units) == len(levels):
                return units
    to_price, to_size = price_grid.from_float, size_grid.from_float
    return [(to_price(price), to_size(size) if size else 0) for price, size in levels]


def _floats(levels: tuple[UnitLevel, ...], price_grid: Grid, size_grid: Grid) -> tuple[Level, ...]:
    if price_grid.numerator == 1 == size_grid.numerator:
        price_by, size_by = price_grid.denominator, size_grid.denominator
        return tuple([(price / price_by, size / size_by) for price, size in levels])
    to_price, to_size = price_grid.to_float, size_grid.to_float
    return tuple([(to_price(price), to_size(size)) for price, size in levels])
