"""Columns of a table as data: what a cell says, by what it is sorted, how it is aligned and coloured."""

from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Row = TypeVar("Row")
SortValue = float | str


class Align(StrEnum):
    """Words to the left, numbers to the right."""

    LEFT = "left"
    RIGHT = "right"


class Tone(StrEnum):
    """What a colour says; the theme has the colour of each."""

    PLAIN = "plain"
    DIM = "dim"
    UP = "up"
    DOWN = "down"
    GOOD = "good"
    WARNING = "warning"
    DANGER = "danger"


class Cell(msgspec.Struct, frozen=True):
    """A cell ready to be painted and to be sorted.

    `exact` is what it says without rounding or signs, for files and hints, "" where that is `sort` of a number, or the text of words.
    `unit` is the currency or asset of a number.
    """

    text: str
    sort: SortValue
    tone: Tone = Tone.PLAIN
    exact: str = ""
    unit: str = ""

    @property
    def hint(self) -> str:
        """Return the exact figure where the text does not have all of it, else ""."""
        if not self.exact or isinstance(self.sort, str) or self.exact in self.text.replace(",", ""):
            return ""
        return f"{self.exact} {self.unit}".rstrip()


class Column(Generic[Row]):
    """One column of rows of a kind.

    Args:
        key: names it in saved layouts and in the texts.
        title: the key of its heading in the texts.
        cell: makes its cell of a row.
        align: where its text stands.
        width: in pixels at a scale of 1; no narrower than its heading.
        rank: in a narrow table columns of a higher rank are left out before others.
    """

    def __init__(
        self,
        key: str,
        title: str,
        cell: Callable[[Row], Cell],
        *,
        align: Align = Align.LEFT,
        width: int = 90,
        rank: int = 0,
    ) -> None:
        self.key = key
        self.title = title
        self.cell = cell
        self.align = align
        self.width = width
        self.rank = rank


def word(text: str, tone: Tone = Tone.PLAIN, exact: str = "") -> Cell:
    """Return a cell of words, sorted without regard to capitals."""
    return Cell(text, text.casefold(), tone, exact)


def number(value: float, text: str, tone: Tone = Tone.PLAIN, exact: str = "", unit: str = "") -> Cell:
    """Return a cell of a number, sorted by its value."""
    return Cell(text, value if value == value else float("-inf"), tone, exact, unit)  # noqa: PLR0124  (not a number is itself alone unequal)


def sign_tone(value: float) -> Tone:
    """Return the tone of a profit or loss."""
    return Tone.UP if value > 0 else Tone.DOWN if value < 0 else Tone.PLAIN
