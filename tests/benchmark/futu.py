"""Futu's market data from OpenD's socket to a strategy's handler, beside the SDK's own handlers, which make tables of each push.

One OpenD in a process of its own sends the same to both, one after the other.
"""

import atexit
from collections.abc import Callable
from functools import cache

from tests.benchmark.contestants.futu_line import Venue, ours, sdk_alone
from tests.benchmark.harness import Row

REPEATS = 3
PUSHES = {"ticker": 4_000, "book": 20_000}
FASTER = {"ticker": 5.0, "book": 1.4}
NAMES = {"ticker": "ticker pushes", "book": "order-book pushes, 10 levels a side"}
PEER = "futu-api's handlers"
LINE = (
    "OpenD's socket to handler: ours through raw protobuf, facts and the event engine's thread; the peer is a handler of the SDK's own "
    "class, called on the SDK's thread with its table, in the same process with the same log levels. OpenD is another process on the "
    "same two processors and has made all frames before it sends the first."
)


@cache
def _venue() -> Venue:
    venue = Venue()
    atexit.register(venue.close)
    return venue


def rows() -> list[Row]:
    """All rows."""
    return [_row(kind) for kind in NAMES]


def _row(kind: str) -> Row:
    def sample(run: Callable[[Venue, str, int], float]) -> Callable[[], float]:
        return lambda: run(_venue(), kind, PUSHES[kind])

    return Row(
        name=f"Futu {NAMES[kind]}: handled", unit="pushes/s", ours=sample(ours), peer=sample(sdk_alone),
        peer_name=PEER, repeats=REPEATS, goal=FASTER[kind], note=LINE,
    )  # fmt: skip
