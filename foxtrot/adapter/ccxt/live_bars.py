"""The wanted bars of one account: asked for at their close, sooner where a stream shows that the next one has opened.

What ccxt's streams push of a bar says nowhere that it is closed, so its figures are the venue's answer of afterwards.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.ccxt import ccxt_facts
from foxtrot.adapter.ccxt.errors import UNREADABLE, clean
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topic import Topic
from foxtrot.adapter.ccxt.topics import Topics
from foxtrot.adapter.ccxt.venue import Stream, to_ns
from foxtrot.domain.errors import AdapterError, BadMessage, ConfigError, FoxtrotError
from foxtrot.domain.interval import Interval, IntervalKind
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import SubscribeRequest

BEAT_S: Final = 0.5
GRACE_NS: Final = 2_000_000_000
"""How long after its close a bar is asked for, so that the venue has it and our clock may be a little ahead."""
PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
LATE_NS: Final = 20_000_000_000
"""A bar that is told so long after its close was missed then, and tells the past."""
PAGE: Final = 500
FIRST_MONDAY_NS: Final = 4 * 86_400_000_000_000


class BarPublisher(Protocol):
    """The adapter's way up.

    Thread: the session's.
    """

    def on_bar(self, bar: BarData) -> None:
        """Publish a closed bar."""

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that a subscription failed."""


class _Bars:
    """The bars of one instrument and interval."""

    def __init__(self, instrument_id: str, interval: Interval, name: str) -> None:
        self.instrument_id = instrument_id
        self.interval = interval
        self.name = name
        self.texts: list[str] = []
        self.expected_ns = -1
        self.asking = False
        self.failures = 0
        self.not_before_ns = 0

    def open_of(self, time_ns: int) -> int:
        """Return when the bar of a moment opens: weeks on Monday, everything in UTC."""
        shift_ns = FIRST_MONDAY_NS if self.interval.kind is IntervalKind.WEEK else 0
        return time_ns - (time_ns - shift_ns) % self.interval.duration_ns


