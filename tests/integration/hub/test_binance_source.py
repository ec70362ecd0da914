"""A hub fed by the real Binance adapter on the embedded exchange: its book is the venue's, told stale with the link and live again."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from foxtrot.domain.enums import BookState, Product, Side
from foxtrot.hub.client import HubClient
from foxtrot.hub.client_feeds import HubFeed
from foxtrot.hub.client_values import HubBook
from foxtrot.hub.server import HubServer
from foxtrot.hub.settings import HubSettings, OfferSettings
from tests.support.binance_rig import BinanceRig
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until


class Passing(Recorder):
    """Keeps what the adapter publishes and passes it on to a hub."""

    hub: HubServer | None = None

    def put(self, event: object) -> None:
        super().put(event)
        if self.hub is not None:
            self.hub.inlet.put(event)


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def rig(request: pytest.FixtureRequest) -> Iterator[BinanceRig]:
    made = BinanceRig(request.param)
    try:
        yield made
    finally:
        made.discard()


def venue_book(rig: BinanceRig) -> tuple[tuple[tuple[Decimal, Decimal], ...], ...]:
    price, size = rig.spot.price_grid.to_decimal, rig.spot.quantity_grid.to_decimal
    return tuple(tuple((price(row[0]), size(row[1])) for row in side) for side in rig.book())


def agrees(rig: BinanceRig, feed: HubFeed[HubBook]) -> bool:
    book = feed.latest
    return book.is_live and (book.bids, book.asks) == venue_book(rig)


def test_the_hubs_book_is_the_venues_before_and_after_a_lost_link(rig: BinanceRig) -> None:
    rig.adapter.close()
    heard = Passing()
    adapter = rig._make(rig.account, heard)
    rig.adapter, rig.heard = adapter, heard
    name = rig.spot.instrument_id
    hub = HubServer(HubSettings(offers=(OfferSettings(name, rig.account, 50),)))
    heard.hub = hub
    hub.attach(adapter)
    hub.start()
    states: list[BookState] = []
    try:
        adapter.connect()
        rig.settle()
        with HubClient(hub.url) as client:
            feed = client.book(name, 50, on_value=lambda book: states.append(book.state))
            wait_until(lambda: _settled(rig) and agrees(rig, feed))
            for number in range(5):
                rig.rest(Side.BUY, 9_700 + 10 * number, 3_000)
                rig.settle()
            wait_until(lambda: _settled(rig) and agrees(rig, feed))
            assert hub.figures().books[0].adapter == "binance"
            rig.lose_link("reset")
            wait_until(lambda: feed.state is not BookState.LIVE)
            assert feed.latest.bids == ()
            rig.rest(Side.SELL, 10_300, 4_000)
            rig.advance(6)
            wait_until(lambda: _settled(rig) and agrees(rig, feed))
            assert states[-1] is BookState.LIVE
            assert BookState.STALE in states
    finally:
        assert hub.stop() == ""


def _settled(rig: BinanceRig) -> bool:
    rig.settle()
    return True
