"""How well an adapter's streams and link do, in figures; pure: every method is given the time."""

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from foxtrot.adapter.book_paths import BookFigures, BookPaths, PathFigures
from foxtrot.adapter.connection_counts import ConnectionCounts, ConnectionFigures
from foxtrot.adapter.percentiles import Percentiles, percentiles, quantile
from foxtrot.adapter.reconnect import CircuitBreaker
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.sessions import silence_counts

__all__ = [
    "AdapterHealth", "BookFigures", "BookPaths", "HealthFigures", "PathFigures", "Percentiles", "StalenessRule", "StreamFigures",
    "StreamHealth", "quantile",
]  # fmt: skip

SECOND_NS: Final = 1_000_000_000
KEPT: Final = 512
"""How many latencies and intervals are remembered per stream."""
RATE_WINDOW_S: Final = 10
LONGEST_BEAT_S: Final = 2.0
"""The most silence one beat can prove: after a suspended process or a clock that jumped, nobody was listening."""
LEARNT_FROM: Final = 20


class StalenessRule(msgspec.Struct, frozen=True):
    """When a stream is stale: `factor` times the `quantile` of its own intervals, between `floor_s` and `ceiling_s`.

    Until enough intervals are known it is the ceiling.
    """

    quantile: float = 0.99
    factor: float = 5.0
    floor_s: float = 3.0
    ceiling_s: float = 60.0


class StreamFigures(msgspec.Struct, frozen=True):
    """One stream at one moment.

    `venue_latency` is from the venue's time to ours (their clocks may differ), `engine_latency` from receipt to the
    hand-over to the engine.
    """

    name: str
    up: bool
    uptime_s: float
    reconnects: int
    messages: int
    messages_per_s: float
    last_age_s: float | None
    silent_s: float
    stale_after_s: float
    stale: bool
    venue_latency: Percentiles
    engine_latency: Percentiles
    rest_fallbacks: int


class HealthFigures(msgspec.Struct, frozen=True):
    """An adapter at one moment: the link, its requests and its streams by name.

    `rest_fallbacks` counts the questions of all streams that went to REST; `breakers` has the state of each breaker by name:
    closed (all is well), open (nobody dials, REST stands in) or half_open (one attempt is due). `book_paths` tells by which way books
    were had (see BookPath), `books` how each streamed book does, by instrument.
    """

    account: str
    up: bool
    uptime_s: float
    reconnects: int
    requests: int
    failed_requests: int
    used_weight: int
    last_cause: str
    streams: tuple[StreamFigures, ...]
    rest_fallbacks: int = 0
    breakers: dict[str, str] = {}
    book_paths: dict[str, PathFigures] = {}
    books: dict[str, BookFigures] = {}
    connections: ConnectionFigures = ConnectionFigures()


class _Uptime:
    """Since when something is up, and how often it came back."""

    def __init__(self) -> None:
        self.since_ns: int | None = None
        self.times_up = 0

    def up(self, now_ns: int) -> None:
        if self.since_ns is None:
            self.since_ns = now_ns
            self.times_up += 1

    def down(self) -> None:
        self.since_ns = None

    def seconds(self, now_ns: int) -> float:
        return 0.0 if self.since_ns is None else (now_ns - self.since_ns) / SECOND_NS

    @property
    def reconnects(self) -> int:
        return max(0, self.times_up - 1)


