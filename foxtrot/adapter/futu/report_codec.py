"""What Futu tells of our orders and fills, as facts; BadMessage for what cannot be.

Pushes and lists have the same messages, which are read here field by field into rows with the SDK's own words for type and status.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.adapter.exact_sums import exact_of
from foxtrot.adapter.futu.codec import MARKETS, NAME, time_ns
from foxtrot.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, STREAM
from foxtrot.domain.order import OrderData

LARGEST: Final = 1e18
"""No quantity or price comes near it; what does is a fault of the message."""
_PREFIXES: Final = {1: "HK", 2: "US", 31: "SH", 32: "SZ"}
"""TrdSecMarket → the prefix of codes. Source: Trd_Common.proto, TrdSecMarket."""

_STATUS_WORDS: Final = {
    0: "UNSUBMITTED", 1: "WAITING_SUBMIT", 2: "SUBMITTING", 3: "SUBMIT_FAILED", 4: "TIMEOUT", 5: "SUBMITTED",
    10: "FILLED_PART", 11: "FILLED_ALL", 12: "CANCELLING_PART", 13: "CANCELLING_ALL", 14: "CANCELLED_PART",
    15: "CANCELLED_ALL", 21: "FAILED", 22: "DISABLED", 23: "DELETED", 24: "FILL_CANCELLED",
}  # fmt: skip
_KIND_WORDS: Final = {
    1: "NORMAL", 2: "MARKET", 5: "ABSOLUTE_LIMIT", 6: "AUCTION", 7: "AUCTION_LIMIT", 8: "SPECIAL_LIMIT", 9: "SPECIAL_LIMIT_ALL",
    10: "STOP", 11: "STOP_LIMIT", 12: "MARKET_IF_TOUCHED", 13: "LIMIT_IF_TOUCHED", 14: "TRAILING_STOP",
    15: "TRAILING_STOP_LIMIT",
}  # fmt: skip
_TIME_WORDS: Final = {0: "DAY", 1: "GTC", 2: "IOC", 3: "GTD"}
_SIDES: Final = {1: Side.BUY, 2: Side.SELL, 3: Side.SELL, 4: Side.BUY}
"""Numbers of the protocol → the SDK's words, or our sides; 3 and 4 are selling short and buying back. Source: Trd_Common.proto."""
_TAKEN_BACK: Final = 1
"""A fill that the exchange has cancelled. Source: Trd_Common.proto, OrderFillStatus."""

STATUSES: Final[Mapping[str, OrderStatus | None]] = {
    "UNSUBMITTED": None,
    "SUBMITTING": None,
    "TIMEOUT": OrderStatus.UNKNOWN,
    "WAITING_SUBMIT": OrderStatus.ACCEPTED,
    "SUBMITTED": OrderStatus.ACCEPTED,
    "FILLED_PART": OrderStatus.PARTIALLY_FILLED,
    "CANCELLING_PART": OrderStatus.PARTIALLY_FILLED,
    "CANCELLING_ALL": OrderStatus.ACCEPTED,
    "FILLED_ALL": OrderStatus.FILLED,
    "CANCELLED_PART": OrderStatus.CANCELLED,
    "CANCELLED_ALL": OrderStatus.CANCELLED,
    "DELETED": OrderStatus.CANCELLED,
    "FILL_CANCELLED": OrderStatus.CANCELLED,
    "DISABLED": OrderStatus.EXPIRED,
    "SUBMIT_FAILED": OrderStatus.REJECTED,
    "FAILED": OrderStatus.REJECTED,
}
"""The SDK's words → ours; None says that the venue has the order and has not judged it yet. Futu keeps WAITING_SUBMIT orders for the opening."""

_KINDS: Final = {
    "NORMAL": OrderType.LIMIT, "ABSOLUTE_LIMIT": OrderType.LIMIT, "AUCTION_LIMIT": OrderType.LIMIT,
    "SPECIAL_LIMIT": OrderType.LIMIT, "SPECIAL_LIMIT_ALL": OrderType.LIMIT, "MARKET": OrderType.MARKET,
    "AUCTION": OrderType.MARKET, "STOP": OrderType.STOP, "STOP_LIMIT": OrderType.STOP_LIMIT,
    "MARKET_IF_TOUCHED": OrderType.TAKE_PROFIT, "LIMIT_IF_TOUCHED": OrderType.TAKE_PROFIT_LIMIT,
    "TRAILING_STOP": OrderType.TRAILING_STOP, "TRAILING_STOP_LIMIT": OrderType.TRAILING_STOP,
}  # fmt: skip
_TIMES: Final = {
    "DAY": TimeInForce.DAY, "GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "GTD": TimeInForce.GTD,
}  # fmt: skip
_ALL_OR_NONE: Final = "SPECIAL_LIMIT_ALL"
_AT_ONCE: Final = {"SPECIAL_LIMIT": TimeInForce.IOC, _ALL_OR_NONE: TimeInForce.FOK}
"""Hong Kong says by the type what others say by the time in force."""

_ENDED: Final = {OrderStatus.REJECTED: "venue", OrderStatus.EXPIRED: "expired"}


class OrderRow(msgspec.Struct, frozen=True):
    """One order as Futu tells it; `code` is the SDK's, as HK.00700."""

    code: str
    venue_order_id: str
    remark: str
    side: Side
    kind: str
    status: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    trigger: Decimal
    filled: Decimal
    average: Decimal
    created_ns: int
    updated_ns: int
    error: str = ""
    pushed: bool = False


