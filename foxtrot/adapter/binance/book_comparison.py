"""Our book and ccxt's of the same stream, level by level at the same id."""

from itertools import zip_longest
from typing import Any, Final

import msgspec

from foxtrot.adapter.book_stream import BookStream
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.market import Level

COMPARED_LEVELS: Final = 100


class Difference(msgspec.Struct, frozen=True):
    """The first level a side, best first and counted from 1, that two books have otherwise; None where one has none."""

    update_id: int
    side: Side
    level: int
    ours: Level | None
    theirs: Level | None

    def __str__(self) -> str:
        return f"at id {self.update_id}, {self.side} level {self.level}: ours {self.ours}, ccxt's {self.theirs}"


class BookComparison:
    """Counts what was compared of one instrument, and what differed.

    Thread: binance-io.
    """

    def __init__(self) -> None:
        self.compared = 0
        self.differences = 0

    def compare(self, book: BookStream, theirs: Any) -> Difference | None:
        """Compare our book with ccxt's where both are at the same id and ours is LIVE; only as deep as ours is known."""
        if book.state is not BookState.LIVE or theirs["nonce"] != book.update_id:
            return None
        self.compared += 1
        ours = book.book.depth(COMPARED_LEVELS)
        for side, mine, his in ((Side.BUY, ours.bids, theirs["bids"]), (Side.SELL, ours.asks, theirs["asks"])):
            place = _first_difference(mine, [(row[0], row[1]) for row in his[:COMPARED_LEVELS]])
            if place is None:
                continue
            found = Difference(book.update_id, side, place[0], place[1], place[2])
            if _is_known(book, found):
                self.differences += 1
                return found
        return None


def _first_difference(ours: tuple[Level, ...], theirs: list[Level]) -> tuple[int, Level | None, Level | None] | None:
    for level, (mine, his) in enumerate(zip_longest(ours, theirs), 1):
        if mine != his:
            return level, mine, his
    return None


def _is_known(book: BookStream, found: Difference) -> bool:
    """Tell whether a difference lies where our book is known entirely; beyond that either may lack levels."""
    to_units = book.book.instrument.price_grid.from_float
    return all(
        book.book.knows(found.side, to_units(level[0])) for level in (found.ours, found.theirs) if level is not None
    )
