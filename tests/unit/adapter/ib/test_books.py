"""Books made of rows: inserted, changed and deleted by their place; told whole, uncrossed and exact."""

from decimal import Decimal
from random import Random

import pytest

from foxtrot.adapter.ib.books import CROSSED_NS, MOST_ROWS, SETTLED_NS, TOP_ONLY, RowBook
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.market import DepthData
from foxtrot.exchange.listings import listing

AAPL = listing("AAPL.NASDAQ")
ASK, BID = 0, 1
INSERT, UPDATE, DELETE = 0, 1, 2


class Up:
    def __init__(self) -> None:
        self.depths: list[DepthData] = []
        self.states: list[BookState] = []
        self.causes: list[str] = []

    def on_depth(self, depth: DepthData) -> None:
        self.depths.append(depth)

    def on_book_state(self, _instrument_id: str, state: BookState, cause: str = "") -> None:
        self.states.append(state)
        self.causes.append(cause)


class Scene:
    """A book of which two rows a side are asked for."""

    def __init__(self, rows: int = 2, levels: int = 2) -> None:
        self.up = Up()
        self.book = RowBook(AAPL, self.up, PriceSnap(AAPL))
        self.book.want(levels)
        self.book.begin(rows)
        self.now_ns = 10**18

    def row(self, place: int, operation: int, side: int, price: float, size: float, *, merges: bool = False) -> None:
        self.book.take((place, operation, side, price, size), self.now_ns, merges=merges)

    def fill(self) -> "Scene":
        for place, (bid, ask) in enumerate([(99.0, 101.0), (98.0, 102.0)]):
            self.row(place, INSERT, BID, bid, 10)
            self.row(place, INSERT, ASK, ask, 20)
        return self

    @property
    def last(self) -> DepthData:
        return self.up.depths[-1]


def test_a_book_is_told_once_both_sides_have_all_rows_and_then_with_every_row() -> None:
    scene = Scene().fill()
    assert scene.up.states == [BookState.SYNCING, BookState.LIVE]
    assert [(depth.bids, depth.asks) for depth in scene.up.depths] == [
        (((99.0, 10.0), (98.0, 10.0)), ((101.0, 20.0), (102.0, 20.0)))
    ]
    scene.row(0, UPDATE, BID, 99.0, 15)
    assert scene.last.bids == ((99.0, 15.0), (98.0, 10.0))
    scene.row(0, DELETE, BID, 0.0, 0)
    assert scene.last.bids == ((98.0, 10.0),)
    assert [depth.update_id for depth in scene.up.depths] == [1, 2, 3]


def test_an_insert_shifts_rows_down_and_the_one_that_falls_out_is_gone() -> None:
    scene = Scene().fill()
    scene.row(0, INSERT, BID, 100.0, 5)
    assert scene.last.bids == ((100.0, 5.0), (99.0, 10.0))
    scene.row(2, DELETE, BID, 0.0, 0)  # IB may say that it is gone, too
    assert scene.last.bids == ((100.0, 5.0), (99.0, 10.0))
    scene.row(0, DELETE, BID, 0.0, 0)
    scene.row(1, INSERT, BID, 98.0, 10)
    assert scene.last.bids == ((99.0, 10.0), (98.0, 10.0))


def test_a_book_with_fewer_rows_is_whole_once_no_row_comes_for_a_moment() -> None:
    scene = Scene(rows=5)
    scene.row(0, INSERT, BID, 99.0, 10)
    scene.book.beat(scene.now_ns + SETTLED_NS - 1)
    assert scene.book.state is BookState.SYNCING
    scene.book.beat(scene.now_ns + SETTLED_NS)
    assert scene.book.state is BookState.LIVE
    assert (scene.last.bids, scene.last.asks) == (((99.0, 10.0),), ())


def test_a_book_after_which_something_else_was_answered_is_whole_at_once_unless_it_has_no_row() -> None:
    scene = Scene(rows=5)
    scene.book.settle(scene.now_ns)
    assert scene.book.state is BookState.SYNCING
    scene.row(0, INSERT, BID, 99.0, 10)
    scene.book.settle(scene.now_ns)
    assert scene.book.state is BookState.LIVE
    assert scene.last.bids == ((99.0, 10.0),)


def test_a_book_without_any_row_is_not_live_however_long_it_is_quiet() -> None:
    scene = Scene()
    scene.book.beat(scene.now_ns + 10 * SETTLED_NS)
    assert scene.book.state is BookState.SYNCING


def test_bid_and_ask_that_cross_for_a_moment_are_not_told_and_for_longer_are() -> None:
    scene = Scene().fill()
    told = len(scene.up.depths)
    scene.row(0, INSERT, BID, 101.0, 7)
    assert len(scene.up.depths) == told
    assert (scene.book.best(scene.now_ns) or pytest.fail("no best")).bid == Decimal(99)
    scene.book.beat(scene.now_ns + CROSSED_NS)
    assert scene.book.state is BookState.CROSSED
    assert scene.book.exact(scene.now_ns) is None
    scene.row(0, DELETE, ASK, 0.0, 0)
    assert scene.up.states[-1] is BookState.LIVE
    assert (scene.last.bids[0], scene.last.asks[0]) == ((101.0, 7.0), (102.0, 20.0))


