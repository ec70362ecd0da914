"""What is subscribed at OpenD, kept equal to what is wanted, as far as quota and its minute allow."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from loguru import logger

from foxtrot.adapter.futu.entry import ORDER_BOOK, QUOTE
from foxtrot.domain.errors import AdapterError, ConnectionLost, RequestTimedOut

Key = tuple[str, str]
"""A subscription: Futu's code of the instrument and the kind of data."""
WITH_FIRST_PUSH: Final = frozenset({QUOTE, ORDER_BOOK})
"""What is pushed at once as it is now; past prints and bars are asked for where they are wanted."""
MOST_CODES: Final = 100
"""How many instruments one request names."""
QUOTA: Final = "subscription_quota"
"""The code of the ledger's refusal for want of slots."""


class Quota(Protocol):
    """The slots that subscriptions take; see SubscriptionQuota."""

    def take(self, keys: Sequence[Key]) -> None:
        """Take slots, all or none.

        Raises:
            VenueRejected: there are not enough.
        """
        ...

    def ripe_in_s(self, keys: Sequence[Key]) -> float:
        """Return after how long these may be ended."""
        ...

    def give_back(self, keys: Sequence[Key]) -> None:
        """Free slots."""
        ...


class Asker(Protocol):
    """Who asks OpenD; see Questions."""

    async def subscribe(self, codes: Sequence[str], kinds: Sequence[str], *, first_push: bool) -> None:
        """Subscribe to some kinds of data of some instruments."""
        ...

    async def unsubscribe(self, codes: Sequence[str], kinds: Sequence[str]) -> None:
        """End subscriptions whose minute is over."""
        ...


