"""Ends subscriptions at ccxt.pro, where an answer may not come, and the stream may be wanted again before it does."""

from collections.abc import Callable, Coroutine
from typing import Any

from loguru import logger

from foxtrot.adapter.binance.connection_care import ANSWER_WITHIN_S
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.topic import RAISED, Topic, first


class TopicEnd:
    """Unsubscribes topics.

    Thread: binance-io.

    Args:
        session: has ccxt's instance.
        client_of: gives the connection of a topic, or None.
        patience: waits for as long as an answer on a connection may take.
    """

    def __init__(
        self,
        session: BinanceSession,
        client_of: Callable[[Topic], Any],
        patience: Callable[[Any, float], Coroutine[Any, Any, None]],
    ) -> None:
        self._session = session
        self._client_of = client_of
        self._patience = patience

    async def end(self, topic: Topic) -> None:
        """End the subscription of a topic; who wants it again meanwhile gets a new one, which begins anew."""
        try:
            while True:
                if not topic.up.is_set():
                    await first(topic.up.wait(), self._answered(topic))
                if not topic.up.is_set() or self._client_of(topic) is None:
                    break
                await first(topic.unwatch(self._session.exchange), self._answered(topic))
                if topic.wanted or self._client_of(topic) is None:
                    break
        except RAISED as error:
            logger.debug("unsubscribing {} failed: {}", topic.key, error)
        finally:
            topic.closing = False

    async def leave(self, topic: Topic) -> None:
        """Unsubscribe once from what nobody wants."""
        try:
            await first(topic.unwatch(self._session.exchange), self._answered(topic))
        except RAISED as error:
            logger.debug("unsubscribing {} failed: {}", topic.key, error)

    async def _answered(self, topic: Topic) -> None:
        await self._patience(self._client_of(topic), ANSWER_WITHIN_S)
