"""The public market data of Binance in a few lines, on loopback, and a session to reach it: for tests of the adapter's market data.

It says what it is told to, right or wrong; the embedded exchange is tried elsewhere.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
from aiohttp import web

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.binance.environments import loopback_urls
from foxtrot.adapter.binance.fast_client import FastClients
from foxtrot.adapter.binance.market_data import MarketData, MarketOptions
from foxtrot.adapter.health import AdapterHealth
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError, ConnectionLost
from foxtrot.domain.instrument import Instrument
from tests.support.instruments import a_perpetual, a_spot
from tests.support.recorder import Recorder

START_NS = 1_700_000_000_000_000_000
SYMBOL = "BTCUSDT"


class StandIn:
    """One product's public surface with one symbol."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.spot = product is Product.SPOT
        self.now_ms = START_NS // 1_000_000
        self.update_id = 100
        self.book: dict[str, dict[str, str]] = {"b": {"99.00": "5.000", "98.00": "5.000"}, "a": {"101.00": "5.000"}}
        self.trades: list[dict[str, Any]] = []
        self.klines: dict[int, list[Any]] = {}
        self.fail_klines = 0
        self.sockets: dict[web.WebSocketResponse, set[str]] = {}
        self.subscribes: list[str] = []
        self.requests: list[str] = []
        self.sending: list[asyncio.Future[None]] = []
        self.answers = True
        self.questions = 0
        self.answers_questions = True
        self.refuses_sockets = False
        self.refuse_subscribe: dict[str, Any] | None = None
        self.fail_depth = 0
        self.snapshot_hook: Callable[[], Awaitable[None]] | None = None
        self.port = 0

    async def start(self) -> web.AppRunner:
        app = web.Application()
        root = "/api/v3" if self.spot else "/fapi/v1"
        for name in ("exchangeInfo", "time", "depth", "trades", "klines", "ticker/24hr", "ticker/bookTicker"):
            app.router.add_get(f"{root}/{name}", getattr(self, "_get_" + name.replace("/", "_")))
        app.router.add_get("/{tail:.*}", self._socket)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    # --- what others do -----------------------------------------------------------------------------------------------

    def change(self, side: str, price: str, size: str, *, send: bool = True, **wrong: Any) -> dict[str, Any]:
        """Change a level, and say so."""
        before = self.update_id
        self.update_id += 2
        (self.book[side].pop(price, None) if float(size) == 0 else self.book[side].__setitem__(price, size))
        frame = {
            "e": "depthUpdate",
            "E": self.now_ms,
            "s": SYMBOL,
            "U": before + 1,
            "u": self.update_id,
            "b": [],
            "a": [],
        }
        if not self.spot:
            frame |= {"T": self.now_ms, "pu": before}
        frame |= {side: [[price, size]]} | wrong
        if send:
            self.push("depth@100ms", frame)
        return frame

    def quote(self) -> None:
        """Say the best bid and ask."""
        bid, ask = max(self.book["b"], key=float), min(self.book["a"], key=float)
        self.update_id += 1
        frame: dict[str, Any] = {
            "u": self.update_id, "s": SYMBOL, "b": bid, "B": self.book["b"][bid], "a": ask, "A": self.book["a"][ask]
        }  # fmt: skip
        if not self.spot:
            frame = {"e": "bookTicker", **frame, "E": self.now_ms, "T": self.now_ms}
        self.push("bookTicker", frame)

    def trade(self, price: str, size: str, *, buyer_is_maker: bool = False, send: bool = True) -> None:
        """Print a trade."""
        number = self.trades[-1]["t"] + 1 if self.trades else 1000
        frame = {
            "e": "trade", "E": self.now_ms, "s": SYMBOL, "t": number, "p": price, "q": size, "T": self.now_ms,
            "m": buyer_is_maker, "M": True,
        }  # fmt: skip
        self.trades.append(frame)
        if send:
            self.push("trade", frame)

    def kline(self, open_ms: int, close: str, *, closed: bool, send: bool = True, **wrong: Any) -> None:
        """Say how a bar of a minute stands, from 100 to `close`; a closed one can be asked for."""
        prices = {"o": "100.00", "h": max("100.00", close, key=float), "l": min("100.00", close, key=float), "c": close}
        rest = {"v": "1.500", "n": 3, "x": closed, "q": "150.00", "V": "0", "Q": "0", "B": "0"}
        k = {"t": open_ms, "T": open_ms + 59_999, "s": SYMBOL, "i": "1m", "f": 1, "L": 3, **prices, **rest, **wrong}
        if closed:
            figures = [prices["o"], prices["h"], prices["l"], close, "1.500", open_ms + 59_999, "150.00", 3]
            self.klines[open_ms] = [open_ms, *figures, "0", "0", "0"]
        if send:
            self.push("kline_1m", {"e": "kline", "E": self.now_ms, "s": SYMBOL, "k": k})

    def push(self, stream: str, frame: Any) -> None:
        """Send a frame, or raw text, to who subscribed to a stream."""
        text = frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"))
        for socket, streams in self.sockets.items():
            if f"{SYMBOL.lower()}@{stream}" in streams and not socket.closed:
                self.sending.append(asyncio.ensure_future(socket.send_str(text)))

    async def drop(self) -> None:
        """Close every socket."""
        for socket in list(self.sockets):
            await socket.close(code=1001)

    def held(self, stream: str) -> int:
        """How many subscriptions of a stream there are."""
        return sum(f"{SYMBOL.lower()}@{stream}" in streams for streams in self.sockets.values())

    # --- the surface --------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuses_sockets:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[socket] = set()
        try:
            async for message in socket:
                await self._answer(socket, json.loads(message.data))
        finally:
            del self.sockets[socket]
        return socket

    async def _answer(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        if said["method"] == "LIST_SUBSCRIPTIONS":
            self.questions += 1
            if self.answers_questions:
                await socket.send_json({"result": sorted(self.sockets[socket]), "id": said["id"]})
            return
        if said["method"] == "SUBSCRIBE":
            self.subscribes += said["params"]
            if self.refuse_subscribe is not None:
                await socket.send_json({"error": self.refuse_subscribe, "id": said["id"]})
                return
            self.sockets[socket] |= set(said["params"])
        else:
            self.sockets[socket] -= set(said["params"])
        if self.answers:
            await socket.send_json({"result": None, "id": said["id"]})

    async def _get_exchangeInfo(self, _request: web.Request) -> web.Response:  # noqa: N802  (the venue's name)
        filters = [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"},
        ]
        row = {"symbol": SYMBOL, "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT",
               "contractType": "PERPETUAL", "pair": SYMBOL, "filters": filters, "orderTypes": ["LIMIT", "MARKET"],
               "pricePrecision": 2, "quantityPrecision": 3, "isSpotTradingAllowed": True}  # fmt: skip
        if self.spot:
            row = {key: value for key, value in row.items() if key not in ("marginAsset", "contractType", "pair")}
        return web.json_response({"timezone": "UTC", "serverTime": self.now_ms, "symbols": [row], "assets": []})

    async def _get_depth(self, request: web.Request) -> web.Response:
        self.requests.append("depth")
        if self.fail_depth:
            self.fail_depth -= 1
            return web.json_response({"code": -1000, "msg": "An unknown error occurred."}, status=503)
        limit = int(request.query.get("limit", "100"))
        answer: dict[str, Any] = {
            "lastUpdateId": self.update_id,
            "bids": sorted(([*row] for row in self.book["b"].items()), key=lambda r: -float(r[0]))[:limit],
            "asks": sorted(([*row] for row in self.book["a"].items()), key=lambda r: float(r[0]))[:limit],
        }
        if not self.spot:
            answer |= {"E": self.now_ms, "T": self.now_ms}
        if self.snapshot_hook is not None:
            await self.snapshot_hook()
        return web.json_response(answer)

    async def _get_trades(self, request: web.Request) -> web.Response:
        self.requests.append("trades")
        rows = [
            {"id": t["t"], "price": t["p"], "qty": t["q"], "time": t["T"], "isBuyerMaker": t["m"]}
            for t in self.trades[-int(request.query.get("limit", "500")) :]
        ]
        return web.json_response(rows)

    async def _get_time(self, _request: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.now_ms})

    async def _get_klines(self, request: web.Request) -> web.Response:
        self.requests.append("klines")
        if self.fail_klines:
            self.fail_klines -= 1
            return web.json_response({"code": -1000, "msg": "An unknown error occurred."}, status=503)
        first, last = int(request.query["startTime"]), int(request.query["endTime"])
        return web.json_response([row for open_ms, row in sorted(self.klines.items()) if first <= open_ms <= last])

    async def _get_ticker_24hr(self, _request: web.Request) -> web.Response:
        self.requests.append("ticker/24hr")
        last = self.trades[-1] if self.trades else {"p": "100.00", "q": "1.000"}
        figures = {"volume": "7", "quoteVolume": "700", "openPrice": "90", "highPrice": "110", "lowPrice": "80"}
        return web.json_response(
            {"symbol": SYMBOL, "lastPrice": last["p"], "lastQty": last["q"], "closeTime": self.now_ms, **figures}
        )

    async def _get_ticker_bookTicker(self, _request: web.Request) -> web.Response:  # noqa: N802  (the venue's name)
        self.requests.append("ticker/bookTicker")
        bid, ask = max(self.book["b"], key=float), min(self.book["a"], key=float)
        sizes = {"bidQty": self.book["b"][bid], "askQty": self.book["a"][ask]}
        return web.json_response({"symbol": SYMBOL, "bidPrice": bid, "askPrice": ask, **sizes})


