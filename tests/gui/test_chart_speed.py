"""A hundred thousand candles are panned without a stutter, however many are seen."""

from time import thread_time

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.gui.chart.bar_series import Bars, BarSeries
from foxtrot.gui.chart.chart_view import ChartView
from foxtrot.gui.theme import Theme
from tests.support.builders import SECOND, T0

COUNT = 100_000
LEAST_FPS = 45.0


@pytest.mark.slow
@pytest.mark.parametrize("seen", [300, 3_000, 20_000, COUNT])
def test_a_hundred_thousand_candles_pan_at_45_frames_a_second(qtbot: QtBot, seen: int) -> None:
    rng = np.random.default_rng(1)
    close = 68_000 + np.cumsum(rng.normal(0, 15, COUNT))
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) + 8, np.minimum(opened, close) - 8
    series = BarSeries()
    series.merge(Bars(T0 + np.arange(COUNT) * 60 * SECOND, opened, high, low, close, rng.random(COUNT)))
    view = ChartView(series, Theme())
    qtbot.addWidget(view)
    view.set_grid(0.1, 1)
    view.resize(1_500, 850)
    view.show()
    view.view.show_newest(COUNT, seen)
    frames_s = []
    for frame in range(60):
        began_s = thread_time()  # the time of this thread alone: other work on the machine does not count
        view.view.pan((-1 if frame < 30 else 1) * seen / 300)
        view.refresh()
        QApplication.processEvents()
        frames_s.append(thread_time() - began_s)
    assert 1 / float(np.median(frames_s)) >= LEAST_FPS
