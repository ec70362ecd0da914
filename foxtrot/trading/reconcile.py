"""Reconciliation: at a start, after every loss and all the time in between, what we hold is held against what venues tell.

Orders: one of ours that the venue's list lacks is asked for singly and ended when the venue knows nothing of it. Fills that we
lack are booked by the desk. Positions and balances that fills do not explain are adjusted by name, or halt their instrument.
"""

from collections.abc import Iterable

from foxtrot.adapter.base_adapter import BaseAdapter, EventSink
from foxtrot.core.commands import ReconcileNow, SettleDifference
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    AccountReconciled,
    AdapterStatus,
    OpenOrdersLoaded,
    OrderMissing,
    PositionsLoaded,
    RequestFailed,
    TimerFired,
    TradeBooked,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.storage.journal_records import DifferenceSettled
from foxtrot.trading.difference import BALANCE, Comparison, Finding
from foxtrot.trading.difference_book import CAUSE, DifferenceBook, OpenDifference
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.reconcile_account import AccountWatch
from foxtrot.trading.reconcile_acts import ReconcileActs
from foxtrot.trading.reconcile_asking import Asking
from foxtrot.trading.reconcile_run import EVERYTHING, LOOKS, ORDERS, Answer, Run
from foxtrot.trading.reconcile_settings import ReconcileSettings

OWNER = "reconcile"
DEADLINE_NS = 30_000_000_000
"""How long an account may take to answer one look."""
SETTLE_NS = 2_000_000_000
"""How long after one look the next follows: what a list has shown comes by the stream meanwhile."""
NOT_YET = "not reconciled yet"
_GONE = frozenset({AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.FAILED})


