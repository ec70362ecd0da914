"""Time and sales: newest on top, a ring, filters by size, large prints, the stream that is asked for."""

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from foxtrot.core.commands import WatchMarket
from foxtrot.domain.enums import Side
from foxtrot.domain.market import MarketTrade
from foxtrot.gui.columns import Tone
from foxtrot.gui.panels.tape import LARGE_TIMES, LEAST_KNOWN, TapePanel
from foxtrot.gui.print_table import MOST
from foxtrot.gui.table_model import CELL_ROLE
from tests.support.builders import T0
from tests.support.desktop_rig import ACCOUNT, DesktopRig

BTC, SPOT = "BTCUSDT.PERP", "BTCUSDT.SPOT"


@pytest.fixture
def panel(qtbot: QtBot, rig: DesktopRig) -> TapePanel:
    """The prints of the perpetual."""
    rig.open()
    rig.desk.groups.show("blue", BTC)
    made = TapePanel(rig.desk)
    qtbot.addWidget(made)
    made.resize(460, 300)
    made.show()
    return made


@pytest.fixture
def tested(panel: TapePanel) -> TapePanel:
    """The same with a tester on its table, for tests of few rows."""
    tester = QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setParent(panel.model)
    return panel


def a_print(size: float = 1.0, price: float = 100.0, side: Side = Side.BUY, instrument_id: str = BTC) -> MarketTrade:
    return MarketTrade(instrument_id, T0, T0, "1", price, size, side)


def line(panel: TapePanel, place: int = 0) -> list[str]:
    return [str(panel.model.index(place, column).data()) for column in range(panel.model.columnCount())]


def sizes(panel: TapePanel) -> list[float]:
    return [row.size for row in panel.model.shown()]


def test_the_newest_print_stands_on_top_with_arrow_and_colour(rig: DesktopRig, tested: TapePanel) -> None:
    rig.hear(a_print(2.0), a_print(3.0, 99.9, Side.SELL), a_print(9.0, instrument_id=SPOT))
    assert line(tested) == ["00:00:00.000", "▼ 99.9", "3", "300", "Sell"]
    assert line(tested, 1) == ["00:00:00.000", "▲ 100.0", "2", "200", "Buy"]
    assert tested.model.index(0, 1).data(CELL_ROLE).tone is Tone.DOWN
    rig.hear(a_print(4.0))
    assert sizes(tested) == [4.0, 3.0, 2.0]


def test_trades_are_asked_for_once(rig: DesktopRig, panel: TapePanel) -> None:
    rig.desk.groups.show("blue", SPOT)
    rig.desk.groups.show("blue", BTC)
    asked = [(one.account, one.request) for one in rig.link.of(WatchMarket)]
    assert [(account, one.instrument_id, one.trades) for account, one in asked] == [
        (ACCOUNT, BTC, True),
        (ACCOUNT, SPOT, True),
    ]


def test_only_the_newest_are_kept(rig: DesktopRig, panel: TapePanel) -> None:
    rig.hear(*(a_print(float(place)) for place in range(1, MOST)))
    while panel.model.count < MOST - 1:
        rig.hear()
    rig.hear(*(a_print(float(place)) for place in range(MOST, MOST + 11)))
    assert panel.model.rowCount() == MOST
    assert (sizes(panel)[0], sizes(panel)[-1]) == (float(MOST + 10), 11.0)


def test_small_prints_are_hidden_and_come_back(rig: DesktopRig, tested: TapePanel) -> None:
    rig.hear(*(a_print(size) for size in (1.0, 5.0, 2.0)))
    tested.least.setValue(2.0)
    assert sizes(tested) == [2.0, 5.0]
    rig.hear(a_print(1.5), a_print(7.0))
    assert sizes(tested) == [7.0, 2.0, 5.0]
    tested.least.setValue(0.0)
    assert sizes(tested) == [7.0, 1.5, 2.0, 5.0, 1.0]


def test_large_prints_are_marked_by_what_is_usual_or_by_what_the_user_says(rig: DesktopRig, panel: TapePanel) -> None:
    rig.hear(*(a_print(1.0) for _ in range(LEAST_KNOWN)), a_print(LARGE_TIMES), a_print(2.0))
    assert line(panel, 1)[2] == f"◆ {LARGE_TIMES:.0f}"
    assert line(panel)[2] == "2"
    assert panel.model.index(1, 2).data(CELL_ROLE).tone is Tone.WARNING
    panel.large.setValue(2.0)
    rig.hear(a_print(2.0))
    assert line(panel)[2] == "◆ 2"


def test_another_instrument_begins_empty(rig: DesktopRig, tested: TapePanel) -> None:
    rig.hear(a_print(1.0))
    tested.least.setValue(0.5)
    rig.desk.groups.show("blue", SPOT)
    assert (sizes(tested), tested.least.value(), tested.name.text()) == ([], 0.0, SPOT)
    rig.hear(a_print(0.00001, instrument_id=SPOT), a_print(1.0))
    assert line(tested)[2] == "0.00001"


def test_who_has_scrolled_down_goes_on_seeing_the_same_lines(qtbot: QtBot, rig: DesktopRig, panel: TapePanel) -> None:
    rig.hear(*(a_print(float(place)) for place in range(1, 101)))
    bar = panel.view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1_000)
    bar.setValue(panel.view.rowHeight(0) * 10)
    seen = panel.model.row_of(panel.view.indexAt(panel.view.viewport().rect().topLeft()))
    rig.hear(*(a_print(500.0) for _ in range(7)))
    assert panel.model.row_of(panel.view.indexAt(panel.view.viewport().rect().topLeft())) == seen
    bar.setValue(0)
    rig.hear(a_print(600.0))
    assert bar.value() == 0


def test_bought_and_sold_are_summed(rig: DesktopRig, panel: TapePanel) -> None:
    panel._summed = (0.0, -1)
    rig.hear(a_print(2.0), a_print(3.0, side=Side.SELL), a_print(0.5))
    assert panel.sums.text() == "▲ 2.5   ▼ 3"


def test_sizes_and_columns_are_saved(rig: DesktopRig, qtbot: QtBot, panel: TapePanel) -> None:
    panel.least.setValue(2.0)
    panel.large.setValue(50.0)
    panel.view.setColumnHidden(3, True)
    other = TapePanel(rig.desk)
    qtbot.addWidget(other)
    other.restore_state(panel.save_state())
    assert (other.least.value(), other.large.value(), other.view.isColumnHidden(3)) == (2.0, 50.0, True)
    other.restore_state({"least": "x", "columns": 3, "large": None})
    assert other.least.value() == 2.0
