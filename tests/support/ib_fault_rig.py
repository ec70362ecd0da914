"""IB's rig with everything streaming and an order resting, to which something is done; and the checks of what is left.

A test of a fault is: `begin`, `inject` (or anything that goes wrong), `pass_s` while it lasts, `over`, `recovered_s`, `check`,
`record`. While time passes other people trade in both stocks.
"""

from contextlib import suppress
from decimal import Decimal
from itertools import groupby
from typing import Any

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.sdk import load_sdk
from foxtrot.adapter.reconnect import Backoff
from foxtrot.domain.enums import AdapterState, OrderStatus, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault, Scope
from tests.support.fault_document import IB, FaultRow
from tests.support.fault_judgement import FaultJudgement
from tests.support.ib_contract_rig import DEADLINE_S, IbRig, Longest, caught_up
from tests.support.waiting import wait_until

STEP_S = 0.1
PULSE_S = 1.0
SHARE = 1_000
"""A share, in the rig's thousandths."""
LEVELS = 5


class IbFaultRig(IbRig, FaultJudgement):
    """See the module; `spot` and `contract` stream quotes, prints and books; `resting` is our order.

    Thread: the test's.
    """

    mute_after_s = 15.0

    def __init__(self) -> None:
        self.is_faulty = False
        self.resting = ""
        self._remark = ""
        self._placed: list[str] = []
        self._pulses = 0
        self._since_pulse_s = 0.0
        super().__init__()

    def new_adapter(self) -> BaseAdapter:
        super().new_adapter()
        self._session().backoff = Backoff(Longest(), base_s=1.0, cap_s=30.0)
        return self.adapter

    # --- the course of a test ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Connect, stream everything, rest an order of which a part is filled; all is well after it."""
        self.connect()
        for instrument in (self.spot, self.contract):
            self.adapter.subscribe(SubscribeRequest(instrument.instrument_id, True, True, LEVELS))
        self.settle()
        self.resting = self.place()
        self.pass_s(0.3)
        self.hit_ours()
        self.pass_s(2)
        wrong = [*self.wrongs(), *self.orders_wrong()]
        assert wrong == [], wrong
        self._begun_at = len(self.heard)

    def inject(self, kind: str, **terms: Any) -> int:
        """Set a fault; from now on a step waits but a moment for what may not come."""
        self.is_faulty = True
        return self.server.inject(Fault(kind=kind, product="ib", **terms))

    def over(self) -> None:
        """Remove all faults."""
        self.server.clear_faults()
        self.is_faulty = False

    def pass_s(self, seconds: float, *, trading: bool = True) -> None:
        """Let time pass by tenths of a second: others trade, the server does what is due."""
        for _ in range(round(seconds / STEP_S)):
            self.step(trading=trading)

    def step(self, *, trading: bool = True) -> None:
        """Let a tenth of a second pass."""
        self._since_pulse_s += STEP_S
        if trading and self._since_pulse_s >= PULSE_S:
            self._since_pulse_s = 0.0
            self.pulse()
        self.clock.advance(int(STEP_S * 1e9))
        self.server.step()
        self._arrive()

    def recovered_s(self, limit_s: float) -> float:
        """Let time pass until all is well, orders among it, and return how many seconds that took; fails past the limit.

        Raises:
            AssertionError: with what is not well.
        """
        steps = 0
        while wrongs := self._not_well():
            assert steps * STEP_S < limit_s, f"not well after {limit_s} s: {wrongs}; told: {self.seen()}"
            self.step()
            steps += 1
        return round(steps * STEP_S, 1)

    def check(self) -> None:
        """Hold everything that was told against what the venue did; trade and order as before.

        Raises:
            AssertionError: with all that is wrong.
        """
        self.hit_ours()
        self.pass_s(2)
        later = self.place()
        self.pass_s(1)
        wrong = self._not_well()
        wrong += [] if self.heard.reports(later) else ["the order after recovery is not heard of"]
        assert wrong == [], wrong

    def note_order(self, order_id: str) -> None:
        """Put into the row what was told of an order."""
        states = [key for key, _ in groupby(report.status.value for report in self.heard.reports(order_id))]
        rules = "".join(dict.fromkeys(f" ({report.rule})" for report in self.heard.reports(order_id) if report.rule))
        self._remark += f"; order {' → '.join(states)}{rules}"

    def record(self, section: str, fault: str, recovered_s: float, bound_s: float) -> None:
        """Write or compare the row of the document; with the later client library the same holds and is not written."""
        if not load_sdk().version.startswith("9."):
            assert recovered_s <= bound_s
            return
        IB.record(section, FaultRow(fault, "ibapi", self.seen() + self._remark, recovered_s, bound_s))

    def waiting_faults(self) -> list[str]:
        """Return the kinds of faults that have not acted as often as they are to."""
        armed = self.server.call(lambda server: server.faults.script.armed())
        return [
            one.fault.kind
            for one in armed
            if one.fired < (one.fault.limit or 1) and not one.has_swept and one.fault.scope is not Scope.STATE
        ]

    def wait_for_port(self) -> None:
        """Let time pass until a server that restarts listens again."""
        for _ in range(100):
            if self.server.call(lambda server: server._doors._restarting is None or server._doors._restarting.done()):
                return
            self.step()
        raise AssertionError("the server does not come back")

    # --- what others and we do --------------------------------------------------------------------------------------

    def pulse(self) -> None:
        """Let others trade a share of each stock and change its book."""
        self._pulses += 1
        for instrument in (self.spot, self.contract):
            self.rest(Side.SELL, 10_100 + self._pulses % 5 * 10, SHARE * (1 + self._pulses % 3), instrument)
            self.take(Side.BUY, SHARE, instrument)

    def hit_ours(self) -> None:
        """Let somebody else fill a share of our resting order."""
        self.take(Side.SELL, SHARE)

    def place(self, **changes: Any) -> str:
        """Send a bid of ours that rests at the top of the book."""
        order = self.order(quantity=5 * SHARE, **changes)
        self._placed.append(order.order_id)
        self.adapter.send_order(order)
        self._arrive()
        return order.order_id

    # --- judgement --------------------------------------------------------------------------------------------------

    def wrongs(self) -> list[str]:
        """Return what is not as it should be now; nothing when all is well."""
        states = self.heard.states()
        if not states or states[-1] is not AdapterState.READY:
            return [f"the adapter is {states[-1:]}"]
        found = []
        for instrument in (self.spot, self.contract):
            name = instrument.instrument_id
            book = self.adapter.get_order_book_from_websocket(name)
            if book is None or (book.bids[:LEVELS], book.asks[:LEVELS]) != self._true_book(instrument):
                found.append(f"book of {name}: {book}, the venue's is {self._true_book(instrument)}")
        return found

    def filled_of_open(self) -> dict[str, float]:
        orders = self.server.call(lambda server: server.host.venue.open_orders(self.venue_account))
        return {order.client_order_id: self.spot.quantity(order.filled) for order in orders}

    # --- inside -----------------------------------------------------------------------------------------------------

    def _not_well(self) -> list[str]:
        return self.wrongs() or [*self.orders_wrong(), *self._unknown()]

    def _unknown(self) -> list[str]:
        last = {order_id: self.heard.reports(order_id)[-1:] for order_id in self._placed}
        return [order_id for order_id, told in last.items() if not told or told[0].status is OrderStatus.UNKNOWN]

    def _true_book(self, instrument: Instrument) -> tuple[tuple[tuple[Decimal, Decimal], ...], ...]:
        grids = instrument.price_grid.to_decimal, instrument.quantity_grid.to_decimal
        bids, asks = self.book(instrument)
        return tuple(tuple((grids[0](price), grids[1](size)) for price, size in side[:LEVELS]) for side in (bids, asks))

    def _arrive(self) -> None:
        if not self.is_faulty:
            super()._arrive()
            return
        busy = (AdapterState.CONNECTING, AdapterState.CONNECTED)
        with suppress(AssertionError):
            wait_until(lambda: (self.heard.states() or [None])[-1] not in busy, deadline_s=0.05)
        bridge = self._session().bridge
        if bridge.running:
            bridge.submit(caught_up(self.adapter, wait_jobs=False)).result(DEADLINE_S)
