"""The contract suite's rig of the IB adapter: the embedded exchange speaks TWS's protocol, the real ibapi listens.

IB's shares come in whole ones, the suite counts thousandths: the rig lists instruments of its own in steps of 0.01 and 0.001, and tells the
adapter that these are what it has found. Sizes of market data, which must be whole on the wire, count thousandths there, as IB counts
some in hundreds: the contract's multiplier says so. Everything else is the adapter as it is.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from importlib.util import find_spec
from random import Random
from typing import Any, ClassVar

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, ExactBook
from foxtrot.adapter.ib import history
from foxtrot.adapter.ib.account_polling import POLL_S
from foxtrot.adapter.ib.adapter import IbAdapter
from foxtrot.adapter.ib.doubts import LOOK_S
from foxtrot.adapter.reconnect import Backoff
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, PositionMode, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import AdapterError, ConnectionLost
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import CancelOrder, PlaceOrder, VenueCommand
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.ib import bar_texts, depth, tick_by_tick, ticks
from foxtrot.exchange.wire.ib.order_book_of_client import OWNER
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.contract_rig import ContractRig, Rows
from tests.support.ib_quote_rig import new_york
from tests.support.ib_served_rig import RawIb
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

START_NS = new_york("2026-03-10 10:02:00")
BEAT_NS = 110_000_000
DEADLINE_S = 10.0
MAKER, TAKER, SECOND = "maker", "taker", "second"
IB_SIDE = "{}-ib"
CENT = Decimal("0.01")
NOT_HERE = {
    "a price off the grid": "the rig's stocks have one price step",
    "less than the smallest quantity": "IB has no smallest quantity but the step, which the desk keeps",
    "less than the smallest value": "IB has no smallest value of an order",
}
READER_ID = 99
"""The client id by which the rig itself asks."""


class Thousandth(float):
    """What one counted in a size is, without the rounding of a float that is multiplied."""

    def __new__(cls) -> "Thousandth":
        return super().__new__(cls, 0.001)

    def __rmul__(self, number: float) -> float:
        return number / 1000


class Longest(Random):
    """Randomness that always gives the longest delay, so that a test knows when the adapter comes back."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class IbRig(ContractRig):
    """An embedded exchange on its own thread and socket."""

    name = "ib"
    io_thread = "ib-io"
    ticks_per_change = range(1, 12)
    mute_after_s = 60.0
    """How long TWS may say nothing; the suite steps by minutes."""
    sequence_rule = ContiguousIds()
    skips: ClassVar = {
        "test_5_every_public_trade_is_told_once_with_its_aggressor": "IB tells whole shares, not 0.1 of one",
        "test_4_an_order_placed_by_another_client_is_told_with_its_own_id": "IB lets no client cancel the orders of another",
    }

    def __init__(self) -> None:
        if find_spec("ibapi") is None:
            pytest.skip("ibapi is not installed; pip install 'foxtrot[ib]' has it")
        super().__init__()
        self.clock, self.permit, self.heard = ManualClock(START_NS), SendPermit(), Recorder()
        self.spot, self.contract = stock_like("AAPL"), stock_like("MSFT")
        self._adapters: list[tuple[IbAdapter, Recorder]] = []
        self._others = 0
        self._required: list[object] = []
        self._silenced = self._elsewhere = False
        self._patch = pytest.MonkeyPatch()
        for part in (bar_texts, depth, tick_by_tick, ticks):
            self._patch.setattr(part, "size_of", lambda _contract, units: units)
        self._patch.setattr(history, "SETTLED_NS", 10**9)  # the suite asks a second and a half after a close
        self.server = ExchangeServer(self._server_settings(), self.clock)
        self.server.start()
        self._threads_before = set(threading.enumerate())
        self._open_market()
        self.new_adapter()

    # --- the adapter ------------------------------------------------------------------------------------------------

    @property
    def venue_account(self) -> str:
        """Return the venue's own account behind ours."""
        return IB_SIDE.format(self.account)

    def new_adapter(self) -> BaseAdapter:
        self.adapter = self._make(self.account, "DU1000001", self.heard)
        return self.adapter

    def other_adapter(self) -> tuple[BaseAdapter, Recorder]:
        heard = Recorder()
        adapter = self._make(SECOND, "DU1000002", heard, client_id=2)
        adapter.connect()
        self.settle()
        return adapter, heard

    def sibling(self, mode: PositionMode) -> "IbRig":
        raise pytest.skip.Exception(f"{self.name}: accounts are netting only, not {mode}", _use_item_location=True)

    def discard(self) -> None:
        try:
            self.server.clear_faults()
            for adapter, _ in self._adapters:
                IbAdapter.close(adapter, DEADLINE_S)
            self.join_helpers()
        finally:
            assert self.server.stop() == ""
            self._patch.undo()
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
            entry.instrument_id == instrument_id
            for adapter, _ in self._adapters
            if adapter.session.linked
            for entry in tuple(adapter.market_data.callbacks.prints.values())
        )

    # --- time and the link ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        if self._elsewhere:  # IB tells nothing unasked of the orders of others
            self._elsewhere = False
            self._beats(int((POLL_S + 2 * LOOK_S) * 1e9 / BEAT_NS))
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

    def _beats(self, number: int) -> None:
        for _ in range(number):
            self.clock.advance(BEAT_NS)
            self.server.step()
            self._arrive()

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
        numbers = [
            self.server.inject(Fault(kind="delay", product="ib", endpoint=name, count=1, delay_s=4))
            for name in ("reqMktData", "reqMktDepth")
        ]
        self.adapter.subscribe(request)
        wait_until(lambda: any(self._has_acted(number) for number in numbers), deadline_s=DEADLINE_S)
        yield
        for number in numbers:
            self.server.clear_faults(number)
        self.clock.advance(4 * 10**9)
        self.server.step()

    def lose_link(self, cause: str, delay_s: float = 5.0) -> None:
        lost = self.heard.states().count(AdapterState.LOST)
        connected = bool(self._connections())
        number = self.server.inject(Fault(kind="reset", product="ib", count=0))
        if connected:
            wait_until(lambda: self.heard.states().count(AdapterState.LOST) > lost, deadline_s=DEADLINE_S)
            wait_until(lambda: not self._connections(), deadline_s=DEADLINE_S)
        self.server.clear_faults(number)
        self._arrive()

    @contextmanager
    def silence(self) -> Iterator[None]:
        kinds = (Fault(kind="mute", product="ib", executed=True), Fault(kind="go_silent", product="ib"))
        numbers = [self.server.inject(fault) for fault in kinds]
        self._silenced = True
        try:
            yield
        finally:
            self._silenced = False
            for number in numbers:
                self.server.clear_faults(number)

    # --- everybody else ---------------------------------------------------------------------------------------------

    def rest(self, side: Side, price: int, quantity: int, instrument: Instrument | None = None) -> int:
        return self._place(MAKER, side, price, quantity, instrument)

    def take(self, side: Side, quantity: int, instrument: Instrument | None = None) -> None:
        self._place(TAKER, side, 0, quantity, instrument)

    def withdraw(self, order_id: int, instrument: Instrument | None = None) -> None:
        self._execute(CancelOrder(self.clock.now_ns(), MAKER, (instrument or self.spot).instrument_id, order_id))

    def place_elsewhere(self, order_id: str, side: Side, price: int, quantity: int) -> None:
        self._place(self.venue_account, side, price, quantity, self.spot, order_id)
        self._elsewhere = True

    def cancel_elsewhere(self, order_id: str) -> None:
        name = self.spot.instrument_id
        self._execute(CancelOrder(self.clock.now_ns(), self.venue_account, name, client_order_id=order_id))
        self._elsewhere = True

    # --- what this venue can do -------------------------------------------------------------------------------------

    def require(self, field: str, value: object = None) -> None:
        """Skip also what no capability can say: fill or kill is for plain limit orders alone, which the adapter says itself."""
        super().require(field, value)
        self._required.append(value)
        if value is TimeInForce.FOK and {OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT} & set(self._required):
            text = f"{self.name}: fok with a trigger is denied, for IB takes it of plain limit orders alone"
            raise pytest.skip.Exception(text, _use_item_location=True)

    def is_told_as(self, told: str, cause: str) -> bool:
        return bool(told)

    def refused_terms(self, why: str, terms: dict[str, object]) -> dict[str, object]:
        if why in NOT_HERE:
            raise pytest.skip.Exception(f"{self.name}: {NOT_HERE[why]}", _use_item_location=True)
        return terms

    def landed(self) -> list[str]:
        self._arrive()
        return self.received()

    # --- the venue's truth ------------------------------------------------------------------------------------------

    def received(self) -> list[str]:
        """Return our orders as they came; a change, which is placed under the number of its order, is no other order."""
        came: list[str] = self.server.call(
            lambda server: [one.client_order_id for one in server.traffic.orders if one.account == self.venue_account]
        )
        kept = self.server.call(lambda server: list(server.host.venue.notes(OWNER).values()))
        numbers = Counter(msgspec.json.decode(one)["asked"].get("orderRef", "") for one in kept)
        found: list[str] = []
        for name in came:
            if name not in numbers or found.count(name) < numbers[name]:
                found.append(name)
        return found

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
        """Return the money of each currency to the cent; IB does not say how much of it is bound by orders."""
        held = self.server.call(lambda server: server.host.venue.balances(self.venue_account))
        return {asset: (row[0].quantize(CENT), Decimal(0)) for asset, row in held.items() if asset == "USD"}

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
        """Return the numbers of our fills as the server gives them to whoever asks, oldest first, without those of corrections."""
        client = RawIb(self.server.ports["ib"] or 0)
        try:
            client.start(READER_ID)
            client.send(7, 3, 1, 0, "DU1000001", "", "", "", "", "")
            client.read_until(55)
            told = [fields for fields in client.heard if fields[0] == "11"]
            return [fields[14].rpartition(".")[0] for fields in told]
        finally:
            client.close()

    def _bars(self, interval: Interval, server: ExchangeServer) -> list[BarData]:
        """Return bars made of the venue's candles; IB tells none of a minute without trades."""
        spot, length_ns, made = self.spot, interval.duration_ns, []
        for one in server.host.venue.klines(spot.instrument_id, length_ns, 10_000):
            prices = (spot.price(one.open), spot.price(one.high), spot.price(one.low), spot.price(one.close))
            turnover = float(spot.price_grid.to_decimal(1) * spot.quantity_grid.to_decimal(one.turnover))
            open_ns, close_ns = one.open_time_ns, one.open_time_ns + length_ns
            if close_ns <= self.clock.now_ns():
                figures = (*prices, spot.quantity(one.volume), turnover, one.trade_count)
                made.append(BarData(spot.instrument_id, interval.text, open_ns, close_ns, *figures))
        return made

    def _server_settings(self) -> ServerSettings:
        rich = {"USD": Decimal(10**9), "AAPL": Decimal(10**6), "MSFT": Decimal(10**6)}
        ours = {"USD": Decimal(100_000), "AAPL": Decimal(10)}
        accounts = (
            AccountSetup(self.account, balances=ours),
            AccountSetup(SECOND, balances=ours),
            AccountSetup(MAKER, balances=rich),
            AccountSetup(TAKER, balances=rich),
        )
        return ServerSettings(
            ports=ServerPorts(ib=0),
            accounts=accounts,
            instruments=(self.spot, self.contract),
            agents=0,
            ib=IbSettings(limits=False, depth_lines=100),
        )

    def _open_market(self) -> None:
        for instrument in (self.spot, self.contract):
            self.rest(Side.SELL, 10_000, 1_000, instrument)
            self.take(Side.BUY, 1_000, instrument)
            for side, price in ((Side.BUY, 9_900), (Side.BUY, 9_800), (Side.SELL, 10_100), (Side.SELL, 10_200)):
                self.rest(side, price, 5_000, instrument)

    def _make(self, account: str, account_id: str, heard: Recorder, client_id: int = 1) -> IbAdapter:
        settings = {
            "port": self.server.ports["ib"] or 0, "account": account_id, "client_id": client_id, "always_open": True,
            "instruments": f"{self.spot.instrument_id}, {self.contract.instrument_id}", "messages_per_s": 1000,
            "mute_after_s": self.mute_after_s,
        }  # fmt: skip
        context = AdapterContext(account, heard, self.permit, self.clock, settings, {})
        adapter = IbAdapter(context)
        adapter.fetch_order_book = partial(self._fetch, adapter.fetch_order_book)  # type: ignore[method-assign]
        adapter.session.backoff = Backoff(Longest(), base_s=5.0, cap_s=5.0)
        adapter.session.active_orders._most = 10_000
        contracts: Any = adapter.market_data.contracts
        contracts._keep = partial(self._keep, adapter, contracts._keep)
        self._adapters.append((adapter, heard))
        return adapter

    def _fetch(self, fetch: Callable[[str, int, float], ExactBook], *asked: Any) -> ExactBook:
        """Let time pass while a book is waited for: IB gives one by a subscription, of which nothing says that it is whole but calm."""
        over = threading.Event()

        def pass_time() -> None:
            while not over.wait(0.01):
                self.clock.advance(BEAT_NS // 4)
                self.server.step()

        helper = threading.Thread(target=pass_time, name="contract-time", daemon=True)
        helper.start()
        try:
            return fetch(*asked)
        finally:
            over.set()
            helper.join()

    async def _keep(self, adapter: IbAdapter, keep: Any, details: Any, asked: str) -> Any:
        """Keep a contract in thousandths."""
        found = await keep(details, asked)
        ours = next(one for one in (self.spot, self.contract) if one.instrument_id == found.instrument.instrument_id)
        contracts: Any = adapter.market_data.contracts
        kept = msgspec.structs.replace(found, instrument=ours, multiplier=Thousandth())
        contracts._by_id[ours.instrument_id] = contracts._by_con_id[kept.con_id] = kept
        adapter.session.instruments = {**adapter.session.instruments, ours.instrument_id: ours}
        return kept

    def _session(self) -> Any:
        adapter = self.adapter
        assert isinstance(adapter, IbAdapter)
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
        return self.server.call(lambda server: ["connection" for _ in open_sockets(server)])

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


async def caught_up(adapter: IbAdapter, *, wait_jobs: bool) -> None:
    """Return when no request of ours is under way, and an answer has come behind whatever was told before."""
    session: Any = adapter.session
    for _ in range(2):
        if wait_jobs and session._jobs:
            await asyncio.wait(tuple(session._jobs), timeout=2.0)
        link = session.dialling.link
        if wait_jobs and session.linked and link is not None:
            await _at_most(2.0, lambda: not session.linked or not adapter.market_data.busy)
            with suppress(AdapterError, TimeoutError):
                await asyncio.wait_for(session.ask_time(link, 2.0), 2.0)
        for _ in range(6):
            await asyncio.sleep(0.001)


async def _at_most(seconds: float, condition: Any) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  (nothing tells)
        await asyncio.sleep(0.001)


def open_sockets(server: ExchangeServer) -> list[Any]:
    """Return the server's connections of TWS's protocol."""
    return [socket for guest in server.faults.guests for socket in guest._sockets()]


def stock_like(symbol: str) -> Instrument:
    """Return a stock of the United States in steps of 0.01 and 0.001."""
    return Instrument(
        instrument_id=f"{symbol}.NASDAQ", symbol=symbol, venue="NASDAQ", product=Product.STOCK, base_asset=symbol,
        quote_asset="USD", settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.001"),
        min_quantity_units=1, calendar="24x7",
    )  # fmt: skip


def _discard(_result: object) -> None:
    """Ignore a result."""
