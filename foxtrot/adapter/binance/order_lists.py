"""Two orders of which one ends the other, as Binance's order lists: one request, one answer, two orders with their own ids."""

from collections.abc import Mapping, Sequence
from typing import Final

from foxtrot.adapter.binance.errors import VENUE
from foxtrot.adapter.binance.order_codec import OrderCall, order_call
from foxtrot.domain.enums import OrderType, Product, Side
from foxtrot.domain.errors import BadMessage, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData

ENDPOINT: Final = "privatePostOrderListOco"
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_OF_LEG: Final[Mapping[str, str]] = {
    "type": "Type",
    "newClientOrderId": "ClientOrderId",
    "icebergQty": "IcebergQty",
    "price": "Price",
    "stopPrice": "StopPrice",
    "timeInForce": "TimeInForce",
}
"""A new order's parameter → what it is called in a list, after "above" or "below"."""
_OF_BOTH = ("symbol", "side", "quantity")


def pair_call(first: ApprovedOrder, second: ApprovedOrder, instrument: Instrument) -> OrderCall:
    """Return the request of two orders of which one ends the other; either may be the stop.

    Raises:
        OrderRefused: Binance has no such pair; rule, limit and value say what it has.

    Source: Binance spot API, rest-api, New Order list - OCO (above and below orders, price restrictions).
    """
    _check_pair_terms(first, second, instrument)
    stop, limit = (first, second) if first.order_type in _STOPS else (second, first)
    above, below = (stop, limit) if stop.side is Side.BUY else (limit, stop)
    terms = {"above": order_call(above, instrument).params, "below": order_call(below, instrument).params}
    params = {name: terms["above"][name] for name in _OF_BOTH}
    for leg, own in terms.items():
        params |= {leg + name: own[of_order] for of_order, name in _OF_LEG.items() if of_order in own}
    return OrderCall(ENDPOINT, params | {"newOrderRespType": "RESULT"})


def rows_of_answer(answer: object) -> Sequence[object]:
    """Return the orders that an answer to placing or cancelling speaks of: those of a list, or the one that it is itself.

    Source: Binance spot API, rest-api, New Order list - OCO and Cancel Order list (orderReports); Cancel order, of one in a list.
    """
    if not isinstance(answer, Mapping) or "orderReports" not in answer:
        return (answer,)
    rows = answer["orderReports"]
    return rows if isinstance(rows, list) else (rows,)


def check_pair(orders: Sequence[ApprovedOrder], told: Sequence[OrderData]) -> None:
    """Check that an answer speaks of the orders that were sent, of each once.

    Raises:
        BadMessage: it does not.

    Source: Binance spot API, rest-api, New Order list - OCO (orderReports).
    """
    wanted = sorted((order.order_id, order.instrument_id, order.side, order.order_type) for order in orders)
    heard = sorted((order.order_id, order.instrument_id, order.side, order.order_type) for order in told)
    if wanted != heard:
        names = " and ".join(order.order_id for order in orders)
        raise BadMessage(VENUE, "echo", f"orders {names} were answered with {[one[0] for one in heard]}")


def _check_pair_terms(first: ApprovedOrder, second: ApprovedOrder, instrument: Instrument) -> None:
    """Refuse what Binance would refuse, or what is no pair at all."""
    stops = [order for order in (first, second) if order.order_type in _STOPS]
    limits = [order for order in (first, second) if order.order_type is OrderType.LIMIT and order.post_only]
    if instrument.product is not Product.SPOT:
        raise OrderRefused("pair", "spot", str(instrument.product))
    if len(stops) != 1 or len(limits) != 1:
        kinds = f"{first.order_type} and {second.order_type}"
        raise OrderRefused("pair", "a stop or stop_limit and a post-only limit", kinds)
    if _common(first) != _common(second) or first.order_id == second.order_id:
        raise OrderRefused("pair", "one account, instrument, side and quantity, and two ids", f"{first} and {second}")
    limit, stop = limits[0].price_units, stops[0].trigger_units
    if (limit <= stop) is not (first.side is Side.BUY):
        text = instrument.price_grid.to_text
        which = "below" if first.side is Side.BUY else "above"
        raise OrderRefused("pair", f"the limit {which} the stop at {text(stop)}", text(limit))


def _common(order: ApprovedOrder) -> tuple[object, ...]:
    return order.account, order.instrument_id, order.side, order.quantity_units, order.position_side
