"""Binance's market data from the venue's socket to a strategy's handler, beside ccxt.pro alone with an awaiting task.

One venue in a process of its own sends the same to all: ours with the hot path (raw frames decoded before ccxt sees them), ours
without it (facts made of what ccxt returns), and ccxt alone, whose task awaits and does nothing.
"""

import atexit
from collections.abc import Callable
from statistics import quantiles

from tests.benchmark.contestants.binance_line import Result, Venue, ccxt_alone, ours, polled
from tests.benchmark.harness import Row, Sample

REPEATS = 3
FRAMES = {"trade": 20_000, "bookTicker": 20_000, "depth": 5_000}
FASTER = {"trade": 4.0, "bookTicker": 4.0, "depth": 1.5}
NAMES = {"trade": "trades", "bookTicker": "bookTicker", "depth": "depth 10+10"}
PACE = 5_000
PACED = 10_000
PEER = "ccxt.pro alone"
LINE = (
    "Venue's socket to handler through the event engine's thread; the peer is ccxt.pro in the same process with a task that "
    "awaits and hands on nothing. Each turn runs hot path, slow path and peer once, in turn. Processor time is of the whole "
    "client process, engine's thread included. Ticks and depth are conflated to what arrived together, by both."
)
AGES = "Age of a fact in the handler by the venue's time of sending; the venue is another process on the same two processors."


class Contest:
    """Runs hot path, slow path and peer once a turn, so that several rows can show figures of the same runs."""

    def __init__(self, venue: Callable[[], Venue], stream: str) -> None:
        self.results: dict[str, list[Result]] = {"hot": [], "off": [], "peer": []}
        self._venue = venue
        self._stream = stream

    def figure(self, who: str, read: Callable[[Result], float]) -> Sample:
        """A sample that shows a figure of the next turn that it has not shown."""
        shown = iter(range(REPEATS))

        def sample() -> float:
            turn = next(shown)
            while len(self.results[who]) <= turn:
                self._turn()
            return read(self.results[who][turn])

        return sample

    def _turn(self) -> None:
        venue, stream, count = self._venue(), self._stream, FRAMES[self._stream]
        self.results["hot"].append(ours(venue, stream, count, hot=True))
        self.results["off"].append(ours(venue, stream, count, hot=False))
        self.results["peer"].append(ccxt_alone(venue, stream, count))


class Pace(Contest):
    """Runs at a pace that all can take, for latencies."""

    def _turn(self) -> None:
        venue, stream = self._venue(), self._stream
        self.results["hot"].append(ours(venue, stream, PACED, hot=True, rate=PACE))
        self.results["peer"].append(ccxt_alone(venue, stream, PACED, rate=PACE))


def rows() -> list[Row]:
    """All rows."""
    started: list[Venue] = []

    def venue() -> Venue:
        if not started:
            started.append(Venue())
            atexit.register(started[0].close)
        return started[0]

    table: list[Row] = []
    for stream, name in NAMES.items():
        table += _of_stream(Contest(venue, stream), stream, name)
    for stream in ("trade", "depth"):
        table += _at_a_pace(Pace(venue, stream), NAMES[stream])
    ages: list[list[float]] = []

    def rest(read: Callable[[list[float]], float]) -> Sample:
        def sample() -> float:
            if not ages:
                ages.append(polled(venue(), seconds=6))
            return read(ages[0])

        return sample

    for label, read in (("p50", _p50), ("p99", _p99)):
        table.append(
            Row(
                name=f"Binance prints by REST polling at 1 s: age {label}", unit="ms", ours=rest(read), repeats=1,
                higher_is_better=False, note=AGES,
            )
        )  # fmt: skip
    return table


def _of_stream(contest: Contest, stream: str, name: str) -> list[Row]:
    def row(what: str, unit: str, who: str, read: Callable[[Result], float], goal: float, *, higher: bool) -> Row:
        return Row(
            name=f"Binance {name}: {what}", unit=unit, ours=contest.figure(who, read), peer=contest.figure("peer", read),
            peer_name=PEER, repeats=REPEATS, higher_is_better=higher, goal=goal, note=LINE,
        )  # fmt: skip

    return [
        row("processor per message, hot path", "µs", "hot", _cpu, 1.0, higher=False),
        row("processor per message, without it", "µs", "off", _cpu, 0.5, higher=False),
        row("handled, hot path", "messages/s", "hot", _rate, FASTER[stream], higher=True),
        row("handled, without it", "messages/s", "off", _rate, 0.5, higher=True),
    ]


def _at_a_pace(contest: Contest, name: str) -> list[Row]:
    def row(label: str, read: Callable[[list[float]], float]) -> Row:
        def age(result: Result) -> float:
            return read(result.latencies_ms)

        return Row(
            name=f"Binance {name} at {PACE:,}/s: age {label}", unit="ms", ours=contest.figure("hot", age),
            peer=contest.figure("peer", age), peer_name=PEER, repeats=REPEATS, higher_is_better=False, note=AGES,
        )  # fmt: skip

    return [row("p50", _p50), row("p99", _p99)]


def _cpu(result: Result) -> float:
    return result.cpu_us


def _rate(result: Result) -> float:
    return result.per_s


def _p50(ages: list[float]) -> float:
    return quantiles(ages, n=100)[49]


def _p99(ages: list[float]) -> float:
    return quantiles(ages, n=100)[98]
