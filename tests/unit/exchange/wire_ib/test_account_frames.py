"""What accounts have, as TWS tells it: values, summaries, positions, profit; first at once, then as it changes."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import Deposit
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.order_texts import refused
from tests.support.ib_order_rig import (
    ACCOUNT_ID,
    OTHER_ID,
    VENUE_ACCOUNT,
    OrderRig,
    QuoteClient,
    brief,
    place,
    recorded,
)
from tests.support.ib_quote_rig import EURUSD

MARKET = {"orderType": "MKT", "lmtPrice": ""}


def ask(client: QuoteClient, name: str, client_name: str = "ibapi_157") -> list[list[str]]:
    """Send a request as a real client wrote it."""
    return client.ask(*recorded(client_name)[name][0])


def values_of(told: list[list[str]], currency: str = "USD") -> dict[str, str]:
    """Account values by key."""
    return {fields[2]: fields[3] for fields in told if fields[0] == "6" and fields[4] in (currency, "")}


def test_an_account_is_told_whole_and_then_as_it_changes() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = ask(client, "account")
    assert told[-1] == ["54", "1", ACCOUNT_ID]
    assert told[-2] == ["8", "1", "14:00"]
    values = values_of(told)
    assert values["AccountReady"] == "true"
    assert {values[key] for key in ("NetLiquidation", "AvailableFunds", "CashBalance")} == {"1000000.00"}
    assert values["BuyingPower"] == "2000000.00"
    rig.wait(1)
    client.take()
    place(client, 1, **MARKET)
    rig.wait(0.1)
    told = client.take()
    values = values_of(told)
    assert values["CashBalance"] == "979988.99"
    assert values["NetLiquidation"] == "999998.99"
    assert values["InitMarginReq"] == "10005.00"
    assert values["StockMarketValue"] == "20010.00"
    assert "AccountReady" not in values
    (row,) = [fields for fields in told if fields[0] == "7"]
    assert row[3:5] == ["AAPL", "STK"]
    assert row[13:] == ["100", "200.1", "20010.00", "200.110072", "-1.01", "0.00", ACCOUNT_ID]
    client.ask(6, 2, 0, ACCOUNT_ID)
    place(client, 2, **MARKET)
    rig.wait(0.1)
    assert not [fields for fields in client.take() if fields[0] == "6"]


def test_everything_that_has_moved_is_told_every_three_minutes() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, **MARKET)
    ask(client, "account")
    rig.wait(1)
    client.take()
    rig.trade("200.1")
    rig.rest(Side.BUY, "200.1", 1000)
    rig.rest(Side.BUY, "201", 1)
    rig.trade("201")
    rig.wait(10)
    assert not values_of(client.take())
    rig.wait(181)
    assert values_of(client.take())["StockMarketValue"] == "20100.00"


@pytest.mark.parametrize("client_name", ["ibapi_157", "ibapi_178"])
def test_a_summary_has_the_tags_that_were_asked_for(client_name: str) -> None:
    rig = OrderRig(accounts=("main", "second"))
    client = rig.client()
    told = ask(client, "summary", client_name)
    assert told[-1] == ["64", "1", "31"]
    assert {fields[3] for fields in told[:-1]} == {ACCOUNT_ID, OTHER_ID}
    mine = {(fields[4], fields[6]): fields[5] for fields in told[:-1] if fields[3] == ACCOUNT_ID}
    assert mine["NetLiquidation", "USD"] == "1000000.00"
    assert mine["BuyingPower", "USD"] == "2000000.00"
    assert mine["CashBalance", "BASE"] == "1000000.00"
    assert mine["ExchangeRate", "USD"] == "1.0000"
    assert brief(client.ask(62, 1, 32, "All", "AccountType")) == ["message 63", "message 63", "message 64"]
    assert brief(client.ask(62, 1, 33, "All", "AccountType")) == ["33 error 322"]
    ask(client, "end_summary", client_name)
    assert brief(client.ask(62, 1, 33, "All", "NoSuchTag")) == ["33 error 321"]
    assert brief(client.ask(62, 1, 33, "Friends", "AccountType")) == ["33 error 321"]
    assert brief(client.ask(62, 1, 33, "All", "$LEDGER"))[-1] == "message 64"


def test_positions_are_told_and_their_changes_until_flat() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, **MARKET)
    told = ask(client, "positions")
    assert [fields[0] for fields in told] == ["61", "62"]
    assert told[0][2:5] == [ACCOUNT_ID, told[0][3], "AAPL"]
    assert told[0][14:] == ["100", "200.110072"]
    rig.wait(0.1)
    client.take()
    place(client, 2, action="SELL", **MARKET)
    rig.wait(0.1)
    (row,) = client.take(61)
    assert row[14:] == ["0", "0"]
    assert ask(client, "positions") == [["62", "1"]]
    ask(client, "end_positions")
    place(client, 3, **MARKET)
    rig.wait(0.1)
    assert client.take(61) == []


def test_the_values_of_a_request_of_its_own() -> None:
    rig = OrderRig(accounts=("main", "second"))
    client = rig.client()
    told = ask(client, "multi")
    assert told[-1] == ["74", "1", "32"]
    assert {fields[3] for fields in told[:-1]} == {ACCOUNT_ID}
    assert {"NetLiquidation", "CashBalance"} <= {fields[5] for fields in told[:-1]}
    told = client.ask(76, 1, 34, "", "", 1)
    assert {fields[3] for fields in told[:-1]} == {ACCOUNT_ID, OTHER_ID}
    assert brief(client.ask(76, 1, 35, "DU9", "", 1)) == ["35 error 321"]
    assert brief(client.ask(6, 2, 1, "")) == ["-1 error 435"]
    rig.wait(0.1)
    client.take()
    rig.execute(Deposit(rig.now_ns, VENUE_ACCOUNT, "USD", Decimal(5)))
    rig.wait(0.1)
    assert {fields[2] for fields in client.take(73)} == {"32", "34"}
    ask(client, "end_multi")
    rig.execute(Deposit(rig.now_ns, VENUE_ACCOUNT, "USD", Decimal(5)))
    rig.wait(0.1)
    assert {fields[2] for fields in client.take(73)} == {"34"}


def test_profit_of_the_day_leaves_transfers_out() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    rig.wait(1)
    assert ask(client, "pnl") == [["94", "33", "0", "0", "0"]]
    rig.execute(Deposit(rig.now_ns, VENUE_ACCOUNT, "USD", Decimal(1_000)))
    rig.wait(1.5)
    assert client.take(94) == []
    place(client, 1, **MARKET)
    place(client, 2, action="SELL", totalQuantity="50", **MARKET)
    rig.wait(1.5)
    (told,) = client.take(94)
    daily, unrealised, realised = (float(text) for text in told[2:])
    (buy, sell) = rig.venue.fills(VENUE_ACCOUNT)
    assert realised == pytest.approx(50 * -0.1 - float(buy.fee) / 2 - float(sell.fee))
    assert daily == pytest.approx(unrealised + realised)
    rig.wait(1.5)
    assert client.take(94) == []
    rig.wait(86_400)
    assert float(client.take(94)[-1][2]) == 0
    ask(client, "end_pnl")
    place(client, 3, **MARKET)
    rig.wait(1.5)
    assert client.take(94) == []


def test_money_of_other_currencies_is_told_by_itself_and_in_dollars() -> None:
    rig = OrderRig()
    rig.execute(Deposit(rig.now_ns, VENUE_ACCOUNT, "EUR", Decimal(1_000)))
    rig.execute(Deposit(rig.now_ns, VENUE_ACCOUNT, "HKD", Decimal(7_800)))
    rig.trade("1.1", 1, name=EURUSD)
    told = ask(rig.client(), "account")
    assert values_of(told, "EUR")["CashBalance"] == "1000.00"
    assert values_of(told, "EUR")["ExchangeRate"] == "1.1000"
    assert values_of(told, "HKD")["CashBalance"] == "7800.00"
    assert values_of(told, "BASE")["CashBalance"] == "1002100.00"
    assert values_of(told)["NetLiquidation"] == "1002100.00"


def test_a_short_position_needs_margin_and_is_told_negative() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, action="SELL", **MARKET)
    told = ask(client, "positions")
    assert told[0][14] == "-100"
    (fill,) = rig.venue.fills(VENUE_ACCOUNT)
    assert float(told[0][15]) == pytest.approx(200 - float(fill.fee) / 100)
    values = values_of(ask(client, "account"))
    assert values["StockMarketValue"] == "-20000.00"
    assert values["MaintMarginReq"] == "6000.00"


def test_a_future_is_margined_and_an_option_is_paid_for() -> None:
    rig = OrderRig()
    client = rig.client()
    contracts = {one.sec_type: one for one in rig.side.contracts.all() if one.sec_type in ("FUT", "OPT")}
    future, option = contracts["FUT"], contracts["OPT"]
    for order_id, (contract, price) in enumerate(((future, "6000"), (option, "5")), start=1):
        rig.rest(Side.SELL, price, 2, name=contract.instrument_id)
        more = {"conId": contract.con_id, "symbol": "", "secType": "", "exchange": "", "currency": ""}
        told = place(client, order_id, totalQuantity=2, **more, **MARKET)
        assert brief(told)[6] == f"{order_id} Filled 2/0", told
    values = values_of(ask(client, "account"))
    fees = sum(float(fill.fee) for fill in rig.venue.fills(VENUE_ACCOUNT))
    assert float(values["NetLiquidation"]) == pytest.approx(1_000_000 - fees, abs=0.01)
    assert float(values["CashBalance"]) == pytest.approx(1_000_000 - fees - 2 * 100 * 5, abs=0.01)
    initial, _ = rig.venue.margin_rates(future.instrument_id)
    assert float(values["InitMarginReq"]) == pytest.approx(2 * 50 * 6000 * float(initial), abs=0.01)
    assert values["OptionMarketValue"] == "1000.00"


def test_the_margin_of_a_future_is_refused_beyond_what_there_is() -> None:
    rig = OrderRig()
    (future, *_) = [one for one in rig.side.contracts.all() if one.sec_type == "FUT"]
    rig.rest(Side.SELL, "6000", 1, name=future.instrument_id)
    more = {"conId": future.con_id, "symbol": "", "secType": "", "exchange": "", "currency": "", "lmtPrice": "6000"}
    assert brief(place(rig.client(), 1, **{**more, "totalQuantity": 5000})) == [
        "1 error 201",
        "1 open",
        "1 Inactive 0/5000",
    ]


def test_a_request_with_a_field_too_few_is_refused() -> None:
    rig = OrderRig()
    client = rig.client()
    for message_id in (6, 62, 76, 92, 7, 3, 4):
        assert brief(client.ask(message_id, 1))[0].endswith("error 321"), message_id
    assert refused(3, "account", account="x").request_id == 3
    assert FieldReader([]).left == 0
