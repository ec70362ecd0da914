"""Hubs for tests: one whose adapter a test plays, one on the embedded venue with many instruments, and clients that are not ours."""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import aiohttp
import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.core.clock import SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, BookState, OrderType, PositionMode, Side
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import AddInstrument, CancelOrder, Deposit, OpenAccount, PlaceOrder
from foxtrot.hub.client import HubClient
from foxtrot.hub.server import HubServer
from foxtrot.hub.settings import HubSettings, OfferSettings
from foxtrot.hub.wire import HubLimits, Offered
from tests.support.builders import a_spot
from tests.support.scripted_adapter import ScriptedAdapter
from tests.support.waiting import wait_until

ACCOUNT, MAKER = "main", "maker"
BTC = "BTCUSDT.SPOT"
Json = dict[str, Any]
Truth = tuple[tuple[tuple[Decimal, Decimal], ...], tuple[tuple[Decimal, Decimal], ...]]


class StreamingAdapter(ScriptedAdapter):
    """A venue that a test plays; it keeps what it was asked for."""

    capabilities = msgspec.structs.replace(
        ScriptedAdapter.capabilities, depth_changes=True, book=BookKind.FULL, book_levels=1000
    )

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self.requests: list[SubscribeRequest] = []
        self.snapshots: list[str] = []
        self.update_id = 0

    def subscribe(self, request: SubscribeRequest) -> None:
        self.requests.append(request)

    def request_snapshot(self, instrument_id: str) -> None:
        self.snapshots.append(instrument_id)

    def become_ready(self, *instruments: Instrument) -> None:
        """Connect and list instruments, one spot pair by default."""
        self.on_contracts(instruments or (a_spot(),))
        self.on_status(AdapterState.READY)

    def whole(self, bids: tuple[Level, ...], asks: tuple[Level, ...], update_id: int = 100, name: str = BTC) -> None:
        """Publish a snapshot."""
        self.update_id = update_id
        self.on_depth(DepthData(name, 1_000, 2_000, update_id, bids, asks))

    def change(
        self, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), *, lost: int = 0, name: str = BTC
    ) -> None:
        """Publish a change that follows, or that comes after some that are lost."""
        before = self.update_id + lost
        self.update_id = before + 1
        self.on_depth_change(DepthChange(name, 1_000, 2_000, before + 1, before + 1, before, bids, asks))

    def quote(self, bid: float, ask: float, name: str = BTC) -> None:
        """Publish a ticker."""
        self.on_tick(TickData(name, 1_000, 2_000, bid, 1.0, ask, 2.0, bid, 0.5, volume=10.25))


class HubScene:
    """A hub with a venue that the test plays, and clients on one more loop."""

    def __init__(self, **settings: Any) -> None:
        offers = settings.pop("offers", (OfferSettings(BTC, ACCOUNT, 50),))
        kind: type[StreamingAdapter] = settings.pop("adapter", StreamingAdapter)
        self.server = HubServer(HubSettings(offers=offers, **settings))
        self.adapter = kind(AdapterContext(ACCOUNT, self.server.inlet, SendPermit(), SystemClock(), {}, {}))
        self.server.attach(self.adapter)
        self.clients = AsyncBridge("test-clients", SystemClock())
        self._raw: list[RawClient] = []
        self._ours: list[HubClient] = []

    def start(self, *instruments: Instrument) -> "HubScene":
        """Listen and let the venue be ready."""
        self.clients.start()
        self.server.start()
        self.adapter.become_ready(*instruments)
        self.settle()
        return self

    def settle(self) -> None:
        """Return when the hub has taken what was published."""
        self.server.figures()

    def offered(self, name: str = BTC) -> Offered:
        """One row of the hub's figures."""
        return next(one for one in self.server.figures().books if one.instrument == name)

    def raw(self, **how: Any) -> "RawClient":
        """Connect a client of the bare protocol."""
        client = RawClient(self.clients, self.server.url, **how)
        self._raw.append(client)
        return client

    def client(self, **how: Any) -> HubClient:
        """Connect a HubClient."""
        client = HubClient(self.server.url, **how)
        self._ours.append(client)
        return client

    def close(self) -> None:
        """End everything."""
        for ours in self._ours:
            assert ours.close() == ""
        for raw in self._raw:
            raw.close()
        assert self.server.stop() == ""
        assert self.clients.stop() == ""


