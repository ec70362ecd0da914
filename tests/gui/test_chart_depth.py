"""The depth chart: sums down to a price, the steps, what the mouse points at, one book at a time."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.core.commands import WatchMarket
from foxtrot.gui.chart.depth_shapes import side_of, span_of, stairs
from foxtrot.gui.panels.depth import LEVELS, DepthPanel
from tests.support.builders import a_depth, a_perpetual
from tests.support.desktop_rig import DesktopRig

ONE = "BTCUSDT.PERP"
BIDS = ((99.9, 1.0), (99.8, 2.0), (99.0, 3.0))
ASKS = ((100.1, 0.5), (100.2, 0.5), (101.5, 4.0))


@pytest.fixture
def panel(qtbot: QtBot, rig: DesktopRig) -> DepthPanel:
    made = DepthPanel(rig.desk)
    made.resize(600, 300)
    qtbot.addWidget(made)
    made.show()
    rig.open()
    made.choose_instrument(ONE)
    rig.hear(a_depth(BIDS, ASKS))
    return made


def test_sums_and_steps() -> None:
    bids, asks = side_of(BIDS, falls=True), side_of(ASKS, falls=False)
    assert bids.sizes.tolist() == [1.0, 3.0, 6.0]
    assert bids.amounts[1] == pytest.approx(299.5)
    assert [bids.at(price) for price in (99.95, 99.9, 99.85, 50.0)] == [-1, 0, 0, 2]
    assert [asks.at(price) for price in (100.0, 100.1, 101.0, 200.0)] == [-1, 0, 1, 2]
    assert side_of(((99.9, 1.0),), falls=True).at(99.0) == 0
    corners = stairs(asks, 102.0)
    assert corners.tolist() == [
        [100.1, 0.0],
        [100.1, 0.5],
        [100.2, 0.5],
        [100.2, 1.0],
        [101.5, 1.0],
        [101.5, 5.0],
        [102.0, 5.0],
    ]
    assert len(stairs(side_of((), falls=True), 1.0)) == 0


def test_both_sides_are_shown_equally_far() -> None:
    bids, asks = side_of(BIDS, falls=True), side_of(ASKS, falls=False)
    assert span_of(bids, asks, 1.0) == pytest.approx((98.5, 101.5, 6.0))
    assert span_of(bids, asks, 0.2) == pytest.approx((99.7, 100.3, 3.0))
    assert span_of(bids, side_of((), falls=False), 1.0) == (0.0, 0.0, 0.0)


def test_it_asks_for_the_book_and_shows_it_in_both_colours(panel: DepthPanel, rig: DesktopRig) -> None:
    (watch,) = rig.link.of(WatchMarket)
    assert isinstance(watch, WatchMarket)
    assert watch.request.depth_levels == LEVELS
    image = panel.view.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(0, image.height(), 3)}
    colours = rig.desk.theme.colours
    assert {QColor(colours.up).name(), QColor(colours.down).name()} <= seen


def test_the_mouse_tells_what_could_be_traded_down_to_a_price(panel: DepthPanel, qtbot: QtBot) -> None:
    assert panel.view.words_at(99.8) == "Bids down to 99.8 (−0.20 %): 3, 299.5 USDT"
    assert panel.view.words_at(100.0).startswith("Asks up to 100.0 (0.00 %): 0")
    qtbot.mouseMove(panel.view, QPoint(100, 100))
    panel.view.grab()
    assert panel.view.on_grid(99.83) == 99.8


def test_the_wheel_looks_nearer(panel: DepthPanel) -> None:
    place = QPointF(50, 50)
    turn = QWheelEvent(
        place, place, QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(panel.view, turn)
    assert panel.view.share == pytest.approx(1 / 1.44)
    panel.view.grab()


def test_another_book_changes_nothing_and_one_that_is_gone_is_said(panel: DepthPanel, rig: DesktopRig) -> None:
    rig.hear(a_depth(((5.0, 1.0),), ((6.0, 1.0),), "OTHER"))
    assert panel.view.bids.prices.tolist() == [99.9, 99.8, 99.0]
    rig.hear(a_depth((), ASKS))
    assert len(panel.view.bids.prices) == 0
    panel.view.grab()
    assert panel.view.words_at(99.0) == ""


def test_a_deep_book_is_painted(panel: DepthPanel, rig: DesktopRig) -> None:
    steps = np.arange(1, 201)
    bids = tuple((round(100 - 0.1 * step, 1), 1.0) for step in steps.tolist())
    asks = tuple((round(100 + 0.1 * step, 1), 1.0) for step in steps.tolist())
    rig.hear(a_depth(bids, asks))
    assert panel.view.bids.sizes[-1] == 200.0
    panel.view.grab()


def test_an_instrument_without_a_book_says_so(qtbot: QtBot, rig: DesktopRig) -> None:
    panel = DepthPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    rig.open(a_perpetual())
    panel.choose_instrument(ONE)
    rig.bridge.flush()
    assert panel.view.words_at(1.0) == ""
    panel.view.grab()
    panel.leave()
