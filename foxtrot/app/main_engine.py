"""MainEngine: builds the platform, starts it upward and stops it downward."""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.config import Config
from foxtrot.app.config_places import placed
from foxtrot.app.event_log import EventLog
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.part_halts import PartHalts
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.saved_variables import SavedVariables
from foxtrot.app.secret_store import open_store
from foxtrot.app.shutdown import StopReport, Summary, summarise
from foxtrot.app.strategy_starts import StrategyStarts
from foxtrot.app.surroundings import Surroundings
from foxtrot.app.venue_connections import VenueConnections
from foxtrot.core.clock import Clock
from foxtrot.core.commands import AuditAccounts, BeginStop, StopStrategy
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, HandlerFailed, StrategyStatus
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.order import TradeData
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.strategy.loader import load_strategy
from foxtrot.trading.audit import Audit, AuditFinished, Difference

ASKERS = "main_engine.ask"
STOP_DEADLINE_S = 30.0
SWITCH_INTERVAL_S = 0.0005
"""How long the interpreter lets one thread run while another waits: a tenth of the default, measured to cut the tail 7x."""
T = TypeVar("T")


class Call:
    """Something to do on the engine's thread, and where its result or its exception goes.

    Thread: made by any, run by foxtrot-engine.
    """

    __slots__ = ("answer", "function")

    def __init__(self, function: Callable[[], object], answer: "Future[object]") -> None:
        self.function = function
        self.answer = answer


