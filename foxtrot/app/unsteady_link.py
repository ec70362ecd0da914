"""When a venue falls back so often that somebody must hear of it: counts in a sliding window, told once; pure."""

from collections import deque
from typing import Final

import msgspec

SECOND_NS: Final = 1_000_000_000
CALM_SHARE: Final = 0.5
"""An alert that was told may be told again once every count is at or below this share of its limit."""


class UnsteadyRule(msgspec.Struct, frozen=True):
    """How many of each are too many within a window; 0 is no limit."""

    rest_fallbacks: int = 50
    reconnects: int = 5
    window_s: float = 300.0


class UnsteadyCounts(msgspec.Struct, frozen=True):
    """How often a link fell back to requests, and how often a connection was made again, within the window."""

    rest_fallbacks: int = 0
    reconnects: int = 0


class UnsteadyLink:
    """Judges one account's link by its totals.

    Thread: whoever looks.
    """

    def __init__(self, rule: UnsteadyRule) -> None:
        self.rule = rule
        self.counts = UnsteadyCounts()
        self.is_unsteady = False
        """Whether it was told and has not been calm since."""
        self.alerts = 0
        self._totals: deque[tuple[int, int, int]] = deque()  # when totals changed, and to what

    def look(self, now_ns: int, rest_fallbacks: int, reconnects: int) -> bool:
        """Take the totals at a monotonic time; True when there is something to tell that was not told before."""
        totals = self._totals
        if not totals or totals[-1][1:] != (rest_fallbacks, reconnects):
            totals.append((now_ns, rest_fallbacks, reconnects))
        begin_ns = now_ns - int(self.rule.window_s * SECOND_NS)
        while len(totals) > 1 and totals[1][0] <= begin_ns:
            totals.popleft()
        _, fallbacks_before, reconnects_before = totals[0]
        self.counts = UnsteadyCounts(rest_fallbacks - fallbacks_before, reconnects - reconnects_before)
        if self.is_unsteady:
            self.is_unsteady = not self._within(CALM_SHARE)
            return False
        self.is_unsteady = not self._within(1.0)
        self.alerts += self.is_unsteady
        return self.is_unsteady

    def _within(self, share: float) -> bool:
        rule, counts = self.rule, self.counts
        limits = ((counts.rest_fallbacks, rule.rest_fallbacks), (counts.reconnects, rule.reconnects))
        return all(not limit or count <= limit * share for count, limit in limits)
