"""The echo check: what a venue says of one of our orders must speak of that order; a venue that lies is not believed."""

from collections.abc import Callable

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading.order_index import OrderIndex
from foxtrot.trading.order_record import OrderRecord

_ADAPTERS_OWN = frozenset({OrderStatus.DENIED, OrderStatus.UNKNOWN})
"""What no venue says: the adapter's own word, which before contracts are known has no figures."""


class EchoCheck:
    """Holds instrument, side and quantity of what is told against the order that this platform sent under the same id.

    Thread: the dispatcher's.

    Args:
        index: the desk's records.
        doubt: told of an order of which something else was said, and what.
        sink: where the alarm goes.
        clock: tells the time.
    """

    def __init__(
        self, index: OrderIndex, doubt: Callable[[OrderRecord, str], None], sink: EventSink, clock: Clock
    ) -> None:
        self.alarms = 0
        self._index = index
        self._doubt = doubt
        self._sink = sink
        self._clock = clock

    def is_false(self, fact: OrderData | TradeData) -> bool:
        """Tell whether a fact cannot be about the order that it names; then its outcome is in doubt, and somebody is told."""
        record = self._index.all.get(fact.order_id)
        if record is None or record.approved is None or record.terms.account != fact.account:
            return False
        if type(fact) is OrderData and fact.status in _ADAPTERS_OWN:
            return False
        terms = record.terms
        if fact.instrument_id == terms.instrument_id and fact.side is terms.side and not _is_other_size(fact, record):
            return False
        told = f"{fact.side} {fact.quantity!r} {fact.instrument_id}"
        reason = f"the venue told of {told} where {terms.side} {terms.quantity!r} {terms.instrument_id} was sent"
        self.alarms += 1
        self._sink.put(RequestFailed(fact.account, f"echo of {fact.order_id}", reason, self._clock.now_ns()))
        self._doubt(record, reason)
        return True


def _is_other_size(fact: OrderData | TradeData, record: OrderRecord) -> bool:
    """Tell whether an order is told with a quantity that it never had, or a fill with more than all of it.

    Venues make reduce-only orders smaller when their position shrinks.
    """
    sent = max(record.sizes, default=record.terms.quantity)
    if type(fact) is TradeData or record.terms.reduce_only:
        return not 0.0 < fact.quantity <= sent
    return fact.quantity != record.terms.quantity and fact.quantity not in record.sizes
