"""What a hand does wrong, or an input method, or another person's text: no order comes of it that nobody wanted."""

from collections.abc import Callable

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.control_requests import Cancel, ListOrders, ListPositions, Orders, Positions
from foxtrot.app.desktop_requests import AskTerms, OrderPreview, PreviewOrder, TermsFound
from foxtrot.core.commands import AmendOrder, SendOrder
from foxtrot.core.notices import AdapterStatus, BookStateChanged, GateChanged, OrderChanged
from foxtrot.domain.enums import AdapterState, BookState, GateState, OrderStatus, OrderType, Side, TimeInForce
from foxtrot.gui.chart.chart_trading import ChartTrading
from foxtrot.gui.chart.own_marks import OrderLevel, OwnOrder
from foxtrot.gui.config_form import AccountForm
from foxtrot.gui.dialogs import CALM_MS, ask_yes
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.number_box import NumberBox
from foxtrot.gui.outer_text import hint_text
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.ladder import LadderPanel
from foxtrot.gui.panels.ladder_paint import Place
from foxtrot.gui.panels.ticket import TicketPanel
from foxtrot.gui.widget_map import places
from tests.architecture.source_tree import REPOSITORY
from tests.gui.test_window import an_overview
from tests.support.builders import T0, a_depth, a_tick, an_order
from tests.support.desktop_rig import ACCOUNT, DesktopRig

GUI = REPOSITORY / "foxtrot" / "gui"
NAME = "BTCUSDT.PERP"
SPOT = "BTCUSDT.SPOT"
LEFT = Qt.MouseButton.LeftButton
VENUE = Capabilities(
    order_types=frozenset(OrderType), times_in_force=frozenset(TimeInForce), amend=True, post_only=True, reduce_only=True
)  # fmt: skip


# --- figures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def box(qtbot: QtBot) -> NumberBox:
    made = NumberBox("size")
    made.setDecimals(4)
    made.setValue(7.0)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,5", 1.5), ("0,001", 0.001), ("1.5", 1.5), ("1e5", 15.0), ("-5", 5.0), ("nan", 0.0), ("inf", 0.0), ("1.2.3", 1.23)],
)  # fmt: skip
def test_what_is_typed_is_never_read_as_more(qtbot: QtBot, box: NumberBox, text: str, value: float) -> None:
    box.clear()
    qtbot.keyClicks(box, text)
    assert box.value() == value, box.text()
    assert box.text().rstrip("0.") == f"{value:.4f}".rstrip("0.") or not box.text(), "what counts is what is seen"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,5", 1.5), ("1,234.5", 1234.5), ("1,234,567", 1234567.0), ("1,234", 7.0), ("1.234,5", 7.0), ("1,2,3", 7.0), ("1e5", 7.0),
        ("nan", 7.0), ("inf", 7.0), ("-3", 7.0), ("0x10", 7.0), ("１２．５", 12.5), ("１。５", 1.5), ("１，５", 1.5),
    ],
)  # fmt: skip
def test_what_is_pasted_is_taken_only_where_it_can_mean_one_thing(box: NumberBox, text: str, value: float) -> None:
    QApplication.clipboard().setText(text)
    line = box.lineEdit()
    line.selectAll()
    line.paste()
    box.interpretText()
    assert box.value() == value, box.text()


def test_an_empty_box_is_no_size_though_one_stood_in_it(qtbot: QtBot, box: NumberBox) -> None:
    heard: list[float] = []
    box.valueChanged.connect(heard.append)
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Delete)
    assert (box.text(), box.value(), heard) == ("", 0.0, [0.0])


# --- the ladder -----------------------------------------------------------------------------------------------------


def a_book(middle: float = 100.0) -> object:
    bids = tuple((round(middle - 0.1 * (n + 1), 1), 1.0) for n in range(40))
    return a_depth(bids, tuple((round(middle + 0.1 * (n + 1), 1), 1.0) for n in range(40)))


