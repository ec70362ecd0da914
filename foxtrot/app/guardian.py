"""The guardian: a process of its own that cancels our entry orders when the platform gives no sign of life."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.capabilities import Countdown
from foxtrot.adapter.registry import load_adapter
from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.account_sweep import AccountSweep, SweepReport
from foxtrot.app.config import Config
from foxtrot.app.guardian_sign import GuardianSign, GuardianSignFile
from foxtrot.app.guardian_words import CANCELS, LOG
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.heartbeat_file import Beat, HeartbeatReader, Pulse
from foxtrot.app.passphrase import for_child
from foxtrot.app.secret_store import open_store
from foxtrot.core.clock import Clock
from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import ConfigError

WHO = "guardian"
LOOK_S = 0.1
QUIET_NS = 30_000_000_000
"""How long nothing of ours may appear at the venues of a platform that is gone before its guardian ends."""
BAD_CONFIG = 2
"""The exit status of every verb whose configuration is wrong."""
COUNTDOWN_FAULTS = {
    Countdown.NONE: "has no countdown",
    Countdown.EVERYTHING: "would cancel protective orders and those of others too when its countdown runs out",
}
"""Why a venue's countdown is refused; one that cancels entries alone is not.

Source: Binance USDⓈ-M Futures, Auto-Cancel All Open Orders (countdownCancelAll): all open orders of a symbol are cancelled.
"""
CAN_CANCEL = (
    "it cancels what foxtrot placed to open or add (ids F-…); what only reduces (R-…) and what others placed stays"
)


def from_now(_account: str) -> int:
    """Return that no fill of the past is needed."""
    return 0


class EventQueue:
    """Takes what adapters tell, from their threads, for one that reads.

    Thread: `put`, any; `take`, one.
    """

    def __init__(self) -> None:
        self._events: SimpleQueue[object] = SimpleQueue()

    def put(self, event: object) -> None:
        """Queue an event."""
        self._events.put(event)

    def take(self, seconds: float) -> list[object]:
        """Return what there is, and wait for the first for some time.

        Blocks: at most `seconds`.
        """
        found: list[object] = []
        try:
            found.append(self._events.get(timeout=seconds))
            while True:
                found.append(self._events.get_nowait())
        except Empty:
            return found


def lone_adapters(
    config: Config, maker: AccountAdapters, since_ns: Callable[[str], int] = from_now
) -> tuple[dict[str, BaseAdapter], dict[str, str]]:
    """Return the adapters of every account that trades at a venue outside the platform, and why the others have none.

    Blocks: imports the adapters, and reads what their settings name.
    """
    made: dict[str, BaseAdapter] = {}
    without: dict[str, str] = {}
    for name, account in config.accounts.items():
        try:
            if not load_adapter(account.adapter).capabilities.network:
                without[name] = f"{account.adapter} is inside the platform's own process and ends with it"
                continue
            adapter = maker.make(name, since_ns(name))
        except ConfigError as error:
            without[name] = str(error)
            continue
        if adapter.trades:
            made[name] = adapter
        else:
            without[name] = "gives prices only: there are no orders"
    return made, without


def guarded_config(config: Config) -> Config:
    """Return a configuration whose accounts have the guardian's own keys, where it has some."""
    accounts = {
        name: msgspec.structs.replace(account, settings={**account.settings, **config.guardian.keys.get(name, {})})
        for name, account in config.accounts.items()
    }
    return msgspec.structs.replace(config, accounts=accounts)


def check_countdown(config: Config, adapters: Mapping[str, BaseAdapter]) -> None:
    """Refuse the venues' own countdown where it does harm, or is not there.

    Raises:
        ConfigError: names account and reason.
    """
    if not config.guardian.venue_countdown:
        return
    for name, adapter in adapters.items():
        why = COUNTDOWN_FAULTS.get(adapter.capabilities.countdown)
        if why:
            raise ConfigError(
                f"[guardian] venue_countdown = true is refused for account {name}: {adapter.adapter_name} {why}; set it to false"
            )


