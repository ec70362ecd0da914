"""Spot and stock money: what is locked, what changes hands and what fees take, to the last unit."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.exchange.commands import AddInstrument, Deposit, Withdraw
from foxtrot.exchange.result import ResultCode as R
from tests.support.instruments import a_spot, a_stock
from tests.support.trading_floor import TradingFloor

TEN_BP = FeeSchedule.percentage(Decimal("0.0005"), Decimal("0.001"))


def test_a_buy_locks_its_limit_and_frees_what_a_better_price_saves() -> None:
    floor = TradingFloor(a_spot())
    floor.sell("s", 400, 10_000)
    floor.buy("b", 1_000, 12_000)
    assert floor.total("b", "USDT") == Decimal(1_000_000_000) - Decimal("40")
    assert floor.locked("b", "USDT") == Decimal("72")
    assert floor.total("b", "BTC") == Decimal("1000000000.4")
    assert floor.total("s", "USDT") == Decimal("1000000040")


def test_a_sell_locks_the_asset_and_cannot_sell_it_twice() -> None:
    floor = TradingFloor(a_spot(), funds={"BTC": Decimal(1)})
    assert floor.sell("s", 600, 100).ok
    assert floor.locked("s", "BTC") == Decimal("0.6")
    assert floor.sell("s", 500, 100).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    assert floor.sell("s", 400, 100).ok


def test_a_market_buy_must_afford_the_whole_sweep() -> None:
    floor = TradingFloor(a_spot())
    floor.sell("s", 1_000, 10_000)
    floor.sell("s", 1_000, 20_000)
    floor.funds = {"USDT": Decimal("299.99")}
    assert floor.buy("b", 2_000).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    floor.venue.execute(Deposit(floor.tick(), "b", "USDT", Decimal("0.01")))
    assert floor.buy("b", 2_000).ok
    assert floor.total("b", "USDT") == 0


def test_fees_are_taken_from_what_is_received() -> None:
    floor = TradingFloor(a_spot(), fees=TEN_BP, fee_asset_mode="received")
    floor.sell("s", 1_000, 10_000)
    floor.buy("b", 1_000)
    buyer, seller = floor.fills("b")[0], floor.fills("s")[0]
    assert (buyer.fee, buyer.fee_asset) == (Decimal("0.001"), "BTC")
    assert (seller.fee, seller.fee_asset) == (Decimal("0.05"), "USDT")
    assert floor.total("b", "BTC") == Decimal("1000000000.999")
    assert floor.total("@fees", "USDT") == Decimal("0.05")
    floor.venue.validate()


def test_fees_in_quote_are_held_beside_the_price_and_released_with_it() -> None:
    floor = TradingFloor(a_spot(), fees=TEN_BP, fee_asset_mode="quote")
    order = floor.buy("b", 1_000, 10_000).order_id
    assert floor.locked("b", "USDT") == Decimal("100.1")
    floor.sell("s", 500, 10_000)
    assert floor.fills("b")[0].fee == Decimal("0.025")
    assert floor.locked("b", "USDT") == Decimal("50") + Decimal("0.1") - Decimal("0.025")
    floor.cancel("b", order)
    assert floor.locked("b", "USDT") == 0
    floor.venue.validate()


def test_an_order_that_leaves_nothing_for_fees_is_refused() -> None:
    floor = TradingFloor(a_spot(), fees=TEN_BP, fee_asset_mode="quote", funds={"USDT": Decimal(100)})
    assert floor.buy("b", 1_000, 10_000).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    assert floor.buy("b", 999, 10_000).ok


def test_a_coin_pays_the_fee_where_there_is_enough_of_it() -> None:
    floor = TradingFloor(a_spot(), fees=TEN_BP, fee_asset_mode="received", account={"fee_asset": "BNB"})
    floor.venue.execute(AddInstrument(0, a_spot(instrument_id="BNBUSDT.TEST", base_asset="BNB")))
    coins = TradingFloor.__new__(TradingFloor)
    coins.__dict__.update(
        floor.__dict__ | {"name": "BNBUSDT.TEST", "funds": {"BNB": Decimal(2), "USDT": Decimal(1_000)}}
    )
    coins.sell("m", 1_000, 50_000)
    coins.buy("n", 1_000, 50_000)
    floor.sell("s", 3_000, 10_000)
    floor.buy("m", 1_000)
    assert (floor.fills("m")[-1].fee, floor.fills("m")[-1].fee_asset) == (Decimal("0.0002"), "BNB")
    floor.buy("n", 1_000)
    assert floor.fills("n")[-1].fee_asset == "BNB"
    floor.venue.execute(Withdraw(floor.tick(), "n", "BNB", floor.total("n", "BNB")))
    floor.buy("n", 10)
    assert (floor.fills("n")[-1].fee, floor.fills("n")[-1].fee_asset) == (Decimal("0.00001"), "BTC")
    floor.venue.validate()


def test_a_brokers_minimum_is_charged_once_over_the_fills_of_an_order() -> None:
    floor = TradingFloor(a_stock(), fees=load_preset("ib_us_fixed"), fee_asset_mode="quote")
    floor.buy("b", 30, 10_000)
    for _ in range(3):
        floor.sell("s", 10, 10_000)
    fees = [fill.fee for fill in floor.fills("b")]
    assert fees[0] - fees[1] == Decimal(1)
    assert fees[1] == fees[2] < Decimal("0.01")
    floor.venue.validate()


def test_stocks_that_are_not_owned_are_sold_only_by_who_may_be_short() -> None:
    floor = TradingFloor(a_stock(), funds={"USD": Decimal(10_000)})
    floor.buy("b", 10, 5_000)
    assert floor.sell("s", 10, 5_000).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    floor.open("short", allow_short=True)
    assert floor.sell("short", 10, 5_000).ok
    position = floor.venue.positions("short")[0]
    assert (position.quantity, position.average_price) == (-10, 50.0)
    assert floor.total("short", "AAPL") == Decimal(-10)
    floor.venue.validate()


def test_a_stock_position_keeps_its_average_price_and_profit() -> None:
    floor = TradingFloor(a_stock(), funds={"USD": Decimal(10_000)})
    floor.open("m", allow_short=True)
    for price in (1_000, 2_000):
        floor.sell("m", 10, price)
        floor.buy("b", 10, price)
    assert floor.venue.positions("b")[0].average_price == 15.0
    floor.buy("m", 5, 3_000)
    floor.sell("b", 5, 3_000)
    position = floor.venue.positions("b")[0]
    assert (position.quantity, position.average_price, position.realised_profit) == (15, 15.0, Decimal(75))
    assert position.unrealised_profit == Decimal(225)


def test_what_is_free_can_be_withdrawn_and_no_more() -> None:
    floor = TradingFloor(a_spot(), funds={"USDT": Decimal(100)})
    floor.buy("b", 600, 10_000)
    assert floor.venue.execute(Withdraw(9, "b", "USDT", Decimal("40.01"))).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    assert floor.venue.execute(Withdraw(9, "b", "USDT", Decimal(40))).ok
    assert floor.venue.balances("b") == {"USDT": (Decimal(60), Decimal(60))}
    floor.venue.validate()


@pytest.mark.parametrize(("side", "holding"), [(Side.BUY, "-"), (Side.SELL, "+")])
def test_reduce_only_on_spot_sells_what_is_owned(side: Side, holding: str) -> None:
    floor = TradingFloor(a_spot(), funds={"BTC": Decimal("0.5"), "USDT": Decimal(100)})
    result = floor.place("a", side, 1_000, 100, reduce_only=True)
    if holding == "-":
        assert result.code is R.ACCOUNT_NOTHING_TO_REDUCE
    else:
        report = floor.venue.order("a", floor.name, result.order_id)
        assert report is not None
        assert report.quantity == 500


def test_a_stop_sell_locks_the_asset_while_it_waits() -> None:
    floor = TradingFloor(a_spot(), funds={"BTC": Decimal(1)})
    assert floor.sell("a", 1_000, order_type=OrderType.STOP, trigger_price=50).ok
    assert floor.locked("a", "BTC") == Decimal(1)
    assert floor.sell("a", 1, 100).code is R.ACCOUNT_INSUFFICIENT_BALANCE
