"""The engine: one thread around a dispatcher, two lanes that any thread may put into.

Promises:
- `put` never blocks. If it did not raise, the event is handled before `stop` returns, or is listed in the result of `stop`
  and kept as a dead letter. After `stop` it raises.
- The control lane is handled first and never drops. The market lane is bounded: see core/lanes.py.
- accepted = handled + conflated + left, at any quiet moment.

How it waits: the thread sleeps on `_wake` (a lock used as a binary semaphore). It first sets `_waiting`, then looks at the
lanes once more; a producer first appends, then looks at `_waiting`. So one of the two always sees the other.
"""

import threading
import time
from collections import deque
from itertools import count

import msgspec

from foxtrot.core.backpressure import GapToken, MarketOverflow, PendingToken
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.commands import ReplayDeadLetters, StartTimer
from foxtrot.core.dispatcher import DeadLetter, Dispatcher
from foxtrot.core.lanes import MARKET_LANE, Overflow
from foxtrot.core.timers import NEVER_NS
from foxtrot.domain.errors import InvariantBroken, QueueClosed

HIGH_WATER = 10_000
_PROBE_EVERY = 64
_LAG_SAMPLES = 4096


class _Probe:
    """A marker in a lane that measures how long things wait there."""

    __slots__ = ("put_ns",)

    def __init__(self, put_ns: int) -> None:
        self.put_ns = put_ns


class EngineStatistics(msgspec.Struct, frozen=True):
    """What the engine did so far; lags are microseconds from put to handling, sampled one event in 64."""

    accepted: int
    handled: int
    conflated: int
    left: int
    depth: int
    peak_depth: int
    failures: int
    lag_p50_us: float
    lag_p99_us: float
    events_per_class: dict[str, int]
    slow_handlers: dict[str, float]
    slowest_handler: str
    slowest_ms: float


class StopResult(msgspec.Struct, frozen=True):
    """How a stop went: events handled and left behind by class and instrument; `overran` names a thread past its deadline."""

    handled: int
    left: dict[str, int]
    overran: str


