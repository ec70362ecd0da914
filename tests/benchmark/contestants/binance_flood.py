"""A venue of one symbol in a process of its own, which sends frames as fast as they are taken, or at a pace.

python -m tests.benchmark.contestants.binance_flood prints its port. GET /flood?stream=trade&count=N[&rate=M] sends N frames to
whoever subscribed to the stream; with a rate each carries the time it was sent, in µs since 1970, as its event time.
"""

import asyncio
import json
import struct
import sys
import time
from collections import deque
from random import Random

from aiohttp import web

SYMBOL = "BTCUSDT"
LEVELS_A_SIDE = 1000
CHANGES_A_SIDE = 10
CHUNK = 100
HIGH_WATER = 1 << 20
MIDDLE = 5_000_000


def framed(text: str) -> bytes:
    """A text frame of the WebSocket protocol, from a server."""
    data = text.encode()
    size = len(data)
    return (bytes((0x81, size)) if size < 126 else b"\x81\x7e" + struct.pack("!H", size)) + data


class Flood:
    """The venue."""

    def __init__(self) -> None:
        self.random = Random(7)
        self.update_id = 1_000
        self.trade_id = 1_000
        self.subscribed: dict[web.WebSocketResponse, set[str]] = {}
        self.jobs: set[asyncio.Task[None]] = set()
        self.printed: deque[dict[str, object]] = deque(maxlen=1000)

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application()
        for name in ("exchangeInfo", "depth", "trades", "ticker/24hr", "ticker/bookTicker"):
            app.router.add_get(f"/api/v3/{name}", getattr(self, name.replace("/", "_").lower()))
        app.router.add_get("/flood", self.flood)
        app.router.add_get("/{tail:.*}", self.socket)
        return app

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Take subscriptions."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self.subscribed[socket] = set()
        try:
            async for message in socket:
                said = json.loads(message.data)
                if said["method"] == "SUBSCRIBE":
                    self.subscribed[socket] |= {name.partition("@")[2].partition("@")[0] for name in said["params"]}
                await socket.send_json({"result": None, "id": said["id"]})
        finally:
            del self.subscribed[socket]
        return socket

    async def flood(self, request: web.Request) -> web.Response:
        """Begin to send; answered with the last id of what is sent."""
        stream, count = request.query["stream"], int(request.query["count"])
        rate = int(request.query.get("rate", "0"))
        targets = [socket for socket, streams in self.subscribed.items() if stream in streams]
        first = self.trade_id if stream == "trade" else self.update_id
        job = asyncio.create_task(
            self.paced(stream, count, rate, targets) if rate else self.pour(stream, count, targets)
        )
        self.jobs.add(job)
        job.add_done_callback(self.jobs.discard)
        step = 2 if stream == "depth" else 1
        return web.json_response({"last": first + count * step, "targets": len(targets)})

    async def pour(self, stream: str, count: int, targets: list[web.WebSocketResponse]) -> None:
        """Send frames made beforehand, as fast as they are taken."""
        frames = [framed(self.frame(stream, 1_700_000_000_000)) for _ in range(count)]
        chunks = [b"".join(frames[at : at + CHUNK]) for at in range(0, count, CHUNK)]
        for chunk in chunks:
            for socket in targets:
                transport = socket._req.transport
                while transport.get_write_buffer_size() > HIGH_WATER:  # noqa: ASYNC110  (aiohttp tells of no room)
                    await asyncio.sleep(0.001)
                transport.write(chunk)
            await asyncio.sleep(0)

    async def paced(self, stream: str, count: int, rate: int, targets: list[web.WebSocketResponse]) -> None:
        """Send at a pace, in steps of two milliseconds."""
        sent, began = 0, time.monotonic()
        while sent < count:
            due = min(count, int((time.monotonic() - began) * rate))
            while sent < due:
                data = framed(self.frame(stream, time.time_ns() // 1_000))
                for socket in targets:
                    socket._req.transport.write(data)
                sent += 1
            await asyncio.sleep(0.002)

    def frame(self, stream: str, now: int) -> str:
        """The next frame of a stream."""
        if stream == "trade":
            self.trade_id += 1
            self.printed.append({"id": self.trade_id, "price": "5", "qty": "1", "time": now, "isBuyerMaker": True})
            return (
                f'{{"e":"trade","E":{now},"s":"{SYMBOL}","t":{self.trade_id},"p":"{self.price():.2f}000000",'
                f'"q":"0.{self.random.randrange(1, 99999):05d}000","T":{now},"m":true,"M":true}}'
            )
        if stream == "bookTicker":
            self.update_id += 1
            bid = self.price()
            return (
                f'{{"u":{self.update_id},"s":"{SYMBOL}","b":"{bid:.2f}000000","B":"{self.size()}",'
                f'"a":"{bid + 0.01:.2f}000000","A":"{self.size()}"}}'
            )
        first = self.update_id + 1
        self.update_id += 2
        sides = [self.levels(-1), self.levels(1)]
        return (
            f'{{"e":"depthUpdate","E":{now},"s":"{SYMBOL}","U":{first},"u":{self.update_id},'
            f'"b":{sides[0]},"a":{sides[1]}}}'
        )

    def levels(self, sign: int) -> str:
        """Changed levels of a side, most of them near the best; one in seven goes."""
        rows = []
        for _ in range(CHANGES_A_SIDE):
            units = MIDDLE + sign * (1 + min(int(self.random.expovariate(1 / 40)), LEVELS_A_SIDE - 1))
            size = "0.00000000" if self.random.random() < 0.14 else self.size()
            rows.append(f'["{units / 100:.2f}000000","{size}"]')
        return "[" + ",".join(rows) + "]"

    def price(self) -> float:
        """A price near the middle."""
        return (MIDDLE + self.random.randrange(-500, 500)) / 100

    def size(self) -> str:
        """A size as the venue writes it."""
        return f"{self.random.randrange(1, 9)}.{self.random.randrange(1, 99999):05d}000"

    async def exchangeinfo(self, _request: web.Request) -> web.Response:
        """The one symbol."""
        filters = [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        ]
        row = {"symbol": SYMBOL, "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": filters,
               "orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True}  # fmt: skip
        return web.json_response({"timezone": "UTC", "serverTime": 0, "symbols": [row]})

    async def depth(self, _request: web.Request) -> web.Response:
        """A full book."""
        sides = [
            [[f"{(MIDDLE + sign * (1 + n)) / 100:.2f}000000", self.size()] for n in range(LEVELS_A_SIDE)]
            for sign in (-1, 1)
        ]
        return web.json_response({"lastUpdateId": self.update_id, "bids": sides[0], "asks": sides[1]})

    async def trades(self, _request: web.Request) -> web.Response:
        """The latest prints."""
        return web.json_response(list(self.printed))

    async def ticker_24hr(self, _request: web.Request) -> web.Response:
        """Totals."""
        names = ("lastPrice", "lastQty", "volume", "quoteVolume", "openPrice", "highPrice", "lowPrice")
        return web.json_response({"symbol": SYMBOL, "closeTime": 1, **dict.fromkeys(names, "1.00")})

    async def ticker_bookticker(self, _request: web.Request) -> web.Response:
        """A quote, different each time."""
        bid = self.price()
        sizes = {"bidQty": self.size(), "askQty": self.size()}
        return web.json_response({"symbol": SYMBOL, "bidPrice": f"{bid:.2f}", "askPrice": f"{bid + 1:.2f}", **sizes})


async def serve() -> None:
    """Serve until the standard input ends."""
    runner = web.AppRunner(Flood().app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
