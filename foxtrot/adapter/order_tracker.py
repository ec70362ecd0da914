"""One order is told by answers, lists and the user stream, in any order and number; the tracker tells each fact once."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from foxtrot.adapter.exact_sums import EXACT, average_of, exact_of
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import OPEN, TERMINAL, merge_status

CAPACITY = 10_000
"""How many orders are remembered; the oldest that are done go first."""

_UNTOLD = frozenset({OrderStatus.UNKNOWN, OrderStatus.DENIED, OrderStatus.REJECTED})
"""What may be said of an order that was never accepted."""

_NEVER_SENT = frozenset({OrderStatus.UNKNOWN, OrderStatus.DENIED})
"""What we said ourselves of an order, before the venue did."""

_EMPTY = Decimal(0)
_NO_FILLS: frozenset[str] = frozenset()
"""Shared by all orders that have none: most of those that are remembered."""


class _Tracked:
    """What was told of one order. `counted` are its fills by trade id, told or known to the desk by a list.

    An order of an earlier run has a `baseline`: how much of it was filled up to `baseline_ns`, when it was first listed. Those
    fills are part of what the account began with, and asked for only as far as the list of trades goes back; `old` counts them.
    """

    __slots__ = ("accepted", "baseline", "baseline_ns", "cost", "counted", "early", "filled", "last", "old", "ours")

    def __init__(self, *, ours: bool) -> None:
        self.last: OrderData | None = None
        self.accepted = False
        self.ours = ours
        self.baseline = self.old = _EMPTY
        self.baseline_ns = -1
        self.counted: set[str] | frozenset[str] = _NO_FILLS
        self.filled = _EMPTY
        self.cost = _EMPTY
        self.early: tuple[TradeData, ...] = ()

    @property
    def is_done(self) -> bool:
        return self.last is not None and self.last.status in TERMINAL and not self.lacks

    @property
    def lacks(self) -> bool:
        """Tell whether the venue counts more as filled than its fills that came."""
        known = EXACT.add(self.filled, EXACT.subtract(self.baseline, self.old))
        return self.last is not None and known < exact_of(self.last.filled_quantity)

    def begin_with(self, order: OrderData) -> None:
        """Take what was filled of an order when it was first listed as known."""
        self.baseline, self.baseline_ns = exact_of(order.filled_quantity), order.venue_time_ns

    def is_old(self, trade: TradeData) -> bool:
        """Tell whether a fill is part of the baseline."""
        within = EXACT.add(self.old, exact_of(trade.quantity)) <= self.baseline
        return within and trade.venue_time_ns <= self.baseline_ns

    def count(self, trade: TradeData, *, old: bool = False) -> bool:
        """Count a fill; False when it was counted before."""
        if trade.trade_id in self.counted:
            return False
        if isinstance(self.counted, frozenset):
            self.counted = set()
        self.counted.add(trade.trade_id)
        quantity = exact_of(trade.quantity)
        if old:
            self.old = EXACT.add(self.old, quantity)
        self.filled = EXACT.add(self.filled, quantity)
        self.cost = EXACT.add(self.cost, EXACT.multiply(quantity, exact_of(trade.price)))
        return True


class OrderTracker:
    """Merges what is heard of orders by status and cumulative quantity, and publishes what is new.

    Each state is told once and never backwards; an order's first report is ACCEPTED whatever it had become when it was heard
    of; each fill is told once, after a state that counts it. Whatever the order and number of messages, the end is the same.
    `instruments` are the ids of all instruments of which an order was heard.

    Thread: the adapter's own.
    """

    def __init__(
        self, tell_order: Callable[[OrderData], None], tell_trade: Callable[[TradeData], None], capacity: int = CAPACITY
    ) -> None:
        self._tell_order = tell_order
        self._tell_trade = tell_trade
        self._capacity = capacity
        self._orders: OrderedDict[str, _Tracked] = OrderedDict()
        self._ids: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lacking: set[str] = set()
        self._caught_up = False
        self.instruments: set[str] = set()
        self.tells_changes = False
        """Whether other terms of an open order are news: where the venue changes orders. Elsewhere a trigger alone changes them."""
        self.on_told: Callable[[str], None] = _hear_nothing
        """Hears the id of an order whenever the venue tells of it, be that new or not; a fill counts once."""

    def expect(self, order_id: str) -> None:
        """Note that an order is ours, before it is sent."""
        self._orders[order_id] = _Tracked(ours=True)
        self._make_room()

    def forget(self, order_id: str) -> None:
        """Drop an order that never left."""
        self._orders.pop(order_id, None)

    def last(self, order_id: str) -> OrderData | None:
        """Return what was told last of an order, or None."""
        tracked = self._orders.get(order_id)
        return tracked.last if tracked is not None else None

    def knows(self, order_id: str) -> bool:
        """Tell whether an order was sent by us or heard of."""
        return order_id in self._orders

    def order_id_of(self, instrument_id: str, venue_order_id: str) -> str:
        """Return the id under which an order of the venue is told, or "" when it was not heard of."""
        return self._ids.get((instrument_id, venue_order_id), "")

    def note_id(self, instrument_id: str, venue_order_id: str, order_id: str) -> None:
        """Remember under which id an order of the venue is told."""
        self._ids[(instrument_id, venue_order_id)] = order_id
        while len(self._ids) > 2 * self._capacity:
            self._ids.popitem(last=False)

    def open_orders(self) -> Iterator[OrderData]:
        """Yield the orders that may still trade, as told last."""
        yield from [t.last for t in self._orders.values() if t.last is not None and t.last.status in OPEN]

    def lacking(self) -> Iterator[OrderData]:
        """Yield the orders of which the venue counts more as filled than its fills that came."""
        found = [self._orders[order_id].last for order_id in self._lacking if order_id in self._orders]
        yield from [order for order in found if order is not None]

    @property
    def lacks(self) -> bool:
        """Tell whether any fill is missing."""
        return bool(self._lacking)

    def catch_up(self) -> None:
        """Note that the first lists of orders and trades were told: what a later list brings began in this run."""
        self._caught_up = True

    def report(self, order: OrderData, *trades: TradeData) -> None:
        """Take a state of an order and the fills that it came with."""
        if order.status not in _NEVER_SENT:
            self.on_told(order.order_id)
        tracked = self._tracked(order)
        listed = exact_of(order.filled_quantity) <= tracked.baseline
        new = [trade for trade in trades if tracked.count(trade, old=listed and tracked.is_old(trade))]
        if not tracked.accepted and order.status not in _UNTOLD:
            tracked.accepted = True
            if order.status is not OrderStatus.ACCEPTED and (
                tracked.last is None or tracked.last.status in _NEVER_SENT
            ):
                self._publish(tracked, _accepted(order))
        self._publish(tracked, _merged(tracked, order))
        self._note_lack(order.order_id, tracked)  # before fills are told, so that whoever hears one knows of the others
        for trade in new:
            self._tell_fill(tracked, trade)
        early, tracked.early = tracked.early, ()
        for trade in early:
            self._tell_fill(tracked, trade)

    def fill(self, trade: TradeData) -> None:
        """Take a fill without a state; it waits until a state counts it. One from before the first list is not told."""
        tracked = self._orders.get(trade.order_id)
        if tracked is None:
            tracked = self._orders[trade.order_id] = _Tracked(ours=False)
            self._make_room()
        old = tracked.is_old(trade)
        new = tracked.count(trade, old=old)
        if new:
            self.on_told(trade.order_id)
        self._note_lack(trade.order_id, tracked)
        if new and not old:
            self._tell_fill(tracked, trade)

    def note_order(self, order: OrderData) -> None:
        """Remember a state that was told by a list."""
        self.on_told(order.order_id)
        tracked = self._tracked(order)
        if tracked.last is None and not tracked.ours and not self._caught_up:
            tracked.begin_with(order)
        tracked.accepted = True
        tracked.last = _merged(tracked, order)
        self._note_lack(order.order_id, tracked)

    def note_fill(self, trade: TradeData) -> None:
        """Remember a fill that was told by a list."""
        tracked = self._orders.get(trade.order_id)
        if tracked is not None:
            if tracked.count(trade, old=tracked.is_old(trade)):
                self.on_told(trade.order_id)
            self._note_lack(trade.order_id, tracked)

    def _note_lack(self, order_id: str, tracked: _Tracked) -> None:
        if tracked.lacks:
            self._lacking.add(order_id)
        else:
            self._lacking.discard(order_id)

    def _tracked(self, order: OrderData) -> _Tracked:
        """Return what is tracked of an order; an id that another client uses again is another order."""
        tracked = self._orders.get(order.order_id)
        if tracked is None or _is_another(tracked, order):
            tracked = self._orders[order.order_id] = _Tracked(ours=False)
            self._make_room()
        self.instruments.add(order.instrument_id)
        if order.venue_order_id:
            self.note_id(order.instrument_id, order.venue_order_id, order.order_id)
        return tracked

    def _publish(self, tracked: _Tracked, order: OrderData) -> None:
        last, tracked.last = tracked.last, order
        if (
            last is None
            or (last.status, last.filled_quantity) != (order.status, order.filled_quantity)
            or (self.tells_changes and order.status in OPEN and _figures(last) != _figures(order))
        ):
            self._tell_order(order)

    def _tell_fill(self, tracked: _Tracked, trade: TradeData) -> None:
        if tracked.last is None or exact_of(tracked.last.filled_quantity) < tracked.filled:
            tracked.early = (*tracked.early, trade)
        else:
            self._tell_trade(trade)

    def _make_room(self) -> None:
        if len(self._orders) <= self._capacity:
            return
        done = next((order_id for order_id, tracked in self._orders.items() if tracked.is_done), None)
        gone = done if done is not None else next(iter(self._orders))
        del self._orders[gone]
        self._lacking.discard(gone)


def _figures(order: OrderData) -> tuple[float, float, float]:
    return order.quantity, order.price, order.trigger_price


def _accepted(order: OrderData) -> OrderData:
    return msgspec.structs.replace(
        order, status=OrderStatus.ACCEPTED, filled_quantity=0.0, average_price=0.0, rule="", reason=""
    )


def _is_another(tracked: _Tracked, order: OrderData) -> bool:
    last = tracked.last
    if tracked.ours or last is None or last.status not in TERMINAL or order.status is not OrderStatus.ACCEPTED:
        return False
    return bool(last.venue_order_id and order.venue_order_id) and last.venue_order_id != order.venue_order_id


def _merged(tracked: _Tracked, order: OrderData) -> OrderData:
    """Return a report with whatever is known better: the higher count, the status that knows more and its reason."""
    last = tracked.last
    if last is None:
        return order if order.status in _UNTOLD else _with_average(tracked, order)
    status = merge_status(last.status, order.status)
    newer = order if order.filled_quantity >= last.filled_quantity else last
    ending = order if status is not last.status else last
    filled = newer.filled_quantity
    if status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED) and filled:
        status = OrderStatus.FILLED if filled >= order.quantity > 0 else OrderStatus.PARTIALLY_FILLED
    merged = msgspec.structs.replace(
        order, status=status, filled_quantity=filled, average_price=newer.average_price, rule=ending.rule,
        reason=ending.reason, venue_order_id=order.venue_order_id or last.venue_order_id,
        venue_time_ns=max(order.venue_time_ns, last.venue_time_ns),
    )  # fmt: skip
    return _with_average(tracked, merged)


def _with_average(tracked: _Tracked, order: OrderData) -> OrderData:
    """Return a report with the exact average where all of its fills are known; some venues round their own."""
    if not order.filled_quantity or tracked.filled != exact_of(order.filled_quantity):
        return order
    return msgspec.structs.replace(order, average_price=average_of(tracked.cost, tracked.filled))


def _hear_nothing(_order_id: str) -> None:
    """Be told of an order that nobody waits for."""
