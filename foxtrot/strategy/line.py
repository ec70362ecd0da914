"""The middle of the line, built in one place: the same for live, paper, backtest and test.

Who hears first is decided here, by the order of these subscriptions: state, then strategies.
"""

from collections.abc import Callable

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter, EventSink
from foxtrot.core.commands import CancelAllOrders, CancelOrder, CloseGate, HoldEntries, ResumeTrading, SendOrder
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import ContractsLoaded, Gap, GateChanged, PositionsLoaded, TimerFired, VenueMessage
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountCharge, AccountData
from foxtrot.domain.enums import PositionMode
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.strategy.bar_feed import BarFeed
from foxtrot.strategy.engine import StrategyEngine
from foxtrot.strategy.flattening import Flattening
from foxtrot.strategy.manual_closing import ManualClosing
from foxtrot.strategy.manual_protection import ManualProtection
from foxtrot.strategy.market_wishes import MarketWishes
from foxtrot.strategy.order_replacing import OrderReplacing
from foxtrot.strategy.rolling import Rolling
from foxtrot.strategy.seat import TradingParts
from foxtrot.strategy.variables import VariableStore
from foxtrot.trading.gate import Gate
from foxtrot.trading.halted_strategies import HaltedStrategies
from foxtrot.trading.kill_switch import KillHandler
from foxtrot.trading.limits import LimitTable
from foxtrot.trading.locked_entries import LockedEntries
from foxtrot.trading.loss_lock import RULES, LossLocks
from foxtrot.trading.losses import LossTracker, TradingDay
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import OrderIds
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.rates import RateTable
from foxtrot.trading.reconcile import Reconciler
from foxtrot.trading.reconcile_settings import ReconcileSettings
from foxtrot.trading.restore import Restore
from foxtrot.trading.restored_state import RestoredState
from foxtrot.trading.risk import Risk
from foxtrot.trading.roll_watch import RollWatch

HOUSEKEEPING = "line"
HOUSEKEEPING_NS = 500_000_000


class LineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the middle of the line needs to know. `run_id` comes from trading.order_ids.make_run_id."""

    run_id: str
    base_currency: str = "USDT"
    timezone: str = "UTC"
    day_start: str = "00:00"
    limits: LimitTable = LimitTable()
    pairs: dict[str, str | float | int] = {}
    modes: dict[str, PositionMode] = {}
    reconcile: ReconcileSettings | None = None


class Line:
    """State, orders and strategies around one dispatcher.

    Thread: the dispatcher's; `gate.close` from any.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        permit: SendPermit,
        settings: LineSettings,
        sink: EventSink | None = None,
        make_journal: Callable[[Dispatcher], Journal] = InMemoryJournal,
        variables: VariableStore | None = None,
        restored: RestoredState | None = None,
    ) -> None:
        clock = dispatcher.clock
        self.dispatcher = dispatcher
        self.instruments = InstrumentTable()
        self.adapters: dict[str, BaseAdapter] = {}
        self._held_by: dict[str, str] = {}
        self.view = MarketView()
        self.rates = RateTable(self.view, self.instruments, clock, settings.pairs)
        self.portfolio = Portfolio(self.instruments, self.view, self.rates, settings.base_currency)
        self.gate = Gate(permit, sink or dispatcher, clock)
        self.desk = OrderDesk(dispatcher, self.instruments, self.portfolio, self.gate, OrderIds(settings.run_id))
        self._make_risk(settings)
        self.journal = make_journal(dispatcher)
        dispatcher.on_core_failure = self.gate.close
        self._subscribe_state(dispatcher)
        MarketWishes(dispatcher, self.adapters)
        self.desk.adapters = self.adapters
        self.notes = OrderJournal(self.journal, clock, self.instruments, self.view)
        self.desk.wire(dispatcher, self.risk, self.notes)
        self.gate.journal = self.notes
        self.restore = Restore(self.desk, self.portfolio)
        if restored is not None:
            self._put_back(restored)
        self.restore.watch(dispatcher)
        self.reconciler = self._make_reconciler(settings.reconcile, restored)
        self._make_strategies(settings, variables, restored)

    def _make_strategies(
        self, settings: LineSettings, variables: VariableStore | None, restored: RestoredState | None
    ) -> None:
        parts = TradingParts(self.dispatcher, self.desk, self.portfolio, self.view, self.adapters, settings.modes)
        parts.limits = settings.limits
        self.protections = parts.protections
        self.protections.gate = self.gate
        ManualProtection(parts)
        ManualClosing(parts)
        OrderReplacing(parts)
        self.bar_feed = BarFeed(self.dispatcher)
        self.strategies = StrategyEngine(parts, self.bar_feed, variables)
        self.roll_watch = RollWatch(self.dispatcher, self.portfolio, settings.limits)
        self.rolling = Rolling(parts, self.gate, self.strategies.listen)
        if restored is not None:
            self.protections.restore(restored.decisions.protections.values())
            self.rolling.restore(restored.decisions.rolls.values())
        self._make_kill(parts, restored)

    def _make_risk(self, settings: LineSettings) -> None:
        clock, day = self.dispatcher.clock, TradingDay(settings.timezone, settings.day_start)
        losses = self.losses = LossTracker(day)
        self.risk = Risk(clock, self.view, self.desk, self.portfolio, settings.limits, losses)
        self.loss_locks = LossLocks(clock, day, losses, self.gate, LockedEntries(self.dispatcher, self.desk))
        self.risk.loss_rules.locks = self.loss_locks

    def _make_kill(self, parts: TradingParts, restored: RestoredState | None) -> None:
        """Make what cancels entries and forbids new ones: the kill switch, the runaway throttle, the lock of a loss limit."""
        self.halted = HaltedStrategies(self.dispatcher.clock)
        if restored is not None:
            halted = restored.decisions.halted.values()
            self.halted.restore(record for record in halted if record.rule not in RULES)
            self.loss_locks.restore(restored.decisions.gate, halted)
            self.losses.restore(restored.decisions.losses.values())
        self.halted.journal = self.loss_locks.journal = self.losses.journal = self.notes
        self.kill = KillHandler(self.dispatcher, self.desk, self.gate, self.portfolio, self.halted)
        self.kill.flattener = Flattening(parts, self.gate, self.strategies)
        self.kill.on_resumed = self._on_resumed
        self.strategies.forbids = self._forbids
        self.strategies.on_disabled = self.halted.halt

    def _on_resumed(self, command: ResumeTrading) -> bool:
        if command.instrument_id:
            return False
        return self.loss_locks.resume(command.strategy_id, command.account, command.who, command.why)

    def add_adapter(self, adapter: BaseAdapter) -> None:
        """Let orders for an account go to an adapter."""
        self.adapters[adapter.account] = adapter
        if self.reconciler is not None:
            self.reconciler.watch(adapter)

    def start_housekeeping(self) -> None:
        """Look at the journal's deadline and at loss limits twice a second; a backtest does without."""
        self.dispatcher.set_timer(HOUSEKEEPING, "housekeeping", HOUSEKEEPING_NS, HOUSEKEEPING_NS)
        if self.reconciler is not None:
            self.reconciler.begin()

    def _forbids(self, strategy_id: str) -> str:
        """Return why a strategy may not start, "" when it may."""
        killed = self.gate.killed
        if killed is not None:
            return f"killed by {killed.who} ({killed.reason}); `foxtrot resume` lets it start"
        held = [move.reason for move in self.gate.blocks() if not move.account and move.who in self._held_by]
        if held:
            return f"{held[0]}; it starts then"
        why = self.halted.why(strategy_id)
        return f"{why}; `foxtrot resume --strategy {strategy_id}` re-arms it" if why else ""

    def _put_back(self, restored: RestoredState) -> None:
        """Put what an earlier run left into desk, portfolio and gate."""
        self.notes.decisions = restored.decisions
        self.restore.put(restored)
        self.gate.restore(restored.decisions.gate)

    def _make_reconciler(self, settings: ReconcileSettings | None, restored: RestoredState | None) -> Reconciler | None:
        """Return what keeps accounts true to their venues; a backtest, whose venue tells everything at once, has none."""
        if settings is None:
            return None
        made = Reconciler(self.dispatcher, self.desk, self.portfolio, self.gate, self.notes, settings)
        if restored is not None:
            made.restore(restored.decisions.settled.values())
        return made

    def _subscribe_state(self, dispatcher: Dispatcher) -> None:
        self.view.subscribe(dispatcher)
        dispatcher.subscribe(ContractsLoaded, self._on_contracts, owner="instruments", core=True)
        dispatcher.subscribe(AccountData, self._on_account, owner="portfolio", core=True)
        dispatcher.subscribe(PositionsLoaded, self._on_positions, owner="portfolio", core=True)
        dispatcher.subscribe(VenueMessage, self._on_venue_message, owner="order_desk", core=True)
        dispatcher.subscribe(AccountCharge, self._on_charge, owner="portfolio", core=True)
        dispatcher.subscribe(SendOrder, self._on_send_order, owner="order_desk", core=True)
        dispatcher.subscribe(CancelOrder, self._on_cancel_order, owner="order_desk", core=True)
        dispatcher.subscribe(CancelAllOrders, self._on_cancel_all, owner="order_desk", core=True)
        dispatcher.subscribe(CloseGate, self._on_close_gate, owner="gate", core=True)
        dispatcher.subscribe(HoldEntries, self._on_hold_entries, owner="gate", core=True)
        dispatcher.subscribe(GateChanged, self.gate.keep_moves, owner="gate", core=True)
        dispatcher.subscribe(Gap, self._on_gap, owner="market_view", core=True)
        dispatcher.subscribe(TimerFired, self._on_timer, owner=HOUSEKEEPING, key=HOUSEKEEPING, core=True)

    def _on_contracts(self, loaded: ContractsLoaded) -> None:
        for instrument in loaded.instruments:
            self.instruments.add(instrument)

    def _on_account(self, data: AccountData) -> None:
        if self.portfolio.on_account(data):
            self.notes.balances_found(data)

    def _on_positions(self, loaded: PositionsLoaded) -> None:
        if self.portfolio.on_positions(loaded):
            self.notes.positions_found(loaded)

    def _on_charge(self, charge: AccountCharge) -> None:
        if self.portfolio.on_charge(charge):
            self.notes.charge(charge)

    def _on_venue_message(self, message: VenueMessage) -> None:
        self.notes.venue_said(message)

    def _on_send_order(self, command: SendOrder) -> None:
        self.desk.submit(command.request, command.owner)

    def _on_cancel_order(self, command: CancelOrder) -> None:
        self.desk.cancel(command.order_id)

    def _on_cancel_all(self, command: CancelAllOrders) -> None:
        self.desk.cancel_all(command.owner)

    def _on_close_gate(self, command: CloseGate) -> None:
        self.gate.close(command.reason)
        self.gate.keep_moves()

    def _on_hold_entries(self, command: HoldEntries) -> None:
        """Hold entries, and strategies that would start: their first order would be refused."""
        if command.reason:
            self._held_by[command.who] = command.reason
            self.gate.reduce_only(command.reason, command.who)
        else:
            self._held_by.pop(command.who, None)
            self.gate.withdraw(command.who, "entries pass again")
        self.gate.keep_moves()

    def _on_gap(self, gap: Gap) -> None:
        if gap.event_class == "DepthChange":
            for adapter in self.adapters.values():
                adapter.request_snapshot(gap.instrument_id)

    def _on_timer(self, _timer: TimerFired) -> None:
        self.desk.journal_wait.check()
        self.desk.amends.check()
        self.roll_watch.look()
        self.risk.mark_losses()
