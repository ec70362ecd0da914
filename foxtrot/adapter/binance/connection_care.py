"""Takes care of the market connections of one account: asks whether they live, and lets others take their place in time."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Protocol

import ccxt
from loguru import logger

from foxtrot.adapter.binance.overlap import Overlap
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.succession import Succession
from foxtrot.adapter.binance.topic import Topic, TopicKind, first
from foxtrot.adapter.connection_counts import ConnectionCounts

ANSWER_WITHIN_S = 5.0
"""How long the answer to a message on a connection may take."""
AGAIN_AFTER_S = 60.0
"""When a planned replacement that failed is tried again."""
_FIRST_QUESTION = 1_000_000_000
"""Ids of our own questions are out of the way of ccxt's, which count from 1."""
_ANY_AGE_NS = -(1 << 62)


class TopicsOf(Protocol):
    """The topics of the connections.

    Thread: binance-io.
    """

    @property
    def exchange(self) -> Any:
        """Return ccxt's instance, or None."""

    def carried_by(self, client: Any) -> list[Topic]:
        """Return the wanted topics of a connection."""

    def follow(self, topic: Topic) -> "asyncio.Task[None]":
        """Return a new task that streams a topic."""

    def interrupt(self, topic: Topic, cause: str) -> None:
        """Tell that a topic is interrupted."""

    def unsubscribe(self, topic: Topic) -> None:
        """End the subscription of a topic that is not wanted any more."""

    async def kick(self, url: str, cause: str) -> None:
        """Drop a connection."""

    async def patience(self, client: Any, within_s: float) -> None:
        """Wait for as long as an answer may take."""


