"""What was told while something went wrong: in words for the document, and held against the venue's truth."""

import abc
from collections import Counter
from itertools import groupby

from foxtrot.core.notices import (
    AdapterStatus,
    BookStateChanged,
    Gap,
    OpenOrdersLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData, TradeData
from tests.support.contract_rig import ContractRig
from tests.support.recorder import Recorder

ENDED = {
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
    OrderStatus.DENIED,
}


class FaultJudgement(ContractRig):
    """A rig that judges what its recorder heard since `_begun_at`.

    Thread: the test's.
    """

    heard: Recorder
    spot: Instrument
    _begun_at: int = 0

    def seen(self) -> str:
        """Return in words what was told since the beginning: states of the link and of books, gaps, failures."""
        events = self.heard.events(self._begun_at)
        link = [event.state.value for event in events if isinstance(event, AdapterStatus)]
        name = self.spot.instrument_id
        book = [
            event.state.value for event in events if isinstance(event, BookStateChanged) and event.instrument_id == name
        ]
        link = link if len(link) <= 18 else [*link[:8], "…", *link[-4:]]
        words = ["link " + " → ".join(link)] if link else ["link stays"]
        words += ["book " + " → ".join(shortened(book))] if book else ["book stays live"]
        lost = sum(event.count for event in events if isinstance(event, Gap))
        words += [f"gap of {lost} prints"] if lost else []
        failed = sorted({event.what for event in events if isinstance(event, RequestFailed)})
        return "; ".join(words + [f"failed: {what}" for what in failed])

    def link_states(self) -> list[AdapterState]:
        """Return the states of the link since the beginning."""
        return self.heard.states(self._begun_at)

    def orders_wrong(self) -> list[str]:
        """Return what differs between what was told of our orders and the venue's truth."""
        received = Counter(self.received())
        found = [f"{order_id} reached the venue {times} times" for order_id, times in received.items() if times > 1]
        open_now, filled = self._believed()
        if open_now != self.open_orders():
            found.append(f"open orders: told {open_now}, the venue has {self.open_orders()}")
        for order_id, size in self.filled_of_open().items():
            if filled.get(order_id) != size:
                found.append(f"{order_id} is filled {size}, told {filled.get(order_id)}")
        return found + self.fills_wrong()

    def fills_wrong(self) -> list[str]:
        """Return what differs between the fills that were told and the venue's, by their numbers."""
        true = {trade_id for trade_id, *_ in self.fills()}
        told = Counter(trade.trade_id for trade in self.heard.of(TradeData))
        loaded = {trade.trade_id for event in self.heard.of(TradesLoaded) for trade in event.trades}
        if set(told) | loaded != true or any(times > 1 for times in told.values()):
            return [f"fills: told {dict(told)} and {loaded}, the venue has {true}"]
        return []

    @abc.abstractmethod
    def filled_of_open(self) -> dict[str, float]:
        """Return how far each of our open orders is filled at the venue."""

    def _believed(self) -> tuple[set[str], dict[str, float]]:
        """Return the open orders and how far each is filled, as a desk would know them from what was told."""
        open_now: set[str] = set()
        filled: dict[str, float] = {}
        for event in self.heard.events():
            if isinstance(event, OpenOrdersLoaded):
                open_now = {order.order_id for order in event.orders}
                filled |= {order.order_id: order.filled_quantity for order in event.orders}
            elif isinstance(event, OrderData):
                (open_now.discard if event.status in ENDED else open_now.add)(event.order_id)
                filled[event.order_id] = max(filled.get(event.order_id, 0.0), event.filled_quantity)
        return open_now, filled


def shortened(states: list[str]) -> list[str]:
    """Return states with repetitions of a pair told once."""
    pairs = [key for key, _ in groupby(states)]
    if len(pairs) <= 6:
        return pairs
    return [*pairs[:4], "…", pairs[-1]]
