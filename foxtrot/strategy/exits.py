"""Exits: what a strategy leaves behind when it ends, done in order: cancel, wait until nothing can trade, then close."""

from collections.abc import Callable

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import OrderChanged, StrategyLog, StrategyStatus, TimerFired, TradeBooked
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.enums import OrderStatus, PositionSide, Product
from foxtrot.domain.order import OrderData
from foxtrot.domain.order_state import OPEN
from foxtrot.strategy.closing_orders import closing_orders
from foxtrot.strategy.seat import Seat
from foxtrot.strategy.settings import ExitPolicy, OrderExit, PositionExit
from foxtrot.trading.position import Position

OWNER = "exits"
RETRY_NS = 500_000_000
ROUNDS_IN_VAIN = 20
"""So many rounds without a single fill, half a second apart, and an exit gives up, or goes on with growing pauses."""
MOST_RETRY_NS = 30_000_000_000
TELL_NS = 60_000_000_000
"""How often an exit that goes on says what is not closed yet."""
Persists = Callable[[], bool]
"""Tells whether an exit may not give up now."""


class _Exit:
    """One strategy on its way out.

    `closing` are its closing orders that may still trade, `rounds` how often it tried since the last fill, `faults` why the
    latest closing order of each instrument came to nothing, `timer_id` the timer of its next round (0: none).
    `tell_ns` is when what is not closed is told again.
    """

    __slots__ = ("closing", "faults", "persists", "rounds", "seat", "subscriptions", "tell_ns", "timer_id")

    def __init__(self, seat: Seat, persists: Persists) -> None:
        self.seat = seat
        self.closing: set[str] = set()
        self.faults: dict[str, OrderData] = {}
        self.rounds = 0
        self.timer_id = 0
        self.tell_ns = 0
        self.persists = persists
        self.subscriptions: tuple[Subscription, ...] = ()


