"""Orders and executions as the server tells them: what the client wrote, and how it stands."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Final

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.ib.ib_order import CANCELLED, FILLED, INACTIVE, IbOrder
from foxtrot.exchange.wire.ib.layout import Layout, Value, text_of
from foxtrot.exchange.wire.ib.order_dates import completed_time, execution_time
from foxtrot.exchange.wire.ib.order_layouts import COMPLETED_ORDER, OPEN_ORDER
from foxtrot.exchange.wire.ib.venue_side import IbContract

Values = dict[str, Value]
NO_REQUEST_ID: Final = -1
_OWN: Final = frozenset(
    {"version", "orderId", "permId", "clientId", "status", "conditionCount", "deltaNeutralOrderType"}
)
"""Fields that the server fills, whatever the client wrote."""
_TYPES: Final = {
    OrderType.LIMIT: "LMT",
    OrderType.MARKET: "MKT",
    OrderType.STOP: "STP",
    OrderType.STOP_LIMIT: "STP LMT",
    OrderType.TAKE_PROFIT: "MIT",
    OrderType.TAKE_PROFIT_LIMIT: "LIT",
    OrderType.TRAILING_STOP: "TRAIL",
}
_TIMES: Final = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK", TimeInForce.DAY: "DAY"}
_ADDED, _REMOVED = 1, 2
"""Execution: lastLiquidity."""


def contract_values(contract: IbContract, route: str = "") -> Values:
    """Return a contract as it stands in messages about orders, executions and positions.

    Source: OrderDecoder and EDecoder of ibapi 9.81.
    """
    return {
        "conId": contract.con_id,
        "symbol": contract.symbol,
        "secType": contract.sec_type,
        "lastTradeDateOrContractMonth": contract.expiry_text,
        "strike": contract.strike_text,
        "right": contract.right_text or "?",
        "multiplier": contract.multiplier_text,
        "exchange": route or contract.exchange,
        "currency": contract.currency,
        "localSymbol": contract.local_symbol,
        "tradingClass": contract.trading_class,
    }


def open_values(
    order: IbOrder, contract: IbContract, parent_id: int, more: Mapping[str, Value] | None = None
) -> Values:
    """Return an order as openOrder tells it.

    Source: OrderDecoder of ibapi 9.81; the values of a real TWS where nothing was given.
    """
    values = _echo(OPEN_ORDER, order, contract)
    values |= {"orderId": order.order_id, "clientId": order.client_id, "permId": order.perm_id, "parentId": parent_id}
    values |= {"status": order.status, **(more or {})}
    if order.text("orderType") == "TRAIL" and order.trigger:
        values["trailStopPrice"] = values["adjustedTrailStopPrice"] = contract.instrument.price_grid.to_decimal(
            order.trigger
        )
    return values


def completed_values(order: IbOrder, contract: IbContract) -> Values:
    """Return an order that has ended as completedOrder tells it.

    Source: processCompletedOrderMsg of ibapi 9.81; texts as TWS API documentation, OrderState: completedStatus.
    """
    filled = contract.instrument.quantity_grid.to_decimal(order.filled)
    size = format(filled.normalize(), "f") if filled else "0"
    texts = {FILLED: f"Filled Size: {size}", CANCELLED: order.end_reason or "Cancelled by Trader", INACTIVE: "Rejected"}
    values = _echo(COMPLETED_ORDER, order, contract)
    values |= {
        "permId": order.perm_id,
        "parentPermId": order.parent_perm_id,
        "status": order.end_status,
        "filledQuantity": filled,
        "completedTime": completed_time(order.updated_ns),
        "completedStatus": texts.get(order.end_status, order.end_status),
    }
    return values


def status_values(order: IbOrder, contract: IbContract, parent_id: int, status: str = "") -> Values:
    """Return an order as orderStatus tells it, in a status that it passes through if one is given.

    Source: TWS API documentation, orderStatus; of an order that has ended, what is not filled remains, as logs of real TWS show.
    """
    instrument = contract.instrument
    step = instrument.price_grid.step
    return {
        "orderId": order.order_id,
        "status": status or order.status,
        "filled": instrument.quantity_grid.to_decimal(order.filled),
        "remaining": instrument.quantity_grid.to_decimal(order.remaining),
        "avgFillPrice": rounded(order.average(step)),
        "permId": order.perm_id,
        "parentId": parent_id,
        "lastFillPrice": instrument.price_grid.to_decimal(order.last_price),
        "clientId": order.client_id,
        "whyHeld": order.why_held,
    }


def execution_values(
    order: IbOrder, contract: IbContract, fill: OrderFilled, done: tuple[int, int], request_id: int = NO_REQUEST_ID
) -> Values:
    """Return a fill as execDetails tells it.

    Args:
        order: whose fill it is.
        contract: of the order.
        fill: as the venue told it.
        done: quantity and cost (price times quantity) of the order's fills up to this one, in units.
        request_id: of the request that it answers.

    Source: TWS API documentation, Execution.
    """
    instrument = contract.instrument
    filled, cost = done
    average = Decimal(cost) * instrument.price_grid.step / filled if filled else Decimal(0)
    return contract_values(contract, order.text("exchange")) | {
        "reqId": request_id,
        "orderId": order.order_id,
        "execId": execution_id(fill),
        "time": execution_time(fill.time_ns),
        "account": order.account_id,
        "venue": instrument.venue,
        "side": "BOT" if fill.side is Side.BUY else "SLD",
        "shares": instrument.quantity_grid.to_decimal(fill.fill_quantity),
        "price": instrument.price_grid.to_decimal(fill.fill_price),
        "permId": order.perm_id,
        "clientId": order.client_id,
        "liquidation": 0,
        "cumQty": instrument.quantity_grid.to_decimal(filled),
        "avgPrice": rounded(average),
        "orderRef": order.order_ref,
        "modelCode": order.text("modelCode"),
        "lastLiquidity": _ADDED if fill.liquidity.value == "maker" else _REMOVED,
    }


def execution_id(fill: OrderFilled) -> str:
    """Return the id of a fill: of a form like TWS's, whose last part counts corrections.

    Source: TWS API documentation, Execution: execId.
    """
    return f"0000f0f0.{fill.sequence >> 32:08x}.{fill.sequence & 0xFFFF_FFFF:08x}.01.01"


def rounded(value: Decimal) -> Decimal:
    """Return a computed figure with no more decimals than a float shows.

    Source: TWS API documentation, orderStatus: avgFillPrice is a double.
    """
    return round(value, 8)


def asked_of_report(contract: IbContract, report: OrderReport) -> dict[str, str]:
    """Return what a client would have written to enter an order that is at the venue.

    Source: EClient.placeOrder of ibapi 9.81.
    """
    prices, sizes = contract.instrument.price_grid, contract.instrument.quantity_grid
    offset = report.trailing_offset or report.trigger_price
    asked = {
        "action": report.side.value.upper(),
        "totalQuantity": text_of(sizes.to_decimal(report.quantity)),
        "orderType": _TYPES[report.order_type],
        "lmtPrice": text_of(prices.to_decimal(report.price)) if report.price else "",
        "auxPrice": text_of(prices.to_decimal(offset)) if offset else "",
        "tif": _TIMES.get(report.time_in_force, "GTC"),
        "orderRef": report.client_order_id,
        "exchange": contract.exchange,
    }
    return {name: text for name, text in asked.items() if text}


@cache
def _echoed_names(of: Layout) -> frozenset[str]:
    return frozenset(field.name for field in of.fields) - _OWN


def _echo(of: Layout, order: IbOrder, contract: IbContract) -> Values:
    names = _echoed_names(of)
    echoed: Values = {name: text for name, text in order.asked.items() if name in names}
    echoed |= contract_values(contract, order.text("exchange"))
    echoed["account"] = order.account_id
    if echoed.get("ocaType") == "0":
        del echoed["ocaType"]  # TWS tells its default
    return echoed