class Guardian:
    """Watches one platform and, when that is silent, cancels our entry orders on every account until none is left.

    It goes on watching after that, and cancels again what appears, for as long as the platform is silent. It never sends an
    order: its send permit is closed.

    Thread: main.
    """

    def __init__(
        self, sweeps: Mapping[str, AccountSweep], home: Path, clock: Clock, pid: int = 0, late_s: float = 0.0
    ) -> None:
        self._sweeps = sweeps
        self._reader = HeartbeatReader(home)
        self._halt = HaltFile(home)
        self._clock = clock
        self._pulse = Pulse(late_s)
        self._pid = pid
        self._since_ns = 0
        self._busy_ns = 0
        self._told: dict[str, str] = {}
        self.silent = ""
        self.acts: list[str] = []

    def take(self, event: object) -> None:
        """Hear what an adapter tells."""
        sweep = self._sweeps.get(getattr(event, "account", ""))
        if sweep is not None:
            before = sweep.state
            sweep.take(event)
            if sweep.state is not before:
                self._say_state(sweep)

    def look(self) -> bool:
        """Look at the heartbeat and act on it; tells whether there is nothing left to watch."""
        now_ns = self._clock.monotonic_ns()
        beat = self._read()
        silent = self._pulse.look(beat, now_ns)
        if silent and not self.silent:
            self._begin(silent, now_ns)
        elif self.silent and not silent:
            logger.warning("the platform gives signs of life again; it stays halted until `foxtrot resume`")
        self.silent = silent
        if silent:
            self._act(now_ns)
        last = self._pulse.last
        ended = last is not None and last.ended
        return ended or (bool(silent) and last is not None and not last.lives and self._is_quiet(now_ns))

    def reports(self) -> dict[str, SweepReport]:
        """Return how far each account is."""
        return {name: sweep.report() for name, sweep in self._sweeps.items()}

    def sign(self) -> GuardianSign | None:
        """Return what the platform that is watched may know of it, None before its first beat was seen."""
        last = self._pulse.last
        if last is None:
            return None
        late = {name: one for name, one in self._sweeps.items() if one.state is not AdapterState.READY}
        return GuardianSign(
            os.getpid(), last.pid, {name: f"{one.state} {one.cause}".rstrip() for name, one in late.items()}
        )

    def _read(self) -> Beat | None:
        """Return the heartbeat of the platform that is to be watched: not what an earlier one left behind."""
        beat = self._reader.read()
        if beat is None or (self._pid and beat.pid != self._pid):
            return None
        if self._pulse.last is None and not self._pid and (beat.ended or not beat.lives):
            return None
        return beat

    def _begin(self, silent: str, now_ns: int) -> None:
        logger.error("{}: {}", silent, CANCELS)
        self.acts.append(silent)
        self._busy_ns = now_ns
        for sweep in self._sweeps.values():
            sweep.begin()
            sweep.act(now_ns)  # the wire before the disk
        try:
            self._halt.write(Halt(silent, WHO, self._clock.now_ns()))
        except ConfigError as error:
            logger.error("the platform cannot be told to stay halted: {}", error)

    def _act(self, now_ns: int) -> None:
        for name, sweep in self._sweeps.items():
            sweep.act(now_ns)
            report = sweep.report()
            if not report.done:
                self._busy_ns = now_ns
            text = _told_of(report)
            if text != self._told.get(name):
                self._told[name] = text
                logger.warning("account {}: {}", name, text)

    def _is_quiet(self, now_ns: int) -> bool:
        return now_ns - self._busy_ns > QUIET_NS

    def _say_state(self, sweep: AccountSweep) -> None:
        if sweep.state is AdapterState.READY:
            logger.info("account {} ({}): {}", sweep.account, sweep.adapter.adapter_name, CAN_CANCEL)
        elif sweep.state in (AdapterState.LOST, AdapterState.FAILED):
            logger.warning(
                "account {}: nothing can be cancelled now, the link is {} {}", sweep.account, sweep.state, sweep.cause
            )


