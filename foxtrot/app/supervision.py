"""Supervision: every part of a platform is looked at twice a second; one that is dead or blocked halts what it served.

The main thread looks. That it looks is itself watched: each look renews the lease on which orders may leave, and the guardian
hears the process's heartbeat.
"""

import msgspec
from loguru import logger

from foxtrot.app.pace import THREAD as PACE
from foxtrot.app.pace import Pace
from foxtrot.app.part_halts import WHO
from foxtrot.app.standstill import Standstill
from foxtrot.app.supervision_parts import adapter_parts, durable_behind, journal_part
from foxtrot.app.watchdog import Watchdog, stack_of
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.heartbeat import PLATFORM, SILENT_S, Part, PartRegistry, ident_of
from foxtrot.core.notices import PartFailed, PartRecovered
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import QueueClosed
from foxtrot.strategy.line import Line

STUCK_S = 0.2
"""How long a hand-over to a venue may be waited for: it should take microseconds."""


class PartState(msgspec.Struct, frozen=True):
    """How one part does: ok, dead or blocked, and why; for how long it has been silent, None where that is not judged; whether it halts what it serves."""

    name: str
    serves: str
    state: str
    reason: str = ""
    silent_s: float | None = None
    halts: bool = True


class Supervisor:
    """Looks at the parts of one platform, and acts when one does not move.

    Thread: made, started and stopped by main, which calls `look` twice a second; `states` any. Accounts and strategies are
        halted on foxtrot-engine, by the PartFailed that it puts (see PartHalts); for the platform the gate is closed directly.

    Args:
        engine: whose events are handled; its clock is the clock of all beats.
        line: gate, adapters and strategies.
        permit: held on a lease from `start` to `stop`.
        registry: the parts; those of the line are entered here: engine, journal, adapters.
        silent_s: how long the engine may handle nothing while events wait.
    """

    def __init__(
        self, engine: EventEngine, line: Line, permit: SendPermit, registry: PartRegistry, silent_s: float = SILENT_S
    ) -> None:
        self.registry = registry
        self.watchdog = Watchdog(engine, engine.clock, silent_s)
        self.states: tuple[PartState, ...] = ()
        self.failed = 0
        self._engine = engine
        self._line = line
        self._permit = permit
        self._pace = Pace()
        self._standstill = Standstill(
            permit, line.adapters, self._put, engine.clock, pause_ns=self._pace.longest_pause_ns
        )
        self._since_ns = 0
        self._closings: dict[str, str] = {}
        self._stuck = False
        self._looking = False
        registry.enter(self._engine_part(silent_s))
        registry.enter_source(lambda: adapter_parts(line.adapters))
        if (journal := durable_behind(line.journal)) is not None:
            registry.enter(journal_part(journal))
        registry.enter(Part(name=PACE, halts=False, death=self._pace.death, thread=lambda: ident_of(PACE)))
        self._standstill.subscribe(line.dispatcher)

    def start(self) -> None:
        """Begin: from now on orders leave only as long as somebody looks."""
        self._looking = True
        self._since_ns = self._engine.clock.monotonic_ns()
        self.watchdog.excuse()
        self._pace.start()
        self._standstill.renew()

    def stop(self) -> None:
        """End before the platform is stopped: parts end in order now, and orders may leave for as long as that may take.

        Blocks: at most a second.
        """
        self._looking = False
        self._pace.stop()
        self._standstill.extend()

    def look(self) -> None:
        """Look at everything once: renew the lease, find what is dead or blocked, tell it and halt what it served.

        Blocks: at most STUCK_S.
        """
        if not self._looking:
            return
        if self._is_free():
            if self._standstill.renew():  # nobody looked, so that silence counts from now on
                self._since_ns = self._engine.clock.monotonic_ns()
                self.watchdog.excuse()
            self._close()
        self.watchdog.look()
        known = {state.name: state for state in self.states}
        self.states = tuple(self._judge(part, known.get(part.name)) for part in self.registry.parts())

    # --- judging ----------------------------------------------------------------------------------------------------

    def _judge(self, part: Part, before: PartState | None) -> PartState:
        now = self._state_of(part)
        was_ok = before is None or before.state == "ok"
        if now.state != "ok" and (was_ok or (before is not None and before.state != now.state)):
            self._fail(part, now)
        elif now.state == "ok" and not was_ok:
            self._recover(part)
        return now

    def _state_of(self, part: Part) -> PartState:
        state, reason, silent_s = self._look_at(part)
        return PartState(part.name, part.serves, state, reason, silent_s, part.halts)

    def _look_at(self, part: Part) -> tuple[str, str, float | None]:
        if death := part.death():
            return "dead", death, None
        beat_ns = part.beat_ns() if part.beat_ns is not None else None
        if beat_ns is None:
            return "ok", "", None
        silent_s = max(0.0, (self._engine.clock.monotonic_ns() - max(beat_ns, self._since_ns)) / 1e9)
        blocked = silent_s > part.silent_s
        reason = f"has not moved for {silent_s:.1f} s" if blocked else ""
        return "blocked" if blocked else "ok", reason, round(silent_s, 3)

    def _fail(self, part: Part, state: PartState) -> None:
        self.failed += 1
        stack = stack_of(part.thread()) if state.state == "blocked" else ""
        halted = f"trading of {part.serves or 'the platform'} is halted" if part.halts else "trading goes on"
        reason = f"{part.name} is {state.state}: {state.reason}"
        if part.name == self._engine.name and self.watchdog.stalled_in:
            reason += f"; {self._engine.depth} events wait for {self.watchdog.stalled_in}"
        logger.error("{}; {}{}", reason, halted, f"; it stands in {stack}" if stack else "")
        if part.halts and part.serves == PLATFORM:
            self._closings[part.name] = reason
            if self._is_free():
                self._close()
        self._tell(part, reason, stack)

    def _close(self) -> None:
        """Close the gate for every part of the platform that has failed."""
        for part, reason in self._closings.items():
            self._line.gate.close(reason, f"{WHO}: {part}")
        self._closings.clear()

    def _recover(self, part: Part) -> None:
        later = "" if part.serves else "; a gate that was closed for it stays closed until a person resumes"
        logger.info("{} moves again{}", part.name, later)
        self._put(PartRecovered(part.name, part.serves, self._engine.clock.now_ns()))
        if part.halts and part.serves in self._line.adapters:
            self._put(ReconcileNow(part.serves, f"{part.name} moves again"))

    def _tell(self, part: Part, reason: str, stack: str) -> None:
        """Put the notice, which is also what halts an account or a strategy."""
        serves = part.serves if part.halts else PLATFORM
        self._put(PartFailed(part.name, serves, reason, stack, self._engine.clock.now_ns()))

    def _put(self, event: object) -> None:
        try:
            self._engine.put(event)
        except QueueClosed:  # the engine is dead, and the gate is closed for that
            logger.debug("the engine takes no {} any more", type(event).__name__)

    def _is_free(self) -> bool:
        """Tell whether the permit can be had; a hand-over that is stuck is said once, and its lease lapses by itself."""
        free = self._permit.is_free(STUCK_S)
        if not free and not self._stuck:
            logger.error("a hand-over to a venue does not end: the lease of the send permit is not renewed")
        self._stuck = not free
        return free

    def _engine_part(self, silent_s: float) -> Part:
        engine, watchdog = self._engine, self.watchdog
        return Part(
            name=engine.name,
            death=lambda: "" if engine.running else "its thread has ended",
            beat_ns=lambda: watchdog.beat_ns,
            silent_s=silent_s,
            thread=lambda: ident_of(engine.name),
        )
