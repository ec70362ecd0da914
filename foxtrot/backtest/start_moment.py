"""The moment a backtest starts: when every warm-up that the strategies ask for is over, the same for all of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.depth_capture import DepthCapture
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.subscription import HistoryRequest


def start_moment(bars: Sequence[BarColumns], wishes: Iterable[HistoryRequest]) -> int:
    """Return the first moment at which every wish has its bars closed, or as many as there are.

    Args:
        bars: all bars of the backtest.
        wishes: what load_bar asked for, each of one of these instruments.

    Returns:
        UTC ns.
    """
    closes = {columns.instrument_id: columns.close_time_ns for columns in bars}
    return max(int(closes[wish.instrument_id][min(wish.count, len(closes[wish.instrument_id])) - 1]) for wish in wishes)


def rows_until(columns: BarColumns, time_ns: int) -> int:
    """Return how many bars have closed at or before a moment."""
    return int(np.searchsorted(columns.close_time_ns, time_ns, side="right"))


def check_captures(captures: Iterable[DepthCapture], start_ns: int) -> None:
    """Check that no capture begins before the start: its book cannot be joined in the middle.

    Raises:
        ConfigError: one does.
    """
    for capture in captures:
        if capture.start_ns < start_ns:
            start = datetime.fromtimestamp(start_ns // 10**9, UTC)
            raise ConfigError(
                f"the warm-up lasts until {start:%Y-%m-%d %H:%M:%S} and the depth of {capture.instrument_id} begins "
                "before; give bars that begin earlier, or ask load_bar for fewer"
            )
