"""Contracts of IB: which are asked for, and which instruments they are."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.ib.contract_codec import instrument_of, rule_of, size_multiplier, steps_of
from foxtrot.adapter.ib.contract_wish import ContractWish, id_of, wishes_of
from foxtrot.adapter.ib.trading_hours import hours_of
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import BadMessage, ConfigError
from foxtrot.domain.instrument import Grid, PriceBand
from foxtrot.exchange.listings import listing

TODAY = date(2026, 11, 28)


def details(**changes: Any) -> Any:
    """Contract details as ibapi 9.81 gives them, of AAPL unless another is said."""
    contract = {
        "conId": 265598, "symbol": "AAPL", "secType": "STK", "lastTradeDateOrContractMonth": "", "strike": 0.0, "right": "",
        "multiplier": "", "exchange": "SMART", "primaryExchange": "NASDAQ", "currency": "USD", "localSymbol": "AAPL",
        "tradingClass": "NMS",
    }  # fmt: skip
    found = {
        "minTick": 0.01, "priceMagnifier": 1, "validExchanges": "SMART,NASDAQ,NYSE", "marketRuleIds": "26,27,28", "longName": "APPLE INC",
        "timeZoneId": "US/Eastern", "tradingHours": "20261130:0400-20261130:2000;20261201:CLOSED",
        "liquidHours": "20261130:0930-20261130:1600;20261201:CLOSED", "realExpirationDate": "", "lastTradeTime": "",
        "mdSizeMultiplier": 1, "underSymbol": "", "underConId": 0,
    }  # fmt: skip
    contract |= {name: value for name, value in changes.items() if name in contract}
    found |= {name: value for name, value in changes.items() if name in found}
    return SimpleNamespace(contract=SimpleNamespace(**contract), **found)


ES = {
    "conId": 1, "symbol": "ES", "secType": "FUT", "lastTradeDateOrContractMonth": "20261218", "multiplier": "50", "exchange": "CME",
    "primaryExchange": "", "localSymbol": "ESZ6", "tradingClass": "ES", "minTick": 0.25, "timeZoneId": "US/Central",
    "validExchanges": "CME", "marketRuleIds": "67",
}  # fmt: skip
EUR = {
    "symbol": "EUR", "secType": "CASH", "exchange": "IDEALPRO", "primaryExchange": "", "localSymbol": "EUR.USD", "tradingClass": "EUR.USD",
    "minTick": 0.00005, "validExchanges": "IDEALPRO", "marketRuleIds": "239",
}  # fmt: skip
CALL = {
    "secType": "OPT", "lastTradeDateOrContractMonth": "20261218", "strike": 200.0, "right": "C", "multiplier": "100",
    "primaryExchange": "", "localSymbol": "AAPL  261218C00200000", "tradingClass": "AAPL", "underSymbol": "AAPL",
}  # fmt: skip


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument_id", "wish"),
    [
        ("AAPL.NASDAQ", ContractWish("STK", "AAPL", "SMART", "NASDAQ", "USD")),
        ("BRK.B.NYSE", ContractWish("STK", "BRK B", "SMART", "NYSE", "USD")),
        ("00700.SEHK", ContractWish("STK", "700", "SEHK", "", "HKD")),
        ("EURUSD.IDEALPRO", ContractWish("CASH", "EUR", "IDEALPRO", "", "USD")),
        ("ESZ6.CME", ContractWish("FUT", "", "CME", "", "USD", "ESZ6")),
        ("SAP.IBIS", ContractWish("STK", "SAP", "SMART", "IBIS")),
        (
            "AAPL261218C00200000.OPRA",
            ContractWish("OPT", "AAPL", "SMART", "", "USD", "AAPL  261218C00200000", "20261218", 200.0, "C"),
        ),
    ],
)
def test_each_kind_of_id_is_asked_for_as_ib_names_it(instrument_id: str, wish: ContractWish) -> None:
    assert wishes_of(instrument_id, TODAY)[0] == wish


@pytest.mark.parametrize(
    ("instrument_id", "month"),
    [("ESZ6.CME", "202612"), ("ESH7.CME", "202703"), ("ZNZ5.CBOT", "202512"), ("CLF30.NYMEX", "203001")],
)
def test_a_future_that_is_not_known_by_name_is_asked_for_by_root_and_month(instrument_id: str, month: str) -> None:
    second = wishes_of(instrument_id, TODAY)[1]
    assert (second.symbol, second.expiry, second.local_symbol) == (instrument_id[:2], month, "")


@pytest.mark.parametrize("instrument_id", ["AAPL", ".NASDAQ", "AAPL.", "EUR.IDEALPRO", "AAPL2026.OPRA"])
def test_an_id_that_is_none_of_its_venue_is_refused_with_how_it_is_written(instrument_id: str) -> None:
    with pytest.raises(ConfigError, match=r"such as|write it as"):
        wishes_of(instrument_id, TODAY)


@pytest.mark.parametrize(
    ("changes", "instrument_id"),
    [
        ({}, "AAPL.NASDAQ"),
        ({"primaryExchange": "ISLAND"}, "AAPL.NASDAQ"),
        ({"symbol": "BRK B", "primaryExchange": "NYSE"}, "BRK.B.NYSE"),
        ({"symbol": "700", "exchange": "SEHK", "primaryExchange": "SEHK", "currency": "HKD"}, "00700.SEHK"),
        (ES, "ESZ6.CME"),
        (ES | {"exchange": "GLOBEX"}, "ESZ6.CME"),
        (ES | {"localSymbol": "ZN   DEC 26", "tradingClass": "ZN", "exchange": "CBOT"}, "ZNZ6.CBOT"),
        (EUR, "EURUSD.IDEALPRO"),
        (CALL, "AAPL261218C00200000.OPRA"),
    ],
)
def test_each_contract_has_one_id(changes: dict[str, Any], instrument_id: str) -> None:
    assert id_of(details(**changes).contract) == instrument_id


def test_a_kind_that_is_not_traded_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="BOND"):
        id_of(details(secType="BOND").contract)


# --- which instrument it is ------------------------------------------------------------------------------------------


def test_a_share_counts_in_the_same_units_as_by_any_other_venues_interface() -> None:
    ours, same = instrument_of(details()), listing("AAPL.NASDAQ")
    assert (ours.instrument_id, ours.product, ours.calendar) == ("AAPL.NASDAQ", Product.STOCK, "XNYS")
    assert (ours.price_grid, ours.quantity_grid) == (same.price_grid, same.quantity_grid)
    assert ours.price_bands == (PriceBand(0, 100),)


def test_price_steps_are_those_of_the_market_rule() -> None:
    rows = [SimpleNamespace(lowEdge=0.0, increment=0.0001), SimpleNamespace(lowEdge=1.0, increment=0.01)]
    found = instrument_of(details(), steps_of(rows))
    assert found.price_bands == listing("AAPL.NASDAQ").price_bands


def test_steps_that_are_finer_than_the_unit_of_shares_are_coarsened_to_it() -> None:
    rows = [SimpleNamespace(lowEdge=0.0, increment=0.00001), SimpleNamespace(lowEdge=1.0, increment=0.01)]
    assert instrument_of(details(), steps_of(rows)).price_bands == (PriceBand(0, 1), PriceBand(10_000, 100))


def test_a_future_has_multiplier_expiry_and_the_calendar_of_globex() -> None:
    found = instrument_of(details(**ES))
    assert (found.instrument_id, found.product, found.base_asset, found.multiplier) == (
        "ESZ6.CME", Product.FUTURE, "ES", Decimal(50),
    )  # fmt: skip
    assert found.price_grid == Grid.of("0.25")
    assert found.calendar == "CMES"
    last = datetime(2026, 12, 18, 8, 30, tzinfo=ZoneInfo("America/Chicago"))
    assert found.expiry_ns == int(last.timestamp()) * 10**9


def test_the_time_of_the_last_trade_is_ibs_where_it_tells_one() -> None:
    found = instrument_of(details(**ES, lastTradeTime="15:00"))
    assert datetime.fromtimestamp(found.expiry_ns / 1e9, UTC).hour == 21


def test_a_price_magnifier_makes_the_multiplier_smaller() -> None:
    corn = ES | {"symbol": "ZC", "localSymbol": "ZCZ6", "exchange": "CBOT", "multiplier": "5000", "priceMagnifier": 100}
    assert instrument_of(details(**corn)).multiplier == Decimal(50)


def test_a_pair_is_forex_in_its_own_steps() -> None:
    found = instrument_of(details(**EUR))
    assert (found.product, found.base_asset, found.quote_asset, found.calendar) == (Product.FOREX, "EUR", "USD", "FX")
    assert (found.price_grid, found.quantity_grid, found.min_quantity_units) == (Grid.of("0.00005"), Grid.of(1), 1)


def test_an_option_has_strike_right_and_expiry() -> None:
    found = instrument_of(details(**CALL))
    assert (found.product, found.strike, found.right, found.multiplier) == (
        Product.OPTION, Decimal(200), "call", Decimal(100),
    )  # fmt: skip
    assert datetime.fromtimestamp(found.expiry_ns / 1e9, UTC).date() == date(2026, 12, 18)


@pytest.mark.parametrize("changes", [{"minTick": 0.0}, {"minTick": -1.0}, {"multiplier": "many"}, {"multiplier": "0"}])
def test_details_without_steps_or_with_numbers_that_are_none_are_bad_messages(changes: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        instrument_of(details(**changes))


def test_the_market_rule_is_that_of_the_exchange_or_else_the_first() -> None:
    assert rule_of(details(), "NASDAQ") == 27
    assert rule_of(details(), "BATS") == 26
    assert rule_of(details(marketRuleIds=""), "SMART") == 0


def test_sizes_are_counted_in_lots_where_ib_says_so() -> None:
    assert size_multiplier(details(mdSizeMultiplier=100)) == 100.0
    assert size_multiplier(SimpleNamespace()) == 1.0


# --- when it trades --------------------------------------------------------------------------------------------------


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-30 09:29:59", False), ("2026-11-30 09:30:00", True), ("2026-11-30 16:00:00", False),
        ("2026-12-01 12:00:00", False), ("2026-12-03 12:00:00", None), ("2026-11-29 12:00:00", None),
    ],
)  # fmt: skip
def test_ibs_hours_tell_when_it_trades_as_far_as_they_reach(moment: str, is_open: bool | None) -> None:
    assert hours_of(details()).is_open(at(moment)) is is_open


def test_all_hours_and_the_older_way_to_write_them_are_read_too() -> None:
    assert hours_of(details(), liquid=False).is_open(at("2026-11-30 05:00:00"))
    older = hours_of(details(liquidHours="20261130:0930-1200,1300-1600"))
    assert [older.is_open(at(f"2026-11-30 {hour}:00:00")) for hour in (11, 12, 13)] == [True, False, True]
    assert older.next_open_ns(at("2026-11-30 12:30:00")) == at("2026-11-30 13:00:00")


def test_hours_that_cannot_be_read_tell_nothing() -> None:
    assert hours_of(details(liquidHours="20261130:late-1600")).is_open(at("2026-11-30 12:00:00")) is None