class Exits:
    """Applies exit policies.

    A position is closed only when no order of its strategy can trade any more, so that a fill on its way is neither left nor
    closed twice. What a round of closing orders leaves is tried again until it is gone, or until ROUNDS_IN_VAIN rounds have
    brought no fill: then what stays is named in the log and as the strategy's status, for a person to see to. One that may not give up
    goes on with growing pauses and says so once a minute: what protected the position is gone already.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._leaving: dict[str, _Exit] = {}
        """By `_key`: who leaves, from which account."""
        dispatcher.subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True)

    @property
    def leaving(self) -> frozenset[str]:
        """Return the strategies whose positions are still being closed."""
        return frozenset(leaving.seat.strategy_id for leaving in self._leaving.values())

    def begin(self, seat: Seat, policy: ExitPolicy, occasion: str, persists: Persists | None = None) -> None:
        """Apply a policy to a strategy that has ended; one whose position is being closed already goes on with that.

        Args:
            seat: the strategy's.
            policy: what is to become of its orders and position.
            occasion: of its end.
            persists: whether its position must be closed however long that takes; None for never.
        """
        key = _key(seat.strategy_id, seat.account)
        if key in self._leaving:
            self._leaving[key].persists = persists or self._leaving[key].persists
            return
        flatten = policy.position_on(occasion) is PositionExit.FLATTEN
        orders = OrderExit.CANCEL_ALL if flatten else policy.orders_on(occasion)
        if flatten:
            seat.protection.release()
        if orders is not OrderExit.KEEP:
            seat.cancel_all(keep_reducing=orders is OrderExit.CANCEL_ENTRIES)
        if flatten:
            name = seat.strategy_id
            leaving = self._leaving[key] = _Exit(seat, persists or _never)
            leaving.subscriptions = (
                self._dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER, key=name, core=True),
                self._dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, key=name, core=True),
            )
            self._advance(leaving)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Go on when an order of a leaving strategy is done; note why when a closing order came to nothing."""
        order = change.order
        leaving = self._leaving.get(_key(change.strategy_id, order.account))
        if leaving is None:
            return
        if order.order_id in leaving.closing and order.status not in OPEN:
            leaving.closing.discard(order.order_id)
            if order.status is not OrderStatus.FILLED:
                self._note_fault(leaving, order)
        self._advance(leaving)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Go on when a fill has come."""
        leaving = self._leaving.get(_key(booked.strategy_id, booked.trade.account))
        if leaving is not None:
            leaving.rounds = 0
            self._advance(leaving)

    def on_timer(self, timer: TimerFired) -> None:
        """Try again what is still held."""
        leaving = self._leaving.get(timer.name)
        if leaving is not None and leaving.timer_id == timer.timer_id:
            leaving.timer_id = 0
            self._advance(leaving)

    def _advance(self, leaving: _Exit) -> None:
        seat = leaving.seat
        if any(True for _ in seat.desk.pending_records(seat.strategy_id, seat.account)):
            return
        held = [
            (place, position)
            for (_, account, _, place), position in list(seat.portfolio.positions(seat.strategy_id))
            if account == seat.account and position.exact_quantity and is_sellable(position)
        ]
        unsold = [found for found in held if not seat.is_dust(found[1])]
        if not unsold:
            self._end(leaving, held)
        elif leaving.timer_id:
            return
        elif leaving.rounds < ROUNDS_IN_VAIN:
            self._close(leaving, unsold)
        elif leaving.persists():
            self._tell_at_times(leaving, unsold)
            self._close(leaving, unsold)
        else:
            self._give_up(leaving, unsold)
            self._end(leaving, [found for found in held if found not in unsold])

    def _close(self, leaving: _Exit, unsold: list[tuple[PositionSide, Position]]) -> None:
        """Send closing orders for what is held; any refusal but one ends its position's turn.

        The message rate ends the round, which then counts as none: there is a queue, and its turn will come.
        """
        seat = leaving.seat
        leaving.rounds += 1
        pause_ns = min(RETRY_NS << max(0, leaving.rounds - ROUNDS_IN_VAIN), MOST_RETRY_NS)
        leaving.timer_id = self._dispatcher.set_timer(OWNER, _key(seat.strategy_id, seat.account), pause_ns)
        for place, position in unsold:
            for request in closing_orders(seat.closing_request(place, position), position.instrument):
                order_id = seat.desk.submit(request, seat.strategy_id)
                denied = seat.desk.denied.get(order_id)
                if denied is None:
                    leaving.closing.add(order_id)
                    continue
                self._note_fault(leaving, denied)
                if denied.rule == "message_rate":
                    leaving.rounds -= 1
                    return
                break

    def _note_fault(self, leaving: _Exit, order: OrderData) -> None:
        """Keep why an order came to nothing, and say it unless the one before failed for the same cause."""
        known = leaving.faults.get(order.instrument_id)
        leaving.faults[order.instrument_id] = order
        if known is None or (known.rule, known.status) != (order.rule, order.status):
            cause = order.reason or order.status
            self._say(leaving.seat, f"{order.instrument_id} was not closed: {cause}; it is tried again", "WARNING")

    def _give_up(self, leaving: _Exit, unsold: list[tuple[PositionSide, Position]]) -> None:
        """Name what stays and why, in the log and as the strategy's status."""
        self._alarm(leaving, unsold, "close by hand")

    def _tell_at_times(self, leaving: _Exit, unsold: list[tuple[PositionSide, Position]]) -> None:
        now_ns = self._dispatcher.clock.monotonic_ns()
        if now_ns >= leaving.tell_ns:
            leaving.tell_ns = now_ns + TELL_NS
            self._alarm(leaving, unsold, "nothing protects it any more; it is tried on and on")

    def _alarm(self, leaving: _Exit, unsold: list[tuple[PositionSide, Position]], advice: str) -> None:
        seat = leaving.seat
        texts = []
        for _, position in unsold:
            instrument_id = position.instrument.instrument_id
            fault = leaving.faults.get(instrument_id)
            cause = "no answer" if fault is None else fault.reason or fault.status
            texts.append(f"{position.exact_quantity} {instrument_id} ({cause})")
        text = f"not closed after {leaving.rounds} rounds without a fill, {advice}: {', '.join(texts)}"
        self._say(seat, text, "ERROR")
        self._dispatcher.put(StrategyStatus(seat.strategy_id, seat.state, text, seat.clock.now_ns()))

    def _end(self, leaving: _Exit, dust: list[tuple[PositionSide, Position]]) -> None:
        seat = leaving.seat
        for _, position in dust:
            text = f"{position.exact_quantity} {position.instrument.instrument_id} stays: too little to sell"
            self._say(seat, text, "INFO")
        self._dispatcher.cancel_timer(leaving.timer_id)
        del self._leaving[_key(seat.strategy_id, seat.account)]
        for subscription in leaving.subscriptions:
            self._dispatcher.unsubscribe(subscription)

    def _say(self, seat: Seat, text: str, level: str) -> None:
        self._dispatcher.put(StrategyLog(seat.strategy_id, level, text, seat.clock.now_ns()))


def is_sellable(position: Position) -> bool:
    """Tell whether an exit may close a position: on a spot market only what is owned is sold, and nothing is ever bought."""
    return position.quantity > 0 or position.instrument.product is not Product.SPOT


def _never() -> bool:
    return False


def _key(strategy_id: str, account: str) -> str:
    return f"{strategy_id}@{account}"
