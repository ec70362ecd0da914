"""Looks after each stream by itself: one that is silent for longer than it ever is may be dead, or its market quiet.

How long that is is learnt of each stream. What is asked then, and what follows, is in stale_stream.py; while nothing happened it
is asked again, less and less often.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from loguru import logger

from foxtrot.adapter.binance.market_fetching import SETTLE_S, Entry, Fetching
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stale_stream import ACTIONS, Action, Market, needs_market, probed
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.binance.topics import Topic, TopicKind, Topics
from foxtrot.adapter.health import quantile
from foxtrot.domain.errors import AdapterError

SHORTEST_S, ASK_AFTER_S = 5.0, 15.0
"""Between which the silence lies after which a stream is asked about; the longer one while little is known of it."""
LONGEST_PAUSE_S = 300.0
LONGEST_BEAT_S = 1.0
"""The most silence one beat counts for: a jump of the clock proves nothing."""
KEPT, LEARNT_FROM, LEARNT_EVERY = 256, 20, 16
SHARE, FACTOR = 0.99, 5.0
"""A stream may be silent for so many times the longest of its silences but one in a hundred."""
_MARKS: Mapping[TopicKind, Callable[[Entry], object]] = {
    TopicKind.TRADE: lambda entry: entry.ticks.last_id,
    TopicKind.QUOTE: lambda entry: entry.ticks.quote_id,
    TopicKind.BOOK: lambda entry: None if entry.book is None else entry.book.update_id,
}
"""What a stream changes whenever it says something."""


class Silence:
    """How long one stream has said nothing, how long it may, and when it is asked about next.

    Thread: binance-io.
    """

    __slots__ = ("_heard", "_mark", "_silences_s", "due_s", "limit_s", "pause_s", "silent_s")

    def __init__(self) -> None:
        self.silent_s = 0.0
        self.limit_s = self.pause_s = self.due_s = ASK_AFTER_S
        self._mark: object = None
        self._heard = 0
        self._silences_s: deque[float] = deque(maxlen=KEPT)

    def count(self, mark: object, elapsed_s: float) -> bool:
        """Count a beat; True while the stream is to be asked about."""
        if mark != self._mark:
            self._learn(max(self.silent_s, LONGEST_BEAT_S))
            self._mark, self.silent_s, self.pause_s, self.due_s = mark, 0.0, self.limit_s, self.limit_s
            return False
        self.silent_s += min(elapsed_s, LONGEST_BEAT_S)
        return self.silent_s >= self.due_s

    def asked(self) -> None:
        """Note that it was asked about: the next time is after twice as long a pause."""
        self.pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S)
        self.due_s = self.silent_s + self.pause_s

    def _learn(self, silent_s: float) -> None:
        if self._mark is None:
            return
        self._silences_s.append(silent_s)
        self._heard += 1
        if len(self._silences_s) >= LEARNT_FROM and self._heard % LEARNT_EVERY == 0:
            learnt_s = quantile(self._silences_s, SHARE) * FACTOR
            self.limit_s = min(ASK_AFTER_S, max(SHORTEST_S, learnt_s))


class Vigil:
    """Watches the streams of prints, quotes and books of one account; asks about one of a connection at a time.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession, topics: Topics, fetching: Fetching) -> None:
        self._session = session
        self._topics = topics
        self._fetching = fetching
        self._silences: dict[tuple[str, TopicKind], Silence] = {}
        self._beaten_ns = session.clock.monotonic_ns()
        self._looking: dict[object, asyncio.Task[None]] = {}
        """By connection, what is being asked about it."""

    def beat(self, entries: Mapping[str, Entry]) -> None:
        """Count silence, and ask where there is much of it."""
        now_ns = self._session.clock.monotonic_ns()
        elapsed_s, self._beaten_ns = (now_ns - self._beaten_ns) / 1e9, now_ns
        watched: dict[tuple[str, TopicKind], Silence] = {}
        for name, entry in entries.items():
            for topic in self._topics.of(name):
                mark = _MARKS.get(topic.kind)
                if mark is None or not topic.up.is_set():
                    continue
                key = name, topic.kind
                silence = watched[key] = self._silences.get(key) or Silence()
                if silence.count(mark(entry), elapsed_s) and self.look(entry, topic):
                    silence.asked()
        self._silences = watched

    def look(self, entry: Entry, topic: Topic) -> bool:
        """Begin to ask about a stream; False while another of its connection is being asked about."""
        client = self._topics.client_of(topic)
        asked = self._looking.get(client)
        if client is None or (asked is not None and not asked.done()):
            return False
        for known, task in list(self._looking.items()):
            if task.done():
                del self._looking[known]
        self._looking[client] = self._session.spawn(self._look(entry, topic, client), f"check of silent {topic.key}")
        return True

    async def _look(self, entry: Entry, topic: Topic, client: object) -> None:
        """Go through the questions; what has changed meanwhile makes them void."""
        before = self._state(entry, topic)
        care = self._topics.care
        probe = probed(topic, entry.symbol, await care.listed(client))
        market = await self._market(entry, topic) if needs_market(probe) else Market.UNKNOWN
        action = ACTIONS[probe, market]
        if action is Action.WAIT or not topic.up.is_set() or self._state(entry, topic) != before:
            return
        missed = [topic] if action is Action.REPLACE else self._topics.carried_by(client)
        await care.replace(client, f"{topic.key} is silent: {probe.name.lower()}, {market.name.lower()}", missed)

    def _state(self, entry: Entry, topic: Topic) -> tuple[object, ...]:
        return self._fetching.life, topic.asked_ns, _MARKS[topic.kind](entry)

    async def _market(self, entry: Entry, topic: Topic) -> Market:
        try:
            return Market.MISSED if await self._misses(entry, topic.kind) else Market.QUIET
        except AdapterError as error:
            logger.bind(account=self._session.account).warning("{} could not be checked: {}", entry.symbol, error)
            return Market.UNKNOWN

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
