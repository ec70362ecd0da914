"""What the reconciliation knows of one account between its runs."""

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.trading.reconcile_run import Run

OVERLAP_NS = 60_000_000_000
"""How far before the last fill that was known fills are asked for again: a venue's list may lag behind its market."""
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
MOSTLY_SPENT = 0.7
"""From this part of what the venue allows in a minute on, regular looks wait."""
PATIENCE = 3
"""So many regular looks in a row may wait for that."""


class AccountWatch:
    """One account: its adapter, its run, and up to where its fills are known to be whole.

    `cursor_ns` is the venue time from which fills are asked for: nothing before it can be missing. `latest_ns` is that of the
    latest fill that was counted. `reconciled` tells whether a whole run is complete since the link stands.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "adapter", "checked_ns", "cursor_ns", "latest_ns", "linked", "reconciled", "retries", "run", "started", "tick", "timer",
        "waited",
    )  # fmt: skip

    def __init__(self, adapter: BaseAdapter) -> None:
        self.adapter = adapter
        self.run: Run | None = None
        self.cursor_ns = 0
        self.latest_ns = 0
        self.checked_ns = 0
        self.linked = False
        self.started = False
        self.reconciled = False
        self.retries = 0
        self.waited = 0
        self.tick = 0
        self.timer = 0

    @property
    def name(self) -> str:
        """Return the account's name."""
        return self.adapter.account

    def note_fill(self, venue_time_ns: int) -> None:
        """Note when a fill happened."""
        self.latest_ns = max(self.latest_ns, venue_time_ns)

    def note_listed(self, known_ns: int) -> None:
        """Note that the fills since the cursor were listed when the latest known one was of a time."""
        self.cursor_ns = max(self.cursor_ns, known_ns - OVERLAP_NS)

    def next_retry_s(self) -> float:
        """Return how long to wait before the account is asked again, longer each time."""
        self.retries += 1
        return min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** (self.retries - 1))

    def waits(self) -> bool:
        """Tell whether a regular look should wait because the venue's limits are mostly spent; not for ever."""
        allowed = self.adapter.capabilities.weight_per_minute
        spent = self.adapter.capabilities.network and allowed > 0
        spent = spent and self.adapter.weight_spent() > MOSTLY_SPENT * allowed
        self.waited = self.waited + 1 if spent and self.waited < PATIENCE else 0
        return self.waited > 0
