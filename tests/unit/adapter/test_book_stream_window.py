"""What those who follow changes hear of a venue that tells of its best levels only, or that counts on from a lower id."""

from typing import Any

from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.sequence import NonceChain
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData, Level
from tests.support.instruments import a_spot

INSTRUMENT = a_spot()
NAME = INSTRUMENT.instrument_id
WINDOW = 2


class Follower:
    """Keeps a book of what it is told alone: a depth is the whole book, a change sets levels."""

    def __init__(self) -> None:
        self.sides: tuple[dict[float, float], dict[float, float]] = ({}, {})
        self.update_id = 0

    def on_depth(self, depth: DepthData) -> None:
        """Begin anew."""
        self.sides, self.update_id = (dict(depth.bids), dict(depth.asks)), depth.update_id

    def on_depth_change(self, change: DepthChange) -> None:
        """Go on."""
        assert change.previous_update_id == self.update_id
        self.update_id = change.last_update_id
        for side, levels in zip(self.sides, (change.bids, change.asks), strict=True):
            for price, size in levels:
                side.pop(price, None) if size == 0.0 else side.__setitem__(price, size)

    def on_book_state(self, _instrument_id: str, _state: BookState, _cause: str = "") -> None:
        """Hear nothing."""


def a_stream(follower: Any) -> BookStream:
    """Return a stream of two levels a side, followed from its snapshot on."""
    stream = BookStream(INSTRUMENT, NonceChain(), follower, lambda: None, window=WINDOW)
    stream.want(0, changes=True)
    stream.begin()
    stream.replace(DepthData(NAME, 1, 1, 10, ((100.0, 1.0), (99.0, 1.0)), ((101.0, 1.0), (102.0, 1.0))))
    stream.publish()
    return stream


def change(before: int, last: int, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> DepthChange:
    """Return a change that names the one before."""
    return DepthChange(NAME, last, last, before + 1, last, before, bids, asks)


def truth(stream: BookStream) -> tuple[dict[float, float], dict[float, float]]:
    """Return the levels of the book."""
    depth = stream.book.depth(10)
    return dict(depth.bids), dict(depth.asks)


def test_what_falls_out_of_the_window_is_told_as_removed() -> None:
    """The venue says nothing of it any more, so that it would stay with those who follow."""
    follower = Follower()
    stream = a_stream(follower)
    stream.take(change(10, 11, bids=((100.5, 2.0),), asks=((100.9, 2.0),)))
    assert follower.sides == truth(stream) == ({100.5: 2.0, 100.0: 1.0}, {100.9: 2.0, 101.0: 1.0})


def test_a_level_that_comes_and_falls_out_at_once_is_not_there() -> None:
    """It was worse than the whole window."""
    follower = Follower()
    stream = a_stream(follower)
    stream.take(change(10, 11, bids=((98.0, 2.0),)))
    assert follower.sides == truth(stream)
    stream.take(change(11, 12, bids=((100.0, 3.0),)))
    assert follower.sides == truth(stream)


def test_ids_that_go_back_begin_a_new_chain_of_changes() -> None:
    """As after a maintenance: the book follows, and those who follow get it whole."""
    follower = Follower()
    stream = a_stream(follower)
    assert stream.take(change(10, 3, bids=((100.0, 4.0),)))
    stream.publish()
    assert (follower.update_id, follower.sides) == (3, truth(stream))
    stream.take(change(3, 5, bids=((100.0, 5.0),)))
    assert (follower.update_id, follower.sides) == (5, truth(stream))


def test_a_change_that_changes_nothing_is_not_told() -> None:
    """As comes of a quiet minute."""
    follower = Follower()
    stream = a_stream(follower)
    stream.take(change(10, 10))
    stream.take(change(10, 11, bids=((100.0, 5.0),)))
    assert (follower.update_id, follower.sides) == (11, truth(stream))
