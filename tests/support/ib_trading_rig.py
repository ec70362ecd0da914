"""The account's side of IB's adapter over a link to whatever speaks TWS's protocol: the real ibapi, and one stock that is known."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from foxtrot.adapter.base_adapter import AdapterContext, BestBidOffer, ExactBook, Setting
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.adapter.ib.config import read_settings
from foxtrot.adapter.ib.order_codec import KINDS, LIMIT_ONLY
from foxtrot.adapter.ib.order_questions import UNKNOWN_BOUND_S
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.ib.trading import IbTrading
from foxtrot.adapter.reconnect import Backoff
from foxtrot.adapter.session_adapter import SessionAdapter
from foxtrot.core.clock import Clock, ManualClock, SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import ConfigError, VenueRejected
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

CON_ID = 265598
AAPL = Instrument(
    instrument_id="AAPL.NASDAQ", symbol="AAPL", venue="NASDAQ", product=Product.STOCK, base_asset="AAPL", quote_asset="USD",
    settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("1"), calendar="24x7",
)  # fmt: skip
DEADLINE_S = 20.0


class Market:
    """One stock, under IB's id of it."""

    def __init__(self, session: IbSession) -> None:
        self._session = session
        self.con_ids: dict[int, Instrument] = {CON_ID: AAPL}

    async def load_contracts(self) -> tuple[Instrument, ...]:
        return tuple(self.con_ids.values())

    def instrument_of(self, con_id: int) -> Instrument | None:
        return self.con_ids.get(con_id)

    def hours_of(self, instrument_id: str) -> None:
        return None

    async def resolve_con_id(self, con_id: int) -> Instrument:
        raise ConfigError(f"IB knows no contract {con_id}")

    def contract_of(self, instrument_id: str) -> Any:
        contract = self._session.sdk.Contract()
        contract.conId = next(one for one, known in self.con_ids.items() if known.instrument_id == instrument_id)
        contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
        return contract


