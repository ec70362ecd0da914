"""Where adapters put their facts: a bounded room between their threads and hub-io."""

import threading
from collections.abc import Callable

from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, Gap, RequestFailed
from foxtrot.domain.market import DepthChange, DepthData, TickData

HIGH_WATER = 10_000
"""So many facts may wait; then depth is shed, told as a Gap, and fetched anew."""
HEARD = frozenset({DepthChange, DepthData, BookStateChanged, AdapterStatus, ContractsLoaded, RequestFailed, Gap})
"""What the hub takes beside ticks; an account's own facts are nobody's business."""


class Inlet:
    """The EventSink of every adapter of a hub.

    Thread: `put` from any, never waiting but for a lock that is held for a few operations; `take` on hub-io.

    Args:
        wake: lets hub-io look soon; called once until it has looked.
        high_water: how many facts may wait.
    """

    def __init__(self, wake: Callable[[], object], high_water: int = HIGH_WATER) -> None:
        self._wake = wake
        self.shed = 0
        """How many facts about depth were shed so far."""
        self._high_water = high_water
        self._lock = threading.Lock()
        self._waiting: list[object] = []
        self._ticks: dict[str, TickData] = {}
        self._shed: dict[str, int] = {}
        self._is_due = False

    def put(self, event: object) -> None:
        """Keep a fact for hub-io and return at once; what the hub does not share is let go."""
        kind = type(event)
        if kind is not TickData and kind not in HEARD:
            return
        with self._lock:
            if isinstance(event, TickData):
                self._ticks[event.instrument_id] = event
            elif isinstance(event, DepthChange | DepthData) and len(self._waiting) >= self._high_water:
                self.shed += 1
                self._shed[event.instrument_id] = self._shed.get(event.instrument_id, 0) + 1
            else:
                if isinstance(event, AdapterStatus):  # what came before a loss must not be taken for news after it
                    self._waiting += self._ticks.values()
                    self._ticks.clear()
                self._waiting.append(event)
            is_due, self._is_due = self._is_due, True
        if not is_due:
            self._wake()

    def take(self) -> list[object]:
        """Return what waits, in its order; gaps after what came before them, then the newest tick of each instrument.

        A tick that came before a change of the connection comes before it here too.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, []
            ticks, self._ticks = self._ticks, {}
            shed, self._shed = self._shed, {}
            self._is_due = False
        gaps = [Gap(name, "DepthChange", count) for name, count in shed.items()]
        return [*waiting, *gaps, *ticks.values()]