class _Taps(FastClients):
    clock: ManualClock
    market_tap: Any = None

    def milliseconds(self) -> int:
        return self.clock.now_ns() // 1_000_000

    def ws_dial_delay(self, _url: str) -> float:
        return 0.0

    def on_frame(self, _client: Any) -> None:
        """Hear nothing."""

    def handle_message(self, client: Any, message: Any) -> None:
        if isinstance(message, dict) and self.market_tap is not None and self.market_tap(client, message):
            return
        super().handle_message(client, message)  # type: ignore[misc]


class SpotClient(_Taps, ccxt.pro.binance):  # type: ignore[misc]
    """ccxt's spot client."""


class UsdmClient(_Taps, ccxt.pro.binanceusdm):  # type: ignore[misc]
    """ccxt's USD-M client."""


class StandInSession:
    """The session as far as market data uses it."""

    account = "ours"
    linked = True
    health: AdapterHealth | None = None
    on_stale: Any = None

    def __init__(self, venue: StandIn, clock: ManualClock) -> None:
        self.product = venue.product
        self.clock = clock
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self._waits: list[tuple[int, asyncio.Future[None]]] = []
        spot = venue.spot
        made = a_spot() if spot else a_perpetual()
        name = f"{SYMBOL}.BINANCE" if spot else f"{SYMBOL}.BINANCE_USDM"
        facts = {field: getattr(made, field) for field in made.__struct_fields__} | {"instrument_id": name}
        self.instrument = Instrument(**facts)
        self.instruments = {name: self.instrument}
        self._options: dict[str, Any] = {
            "fetchCurrencies": False,
            "fetchMargins": False,
            **({"fetchMarkets": {"types": ["spot"]}} if spot else {}),
        }
        self._port = venue.port
        self.exchange: Any = None
        self._renew()
        self.loop = asyncio.get_running_loop()
        clock.on_move(self._wake)

    def _renew(self) -> None:
        kind = SpotClient if self.product is Product.SPOT else UsdmClient
        settings = {
            "urls": {"api": loopback_urls(self._port)},
            "enableRateLimit": False,
            "options": dict(self._options),
        }
        before, self.exchange = self.exchange, kind(settings)
        self.exchange.clock = self.clock
        self.exchange.timeout_on_exit = 0
        if before is not None:
            self.exchange.market_tap = before.market_tap
            self.exchange.set_markets(before.markets)

    async def renew(self) -> None:
        """Let go of the client and make another, as after each loss."""
        before = self.exchange
        self._renew()
        await before.close()

    @property
    def market_tap(self) -> Any:
        return self.exchange.market_tap

    @market_tap.setter
    def market_tap(self, tap: Any) -> None:
        self.exchange.market_tap = tap

    def market_symbol(self, instrument_id: str) -> str:
        return self.instruments[instrument_id].symbol

    def unified(self, _instrument_id: str) -> str:
        return "BTC/USDT" if self.product is Product.SPOT else "BTC/USDT:USDT"

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        return self.instruments.get(instrument_id)

    async def request(self, endpoint: str, params: Mapping[str, str], *, deadline_s: float = 10.0) -> Any:
        try:
            return await getattr(self.exchange, endpoint)(dict(params))
        except ccxt.NetworkError as error:
            raise ConnectionLost("binance", "network", str(error)) from None
        except ccxt.BaseError as error:
            raise AdapterError("binance", "error", str(error)) from None

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task = self.loop.create_task(coroutine, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def wait_s(self, seconds: float) -> None:
        future: asyncio.Future[None] = self.loop.create_future()
        self._waits.append((self.clock.monotonic_ns() + int(seconds * 1e9), future))
        await future

    def call_soon(self, function: Callable[[], None]) -> bool:
        self.loop.call_soon_threadsafe(function)
        return True

    async def kick(self, url: str, cause: str) -> None:
        client = self.exchange.clients.pop(url, None)
        if client is not None:
            client.error = ccxt.NetworkError(cause)
            client.reset(client.error)
            client.rejections.clear()
            await client.aiohttp_close()

    def lose(self, cause: str) -> None:
        raise AssertionError(f"market data alone never loses the link: {cause}")

    async def close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.exchange.close()

    def _wake(self) -> None:
        due = [wait for wait in self._waits if wait[0] <= self.clock.monotonic_ns()]
        self._waits = [wait for wait in self._waits if wait not in due]
        for _, future in due:
            if not future.done():
                future.set_result(None)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failures.append(task.exception())  # type: ignore[arg-type]


class Publisher(BaseAdapter):
    """The way up alone."""

    adapter_name = "binance"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


for _name in list(BaseAdapter.__abstractmethods__):
    setattr(Publisher, _name, lambda *_arguments: None)
Publisher.__abstractmethods__ = frozenset()


class MarketRig:
    """A venue, a session and the market data between them."""

    def __init__(self, venue: StandIn, options: MarketOptions) -> None:
        self.venue = venue
        self.clock = ManualClock(START_NS)
        self.heard = Recorder()
        self.session = StandInSession(venue, self.clock)
        self.health = self.session.health = AdapterHealth("ours")
        self.name = self.session.instrument.instrument_id
        context = AdapterContext("ours", self.heard, SendPermit(), self.clock, {}, {})
        self.publisher = Publisher(context)
        self.data = MarketData(self.publisher, self.session, options)  # type: ignore[arg-type]

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Wait for a condition."""
        deadline = self.session.loop.time() + 5
        while not condition():
            if self.session.failures:
                raise self.session.failures[0]
            assert self.session.loop.time() < deadline, f"in vain: {what} {self.heard.events()[-5:]}"
            await asyncio.sleep(0.002)

    async def advance(self, seconds: float) -> None:
        """Let time pass, in steps, so that what waits again is woken again."""
        for _ in range(max(1, int(seconds))):
            self.clock.advance(int(seconds / max(1, int(seconds)) * 1e9))
            self.venue.now_ms = self.clock.now_ns() // 1_000_000
            for _ in range(5):
                await asyncio.sleep(0.001)

    async def quiet(self, rounds: int = 15) -> None:
        """Let everything that is on its way arrive."""
        for _ in range(rounds):
            await asyncio.sleep(0.002)


@asynccontextmanager
async def market_rig(product: Product, **options: Any) -> AsyncIterator[MarketRig]:
    """A rig whose streams are open, closed again at the end; nothing of it may have failed."""
    venue = StandIn(product)
    runner = await venue.start()
    rig = MarketRig(venue, MarketOptions(**options))
    try:
        await rig.session.exchange.load_markets()
        yield rig
    finally:
        rig.data.stop()
        await rig.quiet(2)
        await rig.session.close()
        await runner.cleanup()
    assert rig.session.failures == []


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on a loop of its own."""
    asyncio.run(scenario())


__all__ = ["MarketRig", "StandIn", "aiohttp", "market_rig", "play"]
