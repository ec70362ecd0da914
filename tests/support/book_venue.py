"""The embedded exchange as the keeper of one book that changes at random, and of what the book was at each of its ids."""

from collections import deque
from random import Random
from zlib import crc32

import msgspec

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.market import DepthChange, DepthData, Level
from foxtrot.exchange.commands import AddInstrument, CancelOrder, OpenAccount, PlaceOrder
from foxtrot.exchange.update_ids import lower_update_ids
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_spot

Rows = tuple[tuple[int, int], ...]
Book = tuple[Rows, Rows]

INSTRUMENT = a_spot()
MS_NS = 1_000_000
ORDERS = 120
"""About so many orders rest: some forty levels a side."""
PAST = 400
"""So many moments are kept for snapshots that come late."""


REMEMBERED = 4_000


class Moment(msgspec.Struct, frozen=True):
    """The book after an event."""

    update_id: int
    time_ns: int
    book: Book


class BookVenue:
    """One instrument of an exchange on which somebody trades at random; time passes by `step` alone."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now_ns = 1_700_000_000_000_000_000
        self.venue = Venue(lambda _event: None)
        self.venue.execute(AddInstrument(self.now_ns, INSTRUMENT))
        self.venue.execute(OpenAccount(self.now_ns, "one", margin_checked=False))
        self.past: deque[Moment] = deque(maxlen=PAST)
        """The last moments, of all counts of ids."""
        self.books: dict[int, Book] = {}
        """Books by id, and by time, of the count that is current."""
        self.books_before: deque[dict[int, Book]] = deque(maxlen=3)
        """The same of the counts before it, the last one first."""
        self._orders: list[int] = []
        self._names = 0
        self._middle = 10_000
        for _ in range(ORDERS):
            self._trade()
        self._take()

    @property
    def last(self) -> Moment:
        """Return the book as it is."""
        return self.past[-1]

    def step(self) -> DepthChange | None:
        """Let 20 to 60 ms pass and somebody trade; returns what changed, None for nothing."""
        self.now_ns += self.random.randrange(20, 61) * MS_NS
        for _ in range(self.random.randrange(1, 3)):
            self._trade()
        return self._take()

    def restart(self, lower_by: int) -> None:
        """Come back with the same orders and lower ids."""
        image = self.venue.snapshot(forgotten=("one",))
        self.venue.take_up(lower_update_ids(image, lower_by))
        self.books_before.appendleft(self.books)
        self.books = {}
        self.now_ns += 100 * MS_NS
        self._keep()

    def snapshot(self, events_ago: int = 0, limit: int = 0) -> DepthData:
        """Return the best levels, all by default, as they were some events ago."""
        moment = self.past[-1 - min(events_ago, len(self.past) - 1)]
        bids, asks = moment.book
        cut = limit or None
        return DepthData(
            INSTRUMENT.instrument_id,
            moment.time_ns,
            moment.time_ns,
            moment.update_id,
            floats(bids[:cut]),
            floats(asks[:cut]),
        )

    def _take(self) -> DepthChange | None:
        changes = self.venue.take_depth_changes(INSTRUMENT.instrument_id)
        if changes.last_id < changes.first_id:
            return None
        self._keep()
        first, last, now = changes.first_id, changes.last_id, self.now_ns
        return DepthChange(
            INSTRUMENT.instrument_id, now, now, first, last, first - 1, floats(changes.bids), floats(changes.asks)
        )

    def _keep(self) -> None:
        update_id, bids, asks = self.venue.depth(INSTRUMENT.instrument_id)
        self.past.append(Moment(update_id, self.now_ns, (bids, asks)))
        for key in (update_id, self.now_ns):
            self.books[key] = bids, asks
        while len(self.books) > REMEMBERED:
            del self.books[next(iter(self.books))]

    def _trade(self) -> None:
        pick = self.random
        self._middle += pick.choice((-1, 0, 0, 1))
        if len(self._orders) > ORDERS:
            order = self._orders.pop(pick.randrange(len(self._orders)))
            self.venue.execute(CancelOrder(self.now_ns, "one", INSTRUMENT.instrument_id, order))
        side = pick.choice((Side.BUY, Side.SELL))
        away = int(pick.expovariate(1 / 20)) - 2
        price = self._middle - away if side is Side.BUY else self._middle + away
        self._names += 1
        order = PlaceOrder(
            self.now_ns,
            "one",
            INSTRUMENT.instrument_id,
            f"o{self._names}",
            side,
            OrderType.LIMIT,
            pick.randint(1, 50),
            price,
        )
        self._orders.append(self.venue.execute(order).order_id)


def floats(rows: Rows) -> tuple[Level, ...]:
    """Return levels as a venue tells them: prices in 0.01, sizes in 0.001."""
    return tuple([(price / 100, size / 1000) for price, size in rows])


def windowed(before: Book, after: Book, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Return what a stream of the best levels tells of a change: what falls out of them is not told of.

    Source: Kraken, websocket v1, "How to maintain a valid book": the client cuts its book to the depth it asked for.
    """
    sides: list[tuple[Level, ...]] = []
    for index, is_bid in ((0, True), (1, False)):
        old, new = dict(before[index][:levels]), dict(after[index][:levels])
        told = {price: size for price, size in new.items() if old.get(price) != size}
        for price in old.keys() - new.keys():
            pushed_out = len(new) == levels and (price < min(new) if is_bid else price > max(new))
            if not pushed_out:
                told[price] = 0
        sides.append(floats(tuple(told.items())))
    return sides[0], sides[1]


def digits_checksum(book: Book) -> int:
    """Return Kraken's checksum of a book, from texts."""
    bids, asks = book
    texts = [f"{price / 100:.2f} {size / 1000:.3f}" for price, size in asks[:10] + bids[:10]]
    parts = [part.replace(".", "").lstrip("0") for text in texts for part in text.split()]
    return crc32("".join(parts).encode())


def paired_checksum(book: Book) -> int:
    """Return OKX's checksum of a book, from texts, as a signed number."""
    bids, asks = book
    parts = []
    for level in range(25):
        for side in (bids, asks):
            for price, size in side[level : level + 1]:
                parts += [f"{price / 100:.12g}", f"{size / 1000:.12g}"]
    unsigned = crc32(":".join(parts).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned
