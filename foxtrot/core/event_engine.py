"""The engine: one thread around a dispatcher, two lanes that any thread may put into.

Promises:
- `put` never blocks. If it did not raise, the event is handled before `stop` returns, or is listed in the result of `stop`
  and kept as a dead letter. After `stop` it raises.
- The control lane is handled first and never drops. The market lane is bounded: see core/lanes.py.
- accepted = handled + conflated + left, at any quiet moment.
"""

import sys
import threading
import time

from typing_extensions import override

from foxtrot.core.clock import Clock, ManualClock, SystemClock
from foxtrot.core.commands import ReplayDeadLetters, StartTimer
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.engine_loop import NOTHING, Abandoned, EngineLoop
from foxtrot.core.inbox import Inbox
from foxtrot.core.statistics import EngineStatistics, StopResult, count_by_kind, percentiles_us
from foxtrot.core.tape import Tape, TapedClock
from foxtrot.domain.errors import InvariantBroken

HIGH_WATER = 10_000
_GRACE_S = 0.2


class EventEngine(Inbox):
    """The thread `foxtrot-engine` and everything that crosses into it.

    Thread: `put`, `statistics`, `start`, `stop` from any; handlers run on foxtrot-engine only. `dispatcher` belongs to
        whoever builds the engine until `start`, then to foxtrot-engine.
    """

    def __init__(
        self, clock: Clock | None = None, *, high_water: int = HIGH_WATER, name: str = "foxtrot-engine"
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.name = name
        self._loop = EngineLoop(self.clock, self.put, self._open, time.perf_counter)
        self.dispatcher: Dispatcher = self._loop
        super().__init__(self._loop.control, self._loop.market, high_water, time.perf_counter)
        self._life = threading.Lock()  # guards start and stop against each other
        self._thread: threading.Thread | None = None
        self._result: StopResult | None = None
        self.dispatcher.subscribe(StartTimer, self._on_start_timer, owner="engine")
        self.dispatcher.subscribe(ReplayDeadLetters, self._on_replay, owner="engine")
        if isinstance(self.clock, ManualClock):
            self.clock.on_move(self.wake)

    def record(self, tape: Tape) -> None:
        """Let a tape note everything that is handled, and everything that handlers read; before the engine starts."""
        self._loop.clock = TapedClock(self.clock, tape)
        self._loop.follow_puts(tape.note_put)
        self._loop.add_tap(tape.hear, owner="recorder")

    def start(self) -> None:
        """Start the thread.

        Raises:
            InvariantBroken: it was started or stopped before.
        """
        with self._life:
            if self._thread is not None or self._closed:
                raise InvariantBroken(f"{self.name} was started or stopped before; make a new engine")
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    @property
    def running(self) -> bool:
        """Tell whether events are being handled."""
        return self._thread is not None and not self._closed

    @property
    def busy(self) -> bool:
        """Tell whether an event is being handled, or waits; from any thread."""
        return self._loop.current is not NOTHING or self.depth > 0

    def statistics(self) -> EngineStatistics:
        """Return counters and lags as they are now."""
        loop, result = self._loop, self._result
        slow = dict(loop.slow_handlers)
        slowest = max(slow, key=lambda name: slow[name], default="")
        handled = loop.handled_per_class()
        lag_p50_us, lag_p99_us = percentiles_us(loop.lags.copy(), 0.50, 0.99)
        return EngineStatistics(
            accepted=self.accepted + loop.internal,
            handled=sum(handled.values()),
            conflated=self.conflated,
            left=sum(result.left.values()) if result else 0,
            depth=self.depth,
            peak_depth=max(self._peak_depth, loop.peak_depth),
            failures=loop.failures,
            lag_p50_us=lag_p50_us,
            lag_p99_us=lag_p99_us,
            events_per_class=handled,
            slow_handlers=slow,
            slowest_handler=slowest,
            slowest_ms=slow.get(slowest, 0.0),
        )

    def stop(self, deadline_s: float = 5.0) -> StopResult:
        """Take nothing more, handle what is queued, end the thread; the second call returns the first one's result.

        Timers that are not due yet do not fire any more.

        Blocks: until the queue is empty, at most `deadline_s` and a fifth of a second.

        Raises:
            InvariantBroken: called on the engine's own thread.
        """
        if self._is_owner():
            raise InvariantBroken(f"{self.name} cannot stop itself; ask another thread")
        with self._life:
            if self._result is None:
                self._result = self._stop(deadline_s)
            return self._result

    def _stop(self, deadline_s: float) -> StopResult:
        loop, thread = self._loop, self._thread
        before = sum(loop.handled_per_class().values())
        loop.stop_by_s = time.perf_counter() + deadline_s
        self._close()
        overran = ""
        if thread is not None:
            self.wake()
            thread.join(deadline_s)
            loop.abandoned = thread.is_alive()
            thread.join(_GRACE_S)
            overran = self.name if thread.is_alive() else ""
        left = self._seal()
        if loop.current is not NOTHING:
            left.insert(0, loop.current)
        loop.dead_letters.keep_left(left)
        handled = sum(loop.handled_per_class().values()) - before
        return StopResult(handled, count_by_kind(left), overran)

    @override
    def _is_owner(self) -> bool:
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        loop, orderly = self._loop, False
        try:
            while not self._closed:
                loop.work()
                loop.look_at_timers()
                self._wait(loop.seconds_to_timer())
            loop.work()
            orderly = True
        except Abandoned:
            orderly = True
        finally:
            if not orderly:
                self._close()
                loop.on_core_failure(f"{self.name} died of {sys.exception()!r}")

    def _on_start_timer(self, command: StartTimer) -> None:
        self.dispatcher.set_timer(command.owner, command.name, command.delay_ns, command.interval_ns)

    def _on_replay(self, command: ReplayDeadLetters) -> None:
        self.dispatcher.replay_dead_letters(command.owner)