@pytest.fixture
def ladder(qtbot: QtBot, rig: DesktopRig) -> LadderPanel:
    rig.link.answers |= {
        AskTerms: TermsFound(ACCOUNT, VENUE, hedges=False), ListOrders: Orders(()), ListPositions: Positions((), ()),
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
    rig.hear(OrderChanged("manual", an_order("m1", price=99.5, strategy_id="manual")))
    return made


def take_hold(qtbot: QtBot, ladder: LadderPanel) -> None:
    qtbot.mousePress(ladder.view, LEFT, pos=ladder.view.point_of(995, Place.BUYS))
    assert ladder.view.is_held


def test_rows_stay_while_an_order_is_held_however_far_the_market_runs(
    qtbot: QtBot, ladder: LadderPanel, rig: DesktopRig
) -> None:
    rig.actions.arm(armed=True)
    target = ladder.view.point_of(992, Place.BUYS)
    take_hold(qtbot, ladder)
    rig.later(30.0)
    rig.hear(a_book(150.0))
    qtbot.mouseRelease(ladder.view, LEFT, pos=target)
    (sent,) = rig.link.of(AmendOrder)
    assert isinstance(sent, AmendOrder)
    assert sent.request.price == 99.2, "where it was let go is the price that stood there when it was taken"


@pytest.mark.parametrize("x", [-40, 4000])
def test_an_order_that_is_let_go_beside_the_ladder_stays(
    qtbot: QtBot, ladder: LadderPanel, rig: DesktopRig, x: int
) -> None:
    rig.actions.arm(armed=True)
    take_hold(qtbot, ladder)
    qtbot.mouseRelease(ladder.view, LEFT, pos=QPoint(x, ladder.view.point_of(992, Place.BUYS).y()))
    assert (rig.link.of(AmendOrder), ladder.view.is_held, ladder.wish) == ([], False, None)


@pytest.mark.parametrize("change", ["instrument", "account", "group"])
def test_what_is_held_is_let_go_when_the_rows_become_others(
    qtbot: QtBot, ladder: LadderPanel, rig: DesktopRig, change: str
) -> None:
    rig.actions.arm(armed=True)
    take_hold(qtbot, ladder)
    if change == "instrument":
        rig.desk.groups.show(ladder.chip, SPOT)
    elif change == "account":
        ladder.accounts.textActivated.emit(ACCOUNT)
    else:
        ladder.group.activated.emit(0)
    assert not ladder.view.is_held


def test_a_click_that_was_meant_for_another_instrument_sends_and_cancels_nothing(
    qtbot: QtBot, ladder: LadderPanel, rig: DesktopRig
) -> None:
    rig.actions.arm(armed=True)
    rig.desk.groups.show(ladder.chip, SPOT)
    rig.desk.groups.show(ladder.chip, NAME)
    rig.hear(a_book())
    qtbot.mouseClick(ladder.view, LEFT, pos=ladder.view.point_of(995, Place.BIDS))
    qtbot.mouseClick(ladder.view, Qt.MouseButton.RightButton, pos=ladder.view.point_of(995, Place.BUYS))
    assert (rig.link.of(SendOrder), rig.link.of(Cancel)) == ([], [])
    assert "just moved" in ladder.words.text()


# --- the arm switch -------------------------------------------------------------------------------------------------


@pytest.fixture
def window(qtbot: QtBot, rig: DesktopRig) -> MainWindow:
    made = MainWindow(rig.desk, rig.actions, PanelKinds([TicketPanel]), rig.files)
    qtbot.addWidget(made)
    made.show()
    rig.open()
    return made


DISARMS: dict[str, Callable[[DesktopRig, MainWindow], object]] = {
    "another account": lambda rig, _: rig.desk.choose_account(ACCOUNT),
    "a workspace": lambda _, window: window.switch_workspace("research"),
    "a lost link": lambda rig, _: rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.LOST, "", 0, 0.0, T0)),
    "a closed gate": lambda rig, _: rig.hear(GateChanged(GateState.HALTED, "kill", "", "", T0)),
    "another platform": lambda rig, _: rig.desk.open(rig.link, is_live=True),
}


@pytest.mark.parametrize("what", DISARMS)
def test_nothing_stays_armed_over(window: MainWindow, rig: DesktopRig, what: str) -> None:
    window.bar.arm.click()
    assert rig.actions.armed
    DISARMS[what](rig, window)
    assert (rig.actions.armed, window.bar.arm.isChecked()) == (False, False)


