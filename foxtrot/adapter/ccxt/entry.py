"""One wanted instrument: what is wanted of it, who keeps its book, and whether fresh facts were told since its streams were opened."""

import asyncio
from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.ccxt.capabilities import has_quotes
from foxtrot.adapter.ccxt.config import BookWay
from foxtrot.adapter.ccxt.patience import FailedPolls, Recovery
from foxtrot.adapter.ccxt.quotes import QuoteStream
from foxtrot.adapter.ccxt.venue import Stream, Venue
from foxtrot.adapter.health import StreamHealth
from foxtrot.domain.subscription import SubscribeRequest


class Entry:
    """One wanted instrument.

    Thread: the session's.
    """

    def __init__(self, request: SubscribeRequest, unified: str, quotes: QuoteStream) -> None:
        self.request = request
        self.unified = unified
        self.quotes = quotes
        self.book: BookStream | None = None
        self.way = BookWay.REST
        """Who keeps the book."""
        self.best_by_book = False
        """Whether ticks take their best prices from the book, since no stream brings them."""
        self.wanted = True
        self.told = asyncio.Event()
        """Set once something fresh was told of everything that no stream begins with."""
        self.syncing = (0, 0)
        """For which life of the streams, and which generation of the book, a snapshot is being fetched."""
        self.subscribed = False
        """Whether the book's stream was just subscribed, so that its snapshot comes by itself."""
        self.recovery = Recovery()
        self.polls = FailedPolls()
        self.renewed_ns = 0
        self.off_grid = False
        """Whether it was told that what is asked for lies off the grid; once is enough, until it lies on it."""
        self.audited_ns = self.widened_ns = 0
        """When its book was last looked at, and when it was to be known further; 0 for never."""
        self.match_score: float | None = None
        """The share of levels that were the venue's at the last audit; None before the first."""
        self.counted = 0
        """How many whole books of ccxt's were taken, for those without a number."""

    @property
    def wants_book(self) -> bool:
        """Tell whether depth is wanted."""
        return bool(self.request.depth_levels or self.request.depth_changes)

    @property
    def book_is_ours(self) -> bool:
        """Tell whether the raw messages of the book are read by us."""
        return self.way is BookWay.DEPTH_CACHE

    def healths(self) -> list[StreamHealth]:
        """Return the figures of its streams."""
        both = self.quotes.health, None if self.book is None else self.book.health
        return [health for health in both if health is not None]

    def figures(self, now_ns: int) -> BookFigures:
        """Return how the book does; from any thread."""
        book = self.book
        if book is None:
            return BookFigures(implementation=str(self.way), state="empty")
        heard_ns = book.book.local_time_ns
        return BookFigures(
            implementation=str(self.way),
            state=str(book.state),
            update_id=book.update_id,
            age_ms=(now_ns - heard_ns) / 1e6 if heard_ns else None,
            gaps=book.counters.gaps,
            resyncs=max(0, book.counters.snapshots - 1),
            crossings=book.counters.crossings,
            audits=book.counters.audits,
            audits_failed=book.counters.audits_failed,
            match_score=self.match_score,
        )

    def end(self) -> None:
        """Tell nothing more: what is still being asked for comes too late."""
        self.quotes.ticks = self.quotes.trades = self.wanted = False
        if self.book is not None:
            self.book.end()
        for health in self.healths():
            health.down()


def streams_of(entry: Entry, venue: Venue | None, has: Mapping[str, Any]) -> list[Stream]:
    """Return what is to be streamed of an instrument, bars left aside."""
    request, streams = entry.request, []
    quoted = has_quotes(venue, has)
    if entry.way is not BookWay.REST and (entry.wants_book or (request.ticks and not quoted)):
        streams.append(Stream.BOOK)
    if request.ticks or request.trades:
        streams += [Stream.TRADE] if has.get("watchTrades") else []
    if request.ticks and quoted:
        streams.append(Stream.QUOTE)
    return streams
