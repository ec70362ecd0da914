"""Layouts of the messages about accounts: values, portfolio, positions, profit and loss.

Source: EClient and EDecoder of ibapi 9.81, read as documentation of the protocol.
"""

from typing import Final

from foxtrot.exchange.wire.ib.layout import layout
from foxtrot.exchange.wire.ib.order_layouts import CONTRACT_NAMES

ACCOUNT_UPDATES_ID, SUMMARY_ID, CANCEL_SUMMARY_ID, POSITIONS_ID, CANCEL_POSITIONS_ID = 6, 62, 63, 61, 64
UPDATES_MULTI_ID, CANCEL_UPDATES_MULTI_ID, PNL_ID, CANCEL_PNL_ID = 76, 77, 92, 93
"""Ids of the requests."""

ACCOUNT_UPDATES: Final = layout(ACCOUNT_UPDATES_ID, "version subscribe account")
SUMMARY: Final = layout(SUMMARY_ID, "version reqId group tags")
UPDATES_MULTI: Final = layout(UPDATES_MULTI_ID, "version reqId account modelCode ledgerAndNLV")
PNL_REQUEST: Final = layout(PNL_ID, "reqId account modelCode")

ACCOUNT_VALUE: Final = layout(6, "key value currency account", version=2)
PORTFOLIO: Final = layout(
    7,
    f"{CONTRACT_NAMES.replace(' exchange ', ' primaryExchange ')} position marketPrice marketValue averageCost "
    "unrealizedPNL realizedPNL account",
    version=8,
)
ACCOUNT_TIME: Final = layout(8, "time", version=1)
ACCOUNT_DOWNLOAD_END: Final = layout(54, "account", version=1)
ACCOUNT_SUMMARY: Final = layout(63, "reqId account tag value currency", version=1)
ACCOUNT_SUMMARY_END: Final = layout(64, "reqId", version=1)
POSITION: Final = layout(61, f"account {CONTRACT_NAMES} position avgCost", version=3)
POSITION_END: Final = layout(62, "", version=1)
UPDATE_MULTI: Final = layout(73, "reqId account modelCode key value currency", version=1)
UPDATE_MULTI_END: Final = layout(74, "reqId", version=1)
PNL: Final = layout(94, "reqId dailyPnL unrealizedPnL realizedPnL")
