"""The level book against an obvious twin: two dicts, sorted when asked."""

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.books.level_book import LevelBook, UnitLevel
from foxtrot.domain.enums import Side

LEVELS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 4)), max_size=8)


class Twin:
    """The obvious book."""

    def __init__(self) -> None:
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def apply(self, *changes: list[UnitLevel]) -> None:
        for side, levels in zip(self.sides, changes, strict=True):
            side.update(dict(levels))

    def levels(self, side: Side) -> list[UnitLevel]:
        chosen = self.sides[0 if side is Side.BUY else 1]
        return sorted(((p, s) for p, s in chosen.items() if s), reverse=side is Side.BUY)


@given(st.lists(st.tuples(LEVELS, LEVELS), max_size=20), st.integers(0, 35), st.integers(0, 40))
def test_the_book_answers_as_its_twin(
    changes: list[tuple[list[UnitLevel], list[UnitLevel]]], price: int, size: int
) -> None:
    book, twin = LevelBook(), Twin()
    for bids, asks in changes:
        book.apply(bids, asks)
        twin.apply(bids, asks)
        assert list(book.levels(Side.BUY)) == twin.levels(Side.BUY)
        assert list(book.levels(Side.SELL)) == twin.levels(Side.SELL)
    bids, asks = twin.levels(Side.BUY), twin.levels(Side.SELL)
    assert book.top(3) == (tuple(bids[:3]), tuple(asks[:3]))
    assert book.depth_to(Side.BUY, price) == sum(s for p, s in bids if p >= price)
    assert book.depth_to(Side.SELL, price) == sum(s for p, s in asks if p <= price)
    one_by_one = [p for p, s in asks for _ in range(s)][:size]
    sweep = book.sweep(Side.BUY, size)
    assert (sweep.filled, sweep.cost) == (len(one_by_one), sum(one_by_one))
