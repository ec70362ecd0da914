"""The ladder: rows that add up, clicks that are one order each, drags, cancels, and a price that stays where the hand is."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.control_requests import Cancel, ListOrders, ListPositions, NetRow, OrderRow, Orders, Positions
from foxtrot.app.desktop_requests import AskTerms, TermsFound
from foxtrot.core.commands import AmendOrder, ReplaceOrder, SendOrder, WatchMarket
from foxtrot.core.notices import AmendAnswered, BookStateChanged, OrderChanged, RequestFailed, TradeBooked
from foxtrot.domain.enums import BookState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DepthData
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.domain.outcome import Outcome
from foxtrot.gui import texts
from foxtrot.gui.panels.ladder import LadderPanel
from foxtrot.gui.panels.ladder_model import Ladder, group_for, sizes_for
from foxtrot.gui.panels.ladder_paint import Place
from foxtrot.gui.panels.ladder_view import LadderView
from foxtrot.gui.panels.ladder_wishes import SHIFT_S
from foxtrot.gui.theme import Theme
from tests.support.builders import T0, a_depth, a_perpetual, a_spot, a_tick, a_trade, an_order
from tests.support.desktop_rig import ACCOUNT, DesktopRig

NAME = "BTCUSDT.PERP"
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
EVERY_TYPE = Capabilities(
    order_types=frozenset(OrderType),
    times_in_force=frozenset(TimeInForce),
    amend=True,
    post_only=True,
    reduce_only=True,
)


def a_book(middle: float = 100.0, levels: int = 40) -> DepthData:
    bids = tuple((round(middle - 0.1 * (n + 1), 1), 1.0 + n % 7) for n in range(levels))
    asks = tuple((round(middle + 0.1 * (n + 1), 1), 1.0 + n % 5) for n in range(levels))
    return a_depth(bids, asks)


def a_mine(order_id: str = "m1", price: float = 99.5, side: Side = Side.BUY, **terms: object) -> OrderChanged:
    owner = str(terms.pop("owner", "manual"))
    return OrderChanged(owner, an_order(order_id, price=price, side=side, strategy_id=owner, **terms))  # type: ignore[arg-type]


@pytest.fixture
def panel(qtbot: QtBot, rig: DesktopRig) -> LadderPanel:
    rig.link.answers |= {
        AskTerms: TermsFound(ACCOUNT, EVERY_TYPE, hedges=False), ListOrders: Orders(()), ListPositions: Positions((), ()),
    }  # fmt: skip
    made = LadderPanel(rig.desk)
    made.clock = lambda: rig.seconds
    qtbot.addWidget(made)
    made.resize(320, 640)
    made.show()
    rig.open()
    made.choose_instrument(NAME)
    rig.hear(a_tick(), a_book())
    rig.later(10.0)
    rig.bridge.flush()
    return made


def click(
    qtbot: QtBot, panel: LadderPanel, price: float, place: Place, button: Qt.MouseButton = LEFT, *, shift: bool = False
) -> None:
    assert panel.ladder is not None
    modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(panel.view, button, modifier, panel.view.point_of(panel.ladder.row_below(price + 1e-9), place))


def limit(price: float, side: Side = Side.BUY, size: float = 0.001) -> SendOrder:
    return SendOrder(OrderRequest(NAME, ACCOUNT, side, OrderType.LIMIT, size, price), "manual")


# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_gather_ticks_and_nothing_looks_better_than_it_is() -> None:
    ladder = Ladder(a_perpetual(), group=10)
    ladder.take_depth(a_depth(((99.9, 1.0), (99.1, 2.0), (98.9, 4.0)), ((100.1, 3.0), (101.0, 1.0))))
    rows = {row.price: (row.bid, row.ask) for row in ladder.rows(ladder.row_above(103.0), 8)}
    assert rows["99.0"] == ("3", "")
    assert rows["98.0"] == ("4", "")
    assert rows["101.0"] == ("", "4")
    assert ladder.price_of(ladder.row_below(99.95)) == 99.0


def test_a_quote_stands_for_a_book_that_is_not_there() -> None:
    ladder = Ladder(a_perpetual())
    ladder.take_market(None, a_tick(bid=99.9, ask=100.1))
    assert (ladder.best_bid, ladder.best_ask, ladder.middle) == (99.9, 100.1, 1000)
    assert [row.bid for row in ladder.rows(1000, 3)] == ["", "1", ""]
    assert ladder.rows(1000, 1)[0].is_last


def test_bars_are_shares_of_the_largest_size_in_view() -> None:
    ladder = Ladder(a_perpetual())
    ladder.take_depth(a_depth(((99.9, 5.0), (99.8, 10.0), (90.0, 500.0)), ((100.1, 2.0),)))
    shares = {row.price: (row.bid_share, row.ask_share) for row in ladder.rows(1001, 5)}
    assert (shares["99.9"], shares["99.8"], shares["100.1"]) == ((0.5, 0.0), (1.0, 0.0), (0.0, 0.2))


@pytest.mark.parametrize(
    ("notional", "price", "sizes"),
    [("0", 100.0, [0.001, 0.002, 0.005, 0.01, 0.025]), ("100", 60_000.0, [0.002, 0.004, 0.01, 0.02, 0.05])],
)
def test_sizes_begin_with_the_least_that_the_venue_takes(notional: str, price: float, sizes: list[float]) -> None:
    assert sizes_for(a_perpetual(min_notional=Decimal(notional)), price) == sizes


@pytest.mark.parametrize(
    ("price", "tick", "group"), [(60_000.0, "0.01", 100), (60_000.0, "0.1", 10), (100.0, "0.01", 1), (0.0, "0.01", 1)]
)
def test_a_row_gathers_ticks_where_they_are_too_fine(price: float, tick: str, group: int) -> None:
    assert group_for(a_perpetual(price_grid=Grid.of(tick)), price) == group


# --- the panel --------------------------------------------------------------------------------------------------------


def test_it_asks_for_the_book_and_for_what_is_ours(panel: LadderPanel, rig: DesktopRig) -> None:
    (watch,) = rig.link.of(WatchMarket)
    assert (watch.account, watch.request.depth_levels, watch.request.trades) == (ACCOUNT, 100, True)  # type: ignore[attr-defined]
    assert ListOrders(account=ACCOUNT, instrument=NAME) in rig.link.asked
    assert panel.feed.terms is not None
    assert panel.sizes.box.value() == 0.001


def test_unarmed_a_click_marks_and_only_the_yes_sends(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    click(qtbot, panel, 99.5, Place.BIDS)
    assert rig.link.of(SendOrder) == []
    assert panel.confirm.isVisible()
    assert "BUY 0.001 BTCUSDT limit @ 99.5" in panel.confirm.text.text()
    click(qtbot, panel, 99.4, Place.BIDS)
    qtbot.mouseClick(panel.confirm.yes, LEFT)
    assert rig.link.of(SendOrder) == [limit(99.4)]
    assert not panel.confirm.isVisible()
    qtbot.mouseClick(panel.confirm.yes, LEFT)
    assert len(rig.link.of(SendOrder)) == 1


def test_no_key_says_yes(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    click(qtbot, panel, 99.5, Place.BIDS)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
        for widget in (panel.view, panel.sizes.box, panel.confirm.yes, panel):
            qtbot.keyClick(widget, key)
    assert rig.link.sent == rig.link.of(WatchMarket)
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert not panel.confirm.isVisible()
    for button in panel.findChildren(QPushButton):
        assert button.focusPolicy() is Qt.FocusPolicy.NoFocus


def test_armed_one_click_and_a_double_click_are_one_order(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.actions.arm(armed=True)
    click(qtbot, panel, 99.5, Place.BIDS)
    assert rig.link.of(SendOrder) == [limit(99.5)]
    rig.later(5.0)
    point = panel.view.point_of(1004, Place.ASKS)
    qtbot.mouseClick(panel.view, LEFT, Qt.KeyboardModifier.NoModifier, point)
    rig.later(5.0)  # the second click of a double click, however slow
    where = QPointF(point)
    again = QMouseEvent(QEvent.Type.MouseButtonDblClick, where, where, LEFT, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel.view, again)
    qtbot.mouseRelease(panel.view, LEFT, Qt.KeyboardModifier.NoModifier, point)
    assert rig.link.of(SendOrder) == [limit(99.5), limit(100.4, Side.SELL)]


def test_live_asks_unless_armed(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.desk.is_live, rig.agrees = True, False
    click(qtbot, panel, 99.5, Place.BIDS)
    qtbot.mouseClick(panel.confirm.yes, LEFT)
    assert (len(rig.questions), rig.link.of(SendOrder)) == (1, [])
    rig.actions.arm(armed=True)
    assert (len(rig.questions), rig.actions.armed) == (2, False), "the person said no to arming"
    rig.agrees = True
    rig.actions.arm(armed=True)
    click(qtbot, panel, 99.4, Place.BIDS)
    assert (len(rig.questions), rig.link.of(SendOrder)) == (3, [limit(99.4)])


def test_shift_is_a_stop_and_one_that_would_trade_at_once_is_refused(
    qtbot: QtBot, panel: LadderPanel, rig: DesktopRig
) -> None:
    rig.actions.arm(armed=True)
    click(qtbot, panel, 100.6, Place.BIDS, shift=True)
    request = OrderRequest(NAME, ACCOUNT, Side.BUY, OrderType.STOP, 0.001, trigger_price=100.6)
    assert rig.link.of(SendOrder) == [SendOrder(request, "manual")]
    click(qtbot, panel, 99.5, Place.BIDS, shift=True)
    click(qtbot, panel, 100.5, Place.ASKS, shift=True)
    assert len(rig.link.of(SendOrder)) == 1
    assert "trade at once" in panel.words.text()


def test_the_column_of_prices_sends_nothing(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.actions.arm(armed=True)
    click(qtbot, panel, 99.5, Place.PRICE)
    assert rig.link.of(SendOrder) == []


def drag(qtbot: QtBot, view: LadderView, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(view, LEFT, Qt.KeyboardModifier.NoModifier, start)
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, end)


def test_an_own_order_is_dragged_to_another_row(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.hear(a_mine(), a_mine("s1", 0.0, Side.BUY, trigger_price=100.8, order_type=OrderType.STOP))
    point = panel.view.point_of
    drag(qtbot, panel.view, point(995, Place.BUYS), point(992, Place.BUYS))
    assert rig.link.of(AmendOrder) == []
    assert "from 99.5 to 99.2" in panel.confirm.text.text()
    qtbot.mouseClick(panel.confirm.yes, LEFT)
    rig.actions.arm(armed=True)
    drag(qtbot, panel.view, point(1008, Place.BUYS), point(1010, Place.BUYS))
    assert rig.link.of(AmendOrder) == [
        AmendOrder(AmendRequest("m1", price=99.2)),
        AmendOrder(AmendRequest("s1", trigger_price=101.0)),
    ]


def test_what_cannot_be_moved_is_said(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.hear(a_mine("x1", owner="double_ma"), a_mine("m2", 99.3, status=OrderStatus.SUBMITTED))
    point = panel.view.point_of
    drag(qtbot, panel.view, point(995, Place.BUYS), point(992, Place.BUYS))
    assert "a strategy's" in panel.words.text()
    drag(qtbot, panel.view, point(993, Place.BUYS), point(992, Place.BUYS))
    assert "on its way" in panel.words.text()
    rig.hear(a_mine("m2", 99.3))
    rig.hear(AmendAnswered("m2", ACCOUNT, 1, Outcome.REFUSED, "venue", "too late", T0))
    assert "too late" in panel.words.text()
    assert rig.link.of(AmendOrder) == []


def test_where_the_venue_changes_none_the_order_is_cancelled_and_placed_anew(
    qtbot: QtBot, panel: LadderPanel, rig: DesktopRig
) -> None:
    panel.feed.terms = TermsFound(
        ACCOUNT, Capabilities(order_types=frozenset(), times_in_force=frozenset()), hedges=False
    )
    rig.hear(a_mine())
    drag(qtbot, panel.view, panel.view.point_of(995, Place.BUYS), panel.view.point_of(992, Place.BUYS))
    assert "Cancel and place anew" in panel.confirm.text.text()
    qtbot.mouseClick(panel.confirm.yes, LEFT)
    assert rig.link.of(ReplaceOrder) == [ReplaceOrder(AmendRequest("m1", price=99.2))]
    rig.hear(RequestFailed(ACCOUNT, "change of m1", "the order has ended: filled", T0))
    assert "has ended" in panel.words.text()


def test_trigger_and_limit_in_one_row_move_as_one_order(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.hear(a_mine("s1", 100.8, trigger_price=100.8, order_type=OrderType.STOP_LIMIT))
    rig.actions.arm(armed=True)
    drag(qtbot, panel.view, panel.view.point_of(1008, Place.BUYS), panel.view.point_of(1010, Place.BUYS))
    assert rig.link.of(AmendOrder) == [AmendOrder(AmendRequest("s1", price=101.0, trigger_price=101.0))]


def test_the_right_button_cancels_the_persons_orders_of_a_row(
    qtbot: QtBot, panel: LadderPanel, rig: DesktopRig
) -> None:
    rig.hear(a_mine(), a_mine("x1", owner="double_ma"), a_mine("m3", 99.4))
    click(qtbot, panel, 99.5, Place.BIDS, RIGHT)
    assert [one.order_id for one in rig.link.of(Cancel)] == ["m1"]  # type: ignore[attr-defined]
    click(qtbot, panel, 98.9, Place.BIDS, RIGHT)
    assert "no order there" in panel.words.text()


def test_all_of_a_side_are_cancelled_after_asking(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    rig.hear(a_mine(), a_mine("m2", 99.4), a_mine("m3", 100.7, Side.SELL), a_mine("x1", owner="double_ma"))
    rig.agrees = False
    qtbot.mouseClick(panel.findChild(QPushButton, "ladder_cancel_buys"), LEFT)
    assert (len(rig.questions), rig.link.of(Cancel)) == (1, [])
    rig.agrees = True
    qtbot.mouseClick(panel.findChild(QPushButton, "ladder_cancel_buys"), LEFT)
    assert [one.order_id for one in rig.link.of(Cancel)] == ["m1", "m2"]  # type: ignore[attr-defined]
    qtbot.mouseClick(panel.findChild(QPushButton, "ladder_cancel_all"), LEFT)
    assert len(rig.link.of(Cancel)) == 5


def test_orders_and_position_stand_in_their_rows(panel: LadderPanel, rig: DesktopRig) -> None:
    row = OrderRow(
        "m1",
        "manual",
        ACCOUNT,
        NAME,
        "buy",
        "limit",
        2.0,
        0.5,
        99.5,
        0.0,
        "accepted",
        False,
        False,
        "v",
        T0,
        T0,
        None,
        "",
    )
    rig.link.answers |= {
        ListOrders: Orders((row,)), ListPositions: Positions((), (NetRow(ACCOUNT, NAME, "net", -0.4, 99.7),)),
    }  # fmt: skip
    rig.open()
    rig.desk.connected.emit()
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.ladder is not None
    shown = {one.price: one for one in panel.ladder.rows(panel.top, panel.view.count)}
    assert shown["99.5"].buys is not None
    assert (shown["99.5"].buys.text, shown["99.7"].is_average) == ("1.5", True)
    assert panel.position.text() == "−0.4 @ 99.7"
    rig.link.answers[ListPositions] = Positions((), ())
    rig.hear(TradeBooked("manual", a_trade("m1", position_side=PositionSide.NET)))
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.position.text() == "flat"


def test_rows_follow_the_price_but_not_under_a_hand(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    top = panel.top
    rig.hear(a_book(100.3))
    assert panel.top == top
    qtbot.mouseMove(panel.view, panel.view.point_of(1000, Place.BIDS))
    panel.view.touched.emit()
    rig.hear(a_book(101.0))
    assert panel.top == top
    rig.later(2.0)
    rig.bridge.flush()
    assert panel.ladder is not None
    assert panel.top == 1010 + panel.view.count // 2
    rig.actions.arm(armed=True)
    rig.later(SHIFT_S / 2)
    click(qtbot, panel, 100.5, Place.BIDS)
    assert (rig.link.of(SendOrder), "just moved" in panel.words.text()) == ([], True)
    panel.hold.setChecked(True)
    rig.later(5.0)
    rig.hear(a_book(105.0))
    assert panel.top == 1010 + panel.view.count // 2
    qtbot.keyClick(panel.view, Qt.Key.Key_C)
    assert (panel.top, panel.hold.isChecked()) == (1050 + panel.view.count // 2, False)
    rig.actions.arm(armed=False)
    click(qtbot, panel, 104.5, Place.BIDS)
    assert (panel.wish is not None, panel.words.text()) == (True, "")


def test_a_held_ladder_looks_held(panel: LadderPanel) -> None:
    seen = []
    for held in (False, True):
        panel.hold.setChecked(held)
        picture = panel.hold.grab().toImage()
        seen.append(picture.pixelColor(picture.width() // 2, 3).name())
    assert seen == [Theme().colours.raised, Theme().colours.accent]


def test_keys_choose_sizes_and_rows(qtbot: QtBot, panel: LadderPanel) -> None:
    qtbot.keyClick(panel.view, Qt.Key.Key_3)
    assert panel.sizes.box.value() == 0.005
    top = panel.top
    qtbot.keyClick(panel.view, Qt.Key.Key_Up)
    assert (panel.top, panel.hold.isChecked()) == (top + 1, True)
    panel.sizes.box.setValue(0.123)
    panel.sizes.buttons[0].customContextMenuRequested.emit(QPoint())
    state = panel.save_state()
    assert state["presets"][NAME][0] == 0.123
    panel.restore_state({**state, "groups": {NAME: 10, "x": "nonsense"}, "presets": {NAME: [0.5], "x": "nonsense"}})
    assert panel.sizes.kept == {NAME: [0.5]}
    panel.show_instrument(NAME)
    panel.flush()
    assert panel.ladder is not None
    assert (panel.ladder.group, panel.group.currentData(), panel.sizes.sizes) == (10, 10, [0.5])


def test_refusals_and_a_book_that_is_not_to_be_believed_are_shown(panel: LadderPanel, rig: DesktopRig) -> None:
    rig.hear(a_mine("d1", status=OrderStatus.DENIED, reason="max_position: 2 is against the limit 1"))
    assert "max_position" in panel.words.text()
    rig.hear(BookStateChanged(ACCOUNT, NAME, BookState.STALE, "gap", T0))
    assert panel.view.is_stale


def test_another_instrument_forgets_what_was_marked(qtbot: QtBot, panel: LadderPanel, rig: DesktopRig) -> None:
    click(qtbot, panel, 99.5, Place.BIDS)
    rig.desk.groups.show("blue", a_spot().instrument_id)
    assert (panel.wish, panel.confirm.isVisible()) == (None, False)
    assert panel.instrument_id == a_spot().instrument_id


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_says_something_in_every_language(
    qtbot: QtBot, rig: DesktopRig, language: str, shown: Callable[[object], None]
) -> None:
    texts.choose(language)
    made = LadderPanel(rig.desk)
    shown(made)
    rig.open()
    made.choose_instrument(NAME)
    rig.hear(a_book())
    made.click(made.top - 3, Side.BUY, False)
    assert made.wish is not None
    words = [
        *(label.text() for label in made.findChildren(QLabel)),
        *(one.text() for one in made.findChildren(QPushButton)),
    ]
    assert [text for text in words if "ladder." in text or "{" in text] == []
    made.leave()


def test_no_price_is_ever_cut(qtbot: QtBot) -> None:
    view = LadderView(Theme())
    qtbot.addWidget(view)
    view.resize(270, 200)
    ladder = Ladder(a_perpetual(price_grid=Grid.of("0.01")))
    ladder.take_tick(a_tick(bid=123_456.78, ask=123_456.79), has_depth=False)
    rows = ladder.rows(ladder.middle or 0, 5)
    view.show_rows(rows)
    brush = view._brush
    room = brush.edges[Place.PRICE + 1] - brush.edges[Place.PRICE]
    assert room >= QFontMetrics(brush.font).horizontalAdvance(rows[0].price) + 6
