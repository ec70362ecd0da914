"""History in time order: moves the clock, lets each moment happen at the venue, and gives the platform what it hears of it."""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge

from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.bar_rows import Row, chunks
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.feed import Feed
from foxtrot.backtest.fill_model import FillModel
from foxtrot.backtest.sources import CLOSE, Source
from foxtrot.backtest.tick_fills import TickFills
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.timers import NEVER_NS
from foxtrot.domain.market import BarData
from foxtrot.exchange.commands import AdvanceTime

CHUNK = 8_192


class Replay:
    """Replays history through the line.

    At one time, first whatever latency has delayed until then happens, then timers fire, then bars close, bars open, ticks
    happen. `broken` is set when the line itself failed: the replay ends soon after. `at_close` is called when all bars that
    close at one time have been heard.

    Thread: the backtest's.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: ManualClock,
        session: SimulatedSession,
        feed: Feed,
        progress: Callable[[int], None],
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._session = session
        self._venue = session.venue
        self._feed = feed
        self._progress = progress
        self._models: tuple[TickFills, ...] = ()
        self.at_close: Callable[[], None] | None = None
        self.broken = False
        self.moments = 0

    def run_one(self, columns: BarColumns, fills: BarFills, first: int) -> None:
        """Replay the bars of one instrument from a row on: the fast way, with nothing to merge."""
        self._dispatcher.dispatch_run(BarData, columns.instrument_id, self._closes(columns, fills, first))

    def _closes(self, columns: BarColumns, fills: BarFills, first: int) -> Iterator[BarData]:
        """Yield each bar at its close, when all that happens before it is done."""
        name, interval = columns.instrument_id, columns.interval
        clock, parked, timers, at_close = self._clock, fills.parked, self._dispatcher.timers, self.at_close
        delayed = bool(self._session.latency_ns)
        for chunk in chunks(columns, first):
            if self.broken:
                return
            for row in chunk:
                open_ns, close_ns, opening, high, low, close, volume = row
                if parked or delayed or timers.next_due_ns < close_ns:
                    self._inside(fills, row)
                if delayed or timers.next_due_ns <= close_ns:
                    self.advance(close_ns)
                else:
                    clock.move_to(close_ns)
                yield BarData(name, interval, open_ns, close_ns, opening, high, low, close, volume, 0.0, 0, close_ns)
                if at_close is not None:
                    at_close()
            self.moments += len(chunk)
            self._progress(self.moments)

    def run(self, sources: Sequence[Source], models: Sequence[FillModel]) -> None:
        """Replay several sources together."""
        self._models = tuple(model for model in models if isinstance(model, TickFills))
        numbered = [_numbered(source, index) for index, source in enumerate(sources)]
        drain, control, market = self._dispatcher.drain, self._dispatcher.control, self._dispatcher.market
        closed_ns = -1
        for time_ns, rank, index, _ in merge(*numbered):
            if closed_ns >= 0 and (rank != CLOSE or time_ns != closed_ns):
                self._closed()
            closed_ns = time_ns if rank == CLOSE else -1
            self.advance(time_ns)
            sources[index].happen(time_ns, rank)
            if control or market or self._has_arrivals():
                drain()
                self._settle()
            self.moments += 1
            if not self.moments % CHUNK:
                self._progress(self.moments)
                if self.broken:
                    return
        self._closed()
        self._progress(self.moments)

    def advance(self, time_ns: int) -> None:
        """Let time pass: what latency has delayed, timers and expiries happen, each at its own moment."""
        session, feed, timers, clock = self._session, self._feed, self._dispatcher.timers, self._clock
        while True:
            due_ns = min(session.next_due_ns, feed.next_due_ns, timers.next_due_ns, self._venue_due_ns())
            if due_ns > time_ns:
                break
            if due_ns > clock.now_ns():
                clock.move_to(due_ns)
            self._venue_time(due_ns)
            session.run_due(due_ns)
            self._dispatcher.drain()
            self._settle()
            feed.deliver(due_ns)
            self._settle()
            if timers.next_due_ns <= due_ns:
                self._dispatcher.fire_timers(due_ns)
                self._settle()
        if time_ns > clock.now_ns():
            clock.move_to(time_ns)

    def close_markets(self) -> None:
        """Let no order meet a market any more: history has ended."""
        self._models = ()

    def _inside(self, fills: BarFills, row: Row) -> None:
        """Fill at the open and inside a bar; orders that come in between wait for the next one."""
        open_ns, inside_ns = row[0], row[1] - 1
        drain = self._dispatcher.drain
        self.advance(open_ns)
        if fills.parked:
            fills.at_open(open_ns, row[2:6], row[6])
            drain()
        if not fills.parked:
            return
        self.advance(inside_ns)
        if fills.parked:
            fills.stops(inside_ns)
            drain()
        if fills.parked:
            fills.targets(inside_ns)
            drain()

    def _closed(self) -> None:
        if self.at_close is not None:
            self.at_close()

    def _settle(self) -> None:
        """Let new orders meet the market until nothing more comes of it."""
        drain, now_ns = self._dispatcher.drain, self._clock.now_ns()
        while self._has_arrivals():
            for model in self._models:
                if model.arrived:
                    model.settle(now_ns)
            drain()

    def _has_arrivals(self) -> bool:
        return any(model.arrived for model in self._models)

    def _venue_due_ns(self) -> int:
        due_ns = self._venue.next_timer_ns()
        return NEVER_NS if due_ns is None else due_ns

    def _venue_time(self, time_ns: int) -> None:
        if self._venue_due_ns() <= time_ns:
            self._venue.execute(AdvanceTime(time_ns))


def _numbered(source: Source, index: int) -> Iterator[tuple[int, int, int, int]]:
    for number, (time_ns, rank) in enumerate(source.moments()):
        yield time_ns, rank, index, number
