"""The line from TWS's socket to a strategy's handler: ours through the event engine, and bare ibapi with an empty callback.

Both run in this process, TWS in another one; a figure is taken from the first row to the last one handled. Bare ibapi has its own socket
again, which ours is put in place of.
"""

import threading
import time
from random import Random
from typing import Any

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.config import read_settings
from foxtrot.adapter.ib.market_data import IbMarketData
from foxtrot.adapter.ib.sdk import load_sdk
from foxtrot.adapter.ib.session import IbSession
from foxtrot.core.clock import SystemClock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest
from tests.benchmark.contestants.futu_line import PATIENCE_S, Process
from tests.support.ib_market_rig import AAPL, Up

LEVELS = 10
CLIENT_ID = 7
delivered: list[float] = []
"""Of each run of ours, how many facts a second the handler was given."""


class Venue(Process):
    """The flooding TWS."""

    def __init__(self) -> None:
        super().__init__("ib_flood")

    def prepare(self, count: int) -> None:
        """Let it make its frames."""
        self.write(f"depth {count}")
        assert self.read() == "ready"

    def go(self) -> None:
        """Let it send them."""
        self.write("go")


def ours(venue: Venue, count: int) -> float:
    """Rows a second from the socket through books and event engine to a handler."""
    engine, done, live, heard = EventEngine(), threading.Event(), threading.Event(), [0]

    def depth(fact: DepthData) -> None:
        heard[0] += 1
        if fact.bids[0][1] == count:
            done.set()
        live.set()

    def status(fact: AdapterStatus) -> None:
        assert fact.state is not AdapterState.FAILED, fact.cause

    engine.dispatcher.subscribe(DepthData, depth, owner="s")
    engine.dispatcher.subscribe(AdapterStatus, status, owner="s")
    engine.start()
    settings = {"port": venue.port, "routing": "direct", "always_open": True}
    context = AdapterContext("ours", engine, SendPermit(), SystemClock(), settings, {})
    session = IbSession(context, read_settings(context), Random(1))
    link = Up(engine, context.clock)  # type: ignore[arg-type]
    link.data = IbMarketData(link, session)
    session.start(link)
    session.call_soon(lambda: link.data.add(SubscribeRequest(AAPL, ticks=False, depth_levels=LEVELS)))  # type: ignore[union-attr]
    assert live.wait(PATIENCE_S)
    before = heard[0]
    per_s = _timed(venue, count, done)
    delivered.append(per_s * (heard[0] - before) / count)
    session.close(lambda: None, 5.0)
    engine.stop()
    return per_s


def ibapi_alone(venue: Venue, count: int) -> float:
    """Rows a second from the socket to an empty callback of ibapi's own classes."""
    load_sdk()
    import ibapi.client
    import ibapi.connection
    import ibapi.contract
    import ibapi.wrapper

    done, live = threading.Event(), threading.Event()

    class Bare(ibapi.wrapper.EWrapper, ibapi.client.EClient):  # type: ignore[misc]
        """The client that IB's documentation begins with."""

        def __init__(self) -> None:
            ibapi.client.EClient.__init__(self, self)

        def nextValidId(self, orderId: int) -> None:  # noqa: N802, N803
            live.set()

        def updateMktDepth(self, *row: Any) -> None:  # noqa: N802
            if row[5] == count:
                done.set()

    patched, ibapi.client.Connection = ibapi.client.Connection, ibapi.connection.Connection
    app = Bare()
    try:
        app.connect("127.0.0.1", venue.port, CLIENT_ID)
    finally:
        ibapi.client.Connection = patched
    runs = threading.Thread(target=app.run, name="bare ibapi")
    runs.start()
    assert live.wait(PATIENCE_S)
    contract = ibapi.contract.Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "NASDAQ", "USD"
    app.reqMktDepth(1, contract, LEVELS, False, [])
    time.sleep(0.5)
    per_s = _timed(venue, count, done)
    app.disconnect()
    runs.join(5)
    return per_s


def _timed(venue: Venue, count: int, done: threading.Event) -> float:
    venue.prepare(count)
    began_s = time.perf_counter()
    venue.go()
    assert done.wait(PATIENCE_S), f"the last of {count} rows was not handled within {PATIENCE_S} s"
    return count / (time.perf_counter() - began_s)
