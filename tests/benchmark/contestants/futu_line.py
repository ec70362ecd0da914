"""The line from OpenD's socket to a handler: ours through the event engine, and the SDK's own handlers, which make tables.

Both run in this process with the SDK's log levels raised alike, OpenD in another one; a figure is taken from the first push to the
last one handled.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.futu.config import read_settings
from foxtrot.adapter.futu.market_data import FutuMarketData
from foxtrot.adapter.futu.sdk import load_sdk
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.core.clock import SystemClock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.market import DepthData, MarketTrade
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.listings import listing
from tests.support.futu_market_rig import HK, Up

REPOSITORY = Path(__file__).resolve().parents[3]
WISHES = {
    "ticker": SubscribeRequest(HK, ticks=False, trades=True),
    "book": SubscribeRequest(HK, ticks=False, depth_levels=10),
}
KINDS = {"ticker": ("TICKER", "TickerHandlerBase"), "book": ("ORDER_BOOK", "OrderBookHandlerBase")}
PATIENCE_S = 60.0


class Process:
    """A module in a process of its own that prints its port first and ends with its input."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", f"tests.benchmark.contestants.{module}"]
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        self.port = int(self.read())

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def read(self) -> str:
        """Read a line of what it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def write(self, line: str) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


class Venue(Process):
    """The flooding OpenD."""

    def __init__(self) -> None:
        super().__init__("futu_flood")

    def prepare(self, kind: str, count: int) -> None:
        """Let it make its frames."""
        self.write(f"{kind} {count}")
        assert self.read() == "ready"

    def go(self) -> None:
        """Let it send them."""
        self.write("go")


class Link(Up):
    """What lives on the link: streams alone, of an instrument that is known beforehand."""

    async def open_link(self) -> None:
        assert self.data is not None
        await self.data.open()


def ours(venue: Venue, kind: str, count: int) -> float:
    """Pushes a second from the socket through codec and event engine to a handler."""
    engine, done, ready = EventEngine(), threading.Event(), threading.Event()

    def trade(fact: MarketTrade) -> None:
        if fact.trade_id == last:
            done.set()

    def depth(fact: DepthData) -> None:
        if fact.bids and fact.bids[0][1] == count:
            done.set()

    def status(fact: AdapterStatus) -> None:
        if fact.state is AdapterState.READY:
            ready.set()

    last = str(count)
    for fact, hear in ((MarketTrade, trade), (DepthData, depth), (AdapterStatus, status)):
        engine.dispatcher.subscribe(fact, hear, owner="s")  # type: ignore[arg-type]
    engine.start()
    context = AdapterContext(
        "ours", engine, SendPermit(), SystemClock(), {"port": venue.port, "account_id": 1_000_001}, {}
    )  # fmt: skip
    session = FutuSession(context, read_settings(context), Random(1))
    session.instruments = {HK: listing(HK)}
    link = Link(engine, context.clock)  # type: ignore[arg-type]
    link.data, link.session = FutuMarketData(link, session), session
    session.bridge.start()
    session.call_soon(lambda: link.data.add(WISHES[kind]))  # type: ignore[union-attr]
    session.start(link)
    assert ready.wait(PATIENCE_S)
    per_s = _timed(venue, kind, count, done)
    session.close(lambda: None, 5.0)
    engine.stop()
    return per_s


def sdk_alone(venue: Venue, kind: str, count: int) -> float:
    """Pushes a second from the socket to a handler of the SDK's own class."""
    futu = load_sdk(None).futu
    done, left = threading.Event(), iter(range(count - 1, -1, -1))
    sub_type, base = KINDS[kind]
    own = getattr(futu, base)

    def on_recv_rsp(self: Any, response: Any) -> Any:
        answer = own.on_recv_rsp(self, response)
        if next(left) == 0:
            done.set()
        return answer

    context = futu.OpenQuoteContext(host="127.0.0.1", port=venue.port)
    context.set_handler(type("Counting", (own,), {"on_recv_rsp": on_recv_rsp})())
    ret, text = context.subscribe(["HK.00700"], [sub_type])
    assert ret == 0, text
    per_s = _timed(venue, kind, count, done)
    context.close()
    return per_s


def _timed(venue: Venue, kind: str, count: int, done: threading.Event) -> float:
    venue.prepare(kind, count)
    began_s = time.perf_counter()
    venue.go()
    assert done.wait(PATIENCE_S), f"the last of {count} {kind} pushes was not handled within {PATIENCE_S} s"
    return count / (time.perf_counter() - began_s)
