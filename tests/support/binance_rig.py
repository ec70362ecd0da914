"""The rig of the Binance adapter: the embedded exchange speaks Binance's protocol on loopback sockets, by one manual clock."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.books.sequence import ContiguousIds, PreviousId
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, PositionMode, PositionSide, Product, Side
from foxtrot.domain.errors import ConnectionLost
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.order import ApprovedOrder
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import CancelOrder, PlaceOrder, VenueCommand
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.contract_rig import ContractRig, Rows
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

START_NS = 1_700_000_040_000_000_000
BEAT_NS = 110_000_000
"""More than the 100 ms after which depth is published."""
DEADLINE_S = 10.0
MAKER, TAKER, SECOND = "maker", "taker", "second"
THOUSANDTH = Grid.of("0.001")


class Longest(Random):
    """Randomness that always gives the longest delay, so that a test knows when the adapter comes back."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class BinanceRig(ContractRig):
    """An embedded exchange on its own thread and sockets; the adapter is the real one, told only where the port is."""

    io_thread = "binance-io"
    shortest_life_s = 610
    ticks_per_change = range(1, 4)
    subscriptions_per_s = 0
    """All at once: the clock stands still while a test waits for its streams, so that every wait for a turn costs it seconds."""

    def __init__(
        self,
        product: Product,
        *,
        adapter_class: type[BinanceAdapter] = BinanceAdapter,
        mode: PositionMode = PositionMode.NETTING,
        hot_path: bool = True,
    ) -> None:
        super().__init__()
        self.name = f"binance {'spot' if product is Product.SPOT else 'usdm'}{'' if hot_path else ' by ccxt'}"
        self.product = product
        self.sequence_rule = ContiguousIds() if product is Product.SPOT else PreviousId()
        self.clock = ManualClock(START_NS)
        self.permit = SendPermit()
        self.heard = Recorder()
        self._adapter_class = adapter_class
        self._hot_path = hot_path
        self._mode = mode
        self._adapters: list[tuple[BinanceAdapter, Recorder]] = []
        self._others = 0
        self._silenced = False
        self.spot, self.contract = self._instruments()
        self.server = ExchangeServer(self._server_settings(), self.clock)
        self.server.start()
        self._threads_before = set(threading.enumerate())
        self._open_market()
        self.new_adapter()

    # --- the adapter ------------------------------------------------------------------------------------------------

    def new_adapter(self) -> BaseAdapter:
        self.adapter = self._make(self.account, self.heard)
        return self.adapter

    def other_adapter(self) -> tuple[BaseAdapter, Recorder]:
        heard = Recorder()
        adapter = self._make(SECOND, heard)
        adapter.connect()
        self.settle()
        return adapter, heard

    def sibling(self, mode: PositionMode) -> "BinanceRig":
        return BinanceRig(self.product, adapter_class=self._adapter_class, mode=mode, hot_path=self._hot_path)

    def discard(self) -> None:
        try:
            self.server.clear_faults()
            for adapter, _ in self._adapters:
                BinanceAdapter.close(adapter, DEADLINE_S)
            self.join_helpers()
        finally:
            assert self.server.stop() == ""
        assert self.server.failures == ()

    def remains(self) -> list[str]:
        started = [thread for thread in threading.enumerate() if thread not in self._threads_before]
        for thread in started:
            thread.join(0.5)
        alive = [thread.name for thread in started if thread.is_alive()]
        if not alive:  # the server hears of an end a moment after it
            with suppress(AssertionError):
                wait_until(lambda: not self._connections(), deadline_s=1.0)
        return alive + [f"connection {one['path']} {one['streams']}" for one in self._connections()]

    def streams(self, instrument_id: str) -> int:
        stream = f"{instrument_id.partition('.')[0].lower()}@trade"
        return sum(list(one["streams"]).count(stream) for one in self._connections())

    # --- time and the link ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        calm = 0
        for _ in range(40):
            before = len(self.heard)
            self._arrive()
            self.clock.advance(BEAT_NS)
            self.server.step()
            self._arrive()
            calm = calm + 1 if len(self.heard) == before else 0
            if calm == 2:
                return

    def advance(self, seconds: float) -> None:
        """Let time pass as it passes: a second at a time, with both sides doing what each second brings."""
        pace_ns = 10**9 if seconds <= 120 else 5 * 10**9
        whole, rest = divmod(int(seconds * 1e9), pace_ns)
        for step_ns in [pace_ns] * whole + [rest] * bool(rest):
            self.clock.advance(step_ns)
            self.server.step()
            self._arrive()
        self.settle()

    @contextmanager
    def held(self) -> Iterator[None]:
        released = threading.Event()
        bridge = self._session().bridge
        bridge.start()
        bridge.call_soon(lambda: _discard(released.wait(10)))
        try:
            yield
        finally:
            released.set()

    @contextmanager
    def unready(self, request: SubscribeRequest) -> Iterator[None]:
        number = self.server.inject(Fault(kind="delay", endpoint="GET */depth", count=1, delay_s=4))
        self.adapter.subscribe(request)

        def waits() -> bool:
            self.clock.advance(BEAT_NS // 10)  # what is subscribed together leaves together, a moment later
            self.server.step()
            return self._has_acted(number) and self.streams(request.instrument_id) == 1

        wait_until(waits, deadline_s=DEADLINE_S)
        yield
        self.server.clear_faults(number)
        self.clock.advance(4 * 10**9)
        self.server.step()

    def lose_link(self, cause: str, delay_s: float = 5.0) -> None:
        lost = self.heard.states().count(AdapterState.LOST)
        connected = bool(self._connections())
        number = self.server.inject(Fault(kind="reset", count=0))
        if connected:
            wait_until(lambda: self.heard.states().count(AdapterState.LOST) > lost, deadline_s=DEADLINE_S)
            wait_until(lambda: not self._connections(), deadline_s=DEADLINE_S)
        self.server.clear_faults(number)
        self._arrive()

    @contextmanager
    def silence(self) -> Iterator[None]:
        silent = [
            Fault(kind="ack_lost", endpoint="*", count=0, hang=True),
            Fault(kind="go_silent", connection="user"),
        ]
        numbers = [self.server.inject(fault) for fault in silent]
        self._silenced = True
        try:
            yield
        finally:
            self._silenced = False
            for number in numbers:
                self.server.clear_faults(number)

    # --- everybody else ---------------------------------------------------------------------------------------------

    def order(
        self, side: Side = Side.BUY, quantity: int = 1_000, price: int = 9_950, **changes: object
    ) -> ApprovedOrder:
        made = super().order(side, quantity, price, **changes)
        units = self._units(quantity, self.spot)
        return msgspec.structs.replace(
            made, quantity_units=units, display_units=self._units(made.display_units, self.spot)
        )

    def rest(self, side: Side, price: int, quantity: int, instrument: Instrument | None = None) -> int:
        return self._place(MAKER, side, price, quantity, instrument)

    def take(self, side: Side, quantity: int, instrument: Instrument | None = None) -> None:
        self._place(TAKER, side, 0, quantity, instrument)

    def withdraw(self, order_id: int, instrument: Instrument | None = None) -> None:
        name = (instrument or self.spot).instrument_id
        self._execute(CancelOrder(self.clock.now_ns(), MAKER, name, order_id))

    def place_elsewhere(self, order_id: str, side: Side, price: int, quantity: int) -> None:
        self._place(self.account, side, price, quantity, self.spot, order_id)

    def cancel_elsewhere(self, order_id: str) -> None:
        name = self.spot.instrument_id
        self._execute(CancelOrder(self.clock.now_ns(), self.account, name, client_order_id=order_id))

    # --- what this venue can do -------------------------------------------------------------------------------------

    def is_told_as(self, told: str, cause: str) -> bool:
        return bool(told)

    def refused_terms(self, why: str, terms: dict[str, object]) -> dict[str, object]:
        if why == "a price off the grid":
            raise pytest.skip.Exception(
                f"{self.name}: Binance has one price step for all prices, so whole units are always on its grid",
                _use_item_location=True,
            )
        if why == "more than the account holds" and self.product is not Product.SPOT:
            return {**terms, "quantity": 200_000_000}
        return terms

    def landed(self) -> list[str]:
        self._arrive()
        return self.received()

    # --- the venue's truth ------------------------------------------------------------------------------------------

    def received(self) -> list[str]:
        return self.server.call(
            lambda server: [one.client_order_id for one in server.traffic.orders if one.account == self.account]
        )

    def open_orders(self) -> set[str]:
        return self.server.call(self._open_orders)

    def fills(self) -> list[tuple[str, str, Decimal, str]]:
        fills = self.server.call(lambda server: server.host.venue.fills(self.account))
        return [(str(fill.trade_id), fill.client_order_id, fill.fee, fill.fee_asset) for fill in fills]

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        return self.server.call(self._balances)

    def positions(self) -> dict[tuple[str, PositionSide], float]:
        held = self.server.call(lambda server: server.host.venue.positions(self.account))
        listed = {one.instrument_id: one for one in (self.spot, self.contract)}
        return {
            (row.instrument_id, row.position_side): listed[row.instrument_id].quantity(row.quantity)
            for row in held
            if row.quantity
        }

    def book(self, instrument: Instrument | None = None) -> tuple[Rows, Rows]:
        name = (instrument or self.spot).instrument_id
        _, bids, asks = self.server.call(lambda server: server.host.venue.depth(name))
        return bids, asks

    def bars(self, interval: str) -> list[BarData]:
        return self.server.call(partial(self._bars, Interval.parse(interval)))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _bars(self, interval: Interval, server: ExchangeServer) -> list[BarData]:
        """Return bars made of the venue's candles; a minute without trades repeats the last close."""
        spot, length_ns = self.spot, interval.duration_ns
        candles = {one.open_time_ns: one for one in server.host.venue.klines(spot.instrument_id, length_ns, 10_000)}
        made: list[BarData] = []
        for open_ns in range(min(candles), self.clock.now_ns() - length_ns + 1, length_ns):
            one = candles.get(open_ns)
            if one is None:
                prices, volume, turnover, count = (made[-1].close,) * 4, 0.0, 0.0, 0
            else:
                prices = (spot.price(one.open), spot.price(one.high), spot.price(one.low), spot.price(one.close))
                volume, count = spot.quantity(one.volume), one.trade_count
                turnover = float(spot.price_grid.to_decimal(1) * spot.quantity_grid.to_decimal(one.turnover))
            made.append(
                BarData(
                    spot.instrument_id, interval.text, open_ns, open_ns + length_ns, *prices, volume, turnover, count
                )
            )
        return made

    def _open_orders(self, server: ExchangeServer) -> set[str]:
        found = {order.client_order_id for order in server.host.venue.open_orders(self.account)}
        if self.product is not Product.SPOT:  # conditional orders wait on a list of their own
            surface: Any = server.host.surfaces["usdm"]
            found |= {algo.client_algo_id for algo in surface._trading._algo_book.waiting(self.account)}
        return found

    def _balances(self, server: ExchangeServer) -> dict[str, tuple[Decimal, Decimal]]:
        venue = server.host.venue
        held = venue.balances(self.account)
        if self.product is Product.SPOT:
            return held
        # A wallet locks nothing; what orders and positions hold of it is its initial margin.
        return {asset: (total, venue.margin(self.account, asset).initial) for asset, (total, _) in held.items()}

    def _instruments(self) -> tuple[Instrument, Instrument]:
        kind = spot_like if self.product is Product.SPOT else perpetual_like
        return kind("BTCUSDT", "BTC"), kind("ETHUSDT", "ETH")

    def _server_settings(self) -> ServerSettings:
        port = {"binance_spot": 0} if self.product is Product.SPOT else {"binance_usdm": 0}
        rich = {"USDT": Decimal(10**9), "BTC": Decimal(10**6), "ETH": Decimal(10**6)}
        ours = {"USDT": Decimal(100_000)} | ({"BTC": Decimal(10)} if self.product is Product.SPOT else {})
        accounts = (
            AccountSetup(self.account, (key_of(self.account),), ours, self._mode),
            AccountSetup(SECOND, (key_of(SECOND),), ours),
            AccountSetup(MAKER, (), rich),
            AccountSetup(TAKER, (), rich),
        )
        return ServerSettings(
            ports=ServerPorts(**port),
            accounts=accounts,
            instruments=(self.spot, self.contract),
            agents=0,
            surface=SurfaceSettings(limits=False),
        )

    def _open_market(self) -> None:
        for instrument in (self.spot, self.contract):
            self.rest(Side.SELL, 10_000, 1_000, instrument)
            self.take(Side.BUY, 1_000, instrument)
            for side, price in ((Side.BUY, 9_900), (Side.BUY, 9_800), (Side.SELL, 10_100), (Side.SELL, 10_200)):
                self.rest(side, price, 5_000, instrument)

    def _make(self, account: str, heard: Recorder) -> BinanceAdapter:
        settings, key = self._settings(), key_of(account)
        secrets = {"api_key": Secret(key.api_key), "api_secret": Secret(key.secret)}
        mode = self._mode if account == self.account else PositionMode.NETTING
        context = AdapterContext(account, heard, self.permit, self.clock, settings, {}, "loopback", mode, secrets)
        adapter = self._adapter_class(context)
        adapter.session.backoff = Backoff(Longest(), base_s=5.0, cap_s=5.0)
        self._adapters.append((adapter, heard))
        return adapter

    def _settings(self) -> dict[str, Any]:
        """Return what every adapter of the rig is set to."""
        spot = self.product is Product.SPOT
        settings: dict[str, Any] = {
            "product": "spot" if spot else "usdm",
            "port": self._port(),
            "hot_path": self._hot_path,
            "subscriptions_per_s": self.subscriptions_per_s,
        }
        return settings if spot else settings | {"max_leverage": 20}

    def _port(self) -> int | None:
        """Return the port that adapters are told."""
        return self.server.ports["binance_spot" if self.product is Product.SPOT else "binance_usdm"]

    def _session(self) -> Any:
        adapter = self.adapter
        assert isinstance(adapter, BinanceAdapter)
        return adapter.session

    def _arrive(self) -> None:
        """Wait until whatever was asked is answered, and whatever the server has sent is published."""
        for adapter, heard in self._adapters:
            bridge = adapter.session.bridge
            if not bridge.running or bridge.is_own_thread:
                continue
            state = self._connected(heard)
            with suppress(CancelledError, ConnectionLost):  # it closes just now
                bridge.submit(caught_up(adapter, state, wait_jobs=not self._silenced)).result(DEADLINE_S)

    def _connected(self, heard: Recorder) -> AdapterState | None:
        """Return the state of a link, once it is not about to become another."""
        under_way = (AdapterState.CONNECTING, AdapterState.CONNECTED)
        if not self._silenced:
            with suppress(AssertionError):
                wait_until(lambda: (heard.states() or [None])[-1] not in under_way, deadline_s=5.0)
        return (heard.states() or [None])[-1]

    def _has_acted(self, number: int) -> bool:
        """Tell whether a fault has acted."""
        armed = self.server.call(lambda server: server.faults.script.armed())
        return any(one.number == number and one.fired for one in armed)

    def _connections(self) -> list[dict[str, Any]]:
        return self.server.call(
            lambda server: [
                {"path": one.connection.path, "streams": list(one.streams)} for one in server.faults.sockets.values()
            ]
        )

    def _execute(self, command: VenueCommand) -> CommandResult:
        result = self.server.call(lambda server: server.host.execute(command))
        assert result.ok, result
        return result

    def _place(
        self, account: str, side: Side, price: int, quantity: int, instrument: Instrument | None, order_id: str = ""
    ) -> int:
        self._others += 1
        traded = instrument or self.spot
        order_type = OrderType.LIMIT if price else OrderType.MARKET
        order_id = order_id or f"other{self._others}"
        units = self._units(quantity, traded)
        now_ns, name = self.clock.now_ns(), traded.instrument_id
        return self._execute(PlaceOrder(now_ns, account, name, order_id, side, order_type, units, price)).order_id

    @staticmethod
    def _units(thousandths: int, instrument: Instrument) -> int:
        """Return a quantity given in thousandths in the instrument's own units."""
        return thousandths * (10**5 if instrument.product is Product.SPOT else 1)


async def caught_up(adapter: BinanceAdapter, state: AdapterState | None, *, wait_jobs: bool) -> None:
    """Return when no request of ours is under way and a ping on every connection has come back behind all frames.

    The waits have a limit each, for what a test keeps from happening; a loop that is busy is given its time.
    """
    session: Any = adapter.session
    for _ in range(2):
        if wait_jobs and session._jobs:
            await asyncio.wait(tuple(session._jobs), timeout=2.0)
        if wait_jobs and session.linked and state is AdapterState.READY:
            await _at_most(2.0, lambda: not session.linked or _is_fresh(adapter))
        exchange = session.door.exchange
        pinged = [one for one in exchange.clients.values() if one.connection and not one.closed()] if exchange else []
        for client in pinged:
            client.lastPong = None
            with suppress(ConnectionResetError):  # it is being closed
                await client.connection.ping()
        await _at_most(2.0, partial(_all_back, pinged))
        for _ in range(6):
            await asyncio.sleep(0)


def _is_fresh(adapter: BinanceAdapter) -> bool:
    """Tell whether every stream that is wanted has been asked for and has told where the market is."""
    data: Any = adapter.market_data
    return not data.bars.asking and all(
        all(topic.settled.is_set() for topic in data.topics.of(entry.request.instrument_id))
        and (not entry.request.ticks or entry.tick_told.is_set())
        and (entry.book is None or entry.book_told.is_set())
        for entry in data._entries.values()
    )


def _all_back(pinged: list[Any]) -> bool:
    return all(client.lastPong is not None or client.closed() for client in pinged)


async def _at_most(seconds: float, condition: Callable[[], bool]) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  (what is waited for tells nobody)
        await asyncio.sleep(0.001)


def key_of(account: str) -> ApiKey:
    """Return the key of an account of the rig."""
    return ApiKey(f"key-of-{account}", account, f"secret-of-{account}")


def spot_like(symbol: str, base: str) -> Instrument:
    """Return a spot pair in steps of 0.01 and 0.001 that counts as Binance's do, in 1e-8."""
    thousandth = 10**5
    return Instrument(
        instrument_id=f"{symbol}.BINANCE", symbol=symbol, venue="BINANCE", product=Product.SPOT, base_asset=base,
        quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.00000001"),
        lot_units=thousandth, min_quantity_units=10 * thousandth, max_quantity_units=9_000_000 * thousandth,
        min_notional=Decimal(5), max_notional=Decimal(9_000_000), max_open_orders=1_000,
    )  # fmt: skip


def perpetual_like(symbol: str, base: str) -> Instrument:
    """Return a USD-M perpetual in steps of 0.01 and 0.001."""
    return Instrument(
        instrument_id=f"{symbol}.BINANCE_USDM", symbol=symbol, venue="BINANCE_USDM", product=Product.PERPETUAL,
        base_asset=base, quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of("0.01"), quantity_grid=THOUSANDTH,
        min_quantity_units=10, max_quantity_units=1_000_000_000, min_notional=Decimal(5), max_open_orders=1_000,
        initial_margin_rate=Decimal("0.05"), maintenance_margin_rate=Decimal("0.025"), funding_interval_s=8 * 3600,
    )  # fmt: skip


def _discard(_result: object) -> None:
    """Ignore a result."""
