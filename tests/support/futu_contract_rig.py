"""The contract suite's rig of the Futu adapter: the embedded exchange speaks FutuOpenD's protocol, the unmodified SDK listens.

Futu counts shares, the suite thousandths: the rig lists instruments of its own in steps of 0.01 and 0.001, which the protocol carries as it
is, and tells the adapter that these are what can be traded. Everything else is the adapter as it is.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from importlib.util import find_spec
from random import Random
from typing import Any, ClassVar

import pytest

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.futu.adapter import FutuAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, PositionMode, PositionSide, Product, Side
from foxtrot.domain.errors import AdapterError, ConnectionLost
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
from foxtrot.exchange.wire.futu.message_types import messages
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.contract_rig import ContractRig, Rows
from tests.support.futu_market_rig import hong_kong
from tests.support.futu_raw import RawFutu, response_of
from tests.support.futu_rig import REAL
from tests.support.futu_sdk import import_futu
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

START_NS = hong_kong("2026-03-10 10:02:00")
BEAT_NS = 110_000_000
DEADLINE_S = 10.0
DEALS = 2211
MAKER, TAKER, SECOND = "maker", "taker", "second"


class Longest(Random):
    """Randomness that always gives the longest delay, so that a test knows when the adapter comes back."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class FutuRig(ContractRig):
    """An embedded exchange on its own thread and socket; our account is one with real money, whose fills Futu tells."""

    name = "futu"
    environment = "real"
    io_thread = "futu-io"
    ticks_per_change = range(1, 6)
    sequence_rule = ContiguousIds()
    skips: ClassVar = {
        "test_4_a_resting_order_is_told_with_all_its_terms": "Futu takes whole shares, not 1.234 of them",
        "test_5_every_public_trade_is_told_once_with_its_aggressor": "Futu takes whole shares, not 0.1 of one",
        "test_6_before_the_snapshot_the_depth_is_requested_and_says_so": "a book can be asked for when it is subscribed, not before",
    }

    def __init__(self) -> None:
        if find_spec("futu") is None:
            pytest.skip("futu-api is not installed; pip install 'foxtrot[futu]' has it")
        super().__init__()
        import_futu()  # its network thread never ends
        self.clock, self.permit, self.heard = ManualClock(START_NS), SendPermit(), Recorder()
        self.spot, self.contract = stock_like("00700"), stock_like("00005")
        self._adapters: list[tuple[FutuAdapter, Recorder]] = []
        self._others = 0
        self._silenced = False
        self.server = ExchangeServer(self._server_settings(), self.clock)
        self.server.start()
        self._threads_before = set(threading.enumerate())
        self._open_market()
        self.new_adapter()

    @property
    def venue_account(self) -> str:
        """Return the exchange's name of our account."""
        return self.account

    # --- the adapter ------------------------------------------------------------------------------------------------

    def new_adapter(self) -> BaseAdapter:
        self.adapter = self._make(self.account, REAL, self.heard)
        return self.adapter

    def other_adapter(self) -> tuple[BaseAdapter, Recorder]:
        heard = Recorder()
        adapter = self._make(SECOND, REAL + 1, heard)
        adapter.connect()
        self.settle()
        return adapter, heard

    def sibling(self, mode: PositionMode) -> "FutuRig":
        raise pytest.skip.Exception(f"{self.name}: accounts are netting only, not {mode}", _use_item_location=True)

    def discard(self) -> None:
        try:
            self.server.clear_faults()
            for adapter, _ in self._adapters:
                FutuAdapter.close(adapter, DEADLINE_S)
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
        return alive + self._connections()

    def streams(self, instrument_id: str) -> int:
        return sum(
            key[0].endswith(instrument_id.partition(".")[0]) and key[1] == "TICKER" for key in self._subscribed()
        )

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
        """Let time pass as it passes: a second at a time, less while the adapter tries the port again and again."""
        left_ns = int(seconds * 1e9)
        while left_ns > 0:
            pauses = any(heard.states()[-1:] == [AdapterState.BACKING_OFF] for _, heard in self._adapters)
            step_ns = min(left_ns, 10**8 if pauses else 10**9)
            left_ns -= step_ns
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
        number = self.server.inject(Fault(kind="delay", product="futu", endpoint="Qot_Sub", count=1, delay_s=4))
        self.adapter.subscribe(request)
        wait_until(lambda: self._has_acted(number), deadline_s=DEADLINE_S)
        yield
        self.server.clear_faults(number)
        self.clock.advance(4 * 10**9)
        self.server.step()

    def lose_link(self, cause: str, delay_s: float = 5.0) -> None:
        lost = self.heard.states().count(AdapterState.LOST)
        connected = bool(self._connections())
        number = self.server.inject(Fault(kind="reset", product="futu", count=0))
        if connected:
            wait_until(lambda: self.heard.states().count(AdapterState.LOST) > lost, deadline_s=DEADLINE_S)
            wait_until(lambda: not self._connections(), deadline_s=DEADLINE_S)
        self.server.clear_faults(number)
        self._arrive()

    @contextmanager
    def silence(self) -> Iterator[None]:
        kinds = (Fault(kind="mute", product="futu", executed=True), Fault(kind="go_silent", product="futu"))
        numbers = [self.server.inject(fault) for fault in kinds]
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
        """Make an order of a share at least, for Futu takes no less, unless it is one that is to be refused for that."""
        return super().order(side, quantity if quantity < 50 else max(quantity, 1_000), price, **changes)

    def rest(self, side: Side, price: int, quantity: int, instrument: Instrument | None = None) -> int:
        return self._place(MAKER, side, price, quantity, instrument)

    def take(self, side: Side, quantity: int, instrument: Instrument | None = None) -> None:
        self._place(TAKER, side, 0, quantity, instrument)

    def withdraw(self, order_id: int, instrument: Instrument | None = None) -> None:
        self._execute(CancelOrder(self.clock.now_ns(), MAKER, (instrument or self.spot).instrument_id, order_id))

    def place_elsewhere(self, order_id: str, side: Side, price: int, quantity: int) -> None:
        self._place(self.venue_account, side, price, quantity, self.spot, order_id)

    def cancel_elsewhere(self, order_id: str) -> None:
        name = self.spot.instrument_id
        self._execute(CancelOrder(self.clock.now_ns(), self.venue_account, name, client_order_id=order_id))

    # --- what this venue can do -------------------------------------------------------------------------------------

    def is_told_as(self, told: str, cause: str) -> bool:
        return bool(told)

    def refused_terms(self, why: str, terms: dict[str, object]) -> dict[str, object]:
        if why == "a price off the grid":
            raise pytest.skip.Exception(f"{self.name}: the rig's stocks have one price step", _use_item_location=True)
        return terms

    def landed(self) -> list[str]:
        self._arrive()
        return self.received()

    # --- the venue's truth ------------------------------------------------------------------------------------------

    def received(self) -> list[str]:
        return self.server.call(
            lambda server: [one.client_order_id for one in server.traffic.orders if one.account == self.venue_account]
        )

    def open_orders(self) -> set[str]:
        return self.server.call(
            lambda server: {order.client_order_id for order in server.host.venue.open_orders(self.venue_account)}
        )

    def fills(self) -> list[tuple[str, str, Decimal, str]]:
        fills = self.server.call(lambda server: server.host.venue.fills(self.venue_account))
        numbers = self._fill_numbers()
        assert len(numbers) == len(fills)
        return [
            (number, fill.client_order_id, fill.fee, fill.fee_asset)
            for number, fill in zip(numbers, fills, strict=True)
        ]

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        held = self.server.call(lambda server: server.host.venue.balances(self.venue_account))
        return {asset: row for asset, row in held.items() if asset in ("HKD", "USD")}

    def positions(self) -> dict[tuple[str, PositionSide], float]:
        held = self.server.call(lambda server: server.host.venue.balances(self.venue_account))
        found = {(one.instrument_id, PositionSide.NET): held.get(one.base_asset) for one in (self.spot, self.contract)}
        return {place: float(row[0]) for place, row in found.items() if row is not None and row[0]}

    def book(self, instrument: Instrument | None = None) -> tuple[Rows, Rows]:
        name = (instrument or self.spot).instrument_id
        _, bids, asks = self.server.call(lambda server: server.host.venue.depth(name))
        return bids, asks

    def bars(self, interval: str) -> list[BarData]:
        return self.server.call(partial(self._bars, Interval.parse(interval)))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _fill_numbers(self) -> list[str]:
        """Return the numbers of our fills as the server gives them to whoever asks, oldest first."""
        client = RawFutu(self.server.ports["futu"] or 0)
        try:
            client.init()
            request = messages("Trd_GetOrderFillList").Request()
            request.c2s.header.trdEnv, request.c2s.header.accID, request.c2s.header.trdMarket = 1, REAL, 1
            serial = client.send_bytes(DEALS, request.SerializeToString())
            while (frame := client.read()).serial != serial:
                continue
            return sorted((str(row.fillID) for row in response_of(frame).s2c.orderFillList), key=int)
        finally:
            client.close()

    def _bars(self, interval: Interval, server: ExchangeServer) -> list[BarData]:
        """Return bars made of the venue's candles; Futu tells none of a minute without trades."""
        spot, length_ns, made = self.spot, interval.duration_ns, []
        for one in server.host.venue.klines(spot.instrument_id, length_ns, 10_000):
            prices = (spot.price(one.open), spot.price(one.high), spot.price(one.low), spot.price(one.close))
            turnover = float(spot.price_grid.to_decimal(1) * spot.quantity_grid.to_decimal(one.turnover))
            open_ns, close_ns = one.open_time_ns, one.open_time_ns + length_ns
            if close_ns <= self.clock.now_ns():
                figures = (*prices, spot.quantity(one.volume), turnover, 0)
                made.append(BarData(spot.instrument_id, interval.text, open_ns, close_ns, *figures))
        return made

    def _server_settings(self) -> ServerSettings:
        rich = {"HKD": Decimal(10**9), "00700": Decimal(10**6), "00005": Decimal(10**6)}
        ours = {"HKD": Decimal(100_000), "00700": Decimal(10)}
        accounts = (
            AccountSetup(self.account, balances=ours),
            AccountSetup(SECOND, balances=ours),
            AccountSetup(MAKER, balances=rich),
            AccountSetup(TAKER, balances=rich),
        )
        return ServerSettings(
            ports=ServerPorts(futu=0),
            accounts=accounts,
            instruments=(self.spot, self.contract),
            agents=0,
            futu=FutuSettings(limits=False),
        )

    def _open_market(self) -> None:
        for instrument in (self.spot, self.contract):
            self.rest(Side.SELL, 10_000, 1_000, instrument)
            self.take(Side.BUY, 1_000, instrument)
            for side, price in ((Side.BUY, 9_900), (Side.BUY, 9_800), (Side.SELL, 10_100), (Side.SELL, 10_200)):
                self.rest(side, price, 5_000, instrument)

    def _make(self, account: str, number: int, heard: Recorder) -> FutuAdapter:
        settings = {
            "port": self.server.ports["futu"] or 0, "account_id": number, "outside_session": "send", "markets": "HK",
            "orders_per_30_s": 1000, "changes_per_30_s": 1000, "queries_per_30_s": 1000, "subscription_quota": 1000,
        }  # fmt: skip
        context = AdapterContext(
            account, heard, self.permit, self.clock, settings, {}, self.environment, PositionMode.NETTING,
            {"unlock_password": Secret("foxtrot")},
        )  # fmt: skip
        adapter = FutuAdapter(context)
        adapter.session.backoff = Backoff(Longest(), base_s=5.0, cap_s=5.0)
        adapter.market_data.load_contracts = self._listed  # type: ignore[method-assign]
        self._adapters.append((adapter, heard))
        return adapter

    async def _listed(self) -> tuple[Instrument, ...]:
        return self.spot, self.contract

    def _session(self) -> Any:
        adapter = self.adapter
        assert isinstance(adapter, FutuAdapter)
        return adapter.session

    def _arrive(self) -> None:
        """Wait until whatever was asked is answered, and whatever the server has sent is published."""
        for adapter, heard in self._adapters:
            bridge = adapter.session.bridge
            if not bridge.running or bridge.is_own_thread:
                continue
            if not self._silenced:
                self._not_between(heard)
            with suppress(CancelledError, ConnectionLost):  # it closes just now
                bridge.submit(caught_up(adapter, wait_jobs=not self._silenced)).result(DEADLINE_S)

    @staticmethod
    def _not_between(heard: Recorder) -> None:
        """Wait until the link is not about to become another."""
        under_way = (AdapterState.CONNECTING, AdapterState.CONNECTED)
        with suppress(AssertionError):
            wait_until(lambda: (heard.states() or [None])[-1] not in under_way, deadline_s=5.0)

    def _has_acted(self, number: int) -> bool:
        armed = self.server.call(lambda server: server.faults.script.armed())
        return any(one.number == number and one.fired for one in armed)

    def _connections(self) -> list[str]:
        return self.server.call(lambda server: [f"connection of {one.kind}" for one in open_sockets(server)])

    def _subscribed(self) -> list[tuple[str, str]]:
        """Return what the adapters have subscribed, as they keep it."""
        found: list[tuple[str, str]] = []
        for adapter, _ in self._adapters:
            if adapter.session.linked:
                found += adapter.session.quota._since_ns
        return found

    def _execute(self, command: VenueCommand) -> CommandResult:
        result = self.server.call(lambda server: server.host.execute(command))
        assert result.ok, result
        return result

    def _place(
        self, account: str, side: Side, price: int, quantity: int, instrument: Instrument | None, order_id: str = ""
    ) -> int:
        self._others += 1
        order_type = OrderType.LIMIT if price else OrderType.MARKET
        order_id = order_id or f"other{self._others}"
        now_ns, name = self.clock.now_ns(), (instrument or self.spot).instrument_id
        return self._execute(PlaceOrder(now_ns, account, name, order_id, side, order_type, quantity, price)).order_id