def test_rows_of_several_makers_at_one_price_are_one_level() -> None:
    scene = Scene(rows=3, levels=3)
    for place, (price, size) in enumerate([(99.0, 10), (99.0, 5), (98.0, 1)]):
        scene.row(place, INSERT, BID, price, size, merges=True)
    scene.book.beat(scene.now_ns + SETTLED_NS)
    assert scene.last.bids == ((99.0, 15.0), (98.0, 1.0))


def test_a_row_that_does_not_follow_is_a_bad_message() -> None:
    scene = Scene().fill()
    for operation in (INSERT, UPDATE):
        with pytest.raises(BadMessage, match=r"row 4 of AAPL\.NASDAQ does not follow 2 rows"):
            scene.row(4, operation, BID, 99.0, 1)
    with pytest.raises(BadMessage, match="operation 7"):
        scene.row(0, 7, BID, 99.0, 1)


def test_a_reset_empties_the_book_which_comes_back_by_inserts() -> None:
    scene = Scene().fill()
    scene.book.reset(scene.now_ns)
    assert scene.book.exact(scene.now_ns) is None
    scene.fill()
    assert scene.up.states == [BookState.SYNCING, BookState.LIVE, BookState.SYNCING, BookState.LIVE]


def test_a_stale_book_is_believed_by_nobody_and_begins_anew() -> None:
    scene = Scene().fill()
    scene.book.stale("the link is lost")
    assert (scene.up.states[-1], scene.up.causes[-1]) == (BookState.STALE, "the link is lost")
    assert scene.book.exact(scene.now_ns) is None
    assert scene.book.best(scene.now_ns) is None
    scene.book.begin(2)
    scene.fill()
    assert scene.up.states[-2:] == [BookState.SYNCING, BookState.LIVE]


def test_only_as_many_levels_are_told_as_are_wanted_and_the_exact_book_has_all() -> None:
    scene = Scene(levels=1).fill()
    assert scene.last.bids == ((99.0, 10.0),)
    exact = scene.book.exact(scene.now_ns + 5_000_000)
    assert exact is not None
    assert exact.bids == ((Decimal(99), Decimal(10)), (Decimal(98), Decimal(10)))
    assert exact.age_ms == 5.0


def test_the_best_bid_and_ask_stand_in_where_ib_gives_no_depth() -> None:
    scene = Scene()
    scene.book.stand_in((99.0, 3.0, 101.0, 4.0), scene.now_ns)
    assert (scene.up.states[-1], scene.up.causes[-1]) == (BookState.LIVE, TOP_ONLY)
    assert (scene.last.bids, scene.last.asks) == (((99.0, 3.0),), ((101.0, 4.0),))
    told = len(scene.up.depths)
    scene.book.take_top((99.0, 3.0, 101.0, 4.0), scene.now_ns)
    assert len(scene.up.depths) == told
    scene.book.take_top((99.5, 3.0, 101.0, 4.0), scene.now_ns)
    assert scene.last.bids == ((99.5, 3.0),)


def test_a_stand_in_that_went_stale_comes_back_with_the_next_quote() -> None:
    scene = Scene()
    scene.book.stand_in((99.0, 3.0, 101.0, 4.0), scene.now_ns)
    scene.book.stale("its quote is delayed")
    assert scene.book.best(scene.now_ns) is None
    scene.book.take_top((99.0, 3.0, 101.0, 4.0), scene.now_ns)
    assert scene.up.states[-3:] == [BookState.STALE, BookState.SYNCING, BookState.LIVE]


def test_a_book_that_ended_says_nothing_more() -> None:
    scene = Scene().fill()
    told = len(scene.up.depths), len(scene.up.states)
    scene.book.end()
    scene.fill()
    scene.book.begin(2)
    assert (len(scene.up.depths), len(scene.up.states)) == told


def test_a_thousand_random_changes_leave_the_book_that_a_plain_list_has() -> None:
    random, scene = Random(7), Scene(rows=MOST_ROWS, levels=MOST_ROWS)
    plain: dict[int, list[tuple[float, float]]] = {ASK: [], BID: []}
    for _ in range(1_000):
        side = random.choice((ASK, BID))
        rows, sign, begin = plain[side], 1 if side == ASK else -1, 101.0 if side == ASK else 99.0
        place = random.randrange(len(rows) + 1)
        operation = random.choice((INSERT, UPDATE, DELETE))
        price, size = begin + sign * place / 100, float(random.randrange(1, 500))
        if operation == INSERT:
            rows.insert(place, (price, size))
            del rows[MOST_ROWS:]
        elif place < len(rows):
            rows[place : place + 1] = [(price, size)] if operation == UPDATE else []
        elif operation == UPDATE:
            rows.append((price, size))
            del rows[MOST_ROWS:]
        scene.row(place, operation, side, price, size)
        scene.book.beat(scene.now_ns + SETTLED_NS)
        if scene.book.last is not None:
            assert scene.book.last.bids == tuple(plain[BID])
            assert scene.book.last.asks == tuple(plain[ASK])
    assert scene.book.state is BookState.LIVE
