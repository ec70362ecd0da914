"""Matching: our book beside lightmatchingengine's, and the whole venue with accounts and fees beside both."""

import time
from collections.abc import Callable
from functools import cache

from tests.benchmark.contestants.matchers import Outcome, Timer, by_book, by_peer, by_venue
from tests.benchmark.contestants.order_flow import Operation, OrderFlow
from tests.benchmark.harness import Row, Sample, peer_or_none

OPERATIONS = 100_000
PEER = "lightmatchingengine"
SAME = (
    "100,000 operations from a fixed seed: 60 % passive limits within 100 steps of the middle, 30 % cancels of resting orders, "
    "10 % marketable limits; about 15,000 orders rest at the end. Every contestant gave the same fills in the same order "
    "and left the same volume in the book, in every round, or the benchmark fails."
)
WHOLE = (
    "The venue beside it does more than the peer: commands, filters, 100 accounts whose money is locked and released, fees, "
    "and a numbered event for every change, all kept."
)

Matcher = Callable[[list[Operation], Timer], Outcome]


@cache
def operations() -> list[Operation]:
    """What all contestants are given."""
    return OrderFlow().take(OPERATIONS)


class Referee:
    """Sees to it that all contestants, in every round, traded the same."""

    def __init__(self) -> None:
        self._known: Outcome | None = None

    def rate(self, matcher: Matcher, timer: Timer) -> float:
        """Let a contestant match everything; return its operations a second."""
        outcome = matcher(operations(), timer)
        known = self._known = self._known or outcome
        assert outcome.fills == known.fills, f"{matcher.__name__} traded otherwise"
        assert outcome.resting == known.resting, f"{matcher.__name__} left {outcome.resting}, not {known.resting}"
        return OPERATIONS / outcome.seconds


def rows() -> list[Row]:
    """The rows of this benchmark."""
    referee = Referee()

    def peer(timer: Timer) -> Sample:
        import lightmatchingengine.lightmatchingengine  # noqa: F401  # is it there?

        return lambda: referee.rate(by_peer, timer)

    def row(name: str, ours: Matcher, timer: Timer, **more: object) -> Row:
        return Row(
            name=name, unit="operations/s", ours=lambda: referee.rate(ours, timer), peer=peer_or_none(lambda: peer(timer)),
            peer_name=PEER, **more,
        )  # fmt: skip

    wall, processor = time.perf_counter, time.process_time
    return [
        row("order book and matching with reports", by_book, wall, goal=2.5, note=SAME),
        row("the same by processor time", by_book, processor),
        row("whole venue with accounts and fees", by_venue, wall, repeats=3, note=WHOLE),
    ]
