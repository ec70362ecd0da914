"""Orders outside their market's session: refused, kept here until it opens, or sent all the same, as the account is set."""

from collections.abc import Callable
from typing import Final

from foxtrot.adapter.futu.config import QUEUE, SEND, FutuSettings
from foxtrot.domain.enums import OrderType
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder
from foxtrot.domain.sessions import hours_text, market_hours

RULE: Final = "outside_session"
LONGEST_QUEUE: Final = 1_000
"""How many orders are kept at most."""


def fills_outside(order: ApprovedOrder, settings: FutuSettings) -> bool:
    """Tell whether an order may fill before and after the session, where its market has such hours: Futu lets limit orders."""
    return settings.extended_hours and order.order_type is OrderType.LIMIT


def waits_until_ns(order: ApprovedOrder, instrument: Instrument, settings: FutuSettings, now_ns: int) -> int:
    """Return when an order may be sent, by the market's calendar; 0 is now.

    Raises:
        OrderRefused: its market is closed and the account refuses such orders, or the calendar does not know the day.
    """
    if settings.outside_session == SEND:
        return 0
    extended = fills_outside(order, settings)
    try:
        hours = market_hours(instrument, now_ns)
        if hours.takes_orders(extended=extended):
            return 0
        opens_ns = hours.next_session_ns(extended=extended)
        said = hours_text(instrument, now_ns)
    except ConfigError as error:
        raise OrderRefused(RULE, "a day that the market's calendar knows", str(error)) from error
    if settings.outside_session == QUEUE and opens_ns is not None:
        return opens_ns
    fix = 'outside_session = "queue" keeps such orders until it opens'
    raise OrderRefused(RULE, "orders while the market trades", said, f"{instrument.symbol}: {said}; {fix}")


class OrderQueue:
    """Orders that wait for their market to open; they live here alone, and survive neither a lost link nor the end.

    Thread: futu-io.
    """

    def __init__(self, deny: Callable[[ApprovedOrder, str, str], None]) -> None:
        self._deny = deny
        self._waiting: dict[str, ApprovedOrder] = {}

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._waiting

    def waiting(self, order_id: str) -> ApprovedOrder | None:
        """Return an order that waits, None when it does not."""
        return self._waiting.get(order_id)

    def put(self, order: ApprovedOrder) -> None:
        """Keep an order.

        Raises:
            OrderRefused: too many are kept.
        """
        if len(self._waiting) >= LONGEST_QUEUE:
            raise OrderRefused(RULE, f"{LONGEST_QUEUE} orders in the queue", "one more")
        self._waiting[order.order_id] = order

    def take(self, order_id: str) -> bool:
        """Take an order out to send it; False when it was denied meanwhile."""
        return self._waiting.pop(order_id, None) is not None

    def drop(self, order_id: str, reason: str) -> None:
        """Deny an order that waits."""
        order = self._waiting.pop(order_id, None)
        if order is not None:
            self._deny(order, RULE, reason)

    def drop_all(self, reason: str) -> None:
        """Deny every order that waits."""
        for order_id in tuple(self._waiting):
            self.drop(order_id, reason)
