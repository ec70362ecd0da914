"""What Futu can and cannot give: the row of the capability table."""

from typing import Final

from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.adapter.futu.books import LEVELS
from foxtrot.domain.enums import OrderType, TimeInForce

REMARK_BYTES: Final = 64
"""How long our own id of an order may be, which travels in its remark. Source: Futu OpenAPI, Place Orders, remark."""

FUTU: Final = Capabilities(
    order_types=frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.STOP_LIMIT}),
    times_in_force=frozenset({TimeInForce.DAY, TimeInForce.GTC}),
    amend=True,
    book=BookKind.FULL,
    book_levels=LEVELS,
    best_by_stream=True,
    snapshot_levels=LEVELS,
    snapshot_cost=1.0,
    market_trades=True,
    bars=True,
    history=True,
    client_order_id_limit=REMARK_BYTES,
)
"""The book is all that Futu gives by any way, ten levels a side, whole in every push; its changes are not told."""