class Reconciler:
    """Runs reconciliations, one of an account at a time, and keeps an account's orders back until its first one is complete.

    It must hear after desk and portfolio: what an answer tells is merged before it is compared.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        desk: OrderDesk,
        portfolio: Portfolio,
        gate: Gate,
        journal: OrderJournal,
        settings: ReconcileSettings,
    ) -> None:
        self._dispatcher = dispatcher
        self._sink: EventSink = dispatcher
        self._clock = dispatcher.clock
        self._desk = desk
        self._gate = gate
        self._journal = journal
        self._settings = settings
        self._comparison = Comparison(desk, portfolio)
        self._asking = Asking(desk, portfolio, self._comparison)
        self._acts = ReconcileActs(dispatcher, dispatcher.clock, desk, portfolio, journal)
        self._book = DifferenceBook(dispatcher, dispatcher.clock, gate)
        self._accounts: dict[str, AccountWatch] = {}
        self._subscribe(dispatcher)

    def _subscribe(self, dispatcher: Dispatcher) -> None:
        dispatcher.subscribe(AdapterStatus, self._on_status, owner=OWNER, core=True)
        dispatcher.subscribe(OpenOrdersLoaded, self._on_orders, owner=OWNER, core=True)
        dispatcher.subscribe(TradesLoaded, self._on_trades, owner=OWNER, core=True)
        dispatcher.subscribe(PositionsLoaded, self._on_positions, owner=OWNER, core=True)
        dispatcher.subscribe(AccountData, self._on_account, owner=OWNER, core=True)
        dispatcher.subscribe(RequestFailed, self._on_request_failed, owner=OWNER, core=True)
        dispatcher.subscribe(OrderMissing, self._on_order_missing, owner=OWNER, core=True)
        dispatcher.subscribe(OrderData, self._on_order, owner=OWNER, core=True)
        dispatcher.subscribe(TradeData, self._on_trade, owner=OWNER, core=True)
        dispatcher.subscribe(TradeBooked, self._on_booked, owner=OWNER, core=True)
        dispatcher.subscribe(TimerFired, self._on_timer, owner=OWNER, key=OWNER, core=True)
        dispatcher.subscribe(ReconcileNow, self._on_reconcile_now, owner=OWNER, core=True)
        dispatcher.subscribe(SettleDifference, self._on_settle, owner=OWNER, core=True)

    # --- from outside -----------------------------------------------------------------------------------------------

    def watch(self, adapter: BaseAdapter) -> None:
        """Reconcile an account from now on, and let no order of it out before that is done; prices alone need none."""
        if adapter.trades:
            self._accounts[adapter.account] = AccountWatch(adapter)
            self._gate.block(adapter.account, "", GateState.HALTED, NOT_YET, CAUSE)

    def begin(self) -> None:
        """Take what was restored: each adapter is told from when on fills are to be told at the log-in; before any connects."""
        for account in self._accounts.values():
            self._asking.begin(account)

    def restore(self, settled: Iterable[DifferenceSettled]) -> None:
        """Take over what people have decided in earlier runs."""
        for record in settled:
            if record.decision == "ignore":
                self._book.ignore(record.difference_id, record.account)

    def differences(self) -> tuple[OpenDifference, ...]:
        """Return the differences that stand, oldest first."""
        return self._book.all()

    def is_reconciled(self, account: str) -> bool:
        """Tell whether an account was reconciled since its link stands, or needs not be."""
        watched = self._accounts.get(account)
        return watched is None or watched.reconciled

    def settle(self, command: SettleDifference) -> None:
        """Adopt or ignore a difference by a person's decision.

        Raises:
            ConfigError: there is no such difference, or no such decision.
        """
        found = self._book.get(command.difference_id)
        if found is None:
            known = ", ".join(one.difference_id for one in self._book.all()) or "none"
            raise ConfigError(f"there is no difference {command.difference_id}; there are: {known}")
        if command.decision not in ("adopt", "ignore"):
            raise ConfigError(f"a difference can be settled by adopt or ignore, not {command.decision!r}")
        finding = found.finding
        self._journal.append(
            DifferenceSettled(
                self._clock.now_ns(), found.difference_id, command.decision, finding.account, finding.subject,
                f"{finding.ours:f}", f"{finding.venue:f}", command.who, command.why,
            )
        )  # fmt: skip
        if command.decision == "adopt":
            self._acts.adopt(finding, command, self._accounts[finding.account].cursor_ns)
        self._book.ignore(found.difference_id, finding.account)

    # --- when -------------------------------------------------------------------------------------------------------

    def _on_status(self, status: AdapterStatus) -> None:
        account = self._accounts.get(status.account)
        if account is None:
            return
        if status.state is AdapterState.CONNECTED:
            self._drop(account)
            account.run = self._asking.of_login(account)
        elif status.state is AdapterState.READY:
            self._ready(account)
        elif status.state in _GONE:
            self._lost(account)
            why = f"{status.state}: {status.cause}" if status.cause else str(status.state)
            self._shut(account, f"not reconciled since the connection was {why}")
        elif status.state is AdapterState.CLOSED:
            self._lost(account)  # nothing can be sent by it any more

    def _ready(self, account: AccountWatch) -> None:
        """Begin the run that opens the account's trading, with what the log-in has told."""
        run = account.run or self._asking.of_login(account)
        run.cause = "reconnect" if account.started else "start"
        self._asking.end_login(account, run)
        account.linked = account.started = True
        self._start(account, run)

    def _lost(self, account: AccountWatch) -> None:
        self._drop(account)
        self._dispatcher.cancel_timer(account.tick)
        account.linked = False

    def _shut(self, account: AccountWatch, reason: str) -> None:
        account.reconciled = False
        if self._gate.blocked(account.name, "", CAUSE) != (GateState.HALTED, reason):
            self._gate.block(account.name, "", GateState.HALTED, reason, CAUSE)

    def _on_reconcile_now(self, command: ReconcileNow) -> None:
        if command.account and command.account not in self._accounts:
            known = ", ".join(self._accounts) or "none"
            error = f"there is no such account that trades; there are: {known}"
            self._sink.put(RequestFailed(command.account, "reconcile", error, self._clock.now_ns()))
        for account in self._accounts.values():
            if account.linked and command.account in ("", account.name):
                self._start(account, Run(account.name, command.cause, EVERYTHING))

    def _on_timer(self, timer: TimerFired) -> None:
        what, _, name = timer.name.partition("|")
        account = self._accounts[name]
        if timer.timer_id == account.tick and account.linked and account.run is None:
            self._look_regularly(account)
        if timer.timer_id != account.timer:
            return
        if what == "deadline" and account.run is not None:
            self._fail(account, account.run, f"no answer in time for {', '.join(account.run.waits_for)}")
        elif what == "again":
            self._start(account, account.run or Run(name, "another attempt", EVERYTHING))

    def _look_regularly(self, account: AccountWatch) -> None:
        if account.waits():
            return
        whole = self._clock.monotonic_ns() - account.checked_ns >= int(self._settings.positions_s * 1e9)
        self._start(account, Run(account.name, "regular", EVERYTHING if whole else ORDERS))

    # --- one run ----------------------------------------------------------------------------------------------------

    def _start(self, account: AccountWatch, run: Run) -> None:
        """Begin a run, or its next look; what ran before is given up."""
        if account.run is not run:
            self._drop(account)
        account.run = run
        self._set_timer(account, "deadline", DEADLINE_NS)
        self._go_on(account, run)

    def _drop(self, account: AccountWatch) -> None:
        self._dispatcher.cancel_timer(account.timer)
        account.run = None

    def _set_timer(self, account: AccountWatch, what: str, delay_ns: int) -> None:
        self._dispatcher.cancel_timer(account.timer)
        account.timer = self._dispatcher.set_timer(OWNER, f"{what}|{account.name}", delay_ns)

    def _go_on(self, account: AccountWatch, run: Run) -> None:
        if account.linked and self._asking.go_on(account, run):
            self._look(account, run)

    def _look(self, account: AccountWatch, run: Run) -> None:
        """Judge what has come, and act on what is sure."""
        for record in self._asking.forgotten(run):
            self._acts.forget(record)
        if not run.is_whole:
            self._finish(account, run)
            return
        findings = self._asking.findings(run)
        unsure = run.note(findings)
        if not unsure:
            self._act(account, findings)
            self._finish(account, run)
        elif run.looks < LOOKS:
            run.begin_look()
            self._set_timer(account, "again", SETTLE_NS)
        else:
            names = ", ".join(f"{finding.kind} of {finding.subject}" for finding in unsure)
            self._fail(account, run, f"it does not come to rest: {names}")

    def _act(self, account: AccountWatch, findings: list[Finding]) -> None:
        for finding in findings:
            if finding.kind == BALANCE:
                self._acts.take_outside(finding, account.cursor_ns)
        self._book.replace(account.name, [finding for finding in findings if finding.kind != BALANCE])

    def _finish(self, account: AccountWatch, run: Run) -> None:
        self._drop(account)
        if run.is_whole:
            account.checked_ns = self._clock.monotonic_ns()
            account.retries = 0
            self._open(account)
        self._tell(account, run, "")

    def _open(self, account: AccountWatch) -> None:
        """Let the account trade, and look at it regularly from now on."""
        if account.reconciled:
            return
        account.reconciled = True
        self._gate.block(account.name, "", GateState.ACTIVE, "reconciled", CAUSE)
        if self._settings.enabled:
            self._dispatcher.cancel_timer(account.tick)
            every_ns = int(min(self._settings.orders_s, self._settings.positions_s) * 1e9)
            account.tick = self._dispatcher.set_timer(OWNER, f"tick|{account.name}", every_ns, every_ns)

    def _fail(self, account: AccountWatch, run: Run, error: str) -> None:
        """End a run that could not be completed; one that trading waits for is tried again."""
        self._drop(account)
        if not account.reconciled:
            self._shut(account, f"{NOT_YET}: {error}")
            self._set_timer(account, "again", int(account.next_retry_s() * 1e9))
        self._tell(account, run, error)

    def _tell(self, account: AccountWatch, run: Run, error: str) -> None:
        count = self._book.count(account.name)
        self._sink.put(AccountReconciled(account.name, run.cause, count, error, self._clock.now_ns()))

    # --- what comes -------------------------------------------------------------------------------------------------

    def _on_orders(self, loaded: OpenOrdersLoaded) -> None:
        account = self._accounts.get(loaded.account)
        if account is not None and account.run is not None and account.run.singles:
            account.run.singles.clear()  # asked for singly, a venue that cannot be asked so has listed them all again
        self._take(loaded.account, "orders", loaded)

    def _on_trades(self, loaded: TradesLoaded) -> None:
        account = self._accounts.get(loaded.account)
        if account is not None:
            for trade in loaded.trades:
                account.note_fill(trade.venue_time_ns)
            if not account.linked or loaded.since_ns <= account.cursor_ns:  # else somebody else asked for fewer
                self._take(loaded.account, "trades", loaded)

    def _on_positions(self, loaded: PositionsLoaded) -> None:
        self._take(loaded.account, "positions", loaded)

    def _on_account(self, data: AccountData) -> None:
        self._take(data.account, "account", data)

    def _take(self, name: str, question: str, answer: Answer) -> None:
        account = self._accounts.get(name)
        if account is None or account.run is None:
            return
        taken = account.run.take(question, answer)
        if taken and question == "trades" and (account.linked or not account.started):
            account.note_listed(account.run.known_ns)
        if taken or account.run.singles == {}:
            self._go_on(account, account.run)

    def _on_order(self, order: OrderData) -> None:
        self._heard(order.account, order.order_id, order.instrument_id, missing=False)

    def _on_order_missing(self, missing: OrderMissing) -> None:
        self._heard(missing.account, missing.order_id, missing.instrument_id, missing=True)

    def _heard(self, name: str, order_id: str, instrument_id: str, *, missing: bool) -> None:
        """Note that an order was told, and go on if the run was waiting for it alone."""
        account = self._accounts.get(name)
        if account is None or account.run is None:
            return
        if account.run.hear(order_id, instrument_id, missing=missing):
            self._go_on(account, account.run)

    def _on_trade(self, trade: TradeData) -> None:
        account = self._accounts.get(trade.account)
        if account is not None:
            account.note_fill(trade.venue_time_ns)
            if account.run is not None:
                account.run.moved.update((trade.order_id, trade.instrument_id))

    def _on_booked(self, booked: TradeBooked) -> None:
        account = self._accounts.get(booked.trade.account)
        if account is not None and account.run is not None:
            account.run.moved.add(booked.trade.instrument_id)

    def _on_request_failed(self, failure: RequestFailed) -> None:
        account = self._accounts.get(failure.account)
        if account is None or account.run is None or not account.linked:
            return
        run = account.run
        if failure.what in run.waits_for:
            self._fail(account, run, f"the venue did not answer for {failure.what}: {failure.error}")

    def _on_settle(self, command: SettleDifference) -> None:
        try:
            self.settle(command)
        except ConfigError as error:
            what = f"settling difference {command.difference_id}"
            self._sink.put(RequestFailed("", what, str(error), self._clock.now_ns()))
