"""What USD-M answers when it refuses: the venue's result codes as Binance's codes and exact texts."""

from collections.abc import Mapping

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.wire.binance.api_error import ApiError

REFUSALS: Mapping[ResultCode, tuple[int, str]] = {
    ResultCode.INSTRUMENT_UNKNOWN: (-1121, "Invalid symbol."),
    ResultCode.INSTRUMENT_EXISTS: (-1121, "Invalid symbol."),
    ResultCode.INSTRUMENT_UNSUPPORTED: (-1121, "Invalid symbol."),
    ResultCode.INSTRUMENT_HALTED: (-4140, "Invalid symbol status for opening position."),
    ResultCode.INSTRUMENT_CLOSED: (-4141, "Symbol is closed."),
    ResultCode.INSTRUMENT_EXPIRED: (-4141, "Symbol is closed."),
    ResultCode.FILTER_PRICE_GRID: (-4014, "Price not increased by tick size."),
    ResultCode.FILTER_PRICE_MISSING: (-4001, "Price less than 0."),
    ResultCode.FILTER_PRICE_BAND: (-4016, "Price is higher than mark price multiplier cap."),
    ResultCode.FILTER_TRIGGER: (-4006, "Stop price less than zero."),
    ResultCode.FILTER_LOT: (-4023, "Qty not increased by step size."),
    ResultCode.FILTER_QUANTITY_LOW: (-4004, "Quantity less than min quantity."),
    ResultCode.FILTER_QUANTITY_HIGH: (-4005, "Quantity greater than max quantity."),
    ResultCode.FILTER_NOTIONAL_LOW: (
        -4164,
        "Order's notional must be no smaller than 5 (unless you choose reduce only).",
    ),
    ResultCode.FILTER_NOTIONAL_HIGH: (-2027, "Exceeded the maximum allowable position at current leverage."),
    ResultCode.FILTER_MAX_OPEN_ORDERS: (-2025, "Reach max open order limit."),
    ResultCode.FILTER_EXPIRY: (
        -5040,
        "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than"
        " 253402300799000 (UTC 9999-12-31 23:59:59)",
    ),
    ResultCode.FILTER_DISPLAY: (-1014, "Unsupported order combination."),
    ResultCode.FILTER_COMBINATION: (-1014, "Unsupported order combination."),
    ResultCode.ACCOUNT_UNKNOWN: (-1109, "Invalid account."),
    ResultCode.ACCOUNT_EXISTS: (-1109, "Invalid account."),
    ResultCode.ACCOUNT_INSUFFICIENT_BALANCE: (-2018, "Balance is insufficient."),
    ResultCode.ACCOUNT_INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    ResultCode.ACCOUNT_POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    ResultCode.ACCOUNT_NOTHING_TO_REDUCE: (-2022, "ReduceOnly Order is rejected."),
    ResultCode.ACCOUNT_AMOUNT: (-4055, "Amount must be positive."),
    ResultCode.ACCOUNT_DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    ResultCode.ACCOUNT_LEVERAGE: (-4028, "Invalid leverage"),
    ResultCode.ACCOUNT_HAS_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    ResultCode.ACCOUNT_HAS_POSITION: (-4068, "Position side cannot be changed if there exists position."),
    ResultCode.MATCHING_POST_ONLY: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected."
        " The order will not be recorded in the order history.",
    ),
    ResultCode.MATCHING_FOK: (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected."
        " The order will not be recorded in the order history.",
    ),
    ResultCode.MATCHING_NO_LIQUIDITY: (-2020, "Unable to fill."),
    ResultCode.MATCHING_SELF_TRADE: (-2010, "NEW_ORDER_REJECTED"),
    ResultCode.MATCHING_EXTERNAL_ONLY: (-1014, "Unsupported order combination."),
    ResultCode.ORDER_NOT_FOUND: (-2011, "Unknown order sent."),
    ResultCode.ORDER_NOT_AMENDABLE: (-2022, "ReduceOnly Order is rejected."),
    ResultCode.ORDER_NOT_CONDITIONAL: (-2011, "Unknown order sent."),
}
"""Every refusal of the venue. Source: Binance USDⓈ-M Futures, Error Codes."""


def refused(result: CommandResult, instrument: Instrument) -> ApiError:
    """Return the refusal of a command about an instrument.

    Source: Binance USDⓈ-M Futures, Error Codes; -4164 names the symbol's least notional.
    """
    code, text = REFUSALS[result.code]
    if result.code is ResultCode.FILTER_NOTIONAL_LOW:
        least = format(instrument.min_notional.normalize(), "f")
        text = f"Order's notional must be no smaller than {least} (unless you choose reduce only)."
    return ApiError(code, text)


def missing(name: str) -> ApiError:
    """Return the refusal of a call without a parameter that its kind needs.

    Source: Binance USDⓈ-M Futures, Error Codes, -1102; names stand there in lower case.
    """
    return ApiError(-1102, f"Mandatory parameter '{name.lower()}' was not sent, was empty/null, or malformed.")


def not_required(name: str) -> ApiError:
    """Return the refusal of a parameter that does not belong to this kind of call.

    Source: Binance USDⓈ-M Futures, Error Codes, -1106.
    """
    return ApiError(-1106, f"Parameter '{name.lower()}' sent when not required.")


def unknown_order() -> ApiError:
    """Return the refusal to cancel or change what is not open.

    Source: Binance USDⓈ-M Futures, Error Codes, -2011.
    """
    return ApiError(-2011, "Unknown order sent.")


def no_such_order() -> ApiError:
    """Return the answer to a question about an order that is not known.

    Source: Binance USDⓈ-M Futures, Error Codes, -2013.
    """
    return ApiError(-2013, "Order does not exist.")


def would_trigger() -> ApiError:
    """Return the refusal of a conditional order whose trigger is reached already.

    Source: Binance USDⓈ-M Futures, Error Codes, -2021.
    """
    return ApiError(-2021, "Order would immediately trigger.")
