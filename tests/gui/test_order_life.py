"""The life of an order: read from the journal beside the desktop's thread, again when something happens to it."""

from argparse import Namespace
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QThreadPool
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.app.verbs.order import run as run_order
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder
from foxtrot.gui import texts
from foxtrot.gui.panels import order_life
from foxtrot.gui.panels.order_life import OrderLifePanel
from foxtrot.storage.journal_records import Arrival, FillBooked, Handed, InstrumentListed, Intent, OrderTold, VenueSaid
from tests.support.builders import T0, a_perpetual, a_trade, an_order
from tests.support.desktop_rig import DesktopRig
from tests.support.journal_rig import write_all

ID = "F-alpha-run0000001-1"
MS = 1_000_000
PERPETUAL = a_perpetual()


def write_life(path: Path) -> None:
    quantity, price = PERPETUAL.quantity_grid.from_float(2.0), PERPETUAL.price_grid.from_float(100.1)
    order = ApprovedOrder(
        ID, "alpha", "main", PERPETUAL.instrument_id, Side.BUY, OrderType.LIMIT, quantity, price, 0, TimeInForce.GTC,
        False, False, PositionSide.NET, 0, 0, 0, T0,
    )  # fmt: skip
    arrival = Arrival("DepthData", 36, T0 - 9 * MS, T0 - 2 * MS, 99.9, 100.1, 100.0, T0 - 2 * MS, "live")
    told = an_order(ID, OrderStatus.FILLED, 2.0, quantity=2.0, local_time_ns=T0 + 8 * MS)
    trade = a_trade(ID, "t1", 2.0, 100.2, fee=Decimal("0.05"), local_time_ns=T0 + 9 * MS)
    write_all(
        path,
        InstrumentListed(T0 - 1, PERPETUAL),
        Intent(T0, order, "ab" * 32, arrival),
        Handed(T0 + MS, ID),
        VenueSaid(T0 + 2 * MS, "main", ID, "out", "POST /order"),
        OrderTold(T0 + 8 * MS, "alpha", told),
        FillBooked(T0 + 9 * MS, "alpha", trade),
    )


@pytest.fixture
def panel(rig: DesktopRig, qtbot: QtBot, tmp_path: Path) -> OrderLifePanel:
    write_life(tmp_path / "journal.db")
    rig.link.journal = tmp_path / "journal.db"
    rig.open()
    made = OrderLifePanel(rig.desk)
    for model in (made.steps, made.legs):
        QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal).setParent(model)
    qtbot.addWidget(made)
    made.resize(1100, 420)
    made.show()
    return made


def read(panel: OrderLifePanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not panel.aside.running, timeout=5_000)


def test_an_order_is_looked_up_by_its_id_and_enter(panel: OrderLifePanel, qtbot: QtBot) -> None:
    panel.words.setText(ID)
    qtbot.keyClick(panel.words, Qt.Key.Key_Return)
    read(panel, qtbot)
    assert panel.story is not None
    assert [row.step.what for row in panel.steps.shown()] == ["event", "intent", "gate", "sent", "order", "fill"]
    assert panel.steps.index(0, 0).data() == "23:59:59.998000"
    assert panel.steps.index(5, 1).data() == "+11.000 ms"
    assert panel.legs.index(0, 0).data() == "Venue to us"
    assert any(panel.legs.index(line, 0).data() == "Acknowledged to fill 1" for line in range(panel.legs.rowCount()))
    assert "Buy Limit" in panel.head.text()
    assert "Filled" in panel.head.text()
    assert "+0.2000 USDT  +1.00 ticks" in panel.cost.text()
    assert "0.05 USDT" in panel.cost.text()
    assert not panel.said.isVisible()


def test_what_the_journal_does_not_know_is_said(panel: OrderLifePanel, qtbot: QtBot) -> None:
    panel.show_order("F-nobody-run0000001-1")
    read(panel, qtbot)
    assert "is not in" in panel.said.text()
    assert panel.story is None
    assert not panel.steps.rowCount()


def test_without_a_journal_that_is_said(rig: DesktopRig, panel: OrderLifePanel) -> None:
    rig.link.journal = None
    panel.show_order(ID)
    assert panel.said.text() == texts.tr("order_life.no_journal")
    assert not panel.aside.running


