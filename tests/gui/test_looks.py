"""Every panel in its least size, and every workspace in a small window, in each look: nothing is cut, squeezed, or covers another."""

from decimal import Decimal
from typing import Final

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QLineEdit, QPushButton, QScrollArea, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from foxtrot.app.control_requests import ListOrders, Orders
from foxtrot.core.notices import OrderChanged, TradeBooked
from foxtrot.gui import texts
from foxtrot.gui.columns import Tone
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.money_line import MoneyFigures, MoneyLine
from foxtrot.gui.panels import ALL
from foxtrot.gui.theme import Mode, Theme, apply_theme
from foxtrot.gui.totals_bar import MORE, TotalsBar, sum_pieces
from foxtrot.gui.workspaces import CAME_WITH
from tests.support.builders import a_tick, a_trade, an_account, an_order
from tests.support.chart_rig import a_row
from tests.support.desktop_faults import cut_fields, cut_tabs, faults, has_glyph, misplaced
from tests.support.desktop_rig import ACCOUNT, DesktopRig

PERP: Final = "BTCUSDT.PERP"
LOOKS: Final = [(language, mode, scale) for language in texts.LANGUAGES for mode in Mode for scale in (1.0, 2.0)]
ALWAYS: Final = {("en", Mode.DARK, 1.0), ("zh", Mode.LIGHT, 2.0)}
EACH: Final = pytest.mark.parametrize(
    "look", [pytest.param(look, marks=() if look in ALWAYS else pytest.mark.slow) for look in LOOKS], ids=str
)
SMALL: Final = (1280, 800)
Look = tuple[str, Mode, float]


@pytest.fixture
def looked(rig: DesktopRig, request: pytest.FixtureRequest, qapp: QApplication) -> DesktopRig:
    """A desk that has heard something, in a look."""
    language, mode, scale = request.getfixturevalue("look")
    texts.choose(language)
    rig.settings.mode, rig.settings.scale, rig.settings.language = mode, scale, language
    rig.desk.theme = Theme(mode, scale=scale)
    apply_theme(qapp, rig.desk.theme)
    rig.link.answers[ListOrders] = Orders((a_row("o1"), a_row("o2", "double_ma")))
    rig.open()
    rig.desk.groups.show("blue", PERP)
    return rig


def tell(rig: DesktopRig) -> None:
    """Tell what is painted."""
    rig.hear(
        a_tick(bid=65_432.1, ask=65_432.2),
        OrderChanged("manual", an_order("o1", account=ACCOUNT)),
        TradeBooked("manual", a_trade("o1", account=ACCOUNT)),
        an_account({"USDT": "1234567.89", "BTC": "0.12345678"}, ACCOUNT),
    )
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        rig.bridge.flush()


@EACH
def test_every_panel_is_whole_in_its_least_size(looked: DesktopRig, qtbot: QtBot, look: Look) -> None:
    wrong = []
    for kind in ALL.names():
        panel = ALL.make(kind, looked.desk)
        assert panel is not None
        panel.show()
        panel.resize(panel.minimumSize())
        tell(looked)
        assert not panel.failing
        wrong += [f"{kind}: {fault}" for fault in faults(panel)]
        panel.hide()
        panel.leave()
        panel.deleteLater()
    assert not wrong, "\n".join(wrong)


@EACH
def test_every_workspace_is_whole_in_a_small_window(looked: DesktopRig, look: Look) -> None:
    window = MainWindow(looked.desk, looked.actions, ALL, looked.files)
    window.resize(*(looked.desk.theme.pixels(length) for length in SMALL))
    window.show()
    wrong = []
    for workspace in CAME_WITH:
        window.docks.show_default(workspace)
        QApplication.processEvents()
        tell(looked)
        wrong += [f"{workspace}: {fault}" for fault in faults(window)]
    window.may_close = lambda: True
    window.docks.clear()
    window.close()
    window.deleteLater()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_character_of_every_text_is_in_a_font_that_is_named(language: str, qapp: QApplication) -> None:
    characters = {letter for text in texts.table(language).values() for letter in text if not letter.isspace()}
    assert sorted(letter for letter in characters if not has_glyph(letter)) == []


