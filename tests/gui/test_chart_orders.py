"""What is ours on a chart: lines and marks, moving a line by the mouse, the cross, the menu, what Enter does not do."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.blotter_requests import ListProtections, ProtectionLeg, ProtectionLegs
from foxtrot.app.control_requests import (
    ListPositions,
    NetRow,
    Positions,
)
from foxtrot.app.desktop_requests import AskTerms, TermsFound
from foxtrot.core.commands import AmendOrder, ReplaceOrder, SendOrder
from foxtrot.core.notices import OrderChanged, TradeBooked
from foxtrot.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.market import MarketTrade
from foxtrot.gui.chart.chart_trading import SizeDialog
from foxtrot.gui.panels.chart import ChartPanel
from foxtrot.gui.texts import tr
from tests.support.builders import T0, a_perpetual, a_trade, an_order
from tests.support.chart_rig import MINUTE, ONE, open_chart
from tests.support.desktop_rig import ACCOUNT, DesktopRig

CHANGES = TermsFound(
    ACCOUNT,
    Capabilities(order_types=frozenset(OrderType), times_in_force=frozenset(TimeInForce), amend=True),
    hedges=False,
)
CHANGES_NONE = TermsFound(
    ACCOUNT,
    Capabilities(order_types=frozenset(OrderType), times_in_force=frozenset(TimeInForce), amend=False),
    hedges=False,
)


@pytest.fixture
def chart(qtbot: QtBot, rig: DesktopRig) -> ChartPanel:
    rig.link.answers[AskTerms] = CHANGES
    made = open_chart(rig)
    qtbot.addWidget(made)
    made.show()
    rig.bridge.flush()
    return made


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


def test_fills_of_a_bar_and_side_are_one_mark_with_count_and_quantity_in_the_hint(
    chart: ChartPanel, rig: DesktopRig
) -> None:
    for number in range(40):
        side = Side.BUY if number % 4 else Side.SELL
        rig.hear(TradeBooked("manual", a_trade("o2", trade_id=f"n{number}", quantity=0.5, price=99.0, side=side)))
    rig.bridge.flush()
    bar = min(place for place, side in chart.view.fills.marks if side is Side.BUY)
    marks = chart.view.fills.marks
    assert len(marks) == 3  # and the sale that was there before
    assert (marks[bar, Side.BUY].count, marks[bar, Side.BUY].quantity) == (30, 15.0)
    chart.view.pointed.emit(bar)
    assert chart.view.toolTip().splitlines() == [
        "▲ BUY 15 at 99.0 on average, 30 fills", "▼ SELL 5 at 99.0 on average, 10 fills"
    ]  # fmt: skip
    chart.view.pointed.emit(None)
    assert chart.view.toolTip() == ""
    assert not chart.grab().isNull()


def test_stops_have_a_line_that_says_where_they_live(chart: ChartPanel, rig: DesktopRig) -> None:
    here = ProtectionLeg("manual", ACCOUNT, ONE, "net", "stop", 97.5, 0.0, "here", 2.0, 2.0, "", "local", "")
    resting = ProtectionLeg("manual", ACCOUNT, ONE, "net", "take_profit", 99.0, 0.0, "venue", 2.0, 2.0, "o1", "", "")
    rig.link.answers[ListProtections] = ProtectionLegs((here, resting))
    chart.own.open(ONE, "")
    rig.bridge.flush()
    rig.bridge.flush()
    texts = [line.text for line in chart.view.lines.lines]
    assert f"▼ stop 2 @ 97.5 · {tr('protections.at_here')}" in texts
    assert [text for text in texts if "99.0" in text] == [f"▲ BUY 0.75 limit @ 99.0 · {tr('protections.at_venue')}"]
    assert all(line.level is None for line in chart.view.lines.lines if "97.5" in line.text)


def test_a_chart_begins_with_what_its_group_shows_or_the_first_of_few(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.open(a_perpetual())
    made = ChartPanel(rig.desk)
    qtbot.addWidget(made)
    made.show()
    assert (made.instrument_id, rig.desk.groups.shown("blue")) == (ONE, ONE)


def test_dust_without_a_price_has_no_line(chart: ChartPanel, rig: DesktopRig) -> None:
    rig.link.answers[ListPositions] = Positions((), (NetRow(ACCOUNT, ONE, "net", -0.00002, 0.0),))
    rig.hear(TradeBooked("manual", a_trade("o2", quantity=2.0, side=Side.SELL)))
    rig.bridge.flush()
    assert [line.price for line in chart.view.lines.lines] == [99.0]


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
    chart.desk.bridge.flush()  # what the venue takes is asked for when the line is taken
    if release:
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)


def send_move(viewport: object, place: QPoint) -> None:
    where = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(viewport.mapToGlobal(place)), Qt.MouseButton.NoButton,  # type: ignore[attr-defined]
        Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)  # type: ignore[call-overload]


def test_a_line_that_is_dragged_changes_the_order_after_a_yes(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    drag(qtbot, chart, 99.0, 98.52)
    qtbot.waitUntil(lambda: rig.link.of(AmendOrder) != [])
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


def test_where_the_venue_changes_none_the_order_is_placed_anew_and_the_question_says_so(
    chart: ChartPanel, rig: DesktopRig, qtbot: QtBot
) -> None:
    rig.link.answers[AskTerms] = CHANGES_NONE
    drag(qtbot, chart, 99.0, 98.5)
    qtbot.waitUntil(lambda: rig.link.of(ReplaceOrder) != [])
    assert rig.link.of(AmendOrder) == []
    assert tr("orders.replaces") in rig.questions[0][1]


def test_a_line_that_is_let_go_before_the_venue_has_told_what_it_takes_stays(
    chart: ChartPanel, rig: DesktopRig, qtbot: QtBot
) -> None:
    del rig.link.answers[AskTerms]
    drag(qtbot, chart, 99.0, 98.5)
    qtbot.waitUntil(lambda: rig.said != [])
    assert rig.said == [("WARNING", tr("ladder.no_terms", account=ACCOUNT))]
    assert (rig.link.of(AmendOrder), rig.link.of(ReplaceOrder), rig.questions) == ([], [], [])


def test_without_a_yes_nothing_is_changed(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    rig.agrees = False
    drag(qtbot, chart, 99.0, 98.5)
    qtbot.waitUntil(lambda: len(rig.questions) == 1)
    assert rig.link.of(AmendOrder) == []


def test_armed_nobody_is_asked(chart: ChartPanel, rig: DesktopRig, qtbot: QtBot) -> None:
    rig.actions.arm(armed=True)
    drag(qtbot, chart, 99.0, 98.5)
    qtbot.waitUntil(lambda: len(rig.link.of(AmendOrder)) == 1)
    assert rig.questions == []


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
    QApplication.processEvents()
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
