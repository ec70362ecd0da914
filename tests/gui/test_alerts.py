"""Alerts: they ring once when their limit is reached, from the right side; they are kept, and told by sound, note and line."""

import wave
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from foxtrot.app.control_requests import ListPositions, PositionRow, Positions
from foxtrot.core.commands import WatchMarket
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.market import MarketTrade
from foxtrot.gui.alerts import Alert, AlertBook, AlertKind, AlertWatch
from foxtrot.gui.notifications import MOST_TOASTS, Notifier, Toasts
from foxtrot.gui.panels.alerts import AlertsPanel
from foxtrot.gui.sounds import Sounder, write_sound
from tests.support.builders import T0, a_tick
from tests.support.desktop_rig import ACCOUNT, DesktopRig

NAME = "BTCUSDT.PERP"


class Bell:
    """What has rung."""

    def __init__(self, rig: DesktopRig, folder: Path | None = None) -> None:
        self.book = AlertBook(rig.desk, folder)
        self.watch = AlertWatch(rig.desk, self.book)
        self.rang: list[str] = []
        self.book.rang.connect(lambda _alert, text: self.rang.append(text))


@pytest.fixture
def bell(rig: DesktopRig, tmp_path: Path) -> Bell:
    rig.open()
    return Bell(rig, tmp_path)


def tick(rig: DesktopRig, price: float) -> None:
    rig.hear(a_tick(NAME, price - 0.1, price + 0.1))


def test_a_price_rings_once_when_it_is_reached_from_below(rig: DesktopRig, bell: Bell) -> None:
    tick(rig, 100.0)
    rig.desk.alert_asked.emit(NAME, 101.0)
    (alert,) = bell.book.all()
    assert (alert.rises, alert.armed) == (True, True)
    assert [one for one in rig.link.sent if isinstance(one, WatchMarket) and one.request.instrument_id == NAME]
    tick(rig, 100.9)
    assert bell.rang == []
    tick(rig, 101.5)
    tick(rig, 102.0)
    assert len(bell.rang) == 1
    assert NAME in bell.rang[0]
    assert "101.5" in bell.rang[0]
    assert not bell.book.all()[0].armed
    bell.book.arm(alert.number)
    assert bell.book.all()[0].rises is False
    tick(rig, 100.0)
    assert len(bell.rang) == 2


def test_a_trade_between_two_ticks_rings_too_and_the_first_value_tells_the_side(rig: DesktopRig, bell: Bell) -> None:
    bell.book.add(AlertKind.PRICE, NAME, 99.0)
    assert bell.book.all()[0].rises is None
    tick(rig, 100.0)
    assert bell.book.all()[0].rises is False
    rig.hear(MarketTrade(NAME, T0, T0, "1", 98.9, 1.0, Side.SELL), MarketTrade(NAME, T0, T0, "2", 100.0, 1.0, Side.BUY))
    assert len(bell.rang) == 1


def test_a_position_rings_by_size_and_by_profit(rig: DesktopRig, bell: Bell) -> None:
    row = PositionRow("manual", ACCOUNT, NAME, "net", -3.0, 100.0, Decimal(-60), "naked")
    rig.link.answers[ListPositions] = Positions((row,), ())
    bell.book.add(AlertKind.SIZE, NAME, 2.5)
    bell.book.add(AlertKind.PROFIT, NAME, -50.0)
    bell.book.add(AlertKind.PROFIT, NAME, 50.0)
    for _ in range(31):
        rig.bridge.flush()
    assert len(bell.rang) == 2
    assert [alert.armed for alert in bell.book.all()] == [False, False, True]


def test_a_connection_rings_when_it_is_lost_for_longer(
    rig: DesktopRig, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foxtrot.gui.alerts.monotonic", lambda: 1000.0)
    bell.book.add(AlertKind.CONNECTION, ACCOUNT, 5.0)
    bell.watch.look_at_connections(2000.0)
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.LOST, "cable", 0, 0.0, T0))
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.BACKING_OFF, "", 1, 0.0, T0))
    bell.watch.look_at_connections(1004.9)
    assert bell.rang == []
    bell.watch.look_at_connections(1005.1)
    assert len(bell.rang) == 1
    bell.book.arm(1)
    rig.hear(AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0))
    bell.watch.look_at_connections(1900.0)
    assert len(bell.rang) == 1


