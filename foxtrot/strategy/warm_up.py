"""The warm-up of one strategy: history asked of the venue, collected, and given out in the order in which bars closed."""

from foxtrot.core.notices import HistoryLoaded, TimerFired
from foxtrot.domain.errors import StrategyFailed
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.strategy.seat import Seat

DEADLINE_NS = 60_000_000_000
"""How long a strategy waits for its history before it fails."""


class WarmUp:
    """Wishes of load_bar on their way. The adapter loads them in its own thread; nothing waits here.

    Thread: the dispatcher's.
    """

    def __init__(self, seat: Seat, request_id: str, interval: str) -> None:
        self._seat = seat
        self._request_id = request_id
        self._interval = interval
        self._awaited = dict(seat.warm_up)
        self._bars: list[BarData] = []
        self._deadline_id = seat.dispatcher.set_timer(seat.strategy_id, "warm-up deadline", DEADLINE_NS)

    @property
    def is_complete(self) -> bool:
        """Tell whether every answer is in."""
        return not self._awaited

    def ask(self) -> None:
        """Ask the account's adapter for the bars of every instrument."""
        seat = self._seat
        adapter = seat.parts.adapters[seat.account]
        end_ns = seat.clock.now_ns()
        for instrument_id, count in tuple(self._awaited.items()):
            adapter.query_history(HistoryRequest(self._request_id, instrument_id, self._interval, count, end_ns))

    def take(self, loaded: HistoryLoaded) -> str:
        """Take an answer; returns what is wrong with it, empty when nothing is.

        Raises:
            StrategyFailed: there is an error and no bars.
        """
        count = self._awaited.pop(loaded.instrument_id, 0)
        if not count:
            return ""
        what = f"warm-up of {loaded.instrument_id} {self._interval}"
        if loaded.error and not loaded.bars:
            raise StrategyFailed(f"{what} failed: {loaded.error}")
        self._bars += loaded.bars
        return (
            ""
            if len(loaded.bars) >= count
            else f"{what}: only {len(loaded.bars)} of {count} bars {loaded.error}".rstrip()
        )

    def bars(self) -> list[BarData]:
        """Return the bars in the order in which they closed, each once."""
        place = {instrument_id: index for index, instrument_id in enumerate(self._seat.symbols)}
        known = {(bar.instrument_id, bar.open_time_ns): bar for bar in self._bars}
        return sorted(known.values(), key=lambda bar: (bar.close_time_ns, place.get(bar.instrument_id, len(place))))

    def check_deadline(self, timer: TimerFired) -> None:
        """Look whether a timer is the deadline.

        Raises:
            StrategyFailed: it is.
        """
        if timer.timer_id == self._deadline_id:
            missing = ", ".join(self._awaited)
            raise StrategyFailed(f"no history of {missing} within {DEADLINE_NS / 1e9:g} s")

    def cancel_deadline(self) -> None:
        """Wait no longer."""
        self._seat.dispatcher.cancel_timer(self._deadline_id)
