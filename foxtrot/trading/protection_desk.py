"""The hands of a protection: it looks at what stands, takes the next step, and writes down and says what changed."""

from msgspec.structs import replace

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import ProtectionChanged, StrategyLog
from foxtrot.domain.enums import OrderStatus, TimeInForce
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.order_state import WORKING
from foxtrot.storage.journal_records import ProtectionKept
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.protection_cover import Cover
from foxtrot.trading.protection_facts import ProtectionFacts, is_refused_stop, lacks_news
from foxtrot.trading.protection_orders import closing_order, paired_target, resting_order
from foxtrot.trading.protection_plan import Act, Move, next_move
from foxtrot.trading.protection_state import (
    Cause,
    Protection,
    Step,
    VenueLeg,
    encode_protection,
    protection_id,
)
from foxtrot.trading.protection_ward import Ward

OWNER = "protection"
TRIES = 4
"""So many protective orders in a row may come to nothing before that is an alarm."""
RETRY_NS = 250_000_000
ALARM_RETRY_NS = 30_000_000_000
"""How long after a refusal the next try is made: while it may be a passing one, and once it is an alarm."""
TAKE_PAUSE_NS = 1_000_000_000
"""How long after a take-profit that found nobody the next one is tried."""
CALM_NS = 10_000_000_000
"""How long an order must stand until the refusals before it are forgotten: one that is taken and ended at once counts as refused."""
MARK_NS = 1_000_000_000
"""A water mark is written down at most this often."""
_PASSING = frozenset(
    {"gate", "journal", "not_connected", "send_permit", "self_cross", "never_reached_market", "instrument_halted"}
)
"""Rules that refuse an order for where it comes from, or for a while: a pair is tried again as a pair."""
_IN_VAIN = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})


