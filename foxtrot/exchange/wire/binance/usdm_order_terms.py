"""A USD-M order as it was sent, turned into the venue's command; every contradiction has Binance's own refusal."""

from collections.abc import Mapping

from foxtrot.domain.enums import OrderType, PositionSide, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, OrderNote, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import missing, not_required
from foxtrot.exchange.wire.binance.usdm_params import SIDES, Params

CONDITIONAL = frozenset({"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"})
TIMES_IN_FORCE: Mapping[str, tuple[TimeInForce, bool]] = {
    "GTC": (TimeInForce.GTC, False),
    "IOC": (TimeInForce.IOC, False),
    "FOK": (TimeInForce.FOK, False),
    "GTX": (TimeInForce.GTC, True),
    "GTD": (TimeInForce.GTD, False),
}
"""Time in force and whether the order is post-only."""

PRICE_MATCHES: Mapping[str, tuple[bool, int]] = {
    "OPPONENT": (True, 1),
    "OPPONENT_5": (True, 5),
    "OPPONENT_10": (True, 10),
    "OPPONENT_20": (True, 20),
    "QUEUE": (False, 1),
    "QUEUE_5": (False, 5),
    "QUEUE_10": (False, 10),
    "QUEUE_20": (False, 20),
}
"""Whether the price is taken from the other side of the book, and from which level."""

_LEAST_LIFE_MS = 600_000
_LATEST_MS = 253_402_300_799_000
_TYPES = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET}


def read_order(desk: UsdmDesk, account: str, params: Params) -> tuple[Instrument, PlaceOrder, OrderNote]:
    """Return contract, command and note of a new ordinary order.

    Source: Binance USDⓈ-M Futures, New Order; Error Codes.

    Raises:
        ApiError: the parameters make no order.
    """
    instrument = desk.side.instrument(params.needed("symbol"))
    side = params.side()
    order_type = read_type(params)
    position_side, reduce_only = read_direction(desk, account, params)
    _refuse_strangers(params, order_type)
    time_in_force, post_only, good_till_ms = read_life(params, order_type, desk.side.now_ns() // MS_NS)
    prevention = params.prevention()
    order = PlaceOrder(
        desk.side.now_ns(),
        account,
        instrument.instrument_id,
        params.client_id("newClientOrderId", desk.fresh_id()),
        side,
        order_type,
        params.quantity(instrument),
        limit_price(desk, params, instrument) if order_type is OrderType.LIMIT else 0,
        0,
        time_in_force,
        reduce_only,
        post_only,
        position_side,
        expire_time_ns=good_till_ms * MS_NS,
        stp=prevention,
    )
    return instrument, order, OrderNote(params.text("selfTradePreventionMode", "NONE"), good_till_ms)


def read_type(params: Params) -> OrderType:
    """Return LIMIT or MARKET; conditional types belong to another endpoint.

    Source: Binance USDⓈ-M Futures, Error Codes, -4120 and -1116.
    """
    text = params.needed("type")
    if text in CONDITIONAL:
        raise ApiError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    return params.choice("type", _TYPES, ApiError(-1116, "Invalid orderType."))


def read_direction(desk: UsdmDesk, account: str, params: Params) -> tuple[PositionSide, bool]:
    """Return position side and reduce-only, which must fit the account's position mode.

    Source: Binance USDⓈ-M Futures, New Order: reduceOnly cannot be sent in Hedge Mode; Error Codes, -4061.
    """
    hedged = desk.is_hedged(account)
    if hedged and params.has("reduceOnly"):
        raise not_required("reduceOnly")
    position_side = params.position_side()
    if hedged is (position_side is PositionSide.NET):
        raise ApiError(-4061, "Order's position side does not match user's setting.")
    return position_side, params.flag("reduceOnly")


def read_life(params: Params, order_type: OrderType, now_ms: int) -> tuple[TimeInForce, bool, int]:
    """Return time in force, post-only and the end of a GTD order in milliseconds (0 for others).

    Source: Binance USDⓈ-M Futures, New Order, timeInForce and goodTillDate; Error Codes, -1115, -5040.
    """
    if order_type is OrderType.MARKET:
        return TimeInForce.GTC, False, 0
    params.needed("timeInForce")
    time_in_force, post_only = params.choice("timeInForce", TIMES_IN_FORCE, ApiError(-1115, "Invalid timeInForce."))
    if time_in_force is not TimeInForce.GTD:
        if params.integer("goodTillDate"):
            raise not_required("goodTillDate")
        return time_in_force, post_only, 0
    if not params.has("goodTillDate"):
        raise missing("goodTillDate")
    good_till_ms = params.integer("goodTillDate") // 1000 * 1000
    if not now_ms + _LEAST_LIFE_MS < good_till_ms < _LATEST_MS:
        raise ApiError(
            -5040,
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than"
            " 253402300799000 (UTC 9999-12-31 23:59:59)",
        )
    return time_in_force, False, good_till_ms


def limit_price(desk: UsdmDesk, params: Params, instrument: Instrument) -> int:
    """Return the limit price in units: as sent, or that of a level of the book.

    Source: Binance USDⓈ-M Futures, New Order, priceMatch; Error Codes, -5037, -5041.
    """
    if params.text("priceMatch", "NONE") == "NONE":
        return params.price("price", instrument)
    if params.has("price"):
        raise not_required("price")
    opposite, level = params.choice("priceMatch", PRICE_MATCHES, ApiError(-5037, "Invalid price match"))
    _, bids, asks = desk.venue.depth(instrument.instrument_id, level)
    is_buy = SIDES.get(params.text("side")) is SIDES["BUY"]
    rows = asks if is_buy is opposite else bids
    if len(rows) < level:
        raise ApiError(-5041, "No depth matches this BBO order")
    return rows[level - 1][0]


def _refuse_strangers(params: Params, order_type: OrderType) -> None:
    if params.flag("closePosition"):
        raise ApiError(-4136, f"Target strategy invalid for orderType {params.text('type')},closePosition true")
    strangers = ["stopPrice", "activationPrice", "callbackRate"]
    if order_type is OrderType.MARKET:
        strangers += ["price", "timeInForce"]
        if params.text("priceMatch", "NONE") != "NONE":
            raise ApiError(-5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT")
    for name in strangers:
        if params.has(name):
            raise not_required(name)
