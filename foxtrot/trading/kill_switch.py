"""The kill switch behind the gate: cancels what may increase a position, on every account, until nothing of it is left."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from foxtrot.core.commands import KillSwitch, ResumeTrading
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    GateChanged,
    JournalFailed,
    RequestFailed,
    TimerFired,
    TradeBooked,
)
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import AdapterState, GateState, OrderType
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.order import TradeData
from foxtrot.trading.cancel_retries import RETRY_NS
from foxtrot.trading.gate import Gate
from foxtrot.trading.halted_strategies import HaltedStrategies
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import is_ours
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.unwanted_orders import UnwantedOrders

OWNER = "kill_switch"
RECONCILE = "reconcile"
"""The cause of the blocks that end by themselves when an account is reconciled."""


class Flattener(Protocol):
    """What the kill switch needs of whoever closes positions.

    Thread: the dispatcher's.
    """

    @property
    def owners(self) -> frozenset[str]:
        """Return whose positions are being closed."""
        ...

    @property
    def waiting(self) -> tuple[str, ...]:
        """Return what is not begun yet, in words."""
        ...

    def begin(self, *, everything: bool) -> None:
        """Close what strategies own, and with `everything` what the accounts hold besides."""
        ...

    def look(self) -> bool:
        """Go on with what could not be begun before; tells whether all is done."""
        ...


class OrderStanding(msgspec.Struct, frozen=True):
    """An order that the kill switch wants gone and that is open still; `asked` is how often it was asked for."""

    order_id: str
    account: str
    instrument_id: str
    status: str
    asked: int


class KillStanding(msgspec.Struct, frozen=True):
    """How far a kill has come: what is open still, how many reducing orders stay, and whose positions are being closed."""

    reason: str
    who: str
    time_ns: int
    entries: tuple[OrderStanding, ...]
    reducing: int
    not_ready: tuple[str, ...]
    closing: tuple[str, ...]
    waiting: tuple[str, ...]


class KillHandler:
    """Carries out what the gate's kill demands, for as long as it stands.

    Every order of ours that may increase a position is cancelled, that of an account which is not connected as soon as its
    orders are known, one that turns out alive later then. A cancel that fails is tried again with back-off. What only reduces
    stays until the position that it protects is flat. What somebody else placed is not touched.

    Thread: the dispatcher's.
    """

    def __init__(
        self, dispatcher: Dispatcher, desk: OrderDesk, gate: Gate, portfolio: Portfolio, halted: HaltedStrategies
    ) -> None:
        self._dispatcher = dispatcher
        self._desk = desk
        self._gate = gate
        self._portfolio = portfolio
        self._halted = halted
        self._unwanted = UnwantedOrders(dispatcher, desk, self._is_unwanted, OWNER)
        self._unwanted.then = self._go_on_flattening
        self._while_killed: tuple[Subscription, ...] = ()
        self._timer_id = 0
        self._flattens = False
        self._journal_error = ""
        self.flattener: Flattener | None = None
        self.on_reopened: Callable[[], None] = _nothing
        """Called when a person has opened the platform's gate again, so that the halt file goes; it must not wait."""
        self.on_resumed: Callable[[ResumeTrading], bool] = _lift_nothing
        """Hears what a person resumes, before it is, and tells whether that lifted something that only the hearer knows of."""
        dispatcher.subscribe(KillSwitch, self.on_kill, owner=OWNER, core=True)
        dispatcher.subscribe(ResumeTrading, self.on_resume, owner=OWNER, core=True)
        dispatcher.subscribe(GateChanged, self.on_gate_changed, owner=OWNER, core=True)
        dispatcher.subscribe(JournalFailed, self.on_journal_failed, owner=OWNER, core=True)

    # --- commands ---------------------------------------------------------------------------------------------------

    def on_kill(self, command: KillSwitch) -> None:
        """Cancel, and close positions if that is wished; the gate is closed here too in case nobody has done it before."""
        self._gate.close(command.reason, command.who, lasting=True, killed=True)
        self._gate.keep_moves()
        self._begin()
        if command.flatten:
            self._flatten(everything=command.everything)

    def on_resume(self, command: ResumeTrading) -> None:
        """Resume by command; a refusal is told."""
        try:
            self.resume(command)
        except FoxtrotError as error:
            self._fail("resuming", str(error))

    def resume(self, command: ResumeTrading) -> str:
        """Lift a block or re-arm a strategy, and return in words what was done.

        Raises:
            FoxtrotError: the journal has failed, there is nothing to lift, it ends by itself alone, or somebody kills meanwhile.
        """
        if self._journal_error:
            raise FoxtrotError(
                f"nothing resumes while the journal has failed ({self._journal_error}); start the platform anew"
            )
        if command.strategy_id:
            return self._rearm(command)
        if command.account or command.instrument_id:
            return self._lift(command)
        if self._gate.state is GateState.ACTIVE:
            raise FoxtrotError("the platform is not halted; name an account, an instrument or a strategy")
        kills = self._gate.kills
        self.on_resumed(command)
        if not self._gate.reopen(command.who, command.why, kills):
            raise FoxtrotError("a kill was asked for while this was being resumed, and stands; look again, then resume")
        self._gate.keep_moves()
        self.on_reopened()
        return f"the platform trades again{self._still_blocked()}"

    def standing(self) -> KillStanding | None:
        """Return how far the kill has come, None when there is none."""
        killed = self._gate.killed
        if killed is None:
            return None
        entries = tuple(self._standing_of(record) for record in self._desk.open_records() if self._is_unwanted(record))
        reducing = sum(record.reduces for record in self._desk.open_records())
        not_ready = tuple(name for name, one in self._desk.adapters.items() if one.state is not AdapterState.READY)
        closing = tuple(sorted(self.flattener.owners)) if self.flattener is not None else ()
        waiting = self.flattener.waiting if self.flattener is not None and self._flattens else ()
        return KillStanding(killed.reason, killed.who, killed.time_ns, entries, reducing, not_ready, closing, waiting)

    # --- what happens while the kill stands -------------------------------------------------------------------------

    def on_gate_changed(self, _changed: GateChanged) -> None:
        """Begin when a kill stands, by whomever the gate was closed, and end when it stands no more."""
        if self._gate.killed is not None:
            self._begin()
            self._go_on_flattening()
        elif self._while_killed:
            self._end()

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Cancel what protected a position that is flat now."""
        if self._is_certain(booked.trade) and self._is_flat(booked.strategy_id, booked.trade):
            self._cancel_protection(booked.strategy_id, booked.trade)
        self._go_on_flattening()

    def on_timer(self, _timer: TimerFired) -> None:
        """Ask again for what is open still."""
        self._unwanted.sweep()
        self._go_on_flattening()

    def on_journal_failed(self, notice: JournalFailed) -> None:
        """Remember that nothing may resume in this process."""
        self._journal_error = self._journal_error or notice.error or "no reason given"

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._while_killed:
            self._unwanted.begin()
            subscribe = self._dispatcher.subscribe
            self._while_killed = (
                subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, core=True),
                subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True),
            )
            self._timer_id = self._dispatcher.set_timer(OWNER, "retry", RETRY_NS, RETRY_NS)
        self._unwanted.sweep()

    def _end(self) -> None:
        for subscription in self._while_killed:
            self._dispatcher.unsubscribe(subscription)
        self._dispatcher.cancel_timer(self._timer_id)
        self._while_killed = ()
        self._unwanted.end()
        self._flattens = False

    def _is_unwanted(self, record: OrderRecord) -> bool:
        """Tell whether an order is ours and may increase a position, or stands in the way of a position's closing."""
        if record.owner == EXTERNAL and not is_ours(record.terms.order_id):
            return False
        if not record.reduces:
            return True
        closing = self._flattens and self.flattener is not None and record.owner in self.flattener.owners
        return closing and record.terms.order_type is not OrderType.MARKET

    def _standing_of(self, record: OrderRecord) -> OrderStanding:
        terms, count = record.terms, self._unwanted.count(record)
        return OrderStanding(terms.order_id, terms.account, terms.instrument_id, str(record.status), count)

    def _is_certain(self, trade: TradeData) -> bool:
        """Tell whether positions are known for sure: a stop must not go because its position has not been told yet."""
        adapter, order = self._desk.adapters.get(trade.account), self._desk.index.all.get(trade.order_id)
        ready = adapter is not None and adapter.state_now() is AdapterState.READY
        return ready and order is not None and order.reduces and not self._gate.blocked(trade.account, "", RECONCILE)

    def _is_flat(self, owner: str, trade: TradeData) -> bool:
        position = self._portfolio.position(owner, trade.account, trade.instrument_id, trade.position_side)
        return position is not None and not position.instrument.round_quantity_units(abs(position.exact_quantity))

    def _cancel_protection(self, owner: str, trade: TradeData) -> None:
        for record in list(self._desk.open_records(owner, trade.account, trade.instrument_id)):
            if record.reduces and owner != EXTERNAL and record.terms.position_side is trade.position_side:
                self._desk.cancel(record.key)

    def _flatten(self, *, everything: bool) -> None:
        if self.flattener is not None:
            self._flattens = True
            self.flattener.begin(everything=everything)
            self._go_on_flattening()

    def _go_on_flattening(self) -> None:
        """Let reducing orders pass for as long as positions are being closed, and nothing after that."""
        if not self._flattens or self.flattener is None or self._gate.killed is None:
            return
        if self._gate.soften() and self.flattener.look():
            self._flattens = False
            self._gate.harden()

    def _rearm(self, command: ResumeTrading) -> str:
        name = command.strategy_id
        unlocked = self.on_resumed(command)
        if not (self._halted.rearm(name, command.who, command.why) or unlocked):
            raise FoxtrotError(f"strategy {name} is not disabled; start it by its name if it has stopped")
        return f"strategy {name} may trade again; start it when you want it to"

    def _lift(self, command: ResumeTrading) -> str:
        account, instrument_id = command.account, command.instrument_id
        where = f"account {account or 'of every name'}, instrument {instrument_id or 'every one'}"
        if not instrument_id and self._gate.blocked(account, "", RECONCILE):
            raise FoxtrotError(
                f"{where}: it opens by itself when it is reconciled; see `foxtrot status` for what it waits for"
            )
        unlocked = self.on_resumed(command)
        lifted = self._gate.lift(account, instrument_id, command.who, command.why)
        self._gate.keep_moves()
        if not (lifted or unlocked):
            raise FoxtrotError(f"{where}: nothing is blocked there{self._still_blocked()}")
        return f"{where}: lifted {'; '.join(move.reason for move in lifted) or 'the lock of its loss limit'}"

    def _still_blocked(self) -> str:
        places = [f"{move.account or '*'} {move.instrument_id or '*'} ({move.reason})" for move in self._gate.blocks()]
        return f"; still blocked: {'; '.join(places)}" if places else ""

    def _fail(self, what: str, error: str) -> None:
        self._dispatcher.put(RequestFailed("", what, error, self._dispatcher.clock.now_ns()))


def _nothing() -> None:
    """Nobody has to be told."""


def _lift_nothing(_command: ResumeTrading) -> bool:
    """Nothing else is locked."""
    return False
