"""How long our own painters take: a chart of many candles that is panned, and a ladder; a run is a process that prints one JSON object.

python -m tests.benchmark.contestants.painting candles SEEN | ladder ROWS
"""

import json
import os
import sys
from statistics import median
from time import perf_counter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from foxtrot.gui.chart.bar_series import Bars, BarSeries
from foxtrot.gui.chart.chart_view import ChartView
from foxtrot.gui.panels.ladder_model import Ladder
from foxtrot.gui.panels.ladder_view import LadderView
from foxtrot.gui.theme import Theme
from tests.support.builders import SECOND, T0, a_depth, a_perpetual

CANDLES = 100_000
FRAMES = 120


def candles(application: QApplication, seen: int) -> list[float]:
    """Seconds of each frame: the view is moved, its prices are fitted, and it is painted."""
    rng = np.random.default_rng(1)
    close = 68_000 + np.cumsum(rng.normal(0, 15, CANDLES))
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) + 8, np.minimum(opened, close) - 8
    series = BarSeries()
    series.merge(Bars(T0 + np.arange(CANDLES) * 60 * SECOND, opened, high, low, close, rng.random(CANDLES)))
    view = ChartView(series, Theme())
    view.set_grid(0.1, 1)
    view.resize(1_500, 850)
    view.show()
    view.view.show_newest(CANDLES, seen)
    frames_s = []
    for frame in range(FRAMES):
        began_s = perf_counter()
        view.view.pan((-1 if frame < FRAMES // 2 else 1) * seen / 300)
        view.refresh()
        application.processEvents()
        frames_s.append(perf_counter() - began_s)
    view.close()
    return frames_s


def ladder(_application: QApplication, rows: int) -> list[float]:
    """Seconds of each painting of all rows, volume bars and own orders included."""
    view = LadderView(Theme())
    view.resize(320, rows * view.row_height)
    made = Ladder(a_perpetual())
    bids = tuple((round(100.0 - 0.1 * (n + 1), 1), 1.0 + n % 7) for n in range(2 * rows))
    asks = tuple((round(100.0 + 0.1 * (n + 1), 1), 1.0 + n % 5) for n in range(2 * rows))
    made.take_depth(a_depth(bids, asks))
    view.show_rows(made.rows(1022, rows))
    image = QImage(view.size(), QImage.Format.Format_ARGB32_Premultiplied)
    frames_s = []
    for _ in range(FRAMES):
        painter = QPainter(image)
        began_s = perf_counter()
        view.render(painter, QPoint())
        frames_s.append(perf_counter() - began_s)
        painter.end()
    return frames_s


if __name__ == "__main__":
    qt = QApplication.instance() or QApplication([])
    assert isinstance(qt, QApplication)
    taken_s = {"candles": candles, "ladder": ladder}[sys.argv[1]](qt, int(sys.argv[2]))
    print(json.dumps({"fps": 1 / median(taken_s), "frame_ms": median(taken_s) * 1000}))
