"""Protecting by hand: the form, what it sends, what closing says of a stop, and what of it happens at a platform."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from pytestqt.qtbot import QtBot

from foxtrot.app.blotter_requests import ListProtections, ProtectionLeg, ProtectionLegs
from foxtrot.app.control_requests import Cancel, ListPositions, PositionRow, Positions
from foxtrot.core.commands import ClosePosition, ProtectPosition
from foxtrot.core.notices import AmendAnswered, OrderChanged, RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.domain.outcome import Outcome
from foxtrot.gui import texts
from foxtrot.gui.blotter import Blotter
from foxtrot.gui.panels.positions import PositionsPanel
from foxtrot.gui.panels.protections import ProtectionsPanel
from foxtrot.gui.protect_form import ProtectForm
from foxtrot.gui.protect_model import Guard, Guarded, Unit
from tests.support.builders import T0, a_tick, an_order
from tests.support.desktop_platform import ACCOUNT, PERPETUAL, DesktopPlatform
from tests.support.desktop_rig import DesktopRig

PERP = "BTCUSDT.PERP"
NO_GUARD = Guard()
FLAGS = QItemSelectionModel.SelectionFlag


def a_leg(kind: str = "stop", level: float = 90.0, owner: str = "manual", **fields: object) -> ProtectionLeg:
    known: dict[str, object] = {
        "account": "main", "instrument_id": PERP, "position_side": "net", "offset": 0.0, "where": "venue", "covers": 1.0, "held": 1.0,
        "order_id": f"R-{kind}", "protection": "at the venue", "remark": "",
    }  # fmt: skip
    return ProtectionLeg(owner=owner, kind=kind, level=level, **(known | fields))  # type: ignore[arg-type]


def a_position(owner: str = "manual", quantity: float = 1.0) -> PositionRow:
    return PositionRow(owner, "main", PERP, "net", quantity, 100.0, Decimal(1), "at the venue")


def guarded(held: float = 1.0, guard: Guard = NO_GUARD, mark: float = 100.0) -> Guarded:
    return Guarded("manual", "main", PERP, held, 98.0, mark, guard)


def pick(panel: Blotter, line: int = 0) -> None:
    panel.view.clearSelection()
    panel.view.selectionModel().select(panel.model.index(line, 0), FLAGS.Select | FLAGS.Rows)


def press(qtbot: QtBot, panel: Blotter, name: str) -> None:
    qtbot.mouseClick(panel.buttons[name], Qt.MouseButton.LeftButton)


@pytest.fixture
def opened(rig: DesktopRig) -> DesktopRig:
    rig.open()
    rig.hear(a_tick(bid=99.9, ask=100.1))
    return rig


def shown(rig: DesktopRig, qtbot: QtBot, kind: type[Blotter]) -> Blotter:
    panel = kind(rig.desk)
    qtbot.addWidget(panel)
    panel.resize(1200, 300)
    panel.show()
    for _ in range(3):
        rig.bridge.flush()
    return panel


def a_form(rig: DesktopRig, qtbot: QtBot, one: Guarded) -> ProtectForm:
    form = ProtectForm(rig.desk, one)
    qtbot.addWidget(form)
    form.show()
    return form


# --- the form ---------------------------------------------------------------------------------------------------------


def test_a_stop_is_given_as_price_distance_or_percent_and_says_what_it_would_lose(
    opened: DesktopRig, qtbot: QtBot
) -> None:
    form = a_form(opened, qtbot, guarded(held=2.0))
    assert not form.go.isEnabled()
    form.boxes["stop"].setValue(95.0)
    assert "−6.00 USDT" in form.outcome.text()  # 2 × (95 − 98)
    assert "−5.00 %" in form.outcome.text()
    form.unit.setCurrentIndex(form.unit.findData(Unit.DISTANCE))
    assert form.boxes["stop"].value() == 5.0
    form.boxes["stop"].setValue(6.0)
    form.unit.setCurrentIndex(form.unit.findData(Unit.PERCENT))
    assert (form.boxes["stop"].value(), form.guard.stop) == (6.0, 94.0)
    form.boxes["take_profit"].setValue(10.0)
    assert form.guard == Guard(94.0, 110.0)
    qtbot.mouseClick(form.go, Qt.MouseButton.LeftButton)
    assert opened.link.sent == [ProtectPosition("manual", "main", PERP, 94.0, 110.0, 0.0)]
    assert not form.isVisible()


@pytest.mark.parametrize(
    ("held", "name", "figure", "wrong"),
    [
        (1.0, "stop", 101.0, "below"),
        (-1.0, "stop", 99.0, "above"),
        (1.0, "take_profit", 99.0, "above"),
        (1.0, "trailing", 100.0, "more"),
    ],
)
def test_what_would_close_at_once_is_refused_in_words(
    opened: DesktopRig, qtbot: QtBot, held: float, name: str, figure: float, wrong: str
) -> None:
    form = a_form(opened, qtbot, guarded(held))
    form.boxes[name].setValue(figure)
    assert not form.go.isEnabled()
    assert wrong in form.error.text()


def test_enter_sends_nothing_in_the_form(opened: DesktopRig, qtbot: QtBot) -> None:
    form = a_form(opened, qtbot, guarded())
    form.boxes["stop"].setValue(95.0)
    for widget in (form, form.boxes["stop"], form.go, form.remove):
        qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert form.isVisible()
    assert not opened.link.sent


def test_taking_protection_away_asks_in_paper_too(opened: DesktopRig, qtbot: QtBot) -> None:
    opened.agrees = False
    form = a_form(opened, qtbot, guarded(guard=Guard(95.0, 110.0)))
    qtbot.mouseClick(form.remove, Qt.MouseButton.LeftButton)
    form.boxes["take_profit"].setValue(0.0)
    qtbot.mouseClick(form.go, Qt.MouseButton.LeftButton)
    assert (len(opened.questions), opened.link.sent, form.isVisible()) == (2, [], True)
    opened.agrees = True
    opened.later()
    qtbot.mouseClick(form.remove, Qt.MouseButton.LeftButton)
    assert opened.link.sent == [ProtectPosition("manual", "main", PERP, 0.0, 0.0, 0.0)]


def test_in_live_a_protection_is_asked_about(opened: DesktopRig, qtbot: QtBot) -> None:
    opened.desk.is_live = True
    opened.agrees = False
    form = a_form(opened, qtbot, guarded())
    form.boxes["stop"].setValue(95.0)
    qtbot.mouseClick(form.go, Qt.MouseButton.LeftButton)
    assert "Stop loss 95" in opened.questions[0][1]
    assert not opened.link.sent


def test_without_a_price_only_prices_are_taken(opened: DesktopRig, qtbot: QtBot) -> None:
    form = a_form(opened, qtbot, guarded(mark=0.0))
    assert not form.unit.isEnabled()
    form.boxes["stop"].setValue(95.0)
    assert form.go.isEnabled()


# --- the panels -------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_legs(opened: DesktopRig) -> DesktopRig:
    opened.link.answers[ListPositions] = Positions((a_position(),), ())
    opened.link.answers[ListProtections] = ProtectionLegs((a_leg(), a_leg("take_profit", 110.0)))
    return opened


def test_a_position_is_protected_from_button_and_menu(two_legs: DesktopRig, qtbot: QtBot) -> None:
    panel = shown(two_legs, qtbot, PositionsPanel)
    pick(panel)
    press(qtbot, panel, "protect")
    assert isinstance(panel, PositionsPanel)
    assert isinstance(panel.form, ProtectForm)
    assert panel.form.guard == Guard(90.0, 110.0)
    panel.form.boxes["stop"].setValue(92.0)
    qtbot.mouseClick(panel.form.go, Qt.MouseButton.LeftButton)
    assert two_legs.link.sent == [ProtectPosition("manual", "main", PERP, 92.0, 110.0, 0.0)]
    names = [action.text() for action in panel.menu(panel.model.shown()[0]).actions()]
    assert names[:5] == ["Protect…", "Close 25 %", "Close 50 %", "Close", "Reverse"]
    assert names[5:7] == ["Alert on its size…", "Alert on its profit…"]
    panel.leave()


@pytest.mark.parametrize(
    ("button", "said", "wish"),
    [
        ("close", "withdrawn first, then the position is closed", ClosePosition("manual", "main", PERP)),
        ("close_25", "protects the remaining 0.75", ClosePosition("manual", "main", PERP, quantity=0.25)),
        ("reverse", "The new position has no stop", ClosePosition("manual", "main", PERP, reverse=True)),
    ],
)
def test_closing_says_what_becomes_of_the_stop(
    two_legs: DesktopRig, qtbot: QtBot, button: str, said: str, wish: ClosePosition
) -> None:
    panel = shown(two_legs, qtbot, PositionsPanel)
    pick(panel)
    press(qtbot, panel, button)
    assert "Stop loss 90" in two_legs.questions[0][1]
    assert said in two_legs.questions[0][1]
    assert two_legs.link.sent == [wish]
    panel.leave()


def test_what_is_not_ours_is_not_protected_and_the_hint_says_what_to_do(opened: DesktopRig, qtbot: QtBot) -> None:
    opened.link.answers[ListPositions] = Positions((a_position("EXTERNAL"),), ())
    panel = shown(opened, qtbot, PositionsPanel)
    pick(panel)
    assert "Adopt it first" in panel.buttons["protect"].toolTip()
    assert not panel.buttons["protect"].isEnabled()
    panel.leave()


def test_a_leg_is_changed_and_removed_and_the_other_stays(two_legs: DesktopRig, qtbot: QtBot) -> None:
    panel = shown(two_legs, qtbot, ProtectionsPanel)
    line = next(line for line, one in enumerate(panel.model.shown()) if one.leg.kind == "take_profit")
    pick(panel, line)
    press(qtbot, panel, "remove")
    assert two_legs.link.sent == [ProtectPosition("manual", "main", PERP, 90.0, 0.0, 0.0)]
    assert "Take profit 110" in two_legs.questions[0][1]
    press(qtbot, panel, "change")
    assert isinstance(panel, ProtectionsPanel)
    assert panel.form is not None
    assert panel.form.guard == Guard(90.0, 110.0)
    panel.leave()


def test_a_stop_that_is_an_order_of_its_own_is_cancelled_and_follows_no_position(
    opened: DesktopRig, qtbot: QtBot
) -> None:
    opened.link.answers[ListProtections] = ProtectionLegs((a_leg(kept=False),))
    panel = shown(opened, qtbot, ProtectionsPanel)
    pick(panel)
    assert "order of its own" in panel.buttons["change"].toolTip()
    press(qtbot, panel, "remove")
    assert [wish.order_id for wish in opened.link.of(Cancel)] == ["R-stop"]  # type: ignore[attr-defined]
    panel.leave()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_button_of_the_position_panels_is_cut_off(opened: DesktopRig, qtbot: QtBot, language: str) -> None:
    texts.choose(language)
    for kind in (PositionsPanel, ProtectionsPanel):
        panel = shown(opened, qtbot, kind)
        panel.resize(320, 300)
        qtbot.waitUntil(lambda panel=panel: panel.width() == 320)  # type: ignore[misc]
        for button in panel.buttons.values():
            assert panel.rect().contains(button.geometry())
            assert button.width() >= button.sizeHint().width()
        panel.leave()


# --- what becomes of it -----------------------------------------------------------------------------------------------


def test_refusals_of_what_a_person_wished_are_said_and_of_others_are_not(opened: DesktopRig) -> None:
    opened.actions.amend(AmendRequest("a", price=1.0), "a change")
    opened.actions.place_together("Close?", [ClosePosition("manual", "main", PERP)], "all")
    opened.hear(
        AmendAnswered("b", "main", 1, Outcome.REFUSED, "", "not ours", T0),
        AmendAnswered("a", "main", 1, Outcome.REFUSED, "", "too late", T0),
        RequestFailed("main", f"protect {PERP}", "nothing is held", T0),
        RequestFailed("main", "subscribe X", "not listed", T0),
        OrderChanged("alpha", an_order("x", OrderStatus.DENIED, reason="a strategy's")),
        OrderChanged("manual", an_order("y", OrderStatus.DENIED, reason="the gate is halted")),
    )
    told = " | ".join(text for _level, text in opened.said)
    for part in ("too late", "nothing is held", "the gate is halted"):
        assert part in told
    for part in ("not ours", "not listed", "a strategy's"):
        assert part not in told


@pytest.fixture
def platform(tmp_path: Path, qtbot: QtBot) -> Iterator[DesktopPlatform]:
    made = DesktopPlatform(tmp_path, qtbot)
    try:
        made.start()
        yield made
    finally:
        made.end()


def test_at_a_platform_a_stop_is_placed_shrinks_with_its_position_and_is_gone_with_it(
    platform: DesktopPlatform,
) -> None:
    it, one = platform, ("manual", ACCOUNT, PERPETUAL)

    def legs() -> list[tuple[str, float]]:
        found, _ = it.ask(ListProtections())
        assert isinstance(found, ProtectionLegs)
        return [(leg.where, leg.covers) for leg in found.legs if leg.kind == "stop"]

    def held() -> list[float]:
        found, _ = it.ask(ListPositions())
        assert isinstance(found, Positions)
        return [row.quantity for row in found.positions if row.owner == "manual" and row.quantity]

    it.actions.place(OrderRequest(PERPETUAL, ACCOUNT, Side.BUY, OrderType.MARKET, 0.04), "a test's")
    it.until(lambda: held() == [0.04])
    it.actions.protect(ProtectPosition(*one, stop=it.below()), "a test's")
    it.until(lambda: legs() == [("venue", 0.04)])
    it.actions.place_together("Close?", [ClosePosition(*one, quantity=0.01)], "a test's")
    it.until(lambda: held() == [0.03] and legs() == [("venue", 0.03)])
    it.actions.place_together("Reverse?", [ClosePosition(*one, reverse=True)], "a test's")
    it.until(lambda: held() == [-0.03] and legs() == [])
    it.actions.place_together("Close?", [ClosePosition(*one)], "a test's")
    it.until(lambda: held() == [])
    assert it.engine.ask(lambda: list(it.engine.line.desk.open_records("manual"))) == []
    assert not [one for one in it.orders.values() if one.status in (OrderStatus.DENIED, OrderStatus.REJECTED)]
