"""What Futu can and cannot give: the row of the capability table."""

from typing import Final

import msgspec

from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.adapter.futu.books import LEVELS
from foxtrot.adapter.futu.order_codec import KINDS, REMARK_BYTES, SIMULATED_KINDS, SIMULATED_TIMES
from foxtrot.domain.enums import TimeInForce

UNKNOWN_BOUND_S: Final = 30.0
"""How long after an order's outcome became unknown its absence from all lists proves that it never reached the market.

OpenD answers what it is asked from its own memory, into which an order goes when OpenD takes it over. What was written to its socket it reads
at once or, where the connection broke, never; and the SDK gives an answer up after 12 s. The rest is margin for OpenD's way to its server.
"""

FUTU: Final = Capabilities(
    order_types=frozenset(KINDS),
    times_in_force=frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC}),
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
    unknown_bound_s=UNKNOWN_BOUND_S,
)
"""The book is all that Futu gives by any way, ten levels a side, whole in every push; its changes are not told."""

SIMULATED: Final = msgspec.structs.replace(FUTU, order_types=SIMULATED_KINDS, times_in_force=SIMULATED_TIMES)
"""The same for a paper account, which takes less."""
