"""Why orders came to nothing: counts of what risk denied and of what the venue refused."""

from collections import Counter

from foxtrot.domain.enums import OrderStatus
from foxtrot.trading.order_desk import OrderDesk

_OF_THE_ACCOUNT = "account."


def denied_by_rule(desk: OrderDesk) -> dict[str, int]:
    """Return how many orders each rule refused before they left."""
    return dict(Counter(order.rule for order in desk.denied.values()))


def refused_by_reason(desk: OrderDesk) -> dict[str, int]:
    """Return how many orders the venue rejected, or cancelled because the account could not pay, by its reason."""
    found: Counter[str] = Counter()
    for record in desk.records():
        why = record.rule or record.reason
        if record.status is OrderStatus.REJECTED or (
            record.status is OrderStatus.CANCELLED and why.startswith(_OF_THE_ACCOUNT)
        ):
            found[why] += 1
    return dict(found)
