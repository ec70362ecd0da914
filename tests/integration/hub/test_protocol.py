"""The hub over real sockets: what clients are told, and what is refused, to whom and in which words."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import aiohttp
import msgspec
import pytest

from foxtrot.adapter.capabilities import BookKind
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import ConfigError
from foxtrot.hub.server import HubServer
from foxtrot.hub.settings import HubSettings, OfferSettings
from foxtrot.hub.wire import HubLimits
from tests.support.hub_scene import ACCOUNT, BTC, HubScene, StreamingAdapter, hub_scene
from tests.support.waiting import wait_until

BIDS = ((100.0, 1.0), (99.99, 2.0), (99.95, 3.0))
ASKS = ((100.01, 1.5), (100.05, 2.5))


@pytest.fixture
def scene() -> Iterator[HubScene]:
    with hub_scene() as made:
        made.adapter.whole(BIDS, ASKS)
        made.settle()
        yield made


def test_the_adapter_is_asked_once_and_for_a_snapshot_with_changes(scene: HubScene) -> None:
    request = scene.adapter.requests[0]
    assert (request.instrument_id, request.depth_changes, request.depth_levels, request.ticks) == (BTC, True, 0, True)
    scene.adapter.on_status(AdapterState.LOST, "cable")
    scene.adapter.on_status(AdapterState.READY)
    scene.settle()
    assert len(scene.adapter.requests) == 1


class PartialAdapter(StreamingAdapter):
    """A venue that streams its best levels, whole each time."""

    capabilities = msgspec.structs.replace(StreamingAdapter.capabilities, depth_changes=False, book=BookKind.PARTIAL)


class BestAdapter(StreamingAdapter):
    """A venue that streams its best bid and ask alone."""

    capabilities = msgspec.structs.replace(StreamingAdapter.capabilities, depth_changes=False, book=BookKind.BEST)


def test_a_venue_of_best_levels_gives_books_by_whole_snapshots() -> None:
    with hub_scene(adapter=PartialAdapter, offers=(OfferSettings(BTC, ACCOUNT, 3),)) as scene:
        request = scene.adapter.requests[0]
        assert (request.depth_levels, request.depth_changes) == (3, False)
        scene.adapter.whole(BIDS, ASKS)
        client = scene.raw()
        client.subscribe(levels=3)
        whole = client.next("snapshot")
        assert (whole["lowest_known"], whole["highest_known"]) == ("99.95", "100.05")
        scene.adapter.whole((*BIDS[:2], (99.95, 4.0)), ASKS, 101)
        assert client.next("change")["bids"] == [["99.95", "4.00000"]]
        scene.adapter.whole(((100.0, 1.0), (99.99, 2.0), (99.98, 3.0)), ASKS, 102)
        whole = client.next("snapshot")  # what is known is another part of the book
        assert (whole["seq"], whole["lowest_known"], whole["bids"][2]) == (2, "99.98", ["99.98", "3.00000"])


def test_a_venue_of_the_best_bid_and_ask_has_a_ticker_and_says_so_of_its_book() -> None:
    with hub_scene(adapter=BestAdapter) as scene:
        request = scene.adapter.requests[0]
        assert (request.ticks, request.depth_levels, request.depth_changes) == (True, 0, False)
        client = scene.raw()
        client.subscribe()
        whole = client.next("snapshot")
        assert (whole["state"], whole["cause"]) == (
            "syncing",
            "scripted streams no order book, only best: read the ticker",
        )
        scene.adapter.quote(100.0, 100.01)
        client.subscribe(kind="ticker")
        assert client.next("ticker")["bid"] == "100.00"


def test_a_snapshot_then_changes_in_consecutive_numbers_with_exact_text(scene: HubScene) -> None:
    client = scene.raw()
    assert client.hello["version"] == 1
    assert client.hello["needs_token"] is False
    stream = client.subscribe(levels=2)
    whole = client.next("snapshot")
    assert (whole["stream"], whole["seq"], whole["state"], whole["update_id"]) == (stream, 0, "live", "100")
    assert whole["bids"] == [["100.00", "1.00000"], ["99.99", "2.00000"]]
    assert whole["asks"] == [["100.01", "1.50000"], ["100.05", "2.50000"]]
    scene.adapter.change(bids=((100.0, 0.0),))
    change = client.next("change")
    assert (change["seq"], change["update_id"]) == (1, "101")
    assert change["bids"] == [["99.95", "3.00000"], ["100.00", "0"]]  # the third is the second now
    scene.adapter.change(bids=((99.0, 7.0),))  # below what this client reads: nothing to tell it
    scene.adapter.change(asks=((100.02, 0.00001),))
    change = client.next("change")
    assert (change["seq"], change["update_id"], change["asks"]) == (2, "103", [["100.02", "0.00001"], ["100.05", "0"]])


def test_groups_hold_no_better_price_than_there_is(scene: HubScene) -> None:
    client = scene.raw()
    client.send({"op": "subscribe", "instrument": BTC, "group": "0.1"})
    assert client.next("subscribed")["group"] == "0.10"
    whole = client.next("snapshot")
    assert whole["bids"] == [["100.00", "1.00000"], ["99.90", "5.00000"]]
    assert whole["asks"] == [["100.10", "4.00000"]]


def test_a_ticker_is_whole_each_time_and_absent_is_null(scene: HubScene) -> None:
    scene.adapter.quote(100.0, 100.01)
    scene.settle()
    client = scene.raw()
    client.subscribe(kind="ticker")
    tick = client.next("ticker")
    assert [tick[name] for name in ("bid", "bid_size", "ask", "ask_size", "last", "volume")] == [
        "100.00", "1.00000", "100.01", "2.00000", "100.00", "10.25000",
    ]  # fmt: skip
    scene.adapter.quote(0.0, 100.01)
    tick = client.next("ticker")
    assert (tick["seq"], tick["bid"], tick["bid_size"]) == (1, None, None)
    scene.adapter.on_status(AdapterState.LOST, "cable")
    assert client.next("state")["state"] == "stale"
    scene.adapter.quote(99.0, 99.01)
    assert (tick := client.next("ticker"))["state"] == "live"
    assert tick["seq"] == 3


def test_a_lost_adapter_is_told_at_once_and_a_new_snapshot_makes_it_live(scene: HubScene) -> None:
    client = scene.raw()
    client.subscribe()
    client.next("snapshot")
    scene.adapter.on_status(AdapterState.LOST, "reset by peer")
    told = client.next()
    assert (told["type"], told["state"], told["seq"]) == ("state", "stale", 1)
    assert "reset by peer" in told["cause"]
    late = scene.raw()
    late.subscribe()
    sick = late.next("snapshot")
    assert (sick["state"], sick["bids"], sick["asks"]) == ("stale", [], [])
    scene.adapter.on_status(AdapterState.READY)
    scene.adapter.change(bids=((98.0, 1.0),))  # follows nothing that may be believed
    scene.adapter.whole(BIDS[1:], ASKS, update_id=300)
    for reader in (client, late):
        whole = reader.next()
        assert (whole["type"], whole["state"], whole["seq"], whole["update_id"]) == ("snapshot", "live", 2, "300")
        assert whole["bids"][0] == ["99.99", "2.00000"]


def test_what_the_adapter_says_of_its_book_is_told(scene: HubScene) -> None:
    client = scene.raw()
    client.subscribe()
    client.next("snapshot")
    scene.adapter.on_book_state(BTC, BookState.CROSSED, "crossed")
    assert client.next()["state"] == "crossed"
    scene.adapter.on_book_state(BTC, BookState.LIVE)
    assert client.next()["state"] == "live"
    scene.adapter.on_book_state(BTC, BookState.SYNCING, "a gap")
    told = client.next()
    assert (told["state"], told["cause"]) == ("syncing", "a gap")
    scene.adapter.on_book_state(BTC, BookState.LIVE)  # our copy is not: its snapshot follows
    scene.settle()
    assert scene.offered().state is BookState.SYNCING


def test_a_gap_of_the_feed_is_syncing_and_a_snapshot_is_asked_for(scene: HubScene) -> None:
    client = scene.raw()
    client.subscribe()
    client.next("snapshot")
    scene.adapter.change(bids=((99.0, 1.0),), lost=3)
    told = client.next()
    assert (told["type"], told["state"]) == ("state", "syncing")
    assert scene.adapter.snapshots == [BTC]
    scene.adapter.change(bids=((99.0, 2.0),))  # of no use before the snapshot
    scene.adapter.whole(BIDS, ASKS, update_id=110)
    assert client.next()["update_id"] == "110"
    assert scene.offered().gaps == 1


BAD_FRAMES = [
    ("{", 0, "not one JSON object"),
    ("[1]", 0, "Expected `object`"),
    ('{"op":"subscrib","id":7}', 7, "'subscrib'"),
    ('{"op":"subscribe","id":"a"}', "a", "missing required field `instrument`"),
    ('{"op":"subscribe","id":7,"instrument":"BTCUSDT.SPOT","levels":"x"}', 7, "levels = 'x': Expected `int`"),
    ('{"op":"subscribe","id":7,"instrument":"BTCUSDT.SPOT","levels":0}', 7, "levels 0 must be from 1 to 50"),
    ('{"op":"subscribe","id":7,"instrument":"BTCUSDT.SPOT","levels":51}', 7, "levels 51 must be from 1 to 50"),
    ('{"op":"subscribe","id":7,"instrument":"X.SPOT"}', 7, "'X.SPOT' is not offered here; offered: BTCUSDT.SPOT"),
    ('{"op":"subscribe","id":7,"instrument":"BTCUSDT.SPOT","group":"0.015"}', 7, "multiple of the price step 0.01; nearest: 0.01 or 0.02"),
    ('{"op":"subscribe","id":7,"instrument":"BTCUSDT.SPOT","group":"-1"}', 7, "must be above 0"),
    ('{"op":"subscribe","id":7,"instrument":"BTCUSDT.SPOT","group":"ten"}', 7, "'ten'"),
    ('{"op":"unsubscribe","id":7,"stream":4}', 7, "stream 4 is none of yours; yours: none"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "number", "words"), BAD_FRAMES)
def test_a_bad_frame_is_answered_with_the_value_and_the_connection_goes_on(
    scene: HubScene, frame: str, number: int | str, words: str
) -> None:
    client = scene.raw()
    client.send(frame)
    error = client.next("error")
    assert error["id"] == number
    assert words in error["text"]
    client.send({"op": "ping", "id": 9})
    assert client.next("pong")["id"] == 9


def test_the_same_stream_twice_is_refused_and_unsubscribing_ends_it(scene: HubScene) -> None:
    client = scene.raw()
    stream = client.subscribe()
    client.send({"op": "subscribe", "id": 2, "instrument": BTC, "levels": 5})
    assert f"stream {stream} already" in client.next("error")["text"]
    client.send({"op": "unsubscribe", "id": 3, "stream": stream})
    assert client.next("unsubscribed")["stream"] == stream
    scene.adapter.change(bids=((100.0, 4.0),))
    client.send({"op": "status", "id": 4})
    status = client.next()
    assert status["type"] == "status"
    assert (status["streams"], status["books"][0]["clients"]) == (0, 0)


def test_the_status_says_which_stream_each_book_comes_from(scene: HubScene) -> None:
    client = scene.raw()
    client.subscribe()
    client.send({"op": "status", "id": "s"})
    row = client.next("status")["books"][0]
    assert [row[name] for name in ("instrument", "account", "adapter", "link", "state", "source", "clients")] == [
        BTC, ACCOUNT, "scripted", "ready", "live", "stream", 1,
    ]  # fmt: skip


def test_an_instrument_that_is_not_listed_yet_is_told_so() -> None:
    scene = HubScene()
    try:
        scene.clients.start()
        scene.server.start()
        client = scene.raw()
        client.send({"op": "subscribe", "id": 1, "instrument": BTC})
        assert client.next("error")["code"] == "not_yet"
        ours = scene.client()
        feed = ours.book(BTC)
        wait_until(lambda: "cannot be had yet" in feed.latest.cause)
        scene.adapter.become_ready()
        scene.adapter.whole(BIDS, ASKS)
        assert feed.wait(10).update_id == 100
    finally:
        scene.close()


# --- limits ---------------------------------------------------------------------------------------------------------


def test_too_many_streams_of_a_client_are_refused() -> None:
    with hub_scene(limits=HubLimits(subscriptions=2)) as scene:
        client = scene.raw()
        client.subscribe(levels=1)
        client.subscribe(levels=2)
        client.send({"op": "subscribe", "id": 3, "instrument": BTC, "levels": 3})
        assert "reads 2 streams already, the most it may" in client.next("error")["text"]


def test_too_many_clients_are_sent_away_and_one_that_leaves_makes_room() -> None:
    with hub_scene(limits=HubLimits(clients=1)) as scene:
        first = scene.raw()
        with pytest.raises(AssertionError):
            scene.raw()
        first.close()
        wait_until(lambda: scene.server.figures().clients == 0)
        assert scene.raw().hello["type"] == "hello"


def test_a_frame_that_is_too_long_ends_the_connection_and_nobody_elses(scene: HubScene) -> None:
    loud, quiet = scene.raw(), scene.raw()
    loud.send('{"op":"ping","id":"' + "x" * 20_000 + '"}')
    assert loud.ended()[0] == 1009
    quiet.send({"op": "ping", "id": 1})
    assert quiet.next("pong")["id"] == 1


def test_who_asks_too_often_is_sent_away() -> None:
    with hub_scene(limits=HubLimits(frames_per_s=5)) as scene:
        client = scene.raw()
        for number in range(6):
            client.send({"op": "ping", "id": number})
        code, reason = client.ended()
        assert (code, reason) == (1008, "more than 5 frames in a second")


def test_a_binary_frame_ends_the_connection(scene: HubScene) -> None:
    client = scene.raw()
    scene.clients.submit(client.ws.send_bytes(b"{}")).result(5)
    assert client.ended() == (1008, "frames are text")


# --- who may read ---------------------------------------------------------------------------------------------------


def test_without_the_token_nothing_is_told() -> None:
    with hub_scene(token=Secret("right one")) as scene:
        client = scene.raw()
        assert client.hello["needs_token"] is True
        client.send({"op": "status", "id": 1})
        assert client.ended() == (4401, "the first frame must be hello with the token")
        wrong = scene.raw()
        wrong.send({"op": "hello", "version": 1, "token": "wrong one"})
        assert wrong.ended() == (4401, "the token is missing or wrong")
        garbage = scene.raw()
        garbage.send("[")
        assert garbage.ended()[0] == 4401
        right = scene.raw()
        right.send({"op": "hello", "id": 3, "version": 1, "token": "right one"})
        assert right.next("accepted")["id"] == 3
        right.send({"op": "status", "id": 4})
        assert right.next("status")["books"][0]["instrument"] == BTC


def handshake(scene: HubScene, header: bytes) -> bytes:
    """Return how the hub answers a WebSocket handshake with a header of raw bytes."""
    asked = (
        b"GET /ws HTTP/1.1", b"Host: hub", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", header, b"", b"",
    )  # fmt: skip
    with socket.create_connection((scene.server.settings.host, scene.server.port), 5) as client:
        client.sendall(b"\r\n".join(asked))
        return client.recv(100)


def test_a_token_in_the_header_is_taken_and_a_wrong_one_is_http_401() -> None:
    with hub_scene(token=Secret("right one")) as scene:
        assert scene.raw(headers={"Authorization": "Bearer right one"}).hello["needs_token"] is False
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            scene.raw(headers={"Authorization": "Bearer wrong one"})
        assert refused.value.status == 401
        assert handshake(scene, b"Authorization: Bearer \xff\xfe").startswith(b"HTTP/1.1 401 ")


def test_a_client_that_never_sends_its_token_is_sent_away() -> None:
    with hub_scene(token=Secret("right one"), limits=HubLimits(token_s=0.05)) as scene:
        assert scene.raw().ended() == (4401, "no token came in time")


def test_a_token_in_the_url_is_refused_because_urls_are_logged() -> None:
    with hub_scene(token=Secret("right one")) as scene:
        client = aiohttp_status(scene, "?token=right%20one", {})
        assert client == 400


def test_another_version_is_refused(scene: HubScene) -> None:
    client = scene.raw()
    client.send({"op": "hello", "version": 9})
    assert client.ended() == (1008, "version 9 is not spoken here; use 1")


ORIGINS = [
    ("http://127.0.0.1:{port}", 101),
    ("http://localhost:{port}", 101),
    ("http://[::1]:{port}", 101),
    ("http://app.local:3000", 101),
    ("https://app.local:3000", 403),
    ("http://localhost:1", 403),
    ("https://evil.example", 403),
    ("http://evil.example:{port}", 403),
    ("http://127.0.0.1.evil.example:{port}", 403),
    ("null", 403),
    ("", 403),
]


@pytest.mark.parametrize(("origin", "status"), ORIGINS)
def test_a_page_from_elsewhere_may_not_read_whatever_name_leads_here(origin: str, status: int) -> None:
    with hub_scene(origins=("http://app.local:3000",)) as scene:
        origin = origin.format(port=scene.server.port)
        host = origin.partition("://")[2] or "localhost"
        assert aiohttp_status(scene, "", {"Origin": origin, "Host": host}) == status


def aiohttp_status(scene: HubScene, query: str, headers: dict[str, str]) -> int:
    """The HTTP status of a handshake."""

    async def ask() -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(scene.server.url + query, headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status

    return scene.clients.submit(ask()).result(10)


def test_the_page_is_served_with_a_policy_and_no_door_for_other_pages(scene: HubScene) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{scene.server.port}/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert b"Foxtrot hub" in answer.read()
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert answer.headers["X-Frame-Options"] == "DENY"
    for path in ("ws", "page.html", "../setup.cfg"):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{scene.server.port}/{path}")


# --- slow and gone --------------------------------------------------------------------------------------------------


WIDE = tuple((round(100.0 - number / 100, 2), 1.0) for number in range(50))


def test_a_slow_client_is_told_how_much_it_missed_and_gets_the_whole_anew() -> None:
    with hub_scene(limits=HubLimits(queue_bytes=20_000)) as scene:
        adapter = scene.adapter
        adapter.whole(WIDE, ASKS)
        slow = scene.raw(receive_bytes=4_096)
        slow.subscribe(levels=50)
        seq = int(slow.next("snapshot")["seq"])
        slow.stall()
        rounds = 400
        for number in range(rounds):
            adapter.change(bids=tuple((price, 2.0 + number) for price, _ in WIDE))
            scene.settle()
        slow.go_on()
        skipped = 0
        while True:
            frame = slow.next()
            if frame["type"] == "conflated":
                assert frame["seq"] == seq + frame["count"]
                seq, skipped = frame["seq"], skipped + frame["count"]
                frame = slow.next()
                assert (frame["type"], frame["seq"]) == ("snapshot", seq)
            else:
                assert (frame["type"], frame["seq"]) == ("change", seq + 1)
                seq = frame["seq"]
            if frame["update_id"] == str(adapter.update_id):
                break
        assert seq == rounds
        assert skipped > 10
        assert {size for _, size in frame["bids"]} == {f"{1.0 + rounds:.5f}"}


def test_a_client_that_takes_nothing_is_dropped_in_time() -> None:
    with hub_scene(limits=HubLimits(queue_bytes=1_000_000, patience_s=0.1)) as scene:
        scene.adapter.whole(WIDE, ASKS)
        stalled = scene.raw(receive_bytes=4_096)
        stalled.subscribe(levels=50)
        stalled.next("snapshot")
        stalled.stall()

        def is_gone() -> bool:
            for _ in range(50):
                size = scene.adapter.update_id / 100
                scene.adapter.change(bids=tuple((price, size) for price, _ in WIDE))
                scene.settle()
            return scene.server.figures().clients == 0

        wait_until(is_gone, deadline_s=30)
        stalled.go_on()
        assert scene.server.figures().slow == 1


def test_heartbeats_come_while_nothing_else_does() -> None:
    with hub_scene(heartbeat_s=0.02) as scene:
        client = scene.raw()
        first, second = client.next("heartbeat"), client.next("heartbeat")
        assert second["time_us"] > first["time_us"]


def test_the_hub_closes_while_clients_read(scene: HubScene) -> None:
    clients = [scene.raw() for _ in range(3)]
    for client in clients:
        client.subscribe()
    assert scene.server.stop() == ""
    assert {client.ended()[0] for client in clients} == {1001}
    scene.adapter.change(bids=((100.0, 9.0),))  # an adapter may still speak


def test_a_stopped_hub_starts_again_on_its_port(scene: HubScene) -> None:
    port = scene.server.port
    assert scene.server.stop() == ""
    scene.server.start()
    assert scene.server.port == port
    client = scene.raw()
    client.subscribe()
    assert client.next("snapshot")["state"] == "live"


def test_a_port_that_is_taken_and_an_account_without_adapter_are_refused(scene: HubScene) -> None:
    offers = (OfferSettings(BTC, ACCOUNT),)
    second = HubServer(HubSettings(offers=offers, port=scene.server.port))
    with pytest.raises(ConfigError, match="'main' has no adapter; there are: none"):
        second.start()
    second.attach(scene.adapter)
    with pytest.raises(ConfigError, match=f"port {scene.server.port} of 127.0.0.1 is taken"):
        second.start()


def test_an_error_of_our_own_makes_books_unbelievable_rather_than_wrong(scene: HubScene) -> None:
    client = scene.raw()
    client.subscribe()
    client.next("snapshot")
    take, scene.server.inlet.take = scene.server.inlet.take, lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    scene.adapter.change(bids=((100.0, 2.0),))
    assert client.next()["state"] == "syncing"
    scene.server.inlet.take = take  # type: ignore[method-assign]
    assert scene.adapter.snapshots == [BTC]


@pytest.mark.parametrize("text", ["abc", "NaN", "Infinity", "1e999"])
def test_a_group_that_is_no_number_is_told_so(scene: HubScene, text: str) -> None:
    client = scene.raw()
    client.send({"op": "subscribe", "instrument": BTC, "group": text})
    assert client.next("error")["text"] == (
        f"group {text!r} is no usable number; give a price step such as 0.10, or leave it out for no grouping"
    )
