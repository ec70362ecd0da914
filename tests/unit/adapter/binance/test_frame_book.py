"""Compiled levels behind LevelBook's interface, and what a book does with numbers they cannot hold."""

import inspect
from random import Random

import msgspec
import pytest

from foxtrot.adapter.binance import frame_levels
from foxtrot.adapter.binance.frame_book import FrameBook, FrameDepthBook
from foxtrot.adapter.binance.frame_levels import FrameLevelBook, is_compiled, new_core
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.level_book import LevelBook
from foxtrot.books.sequence import ContiguousIds, PreviousId
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.errors import BadMessage, ConfigError
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DepthChange, DepthData
from tests.support.instruments import a_spot

built = pytest.mark.skipif(not is_compiled(), reason="the compiled path was not built: scripts/setup --compiled")
BTC = a_spot()
FRAME = '{{"e":"depthUpdate","E":7,"s":"BTCUSDT","U":{0},"u":{0},"b":[["99.00","{1}"]],"a":[]}}'


def snapshot(size: float = 1.0) -> DepthData:
    return DepthData(BTC.instrument_id, 1, 1, 100, ((98.0, size),), ((101.0, size),))


def test_without_the_compiled_part_the_option_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_levels, "COMPILED", "foxtrot.adapter.binance._not_there")
    assert not is_compiled()
    with pytest.raises(ConfigError, match="scripts/setup --compiled"):
        FrameDepthBook(BTC, ContiguousIds())


@built
def test_a_rule_of_another_venue_is_refused() -> None:
    class Other(PreviousId):
        """A rule that the compiled part does not know."""

    with pytest.raises(ConfigError, match="ContiguousIds, PreviousId, not Other"):
        FrameDepthBook(BTC, Other())


@built
def test_whatever_looks_into_the_plain_levels_is_written_anew_for_the_compiled_ones() -> None:
    methods = {name: value for name, value in vars(LevelBook).items() if callable(value) or isinstance(value, property)}
    looking = [
        name
        for name, value in methods.items()
        if any(
            f"self.{slot}" in inspect.getsource(value.fget if isinstance(value, property) else value)
            for slot in LevelBook.__slots__
        )
    ]
    assert [name for name in looking if name not in vars(FrameLevelBook)] == []
    assert len(looking) > 10


@built
def test_compiled_levels_answer_as_plain_ones() -> None:
    random, plain = Random(5), LevelBook()
    core = new_core(BTC)
    assert core is not None
    compiled = FrameLevelBook(core)
    for turn in range(300):
        sides = [[(random.randrange(1, 60), random.randrange(0, 4)) for _ in range(random.randrange(9))] for _ in "ba"]
        for book in (plain, compiled):
            if turn % 50 == 0:
                book.load(*sides)
            else:
                book.apply(*sides)
        for kept in (2, 5):
            assert [sorted(side) for side in plain.beyond(kept)] == [sorted(side) for side in compiled.beyond(kept)]
        if turn % 40 == 39:
            assert plain.cut(5) == compiled.cut(5)
        assert plain.snapshot() == compiled.snapshot()
        assert plain.top(3) == compiled.top(3)
        assert plain.top(0) == compiled.top(0)
        assert (plain.best_bid(), plain.best_ask(), len(plain)) == (
            compiled.best_bid(),
            compiled.best_ask(),
            len(compiled),
        )
        assert plain.is_crossed is compiled.is_crossed
        for side in Side:
            assert list(plain.levels(side)) == list(compiled.levels(side))
            assert plain.depth_to(side, 30) == compiled.depth_to(side, 30)
            assert plain.size_at(side, 30) == compiled.size_at(side, 30)
            assert plain.sweep(side, 20) == compiled.sweep(side, 20)
        for bounds in ((None, None), (20, 40), (40, 20), (60, None), (None, 1)):
            assert plain.is_best_within(*bounds) is compiled.is_best_within(*bounds)
    plain.clear()
    compiled.clear()
    assert plain.snapshot() == compiled.snapshot()


USUAL = FRAME.format(101, "2")
NEXT_BY_PREVIOUS = USUAL.replace('"b":', '"pu":{0},"b":')


@built
@pytest.mark.parametrize(
    "frame",
    [
        USUAL.replace('"E":7,', '"E":7,"E":7,'),
        USUAL.replace('"a":[]', '"a":[],"a":[]'),
        USUAL.replace('"a":[]', '"a":[],"new":1'),
        f'{{"stream":"btcusdt@depth20@100ms","data":{USUAL}}}',
        f'{{"stream":"btcusdt@trade","data":{USUAL}}}',
        f'{{"stream":"btcusdt@depth","data":{USUAL}}},',
        USUAL + " ",
        " " + USUAL,
        USUAL.replace("99.00", "99.001"),
        USUAL.replace('"99.00"', "99.00"),
        USUAL.replace("99.00", f"{2**50}"),
        USUAL.replace('"U":101', '"U":102'),
        USUAL.replace("BTCUSDT", "ETHUSDT"),
        "",
        "\ud800",
        *[USUAL[:length] for length in range(len(USUAL))],
    ],
)
def test_what_is_not_as_usual_is_left_alone(frame: str) -> None:
    book = FrameDepthBook(BTC, ContiguousIds())
    book.load(snapshot())
    before = book.depth(9)
    assert not book.follow(frame, 5)
    assert book.depth(9) == before


