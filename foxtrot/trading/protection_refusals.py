"""What becomes of protective orders: which came to nothing, what is awaited, and when the next one is tried."""

from msgspec.structs import replace

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import StrategyLog
from foxtrot.domain.enums import OrderStatus, TimeInForce
from foxtrot.domain.order_state import WORKING
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.protection_facts import ProtectionFacts, is_refused_stop, lacks_news
from foxtrot.trading.protection_state import Cause, Protection, Step, VenueLeg, protection_id
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
_PASSING = frozenset(
    {"gate", "journal", "not_connected", "send_permit", "self_cross", "never_reached_market", "instrument_halted"}
)
"""Rules that refuse an order for where it comes from, or for a while: a pair is tried again as a pair."""
_NOT_THE_PRICE = frozenset({"outside_session", "locked", "call_frequency"})
"""Rules that refuse an order for when it comes: another price would not help, however often it is tried."""
_IN_VAIN = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})


class ProtectionRefusals(ProtectionFacts):
    """Lets go of protective orders that are done, and decides what their end means for the next.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk, portfolio: Portfolio) -> None:
        super().__init__(desk, portfolio)
        self._dispatcher = dispatcher
        self._clock = dispatcher.clock

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
        if state.step is Step.ARMED and self._goes_otherwise(ward, rule, reason):
            return
        if rule == "self_cross":
            self._clear_way(state)
        later = rule in _NOT_THE_PRICE
        refusals = state.refusals + (not later)
        alarm = later or refusals >= TRIES or rule == "gate"
        ward.take(replace(state, refusals=refusals, reason=reason if alarm else state.reason))
        self._pause(ward, ALARM_RETRY_NS if alarm else RETRY_NS)
        if alarm and not state.reason:
            what = "closing order" if state.step is Step.EXITING else "protective order"
            self._tell(state, "ERROR", f"{state.instrument_id} is naked: its {what} was refused: {reason}")

    def _goes_otherwise(self, ward: Ward, rule: str, reason: str) -> bool:
        """Do without what the venue does not take, a trailing stop or a pair, and watch here what it would have held."""
        state = ward.state
        if ward.leg is VenueLeg.TRAILING and rule != "gate":
            ward.take(replace(state, trails_here=True))
            what = f"the venue takes no such trailing stop ({reason}); it trails here"
        elif ward.leg is VenueLeg.PAIR and self._is_reached(ward):
            ward.take(replace(state, reached=True))
            return True
        elif ward.leg is VenueLeg.PAIR and rule not in _PASSING:
            ward.take(replace(state, apart=True))
            what = f"the venue takes no such pair ({reason}); the stop goes alone, the take-profit is watched here"
        else:
            return False
        self._tell(state, "WARNING", f"{state.instrument_id}: {what}")
        return True

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

    def _is_reached(self, ward: Ward) -> bool:
        """Tell whether any price that was heard has reached the take-profit, so that no pair would be taken."""
        to_units, state = ward.instrument.price_grid.round, ward.state
        heard = self._portfolio.view.heard_prices(state.instrument_id)
        return any((to_units(price) - state.take_units) * state.sign >= 0 for price in heard if price)

    def _tell(self, state: Protection, level: str, text: str) -> None:
        self._dispatcher.put(StrategyLog(state.owner, level, text, self._clock.now_ns()))
