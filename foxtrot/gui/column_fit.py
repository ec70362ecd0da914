"""Which columns of a table are shown in the room that there is: the most important ones, so that none is cut and nothing need be scrolled."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from foxtrot.gui.columns import Align, Column

WORDY: Final = 200
"""A column of words that is so wide may become narrower before another column goes."""
LEAST_WORDY: Final = 130
ALWAYS: Final = 2
"""So many columns are shown in any room: the most important ones."""


def fitting(columns: Sequence[Column[Any]], widths: Mapping[int, int], scale: float, room: int) -> dict[int, int]:
    """Return the columns that fit, with their widths: those of the lowest rank first, of equals the one farthest left.

    Args:
        columns: all of a table.
        widths: of those that may be shown.
        scale: of the looks.
        room: how wide the table is.
    """
    least = {place: _least(columns[place], width, scale) for place, width in widths.items()}
    shown: list[int] = []
    used = 0
    for place in sorted(least, key=lambda place: (columns[place].rank, place)):
        if len(shown) < ALWAYS or used + least[place] <= room:
            shown.append(place)
            used += least[place]
    shown.sort()
    found = {place: least[place] for place in shown}
    spare = room - sum(found.values())
    for place in shown:
        more = max(0, min(spare, widths[place] - found[place]))
        found[place] += more
        spare -= more
    words = [place for place in shown if columns[place].align is Align.LEFT]
    if spare > 0 and words:  # numbers then end where the table does
        found[shown[-1] if shown[-1] in words else max(words, key=lambda place: found[place])] += spare
    return found


def _least(column: Column[Any], width: int, scale: float) -> int:
    wordy = column.align is Align.LEFT and width >= WORDY * scale
    return min(width, round(LEAST_WORDY * scale)) if wordy else width
