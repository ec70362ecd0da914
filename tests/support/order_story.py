"""One run of orders that touches everything an order can go through, and a link that can do anything to each of its messages.

The client does the same whatever it hears, so that the venue's side of the story is the same each time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from random import Random

import msgspec

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import EXTERNAL, AccountCharge, AccountData, PositionData
from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData, OrderRequest, TradeData
from foxtrot.exchange.commands import SetFundingRate, SetMarkPrice
from foxtrot.storage.journal_records import Adjusted, Snapshot
from foxtrot.trading.reconcile_asking import SILENT_NS
from foxtrot.trading.restored_state import encode_state
from foxtrot.trading.snapshots import state_of
from tests.support.builders import a_perpetual, a_spot
from tests.support.line_rig import CROWD
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig, UnsteadyLink

PERP, SPOT = a_perpetual(funding_interval_s=28_800), a_spot()
SECOND = "second"
BUY, SELL = Side.BUY, Side.SELL
FEES = FeeSchedule.percentage("0.0002", "0.001")
MESSAGES = (
    OrderData, TradeData, AccountCharge, AccountData, PositionData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded,
)  # fmt: skip


class Fate(msgspec.Struct):
    """What the link does to messages, told apart by their number in the run, and what it does with those it keeps.

    `keep_all` keeps everything that follows the log-in, whose answers an adapter tells in their order; `shuffle` is the seed by
    which what was kept is told at the end. `dead_from` is the first message that the process does not live to hear.
    """

    drop: frozenset[int] = frozenset()
    double: frozenset[int] = frozenset()
    to_the_end: frozenset[int] = frozenset()
    behind_the_next: frozenset[int] = frozenset()
    keep_all: bool = False
    shuffle: int = 0
    dead_from: int = 0


class FatedLink(UnsteadyLink):
    """A link that numbers the messages it carries, from 1, and does to each what is its fate."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(dispatcher)
        self.plan = Fate()
        self.number = 0
        self.heard: list[object] = []
        self.kept: list[object] = []
        self.waiting: list[object] = []
        self.is_well = self.is_in = False

    @property
    def is_dead(self) -> bool:
        """Tell whether the process has ended at one of the messages."""
        return bool(self.plan.dead_from) and self.number >= self.plan.dead_from

    def put(self, event: object) -> None:
        """Carry an event, or not."""
        if self.is_well or not isinstance(event, MESSAGES):
            self.dispatcher.put(event)
            return
        self.number += 1
        self.heard.append(event)
        plan, number = self.plan, self.number
        if number in plan.drop or self.is_dead:
            self.lost.append(event)
            return
        for _ in range(1 + (number in plan.double)):
            if (plan.keep_all and self.is_in) or number in plan.to_the_end:
                self.kept.append(event)
            elif number in plan.behind_the_next:
                self.waiting.append(event)
            else:
                self.dispatcher.put(event)
        if number not in plan.behind_the_next:
            self._tell_waiting()

    def heal(self) -> None:
        """Tell what was kept, in the order that the seed gives, and be a good link from now on."""
        if self.plan.shuffle:
            Random(self.plan.shuffle).shuffle(self.kept)
        self._tell_waiting()
        self.tell(self.kept)
        self.kept, self.is_well = [], True

    def _tell_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        self.tell(waiting)


