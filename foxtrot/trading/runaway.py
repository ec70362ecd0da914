"""The runaway throttle: a strategy that does the same over and over is disabled until a person re-arms it."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import Liquidity
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import TradeData
from foxtrot.trading.limits import Scope

REPEATED, PER_MINUTE = "repeated_executions", "orders_per_minute"
SECOND_NS = 1_000_000_000
_KINDS = 64
"""So many different (instrument, side, quantity) are remembered: a loop repeats one of the latest."""


class RunawayThrottle:
    """Counts what one strategy sends and what of it is executed, by the monotonic clock.

    Repeated are orders that took from the book, of the same instrument, side and quantity: a market maker's quotes that are hit,
    or a grid that a fall runs through, repeat nothing.

    Thread: the dispatcher's.
    """

    def __init__(self, clock: Clock, scopes: Iterable[Scope]) -> None:
        self._clock = clock
        known = tuple(scope.limits for scope in scopes)
        self.on_runaway: Callable[[OrderRefused], None] = _ignore
        """Hears why the strategy is to be disabled."""
        self._repeats = _strictest(one.repeated_executions for one in known)
        self._window_ns = int(max((one.repeated_window_s for one in known), default=0.0) * SECOND_NS)
        self._per_minute = _strictest(one.orders_per_minute for one in known)
        self._sent: deque[int] = deque()
        self._executed: OrderedDict[tuple[str, str, float], OrderedDict[str, int]] = OrderedDict()

    def clear(self) -> None:
        """Begin anew; the strategy starts."""
        self._sent.clear()
        self._executed.clear()

    def note_order(self) -> None:
        """Count an order that was sent; that there are too many is told."""
        if not self._per_minute:
            return
        now_ns, sent = self._clock.monotonic_ns(), self._sent
        sent.append(now_ns)
        while now_ns - sent[0] >= 60 * SECOND_NS:
            sent.popleft()
        if len(sent) > self._per_minute:
            self.on_runaway(OrderRefused(PER_MINUTE, f"{self._per_minute} orders in a minute", str(len(sent))))

    def note_execution(self, trade: TradeData, order_quantity: float) -> None:
        """Count an order once when it takes from the book; that there are too many alike is told."""
        if not self._repeats or trade.liquidity is not Liquidity.TAKER:
            return
        alike = self._alike((trade.instrument_id, str(trade.side), order_quantity))
        now_ns = self._clock.monotonic_ns()
        alike.setdefault(trade.order_id, now_ns)
        while now_ns - next(iter(alike.values())) > self._window_ns:
            alike.popitem(last=False)
        if len(alike) > self._repeats:
            limit = f"{self._repeats} orders alike in {self._window_ns / SECOND_NS:g} s"
            what = f"{trade.side} {order_quantity!r} {trade.instrument_id} {len(alike)} times"
            self.on_runaway(OrderRefused(REPEATED, limit, what))

    def _alike(self, kind: tuple[str, str, float]) -> OrderedDict[str, int]:
        found = self._executed.get(kind)
        if found is None:
            found = self._executed[kind] = OrderedDict()
            if len(self._executed) > _KINDS:
                self._executed.popitem(last=False)
        return found


def _strictest(limits: Iterable[int]) -> int:
    """Return the smallest of the limits that are set, 0 when none is."""
    return min((limit for limit in limits if limit), default=0)


def _ignore(_runaway: OrderRefused) -> None:
    """Nobody disables: there is no engine."""
