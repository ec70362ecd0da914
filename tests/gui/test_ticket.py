"""The ticket: each choice becomes the order that it says, what is missing is named, previews come four times a second at most."""

from decimal import Decimal

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.control_requests import Request
from foxtrot.app.desktop_requests import AskTerms, OrderPreview, PreviewOrder, TermsFound
from foxtrot.core.commands import SendOrder, SendProtectedOrder
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import OrderRequest
from foxtrot.gui import texts
from foxtrot.gui.link import Answered
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.numbers import NOTHING
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.ticket import TicketPanel
from foxtrot.gui.panels.ticket_model import Ticket, times_of, types_of
from foxtrot.gui.panels.ticket_preview import LATE_S
from tests.support.builders import a_spot, a_tick, an_order
from tests.support.desktop_rig import ACCOUNT, DesktopRig

NAME = "BTCUSDT.PERP"
LEFT = Qt.MouseButton.LeftButton
VENUE = Capabilities(
    order_types=frozenset(OrderType) - {OrderType.TAKE_PROFIT_LIMIT}, times_in_force=frozenset(TimeInForce),
    limit_only=frozenset({TimeInForce.FOK}), post_only=True, reduce_only=True,
)  # fmt: skip


def a_preview(request: Request, **figures: object) -> OrderPreview:
    assert isinstance(request, PreviewOrder)
    order = request.order
    found = OrderPreview(
        order.instrument_id, order.account, str(order.side), order.quantity, 100.0, "USDT", Decimal(25), "USDT", Decimal("2.525"),
        Decimal("9812.12"), Decimal("0.0125"), "USDT", "binance_usdm", 0.4, 0.65, "USDT", Decimal(10_000), Decimal("1.25"), 0.000125,
        Decimal("2.5"),
    )  # fmt: skip
    return msgspec.structs.replace(found, **figures)


@pytest.fixture
def panel(qtbot: QtBot, rig: DesktopRig) -> TicketPanel:
    rig.link.answers |= {AskTerms: TermsFound(ACCOUNT, VENUE, hedges=False), PreviewOrder: a_preview}
    made = TicketPanel(rig.desk)
    made.asker.clock = lambda: rig.seconds
    qtbot.addWidget(made)
    made.resize(320, 520)
    made.show()
    rig.open()
    made.choose_instrument(NAME)
    rig.hear(a_tick(bid=99.9, ask=100.1))
    rig.bridge.flush()
    made.form.quantity.setValue(0.25)
    return made


def choose(panel: TicketPanel, kind: OrderType) -> None:
    place = panel.form.type.findData(str(kind))
    assert place >= 0
    panel.form.type.setCurrentIndex(place)


def press(qtbot: QtBot, panel: TicketPanel, side: Side) -> None:
    qtbot.mouseClick(panel.buttons[side], LEFT)


# --- the order --------------------------------------------------------------------------------------------------------


def test_only_the_figures_of_its_type_are_in_an_order() -> None:
    full = Ticket(NAME, ACCOUNT, OrderType.MARKET, 1.0, 99.0, 98.0, 2.0, post_only=True, stop_loss=90.0)
    request = full.request(Side.BUY)
    assert (request.price, request.trigger_price, request.trailing_offset, request.post_only) == (0.0, 0.0, 0.0, False)
    stop = msgspec.structs.replace(full, order_type=OrderType.STOP_LIMIT).request(Side.SELL)
    assert (stop.price, stop.trigger_price, stop.trailing_offset) == (99.0, 98.0, 0.0)
    trailing = msgspec.structs.replace(full, order_type=OrderType.TRAILING_STOP).request(Side.SELL)
    assert (trailing.price, trailing.trigger_price, trailing.trailing_offset) == (0.0, 0.0, 2.0)


@pytest.mark.parametrize(
    ("side", "reduces", "place"),
    [
        (Side.BUY, False, PositionSide.LONG), (Side.SELL, False, PositionSide.SHORT), (Side.SELL, True, PositionSide.LONG),
        (Side.BUY, True, PositionSide.SHORT),
    ],
)  # fmt: skip
def test_where_long_and_short_are_apart_what_reduces_is_of_the_other_one(
    side: Side, reduces: bool, place: PositionSide
) -> None:
    assert Ticket(NAME, ACCOUNT, quantity=1.0, hedges=True, reduce_only=reduces).request(side).position_side is place


