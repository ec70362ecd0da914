"""Levels grouped by price step: bids down to the step, asks up to it, so that nobody sees a price better than there is."""

from collections.abc import Iterable

import msgspec

from foxtrot.books.level_book import UnitLevel
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError


class Grouped(msgspec.Struct, frozen=True, gc=False):
    """One side in groups, best first, prices and sizes in units.

    A group's price is its worst: a bid group of price 100 and step 10 holds bids from 100 to 109, an ask group asks from 91 to 100.
    """

    levels: tuple[UnitLevel, ...]
    complete: bool = True
    """False when the last group reaches beyond what is known of the book: it holds at least that size."""


def group(levels: Iterable[UnitLevel], step: int, side: Side, groups: int = 0) -> tuple[UnitLevel, ...]:
    """Return levels in groups, of a side that is known entirely or as if it were; see `group_known`.

    Raises:
        ConfigError: the step is not positive.
    """
    return group_known(levels, step, side, groups).levels


def group_known(
    levels: Iterable[UnitLevel], step: int, side: Side, groups: int = 0, known: int | None = None
) -> Grouped:
    """Return levels in groups, as far as they are known.

    Args:
        levels: one side, best first, in units, as LevelBook.levels gives it.
        step: how many units of price a group spans.
        side: whose levels they are: BUY for bids.
        groups: how many groups at most, 0 for all.
        known: the price down to which bids, up to which asks are known, as in BookView; None when all of them are. Groups that lie beyond
            it entirely are left out.

    Raises:
        ConfigError: the step is not positive.
    """
    if step < 1:
        raise ConfigError(f"step {step} must be at least one unit of price")
    down = 1 if side is Side.BUY else -1  # asks go up to the step: floored with the sign turned
    bound = None if known is None else down * known
    found: list[UnitLevel] = []
    base = size = 0
    for price, resting in levels:
        if bound is not None and down * price < bound:
            break
        floor = down * price // step * step
        if size and floor == base:
            size += resting
            continue
        if size:
            found.append((down * base, size))
            if len(found) == groups:
                return Grouped(tuple(found))
        base, size = floor, resting
    if size:
        found.append((down * base, size))
    return Grouped(tuple(found), bound is None or (bool(found) and base >= bound))
