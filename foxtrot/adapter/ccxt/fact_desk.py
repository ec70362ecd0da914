"""Where facts go: what a tap found in a raw message, or what a watcher of ccxt returned, to the streams of its instrument."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.ccxt import ccxt_facts
from foxtrot.adapter.ccxt.entry import Entry
from foxtrot.adapter.ccxt.errors import clean
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topics import Topics
from foxtrot.adapter.ccxt.venue import Confirmed, Fact, Quote, Stream, Tap
from foxtrot.adapter.health import StreamHealth
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade

STREAM_OF: Final[Mapping[type, Stream]] = {
    DepthChange: Stream.BOOK,
    DepthData: Stream.BOOK,
    MarketTrade: Stream.TRADE,
    Quote: Stream.QUOTE,
}
"""Which stream a fact shows to stand."""


class _Context:
    """What a tap may know besides the message."""

    def __init__(self, ids: Mapping[tuple[str, str], str], url: str, now_ns: int, number: int) -> None:
        self.url = url
        self.now_ns = now_ns
        self.number = number
        self._ids = ids

    def find(self, market_id: str, product: str = "") -> str | None:
        return self._ids.get((product, market_id)) or None


class FactDesk:
    """The way of facts to the wanted instruments.

    Thread: the session's.
    """

    def __init__(self, session: CcxtSession, entries: Mapping[str, Entry], topics: Topics) -> None:
        self.bad_frames = 0
        self._numbers = count(1)
        self._session = session
        self._entries = entries
        self._topics = topics

    # --- raw messages -----------------------------------------------------------------------------------------------

    def take_message(self, tap: Tap, url: str, message: Any) -> bool:
        """Read a message; False when ccxt is to read it, which keeps the book of its instrument, or knows what it is."""
        context = _Context(self._session.listed.ids, url, self._session.clock.now_ns(), next(self._numbers))
        facts = tap(message, context)
        if facts is None:
            return False
        if any(self._is_of_ccxt(fact) for fact in facts):
            return False
        self._take(facts)
        return True

    def _take(self, facts: tuple[Fact, ...]) -> None:
        past: list[MarketTrade] = []
        lists_past = any(isinstance(fact, Confirmed) and fact.stream is Stream.TRADE for fact in facts)
        for fact in facts:
            entry = self._entries.get(fact.instrument_id)
            if isinstance(fact, Confirmed):
                self._topics.confirm(fact.instrument_id, fact.stream)
                continue
            self._topics.confirm(fact.instrument_id, STREAM_OF[type(fact)])
            if entry is None:
                continue
            if isinstance(fact, MarketTrade) and lists_past:
                past.append(fact)
            else:
                self._take_one(entry, fact)
        if past:
            self._entries[past[0].instrument_id].quotes.past(past)
        self._publish({fact.instrument_id for fact in facts})

    def _take_one(self, entry: Entry, fact: DepthChange | DepthData | Quote | MarketTrade) -> None:
        book = entry.book
        match fact:
            case DepthChange() if book is not None:
                self._heard(book.health, fact.venue_time_ns)
                book.take(fact)
            case DepthData() if book is not None:
                self._heard(book.health, fact.venue_time_ns)
                venue = self._session.venue
                if book.replace(fact, limit=venue.book_levels if venue is not None and entry.book_is_ours else 0):
                    entry.recovery.whole(self._session.clock.monotonic_ns())
            case Quote():
                self._heard(entry.quotes.health, fact.venue_time_ns)
                entry.quotes.quote(fact)
            case MarketTrade():
                self._heard(entry.quotes.health, fact.venue_time_ns)
                entry.quotes.trade(fact)
            case _:
                pass  # a book that nobody wants

    def _is_of_ccxt(self, fact: Fact) -> bool:
        """Tell whether a fact is of a book that ccxt keeps."""
        if not isinstance(fact, DepthChange | DepthData):
            return False
        entry = self._entries.get(fact.instrument_id)
        return entry is not None and not entry.book_is_ours

    # --- what ccxt returned -----------------------------------------------------------------------------------------

    def take_item(self, entry: Entry, stream: Stream, item: Any) -> None:
        """Take what a watcher returned."""
        now_ns, name = self._session.clock.now_ns(), entry.request.instrument_id
        match stream:
            case Stream.BOOK:
                entry.counted += 1
                depth = ccxt_facts.depth_of(item, name, int(item.get("nonce") or entry.counted), now_ns)
                self._take_one(entry, depth)
            case Stream.QUOTE:
                self._take_one(entry, ccxt_facts.quote_of(self._newest_quote(entry, item), name, now_ns))
            case _:
                for trade in item:
                    self._take_one(entry, ccxt_facts.trade_of(trade, name, now_ns))
        self._publish({name})

    def note_bad(self, error: Exception, message: Any) -> None:
        """Count a message that cannot be read, and say so now and then."""
        self.bad_frames += 1
        if self.bad_frames & (self.bad_frames - 1) == 0:
            logger.bind(account=self._session.account).warning(
                "market frame {} cannot be read: {}: {!r:.200}", self.bad_frames, clean(error), message
            )

    def _newest_quote(self, entry: Entry, item: Any) -> Mapping[str, Any]:
        """Return the newest ticker: what was returned may be the first of a batch."""
        kept = getattr(self._session.exchange, "bidsasks", None) or {}
        newest = kept.get(entry.unified) if "bid" not in item else item
        found: Mapping[str, Any] = newest or item.get(entry.unified) or item
        return found

    # --- what is told -----------------------------------------------------------------------------------------------

    def _publish(self, names: Iterable[str]) -> None:
        now_ns = self._session.clock.now_ns()
        for name in names:
            entry = self._entries.get(name)
            if entry is None:
                continue
            if entry.book is not None and entry.book.dirty:
                self._follow_book(entry, entry.book)
            if entry.quotes.changed:
                entry.quotes.publish(now_ns)
                entry.told.set()

    def _follow_book(self, entry: Entry, book: BookStream) -> None:
        book.publish()  # first, since a book whose best is not known is given up there
        if entry.best_by_book and entry.request.ticks:
            if book.state is BookState.LIVE:
                entry.quotes.quote(ccxt_facts.best_of(book.book.depth(1)))
            else:
                entry.quotes.forget_quote()
        if book.state is BookState.LIVE:
            entry.told.set()

    def _heard(self, health: StreamHealth | None, venue_ns: int) -> None:
        if health is not None:
            venue_ms = (self._session.clock.now_ns() - venue_ns) / 1e6 if venue_ns else None
            health.heard(self._session.clock.monotonic_ns(), venue_ms=venue_ms)
