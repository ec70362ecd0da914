"""IB's adapter on the served exchange in real time, and what must be true of both after a fault."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.ib.adapter import IbAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import RequestFailed, TradesLoaded
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.order_book_of_client import OWNER
from tests.support.ib_served_rig import VENUE_ACCOUNT, ib_port, served_ib
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

AAPL = "AAPL.NASDAQ"
DEADLINE_S = 15.0
READY, LOST = AdapterState.READY, AdapterState.LOST


class RecoveryRig:
    """One adapter, everything that it and those before it told, and the venue's truth."""

    def __init__(self, server: ExchangeServer, home: Path | None = None) -> None:
        self.server, self.home = server, home
        self.heard, self.permit = Recorder(), SendPermit()
        self._orders = self._others = 0
        self.adapter = self.new_adapter()

    def new_adapter(self, **settings: Setting) -> IbAdapter:
        told: dict[str, Setting] = {
            "port": ib_port(self.server), "account": "DU1000001", "always_open": True, "instruments": AAPL, "mute_after_s": 2.0,
        }  # fmt: skip
        context = AdapterContext("ours", self.heard, self.permit, SystemClock(), told | settings, {}, home=self.home)
        self.adapter = IbAdapter(context)
        self.adapter.session.backoff = Backoff(Random(1), base_s=0.05, cap_s=0.2)
        return self.adapter

    def connect(self) -> "RecoveryRig":
        mark = len(self.heard)
        self.adapter.connect()
        self.ready(mark)
        return self

    # --- doing ------------------------------------------------------------------------------------------------------

    def order(
        self, side: Side = Side.BUY, price: float = 190.0, quantity: int = 100, order_id: str = ""
    ) -> ApprovedOrder:
        self._orders += 1
        return ApprovedOrder(
            order_id or f"t-{self._orders}", "tester", "ours", AAPL, side, OrderType.LIMIT, quantity, self.units(price), 0,
            TimeInForce.GTC, False, False, PositionSide.NET, 0, 0, 0, SystemClock().now_ns(),
        )  # fmt: skip

    def send(self, side: Side = Side.BUY, price: float = 190.0, quantity: int = 100, order_id: str = "") -> str:
        order = self.order(side, price, quantity, order_id)
        self.adapter.send_order(order)
        return order.order_id

    def cancel(self, order_id: str) -> None:
        self.adapter.cancel_order(CancelRequest(order_id, "ours", AAPL))

    def inject(self, kind: str, **more: Any) -> int:
        return self.server.inject(Fault(kind=kind, product="ib", **more))

    def units(self, price: float) -> int:
        return self.adapter.session.instruments[AAPL].price_units(price)

    def sell_to(self, quantity: int = 100, price: float = 190.0) -> None:
        """Let somebody else sell, so that our resting bids are filled."""
        self._others += 1
        command = PlaceOrder(
            SystemClock().now_ns(), "maker-ib", AAPL, f"m{self._others}", Side.SELL, OrderType.LIMIT, quantity,
            self.units(price),
            time_in_force=TimeInForce.IOC,
        )  # fmt: skip
        result = self.server.call(lambda server: server.host.execute(command))
        assert result.ok, result

    # --- waiting ----------------------------------------------------------------------------------------------------

    def until(self, order_id: str, *statuses: OrderStatus) -> None:
        try:
            wait_until(lambda: self.last(order_id) in statuses, DEADLINE_S)
        except AssertionError as error:
            told = [(one.status, one.reason) for one in self.heard.reports(order_id)]
            raise AssertionError(f"{order_id} is {told}; {self.heard.of(RequestFailed)[-3:]}") from error

    def last(self, order_id: str) -> OrderStatus | None:
        reports = self.heard.reports(order_id)
        return reports[-1].status if reports else None

    def ready(self, since: int) -> None:
        """Wait until READY was told after a position."""
        wait_until(lambda: READY in self.heard.states(since), DEADLINE_S)

    def lost(self, since: int) -> None:
        wait_until(lambda: LOST in self.heard.states(since), DEADLINE_S)

    def fills_told(self, number: int) -> None:
        """Wait until so many fills were told, by themselves or in a list."""
        try:
            wait_until(lambda: len(self.fills()) == number, DEADLINE_S)
        except AssertionError as error:
            raise AssertionError(f"{number} fills were to be told, not {self.fills()}") from error

    # --- the truth --------------------------------------------------------------------------------------------------

    def fills(self) -> dict[str, tuple[str, float, float, Decimal]]:
        """Return order, quantity, price and fee by trade id; told twice by themselves they fail here."""
        alone = [one.trade_id for one in self.heard.of(TradeData)]
        assert len(alone) == len(set(alone)), alone
        listed = [one for loaded in self.heard.of(TradesLoaded) for one in loaded.trades]
        told = [*self.heard.of(TradeData), *listed]
        return {one.trade_id: (one.order_id, one.quantity, one.price, one.fee) for one in told}

    def check(self) -> None:
        """Check that no order was doubled or lost, no number used twice, no life shared, and every fill told."""
        venue_orders, venue_fills, kept = self.server.call(
            lambda server: (
                [one.client_order_id for one in server.traffic.orders if one.account == VENUE_ACCOUNT],
                [(one.client_order_id, one.fee) for one in server.host.venue.fills(VENUE_ACCOUNT)],
                [msgspec.json.decode(one) for one in server.host.venue.notes(OWNER).values()],
            )
        )
        assert len(venue_orders) == len(set(venue_orders)), venue_orders
        numbers = [(one["client_id"], one["order_id"]) for one in kept]
        assert len(numbers) == len(set(numbers)), numbers
        assert len({one["perm_id"] for one in kept}) == len(kept)
        left = {name for name in self.told_ids() if self.last(name) is not OrderStatus.DENIED}
        assert set(venue_orders) == left
        fills = self.fills()
        assert sorted((order_id, fee) for order_id, _, _, fee in fills.values()) == sorted(venue_fills)
        by_order = {one.venue_order_id for name in left for one in self.heard.reports(name) if one.venue_order_id}
        assert len(by_order) == len(left), "a permId for each order, and one alone"

    def told_ids(self) -> set[str]:
        return {one.order_id for one in self.heard.of(OrderData)}


@contextmanager
def recovering(home: Path | None = None, **settings: Any) -> Iterator[RecoveryRig]:
    """A rig that is READY on a served exchange; its adapter leaves nothing."""
    with served_ib(accounts=("main", "maker"), **settings) as server:
        rig = RecoveryRig(server, home)
        try:
            yield rig.connect()
        finally:
            overran = rig.adapter.close()
        assert overran == ""
