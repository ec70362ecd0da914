"""The chart: history by pages, the live bar, frames, the cross, what is ours as lines, moving a line, the menu."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from foxtrot.app.control_requests import (
    ListOrders,
    ListPositions,
    ListTrades,
    NetRow,
    OrderRow,
    Orders,
    Positions,
    TradeRow,
    Trades,
)
from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import AmendOrder, AskHistory, SendOrder, WatchMarket
from foxtrot.core.notices import AdapterStatus, HistoryLoaded, OrderChanged, TradeBooked
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, Side
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade
from foxtrot.gui.chart.chart_trading import SizeDialog
from foxtrot.gui.chart.frames import PAGE
from foxtrot.gui.chart.indicator_work import AT_ONCE
from foxtrot.gui.chart.indicators import chosen
from foxtrot.gui.chart.order_lines import free_box
from foxtrot.gui.panels.chart import ChartPanel
from tests.support.builders import SECOND, T0, a_perpetual, a_trade, an_order
from tests.support.desktop_rig import ACCOUNT, DesktopRig

ONE = "BTCUSDT.PERP"
MINUTE = 60 * SECOND
NOW = T0 + 400 * MINUTE + 30 * SECOND


def some_bars(first: int, end: int, interval: str = "1m") -> tuple[BarData, ...]:
    """Bars that go up and down around 100."""
    length = Interval.parse(interval).duration_ns
    found = []
    for place in range(first, end):
        close = round(100 + 3 * float(np.sin(place / 9)), 1)
        opened = round(100 + 3 * float(np.sin((place - 1) / 9)), 1)
        high, low = max(close, opened) + 0.2, min(close, opened) - 0.2
        at = T0 + place * length
        found.append(BarData(ONE, interval, at, at + length, opened, high, low, close, 5.0))
    return tuple(found)


def a_row(order_id: str = "o1", owner: str = "manual", **terms: object) -> OrderRow:
    known = {
        "owner": owner, "account": ACCOUNT, "instrument_id": ONE, "side": "buy", "order_type": "limit", "quantity": 1.0,
        "filled": 0.25, "price": 99.0, "trigger_price": 0.0, "status": "accepted", "reduces": False, "cancel_asked": False,
        "venue_order_id": "v", "created_ns": T0, "changed_ns": T0, "unknown_since_ns": None, "reason": "",
    }  # fmt: skip
    return OrderRow(order_id=order_id, **(known | terms))


def answer(rig: DesktopRig, bars: tuple[BarData, ...], error: str = "") -> HistoryLoaded:
    """Answer the last question about history."""
    asked = rig.link.of(AskHistory)[-1]
    assert isinstance(asked, AskHistory)
    request = asked.request
    return HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)


@pytest.fixture
def chart(qtbot: QtBot, rig: DesktopRig) -> ChartPanel:
    rig.link.answers[ListOrders] = Orders((a_row(),))
    rig.link.answers[ListTrades] = Trades(
        (TradeRow(T0 + 390 * MINUTE, "t0", "o0", "manual", ACCOUNT, ONE, "sell", 101.0, 1.0, 0, "USDT", "taker"),)  # type: ignore[arg-type]
    )
    rig.link.answers[ListPositions] = Positions((), (NetRow(ACCOUNT, ONE, "net", 2.0, 98.0),))
    made = ChartPanel(rig.desk)
    made.feed._clock = ManualClock(NOW)
    made.resize(900, 600)
    qtbot.addWidget(made)
    made.show()
    rig.open()
    made.choose_instrument(ONE)
    rig.hear(answer(rig, some_bars(0, 400)))
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


def test_why_there_are_no_bars_is_said(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.feed.renew()
    assert "loading" in chart.head.state.text()
    rig.hear(answer(rig, (), "the venue is closed for today"))
    assert "the venue is closed for today" in chart.head.state.text()


def test_bars_are_asked_again_after_the_link_was_lost(chart: ChartPanel, rig: DesktopRig) -> None:
    before = len(rig.link.of(AskHistory))
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


# --- what is ours ---------------------------------------------------------------------------------------------------


def test_orders_position_and_fills_are_lines_and_marks(chart: ChartPanel, rig: DesktopRig) -> None:
    order, position = chart.view.lines.lines
    assert order.text == "▲ BUY 0.75 limit @ 99.0"
    assert position.text.startswith("● LONG 2 @ 98.0  +")
    assert position.level is None
    rig.hear(OrderChanged("manual", an_order("o1", OrderStatus.CANCELLED)))
    assert [line.level for line in chart.view.lines.lines] == [None]
    assert len(chart.own.marks.fills) == 1
    rig.link.answers[ListPositions] = Positions((), ())
    rig.hear(TradeBooked("manual", a_trade("o2", quantity=2.0, side=Side.SELL)))
    rig.bridge.flush()
    assert chart.view.lines.lines == ()
    assert len(chart.own.marks.fills) == 2


def test_the_profit_of_a_position_goes_with_the_price(chart: ChartPanel, rig: DesktopRig) -> None:
    at = T0 + 400 * MINUTE
    rig.hear(MarketTrade(ONE, at, at, "1", 97.0, 2.0, Side.BUY))
    assert chart.view.lines.lines[1].text.endswith("−2.00 USDT")


def test_a_stop_is_at_its_trigger_and_the_order_of_a_strategy_cannot_be_moved(
    chart: ChartPanel, rig: DesktopRig
) -> None:
    stop = an_order("o3", order_type=OrderType.STOP_LIMIT, price=97.0, trigger_price=97.5, side=Side.SELL)
    rig.hear(OrderChanged("alpha", stop))
    lines = [line for line in chart.view.lines.lines if "(alpha)" in line.text]
    assert sorted(line.price for line in lines) == [97.0, 97.5]
    assert [line.level for line in lines] == [None, None]
    assert lines[0].style is not lines[1].style


def drag(qtbot: QtBot, chart: ChartPanel, from_price: float, to_price: float, *, release: bool = True) -> None:
    """Take hold of a line by the mouse and move it."""
    box, view = chart.view.price.box, chart.view

    def pixel(price: float) -> QPoint:
        place = box.mapFromView(QPointF(chart.view.view.left + 40, price))
        return view.mapFromScene(box.mapToScene(place))

    start, end = pixel(from_price), pixel(to_price)
    viewport = view.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        middle = QPoint(start.x(), start.y() + (end.y() - start.y()) * step // 5)
        send_move(viewport, middle)
    if release:
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)


def send_move(viewport: object, place: QPoint) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    where = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(viewport.mapToGlobal(place)), Qt.MouseButton.NoButton,  # type: ignore[attr-defined]
        Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)  # type: ignore[call-overload]


def test_a_line_that_is_dragged_changes_the_order_after_a_yes(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    drag(qtbot, chart, 99.0, 98.52)
    (sent,) = rig.link.of(AmendOrder)
    assert isinstance(sent, AmendOrder)
    assert sent.request.order_id == "o1"
    assert sent.request.price == pytest.approx(98.5, abs=0.11)
    assert round(sent.request.price * 10) / 10 == sent.request.price  # on the grid
    assert sent.request.trigger_price == 0.0
    _, text = rig.questions[0]
    assert "99.0" in text
    assert f"{sent.request.price:.1f}" in text
    assert chart.view.lines.moving is None


def test_without_a_yes_nothing_is_changed(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    rig.agrees = False
    drag(qtbot, chart, 99.0, 98.5)
    assert len(rig.questions) == 1
    assert rig.link.of(AmendOrder) == []


def test_armed_nobody_is_asked(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    rig.actions.arm(armed=True)
    drag(qtbot, chart, 99.0, 98.5)
    assert rig.questions == []
    assert len(rig.link.of(AmendOrder)) == 1


def test_escape_leaves_the_line_where_it_was(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    drag(qtbot, chart, 99.0, 98.5, release=False)
    moving = chart.view.lines.moving
    assert moving is not None
    assert "%)" in moving.text
    left = chart.view.view.left
    qtbot.keyClick(chart.view, Qt.Key.Key_Escape)
    assert chart.view.lines.moving is None
    send_move(chart.view.viewport(), QPoint(100, 100))
    qtbot.mouseRelease(chart.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert (rig.questions, rig.link.of(AmendOrder), chart.view.view.left) == ([], [], left)


def test_a_drag_elsewhere_pans(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    left, viewport = chart.view.view.left, chart.view.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(100, 40))
    for x in (140, 180, 220):
        send_move(viewport, QPoint(x, 40))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(220, 40))
    assert chart.view.view.left < left - 5
    assert rig.questions == []


def test_keys_pan_zoom_and_go_to_the_newest(chart: ChartPanel, qtbot: QtBot) -> None:
    view = chart.view.view
    left = view.left
    qtbot.keyClick(chart.view, Qt.Key.Key_Left)
    assert view.left < left
    width = view.width
    qtbot.keyClick(chart.view, Qt.Key.Key_Plus)
    assert view.width < width
    qtbot.keyClick(chart.view, Qt.Key.Key_End)
    assert view.follows


# --- the cross and the menu -----------------------------------------------------------------------------------------


def test_the_cross_tells_the_bar_and_a_price_on_the_tick(chart: ChartPanel, qtbot: QtBot) -> None:
    box = chart.view.price.box
    place = box.mapToScene(box.mapFromView(QPointF(380.2, 100.03)))
    chart.view._hover(place)
    assert chart.view.bar == 380
    assert chart.head.figures.text().startswith("2023-11-15 06:20")
    assert chart.view.price.axis.tags["cross"].text == "100.0"
    assert chart.view.times.tags["cross"].text == "2023-11-15 06:20"
    chart.view._point(None, None, 0.0)
    assert chart.view.bar is None
    assert "cross" not in chart.view.price.axis.tags


def test_the_menu_places_a_limit_order_where_the_mouse_is(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.trading.ask_size = lambda *_: 0.5
    menu = chart.trading.menu(98.234, chart)
    buy, sell, _, alert = menu.actions()
    assert buy.text() == "▲ Buy limit at 98.2 …"
    sell.trigger()
    (sent,) = rig.link.of(SendOrder)
    assert isinstance(sent, SendOrder)
    request = sent.request
    assert (request.side, request.order_type, request.price, request.quantity) == (
        Side.SELL,
        OrderType.LIMIT,
        98.2,
        0.5,
    )
    assert (request.account, sent.owner) == (ACCOUNT, "manual")
    heard: list[tuple[str, float]] = []
    rig.desk.alert_asked.connect(lambda name, price: heard.append((name, price)))
    alert.trigger()
    assert heard == [(ONE, 98.2)]


def test_leaving_the_question_of_size_sends_nothing_and_live_asks_once_more(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.trading.ask_size = lambda *_: None
    assert not chart.trading.place(Side.BUY, 98.0)
    chart.trading.ask_size = lambda *_: 0.5
    rig.desk.is_live, rig.agrees = True, False
    assert not chart.trading.place(Side.BUY, 98.0)
    assert len(rig.questions) == 1
    assert rig.link.of(SendOrder) == []


def test_enter_never_sends(qtbot: QtBot) -> None:
    dialog = SizeDialog(None, "Buy", a_perpetual())
    qtbot.addWidget(dialog)
    dialog.show()
    done: list[int] = []
    dialog.finished.connect(done.append)
    for widget in (dialog, dialog.size_box):
        qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert done == []
    assert dialog.size_box.value() == 0.001
    assert not any(button.autoDefault() or button.isDefault() for button in dialog.findChildren(QPushButton))


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
    assert label.text().split("  ") == list(chart.figures_of(399)[: len(label.text().split("  "))])
    assert "Vol 5" in label.toolTip()


def test_labels_of_lines_cover_no_other() -> None:
    taken: list[QRectF] = []
    for place in range(6):
        box = free_box(QRectF(0, 10 + place, 90, 10), taken, 200.0)
        assert not any(box.intersects(other) for other in taken)
        taken.append(box)


def test_nothing_is_painted_while_nobody_looks(chart: ChartPanel, rig: DesktopRig) -> None:
    chart.hide()
    state = chart.view._seen_state
    at = T0 + 400 * MINUTE + SECOND
    rig.hear(MarketTrade(ONE, at, at, "1", 101.5, 2.0, Side.BUY))
    assert chart.view._seen_state == state
    assert chart.last_price == 101.5
    chart.show()
    assert chart.view._seen_state != state
