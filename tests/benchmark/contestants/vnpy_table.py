"""vn.py's own table of ticks behind its own event engine; run by the interpreter of the peers, in a process of its own.

python tests/benchmark/contestants/vnpy_table.py ROWS EVENTS [sorted]
"""

import json
import os
import sys
import time
from datetime import datetime
from itertools import cycle, islice
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Exchange
from vnpy.trader.event import EVENT_TICK
from vnpy.trader.object import TickData
from vnpy.trader.ui import QtCore, QtWidgets, create_qapp
from vnpy.trader.ui.widget import TickMonitor

LAST = list(TickMonitor.headers).index("last_price")
VARIANTS = 8


class CountingMonitor(TickMonitor):  # type: ignore[misc]
    """The table as it is; it leaves the loop when the last event was shown."""

    seen = 0
    wanted = 0

    def load_setting(self) -> None:
        """Take up no columns of another run."""

    def process_event(self, event: Event) -> None:
        """Show an event, and count it."""
        super().process_event(event)
        self.seen += 1
        if self.seen == self.wanted:
            QtWidgets.QApplication.quit()


def ticks(rows: int) -> list[TickData]:
    """Some ticks of every symbol."""
    now = datetime(2026, 1, 5, 10, 0, 0)  # noqa: DTZ001  (as its gateways give it)
    found = []
    for variant in range(VARIANTS):
        for place in range(rows):
            last = 100.0 + (place * 37 + variant * 11) % 977 / 100
            found.append(
                TickData(
                    symbol=f"S{place:05d}", exchange=Exchange.SSE, datetime=now, gateway_name="SIM", name="x", volume=1e6, last_price=last,
                    open_price=last, high_price=last + 1, low_price=last - 1, bid_price_1=last - 0.01, bid_volume_1=1.5,
                    ask_price_1=last + 0.01, ask_volume_1=2.5,
                )
            )  # fmt: skip
    return found


def tell(engine: EventEngine, monitor: CountingMonitor, told: list[TickData]) -> float:
    """Put ticks into the engine as fast as it takes them; returns how many were shown a second."""
    monitor.seen, monitor.wanted = 0, len(told)
    began = time.perf_counter()
    for tick in told:
        engine.put(Event(EVENT_TICK, tick))
    QtWidgets.QApplication.exec()
    return len(told) / (time.perf_counter() - began)


def run(rows: int, events: int, *, by_value: bool) -> dict[str, float]:
    """Fill the table, then measure."""
    application: Any = create_qapp()
    engine = EventEngine()
    engine.start()
    monitor = CountingMonitor(None, engine)
    monitor.resize(1400, 900)
    monitor.show()
    told = ticks(rows)
    tell(engine, monitor, told[:rows])
    if by_value:
        monitor.sortByColumn(LAST, QtCore.Qt.SortOrder.DescendingOrder)
    rate = tell(engine, monitor, list(islice(cycle(told), events)))
    engine.stop()
    assert application is not None
    return {"rate": rate}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), by_value="sorted" in sys.argv[3:])))
    sys.stdout.flush()
    os._exit(0)  # its engine's threads and its Qt do not always end