@built
@pytest.mark.parametrize("frame", [USUAL, USUAL.encode(), f'{{"stream":"btcusdt@depth@100ms","data":{USUAL}}}'])
def test_what_is_as_usual_is_taken(frame: str | bytes) -> None:
    book = FrameDepthBook(BTC, ContiguousIds())
    book.load(snapshot())
    assert book.follow(frame, 5)
    assert book.depth(1).bids == ((99.0, 2.0),)


@built
@pytest.mark.parametrize(("previous", "follows"), [(100, True), (99, False), (101, False)])
def test_the_first_change_after_a_snapshot_of_usdm_names_its_id(previous: int, follows: bool) -> None:
    book = FrameDepthBook(BTC, PreviousId())
    book.load(snapshot())
    assert book.follow(NEXT_BY_PREVIOUS.replace("{0}", str(previous)), 5) is follows


@built
def test_numbers_beyond_64_bits_move_the_book_to_plain_levels_for_good() -> None:
    book = FrameDepthBook(BTC, ContiguousIds())
    book.load(snapshot())
    assert book.is_compiled
    assert book.follow(FRAME.format(101, "2"), 5)
    huge = 2.0**64
    assert book.apply(DepthChange(BTC.instrument_id, 2, 2, 102, 102, 101, ((97.0, huge),), ()))
    assert not book.is_compiled
    assert not book.follow(FRAME.format(103, "3"), 6)
    assert book.depth(9).bids == ((99.0, 2.0), (98.0, 1.0), (97.0, huge))


@built
def test_a_snapshot_beyond_64_bits_does_too() -> None:
    book = FrameDepthBook(BTC, ContiguousIds())
    book.load(snapshot(2.0**64))
    assert book.state is BookState.LIVE
    assert not book.is_compiled
    assert book.depth(1).bids == ((98.0, 2.0**64),)


@built
def test_a_book_that_adopts_the_levels_of_an_audit_stays_compiled() -> None:
    book, twin = FrameDepthBook(BTC, ContiguousIds()), FrameDepthBook(BTC, ContiguousIds()).twin()
    book.load(snapshot())
    twin.load(snapshot(7.0))
    book.adopt(twin)
    assert book.follow(FRAME.format(101, "2"), 5)
    assert book.depth(9).bids == ((99.0, 2.0), (98.0, 7.0))
    assert twin.depth(9).bids == ((98.0, 7.0),)


@built
def test_a_symbol_or_grid_that_does_not_fit_is_plain_from_the_start() -> None:
    assert new_core(msgspec.structs.replace(BTC, symbol="币安USDT")) is None
    assert new_core(msgspec.structs.replace(BTC, quantity_grid=Grid.of("0." + "0" * 19 + "1"))) is None
    assert not FrameDepthBook(msgspec.structs.replace(BTC, symbol="币安USDT"), ContiguousIds()).is_compiled


@built
def test_a_cache_keeps_compiled_books_and_tells_of_each_frame() -> None:
    cache = DepthCache(lambda book: None, levels=2)
    book = cache.add(FrameBook(BTC, ContiguousIds(), cache, lambda book: None))
    heard: list[int] = []
    cache.listen(BTC.instrument_id, lambda view: heard.append(view.update_id))
    book.begin()
    book.load(snapshot(), book.generation)
    heard.clear()
    assert book.take(FRAME.format(101, "2"), 5)
    assert heard == [101]
    view = cache.latest(BTC.instrument_id)
    assert view is not None
    assert (view.bids[0], view.venue_time_ns, view.local_time_ns) == ((9_900, 2_000), 7_000_000, 5)
    assert not book.take(FRAME.format(103, "2"), 6)
    assert (book.state, book.counters.gaps) == (BookState.SYNCING, 1)


@built
def test_a_frame_that_cannot_be_read_changes_nothing() -> None:
    cache = DepthCache(lambda book: None)
    book = cache.add(FrameBook(BTC, ContiguousIds(), cache, lambda book: None))
    book.begin()
    book.load(snapshot(), book.generation)
    before = cache.latest(BTC.instrument_id)
    with pytest.raises(BadMessage):
        book.take(FRAME.format(101, "2")[:-1], 5)
    with pytest.raises(BadMessage):
        book.take('{"e":"trade"}', 5)
    assert cache.latest(BTC.instrument_id) == before
