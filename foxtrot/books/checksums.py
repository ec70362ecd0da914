"""Checksums of a venue's book: the rule that compares them after each change, and the recipes by which venues make them."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import chain, zip_longest
from zlib import crc32

from foxtrot.books.level_book import LevelBook, UnitLevel
from foxtrot.books.sequence import SequenceRule, Verdict
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange

ChecksumOf = Callable[[LevelBook], int]
"""A recipe: the checksum of the levels as they are."""

_UNSIGNED = 0xFFFF_FFFF


class Checksum:
    """A rule of ids and a checksum after each change: what is wrong in the levels shows at once, whatever the ids say.

    Args:
        inner: how changes follow each other.
        checksum_of: the venue's recipe; signed and unsigned figures of 32 bits are the same to it.
    """

    def __init__(self, inner: SequenceRule, checksum_of: ChecksumOf) -> None:
        self._inner = inner
        self._checksum_of = checksum_of

    @property
    def name(self) -> str:
        """Return the rule's name, for messages."""
        return f"Checksum({self._inner.name})"

    @property
    def numbers_snapshots(self) -> bool:
        """Tell what the rule of ids does."""
        return self._inner.numbers_snapshots

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge as the rule of ids does."""
        return self._inner.after_snapshot(snapshot_id, change)

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge as the rule of ids does."""
        return self._inner.after_change(last_id, change)

    def matches(self, levels: LevelBook, change: DepthChange) -> bool:
        """Tell whether the levels have the checksum that the change came with; one without a checksum is believed."""
        if change.checksum is None:
            return True
        return (self._checksum_of(levels) ^ change.checksum) & _UNSIGNED == 0


def digits_crc32(instrument: Instrument, price_decimals: int, size_decimals: int, levels: int = 10) -> ChecksumOf:
    """Return the recipe of asks from the lowest up, then bids from the highest down, each price and size by its digits alone.

    A figure's digits are those that the venue prints, without the point and without leading zeros. So the decimals that it prints have
    to be known, which may be more than the grid has.

    Args:
        instrument: gives the grids that levels count in.
        price_decimals: decimals of a price as the venue prints it.
        size_decimals: decimals of a size as the venue prints it.
        levels: how many levels a side go in.

    Raises:
        ConfigError: the grid is finer than that.

    Source: Kraken, websocket v1 and v2, "How to calculate the book checksum".
    """
    price_by = _digits_a_unit(instrument.price_grid, price_decimals)
    size_by = _digits_a_unit(instrument.quantity_grid, size_decimals)

    def checksum_of(book: LevelBook) -> int:
        bids, asks = book.top(levels)
        return crc32("".join([f"{price * price_by}{size * size_by}" for price, size in asks + bids]).encode())

    return checksum_of


def paired_crc32(instrument: Instrument, levels: int = 25) -> ChecksumOf:
    """Return the recipe of the best bid, the best ask, the second bid, the second ask, ..., all joined by colons.

    Figures stand as plain decimal text without zeros at the end. Where a side has fewer levels the other goes on alone.

    Args:
        instrument: gives the grids that levels count in.
        levels: how many levels a side go in.

    Source: OKX, API guide, order book channel, "Checksum".
    """
    price_grid, size_grid = instrument.price_grid, instrument.quantity_grid

    def texts(side: Iterable[UnitLevel]) -> list[tuple[str, str]]:
        return [(_plain(price_grid, price), _plain(size_grid, size)) for price, size in side]

    def checksum_of(book: LevelBook) -> int:
        bids, asks = book.top(levels)
        pairs = zip_longest(texts(bids), texts(asks), fillvalue=())
        return crc32(":".join(chain.from_iterable(chain.from_iterable(pairs))).encode())

    return checksum_of


def _digits_a_unit(grid: Grid, decimals: int) -> int:
    """Return what a unit is in steps of the last decimal."""
    by, rest = divmod(grid.numerator * int(Decimal(1).scaleb(decimals)), grid.denominator)
    if rest or decimals < 0:
        raise ConfigError(f"{decimals} decimals do not hold a grid of {grid.step}: give as many as the venue prints")
    return by


def _plain(grid: Grid, units: int) -> str:
    whole, rest = divmod(abs(units) * grid.numerator, grid.denominator)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{rest:0{grid.decimals}d}".rstrip("0") if rest else f"{sign}{whole}"
