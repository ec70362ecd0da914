"""The line on the embedded exchange, with reconciliation, and a link that loses, doubles and turns round what is told unasked."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, TradesLoaded
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountCharge
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData, OrderRequest, TradeData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import CancelOrder, Deposit, PlaceOrder, VenueCommand, Withdraw
from foxtrot.storage.journal import InMemoryJournal
from foxtrot.storage.journal_records import JournalRecord, decode_record, encode_record
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.audit import our_state
from foxtrot.trading.difference_book import CAUSE
from foxtrot.trading.limits import LimitTable
from foxtrot.trading.reconcile import Reconciler
from foxtrot.trading.reconcile_settings import ReconcileSettings
from foxtrot.trading.restored_state import fold
from foxtrot.trading.snapshots import asked_since_ns
from tests.support.line_rig import CROWD, LIMITS, LineRig

UNASKED = (OrderData, TradeData, AccountCharge)
OWNER = "manual"
ACCOUNT = "main"


class UnsteadyLink:
    """What an adapter tells passes through here; `fate` says how often an event that nobody asked for is heard, 1 being right.

    The log-in tells fills since `login_since_ns`, as an adapter does whose venue outlives the platform.
    While `held`, such events wait, and come in an order of their own at `release`; with `mixes` the answers do too.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.fate: Callable[[object], int] = lambda _event: 1
        self.deaf: tuple[type, ...] = ()
        self.held: list[object] | None = None
        self.mixes = False
        self.login_since_ns = 0
        self.lost: list[object] = []

    def put(self, event: object) -> None:
        if isinstance(event, self.deaf):
            return
        if type(event) is TradesLoaded and not event.since_ns:
            event = self._since_then(event)
        unasked = isinstance(event, UNASKED)
        times = self.fate(event) if unasked else 1
        if not times:
            self.lost.append(event)
        for _ in range(times):
            if self.held is not None and (unasked or self.mixes):
                self.held.append(event)
            else:
                self.dispatcher.put(event)

    def _since_then(self, told: TradesLoaded) -> TradesLoaded:
        since_ns = self.login_since_ns
        trades = tuple(trade for trade in told.trades if trade.venue_time_ns >= since_ns)
        return msgspec.structs.replace(told, trades=trades, since_ns=since_ns)

    def tell(self, events: list[object]) -> None:
        """Let some events come now."""
        for event in events:
            self.dispatcher.put(event)

    def release(self, random: Random) -> None:
        """Let the events through that were held, in a random order; what they bring about is held again if they were mixed."""
        events, self.held = self.held or [], [] if self.mixes else None
        random.shuffle(events)
        for event in events:
            self.dispatcher.put(event)
        self.dispatcher.drain()


class KeepingJournal(InMemoryJournal):
    """A journal that outlives the line: its records are a list of the rig's."""

    keeps_reports = True

    def __init__(self, sink: Dispatcher, records: list[JournalRecord]) -> None:
        super().__init__(sink)
        self.records = records


