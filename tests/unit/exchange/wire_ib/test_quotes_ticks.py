"""Streaming ticks, snapshots, generic ticks, and the kinds of market data."""

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import SetTradingState, TradingState
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_rig import (
    AAPL,
    APPLE,
    EURO,
    EURUSD,
    QuoteClient,
    QuoteRig,
    error_of,
    new_york,
    prices_of,
    sizes_of,
    texts_of,
)


def market_data(
    client: QuoteClient, request_id: int = 5, contract: tuple[object, ...] = APPLE, generic: str = "", snapshot: int = 0
) -> list[list[str]]:
    return client.ask(1, 11, request_id, *contract, 0, generic, snapshot, 0, "")


def a_market(rig: QuoteRig) -> None:
    rig.trade("200.05", 3)
    rig.rest(Side.BUY, "200", 7)
    rig.rest(Side.SELL, "200.1", 9)


def test_a_subscription_begins_with_what_there_is() -> None:
    rig = QuoteRig()
    a_market(rig)
    told = market_data(rig.client())
    assert told[:2] == [["81", "5", "0.01", "9c0001", "3"], ["58", "1", "5", "1"]]
    assert prices_of(told) == {1: 200.0, 2: 200.1, 4: 200.05, 6: 200.05, 7: 200.05, 9: 200.0, 14: 200.05}
    assert ["1", "6", "5", "1", "200.0", "7", "0"] in told
    assert sizes_of(told) == {8: 3}
    assert texts_of(told) == {45: str(rig.now_ns // 10**9), 49: "0.0"}


def test_only_what_changes_is_told_and_a_size_alone() -> None:
    rig = QuoteRig()
    a_market(rig)
    client = rig.client()
    market_data(client)
    rig.rest(Side.BUY, "200", 5)
    assert client.take() == [["2", "6", "5", "0", "12"]]
    rig.rest(Side.BUY, "200.02", 4)
    assert client.take() == [["1", "6", "5", "1", "200.02", "4", "0"]]
    rig.rest(Side.BUY, "199", 4)
    assert client.take() == []


def test_a_trade_tells_last_volume_and_time() -> None:
    rig = QuoteRig()
    a_market(rig)
    client = rig.client()
    market_data(client)
    rig.wait(2)
    client.take()
    rig.rest(Side.BUY, "200.1", 2, account="bob")
    told = client.take()
    assert ["1", "6", "5", "4", "200.1", "2", "0"] in told
    assert prices_of(told)[6] == 200.1
    assert sizes_of(told) == {8: 5, 3: 7}
    assert texts_of(told) == {45: str(rig.now_ns // 10**9)}


def test_a_side_without_orders_says_minus_one() -> None:
    rig = QuoteRig()
    order_id = rig.rest(Side.BUY, "200", 7)
    client = rig.client()
    assert ["1", "6", "5", "2", "-1.0", "0", "0"] in market_data(client)
    rig.cancel(order_id)
    assert client.take() == [["1", "6", "5", "1", "-1.0", "0", "0"]]


def test_a_snapshot_ends_and_tells_no_more() -> None:
    rig = QuoteRig()
    a_market(rig)
    client = rig.client()
    told = market_data(client, snapshot=1)
    assert told[-1] == ["57", "1", "5"]
    assert prices_of(told)[1] == 200.0
    rig.rest(Side.BUY, "200.02", 4)
    rig.wait(2)
    assert client.take() == []


def test_generic_ticks_that_are_asked_for() -> None:
    rig = QuoteRig()
    rig.trade("200", 1)
    rig.trade("200.5", 3)
    told = market_data(rig.client(), generic="233,236,221,293,294,295,318,375")
    volume = f"200.5;3;{rig.now_ns // 10**6};4;200.375;true"
    assert texts_of(told) == {
        45: str(rig.now_ns // 10**9), 46: "3.0", 48: volume, 77: volume, 49: "0.0", 54: "2.0", 55: "2.0", 56: "4.0",
    }  # fmt: skip
    assert prices_of(told)[37] == prices_of(told)[57] == 200.5
    assert sizes_of(told)[89] == 1_000_000


@pytest.mark.parametrize("text", ["100", "233,999", "abc", "-1"])
def test_a_generic_tick_that_is_not_known_is_refused_by_name(text: str) -> None:
    told = market_data(QuoteRig().client(), generic=text)
    assert error_of(told) == (5, 321)
    assert f"Incorrect generic tick list of {text}.  Legal ones for (STK) are: 221(Mark Price)" in told[0][4]


def test_what_a_request_may_not_ask_together() -> None:
    client = QuoteRig().client()
    assert error_of(market_data(client, generic="233", snapshot=1)) == (5, 321)
    assert error_of(client.ask(1, 11, 5, *APPLE, 0, "", 0, 1, "")) == (5, 321)
    assert error_of(market_data(client, contract=(0, "AAPL", "BAG", *APPLE[3:]))) == (5, 321)
    assert error_of(market_data(client, contract=(0, "NONE", *APPLE[2:]))) == (5, 200)
    assert error_of(market_data(client, contract=(0, "ES", "FUT", "", "0.0", "", "", "CME", "", "USD", "", ""))) == (
        5,
        200,
    )
    assert error_of(client.ask(1, 11, 5, *APPLE, 0, "")) == (5, 321)
    assert error_of(client.ask(1, 11, 5, *APPLE, 0, "", 0, 0, "", "more")) == (5, 321)


def test_an_id_is_used_once_and_cancelled_once() -> None:
    rig = QuoteRig()
    client = rig.client()
    market_data(client)
    assert error_of(market_data(client)) == (5, 322)
    assert client.ask(2, 2, 5) == []
    assert error_of(client.ask(2, 2, 5)) == (5, 300)
    rig.rest(Side.BUY, "200")
    assert client.take() == []
    market_data(client)


def test_currencies_have_bid_and_ask_and_no_trades() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "1.1", 20_000, name=EURUSD)
    rig.rest(Side.SELL, "1.1002", 30_000, name=EURUSD)
    rig.trade("1.1001", 25_000, name=EURUSD)
    told = market_data(rig.client(), contract=EURO)
    assert ["1", "6", "5", "1", "1.1", "20000", "0"] in told
    assert not {4, 8, 45} & {int(fields[3]) for fields in told if fields[0] in ("1", "2", "46")}
    assert prices_of(told)[9] == 1.1


def test_without_a_subscription_only_delayed_data_are_told_and_only_if_they_may_be() -> None:
    rig = QuoteRig(settings=IbSettings(has_quotes=False, delay_s=0))
    a_market(rig)
    client = rig.client()
    assert error_of(market_data(client)) == (5, 10168)
    client.ask(59, 1, 2)
    assert error_of(market_data(client)) == (5, 354)
    client.ask(59, 1, 3)
    told = market_data(client)
    assert error_of(told) == (5, 10167)
    assert ["58", "1", "5", "3"] in told
    assert prices_of(told) == {66: 200.0, 67: 200.1, 68: 200.05, 72: 200.05, 73: 200.05, 75: 200.0, 76: 200.05}
    assert sizes_of(told) == {74: 3}


def test_delayed_data_are_as_old_as_the_settings_say() -> None:
    rig = QuoteRig(settings=IbSettings(has_quotes=False, delay_s=900))
    a_market(rig)
    client = rig.client()
    client.ask(59, 1, 3)
    rig.wait(1_000)
    rig.rest(Side.BUY, "200.04", 4)
    rig.wait(1)
    assert prices_of(market_data(client))[66] == 200.0
    rig.wait(600)
    assert client.take() == []
    rig.wait(301)
    assert client.take() == [["1", "6", "5", "66", "200.04", "4", "0"]]


def test_delayed_trades_are_as_old() -> None:
    rig = QuoteRig(settings=IbSettings(has_quotes=False, delay_s=900))
    rig.trade("200", 3)
    rig.wait(1_000)
    rig.trade("201", 4)
    client = rig.client()
    client.ask(59, 1, 3)
    told = market_data(client)
    assert prices_of(told)[68] == prices_of(told)[72] == 200.0
    assert sizes_of(told)[74] == 3
    rig.wait(961)
    told = client.take()
    assert prices_of(told)[68] == prices_of(told)[72] == 201.0
    assert sizes_of(told)[74] == 7


def test_the_close_is_that_of_the_day_before() -> None:
    rig = QuoteRig(settings=IbSettings(always_open=False))
    rig.trade("203", 3)
    client = rig.client()
    assert prices_of(market_data(client))[9] == 200.0
    rig.move_to(new_york("2026-03-11 09:31:00"))
    rig.trade("204", 2)
    told = client.take()
    assert {n: prices_of(told)[n] for n in (9, 6, 7, 14)} == {9: 203.0, 6: 204.0, 7: 204.0, 14: 204.0}
    assert sizes_of(told)[8] == 2


def test_a_kind_of_data_that_there_is_not_is_refused() -> None:
    assert error_of(QuoteRig().client().ask(59, 1, 5)) == (-1, 321)


def test_a_closed_market_has_no_quotes_but_frozen_ones() -> None:
    rig = QuoteRig(settings=IbSettings(always_open=False))
    a_market(rig)
    live, frozen = rig.client(), rig.client()
    frozen.ask(59, 1, 2)
    market_data(live)
    assert ["58", "1", "5", "1"] in market_data(frozen)
    rig.move_to(new_york("2026-03-10 16:00:01"))
    assert live.take() == [["1", "6", "5", "1", "-1.0", "0", "0"], ["1", "6", "5", "2", "-1.0", "0", "0"]]
    assert frozen.take() == [["58", "1", "5", "2"]]
    client = rig.client()
    prices = prices_of(market_data(client))
    assert {n: prices[n] for n in (1, 2, 4)} == {1: -1.0, 2: -1.0, 4: 200.05}
    client.ask(59, 1, 4)
    told = market_data(client, 6)
    assert ["58", "1", "6", "2"] in told
    assert prices_of(told)[1] == 200.0


def test_a_year_that_the_calendar_does_not_know_is_a_closed_one() -> None:
    rig = QuoteRig(new_york("2099-03-10 10:00:00"), IbSettings(always_open=False))
    rig.rest(Side.BUY, "200", 7)
    client = rig.client()
    assert prices_of(market_data(client))[1] == -1.0
    rig.wait(2)
    client.ask(59, 1, 2)
    assert ["58", "1", "6", "2"] in market_data(client, 6)


def test_halted_and_trading_again_are_ticks() -> None:
    rig = QuoteRig()
    client = rig.client()
    market_data(client)
    rig.execute(SetTradingState(rig.now_ns, AAPL, TradingState.HALTED))
    assert client.take() == [["45", "6", "5", "49", "1.0"]]
    rig.execute(SetTradingState(rig.now_ns, AAPL, TradingState.TRADING))
    assert client.take() == [["45", "6", "5", "49", "0.0"]]


def test_nothing_is_told_while_the_link_is_lost_and_what_was_missed_comes_after_it() -> None:
    rig = QuoteRig()
    a_market(rig)
    client = rig.client()
    market_data(client)
    rig.gateway.connectivity.set_upstream(is_up=False)
    client.take()
    rig.rest(Side.BUY, "200.03", 4)
    rig.wait(2)
    assert market_data(client, 6) == []
    rig.gateway.connectivity.set_upstream(is_up=True, code=1102)
    client.take()
    rig.wait(2)
    told = client.take()
    assert ["1", "6", "5", "1", "200.03", "4", "0"] in told
    assert ["1", "6", "6", "1", "200.03", "4", "0"] in told


def test_after_1101_every_subscription_is_gone() -> None:
    rig = QuoteRig()
    client = rig.client()
    market_data(client)
    client.ask(10, 5, 6, *APPLE, 5, 1, "")
    client.ask(97, 7, *APPLE, "BidAsk", 0, 0)
    client.ask(50, 3, 8, *APPLE, 5, "BID", 0, "")
    rig.gateway.connectivity.set_upstream(is_up=False)
    rig.gateway.connectivity.set_upstream(is_up=True, code=1101)
    client.take()
    rig.rest(Side.BUY, "200")
    rig.wait(11)
    assert client.take() == []
    market_data(client)


def test_a_slow_client_is_told_the_newest_when_it_has_caught_up() -> None:
    rig = QuoteRig()
    client = rig.client()
    market_data(client)
    client.is_slow = True
    for cent in range(10, 40):
        rig.rest(Side.BUY, f"199.{cent}", 2)
    rig.wait(2)
    assert client.take() == []
    client.is_slow = False
    rig.wait(0.01)
    assert client.take() == [["1", "6", "5", "1", "199.39", "2", "0"]]


def test_too_many_lines_are_refused() -> None:
    client = QuoteRig(settings=IbSettings()).client()
    client.link.is_paced = True
    for request_id in range(100):
        assert not [fields for fields in market_data(client, request_id) if fields[0] == "4"]
    assert error_of(market_data(client, 100)) == (100, 101)


def test_what_a_closed_connection_asked_for_is_forgotten() -> None:
    rig = QuoteRig()
    client, other = rig.client(), rig.client()
    market_data(client)
    market_data(other)
    rig.gateway.closed(client.link)
    client.take()
    rig.rest(Side.BUY, "200")
    assert client.take() == []
    assert other.take() == [["1", "6", "5", "1", "200.0", "1", "0"]]
