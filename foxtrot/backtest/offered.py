"""What a recording offers to take at one moment: its depth, its best bid and ask, less what our own orders took already."""

from collections.abc import Iterator

from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange

Quote = tuple[int, int]
"""Best price and its size in units; a price of 0 is an empty side, a size of 0 one that the recording does not tell."""

UNLIMITED = 1 << 62


class Offered:
    """The recorded market of one instrument, as the venue's side of a backtest knows it.

    Our orders do not change history. So that no displayed size is taken twice, what was taken of a level is remembered until
    the recording sets that level anew. A quote younger than the depth is its best level.

    Thread: the backtest's.
    """

    def __init__(self, instrument: Instrument, book: DepthBook | None) -> None:
        self._instrument = instrument
        self.book = book
        self.bid: Quote = (0, 0)
        self.ask: Quote = (0, 0)
        self._quote_is_newer = False
        self._taken: dict[tuple[Side, int], int] = {}

    @property
    def has_depth(self) -> bool:
        """Tell whether there is a sound book."""
        return self.book is not None and self.book.state in (BookState.LIVE, BookState.CROSSED)

    @property
    def is_known(self) -> bool:
        """Tell whether there is anything to take from: a book or a quote."""
        return self.has_depth or bool(self.bid[0] or self.ask[0])

    def set_quote(self, bid: Quote, ask: Quote) -> None:
        """Take in a best bid and ask; a side that changed can be taken anew."""
        if bid != self.bid:
            self._taken.pop((Side.BUY, bid[0]), None)
        if ask != self.ask:
            self._taken.pop((Side.SELL, ask[0]), None)
        self.bid, self.ask = bid, ask
        self._quote_is_newer = True

    def book_changed(self, change: DepthChange | None) -> None:
        """Note that the book was changed or, with None, replaced."""
        self._quote_is_newer = False
        if not self._taken:
            return
        if change is None:
            self._taken.clear()
            return
        to_units = self._instrument.price_grid.from_float
        for side, levels in ((Side.BUY, change.bids), (Side.SELL, change.asks)):
            for price, _ in levels:
                self._taken.pop((side, to_units(price)), None)

    def displayed(self, side: Side, price: int) -> int:
        """Return the size that an order resting on a side at a price finds before it."""
        shown = self.book.levels.size_at(side, price) if self.book is not None and self.has_depth else 0
        best, size = self.bid if side is Side.BUY else self.ask
        return max(shown, size) if best == price and self._quote_is_newer else shown

    def reaches(self, taker: Side, limit: int) -> bool:
        """Tell whether a limit order would take at once."""
        return next(self._levels(taker, limit), None) is not None

    def available(self, taker: Side, limit: int) -> int:
        """Return how much can be taken up to a limit (0: at any price)."""
        return sum(size for _, size in self._levels(taker, limit))

    def take(self, taker: Side, limit: int, quantity: int) -> list[Quote]:
        """Take up to a quantity, best price first, up to a limit (0: at any price); returns (price, size) of each level."""
        rows: list[Quote] = []
        for price, size in self._levels(taker, limit):
            part = min(size, quantity)
            rows.append((price, part))
            quantity -= part
            if not quantity:
                break
        for price, part in rows:
            key = (taker.opposite, price)
            self._taken[key] = self._taken.get(key, 0) + part
        return rows

    def _levels(self, taker: Side, limit: int) -> Iterator[Quote]:
        """Yield what is left to take up to a limit, best first."""
        side, taken = taker.opposite, self._taken
        for price, size in self._shown(taker):
            if limit and (price > limit if taker is Side.BUY else price < limit):
                return
            left = size - taken.get((side, price), 0) if taken else size
            if left > 0:
                yield price, left

    def _shown(self, taker: Side) -> Iterator[Quote]:
        """Yield the other side as it was last seen: the quote if it is younger than the depth, then the levels behind it."""
        buys = taker is Side.BUY
        best, size = self.ask if buys else self.bid
        quoted = bool(best) and (self._quote_is_newer or not self.has_depth)
        if quoted:
            yield best, size or UNLIMITED
        if self.book is None or not self.has_depth:
            return
        for price, shown in self.book.levels.levels(taker.opposite):
            if not quoted or (price > best if buys else price < best):
                yield price, shown
