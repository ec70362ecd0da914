"""Every filter refuses with its own code, tells so as an event, and changes nothing."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderType, PositionMode, PositionSide, Side, TimeInForce
from foxtrot.domain.instrument import Grid, PriceBand
from foxtrot.exchange.commands import (
    AddInstrument,
    CancelAll,
    Deposit,
    PlaceOrder,
    SetTradingState,
    TradingState,
    Withdraw,
)
from foxtrot.exchange.events import OrderExpired, OrderRejected
from foxtrot.exchange.result import ResultCode as R
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_perpetual, a_spot, a_stock
from tests.support.trading_floor import TradingFloor

RULES = {
    "price_bands": (PriceBand(0, 5), PriceBand(1_000, 10)),
    "lot_units": 2,
    "min_quantity_units": 4,
    "max_quantity_units": 1_000,
    "min_notional": Decimal("0.01"),
    "max_notional": Decimal(10),
    "max_open_orders": 3,
    "price_limit_rate": Decimal("0.1"),
}
GTD, IOC, FOK = TimeInForce.GTD, TimeInForce.IOC, TimeInForce.FOK
STOP = OrderType.STOP


@pytest.fixture
def floor() -> TradingFloor:
    floor = TradingFloor(a_spot(**RULES))
    floor.open("a")
    return floor


@pytest.mark.parametrize(
    ("quantity", "price", "more", "code"),
    [
        (10, 503, {}, R.FILTER_PRICE_GRID),
        (10, 1_005, {}, R.FILTER_PRICE_GRID),
        (10, 0, {"order_type": OrderType.LIMIT}, R.FILTER_PRICE_MISSING),
        (10, -5, {}, R.FILTER_PRICE_MISSING),
        (10, 500, {"order_type": OrderType.MARKET}, R.FILTER_COMBINATION),
        (9, 500, {}, R.FILTER_LOT),
        (2, 500, {}, R.FILTER_QUANTITY_LOW),
        (0, 500, {}, R.FILTER_QUANTITY_LOW),
        (-4, 500, {}, R.FILTER_QUANTITY_LOW),
        (1_002, 500, {}, R.FILTER_QUANTITY_HIGH),
        (10, 95, {}, R.FILTER_NOTIONAL_LOW),
        (1_000, 1_010, {}, R.FILTER_NOTIONAL_HIGH),
        (10, 500, {"time_in_force": GTD}, R.FILTER_EXPIRY),
        (10, 500, {"time_in_force": GTD, "expire_time_ns": 1}, R.FILTER_EXPIRY),
        (10, 500, {"expire_time_ns": 10**15}, R.FILTER_EXPIRY),
        (10, 500, {"post_only": True, "time_in_force": IOC}, R.FILTER_COMBINATION),
        (10, 0, {"post_only": True}, R.FILTER_COMBINATION),
        (10, 500, {"display_quantity": 3}, R.FILTER_DISPLAY),
        (10, 500, {"display_quantity": 12}, R.FILTER_DISPLAY),
        (10, 500, {"display_quantity": 4, "time_in_force": FOK}, R.FILTER_DISPLAY),
        (10, 0, {"order_type": STOP}, R.FILTER_TRIGGER),
        (10, 0, {"order_type": STOP, "trigger_price": 503}, R.FILTER_TRIGGER),
        (10, 500, {"trigger_price": 500}, R.FILTER_TRIGGER),
        (10, 0, {"order_type": OrderType.TRAILING_STOP}, R.FILTER_TRIGGER),
        (10, 500, {"trailing_offset": 5}, R.FILTER_TRIGGER),
        (10, 500, {"position_side": PositionSide.LONG}, R.ACCOUNT_POSITION_SIDE),
        (10, 500, {"time_in_force": FOK}, R.MATCHING_FOK),
    ],
)
def test_a_filter_refuses_with_its_code(
    floor: TradingFloor, quantity: int, price: int, more: dict[str, object], code: R
) -> None:
    before = floor.venue.state_hash().encode()
    result = floor.buy("a", quantity, price, **more)
    assert result.code is code
    assert result.message
    rejected = floor.told(OrderRejected)
    assert [(event.code, event.order_id) for event in rejected] == [(code.value, 0)]
    assert floor.venue.open_orders("a") == ()
    assert len(before) == 32
    floor.venue.validate()


def test_legal_orders_pass_every_filter(floor: TradingFloor) -> None:
    assert floor.buy("a", 10, 505).ok
    assert floor.buy("a", 4, 1_010).ok


def test_prices_far_from_the_last_trade_are_refused(floor: TradingFloor) -> None:
    floor.sell("a", 4, 1_000)
    floor.buy("b", 4, 1_000)
    assert floor.buy("a", 4, 890).code is R.FILTER_PRICE_BAND
    assert floor.buy("a", 4, 1_110).code is R.FILTER_PRICE_BAND
    assert floor.buy("a", 4, 900).ok


def test_only_so_many_orders_may_be_open(floor: TradingFloor) -> None:
    for _ in range(3):
        assert floor.buy("a", 10, 500).ok
    assert floor.buy("a", 10, 500).code is R.FILTER_MAX_OPEN_ORDERS
    assert floor.buy("b", 10, 500).ok


def test_an_open_orders_client_id_cannot_be_used_twice_but_an_ended_ones_can(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 500, client_order_id="x").order_id
    assert floor.buy("a", 10, 500, client_order_id="x").code is R.ACCOUNT_DUPLICATE_CLIENT_ID
    assert floor.buy("b", 10, 500, client_order_id="x").ok
    floor.cancel("a", order)
    newer = floor.buy("a", 10, 500, client_order_id="x").order_id
    report = floor.venue.order("a", floor.name, client_order_id="x")
    assert report is not None
    assert report.order_id == newer


def test_unknown_names_are_refused(floor: TradingFloor) -> None:
    place = PlaceOrder(9, "a", "NOPE", "x", Side.BUY, OrderType.LIMIT, 10, 500)
    assert floor.venue.execute(place).code is R.INSTRUMENT_UNKNOWN
    stranger = PlaceOrder(9, "nobody", floor.name, "x", Side.BUY, OrderType.LIMIT, 10, 500)
    assert floor.venue.execute(stranger).code is R.ACCOUNT_UNKNOWN
    assert floor.venue.execute(CancelAll(9, "nobody")).code is R.ACCOUNT_UNKNOWN
    assert floor.venue.execute(Deposit(9, "nobody", "USDT", Decimal(1))).code is R.ACCOUNT_UNKNOWN
    assert floor.amend("a", 77, quantity=4).code is R.ORDER_NOT_FOUND


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1E-19"])
def test_amounts_that_are_no_money_are_refused(floor: TradingFloor, amount: str) -> None:
    for command in (Deposit, Withdraw):
        assert floor.venue.execute(command(9, "a", "USDT", Decimal(amount))).code is R.ACCOUNT_AMOUNT


def test_a_halted_market_takes_cancels_only_and_a_closed_one_ends_day_orders() -> None:
    floor = TradingFloor(a_stock())
    day = floor.buy("a", 10, 500, time_in_force=TimeInForce.DAY).order_id
    kept = floor.buy("a", 10, 501).order_id
    floor.venue.execute(SetTradingState(floor.tick(), floor.name, TradingState.HALTED))
    assert floor.buy("a", 10, 500).code is R.INSTRUMENT_HALTED
    assert floor.amend("a", kept, quantity=4).code is R.INSTRUMENT_HALTED
    assert floor.cancel("a", kept).ok
    floor.venue.execute(SetTradingState(floor.tick(), floor.name, TradingState.CLOSED))
    assert floor.buy("a", 10, 500).code is R.INSTRUMENT_CLOSED
    assert [event.order_id for event in floor.told(OrderExpired)] == [day]
    floor.venue.execute(SetTradingState(floor.tick(), floor.name, TradingState.TRADING, day_end_ns=5_000))
    later = floor.buy("a", 10, 500, time_in_force=TimeInForce.DAY).order_id
    floor.wait_until(5_000)
    assert [event.order_id for event in floor.told(OrderExpired)] == [day, later]


def test_an_instrument_finer_than_money_is_refused() -> None:

    venue = Venue(lambda event: None)
    fine = a_spot(price_grid=Grid.of("1E-10"), quantity_grid=Grid.of("1E-9"))
    assert venue.execute(AddInstrument(0, fine)).code is R.INSTRUMENT_UNSUPPORTED
    assert venue.execute(AddInstrument(0, a_spot())).ok
    assert venue.execute(AddInstrument(0, a_spot())).code is R.INSTRUMENT_EXISTS


def test_a_hedging_account_must_name_the_position_side() -> None:

    floor = TradingFloor(a_perpetual(), account={"position_mode": PositionMode.HEDGING})
    assert floor.buy("a", 10, 500).code is R.ACCOUNT_POSITION_SIDE
    assert floor.buy("a", 10, 500, position_side=PositionSide.LONG).ok
