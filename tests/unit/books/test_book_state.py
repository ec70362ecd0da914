"""The state table of local books: every cell."""

import itertools

import pytest

from foxtrot.books.book_state import BOOK_TRANSITIONS, HAS_LEVELS, BookInput
from foxtrot.domain.enums import BookState


def expected(state: BookState, what: BookInput) -> BookState | None:
    """Say the rules in words, apart from the table."""
    holds = state in (BookState.LIVE, BookState.STALE, BookState.CROSSED)
    said = {
        BookInput.BUFFERED: None if holds else BookState.SYNCING,
        BookInput.FOLLOWED: BookState.LIVE if holds else None,
        BookInput.SILENCE: BookState.STALE if holds else state,
        BookInput.SNAPSHOT: BookState.LIVE,
        BookInput.CROSSED: BookState.CROSSED,
        BookInput.GAP: BookState.SYNCING,
        BookInput.DROPPED: BookState.EMPTY,
    }
    return said[what]


@pytest.mark.parametrize(("state", "what"), list(itertools.product(BookState, BookInput)))
def test_every_cell_says_what_the_rules_say(state: BookState, what: BookInput) -> None:
    assert BOOK_TRANSITIONS[state].get(what) == expected(state, what)


def test_only_books_with_a_snapshot_hold_levels() -> None:
    assert frozenset(BookState) - {BookState.EMPTY, BookState.SYNCING} == HAS_LEVELS
