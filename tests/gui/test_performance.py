"""Performance: the live curve, profit by strategy, symbol and day, costs, and the cash ledger."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from foxtrot.app.blotter_requests import DayProfit, ListPerformance, PerformanceFound, ProfitPoint, ProfitRow
from foxtrot.app.control_requests import ListTrades, TradeRow, Trades
from foxtrot.core.notices import TradeBooked
from foxtrot.gui import texts
from foxtrot.gui.panels.performance import TABLES, PerformancePanel
from foxtrot.gui.profit_curve import ProfitCurve
from foxtrot.gui.theme import Theme
from tests.support.builders import SECOND, T0, a_charge, a_trade
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
    known: dict[str, object] = {"days": (), "points": (), "charges": (), "charge_count": 0}
    return PerformanceFound("USDT", rows, **(known | fields))


@pytest.fixture
def panel(rig: DesktopRig, qtbot: QtBot) -> Iterator[PerformancePanel]:
    rig.link.answers[ListPerformance] = found(
        made("alpha", "10", USDT="2"),
        made("alpha", "-4.5", SPOT, USDT="0.5", BNB="0.001"),
        made("manual", "1", account="other", USDT="1"),
        days=(
            DayProfit(T0 - DAY, "", Decimal(7)),
            DayProfit(T0, "", Decimal("-0.5")),
            DayProfit(T0, "alpha", Decimal(2)),
        ),
        points=points(0.0, 1.0, -2.0),
        charges=(a_charge("-1.5", "c1"), a_charge("5000", "c2", "deposit", "")),
        charge_count=2,
    )
    trade = TradeRow(T0, "t1", "o1", "alpha", "main", SPOT, "buy", 100.0, 2.0, Decimal("0.001"), "BNB", "taker")
    rig.link.answers[ListTrades] = Trades((trade,))
    rig.open()
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
    for part in ("Profit  +6.50 USDT", "Today  −0.50 USDT", "Fees  0.001 BNB  3.50 USDT", "Funding  −3.00 USDT"):
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
        ["2023-11-15", "All", "−0.50"],
        ["2023-11-15", "alpha", "+2.00"],
        ["2023-11-14", "All", "+7.00"],
    ]


def test_costs_add_fees_funding_and_other_charges_by_asset(panel: PerformancePanel) -> None:
    rows = {(row[0], row[1], row[2]): row[3] for row in table(panel, "costs")}
    assert rows == {
        ("Fee", "main", "BNB"): "−0.001",
        ("Fee", "main", "USDT"): "−2.50",
        ("Fee", "other", "USDT"): "−1.00",
        ("Funding", "main", "USDT"): "−1.50",
        ("Funding", "other", "USDT"): "−1.50",
        ("Deposit", "main", "USDT"): "+5,000.00",
    }


def test_the_ledger_has_each_movement_once_whoever_told_it(rig: DesktopRig, panel: PerformancePanel) -> None:
    bought = [["▲ Bought", "BTC", "+2.00"], ["▲ Bought", "USDT", "−200.00"], ["Fee", "BNB", "−0.001"]]
    charged = [["Funding", "USDT", "−1.50"], ["Deposit", "USDT", "+5,000.00"]]
    assert sorted([row[2], row[4], row[5]] for row in table(panel, "cash")) == sorted(bought + charged)
    rig.hear(
        TradeBooked(
            "alpha", a_trade("o1", "t1", 2.0, 100.0, instrument_id=SPOT, fee=Decimal("0.001"), fee_asset="BNB")
        ),
        TradeBooked("alpha", a_trade("o2", "t2", 1.0, 100.0, fee=Decimal("0.04"))),
        a_charge("-1.5", "c1"),
        a_charge("-0.7", "c3"),
    )
    rows = table(panel, "cash")
    assert len(rows) == 7  # a derivative's fill moves no cash but its fee
    assert len(panel.charges) == 3
    assert ["Fee", "USDT", "−0.04"] in [[row[2], row[4], row[5]] for row in rows]


def test_only_what_is_new_is_asked_for_and_the_curve_grows(rig: DesktopRig, panel: PerformancePanel) -> None:
    assert panel.curve.count == 3
    rig.link.answers[ListPerformance] = found(points=points(-2.0, 4.0, first=2), charge_count=2)
    panel._polling.hasten()
    rig.bridge.flush()
    rig.bridge.flush()
    asked = rig.link.of(ListPerformance)[-1]
    assert (asked.since_ns, asked.charges) == (T0 + 2 * SECOND, 2)
    assert panel.curve.count == 4


def test_the_account_narrows_rows_and_sums(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.desk.choose_account("other")
    rig.bridge.flush()
    assert [row[0] for row in table(panel, "strategies")] == ["Manual"]
    assert "Profit  +1.00 USDT" in panel.bar.text
    assert not table(panel, "cash")


def test_another_platform_begins_with_nothing(rig: DesktopRig, panel: PerformancePanel) -> None:
    rig.link.answers[ListPerformance] = found()
    rig.link.answers[ListTrades] = Trades(())
    rig.desk.open(rig.link, is_live=False)
    rig.bridge.flush()
    rig.bridge.flush()
    assert panel.curve.count == 0
    assert not table(panel, "cash")
    assert not table(panel, "costs")


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
