"""The topics of one product at ccxt.pro: one long-lived task each, which comes back after whatever ended it.

What may end a watcher, and what is done:

- the connection is gone, refused or broken by a frame: back-off, then again;
- a gap in a book (ChecksumError): told at once, then again without a pause;
- the subscription is refused: ccxt would wait for ever on the key it left behind, so that is removed, then back-off;
- the symbol or request is wrong: told as failed, not again;
- the subscription is not answered: the connection is dropped (`beat`), which is a loss;
- the connection is dead or old: another takes its place, and the topic goes on over that (`care`).
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import ccxt
from loguru import logger

from foxtrot.adapter.binance.client import retry_after_s
from foxtrot.adapter.binance.connection_care import ANSWER_WITHIN_S, ConnectionCare, is_present, last_sent_ns
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stream_board import Deaf
from foxtrot.adapter.binance.topic import RAISED, Listener, Topic, TopicKind
from foxtrot.adapter.binance.topic_end import TopicEnd
from foxtrot.adapter.reconnect import Backoff, BreakerState, CircuitBreaker

__all__ = ["Listener", "Topic", "TopicKind", "Topics"]

SILENT_AFTER_S = 15.0
LONGEST_SILENCE_S = 300.0
LONGEST_BEAT_S = 1.0
"""The most silence one beat counts for: a jump of the clock proves nothing."""
_WAIT_FOR_BREAKER_S = 1.0
_WRONG = (ccxt.BadSymbol, ccxt.BadRequest, ccxt.ArgumentsRequired, ccxt.NotSupported)


class Topics:
    """All topics of one session.

    Thread: binance-io.
    """

    def __init__(
        self,
        session: BinanceSession,
        listener: Listener,
        prepare: Callable[[Any], None],
        *,
        random: Random | None = None,
    ) -> None:
        self.care = ConnectionCare(self, session)
        """Asks, replaces and rotates the connections."""
        self.breaker = CircuitBreaker(session.clock.monotonic_ns, failures=5, rest_s=10.0)
        self.restarts = 0
        self.kicks = 0
        self._session = session
        self._listener = listener
        self._prepare = prepare
        self._prepared: Any = None
        self._random = random or Random(session.account)
        self._topics: dict[str, Topic] = {}
        self._failed_ns = -1
        self._silence = _Silence()
        self._end = TopicEnd(session, self.client_of, self.patience)
        self._beaten_ns = session.clock.monotonic_ns()

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def open(self, kind: TopicKind, instrument_id: str, detail: str = "") -> Topic:
        """Begin a topic, or go on with the one there is."""
        unified = self._session.unified(instrument_id)
        topic = self._topics.get(kind.value.format(unified, detail))
        if topic is None:
            topic = Topic(kind, instrument_id, unified, Backoff(self._random), detail)
            self._topics[topic.key] = topic
        topic.wanted = True
        if topic.task is None or topic.task.done():
            topic.task = self._session.spawn(self._run(topic), f"topic {topic.key}")
        return topic

    def close(self, kind: TopicKind, instrument_id: str, detail: str = "") -> None:
        """End a topic and its subscription."""
        topic = self._topics.get(kind.value.format(self._session.unified(instrument_id), detail))
        if topic is None or not topic.wanted:
            return
        topic.wanted = False
        if not topic.closing:
            topic.closing = True
            self._session.spawn(self._unsubscribe(topic), f"end of topic {topic.key}")

    def of(self, instrument_id: str) -> list[Topic]:
        """Return the wanted topics of an instrument."""
        return [one for one in self._topics.values() if one.instrument_id == instrument_id and one.wanted]

    def stop(self) -> None:
        """End every task and hear nothing more; the session lets go of the connections, and a new client opens new ones."""
        self.care.stop()
        for topic in self._topics.values():
            if topic.task is not None:
                topic.task.cancel()
            topic.settled.set()
        self._topics.clear()
        if self._prepared is not None:
            self._prepared.raw_hooks = Deaf()
            self._prepared = None

    # --- what the venue says ----------------------------------------------------------------------------------------

    def hear_answer(self, client: Any, message: Mapping[str, Any]) -> bool:
        """Notice which topics an answer to a subscription confirms; True when ccxt need not see it.

        What goes on over a newcomer needs none of what ccxt does about a new subscription: it would fetch the book anew.
        """
        answered = message.get("id")
        if answered is None:
            return False
        if self.care.hear_answer(str(answered), message):
            return True
        goes_on = False
        for key, subscription in client.subscriptions.items() if "result" in message else ():
            topic = self._topics.get(key)
            if topic is not None and isinstance(subscription, dict) and str(subscription.get("id")) == str(answered):
                goes_on = self.care.hear_confirmed(topic, client)
                self._confirm(topic)
        return goes_on

    async def beat(self) -> None:
        """Drop connections that do not answer a subscription, ask silent ones; called every second or more often."""
        now_ns, exchange = self._session.clock.monotonic_ns(), self._prepared
        elapsed_s, self._beaten_ns = (now_ns - self._beaten_ns) / 1e9, now_ns
        if exchange is None:
            return
        for topic in list(self._topics.values()):
            waiting = topic.wanted and topic.asked_ns and not topic.up.is_set()
            if waiting and now_ns - max(topic.asked_ns, last_sent_ns(self.client_of(topic))) > ANSWER_WITHIN_S * 1e9:
                client = self.client_of(topic)
                if client is not None and client.isConnected:
                    await self.kick(client.url, f"{topic.key} was not answered")
        for url, client in list(exchange.clients.items()):
            if is_present(client) and self._silence.grew(url, client.last_text_at, elapsed_s):
                self._session.spawn(self.care.ask_silent(client), f"question to silent {url}")
        self.care.rotate()

    # --- for the care of connections --------------------------------------------------------------------------------

    @property
    def exchange(self) -> Any:
        """Return the instance of ccxt's that the topics are watched by, or None."""
        return self._prepared

    def client_of(self, topic: Topic) -> Any:
        """Return ccxt's client that carries a topic, or None; one that is being replaced does not count."""
        clients = {} if self._prepared is None else self._prepared.clients
        return next((one for one in clients.values() if topic.key in one.subscriptions and not one.leaving), None)

    def carried_by(self, client: Any) -> list[Topic]:
        """Return the wanted topics of a connection."""
        found = (self._topics.get(key) for key in client.subscriptions)
        return [one for one in found if one is not None and one.wanted and one.task is not None and not one.task.done()]

    def follow(self, topic: Topic) -> "asyncio.Task[None]":
        """Return a new task that streams a topic over the connection it is dialled by now."""
        return self._session.spawn(self._run(topic), f"topic {topic.key}")

    def interrupt(self, topic: Topic, cause: str, *, gap: bool = False) -> None:
        """Tell that a topic is interrupted; it begins anew when it is confirmed."""
        self.restarts += 1
        topic.up.clear()
        self._listener.on_down(topic, cause, gap=gap)

    def unsubscribe(self, topic: Topic) -> None:
        """End the subscription of a topic that is not wanted any more, unless its stream is wanted by another."""
        if topic.key not in self._topics:
            self._session.spawn(self._end.leave(topic), f"end of topic {topic.key}")

    async def kick(self, url: str, cause: str) -> None:
        """Drop a connection; its topics come back by themselves."""
        self.kicks += 1
        logger.bind(account=self._session.account).warning("connection {} dropped: {}", url, cause)
        await self._session.kick(url, cause)

    async def patience(self, client: Any, within_s: float) -> None:
        """Wait for as long as an answer may take, counted from when nothing more of ours waits for its turn to leave."""
        asked_ns, pause_s = self._session.clock.monotonic_ns(), within_s
        while pause_s > 0:
            await self._session.wait_s(pause_s)
            waited_ns = self._session.clock.monotonic_ns() - max(asked_ns, last_sent_ns(client))
            pause_s = math.ceil(within_s * 1e3 - waited_ns / 1e6) / 1e3

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _run(self, topic: Topic) -> None:
        while topic.wanted:
            while not self.breaker.allows():
                await self._session.wait_s(_WAIT_FOR_BREAKER_S)
            try:
                cause = await self._watched(topic)
            except _WRONG as error:
                if not self.care.passes_on(topic, str(error)):
                    self._give_up(topic, str(error))
                return
            if cause and self.care.passes_on(topic, cause):
                return
            if cause:
                await self._lose(topic, cause)

    async def _watched(self, topic: Topic) -> str:
        """Watch until something ends it; returns why it is lost, "" when it goes on at once."""
        try:
            await self._watch(topic)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                self._end_trial()
                raise
            return "the connection was closed"
        except ccxt.UnsubscribeError:
            topic.up.clear()
        except ccxt.ChecksumError as error:
            self.interrupt(topic, str(error), gap=True)
        except _WRONG:
            raise
        except RAISED as error:
            pause_s = _wanted_pause_s(error)
            if pause_s:
                self.breaker.trip(pause_s)  # so that nobody dials meanwhile, and REST stands in
            return f"{type(error).__name__}: {error}"
        return ""

    async def _watch(self, topic: Topic) -> None:
        exchange = self._session.exchange
        if exchange is not self._prepared:
            self._prepared = exchange
            self._prepare(exchange)
        stale = self.client_of(topic)
        if stale is not None and not self.care.is_moving(topic):
            del stale.subscriptions[topic.key]  # else ccxt would wait for what nobody asks for
        topic.asked_ns = max(1, self._session.clock.monotonic_ns())
        while topic.wanted:
            item = await topic.watch(exchange)
            self._confirm(topic)
            self._listener.on_item(topic, item)

    def _confirm(self, topic: Topic) -> None:
        if not topic.up.is_set():
            topic.up.set()
            topic.settled.set()
            topic.backoff.good(self._session.clock.monotonic_ns())
            self.breaker.succeeded()
            self._listener.on_up(topic)

    async def _lose(self, topic: Topic, cause: str) -> None:
        if not topic.wanted:
            return
        now_ns = self._session.clock.monotonic_ns()
        if not topic.up.is_set() and now_ns != self._failed_ns:
            self._failed_ns = now_ns  # the topics of one connection fail together: that is one failure
            self.breaker.failed()
        elif self.breaker.state is BreakerState.HALF_OPEN:
            self.breaker.failed()
        self.interrupt(topic, cause)
        delay_s = topic.backoff.next_delay_s(now_ns)
        logger.bind(account=self._session.account, attempt=topic.backoff.attempt, delay_s=delay_s).warning(
            "stream {} interrupted: {}", topic.key, cause
        )
        await self._session.wait_s(delay_s)

    def _end_trial(self) -> None:
        """Let another topic try the connection, if this one was to."""
        if self.breaker.state is BreakerState.HALF_OPEN:
            self.breaker.failed()

    def _give_up(self, topic: Topic, cause: str) -> None:
        topic.wanted = False
        self._topics.pop(topic.key, None)
        topic.settled.set()
        self._listener.on_refused(topic, cause)

    async def _unsubscribe(self, topic: Topic) -> None:
        await self._end.end(topic)
        self._drop_unwanted(topic)

    def _drop_unwanted(self, topic: Topic) -> None:
        if not topic.wanted and topic.task is not None:
            topic.task.cancel()
            self.care.forget(topic)
            if self._topics.get(topic.key) is topic:
                del self._topics[topic.key]


