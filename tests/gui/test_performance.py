"""Performance: the live curve, profit by strategy, symbol and day, costs, and the cash ledger."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from foxtrot.app.blotter_requests import ListPerformance, PerformanceFound, ProfitPoint, ProfitRow
from foxtrot.app.history_requests import CashLine, CostTotal, DayTotals, HistoryFound, ListHistory
from foxtrot.gui import texts
from foxtrot.gui.panels.performance import TABLES, PerformancePanel
from foxtrot.gui.profit_curve import ProfitCurve
from foxtrot.gui.theme import Theme
from tests.gui.test_window import an_overview
from tests.support.builders import SECOND, T0
from tests.support.desktop_rig import DesktopRig

PERP, SPOT = "BTCUSDT.PERP", "BTCUSDT.SPOT"
DAY = 86_400 * SECOND


def made(owner: str, profit: str | None, instrument_id: str = PERP, account: str = "main", **fees: str) -> ProfitRow:
    paid = {asset: Decimal(fee) for asset, fee in fees.items()}
    amount = None if profit is None else Decimal(profit)
    funding = {"USDT": Decimal("-1.5")} if instrument_id == PERP else {}
    return ProfitRow(owner, account, instrument_id, "net", 1.0, amount, paid, funding, 3)


def points(*profits: float, first: int = 0) -> tuple[ProfitPoint, ...]:
    return tuple(ProfitPoint(T0 + (first + place) * SECOND, Decimal(str(one))) for place, one in enumerate(profits))


def found(*rows: ProfitRow, **fields: object) -> PerformanceFound:
    known: dict[str, object] = {"days": (), "points": ()}
    return PerformanceFound("USDT", rows, **(known | fields))


def amounts(**of: str) -> dict[str, Decimal]:
    return {asset: Decimal(amount) for asset, amount in of.items()}


def a_day(change: int, day_ns: int, owner: str, realised: str, account: str = "main", **fees: str) -> DayTotals:
    return DayTotals(day_ns, owner, account, PERP, amounts(USDT=realised), amounts(**fees), {}, 2, change)


def a_line(number: int, kind: str, asset: str, amount: str, account: str = "main") -> CashLine:
    return CashLine(number, T0 + number * SECOND, account, kind, "", asset, Decimal(amount), f"r{number}")


DAYS = (
    a_day(1, T0 - DAY, "alpha", "7", USDT="0.5"),
    a_day(2, T0, "alpha", "2", BNB="0.001"),
    a_day(3, T0, "manual", "-1", "other", USDT="0.25"),
)
LINES = (
    a_line(1, "opening", "USDT", "5000"),
    a_line(2, "realised", "USDT", "-1.5"),
    a_line(3, "fee", "BTC", "-0.00253631"),
    a_line(4, "deposit", "USDT", "9", "other"),
)


def past(days: tuple[DayTotals, ...] = DAYS, lines: tuple[CashLine, ...] = LINES, **fields: object) -> HistoryFound:
    costs = (
        CostTotal("fee", "main", "BNB", Decimal("-0.001"), 1),
        CostTotal("fee", "main", "USDT", Decimal("-140.0949867"), 2),
        CostTotal("deposit", "other", "USDT", Decimal(9), 1),
    )
    known: dict[str, object] = {"changes": 3, "line_count": 4, "first_line": 1, "reading": False}
    return HistoryFound("USDT", days, lines, costs, {"USDT": Decimal(1), "BNB": Decimal(500)}, **(known | fields))


@pytest.fixture
def panel(rig: DesktopRig, qtbot: QtBot) -> Iterator[PerformancePanel]:
    rig.link.answers[ListPerformance] = found(
        made("alpha", "10", USDT="2"),
        made("alpha", "-4.5", SPOT, USDT="0.5", BNB="0.001"),
        made("manual", "1", account="other", USDT="1"),
        points=points(0.0, 1.0, -2.0),
    )
    rig.link.answers[ListHistory] = past()
    rig.open()
    rig.desk.take_overview(an_overview())
    panel = PerformancePanel(rig.desk)
    for model in panel.models.values():
        QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal).setParent(model)
    qtbot.addWidget(panel)
    panel.resize(900, 500)
    panel.show()
    rig.bridge.flush()
    yield panel
    panel.leave()


def table(panel: PerformancePanel, name: str) -> list[list[str]]:
    panel.tabs.setCurrentIndex(list(TABLES).index(name))
    panel.flush()
    return panel.models[name].texts(range(len(TABLES[name][0])))


def test_profit_is_shown_by_strategy_and_by_symbol(panel: PerformancePanel) -> None:
    assert table(panel, "strategies") == [
        ["alpha", "+5.50", "0.001 BNB, 2.50 USDT", "−1.50 USDT", "6", "2"],
        ["Manual", "+1.00", "1.00 USDT", "−1.50 USDT", "3", "1"],
    ]
    assert [(row[0], row[1]) for row in table(panel, "symbols")] == [(PERP, "+11.00"), (SPOT, "−4.50")]
    for part in ("Profit  +6.50 USDT", "Today  −2.00 USDT", "Fees  0.001 BNB  3.50 USDT", "Funding  −3.00 USDT"):
        assert part in panel.bar.text


def test_a_profit_whose_price_is_missing_is_not_guessed(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.link.answers[ListPerformance] = found(made("alpha", "10"), made("alpha", None, SPOT))
    panel._polling.begin_anew()
    rig.bridge.flush()
    rig.bridge.flush()
    assert table(panel, "strategies")[0][1] == "–"
    assert "⚠ 1 without a price or rate" in panel.bar.text


def test_days_are_shown_the_newest_first_for_all_and_by_owner(panel: PerformancePanel) -> None:
    assert table(panel, "days") == [
        ["2023-11-15", "All", "+0.25", "+1.00 USDT", "0.001 BNB, 0.25 USDT", "–", "4"],
        ["2023-11-15", "alpha", "+1.50", "+2.00 USDT", "0.001 BNB", "–", "2"],
        ["2023-11-15", "Manual", "−1.25", "−1.00 USDT", "0.25 USDT", "–", "2"],
        ["2023-11-14", "All", "+6.50", "+7.00 USDT", "0.50 USDT", "–", "2"],
        ["2023-11-14", "alpha", "+6.50", "+7.00 USDT", "0.50 USDT", "–", "2"],
    ]


def test_a_day_in_an_asset_without_a_rate_is_not_guessed(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.link.answers[ListHistory] = past((a_day(4, T0, "alpha", "2", XYZ="1"),), (), changes=4)
    panel._past.begin_anew()
    rig.bridge.flush()
    rig.bridge.flush()
    assert table(panel, "days")[1][2] == "–"


def test_costs_and_ledger_round_for_the_eye_and_keep_the_exact_figure(panel: PerformancePanel) -> None:
    assert {(row[0], row[1], row[2]): row[3] for row in table(panel, "costs")} == {
        ("Fee", "main", "BNB"): "−0.001",
        ("Fee", "main", "USDT"): "−140.09",
        ("Deposit", "other", "USDT"): "+9.00",
    }
    hints = [panel.models["costs"].index(line, 3).data(Qt.ItemDataRole.ToolTipRole) for line in range(3)]
    assert "-140.0949867" in hints
    cash = table(panel, "cash")
    assert [(row[2], row[4], row[5]) for row in cash] == [
        ("Deposit", "USDT", "+9.00"), ("Fee", "BTC", "−0.002536"), ("Realised", "USDT", "−1.50"), ("Opening balance", "USDT", "+5,000.00"),
    ]  # fmt: skip


def test_the_history_comes_page_by_page_and_goes_on_where_it_ended(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.link.answers[ListHistory] = past((), (a_line(5, "fee", "USDT", "-1"),), changes=3, line_count=6)
    panel._past.hasten()
    rig.bridge.flush()
    rig.bridge.flush()
    asked = [(one.days, one.lines) for one in rig.link.of(ListHistory)]
    assert asked[:3] == [(0, 0), (3, 4), (3, 5)]  # the third at once, for there is another page
    assert len(table(panel, "cash")) == 5


def test_a_journal_that_cannot_be_read_is_said(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.link.answers[ListHistory] = past((), (), error="record 7 is damaged")
    panel._past.begin_anew()
    rig.bridge.flush()
    rig.bridge.flush()
    assert "record 7 is damaged" in panel.bar.text


def test_only_what_is_new_is_asked_for_and_the_curve_grows(rig: DesktopRig, panel: PerformancePanel) -> None:
    assert panel.curve.count == 3
    rig.link.answers[ListPerformance] = found(points=points(-2.0, 4.0, first=2))
    panel._polling.hasten()
    rig.bridge.flush()
    rig.bridge.flush()
    assert rig.link.of(ListPerformance)[-1].since_ns == T0 + 2 * SECOND
    assert panel.curve.count == 4


def test_the_account_narrows_rows_and_sums(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.desk.choose_account("other")
    rig.bridge.flush()
    assert [row[0] for row in table(panel, "strategies")] == ["Manual"]
    assert "Profit  +1.00 USDT" in panel.bar.text
    assert [row[1] for row in table(panel, "days")] == ["All", "Manual"]
    assert [row[5] for row in table(panel, "cash")] == ["+9.00"]
    assert [row[0] for row in table(panel, "costs")] == ["Deposit"]


def test_another_platform_begins_with_nothing(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.link.answers[ListPerformance] = found()
    rig.link.answers[ListHistory] = past((), (), changes=0, line_count=0)
    rig.desk.open(rig.link, is_live=False)
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.curve.count == 0
    assert not table(panel, "cash")
    assert not table(panel, "days")


def test_the_table_that_is_shown_is_filtered_saved_and_found_again(
    rig: DesktopRig, panel: PerformancePanel, qtbot: QtBot, tmp_path: Path
) -> None:
    table(panel, "strategies")
    qtbot.keyClicks(panel.words, "alpha")
    panel.ask_path = lambda _parent, name: tmp_path / f"{name}.csv"
    panel.save_csv()
    qtbot.waitUntil(lambda: not panel.aside.running)
    with (tmp_path / "performance_strategies.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["Strategy", "alpha"]
    panel.tabs.setCurrentIndex(4)
    state = msgspec.json.decode(msgspec.json.encode(panel.save_state()))
    other = PerformancePanel(rig.desk)
    qtbot.addWidget(other)
    other.restore_state(state)
    other.restore_state({"table": "nonsense"})
    assert other.shown == "cash"
    other.leave()


def test_a_file_that_cannot_be_written_is_said(
    rig: DesktopRig, panel: PerformancePanel, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.ask_path = lambda *_: tmp_path / "nowhere" / "x.csv"
    panel.save_csv()
    qtbot.waitUntil(lambda: not panel.aside.running)
    assert rig.said[-1][0] == "WARNING"


def test_every_word_is_there_in_chinese(rig: DesktopRig, qtbot: QtBot) -> None:
    texts.choose("zh")
    panel = PerformancePanel(rig.desk)
    qtbot.addWidget(panel)
    for place in range(panel.tabs.count()):
        assert not panel.tabs.tabText(place).isascii()
    for columns, _, _ in TABLES.values():
        assert not [column.title for column in columns if texts.tr(column.title).isascii()]
    panel.leave()


def test_the_curve_keeps_a_ring_of_points(qtbot: QtBot) -> None:
    curve = ProfitCurve(Theme())
    qtbot.addWidget(curve)
    curve.add(points(*range(9_000)))
    curve.add(points(*range(5)))  # older ones are known
    assert curve.count == 8_192
    assert curve.last_ns == T0 + 8_999 * SECOND
