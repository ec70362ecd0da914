"""The simulated venue's session: one embedded venue, entered by all its accounts, with a thread of its own or in line.

With a thread (`simulated-io`), everything that touches the venue is a job in its inbox. In line, a job runs when it is
submitted, or, with a latency, when `run_due` says so: that is how a backtest does it.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from queue import Empty, SimpleQueue

from loguru import logger

from foxtrot.core.clock import Clock
from foxtrot.core.heartbeat import SILENT_S, Part
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AdvanceTime, VenueCommand
from foxtrot.exchange.events import InstrumentAdded, TradePrinted, VenueEvent
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue

THREAD_NAME = "simulated-io"
Job = Callable[[], None]
Listener = Callable[[VenueEvent], None]
Populace = Callable[[int], tuple[VenueCommand, ...]]
"""What other traders do at a moment (UTC ns): commands to execute."""
STEP_NS = 20_000_000
NEVER_NS = 1 << 62


class SimulatedSession:
    """Owns the venue, its thread and the routing of its events.

    Thread: made by the platform; `submit` from any; the venue is touched on simulated-io only (in line: by the caller).
        What is submitted while no account is in waits for the first one to enter.
    """

    def __init__(self, clock: Clock, *, threaded: bool, latency_ns: int = 0, step_ns: int = STEP_NS) -> None:
        self.clock = clock
        self.venue = Venue(self._hear)
        self.threaded = threaded
        self.latency_ns = latency_ns
        self.populace: list[Populace] = []
        self.traders: dict[str, str] = {}
        self.after_step: list[Job] = []
        self._step_ns = step_ns
        self._listeners: dict[str, Listener] = {}
        self._printers: dict[str, list[Callable[[TradePrinted], None]]] = {}
        self._inbox: SimpleQueue[Job | None] = SimpleQueue()
        self._due: list[tuple[int, int, Job]] = []
        self._sequence = 0
        self._life = threading.RLock()  # guards users, the thread and which inbox is the present one
        self._thread: threading.Thread | None = None
        self._beat_ns = clock.monotonic_ns()
        self._last_thread: threading.Thread | None = None
        self._users: set[str] = set()
        self._instruments: dict[str, Instrument] = {}
        self.observers: tuple[Callable[[VenueEvent], None], ...] = ()

    # --- life -------------------------------------------------------------------------------------------------------

    def enter(self, account: str) -> None:
        """Begin to use the session; the first account starts its thread."""
        with self._life:
            self._users.add(account)
            if self.threaded and self._thread is None:
                arguments = (self._inbox, self._last_thread)
                self._thread = threading.Thread(target=self._run, args=arguments, name=THREAD_NAME, daemon=True)
                self._beat_ns = self.clock.monotonic_ns()
                self._thread.start()

    def leave(self, account: str, deadline_s: float) -> str:
        """Stop using the session; the last account ends its thread. Returns a thread that overran, or "".

        Blocks: at most `deadline_s`, for the jobs in the inbox.
        """
        with self._life:
            self._users.discard(account)
            if self._users or self._thread is None:
                return ""
            thread, self._last_thread, self._thread = self._thread, self._thread, None
            inbox, self._inbox = self._inbox, SimpleQueue()
            inbox.put(None)
        if thread is threading.current_thread():
            return ""
        thread.join(deadline_s)
        return thread.name if thread.is_alive() else ""

    def parts(self, account: str) -> tuple[Part, ...]:
        """Return the thread as a part that serves an account; in line there is none."""
        if not self.threaded:
            return ()
        silent_s = SILENT_S + self._step_ns / 1e9
        return (
            Part(
                name=f"{THREAD_NAME} of {account}",
                serves=account,
                death=self._death,
                beat_ns=lambda: self._beat_ns if self._thread is not None else None,
                silent_s=silent_s,
                thread=lambda: self._thread.ident if self._thread is not None else None,
            ),
        )

    def _death(self) -> str:
        thread = self._thread
        return "" if thread is None or thread.is_alive() else "its thread has ended"

    @property
    def is_own_thread(self) -> bool:
        """Tell whether the caller may touch the venue but must not wait for the session."""
        return not self.threaded or threading.current_thread() is self._thread

    def listen(self, account: str, listener: Listener) -> None:
        """Send the events of an account to a listener, on the session's thread."""
        self._listeners[account] = listener

    def unlisten(self, account: str, listener: Listener) -> None:
        """Stop sending the events of an account to a listener; another one's stay."""
        if self._listeners.get(account) == listener:
            del self._listeners[account]

    def listen_prints(self, instrument_id: str, listener: Callable[[TradePrinted], None]) -> None:
        """Send the public trades of an instrument to a listener, on the session's thread."""
        listeners = self._printers.setdefault(instrument_id, [])
        if listener not in listeners:
            listeners.append(listener)

    def unlisten_prints(self, instrument_id: str, listener: Callable[[TradePrinted], None]) -> None:
        """Stop sending public trades to a listener."""
        listeners = self._printers.get(instrument_id, [])
        if listener in listeners:
            listeners.remove(listener)

    def do_after_step(self, job: Job) -> None:
        """Run a job after each step of the venue, once however often it is asked for."""
        if job not in self.after_step:
            self.after_step.append(job)

    def stop_after_step(self, job: Job) -> None:
        """Run a job after steps no more."""
        if job in self.after_step:
            self.after_step.remove(job)

    # --- jobs -------------------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Run a job where the venue may be touched; after the latency when there is one."""
        if self.threaded:
            with self._life:
                self._inbox.put(job)
        elif self.latency_ns:
            self._schedule(self.clock.now_ns() + self.latency_ns, job)
        else:
            job()

    def answer(self, job: Job) -> None:
        """Run a job that carries something back to the platform; after the latency when there is one."""
        if self.latency_ns and not self.threaded:
            self._schedule(self.clock.now_ns() + self.latency_ns, job)
        else:
            job()

    def execute(self, command: VenueCommand) -> CommandResult:
        """Give the venue a command; only from a job, or in line."""
        return self.venue.execute(command)

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument, or None when the venue does not list it; any thread may ask."""
        return self._instruments.get(instrument_id)

    def instrument(self, instrument_id: str) -> Instrument:
        """Return a listed instrument.

        Raises:
            ConfigError: the venue does not list it.
        """
        found = self._instruments.get(instrument_id)
        if found is None:
            raise ConfigError(f"the simulated venue does not list {instrument_id}; subscribe to or trade what it lists")
        return found

    @property
    def next_due_ns(self) -> int:
        """Return when the next delayed job is due; never without one. In line only."""
        return self._due[0][0] if self._due else NEVER_NS

    def run_due(self, now_ns: int) -> None:
        """Run the delayed jobs that are due. In line only."""
        while self._due and self._due[0][0] <= now_ns:
            heappop(self._due)[2]()

    def step(self, now_ns: int) -> None:
        """Let time pass at the venue and everybody else trade."""
        self.venue.execute(AdvanceTime(now_ns))
        for populace in self.populace:
            for command in populace(now_ns):
                self.venue.execute(command)
        for job in tuple(self.after_step):
            job()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _run(self, inbox: "SimpleQueue[Job | None]", previous: threading.Thread | None) -> None:
        if previous is not None:
            previous.join()
        try:
            self._work(inbox)
        except Exception as error:  # the session's outermost loop: the venue is broken, every account is told
            logger.opt(exception=error).critical("the simulated venue failed: {}", error)
            self._end_broken(inbox, f"{type(error).__name__}: {error}")

    def _work(self, inbox: "SimpleQueue[Job | None]") -> None:
        monotonic_ns, next_step_ns = self.clock.monotonic_ns, self.clock.monotonic_ns()
        while True:
            self._beat_ns = monotonic_ns()
            wait_s = (next_step_ns - monotonic_ns()) / 1e9
            try:
                if wait_s <= 0:
                    raise Empty
                job = inbox.get(timeout=wait_s)
            except Empty:
                self.step(self.clock.now_ns())
                next_step_ns = max(next_step_ns + self._step_ns, monotonic_ns() + self._step_ns // 4)
                continue
            if job is None:
                return
            job()

    def _end_broken(self, inbox: "SimpleQueue[Job | None]", cause: str) -> None:
        """Tell every account, then let what they asked be refused until the last one leaves."""
        failed = SessionFailed(0, self.clock.now_ns(), cause)
        for listener in list(self._listeners.values()):
            with suppress(FoxtrotError):
                listener(failed)
        while (job := inbox.get()) is not None:
            with suppress(FoxtrotError):
                job()

    def _schedule(self, due_ns: int, job: Job) -> None:
        self._sequence += 1
        heappush(self._due, (due_ns, self._sequence, job))

    def _hear(self, event: VenueEvent) -> None:
        for observer in self.observers:
            observer(event)
        if type(event) is TradePrinted:
            for printer in self._printers.get(event.instrument_id, ()):
                printer(event)
            return
        listener = self._listeners.get(getattr(event, "account", ""))
        if listener is not None:
            listener(event)
        elif type(event) is InstrumentAdded:
            self._instruments = {listed.instrument_id: listed for listed in self.venue.instruments()}


class SessionFailed(VenueEvent, frozen=True, tag=True):
    """The session's thread ended by an error; nothing more will come."""

    error: str
