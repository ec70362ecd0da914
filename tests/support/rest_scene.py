"""The Binance rig by seconds, while some of what is streamed may not come: others trade, time passes, answers are waited for."""

import asyncio
from collections import Counter
from typing import Any

from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, Side
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault
from tests.support.binance_rig import BinanceRig, _all_back, _at_most
from tests.support.waiting import wait_until

REFUSED_S = 60
PATIENCE_S = 0.1
"""How long, in real time, is waited for what may not come."""
ROUNDS = 4


class Scene(BinanceRig):
    """A rig that counts seconds, in which everything of one instrument is wanted.

    Thread: the test's.
    """

    def connect_and_wait(self) -> None:
        """Connect, and let time pass until READY."""
        self.adapter.connect()
        self.until_ready()

    def until_ready(self) -> None:
        """Let time pass until READY."""

        def ready() -> bool:
            if (self.heard.states() or [None])[-1] is AdapterState.READY:
                return True
            self.clock.advance(10**8)
            self.server.step()
            return False

        wait_until(ready, 20.0)

    def want(self) -> None:
        """Subscribe to everything of the first instrument."""
        self.adapter.subscribe(SubscribeRequest(self.spot.instrument_id, True, True, 5))

    def refuse(self) -> None:
        """Refuse every handshake from now on, for a minute."""
        self.server.inject(Fault(kind="refuse_websockets", for_s=REFUSED_S))

    def second(self) -> None:
        """Let others trade once, and a second pass."""
        self.rest(Side.SELL, 10_100, 100)
        self.take(Side.BUY, 100)
        self.clock.advance(10**9)
        self.server.step()
        self._arrive()

    def _arrive(self) -> None:
        """Wait until what was asked is answered and what was sent is told; not long for streams that may not come."""
        bridge = self.binance.session.bridge
        if bridge.running:
            bridge.submit(_come_to_rest(self.binance)).result(10.0)

    def last_state(self) -> AdapterState:
        """Return the state of the link."""
        return self.heard.states()[-1]

    def status(self) -> AdapterStatus:
        """Return what was told last of the link."""
        return self.heard.of(AdapterStatus)[-1]

    def streams_served(self) -> Counter[str]:
        """Return which streams the server pushes."""
        return Counter(str(stream) for one in self._connections() for stream in one["streams"])

    @property
    def binance(self) -> Any:
        """Return the adapter with its inside."""
        assert isinstance(self.adapter, BinanceAdapter)
        return self.adapter


async def _come_to_rest(adapter: Any) -> None:
    """Return when no request is unanswered, no connection is being made, and a ping on each is back behind all frames."""
    session = adapter.session
    for _ in range(ROUNDS):
        was_busy = _is_busy(session)
        await _at_most(PATIENCE_S, lambda: not _is_busy(session))
        await _at_most(5.0, lambda: not adapter.trading.polling.under_way)
        exchange = session.door.exchange
        for client in (clients := _open_clients(exchange)):
            client.lastPong = None
            await client.connection.ping()
        await _at_most(PATIENCE_S, lambda: _all_back(clients))
        for _ in range(6):
            await asyncio.sleep(0)
        if not was_busy and not _is_busy(session):
            return


def _open_clients(exchange: Any) -> list[Any]:
    return [one for one in exchange.clients.values() if one.connection and not one.closed()] if exchange else []


def _is_busy(session: Any) -> bool:
    exchange = session.door.exchange
    if session._jobs:
        return True
    if exchange is None or exchange.session is None or exchange.session.closed:
        return False
    return len(exchange.session.connector._acquired) > len(_open_clients(exchange))
