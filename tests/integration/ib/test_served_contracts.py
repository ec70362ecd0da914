"""What the served TWS tells about contracts, as unmodified ibapi and ib_async take it, at server versions 157 and 178."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.domain.calendar_presets import CALENDAR_NAMES
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_async_rig import with_ib_async
from tests.support.ib_served_rig import RawIb, ib_port, served_ib, stock_fields
from tests.support.ibapi_rig import connected

START_NS = 1_795_834_800_000_000_000  # 2026-11-28 03:00 UTC, Friday evening in New York


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with served_ib(clock=ManualClock(START_NS), ib=IbSettings(always_open=False)) as running:
        yield running


@pytest.fixture
def client(server: ExchangeServer) -> Iterator[Any]:
    with connected(ib_port(server)) as one:
        yield one


def contract(**fields: object) -> Any:
    from ibapi.contract import Contract

    made = Contract()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def details(client: Any, asked: Any) -> list[Any]:
    """What is told of a contract; the error's code where it is refused."""
    request_id = 100 + len(client.named("contractDetailsEnd"))
    client.reqContractDetails(request_id, asked)
    client.wait_for("contractDetailsEnd", request_id - 99)
    return [told for number, told in client.named("contractDetails") if number == request_id]


def test_a_share(client: Any) -> None:
    (told,) = details(client, contract(symbol="AAPL", secType="STK", exchange="SMART", currency="USD"))
    one = told.contract
    assert (one.symbol, one.secType, one.exchange, one.primaryExchange) == ("AAPL", "STK", "SMART", "NASDAQ")
    assert (one.currency, one.localSymbol, one.tradingClass, one.multiplier) == ("USD", "AAPL", "NMS", "")
    assert (told.minTick, told.timeZoneId, told.stockType) == (0.01, "US/Eastern", "COMMON")
    assert told.validExchanges == "SMART,NASDAQ"
    # What one year's Thanksgiving leaves of the Friday, then a weekend, then usual days.
    assert told.liquidHours.split(";")[:4] == [
        "20261127:0930-20261127:1300", "20261128:CLOSED", "20261129:CLOSED", "20261130:0930-20261130:1600",
    ]  # fmt: skip
    assert told.tradingHours.split(";")[3] == "20261130:0400-20261130:2000"
    again = details(client, contract(conId=one.conId))
    assert [row.contract.symbol for row in again] == ["AAPL"]


def test_a_share_in_hong_kong_has_its_steps_as_a_market_rule(client: Any) -> None:
    (told,) = details(client, contract(symbol="700", secType="STK", exchange="SEHK", currency="HKD"))
    assert (told.contract.localSymbol, told.timeZoneId, told.minTick) == ("700", "Hongkong", 0.001)
    rule = int(told.marketRuleIds.split(",")[0])
    client.reqMarketRule(rule)
    number, rows = client.wait_for("marketRule")
    assert number == rule
    steps = {row.lowEdge: row.increment for row in rows}
    assert (steps[0], steps[200], steps[500]) == (0.001, 0.2, 0.5)


def test_futures_are_ambiguous_until_their_month_is_told(client: Any) -> None:
    found = details(client, contract(symbol="ES", secType="FUT", exchange="CME"))
    assert [one.contract.localSymbol for one in found] == ["ESZ6", "ESH7"]
    assert [one.contractMonth for one in found] == ["202612", "202703"]
    for asked in (
        {"lastTradeDateOrContractMonth": "202703"},
        {"lastTradeDateOrContractMonth": "20270319"},
        {"localSymbol": "ESH7"},
    ):
        (told,) = details(client, contract(symbol="ES", secType="FUT", exchange="CME", **asked))
        assert (told.contract.localSymbol, told.contract.multiplier, told.minTick) == ("ESH7", "50", 0.25)
        assert told.realExpirationDate == "20270319"


def test_a_pair_of_currencies(client: Any) -> None:
    (told,) = details(client, contract(symbol="EUR", secType="CASH", exchange="IDEALPRO", currency="USD"))
    assert (told.contract.localSymbol, told.minTick) == ("EUR.USD", 0.00005)


def test_an_option_knows_its_share(client: Any) -> None:
    (share,) = details(client, contract(symbol="AAPL", secType="STK", exchange="SMART", currency="USD"))
    wanted = contract(
        symbol="AAPL", secType="OPT", exchange="SMART", currency="USD", strike=200.0, right="C",
        lastTradeDateOrContractMonth="20261218",
    )  # fmt: skip
    (told,) = details(client, wanted)
    assert (told.contract.localSymbol, told.contract.strike, told.contract.right) == (
        "AAPL  261218C00200000",
        200.0,
        "C",
    )
    assert (told.contract.multiplier, told.underConId, told.underSecType) == ("100", share.contract.conId, "STK")
    chain = details(client, contract(symbol="AAPL", secType="OPT", exchange="SMART", right="PUT"))
    assert sorted(one.contract.strike for one in chain) == [180, 190, 200, 210, 220]