def test_alerts_are_kept_and_a_broken_file_is_set_aside(rig: DesktopRig, bell: Bell, tmp_path: Path) -> None:
    bell.book.add(AlertKind.PRICE, NAME, 5.0, "buy more")
    again = AlertBook(rig.desk, tmp_path)
    assert [(one.limit, one.note) for one in again.all()] == [(5.0, "buy more")]
    (tmp_path / "alerts.json").write_text("{", "utf-8")
    assert AlertBook(rig.desk, tmp_path).all() == ()
    assert (tmp_path / "alerts.json.broken").exists()


@pytest.mark.parametrize(("subject", "limit"), [("", 1.0), (NAME, 0.0), (NAME, float("nan"))])
def test_what_cannot_be_reached_is_refused(bell: Bell, subject: str, limit: float) -> None:
    with pytest.raises(ConfigError):
        bell.book.add(AlertKind.PRICE, subject, limit)


def test_the_panel_makes_changes_arms_and_removes(qtbot: QtBot, rig: DesktopRig, bell: Bell) -> None:
    panel = AlertsPanel(rig.desk)
    QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    qtbot.addWidget(panel)
    panel.show()
    assert not panel.buttons["remove"].isEnabled()
    assert panel.buttons["remove"].toolTip()
    tick(rig, 100.0)
    qtbot.mouseClick(panel.findChild(QPushButton, "alerts_new"), Qt.MouseButton.LeftButton)
    assert panel.form is not None
    panel.form.subject.setCurrentText("")
    panel.form.accept()
    assert panel.form.fault.text()
    assert panel.form.isVisible()
    panel.form.subject.setCurrentText(NAME)
    assert panel.form.limit.value() == 100.0
    panel.form.limit.setValue(110.0)
    panel.form.accept()
    panel.flush()
    assert panel.model.rowCount() == 1
    panel.view.selectRow(0)
    panel.edit()
    panel.form.limit.setValue(120.0)
    panel.form.accept()
    panel.flush()
    tick(rig, 121.0)
    panel.flush()
    assert panel.model.index(0, 0).data().endswith("rang")
    qtbot.mouseClick(panel.buttons["arm"], Qt.MouseButton.LeftButton)
    assert bell.book.all()[0].armed
    qtbot.mouseClick(panel.buttons["remove"], Qt.MouseButton.LeftButton)
    panel.flush()
    assert panel.model.rowCount() == 0
    panel.leave()


def test_a_sound_is_a_file_that_the_systems_player_plays_else_a_beep(qtbot: QtBot, tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert sound.getnframes() > 1000
    silent = Sounder(tmp_path, players=("no-such-player",))
    silent.play()
    assert silent.beeps == 1
    playing = Sounder(tmp_path, players=("true",))
    playing.play()
    playing.play()
    qtbot.waitUntil(lambda: playing._process is None)
    assert playing.beeps == 0
    broken = Sounder(tmp_path, players=("false",))
    broken.play()
    qtbot.waitUntil(lambda: broken.beeps == 1)


def test_notes_stay_in_the_corner_go_at_a_click_and_are_few(qtbot: QtBot, rig: DesktopRig) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    toasts = Toasts(window, rig.desk.theme)
    for number in range(MOST_TOASTS + 2):
        toasts.show_text("WARNING", f"note {number}")
    assert len(toasts.labels) == MOST_TOASTS
    assert window.rect().contains(toasts.geometry())
    assert toasts.geometry().right() < window.width() // 2  # ladder and ticket stand at the right
    window.resize(500, 400)
    assert window.rect().contains(toasts.geometry())
    qtbot.mouseClick(toasts.labels[0], Qt.MouseButton.LeftButton)
    assert len(toasts.labels) == MOST_TOASTS - 1
    assert Notifier().tell("nobody sees it here") is False


def test_an_alert_in_words_has_an_arrow(bell: Bell) -> None:
    assert "↑" in bell.book.text(Alert(1, AlertKind.PRICE, NAME, 5.0, rises=True))
    assert "↓" in bell.book.text(Alert(1, AlertKind.PRICE, NAME, 5.0, rises=False))
