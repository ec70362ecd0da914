"""FutuOpenD's surface put together from its parts."""

from typing import Any

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.gateway import FutuGateway
from foxtrot.exchange.wire.futu.handshake import Handshake
from foxtrot.exchange.wire.futu.quotes import Quotes
from foxtrot.exchange.wire.futu.trading import Trading
from foxtrot.exchange.wire.futu.venue_side import FutuSide


def futu_surface(side: FutuSide) -> FutuGateway:
    """Return the surface of a venue: the connection's own requests, quotes and trading.

    Source: Futu OpenAPI documentation, Protocol ID Introduction.
    """

    def push(client: FutuClient, proto_id: int, s2c: Any, key: str = "") -> None:
        gateway.push(client, proto_id, s2c, key)

    gateway = FutuGateway(side, Handshake(side, push))
    gateway.add(Quotes(side, push))
    gateway.add(Trading(side, push))
    return gateway
