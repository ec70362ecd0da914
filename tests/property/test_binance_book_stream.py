"""Whatever comes of a depth stream - gaps, repeats, disorder, old snapshots - a LIVE book is the venue's as of its id."""

from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.book_rules import RULES
from foxtrot.adapter.binance.codec import depth_change_of
from foxtrot.adapter.binance.frames import DepthUpdateFrame
from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.depth_book import DepthBook
from foxtrot.books.level_book import LevelBook
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import DepthChange, DepthData, Level
from tests.support.instruments import a_spot

INSTRUMENT = a_spot()


class History:
    """What really happened: the book after each event, and the frames that say so."""

    def __init__(self, random: Random, product: Product, events: int) -> None:
        self.random = random
        self.spot = product is Product.SPOT
        book: dict[str, dict[float, float]] = {"b": {99.0: 1.0}, "a": {101.0: 1.0}}
        last = 100
        self.ids = [last]
        self.books = [_frozen(book)]
        self.frames: list[DepthUpdateFrame] = []
        for _ in range(events):
            first, previous = last + (1 if self.spot else random.randrange(1, 4)), last
            last = first + random.randrange(0, 3)
            changed: dict[str, tuple[Level, ...]] = {"b": (), "a": ()}
            for side, low in (("b", 9_000), ("a", 10_050)):
                rows = {random.randrange(low, low + 40) / 100: float(random.randrange(0, 3)) for _ in range(2)}
                changed[side] = tuple(rows.items())
                for price, size in rows.items():
                    book[side][price] = size
                    if not size:
                        del book[side][price]
            pu = None if self.spot else previous
            self.frames.append(DepthUpdateFrame("BTCUSDT", 1, first, last, changed["b"], changed["a"], pu))
            self.ids.append(last)
            self.books.append(_frozen(book))

    def at(self, update_id: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """The true book as of an id at which an event ended."""
        return self.books[self.ids.index(update_id)]

    def snapshot(self, event: int) -> DepthData:
        """A snapshot taken after an event."""
        return DepthData(INSTRUMENT.instrument_id, 1, 1, self.ids[event], *self.books[event])

    def delivered(self) -> list[tuple[int, DepthUpdateFrame]]:
        """The frames as a bad connection delivers them, each with its number."""
        out: list[tuple[int, DepthUpdateFrame]] = []
        for number, frame in enumerate(self.frames, 1):
            luck = self.random.random()
            if luck < 0.1:
                continue
            out.append((number, frame))
            if luck < 0.2:
                out.append((number, frame))
            elif luck < 0.3 and len(out) > 1:
                out[-1], out[-2] = out[-2], out[-1]
        return out


class Reader:
    """The engine's side: rebuilds a book from what is published, and insists that it follows."""

    def __init__(self, product: Product) -> None:
        self.book = DepthBook(INSTRUMENT, RULES[product]())
        self.states: list[BookState] = []
        self.loaded = False

    def on_depth(self, depth: DepthData) -> None:
        self.book.drop()
        self.book.load(depth)
        self.loaded = True

    def on_depth_change(self, change: DepthChange) -> None:
        assert self.loaded
        assert self.states[-1] in (BookState.LIVE, BookState.CROSSED)
        assert self.book.apply(change)

    def on_book_state(self, _instrument_id: str, state: BookState, _cause: str = "") -> None:
        self.states.append(state)


@given(st.integers(0, 2**32), st.sampled_from([Product.SPOT, Product.PERPETUAL]))
def test_a_live_book_is_the_venues_as_of_its_id(seed: int, product: Product) -> None:
    random = Random(seed)
    history, reader, asked = History(random, product, 60), Reader(product), [False]
    stream = BookStream(INSTRUMENT, RULES[product](), reader, lambda: asked.__setitem__(0, True))
    stream.want(0, changes=True)
    stream.begin()
    newest = 0
    for number, frame in history.delivered():
        newest = max(newest, number)
        stream.take(_change(frame))
        if asked[0] and random.random() < 0.5:
            snapshot = history.snapshot(random.randrange(max(0, newest - 3), newest + 1))
            asked[0] = not stream.load(snapshot, stream.generation)
        if random.random() < 0.5:
            stream.publish()
        _check(stream, reader, history)
    assert BookState.SYNCING in reader.states


@given(st.integers(0, 2**32), st.sampled_from([Product.SPOT, Product.PERPETUAL]))
def test_a_book_is_live_only_while_its_stream_stands_however_late_its_snapshots_come(
    seed: int, product: Product
) -> None:
    random = Random(seed)
    history, reader = History(random, product, 60), Reader(product)
    number, under_way = 0, list[tuple[DepthData, int]]()
    stream = BookStream(
        INSTRUMENT, RULES[product](), reader, lambda: under_way.append((history.snapshot(number), stream.generation))
    )
    stream.want(0, changes=True)
    for number, frame in enumerate(history.frames):
        luck = random.random()
        if luck < 0.15:
            stream.stale("gone")
        elif luck < 0.35:
            stream.begin("a new stream")
        if stream.streams or luck > 0.9:
            stream.take(_change(frame))
        if under_way and random.random() < 0.4:
            stream.load(*under_way.pop(random.randrange(len(under_way))))
        stream.publish()
        _check(stream, reader, history)
        if stream.state is BookState.LIVE or stream.exact(1) is not None:
            assert stream.streams
            assert stream.book.update_id == history.snapshot(number + 1).update_id, "a change was missed"


def test_the_check_above_notices_a_wrong_book() -> None:
    history, reader = History(Random(1), Product.SPOT, 5), Reader(Product.SPOT)
    stream = BookStream(INSTRUMENT, RULES[Product.SPOT](), reader, lambda: None)
    stream.begin()
    stream.load(history.snapshot(1), stream.generation)
    stream.take(_change(msgspec.structs.replace(history.frames[1], b=((91.0, 7.0),))))
    try:
        _check(stream, reader, history)
    except AssertionError:
        return
    raise AssertionError("a wrong level went unnoticed")


def _check(stream: BookStream, reader: Reader, history: History) -> None:
    book = stream.book
    if stream.state is BookState.LIVE:
        assert _floats(book.levels) == history.at(book.update_id)
        exact = stream.exact(1)
        assert exact is not None
        assert exact.update_id == book.update_id
    if reader.loaded and reader.states[-1] is BookState.LIVE:
        assert _floats(reader.book.levels) == history.at(reader.book.update_id)


def _change(frame: DepthUpdateFrame) -> DepthChange:
    return depth_change_of(frame, INSTRUMENT.instrument_id, 1)


def _floats(levels: LevelBook) -> Any:
    price, size = INSTRUMENT.price_grid.to_float, INSTRUMENT.quantity_grid.to_float
    return tuple(tuple((price(p), size(q)) for p, q in side) for side in levels.top(1_000))


def _frozen(book: dict[str, dict[float, float]]) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    bids = tuple(sorted(book["b"].items(), reverse=True))
    return bids, tuple(sorted(book["a"].items()))
