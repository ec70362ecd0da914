"""The Binance rig with a view of what goes on inside: counters of the server, tasks and connections of the adapter."""

import asyncio
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.domain.enums import Product
from foxtrot.exchange.faults import Scope
from tests.support.binance_rig import BinanceRig, _all_back, _at_most

NORMAL_S = 2.0
FAULTY_S = 0.05
"""How long, in real time, a step waits for an answer that may not come while something is wrong."""
ROUNDS = 4


class FaultInsight(BinanceRig):
    """What a test of faults asks of server and adapter; `patience_s` is how long a step waits for what may not come.

    Thread: the test's.
    """

    patience_s = NORMAL_S

    @property
    def side(self) -> str:
        """Return the server's name of the product."""
        return "spot" if self.product is Product.SPOT else "usdm"

    @property
    def market(self) -> str:
        """Return what the server calls the connection that carries market data."""
        return "stream" if self.product is Product.SPOT else "public"

    # --- the server's and the adapter's inside -----------------------------------------------------------------------

    def connections_made(self) -> int:
        """Return how many WebSockets were ever accepted."""
        return self.server.call(lambda server: server._doors.shared.traffic.connections.total())

    def subscribed(self) -> int:
        """Return how many SUBSCRIBE requests were ever accepted."""
        return self.server.call(lambda server: server._doors.shared.traffic.requests[f"{self.side} SUBSCRIBE"])

    def acted(self, kind: str) -> int:
        """Return how often the faults of a kind have acted."""
        armed = self.server.call(lambda server: server.faults.script.armed())
        return sum(one.fired for one in armed if one.fault.kind == kind)

    def dials(self) -> int:
        """Return how many WebSockets the adapter has tried to open in the last five minutes."""
        return len(self._session().keeper.budget._spent)

    def waiting_faults(self) -> list[str]:
        """Return the kinds of faults that have not acted as often as they are to, or not at all."""
        armed = self.server.call(lambda server: server.faults.script.armed())
        return [
            one.fault.kind
            for one in armed
            if one.fired < (one.fault.limit or 1) and not one.has_swept and one.fault.scope is not Scope.STATE
        ]

    def ping_every_ms(self, period_ms: int) -> None:
        """Let ccxt ping on every connection at once, and then so often, by the machine's clock."""

        async def begin() -> None:
            for client in _open_clients(self._session()):
                client.keepAlive = period_ms
                client.ping_looper.cancel()
                client.ping_looper = asyncio.ensure_future(client.ping_loop())

        self._session().bridge.submit(begin()).result(NORMAL_S)

    def _served(self) -> Counter[str]:
        return Counter(str(stream) for one in self._connections() for stream in one["streams"])

    def _running(self, at_most: "Counter[str] | None" = None) -> "Counter[str]":
        """Return the adapter's tasks and connections by name, once there are no more of each than allowed; not for ever."""

        def found() -> Counter[str]:
            exchange = self._session().door.exchange
            return Counter(
                [_name_of(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
                + ["a connection" for _ in (exchange.clients if exchange else ())]
            )

        async def count() -> Counter[str]:
            await _at_most(FAULTY_S, lambda: at_most is None or found() <= at_most)
            return found()

        return self._session().bridge.submit(count()).result(5 * NORMAL_S)  # type: ignore[no-any-return]

    def _market_data(self) -> Any:
        adapter = self.adapter
        assert isinstance(adapter, BinanceAdapter)
        return adapter.market_data

    def _arrive(self) -> None:
        """Wait until what was asked is answered and what was sent is told; not long for what may not come."""
        bridge = self._session().bridge
        if not bridge.running:
            return
        bridge.submit(_come_to_rest(self.adapter, self.patience_s)).result(10 * NORMAL_S)


async def _come_to_rest(adapter: Any, patience_s: float) -> None:
    """Return when nothing that was asked is unanswered and a ping on every connection is back behind all frames."""
    session = adapter.session
    for _ in range(ROUNDS):
        was_busy = _is_busy(session)
        await _at_most(patience_s, lambda: not _is_busy(session))
        for client in (clients := _open_clients(session)):
            client.lastPong = None
            with suppress(ConnectionResetError):  # it is being closed
                await client.connection.ping()
        await _at_most(patience_s, partial(_all_back, clients))
        for _ in range(6):
            await asyncio.sleep(0)
        if not was_busy and not _is_busy(session):
            return


def _open_clients(session: Any) -> list[Any]:
    exchange = session.door.exchange
    return [one for one in exchange.clients.values() if one.connection and not one.closed()] if exchange else []


def _is_busy(session: Any) -> bool:
    """Tell whether a request is unanswered or a connection is being made."""
    exchange = session.door.exchange
    if session._jobs:
        return True
    if exchange is None or exchange.session is None or exchange.session.closed:
        return False
    return len(exchange.session.connector._acquired) > len(_open_clients(session))


def _name_of(task: "asyncio.Task[Any]") -> str:
    """Return a task's name, or its coroutine's where asyncio has but numbered it."""
    name = task.get_name()
    return getattr(task.get_coro(), "__qualname__", "") if name.startswith("Task-") else name