class StreamHealth:
    """The figures of one stream, and when its silence means that it is dead.

    Thread: the adapter's own; `figures` from any.

    Args:
        calendar: when its market trades; outside its sessions its clock stops: silence does not count, nothing is stale, and the
            time over a break is no interval to learn from. A session begins with all its patience. None is always.
    """

    def __init__(self, name: str, rule: StalenessRule | None = None, calendar: TradingCalendar | None = None) -> None:
        self.name = name
        self.rule = rule or StalenessRule()
        self.messages = 0
        self.rest_fallbacks = 0
        self.silent_s = 0.0
        self._calendar = calendar
        self._closed = self._spans_break = False
        """Whether the market was closed at the last beat, and whether it was so at any since the last message."""
        self._uptime = _Uptime()
        self._last_ns: int | None = None
        self._intervals_s: deque[float] = deque(maxlen=KEPT)
        self._venue_ms: deque[float] = deque(maxlen=KEPT)
        self._engine_ms: deque[float] = deque(maxlen=KEPT)
        self._seconds: deque[tuple[int, int]] = deque(maxlen=RATE_WINDOW_S + 2)

    def up(self, now_ns: int) -> None:
        """Note that the stream is connected."""
        self._uptime.up(now_ns)
        self.silent_s = 0.0
        self._last_ns = None

    def down(self) -> None:
        """Note that the stream is gone."""
        self._uptime.down()

    def heard(
        self, now_ns: int, *, venue_ms: float | None = None, engine_ms: float | None = None, messages: int = 1
    ) -> None:
        """Note messages that came together; `now_ns` is monotonic, the latencies are what could be measured of the last one."""
        if self._last_ns is not None and not self._spans_break:
            self._intervals_s.append((now_ns - self._last_ns) / SECOND_NS)
        self._last_ns, self._spans_break = now_ns, self._closed
        self.messages += messages
        self.silent_s = 0.0
        second = now_ns // SECOND_NS
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + messages)
        else:
            self._seconds.append((second, messages))
        if venue_ms is not None:
            self._venue_ms.append(venue_ms)
        if engine_ms is not None:
            self._engine_ms.append(engine_ms)

    def fell_back(self) -> None:
        """Note that a question the stream should have answered went to REST."""
        self.rest_fallbacks += 1

    def beat(self, utc_ns: int, elapsed_s: float) -> None:
        """Count silence, at most LONGEST_BEAT_S at a time, while the stream is up and its market is open."""
        opens = silence_counts(self._calendar, utc_ns)
        if self._closed and opens:
            self.silent_s = 0.0
        self._closed = not opens
        self._spans_break = self._spans_break or self._closed
        if opens and self._uptime.since_ns is not None:
            self.silent_s += min(elapsed_s, LONGEST_BEAT_S)

    @property
    def stale_after_s(self) -> float:
        """Return how long this stream may be silent, learnt from its own intervals."""
        rule = self.rule
        if len(self._intervals_s) < LEARNT_FROM:
            return rule.ceiling_s
        learnt = quantile(list(self._intervals_s), rule.quantile) * rule.factor
        return min(rule.ceiling_s, max(rule.floor_s, learnt))

    @property
    def stale(self) -> bool:
        """Tell whether the stream has been silent for too long in a market that is open."""
        return not self._closed and self.silent_s > self.stale_after_s

    def figures(self, now_ns: int) -> StreamFigures:
        """Return the figures at a monotonic time."""
        last_ns, limit_s = self._last_ns, self.stale_after_s
        return StreamFigures(
            name=self.name,
            up=self._uptime.since_ns is not None,
            uptime_s=self._uptime.seconds(now_ns),
            reconnects=self._uptime.reconnects,
            messages=self.messages,
            messages_per_s=self._rate(now_ns),
            last_age_s=None if last_ns is None else (now_ns - last_ns) / SECOND_NS,
            silent_s=self.silent_s,
            stale_after_s=limit_s,
            stale=self.stale,
            venue_latency=percentiles(self._venue_ms),
            engine_latency=percentiles(self._engine_ms),
            rest_fallbacks=self.rest_fallbacks,
        )

    def _rate(self, now_ns: int) -> float:
        since = now_ns // SECOND_NS - RATE_WINDOW_S
        return sum(number for second, number in tuple(self._seconds) if second > since) / RATE_WINDOW_S


class AdapterHealth:
    """The figures of one adapter; its streams are made when they are first asked for.

    Thread: the adapter's own; `snapshot` from any.
    """

    def __init__(self, account: str) -> None:
        self.account = account
        self.requests = 0
        self.failed_requests = 0
        self.used_weight = 0
        self.last_cause = ""
        self.breakers: dict[str, CircuitBreaker] = {}
        self.streams: dict[str, StreamHealth] = {}
        self.connections = ConnectionCounts()
        self.book_paths = BookPaths()
        self.books: dict[str, Callable[[], BookFigures]] = {}
        """By instrument, what gives the figures of a streamed book; called by whoever takes a snapshot, on any thread."""
        self._uptime = _Uptime()

    def up(self, now_ns: int) -> None:
        """Note that the link stands."""
        self._uptime.up(now_ns)

    def down(self, cause: str) -> None:
        """Note that the link is gone, and why."""
        self._uptime.down()
        self.last_cause = cause
        for stream in self.streams.values():
            stream.down()

    def stream(self, name: str, make: Callable[[str], StreamHealth] = StreamHealth) -> StreamHealth:
        """Return a stream's figures, making them the first time."""
        found = self.streams.get(name)
        if found is None:
            found = self.streams[name] = make(name)
        return found

    def beat(self, utc_ns: int, elapsed_s: float) -> list[StreamHealth]:
        """Count silence everywhere and return the streams that are stale."""
        for stream in self.streams.values():
            stream.beat(utc_ns, elapsed_s)
        return [stream for stream in self.streams.values() if stream.stale]

    def snapshot(self, now_ns: int) -> HealthFigures:
        """Return all figures at a monotonic time."""
        return HealthFigures(
            account=self.account,
            up=self._uptime.since_ns is not None,
            uptime_s=self._uptime.seconds(now_ns),
            reconnects=self._uptime.reconnects,
            requests=self.requests,
            failed_requests=self.failed_requests,
            used_weight=self.used_weight,
            last_cause=self.last_cause,
            streams=tuple(stream.figures(now_ns) for stream in tuple(self.streams.values())),
            rest_fallbacks=sum(stream.rest_fallbacks for stream in tuple(self.streams.values())),
            breakers={name: breaker.shown.value for name, breaker in tuple(self.breakers.items())},
            connections=self.connections.figures(),
            book_paths=self.book_paths.figures(),
            books={instrument_id: figures() for instrument_id, figures in tuple(self.books.items())},
        )
