"""What the venue refuses, in the words in which Binance's spot exchange refuses it."""

from collections.abc import Mapping

from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.wire.binance.api_error import ApiError

INSUFFICIENT_BALANCE = "Account has insufficient balance for requested action."
WOULD_TAKE = "Order would immediately match and take."
WOULD_TRIGGER = "Stop price would trigger immediately."
DUPLICATE = "Duplicate order sent."
UNKNOWN_ORDER = "Unknown order sent."
BAD_PRICES = "The relationship of the prices for the orders is not correct."

_FILTER = "Filter failure: "
_CLOSED = (-1013, "Market is closed.")
_SYMBOL = (-1121, "Invalid symbol.")
_COMBINATION = (-1014, "Unsupported order combination.")

ANSWERS: Mapping[ResultCode, tuple[int, str]] = {
    ResultCode.INSTRUMENT_UNKNOWN: _SYMBOL,
    ResultCode.INSTRUMENT_UNSUPPORTED: _SYMBOL,
    ResultCode.INSTRUMENT_HALTED: _CLOSED,
    ResultCode.INSTRUMENT_CLOSED: _CLOSED,
    ResultCode.INSTRUMENT_EXPIRED: _CLOSED,
    ResultCode.FILTER_PRICE_GRID: (-1013, _FILTER + "PRICE_FILTER"),
    ResultCode.FILTER_PRICE_MISSING: (-1013, "Invalid price."),
    ResultCode.FILTER_PRICE_BAND: (-1013, _FILTER + "PERCENT_PRICE_BY_SIDE"),
    ResultCode.FILTER_TRIGGER: (-1013, _FILTER + "PRICE_FILTER"),
    ResultCode.FILTER_LOT: (-1013, _FILTER + "LOT_SIZE"),
    ResultCode.FILTER_QUANTITY_LOW: (-1013, _FILTER + "LOT_SIZE"),
    ResultCode.FILTER_QUANTITY_HIGH: (-1013, _FILTER + "LOT_SIZE"),
    ResultCode.FILTER_NOTIONAL_LOW: (-1013, _FILTER + "NOTIONAL"),
    ResultCode.FILTER_NOTIONAL_HIGH: (-1013, _FILTER + "NOTIONAL"),
    ResultCode.FILTER_MAX_OPEN_ORDERS: (-1013, _FILTER + "MAX_NUM_ORDERS"),
    ResultCode.FILTER_DISPLAY: (-1013, _FILTER + "LOT_SIZE"),
    ResultCode.FILTER_EXPIRY: _COMBINATION,
    ResultCode.FILTER_COMBINATION: _COMBINATION,
    ResultCode.ACCOUNT_UNKNOWN: (-2010, "This account may not place or cancel orders."),
    ResultCode.ACCOUNT_INSUFFICIENT_BALANCE: (-2010, INSUFFICIENT_BALANCE),
    ResultCode.ACCOUNT_INSUFFICIENT_MARGIN: (-2010, INSUFFICIENT_BALANCE),
    ResultCode.ACCOUNT_DUPLICATE_CLIENT_ID: (-2010, DUPLICATE),
    ResultCode.MATCHING_POST_ONLY: (-2010, WOULD_TAKE),
    ResultCode.ORDER_NOT_FOUND: (-2011, UNKNOWN_ORDER),
    ResultCode.ORDER_PAIR: (-2010, BAD_PRICES),
    ResultCode.ORDER_NOT_AMENDABLE: (-2038, "Order amend rejected."),
}
"""Code and text by what the venue said; what is not here cannot come of a spot order."""


def filter_failure(name: str) -> ApiError:
    """Return the refusal of an order by one filter of its symbol.

    Source: Binance spot API, errors, Filter failures.
    """
    return ApiError(-1013, _FILTER + name)


def refused(result: CommandResult) -> ApiError:
    """Return the refusal of a command in Binance's words.

    Source: Binance spot API, errors: -1013, -2010, -2011 and their messages.
    """
    code, text = ANSWERS.get(result.code, (-2010, "This action is disabled on this account."))
    return ApiError(code, text)
