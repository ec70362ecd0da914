"""The line from a venue's socket to a handler: ours through the event engine, and ccxt.pro alone with an awaiting task.

Both run in this process, the venue in another one; a figure is taken from the first frame asked for to the last one handled.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ccxt.pro

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.environments import loopback_urls
from foxtrot.adapter.binance.market_data import MarketData, MarketOptions
from foxtrot.core.clock import SystemClock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.binance_stand_in import Publisher, SpotClient, StandInSession

REPOSITORY = Path(__file__).resolve().parents[3]
NAME = "BTCUSDT.BINANCE"
UNIFIED = "BTC/USDT"
OPTIONS = {"fetchCurrencies": False, "fetchMargins": False, "fetchMarkets": {"types": ["spot"]}, "tradesLimit": 20_000}
INSTRUMENT = Instrument(
    instrument_id=NAME,
    symbol="BTCUSDT",
    venue="BINANCE",
    product=Product.SPOT,
    base_asset="BTC",
    quote_asset="USDT",
    settle_asset="USDT",
    price_grid=Grid.of("0.01"),
    quantity_grid=Grid.of("0.00001"),
)
WISHES = {
    "trade": SubscribeRequest(NAME, ticks=False, trades=True),
    "bookTicker": SubscribeRequest(NAME, ticks=True),
    "depth": SubscribeRequest(NAME, ticks=False, depth_levels=10),
}


@dataclass
class Result:
    """What one run took: seconds on the wall and of the processor, messages, and latencies in ms where they were measured."""

    wall_s: float
    cpu_s: float
    messages: int
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Messages a second."""
        return self.messages / self.wall_s

    @property
    def cpu_us(self) -> float:
        """Processor time per message, in µs."""
        return self.cpu_s / self.messages * 1e6


