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
    RequestFailed,
    TimerFired,
)
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.domain.errors import ConfigError
from foxtrot.storage.journal_records import DifferenceSettled, FillsWhole
from foxtrot.trading.difference import Comparison, plain
from foxtrot.trading.difference_book import CAUSE, DifferenceBook, OpenDifference
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.reconcile_account import AccountWatch
from foxtrot.trading.reconcile_acts import ReconcileActs
from foxtrot.trading.reconcile_asking import Asking
from foxtrot.trading.reconcile_run import EVERYTHING, ORDERS, Run
from foxtrot.trading.reconcile_runs import OWNER, ReconcileRuns
from foxtrot.trading.reconcile_settings import ReconcileSettings

NOT_YET = "not reconciled yet"
KEEP_NS = 300_000_000_000
"""So much later fills must be whole than the journal says, and that is written anew."""
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
        self._gate = gate
        self._journal = journal
        self._settings = settings
        self._asking = Asking(desk, portfolio, Comparison(desk, portfolio), dispatcher.clock)
        self._acts = ReconcileActs(dispatcher, dispatcher.clock, desk, portfolio, journal)
        self._book = DifferenceBook(dispatcher, dispatcher.clock, gate)
        self._accounts: dict[str, AccountWatch] = {}
        self._runs = ReconcileRuns(dispatcher, self._accounts, self._asking, self._acts, self._book)
        self._runs.on_end = self._end
        self._subscribe(dispatcher)

    def _subscribe(self, dispatcher: Dispatcher) -> None:
        dispatcher.subscribe(AdapterStatus, self._on_status, owner=OWNER, core=True)
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
            self._asking.begin(account, self._journal.decisions.fills_whole.get(account.name))

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
                plain(finding.ours), plain(finding.venue), command.who, command.why,
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
            self._runs.drop(account)
            account.run = self._asking.of_login(account)
        elif status.state is AdapterState.READY:
            self._ready(account)
        elif status.state in _GONE and (account.linked or status.state is AdapterState.FAILED):
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
        self._runs.start(account, run)

    def _lost(self, account: AccountWatch) -> None:
        self._runs.drop(account)
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
            goes_on = command.again and account.run is not None and account.run.cause == command.cause
            if account.linked and command.account in ("", account.name) and not goes_on:
                self._runs.start(account, Run(account.name, command.cause, EVERYTHING))

    def _on_timer(self, timer: TimerFired) -> None:
        what, _, name = timer.name.partition("|")
        account = self._accounts[name]
        if timer.timer_id == account.tick and account.linked and account.run is None:
            self._look_regularly(account)
        if timer.timer_id != account.timer:
            return
        if what == "deadline" and account.run is not None:
            self._runs.time_is_over(account, account.run)
        elif what == "again":
            self._runs.start(account, account.run or Run(name, "another attempt", EVERYTHING))

    def _look_regularly(self, account: AccountWatch) -> None:
        if account.waits():
            return
        whole = self._clock.monotonic_ns() - account.checked_ns >= int(self._settings.positions_s * 1e9)
        self._runs.start(account, Run(account.name, "regular", EVERYTHING if whole else ORDERS))

    def _end(self, account: AccountWatch, run: Run, error: str) -> None:
        """Let an account trade after a whole run; one that trading waits for and that could not be completed is tried again."""
        if error and not account.reconciled:
            self._shut(account, f"{NOT_YET}: {error}")
            self._runs.set_timer(account, "again", int(account.next_retry_s() * 1e9))
        elif run.is_whole and not error:
            account.checked_ns = self._clock.monotonic_ns()
            account.retries = 0
            self._keep_cursor(account)
            self._open(account)
        if not run.is_whole and not error:
            return  # the orders alone were looked at: who waits for the account to be reconciled must not take it for that
        count = self._book.count(account.name)
        self._sink.put(AccountReconciled(account.name, run.cause, count, error, self._clock.now_ns()))

    def _keep_cursor(self, account: AccountWatch) -> None:
        """Write down, now and then, up to when an account's fills are whole: the next start asks for those since then."""
        kept_ns = self._journal.decisions.fills_whole.get(account.name, 0)
        if account.cursor_ns - kept_ns >= KEEP_NS and self._journal.keeps_reports:
            self._journal.append(FillsWhole(self._clock.now_ns(), account.name, account.cursor_ns))

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

    def _on_settle(self, command: SettleDifference) -> None:
        try:
            self.settle(command)
        except ConfigError as error:
            what = f"settling difference {command.difference_id}"
            self._sink.put(RequestFailed("", what, str(error), self._clock.now_ns()))
