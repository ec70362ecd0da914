"""Finding by a few letters: words in any order, each of them whole somewhere, or its letters in their order."""

import re
from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import TypeVar

Thing = TypeVar("Thing")
LONGEST = 60


class Query:
    """What was typed, ready to be held against many texts.

    Args:
        typed: words; capitals do not matter.
    """

    def __init__(self, typed: str) -> None:
        self._words = [(word, _letters(word)) for word in typed.casefold()[:LONGEST].split()]

    def score(self, text: str) -> float | None:
        """Return how well a text in small letters fits, the higher the better; None where it does not.

        A word that stands whole at the beginning of one of the text's words is best, then whole anywhere, then letter by letter.
        """
        total = 0.0
        for word, letters in self._words:
            place = text.find(word)
            if place >= 0:
                starts = place == 0 or not text[place - 1].isalnum()
                total += 100.0 + (40.0 if place == 0 else 25.0 if starts else 0.0) - min(place, 40) / 4
                continue
            found = letters.search(text)
            if found is None:
                return None
            total += 40.0 - min(found.end() - found.start() - len(word), 30)
        return total - len(text) / 20


def best(typed: str, things: Iterable[tuple[str, Thing]], most: int) -> list[tuple[float, Thing]]:
    """Return the things whose text, in small letters, fits best, with their scores; equal ones stay in their order."""
    query = Query(typed)
    scored = ((score, thing) for text, thing in things if (score := query.score(text)) is not None)
    return nlargest(most, scored, key=_by_score)


def _by_score(scored: tuple[float, object]) -> float:
    return scored[0]


def _letters(word: str) -> re.Pattern[str]:
    """Return a pattern of the letters in their order with as little as may be between them."""
    parts: Sequence[str] = [re.escape(letter) for letter in word]
    return re.compile(".*?".join(parts))
