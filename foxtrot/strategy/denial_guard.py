"""The guard against an order storm: a strategy that sends again and again what is refused is failed."""

from collections import deque

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import HandlerFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.trading.order_desk import OrderDesk

RULE = "denial_storm"
REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})
PER_SECOND = 100
PER_MOMENT = 1000
_SECOND_NS = 1_000_000_000


class DenialGuard:
    """Counts the refused orders of one strategy by the monotonic clock.

    More than PER_SECOND within a second are a storm. While time stands still, as within a bar of a backtest, more than
    PER_MOMENT are: a strategy may place a large grid at one close, a loop never ends.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk, strategy_id: str) -> None:
        self._dispatcher = dispatcher
        self._desk = desk
        self._strategy_id = strategy_id
        self._times: deque[int] = deque(maxlen=PER_MOMENT + 1)
        self._storm: OrderRefused | None = None
        self._told = False

    def clear(self) -> None:
        """Begin anew; the strategy starts."""
        self._times.clear()
        self._storm = None
        self._told = False

    @property
    def storm(self) -> OrderRefused | None:
        """Return why the strategy's refusals are a storm, None while they are not."""
        return self._storm

    def submit(self, request: OrderRequest) -> str:
        """Hand a request to the desk and return its order id.

        Raises:
            OrderRefused: refusals have become a storm. Raised into the strategy's handler, it ends the handler's own loop
                and fails the strategy; one that swallows it is failed at its next order.
        """
        if self._storm is not None:
            self._fail(self._storm)
            raise self._storm
        order_id = self._desk.submit(request, self._strategy_id)
        denied = self._desk.denied.get(order_id)
        storm = None if denied is None else self._count(denied)
        if storm is not None:
            raise storm
        return order_id

    def hear(self, order: OrderData) -> None:
        """Count an order that was refused after it had passed risk: by the gate, the journal or the venue."""
        if self._storm is None and order.order_id not in self._desk.denied:
            storm = self._count(order)
            if storm is not None:
                self._fail(storm)

    def _count(self, order: OrderData) -> OrderRefused | None:
        times, now_ns = self._times, self._dispatcher.clock.monotonic_ns()
        times.append(now_ns)
        if len(times) > PER_MOMENT and times[0] == now_ns:
            self._storm = _storm(f"{PER_MOMENT} orders without time passing", order)
        elif len(times) > PER_SECOND and 0 < now_ns - times[-1 - PER_SECOND] < _SECOND_NS:
            self._storm = _storm(f"{PER_SECOND} orders within a second", order)
        return self._storm

    def _fail(self, storm: OrderRefused) -> None:
        """Halt the strategy and let the engine fail it, once."""
        if self._told:
            return
        self._told = True
        owner, dispatcher = self._strategy_id, self._dispatcher
        dispatcher.halt(owner)
        dispatcher.put(HandlerFailed(owner, RULE, "OrderChanged", str(storm), core=False, sequence=dispatcher.sequence))


def _storm(limit: str, last: OrderData) -> OrderRefused:
    refusal = f"{last.status}: {last.rule} {last.reason}".rstrip()
    text = (
        f"{RULE}: more than {limit} were refused, the last one {refusal}; wait for a bar or timer before sending again"
    )
    return OrderRefused(RULE, limit, "more", text)
