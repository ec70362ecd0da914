"""Futu's rig with everything streaming and an order resting, to which something is done; and the checks of what is left.

A test of a fault is: `begin`, `inject` (or anything that goes wrong), `pass_s` while it lasts, `over`, `recovered_s`, `check`,
`record`. While time passes other people trade in both stocks.
"""

from collections import Counter
from contextlib import suppress
from decimal import Decimal
from itertools import groupby
from typing import Any

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.notices import Gap, TradesLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import MarketTrade
from foxtrot.domain.order import ApprovedOrder, TradeData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault, Scope
from tests.support.fault_document import FUTU, FaultRow
from tests.support.fault_judgement import FaultJudgement
from tests.support.futu_contract_rig import FutuRig, Longest, caught_up
from tests.support.futu_rig import REAL, SIMULATE
from tests.support.waiting import wait_until

STEP_S = 0.1
PULSE_S = 1.0
NORMAL_S, FAULTY_S = 5.0, 0.05
"""How long, in real time, a step waits for what may not come: while all is well, and while something is wrong."""
SHARE = 1_000
"""A share, in the rig's thousandths."""
LEVELS = 10


class FutuFaultRig(FutuRig, FaultJudgement):
    """See the module; `spot` and `contract` stream ticks, prints, books and, of one, bars; `resting` is our order.

    Thread: the test's.

    Args:
        real: whether the account is one with real money, whose fills Futu tells; a paper account's are derived.
    """

    def __init__(self, *, real: bool = True) -> None:
        self.real = real
        self.environment = "real" if real else "simulate"
        self.patience_s = NORMAL_S
        self.resting = ""
        self._remark = ""
        self._placed: list[str] = []
        self._pulses = self._told_before = 0
        self._since_pulse_s = 0.0
        self._printed: Counter[str] = Counter()
        self._wanted: Counter[tuple[Any, ...]] = Counter()
        super().__init__()

    @property
    def venue_account(self) -> str:
        return self.account if self.real else f"{self.account}-simulate"

    def new_adapter(self) -> BaseAdapter:
        self.adapter = self._make(self.account, REAL if self.real else SIMULATE, self.heard)
        self.adapter.session.backoff = Backoff(Longest())
        return self.adapter

    # --- the course of a test ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Connect, stream everything, rest an order of which a part is filled; all is well after it."""
        self.connect()
        self.adapter.subscribe(SubscribeRequest(self.spot.instrument_id, True, True, LEVELS, bars=("1m",)))
        self.adapter.subscribe(SubscribeRequest(self.contract.instrument_id, True, True, LEVELS))
        self.settle()
        self._printed.clear()
        self._told_before = len(self.heard)
        self.resting = self.place()
        self.pass_s(0.3)
        self.hit_ours()
        self.pass_s(2)
        self._wanted = self._subscriptions()
        assert len(self._wanted) == 7, self._wanted
        wrong = [*self.wrongs(), *self.prints_wrong(), *self.orders_wrong()]
        assert wrong == [], wrong
        self._begun_at = len(self.heard)

    def inject(self, kind: str, **terms: Any) -> int:
        """Set a fault; from now on a step waits but a moment for what may not come."""
        self.patience_s = FAULTY_S
        return self.server.inject(Fault(kind=kind, product="futu", **terms))

    def over(self) -> None:
        """Remove all faults."""
        self.server.clear_faults()
        self.patience_s = NORMAL_S

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
        while wrongs := [*self.wrongs(), *self.orders_wrong(), *self._unknown()]:
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
        wrong = [*self.wrongs(), *self.prints_wrong(), *self.orders_wrong()]
        wrong += [] if self.heard.reports(later) else ["the order after recovery is not heard of"]
        assert wrong == [], wrong

    def note_order(self, order_id: str) -> None:
        """Put into the row what was told of an order."""
        states = [key for key, _ in groupby(report.status.value for report in self.heard.reports(order_id))]
        rules = "".join(dict.fromkeys(f" ({report.rule})" for report in self.heard.reports(order_id) if report.rule))
        self._remark += f"; order {' → '.join(states)}{rules}"

    def give_up_prints(self) -> None:
        """Expect no more prints than were told: Futu's sequences do not tell of one that was not pushed over a link that stands."""
        for name in self._printed:
            self._printed[name] = sum(
                one.instrument_id == name for one in self.heard.of(MarketTrade, self._told_before)
            )
        self._remark += "; prints that were not pushed are not told"

    def record(self, section: str, fault: str, recovered_s: float, bound_s: float) -> None:
        """Write or compare the row of the document."""
        FUTU.record(section, FaultRow(fault, self.environment, self.seen() + self._remark, recovered_s, bound_s))

    def acted(self, kind: str) -> int:
        """Return how often the faults of a kind have acted."""
        armed = self.server.call(lambda server: server.faults.script.armed())
        return sum(one.fired for one in armed if one.fault.kind == kind)

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

    def take(self, side: Side, quantity: int, instrument: Instrument | None = None) -> None:
        self._printed[(instrument or self.spot).instrument_id] += 1
        super().take(side, quantity, instrument)

    def hit_ours(self) -> None:
        """Let somebody else fill a share of our resting order."""
        self.take(Side.SELL, SHARE)

    def order(
        self, side: Side = Side.BUY, quantity: int = 5 * SHARE, price: int = 9_950, **changes: object
    ) -> ApprovedOrder:
        """Make an order for the day, which a paper account takes too."""
        return super().order(side, quantity, price, **({"time_in_force": TimeInForce.DAY} | changes))

    def place(self, **changes: Any) -> str:
        """Send a bid of ours that rests at the top of the book."""
        order = self.order(**changes)
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
        served = self._subscriptions()
        found = [] if not self._wanted or served == self._wanted else [f"streams: {served}, not {self._wanted}"]
        for instrument in (self.spot, self.contract):
            name = instrument.instrument_id
            book = self.adapter.get_order_book_from_websocket(name)
            if book is None or (book.bids, book.asks) != self._true_book(instrument):
                found.append(f"book of {name}: {book}, the venue's is {self._true_book(instrument)}")
        return found

    def prints_wrong(self) -> list[str]:
        """Return what is missing of prints and was not counted in a gap, or was told twice."""
        told = self.heard.of(MarketTrade, self._told_before)
        found = []
        for name, printed in self._printed.items():
            ids = [trade.trade_id for trade in told if trade.instrument_id == name]
            gaps = sum(gap.count for gap in self.heard.of(Gap, self._told_before) if gap.instrument_id == name)
            if len(ids) != len(set(ids)) or len(ids) + gaps != printed:
                found.append(f"{name}: {printed} prints, told {len(ids)}, {len(set(ids))} of them once, gaps {gaps}")
        return found

    def fills_wrong(self) -> list[str]:
        if self.real:
            return super().fills_wrong()
        events: list[TradeData] = self.heard.of(TradeData)
        known = {trade.trade_id: trade for one in self.heard.of(TradesLoaded) for trade in one.trades}
        doubled = len(events) - len({trade.trade_id for trade in events})
        told: Counter[str] = Counter()
        for trade in {**known, **{trade.trade_id: trade for trade in events}}.values():
            told[trade.order_id] += int(trade.quantity * SHARE)
        fills = self.server.call(lambda server: server.host.venue.fills(self.venue_account))
        true: Counter[str] = Counter()
        for fill in fills:
            true[fill.client_order_id] += fill.fill_quantity
        return [] if told == true and not doubled else [f"fills: told {told}, {doubled} doubled, the venue has {true}"]

    def filled_of_open(self) -> dict[str, float]:
        orders = self.server.call(lambda server: server.host.venue.open_orders(self.venue_account))
        return {order.client_order_id: self.spot.quantity(order.filled) for order in orders}

    # --- inside -----------------------------------------------------------------------------------------------------

    def _unknown(self) -> list[str]:
        last = {order_id: self.heard.reports(order_id)[-1:] for order_id in self._placed}
        return [order_id for order_id, told in last.items() if not told or told[0].status is OrderStatus.UNKNOWN]

    def _true_book(self, instrument: Instrument) -> tuple[tuple[tuple[Decimal, Decimal], ...], ...]:
        grids = instrument.price_grid.to_decimal, instrument.quantity_grid.to_decimal
        bids, asks = self.book(instrument)
        made = (tuple((grids[0](price), grids[1](size)) for price, size in side[:LEVELS]) for side in (bids, asks))
        return tuple(made)

    def _subscriptions(self) -> Counter[tuple[Any, ...]]:
        """Return what the server has as subscribed by us, by instrument and kind."""

        def read(server: Any) -> Counter[tuple[Any, ...]]:
            clients = server._doors._futu.gateway.clients.values()
            return Counter((key, kind) for one in clients for key, kinds in one.subscriptions.items() for kind in kinds)

        return self.server.call(read)

    def _arrive(self) -> None:
        if self.patience_s == NORMAL_S:
            super()._arrive()
            return
        busy = (AdapterState.CONNECTING, AdapterState.CONNECTED)
        with suppress(AssertionError):
            wait_until(lambda: (self.heard.states() or [None])[-1] not in busy, deadline_s=self.patience_s)
        bridge = self._session().bridge
        if bridge.running:
            bridge.submit(caught_up(self.adapter, wait_jobs=False)).result(10.0)  # type: ignore[arg-type]
