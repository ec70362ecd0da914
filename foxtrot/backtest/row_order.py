"""Whether rows stand in time order, and the one disorder that is forgiven: all of them newest first."""

import numpy as np

from foxtrot.backtest.columns import Int64Column
from foxtrot.backtest.table import Table

_FORWARD = slice(None)
_REVERSED = slice(None, None, -1)


def in_time_order(table: Table, times_ns: Int64Column, *, strict: bool) -> tuple[slice, tuple[str, ...]]:
    """Return the slice that puts the rows oldest first, and a note if that reverses them.

    Args:
        table: names the place of a fault.
        times_ns: the time of each row, UTC ns.
        strict: whether two rows of one time are a fault (bars) or not (trades, quotes).

    Raises:
        InputError: time goes backwards, or stands twice where it must not.
    """
    steps = np.diff(times_ns)
    if (steps > 0).all() if strict else (steps >= 0).all():
        return _FORWARD, ()
    if (steps < 0).all() if strict else (steps <= 0).all():
        return _REVERSED, ("rows are newest first: reversed",)
    row = int(np.argmax(steps <= 0 if strict else steps < 0)) + 1
    time, before = (np.datetime_as_string(moment, timezone="UTC") for moment in times_ns[[row, row - 1]].view("M8[ns]"))
    if steps[row - 1] == 0:
        raise table.refusal(row, f"time {time} stands twice", "keep one of the rows")
    raise table.refusal(row, f"time goes backwards from {before} to {time}", "sort the rows by time")