class EventEngine:
    """The thread `foxtrot-engine` and everything that crosses into it.

    Thread: `put`, `statistics`, `start`, `stop` from any; handlers run on foxtrot-engine only.
    """

    def __init__(
        self, clock: Clock | None = None, *, high_water: int = HIGH_WATER, name: str = "foxtrot-engine"
    ) -> None:
        self.dispatcher = Dispatcher(clock or SystemClock())
        self.clock = self.dispatcher.clock
        self.name = name
        self._control = self.dispatcher.control
        self._market = self.dispatcher.market
        self._high_water = high_water
        self._overflow = MarketOverflow(self._market)
        self._accepted = count(1)
        self._retracted = count(1)
        self._internal = 0
        self._waiting = False
        self._wake = threading.Lock()
        self._wake.acquire()
        self._closed = False
        self._finished = False
        self._abandoned = False
        self._stop_by_ns = NEVER_NS
        self._peak_depth = 0
        self._counts: dict[type, int] = {}
        self._lags: deque[int] = deque(maxlen=_LAG_SAMPLES)
        self._life = threading.Lock()  # guards start and stop against each other
        self._thread: threading.Thread | None = None
        self._result: StopResult | None = None
        self.dispatcher.put = self._put_inside  # type: ignore[method-assign]
        self.dispatcher.subscribe(StartTimer, self._on_start_timer, owner="engine")
        self.dispatcher.subscribe(ReplayDeadLetters, self._on_replay, owner="engine")

    def start(self) -> None:
        """Start the thread.

        Raises:
            InvariantBroken: it was started before.
        """
        with self._life:
            if self._thread is not None:
                raise InvariantBroken("the event engine was started before; make a new one")
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    @property
    def running(self) -> bool:
        """Tell whether events are being handled."""
        return self._thread is not None and not self._closed

    def put(self, event: object) -> None:
        """Queue an event from any thread and return at once.

        Raises:
            QueueClosed: the engine has stopped; the event was not taken.
        """
        if self._closed:
            raise QueueClosed(f"the engine has stopped; {type(event).__name__} was not taken")
        overflow = MARKET_LANE.get(type(event))
        if overflow is None:
            lane = self._control
            lane.append(event)
        else:
            lane = self._market
            if len(lane) >= self._high_water and overflow is not Overflow.KEEP:
                self._overflow.take(event, overflow)
            else:
                if self._overflow.gaps:
                    self._overflow.end_gap(event)
                lane.append(event)
        if not next(self._accepted) % _PROBE_EVERY:
            lane.append(_Probe(time.perf_counter_ns()))
        if self._waiting:
            self._rouse()
        if self._finished:
            self._retract(lane, event)

    def statistics(self) -> EngineStatistics:
        """Return counters and lags as they are now."""
        lags = sorted(self._lags.copy())
        slow = dict(self.dispatcher.slow_handlers)
        slowest = max(slow, key=lambda name: slow[name], default="")
        counts = {cls.__name__: n for cls, n in list(self._counts.items())}
        return EngineStatistics(
            accepted=self._accepted_count(),
            handled=sum(counts.values()) - self._internal,
            conflated=self._overflow.conflated,
            left=sum(self._result.left.values()) if self._result else 0,
            depth=len(self._control) + len(self._market),
            peak_depth=self._peak_depth,
            failures=self.dispatcher.failures,
            lag_p50_us=_percentile_us(lags, 0.50),
            lag_p99_us=_percentile_us(lags, 0.99),
            events_per_class=counts,
            slow_handlers=slow,
            slowest_handler=slowest,
            slowest_ms=slow.get(slowest, 0.0),
        )

    def stop(self, deadline_s: float = 5.0) -> StopResult:
        """Take nothing more, handle what is queued, end the thread; the second call returns the first one's result.

        Blocks: until the queue is empty, at most `deadline_s` and the handler in progress.

        Raises:
            InvariantBroken: called on the engine's own thread.
        """
        if threading.current_thread() is self._thread:
            raise InvariantBroken("the engine cannot stop itself; ask another thread")
        with self._life:
            if self._result is None:
                self._result = self._stop(deadline_s)
            return self._result

    def _stop(self, deadline_s: float) -> StopResult:
        before = self.dispatcher.sequence
        self._stop_by_ns = time.monotonic_ns() + int(deadline_s * 1e9)
        self._closed = True
        overran = ""
        if self._thread is None:
            self._finished = True
        else:
            self._rouse()
            self._thread.join(deadline_s + 0.05)
            if self._thread.is_alive():
                overran = self.name
                self._abandoned = True
                self._finished = True
        return StopResult(self.dispatcher.sequence - before, self._collect_left(), overran)

    def _run(self) -> None:
        loop = _Loop(self)
        while not self._closed:
            loop.run_until_idle(NEVER_NS)
            self._sleep()
        loop.run_until_idle(self._stop_by_ns)
        self._finished = True
        loop.run_until_idle(self._stop_by_ns)

    def _sleep(self) -> None:
        due_ns = self.dispatcher.timers.next_due_ns
        self._waiting = True
        if not (self._control or self._market or self._closed):
            timeout_s = -1.0 if due_ns == NEVER_NS else max(0.0, (due_ns - self.clock.monotonic_ns()) / 1e9)
            self._wake.acquire(timeout=min(timeout_s, 3600.0))
        self._waiting = False
        self.queue_due_timers()

    def queue_due_timers(self) -> None:
        """Queue the timers that are due; called on the engine thread."""
        timers = self.dispatcher.timers
        now_ns = self.clock.monotonic_ns()
        while timers.next_due_ns <= now_ns:
            fired = timers.pop_due(now_ns)
            if fired is not None:
                self._put_inside(fired)

    def _rouse(self) -> None:
        self._waiting = False
        try:
            self._wake.release()
        except RuntimeError:  # another producer was first: the thread is awake
            return

    def _put_inside(self, event: object) -> None:
        """Take an event from a handler: also while stopping, since it is a consequence of one already taken."""
        if type(event) in MARKET_LANE and not self._closed:
            self.put(event)
            return
        next(self._accepted)
        (self._market if type(event) in MARKET_LANE else self._control).append(event)
        if self._waiting:
            self._rouse()

    def _retract(self, lane: deque[object], event: object) -> None:
        """The thread had ended while the event was put: take it back, or leave it if it was still handled."""
        try:
            lane.remove(event)
        except ValueError:
            return
        next(self._retracted)
        raise QueueClosed(f"the engine has stopped; {type(event).__name__} was not taken")

    def _accepted_count(self) -> int:
        return _peek(self._accepted) - _peek(self._retracted)

    def _collect_left(self) -> dict[str, int]:
        left: dict[str, int] = {}
        for lane in (self._control, self._market):
            while lane:
                for event in self._overflow.unwrap(lane.popleft()):
                    if isinstance(event, _Probe):
                        continue
                    instrument = getattr(event, "instrument_id", "")
                    label = f"{type(event).__name__} {instrument}".rstrip()
                    left[label] = left.get(label, 0) + 1
                    self.dispatcher.dead_letters.append(DeadLetter("engine", "stop", event, "not handled in time", 0))
        return left

    def _on_start_timer(self, command: StartTimer) -> None:
        self.dispatcher.set_timer(command.owner, command.name, command.delay_ns, command.interval_ns)

    def _on_replay(self, command: ReplayDeadLetters) -> None:
        self.dispatcher.replay_dead_letters(command.owner)


