"""The hub's small parts: exact text, the room between threads, settings, offers at the edges of what is known, what a client keeps."""

import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, Gap, RequestFailed
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import BadMessage, BookOutOfSync, ConfigError
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DepthChange, DepthData, TickData
from foxtrot.hub.board import Board
from foxtrot.hub.channel import BookChannel
from foxtrot.hub.client import HubClient
from foxtrot.hub.client_streams import KeptBook, KeptTicker
from foxtrot.hub.exact_text import float_text, unit_text
from foxtrot.hub.inlet import Inlet
from foxtrot.hub.offer import Offer
from foxtrot.hub.peer import Peer
from foxtrot.hub.session_desk import HubCounters, SessionDesk, fits
from foxtrot.hub.settings import HubSettings, OfferSettings
from foxtrot.hub.wire import Change, Conflated, HelloAsk, Snapshot, StateTold, Ticker, id_of, read_ask, read_told
from tests.support.builders import a_spot

PAIR = a_spot()
NAME = PAIR.instrument_id
OFFERS = (OfferSettings(NAME, "main", 50),)


@given(st.integers(-(10**15), 10**15), st.sampled_from(["0.01", "0.05", "0.00000001", "1", "5", "1000", "0.25"]))
def test_text_is_that_of_the_grid(units: int, step: str) -> None:
    grid = Grid.of(step)
    assert unit_text(grid, units) == grid.to_text(units)


def test_a_float_off_the_grid_is_told_as_it_prints_and_absent_as_none() -> None:
    assert float_text(Grid.of("0.01"), 100.1) == "100.10"
    assert float_text(Grid.of("0.01"), 100.125) == "100.125"
    assert float_text(Grid.of("0.01"), 0.0) is None


# --- the room between threads ---------------------------------------------------------------------------------------


def change(first: int, name: str = NAME) -> DepthChange:
    return DepthChange(name, 1, 1, first, first, first - 1, ((100.0, float(first)),), ())


def tick(bid: float, name: str = NAME) -> TickData:
    return TickData(name, 1, 1, bid, 1.0, bid + 1, 1.0)


def test_facts_come_out_in_order_and_of_ticks_the_newest() -> None:
    woken: list[int] = []
    inlet = Inlet(lambda: woken.append(1))
    inlet.put(change(1))
    inlet.put(tick(1.0))
    inlet.put(tick(2.0))
    inlet.put("nobody's business")
    inlet.put(change(2))
    assert inlet.take() == [change(1), change(2), tick(2.0)]
    assert woken == [1]
    inlet.put(change(3))
    assert woken == [1, 1]


def test_depth_past_the_mark_is_told_as_a_gap_behind_what_came_before_and_states_are_kept() -> None:
    inlet = Inlet(lambda: None, high_water=2)
    lost = AdapterStatus("main", "x", AdapterState.LOST, "", 0, 0.0, 1)
    for fact in (change(1), change(2), change(3), change(4), change(1, "OTHER"), lost):
        inlet.put(fact)
    assert inlet.take() == [change(1), change(2), lost, Gap(NAME, "DepthChange", 2), Gap("OTHER", "DepthChange", 1)]
    assert inlet.shed == 3


def test_a_tick_stays_before_the_change_of_the_connection_that_came_after_it() -> None:
    inlet = Inlet(lambda: None)
    lost, ready = (
        AdapterStatus("main", "x", state, "", 0, 0.0, 1) for state in (AdapterState.LOST, AdapterState.READY)
    )
    for fact in (tick(1.0), tick(2.0), lost, ready, tick(3.0)):
        inlet.put(fact)
    assert inlet.take() == [tick(2.0), lost, ready, tick(3.0)]
    made, _ = board()
    made.hear([ContractsLoaded("main", (PAIR,))])
    for fact in (tick(4.0), lost):
        inlet.put(fact)
    made.hear(inlet.take())
    assert made.offers[NAME].tick_state is BookState.STALE
    inlet.put(ready)
    made.hear(inlet.take())
    assert made.offers[NAME].tick_state is BookState.STALE  # until the next tick
    inlet.put(tick(5.0))
    made.hear(inlet.take())
    assert made.offers[NAME].tick_state is BookState.LIVE