class TradingAdapter(SessionAdapter):
    """An adapter that has an account and no market data."""

    adapter_name = "ib"
    capabilities = Capabilities(
        order_types=frozenset(KINDS), times_in_force=frozenset(TimeInForce), limit_only=LIMIT_ONLY,
        unknown_bound_s=UNKNOWN_BOUND_S,
    )  # fmt: skip

    def __init__(self, context: AdapterContext) -> None:
        self.session = IbSession(context, read_settings(context), Random(1))
        self.session.backoff = Backoff(Random(1), base_s=0.05, cap_s=0.2)
        super().__init__(context, self.session)
        self.market = Market(self.session)
        self.trading = IbTrading(self, self.session, self.market)

    def start_session(self) -> None:
        self.session.start(self)

    async def open_link(self) -> None:
        await self.trading.open()

    def link_lost(self) -> None:
        self.trading.lost()

    def link_cut(self, cause: str) -> None:
        self.trading.cut()

    def data_lost(self) -> None:
        """Have no streams."""

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        raise VenueRejected("ib", "book", instrument_id)

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        return None

    def subscribe(self, request: SubscribeRequest) -> None:
        """Have no streams."""

    def unsubscribe(self, instrument_id: str) -> None:
        """Have no streams."""

    def send_order(self, order: ApprovedOrder) -> None:
        if not self.submit(partial(self.trading.place, order), order.order_id):
            self.trading.deny(order, "not_connected", "not connected")

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        self.wish("recovery", partial(self.trading.recover, order, sent_ns))

    def cancel_order(self, request: CancelRequest) -> None:
        self.ask(f"cancel of {request.order_id}", partial(self.trading.cancel, request))

    def amend_order(self, amend: ApprovedAmend) -> None:
        self.ask("amend", partial(self.trading.amend, amend))

    def query_account(self) -> None:
        self.ask("account", self.trading.tell_account)

    def query_positions(self) -> None:
        self.ask("positions", self.trading.tell_positions)

    def query_orders(self) -> None:
        self.ask("orders", self.trading.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        self.ask(f"order {order_id}", partial(self.trading.tell_order, order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        self.ask("trades", partial(self.trading.tell_trades, since_ns))

    def query_history(self, request: HistoryRequest) -> None:
        """Have no bars."""


class TradingRig:
    """An adapter, what it told, and orders for it."""

    def __init__(
        self,
        port: int,
        clock: Clock | None = None,
        home: Path | None = None,
        environment: str = "",
        **settings: Setting,
    ) -> None:
        settings = {"port": port, "reset_window": "", "mute_after_s": 10.0, **settings}
        self.heard, self.permit, self.clock = Recorder(), SendPermit(), clock or SystemClock()
        context = AdapterContext(
            "ours", self.heard, self.permit, self.clock, settings, {}, environment=environment, home=home
        )
        self.adapter = TradingAdapter(context)
        self._orders = 0

    def order(
        self, order_id: str = "", side: Side = Side.BUY, quantity: int = 100, price: int = 18_950, **changes: Any
    ) -> ApprovedOrder:
        self._orders += 1
        terms: dict[str, Any] = {
            "order_type": OrderType.LIMIT if price else OrderType.MARKET, "trigger_units": 0, "reduces": False,
            "time_in_force": TimeInForce.GTC, "expire_time_ns": 0, "post_only": False,
        } | changes  # fmt: skip
        return ApprovedOrder(
            order_id or f"t-{self._orders}", "tester", "ours", "AAPL.NASDAQ", side, terms["order_type"], quantity, price,
            terms["trigger_units"], terms["time_in_force"], False, terms["post_only"], PositionSide.NET, 0, 0,
            terms["expire_time_ns"], self.clock.now_ns(), terms["reduces"],
        )  # fmt: skip

    def send(self, *args: Any, **changes: Any) -> str:
        order = self.order(*args, **changes)
        self.adapter.send_order(order)
        return order.order_id

    def cancel(self, order_id: str) -> None:
        self.adapter.cancel_order(CancelRequest(order_id, "ours", "AAPL.NASDAQ"))

    # --- what was told ----------------------------------------------------------------------------------------------

    def reports(self, order_id: str) -> list[OrderData]:
        return [one for one in self.heard.of(OrderData) if one.order_id == order_id]

    def statuses(self, order_id: str) -> list[OrderStatus]:
        return [one.status for one in self.reports(order_id)]

    def last(self, order_id: str) -> OrderStatus | None:
        return (self.statuses(order_id) or [None])[-1]

    def trades(self) -> list[TradeData]:
        return self.heard.of(TradeData)

    def until(self, order_id: str, status: OrderStatus) -> OrderData:
        """Wait until an order is told with a status."""
        try:
            wait_until(lambda: status in self.statuses(order_id), DEADLINE_S)
        except AssertionError as error:
            raise AssertionError(f"{order_id} is {self.reports(order_id)}, heard {self.heard.events()[-8:]}") from error
        return next(one for one in self.reports(order_id) if one.status is status)

    def ready(self, times: int = 1) -> None:
        """Wait until READY was told so often."""
        try:
            wait_until(lambda: self.heard.states().count(AdapterState.READY) >= times, DEADLINE_S)
        except AssertionError as error:
            raise AssertionError(f"not READY: {self.heard.events()}") from error

    def pass_time(self, seconds: float, until: Any, step_s: float = 1.0) -> None:
        """Let a manual clock go on until a condition holds, at most for so long."""
        assert isinstance(self.clock, ManualClock)
        left = seconds
        while not until() and left > 0:
            self.clock.advance(int(step_s * 1e9))
            left -= step_s
            for _ in range(20):
                if until():
                    break
                self.beat()
        assert until(), self.heard.events()[-8:]

    def beat(self) -> None:
        """Let the loop go round, and what is on its way arrive."""

        async def nothing() -> None:
            await asyncio.sleep(0.002)

        self.adapter.session.bridge.submit(nothing()).result(DEADLINE_S)


@contextmanager
def trading(port: int, **settings: Any) -> Iterator[TradingRig]:
    """A connected rig that is READY; nothing of it is left at the end."""
    rig = TradingRig(port, **settings)
    rig.adapter.connect()
    try:
        rig.ready()
        yield rig
    finally:
        overran = rig.adapter.close()
    assert overran == ""