class _Loop:
    """The hot loop: lanes to dispatcher, with the clock read once per event.

    Thread: foxtrot-engine.
    """

    __slots__ = ("_dispatch", "_engine")

    def __init__(self, engine: EventEngine) -> None:
        self._engine = engine
        self._dispatch = engine.dispatcher.dispatch_timed

    def run_until_idle(self, stop_by_ns: int) -> None:
        """Handle events until both lanes are empty, or until a time on the monotonic clock."""
        engine = self._engine
        control, market, counts = engine._control, engine._market, engine._counts
        dispatch, timers = self._dispatch, engine.dispatcher.timers
        started_ns = time.perf_counter_ns()
        handled = 0
        while control or market:
            event = control.popleft() if control else market.popleft()
            event_class = type(event)
            if event_class in _TOKENS:
                event = self._open_token(event)
                if event is None:
                    continue
                event_class = type(event)
            counts[event_class] = counts.get(event_class, 0) + 1
            started_ns = dispatch(event, started_ns)
            handled += 1
            if not handled & 31 and self._between(stop_by_ns):
                return
            if timers.next_due_ns != NEVER_NS and timers.next_due_ns <= engine.clock.monotonic_ns():
                engine.queue_due_timers()

    def _between(self, stop_by_ns: int) -> bool:
        """Note the depth; tell whether to give up."""
        engine = self._engine
        depth = len(engine._control) + len(engine._market)
        engine._peak_depth = max(engine._peak_depth, depth)
        return engine._abandoned or (stop_by_ns != NEVER_NS and time.monotonic_ns() > stop_by_ns)

    def _open_token(self, token: object) -> object | None:
        engine = self._engine
        if isinstance(token, _Probe):
            engine._lags.append(time.perf_counter_ns() - token.put_ns)
            return None
        for event in engine._overflow.unwrap(token):
            if isinstance(token, GapToken):
                engine._internal += 1
            return event
        return None


_TOKENS = frozenset({_Probe, PendingToken, GapToken})


def _peek(counter: "count[int]") -> int:
    """Return how often an itertools.count from 1 was advanced; advancing it is atomic, so it counts over threads."""
    return int(repr(counter)[6:-1]) - 1


def _percentile_us(sorted_ns: list[int], share: float) -> float:
    if not sorted_ns:
        return 0.0
    return sorted_ns[min(len(sorted_ns) - 1, int(share * len(sorted_ns)))] / 1000
