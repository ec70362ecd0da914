"""What the demo counts while it runs: orders by status, prints by id, and how long facts and orders took."""

from collections import Counter, deque

from foxtrot.adapter.health import quantile
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import Gap, OrderChanged
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.market import DepthData, MarketTrade, TickData

OWNER = "demo"
KEPT = 500_000
"""Latencies that are remembered: the newest, more than an hour of them."""
_ANSWERED = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


class Latencies:
    """Some delays, in ms.

    Thread: `add`, one; the summary when that has ended.
    """

    def __init__(self) -> None:
        self._values_ms: deque[float] = deque(maxlen=KEPT)

    def add(self, delay_ns: int) -> None:
        """Take one in."""
        self._values_ms.append(delay_ns / 1e6)

    def summary(self) -> dict[str, float | int | None]:
        """Return percentiles by nearest rank; null without any."""
        values = list(self._values_ms)
        ranks = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
        return {
            **{name: round(quantile(values, share), 3) if values else None for name, share in ranks.items()},
            "count": len(values),
        }


class DemoFigures:
    """Hears what state and strategies hear, just before the strategy does.

    Facts are measured from the venue's own event time, which has whole milliseconds; a quote of spot carries none and is left
    out. Orders are measured from the desk's record of them to the venue's first word, when the engine has merged it.

    Thread: foxtrot-engine; made before the strategies begin to hear, read when the engine has stopped.
    """

    def __init__(self, dispatcher: Dispatcher, instrument_id: str, clock: Clock | None = None) -> None:
        self.venue_to_strategy = Latencies()
        self.strategy_to_ack = Latencies()
        self.statuses: Counter[OrderStatus] = Counter()
        self.partly_filled: set[str] = set()
        self.shed = 0
        self.trades_heard = 0
        self.first_trade_id = 0
        self.last_trade_id = 0
        self._clock: Clock = clock or dispatcher.clock  # a tape must not hear what is read for figures alone
        self._sent_ns: dict[str, int] = {}
        dispatcher.subscribe(TickData, self._on_fact, owner=OWNER, key=instrument_id)
        dispatcher.subscribe(DepthData, self._on_fact, owner=OWNER, key=instrument_id)
        dispatcher.subscribe(MarketTrade, self._on_market_trade, owner=OWNER, key=instrument_id)
        dispatcher.subscribe(OrderChanged, self._on_order_changed, owner=OWNER)
        dispatcher.subscribe(Gap, self._on_gap, owner=OWNER)

    def missed_until(self, trade_id: int) -> int:
        """Return how many public trades were not heard, from the first one heard to the last heard or this one."""
        if not self.first_trade_id:
            return 0
        return max(trade_id, self.last_trade_id) - self.first_trade_id + 1 - self.trades_heard

    def _on_fact(self, fact: TickData | DepthData) -> None:
        if fact.venue_time_ns and fact.venue_time_ns != fact.local_time_ns:
            self.venue_to_strategy.add(self._clock.now_ns() - fact.venue_time_ns)

    def _on_market_trade(self, trade: MarketTrade) -> None:
        self.venue_to_strategy.add(self._clock.now_ns() - trade.venue_time_ns)
        number = int(trade.trade_id)
        if number > self.last_trade_id:
            self.first_trade_id = self.first_trade_id or number
            self.last_trade_id = number
            self.trades_heard += 1

    def _on_gap(self, gap: Gap) -> None:
        self.shed += gap.count

    def _on_order_changed(self, change: OrderChanged) -> None:
        order = change.order
        self.statuses[order.status] += 1
        if order.status is OrderStatus.SUBMITTED:
            self._sent_ns[order.order_id] = order.local_time_ns
        elif order.status in _ANSWERED and (sent_ns := self._sent_ns.pop(order.order_id, 0)):
            self.strategy_to_ack.add(self._clock.now_ns() - sent_ns)
        if order.status is OrderStatus.PARTIALLY_FILLED:
            self.partly_filled.add(order.order_id)
