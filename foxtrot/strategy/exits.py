"""Exits: what a strategy leaves behind when it ends, done in order: cancel, wait until nothing can trade, then close."""

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import OrderChanged, StrategyLog, TradeBooked
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order_state import OPEN
from foxtrot.strategy.seat import Seat
from foxtrot.strategy.settings import ExitPolicy, OrderExit, PositionExit

OWNER = "exits"


class _Exit:
    """One strategy on its way out; `closing` are its closing orders, once they are sent."""

    __slots__ = ("closing", "seat", "subscriptions")

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.closing: set[str] | None = None
        self.subscriptions: tuple[Subscription, ...] = ()


class Exits:
    """Applies exit policies.

    A position is closed only when no order of its strategy can trade any more, so that a fill on its way is neither left nor
    closed twice. A closing order that comes to nothing is said in the log and not repeated: that needs a person.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._leaving: dict[str, _Exit] = {}

    @property
    def leaving(self) -> frozenset[str]:
        """Return the strategies whose positions are still being closed."""
        return frozenset(self._leaving)

    def begin(self, seat: Seat, policy: ExitPolicy, occasion: str) -> None:
        """Apply a policy to a strategy that has ended."""
        flatten = policy.position_on(occasion) is PositionExit.FLATTEN
        orders = OrderExit.CANCEL_ALL if flatten else policy.orders_on(occasion)
        if orders is not OrderExit.KEEP:
            seat.cancel_all(keep_reducing=orders is OrderExit.CANCEL_ENTRIES)
        if flatten and seat.strategy_id not in self._leaving:
            leaving = self._leaving[seat.strategy_id] = _Exit(seat)
            name = seat.strategy_id
            leaving.subscriptions = (
                self._dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER, key=name, core=True),
                self._dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, key=name, core=True),
            )
            self._advance(leaving)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Go on when an order of a leaving strategy is done; say so when a closing order came to nothing."""
        leaving = self._leaving.get(change.strategy_id)
        if leaving is None:
            return
        order = change.order
        if leaving.closing is not None and order.order_id in leaving.closing and order.status not in OPEN:
            leaving.closing.discard(order.order_id)
            if order.status is not OrderStatus.FILLED:
                self._say(
                    leaving.seat, f"{order.instrument_id} was not closed: {order.reason or order.status}", "ERROR"
                )
        self._advance(leaving)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Go on when a fill that was missing has come."""
        leaving = self._leaving.get(booked.strategy_id)
        if leaving is not None:
            self._advance(leaving)

    def _advance(self, leaving: _Exit) -> None:
        seat = leaving.seat
        if any(True for _ in seat.desk.pending_records(seat.strategy_id)):
            return
        if leaving.closing is None:
            leaving.closing = self._close(seat)
        if not leaving.closing:
            del self._leaving[seat.strategy_id]
            for subscription in leaving.subscriptions:
                self._dispatcher.unsubscribe(subscription)

    def _close(self, seat: Seat) -> set[str]:
        closing: set[str] = set()
        for (_, account, instrument_id, place), position in list(seat.portfolio.positions(seat.strategy_id)):
            if account != seat.account or not position.exact_quantity:
                continue
            if seat.is_dust(position):
                self._say(seat, f"{position.exact_quantity} {instrument_id} stays: too little to sell", "INFO")
            else:
                closing.add(seat.desk.submit(seat.closing_request(place, position), seat.strategy_id))
        return closing

    def _say(self, seat: Seat, text: str, level: str) -> None:
        self._dispatcher.put(StrategyLog(seat.strategy_id, level, text, seat.clock.now_ns()))
