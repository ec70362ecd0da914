"""Futu's orders, and its market data from OpenD's socket to a strategy's handler, beside the SDK's own handlers, which make tables of each push.

One OpenD in a process of its own sends the same to both, one after the other.
"""

import atexit
from collections.abc import Callable
from functools import cache
from statistics import quantiles
from typing import TypeVar

from tests.benchmark.contestants.futu_line import Process, Venue, ours, sdk_alone
from tests.benchmark.contestants.futu_orders import ours as orders_ours
from tests.benchmark.contestants.futu_orders import sdk_alone as orders_of_sdk
from tests.benchmark.harness import Row

Kept = TypeVar("Kept", bound=Process)
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


ORDERS = 100
ORDER_LINE = (
    "From send_order to the accepted order in a handler of the event engine; the peer is how long place_order of the SDK takes to return. "
    "One paper order after the other, to the embedded exchange in a process of its own."
)
Run = Callable[[Process, int], list[float]]


@cache
def _venue() -> Venue:
    return _kept(Venue())


@cache
def _exchange() -> Process:
    return _kept(Process("futu_exchange"))


def _kept(process: Kept) -> Kept:
    atexit.register(process.close)
    return process


def rows() -> list[Row]:
    """All rows."""
    return [_row(kind) for kind in NAMES] + [_order_row(label, place) for label, place in (("p50", 49), ("p99", 98))]


def _row(kind: str) -> Row:
    def sample(run: Callable[[Venue, str, int], float]) -> Callable[[], float]:
        return lambda: run(_venue(), kind, PUSHES[kind])

    return Row(
        name=f"Futu {NAMES[kind]}: handled", unit="pushes/s", ours=sample(ours), peer=sample(sdk_alone),
        peer_name=PEER, repeats=REPEATS, goal=FASTER[kind], note=LINE,
    )  # fmt: skip


def _order_row(label: str, place: int) -> Row:
    def sample(run: Run) -> Callable[[], float]:
        return lambda: quantiles(run(_exchange(), ORDERS), n=100)[place]

    return Row(
        name=f"Futu order placed to acknowledged: {label}", unit="ms", ours=sample(orders_ours), peer=sample(orders_of_sdk),
        peer_name="futu-api's place_order", repeats=REPEATS, higher_is_better=False, note=ORDER_LINE,
    )  # fmt: skip
