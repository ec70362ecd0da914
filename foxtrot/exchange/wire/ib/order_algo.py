"""Algorithms of IB's own: which the server knows, and what it refuses of others and of their parameters."""

from collections.abc import Mapping
from typing import Final

from foxtrot.exchange.wire.ib.order_read import AskedOrder
from foxtrot.exchange.wire.ib.order_texts import refused

ADAPTIVE: Final = "adaptive"
_TYPES: Final = frozenset({"LMT", "MKT"})
_PRIORITY: Final = "adaptivePriority"
_PRIORITIES: Final = frozenset({"urgent", "normal", "patient"})


def refuse_algo(asked: AskedOrder) -> None:
    """Refuse an order with an algorithm that is not known, not for its type, or with parameters that are not its own.

    Adaptive is the one that is known. It works as the order that it is: what it would gain by waiting inside the spread is not played.

    Raises:
        IbRefused: 439, 441, 442 or 443.

    Source: TWS API documentation, IB Algorithms (Adaptive Algo); Message Codes (439 to 443).
    """
    name, *rest = asked.text("algoStrategy").split("\0")
    if not name:
        return
    if name.lower() != ADAPTIVE:
        raise refused(asked.order_id, "algo_unknown")
    if asked.text("orderType").upper() not in _TYPES:
        raise refused(asked.order_id, "algo_not_allowed")
    for tag, value in _parameters(rest).items():
        if tag != _PRIORITY:
            raise refused(asked.order_id, "algo_attribute")
        if value.lower() not in _PRIORITIES:
            raise refused(asked.order_id, "algo_value", name=tag, text=value[:40])


def _parameters(rest: list[str]) -> Mapping[str, str]:
    """Return tags with their values: behind the name stand their count, then each tag and its value."""
    return dict(zip(rest[1::2], rest[2::2], strict=True))
