"""The engine's loop: the dispatcher as its thread runs it, with a stopwatch on its handlers.

One look at the stopwatch serves all: past `late` the loop sees to timers, to the stop's deadline and to whether a handler was
slow, and sets `late` a tenth of a millisecond ahead. So none of these costs anything in between.

Reading the stopwatch costs as much as a handler. It is read after each handler (fine) unless events queue up; then after each
event. If that finds several handlers slow together, it names them together, and for a second each is measured alone.
"""

from collections import deque
from collections.abc import Callable

from typing_extensions import override

from foxtrot.core.clock import Clock, ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.subscriptions import Subscription
from foxtrot.core.timers import NEVER_NS
from foxtrot.core.tokens import Shed, TimerCheck, Waiting

LOOK_EVERY_S = 0.0001
SLOW_HANDLER_S = 0.005
FINE_BELOW_DEPTH = 256
FINE_AFTER_SLOW_S = 1.0
NOTHING = object()
_LAG_SAMPLES = 4096


class Abandoned(BaseException):
    """The stop's deadline passed during a handler: the loop ends without touching anything more."""


class EngineLoop(Dispatcher):
    """The dispatcher of an event engine.

    Thread: foxtrot-engine; `put` goes through the engine's inbox and wakes nobody, since only this thread calls it.
    """

    guarded: tuple[type[BaseException], ...] = (BaseException,)
    """Nobody stands above this thread to act on a SystemExit: whatever a handler raises is that handler's failure."""

    def __init__(
        self,
        clock: Clock,
        outlet: Callable[[object], None],
        open_token: Callable[[Waiting | Shed], object],
        stopwatch: Callable[[], float],
    ) -> None:
        super().__init__(clock)
        self._steady = clock  # `clock` is what handlers read, and may be a tape's
        self.current = NOTHING
        self.internal = 0
        self.lags: deque[float] = deque(maxlen=_LAG_SAMPLES)
        self.slow_handlers: dict[str, float] = {}
        self.stop_by_s: float | None = None
        self.abandoned = False
        self.peak_depth = 0
        self._outlet = outlet
        self._open_token = open_token
        self._stopwatch = stopwatch
        self._look_every_s = 0.0 if isinstance(clock, ManualClock) else LOOK_EVERY_S
        self._timer_check = TimerCheck()
        self._timer_check_queued = False
        self._going = True
        self._fine_until_s = 0.0

    @override
    def put(self, event: object) -> None:
        """Queue an event; it is handled when the present one is done, also while the engine is stopping."""
        self._outlet(event)

    @override
    def set_timer(self, owner: str, name: str, delay_ns: int, interval_ns: int = 0) -> int:
        """Set a timer as Dispatcher does, by the engine's own clock: when it is due is for the loop alone to know."""
        return self.timers.set(owner, name, self._steady.monotonic_ns() + delay_ns, interval_ns)

    def follow_puts(self, note: Callable[[object], None]) -> None:
        """Tell somebody of every event that is put here, just before it is queued; before the engine starts."""
        outlet = self._outlet

        def noted(event: object) -> None:
            note(event)
            outlet(event)

        self._outlet = noted

    def work(self) -> None:  # noqa: C901  (one flat loop, see below)
        """Handle events until both lanes are empty or the stop's deadline has passed.

        The body of `dispatch` is repeated here because a call per event would be a tenth of the time.

        Raises:
            Abandoned: nobody waits for this thread any more.
        """
        control, market, routes, stopwatch = self.control, self.market, self._routes, self._stopwatch
        late, fine = self._look(stopwatch())
        while self._going:
            if control:
                event = control.popleft()
            elif market:
                event = market.popleft()
            else:
                break
            route = routes.get(type(event))
            if route is None:
                event = self._unwrap(event)
                if event is NOTHING:
                    continue
                route = self._route_of(type(event))
            self.current = event
            self.sequence += 1
            by_key = route.by_key
            subscriptions = route.common if by_key is None else by_key.get(route.key_of(event), route.common)
            for subscription in subscriptions:
                if subscription.active:
                    try:
                        subscription.handler(event)
                    except self.guarded as error:
                        self._fail(subscription, event, error)
                    if fine and stopwatch() > late:
                        late, fine = self._look_after((subscription,), late)
            if not fine and stopwatch() > late:
                late, fine = self._look_after(subscriptions, late)
            route.handled += 1
        self.current = NOTHING

    def seconds_to_timer(self) -> float | None:
        """Return how long to sleep before a timer is due; None when only a wake-up can tell."""
        due_ns = self.timers.next_due_ns
        if due_ns == NEVER_NS or isinstance(self._steady, ManualClock):
            return None
        return (due_ns - self._steady.monotonic_ns()) / 1e9

    def look_at_timers(self) -> None:
        """Queue a check when a timer is due; none fires any more once the engine is stopping."""
        if self._timer_check_queued or self.timers.next_due_ns == NEVER_NS or self.stop_by_s is not None:
            return
        if self.timers.next_due_ns <= self._steady.monotonic_ns():
            self._timer_check_queued = True
            self.control.append(self._timer_check)

    def _look(self, now_s: float) -> tuple[float, bool]:
        """See to everything that has a time; return when to look again and whether to time each handler alone."""
        if self.abandoned:
            raise Abandoned
        self._look_between(now_s)
        fine = len(self.control) + len(self.market) < FINE_BELOW_DEPTH or now_s < self._fine_until_s
        return self._stopwatch() + self._look_every_s, fine

    def _look_after(self, suspects: tuple[Subscription, ...], late_s: float) -> tuple[float, bool]:
        """Look, after handlers that may have been slow; their time is at most a tenth of a millisecond too high."""
        now_s = self._stopwatch()
        took_s = now_s - late_s + self._look_every_s
        if took_s > SLOW_HANDLER_S:
            name = " or ".join(f"{s.owner}: {s.name}" for s in suspects)
            self.slow_handlers[name] = max(self.slow_handlers.get(name, 0.0), took_s * 1e3)
            self._fine_until_s = now_s + FINE_AFTER_SLOW_S
        return self._look(now_s)

    def _look_between(self, now_s: float) -> None:
        self.look_at_timers()
        self.peak_depth = max(self.peak_depth, len(self.control) + len(self.market))
        if self.stop_by_s is not None and now_s > self.stop_by_s:
            self._going = False

    def _unwrap(self, entry: object) -> object:
        """Return the event that an entry of a lane stands for, or NOTHING."""
        if isinstance(entry, Waiting | Shed):
            now_s = self._stopwatch()
            self._look_between(now_s)
            if isinstance(entry, Waiting):
                self.lags.append(now_s - entry.put_s)
            else:
                self.internal += 1
            return self._open_token(entry)
        return self._next_timer() if isinstance(entry, TimerCheck) else entry

    def _next_timer(self) -> object:
        """Return the next due timer, or NOTHING while other control events wait or when it was cancelled."""
        if self.control:
            self.control.append(self._timer_check)
            return NOTHING
        now_ns = self._steady.monotonic_ns()
        fired = self.timers.pop_due(now_ns)
        self._timer_check_queued = fired is not None and self.timers.next_due_ns <= now_ns
        if self._timer_check_queued:
            self.control.append(self._timer_check)
        if fired is None:
            return NOTHING
        self.internal += 1
        return fired
