"""Columns that fit: none is cut, the most important stay, and what a person arranged stays as it was arranged."""

from itertools import pairwise

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from foxtrot.gui import texts
from foxtrot.gui.column_fit import LEAST_WORDY, fitting
from foxtrot.gui.column_menu import ColumnMenu
from foxtrot.gui.columns import Align, Column, number, word
from foxtrot.gui.panel import Panel
from foxtrot.gui.panels.accounts import AccountsPanel
from foxtrot.gui.panels.fills import FillsPanel
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.orders import OrdersPanel
from foxtrot.gui.panels.performance import PerformancePanel
from foxtrot.gui.panels.positions import PositionsPanel
from foxtrot.gui.panels.protections import ProtectionsPanel
from foxtrot.gui.panels.watchlist import WatchlistPanel
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.theme import Theme
from tests.support.desktop_rig import DesktopRig

RIGHT = Align.RIGHT
COLUMNS = (
    Column[int]("name", "orders.instrument", lambda row: word(str(row)), width=100),
    Column[int]("a", "orders.price", lambda row: number(row, str(row)), align=RIGHT, width=100, rank=1),
    Column[int]("b", "orders.filled", lambda row: number(row, str(row)), align=RIGHT, width=100),
    Column[int]("c", "orders.quantity", lambda row: number(row, str(row)), align=RIGHT, width=100, rank=2),
    Column[int]("d", "orders.reason", lambda row: word(str(row)), width=220),
)
WIDTHS = dict(enumerate((100, 100, 100, 100, 220)))
KINDS: tuple[type[Panel], ...] = (
    OrdersPanel, PositionsPanel, FillsPanel, ProtectionsPanel, AccountsPanel, LogPanel, PerformancePanel, WatchlistPanel,
)  # fmt: skip


def test_columns_of_high_rank_go_first_and_of_equals_the_one_farthest_right() -> None:
    kept = [tuple(fitting(COLUMNS, WIDTHS, 1.0, room)) for room in (620, 540, 500, 420, 330, 230, 50)]
    assert kept == [(0, 1, 2, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 4), (0, 2, 4), (0, 2, 4), (0, 2), (0, 2)]


def test_what_is_left_over_goes_to_words_and_never_beyond_the_room() -> None:
    for room in range(200, 900, 7):
        found = fitting(COLUMNS, WIDTHS, 1.0, room)
        assert sum(found.values()) <= room
        assert all(found[place] >= min(WIDTHS[place], LEAST_WORDY) for place in found)
    assert sum(fitting(COLUMNS, WIDTHS, 1.0, 900).values()) == 900


@pytest.fixture
def view(qtbot: QtBot) -> FactView:
    made = FactView(FactTable(COLUMNS, lambda row: row), Theme())
    qtbot.addWidget(made)
    made.resize(640, 200)
    made.show()
    return made


def hidden(view: FactView) -> list[int]:
    return [place for place in range(5) if view.isColumnHidden(place)]


def test_a_table_follows_its_room_until_somebody_takes_hold_of_its_headings(view: FactView, qtbot: QtBot) -> None:
    view.resize(420, 200)
    assert hidden(view) == [1, 3]
    view.resize(640, 200)
    assert hidden(view) == []
    assert view.columns_state() == {}
    header = view.horizontalHeader()
    edge = QPoint(header.sectionViewportPosition(1) - 1, 5)
    qtbot.mousePress(header.viewport(), Qt.MouseButton.LeftButton, pos=edge)
    qtbot.mouseMove(header.viewport(), edge + QPoint(30, 0))
    qtbot.mouseRelease(header.viewport(), Qt.MouseButton.LeftButton, pos=edge + QPoint(30, 0))
    assert not view.fits_itself
    wide = view.columnWidth(0)
    assert wide > 100
    view.resize(300, 200)
    assert (hidden(view), view.columnWidth(0)) == ([], wide)


def test_a_click_on_a_heading_sorts_and_leaves_the_columns_fitting(view: FactView, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.horizontalHeader().viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 5))
    assert view.fits_itself
    assert view.horizontalHeader().sortIndicatorSection() == 0


def test_a_column_that_was_put_away_stays_away_and_one_that_was_wanted_stays(view: FactView, qtbot: QtBot) -> None:
    view.setColumnHidden(1, True)
    state = msgspec.json.decode(msgspec.json.encode(view.columns_state()))
    other = FactView(FactTable(COLUMNS, lambda row: row), Theme())
    qtbot.addWidget(other)
    other.resize(400, 200)
    other.restore_columns(state)
    other.show()
    assert other.fits_itself
    assert hidden(other) in ([1, 3], [1])
    assert 1 not in other.places()
    assert 3 in other.places()  # copied and saved, though there is no room for it
    other.resize(290, 200)
    other.setColumnHidden(3, False)
    assert not other.isColumnHidden(3)
    assert not other.fits_itself


def test_the_menu_of_the_headings_shows_a_column_and_lets_them_fit_again(view: FactView) -> None:
    view.resize(430, 200)
    menu = ColumnMenu(view)
    assert [action.isChecked() for action in menu.actions()[:5]] == [place not in hidden(view) for place in range(5)]
    assert not menu.actions()[-1].isEnabled()
    away = hidden(view)[0]
    menu.actions()[away].trigger()
    assert away not in hidden(view)
    again = ColumnMenu(view).actions()[-1]
    assert again.isEnabled()
    again.trigger()
    assert (view.fits_itself, away in hidden(view)) == (True, True)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_default_table_is_scrolled_sideways_in_the_docks_that_it_comes_in(
    kind: type[Panel], language: str, rig: DesktopRig, qtbot: QtBot
) -> None:
    texts.choose(language)
    rig.open()
    panel = kind(rig.desk)
    qtbot.addWidget(panel)
    widths = {"watchlist": (330,), "performance": (460,)}.get(panel.kind, (944, 1137))
    for width in widths:
        panel.resize(width, 400)
        panel.show()
        for view in panel.findChildren(FactView):
            if view.isVisible():
                header = view.horizontalHeader()
                assert view.horizontalScrollBar().maximum() == 0
                shown = [place for place in range(header.count()) if not view.isColumnHidden(place)]
                edges = [header.sectionViewportPosition(place) + header.sectionSize(place) for place in shown]
                assert all(one < other for one, other in pairwise(edges))
                assert edges[-1] <= view.viewport().width()
    panel.leave()


def test_the_watchlist_keeps_symbol_last_change_and_volume_in_its_dock(rig: DesktopRig, qtbot: QtBot) -> None:
    rig.open()
    panel = WatchlistPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.resize(330, 500)
    panel.add("BTCUSDT.PERP")
    panel.show()
    rig.bridge.flush()
    columns = panel.view._model.columns
    shown = [one.key for place, one in enumerate(columns) if not panel.view.isColumnHidden(place)]
    assert shown == ["symbol", "last", "change_rate", "volume"]
    panel.leave()