def test_a_window_made_anew_is_not_armed_behind_a_switch_that_is_off(
    qtbot: QtBot, window: MainWindow, rig: DesktopRig
) -> None:
    window.bar.arm.click()
    other = MainWindow(rig.desk, rig.actions, PanelKinds([TicketPanel]), rig.files)
    qtbot.addWidget(other)
    assert (rig.actions.armed, other.bar.arm.isChecked()) == (False, False)


def test_in_live_arming_asks_and_a_no_leaves_the_switch_off(window: MainWindow, rig: DesktopRig) -> None:
    rig.desk.is_live, rig.agrees = True, False
    window.bar.arm.click()
    assert (len(rig.questions), rig.actions.armed, window.bar.arm.isChecked()) == (1, False, False)


# --- the ticket -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ticket(qtbot: QtBot, rig: DesktopRig) -> TicketPanel:
    rig.link.answers[AskTerms] = TermsFound(ACCOUNT, VENUE, hedges=False)
    made = TicketPanel(rig.desk)
    qtbot.addWidget(made)
    made.resize(320, 520)
    made.show()
    rig.open()
    made.choose_instrument(NAME)
    rig.hear(a_tick(bid=99.9, ask=100.1))
    rig.bridge.flush()
    made.form.quantity.setValue(0.25)
    return made


def test_an_instrument_that_nobody_lists_yet_leaves_no_order_of_the_one_before(
    qtbot: QtBot, ticket: TicketPanel, rig: DesktopRig
) -> None:
    assert ticket.buttons[Side.BUY].isEnabled()
    ticket.choose_instrument("ETHUSDT.ELSEWHERE")
    qtbot.mouseClick(ticket.buttons[Side.BUY], LEFT)
    assert ticket.send(Side.BUY) is False
    assert (rig.link.of(SendOrder), ticket.buttons[Side.BUY].isEnabled()) == ([], False)


def test_a_size_that_was_asked_for_another_stop_is_not_taken(ticket: TicketPanel, rig: DesktopRig) -> None:
    asked: list[PreviewOrder] = []
    rig.link.answers[PreviewOrder] = lambda wish: asked.append(wish) or "wait"  # type: ignore[arg-type, func-returns-value, return-value]
    ticket.form.bracket.setChecked(True)
    ticket.form.stop_loss.setValue(98.0)
    ticket.ask_size()
    assert len(asked) == 1
    rig.store.take_facts(99)
    ticket.form.stop_loss.setValue(99.0)
    waiting = rig.desk.questions
    assert waiting is not None
    heard = list(waiting._waiting.values())[-1]
    heard(_a_size(9.0), "")
    assert ticket.form.quantity.value() == 0.25


def _a_size(quantity: float) -> OrderPreview:
    from tests.gui.test_ticket import a_preview

    order = PreviewOrder(order=_request(), owner="manual")
    return a_preview(order, quantity=quantity)


def _request() -> object:
    from foxtrot.domain.order import OrderRequest

    return OrderRequest(NAME, ACCOUNT, Side.BUY, OrderType.LIMIT, 1.0, 100.0)


# --- prices that are not to be believed -----------------------------------------------------------------------------

DOUBTS = {
    "lost": (AdapterStatus(ACCOUNT, "scripted", AdapterState.LOST, "", 0, 0.0, T0), "prices stand still"),
    "stale": (BookStateChanged(ACCOUNT, NAME, BookState.STALE, "", T0), "stale"),
}


@pytest.mark.parametrize("what", DOUBTS)
def test_a_panel_that_trades_says_that_its_prices_are_old_and_asks(
    qtbot: QtBot, ladder: LadderPanel, rig: DesktopRig, what: str
) -> None:
    fact, words = DOUBTS[what]
    rig.hear(fact)
    rig.actions.arm(armed=True)
    late = TicketPanel(rig.desk)  # opened after it was told
    qtbot.addWidget(late)
    late.show()
    late.choose_instrument(NAME)
    rig.bridge.flush()
    rig.bridge.flush()
    assert words in ladder.doubted.text()
    assert words in late.doubted.text()
    assert (ladder.doubted.isVisible(), late.doubted.isVisible(), ladder.view.is_stale) == (True, True, True)
    qtbot.mouseClick(ladder.view, LEFT, pos=ladder.view.point_of(995, Place.BIDS))
    assert (rig.link.of(SendOrder), ladder.confirm.isVisible()) == ([], True), "armed or not, it asks"
    rig.desk.is_live = True
    qtbot.mouseClick(ladder.confirm.yes, LEFT)
    assert any(words in text for _, text in rig.questions)