class DealRow(msgspec.Struct, frozen=True):
    """One fill as Futu tells it; `is_void` is one that the exchange has taken back."""

    code: str
    deal_id: str
    venue_order_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    time_ns: int
    is_void: bool = False
    pushed: bool = False


def order_row(order: Any, *, pushed: bool) -> OrderRow:
    """Return an order of a push or of a list.

    Raises:
        BadMessage: it says something that cannot be.

    Source: Trd_Common.proto, Order; Trd_UpdateOrder.proto; Futu OpenAPI, trade, Get Order List.
    """
    kind, status, code = _KIND_WORDS.get(order.orderType), _STATUS_WORDS.get(order.orderStatus), _code(order)
    if kind is None or status is None:
        text = f"type {order.orderType} or status {order.orderStatus} of order {order.orderIDEx} is not known"
        raise BadMessage(NAME, "order", text)
    time_in_force = _TIME_WORDS.get(order.timeInForce, "DAY")
    zone = _zone(code)
    row = OrderRow(
        code, _id(order.orderIDEx, "orderIDEx"), order.remark, _side(order.trdSide), kind, status, time_in_force,
        _amount(order.qty, "qty"), _amount(order.price, "price"), _amount(order.auxPrice, "auxPrice"),
        _amount(order.fillQty, "fillQty"), _amount(order.fillAvgPrice, "fillAvgPrice"),
        time_ns(order.createTime, order.createTimestamp, zone), time_ns(order.updateTime, order.updateTimestamp, zone),
        order.lastErrMsg, pushed,
    )  # fmt: skip
    if row.filled > row.quantity or (row.filled and row.average <= 0):
        raise BadMessage(NAME, "order", f"{row.filled} of {row.quantity} dealt at {row.average} cannot be")
    return row


def deal_row(deal: Any, *, pushed: bool) -> DealRow:
    """Return a fill of a push or of a list.

    Raises:
        BadMessage: it says something that cannot be.

    Source: Trd_Common.proto, OrderFill and OrderFillStatus; Trd_UpdateOrderFill.proto; Futu OpenAPI, trade, Get Deal List.
    """
    code = _code(deal)
    row = DealRow(
        code, _id(str(deal.fillID or ""), "fillID"), _id(deal.orderIDEx, "orderIDEx"), _side(deal.trdSide),
        _amount(deal.qty, "qty"), _amount(deal.price, "price"), time_ns(deal.createTime, deal.createTimestamp, _zone(code)),
        deal.status == _TAKEN_BACK, pushed,
    )  # fmt: skip
    if row.quantity <= 0 or row.price <= 0:
        raise BadMessage(NAME, "deal", f"a fill of {row.quantity} at {row.price} cannot be")
    return row


def order_data(row: OrderRow, order_id: str, account: str, instrument: Instrument, local_ns: int) -> OrderData | None:
    """Return the fact of an order, None while Futu has not judged it.

    Source: Futu OpenAPI, trade, OrderStatus.
    """
    status = STATUSES[row.status]
    if status is None:
        return None
    status = _with_fills(status, row)
    kind, time_in_force = _KINDS[row.kind], _AT_ONCE.get(row.kind, _TIMES[row.time_in_force])
    priced = kind.needs_price
    return OrderData(
        order_id, account, instrument.instrument_id, row.side, kind, float(row.quantity), float(row.price) if priced else 0.0,
        status, float(row.filled), float(row.average) if row.filled else 0.0, row.venue_order_id,
        row.updated_ns or row.created_ns or local_ns, local_ns, "", float(row.trigger) if kind.needs_trigger else 0.0,
        time_in_force, rule=_ENDED.get(status, ""), reason=_reason(status, row),
        source=STREAM if row.pushed else REST,
    )  # fmt: skip


def _with_fills(status: OrderStatus, row: OrderRow) -> OrderStatus:
    """Return what a status and the dealt quantity say together: the push of the one may come before that of the other.

    An order that must be filled whole and was not is refused by some venues and cancelled by others: one fact, one name.
    """
    if status is OrderStatus.CANCELLED and row.kind == _ALL_OR_NONE and not row.filled:
        return OrderStatus.REJECTED
    if status not in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
        return status
    if not row.filled:
        return OrderStatus.ACCEPTED
    return OrderStatus.FILLED if row.filled >= row.quantity else OrderStatus.PARTIALLY_FILLED


def _reason(status: OrderStatus, row: OrderRow) -> str:
    if status in _ENDED or status is OrderStatus.CANCELLED:
        silent = "it could not be filled whole at once" if row.kind == _ALL_OR_NONE else row.status.lower()
        return row.error or ("" if status is OrderStatus.CANCELLED else silent)
    return ""


def _code(message: Any) -> str:
    return f"{_PREFIXES.get(message.secMarket, 'N/A')}.{message.code}"


def _id(text: str, name: str) -> str:
    if not text:
        raise BadMessage(NAME, name, f"{name} is missing")
    return text


def _amount(value: float, name: str) -> Decimal:
    if not 0.0 <= value < LARGEST:
        raise BadMessage(NAME, name, f"{name} {value!r} is no possible amount")
    return exact_of(value)


def _side(number: int) -> Side:
    side = _SIDES.get(number)
    if side is None:
        raise BadMessage(NAME, "trdSide", f"{number} is no side")
    return side


def _zone(code: str) -> ZoneInfo:
    market = MARKETS.get(code.partition(".")[0])
    if market is None:
        raise BadMessage(NAME, "code", f"{code!r} is of a market that is not known here; known: {', '.join(MARKETS)}")
    return market.zone