# --- numbers in lines that paint themselves -------------------------------------------------------------------------


def test_money_is_painted_whole_where_there_is_just_room_for_it(qtbot: QtBot) -> None:
    """Qt elides words that are as wide as their room, by a fraction of a pixel."""
    line = MoneyLine(Theme())
    qtbot.addWidget(line)
    for cents in range(-3_000, 3_000, 171):
        figures = MoneyFigures(
            "USDT", Decimal(159_116_826 + cents) / 100, "", (), Decimal(cents) / 100, 0, None, Decimal(0), Decimal(0)
        )
        line.show_figures(figures)
        line.resize(line.sizeHint())
        narrow = line.grab().toImage()
        line.resize(line.width() + 60, line.height())
        assert line.grab().toImage().copy(narrow.rect()) == narrow, line.text()


def test_a_line_of_totals_leaves_numbers_out_whole_and_says_that_there_are_more(qtbot: QtBot) -> None:
    bar = TotalsBar(Theme())
    qtbot.addWidget(bar)
    sums = {"BTC": Decimal("0.00043211"), "USDT": Decimal("2.25193478")}
    pieces = [*sum_pieces("Fees", sums, None), *sum_pieces("Value", {"USDT": Decimal(25_424)})]
    bar.show_pieces(pieces)
    assert bar.text == "Fees  0.0004321 BTC  2.25 USDT  Value  25,424.00 USDT"
    assert bar.toolTip() == "Fees  0.00043211 BTC  2.25193478 USDT  Value  25,424.00 USDT"
    whole = {piece.text for piece in pieces}
    for width in range(90, 600, 7):
        bar.resize(width, 24)
        shown = bar.shown()
        assert {piece.text for piece in shown} <= whole | {MORE.text}
        assert MORE not in shown or [piece.tone for piece in shown[-2:-1]] != [Tone.DIM], "a label without its number"
        assert (shown[-1] is MORE) == (len(shown) <= len(pieces) and shown != pieces)
    assert shown == pieces


# --- what is looked for is found ------------------------------------------------------------------------------------


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(200, 100)
    made.show()
    return made


def test_buttons_that_cover_each_other_stick_out_or_are_squeezed_are_found(page: QWidget) -> None:
    first, second = QPushButton("first", page), QPushButton("second", page)
    for button in (first, second):
        button.show()
    first.setGeometry(0, 0, 80, 30)
    second.setGeometry(90, 0, 80, 30)
    assert misplaced(page) == []
    second.setGeometry(70, 0, 80, 30)
    assert len(misplaced(page)) == 1
    second.setGeometry(150, 0, 80, 30)
    assert len(misplaced(page)) == 1
    second.setGeometry(90, 0, 80, 6)
    assert len(misplaced(page)) == 1


def test_what_cannot_be_scrolled_to_is_found(page: QWidget) -> None:
    row = QHBoxLayout(page)
    area, inside = QScrollArea(page), QLabel("a form that is wider than its area by far, and cannot be scrolled to")
    area.setWidget(inside)
    row.addWidget(area)
    QApplication.processEvents()
    assert misplaced(page) == []
    area.setHorizontalScrollBarPolicy(area.horizontalScrollBarPolicy().ScrollBarAlwaysOff)
    assert any("needs" in fault for fault in misplaced(page))


def test_tabs_and_figures_without_room_are_found(page: QWidget) -> None:
    bar, field = QTabBar(page), QLineEdit("1,234,567.89", page)
    for place in range(6):
        bar.addTab(f"Differences {place}")
    for widget in (bar, field):
        widget.show()
    bar.setGeometry(0, 0, 200, 24)
    field.setGeometry(0, 40, 50, 24)
    assert (len(cut_tabs(page)), len(cut_fields(page))) == (1, 1)
    bar.setGeometry(0, 0, 2_000, 24)
    field.setGeometry(0, 40, 150, 24)
    assert (len(cut_tabs(page)), len(cut_fields(page))) == (0, 0)
