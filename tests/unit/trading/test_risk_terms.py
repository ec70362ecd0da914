"""What an order must be before any limit is asked: numbers, grids, terms, instrument, account."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.instrument import PriceBand
from tests.support.builders import ACCOUNT, T0, TradingFloor, a_perpetual, a_request, a_spot, a_tick

NAN, INF = float("nan"), float("inf")


def floor(**terms: object) -> TradingFloor:
    made = TradingFloor(a_perpetual(**terms))
    made.put(a_tick())
    return made


@pytest.mark.parametrize("value", [NAN, INF, -INF, -1.0])
@pytest.mark.parametrize("name", ["quantity", "price", "trigger_price", "trailing_offset", "display_quantity"])
def test_a_number_that_is_no_amount_is_refused_by_name_before_anything_else(name: str, value: float) -> None:
    request = a_request(**{name: value, "instrument_id": "nowhere", "account": "nobody", "order_type": OrderType.LIMIT})  # type: ignore[arg-type]
    order = floor().send(request)
    assert (order.status, order.rule) == (OrderStatus.DENIED, "finite")
    assert name in order.reason
    assert str(value) in order.reason


@pytest.mark.parametrize(
    ("terms", "rule", "says"),
    [
        ({"quantity": 0.0}, "quantity", "> 0"),
        ({"quantity": 0.0005}, "quantity_grid", "0.000 or 0.001"),
        ({"price": 100.05}, "price_grid", "100.0 or 100.1"),
        ({"price": 100.0, "trigger_price": 99.97, "order_type": OrderType.STOP_LIMIT}, "trigger_price_grid", "99.9 or 100.0"),
        ({"trailing_offset": 0.15, "order_type": OrderType.TRAILING_STOP}, "trailing_offset_grid", "0.1 or 0.2"),
        ({"price": 100.0, "display_quantity": 0.0004}, "display_quantity_grid", "0.000 or 0.001"),
        ({"order_type": OrderType.LIMIT}, "terms", "limit needs a price"),
        ({"price": 100.0, "order_type": OrderType.MARKET}, "terms", "market takes no price"),
        ({"trigger_price": 101.0, "order_type": OrderType.MARKET}, "terms", "market takes no trigger"),
        ({"order_type": OrderType.STOP}, "terms", "stop needs a trigger price"),
        ({"order_type": OrderType.TRAILING_STOP}, "terms", "needs a trailing offset"),
        ({"order_type": OrderType.STOP, "trigger_price": 101.0, "trailing_offset": 1.0}, "terms", "takes no trailing"),
        ({"post_only": True}, "terms", "post-only"),
        ({"price": 100.0, "post_only": True, "time_in_force": TimeInForce.IOC}, "terms", "post-only"),
        ({"display_quantity": 0.5}, "terms", "display quantity"),
        ({"price": 100.0, "display_quantity": 1.5}, "terms", "display quantity"),
        ({"price": 100.0, "time_in_force": TimeInForce.GTD}, "terms", "GTD needs it"),
        ({"price": 100.0, "expire_time_ns": T0 + 1}, "terms", "belongs to GTD"),
        ({"price": 100.0, "time_in_force": TimeInForce.GTD, "expire_time_ns": T0}, "terms", "in the future"),
        ({"account": "other"}, "account", ACCOUNT),
        ({"account": ""}, "account", ACCOUNT),
        ({"instrument_id": "nowhere"}, "instrument", "not known"),
    ],
)  # fmt: skip
def test_terms_that_do_not_belong_together_are_refused_with_what_they_need(
    terms: dict[str, object], rule: str, says: str
) -> None:
    order = floor().send(a_request(**terms))  # type: ignore[arg-type]
    assert (order.status, order.rule) == (OrderStatus.DENIED, rule)
    assert says in order.reason


@pytest.mark.parametrize(
    "terms",
    [
        {"price": 100.0, "post_only": True, "display_quantity": 0.5},
        {"order_type": OrderType.STOP, "trigger_price": 101.0},
        {"order_type": OrderType.TAKE_PROFIT, "trigger_price": 99.0},
        {"order_type": OrderType.STOP_LIMIT, "trigger_price": 101.0, "price": 101.5},
        {"order_type": OrderType.TRAILING_STOP, "trailing_offset": 0.5},
        {"price": 100.0, "time_in_force": TimeInForce.GTD, "expire_time_ns": T0 + 1},
    ],
)
def test_every_order_type_with_its_terms_is_approved_in_exact_units(terms: dict[str, object]) -> None:
    made = floor()
    order = made.send(a_request(**terms))  # type: ignore[arg-type]
    assert order.status is OrderStatus.SUBMITTED, order.reason
    sent = made.adapter.sent[0]
    assert sent.quantity_units == 1000
    assert sent.price_units == round(terms.get("price", 0.0) * 10)  # type: ignore[operator]
    assert sent.trigger_units == round(terms.get("trigger_price", 0.0) * 10)  # type: ignore[operator]
    assert sent.trailing_offset_units == round(terms.get("trailing_offset", 0.0) * 10)  # type: ignore[operator]


def test_a_bare_symbol_that_fits_several_instruments_is_refused_with_the_candidates() -> None:
    made = TradingFloor(a_perpetual(), a_spot())
    order = made.send(a_request(instrument_id="BTCUSDT"))
    assert order.rule == "instrument"
    assert "BTCUSDT.PERP" in order.reason
    assert "BTCUSDT.SPOT" in order.reason


def test_a_bare_symbol_that_fits_one_instrument_is_resolved() -> None:
    made = floor()
    assert made.send(a_request(instrument_id="BTCUSDT")).instrument_id == "BTCUSDT.PERP"


@pytest.mark.parametrize(
    ("instrument", "quantity", "price", "rule"),
    [
        ({"min_quantity_units": 1000}, 0.999, 100.0, "min_quantity"),
        ({"min_quantity_units": 1000}, 1.0, 100.0, ""),
        ({"max_quantity_units": 1000}, 1.001, 100.0, "max_quantity"),
        ({"max_quantity_units": 1000}, 1.0, 100.0, ""),
        ({"min_notional": Decimal(50)}, 0.499, 100.0, "min_notional"),
        ({"min_notional": Decimal(50)}, 0.5, 100.0, ""),
        ({"max_notional": Decimal(50)}, 0.501, 100.0, "max_notional"),
        ({"max_notional": Decimal(50)}, 0.5, 100.0, ""),
        ({"min_notional": Decimal(50)}, 0.499, 0.0, "min_notional"),
        ({"expiry_ns": T0}, 1.0, 100.0, "expired"),
        ({"expiry_ns": T0 + 1}, 1.0, 100.0, ""),
        ({"price_bands": (PriceBand(0, 1), PriceBand(500, 5))}, 1.0, 100.1, "price_grid"),
        ({"lot_units": 500}, 1.25, 100.0, "quantity_grid"),
    ],
)
def test_the_instruments_own_limits_hold_to_the_unit(
    instrument: dict[str, object], quantity: float, price: float, rule: str
) -> None:
    assert floor(**instrument).send(a_request(quantity=quantity, price=price)).rule == rule


def test_the_instruments_limit_of_open_orders_counts_its_own_orders_in_the_account() -> None:
    made = floor(max_open_orders=2)
    for price in (98.0, 97.0):
        assert made.send(a_request(price=price)).rule == ""
    assert made.send(a_request(price=96.0)).rule == "max_open_orders"


def test_a_refusal_names_rule_limit_and_value_and_is_counted() -> None:
    made = floor()
    order = made.send(a_request(Side.BUY, 1.0, 105.1))
    assert order.reason == "price_collar: 105.1 (5.10%) is against the limit 5.00% from 100.0"
    assert made.risk.refusals == {"price_collar": 1}
    assert made.adapter.sent == []