class ConnectionCare:
    """See the module.

    Thread: binance-io.

    Args:
        topics: what the connections carry.
        session: who spawns and waits.
    """

    def __init__(self, topics: TopicsOf, session: BinanceSession) -> None:
        self.make_overlap: Callable[[Any], Overlap] | None = None
        """Makes what stands in front of a newcomer; without it a connection is dropped and comes back."""
        settings, health = getattr(session, "settings", None), getattr(session, "health", None)
        self.rotate_after_s: float = 0.0 if settings is None else settings.rotate_hours * 3600.0
        """How old a connection may grow before another takes its place; 0 is any age."""
        self.counts: ConnectionCounts = ConnectionCounts() if health is None else health.connections
        self._topics = topics
        self._session = session
        self._move: Succession | None = None
        self._mover: asyncio.Task[Any] | None = None
        self._not_before_ns = 0
        self._questions: dict[str, asyncio.Future[Any]] = {}

    # --- questions --------------------------------------------------------------------------------------------------

    async def listed(self, client: Any) -> frozenset[str] | None:
        """Ask a connection which streams it brings; None when it does not answer.

        Source: Binance spot API, web-socket-streams, Listing Subscriptions; USDⓈ-M Futures, Live Subscribing/Unsubscribing.
        """
        number = _FIRST_QUESTION + self.counts.probes
        self.counts.probes += 1
        answer = self._questions[str(number)] = asyncio.get_running_loop().create_future()
        try:
            await first(self._ask(client, number, answer), self._topics.patience(client, ANSWER_WITHIN_S))
        except (OSError, ccxt.BaseError) as error:
            logger.debug("{} cannot be asked: {}", client.url, error)
        finally:
            self._questions.pop(str(number), None)
        if not answer.done() or answer.cancelled():
            self.counts.failed_probes += 1
            return None
        said = answer.result()
        return frozenset(map(str, said)) if isinstance(said, list) else frozenset()

    async def ask_silent(self, client: Any) -> None:
        """Replace a connection that has been silent for long if it does not answer."""
        if await self.listed(client) is None:
            await self.replace(client, "it is silent and answers nothing", self._topics.carried_by(client))

    def hear_answer(self, number: str, message: Mapping[str, Any]) -> bool:
        """Take an answer; False when it is to none of our questions."""
        answer = self._questions.pop(number, None)
        if answer is not None and not answer.done():
            answer.set_result(message.get("result"))
        return answer is not None

    async def _ask(self, client: Any, number: int, answer: "asyncio.Future[Any]") -> None:
        await client.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
        await answer

    # --- replacement ------------------------------------------------------------------------------------------------

    async def replace(self, client: Any, cause: str, missed: Collection[Topic] = (), *, planned: bool = False) -> None:
        """Let another connection take the place of one, which goes on until that is live; one at a time.

        Args:
            client: ccxt's, of the connection.
            cause: why.
            missed: its topics that miss something; they are told as interrupted and begin anew.
            planned: whether it is replaced for its age.
        """
        exchange, url = self._topics.exchange, client.url
        if self._move is not None or exchange is None or exchange.clients.get(url) is not client:
            return
        carried = self._topics.carried_by(client)
        if self.make_overlap is None or not carried or not client.isConnected:
            await self._topics.kick(url, cause)
            return
        overlap = self._overlap(self.make_overlap(exchange), carried, missed)
        logger.bind(account=self._session.account).info("connection {} is replaced: {}", url, cause)
        if await self._succeed(Succession(self, exchange, client, carried, missed, overlap), cause):
            self.counts.rotations += planned
            self.counts.replacements += not planned
            return
        self.counts.failed_replacements += 1
        self._not_before_ns = self._session.clock.monotonic_ns() + int(AGAIN_AFTER_S * 1e9)
        if missed and exchange is self._topics.exchange:
            await self._topics.kick(client.url, cause)

    def rotate(self) -> None:
        """Begin to replace a connection that is old, if there is one."""
        now_ns, exchange = self._session.clock.monotonic_ns(), self._topics.exchange
        if self._move is not None or exchange is None or now_ns < self._not_before_ns:
            return
        oldest_ns = now_ns - int(self.rotate_after_s * 1e9) if self.rotate_after_s else _ANY_AGE_NS
        for client in exchange.clients.values():
            if is_present(client) and client.isConnected and client.made_ns <= oldest_ns:
                self._session.spawn(self.replace(client, "it is old", planned=True), "end of an old connection")
                return

    def hear_leaving(self, client: Any) -> None:
        """Hear that the venue is about to close a connection: it is replaced as if it were old."""
        client.made_ns = _ANY_AGE_NS
        self._not_before_ns = 0
        self.rotate()

    def stop(self) -> None:
        """Replace nothing any more: the link is lost."""
        if self._move is not None:
            self._move.abandon()
            self._move = None
        if self._mover is not None:
            self._mover.cancel()
            self._mover = None

    async def _succeed(self, move: Succession, cause: str) -> bool:
        self._move, self._mover = move, asyncio.current_task()
        try:
            return await move.run(cause)
        finally:
            if self._move is move:
                self._move = self._mover = None

    def _overlap(self, overlap: Overlap, carried: list[Topic], missed: Collection[Topic]) -> Overlap:
        for topic in carried:
            symbol = self._symbol(topic)
            syncing = topic.kind is TopicKind.BOOK and overlap.begins_anew(symbol)
            if topic in missed or syncing or not topic.up.is_set():
                overlap.fresh.add((topic.kind, symbol))
        return overlap

    # --- what topics tell of a replacement --------------------------------------------------------------------------

    def hear_confirmed(self, topic: Topic, client: Any) -> bool:
        """Hear that a subscription is confirmed; True where it is a newcomer's of a topic that goes on."""
        if self._move is None or client is not self._move.newcomer:
            return False
        self._move.confirm(topic)
        is_fresh = client.hooks is not None and (topic.kind, self._symbol(topic)) in client.hooks.fresh
        return topic.up.is_set() and not is_fresh

    def holds_back(self, client: Any, message: Mapping[str, Any]) -> bool:
        """Tell whether a message is a newcomer's, and told later if at all; asked where there is no hot path."""
        hooks = getattr(client, "hooks", None)
        return isinstance(hooks, Overlap) and hooks.holds(client, message)

    def passes_on(self, topic: Topic, cause: str) -> bool:
        """Hear that a task of a topic failed; True when it is to end, because another goes on."""
        return self._move is not None and self._move.passes_on(topic, cause)

    def is_moving(self, topic: Topic) -> bool:
        """Tell whether a topic has tasks over two connections now."""
        return self._move is not None and self._move.is_moving(topic)

    def forget(self, topic: Topic) -> None:
        """Hear that a topic is not wanted any more."""
        if self._move is not None:
            self._move.forget(topic)

    def _symbol(self, topic: Topic) -> str:
        return self._session.market_symbol(topic.instrument_id)

    # --- what a replacement is given --------------------------------------------------------------------------------

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run a coroutine until it ends or the session closes."""
        return self._session.spawn(coroutine, name)

    async def wait_s(self, seconds: float) -> None:
        """Wait by the clock."""
        await self._session.wait_s(seconds)

    async def patience(self, client: Any, within_s: float) -> None:
        """Wait for as long as an answer may take."""
        await self._topics.patience(client, within_s)

    def follow(self, topic: Topic) -> "asyncio.Task[None]":
        """Return a new task that streams a topic."""
        return self._topics.follow(topic)

    def interrupt(self, topic: Topic, cause: str) -> None:
        """Tell that a topic is interrupted."""
        self._topics.interrupt(topic, cause)

    def unsubscribe(self, topic: Topic) -> None:
        """End the subscription of a topic that is not wanted any more."""
        self._topics.unsubscribe(topic)


def is_present(client: Any) -> bool:
    """Tell whether a connection carries market data and is not being replaced."""
    return bool(client.is_market) and not client.leaving


def last_sent_ns(client: Any) -> int:
    """Return when a connection last sent something; 0 where it keeps to no pace, or there is none."""
    pace = getattr(client, "pace", None)
    return 0 if pace is None else int(pace.last_ns)
