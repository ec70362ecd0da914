"""IB's depth from TWS's socket to a strategy's handler, and orders to their first status, beside bare ibapi in the same process.

One TWS in a process of its own sends the same to both, one after the other.
"""

import atexit
from collections.abc import Callable
from functools import cache
from statistics import quantiles
from typing import TypeVar

from loguru import logger

from tests.benchmark.contestants.futu_line import Process
from tests.benchmark.contestants.ib_line import Venue, ibapi_alone, ours
from tests.benchmark.contestants.ib_orders import ibapi_alone as orders_of_ibapi
from tests.benchmark.contestants.ib_orders import ours as orders_ours
from tests.benchmark.harness import Row

Kept = TypeVar("Kept", bound=Process)
REPEATS = 5
ROWS = 20_000
ORDERS = 100
LEAST_SHARE = 0.5
MOST_MS_MORE = 1.0
PEER = "bare ibapi"
LINE = (
    "TWS's socket to handler, ten rows a side: ours through the book and the event engine's thread, with a fact of the whole book for every row "
    "(facts that an engine that is behind puts together are counted once); the peer is an empty callback of ibapi's own classes with its own "
    "socket. TWS is another process on the same two processors and has made all frames before it sends the first."
)
ORDER_LINE = (
    "From send_order to the accepted order in a handler of the event engine; the peer is from placeOrder to the first orderStatus. One order "
    "after the other, to the embedded exchange in a process of its own."
)
Run = Callable[[Process, int], list[float]]


@cache
def _venue() -> Venue:
    return _kept(Venue())


@cache
def _exchange() -> Process:
    return _kept(Process("ib_exchange"))


def _kept(process: Kept) -> Kept:
    atexit.register(process.close)
    return process


def rows() -> list[Row]:
    """All rows."""
    logger.disable("foxtrot")  # no line of ours on a terminal while we are timed
    depth = Row(
        name="IB rows of depth: handled", unit="rows/s", ours=lambda: ours(_venue(), ROWS), peer=lambda: ibapi_alone(_venue(), ROWS),
        peer_name=PEER, repeats=REPEATS, goal=LEAST_SHARE, note=LINE,
    )  # fmt: skip
    return [depth, *[_order_row(label, place) for label, place in (("p50", 49), ("p99", 98))], _more_row()]


def _order_row(label: str, place: int) -> Row:
    def sample(run: Run) -> Callable[[], float]:
        return lambda: quantiles(run(_exchange(), ORDERS), n=100)[place]

    return Row(
        name=f"IB order placed to first status: {label}", unit="ms", ours=sample(orders_ours), peer=sample(orders_of_ibapi),
        peer_name=PEER, repeats=REPEATS, higher_is_better=False, note=ORDER_LINE,
    )  # fmt: skip


def _more_row() -> Row:
    def more_ms() -> float:
        bare, ours_ms = orders_of_ibapi(_exchange(), ORDERS), orders_ours(_exchange(), ORDERS)
        return quantiles(ours_ms, n=100)[49] - quantiles(bare, n=100)[49]

    return Row(
        name="IB order placed to first status: p50 above bare ibapi's", unit="ms", ours=more_ms, repeats=REPEATS, higher_is_better=False,
        limit=MOST_MS_MORE, note=ORDER_LINE,
    )  # fmt: skip
