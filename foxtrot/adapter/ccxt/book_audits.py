"""The periodic look whether the books that we keep are the venue's, one at a time, and how far they are known.

A book is known as far as its snapshot reached. Where the market has gone half of that way a fresh one is taken in; where it has gone all
of it not even the best level is known for sure, so the book begins anew.
"""

from collections.abc import Mapping
from typing import Final

from loguru import logger

from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.ccxt.entry import Entry
from foxtrot.adapter.ccxt.market_fetching import Fetching
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.venue import Snapshots
from foxtrot.books.audit import AuditResult, AuditVerdict
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import AdapterError, OffGrid

RENEW_PAUSE_S: Final = 10.0
"""How long a book is left alone after a fresh snapshot was asked for because it had become thin."""
WAIT_S: Final = 0.1
WAITS: Final = 20
"""How often the stream is waited for when a snapshot is ahead of it."""


class BookAudits:
    """Audits the books of one account in turn.

    Thread: the session's.
    """

    def __init__(self, session: CcxtSession, fetching: Fetching) -> None:
        self._session = session
        self._fetching = fetching
        self._busy = False

    def beat(self, entries: Mapping[str, Entry]) -> None:
        """Give up what is not known any more; then look at one book: a thin one, else the one not looked at for longest, if it is due."""
        venue = self._session.venue
        if venue is None or venue.snapshots is Snapshots.EVERY:
            return
        kept = [entry for entry in entries.values() if _is_kept(entry)]
        by_request = venue.snapshots is Snapshots.REST
        for entry in kept:
            if entry.book is not None:
                _give_up_unknown(entry.book, can_renew=by_request)
        if not self._busy:
            levels, chosen = venue.rest_levels, self._thin(kept) if by_request else None
            if chosen is None:
                levels, chosen = venue.audit_levels, self._due(kept)
            if chosen is not None and chosen.book is not None:
                self._busy = True
                self._session.spawn(self._look(chosen, chosen.book, levels), f"audit of {chosen.request.instrument_id}")

    async def audit(self, entry: Entry, book: BookStream, levels: int) -> AuditResult | None:
        """Compare a book with a fresh snapshot; None when that could not be had. A book that differs begins anew."""
        name = entry.request.instrument_id
        try:
            result = await self._compare(entry, book, levels)
        except (AdapterError, OffGrid) as error:
            logger.bind(account=self._session.account).info("the book of {} could not be audited: {}", name, error)
            return None
        if result.verdict is not AuditVerdict.UNKNOWN:
            entry.match_score = result.score
        if result.verdict is AuditVerdict.DIFFERS:
            logger.bind(account=self._session.account).warning(
                "the book of {} was not the venue's: {} of {} levels equal a fresh snapshot's; it begins anew",
                name, result.equal, result.levels,
            )  # fmt: skip
        return result

    # --- inside -----------------------------------------------------------------------------------------------------

    def _thin(self, kept: list[Entry]) -> Entry | None:
        """Return a book that has become thin and was not renewed just now."""
        now_ns = self._session.clock.monotonic_ns()
        for entry in kept:
            rested = now_ns - entry.widened_ns >= RENEW_PAUSE_S * 1e9 or not entry.widened_ns
            if rested and entry.book is not None and entry.book.book.is_thin:
                entry.widened_ns = now_ns
                return entry
        return None

    def _due(self, kept: list[Entry]) -> Entry | None:
        """Return the book whose turn it is, None when it is nobody's."""
        venue, interval_s = self._session.venue, self._session.settings.audit_interval_s
        if venue is None or not venue.audit_levels or not interval_s:
            return None
        now_ns = self._session.clock.monotonic_ns()
        for entry in kept:
            entry.audited_ns = entry.audited_ns or now_ns
        first = min(kept, key=lambda one: one.audited_ns, default=None)
        return first if first is not None and now_ns - first.audited_ns >= interval_s * 1e9 else None

    async def _look(self, entry: Entry, book: BookStream, levels: int) -> None:
        entry.audited_ns = self._session.clock.monotonic_ns()
        try:
            await self.audit(entry, book, levels)
        finally:
            self._busy = False

    async def _compare(self, entry: Entry, book: BookStream, levels: int) -> AuditResult:
        book.begin_audit()
        try:
            snapshot = await self._fetching.depth(entry, levels)
            limit = self._fetching.limit(levels) or 0
            result = book.finish_audit(snapshot, limit)
            for _ in range(WAITS):
                if not result.is_early:
                    break
                await self._session.wait_s(WAIT_S)
                result = book.finish_audit(snapshot, limit)
        finally:
            book.drop_audit()
        return result


def _is_kept(entry: Entry) -> bool:
    """Tell whether a book is kept by us from changes, which alone can be compared with a snapshot of another moment."""
    book = entry.book
    return entry.book_is_ours and book is not None and book.streams and book.state is BookState.LIVE


def _give_up_unknown(book: BookStream, *, can_renew: bool) -> None:
    """Begin a book anew whose best is not known, or is about to be not where that alone brings a fresh snapshot."""
    if not book.book.is_best_known:
        book.begin(f"{book.instrument_id}: the market has gone beyond the levels that are known")
    elif not can_renew and book.book.is_thin:
        book.begin(f"{book.instrument_id}: the market nears the end of the levels that are known")
