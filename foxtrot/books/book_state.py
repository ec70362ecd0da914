"""The states of a local book as a table: what it may be believed to be after each thing that can happen to it."""

import enum

from foxtrot.domain.enums import BookState as S


class BookInput(enum.StrEnum):
    """What can happen to a local book."""

    BUFFERED = "buffered"
    """A change came while there is no snapshot to apply it to."""
    SNAPSHOT = "snapshot"
    """A snapshot was taken in and every buffered change follows it."""
    FOLLOWED = "followed"
    """A change followed the last one, and bids lie below asks."""
    CROSSED = "crossed"
    """A change or snapshot was taken in, and the best bid reaches the best ask."""
    GAP = "gap"
    """A change did not follow: something was lost, the levels are dropped."""
    SILENCE = "silence"
    """Nothing came for too long, or the connection is gone; the levels are kept."""
    DROPPED = "dropped"
    """The book was thrown away on purpose."""


I = BookInput  # noqa: E741  (the table reads by single letters)

BOOK_TRANSITIONS: dict[S, dict[BookInput, S]] = {
    S.EMPTY: {I.BUFFERED: S.SYNCING, I.SNAPSHOT: S.LIVE, I.CROSSED: S.CROSSED, I.GAP: S.SYNCING, I.SILENCE: S.EMPTY, I.DROPPED: S.EMPTY},
    S.SYNCING: {I.BUFFERED: S.SYNCING, I.SNAPSHOT: S.LIVE, I.CROSSED: S.CROSSED, I.GAP: S.SYNCING, I.SILENCE: S.SYNCING, I.DROPPED: S.EMPTY},
    S.LIVE: {I.SNAPSHOT: S.LIVE, I.FOLLOWED: S.LIVE, I.CROSSED: S.CROSSED, I.GAP: S.SYNCING, I.SILENCE: S.STALE, I.DROPPED: S.EMPTY},
    S.STALE: {I.SNAPSHOT: S.LIVE, I.FOLLOWED: S.LIVE, I.CROSSED: S.CROSSED, I.GAP: S.SYNCING, I.SILENCE: S.STALE, I.DROPPED: S.EMPTY},
    S.CROSSED: {I.SNAPSHOT: S.LIVE, I.FOLLOWED: S.LIVE, I.CROSSED: S.CROSSED, I.GAP: S.SYNCING, I.SILENCE: S.STALE, I.DROPPED: S.EMPTY},
}  # fmt: skip
"""State → input → next state. A missing cell cannot happen: a book without levels buffers, one with levels does not."""

HAS_LEVELS: frozenset[S] = frozenset({S.LIVE, S.STALE, S.CROSSED})
"""The book holds a snapshot that later changes can follow."""
