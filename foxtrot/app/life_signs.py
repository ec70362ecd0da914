"""What stands beside a running platform: its heartbeat for the guardian, the guardian itself, and the halt file of whoever kills from outside."""

from contextlib import ExitStack

from loguru import logger

from foxtrot.app.guardian import GuardianProcess
from foxtrot.app.guardian_wait import GuardianWait
from foxtrot.app.heartbeat_file import HeartbeatFile
from foxtrot.app.main_engine import MainEngine
from foxtrot.core.commands import KillSwitch
from foxtrot.domain.errors import ConfigError

END_S = 5.0
"""How long the end of the guardian is waited for once the platform has ended."""


FIRST_PAUSE_S, MOST_PAUSE_S = 1.0, 60.0
"""How long it is waited before a guardian that has died is started again: at first, and at most."""


class LifeSigns:
    """Beats, and obeys the halt file.

    Thread: main; `look` about four times a second.

    Raises (when made):
        ConfigError: the home cannot be written or has no room for a halt, or the guardian cannot be started.
    """

    def __init__(self, platform: MainEngine, *, guarded: bool) -> None:
        self._platform = platform
        self._halt = platform.halt_file
        self._heartbeat = HeartbeatFile(platform.home)
        self._heartbeat.starting()
        self.guardian = GuardianProcess(platform.config.source, platform.home) if guarded else None
        self._told = ""
        self._death = ""
        self._pause_s = FIRST_PAUSE_S
        self._restart_ns = 0
        self._wait: GuardianWait | None = None
        with ExitStack() as undone:
            undone.callback(self._heartbeat.end)  # a refused start is no silence of which an older guardian need know
            self._halt.reserve()
            self._obey()
            if self.guardian is not None:
                self._wait_for(self.guardian)
                self.guardian.start()
            undone.pop_all()

    def look(self) -> None:
        """Give a sign of life, obey a halt or remove one from which a person has resumed, and start a guardian again that has died.

        Blocks: for the disk.
        """
        self._heartbeat.beat()
        self._lift()
        self._obey()
        if self.guardian is not None and (death := self.guardian.death()):
            self._restart(self.guardian, death)
        if self._wait is not None:
            self._wait.look()

    def stopping(self) -> None:
        """Tell that the platform stops in order from here on, and obey a halt that nobody has looked at yet."""
        self._heartbeat.stopping()
        self._lift()
        self._obey()

    def end(self) -> str:
        """Tell that it has ended; returns what is left of the guardian, in words.

        Blocks: at most END_S.
        """
        self._heartbeat.end()
        return self.guardian.wait(END_S) if self.guardian is not None else ""

    def _wait_for(self, guardian: GuardianProcess) -> None:
        """Let entries wait for the guardian, if there is anything that one could guard."""
        platform = self._platform
        if any(one.trades and one.capabilities.network for one in platform.line.adapters.values()):
            self._wait = GuardianWait(guardian, platform.home, platform.put, platform.clock)
            self._wait.begin()

    def _restart(self, guardian: GuardianProcess, death: str) -> None:
        """Start a guardian again that has died, after growing pauses; one that refused to start would refuse again."""
        now_ns = self._platform.clock.monotonic_ns()
        if not self._death:
            self._death, self._restart_ns = death, now_ns + int(self._pause_s * 1e9)
            again = "it is not started again" if guardian.refused else f"it is started again in {self._pause_s:g} s"
            logger.error("{}; {}", death, again)
        if guardian.refused or now_ns < self._restart_ns:
            return
        self._death, self._pause_s = "", min(2 * self._pause_s, MOST_PAUSE_S)
        guardian.start()

    def _lift(self) -> None:
        """Remove the halt file once a person has resumed; a halt that was left there since then stays, and is obeyed.

        What a halt has used of the room that is reserved for the next is taken again.
        """
        if not self._platform.resumed.is_set():
            return
        self._platform.resumed.clear()
        try:
            self._halt.lift()
            self._halt.reserve()
        except ConfigError as error:
            logger.error("{}", error)

    def _obey(self) -> None:
        halt = self._halt.look()
        if halt is None:
            return
        self._platform.line.gate.close(halt.reason, halt.who, lasting=True, killed=True)
        self._platform.put(KillSwitch(halt.reason, halt.who))
        if not self._told:
            logger.warning("halted by {}: {}; `foxtrot resume` lets it trade again", halt.who, halt.reason)
        self._told = halt.reason