class _Silence:
    """How long connections have brought no text, LONGEST_BEAT_S at most per beat.

    After a connection was dropped for it, the next one may be silent for twice as long: the market may just be quiet.
    """

    def __init__(self) -> None:
        self._limit_s = SILENT_AFTER_S
        self._silent: dict[str, tuple[int | None, float]] = {}

    def grew(self, url: str, heard_at: int | None, elapsed_s: float) -> bool:
        """Count the time since the last beat of a connection; True when it has been silent for too long."""
        before, silent_s = self._silent.get(url, (None, 0.0))
        if heard_at is None or heard_at != before:
            if before is not None and silent_s + LONGEST_BEAT_S < SILENT_AFTER_S:
                self._limit_s = SILENT_AFTER_S
            self._silent[url] = (heard_at, 0.0)
            return False
        silent_s += min(elapsed_s, LONGEST_BEAT_S)
        self._silent[url] = (before, silent_s)
        if silent_s <= self._limit_s:
            return False
        self._limit_s = min(2 * self._limit_s, LONGEST_SILENCE_S)
        del self._silent[url]
        return True


def _wanted_pause_s(error: BaseException) -> float:
    """Return for how long the venue asked not to be dialled when it refused a handshake; ccxt hands on aiohttp's error."""
    refused = error.args[0] if error.args else None
    return retry_after_s(getattr(refused, "headers", None))
