"""What strategies say during a backtest, in the log: at the simulated time, on stderr."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loguru import logger

from foxtrot.app.logging_setup import start_logging
from foxtrot.core.notices import StrategyLog

if TYPE_CHECKING:
    from loguru import Record

CAPACITY = 100_000
"""Lines of DEBUG and INFO that may wait: history is replayed faster than a terminal shows it."""
DEADLINE_S = 10.0


@contextlib.contextmanager
def strategy_log(*, debug: bool = False) -> Iterator[Callable[[StrategyLog], None]]:
    """Log to stderr while the block runs; gives the function that writes a line.

    Blocks: at its end, until what waits is written, 10 s at most.
    """
    writer = start_logging("DEBUG" if debug else "INFO", capacity=CAPACITY)
    try:
        yield write_line
    finally:
        writer.stop(DEADLINE_S)


def write_line(line: StrategyLog) -> None:
    """Log one line of a strategy at the time at which it was said."""
    moment = datetime.fromtimestamp(line.local_time_ns // 10**9, UTC)
    moment = moment.replace(microsecond=line.local_time_ns % 10**9 // 1_000)

    def at_simulated_time(record: "Record") -> None:
        record["time"] = moment

    text = " ".join(line.text.split()) if line.level == "ERROR" else line.text
    logger.patch(at_simulated_time).bind(strategy_id=line.strategy_id).log(line.level, "{}", text)