def test_nothing_is_lost_between_many_threads() -> None:
    inlet = Inlet(lambda: None, high_water=10**9)
    threads = [
        threading.Thread(target=lambda: [inlet.put(change(number)) for number in range(1, 501)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    taken: list[object] = []
    while any(thread.is_alive() for thread in threads):
        taken += inlet.take()
    taken += inlet.take()
    assert len(taken) == 2_000


# --- offers ---------------------------------------------------------------------------------------------------------


def board() -> tuple[Board, list[str]]:
    asked: list[str] = []
    return Board(OFFERS, ManualClock(10**18), lambda offer: asked.append(offer.instrument_id)), asked


def test_a_shed_gap_makes_a_book_syncing_and_a_gap_of_prints_does_not() -> None:
    made, asked = board()
    whole = DepthData(NAME, 1, 1, 1, ((100.0, 1.0),), ((101.0, 1.0),))
    made.hear([ContractsLoaded("main", (PAIR,)), whole, Gap(NAME, "MarketTrade", 3)])
    assert made.offers[NAME].state is BookState.LIVE
    made.hear([Gap(NAME, "DepthChange", 3)])
    assert made.offers[NAME].state is BookState.SYNCING
    assert asked == [NAME]
    made.hear([Gap(NAME, "DepthChange", 3)])
    assert asked == [NAME, NAME]  # it may be the snapshot asked for that was shed


def test_a_first_snapshot_that_was_shed_is_asked_for() -> None:
    made, asked = board()
    inlet = Inlet(lambda: None, high_water=1)
    inlet.put(ContractsLoaded("main", (PAIR,)))
    inlet.put(DepthData(NAME, 1, 1, 1, ((100.0, 1.0),), ((101.0, 1.0),)))
    made.hear(inlet.take())
    assert inlet.shed == 1
    assert (made.offers[NAME].state, asked, made.offers[NAME].gaps) == (BookState.SYNCING, [NAME], 0)


def test_a_book_that_is_crossed_here_is_not_live_though_the_adapters_is_already() -> None:
    made, _ = board()
    offer = made.offers[NAME]
    made.hear(
        [ContractsLoaded("main", (PAIR,)), DepthData(NAME, 1, 1, 1, ((100.0, 1.0), (99.0, 1.0)), ((101.0, 1.0),))]
    )
    channel = BookChannel(1, ("book", NAME, 5, 0), offer, PAIR, ManualClock(10**18))
    crossing, parting = (
        DepthChange(NAME, 1, 1, at, at, at - 1, ((101.0, size),), ()) for at, size in ((2, 1.0), (3, 0.0))
    )
    for fact, told in (
        (BookStateChanged("main", NAME, BookState.CROSSED, "", 1), BookState.CROSSED),
        (crossing, BookState.CROSSED),
        (BookStateChanged("main", NAME, BookState.LIVE, "", 1), BookState.CROSSED),
        (parting, BookState.LIVE),
    ):
        made.hear([fact])
        channel.publish()
        assert (offer.state, channel.told) == (told, told)


def test_an_instrument_that_the_venue_does_not_list_says_so() -> None:
    made, _ = board()
    made.hear([ContractsLoaded("main", ()), ContractsLoaded("other", (PAIR,))])
    assert made.status()[0].cause == f"account main lists no {NAME}; it lists nothing"


def test_a_failed_request_is_told_of_its_own_instrument_alone() -> None:
    made, _ = board()
    made.hear([ContractsLoaded("main", (PAIR,)), RequestFailed("main", f"subscribe ST{NAME}", "halted", 1)])
    assert made.offers[NAME].cause == "no snapshot yet"
    made.hear([RequestFailed("main", f"subscribe {NAME} 1m", "halted", 1)])
    assert made.offers[NAME].cause == f"subscribe {NAME} 1m: halted"


def test_a_snapshot_off_the_grid_is_not_believed() -> None:
    made, _ = board()
    made.hear([ContractsLoaded("main", (PAIR,)), DepthData(NAME, 1, 1, 1, ((100.001, 1.0),), ())])
    assert made.offers[NAME].state is BookState.STALE


def test_levels_beyond_what_is_known_are_not_told_and_groups_only_whole() -> None:
    offer = Offer(OFFERS[0], lambda _: None)
    offer.list_instrument(PAIR)
    bids = tuple((1000 - number / 100, 1.0) for number in range(500))
    asks = ((1000.01, 1.0), (1000.02, 1.0))
    offer.load(DepthData(NAME, 1, 1, 7, bids, asks))
    offer.apply(DepthChange(NAME, 1, 1, 8, 8, 7, ((900.0, 5.0),), ()))  # below the snapshot: others may stand between
    clock = ManualClock(10**18)
    whole = read_told(BookChannel(1, ("book", NAME, 600, 0), offer, PAIR, clock).whole())
    assert isinstance(whole, Snapshot)
    assert (whole.lowest_known, whole.highest_known) == ("995.01", "1000.02")
    assert len(whole.bids) == 500
    grouped = read_told(BookChannel(2, ("book", NAME, 600, 100), offer, PAIR, clock).whole())
    assert isinstance(grouped, Snapshot)
    assert grouped.bids[-1] == ("996.00", "100.00000")  # that of 995.00 is known from 995.01 on only
    assert grouped.asks == ()  # what is known ends within the first one


SECOND_NS = 10**9


def window(update_id: int, best: float) -> DepthData:
    """Three levels a side of a venue that has many."""
    bids = tuple((round(best - far / 100, 2), 1.0) for far in range(3))
    asks = tuple((round(best + 1 + far / 100, 2), 1.0) for far in range(3))
    return DepthData(NAME, 1, 1, update_id, bids, asks)


def moved_to(update_id: int, at_s: float, *bids: tuple[float, float]) -> DepthChange:
    return DepthChange(NAME, 1, int(at_s * SECOND_NS), update_id, update_id, update_id - 1, bids, ())


def test_a_book_of_few_levels_is_known_as_far_as_they_go_unless_the_venue_hides_nothing() -> None:
    offer = Offer(OFFERS[0], lambda _: None)
    offer.list_instrument(PAIR)
    offer.load(window(1, 100.0))
    assert offer.book is not None
    assert (offer.book.lowest_known, offer.book.highest_known) == (9_998, 10_102)
    offer.load(DepthData(NAME, 1, 1, 1, (), ((101.0, 1.0),)))
    assert (offer.book.lowest_known, offer.book.highest_known) == (None, 10_100)  # of no level none is hidden
    offer.bounded_from = 4
    offer.load(window(1, 100.0))
    assert (offer.book.lowest_known, offer.book.highest_known) == (None, None)


def test_levels_beyond_what_is_known_are_asked_for_at_a_growing_pause_while_they_do_not_come() -> None:
    asked: list[BookState] = []
    offer = Offer(OFFERS[0], lambda one: asked.append(one.state))
    offer.list_instrument(PAIR)
    offer.load(window(1, 100.0))
    times = []
    for update_id in range(2, 400):
        before = len(asked)
        offer.apply(moved_to(update_id, update_id / 10, (99.0, float(update_id))))
        if len(asked) > before:
            times.append(update_id / 10)
            offer.load(window(update_id, 100.0))  # it knows no more than before
    assert set(asked) == {BookState.LIVE}
    assert times == [0.2, 2.2, 6.2, 14.2, 30.2]
    offer.load(window(400, 100.01))
    offer.apply(moved_to(401, 40.1, (99.0, 1.0)))
    assert len(asked) == 6  # it knows another part now


def test_a_best_level_that_is_not_known_is_not_told() -> None:
    asked: list[BookState] = []
    offer = Offer(OFFERS[0], lambda one: asked.append(one.state))
    offer.list_instrument(PAIR)
    offer.load(window(1, 100.0))
    offer.apply(moved_to(2, 1, (100.0, 0.0)))
    assert asked == []
    offer.apply(moved_to(3, 1, (99.99, 0.0)))
    assert (offer.state, asked) == (BookState.LIVE, [BookState.LIVE])  # thin
    offer.apply(moved_to(4, 1, (99.98, 0.0), (99.0, 1.0)))
    assert (offer.state, offer.gaps) == (BookState.SYNCING, 0)
    assert "beyond the levels that are known" in offer.cause
    assert asked == [BookState.LIVE, BookState.SYNCING]
    offer.load(window(4, 99.0))
    assert offer.state is BookState.LIVE


# --- who may read ---------------------------------------------------------------------------------------------------


def test_an_address_that_others_can_reach_needs_a_token() -> None:
    with pytest.raises(ConfigError, match=r"'0\.0\.0\.0' can be reached from other machines, so a token is needed"):
        HubSettings(offers=OFFERS, host="0.0.0.0")
    assert HubSettings(offers=OFFERS, host="0.0.0.0", token=Secret("x")).host == "0.0.0.0"
    with pytest.raises(ConfigError, match="'localhost' must be an IP address"):
        HubSettings(offers=OFFERS, host="localhost")


@pytest.mark.parametrize(
    "origin", ["*", "http://*.example", "localhost:3000", "http://a/path", "null", "ftp://a", "http://"]
)
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    with pytest.raises(ConfigError, match="must be scheme, host and port"):
        HubSettings(offers=OFFERS, origins=(origin,))


def test_a_token_is_in_no_text() -> None:
    settings = HubSettings(offers=OFFERS, token=Secret("hush hush"))
    assert "hush" not in repr(settings)
    assert "hush" not in repr(HelloAsk(token="hush hush"))
    with HubClient("ws://127.0.0.1:9/ws", "hush hush") as client:
        assert "hush" not in repr(client)
    assert fits("hush hush", settings)
    assert not fits("hush", settings)
    assert not fits("hüsh", settings)
    assert not fits("\udcff", settings)
    assert not fits("\ud800", settings)
    with pytest.raises(BadMessage) as refused:
        read_ask('{"op":"hello","token":["hush"]}')
    assert "hush" not in str(refused.value)


def test_a_client_that_asks_and_reads_nothing_is_sent_away() -> None:
    made, _ = board()
    clock = ManualClock(0)
    peer = Peer(1_000)
    desk = SessionDesk(peer, made, HubSettings(offers=OFFERS), HubCounters(0), clock)
    ended = None
    for _ in range(2_000):
        clock.advance(10**9)
        ended = desk.hear('{"op":"ping"}')
        if ended:
            break
    assert ended == (1008, "1000 answers wait and none is read")
    assert peer.urgent_frames == 1_001


@pytest.mark.parametrize(
    ("frame", "number"),
    [('{"id":3}', 3), ('{"id":"a"}', "a"), ('{"id":true}', 0), ("[", 0), ('{"id":[1]}', 0), ("3", 0)],
)
def test_the_id_of_a_frame_that_cannot_be_read(frame: str, number: int | str) -> None:
    assert id_of(frame) == number


# --- what a client keeps --------------------------------------------------------------------------------------------


def whole(seq: int, state: BookState = BookState.LIVE) -> Snapshot:
    return Snapshot(
        stream=1, seq=seq, state=state, update_id="5", bids=(("1.0", "2"), ("0.9", "3")), asks=(("1.1", "4"),)
    )


def moved(seq: int) -> Change:
    return Change(stream=1, seq=seq, update_id="6", venue_time_us=1, time_us=2, bids=(("1.0", "0"), ("0.95", "1")))


def test_a_book_is_kept_by_number_and_exactly() -> None:
    kept = KeptBook(NAME)
    kept.take(whole(7), 0)
    value = kept.take(moved(8), 9)
    assert value.bids == ((Decimal("0.95"), Decimal(1)), (Decimal("0.9"), Decimal(3)))
    assert (value.seq, value.update_id, value.local_time_ns, value.best_ask) == (8, 6, 9, (Decimal("1.1"), Decimal(4)))


@pytest.mark.parametrize(
    "frame",
    [
        moved(7), moved(9), whole(7), whole(9), Conflated(stream=1, seq=12, count=4), Conflated(stream=1, seq=9, count=3),
        StateTold(stream=1, seq=9, state=BookState.STALE), Ticker(stream=1, seq=8, state=BookState.LIVE),
    ],
)  # fmt: skip
def test_a_number_that_does_not_follow_is_not_taken(frame: Snapshot | Change | Conflated | StateTold | Ticker) -> None:
    kept = KeptBook(NAME)
    kept.take(whole(6), 0)
    kept.take(moved(7), 0)
    with pytest.raises(BookOutOfSync):
        kept.take(frame, 0)


def test_a_change_is_not_taken_where_a_snapshot_is_due() -> None:
    kept = KeptBook(NAME)
    with pytest.raises(BookOutOfSync, match="where a snapshot was due"):
        kept.take(moved(1), 0)
    kept.take(StateTold(stream=1, seq=3, state=BookState.STALE), 0)
    with pytest.raises(BookOutOfSync, match="where a snapshot was due"):
        kept.take(moved(4), 0)
    kept.take(whole(4, BookState.STALE), 0)
    assert kept.take(whole(5), 0).is_live
    assert kept.take(moved(6), 0).is_live


def test_nothing_is_believed_between_a_notice_and_the_whole() -> None:
    kept = KeptBook(NAME)
    kept.take(whole(6), 0)
    value = kept.take(Conflated(stream=1, seq=9, count=3), 0)
    assert (value.state, value.bids) == (BookState.SYNCING, ())
    value = kept.take(whole(9), 0)
    assert value.is_live
    with pytest.raises(BookOutOfSync):
        kept.take(whole(9), 0)


def test_a_ticker_that_is_sick_has_no_prices() -> None:
    kept = KeptTicker(NAME)
    live = kept.take(Ticker(stream=1, seq=0, state=BookState.LIVE, bid="1.5", volume=None), 0)
    assert (live.bid, live.ask) == (Decimal("1.5"), None)
    sick = kept.take(StateTold(stream=1, seq=1, state=BookState.STALE, cause="cable"), 0)
    assert (sick.bid, sick.cause, sick.is_live) == (None, "cable", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/ws", "ws://", "ws://h/ws?token=hush", "nothing"])
def test_a_url_that_is_none_of_a_hub_is_refused_without_its_query(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        HubClient(url)
    assert "hush" not in str(refused.value)
