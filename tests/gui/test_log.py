"""The log: what was said before it was opened, or while another workspace was shown, stands in it."""

import pytest
from pytestqt.qtbot import QtBot

from foxtrot.core.notices import RequestFailed, StrategyLog
from foxtrot.gui import log_lines
from foxtrot.gui.log_lines import LogLines
from foxtrot.gui.panels.log import LogPanel
from tests.support.builders import T0
from tests.support.desktop_rig import ACCOUNT, DesktopRig


def shown(panel: LogPanel) -> list[str]:
    panel.flush()
    return [line.text for line in panel.model.shown()]


def a_log(rig: DesktopRig, qtbot: QtBot) -> LogPanel:
    panel = LogPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_a_log_that_is_opened_later_has_what_was_said_before(rig: DesktopRig, qtbot: QtBot) -> None:
    LogLines.of(rig.desk)
    rig.hear(RequestFailed(ACCOUNT, "subscribe X", "not listed", T0))
    rig.desk.said.emit("WARNING", "no file\nof that name")
    before = ["subscribe X: not listed", "no file ⏎ of that name"]
    first = a_log(rig, qtbot)
    assert shown(first) == before
    first.leave()
    rig.hear(StrategyLog("grid", "info", "while nobody looked", T0))
    assert shown(a_log(rig, qtbot)) == [*before, "while nobody looked"]


def test_what_is_kept_has_a_bound_and_no_line_is_shown_twice(
    rig: DesktopRig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "MOST", 3)
    panel = a_log(rig, qtbot)
    for number in range(5):
        rig.hear(StrategyLog("grid", "info", str(number), T0))
        assert shown(panel)[-1] == str(number)
    assert shown(panel) == ["0", "1", "2", "3", "4"]
    assert [line.text for line in LogLines.of(rig.desk).after(0)] == ["2", "3", "4"]
    assert LogLines.of(rig.desk).after(5) == []
