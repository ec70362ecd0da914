"""Local order books from raw frames to the best 20 levels, beside ccxt.pro, python-binance and sortedcontainers.

Ours checks ids, counts in units, keeps a state and leaves a frozen view after every message; the peers do none of that. All must
end with the same best levels.
"""

from collections.abc import Callable

from foxtrot.adapter.binance.frame_levels import is_compiled
from foxtrot.books.depth_cache import DepthCache
from tests.benchmark.contestants.depth_books import (
    TOP,
    CcxtBook,
    CcxtLine,
    Compiled,
    Contestant,
    Make,
    Ours,
    PythonBinanceBook,
    SortedBook,
    hand_over,
    keep_many,
    run,
)
from tests.benchmark.contestants.depth_feed import DepthFeed, generated, recorded, renamed
from tests.benchmark.harness import Row, Sample, peer_or_none

FRAMES = 2_000
HANDED = 200
BOOKS = 200
PER_S = 10
SECONDS = 3
REPEATS = 7
CCXT = "ccxt.pro 4.5.90"
NOT_BUILT = "The compiled path was not built here: scripts/setup --compiled"
FROM_BYTES = (
    "Raw bytes of a depthUpdate to the best 20 of both sides, by processor time of the one thread. Generated: 1,000 levels a side, 20 "
    "changes a message. Ours includes units, the check of ids, states, counters and a frozen view; ccxt.pro is orjson and its "
    "handle_order_book_message, which has none of these; its handle_message adds routing and a check of ids."
)
HANDED_OVER = (
    "Making what another thread may keep, and reading it there, processor time of both; ccxt's is OrderBook.copy()."
)
MANY = (
    f"{BOOKS} books at {PER_S} messages a second each, paced, one thread: its processor time of the time on the wall."
)


class Contest:
    """Runs contestants over one feed and insists that all end with the same levels."""

    def __init__(self, feed: DepthFeed) -> None:
        self.feed = feed
        self._top: object = None

    def sample(self, make: Make) -> Sample:
        """A sample of a contestant: µs a message."""
        make(self.feed)  # an ImportError now, where a peer is not installed

        def take() -> float:
            cost_us, top = run(make, self.feed)
            self._top = self._top or top
            assert top == self._top, f"{make} ends with other levels on the {self.feed.name} feed"
            return cost_us

        return take

    def row(
        self, name: str, ours: Make, peer: Make, peer_name: str, *, goal: float | None = None, repeats: int = REPEATS
    ) -> Row:
        """A row of two contestants."""
        return Row(
            name=f"{self.feed.name} frames, {name} beside {peer_name}", unit="µs/message", ours=self.sample(ours),
            peer=peer_or_none(lambda: self.sample(peer)), peer_name=peer_name, repeats=repeats, higher_is_better=False,
            goal=goal, note=FROM_BYTES,
        )  # fmt: skip


def rows(frames: int = FRAMES, repeats: int = REPEATS, books: int = BOOKS, seconds: float = SECONDS) -> list[Row]:
    """All rows; those of the compiled path where it was built."""
    feed, capture = generated(frames), recorded()
    table = _from_bytes(Contest(feed), repeats)
    if capture is not None:
        table += _from_bytes(Contest(capture.first(frames)), repeats)
    table += _handed_over(feed.first(HANDED), repeats)
    table += _many(generated(round(seconds * PER_S)), books, repeats)
    return table


def _from_bytes(contest: Contest, repeats: int) -> list[Row]:
    few = min(repeats, 3)
    table = [
        contest.row("plain", Ours, CcxtBook, CCXT, goal=1.7, repeats=repeats),
        contest.row("plain", Ours, CcxtLine, "ccxt.pro's handle_message", repeats=repeats),
        contest.row("plain", Ours, SortedBook, "sortedcontainers 2.4", repeats=repeats),
        contest.row("plain", Ours, PythonBinanceBook, "python-binance 1.0.37", goal=25.0, repeats=few),
    ]
    if is_compiled():
        table.append(contest.row("compiled", Compiled, CcxtBook, CCXT, goal=5.0, repeats=repeats))
        table.append(contest.row("compiled", Compiled, PythonBinanceBook, "python-binance 1.0.37", repeats=few))
    return table


def _handed_over(feed: DepthFeed, repeats: int) -> list[Row]:
    def sample(make: Make) -> Sample:
        make(feed)
        return lambda: hand_over(make, feed)

    return [
        Row(
            name=f"best {TOP} to another thread, {name}", unit="µs", ours=sample(ours), peer=peer_or_none(lambda: sample(CcxtBook)),
            peer_name=CCXT, repeats=min(repeats, 3), higher_is_better=False, limit=10.0, note=HANDED_OVER,
        )
        for name, ours in _ways()
    ]  # fmt: skip


def _many(feed: DepthFeed, books: int, repeats: int) -> list[Row]:
    feeds = [renamed(feed, f"S{number}USDT") for number in range(books)]

    def peers() -> Sample:
        CcxtBook(feed)
        return lambda: keep_many([CcxtBook(each) for each in feeds], PER_S)

    def ours(make: Callable[[DepthFeed, DepthCache], Contestant]) -> Sample:
        def sample() -> float:
            cache = DepthCache(lambda book: None, TOP)
            return keep_many([make(each, cache) for each in feeds], PER_S)

        return sample

    return [
        Row(
            name=f"{books} books at {PER_S} messages/s, {name}", unit="% of a core", ours=ours(make), peer=peer_or_none(peers),
            peer_name=CCXT, repeats=min(repeats, 3), higher_is_better=False, limit=25.0, note=MANY if is_compiled() else NOT_BUILT,
        )
        for name, make in _ways()
    ]  # fmt: skip


def _ways() -> list[tuple[str, type[Ours]]]:
    return [("plain", Ours), ("compiled", Compiled)] if is_compiled() else [("plain", Ours)]
