"""One instrument that the hub shares: its book and ticker as the adapter's facts make them."""

from collections.abc import Callable, Collection
from difflib import get_close_matches

from foxtrot.books.depth_book import DepthBook
from foxtrot.books.sequence import PreviousId
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import BookOutOfSync, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import STREAM, DepthChange, DepthData, TickData
from foxtrot.hub.settings import OfferSettings

BAD_LINKS = frozenset({AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.FAILED, AdapterState.CLOSED})
"""With a link like this nothing comes, whatever the last book looked like."""
RENEW_NS = 1_000_000_000
"""A snapshot that is to tell of more levels is asked for so often at most, by the times of the changes."""
LONGEST_PAUSE = 64
"""So many times as rarely, in the end, where such snapshots tell of no more."""
_NEVER_NS = -(10**18)


class Offer:
    """The book and the ticker of an instrument.

    A book is LIVE from a snapshot on which changes follow without a gap until anybody says otherwise: the adapter, its link, or our own
    look at the ids. After that only a new snapshot makes it LIVE again.

    A snapshot does not say whether the venue has more levels, so that a side is known as far as its last one and no further. When a
    change leaves a reader short of levels that the adapter may know, it is asked for a fresh snapshot while the book stays LIVE; when
    not even the best level is known, the book is LIVE by that snapshot only.

    Thread: hub-io.

    Args:
        settings: what is offered.
        need_snapshot: asks the adapter for a fresh snapshot.
    """

    def __init__(self, settings: OfferSettings, need_snapshot: Callable[["Offer"], None]) -> None:
        self.settings = settings
        self.instrument_id = settings.instrument_id
        self.account = settings.account
        self.adapter = ""
        self.link = AdapterState.DISCONNECTED
        self.instrument: Instrument | None = None
        self.book: DepthBook | None = None
        self.state = BookState.EMPTY
        self.cause = "the account is not connected yet"
        self.source = STREAM
        self.tick: TickData | None = None
        self.tick_state = BookState.EMPTY
        self.bounded_from = 1
        """A side of a snapshot with so many levels may have more that were not told."""
        self.snapshots = self.changes = self.gaps = 0
        self._need_snapshot = need_snapshot
        self._is_loaded = False
        self._renewed_ns = _NEVER_NS
        self._pause = 1
        self.is_unlisted = False
        """Whether the account lists others, but not this."""
        self._hint = (-1, "")
        self._known: tuple[int | None, int | None] = (None, None)

    # --- what the adapter tells -------------------------------------------------------------------------------------

    def list_instrument(self, instrument: Instrument | None, listed: Collection[str] = ()) -> None:
        """Take what the venue lists; None when it lists no such instrument, but others."""
        if instrument is None:
            self.instrument = None
            self.is_unlisted = True
            if self._hint[0] != len(listed):  # not looked for at each reconnect: a venue may list thousands
                self._hint = len(listed), _nearest(self.instrument_id, listed)
            self._fail(BookState.EMPTY, f"account {self.account} lists no {self.instrument_id}; {self._hint[1]}")
            return
        self.is_unlisted = False
        before, self.instrument = self.instrument, instrument
        if before is None or (before.price_grid, before.quantity_grid) != (
            instrument.price_grid,
            instrument.quantity_grid,
        ):
            had_book, self.book = self.book is not None, DepthBook(instrument, PreviousId())
            self._fail(BookState.SYNCING, "no snapshot yet")
            if had_book:
                self._need_snapshot(self)

    def hear_link(self, status: AdapterStatus) -> None:
        """Take a change of the connection: without one nothing may be believed."""
        self.adapter, self.link = status.adapter, status.state
        if status.state in BAD_LINKS:
            cause = f"connection {status.state}{status.cause and f': {status.cause}'}"
            self._fail(BookState.STALE if self.snapshots else BookState.EMPTY, cause)
            if self.tick is not None:
                self.tick_state = BookState.STALE

    def hear_state(self, state: BookState, cause: str) -> None:
        """Take what the adapter says of its own book, of which ours is a copy."""
        if state not in (BookState.LIVE, BookState.CROSSED):
            self._fail(state, cause or f"the adapter says {state}")
        elif self._is_loaded and not (
            self._is_crossed and state is BookState.LIVE
        ):  # ours follows with the next change
            self.state, self.cause = state, cause

    def load(self, depth: DepthData) -> None:
        """Take a snapshot."""
        if self.book is None:
            return
        self.snapshots += 1
        self.source = depth.source
        self.book.drop()
        try:
            self.book.load(depth, self.bounded_from)
        except OffGrid as error:
            self._fail(BookState.STALE, str(error))
            return
        self._is_loaded = True
        self.state, self.cause = self.book.state, ""
        before, self._known = self._known, (self.book.lowest_known, self.book.highest_known)
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if before == self._known else 1

    def apply(self, change: DepthChange) -> None:
        """Take a change; one that does not follow makes the book SYNCING and asks for a snapshot."""
        if self.book is None or not self._is_loaded:
            return
        self.changes += 1
        before = self.book.state
        try:
            self.book.apply(change)
        except (BookOutOfSync, OffGrid) as error:
            self.lose(str(error))
            return
        if self.book.state is not before:
            self.state, self.cause = self.book.state, ""
        if self.state is BookState.LIVE:
            self._look_beyond(self.book, change.local_time_ns)

    def lose(self, cause: str) -> None:
        """Go on after a gap: what is missing may have been the very snapshot that a book without one waits for."""
        if self.book is None:
            return
        if self._is_loaded:
            self.gaps += 1
            self._fail(BookState.SYNCING, cause)
        self._need_snapshot(self)

    def hear_tick(self, tick: TickData) -> None:
        """Take a ticker."""
        self.tick = tick
        self.tick_state = BookState.LIVE

    def hear_failure(self, text: str) -> None:
        """Take that a request of ours failed."""
        if self.state is not BookState.LIVE:
            self.cause = text

    # --- for looking at ---------------------------------------------------------------------------------------------

    @property
    def has_come(self) -> bool:
        """Tell whether anything of it was ever there to be shared."""
        return self.snapshots > 0 or self.tick is not None

    @property
    def missing(self) -> str:
        """Return why it cannot be had, "" while it can or nobody knows yet."""
        is_refused = self.is_unlisted or self.link is AdapterState.FAILED
        return self.cause if is_refused or (self.link in BAD_LINKS and not self.has_come) else ""

    @property
    def update_id(self) -> int:
        """Return the venue's id as of which the book is."""
        return 0 if self.book is None else self.book.update_id

    @property
    def heard_ns(self) -> int:
        """Return when the adapter heard what changed the book last, 0 for never."""
        return 0 if self.book is None or not self.snapshots else self.book.local_time_ns

    @property
    def venue_time_ns(self) -> int:
        """Return the venue's time of the last change."""
        return 0 if self.book is None else self.book.venue_time_ns

    @property
    def _is_crossed(self) -> bool:
        return self.book is not None and self.book.state is BookState.CROSSED

    def _look_beyond(self, book: DepthBook, now_ns: int) -> None:
        """Ask for a snapshot where levels are missing that the adapter may know."""
        if not book.is_best_known:
            self._fail(BookState.SYNCING, "the market has gone beyond the levels that are known")
        elif 0 <= now_ns - self._renewed_ns < self._pause * RENEW_NS or not (book.is_thin or self._is_short(book)):
            return
        self._renewed_ns = now_ns
        self._need_snapshot(self)

    def _is_short(self, book: DepthBook) -> bool:
        """Tell whether levels that may be asked for lie beyond what is known."""
        bids, asks = book.levels.top(self.settings.levels)
        lowest, highest = book.lowest_known, book.highest_known
        if lowest is not None and bids and bids[-1][0] < lowest:
            return True
        return highest is not None and bool(asks) and asks[-1][0] > highest

    def _fail(self, state: BookState, cause: str) -> None:
        self.state, self.cause = state, cause
        self._is_loaded = False
        if self.book is not None:
            self.book.drop()


def _nearest(name: str, listed: Collection[str]) -> str:
    """Return the listed names that are nearest to one that is not, else how many there are and some of them."""
    by_upper = {one.upper(): one for one in listed}
    near = [by_upper[one] for one in get_close_matches(name.upper(), by_upper)]
    if near:
        return f"nearest: {', '.join(near)}"
    some = ", ".join(sorted(listed)[:3])
    return f"it lists {len(listed)}, such as {some}" if some else "it lists nothing"
