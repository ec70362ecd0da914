"""HubClient on a hub over real sockets: three ways to read, sickness told, gaps healed, nothing left behind."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from decimal import Decimal

import pytest
from loguru import logger

from foxtrot.api import HubClient
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import ConfigError, ConnectionLost, LoginFailed, RequestTimedOut
from foxtrot.hub.client_values import HubBook, HubTicker
from foxtrot.hub.wire import Change, Status
from tests.support.hub_scene import BTC, HubScene, hub_scene
from tests.support.waiting import wait_until

BIDS = ((100.0, 1.0), (99.99, 2.0))
ASKS = ((100.01, 1.5), (100.05, 2.5))


@pytest.fixture
def scene() -> Iterator[HubScene]:
    with hub_scene() as made:
        made.adapter.whole(BIDS, ASKS)
        made.settle()
        yield made


def test_the_latest_value_is_exact_and_frozen(scene: HubScene) -> None:
    feed = scene.client().book(BTC)
    book = feed.wait()
    assert book.bids == ((Decimal("100.00"), Decimal("1.00000")), (Decimal("99.99"), Decimal("2.00000")))
    assert (book.best_ask, book.update_id, book.source) == ((Decimal("100.01"), Decimal("1.5")), 100, "stream")
    assert feed.latest is book
    with pytest.raises(AttributeError):
        book.seq = 3  # type: ignore[misc]


def test_a_callback_hears_every_value_on_the_clients_thread(scene: HubScene) -> None:
    heard: list[tuple[HubBook, str]] = []
    feed = scene.client().book(BTC, on_value=lambda book: heard.append((book, threading.current_thread().name)))
    feed.wait()
    for size in range(2, 12):
        scene.adapter.change(bids=((100.0, float(size)),))
        scene.settle()
    wait_until(lambda: len(heard) == 11)
    assert [book.seq for book, _ in heard] == list(range(11))
    assert {name for _, name in heard} == {"hub-client"}


def test_the_last_word_to_a_callback_is_that_nothing_comes_any_more(scene: HubScene) -> None:
    client = scene.client()
    heard: dict[int, list[tuple[str, str, str]]] = {1: [], 2: [], 3: []}

    def listener(number: int) -> Callable[[HubBook], None]:
        def hear(book: HubBook) -> None:
            heard[number].append((book.state.value, book.cause, threading.current_thread().name))
            if number == 2:
                raise ZeroDivisionError

        return hear

    first, second = client.book(BTC, 1, on_value=listener(1)), client.book(BTC, 2, on_value=listener(2))
    second.listen(listener(3))
    first.wait()
    second.wait()
    first.close()
    first.close()
    wait_until(lambda: len(heard[1]) == 2)
    scene.adapter.change(bids=((100.0, 3.0),))
    wait_until(lambda: len(heard[3]) == 2)
    assert client.close() == ""
    closed = ("empty", "closed", "hub-client")
    assert heard[1] == [("live", "", "hub-client"), closed]
    assert heard[2] == heard[3] == [("live", "", "hub-client")] * 2 + [closed]


def test_a_callback_is_told_why_it_is_refused(scene: HubScene) -> None:
    heard: list[HubBook] = []
    scene.client().book(BTC, 51, on_value=heard.append)
    wait_until(lambda: bool(heard))
    assert (heard[-1].state, "levels 51 must be from 1 to 50" in heard[-1].cause) == (BookState.EMPTY, True)
    with hub_scene(token=Secret("right one")) as other:
        client = other.client(token="wrong one")
        for _ in range(2):  # at once, and once it is known
            told: list[HubBook] = []
            client.book(BTC, on_value=told.append)
            wait_until(lambda told=told: bool(told) and "token" in told[-1].cause)  # type: ignore[misc]
            assert told[-1].state is BookState.EMPTY


def test_an_error_in_a_callback_ends_nothing_and_is_told_once_of_its_kind(scene: HubScene) -> None:
    def bad(book: HubBook) -> None:
        raise ZeroDivisionError("mine") if book.seq < 3 else KeyError("too")

    told: list[str] = []
    number = logger.add(lambda message: told.append(str(message)), level="WARNING", format="{message}", diagnose=True)
    try:
        feed = scene.client().book(BTC, on_value=bad)
        feed.wait()
        for size in range(3, 8):
            scene.adapter.change(bids=((100.0, float(size)),))
            scene.settle()
        wait_until(lambda: feed.latest.seq == 5)
        scene.close()
    finally:
        logger.remove(number)
    assert told == [
        f"hub client: a callback of {BTC} failed, told once: {error!r}\n"
        for error in (ZeroDivisionError("mine"), KeyError("too"))
    ]


def test_a_loop_gets_the_newest_value_and_ends_with_the_feed(scene: HubScene) -> None:
    feed = scene.client().book(BTC)
    feed.wait()
    seen: list[int] = []
    for book in feed:
        seen.append(book.seq)
        if book.seq == 3:
            feed.close()
        else:
            scene.adapter.change(bids=((100.0, 5.0 + book.seq),))
    assert seen == [0, 1, 2, 3]
    assert feed.state is BookState.EMPTY
    assert scene.client().book(BTC).wait().seq >= 0
    wait_until(lambda: scene.offered().streams == 1)


def test_an_async_loop_reads_beside_a_blocking_one(scene: HubScene) -> None:
    client = scene.client()
    feed, ticker = client.book(BTC, 1), client.ticker(BTC)

    async def read() -> tuple[list[int], HubTicker]:
        seen = []
        async with asyncio.timeout(10):
            async for book in feed:
                if book.is_live:
                    seen.append(book.seq)
                    scene.adapter.change(bids=((100.0, 5.0 + book.seq),))
                if len(seen) == 3:
                    break
        scene.adapter.quote(99.0, 101.0)
        return seen, await ticker.wait_async()

    seen, tick = asyncio.run(read())
    assert seen == [0, 1, 2]
    assert (tick.bid, tick.ask_size, tick.volume) == (Decimal("99.00"), Decimal("2.00000"), Decimal("10.25000"))


def test_waiting_ends_with_what_is_wrong(scene: HubScene) -> None:
    client = scene.client()
    scene.adapter.on_status(AdapterState.LOST, "cable")
    feed = client.book(BTC)
    wait_until(lambda: feed.state is BookState.STALE)
    with pytest.raises(
        RequestTimedOut, match=r"no LIVE book of BTCUSDT.SPOT in 0.05 s: it is stale, connection lost: cable"
    ):
        feed.wait(0.05)
    with pytest.raises(RequestTimedOut):
        asyncio.run(feed.wait_async(0.05))
    with pytest.raises(ConfigError, match=r"'X' is not offered here; offered: BTCUSDT\.SPOT"):
        client.book("X").wait()
    with pytest.raises(ConfigError, match="group 'ten' must be a price step"):
        client.book(BTC, group="ten")
    assert not feed._waiters


def test_two_feeds_of_the_same_share_a_stream_and_each_ends_by_itself(scene: HubScene) -> None:
    client = scene.client()
    heard: list[HubBook] = []
    first = client.book(BTC, group="0.1")
    book = first.wait()
    second = client.book(BTC, group=Decimal("0.10"), on_value=heard.append)
    assert second.wait() is book
    wait_until(lambda: heard == [book])  # what there is, though nothing changes
    assert (scene.offered().streams, scene.offered().clients) == (1, 1)
    for _ in range(2):
        first.close()
    assert (first.is_ended, first.state) == (True, BookState.EMPTY)
    scene.adapter.change(bids=((100.0, 3.0),))
    wait_until(lambda: len(heard) == 2)
    assert second.latest.best_bid == (Decimal("100.00"), Decimal("3.00000"))
    third = client.book(BTC, group="0.1")
    assert third.wait() is second.latest
    second.close()
    third.close()
    wait_until(lambda: scene.offered().streams == 0)
    assert [one.state.value for one in heard] == ["live", "live", "empty"]


def test_feeds_of_the_same_are_lost_and_live_again_together(scene: HubScene) -> None:
    client = scene.client()
    feeds = [client.book(BTC) for _ in range(3)]
    for feed in feeds:
        feed.wait()
    assert scene.server.stop() == ""
    wait_until(lambda: {feed.state for feed in feeds} == {BookState.STALE})
    feeds.pop(0).close()
    scene.server.start()
    for feed in feeds:
        feed.wait()
    assert client.close() == ""
    assert {feed.state for feed in feeds} == {BookState.EMPTY}


def test_groups(scene: HubScene) -> None:
    feed = scene.client().book(BTC, group="0.1")
    assert feed.wait().bids == ((Decimal("100.00"), Decimal("1.00000")), (Decimal("99.90"), Decimal("2.00000")))


def test_a_sick_book_has_no_levels_until_it_is_live_again(scene: HubScene) -> None:
    heard: list[HubBook] = []
    feed = scene.client().book(BTC, on_value=heard.append)
    feed.wait()
    scene.adapter.on_status(AdapterState.LOST, "cable")
    wait_until(lambda: feed.state is BookState.STALE)
    assert feed.latest.bids == ()
    assert feed.latest.best_bid is None
    scene.adapter.on_status(AdapterState.READY)
    scene.adapter.whole(BIDS, ASKS, 200)
    assert feed.wait().update_id == 200
    wait_until(lambda: [book.state.value for book in heard] == ["live", "stale", "live"])


def test_a_number_that_is_missing_makes_the_client_read_the_stream_anew(scene: HubScene) -> None:
    heard: list[HubBook] = []
    client = scene.client()
    feed = client.book(BTC, on_value=heard.append)
    feed.wait()
    wrong = Change(stream=next(iter(client._link._by_number)), seq=5, update_id="9", venue_time_us=0, time_us=0)
    client._bridge.call_soon(lambda: client._link._hear(wrong))
    wait_until(lambda: [book.state.value for book in heard] == ["live", "syncing", "live"])
    assert "does not" in heard[1].cause or "follows" in heard[1].cause
    scene.adapter.change(bids=((100.0, 8.0),))
    wait_until(lambda: feed.latest.seq == 1)


def test_a_hub_that_comes_back_is_found_again(scene: HubScene) -> None:
    client = scene.client()
    feed, ticker = client.book(BTC), client.ticker(BTC)
    scene.adapter.quote(99.0, 101.0)
    feed.wait()
    ticker.wait()
    assert scene.server.stop() == ""
    wait_until(lambda: feed.state is BookState.STALE)
    assert ticker.state is BookState.STALE
    assert not client.is_connected
    with pytest.raises(ConnectionLost, match=r"no connection to ws://127.0.0.1:\d+/ws in 0.05 s: .+"):
        client.status(0.05)
    scene.server.start()
    scene.adapter.change(bids=((100.0, 9.0),))
    wait_until(lambda: feed.latest.best_bid == (Decimal("100.00"), Decimal("9.00000")))
    assert ticker.wait().bid == Decimal("99.00")
    assert client.status().books[0].instrument == BTC


def test_a_hub_that_says_nothing_any_more_is_held_to_be_gone() -> None:
    with hub_scene(heartbeat_s=0.1) as scene:
        scene.adapter.whole(BIDS, ASKS)
        feed = scene.client().book(BTC)
        feed.wait()
        released = threading.Event()
        scene.server._bridge.call_soon(lambda: released.wait(20) and None)
        wait_until(lambda: feed.state is BookState.STALE)
        released.set()
        assert feed.wait(10).is_live


def test_a_token_is_sent_and_a_wrong_one_is_not_tried_again() -> None:
    with hub_scene(token=Secret("right one")) as scene:
        scene.adapter.whole(BIDS, ASKS)
        assert scene.client(token="right one").book(BTC).wait().is_live
        wrong = scene.client(token="wrong one")
        feed = wrong.book(BTC)
        with pytest.raises(LoginFailed, match="the token is missing or wrong"):
            feed.wait()
        with pytest.raises(LoginFailed):
            next(iter(feed))
        assert scene.server.figures().accepted == 2
        with pytest.raises(LoginFailed):
            wrong.book(BTC, 3).wait()


def test_closing_wakes_who_waits_and_leaves_nothing_behind(scene: HubScene) -> None:
    client = scene.client()
    feed = client.book(BTC)
    feed.wait()
    ended = threading.Event()

    def read() -> None:
        for _ in feed:
            pass
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert client.close() == ""
    assert client.close() == ""
    assert ended.wait(5)
    reader.join()
    with pytest.raises(ConfigError, match="the client is closed"):
        client.book(BTC)
    with pytest.raises(ConfigError, match="the client is closed"):
        client.status()
    wait_until(lambda: scene.server.figures().clients == 0)
    assert scene.offered().streams == 0


def test_a_with_block_closes() -> None:
    with HubClient("ws://127.0.0.1:9/ws") as client:
        feed = client.book(BTC)
        wait_until(lambda: "Cannot connect" in feed.latest.cause)

    async def also() -> None:
        async with HubClient("ws://127.0.0.1:9/ws"):
            await asyncio.sleep(0)

    asyncio.run(also())


def test_an_error_of_our_own_leaves_no_feed_that_is_believed(scene: HubScene) -> None:
    client = scene.client()
    feed = client.book(BTC)
    feed.wait()
    feed.kept.take = lambda frame, now_ns: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    scene.adapter.change(bids=((100.0, 9.0),))
    wait_until(lambda: feed.state is BookState.STALE)
    assert feed.latest.bids == ()


def test_a_callback_hears_the_first_value_however_soon_it_comes(scene: HubScene) -> None:
    client = scene.client()
    for levels in range(1, 30):
        heard: list[HubBook] = []
        client.book(BTC, levels, on_value=heard.append).wait()
        wait_until(lambda heard=heard: bool(heard))  # type: ignore[misc]
        assert heard[0].seq == 0


def test_a_feed_that_is_closed_and_asked_for_again_at_once_is_had(scene: HubScene) -> None:
    client = scene.client()
    for _ in range(5):
        client.book(BTC).close()
    assert client.book(BTC).wait().update_id == 100
    wait_until(lambda: scene.offered().streams == 1)


def test_the_status_waits_for_the_connection(scene: HubScene) -> None:
    for _ in range(5):
        assert scene.client().status().books[0].instrument == BTC
    assert scene.server.stop() == ""
    client = scene.client()
    wait_until(lambda: client._link.trouble.startswith("Cannot connect"))
    asked: Future[Status] = Future()
    asker = threading.Thread(target=lambda: asked.set_result(client.status(20)))
    asker.start()
    wait_until(lambda: bool(client._link._waiting))
    scene.server.start()
    assert asked.result(20).books[0].instrument == BTC
    asker.join()


def test_who_waits_for_a_status_hears_of_a_wrong_token_and_of_the_end() -> None:
    with hub_scene(token=Secret("right one")) as scene:
        wrong = scene.client(token="wrong one")
        for _ in range(2):  # at once, and once it is known
            with pytest.raises(LoginFailed):
                wrong.status()
    client = HubClient("ws://127.0.0.1:9/ws")

    def end() -> None:
        wait_until(lambda: bool(client._link._waiting))
        client.close()

    ender = threading.Thread(target=end)
    ender.start()
    with pytest.raises(ConnectionLost, match="the client is closed"):
        client.status()
    ender.join()