@contextmanager
def hub_scene(**settings: Any) -> Iterator[HubScene]:
    """A scene that is started and ended."""
    scene = HubScene(**settings)
    try:
        yield scene.start()
    finally:
        scene.close()


class RawClient:
    """Speaks the protocol frame by frame; frames that it reads are plain JSON objects."""

    def __init__(
        self, bridge: AsyncBridge, url: str, *, headers: dict[str, str] | None = None, receive_bytes: int = 0
    ) -> None:
        self._bridge = bridge
        self._session: aiohttp.ClientSession | None = None
        self._receive_bytes = receive_bytes
        self.ws = bridge.submit(self._connect(url, headers or {})).result(10)
        try:
            self.hello = self.next()
        except BaseException:
            self.close()
            raise

    def send(self, frame: Json | str) -> None:
        """Send a frame."""
        text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        self._bridge.submit(self.ws.send_str(text)).result(10)

    def next(self, kind: str = "", timeout_s: float = 10.0) -> Json:
        """Return the next frame, of a type if one is named; heartbeats are passed over."""
        while True:
            found = self._bridge.submit(self._receive(timeout_s)).result(timeout_s + 1)
            if found["type"] == kind or (not kind and found["type"] != "heartbeat"):
                return found

    def subscribe(self, levels: int = 5, **more: Any) -> int:
        """Subscribe and return the stream's number."""
        self.send({"op": "subscribe", "id": 1, "instrument": BTC, "levels": levels, **more})
        return int(self.next("subscribed")["stream"])

    def ended(self, timeout_s: float = 10.0) -> tuple[int, str]:
        """Wait for the hub's close frame; returns its code and reason."""

        async def wait() -> tuple[int, str]:
            while True:
                async with asyncio.timeout(timeout_s):
                    message = await self.ws.receive()
                if message.type is aiohttp.WSMsgType.CLOSE:
                    return message.data, message.extra
                if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    return self.ws.close_code or 0, ""

        return self._bridge.submit(wait()).result(timeout_s + 1)

    def stall(self) -> None:
        """Take nothing more from the socket: aiohttp would go on reading into a buffer of half a megabyte."""
        self._bridge.submit(self._pause(paused=True)).result(10)

    def go_on(self) -> None:
        """Read again."""
        self._bridge.submit(self._pause(paused=False)).result(10)

    def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            self._bridge.submit(self._hang_up()).result(10)
            self._session = None

    async def _receive(self, timeout_s: float) -> Json:
        async with asyncio.timeout(timeout_s):
            message = await self.ws.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        found = msgspec.json.decode(message.data)
        assert isinstance(found, dict)
        return found

    async def _connect(self, url: str, headers: dict[str, str]) -> aiohttp.ClientWebSocketResponse:
        connector = aiohttp.TCPConnector(socket_factory=self._socket)
        self._session = aiohttp.ClientSession(connector=connector)
        try:
            return await self._session.ws_connect(url, headers=headers, autoclose=False)
        except BaseException:
            await self._session.close()
            raise

    async def _pause(self, *, paused: bool) -> None:
        transport = self.ws._conn.transport  # type: ignore[union-attr]
        if paused:
            transport.pause_reading()
        else:
            transport.resume_reading()

    async def _hang_up(self) -> None:
        assert self._session is not None
        await self.ws.close()
        await self._session.close()

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        if self._receive_bytes:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
        return made


