"""A slow client: whatever is left out, what it is told adds up, and what it believes is the book."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData
from foxtrot.hub.channel import BookChannel
from foxtrot.hub.client_streams import KeptBook
from foxtrot.hub.offer import Offer
from foxtrot.hub.peer import Peer
from foxtrot.hub.settings import OfferSettings
from foxtrot.hub.wire import Change, Conflated, Snapshot, StateTold, Told, encode, read_told
from tests.support.builders import a_spot

PAIR = a_spot()
LEVELS = 4


class Desk:
    """One book, one reader whose client reads when the test says so."""

    def __init__(self, queue_bytes: int) -> None:
        self.offer = Offer(OfferSettings(PAIR.instrument_id, "main", 50), lambda _: None)
        self.offer.list_instrument(PAIR)
        self.update_id = 0
        self.whole()
        self.channel = BookChannel(1, ("book", PAIR.instrument_id, LEVELS, 0), self.offer, PAIR, ManualClock(10**18))
        self.peer = Peer(queue_bytes)
        self.peer.join(self.channel)
        self.kept = KeptBook(PAIR.instrument_id)
        self.believed = self.kept.nothing(BookState.EMPTY, "")
        self.told: list[Told] = []

    def whole(self) -> None:
        self.update_id += 10
        bids = tuple((100.0 - level, float(self.update_id)) for level in range(6))
        asks = tuple((101.0 + level, float(self.update_id)) for level in range(6))
        self.offer.load(DepthData(PAIR.instrument_id, 1, 1, self.update_id, bids, asks))

    def change(self, price: int, size: int) -> None:
        before, self.update_id = self.update_id, self.update_id + 1
        levels = ((float(price), float(size)),)
        bids, asks = (levels, ()) if price <= 100 else ((), levels)
        self.offer.apply(DepthChange(PAIR.instrument_id, 1, 1, self.update_id, self.update_id, before, bids, asks))

    def lose(self, state: BookState) -> None:
        self.offer.hear_state(state, "told")

    def read(self, frames: int) -> None:
        for _ in range(frames):
            waiting = self.peer._next()
            if waiting is None:
                return
            frame = read_told(waiting.data)
            self.told.append(frame)
            assert isinstance(frame, Snapshot | Change | StateTold | Conflated)
            self.believed = self.kept.take(frame, 0)

    def check(self) -> None:
        """Read all that waits: nothing is missing, and what is believed is so."""
        self.read(10_000)
        assert self.kept.seq == self.channel.seq
        assert self.believed.state is self.offer.state
        if self.believed.is_live:
            assert (self.believed.bids, self.believed.asks) == self.top()

    def top(self) -> tuple[tuple[tuple[Decimal, Decimal], ...], ...]:
        assert self.offer.book is not None
        price, size = PAIR.price_grid.to_decimal, PAIR.quantity_grid.to_decimal
        return tuple(tuple((price(p), size(q)) for p, q in side) for side in self.offer.book.levels.top(LEVELS))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(95, 106), st.integers(0, 9)),
        st.tuples(st.just("burst"), st.integers(2, 20), st.integers(1, 9)),
        st.tuples(st.just("read"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("lose"), st.sampled_from([0, 1, 2]), st.just(0)),
        st.tuples(st.just("whole"), st.just(0), st.just(0)),
        st.tuples(st.just("check"), st.just(0), st.just(0)),
    ),
    max_size=80,
)
SICK = (BookState.STALE, BookState.SYNCING, BookState.CROSSED)


@settings(max_examples=150)
@given(STEPS, st.sampled_from([0, 300, 700, 1_500, 10_000]))
def test_numbers_add_up_and_a_live_book_is_the_hubs(steps: list[tuple[str, int, int]], queue_bytes: int) -> None:
    desk = Desk(queue_bytes)
    for what, first, second in steps:
        if what == "read":
            desk.read(first)
            continue
        if what == "check":
            desk.check()
            continue
        if what == "change":
            desk.change(first, second)
        elif what == "burst":
            for number in range(first):
                desk.change(100, 10 + second + number)
                desk.channel.publish()
        elif what == "whole":
            desk.whole()
        else:
            desk.lose(SICK[first])
        desk.channel.publish()
        assert desk.peer.waiting_bytes <= max(queue_bytes, 700)
    desk.check()
    skipped = sum(frame.count for frame in desk.told if isinstance(frame, Conflated))
    numbered = sum(isinstance(frame, Change | StateTold | Snapshot) for frame in desk.told)
    assert skipped == desk.peer.conflated == desk.kept.conflated
    assert numbered + skipped >= desk.channel.seq


def test_a_state_overtakes_what_waits_and_says_what_it_took_the_place_of() -> None:
    desk = Desk(10_000)
    desk.read(1)
    for size in (3, 4, 5):
        desk.change(100, size)
        desk.channel.publish()
    desk.lose(BookState.STALE)
    desk.channel.publish()
    desk.read(1)
    notice = desk.told[-1]
    assert isinstance(notice, Conflated)
    assert (notice.count, notice.seq) == (3, 3)
    assert not desk.believed.is_live
    desk.read(1)
    state = desk.told[-1]
    assert isinstance(state, StateTold)
    assert (state.seq, state.state) == (4, BookState.STALE)
    assert desk.peer._next() is None


def test_what_waits_for_a_stalled_client_does_not_grow_with_states_that_come_and_go() -> None:
    desk = Desk(500)
    for _ in range(200):
        desk.lose(BookState.SYNCING)
        desk.channel.publish()
        desk.whole()
        desk.channel.publish()
    assert desk.peer.urgent_frames <= 2
    desk.read(10)
    assert (desk.believed.bids, desk.believed.asks) == desk.top()


def test_answers_pass_levels_that_wait() -> None:
    desk = Desk(10_000)
    desk.peer.answer(Conflated(stream=9, seq=1, count=1))
    waiting = desk.peer._next()
    assert waiting is not None
    assert msgspec.json.decode(waiting.data)["stream"] == 9
    assert encode(Conflated(stream=9, seq=1, count=1)) == waiting.data
