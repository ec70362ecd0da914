"""Approved orders as Binance's requests: exact decimal text, or a refusal that says what Binance cannot express."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from foxtrot.adapter.binance.contract_codec import MarketLot
from foxtrot.domain.enums import OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder

CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}", re.ASCII)
"""What a client order id may look like at Binance, both products."""

SPOT_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    OrderType.TRAILING_STOP: "STOP_LOSS",
}
USDM_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
    OrderType.TRAILING_STOP: "TRAILING_STOP_MARKET",
}
_PLAIN = frozenset({OrderType.LIMIT, OrderType.MARKET})
_AT_ONCE = frozenset({TimeInForce.GTC, TimeInForce.IOC})
"""What a market order may say: it never rests, and what it does not find ends at once, under either name."""

_TEN_THOUSAND = Decimal(10_000)


class OrderCall(msgspec.Struct, frozen=True):
    """One order request: ccxt's name of the endpoint, the parameters, and whether it is a conditional (algo) order."""

    endpoint: str
    params: dict[str, str]
    conditional: bool = False


def order_call(order: ApprovedOrder, instrument: Instrument, reference_units: int = 0) -> OrderCall:
    """Return the request of an approved order.

    Args:
        order: what risk approved; its id becomes the client's.
        instrument: its contract.
        reference_units: the last price, which only a trailing stop needs: Binance takes a trailing distance as a rate.

    Raises:
        OrderRefused: Binance has no such order; rule, limit and value say what it has.

    Source: Binance spot API, rest-api, New order; USDⓈ-M Futures, Trade, New Order and New Algo Order.
    """
    _check_terms(order, instrument)
    if instrument.product is Product.SPOT:
        return OrderCall("privatePostOrder", _spot_params(order, instrument, reference_units))
    if order.order_type in _PLAIN:
        return OrderCall("fapiPrivatePostOrder", _usdm_params(order, instrument))
    return OrderCall("fapiPrivatePostAlgoOrder", _algo_params(order, instrument, reference_units), conditional=True)


def is_conditional(order_type: OrderType, product: Product) -> bool:
    """Tell whether an order goes to the endpoints of conditional orders.

    Source: USDⓈ-M Futures, Trade, New Algo Order (conditional orders moved there from New Order).
    """
    return product is not Product.SPOT and order_type not in _PLAIN


def check_market_lot(order: ApprovedOrder, instrument: Instrument, lot: MarketLot) -> None:
    """Refuse a market order of a quantity that only a limit order may have.

    Raises:
        OrderRefused: it is below, above or beside what MARKET_LOT_SIZE allows.

    Source: Binance spot API, filters, MARKET_LOT_SIZE; USDⓈ-M Futures, Common Definition, MARKET_LOT_SIZE.
    """
    if order.order_type is not OrderType.MARKET:
        return
    units, text = order.quantity_units, instrument.quantity_grid.to_text
    if lot.max_units and units > lot.max_units:
        raise OrderRefused("market_lot", f"at most {text(lot.max_units)} in one market order", text(units))
    if units < lot.min_units:
        raise OrderRefused("market_lot", f"at least {text(lot.min_units)} in a market order", text(units))
    if units % lot.step_units:
        raise OrderRefused("market_lot", f"a multiple of {text(lot.step_units)} in a market order", text(units))


def _spot_params(order: ApprovedOrder, instrument: Instrument, reference_units: int) -> dict[str, str]:
    kind = order.order_type
    params = {
        "symbol": instrument.symbol,
        "side": order.side.name,
        "type": "LIMIT_MAKER" if order.post_only else SPOT_TYPES[kind],
        "quantity": instrument.quantity_grid.to_text(order.quantity_units),
    }
    if kind.needs_price:
        params["price"] = instrument.price_grid.to_text(order.price_units)
        if not order.post_only:
            params["timeInForce"] = order.time_in_force.name
    if order.trigger_units:
        params["stopPrice"] = instrument.price_grid.to_text(order.trigger_units)
    if kind is OrderType.TRAILING_STOP:
        rate = trailing_rate(order.trailing_offset_units, reference_units, instrument, Decimal(1))
        params["trailingDelta"] = f"{rate:f}"
    if order.display_units:
        params["icebergQty"] = instrument.quantity_grid.to_text(order.display_units)
    return params | {"newClientOrderId": order.order_id, "newOrderRespType": "FULL"}


def _usdm_params(order: ApprovedOrder, instrument: Instrument) -> dict[str, str]:
    params = _contract_terms(order, instrument)
    if order.order_type.needs_price:
        params |= _resting_terms(order, instrument)
    return params | {"newClientOrderId": order.order_id, "newOrderRespType": "RESULT"}


def _algo_params(order: ApprovedOrder, instrument: Instrument, reference_units: int) -> dict[str, str]:
    params = {"algoType": "CONDITIONAL"} | _contract_terms(order, instrument)
    trailing = order.order_type is OrderType.TRAILING_STOP
    if order.order_type.needs_price:
        params |= _resting_terms(order, instrument)
    if order.trigger_units:
        name = "activatePrice" if trailing else "triggerPrice"
        params[name] = instrument.price_grid.to_text(order.trigger_units)
    if trailing:
        rate = trailing_rate(order.trailing_offset_units, reference_units, instrument, Decimal(10)) / 100
        params["callbackRate"] = f"{rate:f}"
    return params | {"clientAlgoId": order.order_id, "newOrderRespType": "RESULT"}