class HubMarket:
    """The embedded venue with many instruments, whose every book is kept by its id; a step at a time, on the test's thread."""

    def __init__(self, count: int, *, limits: HubLimits, levels: int = 100, seed: int = 1) -> None:
        self.instruments = tuple(a_spot(f"C{number:02}USDT") for number in range(count))
        self.names = tuple(one.instrument_id for one in self.instruments)
        self.truth: dict[str, dict[int, Truth]] = defaultdict(dict)
        self.levels = levels
        self._random = Random(seed)
        self._orders: dict[str, list[int]] = defaultdict(list)
        self._placed = 0
        clock = SystemClock()
        self.session = SimulatedSession(clock, threaded=False)
        self._open(clock.now_ns())
        self.server = HubServer(
            HubSettings(offers=tuple(OfferSettings(name, ACCOUNT, levels) for name in self.names), limits=limits)
        )
        context = AdapterContext(ACCOUNT, self.server.inlet, SendPermit(), clock, {}, {})
        self.adapter = SimulatedAdapter(context, self.session)
        self.server.attach(self.adapter)

    def start(self) -> None:
        """Serve every book."""
        self.server.start()
        self.adapter.connect()
        wait_until(lambda: all(one.link == "ready" for one in self.server.figures().books))
        self.step()
        wait_until(lambda: all(one.state is BookState.LIVE for one in self.server.figures().books))

    def stop(self) -> None:
        """End hub and venue."""
        assert self.adapter.close() == ""
        assert self.server.stop() == ""

    def step(self, orders: int = 6) -> None:
        """Change every book, publish it and wait until the hub has told its readers."""
        for instrument in self.instruments:
            for _ in range(orders):
                self._act(instrument.instrument_id)
        self.session.step(self.session.clock.now_ns())
        for instrument in self.instruments:
            self._keep(instrument)
        self.server.figures()

    def forget(self) -> None:
        """Keep no book but the last of each instrument."""
        for books in self.truth.values():
            last = max(books)
            kept = books[last]
            books.clear()
            books[last] = kept

    def _open(self, now_ns: int) -> None:
        for instrument in self.instruments:
            self.session.execute(AddInstrument(now_ns, instrument, "price_time", FeeSchedule.zero(), "received"))
        for account in (ACCOUNT, MAKER):
            self.session.execute(OpenAccount(now_ns, account, PositionMode.NETTING))
        for asset in ("USDT", "BTC"):
            self.session.execute(Deposit(now_ns, MAKER, asset, Decimal(10**12)))
        for name in self.names:
            for number in range(90):
                self._place(name, Side.BUY, 9_999 - number)
                self._place(name, Side.SELL, 10_001 + number)

    def _act(self, name: str) -> None:
        random, orders = self._random, self._orders[name]
        if len(orders) > 250:
            order_id = orders.pop(random.randrange(len(orders)))
            self.session.execute(CancelOrder(self.session.clock.now_ns(), MAKER, name, order_id))
        side = random.choice((Side.BUY, Side.SELL))
        distance = random.randrange(-1, 100)
        self._place(name, side, 10_000 - distance if side is Side.BUY else 10_000 + distance)

    def _place(self, name: str, side: Side, price: int) -> None:
        self._placed += 1
        quantity = self._random.randrange(1, 500_000)
        command = PlaceOrder(
            self.session.clock.now_ns(), MAKER, name, f"o{self._placed}", side, OrderType.LIMIT, quantity, price
        )
        result = self.session.execute(command)
        assert result.ok, result
        self._orders[name].append(result.order_id)

    def _keep(self, instrument: Instrument) -> None:
        update_id, bids, asks = self.session.venue.depth(instrument.instrument_id, self.levels)
        price, size = instrument.price_grid.to_decimal, instrument.quantity_grid.to_decimal
        self.truth[instrument.instrument_id][update_id] = (
            tuple((price(row[0]), size(row[1])) for row in bids),
            tuple((price(row[0]), size(row[1])) for row in asks),
        )
