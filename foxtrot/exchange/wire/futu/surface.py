"""FutuOpenD's surface put together from its parts."""

from foxtrot.exchange.wire.futu.gateway import FutuGateway
from foxtrot.exchange.wire.futu.quotes import Quotes
from foxtrot.exchange.wire.futu.trading import Trading
from foxtrot.exchange.wire.futu.venue_side import FutuSide


def futu_surface(side: FutuSide) -> FutuGateway:
    """Return the surface of a venue: the connection's own requests, quotes and trading.

    Source: Futu OpenAPI documentation, Protocol ID Introduction.
    """
    gateway = FutuGateway(side)
    gateway.add(Quotes(side, gateway.push, side.settings.quotes))
    gateway.add(Trading(side, gateway.push))
    return gateway