def test_what_is_missing_is_named() -> None:
    ticket = Ticket(NAME, ACCOUNT, OrderType.STOP_LIMIT, 1.0)
    assert ticket.missing() == "price"
    assert msgspec.structs.replace(ticket, price=1.0).missing() == "trigger"
    assert msgspec.structs.replace(ticket, price=1.0, trigger=1.0).missing() == ""
    assert Ticket(NAME, ACCOUNT, OrderType.TRAILING_STOP, 1.0).missing() == "offset"
    assert Ticket().missing() == "instrument"


def test_only_what_the_venue_takes_is_offered() -> None:
    assert types_of(None) == [OrderType.LIMIT]
    assert OrderType.TAKE_PROFIT_LIMIT not in types_of(VENUE)
    assert TimeInForce.FOK in times_of(VENUE, OrderType.LIMIT)
    assert TimeInForce.FOK not in times_of(VENUE, OrderType.MARKET)
    assert TimeInForce.GTD not in times_of(VENUE, OrderType.LIMIT)


# --- sending ----------------------------------------------------------------------------------------------------------


def test_the_buttons_say_what_they_send_and_send_that(qtbot: QtBot, panel: TicketPanel, rig: DesktopRig) -> None:
    panel.form.price.setValue(99.5)
    assert panel.buttons[Side.BUY].text() == "BUY 0.25\n@ 99.5"
    press(qtbot, panel, Side.BUY)
    assert rig.link.of(SendOrder) == [
        SendOrder(OrderRequest(NAME, ACCOUNT, Side.BUY, OrderType.LIMIT, 0.25, 99.5), "manual")
    ]
    assert "BUY 0.25 BTCUSDT Limit @ 99.5 (main)" in panel.said.text()
    choose(panel, OrderType.MARKET)
    assert panel.buttons[Side.SELL].text() == "SELL 0.25\n@ 99.9"
    press(qtbot, panel, Side.SELL)
    assert rig.link.sent[-1] == SendOrder(OrderRequest(NAME, ACCOUNT, Side.SELL, OrderType.MARKET, 0.25), "manual")


def test_two_clicks_at_once_are_one_order_though_the_price_moves(
    qtbot: QtBot, panel: TicketPanel, rig: DesktopRig
) -> None:
    panel.form.lock.setCurrentIndex(panel.form.lock.findData("bid"))
    rig.bridge.flush()
    press(qtbot, panel, Side.BUY)
    rig.hear(a_tick(bid=99.8, ask=100.0))
    qtbot.mouseDClick(panel.buttons[Side.BUY], LEFT)
    qtbot.mouseRelease(panel.buttons[Side.BUY], LEFT)
    assert len(rig.link.of(SendOrder)) == 1


def test_no_key_sends(qtbot: QtBot, panel: TicketPanel, rig: DesktopRig) -> None:
    panel.form.price.setValue(99.5)
    boxes = (
        panel.form.price,
        panel.form.quantity,
        panel.form.type,
        panel.buttons[Side.BUY],
        panel.form.from_risk,
        panel,
    )
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        for widget in boxes:
            qtbot.keyClick(widget, key)
    qtbot.keyClick(panel.buttons[Side.BUY], Qt.Key.Key_Space)
    assert rig.link.of(SendOrder) == []
    for button in panel.findChildren(QPushButton):
        assert button.focusPolicy() is Qt.FocusPolicy.NoFocus
        assert not button.autoDefault()


def test_live_asks_and_a_no_sends_nothing(qtbot: QtBot, panel: TicketPanel, rig: DesktopRig) -> None:
    rig.desk.is_live, rig.agrees = True, False
    panel.form.price.setValue(99.5)
    press(qtbot, panel, Side.BUY)
    assert (rig.link.of(SendOrder), panel.said.text()) == ([], "Not sent")
    assert "BUY 0.25 BTCUSDT Limit @ 99.5" in rig.questions[0][1]


