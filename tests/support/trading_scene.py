"""The Binance rig with one book streaming, to whose orders, requests or user stream something is done, and the checks after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, OrderStatus, Product
from foxtrot.domain.order import OrderData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault
from tests.support import order_truth as truth
from tests.support.binance_rig import BinanceRig
from tests.support.fault_document import ACCOUNT, FaultRow, record
from tests.support.fault_rig import FAULTY_S, _come_to_rest

PRODUCTS = {"spot": Product.SPOT, "usdm": Product.PERPETUAL}
LONGEST_S = 10.0


class TradingScene:
    """A connected rig, what its streams were before anything went wrong, and the row of the document of what did.

    Thread: the test's.
    """

    def __init__(self, product: Product, before: Callable[[BinanceRig], None] | None = None) -> None:
        self.rig = BinanceRig(product)
        try:
            if before is not None:
                before(self.rig)
            self.rig.connect().subscribe(SubscribeRequest(self.rig.spot.instrument_id, depth_levels=5))
            self.rig.settle()
            self.desired = truth.all_streams(self.rig)
        except BaseException:
            self.rig.discard()
            raise
        self._began = len(self.rig.heard)
        self._healed_ns = 0
        self._frozen = False

    @contextmanager
    def fault(self, *faults: Fault, silent: bool = False, frozen: bool = False) -> Iterator[None]:
        """Let faults act inside the block.

        Args:
            faults: what goes wrong.
            silent: what was asked may stay without an answer, so that nobody waits for it.
            frozen: nor do pings come back.
        """
        numbers = [self.rig.server.inject(fault) for fault in faults]
        self.rig._silenced, self._frozen = silent or frozen, frozen
        try:
            yield
        finally:
            self.rig._silenced = self._frozen = False
            for number in numbers:
                self.rig.server.clear_faults(number)
            self._healed_ns = self.rig.clock.now_ns()

    def pass_s(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        whole, rest = divmod(seconds, 1.0)
        for step_s in [1.0] * int(whole) + [rest] * bool(rest):
            self.rig.clock.advance(int(step_s * 1e9))
            self.rig.server.step()
            self._arrive()

    def last(self, order_id: str) -> OrderData:
        """Return the last state told of an order, by a report or a list."""
        return truth.told_orders(self.rig.heard)[order_id]

    def statuses(self, order_id: str) -> list[OrderStatus]:
        """Return the statuses told of an order, without repetitions."""
        return truth.statuses(self.rig.heard, order_id)

    def recover(self, fault: str, bound_s: float) -> None:
        """Let time pass until all is well, at most for a time, and write or compare the row of the fault.

        Raises:
            AssertionError: what is still wrong at the bound.
        """
        self.rig.settle()
        while wrong := self._wrong():
            if (self.rig.clock.now_ns() - self._healed_ns) / 1e9 >= bound_s:
                raise wrong
            self.pass_s(1)
        passed_s = float((self.rig.clock.now_ns() - self._healed_ns) // 10**9) if self._healed_ns else 0.0
        truth.check_margin(self.rig)
        product = "spot" if self.rig.product is Product.SPOT else "USD-M"
        record(ACCOUNT, FaultRow(fault, product, self._seen(), min(passed_s, bound_s), bound_s))

    def check(self) -> None:
        """Hold everything against the venue: one user stream, the desired streams, orders, fills, money, nothing unknown."""
        rig, adapter = self.rig, self._adapter()
        assert rig.heard.states()[-1] is AdapterState.READY
        assert adapter.trading.orders.unknown == frozenset()
        assert truth.user_connections(rig) == 1
        assert truth.all_streams(rig) == self.desired
        truth.check_orders(rig)

    def _arrive(self) -> None:
        if self._frozen:
            bridge = self._adapter().session.bridge
            bridge.submit(_come_to_rest(self.rig.adapter, FAULTY_S)).result(LONGEST_S)
        else:
            self.rig._arrive()

    def _adapter(self) -> Any:
        return self.rig.adapter

    def _wrong(self) -> AssertionError | None:
        try:
            self.check()
        except AssertionError as error:
            return error
        return None

    def _seen(self) -> str:
        """Return in words what was told of the link and of our orders since the beginning."""
        heard = self.rig.heard
        link = [status.state.value for status in heard.of(AdapterStatus, self._began)]
        words = ["link " + " → ".join(link)] if link else ["link stays"]
        told = {" → ".join(self.statuses(order_id)) for order_id in self.rig.received()}
        return "; ".join(words + [f"order {one}" for one in sorted(told) if one])