@pytest.mark.parametrize(
    "fields",
    [
        {"symbol": "NONE", "secType": "STK", "exchange": "SMART", "currency": "USD"},
        {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "HKD"},
        {"symbol": "AAPL", "secType": "STK", "exchange": "CME", "currency": "USD"},
        {"symbol": "EUR", "secType": "CASH", "exchange": "SMART", "currency": "USD"},
        {
            "symbol": "ES",
            "secType": "FUT",
            "exchange": "CME",
            "lastTradeDateOrContractMonth": "202612",
            "multiplier": "5",
        },
        {"conId": 12},
        {"secType": "STK", "exchange": "SMART"},
    ],
)
def test_what_is_not_listed_is_refused_by_200(client: Any, fields: dict[str, object]) -> None:
    client.wait_for("error", 3)
    client.reqContractDetails(9, contract(**fields))
    assert client.wait_for("error", 4)[:2] == (9, 200)


def test_a_kind_of_contract_that_there_is_not_is_refused_by_321(client: Any) -> None:
    client.wait_for("error", 3)
    client.reqContractDetails(9, contract(symbol="AAPL", secType="THING", exchange="SMART"))
    assert client.wait_for("error", 4)[:2] == (9, 321)


def test_expired_contracts_are_found_only_when_they_are_asked_for(server: ExchangeServer) -> None:
    server.clock.move_to(START_NS + 30 * 86_400 * 1_000_000_000)  # type: ignore[attr-defined]
    server.step()
    with connected(ib_port(server)) as client:
        wanted = contract(symbol="ES", secType="FUT", exchange="CME")
        assert [one.contract.localSymbol for one in details(client, wanted)] == ["ESH7"]
        wanted.includeExpired = True
        assert [one.contract.localSymbol for one in details(client, wanted)] == ["ESZ6", "ESH7"]


def test_symbols_that_begin_with_a_pattern(client: Any) -> None:
    client.reqMatchingSymbols(4, "aa")
    (found,) = client.wait_for("symbolSamples")[1]
    assert (found.contract.symbol, found.derivativeSecTypes) == ("AAPL", ["OPT"])
    client.reqMatchingSymbols(5, "zzz")
    assert list(client.wait_for("symbolSamples", 2)[1]) == []


@pytest.mark.parametrize("extra", [("x",), ()])
def test_a_request_of_another_length_is_refused_with_its_id(server: ExchangeServer, extra: tuple[str, ...]) -> None:
    raw = RawIb(ib_port(server))
    raw.start()
    fields = (9, 8, 77, *stock_fields(), 0, "", "", *extra)
    raw.send(*(fields if extra else fields[:-2]))
    assert raw.read()[2:4] == ["77", "321"]
    raw.close()


@pytest.mark.parametrize("version", [157, 178])
def test_ib_async_qualifies_every_kind_of_contract(version: int) -> None:
    import ib_async

    async def work(ib: Any) -> Any:
        asked = (
            ib_async.Stock("AAPL", "SMART", "USD"),
            ib_async.Stock("700", "SEHK", "HKD"),
            ib_async.Forex("EURUSD"),
            ib_async.Future("ES", "20261218", "CME"),
            ib_async.Option("AAPL", "20261218", 200, "C", "SMART"),
        )
        found = await ib.qualifyContractsAsync(*asked)
        details = [await ib.reqContractDetailsAsync(one) for one in found]
        symbols = await ib.reqMatchingSymbolsAsync("EUR")
        rule = await ib.reqMarketRuleAsync(int(details[0][0].marketRuleIds.split(",")[0]))
        return ib.client.serverVersion(), found, [one[0] for one in details], symbols, rule

    with served_ib(clock=ManualClock(START_NS), ib=IbSettings(newest_version=version)) as server:
        spoken, found, details_of, symbols, rule = with_ib_async(ib_port(server), work)
    assert spoken == version
    assert [one.localSymbol for one in found] == ["AAPL", "700", "EUR.USD", "ESZ6", "AAPL  261218C00200000"]
    assert all(one.conId for one in found)
    if version == 178:
        assert [one.minSize for one in details_of] == [1, 100, 1, 1, 1]
    assert [one.contract.symbol for one in symbols] == ["EUR"]
    assert [Decimal(str(row.increment)) for row in rule] == [Decimal("0.0001"), Decimal("0.01")]


def test_the_future_keeps_its_own_hours(client: Any) -> None:
    (told, _) = details(client, contract(symbol="ES", secType="FUT", exchange="CME"))
    assert told.timeZoneId == "US/Central"
    assert "CMES" in CALENDAR_NAMES
    assert told.tradingHours.split(";")[3] == "20261129:1700-20261130:1600"