class Venue:
    """The flooding venue, as a process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.benchmark.contestants.binance_flood"]
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def ask(self, stream: str, count: int, rate: int = 0) -> int:
        """Let it send; returns the last id it will send."""
        url = f"http://127.0.0.1:{self.port}/flood?stream={stream}&count={count}&rate={rate}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            said = json.load(answer)
        return int(said["last"])

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


class LiveSession(StandInSession):
    """The session by the machine's clock."""

    def __init__(self, port: int) -> None:
        self.product = Product.SPOT
        self.clock = SystemClock()  # type: ignore[assignment]
        self.tasks = set()
        self.failures = []
        self.instrument = INSTRUMENT
        self.instruments = {NAME: INSTRUMENT}
        settings = {"urls": {"api": loopback_urls(port)}, "enableRateLimit": False, "options": dict(OPTIONS)}
        self.exchange = SpotClient(settings)
        self.exchange.clock = self.clock
        self.exchange.timeout_on_exit = 0
        self.loop = asyncio.get_running_loop()

    async def wait_s(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Heard:
    """The strategy's handler: notes the last id and, when asked, how old each fact is."""

    def __init__(self, *, latencies: bool) -> None:
        self.last = 0
        self.count = 0
        self.latencies_ms: list[float] | None = [] if latencies else None

    def trade(self, fact: MarketTrade) -> None:
        """Hear a print."""
        self.last = int(fact.trade_id)
        self._age(fact.venue_time_ns)

    def depth(self, fact: DepthData) -> None:
        """Hear a book."""
        self.last = fact.update_id
        self._age(fact.venue_time_ns)

    def tick(self, _fact: TickData) -> None:
        """Hear a tick; which update it is, the stream knows."""
        self.count += 1

    def _age(self, venue_time_ns: int) -> None:
        self.count += 1
        if self.latencies_ms is not None:
            self.latencies_ms.append((time.time_ns() - venue_time_ns) / 1e6)


def ours(venue: Venue, stream: str, count: int, *, hot: bool, rate: int = 0) -> Result:
    """Socket → codec → event engine → handler."""
    engine, heard = EventEngine(), Heard(latencies=bool(rate))
    engine.dispatcher.subscribe(MarketTrade, heard.trade, owner="s")
    engine.dispatcher.subscribe(DepthData, heard.depth, owner="s")
    engine.dispatcher.subscribe(TickData, heard.tick, owner="s")
    engine.start()

    async def body() -> Result:
        session = LiveSession(venue.port)
        await session.exchange.load_markets()
        context = AdapterContext("a", engine, SendPermit(), session.clock, {}, {})
        data = MarketData(Publisher(context), session, MarketOptions(hot_path=hot))  # type: ignore[arg-type]
        data.add(WISHES[stream])
        await data.resume()

        def last() -> int:
            return data.board.ticks["BTCUSDT"].quote_id if stream == "bookTicker" else heard.last

        result = await measured(venue, stream, count, rate, last)
        result.latencies_ms = heard.latencies_ms or []
        data.stop()
        await session.close()
        return result

    result = in_thread(body)
    engine.stop()
    return result


def polled(venue: Venue, seconds: int, rate: int = 50) -> list[float]:
    """Ages, in ms, of prints that are asked for once a second."""
    ages: list[float] = []

    class Sink:
        def put(self, event: object) -> None:
            if isinstance(event, MarketTrade):
                ages.append((time.time_ns() - event.venue_time_ns) / 1e6)

    async def body() -> Result:
        session = LiveSession(venue.port)
        await session.exchange.load_markets()
        context = AdapterContext("a", Sink(), SendPermit(), session.clock, {}, {})
        data = MarketData(Publisher(context), session, MarketOptions(websocket=False))  # type: ignore[arg-type]
        data.add(WISHES["trade"])
        await asyncio.get_running_loop().run_in_executor(None, venue.ask, "trade", seconds * rate, rate)
        await asyncio.sleep(0.2)
        await data.resume()
        await asyncio.sleep(seconds)
        data.stop()
        await session.close()
        return Result(1, 1, 1)

    in_thread(body)
    return ages


def ccxt_alone(venue: Venue, stream: str, count: int, *, rate: int = 0) -> Result:
    """ccxt.pro with a task that awaits, and nothing behind it."""

    async def body() -> Result:
        exchange: Any = ccxt.pro.binance(
            {"urls": {"api": loopback_urls(venue.port)}, "enableRateLimit": False, "options": dict(OPTIONS)}
        )
        exchange.timeout_on_exit = 0
        await exchange.load_markets()
        seen = [0]
        latencies: list[float] = []

        async def watch() -> None:
            while True:
                if stream == "trade":
                    for trade in await exchange.watch_trades(UNIFIED):
                        seen[0] = int(trade["id"])
                        if rate:
                            latencies.append((time.time_ns() - trade["info"]["T"] * 1_000) / 1e6)
                elif stream == "bookTicker":
                    seen[0] = (await exchange.watch_bids_asks([UNIFIED]))[UNIFIED]["info"]["u"]
                else:
                    book = await exchange.watch_order_book(UNIFIED)
                    seen[0] = book["nonce"]
                    if rate and book["timestamp"]:
                        latencies.append((time.time_ns() - book["timestamp"] * 1_000) / 1e6)

        task = asyncio.ensure_future(watch())
        for _ in range(100):
            await asyncio.sleep(0.005)
        result = await measured(venue, stream, count, rate, lambda: seen[0])
        result.latencies_ms = latencies
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await exchange.close()
        return result

    return in_thread(body)


async def measured(venue: Venue, stream: str, count: int, rate: int, last: Callable[[], int]) -> Result:
    """Ask for frames and take the time until the last is handled."""
    wanted = await asyncio.get_running_loop().run_in_executor(None, venue.ask, stream, count, rate)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    while last() < wanted:
        await asyncio.sleep(0.002)
        assert time.perf_counter() - began_s < 60, f"{stream}: {last()} of {wanted}"
    return Result(time.perf_counter() - began_s, time.process_time() - began_cpu_s, count)


def in_thread(body: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run on a loop and a thread of its own, as the adapter does."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(body())), name="binance-io")
    thread.start()
    thread.join()
    return results[0]
