"""An order as USD-M's REST and ws-api answers show it."""

from collections.abc import Mapping

from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.numbers import average_text, notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, OrderNote
from foxtrot.exchange.wire.binance.usdm_page import Row

SIDE_TEXT: Mapping[Side, str] = {Side.BUY: "BUY", Side.SELL: "SELL"}
POSITION_SIDE_TEXT: Mapping[PositionSide, str] = {
    PositionSide.NET: "BOTH",
    PositionSide.LONG: "LONG",
    PositionSide.SHORT: "SHORT",
}
TYPE_TEXT: Mapping[OrderType, str] = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
    OrderType.TRAILING_STOP: "TRAILING_STOP_MARKET",
}
STATUS_TEXT: Mapping[OrderStatus, str] = {
    OrderStatus.ACCEPTED: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
}
_TIF_TEXT: Mapping[TimeInForce, str] = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTD: "GTD",
    TimeInForce.DAY: "GTC",
}
LIQUIDATION_PREFIX = "liquidation-"
"""How the venue begins the ids of orders with which it liquidates."""

_BY_RULE: Mapping[str, str] = {"self_trade": "EXPIRED_IN_MATCH", "nothing_to_reduce": "EXPIRED"}
"""Ends that the venue calls cancelled, told as Binance calls them."""


def tif_text(time_in_force: TimeInForce, post_only: bool) -> str:
    """Return the time in force; a post-only order is GTX.

    Source: Binance USDⓈ-M Futures, Common Definition, Time in force.
    """
    return "GTX" if post_only else _TIF_TEXT[time_in_force]


def client_text(client_order_id: str) -> str:
    """Return the customer's id of an order; one that the venue entered to liquidate is named as Binance names it.

    Source: Binance USDⓈ-M Futures, Event: Order Update, c: starts with "autoclose-" for a liquidation order.
    """
    if client_order_id.startswith(LIQUIDATION_PREFIX):
        return f"autoclose-{client_order_id.removeprefix(LIQUIDATION_PREFIX)}"
    return client_order_id


def ended_text(reason: str) -> str:
    """Return the status of an order that the venue cancelled for a reason.

    Source: Binance USDⓈ-M Futures, Common Definition, Order status.
    """
    return _BY_RULE.get(reason, "CANCELED")


def status_text(report: OrderReport) -> str:
    """Return the status of an order.

    Source: Binance USDⓈ-M Futures, Common Definition, Order status.
    """
    if report.status is OrderStatus.CANCELLED:
        return ended_text(report.reason)
    return STATUS_TEXT[report.status]


def order_row(instrument: Instrument, report: OrderReport, note: OrderNote) -> Row:
    """Return an order as POST, PUT and DELETE answer it.

    Source: Binance USDⓈ-M Futures, New Order, response RESULT.
    """
    kind = TYPE_TEXT[report.order_type]
    return {
        "orderId": report.order_id,
        "symbol": instrument.symbol,
        "status": status_text(report),
        "clientOrderId": client_text(report.client_order_id),
        "price": price_text(instrument, report.price),
        "avgPrice": average_text(instrument, report.cost, report.filled),
        "origQty": quantity_text(instrument, report.quantity),
        "executedQty": quantity_text(instrument, report.filled),
        "cumQty": quantity_text(instrument, report.filled),
        "cumQuote": notional_text(instrument, report.cost),
        "timeInForce": tif_text(report.time_in_force, report.post_only),
        "type": kind,
        "reduceOnly": report.reduce_only,
        "closePosition": note.close_position,
        "side": SIDE_TEXT[report.side],
        "positionSide": POSITION_SIDE_TEXT[report.position_side],
        "stopPrice": price_text(instrument, report.trigger_price),
        "workingType": note.working_type,
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": note.prevention,
        "goodTillDate": note.good_till_ms or report.expire_time_ns // MS_NS,
        "updateTime": (note.updated_ns or report.time_ns) // MS_NS,
    }


def query_row(instrument: Instrument, report: OrderReport, note: OrderNote) -> Row:
    """Return an order as GET answers it: with the time of entry, without the doubled quantity.

    Source: Binance USDⓈ-M Futures, Query Order.
    """
    row = order_row(instrument, report, note)
    del row["cumQty"]
    row["time"] = report.time_ns // MS_NS
    return row


def acknowledged(row: Row, instrument: Instrument) -> Row:
    """Return an order as it stood at the moment it was accepted.

    Source: Binance USDⓈ-M Futures, New Order, newOrderRespType ACK.
    """
    none = quantity_text(instrument, 0)
    fresh = {"status": "NEW", "avgPrice": average_text(instrument, 0, 0), "executedQty": none, "cumQty": none}
    return {**row, **fresh, "cumQuote": notional_text(instrument, 0)}
