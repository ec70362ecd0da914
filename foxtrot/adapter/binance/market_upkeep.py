"""What keeps market data going by the clock: silent streams are looked at, and where there is no stream, REST is asked."""

import asyncio
from collections.abc import Mapping
from functools import partial

import msgspec

from foxtrot.adapter.binance.book_choice import BookChoice
from foxtrot.adapter.binance.market_fetching import Entry, Fetching
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.topics import TopicKind, Topics
from foxtrot.adapter.binance.vigil import Vigil
from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.reconnect import BreakerState

FRESH_WITHIN_S = 10.0
BEAT_S = 1.0
PATIENT_ROUNDS = 3
"""For so many rounds of requests at least a book is believed that none of them has answered for."""
TICKS_OF, BOOK_OF = "ticks ", "book "
"""What the names of an instrument's streams begin with in the figures of health."""


class MarketOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How market data is had: `no_websocket` are the venue's symbols that are asked for by REST every `poll_interval_s`."""

    hot_path: bool = True
    websocket: bool = True
    no_websocket: frozenset[str] = frozenset()
    totals: bool = False
    """Whether ticks carry volume, turnover, open, high and low of 24 hours; one more stream per symbol."""
    poll_interval_s: float = 1.0
    books: BookChoice = BookChoice()

    def streams(self, symbol: str) -> bool:
        """Tell whether a symbol's market data comes by WebSocket."""
        return self.websocket and symbol not in self.no_websocket


class Upkeep:
    """The beat of one account's market data.

    Thread: binance-io.
    """

    def __init__(
        self,
        session: BinanceSession,
        options: MarketOptions,
        entries: Mapping[str, Entry],
        topics: Topics,
        fetching: Fetching,
    ) -> None:
        self._session = session
        self._options = options
        self._entries = entries
        self._topics = topics
        self._fetching = fetching
        if (health := getattr(session, "health", None)) is not None:
            health.breakers["market"] = topics.breaker
        self._vigil = Vigil(session, topics, fetching)
        fetching.poller.patience_s = max(fetching.poller.patience_s, PATIENT_ROUNDS * options.poll_interval_s)

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
        polled_ns = self._session.clock.monotonic_ns()
        while life == self._fetching.life:
            await self._session.wait_s(min(BEAT_S, self._options.poll_interval_s))
            if life != self._fetching.life:
                return
            await self._topics.beat()
            self._vigil.beat(self._entries)
            now_ns = self._session.clock.monotonic_ns()
            if now_ns - polled_ns >= self._options.poll_interval_s * 1e9:
                polled_ns = now_ns
                await self.poll()

    async def poll(self) -> None:
        """Ask once for everything that no stream brings."""
        life = self._fetching.life
        for entry in list(self._entries.values()):
            if life != self._fetching.life:
                return
            if self._polled(entry):
                for health in entry.healths():
                    health.fell_back()
                await self._fetching.poll(entry, partial(self._lacks, entry))
                entry.tick_told.set()
                entry.book_told.set()

    def _polled(self, entry: Entry) -> bool:
        if not self._options.streams(entry.symbol):
            return True
        if self._topics.breaker.state is BreakerState.CLOSED:
            return False
        return not all(topic.up.is_set() for topic in self._topics.of(entry.request.instrument_id))

    def _lacks(self, entry: Entry, kind: TopicKind) -> bool:
        """Tell whether no stream brings something of an instrument, so that what is asked for may stand in."""
        topics = self._topics.of(entry.request.instrument_id)
        return not any(topic.kind is kind and topic.up.is_set() for topic in topics)

    async def _until_fresh(self) -> None:
        for entry in list(self._entries.values()):
            for topic in self._topics.of(entry.request.instrument_id):
                if not self._polled(entry):
                    await topic.settled.wait()
            if entry.request.ticks:
                await entry.tick_told.wait()
            if entry.book is not None:
                await entry.book_told.wait()

    def hear_stale(self, stream: StreamHealth) -> None:
        """Look whether a book whose stream is silent for long misses something."""
        if not self._fetching.life or not stream.name.startswith(BOOK_OF):
            return
        entry = self._entries.get(stream.name.removeprefix(BOOK_OF))
        for topic in self._topics.of(entry.request.instrument_id) if entry is not None else ():
            if entry is not None and topic.kind is TopicKind.BOOK and topic.up.is_set():
                self._vigil.look(entry, topic)
