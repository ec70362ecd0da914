"""The recipes of checksums, on examples worked out by hand."""

from zlib import crc32

import pytest

from foxtrot.books.checksums import Checksum, digits_crc32, paired_crc32
from foxtrot.books.level_book import LevelBook
from foxtrot.books.sequence import NonceChain
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid
from tests.support.book_facts import change
from tests.support.instruments import a_spot

FINE = a_spot(price_grid=Grid.of("0.00001"), quantity_grid=Grid.of("0.00000001"))


def a_book(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> LevelBook:
    book = LevelBook()
    book.load(bids, asks)
    return book


def test_digits_are_those_of_the_venues_example() -> None:
    """Ask and bid sides of Kraken's own page: 0.05005 0.00000500 gives 5005500."""
    asks = [(5005 + 5 * n, 500) for n in range(10)]
    bids = [(5000 - 5 * n, 500) for n in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10)]
    text = "".join([f"{price}{size}" for price, size in asks + bids])
    assert text.startswith("50055005010500")
    assert digits_crc32(FINE, 5, 8)(a_book(bids, asks)) == crc32(text.encode()) == 974_947_235


def test_digits_beyond_the_grid_are_zeros() -> None:
    coarse = a_spot(price_grid=Grid.of("0.5"), quantity_grid=Grid.of("0.001"))
    book = a_book([(20, 1_500)], [(21, 7)])
    assert digits_crc32(coarse, 2, 5)(book) == crc32(b"1050" + b"700" + b"1000" + b"150000")


def test_only_the_best_levels_go_in() -> None:
    book = a_book([(100 - n, 5) for n in range(20)], [(101 + n, 5) for n in range(20)])
    before = digits_crc32(FINE, 5, 8)(book)
    book.apply([(90, 9)], [(111, 9)])
    assert digits_crc32(FINE, 5, 8)(book) == before
    book.apply([(91, 9)], [])
    assert digits_crc32(FINE, 5, 8)(book) != before


def test_a_grid_finer_than_what_is_printed_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"4 decimals do not hold a grid of 0\.00001"):
        digits_crc32(FINE, 4, 8)


def test_pairs_are_those_of_the_venues_example() -> None:
    """OKX's page: bids 3366.1 7, 3366 6; asks 3366.8 9, 3368 8, 3372 8."""
    okx = a_spot(price_grid=Grid.of("0.1"), quantity_grid=Grid.of("1"))
    book = a_book([(33661, 7), (33660, 6)], [(33668, 9), (33680, 8), (33720, 8)])
    assert paired_crc32(okx)(book) == crc32(b"3366.1:7:3366.8:9:3366:6:3368:8:3372:8")
    assert paired_crc32(okx)(a_book([(33661, 7)], [])) == crc32(b"3366.1:7")
    assert paired_crc32(okx)(LevelBook()) == crc32(b"")


def test_signed_and_unsigned_are_the_same() -> None:
    rule = Checksum(NonceChain(), lambda levels: 2**32 - 5)
    assert rule.matches(LevelBook(), change(1, 1, checksum=-5))
    assert rule.matches(LevelBook(), change(1, 1, checksum=2**32 - 5))
    assert not rule.matches(LevelBook(), change(1, 1, checksum=5))