class StoryRig(ReconcileRig):
    """The line with a perpetual and a spot pair, fees taken from what is received, and a link with a plan."""

    def __init__(self, plan: Fate | None = None) -> None:
        self._plan = plan or Fate()
        self.fated: FatedLink
        self.ids: dict[str, str] = {}
        self.log_in = 0
        self.lost: list[object] = []
        super().__init__(PERP, SPOT, connect=False, fees=FEES)

    def _make_link(self, dispatcher: Dispatcher) -> UnsteadyLink:
        self.link = self.fated = FatedLink(dispatcher)
        self.fated.plan = self._plan
        return self.link

    # --- the story ----------------------------------------------------------------------------------------------------

    def live(self, *, snapshots: bool = False) -> None:
        """Go through the whole story; a process that ends is started again, the account reconciled, and the story goes on.

        With `snapshots` a process that ends has written one just before the step that it does not survive.
        """
        self.connect()
        self.settle()
        self.log_in, self.fated.is_in = self.fated.number, True
        for step in self._steps():
            before = len(self.records)
            if snapshots and self._plan.dead_from:
                state = state_of(self.line.desk, self.line.portfolio, self.line.notes.decisions, 0)
                snapshot = Snapshot(self.clock.now_ns(), encode_state(state))
            step()
            if self.fated.is_dead:
                if snapshots:
                    self.records.insert(before, snapshot)
                self._start_anew()
        self.fated.heal()
        self.dispatcher.drain()
        self.clock.advance(SILENT_NS + 1)

    def _start_anew(self) -> None:
        self.crash()
        self.lost += self.fated.lost
        self._plan = Fate()
        self.restart()
        self.wait(10)

    def _steps(self) -> Iterator[Callable[[], object]]:
        yield lambda: self.wait(1)
        yield lambda: self._send("market", BUY, 1.0)
        yield lambda: self._send("of another", SELL, 0.4, owner=SECOND)
        yield lambda: self._send("partly filled", BUY, 0.5, 99.5)
        yield lambda: self.hit(SELL, 0.2, 99.5)
        yield lambda: self._send("resting", SELL, 1.0, 100.8, owner=SECOND)
        yield lambda: self._send("cancelled", BUY, 1.0, 99.4)
        yield lambda: self._cancel("cancelled")
        yield lambda: self._send("filled while cancelled", BUY, 0.7, 99.6)
        yield lambda: self._fill_and_cancel("filled while cancelled", 0.7, 99.6)
        yield lambda: self._send("partly filled, then cancelled", BUY, 0.9, 99.7, owner=SECOND)
        yield lambda: self.hit(SELL, 0.25, 99.7)
        yield self._ask_everything
        yield lambda: self._cancel("partly filled, then cancelled")
        yield lambda: self._send_at_once("nothing to meet", 90.0)
        yield lambda: self._send("spot", BUY, 2.0, instrument=SPOT)
        yield lambda: self._send("spot of another", SELL, 0.5, 100.5, instrument=SPOT, owner=SECOND)
        yield lambda: self.hit(BUY, 0.2, 100.5, SPOT)
        yield lambda: self.elsewhere(BUY, 0.3)
        yield lambda: self.elsewhere(SELL, 0.6, 100.7)
        yield lambda: self.hit(BUY, 0.2, 100.7)
        yield self._pay_funding
        yield lambda: self._send_stop("stop", 100.9)
        yield lambda: self._send_stop("stop that waits", 150.0)
        yield lambda: self._place(CROWD[0], BUY, 1.5, 101.0, PERP)
        yield self.settle
        yield self._ask_everything
        yield lambda: self._send("spot, out", SELL, 0.6, instrument=SPOT)

    def _send(
        self,
        name: str,
        side: Side,
        quantity: float,
        price: float = 0.0,
        *,
        instrument: Instrument = PERP,
        owner: str = OWNER,
    ) -> None:
        self.wait(0.1)
        self.ids[name] = self.order(side, quantity, price, instrument, owner).order_id

    def _send_stop(self, name: str, trigger: float) -> None:
        self._submit(name, OrderRequest(PERP.instrument_id, ACCOUNT, BUY, OrderType.STOP, 0.3, trigger_price=trigger))

    def _send_at_once(self, name: str, price: float) -> None:
        """Send an order that is over before it could rest."""
        self._submit(
            name,
            OrderRequest(PERP.instrument_id, ACCOUNT, BUY, OrderType.LIMIT, 0.2, price, time_in_force=TimeInForce.IOC),
        )

    def _submit(self, name: str, request: OrderRequest) -> None:
        self.ids[name] = self.line.desk.submit(request, OWNER)
        self.settle()

    def _cancel(self, name: str) -> None:
        self.line.desk.cancel(self.ids[name])
        self.settle()

    def _fill_and_cancel(self, name: str, size: float, price: float) -> None:
        """Let the venue fill an order before the client, which has heard nothing of that, asks to cancel it."""
        self._place(CROWD[1], SELL, size, price, PERP)
        self._cancel(name)

    def _pay_funding(self) -> None:
        now_ns = self.clock.now_ns()
        self.execute(SetMarkPrice(now_ns, PERP.instrument_id, PERP.price_units(100.0)))
        self.execute(SetFundingRate(now_ns, PERP.instrument_id, Decimal("0.0001"), now_ns + 1_000_000_000))
        self.wait(2)

    def _ask_everything(self) -> None:
        """Let answers be among the messages."""
        self.adapter.query_orders()
        self.adapter.query_positions()
        self.adapter.query_account()
        self.adapter.query_trades(0)
        self.settle()

    # --- what it comes to ---------------------------------------------------------------------------------------------

    def end_state(self) -> dict[str, object]:
        """Return orders, fills, positions by owner and of the account, and balances, whatever the orders are called.

        Of orders that somebody else placed only the open ones: of one that is over a venue tells no more than its fills.
        """
        names = {order_id[2:]: name for name, order_id in self.ids.items()}
        desk, portfolio = self.line.desk, self.line.portfolio
        orders = {
            names.get(record.terms.order_id[2:], record.terms.order_id): (
                record.owner, record.status, record.filled, record.to_order().average_price,
            )
            for record in desk.records()
            if record.owner != EXTERNAL or record.is_open
        }  # fmt: skip
        positions = {
            key: (held.quantity, held.cost, held.realised, held.flow, held.turnover, held.fills, held.fees)
            for key, held in [*portfolio.positions(), *portfolio.net_positions()]
        }
        fills = sorted((trade.trade_id, trade.instrument_id, trade.quantity) for trade in desk.fills(ACCOUNT))
        balances = {asset: total for asset, total in portfolio.balances(ACCOUNT).items() if total}
        return {"orders": orders, "fills": fills, "positions": positions, "balances": balances}

    def unheard_charges(self) -> Counter[str]:
        """Return what was charged without our hearing of it, by asset."""
        return _sums((one.asset, one.amount) for one in self.lost + self.fated.lost if isinstance(one, AccountCharge))

    def adjustments(self) -> Counter[str]:
        """Return what was adjusted, by asset; a position that was moved counts under its instrument."""
        made = [record for record in self.records if isinstance(record, Adjusted)]
        return _sums((one.asset or one.instrument_id, one.amount or Decimal(one.quantity_units)) for one in made)


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> Counter[str]:
    totals: dict[str, Decimal] = {}
    for name, amount in amounts:
        totals[name] = totals.get(name, Decimal(0)) + amount
    return Counter({name: total for name, total in totals.items() if total})  # type: ignore[misc]
