"""Rolling: a position in a future is closed and opened again in a later contract, as one wish with two legs.

The leg that closes goes first, and what it filled is what the other opens: a roll that is cut in the middle has less, never more. What is
left is said in words, and the same wish again does the rest. Each leg's orders are journaled as any others, and the roll beside them.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from foxtrot.core.commands import RollPosition
from foxtrot.core.notices import AccountReconciled, OrderChanged, RequestFailed, TimerFired, TradeBooked
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.enums import AdapterState, OrderType
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.storage.journal_records import RollKept
from foxtrot.strategy.closing_orders import closing_orders
from foxtrot.strategy.seat import TradingParts
from foxtrot.trading.gate import Gate
from foxtrot.trading.roll_orders import counted, end_of, found_again, is_pending, left_of
from foxtrot.trading.roll_plan import RollPlanner
from foxtrot.trading.roll_state import Roll, decode_roll

OWNER: Final = "rolling"
LOOK_NS = 500_000_000
ROUNDS = 20
"""So many rounds, half a second apart, without a price or without a fill, and a roll goes no further by itself."""
REMEMBERED = 100
"""Rolls whose end is still known; a further one forgets the oldest."""
Listen = Callable[[Instrument, str], None]
"""Lets an account's adapter tell the quotes of an instrument."""


class _Course:
    """One roll under way.

    `rounds` counts those that brought nothing, `refusal` is why the last order was refused, `timer_id` the timer of the next round (0:
    none).
    """

    __slots__ = ("refusal", "rounds", "state", "subscriptions", "timer_id")

    def __init__(self, state: Roll) -> None:
        self.state = state
        self.rounds = 0
        self.refusal = ""
        self.timer_id = 0
        self.subscriptions: tuple[Subscription, ...] = ()


