"""How a subscription ends: for good, or to begin anew."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.ccxt.errors import RAISED
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topic import Topic
from foxtrot.adapter.ccxt.venue import Watcher

PATIENCE_S: Final = 5.0
"""How long the answer to an unsubscription may take."""


class Endings:
    """Ends subscriptions.

    Thread: the session's.

    Args:
        session: whose client is asked.
        unwatcher: gives what ends a topic, None where ccxt cannot.
        drop: drops the connection of a topic, with why.
    """

    def __init__(
        self,
        session: CcxtSession,
        unwatcher: Callable[[Topic], Watcher | None],
        drop: Callable[[Topic, str], Awaitable[None]],
    ) -> None:
        self._session = session
        self._unwatcher = unwatcher
        self._drop = drop

    async def renew(self, topic: Topic, cause: str) -> None:
        """End a subscription that is wanted, which makes its watcher subscribe anew; or else drop its connection."""
        try:
            if not await self._unsubscribe(topic):
                await self._drop(topic, cause)
        finally:
            topic.renewing = False

    async def end(self, topic: Topic) -> None:
        """End a subscription that nobody wants, and its watcher."""
        if topic.up.is_set() or topic.asked_ns:
            await self._unsubscribe(topic)
        if topic.task is not None:
            topic.task.cancel()
        if self._session.linked:
            forget_keys(topic, self._session.exchange)

    async def _unsubscribe(self, topic: Topic) -> bool:
        """End a subscription; False when ccxt cannot or the venue does not answer."""
        unwatch = self._unwatcher(topic) if self._session.linked else None
        if unwatch is None:
            return False
        asked = asyncio.ensure_future(unwatch(self._session.exchange, self._session.unified(topic.instrument_id)))
        patience = asyncio.ensure_future(self._session.wait_s(PATIENCE_S))
        try:
            await asyncio.wait((asked, patience), return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                return False
            asked.result()
        except RAISED as error:
            logger.debug("unsubscribing {} failed: {}", topic.name, error)
            return False
        finally:
            asked.cancel()
            patience.cancel()
        return True


def forget_keys(topic: Topic, exchange: Any) -> None:
    """Let ccxt ask again: on the keys it left behind it would wait for what nobody asks for."""
    connection = exchange.clients.get(topic.route.url)
    for key in topic.route.keys if connection is not None else ():
        connection.subscriptions.pop(key, None)
