"""The strategies' panel: what it shows, what can be pressed and why not, the form of parameters, the log, the last error."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QCheckBox, QLineEdit

from foxtrot.app.control_requests import ListStrategies, Resume, SetValues, Step, Taken
from foxtrot.app.desktop_requests import DescribeStrategies
from foxtrot.core.notices import HandlerFailed, StrategyLog, StrategyStatus
from foxtrot.gui.columns import Tone
from foxtrot.gui.panels.strategies import StrategiesPanel
from foxtrot.gui.parameter_form import ExactBox
from foxtrot.gui.strategy_log import MOST, StrategyLogs
from foxtrot.gui.strategy_steps import Action
from foxtrot.gui.table_model import CELL_ROLE
from tests.support.builders import T0
from tests.support.desktop_rig import DesktopRig
from tests.support.strategy_rows import FLATTENS, HELD, VALUES, a_form, a_row, answers

Tell = Callable[..., None]


@pytest.fixture
def panel(qtbot, rig: DesktopRig, shown) -> StrategiesPanel:
    rig.open()
    made = StrategiesPanel(rig.desk)
    QAbstractItemModelTester(made.model, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    made.resize(900, 600)
    shown(made)
    yield made
    made.leave()


@pytest.fixture
def tell(rig: DesktopRig, panel: StrategiesPanel) -> Tell:
    """Lets the platform have strategies, and the panel hear of them."""

    def tell(*rows, forms=()) -> None:
        said = answers(*rows, forms=forms)
        rig.link.answers |= {ListStrategies: said["rows"], DescribeStrategies: said["forms"]}
        panel._look_again()
        for _ in range(4):  # how they are set up, then how they stand
            rig.bridge.flush()

    return tell


def texts(panel: StrategiesPanel, line: int = 0) -> dict[str, str]:
    model = panel.model
    return {column.key: model.index(line, place).data() for place, column in enumerate(model.columns)}


def hint(panel: StrategiesPanel, action: Action) -> tuple[bool, str]:
    button = panel.buttons[action]
    return button.isEnabled(), button.toolTip()


def test_a_line_says_how_a_strategy_stands(panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row(stage="running", positions=(HELD,), open_orders=3, said="quotes are out\nnow"))
    shown = texts(panel)
    assert shown["state"] == "▶ running"
    assert (shown["profit"], shown["equity"], shown["orders"]) == ("+250.50", "1,250.50", "3")
    assert shown["position"] == "−0.04 BTCUSDT"
    assert shown["said"] == "quotes are out now"
    assert "1 of 1 running" in panel.totals.text
    assert "+250.50 USDT" in panel.totals.text


@pytest.mark.parametrize(
    ("changes", "text", "tone"),
    [
        ({"stage": "failed"}, "✕ failed", Tone.DANGER),
        ({"stage": "initialising"}, "◔ warming up", Tone.WARNING),
        ({"stage": "stopped", "leaving": True}, "◣ closing its position", Tone.WARNING),
        ({"stage": "failed", "needs_rearm": "too many orders"}, "⚠ disabled", Tone.DANGER),
        ({"stage": "loaded"}, "○ loaded", Tone.DIM),
    ],
)
def test_each_state_has_a_shape_and_a_colour(
    panel: StrategiesPanel, tell: Tell, changes, text: str, tone: Tone
) -> None:
    tell(a_row(**changes))
    cell = panel.model.index(0, 0).data(CELL_ROLE)
    assert (cell.text, cell.tone) == (text, tone)


def test_without_a_rate_no_profit_is_made_up(panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row(equity=None))
    assert (texts(panel)["profit"], texts(panel)["equity"]) == ("–", "–")


def test_a_stopped_strategy_can_be_started_and_a_running_one_stopped(
    qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell
) -> None:
    rig.link.answers[Step] = Taken()
    tell(a_row())
    assert hint(panel, Action.STOP) == (False, "It is stopped: there is nothing to stop")
    qtbot.mouseClick(panel.buttons[Action.START], Qt.MouseButton.LeftButton)
    assert [(one.strategy_id, one.step) for one in rig.link.of(Step)] == [("maker", "start")]
    assert hint(panel, Action.START) == (False, "Was asked for; the answer is on its way")
    tell(a_row(stage="running"))
    assert hint(panel, Action.START) == (False, "It is running already")
    assert hint(panel, Action.RELOAD) == (False, "It is running: stop it first")
    assert hint(panel, Action.STOP) == (True, "Stop by its policy: entry orders are cancelled, the position stays")
    qtbot.mouseClick(panel.buttons[Action.STOP], Qt.MouseButton.LeftButton)
    assert rig.link.of(Step)[-1].step == "stop"
    assert rig.questions == []


def test_a_double_click_is_one_start(qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row())
    button = panel.buttons[Action.START]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    rig.bridge.flush()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseDClick(button, Qt.MouseButton.LeftButton)
    assert len(rig.link.of(Step)) == 1


def test_what_was_asked_stays_locked_until_how_it_stands_is_told_after_it(
    qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell
) -> None:
    rig.link.answers[Step] = Taken()
    tell(a_row())
    rig.link.answers.pop(ListStrategies)
    qtbot.mouseClick(panel.buttons[Action.START], Qt.MouseButton.LeftButton)
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.note.text == "✓ Start was asked for: maker"
    assert hint(panel, Action.START) == (False, "Was asked for; the answer is on its way")
    tell(a_row(stage="failed"))
    assert hint(panel, Action.START)[0]


def test_a_refusal_is_shown_and_said(qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell) -> None:
    rig.link.answers[Step] = "strategy maker is running: its code is reloaded while it is stopped; stop it first"
    tell(a_row())
    qtbot.mouseClick(panel.buttons[Action.RELOAD], Qt.MouseButton.LeftButton)
    rig.bridge.flush()
    assert panel.note.text.startswith("✕ maker: strategy maker is running")
    assert rig.said[-1][0] == "WARNING"
    assert hint(panel, Action.RELOAD)[0]


def test_a_disabled_strategy_is_rearmed_only_after_asking(
    qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell
) -> None:
    tell(a_row(stage="failed", needs_rearm="50 orders in a second"))
    assert hint(panel, Action.START) == (False, "It was disabled: 50 orders in a second. Re-arm it first")
    rig.agrees = False
    qtbot.mouseClick(panel.buttons[Action.REARM], Qt.MouseButton.LeftButton)
    assert rig.questions[-1] == ("Re-arm maker?", "It was disabled: 50 orders in a second")
    assert rig.link.of(Resume) == []
    rig.agrees = True
    qtbot.mouseClick(panel.buttons[Action.REARM], Qt.MouseButton.LeftButton)
    assert [(one.strategy, one.account, one.why) for one in rig.link.of(Resume)] == [
        ("maker", "", "re-armed at the desktop")
    ]


def test_closing_the_position_is_the_policys_and_is_asked(
    qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell
) -> None:
    tell(a_row(stage="running", positions=(HELD,)))
    can, why = hint(panel, Action.FLATTEN)
    assert not can
    assert 'position.on_stop = "flatten"' in why
    tell(a_row(stage="running", positions=(HELD,)), forms=(a_form(exits=FLATTENS),))
    assert "the position is closed" in hint(panel, Action.STOP)[1]
    rig.agrees = False
    qtbot.mouseClick(panel.buttons[Action.FLATTEN], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.buttons[Action.STOP], Qt.MouseButton.LeftButton)
    assert [title for title, _ in rig.questions] == ["Stop maker and close the positions?", "Stop maker?"]
    assert rig.link.of(Step) == []
    rig.agrees = True
    qtbot.mouseClick(panel.buttons[Action.FLATTEN], Qt.MouseButton.LeftButton)
    assert [one.step for one in rig.link.of(Step)] == ["stop"]


def test_in_live_a_start_is_asked(qtbot, rig: DesktopRig, shown) -> None:
    rig.open(is_live=True)
    said = answers(a_row())
    rig.link.answers |= {ListStrategies: said["rows"], DescribeStrategies: said["forms"]}
    panel = StrategiesPanel(rig.desk)
    shown(panel)
    for _ in range(4):
        rig.bridge.flush()
    rig.agrees = False
    qtbot.mouseClick(panel.buttons[Action.START], Qt.MouseButton.LeftButton)
    assert rig.questions == [("Start maker in LIVE?", "It will trade with real money.")]
    assert rig.link.of(Step) == []
    panel.leave()


def test_several_are_started_together_and_only_those_that_can(
    qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell
) -> None:
    tell(a_row("one"), a_row("two", "running"), a_row("three", "failed"))
    panel.view.selectAll()
    assert panel.detail.strategy_id == ""
    qtbot.mouseClick(panel.buttons[Action.START], Qt.MouseButton.LeftButton)
    assert [one.strategy_id for one in rig.link.of(Step)] == ["one", "three"]


def test_no_button_takes_the_focus_and_no_key_presses_one(
    qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell
) -> None:
    tell(a_row())
    assert all(button.focusPolicy() is Qt.FocusPolicy.NoFocus for button in panel.buttons.values())
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        qtbot.keyClick(panel.view, key)
    assert rig.link.of(Step) == []


def test_parameters_are_a_form_of_their_types(qtbot, rig: DesktopRig, panel: StrategiesPanel, tell: Tell) -> None:
    rig.link.answers[SetValues] = Taken()
    tell(a_row())
    form = panel.detail.parameters
    assert {name: type(field) for name, field in form.fields.items()} == {
        "fast": ExactBox, "size": ExactBox, "both_ways": QCheckBox, "note": QLineEdit,
    }  # fmt: skip
    assert form.values() == VALUES
    assert form.fields["size"].text() == "0.0004"
    assert form._notes["fast"].text() == "closes in the fast average  ·  default 20  ·  ≥ 1"
    assert form._notes["size"].text() == "position to hold  ·  default 1  ·  0 – 10"
    assert form._notes["both_ways"].text() == "whether it sells short  ·  default Yes"
    assert form._notes["note"].text() == "a word of yours"
    assert form.fields["both_ways"].text() == "Yes"
    assert panel.detail.apply.toolTip() == "Nothing was changed"
    form.fields["fast"].set_text("0")
    assert form._notes["fast"].text() == "⚠ must be at least 1"
    assert (panel.detail.apply.isEnabled(), panel.detail.apply.toolTip()) == (
        False,
        "Something is wrong in the form: see ⚠",
    )
    form.fields["fast"].set_text("2.5")
    assert form._notes["fast"].text() == "⚠ must be a whole number"
    form.fields["fast"].set_text("25")
    tell(a_row(open_orders=1))  # how it stands is told again, and what was typed stays
    assert form.fields["fast"].text() == "25"
    qtbot.mouseClick(panel.detail.apply, Qt.MouseButton.LeftButton)
    assert [(one.strategy_id, one.values) for one in rig.link.of(SetValues)] == [("maker", {"fast": 25})]
    tell(a_row(parameters={**VALUES, "fast": 25}))
    assert panel.detail.apply.toolTip() == "Nothing was changed"


def test_parameters_of_a_running_strategy_are_locked_and_say_why(panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row(stage="running"))
    field = panel.detail.parameters.fields["fast"]
    assert (field.isEnabled(), field.toolTip()) == (False, "It is running: stop it first")


def test_what_was_typed_can_be_taken_back(qtbot, panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row())
    panel.detail.parameters.fields["both_ways"].setChecked(False)
    qtbot.mouseClick(panel.detail.back, Qt.MouseButton.LeftButton)
    assert panel.detail.parameters.values() == VALUES


def test_arrows_step_within_the_bounds_and_the_number_stays_exact(qtbot, panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row())
    fast, size = panel.detail.parameters.fields["fast"], panel.detail.parameters.fields["size"]
    fast.step_by(-30)
    assert fast.text() == "1"
    qtbot.keyClick(size, Qt.Key.Key_Up)
    assert size.text() == "0.00041"
    size.set_text("9.9")
    size.step_by(3)
    assert size.text() == "10"


def test_the_log_is_the_strategys_own_and_bounded(rig: DesktopRig, panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row("one"), a_row("two"))
    rig.hear(StrategyLog("one", "info", "first", T0), StrategyLog("two", "info", "other", T0))
    assert [line.text for line in panel.detail.model.shown()] == ["first"]
    rig.hear(*(StrategyLog("one", "info", f"line {number}", T0) for number in range(MOST + 5)))
    while rig.bridge.statistics().backlog:
        rig.bridge.flush()
    assert panel.detail.model.count == MOST
    panel.view.selectRow(1)
    rig.bridge.flush()
    assert [line.text for line in panel.detail.model.shown()] == ["other"]


def test_the_log_outlives_its_panel(rig: DesktopRig, panel: StrategiesPanel) -> None:
    rig.hear(StrategyLog("one", "info", "first", T0))
    assert StrategyLogs.of(rig.desk) is StrategyLogs.of(rig.desk)
    assert [line.text for line in StrategyLogs.of(rig.desk).lines("one")] == ["first"]


def test_the_last_error_has_its_traceback(rig: DesktopRig, panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row())
    assert panel.detail.error.toPlainText() == "It has not failed since the desktop was opened"
    trace = 'Traceback (most recent call last):\n  File "maker.py", line 7\nZeroDivisionError: division by zero'
    rig.hear(
        HandlerFailed("maker", "on_bar", "BarData", "ZeroDivisionError: division by zero", core=False, sequence=1),
        StrategyStatus("maker", "failed", "on_bar on BarData: ZeroDivisionError: division by zero", T0),
    )
    tell(a_row(stage="failed", reason="x"), forms=(a_form(trace=trace),))
    text = panel.detail.error.toPlainText()
    assert "on_bar on BarData: ZeroDivisionError" in text
    assert text.endswith(trace)
    assert panel.detail.tabs.tabText(2) == "⚠ Last error"


def test_it_says_that_none_can_be_added_while_it_runs(panel: StrategiesPanel) -> None:
    assert "none can be added while it runs" in panel.note.text
    assert hint(panel, Action.START) == (False, "Choose a strategy in the table first")


def test_words_narrow_the_table(panel: StrategiesPanel, tell: Tell) -> None:
    tell(a_row("one"), a_row("two", "running"))
    panel.words.setText("running")
    assert [line.row.strategy_id for line in panel.model.shown()] == ["two"]


def test_columns_and_sizes_are_found_again(qtbot, rig: DesktopRig, panel: StrategiesPanel, shown) -> None:
    panel.view.setColumnWidth(1, 222)
    other = StrategiesPanel(rig.desk)
    shown(other)
    other.restore_state(panel.save_state())
    assert other.view.columnWidth(1) == 222
    other.restore_state({"columns": 3, "sizes": ["x"]})
    other.leave()
