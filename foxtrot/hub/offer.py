"""One instrument that the hub shares: its book and ticker as the adapter's facts make them."""

from collections.abc import Callable

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
BOUNDED_FROM = 500
"""Half of what an adapter's full snapshot holds at most: changes may have removed levels from it since the venue cut it."""


class Offer:
    """The book and the ticker of an instrument.

    A book is LIVE from a snapshot on which changes follow without a gap until anybody says otherwise: the adapter, its link, or our own
    look at the ids. After that only a new snapshot makes it LIVE again.

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
        self.cut_at = BOUNDED_FROM
        """A side of a snapshot with so many levels may have more that were not told."""
        self.snapshots = self.changes = self.gaps = 0
        self._need_snapshot = need_snapshot
        self._is_loaded = False

    # --- what the adapter tells -------------------------------------------------------------------------------------

    def list_instrument(self, instrument: Instrument | None) -> None:
        """Take what the venue lists; None when it lists no such instrument."""
        if instrument is None:
            self._fail(BookState.EMPTY, f"account {self.account} lists no {self.instrument_id}")
            return
        before, self.instrument = self.instrument, instrument
        if before is None or (before.price_grid, before.quantity_grid) != (
            instrument.price_grid,
            instrument.quantity_grid,
        ):
            self.book = DepthBook(instrument, PreviousId())
            self._fail(BookState.SYNCING, "no snapshot yet")

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
        elif self._is_loaded:
            self.state, self.cause = state, cause

    def load(self, depth: DepthData) -> None:
        """Take a snapshot."""
        if self.book is None:
            return
        self.snapshots += 1
        self.source = depth.source
        self.book.drop()
        try:
            self.book.load(depth, self.cut_at)
        except OffGrid as error:
            self._fail(BookState.STALE, str(error))
            return
        self._is_loaded = True
        self.state, self.cause = self.book.state, ""

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
            self.state = self.book.state

    def lose(self, cause: str) -> None:
        """Go on after a gap."""
        if not self._is_loaded:
            return
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

    def _fail(self, state: BookState, cause: str) -> None:
        self.state, self.cause = state, cause
        self._is_loaded = False
        if self.book is not None:
            self.book.drop()
