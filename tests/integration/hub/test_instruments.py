"""What the hub tells when a venue lists an instrument late, no more, again, or with other steps."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from loguru import logger

from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.instrument import Grid
from foxtrot.hub.settings import OfferSettings
from tests.support.builders import a_spot
from tests.support.hub_scene import ACCOUNT, BTC, HubScene, hub_scene

BIDS = ((100.0, 1.0), (99.99, 2.0), (99.95, 3.0))
ASKS = ((100.01, 1.5), (100.05, 2.5))


@pytest.fixture
def scene() -> Iterator[HubScene]:
    with hub_scene() as made:
        made.adapter.whole(BIDS, ASKS)
        made.settle()
        yield made


@contextmanager
def at_once(scene: HubScene) -> Iterator[None]:
    """Let the hub look at nothing until the end of the block, and then at all of it together."""
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        released.wait(10)

    scene.server._bridge.call_soon(hold)
    assert held.wait(10)
    try:
        yield
    finally:
        released.set()


def test_an_instrument_that_is_listed_late_is_asked_for_once_then() -> None:
    other = a_spot("ETHUSDT")
    with hub_scene(offers=(OfferSettings(BTC, ACCOUNT, 50), OfferSettings(other.instrument_id, ACCOUNT, 50))) as scene:
        asked = [request.instrument_id for request in scene.adapter.requests]
        assert (asked, scene.offered(other.instrument_id).state) == ([BTC], BookState.EMPTY)
        scene.adapter.on_contracts((a_spot(), other))
        scene.settle()
        scene.adapter.on_status(AdapterState.LOST, "cable")
        scene.adapter.become_ready(a_spot(), other)
        scene.settle()
        assert [request.instrument_id for request in scene.adapter.requests] == [BTC, other.instrument_id]
        scene.adapter.whole(BIDS, ASKS, name=other.instrument_id)
        scene.settle()
        assert scene.offered(other.instrument_id).state is BookState.LIVE


def test_a_venue_that_changes_its_steps_is_told_anew_by_the_new_ones(scene: HubScene) -> None:
    client = scene.raw()
    plain = client.subscribe()
    client.next("snapshot")
    grouped = client.subscribe(group="0.1")
    client.next("snapshot")
    finer = a_spot(price_grid=Grid.of("0.001"))
    scene.adapter.on_contracts((finer,))
    scene.settle()
    assert {client.next("state")["stream"] for _ in range(2)} == {plain, grouped}
    assert scene.adapter.snapshots == [BTC]
    scene.adapter.whole(((100.001, 1.0), (99.95, 2.0)), ((100.005, 1.0),))
    whole = {found["stream"]: found["bids"] for found in (client.next("snapshot") for _ in range(2))}
    assert whole[plain] == [["100.001", "1.00000"], ["99.950", "2.00000"]]
    assert whole[grouped] == [["100.000", "1.00000"], ["99.900", "2.00000"]]
    client.send({"op": "subscribe", "instrument": BTC, "levels": 5, "group": "0.01"})
    other = client.next("subscribed")
    assert (other["stream"] in (plain, grouped), other["group"], other["price_step"]) == (False, "0.010", "0.001")
    assert client.next("snapshot")["bids"] == [["100.000", "1.00000"], ["99.950", "2.00000"]]
    with at_once(scene):  # the new steps and the whole book at once: no state between them
        scene.adapter.on_contracts((a_spot(price_grid=Grid.of("0.05")),))
        scene.adapter.whole(((100.0, 1.0), (99.95, 2.0)), ((100.05, 1.0),))
    whole = {found["stream"]: found["bids"] for found in (client.next("snapshot") for _ in range(3))}
    assert whole[plain] == whole[other["stream"]] == [["100.00", "1.00000"], ["99.95", "2.00000"]]
    assert whole[grouped] == [["100.00", "1.00000"], ["99.90", "2.00000"]]
    for stream in (plain, grouped, other["stream"]):
        client.send({"op": "unsubscribe", "stream": stream})
        client.next("unsubscribed")
    assert scene.offered().streams == 0


def test_an_instrument_that_is_listed_again_is_asked_for_anew(scene: HubScene) -> None:
    scene.adapter.on_contracts(())
    scene.settle()
    assert scene.offered().state is BookState.EMPTY
    assert scene.adapter.snapshots == []
    scene.adapter.on_contracts((a_spot(),))
    scene.settle()
    assert (scene.offered().state, scene.adapter.snapshots) == (BookState.SYNCING, [BTC])
    scene.adapter.whole(BIDS, ASKS)
    scene.settle()
    assert scene.offered().state is BookState.LIVE


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    told: list[str] = []
    number = logger.add(lambda message: told.append(message.record["message"]), level="WARNING")
    yield told
    logger.remove(number)


def test_what_an_account_does_not_list_is_warned_of_once_with_the_nearest_names(warnings: list[str]) -> None:
    offers = (OfferSettings(BTC, ACCOUNT, 5), OfferSettings("BTCUSTD.SPOT", ACCOUNT, 5))
    with hub_scene(offers=offers) as scene:
        scene.adapter.become_ready()
        scene.adapter.whole(BIDS, ASKS)
        scene.settle()
        text = "account main lists no BTCUSTD.SPOT; nearest: BTCUSDT.SPOT"
        figures = scene.server.figures()
        assert (figures.shared, figures.missing) == (1, {"BTCUSTD.SPOT": text})
        assert scene.offered("BTCUSTD.SPOT").cause == text
        scene.adapter.become_ready()
        scene.settle()
    assert warnings == [f"hub: BTCUSTD.SPOT is not shared: {text}"]


def test_an_account_that_is_refused_is_warned_of_once(warnings: list[str]) -> None:
    offers = (OfferSettings(BTC, ACCOUNT, 5), OfferSettings("ETHUSDT.SPOT", ACCOUNT, 5))
    scene = HubScene(offers=offers)
    try:
        scene.clients.start()
        scene.server.start()
        for _ in range(2):
            scene.adapter.on_status(AdapterState.FAILED, "key refused")
        scene.settle()
        figures = scene.server.figures()
        assert (figures.shared, set(figures.missing.values())) == (0, {"connection failed: key refused"})
    finally:
        scene.close()
    assert [one for one in warnings if one.startswith("hub:")] == [
        "hub: account main: connection failed: key refused; not shared: BTCUSDT.SPOT, ETHUSDT.SPOT"
    ]