def _contract_terms(order: ApprovedOrder, instrument: Instrument) -> dict[str, str]:
    """Return what all contract orders say; a hedged one names its position and then may not say reduceOnly."""
    params = {
        "symbol": instrument.symbol,
        "side": order.side.name,
        "type": USDM_TYPES[order.order_type],
        "quantity": instrument.quantity_grid.to_text(order.quantity_units),
    }
    if order.position_side is not PositionSide.NET:
        params["positionSide"] = order.position_side.name
    elif order.reduce_only:
        params["reduceOnly"] = "true"
    return params


def _resting_terms(order: ApprovedOrder, instrument: Instrument) -> dict[str, str]:
    params = {
        "price": instrument.price_grid.to_text(order.price_units),
        "timeInForce": "GTX" if order.post_only else order.time_in_force.name,
    }
    if order.time_in_force is TimeInForce.GTD and not order.post_only:
        params["goodTillDate"] = str(order.expire_time_ns // 1_000_000)
    return params


def trailing_rate(offset_units: int, reference_units: int, instrument: Instrument, step: Decimal) -> Decimal:
    """Return a trailing distance in basis points of the last price, a multiple of `step`.

    Binance lets a stop trail by a rate, not by a distance: the distance asked for holds at the price of this moment and
    changes in proportion to the price afterwards. A distance is expressible when it is the price step nearest to a rate.

    Raises:
        OrderRefused: it is not, or lies outside of what Binance takes; the nearest distances are named.

    Source: Binance spot API, faqs, Trailing Stop FAQ (trailingDelta in BIPS); USDⓈ-M Futures, New Algo Order
        (callbackRate, 0.1 to 10, where 1 is 1 %).
    """
    text = instrument.price_grid.to_text
    if offset_units <= 0 or reference_units <= 0:
        value = text(offset_units) if offset_units <= 0 else "no last price"
        raise OrderRefused("trailing_offset", "a distance above 0 and a last price to measure it by", value)
    exact = offset_units * _TEN_THOUSAND / reference_units
    low = max(exact // step, Decimal(1)) * step
    low, high = (min(rate, Decimal(1_000) if step > 1 else Decimal(2_000)) for rate in (low, low + step))
    distances = {_distance(rate, reference_units): rate for rate in (high, low)}
    if offset_units in distances:
        return distances[offset_units].quantize(Decimal(1)) if step == 1 else distances[offset_units]
    nearest = " or ".join(text(units) for units in sorted(distances))
    limit = f"{nearest}, which are {low / 100:f} % or {high / 100:f} % of {text(reference_units)}"
    raise OrderRefused("trailing_offset", limit, text(offset_units))


def _distance(rate: Decimal, reference_units: int) -> int:
    return int((rate * reference_units / _TEN_THOUSAND).to_integral_value(ROUND_HALF_EVEN))


def _check_terms(order: ApprovedOrder, instrument: Instrument) -> None:
    """Refuse what the venue would refuse, misread or quietly ignore."""
    for rule, limit, value in _faults(order, instrument):
        raise OrderRefused(rule, limit, value)


def _faults(order: ApprovedOrder, instrument: Instrument) -> list[tuple[str, str, str]]:
    """Return (rule, what Binance takes, what was asked) of everything that Binance does not take."""
    kind, spot = order.order_type, instrument.product is Product.SPOT
    goods = {TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK} | (set() if spot else {TimeInForce.GTD})
    times: Mapping[bool, frozenset[TimeInForce]] = {True: frozenset(goods), False: _AT_ONCE}
    allowed = frozenset({TimeInForce.GTC}) if order.post_only else times[kind.needs_price]
    checks = (
        (CLIENT_ID.fullmatch(order.order_id) is None, "order_id", CLIENT_ID.pattern, order.order_id),
        (order.quantity_units <= 0, "quantity", "above 0", str(order.quantity_units)),
        (kind.needs_price and order.price_units <= 0, "price", f"a {kind} order needs one", str(order.price_units)),
        (kind.needs_trigger and order.trigger_units <= 0, "trigger_price", f"a {kind} order needs one", "none"),
        (order.time_in_force not in allowed, "time_in_force", ", ".join(sorted(allowed)), order.time_in_force),
        (order.post_only and not _may_rest(kind, spot), "post_only", "limit orders", kind),
        (spot and order.reduce_only, "reduce_only", "contracts", "spot"),
        (spot and order.position_side is not PositionSide.NET, "position_side", "net on spot", order.position_side),
        (bool(order.display_units) and not (spot and kind.needs_price), "iceberg", "limit orders on spot", kind),
        (
            bool(order.display_units) and order.time_in_force is not TimeInForce.GTC,
            "iceberg",
            "gtc",
            order.time_in_force,
        ),
    )
    return [(rule, limit, str(value)) for wrong, rule, limit, value in checks if wrong]


def _may_rest(kind: OrderType, spot: bool) -> bool:
    return kind is OrderType.LIMIT or (not spot and kind.needs_price)


def opens(order: ApprovedOrder) -> bool:
    """Tell whether an order may open or enlarge a position at the venue.

    Source: USDⓈ-M Futures, New Order (positionSide, reduceOnly).
    """
    if order.reduces or order.reduce_only or order.position_side is PositionSide.NET:
        return not (order.reduces or order.reduce_only)
    return (order.side is Side.BUY) == (order.position_side is PositionSide.LONG)
