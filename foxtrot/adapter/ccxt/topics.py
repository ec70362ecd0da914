"""The topics of one venue at ccxt.pro: one long-lived task each, which comes back after whatever ended it.

What may end a watcher, and what is done:

- the connection is gone, refused or broken by a frame: back-off, then again;
- a gap in a book that ccxt keeps (ChecksumError): told at once, then again without a pause;
- an error of the venue: a stream that stands goes on, for ccxt hands every error to all; one that does not stand is tried again
  after a back-off, and told as refused after REFUSALS in a row;
- the symbol or request is wrong: told as failed, not again;
- the book's subscription is not answered, or the connection is silent: it is dropped (`beat`), which is a loss.
"""

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

import ccxt
from loguru import logger

from foxtrot.adapter.ccxt.client import ROUTE, Route
from foxtrot.adapter.ccxt.errors import RAISED, WRONG, clean, retry_after_s
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.silence import LONGEST_BEAT_S, Silence
from foxtrot.adapter.ccxt.topic import Listener, Topic
from foxtrot.adapter.ccxt.topic_end import Endings, forget_keys
from foxtrot.adapter.ccxt.venue import Snapshots, Stream, Watcher
from foxtrot.adapter.reconnect import Backoff, BreakerState, CircuitBreaker

ANSWER_WITHIN_S: Final = 5.0
ASSUME_AFTER_S: Final = 1.0
"""After so long without a word a stream that need not begin with one is held to stand: its market may be quiet."""
REFUSALS: Final = 5
_WAIT_FOR_BREAKER_S: Final = 1.0


