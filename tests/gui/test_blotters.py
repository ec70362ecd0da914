"""The blotters: what is asked and when, what is shown, what a person can do with it, and what cannot be done and why."""

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.blotter_requests import ListProtections, ListWorth, ProtectionLeg, ProtectionLegs, WorthFound
from foxtrot.app.control_requests import (
    Cancel,
    ListOrders,
    ListPositions,
    ListTrades,
    OrderRow,
    Orders,
    PositionRow,
    Positions,
    Resolve,
    TradeRow,
    Trades,
)
from foxtrot.app.desktop_requests import AskTerms, TermsFound
from foxtrot.core.commands import AmendOrder, ClosePosition, ReplaceOrder
from foxtrot.core.notices import OrderChanged, ProtectionChanged, TradeBooked
from foxtrot.domain.enums import Liquidity, OrderStatus, PositionSide, Side
from foxtrot.domain.order import AmendRequest
from foxtrot.gui import texts
from foxtrot.gui.blotter import Blotter
from foxtrot.gui.columns import Tone
from foxtrot.gui.link import Answered
from foxtrot.gui.order_dialogs import AmendDialog, Resolution, ResolveDialog
from foxtrot.gui.panels import fills
from foxtrot.gui.panels.accounts import AccountsPanel
from foxtrot.gui.panels.fills import FillsPanel
from foxtrot.gui.panels.orders import OrdersPanel
from foxtrot.gui.panels.positions import PositionsPanel
from foxtrot.gui.panels.protections import ProtectionsPanel
from foxtrot.gui.polling import Polling
from foxtrot.gui.texts import tr
from tests.gui.test_order_life import ID, write_life
from tests.support.builders import SECOND, T0, a_perpetual, a_tick, a_trade, an_account, an_order
from tests.support.desktop_rig import DesktopRig

PERP, SPOT = "BTCUSDT.PERP", "BTCUSDT.SPOT"
KINDS = (OrdersPanel, PositionsPanel, FillsPanel, ProtectionsPanel, AccountsPanel)
Make = Callable[..., Blotter]


@pytest.fixture
def make(rig: DesktopRig, qtbot: QtBot) -> Make:
    def made(kind: type[Blotter], *, shows: bool = True) -> Blotter:
        panel = kind(rig.desk)
        QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal).setParent(
            panel.model
        )
        qtbot.addWidget(panel)
        panel.resize(1200, 300)
        if shows:
            panel.show()
            rig.bridge.flush()
        return panel

    rig.open()
    return made


def pick(panel: Blotter, *lines: int) -> None:
    flags = QItemSelectionModel.SelectionFlag
    panel.view.clearSelection()
    for line in lines:
        panel.view.selectionModel().select(panel.model.index(line, 0), flags.Select | flags.Rows)


def press(qtbot: QtBot, panel: Blotter, name: str) -> None:
    qtbot.mouseClick(panel.buttons[name], Qt.MouseButton.LeftButton)


def cells(panel: Blotter, key: str) -> list[str]:
    place = [column.key for column in panel.model.columns].index(key)
    return [panel.model.index(line, place).data() for line in range(panel.model.rowCount())]


def a_row(order_id: str, status: str = "accepted", **fields: object) -> OrderRow:
    known: dict[str, object] = {
        "owner": "manual", "account": "main", "instrument_id": PERP, "side": "buy", "order_type": "limit", "quantity": 1.0, "filled": 0.0,
        "price": 100.0, "trigger_price": 0.0, "reduces": False, "cancel_asked": False, "venue_order_id": "v1", "created_ns": T0,
        "changed_ns": T0, "unknown_since_ns": None, "reason": "",
    }  # fmt: skip
    return OrderRow(order_id=order_id, status=status, **(known | fields))


def told(
    order_id: str,
    status: OrderStatus = OrderStatus.ACCEPTED,
    filled: float = 0.0,
    owner: str = "manual",
    **fields: object,
) -> OrderChanged:
    return OrderChanged(owner, an_order(order_id, status, filled, **fields))


def a_held(owner: str = "manual", quantity: float = 0.5, **fields: object) -> PositionRow:
    known: dict[str, object] = {
        "account": "main", "instrument_id": PERP, "position_side": "net", "average_price": 90.0, "profit": Decimal("4.5"),
        "protection": "at the venue",
    }  # fmt: skip
    return PositionRow(owner=owner, quantity=quantity, **(known | fields))


