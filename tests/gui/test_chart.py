"""The chart: history by pages, the live bar, frames, the cross, what is ours as lines, moving a line, the menu."""

from itertools import pairwise

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from foxtrot.core.commands import AskHistory, WatchMarket
from foxtrot.core.notices import AdapterStatus, HistoryLoaded
from foxtrot.domain.enums import AdapterState, Side
from foxtrot.domain.market import MarketTrade
from foxtrot.gui.chart.bar_words import bar_words
from foxtrot.gui.chart.frames import PAGE
from foxtrot.gui.chart.indicator_work import AT_ONCE
from foxtrot.gui.chart.indicators import chosen
from foxtrot.gui.chart.order_lines import spread
from foxtrot.gui.panels.chart import ChartPanel
from tests.support.builders import SECOND, T0, a_perpetual
from tests.support.chart_rig import MINUTE, NOW, ONE, answer, open_chart, some_bars
from tests.support.desktop_rig import ACCOUNT, DesktopRig


@pytest.fixture
def chart(qtbot: QtBot, rig: DesktopRig) -> ChartPanel:
    made = open_chart(rig)
    qtbot.addWidget(made)
    made.show()
    rig.bridge.flush()
    return made


def test_it_asks_for_streams_and_bars_and_shows_the_newest(chart: ChartPanel, rig: DesktopRig) -> None:
    watch, asked = rig.link.of(WatchMarket)[0], rig.link.of(AskHistory)[0]
    assert isinstance(watch, WatchMarket)
    assert isinstance(asked, AskHistory)
    assert (watch.account, watch.request.trades, watch.request.bars) == (ACCOUNT, True, ("1m",))
    assert (asked.request.interval, asked.request.count, asked.request.end_ns) == ("1m", PAGE, NOW)
    assert len(chart.series) == 400
    assert chart.view.view.follows
    assert chart.head.name.text() == "BTCUSDT"
    assert "Vol 5" in chart.head.figures.text()
    assert "e" not in chart.head.figures.text().replace("Vol", "").lower()


def test_answers_of_other_questions_are_not_its_bars(chart: ChartPanel, rig: DesktopRig) -> None:
    rig.hear(HistoryLoaded("somebody else's", ONE, "1m", some_bars(500, 600)))
    assert len(chart.series) == 400


def test_older_bars_come_when_the_user_pans_left_and_the_same_bars_stay_seen(
    chart: ChartPanel, rig: DesktopRig
) -> None:
    before = len(rig.link.of(AskHistory))
    chart.view.view.pan(-1_000)
    chart.view._moved()
    asked = rig.link.of(AskHistory)
    assert len(asked) == before + 1
    assert asked[-1].request.end_ns == T0  # type: ignore[attr-defined]
    chart.view._moved()
    assert len(rig.link.of(AskHistory)) == before + 1  # one question at a time
    left = chart.view.view.left
    rig.hear(answer(rig, some_bars(-300, 0)))
    assert (len(chart.series), chart.view.view.left) == (700, left + 300)
    chart.view.view.pan(-1_000)
    chart.view._moved()
    rig.hear(answer(rig, ()))
    asked_so_far = len(rig.link.of(AskHistory))
    chart.view._moved()
    assert len(rig.link.of(AskHistory)) == asked_so_far  # there are no older ones


def test_prints_move_the_live_bar_and_the_view_goes_on_with_it(chart: ChartPanel, rig: DesktopRig) -> None:
    right = chart.view.view.right
    at = T0 + 400 * MINUTE + SECOND
    rig.hear(MarketTrade(ONE, at, at, "1", 101.5, 2.0, Side.BUY), MarketTrade(ONE, at, at, "2", 101.7, 1.0, Side.BUY))
    assert len(chart.series) == 401
    assert chart.series.figures(400) == (101.5, 101.7, 101.5, 101.7, 3.0)
    assert chart.view.view.right == right + 1
    assert chart.view.price.axis.tags["last"].text == "101.7"
    rig.hear(MarketTrade("OTHER", at, at, "3", 1.0, 2.0, Side.BUY))
    assert chart.last_price == 101.7


def test_a_frame_button_asks_for_bars_of_that_frame_and_begins_the_open_one(chart: ChartPanel, rig: DesktopRig) -> None:
    button = chart.findChild(QToolButton, "frame_1h")
    button.click()
    assert chart.frame == "1h"
    assert len(chart.series) == 0
    asked = rig.link.of(AskHistory)[-1]
    assert asked.request.interval == "1h"  # type: ignore[attr-defined]
    rig.hear(answer(rig, some_bars(0, 6, "1h")))
    assert len(chart.series) == 6
    begun = rig.link.of(AskHistory)[-1]
    assert (begun.request.interval, begun.request.count) == ("1m", 40)  # type: ignore[attr-defined]
    rig.hear(answer(rig, some_bars(360, 400)))
    assert len(chart.series) == 7
    assert chart.series.figures(6)[4] == 40 * 5.0


