"""What makes two wishes a pair: a stop and a resting limit of one position, of which one ends the other at the venue."""

from typing import Final

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.domain.enums import OrderType
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest

RULE: Final = "pair"
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def check_pair(first: OrderRequest, second: OrderRequest, adapter: BaseAdapter | None) -> None:
    """Refuse two wishes that no venue could keep as one; each order's own terms are judged elsewhere.

    Args:
        first: one of them.
        second: the other.
        adapter: of the first one's account, None where there is none.

    Raises:
        OrderRefused: rule pair, with what a pair is and what these are.
    """
    if adapter is not None and not adapter.capabilities.oco:
        raise OrderRefused(RULE, f"a venue that keeps pairs; {adapter.adapter_name} keeps none", first.account)
    kinds = (first.order_type, second.order_type)
    if sum(kind in _STOPS for kind in kinds) != 1 or OrderType.LIMIT not in kinds:
        raise OrderRefused(RULE, "a stop or stop_limit and a limit", f"{kinds[0]} and {kinds[1]}")
    for name in ("account", "instrument_id", "side", "quantity", "position_side"):
        mine, other = getattr(first, name), getattr(second, name)
        if mine != other:
            raise OrderRefused(RULE, f"one {name}", f"{mine} and {other}")
    limit = first if first.order_type is OrderType.LIMIT else second
    if not limit.post_only:
        raise OrderRefused(RULE, "a limit that is post-only: it rests, or neither order leaves", "one that is not")
