"""A strategy's timers: after a delay, again and again, or at a time of day."""

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import TimerFired
from foxtrot.strategy.asked_amounts import timer_delay_ns
from foxtrot.strategy.daily_timer import DailyTimer


class SeatTimers:
    """The timers of one strategy, which end with it.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, strategy_id: str) -> None:
        self._dispatcher = dispatcher
        self._clock = dispatcher.clock
        self._owner = strategy_id
        self._daily: dict[int, tuple[DailyTimer, int]] = {}

    def set(self, name: str, seconds: float, *, repeat: bool) -> int:
        """Set a timer on the dispatcher.

        Raises:
            ConfigError: the time is not finite or not above 0.
        """
        delay_ns = timer_delay_ns(f"{self._owner}: timer {name!r}", seconds)
        return self._dispatcher.set_timer(self._owner, name, delay_ns, delay_ns if repeat else 0)

    def at(self, wall_time: str, tz: str, name: str) -> None:
        """Set a timer for the next such time of day; it is set again each time it fires.

        Raises:
            ConfigError: the time is not HH:MM or HH:MM:SS, or the zone is not known.
        """
        self._set_daily(DailyTimer.of(wall_time, tz, name), self._clock.now_ns())

    def hear(self, timer: TimerFired) -> None:
        """Set a daily timer for its next day; others need nothing."""
        daily = self._daily.pop(timer.timer_id, None)
        if daily is not None:
            self._set_daily(daily[0], max(daily[1], self._clock.now_ns()))

    def cancel(self) -> None:
        """Cancel every timer of the strategy."""
        self._daily.clear()
        self._dispatcher.timers.cancel_owner(self._owner)

    def _set_daily(self, daily: DailyTimer, after_ns: int) -> None:
        due_ns = daily.next_after(after_ns)
        delay_ns = max(0, due_ns - self._clock.now_ns())
        timer_id = self._dispatcher.set_timer(self._owner, daily.name, delay_ns)
        self._daily[timer_id] = (daily, due_ns)
