"""MainEngine: builds the platform, starts it upward and stops it downward."""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.config import Config
from foxtrot.app.config_places import placed
from foxtrot.app.desktop_wishes import LinkRenewals
from foxtrot.app.engine_questions import ASKERS, EngineQuestions
from foxtrot.app.event_log import EventLog
from foxtrot.app.final_audit import FinalAudit, accounts_that_trade
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.part_halts import PartHalts
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.saved_variables import SavedVariables
from foxtrot.app.secret_store import open_store
from foxtrot.app.shutdown import StopReport, Summary, summarise
from foxtrot.app.strategy_starts import StrategyStarts
from foxtrot.app.strategy_stops import stop_strategies
from foxtrot.app.surroundings import Surroundings
from foxtrot.app.venue_connections import VenueConnections
from foxtrot.core.clock import Clock
from foxtrot.core.commands import BeginStop
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, HandlerFailed, StrategyStatus
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.sessions import market_silence_counts
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.strategy.loader import load_strategy
from foxtrot.trading.audit import Difference

STOP_DEADLINE_S = 30.0
SWITCH_INTERVAL_S = 0.0005
"""How long the interpreter lets one thread run while another waits: a tenth of the default, measured to cut the tail 7x."""
T = TypeVar("T")


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
        self.halt_file = HaltFile(home)
        self.resumed = threading.Event()  # set for whoever removes the halt file: the engine waits for no disk
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
        around.built(self.line)

    def _build(self, environment: Mapping[str, str], around: Surroundings) -> None:
        dispatcher = self.events.dispatcher
        rule, listed = self.config.alerts.rule(), self.line.instruments
        self.connections = VenueConnections(
            self.line.adapters, self.events, self.clock, rule,
            lambda name, ns: market_silence_counts(listed.get(name), ns),
        )  # fmt: skip
        self._starts = StrategyStarts(self.line, self.failures)
        EventLog(dispatcher)
        PartHalts(self.line)
        LinkRenewals(self.line)
        self.questions = EngineQuestions(self.events)
        self._final_audit = FinalAudit(self.line, self.events, self.questions)
        self._subscribe(dispatcher)
        self.line.kill.on_reopened = self.resumed.set
        for adapter in around.adapters:
            self.line.add_adapter(adapter)
        if not around.adapters:
            self._make_adapters(environment)
        self._make_strategies()

    def _subscribe(self, dispatcher: Dispatcher) -> None:
        dispatcher.subscribe(BeginStop, self._on_begin_stop, owner="main_engine", core=True)
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
        self._around.starting()
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
                stop_strategies(self.line, self.events, self.questions, self.clock, part_s)
                differences = self._final_audit.differences(part_s)
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
        trade = accounts_that_trade(self.line.adapters)
        prices_only = tuple(name for name in self.line.adapters if name not in trade)
        self._report = StopReport(last, differences, stopped.left, late, tuple(self.failures), health, prices_only)
        return self._report

    def ask(self, function: Callable[[], T], deadline_s: float = 5.0) -> T:
        """Call a function on the engine's thread and return its result; the way for other threads to read trading state.

        Blocks: at most `deadline_s`.

        Raises:
            EngineStuck: the engine did not come to it in time.
            FoxtrotError: whatever the function raised.
        """
        return self.questions.ask(function, deadline_s)

    @property
    def recording(self) -> dict[str, object]:
        """Return what became of the recording of this run; nothing when there is none."""
        return self._around.told()

    def put(self, event: object) -> None:
        """Put a command from any thread."""
        self.events.put(event)

    def kill(self, reason: str, who: str = "") -> str:
        """Throw the kill switch: close gate and send permit at once, from any thread, without a queue; it outlives a restart.

        The halt file is written too, so that it does so even where the engine comes to nothing any more; returns why it could not be.

        Blocks: for the disk, when the gate is closed.
        """
        self.line.gate.close(reason, who, lasting=True, killed=True)
        try:
            halt = Halt(reason, who, self.clock.now_ns())
            self.halt_file.write(halt, durable=False)  # cancels wait for this, and the journal outlives a power cut
        except ConfigError as error:
            self.failures.append(f"kill: {error}")
            return str(error)
        return ""

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

    def _on_begin_stop(self, _command: BeginStop) -> None:
        self._stopping = True

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
        if failure.owner != ASKERS:  # what a question raises is the asker's alone
            self.failures.append(f"{failure.owner}: {failure.handler} on {failure.event_class}: {failure.error}")

    def _on_strategy_status(self, status: StrategyStatus) -> None:
        if status.state == "running":
            self.ran.add(status.strategy_id)
        elif status.state == "failed" and not any(status.reason in text for text in self.failures):
            self.failures.append(f"{status.strategy_id}: {status.reason}")
