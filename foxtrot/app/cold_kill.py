"""A kill without a platform: straight to the venues, because the platform is dead, frozen, or was never there.

The halt file comes first, so that whatever runs or starts in the home stops trading. Then each account is asked by an adapter of
its own for its open orders, and ours that may increase a position are cancelled. A venue that does not answer holds up nobody else.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.account_sweep import AccountSweep
from foxtrot.app.cold_flatten import ColdFlatten, Ownership, ownership_of
from foxtrot.app.config import Config, load_config
from foxtrot.app.guardian import EventQueue, from_now, lone_adapters
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.secret_store import open_store
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError

DEADLINE_S = 20.0
"""How long all accounts together, which are worked on at the same time, may take."""
FLATTEN_S = 40.0
TURN_S = 0.05
REASON = "killed without the platform"
Json = dict[str, object]


def cold_kill(
    config: Path | Config,
    home: Path,
    flatten: bool,
    everything: bool,
    who: str,
    environment: Mapping[str, str] = os.environ,
) -> Json:
    """Kill at the venues, and return what was done, what stays, and why; `needs_person` tells whether something is left.

    Args:
        config: the platform's configuration, or its file.
        home: the platform's home, where the halt file is left.
        flatten: close what strategies own too.
        everything: with `flatten`, close what the accounts hold besides.
        who: by whom.
        environment: where secrets are found.

    Blocks: at most about DEADLINE_S, FLATTEN_S with `flatten`.

    Raises:
        ConfigError: the configuration is wrong; the halt file stands then.
    """  # fmt: skip
    clock = SystemClock()
    halted = _halt(home, Halt(REASON, who, clock.now_ns()))
    found = load_config(config) if isinstance(config, Path) else config
    owned, why_not = _ownership(found, home, clock) if flatten else (None, "")
    work = _ColdKill(found, home, clock, environment, owned)
    work.not_flattened = why_not
    try:
        work.run(everything=everything, who=who)
    finally:
        work.close()
    return {"halt_file": halted, **work.result()}


class _ColdKill:
    """One kill: adapters, what they told, and the closing of positions where it is wished.

    Thread: the caller's.
    """

    def __init__(
        self, config: Config, home: Path, clock: Clock, environment: Mapping[str, str], owned: Ownership | None
    ) -> None:
        self._config = config
        self._clock = clock
        self._queue = EventQueue()
        self._permit = SendPermit()
        self._permit.close(REASON)
        self._owned = owned
        since_ns: Callable[[str], int] = owned.fills_since_ns if owned is not None else from_now
        maker = AccountAdapters(config, self._queue, self._permit, clock, environment, open_store(home, environment))
        maker.home = home
        self._adapters, self._without = lone_adapters(config, maker, since_ns)
        self._sweeps = {name: AccountSweep(adapter) for name, adapter in self._adapters.items()}
        self._flatten: ColdFlatten | None = None
        self.not_flattened = ""

    def run(self, *, everything: bool, who: str) -> None:
        """Do it, until all is done or the time is over."""
        if self._owned is not None:
            self._begin_flatten(self._owned, who, everything=everything)
        for adapter in self._adapters.values():
            adapter.connect()
        began_ns = self._clock.monotonic_ns()
        late_ns = began_ns + int(DEADLINE_S * 1e9)
        until_ns = began_ns + int((FLATTEN_S if self._flatten else DEADLINE_S) * 1e9)
        while not self._is_done() and (now_ns := self._clock.monotonic_ns()) < until_ns:
            for event in self._queue.take(TURN_S):
                self._hear(event)
            for sweep in self._sweeps.values():
                sweep.act(now_ns)
            if self._flatten is not None:
                self._flatten.step()
                if now_ns > late_ns:
                    self._flatten.sell()

    def close(self) -> None:
        """End every connection."""
        for adapter in self._adapters.values():
            adapter.close()

    def result(self) -> Json:
        """Return what was done and what is left."""
        reports = {name: sweep.report() for name, sweep in self._sweeps.items()}
        flattened = self._flatten.result() if self._flatten is not None else {}
        left = [name for name, report in reports.items() if not report.done]
        needs = bool(left or self.not_flattened or flattened.get("left"))
        return {
            "accounts": {name: msgspec.to_builtins(report) for name, report in reports.items()},
            "without": self._without,
            "not_done": {name: f"{reports[name].state} {reports[name].cause}".rstrip() for name in left},
            "not_flattened": self.not_flattened,
            "flatten": flattened,
            "needs_person": needs,
        }

    def _begin_flatten(self, owned: Ownership, who: str, *, everything: bool) -> None:
        """Prepare to close positions; what forbids that is told, and the cancels are made all the same."""
        try:
            self._flatten = ColdFlatten(self._config, owned, self._adapters, self._permit, self._clock)
        except ConfigError as error:
            self.not_flattened = str(error)
            return
        self._flatten.begin(REASON, who, everything=everything)

    def _hear(self, event: object) -> None:
        sweep = self._sweeps.get(getattr(event, "account", ""))
        if sweep is not None:
            sweep.take(event)
        if self._flatten is not None:
            self._flatten.put(event)

    def _is_done(self) -> bool:
        swept = all(sweep.report().done for sweep in self._sweeps.values())
        return swept and (self._flatten is None or self._flatten.is_done)


def _halt(home: Path, halt: Halt) -> str:
    """Leave the halt file, and return why that could not be done, "" when it was; who killed first, and why, stays in it."""
    file = HaltFile(home)
    found = file.read()
    try:
        if found is None or not found.killed or not found.time_ns:
            file.write(halt)
    except ConfigError as error:
        return str(error)
    return ""


def _ownership(config: Config, home: Path, clock: Clock) -> tuple[Ownership | None, str]:
    """Return who owns what, or why that is not known: the cancels are made all the same."""
    try:
        return ownership_of(config, home, clock), ""
    except ConfigError as error:
        return None, str(error)
