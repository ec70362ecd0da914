"""The state of a connection is said in the language in force, wherever it is said."""

import pytest
from pytestqt.qtbot import QtBot

from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState
from foxtrot.gui import texts
from foxtrot.gui.top_bar import Light
from tests.gui.test_window import an_overview
from tests.support.builders import T0
from tests.support.desktop_rig import ACCOUNT, DesktopRig


@pytest.mark.parametrize(
    ("state", "english", "chinese"),
    [
        (AdapterState.CONNECTED, "connected", "已连接"),
        (AdapterState.BACKING_OFF, "waiting to retry", "等待重试"),
        (AdapterState.FAILED, "failed", "失败"),
    ],
)
def test_a_light_and_a_doubt_have_the_same_word(
    state: AdapterState, english: str, chinese: str, rig: DesktopRig, qtbot: QtBot
) -> None:
    light = Light(ACCOUNT, rig.desk.theme)
    qtbot.addWidget(light)
    rig.hear(AdapterStatus(ACCOUNT, "scripted", state, "", 0, 0.0, T0))
    for language, word in (("en", english), ("zh", chinese)):
        texts.choose(language)
        light.show_account(an_overview(state).accounts[0])
        assert light.text == f"{ACCOUNT}  {word}"
        assert light.toolTip().endswith(f" {word}")
        doubt = rig.desk.doubt("BTCUSDT.PERP", ACCOUNT)
        assert f"({word})" in doubt or f"（{word}）" in doubt