class ProtectionDesk(ProtectionFacts):
    """Takes the steps of protections.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk, portfolio: Portfolio) -> None:
        super().__init__(desk, portfolio)
        self._dispatcher = dispatcher
        self._clock = dispatcher.clock

    # --- steps ------------------------------------------------------------------------------------------------------

    def advance(self, ward: Ward) -> bool:
        """Take every step that can be taken now; False when the protection is over."""
        self._tidy(ward)
        self._begin_mark(ward)
        while True:
            move = next_move(ward.state.step, ward.leg, self.standing(ward))
            if move.act is Act.END:
                self._end(ward, ward)
                return False
            if move.act is Act.WAIT or (ward.paused and move.act is not Act.CANCEL):
                break
            if not self._act(ward, move):
                break
        self.keep(ward)
        self.say(ward)
        return True

    def keep(self, ward: Ward) -> None:
        """Write a changed protection down; of a water mark that moved alone, at most one in a while."""
        state, now_ns = ward.state, self._clock.now_ns()
        if not self._desk.journal.keeps_reports or state == ward.kept:
            return
        mark_alone = ward.kept is not None and state == replace(ward.kept, mark_units=state.mark_units)
        if mark_alone and now_ns - ward.kept_ns < MARK_NS:
            return
        ward.kept, ward.kept_ns = state, now_ns
        self._write(state, encode_protection(state))

    def say(self, ward: Ward) -> None:
        """Tell how the position is protected, when that has changed."""
        self._announce(ward, self.cover(ward.state.key, ward, self._portfolio.position(*ward.state.key)))

    def begin_exit(self, ward: Ward, cause: Cause) -> None:
        """Turn to closing the position."""
        ward.take(replace(ward.state, step=Step.EXITING, cause=cause, exit_id="", refusals=0, reason=""))
        self._resume(ward)
        why = "" if cause is Cause.CLOSE else f": the {cause} is touched"
        self._tell(ward.state, "INFO", f"{ward.state.instrument_id} is being closed{why}")

    def pair_again(self, ward: Ward) -> bool:
        """Let a stop that went alone, because the market was at the take-profit, be part of a pair; False while it stays alone.

        The stop is away for as long as a cancel and a placing take, so that this waits until it has stood for a while.
        """
        state = ward.state
        if not state.reached or state.step is not Step.ARMED or ward.paused or self._is_reached(ward):
            return False
        if not self.may_send(state) or not self._has_stood(ward):
            return False
        ward.take(replace(state, reached=False))
        return True

    def drop(self, ward: Ward) -> None:
        """Cancel the orders of a protection that is wished for no more, and write its end down."""
        for leg in self.standing(ward).legs:
            if leg.pending and not leg.ending:
                self._desk.cancel(leg.order_id)
        if ward.state.exit_id:
            self._desk.cancel(ward.state.exit_id)
        self._end(ward, None)

    def unpause(self, ward: Ward) -> None:
        """Let new orders be tried at once, and those that are asked to end be asked again."""
        self._resume(ward)
        self.ask_again(ward)

    def ask_again(self, ward: Ward) -> None:
        """Ask again for the end of orders that should have ended: what was asked first may have been lost."""
        for leg in self.standing(ward).legs:
            if leg.pending and leg.ending:
                self._desk.cancel(leg.order_id)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin_mark(self, ward: Ward) -> None:
        """Let a trailing stop begin at the market as it is, though nothing may move for a while."""
        state = ward.state
        if Cause.TRAILING in ward.watches and not state.mark_units and self.held_units(state.key, state.sign):
            market = self._portfolio.view.mark(state.instrument_id)
            if market:
                ward.take(replace(state, mark_units=ward.instrument.price_grid.round(market)))

    def _act(self, ward: Ward, move: Move) -> bool:
        """Take one step; tells whether another may follow at once."""
        state = ward.state
        if move.act is Act.CANCEL:
            self.keep(ward)  # what the cancel is for is on disk before it leaves
            for order_id in move.order_ids:
                self._desk.cancel(order_id)
            return True
        market = self._portfolio.view.mark(state.instrument_id) or 0.0
        if move.act is Act.EXIT:
            order_id = self._submit(ward, closing_order(state, move.units, ward.instrument, ward.capabilities))
            ward.take(replace(ward.state, exit_id=order_id))
            return bool(order_id) or ward.state.step is Step.ARMED
        if ward.leg in (VenueLeg.STOP, VenueLeg.PAIR) and self._is_through(ward, market):
            self.begin_exit(ward, Cause.STOP)
            return True
        if ward.leg is VenueLeg.PAIR:
            return self._place_pair(ward, move.units, market)
        request = resting_order(state, ward.leg, move.units, ward.instrument, market)
        order_id = self._submit(ward, request)
        if order_id:
            ward.take(replace(ward.state, legs=(*ward.state.legs, order_id)))
        return bool(order_id)

    def _place_pair(self, ward: Ward, units: int, market: float) -> bool:
        """Send stop and take-profit as one; where that cannot be, the stop alone comes next and the take-profit is watched here."""
        state, instrument = ward.state, ward.instrument
        if self._is_reached(ward):
            ward.take(replace(state, reached=True))
            return True
        stop = resting_order(state, VenueLeg.STOP, units, instrument, market)
        names = self._desk.submit_pair(stop, paired_target(state, units, instrument), state.owner)
        denied = self._desk.denied.get(names[0])
        if denied is None:
            ward.take(replace(state, legs=(*state.legs, *names)))
            return True
        self._refused(ward, denied.rule, denied.reason)
        return ward.leg is not VenueLeg.PAIR

    def _is_reached(self, ward: Ward) -> bool:
        """Tell whether any price that was heard has reached the take-profit, so that no pair would be taken."""
        to_units, state = ward.instrument.price_grid.round, ward.state
        heard = self._portfolio.view.heard_prices(state.instrument_id)
        return any((to_units(price) - state.take_units) * state.sign >= 0 for price in heard if price)

    def _is_through(self, ward: Ward, market: float) -> bool:
        """Tell whether the market is beyond the stop, so that a venue would refuse it; after a refusal by any price heard."""
        heard = self._portfolio.view.heard_prices(ward.state.instrument_id) if ward.state.refusals else [market]
        to_units, sign = ward.instrument.price_grid.round, ward.state.sign
        return any((to_units(price) - ward.state.stop_units) * sign <= 0 for price in heard if price)

    def _submit(self, ward: Ward, request: OrderRequest) -> str:
        """Send an order and return its id, or "" when risk refused it."""
        order_id = self._desk.submit(request, ward.state.owner)
        denied = self._desk.denied.get(order_id)
        if denied is None:
            return order_id
        self._refused(ward, denied.rule, denied.reason)
        return ""

    def _tidy(self, ward: Ward) -> None:
        """Let go of orders that are done: entries, legs and the closing order; what ended badly counts as refused."""
        pending = {record.terms.order_id for record in self._desk.pending_records(ward.state.owner)}
        state = ward.state
        legs = tuple(name for name in state.legs if name in pending)
        gone = [name for name in (*state.legs, state.exit_id) if name and name not in pending]
        exit_id = "" if state.exit_id not in pending else state.exit_id
        entries = tuple(name for name in state.entries if name in pending)
        stale = tuple(name for name in state.stale if name in pending)
        tidied = replace(state, legs=legs, stale=stale, entries=entries, exit_id=exit_id)
        ward.take(self._calmed(ward, tidied))
        self._await_news(ward)
        for order_id in gone:
            self._hear_end(ward, order_id)
        if state.exit_id and not exit_id and state.cause is Cause.TAKE_PROFIT:
            self._arm_again(ward)

    def _await_news(self, ward: Ward) -> None:
        """Wait a moment for what a take-profit has traded, where its stop's end is heard first: it may be all of it."""
        lacking = {name for name in ward.state.legs if (one := self._desk.index.all.get(name)) and lacks_news(one)}
        if lacking - ward.awaited:
            self._pause(ward, RETRY_NS)
        elif ward.awaited and not lacking:
            self._resume(ward)
        ward.awaited = lacking

    def _calmed(self, ward: Ward, state: Protection) -> Protection:
        """Forget an alarm once an order stands, and refusals once one has stood for a while."""
        if not self._stand_since(ward, state):
            return state
        return replace(state, reason="", refusals=0 if self._has_stood(ward) else state.refusals)

    def _stand_since(self, ward: Ward, state: Protection) -> bool:
        """Note since when each order that the venue has confirmed stands, for each look at it moves its own time; tells whether one does."""
        now_ns, records = self._clock.monotonic_ns(), ((name, self._desk.index.all.get(name)) for name in state.legs)
        standing = [name for name, record in records if record is not None and record.status in WORKING]
        ward.since_ns = {name: ward.since_ns.get(name, now_ns) for name in standing}
        return bool(standing)

    def _has_stood(self, ward: Ward) -> bool:
        """Tell whether an order has stood for a while."""
        now_ns = self._clock.monotonic_ns()
        return any(now_ns - since_ns >= CALM_NS for since_ns in ward.since_ns.values())

    def _arm_again(self, ward: Ward) -> None:
        """Let what a take-profit has left be protected by its stop at once, and the take-profit wait a little."""
        ward.take(replace(ward.state, step=Step.ARMED, cause=Cause.NONE, exit_id=""))
        ward.take_after_ns = self._clock.monotonic_ns() + TAKE_PAUSE_NS

    def _hear_end(self, ward: Ward, order_id: str) -> None:
        """Count an order that ended without having done its work, unless we asked for its end."""
        record = self._desk.index.all.get(order_id)
        if record is None or any(leg.filled_units for leg in record.legs):
            return
        if record.partner is not None and record.partner.is_open:
            return  # the last of a pair speaks for both
        refused = next((leg for leg in record.legs if is_refused_stop(leg)), None)
        if refused is None and any(leg.cancel_asked for leg in record.legs):
            return
        record = refused or record
        if record.terms.time_in_force is not TimeInForce.IOC or record.status not in _IN_VAIN:
            self._refused(ward, record.rule or str(record.status), record.reason or str(record.status))

    def _refused(self, ward: Ward, rule: str, reason: str) -> None:
        """Try again in a while; after TRIES in a row, or at a closed gate, say that the position is naked."""
        state = ward.state
        if state.cause is Cause.TAKE_PROFIT:
            self._tell(state, "WARNING", f"{state.instrument_id}: the take-profit was refused: {reason}")
            self._arm_again(ward)
            return
        if ward.leg is VenueLeg.TRAILING and rule != "gate" and state.step is Step.ARMED:
            ward.take(replace(state, trails_here=True))
            self._tell(
                state,
                "WARNING",
                f"{state.instrument_id}: the venue takes no such trailing stop ({reason}); it trails here",
            )
            return
        if ward.leg is VenueLeg.PAIR and self._is_reached(ward) and state.step is Step.ARMED:
            ward.take(replace(state, reached=True))
            return
        if ward.leg is VenueLeg.PAIR and rule not in _PASSING and state.step is Step.ARMED:
            ward.take(replace(state, apart=True))
            self._tell(
                state,
                "WARNING",
                f"{state.instrument_id}: the venue takes no such pair ({reason}); the stop goes alone, the take-profit is watched here",
            )
            return
        if rule == "self_cross":
            self._clear_way(state)
        refusals = state.refusals + 1
        alarm = refusals >= TRIES or rule == "gate"
        ward.take(replace(state, refusals=refusals, reason=reason if alarm else state.reason))
        self._pause(ward, ALARM_RETRY_NS if alarm else RETRY_NS)
        if alarm and not state.reason:
            what = "closing order" if state.step is Step.EXITING else "protective order"
            self._tell(state, "ERROR", f"{state.instrument_id} is naked: its {what} was refused: {reason}")

    def _clear_way(self, state: Protection) -> None:
        """Cancel the owner's own entries that a closing order would meet."""
        for record in list(self._desk.open_records(state.owner, state.account, state.instrument_id)):
            if record.terms.side.sign == state.sign:
                self._desk.cancel(record.key)  # by its key: two orders may share an id

    def _pause(self, ward: Ward, delay_ns: int) -> None:
        ward.paused = True
        self._dispatcher.cancel_timer(ward.timer_id)
        ward.timer_id = self._dispatcher.set_timer(OWNER, protection_id(ward.state.key), delay_ns)

    def _resume(self, ward: Ward) -> None:
        ward.paused = False
        self._dispatcher.cancel_timer(ward.timer_id)
        ward.timer_id = 0

    def _end(self, ward: Ward, cover_by: Ward | None) -> None:
        """Write that a protection is over, and say what is left of it: nothing, or a position without it."""
        self._dispatcher.cancel_timer(ward.timer_id)
        if ward.kept is not None:
            self._write(ward.state, "")
        self._announce(ward, self.cover(ward.state.key, cover_by, self._portfolio.position(*ward.state.key)))

    def _announce(self, ward: Ward, cover: Cover) -> None:
        if cover != ward.said:
            ward.said, now_ns = cover, self._clock.now_ns()
            self._dispatcher.put(ProtectionChanged(*ward.state.key, cover.protection, cover.reason, now_ns))

    def _write(self, state: Protection, text: str) -> None:
        owner, account, instrument_id, _ = state.key
        name = protection_id(state.key)
        self._desk.journal.append(ProtectionKept(self._clock.now_ns(), name, owner, account, instrument_id, text))

    def _tell(self, state: Protection, level: str, text: str) -> None:
        self._dispatcher.put(StrategyLog(state.owner, level, text, self._clock.now_ns()))
