"""Money over all runs, read out of the journal beside the engine's thread, a page at a time."""

import threading
from decimal import Decimal
from itertools import islice, takewhile
from pathlib import Path
from time import monotonic
from typing import Final

from loguru import logger

from foxtrot.app.history_requests import DayTotals, HistoryFound, ListHistory
from foxtrot.app.money_replay import KINDS, MOST_LINES, MoneyReplay
from foxtrot.domain.errors import FoxtrotError
from foxtrot.storage.journal_reader import JournalView, read_only
from foxtrot.trading.losses import TradingDay
from foxtrot.trading.rates import RateTable

THREAD: Final = "foxtrot-history"
EVERY_S: Final = 0.5
PAGE: Final = 1_000
"""So many rows of a kind are told in one answer."""
REST: Final = 1.0
"""After each page of records the reader rests this many times as long as the page took: the engine comes first."""


class MoneyHistory:
    """Reads what is new in the journal whenever somebody asks, and answers with what is known by then.

    Thread: any; the journal is read by a thread of its own, which ends when it has read all.

    Args:
        path: the journal; without such a file there is no history.
        day: where a trading day begins; this one's own.
        rates: what assets are worth now; asked on the engine's thread.
        base_currency: in what.
    """

    def __init__(
        self, path: Path, day: TradingDay, rates: RateTable, base_currency: str, most_lines: int = MOST_LINES
    ) -> None:
        self._path = path
        self._rates = rates
        self._base = base_currency
        self._lock = threading.Lock()
        self._replay = MoneyReplay(day, most_lines)
        self._sequence = 0
        self._looked_s = float("-inf")
        self._reading = False
        # Once, and not on the engine's thread: a journal is made before whoever reads it.
        self._is_there = path.exists()
        self._is_whole = not self._is_there
        self._error = ""
        self._ended = threading.Event()

    def end(self) -> None:
        """Read no further; idempotent."""
        self._ended.set()

    def answer(self, request: ListHistory) -> HistoryFound:
        """Return a page of what is new to the asker, and have the rest of the journal read; called on the engine's thread."""
        self._look()
        with self._lock:
            replay = self._replay
            days = self._days_after(request.days)
            first = replay.line_count - len(replay.lines) + 1
            skipped = max(0, request.lines - first + 1)
            lines = tuple(islice(replay.lines, skipped, skipped + PAGE))
            costs, assets = tuple(replay.costs.values()), sorted(replay.assets)
            count, changes, reading, error = replay.line_count, replay.changes, not self._is_whole, self._error
        rates = {asset: self._rates.convert(Decimal(1), asset, self._base) for asset in assets}
        return HistoryFound(self._base, days, lines, costs, rates, changes, count, first, reading, error)

    def _days_after(self, change: int) -> tuple[DayTotals, ...]:
        """Return rows that changed later, those that changed first before others, so that the next page goes on behind them."""
        newer = list(takewhile(lambda row: row.change > change, reversed(self._replay.days.values())))
        return tuple(reversed(newer[-PAGE:]))

    def _look(self) -> None:
        now_s = monotonic()
        with self._lock:
            if self._reading or self._ended.is_set() or now_s - self._looked_s < EVERY_S or not self._is_there:
                return
            self._looked_s, self._reading = now_s, True
        threading.Thread(target=self._read, name=THREAD, daemon=True).start()

    def _read(self) -> None:
        error = ""
        try:
            with read_only(self._path) as view:
                while self._read_page(view):
                    pass
        except FoxtrotError as fault:
            error = str(fault)
            if error != self._error:
                logger.warning("the history of money is not whole: {}", error)
        with self._lock:
            self._reading, self._is_whole, self._error = False, True, error

    def _read_page(self, view: JournalView) -> bool:
        """Count one page; False when there was none."""
        began_s = monotonic()
        found = view.after(self._sequence, KINDS)
        for one in found:
            with self._lock:  # for each, so that who asks need not wait for a page
                self._replay.take(one.record)
                self._sequence = one.sequence
        if found:
            with self._lock:
                self._replay.trim()
            self._ended.wait((monotonic() - began_s) * REST)
        return bool(found) and not self._ended.is_set()
