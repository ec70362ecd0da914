"""A Binance session whose answers a test writes: what is asked is kept, nothing leaves the test's own loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.errors import PermitClosed
from foxtrot.adapter.binance.order_count import OrderCount
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import VenueRejected
from foxtrot.domain.instrument import Grid, Instrument
from tests.support.recorder import Recorder
from tests.support.scripted_adapter import ScriptedAdapter

START_MS = 1_700_000_000_000
Params = Mapping[str, str]
Reply = object | Exception | Callable[[Params], object]
BOUND_S = 30.0


class BinanceLike(ScriptedAdapter):
    """An adapter with a bound after which NOT FOUND is believed."""

    capabilities = msgspec.structs.replace(ScriptedAdapter.capabilities, unknown_bound_s=BOUND_S, network=True)


class ScriptedSession:
    """Answers by endpoint: `replies` holds what comes next, the last of them for ever; an exception is raised."""

    def __init__(self, product: Product = Product.SPOT, instruments: tuple[Instrument, ...] = ()) -> None:
        self.product = product
        self.clock = ManualClock(START_MS * 1_000_000)
        self.account = "ours"
        self.linked = True
        self.settings = SimpleNamespace(max_leverage=0)
        self.order_count = OrderCount(product, counts=False)
        self.permit = SendPermit()
        self.heard = Recorder()
        self.instruments = {instrument.instrument_id: instrument for instrument in instruments}
        self.halted: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.replies: dict[str, list[Reply]] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        context = AdapterContext("ours", self.heard, self.permit, self.clock, {}, {})
        self.adapter = BinanceLike(context)

    def reply(self, endpoint: str, *answers: Reply) -> None:
        """Write what an endpoint answers, one after the other; the last stays."""
        self.replies[endpoint] = list(answers)

    def asked(self, endpoint: str) -> list[dict[str, str]]:
        """The parameters of each request to an endpoint."""
        return [params for name, params in self.calls if name == endpoint]

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        return self.instruments.get(instrument_id)

    def market_symbol(self, instrument_id: str) -> str:
        return self.instruments[instrument_id].symbol

    async def request(self, endpoint: str, params: Params, *, deadline_s: float = 10.0) -> Any:
        self.calls.append((endpoint, dict(params)))
        await asyncio.sleep(0)
        answers = self.replies.get(endpoint) or [VenueRejected("binance", "-2013", "Order does not exist.")]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        answer = answer(params) if callable(answer) else answer
        return await answer if isinstance(answer, Awaitable) else answer

    async def send_permitted(self, endpoint: str, params: Params, *, reduces: bool) -> Any:
        if not self.permit.send(lambda: None, reduces=reduces):
            raise PermitClosed(self.permit.reason)
        return await self.request(endpoint, params)

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self.tasks.append(task)
        return task

    async def wait_s(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self.clock.monotonic_ns() + int(seconds * 1e9), waiter))
        await waiter

    async def settle(self) -> None:
        """Let everything run that waits for nothing but its turn."""
        for _ in range(60):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Let what runs come to rest, then move the clock in steps of a quarter second and let what is due run."""
        await self.settle()
        for _ in range(int(seconds * 4)):
            self.clock.advance(250_000_000)
            due = [waiter for at, waiter in self._waiters if at <= self.clock.monotonic_ns()]
            self._waiters = [(at, w) for at, w in self._waiters if at > self.clock.monotonic_ns()]
            for waiter in due:
                if not waiter.done():
                    waiter.set_result(None)
            if due:
                await self.settle()

    async def end(self) -> None:
        """Cancel what still runs, and raise what a task died of."""
        for task in self.tasks:
            task.cancel()
        for result in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


def btcusdt(product: Product = Product.SPOT) -> Instrument:
    """BTCUSDT as exchangeInfo gives it: prices in 0.01, spot counted in 1e-8 with a lot of 0.00001, USD-M in 0.001."""
    spot = product is Product.SPOT
    return Instrument(
        instrument_id="BTCUSDT.BINANCE" if spot else "BTCUSDT.BINANCE_USDM",
        symbol="BTCUSDT",
        venue="BINANCE" if spot else "BINANCE_USDM",
        product=product,
        base_asset="BTC",
        quote_asset="USDT",
        settle_asset="USDT",
        price_grid=Grid.of("0.01"),
        quantity_grid=Grid.of("0.00000001" if spot else "0.001"),
        lot_units=1_000 if spot else 1,
        initial_margin_rate=Decimal(1) if spot else Decimal("0.05"),
    )


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine to its end."""
    asyncio.run(story())
