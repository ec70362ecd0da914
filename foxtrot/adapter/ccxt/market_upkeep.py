"""What keeps market data going by the clock: silent streams are looked at, and where there is no stream, REST is asked."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from foxtrot.adapter.ccxt.book_audits import BookAudits
from foxtrot.adapter.ccxt.entry import Entry
from foxtrot.adapter.ccxt.market_fetching import Fetching
from foxtrot.adapter.ccxt.market_polling import Polling
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topic import Topic
from foxtrot.adapter.ccxt.topics import Topics
from foxtrot.adapter.ccxt.venue import Stream
from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.reconnect import BreakerState
from foxtrot.domain.enums import AdapterState

FRESH_WITHIN_S: Final = 10.0
BEAT_S: Final = 1.0


class StatusPublisher(Protocol):
    """The adapter's way up.

    Thread: the session's.
    """

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        """Publish a change of the connection."""


class Upkeep:
    """The beat of one account's market data.

    Thread: the session's.
    """

    def __init__(
        self,
        session: CcxtSession,
        entries: Mapping[str, Entry],
        topics: Topics,
        fetching: Fetching,
        publisher: StatusPublisher,
    ) -> None:
        self._session = session
        self._entries = entries
        self._topics = topics
        self._fetching = fetching
        self._publisher = publisher
        self._polling = Polling(session, fetching)
        self._audits = BookAudits(session, fetching)
        self._by_rest = ""
        self._asked: set[str] = set()
        """The streams whose silence was looked at and proved nothing."""

    async def wait_until_fresh(self) -> None:
        """Return when fresh facts of everything that is wanted were told, or after FRESH_WITHIN_S."""
        fresh = asyncio.ensure_future(self._until_fresh())
        patience = asyncio.ensure_future(self._session.wait_s(FRESH_WITHIN_S))
        try:
            await asyncio.wait((fresh, patience), return_when=asyncio.FIRST_COMPLETED)
        finally:
            fresh.cancel()
            patience.cancel()

    async def beat(self, life: int) -> None:
        """Beat until the streams are closed."""
        clock, interval_s = self._session.clock, self._session.settings.poll_interval_s
        polled_ns = beaten_ns = clock.monotonic_ns()
        self._by_rest = ""
        while life == self._fetching.life:
            await self._session.wait_s(min(BEAT_S, interval_s))
            if life != self._fetching.life:
                return
            await self._topics.beat()
            now_ns = clock.monotonic_ns()
            self._look_at_silence((now_ns - beaten_ns) / 1e9)
            beaten_ns = now_ns
            for entry in list(self._entries.values()):
                self._fetching.look_at_snapshot(entry, self._topics)
            self._audits.beat(self._entries)
            self._tell_way()
            if now_ns - polled_ns >= interval_s * 1e9:
                polled_ns = now_ns
                await self.poll()

    async def poll(self) -> None:
        """Ask once for everything that no stream brings."""
        life = self._fetching.life
        for entry in list(self._entries.values()):
            if life != self._fetching.life:
                return
            wants_book, wants_quote, wants_trades = self._lacks(entry)
            if wants_book or wants_quote or wants_trades:
                for health in entry.healths():
                    health.fell_back()
                await self._polling.poll(entry, book=wants_book, quote=wants_quote, trades=wants_trades)
                entry.told.set()

    def _lacks(self, entry: Entry) -> tuple[bool, bool, bool]:
        """Tell whether book, quotes and prints are wanted and to be asked for, since no stream brings them or is about to."""
        request = entry.request
        quotes = Stream.BOOK if entry.best_by_book else Stream.QUOTE
        return (
            entry.wants_book and self._is_missing(entry, Stream.BOOK),
            request.ticks and self._is_missing(entry, quotes),
            (request.trades or request.ticks) and self._is_missing(entry, Stream.TRADE),
        )

    def _is_missing(self, entry: Entry, stream: Stream) -> bool:
        topics = self._topics.of(entry.request.instrument_id, stream)
        if not topics:
            return True
        return self._topics.breaker.state is not BreakerState.CLOSED and not topics[0].up.is_set()

    def _tell_way(self) -> None:
        """Tell READY once more when everything comes by REST, and when the streams are back."""
        down = self._topics.breaker.state is not BreakerState.CLOSED
        words = "by REST: the venue's streams cannot be had" if down else ""
        if words != self._by_rest and self._session.linked and not self._session.busy:
            self._by_rest = words
            self._publisher.on_status(AdapterState.READY, words)

    def _look_at_silence(self, elapsed_s: float) -> None:
        """Ask the venue whether a stream that is silent for longer than it ever was misses something."""
        stale = {stream.name: stream for stream in self._session.health.beat(self._session.clock.now_ns(), elapsed_s)}
        self._asked &= set(stale)
        for name in stale.keys() - self._asked:
            self._asked.add(name)
            entry = self._entry_of(stale[name])
            if entry is not None:
                self._session.spawn(self._verify(entry, stale[name]), f"check of silent {name}")

    def _entry_of(self, health: StreamHealth) -> Entry | None:
        return next((entry for entry in self._entries.values() if health in entry.healths()), None)

    async def _verify(self, entry: Entry, health: StreamHealth) -> None:
        of_book = entry.book is not None and health is entry.book.health
        if not await self._fetching.has_fallen_behind(entry, of_book=of_book):
            self._asked.discard(health.name)
            health.silent_s = 0.0  # its market is quiet: it is asked again after as long a silence
            return
        stream = Stream.BOOK if of_book or entry.best_by_book else Stream.QUOTE
        for topic in self._topics.of(entry.request.instrument_id, stream):
            await self._topics.drop(topic, "is silent, while its market is not")

    async def _until_fresh(self) -> None:
        for entry in list(self._entries.values()):
            for topic in self._topics.of(entry.request.instrument_id):
                if self._awaited(topic):
                    await topic.settled.wait()
            if entry.wants_book or entry.request.ticks:
                await entry.told.wait()

    def _awaited(self, topic: Topic) -> bool:
        return topic.stream is Stream.BOOK and self._topics.breaker.state is BreakerState.CLOSED
