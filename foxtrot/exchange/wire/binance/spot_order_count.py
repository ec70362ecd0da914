"""How many orders an account entered in the windows for which Binance counts them."""

from collections import deque

_SECOND_NS = 1_000_000_000
_DAY_NS = 86_400 * _SECOND_NS
_PER_TEN_SECONDS, _PER_DAY = 50, 160_000


class OrderCount:
    """Times of the orders of each account, as long as a window needs them.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._recent: dict[str, deque[int]] = {}
        self._days: dict[str, tuple[int, int]] = {}

    def add(self, account: str, time_ns: int) -> None:
        """Count one order.

        Source: Binance spot API, REST, Query Unfilled Order Count.
        """
        self._recent.setdefault(account, deque()).append(time_ns)
        day, count = self._day(account, time_ns)
        self._days[account] = day, count + 1
        self._forget(account, time_ns)

    def rows(self, account: str, time_ns: int) -> list[dict[str, object]]:
        """Return the windows with their limits and counts.

        Source: Binance spot API, REST, Query Unfilled Order Count.
        """
        self._forget(account, time_ns)
        windows = (
            ("SECOND", 10, _PER_TEN_SECONDS, len(self._recent.get(account, ()))),
            ("DAY", 1, _PER_DAY, self._day(account, time_ns)[1]),
        )
        return [
            {"rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": limit, "count": count}
            for interval, number, limit, count in windows
        ]

    def _day(self, account: str, time_ns: int) -> tuple[int, int]:
        day, count = self._days.get(account, (0, 0))
        today = time_ns // _DAY_NS
        return (today, count) if day == today else (today, 0)

    def _forget(self, account: str, time_ns: int) -> None:
        recent = self._recent.get(account)
        while recent and recent[0] <= time_ns - 10 * _SECOND_NS:
            recent.popleft()
