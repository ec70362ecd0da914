"""The hands of a protection: it looks at what stands, takes the next step, and writes down and says what changed."""

from msgspec.structs import replace

from foxtrot.core.notices import ProtectionChanged
from foxtrot.domain.order import OrderRequest
from foxtrot.storage.journal_records import ProtectionKept
from foxtrot.trading.protection_cover import Cover
from foxtrot.trading.protection_orders import as_lasting_as_can_be, closing_order, paired_target, resting_order
from foxtrot.trading.protection_plan import Act, Move, next_move
from foxtrot.trading.protection_refusals import ProtectionRefusals
from foxtrot.trading.protection_state import (
    Cause,
    Protection,
    Step,
    VenueLeg,
    encode_protection,
    protection_id,
)
from foxtrot.trading.protection_ward import Ward

MARK_NS = 1_000_000_000
"""A water mark is written down at most this often."""


class ProtectionDesk(ProtectionRefusals):
    """Takes the steps of protections.

    Thread: the dispatcher's.
    """

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

    def _is_through(self, ward: Ward, market: float) -> bool:
        """Tell whether the market is beyond the stop, so that a venue would refuse it; after a refusal by any price heard."""
        heard = self._portfolio.view.heard_prices(ward.state.instrument_id) if ward.state.refusals else [market]
        to_units, sign = ward.instrument.price_grid.round, ward.state.sign
        return any((to_units(price) - ward.state.stop_units) * sign <= 0 for price in heard if price)

    def _submit(self, ward: Ward, request: OrderRequest) -> str:
        """Send an order and return its id, or "" when risk refused it."""
        order_id = self._desk.submit(as_lasting_as_can_be(request, ward.capabilities), ward.state.owner)
        denied = self._desk.denied.get(order_id)
        if denied is None:
            return order_id
        self._refused(ward, denied.rule, denied.reason)
        return ""

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
