"""The usual scheme on the same Qt as ours: a QTableWidget, and one queued signal for every event; a run is a process.

As vn.py 4.5 does it: sorting off, the text of every cell set, sorting on again; nothing bounds the queue. Unsorted, sorting stays off.

python -m tests.benchmark.contestants.queued_table ROWS EVENTS [sorted]
"""

import json
import os
import sys
import threading
import time
from itertools import cycle, islice

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem

from foxtrot.domain.market import TickData
from tests.benchmark.contestants.watch_window import instruments, ticks

FIELDS = (
    "instrument_id", "last_price", "volume", "open_price", "high_price", "low_price", "bid_price", "bid_size", "ask_price", "ask_size",
    "venue_time_ns", "source",
)  # fmt: skip
LAST = FIELDS.index("last_price")


class QueuedTable(QTableWidget):
    """A row per instrument, changed once for every event."""

    told = Signal(object)

    def __init__(self, wanted: int) -> None:
        super().__init__(0, len(FIELDS))
        self.setHorizontalHeaderLabels(list(FIELDS))
        self.verticalHeader().setVisible(False)
        self.sorts = False
        self.seen = 0
        self._wanted = wanted
        self._cells: dict[str, list[QTableWidgetItem]] = {}
        self.told.connect(self._show_tick, Qt.ConnectionType.QueuedConnection)

    def _show_tick(self, tick: TickData) -> None:
        if self.sorts:
            self.setSortingEnabled(False)
        cells = self._cells.get(tick.instrument_id)
        if cells is None:
            self.insertRow(0)
            cells = self._cells[tick.instrument_id] = [QTableWidgetItem() for _ in FIELDS]
            for column, cell in enumerate(cells):
                self.setItem(0, column, cell)
        for cell, name in zip(cells, FIELDS, strict=True):
            cell.setText(str(getattr(tick, name)))
        if self.sorts:
            self.setSortingEnabled(True)
        self.seen += 1
        if self.seen == self._wanted:
            QApplication.quit()

    def tell(self, events: list[TickData]) -> float:
        """Let another thread tell events as fast as it can; returns how many were shown a second."""
        self.seen, self._wanted = 0, len(events)
        producer = threading.Thread(target=lambda: [self.told.emit(event) for event in events], daemon=True)
        began = time.perf_counter()
        producer.start()
        QApplication.exec()
        producer.join()
        return len(events) / (time.perf_counter() - began)


def run(rows: int, events: int, *, by_value: bool) -> dict[str, float]:
    """Fill the table, then measure."""
    application = QApplication.instance() or QApplication([])
    table = QueuedTable(0)
    table.resize(1400, 900)
    table.show()
    told = ticks(instruments(rows))
    table.tell(told[:rows])
    if by_value:
        table.sorts = True
        table.setSortingEnabled(True)
        table.sortByColumn(LAST, Qt.SortOrder.DescendingOrder)
    rate = table.tell(list(islice(cycle(told), events)))
    assert application is not None
    return {"rate": rate}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), by_value="sorted" in sys.argv[3:])))