def test_news_of_the_order_have_it_read_again_and_others_do_not(
    rig: DesktopRig, panel: OrderLifePanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.show_order(ID)
    read(panel, qtbot)
    panel._looked_s = 0.0
    asked: list[object] = []
    monkeypatch.setattr(order_life, "read_story", lambda *what: asked.append(what))
    rig.hear(OrderChanged("alpha", an_order("F-other-run0000001-2")))
    assert not panel.aside.running
    rig.hear(OrderChanged("alpha", an_order(ID)))
    read(panel, qtbot)
    assert len(asked) == 1
    assert panel.story is not None  # what was read before stays when nothing comes of it


def test_the_answer_about_an_order_that_is_no_longer_shown_is_passed_over(panel: OrderLifePanel, qtbot: QtBot) -> None:
    panel.show_order(ID)
    panel.show_order("")
    read(panel, qtbot)
    assert panel.story is None


def test_a_saved_order_is_shown_again_once_the_platform_is_there(
    rig: DesktopRig, panel: OrderLifePanel, qtbot: QtBot
) -> None:
    panel.show_order(ID)
    read(panel, qtbot)
    state = panel.save_state()
    other = OrderLifePanel(rig.desk)
    qtbot.addWidget(other)
    questions, rig.desk.questions = rig.desk.questions, None
    other.restore_state(state)
    other.show()
    rig.desk.questions = questions
    rig.bridge.flush()
    read(other, qtbot)
    assert other.story is not None
    other.leave()


def test_every_step_and_leg_has_words_in_chinese(panel: OrderLifePanel, qtbot: QtBot) -> None:
    texts.choose("zh")
    panel.show_order(ID)
    read(panel, qtbot)
    words = [panel.steps.index(line, 2).data() for line in range(panel.steps.rowCount())]
    legs = [panel.legs.index(line, 0).data() for line in range(panel.legs.rowCount())]
    assert not [word for word in [*words, *legs] if word.isascii()]


def test_a_panel_that_is_thrown_away_while_it_reads_is_told_nothing(
    rig: DesktopRig, qtbot: QtBot, tmp_path: Path
) -> None:
    write_life(tmp_path / "other.db")
    rig.link.journal = tmp_path / "other.db"
    rig.open()
    panel = OrderLifePanel(rig.desk)
    panel.show_order(ID)
    panel.leave()
    gone = [panel]
    panel.destroyed.connect(gone.clear)
    panel.deleteLater()
    del panel
    assert QThreadPool.globalInstance().waitForDone(5_000)
    qtbot.waitUntil(lambda: not gone)


def test_the_panel_tells_what_foxtrot_order_prints_line_by_line(
    rig: DesktopRig, panel: OrderLifePanel, qtbot: QtBot, tmp_path: Path
) -> None:
    printed = run_order(Namespace(order=ID, data=tmp_path, home=tmp_path)).text.splitlines()
    panel.show_order(ID)
    read(panel, qtbot)
    assert panel.text().splitlines() == printed
    qtbot.mouseClick(panel.copying, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().splitlines() == printed
    steps = [line for line in printed if line.startswith("2023-")]
    moments = [panel.steps.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(panel.steps.rowCount())]
    details = [panel.steps.index(row, 3).data() for row in range(panel.steps.rowCount())]
    assert len(steps) == len(details) == 6
    for line, moment, detail in zip(steps, moments, details, strict=True):
        assert line.startswith(moment.replace("T", " ").removesuffix("Z"))
        assert line.endswith(detail)
    legs = [line.split("  ")[-1].strip() for line in printed if line.endswith(" ms")]
    assert legs == [panel.legs.index(row, 1).data() for row in range(panel.legs.rowCount())]
    fees = next(line for line in printed if line.startswith("fees: "))
    assert fees.casefold() in panel.cost.text().casefold()
    for figure in ("36 DepthData", "99.9", "100.1"):
        assert figure in next(line for line in printed if line.startswith("arrival"))
        assert figure in panel.cost.text()


def test_nothing_can_be_copied_of_no_order(panel: OrderLifePanel) -> None:
    assert not panel.copying.isEnabled()
    assert panel.copying.toolTip() == texts.tr("order_life.none")
