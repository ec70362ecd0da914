"""What Binance can and cannot give: one row of the capability table per product."""

from typing import Final

import msgspec

from foxtrot.adapter.binance.request_pace import WEIGHT_PER_MINUTE
from foxtrot.adapter.capabilities import BookKind, Capabilities, Countdown
from foxtrot.domain.enums import OrderType, PositionMode, Product, TimeInForce

TIMEOUT_S: Final = 10.0
"""How long Binance itself may work on a request that arrived in its receive window, before it answers that it does not know.

Source: Binance spot API, rest-api, General API information (timeout of 10 seconds); Errors, -1007 TIMEOUT.
"""
MARGIN_S: Final = 5.0
"""How long after that Binance's answers may still lag behind its market."""

# The weights of a request of 1,000 levels are those of Binance spot API, rest-api, Order book, and USDⓈ-M Futures, Order Book.
SPOT: Final = Capabilities(
    order_types=frozenset(OrderType),
    times_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    limit_only=frozenset({TimeInForce.FOK}),
    post_only=True,
    iceberg=True,
    oco=True,
    book=BookKind.FULL,
    book_levels=1000,
    best_by_stream=True,
    book_interval_ms=100.0,
    snapshot_levels=1000,
    snapshot_cost=50.0,
    depth_changes=True,
    market_trades=True,
    bars=True,
    history=True,
    client_order_id_limit=36,
    unknown_bound_s=20.0,
    weight_per_minute=float(WEIGHT_PER_MINUTE[Product.SPOT]),
)
USDM: Final = msgspec.structs.replace(
    SPOT,
    times_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD}),
    limit_only=frozenset({TimeInForce.FOK, TimeInForce.GTD}),
    position_modes=frozenset(PositionMode),
    reduce_only=True,
    iceberg=False,
    oco=False,
    countdown=Countdown.EVERYTHING,
    snapshot_cost=20.0,
    weight_per_minute=float(WEIGHT_PER_MINUTE[Product.PERPETUAL]),
)


def within(capabilities: Capabilities, recv_window_ms: int) -> Capabilities:
    """Return a row for a receive window, after which an order that has not arrived is refused by its age.

    An order that arrived in its window is in the market or refused a timeout later, and shows there a margin after that.

    Source: Binance spot API, rest-api, Timing security (recvWindow).
    """
    return msgspec.structs.replace(capabilities, unknown_bound_s=recv_window_ms / 1000.0 + TIMEOUT_S + MARGIN_S)
