"""What an account is worth: balances, what is owned, open profit; what has no price is named and not guessed."""

from decimal import Decimal

import pytest

from foxtrot.app.account_worth import account_worth
from foxtrot.app.desktop_requests import Worth
from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import PositionData
from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.instrument import Instrument
from foxtrot.strategy.line import Line
from tests.support.builders import T0, a_perpetual, a_spot, an_account
from tests.support.line_rig import LineRig

PERP, SPOT = a_perpetual(), a_spot()


@pytest.fixture
def line() -> Line:
    rig = LineRig(PERP, SPOT, connect=False)
    for one in (PERP, SPOT):
        rig.line.instruments.add(one)
    return rig.line


def told(line: Line, **balances: str) -> None:
    line.portfolio.on_account(an_account(balances))


def holds(line: Line, one: Instrument, quantity: float, price: float) -> None:
    data = PositionData("main", one.instrument_id, PositionSide.NET, quantity, price, Decimal(0), Decimal(0), T0, T0)
    line.portfolio.on_positions(PositionsLoaded("main", (data,), T0))


def test_nothing_is_said_before_the_balances_are_known(line: Line) -> None:
    assert account_worth(line, "main") is None


def test_balances_are_valued_and_open_profit_is_added(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    told(line, USDT="1000", BTC="2")
    holds(line, PERP, -1.5, 100.0)
    monkeypatch.setattr(line.view, "mark", {PERP.instrument_id: 90.0}.get)
    monkeypatch.setattr(line.rates, "_pairs", {("BTC", "USDT"): 91})
    assert account_worth(line, "main") == Worth(Decimal(1000) + 2 * 91 + 15)


def test_a_coin_without_a_price_makes_it_a_least_and_is_named(line: Line) -> None:
    told(line, USDT="1000", XYZ="2", NONE="0")
    assert account_worth(line, "main") == Worth(Decimal(1000), ("XYZ",), at_least=True)


def test_a_debt_or_a_derivative_without_a_price_could_be_less(line: Line) -> None:
    told(line, USDT="1000", XYZ="-2")
    assert account_worth(line, "main") == Worth(Decimal(1000), ("XYZ",), at_least=False)
    holds(line, PERP, 1.0, 100.0)
    found = account_worth(line, "main")
    assert found == Worth(Decimal(1000), (PERP.instrument_id, "XYZ"), at_least=False)


def test_a_stock_is_valued_by_its_own_price_and_once(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = a_spot("ACME", "ACME", "USDT", instrument_id="ACME.X", product=Product.STOCK)
    line.instruments.add(stock)
    told(line, USDT="1000")
    holds(line, stock, 10.0, 50.0)
    assert line.portfolio.balances("main")["ACME"] == 10
    monkeypatch.setattr(line.view, "mark", {"ACME.X": 60.0}.get)
    assert account_worth(line, "main") == Worth(Decimal(1600))
    monkeypatch.setattr(line.view, "mark", {}.get)
    assert account_worth(line, "main") == Worth(Decimal(1000), ("ACME.X",), at_least=True)
