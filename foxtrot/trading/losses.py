"""Loss limits: equity by scope since the start of the trading day and since its peak."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.trading.limits import Limits


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
    """Equity of each scope at the start of the day and at its peak.

    Thread: the dispatcher's.
    """

    def __init__(self, day: TradingDay) -> None:
        self._day = day
        self._day_of: dict[str, int] = {}
        self._at_start: dict[str, Decimal] = {}
        self._peak: dict[str, Decimal] = {}

    def mark(self, scope: str, equity: Decimal, now_ns: int) -> None:
        """Note the equity of a scope."""
        day = self._day.start_of(now_ns)
        if self._day_of.get(scope) != day:
            self._day_of[scope] = day
            self._at_start[scope] = equity
        self._peak[scope] = max(equity, self._peak.get(scope, equity))

    def forget(self, scope: str) -> None:
        """Let the losses of a scope count from its next mark on."""
        self._day_of.pop(scope, None)
        self._peak.pop(scope, None)

    def check(self, scope: str, limits: Limits, equity: Decimal) -> None:
        """Refuse when a scope has lost more than it may today, or since its peak.

        Raises:
            OrderRefused: rule max_daily_loss or max_drawdown.
        """
        lost = self._at_start[scope] - equity
        if limits.max_daily_loss and lost >= limits.max_daily_loss:
            raise OrderRefused("max_daily_loss", f"{limits.max_daily_loss} of {scope}", f"{lost}")
        fallen = self._peak[scope] - equity
        if limits.max_drawdown and fallen >= limits.max_drawdown:
            raise OrderRefused("max_drawdown", f"{limits.max_drawdown} of {scope}", f"{fallen}")