class LiveBars:
    """All wanted bars.

    Thread: the session's.
    """

    def __init__(self, publisher: BarPublisher, session: CcxtSession, topics: Topics) -> None:
        self._publisher = publisher
        self._session = session
        self._topics = topics
        self._bars: dict[tuple[str, str], _Bars] = {}
        self._life = 0

    @property
    def asking(self) -> bool:
        """Tell whether bars are being asked for."""
        return any(bars.asking for bars in self._bars.values())

    def open(self, request: SubscribeRequest, *, by_stream: bool) -> None:
        """Begin the bars of a request; an interval that the venue does not have comes back as failed."""
        for text in request.bars:
            try:
                name = name_of(Interval.parse(text), self._session.exchange)
            except ConfigError as error:
                self._publisher.on_request_failed(f"subscribe {request.instrument_id} {text}", error)
                continue
            key = request.instrument_id, name
            bars = self._bars.get(key)
            if bars is None:
                bars = self._bars[key] = _Bars(request.instrument_id, Interval.parse(text), name)
                bars.expected_ns = bars.open_of(self._session.clock.now_ns())
            if text not in bars.texts:
                bars.texts.append(text)
            if by_stream and self._session.exchange.has.get("watchOHLCV"):
                self._topics.open(Stream.BARS, request.instrument_id, name)

    def remove(self, instrument_id: str) -> None:
        """Tell no more bars of an instrument."""
        for key in [key for key in self._bars if key[0] == instrument_id]:
            self._bars.pop(key).texts.clear()

    def resume(self, life: int) -> None:
        """Begin to look at the clock; what closed while the link was lost is asked for first."""
        self._life = life
        self._session.spawn(self._beat(life), "bars beat")

    def stop(self) -> None:
        """Tell nothing more until it is resumed."""
        self._life = 0
        for bars in self._bars.values():
            bars.asking = False

    def on_up(self, topic: Topic) -> None:
        """Hear that pushes come."""
        self._session.health.stream(f"bars {topic.detail} {topic.instrument_id}").up(self._session.clock.monotonic_ns())

    def on_down(self, topic: Topic) -> None:
        """Hear that pushes do not come."""
        self._session.health.stream(f"bars {topic.detail} {topic.instrument_id}").down()

    def on_item(self, topic: Topic, item: Any) -> None:
        """Take a push: one of a later bar says that the one before is closed."""
        self._session.health.stream(f"bars {topic.detail} {topic.instrument_id}").heard(
            self._session.clock.monotonic_ns()
        )
        bars = self._bars.get((topic.instrument_id, topic.detail))
        newest = max((to_ns(row[0]) for row in item if row), default=0) if isinstance(item, list) else 0
        if bars is not None and newest > bars.expected_ns:
            self._ask_soon(bars)

    async def _beat(self, life: int) -> None:
        while life == self._life:
            now_ns = self._session.clock.now_ns()
            for bars in list(self._bars.values()):
                if now_ns >= bars.expected_ns + bars.interval.duration_ns + GRACE_NS and now_ns >= bars.not_before_ns:
                    self._ask_soon(bars)
            await self._session.wait_s(BEAT_S)

    def _ask_soon(self, bars: _Bars) -> None:
        if self._life and not bars.asking:
            bars.asking = True
            self._session.spawn(self._ask(bars, self._life), f"bars {bars.name} of {bars.instrument_id}")

    async def _ask(self, bars: _Bars, life: int) -> None:
        try:
            found = await closed_bars(self._session, bars.instrument_id, bars.interval, bars.name, bars.expected_ns)
        except AdapterError as error:
            logger.bind(account=self._session.account).warning(
                "bars {} of {} could not be had: {}", bars.name, bars.instrument_id, error
            )
            found = []
        finally:
            if life == self._life:
                bars.asking = False
        if life == self._life and bars.texts:
            self._tell(bars, found)

    def _tell(self, bars: _Bars, found: list[BarData]) -> None:
        now_ns = self._session.clock.now_ns()
        for bar in found:
            if bar.open_time_ns < bars.expected_ns:
                continue
            bars.expected_ns = bar.close_time_ns
            late = now_ns - bar.close_time_ns > LATE_NS
            for text in bars.texts:
                self._publisher.on_bar(msgspec.structs.replace(bar, interval=text, backfilled=late))
        bars.failures = 0 if found else bars.failures + 1
        bars.not_before_ns = now_ns + int(min(PAUSE_S * bars.failures, LONGEST_PAUSE_S) * 1e9)


async def closed_bars(
    session: CcxtSession, instrument_id: str, interval: Interval, name: str, start_ns: int
) -> list[BarData]:
    """Return the bars that open at or after a start and are closed now, oldest first; a page at most.

    Raises:
        AdapterError: they could not be had.
    """
    unified = session.unified(instrument_id)
    rows = await session.ask(lambda exchange: exchange.fetch_ohlcv(unified, name, start_ns // 1_000_000, PAGE))
    now_ns = session.clock.now_ns()
    try:
        bars = [ccxt_facts.bar_of(row, instrument_id, interval, now_ns) for row in rows]
    except UNREADABLE as error:
        raise BadMessage(session.name, "ohlcv", clean(error)) from error
    bars.sort(key=lambda bar: bar.open_time_ns)
    return [bar for bar in bars if bar.open_time_ns >= start_ns and bar.close_time_ns <= now_ns]


def name_of(interval: Interval, exchange: Any) -> str:
    """Return ccxt's name of an interval at a venue, whatever unit it was written in.

    Raises:
        ConfigError: the venue has no bars of that length; those it has are named.
    """
    frames: Mapping[str, Any] = exchange.timeframes or {}
    weekly = interval.kind is IntervalKind.WEEK
    for name in frames if interval.kind.is_time and exchange.has.get("fetchOHLCV") else ():
        try:
            known = Interval.parse(name)
        except ConfigError:
            continue  # a month has no fixed length
        if known.duration_ns == interval.duration_ns and (known.kind is IntervalKind.WEEK) == weekly:
            return str(name)
    raise ConfigError(f"{exchange.id} has no bars of {interval.text}; it has {', '.join(frames) or 'none'}")