def a_leg(kind: str = "stop", where: str = "venue", **fields: object) -> ProtectionLeg:
    known: dict[str, object] = {
        "owner": "manual", "account": "main", "instrument_id": PERP, "position_side": "net", "level": 90.0, "offset": 0.0, "covers": 0.5,
        "held": 0.5, "order_id": "R-1", "protection": "at the venue", "remark": "",
    }  # fmt: skip
    return ProtectionLeg(kind=kind, where=where, **(known | fields))


# --- what all have ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_opens_empty_says_why_buttons_rest_and_leaves_nothing(
    kind: type[Blotter], make: Make, rig: DesktopRig
) -> None:
    hearers = sum(len(hearers) for hearers in rig.bridge._hearers.values())
    panel = make(kind)
    assert panel.counter.text() == "0"
    for button in panel.buttons.values():
        assert not button.isEnabled()
        assert button.focusPolicy() is Qt.FocusPolicy.NoFocus
        assert "\n" in button.toolTip()
    panel.leave()
    assert sum(len(hearers) for hearers in rig.bridge._hearers.values()) == hearers


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_heading_fits_its_column(kind: type[Blotter], language: str, rig: DesktopRig, qtbot: QtBot) -> None:
    texts.choose(language)
    panel = kind(rig.desk)
    qtbot.addWidget(panel)
    metrics = panel.view.horizontalHeader().fontMetrics()
    for place, column in enumerate(panel.model.columns):
        assert tr(column.title) != column.title
        assert metrics.horizontalAdvance(tr(column.title)) < panel.view.columnWidth(place)


def test_the_account_that_is_looked_at_narrows_every_table(rig: DesktopRig, make: Make) -> None:
    orders, accounts = make(OrdersPanel), make(AccountsPanel)
    rig.hear(
        told("a"), told("b", account="other"), an_account({"USDT": "1"}), an_account({"USDT": "2"}, account="other")
    )
    assert len(cells(orders, "order")) == len(cells(accounts, "account")) == 2
    rig.desk.choose_account("other")
    assert cells(orders, "order") == ["b"]
    assert cells(accounts, "account") == ["other"]
    assert orders.windowTitle() == "Orders 1"
    rig.desk.choose_account("")
    assert len(cells(orders, "order")) == 2


