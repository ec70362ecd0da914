"""The watchlist: lists, search, quotes, order by drag and by value, what it asks of the platform and of other panels."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from foxtrot.app.control_requests import ListStrategies, Strategies, StrategyRow
from foxtrot.core.commands import WatchMarket
from foxtrot.core.notices import BookStateChanged, ContractsLoaded
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DELAYED, TickData
from foxtrot.gui.column_menu import ColumnMenu
from foxtrot.gui.columns import Tone
from foxtrot.gui.panels.watchlist import OUT_OF_SIGHT, WatchlistPanel
from foxtrot.gui.watch_lists import WatchLists
from foxtrot.gui.watch_rows import COLUMNS, short_text
from tests.support.builders import T0, a_depth, a_perpetual, a_spot
from tests.support.desktop_rig import ACCOUNT, DesktopRig

BTC, SPOT, ETH = "BTCUSDT.PERP", "BTCUSDT.SPOT", "ETHUSDT.PERP"
COLUMN = {column.key: place for place, column in enumerate(COLUMNS)}
Make = Callable[[], WatchlistPanel]


@pytest.fixture
def make(qtbot: QtBot, rig: DesktopRig) -> Make:
    """Makes a panel that is seen, at the time T0 of a clock that stands."""

    def made() -> WatchlistPanel:
        panel = WatchlistPanel(rig.desk)
        qtbot.addWidget(panel)
        panel.now_ns = lambda: T0
        tester = QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
        tester.setParent(panel.model)
        panel.resize(900, 400)
        panel.show()
        return panel

    return made


@pytest.fixture
def panel(rig: DesktopRig, make: Make) -> WatchlistPanel:
    """A list of three."""
    rig.open(a_perpetual(), a_spot(), a_perpetual("ETHUSDT"))
    made = make()
    made.add(BTC, SPOT, ETH)
    return made


def a_quote(instrument_id: str = BTC, last: float = 110.0, at: int = T0, source: str = "stream") -> TickData:
    return TickData(
        instrument_id, at, at, last - 0.1, 2.5, last + 0.1, 1.25, last, 1.0, volume=1_234_567.0, high_price=120.0, low_price=90.0,
        previous_close=100.0, source=source,
    )  # fmt: skip


def shown(panel: WatchlistPanel) -> list[str]:
    return [row.instrument_id for row in panel.model.shown()]


def cells(panel: WatchlistPanel, instrument_id: str = BTC) -> dict[str, str]:
    line = panel.model.line_of(instrument_id)
    return {key: str(panel.model.index(line, place).data()) for key, place in COLUMN.items()}


def click(qtbot: QtBot, panel: WatchlistPanel, line: int, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> QPoint:
    where = panel.view.visualRect(panel.model.index(line, 0)).center()
    qtbot.mouseClick(panel.view.viewport(), button, pos=where)
    return where


# --- quotes -------------------------------------------------------------------------------------------------------------


def test_a_quote_fills_its_row(rig: DesktopRig, panel: WatchlistPanel) -> None:
    rig.hear(a_quote(), BookStateChanged(ACCOUNT, BTC, BookState.LIVE, "", T0))
    got = cells(panel)
    assert (got["last"], got["change"], got["change_rate"]) == ("▲ 110.0", "+10.0", "+10.00 %")
    assert (got["bid"], got["bid_size"], got["ask"], got["ask_size"], got["spread"]) == (
        "109.9",
        "2.5",
        "110.1",
        "1.25",
        "0.2",
    )
    assert (got["volume"], got["high"], got["low"], got["age"], got["book"]) == (
        "1.23M",
        "120.0",
        "90.0",
        "< 1 s",
        "live",
    )
    rig.hear(a_quote(last=95.0))
    assert (cells(panel)["last"], cells(panel)["change_rate"]) == ("▼ 95.0", "−5.00 %")
    assert cells(panel, SPOT)["last"] == "–"


def test_the_touch_is_that_of_a_newer_book(rig: DesktopRig, panel: WatchlistPanel) -> None:
    rig.hear(a_quote(), a_depth(((108.0, 7.0),), ((112.0, 8.0),), at=T0 + 1))
    got = cells(panel)
    assert (got["bid"], got["bid_size"], got["ask"], got["ask_size"]) == ("108.0", "7", "112.0", "8")
    rig.hear(a_quote(at=T0 + 2))
    assert cells(panel)["bid"] == "109.9"


def test_an_old_quote_is_dimmed_and_marked(rig: DesktopRig, panel: WatchlistPanel) -> None:
    rig.hear(a_quote(at=T0 - 30_000_000_000), a_quote(SPOT, source=DELAYED))
    line = panel.model.line_of(BTC)
    cell = panel.model.index(line, COLUMN["last"]).data(int(Qt.ItemDataRole.UserRole))
    assert cell.tone is Tone.DIM
    assert cells(panel)["age"] == "⚠ 30 s"
    assert cells(panel, SPOT)["age"] == "⚠ delayed"


def test_ages_grow_without_a_quote(rig: DesktopRig, panel: WatchlistPanel) -> None:
    rig.hear(a_quote())
    panel.now_ns = lambda: T0 + 5_000_000_000
    panel._aged_s = 0.0
    rig.hear()
    assert cells(panel)["age"] == "5 s"


def test_rows_out_of_sight_are_made_some_at_a_time_and_rows_in_sight_at_once(qtbot: QtBot, rig: DesktopRig) -> None:
    many = [a_perpetual(f"S{place:03d}USDT") for place in range(300)]
    rig.open(*many)
    panel = WatchlistPanel(rig.desk)  # without the tester, which reads all of a table at every change
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    panel.add(*(one.instrument_id for one in many))
    rig.hear(*(a_quote(one.instrument_id) for one in many))
    fresh = [row for row in panel.model.shown() if row.last]
    in_sight = panel._in_sight()
    assert 5 < len(in_sight) < 60
    assert {row.instrument_id for row in fresh} >= set(in_sight)
    assert len(fresh) == len(in_sight) + OUT_OF_SIGHT
    for _ in range(300 // OUT_OF_SIGHT):
        rig.hear()
    assert all(row.last for row in panel.model.shown())


def test_nothing_is_made_while_nobody_looks(rig: DesktopRig, panel: WatchlistPanel) -> None:
    panel.hide()
    rig.hear(a_quote())
    assert cells(panel)["last"] == "–"
    panel.show()
    assert cells(panel)["last"] == "▲ 110.0"


def test_large_figures_are_short() -> None:
    got = [short_text(value) for value in (0.5, 99.25, 1_234.0, 12_345.0, 1.5e6, 23.4e6, 456e6, 7.89e9)]
    assert got == ["0.5", "99.25", "1,234", "12.3K", "1.50M", "23.4M", "456M", "7.89B"]


# --- lists --------------------------------------------------------------------------------------------------------------


def test_each_instrument_is_streamed_once(rig: DesktopRig, panel: WatchlistPanel) -> None:
    panel.add(BTC)
    panel.lists.make("Other")
    panel.add(BTC)
    asked = rig.link.of(WatchMarket)
    assert [(one.account, one.request.instrument_id, one.request.ticks) for one in asked] == [
        (ACCOUNT, BTC, True),
        (ACCOUNT, SPOT, True),
        (ACCOUNT, ETH, True),
    ]
    rig.desk.open(rig.link, is_live=False)
    assert len(rig.link.of(WatchMarket)) == 6


def test_what_no_account_lists_is_streamed_when_one_does(rig: DesktopRig, make: Make) -> None:
    rig.open()
    make().add("SOLUSDT.PERP")
    assert rig.link.of(WatchMarket) == []
    rig.hear(ContractsLoaded(ACCOUNT, (a_perpetual("SOLUSDT"),)))
    assert [one.request.instrument_id for one in rig.link.of(WatchMarket)] == ["SOLUSDT.PERP"]


def test_an_instrument_is_added_by_search_and_enter(qtbot: QtBot, rig: DesktopRig, make: Make) -> None:
    rig.open(a_perpetual(), a_spot(), a_perpetual("ETHUSDT"))
    panel = make()
    assert panel._pages.currentIndex() == 1
    qtbot.keyClicks(panel.search, "eth")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert (shown(panel), panel.search.text(), panel._pages.currentIndex()) == ([ETH], "", 0)
    qtbot.keyClicks(panel.search, "nonsense")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert rig.said == [("WARNING", "No instrument fits “nonsense”")]


def test_the_arrow_keys_choose_in_the_search(qtbot: QtBot, rig: DesktopRig, make: Make) -> None:
    rig.open(a_perpetual(), a_spot(), a_perpetual("ETHUSDT"))
    panel = make()
    qtbot.keyClicks(panel.search, "btc")
    qtbot.keyClick(panel.search._popup, Qt.Key.Key_Down)
    qtbot.keyClick(panel.search._popup, Qt.Key.Key_Down)
    qtbot.keyClick(panel.search._popup, Qt.Key.Key_Return)
    assert shown(panel) == [SPOT]
    assert not panel.search._popup.isVisible()


def test_delete_takes_a_row_out_and_alt_and_arrows_move_it(qtbot: QtBot, panel: WatchlistPanel) -> None:
    click(qtbot, panel, 0)
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert shown(panel) == [SPOT, BTC, ETH] == panel.lists.ids
    qtbot.keyClick(panel.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert shown(panel) == [SPOT, BTC, ETH]
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert shown(panel) == [SPOT, ETH] == panel.lists.ids


def test_a_row_is_dragged_before_another_unless_a_column_sorts(qtbot: QtBot, panel: WatchlistPanel) -> None:
    def drag(line: int, onto: int) -> None:
        data = panel.model.mimeData([panel.model.index(line, column) for column in range(2)])
        taken = panel.model.dropMimeData(data, Qt.DropAction.MoveAction, onto, 0, QModelIndex())
        assert not taken, "the view would take the row out"

    drag(2, 0)
    qtbot.waitUntil(lambda: shown(panel) == [ETH, BTC, SPOT])
    drag(0, -1)
    qtbot.waitUntil(lambda: shown(panel) == [BTC, SPOT, ETH])
    panel.view.sortByColumn(COLUMN["symbol"], Qt.SortOrder.DescendingOrder)
    before = panel.lists.ids
    drag(2, 0)
    qtbot.wait(20)
    assert panel.lists.ids == before


def test_words_filter_and_a_column_sorts_by_value(rig: DesktopRig, panel: WatchlistPanel) -> None:
    rig.hear(a_quote(BTC, 9.0), a_quote(SPOT, 10.0), a_quote(ETH, 100.0))
    panel.view.sortByColumn(COLUMN["last"], Qt.SortOrder.AscendingOrder)
    assert shown(panel) == [BTC, SPOT, ETH]
    rig.hear(a_quote(BTC, 1_000.0))
    panel._arranged_s = 0.0
    rig.hear()
    assert shown(panel) == [SPOT, ETH, BTC]
    panel.words.setText("eth")
    assert shown(panel) == [ETH]
    panel.words.setText("")
    panel.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert shown(panel) == [BTC, SPOT, ETH]


def test_lists_are_made_renamed_removed_and_shown_by_tab(panel: WatchlistPanel) -> None:
    names = iter(["Coins", "Majors", "", "Majors"])
    panel.tabs.ask_name = lambda _title, _before: next(names)
    panel.tabs.more.click()
    assert (shown(panel), panel.lists.names) == ([], ["Main", "Coins"])
    panel.tabs.rename()
    panel.tabs.make()
    panel.tabs.make()
    assert panel.lists.names == ["Main", "Majors"] == [panel.tabs.bar.tabText(place) for place in range(2)]
    panel.tabs.bar.setCurrentIndex(0)
    assert shown(panel) == [BTC, SPOT, ETH]
    panel.tabs.bar.setCurrentIndex(1)
    panel.tabs.remove()
    panel.tabs.remove()
    assert (panel.lists.names, shown(panel)) == (["Main"], [BTC, SPOT, ETH])


def test_lists_and_columns_are_saved_and_nonsense_is_passed_over(panel: WatchlistPanel, make: Make) -> None:
    panel.view.setColumnHidden(COLUMN["volume"], True)
    panel.lists.make("Other")
    panel.add(ETH)
    saved = panel.save_state()
    other = make()
    other.restore_state(saved)
    assert (other.lists.names, other.lists.shown, shown(other)) == (["Main", "Other"], "Other", [ETH])
    assert other.view.isColumnHidden(COLUMN["volume"])
    for nonsense in ([], "x", [["", []]], [[1, 2]], [["a", "b"]]):
        other.restore_state({"lists": nonsense})
    assert other.lists.names == ["Main", "Other"]
    lists = WatchLists("Main")
    assert lists.restore([["a", [1, "x", "x"]]], "gone")
    assert (lists.shown, lists.ids) == ("a", ["x"])


def test_the_first_list_has_what_strategies_trade(rig: DesktopRig, make: Make) -> None:
    row = StrategyRow(
        "mm", "MarketMaking", ACCOUNT, (BTC, "ETHUSDT"), "running", "", {}, 0, (), Decimal(0), False, "", 0, ""
    )
    rig.link.answers[ListStrategies] = Strategies((row,))
    panel = make()
    rig.open(a_perpetual(), a_perpetual("ETHUSDT"))
    rig.hear()
    assert shown(panel) == [BTC, ETH]
    assert rig.desk.groups.shown("blue") == BTC
    panel.lists.drop([BTC, ETH])
    panel._hear_strategies(Strategies((row,)), "")
    assert panel.lists.ids == [], "what the user has emptied stays empty"


# --- other panels -------------------------------------------------------------------------------------------------------


def test_a_click_shows_the_instrument_in_the_group_and_the_group_marks_the_row(
    qtbot: QtBot, rig: DesktopRig, panel: WatchlistPanel
) -> None:
    click(qtbot, panel, 2)
    assert rig.desk.groups.shown("blue") == ETH
    rig.desk.groups.show("blue", SPOT)
    assert [row.instrument_id for row in panel.view.selected()] == [SPOT]
    panel.set_chip("")
    click(qtbot, panel, 0)
    assert rig.desk.groups.shown("blue") == SPOT


def test_a_right_click_opens_panels_and_asks_for_an_alert(rig: DesktopRig, panel: WatchlistPanel) -> None:
    rig.hear(a_quote())
    panels: list[tuple[str, str]] = []
    alerts: list[tuple[str, float]] = []
    rig.desk.panel_asked.connect(lambda *asked: panels.append(asked))
    rig.desk.alert_asked.connect(lambda *asked: alerts.append(asked))

    def menu_of(line: int) -> dict[str, object]:
        panel.view.selectRow(line)
        panel.view.customContextMenuRequested.emit(panel.view.visualRect(panel.model.index(line, 0)).center())
        menu = panel.findChildren(QMenu, "watchlist_menu")[-1]
        return {action.text(): action for action in menu.actions()}

    actions = menu_of(0)
    for text in ("Chart", "Ladder", "Order ticket", "Alert at 110.0"):
        actions[text].trigger()  # type: ignore[attr-defined]
    assert panels == [("chart", BTC), ("ladder", BTC), ("ticket", BTC)]
    assert alerts == [(BTC, 110.0)]
    assert not menu_of(1)["Alert at –"].isEnabled()  # type: ignore[attr-defined]
    menu_of(1)["Take out of the list"].trigger()  # type: ignore[attr-defined]
    assert shown(panel) == [BTC, ETH]


def test_columns_are_chosen_at_the_headings(panel: WatchlistPanel) -> None:
    menu = ColumnMenu(panel.view)
    actions = {action.text(): action for action in menu.actions()}
    assert not actions["Symbol"].isEnabled()
    assert not actions["High"].isChecked()
    actions["High"].setChecked(True)
    actions["Bid"].setChecked(False)
    assert not panel.view.isColumnHidden(COLUMN["high"])
    assert panel.view.isColumnHidden(COLUMN["bid"])


def test_a_closed_panel_hears_nothing(rig: DesktopRig, panel: WatchlistPanel) -> None:
    panel.leave()
    rig.hear(a_quote(last=50.0))
    assert panel._dirty == {}


def test_of_500_changed_symbols_a_flush_makes_those_in_sight_and_a_few_more(
    qtbot: QtBot, rig: DesktopRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [a_perpetual(f"S{place:03d}USDT") for place in range(500)]
    rig.open(*many)
    panel = WatchlistPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.resize(1400, 900)
    panel.show()
    panel.add(*(one.instrument_id for one in many))
    in_sight = panel._in_sight()
    made: list[str] = []
    make = panel._row
    monkeypatch.setattr(panel, "_row", lambda key, now_ns: (made.append(key), make(key, now_ns))[1])
    for one in many:
        rig.store.hear(a_quote(one.instrument_id, 101.0))
    rig.bridge.flush()
    assert 10 < len(in_sight) < 100
    assert made[: len(in_sight)] == in_sight
    assert len(made) == len(in_sight) + OUT_OF_SIGHT
