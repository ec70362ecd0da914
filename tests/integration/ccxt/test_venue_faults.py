"""What single venues do to a book besides losing a change: wrong checksums, ids that begin anew, levels that are told no more."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.scripted_venues.backpack import BackpackScript
from tests.support.scripted_venues.bybit import BybitScript
from tests.support.scripted_venues.grvt import GrvtScript
from tests.support.scripted_venues.kraken import KrakenScript
from tests.support.scripted_venues.okx import OkxScript
from tests.support.scripted_venues.scene import CcxtScene
from tests.support.scripted_venues.script import VenueScript


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[CcxtScene]:
    """Connect to a venue, and wait for its book."""
    with CcxtScene(request.param()) as made:
        made.connect(SubscribeRequest(made.name, ticks=False, depth_levels=20))
        made.until(lambda: made.is_true(made.book()))
        yield made


def on(script: type[VenueScript]) -> pytest.MarkDecorator:
    """Let a test play on a venue."""
    return pytest.mark.parametrize("scene", [script], indirect=True, ids=[script.exchange])


def follows(scene: CcxtScene, since: int) -> None:
    """See that the book goes on, and was LIVE all the time."""
    for size in scene.script.size:
        scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], size))
        scene.until(lambda: scene.is_true(scene.book()))
    assert scene.states(since) == []


def mended(scene: CcxtScene, since: int) -> None:
    """See that the book was given up and is the venue's again."""
    scene.until(lambda: BookState.SYNCING in scene.states(since))
    scene.until(lambda: scene.is_true(scene.book()))
    assert scene.states(since)[0] is BookState.SYNCING
    assert scene.states(since)[-1] is BookState.LIVE
    follows(scene, len(scene.heard))


@on(KrakenScript)
def test_kraken_a_wrong_checksum_gives_the_book_up(scene: CcxtScene) -> None:
    """Although nothing was lost: whose word is wrong cannot be told."""
    since = len(scene.heard)
    frame = scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])
    frame["data"][0]["checksum"] ^= 1
    scene.server.push("book", frame)
    mended(scene, since)


@on(KrakenScript)
def test_kraken_a_loss_below_the_ten_best_is_seen_once_it_matters(scene: CcxtScene) -> None:
    """The checksum says nothing of an eleventh level; once it is one of the ten it does."""
    script, since = scene.script, len(scene.heard)
    script.change(Side.BUY, "85590.0", "1.50000000")  # lost, the eleventh bid
    scene.server.push("book", script.change(Side.SELL, script.price[1], script.size[1]))
    scene.until(lambda: (book := scene.book()) is not None and len(book.asks) == len(script.asks))
    assert not scene.is_true(scene.book())
    scene.server.push("book", script.change(Side.BUY, "85600.4", "0"))
    mended(scene, since)


@on(KrakenScript)
def test_kraken_a_level_that_falls_out_of_the_depth_is_forgotten(scene: CcxtScene) -> None:
    """Of what happens to it there nothing is told, so that it may not come back by itself."""
    script, since = scene.script, len(scene.heard)
    for tick in range(len(script.bids), 1000):
        script.set_level(Side.BUY, str(Decimal("85590.0") - Decimal(tick) / 10), "1.00000000")
    last, below = min(script.bids, key=Decimal), "85000.0"
    scene.server.push("book", script.snapshot())
    scene.until(lambda: scene.is_true(scene.book()))
    scene.server.push("book", script.change(Side.BUY, script.price[0], script.size[0]))
    scene.until(lambda: scene.is_true(scene.book()))
    script.set_level(Side.BUY, last, "0")
    script.set_level(Side.BUY, below, "2.00000000")
    scene.server.push("book", script.change(Side.BUY, script.price[0], "0"))
    scene.until(lambda: scene.is_true(scene.book()))
    assert script.book()[0][-1][0] == Decimal(below)
    assert scene.states(since) == []


@on(OkxScript)
def test_okx_a_quiet_minute_and_a_maintenance_change_nothing(scene: CcxtScene) -> None:
    """Ids that stay, and ids that go back, as long as they follow."""
    assert isinstance(scene.script, OkxScript)
    since = len(scene.heard)
    scene.server.push("book", scene.script.heartbeat())
    follows(scene, since)
    scene.server.push("book", scene.script.reset(3))
    follows(scene, since)


@on(OkxScript)
def test_okx_a_reset_that_was_lost_is_a_gap(scene: CcxtScene) -> None:
    """The ids after it are lower than the book's, which is not to be taken for old ones."""
    assert isinstance(scene.script, OkxScript)
    follows(scene, since := len(scene.heard))
    scene.script.reset(3)
    scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0]))
    mended(scene, since)


@on(OkxScript)
def test_okx_a_checksum_is_checked_where_there_is_one(scene: CcxtScene) -> None:
    """It is 0 by now; one that is not, and is wrong, would be the venue's word."""
    since = len(scene.heard)
    frame = scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])
    frame["data"][0]["checksum"] = 1
    scene.server.push("book", frame)
    mended(scene, since)


@on(BybitScript)
def test_bybit_a_restart_of_the_service_is_a_snapshot_that_counts_from_one(scene: CcxtScene) -> None:
    """It overwrites the book, which is LIVE before and after."""
    assert isinstance(scene.script, BybitScript)
    since = len(scene.heard)
    scene.script.change(Side.SELL, scene.script.price[1], scene.script.size[1])  # lost with the service
    scene.server.push("book", scene.script.restart())
    scene.until(lambda: scene.is_true(scene.book()))
    follows(scene, since)


@pytest.mark.parametrize("script", [OkxScript, GrvtScript], ids=["okx", "grvt"])
def test_a_partial_book_is_pushed_whole_and_is_no_book_in_memory(script: type[VenueScript]) -> None:
    """What lies beyond its levels nobody knows, so that it is told as depth alone."""
    with CcxtScene(script(), book="partial") as scene:
        scene.connect(SubscribeRequest(scene.name, ticks=False, depth_levels=5))
        scene.until(scene.shows_truth)
        for size in scene.script.size:
            scene.server.push("book", scene.script.change(Side.BUY, scene.script.price[0], size))
            scene.until(scene.shows_truth)
        assert scene.book() is None
        assert scene.adapter.health().books[scene.name].implementation == "partial"
        scene.adapter.unsubscribe(scene.name)
        scene.until(lambda: not scene.server.subscribed("book"))


@pytest.mark.parametrize(
    "scene", [BybitScript, GrvtScript, BackpackScript], indirect=True, ids=["bybit", "grvt", "backpack"]
)
def test_a_change_that_comes_twice_is_taken_once(scene: CcxtScene) -> None:
    """GRVT says that it may, due to network retries."""
    since = len(scene.heard)
    frame = scene.script.change(Side.BUY, scene.script.price[0], scene.script.size[0])
    scene.server.push("book", frame)
    scene.server.push("book", frame)
    follows(scene, since)