async def caught_up(adapter: FutuAdapter, *, wait_jobs: bool) -> None:
    """Return when no request of ours is under way, and an answer on each connection has come behind all pushes and these were heard."""
    session: Any = adapter.session
    for _ in range(2):
        if wait_jobs and session._jobs:
            await asyncio.wait(tuple(session._jobs), timeout=2.0)
        link = session.dialling._link
        if wait_jobs and session.linked and link is not None:
            await _at_most(2.0, lambda: not session.linked or not adapter.market_data.busy)
            for context in ("quote", "trade"):
                with suppress(AdapterError, TimeoutError):
                    await asyncio.wait_for(link.state(context), 2.0)
            contexts = [one for one in (link._quote, link._trade) if one is not None]
            await _at_most(2.0, partial(_all_heard, contexts))
        for _ in range(6):
            await asyncio.sleep(0.001)


def _all_heard(contexts: list[Any]) -> bool:
    return all(one._callback_executor.queue.empty() for one in contexts)


async def _at_most(seconds: float, condition: Any) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  (nothing tells)
        await asyncio.sleep(0.001)


def open_sockets(server: ExchangeServer) -> list[Any]:
    """Return the server's connections of Futu's protocol."""
    return [socket for guest in server.faults.guests for socket in guest._sockets()]


def stock_like(symbol: str) -> Instrument:
    """Return a stock of Hong Kong in steps of 0.01 and 0.001."""
    return Instrument(
        instrument_id=f"{symbol}.SEHK", symbol=symbol, venue="SEHK", product=Product.STOCK, base_asset=symbol,
        quote_asset="HKD", settle_asset="HKD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.001"),
        min_quantity_units=1, calendar="XHKG",
    )  # fmt: skip


def _discard(_result: object) -> None:
    """Ignore a result."""
