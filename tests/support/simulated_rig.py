"""The rig of the simulated adapter: the embedded venue is at hand, so everybody else is played by its own commands."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.session import NEVER_NS, SimulatedSession
from foxtrot.books.sequence import PreviousId
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType, PositionMode, PositionSide, Side
from foxtrot.domain.fees import load_preset
from foxtrot.domain.instrument import Instrument, PriceBand
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import AddInstrument, CancelOrder, Deposit, OpenAccount, PlaceOrder, VenueCommand
from foxtrot.exchange.events import OrderAccepted, OrderRejected, VenueEvent
from foxtrot.exchange.result import CommandResult
from tests.support.contract_rig import ContractRig, Rows
from tests.support.instruments import a_perpetual, a_spot
from tests.support.recorder import Recorder

START_NS = 1_700_000_040_000_000_000
BEAT_NS = 1_000_000
NEVER_BY_ITSELF_NS = 10**15
MAKER, TAKER, SECOND = "maker", "taker", "second"


class SimulatedRig(ContractRig):
    """A venue whose time is moved by the test; with a thread, the session waits for jobs and never steps by itself."""

    def __init__(
        self,
        *,
        threaded: bool,
        adapter_class: type[SimulatedAdapter] = SimulatedAdapter,
        mode: PositionMode = PositionMode.NETTING,
    ) -> None:
        super().__init__()
        self.name = "simulated" if threaded else "simulated in line"
        self.io_thread = "simulated-io" if threaded else ""
        self.sequence_rule = PreviousId()
        self.clock = ManualClock(START_NS)
        self.permit = SendPermit()
        self.heard = Recorder()
        self._adapter_class = adapter_class
        self._adapters: list[SimulatedAdapter] = []
        self._received: list[str] = []
        self._others = 0
        self._threads_before = set(threading.enumerate())
        self.session = SimulatedSession(self.clock, threaded=threaded, step_ns=NEVER_BY_ITSELF_NS)
        self.session.observers = (self._observe,)
        self._open_market(mode)
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

    def sibling(self, mode: PositionMode) -> "SimulatedRig":
        return SimulatedRig(threaded=self.session.threaded, adapter_class=self._adapter_class, mode=mode)

    def discard(self) -> None:
        for adapter in self._adapters:
            SimulatedAdapter.close(adapter, 5.0)
        self.join_helpers()

    def remains(self) -> list[str]:
        started = [thread for thread in threading.enumerate() if thread not in self._threads_before]
        for thread in started:
            thread.join(0.5)
        session = self.session
        return (
            [thread.name for thread in started if thread.is_alive()]
            + [f"listener of {account}" for account in session._listeners]
            + [f"job after each step: {job}" for job in session.after_step]
            + [f"listener to trades of {name}" for name, printers in session._printers.items() if printers]
        )

    def streams(self, instrument_id: str) -> int:
        return len(self.session._printers.get(instrument_id, ()))

    # --- time and the link ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        self._do(lambda: None)
        self.clock.advance(BEAT_NS)
        self._do(lambda: self.session.step(self.clock.now_ns()))

    @contextmanager
    def held(self) -> Iterator[None]:
        if not self.session.threaded:
            self.session.latency_ns = 1
            try:
                yield
            finally:
                self.session.latency_ns = 0
                self.session.run_due(NEVER_NS)
            return
        released = threading.Event()
        self.session.submit(lambda: _discard(released.wait(10)))
        try:
            yield
        finally:
            released.set()

    @contextmanager
    def unready(self, request: SubscribeRequest) -> Iterator[None]:
        self.adapter.subscribe(request)
        self._do(lambda: None)  # it is subscribed; a book comes with the next step, which is ours to make
        yield

    def lose_link(self, cause: str, delay_s: float = 5.0) -> None:
        adapter = self.adapter
        assert isinstance(adapter, SimulatedAdapter)
        adapter.drop_link(cause, delay_s)
        self._do(lambda: None)

    # --- everybody else ---------------------------------------------------------------------------------------------

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

    # --- the venue's truth ------------------------------------------------------------------------------------------

    def received(self) -> list[str]:
        return list(self._received)

    def open_orders(self) -> set[str]:
        return {order.client_order_id for order in self.session.venue.open_orders(self.account)}

    def fills(self) -> list[tuple[str, str, Decimal, str]]:
        fills = self.session.venue.fills(self.account)
        return [(str(fill.trade_id), fill.client_order_id, fill.fee, fill.fee_asset) for fill in fills]

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        return self.session.venue.balances(self.account)

    def positions(self) -> dict[tuple[str, PositionSide], float]:
        rows = [row for row in self.session.venue.positions(self.account) if row.quantity]
        return {
            (row.instrument_id, row.position_side): self.session.instrument(row.instrument_id).quantity(row.quantity)
            for row in rows
        }

    def book(self, instrument: Instrument | None = None) -> tuple[Rows, Rows]:
        _, bids, asks = self.session.venue.depth((instrument or self.spot).instrument_id)
        return bids, asks

    def bars(self, interval: str) -> list[BarData]:
        kind, spot, venue = Interval.parse(interval), self.spot, self.session.venue
        return [
            BarData(
                spot.instrument_id, interval, candle.open_time_ns, candle.open_time_ns + kind.duration_ns,
                spot.price(candle.open), spot.price(candle.high), spot.price(candle.low), spot.price(candle.close),
                spot.quantity(candle.volume), candle.turnover / 10**5, candle.trade_count,
            )
            for candle in venue.klines(spot.instrument_id, kind.duration_ns, 10_000)
            if candle.open_time_ns + kind.duration_ns <= venue.time_ns
        ]  # fmt: skip

    # --- inside -----------------------------------------------------------------------------------------------------

    def _open_market(self, mode: PositionMode) -> None:
        now_ns, fees = self.clock.now_ns(), load_preset("binance_spot")
        self.spot = a_spot(
            min_quantity_units=10, min_notional=Decimal(5), price_bands=(PriceBand(0, 1), PriceBand(20_000, 5))
        )
        self.contract = a_perpetual(min_quantity_units=10)
        for instrument in (self.spot, self.contract):
            self.session.execute(AddInstrument(now_ns, instrument, fees=fees, fee_asset_mode="received"))
        for account, usdt, btc in (
            (self.account, 100_000, 10), (SECOND, 100_000, 10), (MAKER, 10**9, 10**6), (TAKER, 10**9, 10**6),
        ):  # fmt: skip
            self.session.execute(
                OpenAccount(now_ns, account, mode if account == self.account else PositionMode.NETTING)
            )
            self.session.execute(Deposit(now_ns, account, "USDT", Decimal(usdt)))
            self.session.execute(Deposit(now_ns, account, "BTC", Decimal(btc)))
        for instrument in (self.spot, self.contract):
            self.rest(Side.SELL, 10_000, 1_000, instrument)
            self.take(Side.BUY, 1_000, instrument)
            for side, price in ((Side.BUY, 9_900), (Side.BUY, 9_800), (Side.SELL, 10_100), (Side.SELL, 10_200)):
                self.rest(side, price, 5_000, instrument)

    def _make(self, account: str, heard: Recorder) -> SimulatedAdapter:
        context = AdapterContext(account, heard, self.permit, self.clock, {}, {})
        adapter = self._adapter_class(context, self.session)
        self._adapters.append(adapter)
        return adapter

    def _do(self, job: Callable[[], None]) -> None:
        """Do a job where the venue may be touched, and wait for it."""
        if not self.session.threaded or self.session._thread is None:
            job()
            return
        done = threading.Event()

        def run() -> None:
            try:
                job()
            finally:
                done.set()

        self.session.submit(run)
        assert done.wait(5), "the session did not get to a job of the rig in 5 s"

    def _execute(self, command: VenueCommand) -> CommandResult:
        results: list[CommandResult] = []
        self._do(lambda: results.append(self.session.execute(command)))
        assert results[0].ok, results[0]
        return results[0]

    def _place(
        self, account: str, side: Side, price: int, quantity: int, instrument: Instrument | None, order_id: str = ""
    ) -> int:
        self._others += 1
        name = (instrument or self.spot).instrument_id
        order_type = OrderType.LIMIT if price else OrderType.MARKET
        order_id = order_id or f"other{self._others}"
        command = PlaceOrder(self.clock.now_ns(), account, name, order_id, side, order_type, quantity, price)
        return self._execute(command).order_id

    def _observe(self, event: VenueEvent) -> None:
        if isinstance(event, OrderAccepted | OrderRejected) and event.account == self.account:
            self._received.append(event.client_order_id)


def _discard(_result: object) -> None:
    """Ignore a result."""
