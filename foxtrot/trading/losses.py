"""Loss limits: what each scope has made since the start of the trading day and since its peak."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.storage.journal_records import LossesMarked
from foxtrot.trading.gate_moves import DecisionJournal
from foxtrot.trading.limits import Limits
from foxtrot.trading.position import ZERO

PEAK_STEP = Decimal("0.01")


class TradingDay:
    """Where a trading day begins, in a time zone.

    Raises (when made):
        ConfigError: the time or the zone is not known.

    Thread: the dispatcher's.
    """

    def __init__(self, timezone: str = "UTC", day_start: str = "00:00") -> None:
        try:
            self._start = time.fromisoformat(day_start)
            self._zone = ZoneInfo(timezone)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise ConfigError(
                f"day_start {day_start!r}, timezone {timezone!r}: give HH:MM and an IANA zone ({error})"
            ) from None
        self._from_ns = 0
        self._until_ns = 0

    def start_of(self, now_ns: int) -> int:
        """Return when the trading day of a moment began, UTC ns."""
        if not self._from_ns <= now_ns < self._until_ns:
            local = datetime.fromtimestamp(now_ns // 1_000_000_000, self._zone)
            begin = datetime.combine(local.date(), self._start, self._zone)
            if begin > local:
                begin = datetime.combine(local.date() - timedelta(days=1), self._start, self._zone)
            end = datetime.combine(begin.date() + timedelta(days=1), self._start, self._zone)
            self._from_ns = int(begin.timestamp()) * 1_000_000_000
            self._until_ns = int(end.timestamp()) * 1_000_000_000
        return self._from_ns


class LossTracker:
    """What each scope had made at the start of the day and at its peak; it outlives a restart.

    A new peak is written down only once it has risen by PEAK_STEP of the drawdown that is allowed: a restart forgets less than that.

    Thread: the dispatcher's.
    """

    def __init__(self, day: TradingDay) -> None:
        self.day = day
        self._marks: dict[str, LossesMarked] = {}
        self._peak: dict[str, Decimal] = {}
        self.journal: DecisionJournal | None = None

    def mark(self, scope: str, worth: Decimal, now_ns: int, limits: Limits) -> None:
        """Note what a scope has made."""
        day_ns, kept = self.day.start_of(now_ns), self._marks.get(scope)
        peak = self._peak[scope] = max(worth, self._peak.get(scope, worth))
        if kept is None or kept.day_ns != day_ns:
            self._keep(LossesMarked(now_ns, scope, day_ns, worth, peak))
        elif limits.max_drawdown and peak - kept.peak >= limits.max_drawdown * PEAK_STEP:
            self._keep(LossesMarked(now_ns, scope, day_ns, kept.at_start, peak))

    def forget(self, scope: str, now_ns: int) -> None:
        """Let the losses of a scope count from its next mark on."""
        if self._marks.pop(scope, None) is not None:
            self._append(LossesMarked(now_ns, scope, 0, ZERO, ZERO))
        self._peak.pop(scope, None)

    def restore(self, marks: Iterable[LossesMarked]) -> None:
        """Go on with what an earlier run marked; a day that has ended since begins anew at the next mark, a peak stays."""
        for mark in marks:
            self._marks[mark.scope] = mark
            self._peak[mark.scope] = mark.peak

    def _keep(self, mark: LossesMarked) -> None:
        self._marks[mark.scope] = mark
        self._append(mark)

    def _append(self, mark: LossesMarked) -> None:
        if self.journal is not None and self.journal.keeps_reports:
            self.journal.append(mark)

    def lost(self, scope: str, worth: Decimal) -> tuple[Decimal, Decimal]:
        """Return what a scope has lost since the day began and since its peak; a gain is below 0, nothing is 0 where it was never marked."""
        mark = self._marks.get(scope)
        return ZERO if mark is None else mark.at_start - worth, self._peak.get(scope, worth) - worth

    def check(self, scope: str, limits: Limits, worth: Decimal) -> None:
        """Refuse when a scope has lost more than it may today, or since its peak.

        Raises:
            OrderRefused: rule max_daily_loss or max_drawdown.
        """
        lost = self._marks[scope].at_start - worth
        if limits.max_daily_loss and lost >= limits.max_daily_loss:
            raise OrderRefused("max_daily_loss", f"{limits.max_daily_loss} of {scope}", f"{lost}")
        fallen = self._peak[scope] - worth
        if limits.max_drawdown and fallen >= limits.max_drawdown:
            raise OrderRefused("max_drawdown", f"{limits.max_drawdown} of {scope}", f"{fallen}")