class Subscriptions:
    """The subscriptions of one connection.

    Thread: futu-io.

    Args:
        questions: asks OpenD.
        quota: counts slots.
        refuse: hears of a key that cannot be had, and why.
    """

    def __init__(self, questions: Asker, quota: Quota, refuse: Callable[[Key, AdapterError], None]) -> None:
        self.held: set[Key] = set()
        """What OpenD has of this connection."""
        self._questions = questions
        self._quota = quota
        self._refuse = refuse
        self._wanted: dict[Key, None] = {}
        self._borrowed: Counter[Key] = Counter()
        self._refused: dict[Key, AdapterError] = {}
        self._short: set[Key] = set()
        """What was refused for want of slots alone."""
        self._turn = asyncio.Lock()

    def want(self, code: str, kinds: Iterable[str]) -> None:
        """Set what is wanted of an instrument."""
        for key in [key for key in self._wanted if key[0] == code]:
            del self._wanted[key]
        self._wanted |= dict.fromkeys((code, kind) for kind in kinds)

    def borrow(self, key: Key) -> None:
        """Want a subscription for a question; `give` ends that."""
        self._borrowed[key] += 1

    def give(self, key: Key) -> None:
        """Want it no more for the question."""
        self._borrowed[key] -= 1
        self._borrowed += Counter()  # what is not borrowed any more is not kept

    def forget(self) -> None:
        """Hold nothing: the connection is another one."""
        self._quota.give_back(list(self.held))
        self.held.clear()
        self._refused.clear()
        self._short.clear()

    def drop(self, code: str) -> None:
        """Hold nothing of an instrument any more, so that it is subscribed anew; its slots stay taken."""
        self.held -= {key for key in self.held if key[0] == code}

    def why_not(self, key: Key) -> AdapterError | None:
        """Return why a subscription cannot be had; None when it can, or was not asked for."""
        return self._refused.get(key)

    def lacking(self) -> list[Key]:
        """Return what is wanted and neither held nor refused."""
        return [key for key in (*self._wanted, *self._borrowed) if key not in self.held and key not in self._refused]

    async def bring(self) -> None:
        """Subscribe to everything that is lacking.

        Raises:
            ConnectionLost: the link is gone; the rest is for the next one.
        """
        async with self._turn:
            lacking = self.lacking()
            await self._make_room(lacking)
            for (kinds, first_push, _), codes in _grouped(lacking).items():
                for start in range(0, len(codes), MOST_CODES):
                    await self._subscribe(codes[start : start + MOST_CODES], kinds, first_push=first_push)

    async def sweep(self) -> None:
        """End what nobody wants, each once its minute is over.

        Raises:
            ConnectionLost: the link is gone.
        """
        async with self._turn:
            await self._end([key for key in self._unwanted() if self._quota.ripe_in_s([key]) <= 0.0])

    def _unwanted(self) -> list[Key]:
        return sorted(key for key in self.held if key not in self._wanted and key not in self._borrowed)

    def _forget_short(self) -> None:
        """Let what was refused for want of slots be tried again: there may be room now."""
        for key in self._short:
            self._refused.pop(key, None)
        self._short.clear()

    async def _make_room(self, lacking: Sequence[Key]) -> None:
        """End what nobody wants before slots are taken, so that there are as many as can be."""
        if lacking:
            await self._end([key for key in self._unwanted() if self._quota.ripe_in_s([key]) <= 0.0])

    async def _subscribe(self, codes: Sequence[str], kinds: tuple[str, ...], *, first_push: bool) -> None:
        """Subscribe, in ever smaller parts where OpenD or the quota refuses, until it is known what cannot be had."""
        keys = [(code, kind) for code in codes for kind in kinds]
        try:
            self._quota.take(keys)
            await self._questions.subscribe(codes, kinds, first_push=first_push)
        except ConnectionLost:
            self._quota.give_back(keys)
            raise
        except AdapterError as error:
            self._quota.give_back(keys)
            if isinstance(error, RequestTimedOut) or len(keys) == 1:
                self._note_refused(keys, error)
                return
            for part_codes, part_kinds in _halves(codes, kinds):
                await self._subscribe(part_codes, part_kinds, first_push=first_push)
        else:
            self.held.update(keys)

    def _note_refused(self, keys: Sequence[Key], error: AdapterError) -> None:
        for key in keys:
            self._refused[key] = error
            if error.code == QUOTA:
                self._short.add(key)
            self._refuse(key, error)

    async def _end(self, keys: Sequence[Key]) -> None:
        for kind, codes in _by_kind(keys).items():
            try:
                await self._questions.unsubscribe(codes, (kind,))
            except ConnectionLost:
                raise
            except AdapterError as error:
                logger.warning("{} of {} is still subscribed: {}", kind, ", ".join(codes[:5]), error)
                continue
            ended = [(code, kind) for code in codes]
            self.held.difference_update(ended)
            self._quota.give_back(ended)
            self._forget_short()


def _grouped(keys: Iterable[Key]) -> Mapping[tuple[tuple[str, ...], bool, str], list[str]]:
    """Return the codes by what is to be subscribed of them together: kinds, whether with a first push, and market."""
    kinds_of: dict[tuple[str, bool], list[str]] = {}
    for code, kind in dict.fromkeys(keys):
        kinds_of.setdefault((code, kind in WITH_FIRST_PUSH), []).append(kind)
    grouped: dict[tuple[tuple[str, ...], bool, str], list[str]] = {}
    for (code, first_push), kinds in kinds_of.items():
        grouped.setdefault((tuple(kinds), first_push, code.partition(".")[0]), []).append(code)
    return grouped


def _by_kind(keys: Iterable[Key]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, kind in keys:
        found.setdefault(kind, []).append(code)
    return found


def _halves(codes: Sequence[str], kinds: tuple[str, ...]) -> list[tuple[Sequence[str], tuple[str, ...]]]:
    if len(codes) > 1:
        middle = len(codes) // 2
        return [(codes[:middle], kinds), (codes[middle:], kinds)]
    return [(codes, (kind,)) for kind in kinds]
