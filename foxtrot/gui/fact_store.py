"""What the platform tells the desktop, kept until the desktop takes it: the newest of what is conflated, all of what is not.

Plain Python, so that the engine never touches Qt.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter
from typing import Final

from foxtrot.core.notices import BookStateChanged, EquityMarked, StrategyLog
from foxtrot.domain.account import AccountData
from foxtrot.domain.market import DepthData, FundingRate, MarketTrade, TickData

Key = Callable[[object], Hashable]

CONFLATED: Final[Mapping[type, Key]] = {
    TickData: attrgetter("instrument_id"),
    DepthData: attrgetter("instrument_id"),
    FundingRate: attrgetter("instrument_id"),
    AccountData: attrgetter("account"),
    EquityMarked: attrgetter("owner"),
    BookStateChanged: attrgetter("account", "instrument_id"),
}
"""Classes of which the newest of a key is all that is shown. Every other fact is told, in order: orders, fills, logs, alerts, connections."""

MOST_PRINTS: Final = 20_000
"""Public prints that wait at most; older ones are shed and counted, for they are many and only looked at."""
MOST_LINES: Final = 150_000
"""Lines of strategies that wait at most, more than any panel keeps; older ones are shed and counted, and stand in the log file all the same.
A strategy that floods its log while the window hangs must not eat the memory; orders, fills and whatever else alerts are never shed."""


class FactStore:
    """Written by the engine, emptied by the desktop.

    Thread: `hear` and `hear_first`, any, mostly foxtrot-engine; it never waits for longer than a swap of two containers. `take_states` and `take_facts`, the desktop's.
    """

    def __init__(self) -> None:
        self.heard = 0
        self.shed_prints = 0
        self.shed_lines = 0
        self._guard = threading.Lock()
        self._latest: dict[tuple[type, Hashable], object] = {}
        self._first: deque[object] = deque()
        self._facts: deque[tuple[int, object]] = deque()
        self._lines: deque[tuple[int, object]] = deque()
        self._prints: deque[object] = deque()

    def hear(self, fact: object) -> None:
        """Keep a fact."""
        kind = type(fact)
        key = CONFLATED.get(kind)
        with self._guard:
            self.heard += 1
            if key is not None:
                self._latest[kind, key(fact)] = fact
            elif kind is MarketTrade:
                self._prints.append(fact)
                if len(self._prints) > MOST_PRINTS:
                    self._prints.popleft()
                    self.shed_prints += 1
            elif kind is StrategyLog:
                self._lines.append((self.heard, fact))
                if len(self._lines) > MOST_LINES:
                    self._lines.popleft()
                    self.shed_lines += 1
            else:
                self._facts.append((self.heard, fact))

    def hear_first(self, fact: object) -> None:
        """Keep a fact that is told before all that waits: a wish that passed its check, and is still to be done."""
        with self._guard:
            self.heard += 1
            self._first.append(fact)

    def take_states(self) -> list[object]:
        """Return the newest fact of every key that was heard since the last time."""
        with self._guard:
            latest, self._latest = self._latest, {}
        return list(latest.values())

    def take_facts(self, most: int) -> list[object]:
        """Return at most so many facts, oldest first, wishes before and public prints after all else."""
        with self._guard:
            facts = [self._first.popleft() for _ in range(min(most, len(self._first)))]
            facts += [self._oldest() for _ in range(min(most - len(facts), len(self._facts) + len(self._lines)))]
            return facts + [self._prints.popleft() for _ in range(min(most - len(facts), len(self._prints)))]

    @property
    def backlog(self) -> int:
        """Return how many facts wait."""
        return len(self._first) + len(self._facts) + len(self._lines) + len(self._prints)

    def _oldest(self) -> object:
        """Take the fact or the line that was heard first; there is one."""
        lines, facts = self._lines, self._facts
        if lines and (not facts or lines[0][0] < facts[0][0]):
            return lines.popleft()[1]
        return facts.popleft()[1]
