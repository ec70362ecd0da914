"""One market connection takes the place of another, which goes on until the newcomer is live: no gap, nothing told twice.

ccxt knows a connection by its URL. The old one is put aside under a name of its own, so that whatever is watched next dials
anew; each topic gets a second task there, its heir. Once every subscription is confirmed, a question on the old connection is
answered, behind all that it had to say, and the ids of both have met, the heirs become the topics' tasks and the old one is closed.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterable
from itertools import count
from typing import Any, Protocol

from loguru import logger

from foxtrot.adapter.binance.client import kick, kicked
from foxtrot.adapter.binance.overlap import Overlap
from foxtrot.adapter.binance.topic import Topic, first

LIVE_WITHIN_S = 10.0
"""How long a newcomer may say nothing to what it was asked last; it may have to wait for its turn to dial."""
JOIN_WITHIN_S = 1.0
"""How long its ids may be ahead of what was told, once the old connection has said all it had."""
_numbers = count(1)


class Household(Protocol):
    """What a succession is given by the topics it concerns.

    Thread: binance-io.
    """

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run a coroutine."""

    async def wait_s(self, seconds: float) -> None:
        """Wait by the clock."""

    async def patience(self, client: Any, within_s: float) -> None:
        """Wait for as long as a connection may leave something unanswered."""

    def follow(self, topic: Topic) -> "asyncio.Task[None]":
        """Return a new task that streams a topic over the connection it is dialled by now."""

    def interrupt(self, topic: Topic, cause: str) -> None:
        """Tell that a topic is interrupted."""

    def unsubscribe(self, topic: Topic) -> None:
        """End the subscription of a topic that is not wanted any more, at the connection that has its place again."""

    async def listed(self, client: Any) -> "frozenset[str] | None":
        """Ask a connection for its subscriptions; None when it does not answer."""


class Succession:
    """See the module.

    Thread: binance-io.

    Args:
        household: what runs the topics.
        exchange: ccxt's.
        old: the connection to be replaced.
        topics: what it carries.
        missed: those of them that miss something; they are told as interrupted at once, and begin anew.
        overlap: stands in front of the newcomer.
    """

    def __init__(
        self,
        household: Household,
        exchange: Any,
        old: Any,
        topics: Iterable[Topic],
        missed: Collection[Topic],
        overlap: Overlap,
    ) -> None:
        self.newcomer: Any = None
        self.failure = ""
        """Why the newcomer could not be had; the old connection then goes on."""
        self.old_is_gone = False
        self._household = household
        self._exchange = exchange
        self._old = old
        self._url = old.url
        self._topics = list(topics)
        self._missed = missed
        self._overlap = overlap
        self._heirs: dict[Topic, asyncio.Task[None]] = {}
        self._confirmed: set[Topic] = set()
        self._decided = asyncio.Event()
        """Set once the newcomer is live, has failed, or the old connection is gone."""

    # --- the course of it -------------------------------------------------------------------------------------------

    async def run(self, cause: str) -> bool:
        """Replace the connection; False when it could not be, and the old one has its place again.

        Args:
            cause: told of the topics that miss something.
        """
        self._put_aside()
        for topic in self._missed:
            self._household.interrupt(topic, cause)
        try:
            for topic in self._topics:
                self._heirs[topic] = self._household.follow(topic)
            await first(self._decided.wait(), self._household.patience(self.newcomer, LIVE_WITHIN_S))
            if not self._decided.is_set():
                self.failure = "its subscriptions were not answered"
            if not self.failure:
                await self._join()
        except asyncio.CancelledError:
            self._end_heirs()
            raise
        return self._give_back() if self.failure and not self.old_is_gone else self._take_over()

    async def _join(self) -> None:
        """Return when all that the old connection had to say was told, and the newcomer's ids join it, or do not in time."""
        if self.old_is_gone or self._missed_all() or await self._household.listed(self._old) is None:
            return
        if self._overlap.waits:
            await self._household.wait_s(JOIN_WITHIN_S)

    def _missed_all(self) -> bool:
        return len(self._missed) == len(self._topics)

    def _put_aside(self) -> None:
        clients, old = self._exchange.clients, self._old
        old.url = f"{self._url}#{next(_numbers)}"
        old.leaving = True
        clients[old.url] = clients.pop(self._url)
        self.newcomer = self._exchange.client(self._url)
        self._exchange.aside = {self._url: self._for_caller}
        self.newcomer.hooks = self._overlap

    def _for_caller(self) -> Any:
        """Return the old connection to a task that has its topic there and goes on with it; None to everybody else."""
        task = asyncio.current_task()
        stays = any(topic.task is task and topic not in self._missed for topic in self._heirs)
        return self._old if stays and not self.old_is_gone and not self._old.closed() else None

    def _take_over(self) -> bool:
        self._exchange.aside = None
        for topic in list(self._heirs):
            self._promote(topic)
        self._open()
        self._household.spawn(
            kick(self._exchange, self._old.url, kicked("another has taken its place")), "end of a connection"
        )
        return True

    def _give_back(self) -> bool:
        clients, old = self._exchange.clients, self._old
        self._exchange.aside = None
        self._end_heirs()
        newcomer = clients.pop(self._url, None)
        if newcomer is not None:
            parked = f"{self._url}#{next(_numbers)}"
            newcomer.url, clients[parked] = parked, newcomer
            self._household.spawn(kick(self._exchange, parked, kicked(self.failure)), "end of a newcomer")
        if clients.pop(old.url, None) is not None:
            old.url, old.leaving = self._url, False
            clients[self._url] = old
            for topic in self._topics:
                if not topic.wanted:
                    self._household.unsubscribe(topic)
        logger.warning("no other connection could be had in place of {}: {}", self._url, self.failure)
        return False

    def _open(self) -> None:
        if self.newcomer is not None:
            self.newcomer.hooks = None
        self._overlap.open()

    def _end_heirs(self) -> None:
        heirs, self._heirs = self._heirs, {}
        for heir in heirs.values():
            heir.cancel()

    # --- what is heard meanwhile ------------------------------------------------------------------------------------

    def confirm(self, topic: Topic) -> None:
        """Hear that the newcomer's subscription of a topic is confirmed."""
        self._confirmed.add(topic)
        self._look()

    def passes_on(self, topic: Topic, cause: str) -> bool:
        """Hear that a topic's stream failed; True when the task that had it is to end, because the other one goes on."""
        heir, is_heir = self._heirs.get(topic), self._heirs.get(topic) is asyncio.current_task()
        if heir is None or (not is_heir and self.failure):
            return False
        self._decided.set()
        if is_heir and not self.old_is_gone:
            self.failure = self.failure or cause
            return True
        self.old_is_gone = True
        self._promote(topic)
        if is_heir:
            return False
        if topic not in self._confirmed and topic.up.is_set():
            self._household.interrupt(topic, cause)
        return True

    def abandon(self) -> None:
        """End every heir: the link is lost."""
        self._end_heirs()

    def is_moving(self, topic: Topic) -> bool:
        """Tell whether a topic has tasks over both connections."""
        return topic in self._heirs

    def forget(self, topic: Topic) -> None:
        """Hear that a topic is not wanted any more."""
        heir = self._heirs.pop(topic, None)
        if heir is not None:
            heir.cancel()
        self._look()

    def _look(self) -> None:
        if all(topic in self._confirmed or not topic.wanted for topic in self._heirs):
            self._decided.set()

    def _promote(self, topic: Topic) -> None:
        heir, task = self._heirs.pop(topic), topic.task
        topic.task = heir
        if task is not None and task is not asyncio.current_task():
            task.cancel()