class Topics:
    """All topics of one session.

    Thread: the session's.

    Args:
        session: whose client is asked.
        listener: hears of every topic.
        watcher: gives what asks ccxt for a topic.
        unwatcher: gives what ends it, None where ccxt cannot.
        random: scatters the pauses.
    """

    def __init__(
        self,
        session: CcxtSession,
        listener: Listener,
        watcher: Callable[[Topic], Watcher],
        unwatcher: Callable[[Topic], Watcher | None],
        random: Random | None = None,
    ) -> None:
        self.breaker = CircuitBreaker(session.clock.monotonic_ns, failures=5, rest_s=10.0)
        session.health.breakers["market"] = self.breaker
        self.restarts = 0
        self.kicks = 0
        self._session = session
        self._listener = listener
        self._watcher = watcher
        self._endings = Endings(session, unwatcher, self.drop)
        self._random = random or Random(session.account)
        self._topics: dict[tuple[Stream, str, str], Topic] = {}
        self._failed_ns = -1
        self._silence = Silence()
        self._beaten_ns = session.clock.monotonic_ns()

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def open(self, stream: Stream, instrument_id: str, detail: str = "") -> Topic:
        """Begin a topic, or go on with the one there is."""
        key = stream, instrument_id, detail
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = Topic(stream, instrument_id, detail, Backoff(self._random))
            topic.task = self._session.spawn(self._run(topic), f"topic {topic.name}")
        return topic

    def close(self, topic: Topic) -> None:
        """End a topic and its subscription."""
        if self._topics.get((topic.stream, topic.instrument_id, topic.detail)) is topic:
            del self._topics[topic.stream, topic.instrument_id, topic.detail]
        topic.wanted = False
        self._session.spawn(self._endings.end(topic), f"end of topic {topic.name}")

    def of(self, instrument_id: str, stream: Stream | None = None) -> list[Topic]:
        """Return the topics of an instrument, all or those of one stream."""
        return [
            one for one in self._topics.values() if one.instrument_id == instrument_id and stream in (None, one.stream)
        ]

    def stop(self) -> None:
        """End every task and hear nothing more; the session lets go of the connections, and a new client opens new ones."""
        for topic in self._topics.values():
            topic.wanted = False
            if topic.task is not None:
                topic.task.cancel()
            topic.settled.set()
        self._topics.clear()
        self._silence = Silence()

    # --- what the venue says ----------------------------------------------------------------------------------------

    def confirm(self, instrument_id: str, stream: Stream) -> None:
        """Hear that the venue serves a stream: by its word, or by the first message."""
        for topic in self.of(instrument_id, stream):
            self._confirm(topic)

    def renew(self, topics: Iterable[Topic], cause: str) -> None:
        """Subscribe anew what begins with a snapshot, since that is needed again."""
        for topic in topics:
            if not topic.renewing:
                topic.renewing = True
                topic.up.clear()
                topic.asked_ns = max(1, self._session.clock.monotonic_ns())
                renewed = self._endings.renew(topic, f"begins anew: {cause}")
                self._session.spawn(renewed, f"new subscription of {topic.name}")

    async def beat(self) -> None:
        """Drop connections that do not answer a book's subscription, or are silent; called every second or more often."""
        now_ns = self._session.clock.monotonic_ns()
        elapsed_s, self._beaten_ns = min((now_ns - self._beaten_ns) / 1e9, LONGEST_BEAT_S), now_ns
        clients = dict(self._session.exchange.clients) if self._session.linked else {}
        for topic in list(self._topics.values()):
            connection = clients.get(topic.route.url)
            if topic.up.is_set() or not topic.asked_ns or connection is None or not connection.isConnected:
                continue
            if topic.suspect is not None:
                if self._waited_s(topic) > ANSWER_WITHIN_S and topic.watching is not None:
                    topic.watching.cancel()
            elif not self._begins_with_word(topic):
                if self._waited_s(topic) > ASSUME_AFTER_S:
                    self._confirm(topic)
            elif self._waited_s(topic) > ANSWER_WITHIN_S:
                await self.drop(topic, "was not answered")
        routes = {topic.route.url for topic in self._topics.values()}
        for url, connection in clients.items():
            silent_s = self._silence.grew(url, (now_ns - connection.heard_ns) / 1e9, elapsed_s)
            if silent_s and url in routes:
                self.kicks += 1
                await self._session.kick(url, f"silent for {silent_s:.0f} s")

    async def drop(self, topic: Topic, cause: str) -> None:
        """Drop the connection of a topic, which comes back by itself."""
        if topic.route.url:
            self.kicks += 1
            await self._session.kick(topic.route.url, f"{topic.name} {cause}")

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begins_with_word(self, topic: Topic) -> bool:
        """Tell whether the venue says something at once when a stream is subscribed: the book, unless that is asked for."""
        venue = self._session.venue
        return topic.stream is Stream.BOOK and (venue is None or venue.snapshots is not Snapshots.REST)

    async def _run(self, topic: Topic) -> None:
        keep = False
        while topic.wanted:
            await self._wait_for_breaker()
            kept, keep = keep, False
            try:
                await self._watch(topic, keep=kept)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    self._end_trial()
                    raise
                await self._try_later(topic, topic.suspect or ccxt.NetworkError("the connection was closed"))
            except ccxt.UnsubscribeError:
                topic.up.clear()
            except ccxt.ChecksumError as error:
                self._interrupt(topic, clean(error), gap=True)
            except WRONG as error:
                self._give_up(topic, clean(error))
                return
            except RAISED as error:
                keep = self._goes_on(topic, error)
                if not keep:
                    await self._try_later(topic, error)

    async def _wait_for_breaker(self) -> None:
        while not self.breaker.allows():
            await self._session.wait_s(_WAIT_FOR_BREAKER_S)

    async def _watch(self, topic: Topic, *, keep: bool) -> None:
        exchange = self._session.exchange
        if not keep:
            forget_keys(topic, exchange)
            topic.route = Route()
            topic.asked_ns = max(1, self._session.clock.monotonic_ns())
        ROUTE.set(topic.route)
        watch, symbol = self._watcher(topic), self._session.unified(topic.instrument_id)
        try:
            while topic.wanted:
                topic.watching = asyncio.ensure_future(watch(exchange, symbol))
                item = await topic.watching
                self._confirm(topic)
                self._listener.on_item(topic, item)
        finally:
            if topic.watching is not None:
                topic.watching.cancel()

    def _goes_on(self, topic: Topic, error: BaseException) -> bool:
        """Tell whether to go on waiting after an error, since ccxt hands an error of one subscription to all of a connection.

        A stream that stands goes on. One that is not answered yet may be the one: `beat` gives it up if no answer comes.
        """
        connection = self._session.exchange.clients.get(topic.route.url)
        if not isinstance(error, ccxt.ExchangeError) or connection is None or connection.error:
            return False
        if not topic.up.is_set():
            if self._waited_s(topic) > ANSWER_WITHIN_S:
                return False
            topic.suspect = error
        return bool(connection.isConnected)

    def _waited_s(self, topic: Topic) -> float:
        return (self._session.clock.monotonic_ns() - topic.asked_ns) / 1e9

    async def _try_later(self, topic: Topic, error: BaseException) -> None:
        """Wait, so that it is tried again."""
        topic.suspect = None
        if isinstance(error, ccxt.ExchangeError):
            topic.refused += 1
            if topic.refused == REFUSALS:
                topic.settled.set()
                self._listener.on_refused(topic, clean(error))
        self._obey(error)
        is_refusal = isinstance(error, ccxt.ExchangeError)
        await self._lose(topic, f"{type(error).__name__}: {clean(error)}", of_connection=not is_refusal)

    def _confirm(self, topic: Topic) -> None:
        topic.suspect = None
        if not topic.up.is_set():
            topic.up.set()
            topic.settled.set()
            topic.refused = 0
            topic.backoff.good(self._session.clock.monotonic_ns())
            self.breaker.succeeded()
            self._listener.on_up(topic)

    def _interrupt(self, topic: Topic, cause: str, *, gap: bool = False) -> None:
        self.restarts += 1
        topic.up.clear()
        self._listener.on_down(topic, cause, gap=gap)

    async def _lose(self, topic: Topic, cause: str, *, of_connection: bool) -> None:
        if not topic.wanted:
            return
        now_ns = self._session.clock.monotonic_ns()
        if not of_connection:
            self.breaker.succeeded()  # the venue answered
        elif not topic.up.is_set() and now_ns != self._failed_ns:
            self._failed_ns = now_ns  # the topics of one connection fail together: that is one failure
            self.breaker.failed()
        elif self.breaker.state is BreakerState.HALF_OPEN:
            self.breaker.failed()
        self._interrupt(topic, cause)
        delay_s = topic.backoff.next_delay_s(now_ns)
        logger.bind(account=self._session.account, attempt=topic.backoff.attempt, delay_s=delay_s).warning(
            "stream {} interrupted: {}", topic.name, cause
        )
        await self._session.wait_s(delay_s)

    def _obey(self, error: BaseException) -> None:
        """Dial no more for as long as the venue asked when it refused a handshake; ccxt hands on aiohttp's error."""
        refused = error.args[0] if error.args else None
        pause_s = retry_after_s(getattr(refused, "headers", None))
        if pause_s:
            self.breaker.trip(pause_s)

    def _end_trial(self) -> None:
        """Let another topic try the connection, if this one was to."""
        if self.breaker.state is BreakerState.HALF_OPEN:
            self.breaker.failed()

    def _give_up(self, topic: Topic, cause: str) -> None:
        topic.wanted = False
        self._topics.pop((topic.stream, topic.instrument_id, topic.detail), None)
        topic.settled.set()
        self._end_trial()
        self._listener.on_refused(topic, cause)
