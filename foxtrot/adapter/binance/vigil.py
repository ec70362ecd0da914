"""Looks after each stream by itself: one that is silent while its connection is not may be dead, or its market quiet.

Silence proves nothing, so the venue is asked whether something happened that the stream did not tell; then its connection is
dropped. While nothing happened it is asked again, less and less often.
"""

from collections.abc import Callable, Mapping

from loguru import logger

from foxtrot.adapter.binance.market_fetching import SETTLE_S, Entry, Fetching
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.binance.topics import Topic, TopicKind, Topics
from foxtrot.domain.errors import AdapterError

ASK_AFTER_S = 20.0
"""A little more than a whole connection may be silent, which needs no question."""
LONGEST_PAUSE_S = 300.0
LONGEST_BEAT_S = 1.0
"""The most silence one beat counts for: a jump of the clock proves nothing."""
_MARKS: Mapping[TopicKind, Callable[[Entry], object]] = {
    TopicKind.TRADE: lambda entry: entry.ticks.last_id,
    TopicKind.QUOTE: lambda entry: entry.ticks.quote_id,
    TopicKind.BOOK: lambda entry: None if entry.book is None else entry.book.update_id,
}
"""What a stream changes whenever it says something."""


class _Silence:
    """How long one stream has said nothing, and when the venue is asked next."""

    __slots__ = ("due_s", "mark", "pause_s", "silent_s")

    def __init__(self) -> None:
        self.mark: object = None
        self.silent_s = 0.0
        self.pause_s = self.due_s = ASK_AFTER_S

    def is_due(self, mark: object, elapsed_s: float) -> bool:
        """Count a beat; True when the venue is to be asked."""
        if mark != self.mark:
            self.mark, self.silent_s, self.pause_s, self.due_s = mark, 0.0, ASK_AFTER_S, ASK_AFTER_S
            return False
        self.silent_s += min(elapsed_s, LONGEST_BEAT_S)
        if self.silent_s < self.due_s:
            return False
        self.pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S)
        self.due_s = self.silent_s + self.pause_s
        return True


class Vigil:
    """Watches the streams of prints, quotes and books of one account.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession, topics: Topics, fetching: Fetching) -> None:
        self._session = session
        self._topics = topics
        self._fetching = fetching
        self._silences: dict[tuple[str, TopicKind], _Silence] = {}
        self._beaten_ns = session.clock.monotonic_ns()

    def beat(self, entries: Mapping[str, Entry]) -> None:
        """Count silence, and ask where there is much of it."""
        now_ns = self._session.clock.monotonic_ns()
        elapsed_s, self._beaten_ns = (now_ns - self._beaten_ns) / 1e9, now_ns
        watched: dict[tuple[str, TopicKind], _Silence] = {}
        for name, entry in entries.items():
            for topic in self._topics.of(name):
                mark = _MARKS.get(topic.kind)
                if mark is None or not topic.up.is_set():
                    continue
                key = name, topic.kind
                silence = watched[key] = self._silences.get(key) or _Silence()
                if silence.is_due(mark(entry), elapsed_s):
                    self._session.spawn(self._look(entry, topic), f"check of silent {topic.key}")
        self._silences = watched

    async def _look(self, entry: Entry, topic: Topic) -> None:
        """Drop the connection of a stream that misses something, unless it is another by now."""
        before = self._fetching.life, topic.asked_ns, _MARKS[topic.kind](entry)
        try:
            missed = await self._misses(entry, topic.kind)
        except AdapterError as error:
            logger.bind(account=self._session.account).warning("{} could not be checked: {}", entry.symbol, error)
            return
        now = self._fetching.life, topic.asked_ns, _MARKS[topic.kind](entry)
        if missed and topic.up.is_set() and now == before:
            await self._topics.drop(topic.instrument_id, topic.kind, "silent, while its market is not")

    async def _misses(self, entry: Entry, kind: TopicKind) -> bool:
        """Ask whether the venue has what the stream should have told; what it tells within SETTLE_S is not missed."""
        match kind:
            case TopicKind.BOOK:
                return await self._fetching.has_fallen_behind(entry)
            case TopicKind.TRADE:
                missed = await self._has_traded(entry)
            case _:
                missed = await self._is_quoted_otherwise(entry)
        if missed:
            await self._session.wait_s(SETTLE_S)
        return missed

    async def _has_traded(self, entry: Entry) -> bool:
        latest = await self._fetching.market.trades(entry.symbol, 1)
        if not latest:
            return False
        ticks: TickStream = entry.ticks
        if not ticks.has_traded:
            ticks.start_after(latest[-1].t)  # it may have happened before anybody asked
            return False
        return latest[-1].t > ticks.last_id

    async def _is_quoted_otherwise(self, entry: Entry) -> bool:
        now, ticks = await self._fetching.market.quote(entry.symbol), entry.ticks
        return (now.b, now.B, now.a, now.A) != (ticks.bid, ticks.bid_size, ticks.ask, ticks.ask_size)
