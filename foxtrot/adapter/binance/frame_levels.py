"""The levels of one Binance book in compiled code, behind the interface of LevelBook."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from typing_extensions import override

from foxtrot.books.level_book import BookSnapshot, LevelBook, UnitLevel
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument

if TYPE_CHECKING:
    from foxtrot.adapter.binance._frame_book import FrameLevels

COMPILED = "foxtrot.adapter.binance._frame_book"


def is_compiled() -> bool:
    """Tell whether the compiled part is there."""
    return find_spec(COMPILED) is not None


def new_core(instrument: Instrument) -> "FrameLevels | None":
    """Return compiled levels, or None where a grid or symbol is one that they cannot hold.

    Raises:
        ConfigError: the compiled part was not built.
    """
    if not is_compiled():
        raise ConfigError(
            "compiled books were asked for, but not built: run scripts/setup --compiled, or leave the option out"
        )
    from foxtrot.adapter.binance._frame_book import FrameLevels

    price, size = instrument.price_grid, instrument.quantity_grid
    try:
        return FrameLevels(instrument.symbol, price.decimals, price.numerator, size.decimals, size.numerator)
    except (ValueError, OverflowError):
        return None


class FrameLevelBook(LevelBook):
    """A LevelBook whose levels lie in compiled code; numbers beyond 64 bits raise OverflowError before anything has changed.

    Thread: belongs to whoever feeds it; hand `top` or `snapshot` to others.
    """

    __slots__ = ("core",)

    def __init__(self, core: "FrameLevels") -> None:
        super().__init__()
        self.core = core

    @override
    def clear(self) -> None:
        self.core.load((), ())

    @override
    def load(self, bids: Iterable[UnitLevel], asks: Iterable[UnitLevel]) -> None:
        self.core.load(bids, asks)

    @override
    def apply(self, bids: Iterable[UnitLevel], asks: Iterable[UnitLevel]) -> None:
        self.core.apply(bids, asks)

    @override
    def best_bid(self) -> UnitLevel | None:
        return self.core.best_bid()

    @override
    def best_ask(self) -> UnitLevel | None:
        return self.core.best_ask()

    @property
    @override
    def is_crossed(self) -> bool:
        return self.core.is_crossed()

    @override
    def is_best_within(self, lowest: int | None, highest: int | None) -> bool:
        if lowest is not None:
            bid = self.core.best_bid()
            if bid is None or bid[0] < lowest:
                return False
        if highest is None:
            return True
        ask = self.core.best_ask()
        return ask is not None and ask[0] <= highest

    @override
    def beyond(self, levels: int) -> tuple[list[int], list[int]]:
        bids, asks = self.core.top(max(self.core.counts()))
        return [price for price, _ in bids[levels:]], [price for price, _ in asks[levels:]]

    @override
    def cut(self, levels: int) -> tuple[int | None, int | None]:
        self.core.cut(levels)
        bids, asks = self.core.top(levels)
        return bids[-1][0] if len(bids) == levels else None, asks[-1][0] if len(asks) == levels else None

    @override
    def size_at(self, side: Side, price: int) -> int:
        return self.core.size_at(side is Side.BUY, price)

    @override
    def top(self, levels: int) -> tuple[tuple[UnitLevel, ...], tuple[UnitLevel, ...]]:
        return self.core.top(levels)

    @override
    def snapshot(self, levels: int | None = None) -> BookSnapshot:
        return BookSnapshot(*self.core.top(max(self.core.counts()) if levels is None else levels))

    @override
    def depth_to(self, side: Side, price: int) -> int:
        sign = side.sign
        return sum([size for level, size in self.levels(side) if sign * level >= sign * price])

    @override
    def levels(self, side: Side) -> Iterator[UnitLevel]:
        return iter(self.core.top(max(self.core.counts()))[0 if side is Side.BUY else 1])

    @override
    def __len__(self) -> int:
        return sum(self.core.counts())
