"""Spot orders and fills as Binance writes them in answers; amounts are strings of eight decimals."""

from collections.abc import Iterable

from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import OrderEvent, OrderFilled
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.numbers import decimal_text, notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.spot_notes import OrderNote

Fields = dict[str, object]
"""One JSON object."""

SELF_TRADE = "self_trade"
MS_NS = 1_000_000

_TYPES = {
    OrderType.LIMIT: "LIMIT",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    OrderType.TRAILING_STOP: "STOP_LOSS",
}
_TIMES = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_STATUSES = {
    OrderStatus.ACCEPTED: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.EXPIRED: "EXPIRED",
}


def type_text(order: OrderReport | OrderEvent) -> str:
    """Return an order's type.

    Source: Binance spot API, Enums, Order types.
    """
    return "LIMIT_MAKER" if order.post_only else _TYPES[order.order_type]


def time_in_force_text(order: OrderReport | OrderEvent) -> str:
    """Return an order's time in force; one that Binance does not have counts as GTC.

    Source: Binance spot API, Enums, Time in force.
    """
    return _TIMES.get(order.time_in_force, "GTC")


def ended_text(reason: str) -> str:
    """Return the status of an order that was taken out for a reason.

    Source: Binance spot API, Enums, Order status: EXPIRED_IN_MATCH for self-trade prevention.
    """
    if reason == SELF_TRADE:
        return "EXPIRED_IN_MATCH"
    return "REJECTED" if "." in reason else "CANCELED"


def status_text(report: OrderReport) -> str:
    """Return an order's status.

    Source: Binance spot API, Enums, Order status.
    """
    return _STATUSES.get(report.status) or ended_text(report.reason)


def client_id(report: OrderReport, note: OrderNote) -> str:
    """Return the customer's name of an order, the newest one.

    Source: Binance spot API, REST, Order Amend Keep Priority: newClientOrderId.
    """
    return note.client_id or report.client_order_id


def is_open(report: OrderReport) -> bool:
    """Tell whether an order still works or waits.

    Source: Binance spot API, Enums, Order status.
    """
    return report.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


def working_ms(report: OrderReport, note: OrderNote) -> int:
    """Return since when an order is on the book, -1 while it waits for its trigger.

    Source: Binance spot API, REST, New order: workingTime.
    """
    return -1 if report.pending else (note.working_ns or report.time_ns) // MS_NS


def order_fields(instrument: Instrument, report: OrderReport, note: OrderNote) -> Fields:
    """Return what every answer tells of an order.

    Source: Binance spot API, REST, New order (FULL), Query order; conditional fields in order responses.
    """
    prevented = max(0, note.requested - report.quantity)
    fields: Fields = {
        "price": price_text(instrument, report.price),
        "origQty": quantity_text(instrument, report.quantity + prevented),
        "executedQty": quantity_text(instrument, report.filled),
        "origQuoteOrderQty": note.quote_quantity,
        "cummulativeQuoteQty": notional_text(instrument, report.cost),
        "status": status_text(report),
        "timeInForce": time_in_force_text(report),
        "type": type_text(report),
        "side": report.side.name,
        "workingTime": working_ms(report, note),
        "selfTradePreventionMode": note.stp,
    }
    if note.trailing_bips:
        fields["trailingDelta"] = note.trailing_bips
    if prevented:
        fields["preventedQuantity"] = quantity_text(instrument, prevented)
    return fields


def named(instrument: Instrument, report: OrderReport, name: str) -> Fields:
    """Return the fields that name an order.

    Source: Binance spot API, REST, New order (ACK).
    """
    return {
        "symbol": instrument.symbol,
        "orderId": report.order_id,
        "orderListId": report.pair or -1,
        "clientOrderId": name,
    }


def conditions(instrument: Instrument, report: OrderReport) -> Fields:
    """Return stop price and iceberg quantity where the order has them.

    Source: Binance spot API, REST, conditional fields in order responses.
    """
    fields: Fields = {}
    if report.trigger_price:
        fields["stopPrice"] = price_text(instrument, report.trigger_price)
    if report.display_quantity:
        fields["icebergQty"] = quantity_text(instrument, report.display_quantity)
    return fields


def queried(instrument: Instrument, report: OrderReport, note: OrderNote) -> Fields:
    """Return an order as it is asked for.

    Source: Binance spot API, REST, Query order.
    """
    return {
        **named(instrument, report, client_id(report, note)),
        **order_fields(instrument, report, note),
        "stopPrice": price_text(instrument, report.trigger_price),
        "icebergQty": quantity_text(instrument, report.display_quantity),
        "time": report.time_ns // MS_NS,
        "updateTime": (note.update_ns or report.time_ns) // MS_NS,
        "isWorking": not report.pending,
    }


def cancelled(instrument: Instrument, report: OrderReport, note: OrderNote, time_ms: int) -> Fields:
    """Return an order as its cancel answers it: named by the cancel, its own name beside it.

    Source: Binance spot API, REST, Cancel order.
    """
    return {
        "origClientOrderId": client_id(report, note),
        **named(instrument, report, note.cancel_id),
        "transactTime": time_ms,
        **order_fields(instrument, report, note),
        **conditions(instrument, report),
    }


def fill_rows(instrument: Instrument, fills: Iterable[OrderFilled]) -> list[Fields]:
    """Return the fills of a new order's answer.

    Source: Binance spot API, REST, New order (FULL): fills.
    """
    return [
        {
            "price": price_text(instrument, fill.fill_price),
            "qty": quantity_text(instrument, fill.fill_quantity),
            "commission": decimal_text(fill.fee),
            "commissionAsset": fill.fee_asset,
            "tradeId": fill.trade_id,
        }
        for fill in fills
    ]


def trade_row(instrument: Instrument, fill: OrderFilled, list_id: int) -> Fields:
    """Return one fill of the account's trade list.

    Source: Binance spot API, REST, Account trade list.
    """
    return {
        "symbol": instrument.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": list_id,
        "price": price_text(instrument, fill.fill_price),
        "qty": quantity_text(instrument, fill.fill_quantity),
        "quoteQty": notional_text(instrument, fill.fill_price * fill.fill_quantity),
        "commission": decimal_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ns // MS_NS,
        "isBuyer": fill.side.name == "BUY",
        "isMaker": fill.liquidity is Liquidity.MAKER,
        "isBestMatch": True,
    }
