"""The topics of one product at ccxt.pro: one long-lived task each, which comes back after whatever ended it.

What may end a watcher, and what is done:

- the connection is gone, refused or broken by a frame: back-off, then again;
- a gap in a book (ChecksumError): told at once, then again without a pause;
- the subscription is refused: ccxt would wait for ever on the key it left behind, so that is removed, then back-off;
- the symbol or request is wrong: told as failed, not again;
- the subscription is not answered, or the connection is silent: it is dropped (`beat`), which is a loss.
"""

import asyncio
import enum
import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import ccxt
from loguru import logger

from foxtrot.adapter.binance.client import retry_after_s
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stream_board import Deaf
from foxtrot.adapter.reconnect import Backoff, BreakerState, CircuitBreaker
from foxtrot.domain.errors import AdapterError

ANSWER_WITHIN_S = 5.0
SILENT_AFTER_S = 15.0
LONGEST_SILENCE_S = 300.0
LONGEST_BEAT_S = 1.0
"""The most silence one beat counts for: a jump of the clock proves nothing."""
_WAIT_FOR_BREAKER_S = 1.0
_WRONG = (ccxt.BadSymbol, ccxt.BadRequest, ccxt.ArgumentsRequired, ccxt.NotSupported)
_RAISED = (ccxt.BaseError, AdapterError, LookupError, TypeError, ValueError, AttributeError, OSError)
"""What ccxt lets out besides its own errors when a message is not what it expects."""


class TopicKind(enum.StrEnum):
    """What a topic streams; the value is the name of ccxt's subscription of a symbol, and of an interval for bars."""

    QUOTE = "bidask:bookTicker@{}"
    TRADE = "trade::{}"
    BOOK = "orderbook::{}"
    TOTALS = "ticker:ticker@{}"
    KLINE = "ohlcv::{}::{}"


class Topic:
    """One desired stream of one instrument.

    Thread: binance-io.
    """

    def __init__(self, kind: TopicKind, instrument_id: str, unified: str, backoff: Backoff, detail: str = "") -> None:
        self.kind = kind
        self.instrument_id = instrument_id
        self.unified = unified
        self.detail = detail
        """The interval of bars, by Binance's name."""
        self.key = kind.value.format(unified, detail)
        self.wanted = True
        self.up = asyncio.Event()
        """Set while the venue has confirmed the subscription."""
        self.settled = asyncio.Event()
        """Set once it is confirmed, or given up for good."""
        self.backoff = backoff
        self.closing = False
        """Whether its subscription is being ended; that goes on when it is wanted again meanwhile."""
        self.asked_ns = 0
        self.task: asyncio.Task[None] | None = None


