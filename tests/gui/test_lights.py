"""What a light of the top bar says of a connection that is ready."""

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from foxtrot.adapter.health import StreamFigures
from foxtrot.adapter.percentiles import Percentiles
from foxtrot.app.desktop_requests import AccountOverview
from foxtrot.gui import texts
from foxtrot.gui.top_bar import Light
from tests.gui.test_window import an_overview
from tests.support.desktop_rig import ACCOUNT, DesktopRig


def a_stream(age_s: float | None, travel_ms: float) -> StreamFigures:
    none = Percentiles(0.0, 0.0)
    return StreamFigures(
        "trades",
        True,
        9.0,
        0,
        100,
        5.0,
        age_s,
        age_s or 0.0,
        30.0,
        False,
        Percentiles(travel_ms, travel_ms * 3),
        none,
        0,
    )


def connected(*streams: StreamFigures) -> AccountOverview:
    found = an_overview().accounts[0]
    return msgspec.structs.replace(found, health=msgspec.structs.replace(found.health, streams=streams))


@pytest.mark.parametrize(
    ("streams", "english", "chinese"),
    [
        ([(0.2, 12.4), (0.1, 40.0)], "12 ms", "12 ms"),
        ([(0.2, 0.3)], "<1 ms", "<1 ms"),
        ([(7.0, 12.4), (9.0, 5.0)], "quiet 7.0 s", "静默 7.0 s"),
        ([(2.0, 0.0)], "quiet 2.0 s", "静默 2.0 s"),
        ([(None, 0.0)], "ready", "就绪"),
        ([], "ready", "就绪"),
    ],
    ids=["travels", "travels fast", "quiet", "no time of the venue's", "nothing yet", "no stream"],
)
def test_it_says_how_long_a_message_travels_or_how_long_it_is_quiet(
    streams: list[tuple[float | None, float]], english: str, chinese: str, rig: DesktopRig, qtbot: QtBot
) -> None:
    light = Light(ACCOUNT, rig.desk.theme)
    qtbot.addWidget(light)
    for language, words in (("en", english), ("zh", chinese)):
        texts.choose(language)
        light.show_account(connected(*(a_stream(age_s, travel_ms) for age_s, travel_ms in streams)))
        assert light.text == f"{ACCOUNT}  {words}"


def test_its_hint_has_both(rig: DesktopRig, qtbot: QtBot) -> None:
    light = Light(ACCOUNT, rig.desk.theme)
    qtbot.addWidget(light)
    light.show_account(connected(a_stream(0.25, 12.4)))
    assert "takes 12 ms from the venue" in light.toolTip()
    assert "Last message 250 ms ago" in light.toolTip()