def test_an_engine_that_does_not_answer_makes_all_prices_old(
    ticket: TicketPanel, rig: DesktopRig, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("foxtrot.gui.main_window.monotonic", lambda: now[0])
    window._answered_s = 1000.0
    window._asked_s = 0.0
    window.look()
    now[0] += 30.0
    window.look()
    rig.bridge.flush()
    assert "30 s" in ticket.doubted.text()
    assert isinstance(window.bar.kill, QPushButton)
    assert window.bar.kill.isEnabled()


# --- KILL -----------------------------------------------------------------------------------------------------------


def test_kill_is_a_key_while_a_dialog_waits_for_an_answer(qtbot: QtBot, window: MainWindow) -> None:
    kills: list[bool] = []
    window.kill_asked.connect(lambda: kills.append(True))

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        qtbot.keyClick(dialog, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        dialog.close()

    QTimer.singleShot(200, press)
    assert ask_yes(window, "Send this order?", "BUY 1") is False
    assert kills == [True]


# --- what others wrote ----------------------------------------------------------------------------------------------

MARKUP = '<b>SELL</b> <img src="http://127.0.0.1:1/x.png"> 5 < 6 & 7'


def test_a_reason_is_shown_as_it_was_written_and_takes_no_room_from_the_buttons(
    ticket: TicketPanel, rig: DesktopRig
) -> None:
    refused = an_order("x1", OrderStatus.REJECTED, reason=MARKUP + "x" * 10_000, strategy_id="manual")
    rig.hear(OrderChanged("manual", refused))
    rig.bridge.flush()
    assert MARKUP in ticket.said.text()
    assert ticket.said.textFormat() is Qt.TextFormat.PlainText
    assert len(ticket.said.text()) < 500
    assert ticket.said.heightForWidth(300) < 20 * ticket.fontMetrics().height()


def test_a_question_shows_what_it_is_about_and_no_markup(qtbot: QtBot, window: MainWindow) -> None:
    seen: list[QMessageBox] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        seen.append(box)
        assert (box.textFormat(), box.text()) == (Qt.TextFormat.PlainText, MARKUP)
        assert not box.defaultButton().text().startswith("Send")
        box.close()

    QTimer.singleShot(50, look)
    assert ask_yes(window, "Send this order?", MARKUP, "Send this order") is False
    assert len(seen) == 1


def test_a_hint_shows_tags_as_they_are_written() -> None:
    assert hint_text("a plain reason") == "a plain reason"
    assert "<img" not in hint_text(MARKUP)
    assert "&lt;img" in hint_text(MARKUP)
    assert len(hint_text("x" * 100_000)) < 3_000


def test_nothing_in_the_desktop_is_told_to_read_markup() -> None:
    rows = [
        (f"{file.name}:{number}", line)
        for file in sorted(GUI.rglob("*.py"))
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
    ]
    assert not [
        place for place, line in rows if "TextFormat.RichText" in line or "setHtml" in line or "AutoText" in line
    ]


# --- the chart ------------------------------------------------------------------------------------------------------


def test_the_chart_names_the_account_and_says_that_prices_are_old(
    qtbot: QtBot, rig: DesktopRig, window: MainWindow
) -> None:
    trading = ChartTrading(rig.desk, window)
    trading.instrument = rig.desk.instruments[NAME]
    titles: list[str] = []
    trading.ask_size = lambda _over, title, _one: titles.append(title)  # type: ignore[func-returns-value]
    trading.place(Side.BUY, 99.0)
    assert f"({ACCOUNT})" in titles[0]
    rig.hear(BookStateChanged(ACCOUNT, NAME, BookState.STALE, "", T0))
    first = trading.menu(99.0, window).actions()[0]
    assert ("stale" in first.text(), first.isEnabled()) == (True, False)
    rig.actions.arm(armed=True)
    order = OwnOrder("m1", "manual", ACCOUNT, Side.BUY, OrderType.LIMIT, OrderStatus.ACCEPTED, 1.0, 99.0, 0.0)
    rig.agrees = False
    rig.link.answers[AskTerms] = TermsFound(ACCOUNT, VENUE, hedges=False)
    level = OrderLevel(order, "price", 99.0)
    assert (trading.amend(level, 98.0), rig.questions) == (False, [])  # whether the venue changes orders is asked first
    rig.bridge.flush()
    assert trading.amend(level, 98.0) is False
    assert len(rig.questions) == 1


# --- a panel that fails, a gate that is closed ----------------------------------------------------------------------


def test_a_panel_whose_flush_fails_says_so_once_and_sends_nothing_on_one_click(
    qtbot: QtBot, ladder: LadderPanel, rig: DesktopRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    rig.bridge.failed.connect(told.append)
    rig.actions.arm(armed=True)

    def fail() -> None:
        raise ValueError("a row of nonsense")

    monkeypatch.setattr(ladder.sizes, "fill", lambda _price: fail())
    for _ in range(5):
        rig.hear(a_book())
    assert told == ["ValueError: a row of nonsense"]
    fault = ladder.findChild(QLabel, "panel_fault")
    assert fault is not None
    assert ("a row of nonsense" in fault.text(), fault.isVisible()) == (True, True)
    qtbot.mouseClick(ladder.view, LEFT, pos=ladder.view.point_of(995, Place.BIDS))
    assert rig.link.of(SendOrder) == []
    monkeypatch.undo()
    rig.hear(a_book())
    assert not fault.isVisible()


def test_a_panel_that_fails_as_it_is_shown_says_so_and_does_not_end_the_program(
    ladder: LadderPanel, rig: DesktopRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder.hide()

    def fail() -> None:
        raise TypeError("got multiple values for argument 'key'")

    monkeypatch.setattr(ladder, "flush", fail)
    ladder.show()
    fault = ladder.findChild(QLabel, "panel_fault")
    assert fault is not None
    assert "multiple values" in fault.text()


def test_a_closed_gate_stays_in_sight_and_the_ticket_says_why_it_sends_nothing(
    ticket: TicketPanel, rig: DesktopRig, window: MainWindow
) -> None:
    assert not window.bar.gate.isVisible()
    rig.hear(GateChanged(GateState.HALTED, "kill by anna", "", "", T0))
    assert (window.bar.gate.isVisible(), window.bar.gate.text()) == (True, "■ GATE CLOSED")
    assert not ticket.buttons[Side.BUY].isEnabled()
    assert "kill by anna" in ticket.buttons[Side.BUY].toolTip()
    assert ticket.send(Side.BUY) is False
    rig.hear(GateChanged(GateState.ACTIVE, "", "", "", T0))
    assert (window.bar.gate.isVisible(), ticket.buttons[Side.BUY].isEnabled()) == (False, True)


def test_a_gate_that_was_closed_before_the_window_opened_is_seen(rig: DesktopRig, window: MainWindow) -> None:
    rig.desk.take_overview(msgspec.structs.replace(an_overview(), gate="reducing", gate_reason="from before"))
    assert (window.bar.gate.isVisible(), window.bar.gate.text()) == (True, "◆ REDUCE ONLY")


# --- questions and keys ---------------------------------------------------------------------------------------------


def test_the_second_click_of_two_is_no_yes_to_the_question_that_came_up(qtbot: QtBot, window: MainWindow) -> None:
    states: list[bool] = []

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        yes = next(one for one in box.buttons() if box.buttonRole(one) is QMessageBox.ButtonRole.AcceptRole)
        states.append(yes.isEnabled())
        qtbot.mouseClick(yes, LEFT)

    QTimer.singleShot(30, press)
    QTimer.singleShot(CALM_MS + 300, press)
    assert ask_yes(window, "Send this order?", "BUY 1") is True
    assert states == [False, True]


def test_a_form_that_is_left_keeps_no_key(qtbot: QtBot, rig: DesktopRig) -> None:
    form = AccountForm(rig.desk)
    qtbot.addWidget(form)
    form.show()
    qtbot.waitUntil(lambda: bool(form.secrets), timeout=20_000)
    lines = [*form.secrets.values(), form.passphrase]
    for line in lines:
        line.setText("a-secret-that-nobody-may-see")
    told = str({name: (place.text, place.tip) for name, place in places().items()})
    assert "a-secret" not in told
    form.reject()
    assert [line.text() for line in lines] == [""] * len(lines)
    lines[0].undo()
    assert lines[0].text() == ""
