"""Instrument search: all that accounts list, details that count down, what an instrument costs by the platform's answer."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from foxtrot.app.desktop_requests import AskInstrument, FeeLine, InstrumentFound
from foxtrot.core.notices import ContractsLoaded
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument, PriceBand
from foxtrot.domain.market import FundingRate
from foxtrot.gui.instrument_facts import countdown
from foxtrot.gui.panels.instruments import MOST, InstrumentsPanel
from tests.support.builders import SECOND, T0, a_perpetual, a_spot, a_tick
from tests.support.desktop_rig import DesktopRig

BTC, SPOT = "BTCUSDT.PERP", "BTCUSDT.SPOT"
FEE = FeeLine("commission", "notional", Decimal("0.0002"), Decimal("0.0005"), Decimal(0), "", True)
Details = Callable[[], dict[str, str]]


@pytest.fixture
def panel(qtbot: QtBot, rig: DesktopRig) -> InstrumentsPanel:
    """A panel over three instruments at the time T0, whose platform answers every question for costs."""
    rig.link.answers[AskInstrument] = lambda asked: InstrumentFound(
        asked.instrument_id, "binance_usdm", "USDT", "2025-01-01", (FEE,), Decimal("0.001"), 0.0
    )
    rig.open(a_perpetual(funding_interval_s=28_800), a_spot(), a_perpetual("ETHUSDT", name="Ether perpetual"))
    made = InstrumentsPanel(rig.desk)
    qtbot.addWidget(made)
    made.now_ns = lambda: T0
    tester = QAbstractItemModelTester(made.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setParent(made.model)
    made.resize(900, 500)
    made.show()
    return made


def ids(panel: InstrumentsPanel) -> list[str]:
    return [row.instrument.instrument_id for row in panel.model.shown()]


def details(panel: InstrumentsPanel) -> dict[str, str]:
    return {line.key: line.value for line in panel.lines()}


def test_all_that_accounts_list_is_found_by_words(qtbot: QtBot, rig: DesktopRig, panel: InstrumentsPanel) -> None:
    assert ids(panel) == [BTC, SPOT, "ETHUSDT.PERP"]
    qtbot.keyClicks(panel.words, "ether perp")
    assert ids(panel) == ["ETHUSDT.PERP"]
    assert panel.count.text() == "1 of 3"
    panel.words.clear()
    rig.hear(ContractsLoaded("other", (a_spot(), a_spot("ETHUSDT", "ETH"))))
    rows = {row.instrument.instrument_id: row.accounts for row in panel.model.shown()}
    assert (rows[SPOT], rows["ETHUSDT.SPOT"]) == ("main, other", "other")


def test_a_long_list_is_cut_and_says_so(rig: DesktopRig, qtbot: QtBot) -> None:
    rig.open(*(a_perpetual(f"S{place:04d}USDT") for place in range(MOST + 20)))
    panel = InstrumentsPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    assert (panel.model.rowCount(), panel.count.text()) == (MOST, f"{MOST} of {MOST + 20}")


def test_a_click_shows_an_instrument_in_the_group_and_asks_what_it_costs(
    qtbot: QtBot, rig: DesktopRig, panel: InstrumentsPanel
) -> None:
    assert not panel.buttons[0].isEnabled()
    where = panel.view.visualRect(panel.model.index(0, 0)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert rig.desk.groups.shown("blue") == BTC
    assert details(panel)["fees"] == "…"
    rig.hear(a_tick())
    got = details(panel)
    assert (got["tick"], got["lot"], got["assets"], got["accounts"]) == ("0.1", "0.001", "BTC / USDT → USDT", "main")
    assert got["fees"] == "commission  0.02 % / 0.05 %"
    assert (got["counted"], got["initial_margin"]) == ("0.1 %", "10 %   (0.01 USDT for the least quantity)")
    assert rig.link.of(AskInstrument) == [AskInstrument(BTC)]
    opened: list[tuple[str, str]] = []
    rig.desk.panel_asked.connect(lambda *asked: opened.append(asked))
    qtbot.mouseClick(panel.buttons[2], Qt.MouseButton.LeftButton)
    assert opened == [("ticket", BTC)]


def test_funding_counts_down(rig: DesktopRig, panel: InstrumentsPanel) -> None:
    rig.desk.groups.show("blue", BTC)
    assert details(panel)["funding"] == "every 8 h"
    rig.hear(FundingRate(BTC, T0, T0, 0.0001, 100.0, T0 + 3_661 * SECOND))
    assert details(panel)["funding"] == "+0.01 %  longs pay shorts"
    assert details(panel)["next_funding"].startswith("01:01:01")
    panel.now_ns = lambda: T0 + SECOND
    assert details(panel)["next_funding"].startswith("01:01:00")
    rig.hear(FundingRate(BTC, T0, T0, -0.0001, 100.0, T0))
    assert (details(panel)["funding"], details(panel)["next_funding"][:4]) == ("-0.01 %  shorts pay longs", "over")


def test_a_future_says_expiry_multiplier_bands_and_when_its_market_opens(
    rig: DesktopRig, panel: InstrumentsPanel
) -> None:
    future = Instrument(
        instrument_id="ES.CME", symbol="ES", venue="CME", product=Product.FUTURE, base_asset="ES", quote_asset="USD", settle_asset="USD",
        price_grid=Grid.of("0.05"), quantity_grid=Grid.of("1"), price_bands=(PriceBand(0, 1), PriceBand(2_000, 5)), multiplier=Decimal(50),
        expiry_ns=T0 + 2 * 86_400 * SECOND, calendar="XNYS", initial_margin_rate=Decimal("0.05"), maintenance_margin_rate=Decimal("0.04"),
        price_limit_rate=Decimal("0.1"), min_notional=Decimal(5),
    )  # fmt: skip
    rig.hear(ContractsLoaded("main", (future,)))
    rig.desk.groups.show("blue", "ES.CME")
    rig.hear(a_tick("ES.CME", 199.0, 201.0))
    got = details(panel)
    assert got["multiplier"] == "50"
    assert got["bands"] == "≥ 0.00: 0.05\n≥ 100.00: 0.25"
    assert got["tick"] == "0.25"
    assert got["expiry"] == "2023-11-17 00:00 UTC   2 d 00:00"
    assert got["session"] == "○ closed (XNYS)"
    assert got["next_open"] == "2023-11-15 09:30 EST   14:30:00"
    assert (got["limit"], got["maintenance_margin"], got["min_notional"]) == ("± 10 %", "4 %", "5 USD")
    panel.now_ns = lambda: T0 + 15 * 3_600 * SECOND
    assert details(panel)["session"] == "● open (XNYS)"
    assert details(panel)["next_close"] == "2023-11-15 16:00 EST   06:00:00"


def test_a_moment_beyond_the_calendar_is_said(rig: DesktopRig, panel: InstrumentsPanel) -> None:
    rig.hear(ContractsLoaded("main", (a_perpetual("OLDUSDT", calendar="XNYS"),)))
    rig.desk.groups.show("blue", "OLDUSDT.PERP")
    panel.now_ns = lambda: T0 * 3
    assert "XNYS knows" in details(panel)["session"]


def test_an_answer_that_comes_late_is_not_shown_for_another_instrument(
    rig: DesktopRig, panel: InstrumentsPanel
) -> None:
    rig.desk.groups.show("blue", BTC)
    rig.link.answers.clear()
    panel.show_instrument(SPOT)
    rig.hear()
    assert details(panel)["fees"] == "…"


def test_time_left_is_told_to_the_second_within_a_day() -> None:
    got = [countdown(seconds * SECOND) for seconds in (-1, 0, 59, 86_399, 90_061)]
    assert got == ["over", "00:00:00", "00:00:59", "23:59:59", "1 d 01:01"]
