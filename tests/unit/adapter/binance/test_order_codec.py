"""Approved orders become Binance's parameters exactly, or are refused with what Binance takes."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.adapter.binance.contract_codec import MarketLot
from foxtrot.adapter.binance.order_codec import check_market_lot, opens, order_call, trailing_rate
from foxtrot.domain.enums import OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import ApprovedOrder
from tests.support.scripted_binance import btcusdt

SPOT, USDM = btcusdt(), btcusdt(Product.PERPETUAL)
LAST = 10_000  # 100.00

LIMIT = {"price_units": 4_000_050}
TYPES: list[tuple[OrderType, dict[str, int], dict[str, str], dict[str, str]]] = [
    (OrderType.LIMIT, LIMIT, {"type": "LIMIT", "price": "40000.50", "timeInForce": "GTC"}, {"type": "LIMIT"}),
    (OrderType.MARKET, {}, {"type": "MARKET"}, {"type": "MARKET"}),
    (OrderType.STOP, {"trigger_units": 5}, {"type": "STOP_LOSS", "stopPrice": "0.05"}, {"type": "STOP_MARKET"}),
    (
        OrderType.STOP_LIMIT,
        {**LIMIT, "trigger_units": 5},
        {"type": "STOP_LOSS_LIMIT", "price": "40000.50", "timeInForce": "GTC", "stopPrice": "0.05"},
        {"type": "STOP", "price": "40000.50", "timeInForce": "GTC", "triggerPrice": "0.05"},
    ),
    (OrderType.TAKE_PROFIT, {"trigger_units": 5}, {"type": "TAKE_PROFIT"}, {"type": "TAKE_PROFIT_MARKET"}),
    (
        OrderType.TAKE_PROFIT_LIMIT,
        {**LIMIT, "trigger_units": 5},
        {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "0.05"},
        {"type": "TAKE_PROFIT", "triggerPrice": "0.05"},
    ),
    (
        OrderType.TRAILING_STOP,
        {"trailing_offset_units": 100},
        {"type": "STOP_LOSS", "trailingDelta": "100"},
        {"type": "TRAILING_STOP_MARKET", "callbackRate": "1"},
    ),
]


def approved(order_type: OrderType = OrderType.LIMIT, **changes: object) -> ApprovedOrder:
    order = ApprovedOrder(
        "t-1-1", "tester", "ours", SPOT.instrument_id, Side.BUY, order_type, 123_000, 0, 0, TimeInForce.GTC, False, False,
        PositionSide.NET, 0, 0, 0, 1,
    )  # fmt: skip
    return msgspec.structs.replace(order, **changes)


@pytest.mark.parametrize(("order_type", "terms", "spot", "usdm"), TYPES, ids=[str(row[0]) for row in TYPES])
def test_each_order_type_has_its_request_on_both_products(
    order_type: OrderType, terms: dict[str, int], spot: dict[str, str], usdm: dict[str, str]
) -> None:
    order = approved(order_type, **terms)
    call = order_call(order, SPOT, LAST)
    assert call.endpoint == "privatePostOrder"
    assert spot.items() <= call.params.items()
    assert call.params["quantity"] == "0.00123000"
    assert (call.params["newClientOrderId"], call.params["newOrderRespType"]) == ("t-1-1", "FULL")
    call = order_call(order, USDM, LAST)
    plain = order_type in (OrderType.LIMIT, OrderType.MARKET)
    assert call.endpoint == ("fapiPrivatePostOrder" if plain else "fapiPrivatePostAlgoOrder")
    assert usdm.items() <= call.params.items()
    assert call.params["quantity"] == "123.000"
    assert call.params["newClientOrderId" if plain else "clientAlgoId"] == "t-1-1"
    assert call.conditional is not plain
    assert ("algoType" in call.params) is not plain


def test_a_market_order_says_no_price_and_no_time() -> None:
    for instrument in (SPOT, USDM):
        params = order_call(approved(OrderType.MARKET, time_in_force=TimeInForce.IOC), instrument).params
        assert not {"price", "timeInForce", "stopPrice"} & params.keys()


def test_post_only_is_a_type_on_spot_and_a_time_on_usdm() -> None:
    order = approved(post_only=True, **LIMIT)
    spot = order_call(order, SPOT).params
    assert (spot["type"], "timeInForce" in spot) == ("LIMIT_MAKER", False)
    assert order_call(order, USDM).params["timeInForce"] == "GTX"


def test_an_end_is_a_time_in_milliseconds_on_usdm() -> None:
    order = approved(time_in_force=TimeInForce.GTD, expire_time_ns=1_700_000_000_000_999_999, **LIMIT)
    params = order_call(order, USDM).params
    assert (params["timeInForce"], params["goodTillDate"]) == ("GTD", "1700000000000")


def test_an_iceberg_shows_its_tip_on_spot() -> None:
    assert order_call(approved(display_units=1_000, **LIMIT), SPOT).params["icebergQty"] == "0.00001000"


def test_a_hedged_order_names_its_position_and_never_says_reduce_only() -> None:
    net = order_call(approved(OrderType.MARKET, reduce_only=True), USDM).params
    assert (net["reduceOnly"], "positionSide" in net) == ("true", False)
    order = approved(OrderType.MARKET, reduce_only=True, position_side=PositionSide.LONG, side=Side.SELL)
    hedged = order_call(order, USDM).params
    assert (hedged["positionSide"], "reduceOnly" in hedged) == ("LONG", False)


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "a day order": ({"time_in_force": TimeInForce.DAY, **LIMIT}, "time_in_force"),
    "good till date on spot": ({"time_in_force": TimeInForce.GTD, **LIMIT}, "time_in_force"),
    "a market order that must fill whole": (
        {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.FOK},
        "time_in_force",
    ),
    "post-only that is immediate": ({"post_only": True, "time_in_force": TimeInForce.IOC, **LIMIT}, "time_in_force"),
    "post-only market": ({"post_only": True, "order_type": OrderType.MARKET}, "post_only"),
    "a limit without a price": ({}, "price"),
    "a stop without a trigger": ({"order_type": OrderType.STOP}, "trigger_price"),
    "an id too long": ({"order_id": "x" * 37, **LIMIT}, "order_id"),
    "an id with a space": ({"order_id": "a b", **LIMIT}, "order_id"),
    "no quantity": ({"quantity_units": 0, **LIMIT}, "quantity"),
    "reduce-only on spot": ({"reduce_only": True, **LIMIT}, "reduce_only"),
    "a position side on spot": ({"position_side": PositionSide.LONG, **LIMIT}, "position_side"),
    "a market iceberg": ({"order_type": OrderType.MARKET, "display_units": 1}, "iceberg"),
    "an immediate iceberg": ({"display_units": 1, "time_in_force": TimeInForce.IOC, **LIMIT}, "iceberg"),
    "trailing without a distance": ({"order_type": OrderType.TRAILING_STOP}, "trailing_offset"),
}


@pytest.mark.parametrize("why", list(REFUSED))
def test_what_binance_cannot_express_is_refused_by_rule(why: str) -> None:
    changes, rule = REFUSED[why]
    with pytest.raises(OrderRefused) as caught:
        order_call(approved(**changes), SPOT, LAST)
    assert caught.value.rule == rule


def test_an_iceberg_on_usdm_is_refused() -> None:
    with pytest.raises(OrderRefused, match="iceberg"):
        order_call(approved(display_units=1, **LIMIT), USDM)


@pytest.mark.parametrize(
    ("offset", "last", "step", "rate"),
    [
        (100, 10_000, 1, "100"),
        (638, 6_381_761, 1, "1"),  # 1 bip of 63,817.61 is 6.381761, and 6.38 the step nearest to it
        (2_000, 10_000, 1, "2000"),
        (100, 10_000, 10, "100"),
        (10, 10_000, 10, "10"),
        (1_000, 10_000, 10, "1000"),
    ],
)
def test_a_distance_at_a_rate_is_that_rate(offset: int, last: int, step: int, rate: str) -> None:
    found = trailing_rate(offset, last, SPOT, Decimal(step))
    assert f"{found:f}" == rate


@pytest.mark.parametrize(
    ("offset", "last", "step", "nearest"),
    [
        (1_000, 6_381_761, 1, "6.38 or 12.76"),
        (105, 10_000, 10, "1.00 or 1.10"),
        (5, 10_000, 10, "0.10 or 0.20"),
        (5_000, 10_000, 10, "10.00"),
        (99_000, 10_000, 1, "20.00"),
    ],
)
def test_a_distance_between_two_rates_is_refused_with_the_nearest(
    offset: int, last: int, step: int, nearest: str
) -> None:
    with pytest.raises(OrderRefused) as caught:
        trailing_rate(offset, last, SPOT, Decimal(step))
    assert caught.value.limit.startswith(nearest)
    for text in nearest.split(" or "):
        trailing_rate(SPOT.price_grid.from_decimal(text), last, SPOT, Decimal(step))


def test_a_trailing_stop_may_wait_for_its_activation() -> None:
    order = approved(OrderType.TRAILING_STOP, trailing_offset_units=100, trigger_units=10_100)
    assert order_call(order, SPOT, LAST).params["stopPrice"] == "101.00"
    assert order_call(order, USDM, LAST).params["activatePrice"] == "101.00"


def test_market_lots_bound_market_orders_only() -> None:
    lot = MarketLot(2_000, 100_000, 1_000)
    check_market_lot(approved(LIMIT and OrderType.LIMIT, **LIMIT), SPOT, lot)
    check_market_lot(approved(OrderType.MARKET, quantity_units=100_000), SPOT, lot)
    for units, limit in ((123_000, "at most 0.00100000"), (1_000, "at least 0.00002000"), (2_500, "a multiple")):
        with pytest.raises(OrderRefused) as caught:
            check_market_lot(approved(OrderType.MARKET, quantity_units=units), SPOT, lot)
        assert caught.value.limit.startswith(limit)


@pytest.mark.parametrize(
    ("changes", "opening"),
    [
        ({}, True),
        ({"reduces": True}, False),
        ({"reduce_only": True}, False),
        ({"position_side": PositionSide.LONG}, True),
        ({"position_side": PositionSide.LONG, "side": Side.SELL}, False),
        ({"position_side": PositionSide.SHORT}, False),
        ({"position_side": PositionSide.SHORT, "side": Side.SELL}, True),
    ],
)
def test_an_order_opens_unless_it_can_only_reduce(changes: dict[str, object], opening: bool) -> None:
    assert opens(approved(**changes)) is opening
