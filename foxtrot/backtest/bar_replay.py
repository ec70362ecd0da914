"""Bars as history: moves the clock, lets the fill model act, and gives every bar to the line at its close."""

from collections.abc import Callable, Iterator

import numpy as np

from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.columns import BarColumns
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.domain.market import BarData
from foxtrot.exchange.commands import AdvanceTime
from foxtrot.exchange.venue import Venue

CHUNK = 8_192
Row = tuple[int, int, float, float, float, float, float]
"""(open time, close time, open, high, low, close, volume)"""


class BarReplay:
    """Replays the bars of one or many instruments in time order.

    `broken` is set when the line itself failed: the replay ends soon after. `step` counts the moments at which bars have closed: what is filled at the open after the n-th close belongs to step n.

    Thread: the backtest's.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: ManualClock,
        venue: Venue,
        delayed: Callable[[int], None],
        progress: Callable[[int], None],
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._venue = venue
        self._delayed = delayed
        self._progress = progress
        self.step = 0
        self.broken = False
        self.bars = 0

    def run_one(self, columns: BarColumns, fills: BarFills, first: int) -> None:
        """Replay one instrument from a row on: the fast way, with nothing to merge."""
        dispatcher, clock, parked = self._dispatcher, self._clock, fills.parked
        dispatch, control, timers = dispatcher.dispatch, dispatcher.control, dispatcher.timers
        name, interval = columns.instrument_id, columns.interval
        for chunk in chunks(columns, first):
            if self.broken:
                return
            for row in chunk:
                open_ns, close_ns, opening, high, low, close, volume = row
                if parked:
                    self._fill(fills, row)
                clock.move_to(close_ns)
                if timers.next_due_ns <= close_ns:
                    dispatcher.fire_timers(close_ns)
                dispatch(
                    BarData(name, interval, open_ns, close_ns, opening, high, low, close, volume, 0.0, 0, close_ns)
                )
                if control:
                    dispatcher.drain()
                self.step += 1
            self.bars += len(chunk)
            self._progress(self.bars)

    def run_many(self, columns: tuple[BarColumns, ...], fills: tuple[BarFills, ...], firsts: tuple[int, ...]) -> None:
        """Replay several instruments: at one moment all closes come before all opens, instruments in the order given."""
        rows = [
            [row for chunk in chunks(bars, first) for row in chunk] for bars, first in zip(columns, firsts, strict=True)
        ]
        moments = _moments(rows)
        last_close = -1
        for time_ns, is_open, index, number in moments:
            row = rows[index][number]
            if is_open:
                if fills[index].parked:
                    self._open(fills[index], row)
                continue
            if fills[index].parked:
                self._close(fills[index], row)
            self._clock.move_to(time_ns)
            if time_ns != last_close:
                self.step += last_close >= 0
                last_close = time_ns
                self._dispatcher.fire_timers(time_ns)
            bars = columns[index]
            self._dispatcher.dispatch(
                BarData(bars.instrument_id, bars.interval, row[0], row[1], *row[2:], 0.0, 0, row[1])
            )
            self._dispatcher.drain()
            self.bars += 1
            if not self.bars % CHUNK:
                self._progress(self.bars)
        self.step += 1

    def _fill(self, fills: BarFills, row: Row) -> None:
        self._open(fills, row)
        if fills.parked:
            self._close(fills, row)

    def _open(self, fills: BarFills, row: Row) -> None:
        self._move(max(row[0], self._clock.now_ns()))
        fills.at_open(row[0], row[2:6], row[6])
        self._dispatcher.drain()

    def _close(self, fills: BarFills, row: Row) -> None:
        self._move(row[1])
        fills.stops(row[1])
        self._dispatcher.drain()
        fills.targets(row[1])
        self._dispatcher.drain()

    def _move(self, time_ns: int) -> None:
        """Let time pass at the venue: expiries, and what latency has delayed."""
        self._delayed(time_ns)
        self._clock.move_to(time_ns)
        due_ns = self._venue.next_timer_ns()
        if due_ns is not None and due_ns <= time_ns:
            self._venue.execute(AdvanceTime(time_ns))
            self._dispatcher.drain()


def chunks(columns: BarColumns, first: int) -> Iterator[list[Row]]:
    """Yield rows of Python numbers, some thousands at a time, so that memory stays that of the columns."""
    for start in range(first, len(columns), CHUNK):
        part = slice(start, start + CHUNK)
        yield list(
            zip(
                columns.open_time_ns[part].tolist(), columns.close_time_ns[part].tolist(), columns.open[part].tolist(),
                columns.high[part].tolist(), columns.low[part].tolist(), columns.close[part].tolist(),
                columns.volume[part].tolist(), strict=True,
            )
        )  # fmt: skip


def _moments(rows: list[list[Row]]) -> list[tuple[int, int, int, int]]:
    """Return (time, is open, instrument, row) of every open and close, in the order they happen."""
    times: list[int] = []
    opens: list[int] = []
    instruments: list[int] = []
    numbers: list[int] = []
    for index, table in enumerate(rows):
        for is_open in (1, 0):
            times += [row[0] if is_open else row[1] for row in table]
            opens += [is_open] * len(table)
            instruments += [index] * len(table)
            numbers += range(len(table))
    order = np.lexsort((numbers, instruments, opens, times)).tolist()
    return [(times[i], opens[i], instruments[i], numbers[i]) for i in order]
