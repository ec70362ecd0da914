"""What Interactive Brokers can and cannot give: the row of the capability table."""

from typing import Final

from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.adapter.ib.order_codec import ALGOS, KINDS, LIMIT_ONLY, REF_LENGTH, TIMES
from foxtrot.adapter.ib.order_questions import UNKNOWN_BOUND_S

LEVELS: Final = 20
"""How many rows of depth are asked for; a market may have fewer.

Source: TWS API, Market Depth (numRows).
"""

IB: Final = Capabilities(
    order_types=frozenset(KINDS),
    times_in_force=frozenset(TIMES),
    limit_only=LIMIT_ONLY,
    amend=True,
    algos=ALGOS,
    fees_apart=True,
    book=BookKind.FULL,
    book_levels=LEVELS,
    best_by_stream=True,
    snapshot_levels=LEVELS,
    snapshot_cost=1.0,
    market_trades=True,
    bars=True,
    history=True,
    client_order_id_limit=REF_LENGTH,
    unknown_bound_s=UNKNOWN_BOUND_S,
)
"""The book is all that IB gives by any way, as deep as was asked for, kept by rows that are inserted, changed and removed; changes by
price are not told."""
