"""Trading of the Futu client against the served exchange: one account, one clock for both sides, everybody else by hand."""

from collections.abc import Callable, Coroutine
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Self

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, Setting
from foxtrot.adapter.futu.capabilities import FUTU, SIMULATED
from foxtrot.adapter.futu.config import read_settings
from foxtrot.adapter.futu.market_data import FutuMarketData
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trading import FutuTrading
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.exchange.commands import CancelAll, CancelOrder, PlaceOrder
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.listings import listing
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_market_rig import HK, MORNING_NS, RICH, US
from tests.support.futu_rig import REAL, SIMULATE
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

MONEY = {"HKD": Decimal(10_000_000), "USD": Decimal(1_000_000)}
STEP_S = 0.5


class TradingAdapter(BaseAdapter):
    """An adapter that does nothing but trade.

    Thread: as BaseAdapter's.
    """

    adapter_name = "futu"
    capabilities = FUTU

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self.capabilities = FUTU if context.environment == "real" else SIMULATED  # type: ignore[misc]  # the class's is the real one
        self.session = FutuSession(context, read_settings(context), Random(1))
        self.trading = FutuTrading(self, self.session, FutuMarketData(self, self.session))

    async def open_link(self) -> None:
        await self.trading.open()

    def link_lost(self) -> None:
        self.trading.lost()

    def connect(self) -> None:
        self.session.start(self)

    def close(self, deadline_s: float = 5.0) -> str:
        return self.session.close(lambda: self.on_status(AdapterState.CLOSED), deadline_s)

    def do(self, job: Callable[[], Coroutine[Any, Any, None]], what: str = "test") -> None:
        async def ask() -> None:
            try:
                await job()
            except AdapterError as error:
                self.on_request_failed(what, error)

        self.session.call_soon(lambda: self.session.run(ask(), what))

    def send_order(self, order: ApprovedOrder) -> None:
        self.do(partial(self.trading.place, order))

    def cancel_order(self, request: CancelRequest) -> None:
        self.do(partial(self.trading.cancel, request))

    def subscribe(self, request: SubscribeRequest) -> None:
        raise AssertionError(request)

    def unsubscribe(self, instrument_id: str) -> None:
        raise AssertionError(instrument_id)

    def query_account(self) -> None:
        self.do(self.trading.tell_account)

    def query_positions(self) -> None:
        self.do(self.trading.tell_positions)

    def query_orders(self) -> None:
        self.do(self.trading.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        self.do(partial(self.trading.tell_order, order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        self.do(partial(self.trading.tell_trades, since_ns))

    def query_history(self, request: HistoryRequest) -> None:
        raise AssertionError(request)


class FutuTradingRig:
    """One served exchange and one trading client of it; ends everything it started.

    Thread: the test's.
    """

    def __init__(
        self, *, real: bool = False, now_ns: int = MORNING_NS, home: Path | None = None, password: str = "foxtrot", **settings: Setting
    ) -> None:  # fmt: skip
        self.clock = ManualClock(now_ns)
        self.heard = Recorder()
        self.permit = SendPermit()
        self.real = real
        self.server = ExchangeServer(
            ServerSettings(
                ports=ServerPorts(futu=0),
                accounts=tuple(
                    AccountSetup(name, balances=MONEY if name == "main" else RICH) for name in ("main", "alice", "bob")
                ),
                agents=0,
                futu=FutuSettings(limits=False),
            ),
            self.clock,
        )
        self.server.start()
        self._settings: dict[str, Setting] = {
            "port": self.server.ports["futu"] or 0, "account_id": REAL if real else SIMULATE, "orders_per_30_s": 1000,
            "changes_per_30_s": 1000, "queries_per_30_s": 1000, **settings,
        }  # fmt: skip
        self._home = home
        self._password = password
        self._adapters: list[TradingAdapter] = []
        self._ids = count(1)
        self.adapter = self.new_adapter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        overran = [adapter.close() for adapter in self._adapters]
        stuck = self.server.stop()
        assert (set(overran), stuck) == ({""}, "")
        assert self.server.failures == ()

    def new_adapter(self, fills_since_ns: int = 0) -> TradingAdapter:
        """Make another adapter of the account, put it in place of the present one."""
        secrets = {"unlock_password": Secret(self._password)} if self.real and self._password else {}
        context = AdapterContext(
            "ours", self.heard, self.permit, self.clock, self._settings, {}, environment="real" if self.real else "simulate",
            secrets=secrets, home=self._home, fills_since_ns=fills_since_ns,
        )  # fmt: skip
        self.adapter = TradingAdapter(context)
        self._adapters.append(self.adapter)
        return self.adapter

    def start(self) -> Self:
        """Connect and wait for READY."""
        since = len(self.heard)
        self.adapter.connect()
        self.wait(lambda: AdapterState.READY in self.heard.states(since))
        return self

    def restart(self) -> Self:
        """Close the adapter, and connect a new one."""
        self.adapter.close()
        self.new_adapter()
        return self.start()

    # --- ours -------------------------------------------------------------------------------------------------------

    def order(self, side: Side = Side.BUY, quantity: int = 300, price: str = "400", **changes: object) -> ApprovedOrder:
        """Make an approved day order on 00700.SEHK; without a price a market order."""
        name = str(changes.pop("instrument_id", HK))
        units = listing(name).price_grid.from_decimal(price) if price else 0
        terms: dict[str, Any] = {
            "time_in_force": TimeInForce.DAY, "reduce_only": False, "post_only": False, "position_side": PositionSide.NET,
            "trigger_units": 0, "trailing_offset_units": 0, "display_units": 0, "expire_time_ns": 0, "strategy_id": "tester",
            "order_type": OrderType.LIMIT if price else OrderType.MARKET, "order_id": f"t-1-{next(self._ids)}",
        }  # fmt: skip
        terms |= changes
        return ApprovedOrder(
            account="ours", instrument_id=name, side=side, quantity_units=quantity, price_units=units,
            created_time_ns=self.clock.now_ns(), **terms,
        )  # fmt: skip

    def send(self, side: Side = Side.BUY, quantity: int = 300, price: str = "400", **changes: object) -> str:
        """Send such an order and wait until something is told of it."""
        order = self.order(side, quantity, price, **changes)
        self.adapter.send_order(order)
        self.wait(lambda: bool(self.heard.reports(order.order_id)))
        return order.order_id

    def cancel(self, order_id: str, name: str = HK) -> None:
        self.adapter.cancel_order(CancelRequest(order_id, "ours", name))

    def until(self, order_id: str, status: OrderStatus) -> OrderData:
        """Wait until an order's last report has a status, and return it."""
        self.wait(lambda: any(report.status is status for report in self.heard.reports(order_id)[-1:]))
        return self.heard.reports(order_id)[-1]

    def filled(self, order_id: str, quantity: float) -> list[TradeData]:
        """Wait until so much of an order is told by fills, and return them."""
        self.wait(lambda: sum(fill.quantity for fill in self.heard.fills(order_id)) >= quantity)
        return self.heard.fills(order_id)

    # --- everybody else ---------------------------------------------------------------------------------------------

    def rest(self, side: Side, price: str, quantity: int, account: str = "alice", name: str = HK) -> None:
        """Let somebody place a limit order."""
        units = listing(name).price_grid.from_decimal(price)
        command = PlaceOrder(
            self.clock.now_ns(), account, name, f"o-{next(self._ids)}", side, OrderType.LIMIT, quantity, units
        )
        assert self.server.call(lambda server: server.host.execute(command)).ok

    def cancel_elsewhere(self, order_id: str, name: str = HK) -> None:
        """Cancel an order of ours by another client."""
        account = "main" if self.real else "main-simulate"
        command = CancelOrder(self.clock.now_ns(), account, name, client_order_id=order_id)
        assert self.server.call(lambda server: server.host.execute(command)).ok

    def clear(self, name: str = HK) -> None:
        """Take what others rested off the book."""
        for account in ("alice", "bob"):
            self.server.call(lambda server, a=account: server.host.execute(CancelAll(self.clock.now_ns(), a, name)))

    # --- time and the link ------------------------------------------------------------------------------------------

    def advance(self, seconds: float, step_s: float = STEP_S) -> None:
        """Let time pass in steps, each of which is seen by both sides."""
        left_ns = int(seconds * 1e9)
        while left_ns > 0:
            step_ns = min(left_ns, int(step_s * 1e9))
            self.clock.advance(step_ns)
            left_ns -= step_ns
            self.settle()

    def settle(self) -> None:
        """Wait until what was asked is answered."""

        async def nothing() -> None:
            return

        self.server.call(lambda _server: None)
        self.adapter.session.bridge.submit(nothing()).result(5.0)
        self.wait(lambda: not self.adapter.session.busy)

    def fault(self, kind: str, **settings: object) -> int:
        return self.server.inject(Fault(kind=kind, product="futu", **settings))  # type: ignore[arg-type]

    def requests(self, name: str) -> int:
        """How many requests of a protocol the server counted."""
        return self.server.call(lambda server: server.traffic.requests.get(f"futu {name}", 0))

    def come_back(self, since: int) -> None:
        """Let the pauses of back-off pass until it is READY again."""

        def ready() -> bool:
            self.clock.advance(100_000_000)
            return AdapterState.READY in self.heard.states(since)

        self.wait(ready)

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(condition, 10.0)


__all__ = ["HK", "US", "FutuTradingRig"]
