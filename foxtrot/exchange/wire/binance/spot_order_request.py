"""A spot order as a customer words it: which parameters its type needs and which it does not take."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.domain.enums import OrderType, SelfTradePrevention, Side, TimeInForce
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.order_errors import filter_failure
from foxtrot.exchange.wire.binance.spot_parameters import (
    Parameters,
    choice_of,
    client_id_of,
    decimal_of,
    integer_of,
    missing,
    neither,
    not_required,
)

ORDER_TYPES: Mapping[str, OrderType] = {
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}
"""The venue's order types by Binance's names; LIMIT_MAKER is a post-only limit."""

STP_MODES: Mapping[str, SelfTradePrevention] = {
    "NONE": SelfTradePrevention.NONE,
    "EXPIRE_TAKER": SelfTradePrevention.CANCEL_NEWEST,
    "EXPIRE_MAKER": SelfTradePrevention.CANCEL_OLDEST,
    "EXPIRE_BOTH": SelfTradePrevention.CANCEL_BOTH,
    "DECREMENT": SelfTradePrevention.DECREMENT,
}
DEFAULT_STP = "EXPIRE_MAKER"
"""What a symbol does when an order names no mode (exchangeInfo: defaultSelfTradePreventionMode)."""

_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
_TIMED = frozenset({"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_PRICED = _TIMED | {"LIMIT_MAKER"}
_TRIGGERED = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
_RESPONSES = ("ACK", "RESULT", "FULL")


class OrderAsk(msgspec.Struct, frozen=True):
    """One order that was asked for; prices and quantities in units, 0 where not given.

    `quote_quantity` is money to spend or to earn instead of a quantity, `trailing_bips` a distance in hundredths of a percent.
    """

    instrument: Instrument
    side: Side
    type_name: str
    time_in_force: TimeInForce
    quantity: int
    quote_quantity: Decimal
    price: int
    stop_price: int
    trailing_bips: int
    iceberg: int
    stp: str
    client_id: str
    response: str

    @property
    def order_type(self) -> OrderType:
        """Return the venue's order type; a trailing distance makes a trailing stop.

        Source: Binance spot API, Trailing Stop FAQ.
        """
        return OrderType.TRAILING_STOP if self.trailing_bips else ORDER_TYPES[self.type_name]

    @property
    def is_conditional(self) -> bool:
        """Tell whether the order waits for a trigger.

        Source: Binance spot API, Enums, Order types.
        """
        return self.type_name in _TRIGGERED


def read_order(instrument: Instrument, params: Parameters) -> OrderAsk:
    """Return the order that the parameters of a call describe.

    Source: Binance spot API, REST, New order: additional mandatory parameters by type; errors -1102, -1106, -1115 to -1117, -1128.

    Raises:
        ApiError: what is missing, too much or misspelt.
    """
    side, type_name = _SIDES.get(params.get("side", "")), params.get("type", "")
    if side is None:
        raise ApiError(-1117, "Invalid side.")
    if type_name not in ORDER_TYPES:
        raise ApiError(-1116, "Invalid orderType.")
    time_in_force = _time_in_force(params, type_name)
    quote_quantity = _shape(params, type_name)
    price, stop = _price(instrument, params, "price"), _price(instrument, params, "stopPrice")
    return OrderAsk(
        instrument, side, type_name, time_in_force, _quantity(instrument, params, "quantity"), quote_quantity, price, stop,
        integer_of(params, "trailingDelta") or 0, _iceberg(instrument, params, time_in_force), _stp(params),
        client_id_of(params, "newClientOrderId"), _response(params, type_name),
    )  # fmt: skip


def quantity_units(instrument: Instrument, amount: Decimal) -> int:
    """Return a quantity in units.

    Source: Binance spot API, Filters: LOT_SIZE.

    Raises:
        ApiError: -1013, it lies between two points of the grid.
    """
    return _units(instrument.quantity_grid, amount, "LOT_SIZE")


def _time_in_force(params: Parameters, type_name: str) -> TimeInForce:
    text = params.get("timeInForce", "")
    if text and text not in _TIMES:
        raise ApiError(-1115, "Invalid timeInForce.")
    if type_name in _TIMED:
        if not text:
            raise missing("timeInForce")
    elif text:
        raise not_required("timeInForce")
    return _TIMES[text or "GTC"]


def _shape(params: Parameters, type_name: str) -> Decimal:
    """Check that what the type needs is there and nothing that it does not take; return the quote quantity."""
    for name, takes in (
        ("price", type_name in _PRICED),
        ("stopPrice", type_name in _TRIGGERED),
        ("trailingDelta", type_name in _TRIGGERED),
        ("icebergQty", type_name in _PRICED),
        ("quoteOrderQty", type_name == "MARKET"),
    ):
        if params.get(name) and not takes:
            raise not_required(name)
    if type_name in _PRICED and not params.get("price"):
        raise missing("price")
    if type_name in _TRIGGERED and not (params.get("stopPrice") or params.get("trailingDelta")):
        raise neither("stopPrice", "trailingDelta")
    quote = decimal_of(params, "quoteOrderQty")
    if quote is None:
        if params.get("quantity"):
            return Decimal(0)
        raise neither("quantity", "quoteOrderQty") if type_name == "MARKET" else missing("quantity")
    if params.get("quantity"):
        raise ApiError(-1128, "Combination of optional parameters invalid.")
    if not quote:
        raise ApiError(-1013, "Invalid quote order qty.")
    return quote


def _price(instrument: Instrument, params: Parameters, name: str) -> int:
    value = decimal_of(params, name)
    if value is None:
        return 0
    if not value:
        raise ApiError(-1013, f"Invalid {name}.")
    units = _units(instrument.price_grid, value, "PRICE_FILTER")
    if units % instrument.step_units(units):
        raise filter_failure("PRICE_FILTER")
    return units


def _quantity(instrument: Instrument, params: Parameters, name: str) -> int:
    value = decimal_of(params, name)
    if value is None:
        return 0
    if not value:
        raise ApiError(-1013, f"Invalid {name}.")
    return quantity_units(instrument, value)


def _iceberg(instrument: Instrument, params: Parameters, time_in_force: TimeInForce) -> int:
    units = quantity_units(instrument, decimal_of(params, "icebergQty") or Decimal(0))
    if units and time_in_force is not TimeInForce.GTC:
        raise ApiError(-1014, "Unsupported order combination.")
    return units


def _stp(params: Parameters) -> str:
    return choice_of(params, "selfTradePreventionMode", tuple(STP_MODES), DEFAULT_STP)


def _response(params: Parameters, type_name: str) -> str:
    default = "FULL" if type_name in {"LIMIT", "MARKET"} else "ACK"
    return choice_of(params, "newOrderRespType", _RESPONSES, default)


def _units(grid: Grid, value: Decimal, filter_name: str) -> int:
    try:
        return grid.from_decimal(value)
    except OffGrid:
        raise filter_failure(filter_name) from None
