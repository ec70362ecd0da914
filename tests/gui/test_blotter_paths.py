"""Each blotter as a person uses it: sort by a click, filter by typing, sums, CSV by its button, copy by the key."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.app.blotter_requests import ListWorth, WorthFound
from foxtrot.app.control_requests import ListPositions, Positions
from foxtrot.core.notices import TradeBooked
from foxtrot.domain.enums import Side
from foxtrot.gui.blotter import Blotter
from foxtrot.gui.columns import Cell, number, word
from foxtrot.gui.csv_rows import value_of
from foxtrot.gui.panels.accounts import AccountsPanel
from foxtrot.gui.panels.fills import FillsPanel
from foxtrot.gui.panels.orders import OrdersPanel
from foxtrot.gui.panels.positions import PositionsPanel
from tests.gui.test_blotters import a_held, told
from tests.support.builders import T0, a_tick, a_trade, an_account
from tests.support.desktop_rig import DesktopRig

EVIL = '=HYPERLINK("http://x","y")'
PATHS: dict[type[Blotter], tuple[str, list[str], str, str]] = {
    OrdersPanel: ("quantity", ["0.009", "1", "100"], "sell", "2 of 3"),
    PositionsPanel: ("quantity", ["-2", "0.5", "100"], "short", "1 of 3"),
    FillsPanel: ("quantity", ["0.009", "1", "100"], "maker", "1 of 3"),
    AccountsPanel: ("total", ["0.5", "90", "1234.123456789"], "bnb", "1 of 3"),
}
"""Panel → a column, its values in order as a file has them, words that fit some rows, what the counter says then."""


@pytest.fixture(params=PATHS, ids=lambda kind: kind.__name__)
def panel(request: pytest.FixtureRequest, rig: DesktopRig, qtbot: QtBot) -> Blotter:
    held = (a_held(quantity=0.5), a_held("b", -2.0), a_held("c", 100.0))
    rig.link.answers[ListPositions] = Positions(held, ())
    rig.link.answers[ListWorth] = WorthFound("USDT", {"USDT": Decimal(1), "BNB": Decimal(500), "BTC": Decimal(100)})
    rig.open()
    made: Blotter = request.param(rig.desk)
    qtbot.addWidget(made)
    made.resize(1700, 300)
    made.show()
    rig.hear(
        a_tick(),
        told("o1", quantity=1.0, reason=EVIL, side=Side.SELL),
        told("o2", quantity=100.0),
        told("o3", quantity=0.009, side=Side.SELL),
        TradeBooked("alpha", a_trade("o1", "t1", 1.0, 100.0, fee=Decimal("0.00253631"), fee_asset="BTC")),
        TradeBooked("alpha", a_trade("o2", "t2", 100.0, 100.0, fee=Decimal("140.0949867"))),
        TradeBooked("alpha", a_trade("o3", "t3", 0.009, 100.0, liquidity="maker")),
        an_account({"USDT": "1234.123456789", "BNB": "0.5", "BTC": "90"}),
    )
    for _ in range(3):
        rig.bridge.flush()
    assert made.model.rowCount() == 3
    return made


def place_of(panel: Blotter, key: str) -> int:
    return [column.key for column in panel.model.columns].index(key)


def click_heading(panel: Blotter, key: str, qtbot: QtBot) -> None:
    header, place = panel.view.horizontalHeader(), place_of(panel, key)
    middle = QPoint(header.sectionViewportPosition(place) + header.sectionSize(place) // 2, header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=middle)


def saved(panel: Blotter, folder: Path, qtbot: QtBot) -> list[dict[str, str]]:
    file = folder / "out.csv"
    panel.ask_path = lambda *_: file
    button = panel.findChild(QPushButton, f"{panel.kind}_csv")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.aside.running)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_click_on_a_heading_sorts_by_value_and_the_file_has_values(
    panel: Blotter, rig: DesktopRig, qtbot: QtBot, tmp_path: Path
) -> None:
    key, ascending, *_ = PATHS[type(panel)]
    title = panel.model.headerData(place_of(panel, key), Qt.Orientation.Horizontal)
    click_heading(panel, key, qtbot)
    assert [row[str(title)] for row in saved(panel, tmp_path, qtbot)] == ascending
    click_heading(panel, key, qtbot)
    assert [row[str(title)] for row in saved(panel, tmp_path, qtbot)] == ascending[::-1]


def test_typing_filters_rows_counter_and_sums(panel: Blotter, rig: DesktopRig, qtbot: QtBot, tmp_path: Path) -> None:
    _, _, words, counted = PATHS[type(panel)]
    before = panel.bar.text
    qtbot.mouseClick(panel.words, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(panel.words, words)
    assert panel.counter.text() == counted
    assert len(saved(panel, tmp_path, qtbot)) == panel.model.rowCount()
    if panel.kind != "orders":
        assert panel.bar.text
        assert panel.bar.text != before
    panel.words.clear()
    assert (panel.counter.text(), panel.bar.text) == ("3", before)


def test_the_key_copies_the_chosen_row_with_headings(panel: Blotter, qtbot: QtBot) -> None:
    qtbot.mouseClick(
        panel.view.viewport(), Qt.MouseButton.LeftButton, pos=panel.view.visualRect(panel.model.index(1, 0)).center()
    )
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(QApplication.clipboard().text().splitlines()) == 2)
    headings, row = (line.split("\t") for line in QApplication.clipboard().text().splitlines())
    assert len(headings) == len(row) == len(panel.model.columns)
    assert row[0] == panel.model.index(1, 0).data()


def test_files_have_exact_amounts_their_assets_and_whole_moments(rig: DesktopRig, qtbot: QtBot, tmp_path: Path) -> None:
    rig.open()
    panel = FillsPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    trade = a_trade("o1", "t1", 2.0, 100.0, fee=Decimal("140.0949867"), venue_time_ns=T0 + 5_001_002_003)
    rig.hear(TradeBooked("alpha", trade))
    (row,) = saved(panel, tmp_path, qtbot)
    assert (row["Time"], row["Side"], row["Value"], row["Fee"]) == (
        "2023-11-15T00:00:05.001002Z",
        "buy",
        "200",
        "140.0949867",
    )
    with (tmp_path / "out.csv").open(encoding="utf-8-sig") as file:
        assert file.readline().split(",")[5:9] == ["Value", "Value: currency", "Fee", "Fee: currency"]
    shown = panel.model.index(0, place_of(panel, "fee"))
    assert shown.data() == "140.09 USDT"
    assert shown.data(Qt.ItemDataRole.ToolTipRole) == "140.0949867 USDT"
    panel.leave()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_is_no_formula_in_a_spreadsheet(text: str) -> None:
    assert value_of(word(text)) == f"'{text}"


def test_numbers_stay_numbers_and_nothing_stays_empty() -> None:
    assert value_of(number(-1234.5, "−1,234.50")) == "-1234.5"
    assert value_of(number(1e-7, "0.00")) == "0.0000001"
    assert value_of(number(float("nan"), "–")) == ""
    assert value_of(Cell("–", 0.0)) == ""
    assert value_of(word("–")) == ""


def test_a_reason_that_looks_like_a_formula_is_saved_as_text(rig: DesktopRig, qtbot: QtBot, tmp_path: Path) -> None:
    rig.open()
    panel = OrdersPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    rig.hear(told("o1", reason=EVIL))
    (row,) = saved(panel, tmp_path, qtbot)
    assert row["Reason"] == f"'{EVIL}"
    panel.leave()
