"""Entries of a guarded platform wait for its guardian: what nobody could cancel is not sent."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from loguru import logger

from foxtrot.app.guardian_sign import GuardianSignFile
from foxtrot.app.status_reading import GUARDIAN_S, WAITS_FOR_GUARDIAN
from foxtrot.core.clock import Clock
from foxtrot.core.commands import HoldEntries

WHO = "guardian watch"
"""By this name the gate is held; the guardian's own halts are by another, so that letting go lifts none of them."""
AGAIN_S = 30.0
"""So long one that was ready and has died may take to be back before entries wait again."""


class WatchedProcess(Protocol):
    """What is asked of the guardian's process.

    Thread: main.
    """

    @property
    def pid(self) -> int:
        """Return its process id, 0 before it was started."""
        ...

    @property
    def refused(self) -> bool:
        """Tell whether it will not start."""
        ...

    def death(self) -> str:
        """Return why it counts as dead, "" while it runs."""
        ...


class GuardianWait:
    """Holds entries until the guardian says that it watches and can cancel on every account, and again when it is lost for long.

    What only reduces passes. A guardian counts as ready from its first word on for as long as its process lives.

    Thread: main; `look` some times a second.

    Args:
        guardian: its process.
        home: where it leaves its sign.
        put: where commands go.
        clock: tells the time.
    """

    def __init__(self, guardian: WatchedProcess, home: Path, put: Callable[[object], None], clock: Clock) -> None:
        self._guardian = guardian
        self._file = GuardianSignFile(home)
        self._put = put
        self._clock = clock
        self._ready_pid = 0
        self._since_ns = clock.monotonic_ns()
        self._missing = True
        self._held = False
        self._told = False

    def begin(self) -> None:
        """Hold entries from the first event on; called before the platform starts."""
        self._hold(f"{WAITS_FOR_GUARDIAN}: it does not watch yet")

    def look(self) -> None:
        """Look whether it watches, and let go or hold.

        Blocks: for the disk.
        """
        why, now_ns = self._why(), self._clock.monotonic_ns()
        if not why:
            self._let_go()
            return
        if not self._missing:
            self._missing, self._since_ns = True, now_ns
        waited_s = (now_ns - self._since_ns) / 1e9
        if not self._held and (waited_s >= AGAIN_S or self._guardian.refused):
            self._hold(f"{WAITS_FOR_GUARDIAN}: {why}")
            logger.error("entries are refused until there is a guardian: {}", why)
        if not self._told and waited_s >= GUARDIAN_S:
            self._told = True
            logger.error("no guardian for {:.0f} s, entries wait, a person must see to it: {}", waited_s, why)

    def _let_go(self) -> None:
        self._missing = self._told = False
        if self._held:
            self._held = False
            self._put(HoldEntries(WHO, ""))
            logger.info("the guardian (pid {}) watches: entries pass", self._ready_pid)

    def _hold(self, reason: str) -> None:
        self._held = True
        self._put(HoldEntries(WHO, reason))

    def _why(self) -> str:
        """Return why there is no guardian, "" when there is one."""
        death, pid = self._guardian.death(), self._guardian.pid
        if death:
            return death
        if pid and pid == self._ready_pid:
            return ""
        sign = self._file.read()
        if sign is None or (sign.pid, sign.watched) != (pid, os.getpid()):
            return f"the guardian (pid {pid}) has not said yet that it watches; see guardian.log"
        if sign.waiting:
            return "the guardian waits for " + ", ".join(f"{name}: {why}" for name, why in sign.waiting.items())
        self._ready_pid = pid
        return ""
