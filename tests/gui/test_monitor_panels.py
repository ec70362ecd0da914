"""Connections, risk and diagnostics: what they show of the answers they get, and what a person decides there."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.adapter.health import AdapterHealth, BookFigures
from foxtrot.app.control_requests import (
    BlockRow,
    Blocks,
    DifferenceRow,
    ListBlocks,
    ListPositions,
    OrderRow,
    PositionRow,
    Positions,
    Reconcile,
    Resolve,
    Resume,
    Settle,
)
from foxtrot.app.desktop_requests import OverviewFound
from foxtrot.app.desktop_risk_requests import LimitUse, RiskFound, RiskOverview
from foxtrot.app.desktop_wishes import Renew
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.gui.alerts import AlertBook
from foxtrot.gui.ask_why import Decision, WhyDialog
from foxtrot.gui.order_dialogs import Resolution
from foxtrot.gui.panels.connections import ConnectionsPanel
from foxtrot.gui.panels.diagnostics import DiagnosticsPanel
from foxtrot.gui.panels.risk import EVERY_FLUSHES, RiskPanel
from foxtrot.gui.risk_columns import SHARE_COLUMN
from tests.gui.test_window import an_overview
from tests.support.builders import T0
from tests.support.desktop_rig import ACCOUNT, DesktopRig

FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal
SECOND_NS = 1_000_000_000


def with_streams(state: AdapterState = AdapterState.READY, cause: str = "") -> OverviewFound:
    """An overview of an account with two streams, one of which is down, and a book that is not live."""
    found, health = an_overview(state, cause), AdapterHealth(ACCOUNT)
    health.up(0)
    health.down("pulled")
    health.up(1)
    health.stream("market").up(0)
    health.stream("market").heard(SECOND_NS, venue_ms=12.0)
    health.stream("user")
    health.books["BTCUSDT.PERP"] = lambda: BookFigures(implementation="depth_cache", state="stale", gaps=2)
    health.failed_requests = 3
    account = replace(found.accounts[0], health=health.snapshot(3 * SECOND_NS))
    return replace(found, accounts=(account,))


def texts(model: object, line: int = 0) -> list[str]:
    return [str(model.index(line, place).data()) for place in range(model.columnCount())]  # type: ignore[attr-defined]


# --- connections ----------------------------------------------------------------------------------------------------


@pytest.fixture
def connections(qtbot: QtBot, rig: DesktopRig) -> ConnectionsPanel:
    rig.open()
    rig.desk.take_overview(with_streams())
    panel = ConnectionsPanel(rig.desk)
    for model in (panel.accounts, panel.streams, panel.books):
        QAbstractItemModelTester(model, FATAL)
    qtbot.addWidget(panel)
    panel.resize(1200, 500)
    panel.show()
    return panel


def test_a_line_tells_state_latency_age_and_faults(rig: DesktopRig, connections: ConnectionsPanel) -> None:
    shown = texts(connections.accounts)
    assert shown[0] == "● ready"
    assert shown[4:11] == ["12 ms", "2.0 s", "1", "0", "0", "3", "0/1"]
    rig.desk.take_overview(with_streams(AdapterState.LOST, "cable"))
    connections.flush()
    assert texts(connections.accounts)[0] == "▲ lost"


def test_below_are_streams_and_books_of_the_chosen_account(connections: ConnectionsPanel) -> None:
    assert [texts(connections.streams, line)[:2] for line in (0, 1)] == [["● up", "market"], ["▲ down", "user"]]
    assert texts(connections.books)[0] == "▲ stale"
    connections.view.selectRow(0)
    assert connections.chosen == ACCOUNT


def test_comparing_and_the_form_are_asked_for(qtbot: QtBot, rig: DesktopRig, connections: ConnectionsPanel) -> None:
    rig.link.answers[Reconcile] = "not now"
    qtbot.mouseClick(connections.reconcile, Qt.MouseButton.LeftButton)
    rig.bridge.flush()
    assert [one.account for one in rig.link.of(Reconcile)] == [ACCOUNT]  # type: ignore[attr-defined]
    assert ("WARNING", "not now") in rig.said
    with qtbot.waitSignal(rig.desk.account_form_asked):
        qtbot.mouseClick(connections.add, Qt.MouseButton.LeftButton)
    connections.leave()


def test_a_connection_is_renewed_after_asking_and_watched_from_its_menu(
    qtbot: QtBot, rig: DesktopRig, connections: ConnectionsPanel
) -> None:
    rig.agrees = False
    qtbot.mouseClick(connections.renew, Qt.MouseButton.LeftButton)
    assert rig.link.of(Renew) == []
    rig.agrees = True
    actions = {action.text(): action for action in connections.menu().actions()}
    actions["Renew…"].trigger()
    assert [(one.account, one.who) for one in rig.link.of(Renew)] == [(ACCOUNT, rig.actions.who)]  # type: ignore[attr-defined]
    assert ACCOUNT in rig.questions[0][1]
    actions["Alert when it is lost…"].trigger()
    assert connections.form is not None
    assert (connections.form.kind.currentData(), connections.form.subject.currentText()) == ("connection", ACCOUNT)
    connections.form.limit.setValue(5.0)
    connections.form.accept()
    assert [(one.kind, one.subject, one.limit) for one in AlertBook.of(rig.desk).all()] == [
        ("connection", ACCOUNT, 5.0)
    ]
    connections.leave()


# --- risk -----------------------------------------------------------------------------------------------------------


@dataclass
class Risk:
    """A risk panel over scripted answers."""

    panel: RiskPanel
    rig: DesktopRig

    def look(self) -> None:
        """Ask, and hear the answers."""
        for _ in range(EVERY_FLUSHES + 1):
            self.rig.bridge.flush()


def blocks(gate: str = "halted") -> Blocks:
    standing = (
        BlockRow("", "", "halted", "killed", T0, "root@vm", True, True),
        BlockRow(ACCOUNT, "BTCUSDT.PERP", "reducing", "odd", T0, "reconciler", False, False),
    )
    order = OrderRow(
        "F-1", "one", ACCOUNT, "BTCUSDT.PERP", "buy", "limit", 1.0, 0.0, 100.0, 0.0, "unknown", False, False, "", T0, T0, T0, "cut off"
    )  # fmt: skip
    difference = DifferenceRow("d1", ACCOUNT, "position", "BTCUSDT.PERP", "1", "2", True, T0)
    return Blocks(gate, "killed" if gate != "active" else "", standing, (difference,), (), (order,))


@pytest.fixture
def risk(qtbot: QtBot, rig: DesktopRig) -> Risk:
    rig.open()
    uses = (
        LimitUse("platform", "", "", "max_exposure", Decimal(1000), Decimal(950)),
        LimitUse("account main", "", "main", "max_position", Decimal(10), Decimal(2), "BTCUSDT.PERP"),
        LimitUse("strategy one", "one", "", "max_daily_loss", Decimal(50), Decimal(60), "", "max_daily_loss: 60"),
        LimitUse("platform", "", "", "max_order_quantity", Decimal(4), None),
    )
    rig.link.answers[RiskOverview] = RiskFound("USDT", uses, {})
    rig.link.answers[ListBlocks] = blocks()
    rig.link.answers[ListPositions] = Positions(
        (
            PositionRow("one", ACCOUNT, "BTCUSDT.PERP", "net", 1.5, 100.0, Decimal(-3), "at the venue"),
            PositionRow("two", ACCOUNT, "BTCUSDT.PERP", "net", -1.0, 100.0, Decimal(3), "while this process lives"),
            PositionRow("manual", ACCOUNT, "BTCUSDT", "net", 1.0, 100.0, None, "naked"),
            PositionRow("EXTERNAL", ACCOUNT, "BTCUSDT", "net", 9.0, 100.0, None, ""),
        ),
        (),
    )
    panel = RiskPanel(rig.desk)
    for model in (panel.limits, panel.blocks, panel.differences, panel.unknown, panel.death):
        QAbstractItemModelTester(model, FATAL)
    qtbot.addWidget(panel)
    panel.resize(1100, 400)
    panel.show()
    made = Risk(panel, rig)
    made.look()
    return made


def test_limits_have_bars_that_warn_before_they_are_reached(risk: Risk) -> None:
    shares = [texts(risk.panel.limits, line)[SHARE_COLUMN] for line in range(4)]
    assert shares == ["▲ 95%", "20%", "■ locked", "–"]
    view = risk.panel.views["limits"]
    image = view.viewport().grab().toImage()
    warning = QColor(risk.rig.desk.theme.colours.warning)

    def coloured(line: int, part: float) -> bool:
        rect = view.visualRect(risk.panel.limits.index(line, SHARE_COLUMN))
        colour = image.pixelColor(rect.left() + round(rect.width() * part), rect.top() + 4)
        return abs(colour.hue() - warning.hue()) < 25 and colour.saturation() > 60

    assert coloured(0, 0.5)
    assert not coloured(1, 0.9)


def test_the_gate_says_who_closed_it_and_resume_asks(qtbot: QtBot, risk: Risk) -> None:
    assert "■ nothing passes" in risk.panel.gate.text()
    assert "root@vm: killed" in risk.panel.gate.text()
    risk.panel.decide.ask_why = lambda *_: None
    qtbot.mouseClick(risk.panel.resume, Qt.MouseButton.LeftButton)
    assert risk.rig.link.of(Resume) == []
    asked: list[str] = []
    risk.panel.decide.ask_why = lambda _over, _title, text, _owners: asked.append(text) or Decision("all is well")
    qtbot.mouseClick(risk.panel.resume, Qt.MouseButton.LeftButton)
    assert risk.rig.link.of(Resume) == [Resume(who=risk.rig.actions.who, why="all is well")]
    assert "killed" in asked[0]
    risk.rig.link.answers[ListBlocks] = blocks("active")
    risk.look()
    assert not risk.panel.resume.isEnabled()
    assert risk.panel.resume.toolTip()


def test_blocks_are_lifted_and_differences_settled_one_by_one(qtbot: QtBot, risk: Risk) -> None:
    panel = risk.panel
    owners: list[object] = []
    panel.decide.ask_why = lambda _over, _title, _text, given: owners.append(given) or Decision("seen", "one")
    ignore = panel.findChild(QPushButton, "risk_ignore")
    assert ignore is not None
    assert not ignore.isEnabled()
    assert "Choose a row" in ignore.toolTip()
    panel.views["blocks"].selectRow(1)
    panel.lift_block()
    (resume,) = risk.rig.link.of(Resume)
    assert (resume.account, resume.instrument) == (ACCOUNT, "BTCUSDT.PERP")  # type: ignore[attr-defined]
    panel.settle(adopt=True)
    assert risk.rig.link.of(Settle) == []
    panel.views["differences"].selectRow(0)
    risk.rig.link.answers[Settle] = "too late"
    panel.tabs.setCurrentIndex(2)
    qtbot.mouseClick(ignore, Qt.MouseButton.LeftButton)
    (settle,) = risk.rig.link.of(Settle)
    assert (settle.difference_id, settle.decision, settle.why) == ("d1", "ignore", "seen")  # type: ignore[attr-defined]
    assert owners[-1] == ()
    panel.settle(adopt=True)
    assert owners[-1][0][0] == "EXTERNAL"  # type: ignore[index]
    assert [(one.decision, one.owner) for one in risk.rig.link.of(Settle)][-1] == ("adopt", "one")  # type: ignore[attr-defined]
    risk.rig.bridge.flush()
    assert risk.rig.said[-1] == ("WARNING", "too late")


def test_an_order_of_unknown_outcome_is_resolved_with_evidence(qtbot: QtBot, risk: Risk) -> None:
    panel = risk.panel
    panel.tabs.setCurrentIndex(3)
    resolve = panel.findChild(QPushButton, "risk_resolve")
    assert resolve is not None
    assert not resolve.isEnabled()
    panel.views["unknown"].selectRow(0)
    panel.decide.ask_resolution = lambda _over, row: Resolution(OrderStatus.REJECTED, f"never had {row.order_id}")
    qtbot.mouseClick(resolve, Qt.MouseButton.LeftButton)
    who = risk.rig.actions.who
    assert risk.rig.link.of(Resolve) == [
        Resolve(order_id="F-1", status=OrderStatus.REJECTED, who=who, why="never had F-1")
    ]


def test_the_dialog_of_a_decision_wants_a_reason_and_enter_decides_nothing(qtbot: QtBot) -> None:
    dialog = WhyDialog(None, "Adopt?", "text", [("EXTERNAL", "nobody"), ("one", "strategy one")])
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.go.isEnabled()
    dialog.why.setText(" seen at the venue ")
    dialog.owner.setCurrentIndex(1)
    qtbot.keyClick(dialog.why, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert dialog.decision == Decision("seen at the venue", "one")


def test_what_a_death_would_leave_behind_is_counted_without_what_is_not_ours(risk: Risk) -> None:
    assert risk.panel.summary.text() == (
        "● 1 protected at the venue   ◆ 1 protected only while this process lives   ▲ 1 naked"
    )
    assert [texts(risk.panel.death, line)[0] for line in range(4)] == [
        "● at the venue", "◆ only here", "▲ naked", "○ none of ours",
    ]  # fmt: skip
    assert risk.panel.tabs.tabText(3) == "Unknown 1"


def test_an_engine_that_does_not_answer_is_not_asked_again(risk: Risk) -> None:
    risk.rig.link.answers.clear()
    risk.look()
    asked = len(risk.rig.link.of(RiskOverview))
    for _ in range(3):
        risk.look()
    assert len(risk.rig.link.of(RiskOverview)) == asked
    risk.panel.leave()


# --- diagnostics ----------------------------------------------------------------------------------------------------


def test_diagnostics_tell_of_window_and_engine(qtbot: QtBot, rig: DesktopRig) -> None:
    panel = DiagnosticsPanel(rig.desk)
    QAbstractItemModelTester(panel.model, FATAL)
    qtbot.addWidget(panel)
    panel.show()
    rows = {row.key: row.value for row in panel.model.shown()}
    assert rows["Window-stalls"] == "0"
    assert rows["engine"] == "–"
    found = with_streams()
    rig.desk.take_overview(replace(found, statistics=replace(found.statistics, depth=5000, slow_handlers={"f": 12.5})))
    panel._flushes = 0
    panel.flush()
    rows = {row.key: row.value for row in panel.model.shown()}
    assert (rows["Engine-depth"], rows["handler-f"]) == ("5,000", "12.5 ms")
    panel.leave()