def test_words_filter_and_the_counter_says_of_how_many(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a", owner="alpha"), told("b", side=Side.SELL), told("c", side=Side.SELL))
    qtbot.keyClicks(panel.words, "sell man")
    assert sorted(cells(panel, "order")) == ["b", "c"]
    assert panel.counter.text() == "2 of 3"


def test_orders_that_have_all_ended_are_not_told_as_a_filter_that_fits_nothing(rig: DesktopRig, make: Make) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a", status=OrderStatus.FILLED))
    cells(panel, "order")
    assert panel.view.why_empty() == "No open order here. “All” also shows those that have ended."
    panel.box.setCurrentIndex(panel.box.findData("all"))
    panel.words.setText("nowhere")
    cells(panel, "order")
    assert panel.view.why_empty() == "No row fits the filter"


def test_what_is_shown_is_saved_as_csv_beside_the_desktops_thread(
    rig: DesktopRig, make: Make, qtbot: QtBot, tmp_path: Path
) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a", reason='says "no", twice'), told("b"))
    panel.ask_path = lambda _parent, name: tmp_path / f"{name}.csv"
    panel.view.setColumnHidden(0, True)
    panel.save_csv()
    qtbot.waitUntil(lambda: not panel.aside.running)
    with (tmp_path / "orders.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["Instrument", "Side"]
    assert [row[0] for row in rows[1:]] == [PERP, PERP]
    assert 'says "no", twice' in rows[1]
    assert rig.said == [("INFO", f"2 rows were saved in {tmp_path / 'orders.csv'}")]


def test_a_csv_file_that_cannot_be_written_is_said_and_none_chosen_is_none(
    rig: DesktopRig, make: Make, qtbot: QtBot, tmp_path: Path
) -> None:
    panel = make(OrdersPanel)
    panel.ask_path = lambda *_: None
    panel.save_csv()
    panel.ask_path = lambda *_: tmp_path / "nowhere" / "orders.csv"
    panel.save_csv()
    qtbot.waitUntil(lambda: not panel.aside.running)
    assert len(rig.said) == 1
    assert "could not be saved" in rig.said[0][1]


def test_columns_order_and_words_are_found_again(rig: DesktopRig, make: Make) -> None:
    panel = make(OrdersPanel)
    panel.view.sortByColumn(6, Qt.SortOrder.AscendingOrder)
    panel.words.setText("buy")
    panel.box.setCurrentIndex(1)
    state = msgspec.json.decode(msgspec.json.encode(panel.save_state()))
    other = make(OrdersPanel)
    other.restore_state(state)
    rig.hear(told("dear", price=200.0), told("cheap", OrderStatus.CANCELLED, price=9.0), told("x", side=Side.SELL))
    assert cells(other, "order") == ["cheap", "dear"]
    other.restore_state({"order": [99, True], "words": 5, "columns": [], "which": "nonsense"})


def test_tens_of_thousands_of_rows_are_kept_in_a_ring_and_put_in_order_now_and_then(
    rig: DesktopRig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fills, "MOST", 6_000)
    rig.open()
    panel = FillsPanel(rig.desk)  # without a model tester, which looks at every cell at every change
    qtbot.addWidget(panel)
    panel.show()
    for number in range(7_000):
        rig.store.hear(TradeBooked("alpha", a_trade("o", f"t{number}", venue_time_ns=T0 + number * SECOND)))
    while rig.store.backlog:
        rig.bridge.flush()
    panel._shown = (-1, float("-inf"))
    panel.flush()
    assert panel.model.rowCount() == 6_000
    assert not panel.model.arranges_itself
    signals: list[object] = []
    panel.model.layoutChanged.connect(lambda *_: signals.append(1))
    for number in range(20):
        rig.hear(TradeBooked("alpha", a_trade("o", f"u{number}", venue_time_ns=T0 + (30_000 + number) * SECOND)))
    assert len(signals) <= 2
    panel._shown = (-1, float("-inf"))
    panel.flush()
    assert cells(panel, "trade")[0] == "u19"


@pytest.mark.parametrize("width", [300, 420, 700])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_button_is_cut_off_in_a_narrow_panel(width: int, language: str, rig: DesktopRig, qtbot: QtBot) -> None:
    texts.choose(language)
    panel = OrdersPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.resize(width, 300)
    panel.show()
    assert panel.width() == width
    for widget in (*panel.buttons.values(), panel.box, panel.words):
        assert panel.rect().contains(widget.geometry())
        wants = (
            widget.minimumWidth() if widget is panel.words else widget.sizeHint().width()
        )  # the filter gives room first
        assert widget.width() >= min(wants, width - 8)
    assert panel.view.geometry().top() > panel.buttons["resolve"].geometry().bottom()


# --- orders -----------------------------------------------------------------------------------------------------------


def test_orders_from_before_are_asked_for_once_and_facts_follow(rig: DesktopRig, make: Make) -> None:
    rig.link.answers[ListOrders] = Orders((a_row("a", reduces=True), a_row("old", "filled", filled=1.0)))
    panel = make(OrdersPanel)
    rig.bridge.flush()
    assert [request.every for request in rig.link.of(ListOrders)] == [True]
    assert cells(panel, "order") == ["a"]
    rig.hear(told("a", OrderStatus.PARTIALLY_FILLED, 0.4, local_time_ns=T0 + SECOND), told("b", owner="alpha"))
    row = panel.model.row_by("a")
    assert (row.filled, row.reduces, row.created_ns) == (0.4, True, T0)
    assert cells(panel, "origin") == ["Manual", "alpha"]
    panel.box.setCurrentIndex(1)
    assert sorted(cells(panel, "order")) == ["a", "b", "old"]
    rig.hear(told("a", OrderStatus.FILLED, 1.0))
    panel.box.setCurrentIndex(0)
    assert cells(panel, "order") == ["b"]


def test_another_platform_is_asked_anew(rig: DesktopRig, make: Make) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a"))
    rig.link.answers[ListOrders] = Orders((a_row("c"),))
    rig.desk.open(rig.link, is_live=False)
    rig.bridge.flush()
    rig.bridge.flush()
    assert cells(panel, "order") == ["c"]


def test_an_answer_to_what_was_asked_before_all_began_anew_is_passed_over(rig: DesktopRig) -> None:
    rig.open()
    heard: list[object] = []
    polling = Polling(rig.desk, ListPositions, heard.append)
    polling.look()
    polling.begin_anew()
    rig.hear(Answered(1, Positions((), ())))
    assert not heard
    polling.look()
    rig.hear(Answered(2, Positions((), ())))
    assert len(heard) == 1


def test_the_tab_counts_open_orders_also_while_nobody_looks(rig: DesktopRig, make: Make) -> None:
    panel = make(OrdersPanel, shows=False)
    rig.hear(told("a"), told("b"))
    assert panel.windowTitle() == "Orders 2"
    assert not panel.model.rowCount()
    rig.hear(told("a", OrderStatus.CANCELLED), told("b", OrderStatus.FILLED, 1.0))
    assert panel.windowTitle() == "Orders"


def test_one_chosen_order_is_cancelled_at_once_and_several_after_asking(
    rig: DesktopRig, make: Make, qtbot: QtBot
) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a"), told("b"), told("c"))
    pick(panel, 0)
    press(qtbot, panel, "cancel")
    press(qtbot, panel, "cancel")  # a double click is one wish
    assert [wish.order_id for wish in rig.link.of(Cancel)] == [panel.model.key_at(0)]
    assert not rig.questions
    rig.agrees = False
    pick(panel, 0, 1)
    press(qtbot, panel, "cancel")
    assert len(rig.link.of(Cancel)) == 1
    rig.agrees = True
    rig.later()
    press(qtbot, panel, "cancel")
    assert len(rig.link.of(Cancel)) == 3
    assert "Cancel 2 orders" in rig.questions[-1][1]


def test_all_in_view_are_what_the_filter_shows_and_only_open_ones(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a", owner="alpha"), told("b", owner="beta"), told("c", OrderStatus.FILLED, 1.0, owner="alpha"))
    panel.box.setCurrentIndex(1)
    panel.words.setText("alpha")
    press(qtbot, panel, "cancel_all")
    assert [wish.order_id for wish in rig.link.of(Cancel)] == ["a"]
    assert "alpha" in rig.questions[0][1]


def test_enter_and_delete_cancel_nothing(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a"))
    pick(panel, 0)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_Space):
        qtbot.keyClick(panel.view, key)
        qtbot.keyClick(panel.words, key)
    assert not rig.link.of(Cancel)


def the_venue(rig: DesktopRig, *, changes: bool) -> None:
    """Let the account's venue say whether it changes orders."""
    capabilities = Capabilities(order_types=frozenset(), times_in_force=frozenset(), amend=changes)
    rig.link.answers[AskTerms] = TermsFound("main", capabilities, hedges=False)


def test_before_the_venue_has_said_whether_it_changes_orders_none_is_changed(rig: DesktopRig, make: Make) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a"))
    pick(panel, 0)
    assert "being asked" in panel.buttons["amend"].toolTip()
    panel.amend()
    assert not rig.link.sent


def test_where_no_order_is_changed_it_is_cancelled_and_placed_anew_which_is_said(
    rig: DesktopRig, make: Make, qtbot: QtBot
) -> None:
    the_venue(rig, changes=False)
    rig.desk.is_live = True
    panel = make(OrdersPanel)
    rig.desk.is_live = True
    rig.hear(told("a"))
    pick(panel, 0)
    rig.bridge.flush()
    said: list[str] = []

    def ask(_parent: object, row: OrderRow, instrument: object, changes: bool) -> AmendRequest:
        dialog = AmendDialog(None, row, a_perpetual(), changes=changes)
        qtbot.addWidget(dialog)
        said.append(dialog.go.text())
        return AmendRequest(row.order_id, price=99.5)

    panel.ask_amend = ask
    press(qtbot, panel, "amend")
    assert said == ["Cancel and place anew"]
    assert "changes no orders" in rig.questions[0][1]
    assert rig.link.sent == [ReplaceOrder(AmendRequest("a", price=99.5))]


def test_stops_among_what_is_cancelled_are_named(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    panel = make(OrdersPanel)
    rig.link.answers[ListOrders] = Orders((a_row("R-1", reduces=True, trigger_price=90.0), a_row("b")))
    panel._polling.begin_anew()
    rig.bridge.flush()
    rig.bridge.flush()
    press(qtbot, panel, "cancel_all")
    assert "1 of them is a stop" in rig.questions[0][1]


def test_an_order_is_changed_by_its_dialog(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    the_venue(rig, changes=True)
    panel = make(OrdersPanel)
    rig.hear(told("a"))
    pick(panel, 0)
    rig.bridge.flush()
    panel.ask_amend = lambda *_: None
    press(qtbot, panel, "amend")
    assert not rig.link.sent
    panel.ask_amend = lambda _parent, row, *_: AmendRequest(row.order_id, price=99.5)
    press(qtbot, panel, "amend")
    assert rig.link.sent == [AmendOrder(AmendRequest("a", price=99.5))]


def test_in_live_a_change_is_asked_about_with_both_figures(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    rig.desk.is_live = True
    rig.agrees = False
    the_venue(rig, changes=True)
    panel = make(OrdersPanel)
    rig.desk.is_live = True
    rig.hear(told("a"))
    pick(panel, 0)
    rig.bridge.flush()
    panel.ask_amend = lambda _parent, row, *_: AmendRequest(row.order_id, price=99.5)
    press(qtbot, panel, "amend")
    assert not rig.link.sent
    assert "100.0" in rig.questions[0][1]
    assert "99.5" in rig.questions[0][1]


def test_the_dialog_of_a_change_says_what_is_wrong_and_sends_nothing_by_enter(qtbot: QtBot) -> None:
    dialog = AmendDialog(None, a_row("a", filled=0.4), a_perpetual())
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.go.isEnabled()  # nothing is changed
    for text, wrong in (("x", "must be a number"), ("-1", "above 0"), ("100.05", "100"), ("nan", "above 0")):
        dialog.price.setText(text)
        assert wrong in dialog.error.text()
        assert not dialog.go.isEnabled()
    dialog.price.setText("100.0")
    dialog.quantity.setText("0.4")
    assert "filled already" in dialog.error.text()
    dialog.quantity.setText("2.5")
    assert dialog.go.isEnabled()
    assert dialog.request == AmendRequest("a", quantity=2.5)
    for field in (dialog, dialog.price, dialog.go):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert dialog.isVisible()
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert dialog.result() == AmendDialog.DialogCode.Accepted


def test_an_unknown_order_stands_out_and_is_resolved_by_a_person(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a", OrderStatus.UNKNOWN, reason="no answer within 5 s"), told("b"))
    assert "⚠ Unknown" in cells(panel, "status")
    assert "Outcome unknown: no answer within 5 s" in cells(panel, "reason")
    assert "⚠ 1 of unknown outcome" in panel.bar.text
    line = panel.model.line_of("a")
    pick(panel, panel.model.line_of("b"))
    assert "outcome of this order is known" in panel.buttons["resolve"].toolTip()
    pick(panel, line)
    assert not panel.buttons["amend"].isEnabled()
    panel.ask_resolution = lambda *_: Resolution(OrderStatus.REJECTED, "the venue never had it")
    press(qtbot, panel, "resolve")
    wish = rig.link.of(Resolve)[0]
    assert (wish.order_id, wish.status, wish.why) == ("a", OrderStatus.REJECTED, "the venue never had it")


def test_a_refusal_of_a_resolution_is_said(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    panel = make(OrdersPanel)
    rig.hear(told("a", OrderStatus.UNKNOWN))
    pick(panel, 0)
    panel.ask_resolution = lambda *_: Resolution(OrderStatus.FILLED, "seen")
    rig.link.answers[Resolve] = "order a is filled"
    press(qtbot, panel, "resolve")
    rig.bridge.flush()
    assert ("WARNING", "order a is filled") in rig.said


def test_the_dialog_of_a_resolution_wants_a_choice_and_a_reason(qtbot: QtBot) -> None:
    dialog = ResolveDialog(None, a_row("a", "unknown", reason="lost"))
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.go.isEnabled()
    dialog.status.setCurrentIndex(dialog.status.findData("cancelled"))
    assert "journal" in dialog.error.text()
    dialog.why.setText("  seen at the venue ")
    qtbot.keyClick(dialog.why, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert dialog.resolution == Resolution(OrderStatus.CANCELLED, "seen at the venue")


def test_the_context_menu_offers_what_can_be_done_and_says_why_not(rig: DesktopRig, make: Make) -> None:
    asked: list[str] = []
    rig.desk.order_asked.connect(asked.append)
    panel = make(OrdersPanel)
    rig.hear(told("a"))
    pick(panel, 0)
    menu: QMenu = panel.menu(panel.model.row_by("a"))
    actions = {action.text(): action for action in menu.actions()}
    assert actions["Cancel"].isEnabled()
    assert actions["Resolve…"].toolTip() == "The outcome of this order is known."
    actions["Life of the order"].trigger()
    actions["Show BTCUSDT.PERP"].trigger()
    assert asked == ["a"]
    assert rig.desk.groups.shown("blue") == PERP
    actions["Copy"].trigger()
    assert QApplication.clipboard().text().startswith("Time\t")
    assert [action.text() for action in panel.menu(None).actions() if action.text()] == ["Copy", "Save as CSV…"]


# --- positions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def held(rig: DesktopRig, make: Make) -> PositionsPanel:
    rig.link.answers[ListWorth] = WorthFound("USDT", {})
    rig.link.answers[ListPositions] = Positions(
        (
            a_held(),
            a_held("alpha", -2.0, protection="while this process lives", profit=Decimal("-7.25")),
            a_held("EXTERNAL", 0.75, instrument_id=SPOT, average_price=0.0, profit=None, protection=""),
            a_held("beta", 0.00003, instrument_id=SPOT, protection="naked", dust="it is below the smallest order"),
        ),
        (),
    )
    panel = make(PositionsPanel)
    assert isinstance(panel, PositionsPanel)
    rig.hear(a_tick(bid=99.0, ask=101.0))
    return panel


def test_positions_say_what_they_are_worth_and_how_they_are_protected(rig: DesktopRig, held: PositionsPanel) -> None:
    assert cells(held, "side") == ["▲ Long", "▼ Short", "▲ Long", "▲ Long"]
    assert cells(held, "unrealised")[:3] == ["+5.00 USDT", "−20.00 USDT", "–"]
    assert cells(held, "return")[:2] == ["+11.11 %", "−11.11 %"]
    assert cells(held, "value")[:3] == ["50.00 USDT", "200.00 USDT", "–"]
    assert cells(held, "profit") == ["+4.50", "−7.25", "–", "+4.50"]
    assert cells(held, "protection") == ["● At the venue", "◐ While this process lives", "–", "○ Naked"]
    for part in ("Profit  +1.75 USDT", "Unrealised  −15.00 USDT", "Value  250.00 USDT", "⚠ 1 without", "○ 1 naked"):
        assert part in held.bar.text
    rig.hear(a_tick(bid=89.0, ask=91.0))
    assert cells(held, "unrealised")[:2] == ["0.00 USDT", "0.00 USDT"]


def test_positions_are_asked_for_while_they_are_seen_and_only_when_the_last_was_answered(
    rig: DesktopRig, make: Make
) -> None:
    panel = make(PositionsPanel)
    seconds = [100.0]
    panel._polling._clock = lambda: seconds[0]
    panel._polling.begin_anew()
    before = len(rig.link.of(ListPositions))
    rig.bridge.flush()
    rig.bridge.flush()
    assert len(rig.link.of(ListPositions)) == before + 1
    seconds[0] += 10.0
    rig.bridge.flush()
    assert len(rig.link.of(ListPositions)) == before + 1  # the last is not answered
    panel._polling.begin_anew()
    rig.link.answers[ListPositions] = Positions((), ())
    rig.bridge.flush()
    rig.bridge.flush()
    seconds[0] += 0.4
    rig.bridge.flush()
    assert len(rig.link.of(ListPositions)) == before + 2  # it is not time yet
    seconds[0] += 0.2
    panel.hide()
    rig.bridge.flush()
    assert len(rig.link.of(ListPositions)) == before + 2  # nobody looks
    panel.show()
    assert len(rig.link.of(ListPositions)) == before + 3
    panel.hide()
    for pause_s, asked in ((2.9, 3), (0.2, 4), (2.9, 4), (0.2, 5)):
        seconds[0] += pause_s
        rig.bridge.flush()
        rig.bridge.flush()
        assert len(rig.link.of(ListPositions)) == before + asked, "behind another tab it is asked less often"


def test_the_tab_counts_positions_of_the_account_also_before_anybody_looked(rig: DesktopRig, make: Make) -> None:
    rig.link.answers[ListPositions] = Positions((a_held(), a_held("alpha", -2.0), a_held("beta", account="other")), ())
    panel = make(PositionsPanel, shows=False)
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.windowTitle() == "Positions 3"
    rig.desk.choose_account("other")
    assert not panel.model.rowCount()
    panel._polling.begin_anew()
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.windowTitle() == "Positions 1"


def test_a_question_that_fails_is_said_in_the_table_and_asked_again(rig: DesktopRig, make: Make) -> None:
    rig.link.answers[ListPositions] = "the platform has stopped"
    panel = make(PositionsPanel)
    rig.bridge.flush()
    panel.sum_up()
    assert "the platform has stopped" in panel.bar.text


def test_a_position_is_closed_by_an_order_that_can_only_reduce_it(
    rig: DesktopRig, held: PositionsPanel, qtbot: QtBot
) -> None:
    pick(held, 1)
    rig.agrees = False
    press(qtbot, held, "close")
    assert not rig.link.sent
    title, text = rig.questions[0]
    assert title == "Close?"
    assert "▲ Buy 2 BTCUSDT.PERP Market, reduces only" in text
    assert "Held by alpha" in text
    rig.agrees = True
    rig.later()
    press(qtbot, held, "close")
    press(qtbot, held, "close")  # a double click closes once
    assert len(rig.link.sent) == 1
    assert rig.link.sent == [ClosePosition("alpha", "main", PERP)]


def test_a_position_is_turned_round_by_two_legs_asked_about_once(
    rig: DesktopRig, held: PositionsPanel, qtbot: QtBot
) -> None:
    pick(held, 0)
    press(qtbot, held, "reverse")
    assert len(rig.questions) == 1
    assert rig.questions[0][1].count("▼ Sell 0.5") == 2
    assert "no stop" in rig.questions[0][1]
    press(qtbot, held, "reverse")  # a double click turns it once
    assert rig.link.sent == [ClosePosition("manual", "main", PERP, reverse=True)]


def test_what_a_fee_took_of_a_lot_stays_when_a_position_is_closed(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    rig.link.answers[ListPositions] = Positions((a_held(quantity=0.0009994, instrument_id=SPOT),), ())
    panel = make(PositionsPanel)
    rig.bridge.flush()
    pick(panel, 0)
    press(qtbot, panel, "close")
    assert "Sell 0.00099 " in rig.questions[0][1]
    rig.later()
    press(qtbot, panel, "close_50")
    assert [wish.quantity for wish in rig.link.of(ClosePosition)] == [0.0, 0.00049]


def test_one_side_of_a_hedged_account_is_turned_into_the_other(rig: DesktopRig, make: Make, qtbot: QtBot) -> None:
    rig.link.answers[ListPositions] = Positions((a_held(position_side="short", quantity=-0.5),), ())
    panel = make(PositionsPanel)
    rig.bridge.flush()
    pick(panel, 0)
    press(qtbot, panel, "reverse")
    assert [(wish.position_side, wish.reverse) for wish in rig.link.of(ClosePosition)] == [(PositionSide.SHORT, True)]


def test_what_cannot_be_closed_or_turned_says_why(held: PositionsPanel) -> None:
    pick(held, 2)
    assert held.buttons["close"].isEnabled()
    assert "not turned round" in held.buttons["reverse"].toolTip()
    pick(held, 3)
    assert "below the smallest order" in held.buttons["close"].toolTip()
    pick(held, 0, 1)
    assert "one position alone" in held.buttons["reverse"].toolTip()


def test_a_double_click_shows_the_instrument_in_the_group(rig: DesktopRig, held: PositionsPanel, qtbot: QtBot) -> None:
    place = held.view.visualRect(held.model.index(2, 0)).center()
    qtbot.mouseClick(held.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(held.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert rig.desk.groups.shown("blue") == SPOT
    assert not rig.link.sent


# --- fills, protections, accounts -------------------------------------------------------------------------------------


def test_fills_show_fee_liquidity_and_sums_by_currency(rig: DesktopRig, make: Make) -> None:
    before = TradeRow(T0, "t1", "o1", "alpha", "main", PERP, "sell", 100.0, 2.0, Decimal("0.0500"), "USDT", "maker")
    rig.link.answers[ListTrades] = Trades((before,))
    panel = make(FillsPanel)
    rig.hear(
        TradeBooked("manual", a_trade("o2", "t2", 0.5, 101.0, fee=Decimal("0.00012"), fee_asset="BNB")),
        TradeBooked(
            "alpha", a_trade("o1", "t1", 2.0, 100.0, side=Side.SELL, fee=Decimal("0.05"), liquidity=Liquidity.MAKER)
        ),
    )
    assert sorted(cells(panel, "fee")) == ["0.00012 BNB", "0.05 USDT"]
    assert sorted(cells(panel, "liquidity")) == ["Maker", "Taker"]
    for part in ("Value  250.50 USDT", "0.00012 BNB", "0.05 USDT", "50% maker"):
        assert part in panel.bar.text


def test_what_a_fill_cost_is_looked_up_in_the_journal(
    rig: DesktopRig, make: Make, qtbot: QtBot, tmp_path: Path
) -> None:
    write_life(tmp_path / "journal.db")
    rig.link.journal = tmp_path / "journal.db"
    panel = make(FillsPanel)
    rig.hear(TradeBooked("alpha", a_trade(ID, "t1", 2.0, 100.2)), TradeBooked("alpha", a_trade("nobody", "t2")))
    assert set(cells(panel, "slippage")) == {"–"}
    panel._looked_s = 0.0
    rig.bridge.flush()
    qtbot.waitUntil(lambda: not panel.aside.running)
    rig.bridge.flush()
    assert sorted(cells(panel, "slippage")) == ["+0.1", "–"]


def test_each_leg_says_where_it_lives_its_level_and_what_it_covers(rig: DesktopRig, make: Make) -> None:
    rig.link.answers[ListProtections] = ProtectionLegs(
        (
            a_leg(),
            a_leg("take_profit", "here", level=110.0, order_id=""),
            a_leg("trailing", "sent", owner="alpha", level=0.0, offset=5.0, covers=0.2, order_id="R-2"),
            a_leg("", "", owner="beta", level=0.0, covers=0.0, order_id="", protection="naked"),
        )
    )
    panel = make(ProtectionsPanel)
    rig.hear(a_tick(bid=99.0, ask=101.0))
    assert cells(panel, "kind") == ["Stop", "Take-profit", "Trailing stop", "None"]
    assert cells(panel, "distance") == ["−10.00 %", "10.00 %".replace("10", "+10"), "–", "–"]
    assert cells(panel, "where")[0] == "● Rests at the venue"
    assert cells(panel, "where")[3] == "○ Nothing"
    place = [column.key for column in panel.model.columns].index("covers")
    tones = [panel.model.index(line, place).data(int(Qt.ItemDataRole.UserRole)).tone for line in range(4)]
    assert tones == [Tone.PLAIN, Tone.PLAIN, Tone.WARNING, Tone.WARNING]
    assert panel.choices(panel.model.shown()[1])[0].why_not


def test_news_of_a_protection_are_asked_about_at_once(rig: DesktopRig, make: Make) -> None:
    rig.link.answers[ListProtections] = ProtectionLegs(())
    make(ProtectionsPanel)
    rig.bridge.flush()
    before = len(rig.link.of(ListProtections))
    rig.hear(ProtectionChanged("manual", "main", PERP, PositionSide.NET, "naked", "", T0))
    assert len(rig.link.of(ListProtections)) == before + 1


def test_accounts_say_what_each_asset_is_worth_and_how_much_margin_is_used(rig: DesktopRig, make: Make) -> None:
    rig.link.answers[ListWorth] = WorthFound("USDT", {"USDT": Decimal(1), "BTC": Decimal(60_000), "DOGE": None})
    panel = make(AccountsPanel)
    figures = {"margin_used": Decimal(900), "margin_available": Decimal(100)}
    rig.hear(an_account({"USDT": "6000", "BTC": "0.1", "DOGE": "5"}, **figures))
    rig.bridge.flush()
    assert cells(panel, "worth") == ["6,000.00", "6,000.00", "–"]
    assert cells(panel, "share") == ["50.0%", "50.0%", "–"]
    for part in ("Worth  12,000.00 USDT", "No rate for DOGE", "margin 900.00 used, 100.00 available (90%)"):
        assert part in panel.bar.text
