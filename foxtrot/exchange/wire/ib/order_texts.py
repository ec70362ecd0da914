"""What TWS says when it refuses an order, a cancel or a request about the account: all codes and texts in one table.

Where the wording of a real TWS is published it stands so; the rest is Foxtrot's, for IB lists codes but few texts.
"""

from collections.abc import Mapping
from typing import Final

from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.wire.ib.refusal import CANCELLED, NO_DEFINITION, REJECTED, VALIDATION, IbRefused

ORDER_MESSAGE: Final = 399
_REJECTED: Final = "Order rejected - reason:"
_INVALID: Final = "Error validating request.-'bN' : cause - "

TEXTS: Final[Mapping[str, tuple[int, str]]] = {
    # Published by IB, TWS API documentation, Message Codes.
    "duplicate": (103, "Duplicate order id"),
    "filled": (104, "Can't modify a filled order."),
    "mismatch": (105, "Order being modified does not match original order: {what} cannot be changed"),
    "tick": (110, "The price does not conform to the minimum price variation for this contract."),
    "not_cancellable": (161, "Cancel attempted when order is not in a cancellable state.  Order permId ={perm_id}"),
    "unknown_contract": (NO_DEFINITION, "No security definition has been found for the request"),
    "ambiguous": (NO_DEFINITION, "The contract description specified for {symbol} is ambiguous."),
    "cancelled": (CANCELLED, "Order Canceled - reason:{reason}"),
    "unsupported_type": (387, "Unsupported order type for this exchange and security type."),
    "zero_size": (434, "The order size cannot be zero."),
    "which_account": (435, "You must specify an account."),
    "unknown_cancel": (10147, "OrderId {order_id} that needs to be cancelled is not found."),
    "algo_unknown": (439, "The algorithm definition not found."),
    "algo_value": (441, "Algo attributes validation failed: {name}={text}"),
    "algo_not_allowed": (442, "Specified algorithm is not allowed for this order."),
    "algo_attribute": (443, "Order processing failed. Unknown algo attribute."),
    "late_cancel": (10148, "OrderId {order_id} that needs to be cancelled can not be cancelled, state: {state}."),
    "fractional": (
        10243,
        "Fractional-sized order cannot be placed via API. Please use the whole number {below} or {above}",
    ),
    "cash_quantity": (10244, "Cash Quantity cannot be used for this order"),
    "old_attribute": (10268, "The '{name}' order attribute is not supported."),
    "read_only": (VALIDATION, _INVALID + "The API interface is currently in Read-Only mode."),
    "auto_bind": (VALIDATION, _INVALID + "Only the default client (i.e 0) can auto bind orders."),
    "margin": (
        REJECTED,
        _REJECTED + "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
        "[{equity} {currency}] MUST EXCEED THE INITIAL MARGIN [{margin} {currency}]",
    ),
    # Foxtrot's wording under IB's codes.
    "account": (VALIDATION, _INVALID + "Invalid account code '{account}'."),
    "field": (VALIDATION, _INVALID + "{name} is '{text}', which is not allowed here"),
    "combination": (VALIDATION, _INVALID + "combination orders are not supported"),
    "conditions": (VALIDATION, _INVALID + "conditional orders are not supported"),
    "missing": (VALIDATION, _INVALID + "an order of type {order_type} needs {name}"),
    "unsupported": (REJECTED, _REJECTED + "{what} is not supported for this contract"),
    "time_in_force": (REJECTED, _REJECTED + "time in force {tif} is not supported for order type {order_type}"),
    "past": (REJECTED, _REJECTED + "the good till date {text} is not in the future"),
    "date": (VALIDATION, _INVALID + "the time '{text}' must be YYYYMMDD HH:MM:SS with a time zone or without"),
    "opening": (REJECTED, _REJECTED + "the market is open; orders for the opening are taken while it is closed"),
    "too_many": (
        REJECTED,
        _REJECTED + "there are {most} active orders on this side of the contract in this account, which is the limit",
    ),
    "lot": (REJECTED, _REJECTED + "the order size {size} is not a multiple of the lot size; use {below} or {above}"),
    "parent": (REJECTED, _REJECTED + "there is no open parent order {parent_id} of this client"),
    "no_price": (REJECTED, _REJECTED + "there is no price on the other side yet"),
    "halted": (REJECTED, _REJECTED + "{symbol} does not trade now"),
    "venue": (REJECTED, _REJECTED + "{reason}"),
    "ledger": (VALIDATION, _INVALID + "'{tag}' is no tag of an account summary"),
    "waits": (
        ORDER_MESSAGE,
        "Order Message:\n{action} {quantity} {symbol}\n"
        "Warning: your order will not be placed at the exchange until {when}",
    ),
}
"""Code and text by what happened."""

RESULTS: Final[Mapping[ResultCode, str]] = {
    ResultCode.INSTRUMENT_HALTED: "halted",
    ResultCode.INSTRUMENT_CLOSED: "halted",
    ResultCode.INSTRUMENT_EXPIRED: "halted",
    ResultCode.FILTER_PRICE_GRID: "tick",
    ResultCode.FILTER_TRIGGER: "tick",
}
"""The text by what the venue said; any other code is told with the venue's own reason."""


def text_of_order(key: str, **values: object) -> tuple[int, str]:
    """Return code and text of the table.

    Source: TWS API documentation, Message Codes.
    """
    code, text = TEXTS[key]
    return code, text.format(**values)


def refused(request_id: int, key: str, **values: object) -> IbRefused:
    """Return the refusal of a request, with a text of the table.

    Source: TWS API documentation, Message Codes.
    """
    code, text = text_of_order(key, **values)
    return IbRefused(code, text, request_id)


def venue_refusal(request_id: int, result: CommandResult, symbol: str) -> IbRefused:
    """Return what TWS says of a refusal by the venue.

    Source: TWS API documentation, Message Codes (201, 110).
    """
    key = RESULTS.get(result.code, "venue")
    return refused(request_id, key, symbol=symbol, reason=result.message)
