"""Many books on one connection: opened, heard, followed, looked at, closed."""

import threading

import pytest

from foxtrot.books.cached_book import BookView, CachedBook
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import BookState
from tests.support.book_facts import BTC, EMPTY, LIVE, STALE, SYNCING, change, snapshot
from tests.support.instruments import a_spot

ETH = a_spot(instrument_id="ETHUSDT.TEST", symbol="ETHUSDT")
NAME = BTC.instrument_id


class Scene:
    """A cache, and the books that wait for a snapshot."""

    def __init__(self) -> None:
        self.waiting: list[CachedBook] = []
        self.cache = DepthCache(self.waiting.append, levels=2)

    def live(self) -> CachedBook:
        book = self.cache.open(BTC, ContiguousIds())
        book.begin()
        book.load(snapshot(), book.generation)
        return book


@pytest.fixture
def scene() -> Scene:
    return Scene()


def state_of(scene: Scene, name: str = NAME) -> BookState | None:
    view = scene.cache.latest(name)
    return view.state if view else None


def test_a_book_is_opened_once_and_looked_at_by_its_view(scene: Scene) -> None:
    book = scene.live()
    assert scene.cache.open(BTC, ContiguousIds()) is book is scene.cache.book(NAME)
    view = scene.cache.latest(NAME)
    assert view == BookView(
        NAME, LIVE, 100, 100_000_000, 100_000_001, ((9_999, 1_500), (9_998, 2_000)), ((10_001, 500),)
    )
    assert scene.waiting == [book]


def test_a_view_does_not_change_and_the_next_one_has_only_so_many_levels(scene: Scene) -> None:
    book, before = scene.live(), scene.cache.latest(NAME)
    book.apply(change(101, 101, bids=((100.0, 1.0),)))
    after = scene.cache.latest(NAME)
    assert before is not None
    assert after is not None
    assert (before.update_id, before.bids[0]) == (100, (9_999, 1_500))
    assert after.bids == ((10_000, 1_000), (9_999, 1_500))


def test_books_are_apart(scene: Scene) -> None:
    btc = scene.live()
    eth = scene.cache.open(ETH, ContiguousIds())
    eth.begin()
    btc.apply(change(105, 106))
    assert (state_of(scene), state_of(scene, ETH.instrument_id)) == (SYNCING, SYNCING)
    eth.load(snapshot(), eth.generation)
    assert (state_of(scene), state_of(scene, ETH.instrument_id)) == (SYNCING, LIVE)
    assert scene.cache.counters()[NAME].gaps == 1
    assert scene.cache.counters()[ETH.instrument_id].gaps == 0


def test_silence_is_told_of_every_book(scene: Scene) -> None:
    scene.live()
    eth = scene.cache.open(ETH, ContiguousIds())
    eth.begin()
    eth.load(snapshot(), eth.generation)
    scene.cache.silence("cut")
    assert (state_of(scene), state_of(scene, ETH.instrument_id)) == (STALE, STALE)


def test_who_hears_of_silence_may_close_books(scene: Scene) -> None:
    scene.live()
    eth = scene.cache.open(ETH, ContiguousIds())
    eth.begin()
    eth.load(snapshot(), eth.generation)
    scene.cache.listen(NAME, lambda view: scene.cache.close(NAME))
    scene.cache.silence("cut")
    assert (state_of(scene), state_of(scene, ETH.instrument_id)) == (None, STALE)


def test_who_fails_at_hearing_of_silence_keeps_it_from_no_other_book(scene: Scene) -> None:
    def fail(view: BookView) -> None:
        raise ValueError(view.state)

    scene.live()
    eth = scene.cache.open(ETH, ContiguousIds())
    eth.begin()
    eth.load(snapshot(), eth.generation)
    scene.cache.listen(NAME, fail)
    with pytest.raises(ValueError, match="stale"):
        scene.cache.silence("cut")
    assert (state_of(scene), state_of(scene, ETH.instrument_id)) == (STALE, STALE)


def test_who_listens_hears_states_and_changes_until_it_ends(scene: Scene) -> None:
    heard: list[tuple[BookState, int]] = []
    end = scene.cache.listen(NAME, lambda view: heard.append((view.state, view.update_id)))
    book = scene.live()
    book.apply(change(101, 101))
    book.apply(change(103, 103))
    assert heard == [(SYNCING, 0), (LIVE, 100), (LIVE, 100), (LIVE, 101), (SYNCING, 0)]
    end()
    end()
    book.load(snapshot(103), book.generation)
    assert len(heard) == 5


def test_a_closed_book_is_gone_and_may_be_opened_again(scene: Scene) -> None:
    book, heard = scene.live(), list[BookState]()
    scene.cache.listen(NAME, lambda view: heard.append(view.state))
    scene.cache.close(NAME)
    assert (scene.cache.latest(NAME), scene.cache.book(NAME)) == (None, None)
    assert not book.apply(change(101, 101))
    scene.cache.close(NAME)
    assert scene.live() is not book
    assert heard == [EMPTY, SYNCING, LIVE, LIVE]
    assert (book.state, book.view(1).state, book.view(1).bids) == (EMPTY, EMPTY, ())


# --- following ----------------------------------------------------------------------------------------------------------


def test_an_iterator_gives_what_is_new_and_goes_on_later(scene: Scene) -> None:
    book = scene.live()
    news = scene.cache.follow(NAME)
    assert list(news) == []
    book.apply(change(101, 101))
    book.apply(change(102, 102))
    assert [view.update_id for view in news] == [101, 102]
    book.apply(change(103, 103))
    assert [view.update_id for view in news] == [103]
    news.end()
    book.apply(change(104, 104))
    assert list(news) == []


def test_an_iterator_that_is_not_read_counts_what_it_let_go(scene: Scene) -> None:
    book, news = scene.live(), scene.cache.follow(NAME, keep=2)
    for number in range(101, 106):
        book.apply(change(number, number))
    assert [view.update_id for view in news] == [104, 105]
    assert news.missed == 3


def test_an_iterator_is_read_on_another_thread(scene: Scene) -> None:
    book, news = scene.live(), scene.cache.follow(NAME)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set() or len(seen) < 500:
            seen.extend(view.update_id for view in news)

    reader = threading.Thread(target=read, name="reader")
    reader.start()
    for number in range(101, 601):
        book.apply(change(number, number))
    done.set()
    reader.join(10)
    assert seen == list(range(101, 601))
