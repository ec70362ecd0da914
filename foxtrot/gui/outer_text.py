"""Text that others wrote, a venue's reason or a strategy's remark: cut to what there is room for, and never read as markup."""

from html import escape
from typing import Final

MOST_LETTERS: Final = 400
MOST_OF_HINT: Final = 2_000


def cut_text(text: str, most: int = MOST_LETTERS) -> str:
    """Return a text, at most so many letters of it; dots say that there is more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def hint_text(text: str) -> str:
    """Return a text as a hint: Qt would show one that has tags as a page, so they are escaped."""
    short = cut_text(text, MOST_OF_HINT)
    return f"<span>{escape(short).replace(chr(10), '<br>')}</span>" if "<" in short or "&" in short else short
