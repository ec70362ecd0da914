"""Our watchlist in a window of its own, with a producer of ticks beside it; a run is a process that prints one JSON object.

python -m tests.benchmark.contestants.watch_window ROWS RATE SECONDS [sorted]
"""

import json
import os
import sys
import threading
import time
from itertools import cycle

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from foxtrot.app.main_engine import SWITCH_INTERVAL_S
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import TickData
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.desk import Desk
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.panels.watchlist import WatchlistPanel
from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.theme import apply_theme
from foxtrot.gui.watch_rows import COLUMNS
from foxtrot.gui.watchdog import Collector

BATCH_S = 0.005
WARM_S = 1.0
VARIANTS = 8
LAST = next(place for place, column in enumerate(COLUMNS) if column.key == "last")


def instruments(count: int) -> list[Instrument]:
    """So many perpetuals."""
    return [
        Instrument(
            instrument_id=f"S{place:05d}USDT.PERP", symbol=f"S{place:05d}USDT", venue="PERP", product=Product.PERPETUAL, base_asset="S",
            quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.001"),
        )
        for place in range(count)
    ]  # fmt: skip


def ticks(listed: list[Instrument]) -> list[TickData]:
    """Some ticks of every instrument, one instrument after the other, as they are not in life: no two neighbours are conflated."""
    now_ns = time.time_ns() + 3_600_000_000_000
    found = []
    for variant in range(VARIANTS):
        for place, one in enumerate(listed):
            last = 100.0 + (place * 37 + variant * 11) % 977 / 100
            found.append(
                TickData(
                    one.instrument_id, now_ns, now_ns, last - 0.01, 1.5 + variant, last + 0.01, 2.25, last, 0.5, 1e6 + variant,
                    high_price=last + 1, low_price=last - 1, previous_close=104.0,
                )
            )  # fmt: skip
    return found


class Producer(threading.Thread):
    """Tells ticks at a rate, as an engine does; a rate of 0 is as fast as it can."""

    def __init__(self, store: FactStore, told: list[TickData], rate: int) -> None:
        super().__init__(name="producer", daemon=True)
        self.over = threading.Event()
        self._store, self._told, self._rate = store, told, rate

    def run(self) -> None:
        """Tell until it is over."""
        supply, hear = cycle(self._told), self._store.hear
        batch, due = max(1, round(self._rate * BATCH_S)), time.perf_counter()
        while not self.over.is_set():
            for _ in range(batch):
                hear(next(supply))
            due += BATCH_S
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)


def resident_mb() -> float:
    """Memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(rows: int, rate: int, seconds: float, *, by_value: bool) -> dict[str, float]:
    """Show the window for some seconds and return how it kept up."""
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    store, settings = FactStore(), DesktopSettings()
    apply_theme(application, settings.theme)
    bridge = Bridge(store)
    desk = Desk(bridge, settings)
    listed = instruments(rows)
    desk.take_contracts("main", listed)
    panel = WatchlistPanel(desk)
    panel.resize(1400, 900)
    panel.add(*(one.instrument_id for one in listed))
    if by_value:
        panel.view.sortByColumn(LAST, Qt.SortOrder.DescendingOrder)
    panel.show()
    producer = Producer(store, ticks(listed), rate)
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as a platform sets it
    collector = Collector()  # as the desktop has one
    at_start: dict[str, float] = {}

    def begin() -> None:
        at_start.update(heard=store.heard, at=time.perf_counter(), memory=resident_mb())
        bridge._flush_s.clear()
        bridge._beats_s.clear()

    collector.start()
    bridge.start()
    producer.start()
    QTimer.singleShot(round(WARM_S * 1000), begin)
    QTimer.singleShot(round((WARM_S + seconds) * 1000), application.quit)
    application.exec()
    figures = bridge.statistics()
    took_s = time.perf_counter() - at_start["at"]
    heard = store.heard - at_start["heard"]
    waiting = len(store._latest)
    memory = resident_mb() - at_start["memory"]
    producer.over.set()
    producer.join()
    bridge.stop()
    collector.stop()
    panel.leave()
    return {
        "rate": heard / took_s, "flush_p50_ms": figures.flush_p50_ms, "flush_p99_ms": figures.flush_p99_ms,
        "beat_p50_ms": figures.beat_p50_ms, "beat_p99_ms": figures.beat_p99_ms, "flushes_per_s": len(bridge._flush_s) / took_s,
        "backlog": float(figures.backlog), "waiting_states": float(waiting), "grown_mb": memory,
    }  # fmt: skip


if __name__ == "__main__":
    row_count, per_s, length_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(run(row_count, per_s, length_s, by_value="sorted" in sys.argv[4:])))
