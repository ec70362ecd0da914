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
    """A cell ready to be painted and to be sorted."""

    text: str
    sort: SortValue
    tone: Tone = Tone.PLAIN


class Column(Generic[Row]):
    """One column of rows of a kind.

    Args:
        key: names it in saved layouts and in the texts.
        title: the key of its heading in the texts.
        cell: makes its cell of a row.
        align: where its text stands.
        width: in pixels at a scale of 1; no narrower than its heading.
        total: makes its cell in the line of totals of all rows in view, None for none.
    """

    def __init__(
        self,
        key: str,
        title: str,
        cell: Callable[[Row], Cell],
        *,
        align: Align = Align.LEFT,
        width: int = 90,
        total: "Callable[[list[Row]], Cell] | None" = None,
    ) -> None:
        self.key = key
        self.title = title
        self.cell = cell
        self.align = align
        self.width = width
        self.total = total


def word(text: str, tone: Tone = Tone.PLAIN) -> Cell:
    """Return a cell of words, sorted without regard to capitals."""
    return Cell(text, text.casefold(), tone)


def number(value: float, text: str, tone: Tone = Tone.PLAIN) -> Cell:
    """Return a cell of a number, sorted by its value."""
    return Cell(text, value if value == value else float("-inf"), tone)  # noqa: PLR0124  (not a number is itself alone unequal)


def sign_tone(value: float) -> Tone:
    """Return the tone of a profit or loss."""
    return Tone.UP if value > 0 else Tone.DOWN if value < 0 else Tone.PLAIN