class Listener:
    """What hears of topics; every method may be replaced.

    Thread: binance-io.
    """

    def on_up(self, topic: Topic) -> None:
        """Hear that a subscription is confirmed: from now on everything comes."""

    def on_item(self, topic: Topic, item: Any) -> None:
        """Hear what a watcher of ccxt returned."""

    def on_down(self, topic: Topic, cause: str, *, gap: bool) -> None:
        """Hear that a topic is interrupted: by a gap, after which it goes on at once, or by a loss."""

    def on_refused(self, topic: Topic, cause: str) -> None:
        """Hear that a topic cannot be had."""


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
        """Notice which topics an answer to a subscription confirms; ccxt sees it too."""
        answered = message.get("id")
        if answered is None or "result" not in message:
            return False
        for key, subscription in client.subscriptions.items():
            topic = self._topics.get(key)
            if topic is not None and isinstance(subscription, dict) and str(subscription.get("id")) == str(answered):
                self._confirm(topic)
        return False

    async def beat(self) -> None:
        """Drop connections that do not answer a subscription, or are silent for too long; called every second or more often."""
        now_ns, exchange = self._session.clock.monotonic_ns(), self._prepared
        elapsed_s, self._beaten_ns = (now_ns - self._beaten_ns) / 1e9, now_ns
        if exchange is None:
            return
        for topic in list(self._topics.values()):
            waiting = topic.wanted and topic.asked_ns and not topic.up.is_set()
            if waiting and now_ns - self._sent_ns(topic) > ANSWER_WITHIN_S * 1e9:
                client = self._client_of(topic)
                if client is not None and client.isConnected:
                    await self._kick(client.url, f"{topic.key} was not answered")
        for url, client in list(exchange.clients.items()):
            if getattr(client, "is_market", False) and self._silence.grew(url, client.last_text_at, elapsed_s):
                await self._kick(url, "silent for too long")

    async def drop(self, instrument_id: str, kind: TopicKind, cause: str) -> None:
        """Drop the connection of a topic, which comes back by itself."""
        for topic in self.of(instrument_id):
            client = self._client_of(topic)
            if topic.kind is kind and client is not None:
                await self._kick(client.url, f"{topic.key}: {cause}")

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _run(self, topic: Topic) -> None:
        while topic.wanted:
            while not self.breaker.allows():
                await self._session.wait_s(_WAIT_FOR_BREAKER_S)
            try:
                await self._watch(topic)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    self._end_trial()
                    raise
                await self._lose(topic, "the connection was closed")
            except ccxt.UnsubscribeError:
                topic.up.clear()
            except ccxt.ChecksumError as error:
                self._interrupt(topic, str(error), gap=True)
            except _WRONG as error:
                self._give_up(topic, str(error))
                return
            except _RAISED as error:
                self._obey(error)
                await self._lose(topic, f"{type(error).__name__}: {error}")

    async def _watch(self, topic: Topic) -> None:
        exchange = self._session.exchange
        if exchange is not self._prepared:
            self._prepared = exchange
            self._prepare(exchange)
        stale = self._client_of(topic)
        if stale is not None:
            del stale.subscriptions[topic.key]  # else ccxt would wait for what nobody asks for
        topic.asked_ns = max(1, self._session.clock.monotonic_ns())
        while topic.wanted:
            item = await _watcher(exchange, topic)
            self._confirm(topic)
            self._listener.on_item(topic, item)

    def _confirm(self, topic: Topic) -> None:
        if not topic.up.is_set():
            topic.up.set()
            topic.settled.set()
            topic.backoff.good(self._session.clock.monotonic_ns())
            self.breaker.succeeded()
            self._listener.on_up(topic)

    def _interrupt(self, topic: Topic, cause: str, *, gap: bool = False) -> None:
        self.restarts += 1
        topic.up.clear()
        self._listener.on_down(topic, cause, gap=gap)

    async def _lose(self, topic: Topic, cause: str) -> None:
        if not topic.wanted:
            return
        now_ns = self._session.clock.monotonic_ns()
        if not topic.up.is_set() and now_ns != self._failed_ns:
            self._failed_ns = now_ns  # the topics of one connection fail together: that is one failure
            self.breaker.failed()
        elif self.breaker.state is BreakerState.HALF_OPEN:
            self.breaker.failed()
        self._interrupt(topic, cause)
        delay_s = topic.backoff.next_delay_s(now_ns)
        logger.bind(account=self._session.account, attempt=topic.backoff.attempt, delay_s=delay_s).warning(
            "stream {} interrupted: {}", topic.key, cause
        )
        await self._session.wait_s(delay_s)

    def _obey(self, error: BaseException) -> None:
        """Dial no more for as long as the venue asked when it refused a handshake; ccxt hands on aiohttp's error.

        The breaker is open for so long, so that REST stands in meanwhile.
        """
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
        self._topics.pop(topic.key, None)
        topic.settled.set()
        self._listener.on_refused(topic, cause)

    async def _unsubscribe(self, topic: Topic) -> None:
        """End the subscription; who wants it again meanwhile gets a new one, which begins anew."""
        try:
            while True:
                if not topic.up.is_set():
                    await _first(topic.up.wait(), self._patience(topic))
                if not topic.up.is_set() or self._client_of(topic) is None:
                    break
                await _first(_unwatcher(self._session.exchange, topic), self._patience(topic))
                if topic.wanted or self._client_of(topic) is None:
                    break
        except _RAISED as error:
            logger.debug("unsubscribing {} failed: {}", topic.key, error)
        finally:
            topic.closing = False
        self._drop_unwanted(topic)

    async def _patience(self, topic: Topic) -> None:
        """Wait for as long as an answer may take, counted from when nothing more of ours waits for its turn to leave."""
        asked_ns, pause_s = self._session.clock.monotonic_ns(), ANSWER_WITHIN_S
        while pause_s > 0:
            await self._session.wait_s(pause_s)
            waited_ns = self._session.clock.monotonic_ns() - max(asked_ns, self._sent_ns(topic))
            pause_s = math.ceil(ANSWER_WITHIN_S * 1e3 - waited_ns / 1e6) / 1e3

    def _sent_ns(self, topic: Topic) -> int:
        """Return when a topic was asked for, or when its connection last sent something, since it may have waited for that."""
        pace = getattr(self._client_of(topic), "pace", None)
        return topic.asked_ns if pace is None else max(topic.asked_ns, pace.last_ns)

    def _drop_unwanted(self, topic: Topic) -> None:
        if not topic.wanted and topic.task is not None:
            topic.task.cancel()
            if self._topics.get(topic.key) is topic:
                del self._topics[topic.key]

    async def _kick(self, url: str, cause: str) -> None:
        self.kicks += 1
        logger.bind(account=self._session.account).warning("connection {} dropped: {}", url, cause)
        await self._session.kick(url, cause)

    def _client_of(self, topic: Topic) -> Any:
        clients = {} if self._prepared is None else self._prepared.clients
        return next((one for one in clients.values() if topic.key in one.subscriptions), None)


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


async def _first(*waits: Any) -> None:
    """Wait for the first of some coroutines; its error is raised, the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


def _watcher(exchange: Any, topic: Topic) -> Any:
    match topic.kind:
        case TopicKind.QUOTE:
            return exchange.watch_bids_asks([topic.unified])
        case TopicKind.TRADE:
            return exchange.watch_trades(topic.unified)
        case TopicKind.BOOK:
            return exchange.watch_order_book(topic.unified)
        case TopicKind.TOTALS:
            return exchange.watch_ticker(topic.unified, {"name": "ticker"})
        case TopicKind.KLINE:
            return exchange.watch_ohlcv(topic.unified, topic.detail, None, None, {})


def _unwatcher(exchange: Any, topic: Topic) -> Any:
    match topic.kind:
        case TopicKind.QUOTE:
            return exchange.un_watch_bids_asks([topic.unified])
        case TopicKind.TRADE:
            return exchange.un_watch_trades(topic.unified)
        case TopicKind.BOOK:
            return exchange.un_watch_order_book(topic.unified)
        case TopicKind.TOTALS:
            return exchange.un_watch_ticker(topic.unified, {"name": "ticker"})
        case TopicKind.KLINE:
            return exchange.un_watch_ohlcv(topic.unified, topic.detail, {})