def guard(config: Config, home: Path, clock: Clock, stopped: Callable[[float], bool], pid: int = 0) -> Guardian:
    """Watch a platform until it ends in order, or is gone and nothing of it is left, or the stop is asked for.

    Args:
        config: the platform's.
        home: where its heartbeat is.
        clock: tells the time.
        stopped: waits for so long and tells whether the stop is asked for.
        pid: of the platform; 0 for whichever beats.

    Blocks: until then.

    Raises:
        ConfigError: there is no account to guard, or the venue's countdown is refused.
    """
    queue, permit = EventQueue(), SendPermit()
    permit.close("a guardian sends no order")
    own = guarded_config(config)
    maker = AccountAdapters(own, queue, permit, clock, os.environ, open_store(home, os.environ))
    maker.home = home
    adapters, without = lone_adapters(own, maker)
    check_countdown(config, adapters)
    for name, why in without.items():
        logger.warning("account {} is not guarded: {}", name, why)
    if not adapters:
        raise ConfigError(
            f"there is no account to guard: {'; '.join(f'{n}: {w}' for n, w in without.items()) or 'none'}"
        )
    sweeps = {name: AccountSweep(adapter) for name, adapter in adapters.items()}
    guardian = Guardian(sweeps, home, clock, pid, config.guardian.late_s)
    file = GuardianSignFile(home)
    try:
        for adapter in adapters.values():
            adapter.connect()
        while not (guardian.look() or stopped(0)):
            if sign := guardian.sign():
                file.tell(sign)
            for event in queue.take(LOOK_S):
                guardian.take(event)
    finally:
        for adapter in adapters.values():
            adapter.close()
    return guardian


class GuardianProcess:
    """The guardian of this platform as a process of its own, which outlives it.

    Thread: main.
    """

    def __init__(self, config: Path, home: Path) -> None:
        self._config = config
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id, 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it; its argv holds no secret, those come from the environment or the key store as this process's do.

        Raises:
            ConfigError: it cannot be started.
        """
        command = [
            sys.executable, "-m", "foxtrot", "--home", str(self._home), "guardian", str(self._config), "--pid", str(os.getpid()),
        ]  # fmt: skip
        try:
            make_private_folder(self._home)
            with (
                open(self._home / LOG, "ab", opener=private_opener) as log,
                for_child(os.environ) as (environment, kept),
            ):
                self._process = subprocess.Popen(  # noqa: S603  (this interpreter and our own arguments)
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=environment,
                    pass_fds=kept,
                )
        except OSError as error:
            raise ConfigError(f"the guardian cannot be started: {error}") from None
        logger.info("guardian started (pid {}); it writes {}", self._process.pid, self._home / LOG)

    def death(self) -> str:
        """Return why it counts as dead, "" while it runs or was not started; as a part's `death` in supervision."""
        status = self._process.poll() if self._process is not None else None
        return "" if status is None else f"the guardian ended with status {status}; see {self._home / LOG}"

    @property
    def refused(self) -> bool:
        """Tell whether it ended because the configuration is wrong for it: it would do so again."""
        return self._process is not None and self._process.poll() == BAD_CONFIG

    def wait(self, seconds: float) -> str:
        """Wait until it has ended because the platform has; what does not end is left and named.

        Blocks: at most `seconds`.
        """
        if self._process is None:
            return ""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"the guardian (pid {self._process.pid}) still runs"
        return ""


def _told_of(report: SweepReport) -> str:
    listed = "" if report.listed else "its venue has not told its orders yet; "
    open_ = ", ".join(f"{name} ({why})" for name, why in report.still_open.items()) or "none"
    return (
        f"{listed}cancelled {len(report.cancelled)}, entries still open: {open_}; {len(report.reducing)} that only reduce and "
        f"{len(report.foreign)} of others stay; the link is {report.state} {report.cause}".rstrip()
    )
