"""Money in the top bar: equity of the chosen account, what of it is not known, the day, margin, in whatever room there is."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from foxtrot.app.desktop_requests import OverviewFound, Worth
from foxtrot.gui import texts
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.money_line import MoneyLine, clock_text, figures_of
from foxtrot.gui.panels import ALL
from foxtrot.gui.theme import Theme
from tests.gui.test_window import an_overview
from tests.support.builders import T0, an_account
from tests.support.desktop_rig import ACCOUNT, DesktopRig

BIG = Decimal("27123456.78")


def two(worth: Worth | None = None) -> OverviewFound:
    """Two accounts, the second of which has margin."""
    found = an_overview()
    margin = an_account({"USDT": "1"}, "other", margin_used=Decimal(60), margin_available=Decimal(40))
    other = replace(
        found.accounts[0], account="other", worth=worth or Worth(Decimal(70)), day_profit=Decimal(3), balances=margin
    )
    return replace(found, accounts=(found.accounts[0], other), day_profit=Decimal(1), day_since_ns=T0)


def test_the_chosen_account_is_what_is_told() -> None:
    everything, one, other = (figures_of(two(), account) for account in ("", ACCOUNT, "other"))
    assert (everything.equity, everything.day, everything.margin) == (Decimal(5070), Decimal(1), 0.6)
    assert (one.equity, one.day, one.margin) == (Decimal(5000), Decimal(-2), None)
    assert (other.equity, other.day, other.margin) == (Decimal(70), Decimal(3), 0.6)


@pytest.mark.parametrize(("at_least", "sign"), [(True, "≥ "), (False, "≈ ")])
def test_an_equity_of_which_a_part_is_not_known_says_so(at_least: bool, sign: str, qtbot: QtBot) -> None:
    line = MoneyLine(Theme())
    qtbot.addWidget(line)
    line.show_figures(figures_of(two(Worth(Decimal(70), ("XYZ",), at_least=at_least)), ""))
    assert f"{sign}5,070.00 USDT" in line.text()
    assert "XYZ" in line.toolTip()
    line.show_figures(figures_of(two(), ""))
    assert "≥" not in line.text()


def test_balances_that_are_not_told_yet_are_no_zero(qtbot: QtBot) -> None:
    found = two()
    silent = replace(found, accounts=(replace(found.accounts[0], worth=None),))
    line = MoneyLine(Theme())
    qtbot.addWidget(line)
    line.show_figures(figures_of(silent, ""))
    assert "Equity  – USDT" in line.text()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_less_room_says_less_and_no_first_digit_is_lost(language: str, scale: float, qtbot: QtBot) -> None:
    texts.choose(language)
    line = MoneyLine(Theme(scale=scale))
    qtbot.addWidget(line)
    line.show_figures(figures_of(two(Worth(BIG - 5000)), ""))
    line.resize(line.sizeHint())
    assert line.shown() == line.text()
    said = []
    for width in range(line.sizeHint().width(), line.minimumSizeHint().width() - 1, -5):
        line.resize(width, 24)
        assert "27,123,456.78" in line.shown()
        said.append(line.shown())
    assert said[-1] == "27,123,456.78"
    assert [len(text) for text in said] == sorted((len(text) for text in said), reverse=True)


def test_choosing_an_account_in_the_bar_changes_the_money(rig: DesktopRig, qtbot: QtBot) -> None:
    window = MainWindow(rig.desk, rig.actions, ALL, rig.files)
    qtbot.addWidget(window)
    rig.open()
    rig.hear(an_account({"USDT": "1"}, "other"))
    rig.desk.take_overview(two())
    window.bar.show_overview(two())
    assert "5,070.00" in window.bar.money.text()
    box = window.bar.accounts
    box.setCurrentIndex(box.findData("other"))
    box.activated.emit(box.currentIndex())
    assert window.bar.money.text() == "Equity  70.00 USDT  Day  +3.00  Margin  60%"
    rig.desk.choose_account("")  # wherever it was chosen, the box says so
    assert (box.currentData(), "5,070.00" in window.bar.money.text()) == ("", True)


def test_the_clock_is_utc_and_the_machines_own_where_that_differs() -> None:
    utc = datetime(2026, 11, 28, 1, 2, 3, tzinfo=UTC)
    assert clock_text(utc, utc) == "01:02:03 UTC"
    assert clock_text(utc, utc.astimezone(timezone(timedelta(hours=8)))) == "01:02:03 UTC  09:02 here"