class MainEngine:
    """Every part of a platform, made from one configuration.

    Thread: made, started and stopped by the main thread; `ask` and `put` from any.

    Args:
        config: what there is.
        home: where state lives.
        clock: tells the time.
        journal: what an earlier run left, and where this one writes; None forgets everything at the end.
        environment: where secrets are found.
        around: what else it is built among; its clock is then the one that counts.
    """

    def __init__(
        self,
        config: Config,
        home: Path,
        clock: Clock | None = None,
        journal: PlatformJournal | None = None,
        environment: Mapping[str, str] = os.environ,
        around: Surroundings | None = None,
    ) -> None:
        self.config = config
        self.home = home
        self._around = around = around or Surroundings(clock)
        self.clock = around.clock
        self.run_id = around.run_id
        self.permit = around.permit
        self.events = around.events
        self.failures: list[str] = []
        self.ran: set[str] = set()
        self.all_ready = threading.Event()
        self._started = False
        self._stopping = False
        self._report: StopReport | None = None
        self._journal = journal
        dispatcher = self.events.dispatcher
        self.variables = SavedVariables(around.variables(home), tuple(config.strategies))
        make, restored = around.journal(self._make_journal), around.restored(journal.restored if journal else None)
        settings = self._line_settings()
        self.line = Line(dispatcher, around.gate_permit, settings, dispatcher, make, self.variables, restored)
        with ExitStack() as undone:
            undone.callback(self.line.journal.close)  # it has a thread already, and what follows may be refused
            self._build(environment, around)
            undone.pop_all()

    def _build(self, environment: Mapping[str, str], around: Surroundings) -> None:
        dispatcher = self.events.dispatcher
        self.connections = VenueConnections(self.line.adapters, self.events, self.clock, self.config.alerts.rule())
        self._starts = StrategyStarts(self.line, self.failures)
        EventLog(dispatcher)
        PartHalts(self.line)
        self._auditor = Audit(dispatcher, self.line.desk, self.line.portfolio)
        self._finished = _Finished(())
        self._fills_heard: set[str] = set()
        self._asked: Call | None = None
        self._subscribe(dispatcher)
        self.line.kill.before_resuming = HaltFile(self.home).remove
        for adapter in around.adapters:
            self.line.add_adapter(adapter)
        if not around.adapters:
            self._make_adapters(environment)
        self._make_strategies()

    def _subscribe(self, dispatcher: Dispatcher) -> None:
        dispatcher.subscribe(BeginStop, self._on_begin_stop, owner="main_engine", core=True)
        dispatcher.subscribe(AuditAccounts, self._on_audit_accounts, owner="main_engine", core=True)
        dispatcher.subscribe(AuditFinished, self._on_audit_finished, owner="main_engine")
        dispatcher.subscribe(TradeData, self._on_trade, owner="main_engine")
        dispatcher.subscribe(Call, self._on_call, owner=ASKERS)
        dispatcher.subscribe(AdapterStatus, self._on_adapter_status, owner="main_engine", core=True)
        dispatcher.subscribe(AccountReconciled, self._on_account_reconciled, owner="main_engine", core=True)
        dispatcher.subscribe(StrategyStatus, self._on_strategy_status, owner="main_engine", core=True)
        dispatcher.subscribe(HandlerFailed, self._on_handler_failed, owner="main_engine", core=True)

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine, connect every account; each strategy starts when its account is ready."""
        if self._started:
            raise FoxtrotError("the platform was started before; make a new one")
        self._started = True
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.prepare()
        self._around.begin(self.config, self.home, self.line)
        if self._journal is not None:
            self._journal.note_start(self.line, self.config, self.run_id)
        self.events.start()
        self.connections.start()

    def prepare(self) -> None:
        """Do what must stand before the first event; part of a start, and all of it that a replay needs."""
        self.line.start_housekeeping()

    def stop(self, deadline_s: float = STOP_DEADLINE_S) -> StopReport:
        """Stop downward: strategies, audit, adapters, engine, journal. The second call returns the first one's report.

        Every step ends as soon as it is done. One that overruns its part of the deadline is named in the report, and the
        steps after it are taken all the same.

        Blocks: at most about `deadline_s`.
        """
        if self._report is not None:
            return self._report
        part_s = deadline_s / 5
        differences: dict[str, tuple[Difference, ...]] = {}
        summary: Summary | None = None
        self._stopping = not self.events.running  # or the engine's thread says so when it comes to it
        if self.events.running:
            try:
                self.events.put(BeginStop())
                self._stop_strategies(part_s)
                differences = self._audit(part_s)
                summary = self.ask(lambda: summarise(self.line), part_s)
            except FoxtrotError as error:
                self.failures.append(f"stop: {error}")
        health = self.connections.health()
        overran = self.connections.close(part_s)
        stopped = self.events.stop(part_s)
        if self._journal is not None and not stopped.overran:
            self._journal.note_end(self.line, self.run_id)
        self.line.journal.close()
        try:
            self.variables.write()
        except ConfigError as error:  # the summary is worth more than the variables
            self.failures.append(str(error))
        recorder = self._around.end(sum(stopped.left.values()))
        late = tuple(name for name in (*overran, stopped.overran, recorder) if name)
        last = summary or summarise(self.line)
        self._report = StopReport(
            last, differences, stopped.left, late, tuple(self.failures), health, self._accounts(trading=False)
        )
        return self._report

    def ask(self, function: Callable[[], T], deadline_s: float = 5.0) -> T:
        """Call a function on the engine's thread and return its result; the way for other threads to read trading state.

        Blocks: at most `deadline_s`.

        Raises:
            FoxtrotError: the engine did not come to it in time.
        """
        answer: Future[object] = Future()
        self.events.put(Call(function, answer))
        try:
            return answer.result(deadline_s)  # type: ignore[return-value]
        except FutureTimeout:
            raise FoxtrotError(f"{self.events.name} did not answer within {deadline_s} s") from None

    @property
    def recording(self) -> dict[str, object]:
        """Return what became of the recording of this run; nothing when there is none."""
        return self._around.told()

    def put(self, event: object) -> None:
        """Put a command from any thread."""
        self.events.put(event)

    def kill(self, reason: str, who: str = "") -> None:
        """Throw the kill switch: close gate and send permit at once, from any thread, without a queue; it outlives a restart.

        The halt file is written too, so that it does so even where the engine comes to nothing any more.

        Blocks: for the disk, when the gate is closed.
        """
        self.line.gate.close(reason, who, lasting=True, killed=True)
        try:
            halt = Halt(reason, who, self.clock.now_ns())
            HaltFile(self.home).write(halt, durable=False)  # cancels wait for this, and the journal outlives a power cut
        except ConfigError as error:
            self.failures.append(f"kill: {error}")

    # --- building ---------------------------------------------------------------------------------------------------

    def _line_settings(self) -> LineSettings:
        config = self.config
        return LineSettings(
            run_id=self.run_id,
            base_currency=config.platform.base_currency,
            timezone=config.platform.timezone,
            day_start=config.platform.day_start,
            limits=config.limit_table(),
            pairs=dict(config.rates),
            modes={name: account.position_mode for name, account in config.accounts.items()},
            reconcile=config.reconcile.settings(),
        )

    def _make_journal(self, dispatcher: Dispatcher) -> Journal:
        return InMemoryJournal(dispatcher) if self._journal is None else self._journal.begin(self.events)

    def _make_adapters(self, environment: Mapping[str, str]) -> None:
        if not self.config.accounts:
            raise ConfigError("no account is configured; add an [account.NAME] table")
        made = AccountAdapters(
            self.config, self.events, self.permit, self.clock, environment, open_store(self.home, environment)
        )
        made.home = self.home
        for name in self.config.accounts:
            since_ns = self._journal.fills_since_ns(name) if self._journal is not None else 0
            self.line.add_adapter(made.make(name, since_ns))

    def _make_strategies(self) -> None:
        folder = self.config.strategies_dir(self.home)
        for settings in self.config.strategy_settings():
            table, key = ("strategy", settings.strategy_id), "class"
            try:
                found = load_strategy(settings.class_name, folder if folder.is_dir() else None)
                key = ""
                self.line.strategies.add(settings, found)
            except ConfigError as error:
                raise placed(self.config, table, error, key) from error

    # --- on the engine's thread -------------------------------------------------------------------------------------

    def _on_call(self, call: Call) -> None:
        self._asked = call
        try:
            call.answer.set_result(call.function())
        except FoxtrotError as error:
            call.answer.set_exception(error)

    def _on_begin_stop(self, _command: BeginStop) -> None:
        self._stopping = True

    def _on_audit_accounts(self, command: AuditAccounts) -> None:
        for account in command.accounts:
            self._auditor.start(account, deadline_ns=command.deadline_ns)

    def _on_adapter_status(self, status: AdapterStatus) -> None:
        if self._stopping:  # whoever is ready only now comes too late: nothing would stop what it starts
            return
        self._starts.hear(status)
        self._note_ready()

    def _on_account_reconciled(self, notice: AccountReconciled) -> None:
        if not self._stopping:
            self._starts.hear_reconciled(notice)
            self._note_ready()

    def _note_ready(self) -> None:
        if self._starts.all_ready:
            self.all_ready.set()

    def _on_handler_failed(self, failure: HandlerFailed) -> None:
        if failure.owner == ASKERS:  # what a question raises is the asker's alone: the next one is heard
            self.line.dispatcher.resume(ASKERS)
            if self._asked is not None:
                self._asked.answer.set_exception(FoxtrotError(failure.error))
            return
        self.failures.append(f"{failure.owner}: {failure.handler} on {failure.event_class}: {failure.error}")

    def _on_strategy_status(self, status: StrategyStatus) -> None:
        if status.state == "running":
            self.ran.add(status.strategy_id)
        elif status.state == "failed" and not any(status.reason in text for text in self.failures):
            self.failures.append(f"{status.strategy_id}: {status.reason}")

    # --- stopping ---------------------------------------------------------------------------------------------------

    def _stop_strategies(self, deadline_s: float) -> None:
        for strategy_id in self.line.strategies.hosts:
            self.events.put(StopStrategy(strategy_id, "on_shutdown"))
        quiet = threading.Event()
        line = self.line

        def look(_event: object = None) -> None:
            waiting = [r for r in line.desk.open_records() if r.cancel_asked or r.terms.order_type == "market"]
            settled = all(str(host.stage) != "running" for host in line.strategies.hosts.values())
            if settled and not waiting and not line.strategies.leaving:
                quiet.set()

        until_ns = self.clock.monotonic_ns() + int(deadline_s * 1e9)
        while not quiet.wait(0.02) and self.clock.monotonic_ns() < until_ns:
            self.ask(look, deadline_s)

    def _audit(self, deadline_s: float) -> dict[str, tuple[Difference, ...]]:
        """Ask every venue what it has and compare it with what desk and portfolio built from events alone.

        An order that still rests may trade between question and answer. So an account that differs is asked once more; a fill
        that differed at first is forgiven only if it has come as an event since. Where an adapter gives prices only there is
        no account to ask, and nothing differs.
        """
        first = dict.fromkeys(self.line.adapters, ()) | self._audit_once(self._accounts(trading=True), deadline_s)
        again = tuple(name for name, found in first.items() if found)
        if not again or not self.ask(lambda: self.line.desk.open_count, deadline_s):
            return first
        second = self._audit_once(again, deadline_s)
        seen = self.ask(lambda: frozenset(self._fills_heard), deadline_s)
        for name in again:
            lost = tuple(item for item in first[name] if item.kind == "fill" and item.subject not in seen)
            first[name] = (*lost, *second.get(name, first[name]))
        return first

    def _accounts(self, *, trading: bool) -> tuple[str, ...]:
        return tuple(name for name, adapter in self.line.adapters.items() if adapter.trades is trading)

    def _audit_once(self, accounts: tuple[str, ...], deadline_s: float) -> dict[str, tuple[Difference, ...]]:
        self._finished = finished = _Finished(accounts)
        self.events.put(AuditAccounts(accounts, int(deadline_s * 1e9)))
        finished.done.wait(deadline_s * 1.5)
        return {account: finished.differences(account) for account in accounts}

    def _on_audit_finished(self, audit: AuditFinished) -> None:
        self._finished.take(audit)

    def _on_trade(self, trade: TradeData) -> None:
        self._fills_heard.add(f"{trade.trade_id} of {trade.order_id} in {trade.instrument_id}")


class _Finished:
    """The audits of one round, as they end.

    Thread: `take`, foxtrot-engine; `done` is waited for by main.
    """

    def __init__(self, accounts: tuple[str, ...]) -> None:
        self.audits: dict[str, AuditFinished] = {}
        self.done = threading.Event()
        self._accounts = set(accounts)
        if not accounts:
            self.done.set()

    def take(self, audit: AuditFinished) -> None:
        """Keep the result of one account."""
        self.audits[audit.account] = audit
        if self.audits.keys() >= self._accounts:
            self.done.set()

    def differences(self, account: str) -> tuple[Difference, ...]:
        """Return what differs in an account; an audit that did not come to an end is a difference itself."""
        audit = self.audits.get(account)
        if audit is None or audit.error:
            reason = audit.error if audit is not None else "no answer in time"
            return (Difference("audit", account, "answer", "asked", reason),)
        return audit.differences
