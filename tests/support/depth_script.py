"""Scripts of snapshots and depth events as Binance sends them, and how a DepthCache takes them."""

from collections import deque
from typing import Any

import msgspec

from foxtrot.books.cached_book import BookView, CachedBook
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData, Level
from tests.support.instruments import a_spot

INSTRUMENT = a_spot()
Script = dict[str, list[dict[str, Any]]]


def snapshot(update_id: int, bids: list[list[str]]) -> dict[str, Any]:
    """Return the answer of GET /api/v3/depth, with one ask."""
    return {"lastUpdateId": update_id, "bids": bids, "asks": [["10.50", "1.00000000"]]}


def event(first: int, last: int, bids: list[list[str]]) -> dict[str, Any]:
    """Return a depthUpdate event."""
    return {"e": "depthUpdate", "E": last, "s": "BTCUSDT", "U": first, "u": last, "b": bids, "a": []}


STRADDLING: Script = {
    "snapshots": [snapshot(100, [["9.90", "1.00000000"]]), snapshot(110, [["9.90", "1.00000000"]])],
    "events": [event(98, 103, [["10.00", "2.00000000"]])],
}
"""The first event begins before the snapshot and ends after it, which is how the venue says that it begins; the second snapshot is of
when the level that it sets is gone again."""

AFTER_A_GAP: Script = {
    "snapshots": [snapshot(100, [["9.90", "1.00000000"]]), snapshot(110, [["9.90", "1.00000000"]])],
    "events": [event(101, 102, []), event(105, 106, [["10.00", "2.00000000"]])],
}
"""An event is missing, and the one that shows it is older than the snapshot that is asked for then, in which its level is gone again."""


class Played:
    """What a DepthCache made of a script: it answers each wish for a snapshot with the next one, as soon as the event is taken in."""

    def __init__(self, script: Script) -> None:
        self.states: list[BookState] = []
        self.asked = 0
        self._snapshots = deque(script["snapshots"])
        self._wanted: CachedBook | None = None
        self.cache = DepthCache(self._need)
        self.book = self.cache.open(INSTRUMENT, ContiguousIds())
        self.cache.listen(INSTRUMENT.instrument_id, lambda view: self.states.append(view.state))
        self.book.begin()
        self._answer()
        for one in script["events"]:
            self.take(one)

    @property
    def view(self) -> BookView:
        """Return the book as it is."""
        view = self.cache.latest(INSTRUMENT.instrument_id)
        assert view is not None
        return view

    @property
    def best_bid(self) -> float:
        """Return the best bid."""
        return INSTRUMENT.price_grid.to_float(self.view.bids[0][0])

    def take(self, one: dict[str, Any]) -> None:
        """Take in an event, and the snapshot if it makes one needed."""
        time_ns = one["E"] * 10**6
        self.book.apply(
            DepthChange(
                INSTRUMENT.instrument_id,
                time_ns,
                time_ns,
                one["U"],
                one["u"],
                one["U"] - 1,
                _levels(one["b"]),
                _levels(one["a"]),
            )
        )
        self._answer()

    def _need(self, book: CachedBook) -> None:
        self.asked += 1
        self._wanted = book

    def _answer(self) -> None:
        if self._wanted is not None:
            self._wanted = None
            one = self._snapshots.popleft()
            facts = DepthData(
                INSTRUMENT.instrument_id, 0, 0, one["lastUpdateId"], _levels(one["bids"]), _levels(one["asks"])
            )
            assert self.book.load(facts, self.book.generation)


def _levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return msgspec.convert(rows, tuple[Level, ...], strict=False)
