"""What stands between a venue and a book: a connection that loses, repeats, reorders and cuts, and a desk that answers for snapshots."""

from collections.abc import Callable
from random import Random

import msgspec

from foxtrot.domain.market import DepthChange, DepthData
from tests.support.book_venue import MS_NS

Item = DepthChange | DepthData
ASK_EVERY_NS = 200 * MS_NS
"""The venue's rate limit on snapshots."""
GIVE_UP_NS = 500 * MS_NS
"""After so long without an answer the request is repeated."""


class BadLink:
    """A connection: while it is `bad` messages are lost, come twice, late, in another order or cut off.

    Args:
        random: what goes wrong and when.
        corrupts: whether a change may come with a level missing, too, which its ids do not show.
        loses: whether other things go wrong.
    """

    def __init__(self, random: Random, *, corrupts: bool = False, loses: bool = True) -> None:
        self.bad = True
        self.held: list[Item] = []
        self._random = random
        self._corrupts = corrupts
        self._loses = loses
        self._losing = 0

    def send(self, item: Item) -> list[Item]:
        """Return what comes out at the other end when an item goes in."""
        if not self.bad:
            out, self.held = [*self.held, item], []
            return out
        self._losing -= self._losing > 0
        luck = self._random.random() if self._loses else self._random.uniform(0.04, 0.3)
        if luck < 0.003:
            self._losing = self._random.randrange(2, 20)
        if self._losing or luck < 0.02:
            return self._half(item) if luck < 0.01 else []
        if luck < 0.04:
            self.held.append(item)
            return []
        if luck < 0.06 and self._corrupts and isinstance(item, DepthChange):
            return [self._corrupted(item)]
        out, self.held = [item, *self.held], []
        return [*out, item] if luck > 0.97 else out

    def drop(self) -> None:
        """Lose what is under way."""
        self.held = []
        self._losing = 0

    def _half(self, item: Item) -> list[Item]:
        """Send half of a frame: whoever decodes it refuses it."""
        text = msgspec.json.encode(item)
        try:
            return [msgspec.json.decode(text[: self._random.randrange(len(text))], type=type(item))]
        except msgspec.DecodeError:
            return []

    def _corrupted(self, change: DepthChange) -> DepthChange:
        if change.bids:
            return msgspec.structs.replace(change, bids=change.bids[1:])
        return msgspec.structs.replace(change, asks=change.asks[1:])


class Request(msgspec.Struct):
    """A snapshot that was asked for."""

    generation: int
    due_ns: int


class SnapshotDesk:
    """Asks for snapshots as an adapter does: within the rate limit, again when refused or not answered.

    Args:
        random: how long it takes, and what goes wrong while the link is bad.
        link: whether it is bad.
        answer: gives the snapshot: by a request's generation and how many events old it is; False when it was refused.
    """

    def __init__(self, random: Random, link: BadLink, answer: Callable[[int, int], bool]) -> None:
        self._random = random
        self._link = link
        self._answer = answer
        self._requests: list[Request] = []
        self._last_ns = 0
        self.generation = 0
        self.asked = 0

    def ask(self, generation: int, now_ns: int) -> None:
        """Begin a request."""
        starts = max(now_ns, self._last_ns + ASK_EVERY_NS)
        self._last_ns = starts
        self.generation = generation
        self.asked += 1
        slow = self._link.bad and self._random.random() < 0.1
        self._requests.append(Request(generation, starts + self._random.randrange(20, 1_500 if slow else 250) * MS_NS))
        if self._link.bad and self._random.random() < 0.05:  # a client that asks twice
            self._requests.append(Request(generation, starts + self._random.randrange(20, 900) * MS_NS))

    def tick(self, now_ns: int, wanted: int | None) -> None:
        """Answer what is due; `wanted` is the generation that still has no book, None when it has one."""
        due = [request for request in self._requests if request.due_ns <= now_ns]
        self._requests = [request for request in self._requests if request.due_ns > now_ns]
        for request in due:
            lost = self._link.bad and self._random.random() < 0.1
            if not lost and self._answer(request.generation, self._age()):
                wanted = None
        if wanted is not None and not any(request.generation == wanted for request in self._requests):
            late = now_ns - self._last_ns > GIVE_UP_NS
            if due or late:
                self.ask(wanted, now_ns)

    def _age(self) -> int:
        """How many events old a snapshot is when it comes: some, and many where a cache gives a stale one."""
        stale = self._link.bad and self._random.random() < 0.2
        return self._random.randrange(5, 40) if stale else self._random.randrange(5)