class Rolling:
    """Carries out rolls, several at a time; one position has one.

    Nothing is closed before the new contract has a price and the gate lets entries through there.

    Thread: the dispatcher's.
    """

    def __init__(self, parts: TradingParts, gate: Gate, listen: Listen) -> None:
        self._parts = parts
        self._dispatcher = parts.dispatcher
        self._desk = parts.desk
        self._gate = gate
        self._listen = listen
        self._planner = RollPlanner(parts.clock, parts.portfolio, parts.desk, parts.limits)
        self._courses: dict[str, _Course] = {}
        self._known: dict[str, Roll] = {}
        subscribe = parts.dispatcher.subscribe
        subscribe(RollPosition, self.on_roll, owner=OWNER, core=True)
        subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True)
        subscribe(AccountReconciled, self.on_account_reconciled, owner=OWNER, core=True)

    def plan(self, wish: RollPosition) -> Roll:
        """Return the roll that a wish comes to: one that was cut and fits it, else a new one; nothing is done.

        Raises:
            ConfigError: a name fits nothing or several, the contracts do not belong together, or orders of the owner or another roll of
                the position stand in the way.
        """
        cut = self._cut(wish)
        if cut is None and wish.forget:
            raise ConfigError(f"no roll of {wish.old} into {wish.new} has stopped half-way: there is nothing to forget")
        return cut or self._planner.plan(wish)

    def told(self, roll_id: str) -> Roll | None:
        """Return how far a roll has come, None when nothing is known of it."""
        return self._known.get(roll_id)

    def unfinished(self) -> tuple[Roll, ...]:
        """Return the rolls that are not over, those included that stopped half-way."""
        return tuple(course.state for course in self._courses.values())

    def restore(self, records: Iterable[RollKept]) -> None:
        """Take the rolls that an earlier run left unfinished; they go on when a person wishes it again.

        Raises:
            ConfigError: a record cannot be read.
        """
        for record in records:
            state = replace(decode_roll(record.state), stopped="the run that began it ended before it was over")
            self._courses[state.roll_id] = _Course(state)
            self._know(state)

    # --- what is heard ----------------------------------------------------------------------------------------------

    def on_roll(self, wish: RollPosition) -> None:
        """Begin a roll, go on with one that was cut, or forget it; a refusal is told."""
        try:
            state = self.plan(wish)
        except FoxtrotError as error:
            self._fail(wish.account, f"rolling {wish.old} into {wish.new}", str(error))
            return
        course = self._courses.setdefault(state.roll_id, _Course(state))
        if wish.forget:
            self._leave(course, replace(state, over=True, stopped=f"forgotten by {wish.who}"))
            return
        course.rounds = 0
        self._keep(course, replace(state, stopped="", who=wish.who, why=wish.why))
        self._hear(course)
        self._listen(self._parts.instruments[state.new], state.account)
        self._advance(course)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Go on when an order of a leg is done."""
        self._go_on(change.order.order_id)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Go on when a fill has come."""
        self._go_on(booked.trade.order_id)

    def on_timer(self, timer: TimerFired) -> None:
        """Look again."""
        course = self._courses.get(timer.name)
        if course is not None and course.timer_id == timer.timer_id:
            course.timer_id = 0
            self._advance(course)

    def on_account_reconciled(self, notice: AccountReconciled) -> None:
        """Say once what a roll of an earlier run has left, when its account is known again."""
        for course in list(self._courses.values()):
            if course.state.account == notice.account and not notice.error and not course.subscriptions:
                self._say_after_restart(course)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _cut(self, wish: RollPosition) -> Roll | None:
        """Return the roll that stopped half-way and that a wish means.

        Raises:
            ConfigError: it is under way still, or its position is on its way into another contract.
        """
        for course in self._courses.values():
            state = found_again(course.state, self._desk) if course.state.stopped else course.state
            is_other = wish.owner not in ("", state.owner) or wish.account not in ("", state.account)
            if is_other or not _is_named(wish.old, state.old):
                continue
            if not _is_named(wish.new, state.new):
                raise ConfigError(
                    f"{left_of(state, self._parts.instruments[state.old])}; finish or forget that roll first"
                )
            if not state.stopped:
                raise ConfigError(f"the roll of {state.old} into {state.new} is under way: {state.roll_id}")
            return state
        return None

    def _go_on(self, order_id: str) -> None:
        for course in list(self._courses.values()):
            if order_id in course.state.closing or order_id in course.state.opening:
                self._advance(course)

    def _advance(self, course: _Course) -> None:
        """Do what is next: wait for a price, close, open what was closed, or stop and say what is left."""
        state = counted(course.state, self._desk)
        if state != course.state:
            course.rounds = 0
            self._keep(course, state)
        if state.stopped or state.over or is_pending(state, self._desk):
            return
        if state.closing or state.opening:
            self._open_rest(course)
        else:
            self._begin(course)

    def _begin(self, course: _Course) -> None:
        why = _why_not_now(self._parts, self._gate, course.state)
        if not why:
            self._close(course)
        elif course.rounds >= ROUNDS:
            self._leave(course, replace(course.state, over=True, stopped=f"nothing was done: {why}"))
        else:
            self._look_again(course)

    def _close(self, course: _Course) -> None:
        state, old = course.state, self._parts.instruments[course.state.old]
        whole = OrderRequest(
            state.old, state.account, state.sides[0], OrderType.MARKET, old.quantity(state.units), reduce_only=True,
            position_side=state.position_side,
        )  # fmt: skip
        sent = self._send(course, whole, old)
        if sent:
            self._keep(course, replace(state, closing=dict.fromkeys(sent, 0)))
        else:
            self._leave(course, replace(state, over=True, stopped=f"nothing was done: {course.refusal}"))

    def _open_rest(self, course: _Course) -> None:
        state, new = course.state, self._parts.instruments[course.state.new]
        rest = state.closed_units - state.opened_units
        if rest <= 0:
            short = "" if state.closed_units >= state.units else end_of(state.closing, self._desk)
            self._leave(course, replace(state, over=True, stopped=short))
        elif course.timer_id:
            return
        elif course.rounds >= ROUNDS:
            self._stop(course, course.refusal or end_of(state.opening, self._desk) or "no order was filled")
        else:
            whole = OrderRequest(
                state.new,
                state.account,
                state.sides[1],
                OrderType.MARKET,
                new.quantity(rest),
                position_side=state.position_side,
            )
            sent = self._send(course, whole, new)
            if sent:
                self._keep(course, replace(state, opening=state.opening | dict.fromkeys(sent, 0)))
            self._look_again(course)

    def _send(self, course: _Course, whole: OrderRequest, instrument: Instrument) -> list[str]:
        """Send a leg in as many orders as the instrument asks for, up to the first that is refused; return their ids."""
        sent: list[str] = []
        course.refusal = ""
        for request in closing_orders(whole, instrument):
            order_id = self._desk.submit(request, course.state.owner)
            denied = self._desk.denied.get(order_id)
            if denied is not None:
                course.refusal = denied.reason
                break
            sent.append(order_id)
        return sent

    def _say_after_restart(self, course: _Course) -> None:
        state = found_again(course.state, self._desk)
        self._hear(course)
        if is_pending(state, self._desk) or state.opened_units < state.closed_units:
            self._keep(course, state)
            self._tell_left(state)
        else:
            said = "" if state.closed_units else "nothing was done: the run that began it ended before"
            self._leave(course, replace(state, over=True, stopped=said))

    def _look_again(self, course: _Course) -> None:
        course.rounds += 1
        if not course.timer_id:
            course.timer_id = self._dispatcher.set_timer(OWNER, course.state.roll_id, LOOK_NS)

    def _stop(self, course: _Course, why: str) -> None:
        """Go no further, and leave the roll to a person."""
        self._keep(course, replace(course.state, stopped=why))
        self._tell_left(course.state)

    def _leave(self, course: _Course, state: Roll) -> None:
        """End a roll."""
        self._keep(course, state)
        self._dispatcher.cancel_timer(course.timer_id)
        for subscription in course.subscriptions:
            self._dispatcher.unsubscribe(subscription)
        del self._courses[state.roll_id]
        if state.stopped:
            self._tell_left(state)

    def _keep(self, course: _Course, state: Roll) -> None:
        course.state = state
        self._know(state)
        text = "" if state.over else msgspec.json.encode(state).decode()
        self._desk.journal.append(RollKept(self._parts.clock.now_ns(), state.roll_id, state.owner, state.account, text))

    def _know(self, state: Roll) -> None:
        self._known[state.roll_id] = state
        for old in list(self._known)[:-REMEMBERED]:
            del self._known[old]

    def _hear(self, course: _Course) -> None:
        if not course.subscriptions:
            subscribe, key = self._dispatcher.subscribe, course.state.owner
            course.subscriptions = (
                subscribe(OrderChanged, self.on_order_changed, owner=OWNER, key=key, core=True),
                subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, key=key, core=True),
            )

    def _tell_left(self, state: Roll) -> None:
        left = left_of(state, self._parts.instruments[state.old])
        self._fail(state.account, f"rolling {state.old} into {state.new}", left)

    def _fail(self, account: str, what: str, error: str) -> None:
        self._dispatcher.put(RequestFailed(account, what, error, self._parts.clock.now_ns()))


def _is_named(name: str, instrument_id: str) -> bool:
    return name in (instrument_id, instrument_id.partition(".")[0])


def _why_not_now(parts: TradingParts, gate: Gate, state: Roll) -> str:
    """Return why nothing may be closed yet, for the other leg could not follow; "" when it could."""
    if parts.adapters[state.account].state_now() is not AdapterState.READY:
        return f"account {state.account} is not connected"
    closed = gate.why_no_entries(state.account, state.new)
    if closed:
        return closed
    return "" if parts.view.reference(state.new) is not None else f"no price of {state.new} was heard"