class ReconcileRig(LineRig):
    """Orders of one owner, and everybody else at the venue, some of them on our account."""

    def __init__(
        self,
        *instruments: Instrument,
        connect: bool = True,
        enabled: bool = False,
        fees: FeeSchedule | None = None,
        limits: LimitTable = LIMITS,
    ) -> None:
        self.records: list[JournalRecord] = []
        self._limits = limits
        super().__init__(
            *instruments,
            connect=False,
            reconcile=ReconcileSettings(enabled=enabled),
            make_journal=self._make_journal,
            make_link=self._make_link,
            fees=fees,
            limits=limits,
        )
        self._take_parts()
        self._elsewhere = 0
        self._runs = 1
        for instrument in instruments:
            for side, price in ((Side.BUY, 99.0), (Side.SELL, 101.0)):
                self._place(CROWD[0], side, 1_000.0, price, instrument)
        if connect:
            self.connect()
            self.settle()

    def crash(self) -> None:
        """End the platform as a crash does; the venue and the journal stay."""
        self.adapter.close()
        self.dispatcher.drain()

    def restart(self, *deaf: type) -> None:
        """Begin another run, with what the journal tells of the ones before; what it is deaf to is lost until that is undone."""
        self._runs += 1
        restored = fold(decode_record(encode_record(record)) for record in self.records)
        self.dispatcher, self.events = Dispatcher(self.clock), []
        self.dispatcher.add_tap(lambda _, event: self.events.append(event))
        permit, run_id = SendPermit(), f"run000000{self._runs}"
        settings = LineSettings(run_id=run_id, limits=self._limits, reconcile=ReconcileSettings(enabled=False))
        self.line = Line(self.dispatcher, permit, settings, make_journal=self._make_journal, restored=restored)
        link = self._make_link(self.dispatcher)
        link.deaf = deaf
        link.login_since_ns = asked_since_ns(restored, ACCOUNT)
        self.line.add_adapter(SimulatedAdapter(AdapterContext(ACCOUNT, link, permit, self.clock, {}, {}), self.session))
        self._take_parts()
        self.reconciler.begin()
        self.connect()
        self.settle()

    def _take_parts(self) -> None:
        made = self.line.reconciler
        assert made is not None
        self.reconciler: Reconciler = made
        adapter = self.line.adapters[ACCOUNT]
        assert isinstance(adapter, SimulatedAdapter)
        self.adapter = adapter
        for instrument in self.instruments:
            self.adapter.subscribe(SubscribeRequest(instrument.instrument_id))

    def _make_journal(self, dispatcher: Dispatcher) -> KeepingJournal:
        return KeepingJournal(dispatcher, self.records)

    def _make_link(self, dispatcher: Dispatcher) -> UnsteadyLink:
        self.link = UnsteadyLink(dispatcher)
        return self.link

    # --- ours -------------------------------------------------------------------------------------------------------

    def order(
        self, side: Side, quantity: float, price: float = 0.0, instrument: Instrument | None = None, owner: str = OWNER
    ) -> OrderData:
        """Send an order of an owner and return how it stands."""
        name = (instrument or self.instruments[0]).instrument_id
        kind = OrderType.LIMIT if price else OrderType.MARKET
        order_id = self.line.desk.submit(OrderRequest(name, ACCOUNT, side, kind, quantity, price), owner)
        self.settle()
        order = self.line.desk.order(order_id)
        assert order is not None
        return order

    def reconcile(self, mixed: Random | None = None) -> AccountReconciled:
        """Reconcile the account and return how that ended; with `mixed` whatever is told comes in an order of its own."""
        before = len(self.told(AccountReconciled))
        if mixed is not None:
            self.link.held, self.link.mixes = self.link.held or [], True
        self.put(ReconcileNow(ACCOUNT))
        for _ in range(60):
            if len(self.told(AccountReconciled)) > before:
                break
            if mixed is not None:
                self.link.release(mixed)
            self.wait(1.0)
        if mixed is not None:
            self.link.mixes = False
            self.link.release(mixed)
        (ended,) = self.told(AccountReconciled)[before:]
        return ended

    def blocked(self, instrument: Instrument | None = None) -> str:
        """Return why reconciliation blocks our account, or one instrument of it; "" when it does not."""
        found = self.line.gate.blocked(ACCOUNT, instrument.instrument_id if instrument else "", CAUSE)
        return found[1] if found is not None else ""

    # --- on our account, but not by us --------------------------------------------------------------------------------

    def elsewhere(self, side: Side, quantity: float, price: float = 0.0, instrument: Instrument | None = None) -> str:
        """Place an order on our account by another client, and return its id."""
        found = instrument or self.instruments[0]
        self._elsewhere += 1
        name = f"web_{self._elsewhere}"
        self.execute(
            PlaceOrder(
                self.clock.now_ns(), ACCOUNT, found.instrument_id, name, side,
                OrderType.LIMIT if price else OrderType.MARKET, found.quantity_units(quantity),
                found.price_units(price) if price else 0,
            )
        )  # fmt: skip
        return name

    def cancel_elsewhere(self, order: OrderData) -> None:
        """Cancel one of our orders by another client."""
        self.execute(CancelOrder(self.clock.now_ns(), ACCOUNT, order.instrument_id, client_order_id=order.order_id))

    def move_money(self, asset: str, amount: str) -> None:
        """Deposit or withdraw."""
        kind = Deposit if Decimal(amount) > 0 else Withdraw
        self.execute(kind(self.clock.now_ns(), ACCOUNT, asset, abs(Decimal(amount))))

    def execute(self, command: VenueCommand) -> None:
        """Let the venue do something."""
        result = self.session.execute(command)
        assert result.ok, result
        self.settle()

    # --- the truth --------------------------------------------------------------------------------------------------

    def differences(self) -> list[str]:
        """Return on what we and the venue disagree, read at the venue itself, without asking anything."""
        venue, portfolio = self.session.venue, self.line.portfolio
        ours = our_state(self.line.desk, portfolio, ACCOUNT)
        found: list[str] = []
        fills = {
            f"{fill.trade_id} of {fill.client_order_id or f'venue{fill.order_id}'} in {fill.instrument_id}"
            for fill in venue.fills(ACCOUNT)
        }
        found += [f"fill {name}" for name in fills ^ set(ours.fills)]
        orders = {order.client_order_id or f"venue{order.order_id}" for order in venue.open_orders(ACCOUNT)}
        found += [f"order {name}" for name in orders ^ set(ours.orders)]
        for row in venue.positions(ACCOUNT):
            listed = self.session.instrument(row.instrument_id)
            held = portfolio.net_position(ACCOUNT, row.instrument_id, row.position_side)
            if listed.product.is_derivative and (held.quantity if held is not None else 0) != row.quantity:
                found.append(f"position {row.instrument_id}")
        totals = {asset: total for asset, (total, _) in venue.balances(ACCOUNT).items()}
        for asset in sorted(totals.keys() | ours.balances.keys()):
            if abs(totals.get(asset, Decimal(0)) - ours.balances.get(asset, Decimal(0))) > ours.slack.get(
                asset, Decimal(0)
            ):
                found.append(f"balance {asset}: {ours.balances.get(asset)} and {totals.get(asset)}")
        return found
