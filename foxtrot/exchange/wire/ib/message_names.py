"""Messages by the names that TWS API's documentation gives their requests and callbacks."""

from typing import Final

REQUESTS: Final[dict[int, str]] = {
    1: "reqMktData", 2: "cancelMktData", 3: "placeOrder", 4: "cancelOrder", 5: "reqOpenOrders", 6: "reqAccountUpdates",
    7: "reqExecutions", 8: "reqIds", 9: "reqContractDetails", 10: "reqMktDepth", 11: "cancelMktDepth", 14: "setServerLogLevel",
    15: "reqAutoOpenOrders", 16: "reqAllOpenOrders", 17: "reqManagedAccts", 20: "reqHistoricalData",
    25: "cancelHistoricalData", 49: "reqCurrentTime", 50: "reqRealTimeBars", 51: "cancelRealTimeBars",
    58: "reqGlobalCancel", 59: "reqMarketDataType", 61: "reqPositions", 62: "reqAccountSummary",
    63: "cancelAccountSummary", 64: "cancelPositions", 71: "startApi", 76: "reqAccountUpdatesMulti",
    77: "cancelAccountUpdatesMulti", 81: "reqMatchingSymbols", 82: "reqMktDepthExchanges", 91: "reqMarketRule",
    92: "reqPnL", 93: "cancelPnL", 97: "reqTickByTickData", 98: "cancelTickByTickData", 99: "reqCompletedOrders",
}  # fmt: skip
"""What a client asks, by message id."""
CALLBACKS: Final[dict[int, str]] = {
    1: "tickPrice", 2: "tickSize", 3: "orderStatus", 4: "error", 5: "openOrder", 6: "updateAccountValue", 7: "updatePortfolio",
    8: "updateAccountTime", 9: "nextValidId", 10: "contractDetails", 11: "execDetails", 12: "updateMktDepth",
    13: "updateMktDepthL2", 15: "managedAccounts", 17: "historicalData", 45: "tickGeneric", 46: "tickString",
    49: "currentTime", 50: "realtimeBar", 52: "contractDetailsEnd", 53: "openOrderEnd", 54: "accountDownloadEnd",
    55: "execDetailsEnd", 57: "tickSnapshotEnd", 58: "marketDataType", 59: "commissionReport", 61: "position",
    62: "positionEnd", 63: "accountSummary", 64: "accountSummaryEnd", 73: "accountUpdateMulti",
    74: "accountUpdateMultiEnd", 79: "symbolSamples", 80: "mktDepthExchanges", 81: "tickReqParams", 90: "historicalDataUpdate",
    93: "marketRule", 94: "pnl", 99: "tickByTick", 101: "completedOrder", 102: "completedOrdersEnd",
}  # fmt: skip
"""What TWS tells, by message id."""
_REQUEST_ID_AT: Final = {3: 1, 4: 2, 7: 2, 9: 2, 1: 2, 2: 2, 10: 2, 11: 2, 20: 1, 25: 2, 50: 2, 51: 2, 62: 2, 63: 2,
                         76: 2, 77: 2, 81: 1, 92: 1, 93: 1, 97: 1, 98: 1}  # fmt: skip
_LONGEST: Final = 11


def request_name(body: bytes) -> str:
    """Return the name of a request, its number where none is known.

    Source: EClient of ibapi 9.81.
    """
    head = body[:_LONGEST].partition(b"\0")[0].decode("ascii", "replace")
    return REQUESTS.get(int(head), head) if head.isdecimal() else head


def callback_name(frame: bytes) -> str:
    """Return the name of what a frame tells, "version" for the answer to the range of versions.

    Source: EDecoder of ibapi 9.81.
    """
    head = frame[4 : 4 + _LONGEST].partition(b"\0")[0].decode("ascii", "replace")
    return CALLBACKS.get(int(head), head) if head.isdecimal() else head


def request_id_of(body: bytes) -> int:
    """Return the id of a request (the order id of an order), -1 where it has none.

    Source: EClient of ibapi 9.81.
    """
    fields = body.split(b"\0", 3)
    at = _REQUEST_ID_AT.get(int(fields[0]), 0) if fields[0].isdigit() and len(fields[0]) < _LONGEST else 0
    told = fields[at] if 0 < at < len(fields) else b""
    return int(told) if told.isdigit() and len(told) < _LONGEST else -1