def test_where_the_venue_has_only_minutes_bars_are_made_of_them(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.show_frame("15m")
    rig.hear(answer(rig, (), "there are no bars of 15m"))
    asked = rig.link.of(AskHistory)[-1]
    assert asked.request.interval == "1m"  # type: ignore[attr-defined]
    rig.hear(answer(rig, some_bars(0, 400)))
    assert (len(chart.series), chart.feed.error) == (27, "")
    assert chart.series.figures(0)[4] == 75.0
    assert chart.series.figures(26)[4] == 50.0  # the open one, so far


def test_a_frame_that_failed_while_the_link_was_lost_is_asked_again(chart: ChartPanel, rig: DesktopRig) -> None:
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.LOST, "cable", 0, 0.0, T0))
    chart.show_frame("15m")
    rig.hear(answer(rig, (), "not connected"))
    rig.hear(answer(rig, (), "not connected"))
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0))
    assert rig.link.of(AskHistory)[-1].request.interval == "15m"  # type: ignore[attr-defined]


def test_why_there_are_no_bars_is_said(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.feed.renew()
    assert "loading" in chart.head.state.text()
    rig.hear(answer(rig, (), "the venue is closed for today"))
    assert "the venue is closed for today" in chart.head.state.text()


def test_bars_are_asked_again_after_the_link_was_lost(chart: ChartPanel, rig: DesktopRig) -> None:
    before = len(rig.link.of(AskHistory))
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0))
    assert len(rig.link.of(AskHistory)) == before  # it was not lost
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.LOST, "cable", 0, 0.0, T0))
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0))
    assert len(rig.link.of(AskHistory)) == before + 1


def test_an_instrument_that_is_not_listed_yet_is_opened_when_it_is(qtbot: QtBot, rig: DesktopRig) -> None:
    panel = ChartPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    panel.restore_state(
        {"instrument": ONE, "frame": "5m", "indicators": [{"key": "rsi", "period": 9}, {"key": "x"}, 3]}
    )
    assert rig.link.of(AskHistory) == []
    rig.open(a_perpetual())
    asked = rig.link.of(AskHistory)
    assert [one.request.interval for one in asked] == ["5m"]  # type: ignore[attr-defined]
    assert panel.save_state()["indicators"] == [{"key": "rsi", "period": 9}]
    panel.leave()
    rig.hear(HistoryLoaded("x", ONE, "5m", ()))


# --- indicators -----------------------------------------------------------------------------------------------------


def test_indicators_are_drawn_over_the_price_or_below_it(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.head.fill_menu()
    actions = {action.text().split("  ")[0]: action for action in chart.head.menu.actions()}
    actions["Bollinger bands"].trigger()
    actions["Relative strength index"].trigger()
    rig.bridge.flush()
    assert len(chart.view.all_panes()) == 3
    assert [text.split()[0] for text, _ in chart.view.price.names.names] == ["BB"]
    assert chart.view.panes.below[0].names.names[0][0].startswith("RSI 14")
    chart.head.ask_period = lambda *_: 5
    chart.head.fill_menu()
    next(action for action in chart.head.menu.actions() if action.text() == "Bars of RSI").trigger()
    rig.bridge.flush()
    assert chart.view.panes.below[0].names.names[0][0].startswith("RSI 5")
    chart.head.choose(())
    assert len(chart.view.all_panes()) == 2


def test_a_long_series_is_computed_beside_the_window(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    one = chosen("sma")
    assert one is not None
    chart.feed.renew()
    rig.hear(answer(rig, some_bars(-AT_ONCE, 400)))
    chart.head.choose((one,))
    assert chart.work.found == {}  # it has only begun
    qtbot.waitUntil(lambda: one in chart.work.found, timeout=5_000)
    assert len(chart.work.found[one][0]) == len(chart.series) == AT_ONCE + 400


# --- painting -------------------------------------------------------------------------------------------------------


def test_it_paints_rising_bars_hollow_and_falling_ones_filled(chart: ChartPanel) -> None:
    image = chart.view.grab().toImage()
    colours = chart.desk.theme.colours
    seen = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height() // 2, 2)}
    assert {QColor(colours.up).name(), QColor(colours.down).name(), QColor(colours.panel).name()} <= seen


def test_figures_that_have_no_room_are_left_out_whole(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.resize(430, 400)
    rig.bridge.flush()
    label = chart.head.figures
    assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width()
    assert label.text().split("  ") == list(
        bar_words(chart.series, 399, chart.instrument)[: len(label.text().split("  "))]
    )
    assert "Vol 5" in label.toolTip()


@pytest.mark.parametrize("places", [[50.0], [50, 51, 52], [3, 2, 1], [198, 199, 190, 20, 25], [0, 100, 100, 101, 200]])
def test_labels_of_lines_cover_no_other_and_stand_near_their_lines_in_their_order(places: list[float]) -> None:
    high = 10.0
    edges = spread(places, high, 0.0, 200.0)
    assert all(0.0 <= edge <= 200.0 - high for edge in edges)
    assert all(lower - upper >= high - 1e-9 for upper, lower in pairwise(sorted(edges)))
    assert sorted(range(len(places)), key=edges.__getitem__) == sorted(range(len(places)), key=places.__getitem__)
    assert all(abs(edge + high / 2 - place) <= high * len(places) for edge, place in zip(edges, places, strict=True))


def test_more_labels_than_there_is_room_for_cover_no_other_either() -> None:
    edges = spread([5.0] * 30, 10.0, 0.0, 200.0)
    assert edges == [10.0 * line for line in range(30)]


def test_nothing_is_painted_while_nobody_looks(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.hide()
    state = chart.view._seen_state
    at = T0 + 400 * MINUTE + SECOND
    rig.hear(MarketTrade(ONE, at, at, "1", 101.5, 2.0, Side.BUY))
    assert chart.view._seen_state == state
    assert chart.last_price == 101.5
    chart.show()
    assert chart.view._seen_state != state
