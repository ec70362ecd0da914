"""Requests that change orders carry a packet id; one that comes again is dropped."""

from collections import deque
from typing import Any, Final

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.trade_texts import refused

_REMEMBERED: Final = 10_000


class TradePackets:
    """The packets that were handled, the newest ones of all connections.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._order: deque[tuple[int, int]] = deque()
        self._seen: set[tuple[int, int]] = set()

    def take(self, client: FutuClient, packet: Any) -> None:
        """Note a packet.

        Source: Futu OpenAPI documentation, Place Order: packetID guards against replays.

        Raises:
            FutuRefused: it was handled before, or it is another connection's.
        """
        if packet.connID != client.conn_id:
            raise refused("other_connection", connection=packet.connID, own=client.conn_id)
        key = (packet.connID, packet.serialNo)
        if key in self._seen:
            raise refused("replayed", serial=packet.serialNo, connection=packet.connID)
        self._seen.add(key)
        self._order.append(key)
        if len(self._order) > _REMEMBERED:
            self._seen.discard(self._order.popleft())