def test_an_entry_takes_its_bracket_along(qtbot: QtBot, panel: TicketPanel, rig: DesktopRig) -> None:
    form = panel.form
    form.price.setValue(99.5)
    form.bracket.setChecked(True)
    form.stop_loss.setValue(95.0)
    form.take_profit.setValue(110.0)
    press(qtbot, panel, Side.BUY)
    (sent,) = rig.link.of(SendProtectedOrder)
    assert (sent.owner, sent.stop, sent.take_profit, sent.request.price) == ("manual", 95.0, 110.0, 99.5)  # type: ignore[attr-defined]
    form.reduce_only.setChecked(True)
    assert not form.bracket.isEnabled()
    rig.later()
    press(qtbot, panel, Side.SELL)
    (order,) = rig.link.of(SendOrder)
    assert order.request.reduce_only  # type: ignore[attr-defined]


def test_a_button_that_cannot_be_pressed_says_why(qtbot: QtBot, panel: TicketPanel, rig: DesktopRig) -> None:
    panel.form.quantity.setValue(0.0)
    assert (panel.buttons[Side.BUY].isEnabled(), panel.buttons[Side.BUY].toolTip()) == (False, "Give a size")
    panel.form.quantity.setValue(1.0)
    choose(panel, OrderType.STOP)
    assert panel.buttons[Side.BUY].toolTip() == "Give a trigger price"
    assert not panel.send(Side.BUY)
    assert "Give a trigger price" in panel.said.text()


def test_a_refusal_of_the_platform_is_shown(panel: TicketPanel, rig: DesktopRig) -> None:
    order = an_order("d1", OrderStatus.DENIED, strategy_id="manual", reason="funds: 3 is against the limit 2")
    rig.hear(OrderChanged("manual", order))
    assert "funds" in panel.said.text()


