"""The line below everything: its memory is what the process has now, not the most that it has had."""

import re
import sys

import pytest
from pytestqt.qtbot import QtBot

from foxtrot.gui.status_line import StatusLine
from tests.support.desktop_rig import DesktopRig

MB = 1024 * 1024


def told(line: StatusLine) -> int:
    line.show_window(0.5)
    found = re.search(r"(\d+) MB", line.window_figures.text())
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems tell the most memory alone")
def test_memory_that_was_given_back_is_not_told(rig: DesktopRig, qtbot: QtBot) -> None:
    line = StatusLine(rig.bridge, rig.desk.theme)
    qtbot.addWidget(line)
    before = told(line)
    block = b"x" * (100 * MB)
    held = told(line)
    assert held > before + 90
    del block
    assert told(line) < held - 90
