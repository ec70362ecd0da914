"""Streams of a venue that came back from a snapshot: whatever it brought with it is told like what was listed since."""

import pytest

from foxtrot.domain.enums import Product, Side
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.surface import BinanceSurface, SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import VenueSide
from tests.support.binance_surface import SurfaceRig


def restarted(rig: SurfaceRig) -> None:
    """Put a surface on a venue that lists nothing, as a server does at its start, and let the venue take up what was saved."""
    snapshot = rig.venue.snapshot()
    rig.venue = Venue(rig.events.append)
    rig.side = VenueSide(rig.product, rig.venue, lambda: rig.now_ns)
    rig.surface = BinanceSurface(rig.side, SurfaceSettings(limits=False))
    rig.venue.take_up(snapshot)
    rig.flush()


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
def test_trades_and_best_prices_flow_after_a_restart_from_what_was_saved(product: Product) -> None:
    rig = SurfaceRig(product)
    price, unit = (6_000_000, 20_000) if product is Product.SPOT else (600_000, 20)
    rig.order(Side.SELL, price, unit)
    rig.order(Side.BUY, price, unit, "alice")
    restarted(rig)
    line = rig.open("/stream", "streams=btcusdt@trade/btcusdt@bookTicker/btcusdt@depth@100ms")
    rig.order(Side.SELL, price, 2 * unit)
    rig.order(Side.BUY, price, unit, "alice")
    rig.wait(200)
    told = {frame["stream"]: frame["data"] for frame in line.take()}
    assert set(told) == {"btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth@100ms"}
    assert told["btcusdt@trade"]["t"] == 2