def test_keys_of_the_window_reach_the_ticket_that_is_seen(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.link.answers |= {AskTerms: TermsFound(ACCOUNT, VENUE, hedges=False), PreviewOrder: a_preview}
    window = MainWindow(rig.desk, rig.actions, PanelKinds((LogPanel, TicketPanel)), rig.files)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    rig.open()
    ticket = window.docks.find("ticket")
    assert isinstance(ticket, TicketPanel)
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(window, Qt.Key.Key_B, control)
    assert rig.link.of(SendOrder) == []
    assert "No instrument" in ticket.said.text()
    ticket.choose_instrument(NAME)
    rig.hear(a_tick())
    qtbot.keyClick(window, Qt.Key.Key_T, control)
    assert ticket.form.quantity.hasFocus()
    ticket.form.quantity.setValue(0.5)
    qtbot.keyClick(window, Qt.Key.Key_B, control)
    qtbot.keyClick(window, Qt.Key.Key_B, control)
    assert [one.request.side for one in rig.link.of(SendOrder)] == [Side.BUY]  # type: ignore[attr-defined]
    qtbot.keyClick(window, Qt.Key.Key_B, control | Qt.KeyboardModifier.ShiftModifier)
    assert [one.request.side for one in rig.link.of(SendOrder)] == [Side.BUY, Side.SELL]  # type: ignore[attr-defined]
    assert not window.trading_keys.press(Side.SELL)
    ticket.parentWidget().close()  # type: ignore[union-attr]
    assert not window.trading_keys.press(Side.BUY)


def test_of_two_tickets_the_key_acts_on_the_one_that_is_used(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.link.answers |= {AskTerms: TermsFound(ACCOUNT, VENUE, hedges=False), PreviewOrder: a_preview}
    window = MainWindow(rig.desk, rig.actions, PanelKinds((LogPanel, TicketPanel)), rig.files)
    qtbot.addWidget(window)
    window.docks.clear()
    first, second = (window.docks.open("ticket") for _ in range(2))
    assert isinstance(first, TicketPanel)
    assert isinstance(second, TicketPanel)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    rig.open()
    first.choose_instrument(NAME)
    rig.hear(a_tick())
    for ticket, size in ((first, 0.1), (second, 0.2)):
        ticket.form.quantity.setValue(size)
    qtbot.waitUntil(lambda: first.is_seen and second.is_seen)
    window.setFocus()
    for ticket in (first, second):
        ticket.used_at = 0.0

    def sent() -> list[float]:
        qtbot.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
        return [one.request.quantity for one in rig.link.of(SendOrder)]  # type: ignore[attr-defined]

    assert sent() == []  # both are seen and nobody has said which
    assert "click in the one" in first.said.text()
    assert "click in the one" in second.said.text()
    second.form.quantity.setFocus()
    assert sent() == [0.2]
    rig.bridge.flush()
    second.form.quantity.setValue(0.3)
    window.setFocus()
    assert sent() == [0.2, 0.3]  # no focus any more, but it was used last
    rig.bridge.flush()
    assert "other ticket" in first.buttons[Side.BUY].toolTip()
    assert "Ctrl+B presses this button" in second.buttons[Side.BUY].toolTip()
    qtbot.mouseClick(first.quote, Qt.MouseButton.LeftButton)
    assert sent() == [0.2, 0.3, 0.1]
    first.parentWidget().close()  # type: ignore[union-attr]
    second.form.quantity.setValue(0.4)
    assert sent() == [0.2, 0.3, 0.1, 0.4]


# --- price and size ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lock", "price"), [("bid", 98.9), ("ask", 99.1), ("last", 99.0)])
def test_a_locked_price_follows_the_market(panel: TicketPanel, rig: DesktopRig, lock: str, price: float) -> None:
    panel.form.lock.setCurrentIndex(panel.form.lock.findData(lock))
    rig.hear(a_tick(bid=98.9, ask=99.1))
    assert panel.form.price.value() == price


def test_a_free_price_stays_and_one_chosen_elsewhere_is_free(panel: TicketPanel, rig: DesktopRig) -> None:
    panel.form.price.setValue(97.3)
    rig.hear(a_tick(bid=98.9, ask=99.1))
    assert panel.form.price.value() == 97.3
    panel.form.lock.setCurrentIndex(1)
    panel.form.take_price(96.0)
    rig.hear(a_tick(bid=98.8, ask=99.1))
    assert (panel.form.price.value(), panel.form.lock.currentData()) == (96.0, "free")


def test_steps_are_those_of_the_instrument(qtbot: QtBot, panel: TicketPanel) -> None:
    panel.form.price.setValue(100.0)
    qtbot.keyClick(panel.form.price, Qt.Key.Key_Up)
    qtbot.keyClick(panel.form.quantity, Qt.Key.Key_Up)
    assert (panel.form.price.value(), panel.form.quantity.value()) == (100.1, 0.251)


def test_the_size_is_asked_of_the_risk(qtbot: QtBot, panel: TicketPanel, rig: DesktopRig) -> None:
    rig.link.answers[PreviewOrder] = lambda request: a_preview(request, quantity=1.234)
    panel.form.risk.setValue(0.5)
    qtbot.mouseClick(panel.form.from_risk, LEFT)
    assert "stop loss first" in panel.said.text()
    panel.form.stop_loss.setValue(95.0)
    qtbot.mouseClick(panel.form.from_risk, LEFT)
    asked = [one for one in rig.link.asked if isinstance(one, PreviewOrder) and one.risk_share]
    assert [(one.risk_share, one.stop_loss, one.order.side) for one in asked] == [(0.005, 95.0, Side.BUY)]
    rig.bridge.flush()
    assert panel.form.quantity.value() == 1.234
    panel.form.stop_loss.setValue(105.0)
    rig.link.answers[PreviewOrder] = "a rate from EUR to USDT is not known"
    qtbot.mouseClick(panel.form.from_risk, LEFT)
    assert rig.link.asked[-1].order.side is Side.SELL  # type: ignore[attr-defined]
    rig.bridge.flush()
    assert "a rate from EUR" in panel.said.text()
    assert panel.form.quantity.value() == 1.234


# --- preview ----------------------------------------------------------------------------------------------------------


def previews(rig: DesktopRig) -> list[PreviewOrder]:
    return [one for one in rig.link.asked if isinstance(one, PreviewOrder)]


def test_the_preview_is_asked_four_times_a_second_at_most(panel: TicketPanel, rig: DesktopRig) -> None:
    rig.later(1.0)
    before = len(previews(rig))
    for number in range(60):
        panel.form.price.setValue(90.0 + number / 10)
        rig.bridge.flush()
        rig.later(1 / 60)
    assert 3 <= len(previews(rig)) - before <= 5


def test_the_figures_are_those_of_the_platform(panel: TicketPanel, rig: DesktopRig) -> None:
    rig.later(1.0)
    rig.bridge.flush()
    rig.bridge.flush()
    shown = {name: figure.text() for name, figure in panel.preview.figures.items()}
    assert shown == {
        "notional": "25.00 USDT", "need": "2.52 USDT", "free": "9,812.12 USDT", "fee": "0.0125 USDT", "after": "+0.4 → +0.65",
        "risk": "−1.25 USDT  (0.01 %)", "reward": "+2.50 USDT",
    }  # fmt: skip
    assert "let it pass" in panel.preview.verdict.text()
    rig.link.answers[PreviewOrder] = lambda request: a_preview(
        request, rule="max_position", refusal="max_position: 11 over 10"
    )
    rig.later(1.0)
    rig.bridge.flush()
    rig.bridge.flush()
    assert "max_position: 11 over 10" in panel.preview.verdict.text()


def test_the_side_under_the_mouse_is_previewed_and_an_old_answer_is_not_shown(
    panel: TicketPanel, rig: DesktopRig
) -> None:
    del rig.link.answers[PreviewOrder]
    panel.form.price.setValue(99.1)
    rig.later(5.0)
    rig.bridge.flush()
    old, number = previews(rig)[-1], len(rig.link.asked)
    assert old.order.side is Side.BUY
    before = panel.preview.figures["notional"].text()
    panel.buttons[Side.SELL].pointed_at.emit()
    rig.later(1.0)
    rig.bridge.flush()
    assert previews(rig)[-1].order.side is Side.SELL
    assert panel.heading.text() == "If sold"
    rig.hear(Answered(number, a_preview(old, notional=Decimal(777))))
    assert panel.preview.figures["notional"].text() == before
    rig.hear(Answered(number + 1, a_preview(previews(rig)[-1], notional=Decimal(888))))
    assert panel.preview.figures["notional"].text() == "888.00 USDT"


def test_a_platform_that_does_not_answer_blocks_nothing_and_is_said(panel: TicketPanel, rig: DesktopRig) -> None:
    del rig.link.answers[PreviewOrder]
    rig.later(1.0)
    rig.bridge.flush()
    asked = len(previews(rig))
    rig.later(LATE_S + 0.1)
    rig.bridge.flush()
    assert len(previews(rig)) == asked
    assert "does not answer" in panel.preview.verdict.text()
    panel.form.quantity.setValue(0.0)
    rig.bridge.flush()
    assert {figure.text() for figure in panel.preview.figures.values()} == {NOTHING}


def test_another_instrument_takes_no_figure_along(panel: TicketPanel, rig: DesktopRig) -> None:
    panel.form.price.setValue(99.5)
    panel.form.bracket.setChecked(True)
    panel.form.stop_loss.setValue(95.0)
    rig.desk.groups.show("blue", a_spot().instrument_id)
    ticket = panel.form.ticket
    assert (ticket.instrument_id, ticket.price, ticket.quantity, ticket.stop_loss) == (
        a_spot().instrument_id,
        0.0,
        0.0,
        0.0,
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_is_there_and_nothing_is_wider_than_the_panel(qtbot: QtBot, rig: DesktopRig, language: str) -> None:
    texts.choose(language)
    rig.link.answers |= {AskTerms: TermsFound(ACCOUNT, VENUE, hedges=False), PreviewOrder: a_preview}
    made = TicketPanel(rig.desk)
    qtbot.addWidget(made)
    made.resize(270, 420)
    made.show()
    rig.open()
    made.choose_instrument(NAME)
    rig.hear(a_tick())
    made.form.bracket.setChecked(True)
    for place in range(made.form.type.count()):
        made.form.type.setCurrentIndex(place)
        rig.bridge.flush()
        QApplication.processEvents()
        words = [
            *(one.text() for one in made.findChildren(QLabel)),
            *(one.text() for one in made.findChildren(QPushButton)),
        ]
        assert [text for text in words if "ticket." in text or "{" in text] == []
        assert made.form.width() <= 270 - 12
    made.leave()
