"""The gate: the one door between the desk and the adapters."""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.notices import GateChanged
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import OrderRefused, QueueClosed
from foxtrot.domain.order import ApprovedOrder
from foxtrot.storage.journal_records import GateMoved
from foxtrot.trading.gate_moves import PLATFORM, STRICTNESS, DecisionJournal, StandingMoves
from foxtrot.trading.unknown_orders import UnknownOrders


class Gate:
    """ACTIVE lets all orders through, REDUCING only those that reduce, HALTED none; cancels always pass.

    There is one state for the platform and one for each account, instrument or both that somebody halted; the strictest
    counts. At one place there may be several blocks, one for each `who` that set one: nobody undoes another's, the strictest
    counts. The platform's state is the send permit's, so that closing one closes both.
    An order whose outcome is unknown blocks risk-increasing orders of its account and instrument.

    Thread: `close` and `reduce_only`, any: both look and move while they hold the send permit's lock, so that neither undoes
        the other; the rest, the dispatcher's. What was moved is journaled on the dispatcher's thread alone, by `keep_moves`.
    """

    def __init__(self, permit: SendPermit, sink: EventSink, clock: Clock) -> None:
        self._permit = permit
        self._sink = sink
        self._clock = clock
        self._platform = StandingMoves()
        self._blocks = StandingMoves()
        self.unknown = UnknownOrders()
        self._unkept: deque[GateMoved] = deque()
        self._kills = 0
        self.journal: DecisionJournal | None = None
        """Where moves are kept; without one they are forgotten at the end of the process."""
        self.on_moved: Callable[[GateMoved], None] | None = None
        """Hears every move at once, on the thread that made it."""

    @property
    def state(self) -> GateState:
        """Return what the whole platform lets through."""
        return self._permit.state

    @property
    def reason(self) -> str:
        """Return why the platform does not let everything through; empty when it does."""
        return self._permit.reason

    @property
    def killed(self) -> GateMoved | None:
        """Return the kill that stands, None when there is none."""
        return next((move for move in self._platform.at(PLATFORM) if move.killed), None)

    @property
    def kills(self) -> int:
        """Return how often a kill was asked for, the same one again included; `reopen` is told this number."""
        return self._kills

    def blocks(self) -> tuple[GateMoved, ...]:
        """Return every block that stands, the platform's first: who set it, why, and whether it lasts over a restart."""
        return (*self._platform.all(), *self._blocks.all())

    def close(self, reason: str, who: str = "", *, lasting: bool = False, killed: bool = False) -> None:
        """Let nothing through from now on; the first reason of each `who` stays.

        Blocks: for at most one hand-over in progress.

        Args:
            reason: why.
            who: a part of the platform or a person; only the same may undo it, or whoever reopens the gate.
            lasting: whether it stands over a restart.
            killed: whether it is the kill switch.
        """
        self._restrict(GateState.HALTED, reason, who, lasting=lasting, killed=killed)

    def reduce_only(self, reason: str, who: str = "", *, lasting: bool = False) -> None:
        """Let only reducing orders through; a halted gate stays halted.

        Blocks: for at most one hand-over in progress.
        """
        self._restrict(GateState.REDUCING, reason, who, lasting=lasting, killed=False)

    def reopen(self, who: str, why: str = "", kills: int | None = None) -> bool:
        """Let everything through again that no block of an account or instrument forbids; a person's decision, named in `who`.

        Args:
            who: whose decision it is.
            why: the reason.
            kills: what `kills` was when that was decided; a kill that was asked for since then stands, and nothing is opened.

        Returns:
            Whether it was opened.
        """
        text = f"reopened by {who}: {why}" if why else f"reopened by {who}"
        opened: list[bool] = []

        def move() -> None:
            opened.append(kills is None or kills == self._kills)
            if not opened[0]:
                return
            self._note(
                GateMoved(self._clock.now_ns(), GateState.ACTIVE, "", "", text, who, lasting=True), self._platform
            )
            self._permit.allow(GateState.ACTIVE)
            self._announce(GateState.ACTIVE, text, "", "")

        self._permit.hold(move)
        return opened[0]

    def withdraw(self, who: str, reason: str) -> None:
        """Lift what the same `who` has set for the whole platform, and nobody else's."""

        def move() -> None:
            known = self._platform.by(PLATFORM, who)
            if known is None:
                return
            moved = GateMoved(self._clock.now_ns(), GateState.ACTIVE, "", "", reason, who, lasting=False)
            self._note(moved, self._platform)
            self._follow(moved, loosens=self._permit.allowed is known.state)

        self._permit.hold(move)

    def soften(self) -> bool:
        """Let reducing orders pass what the kill switch has closed, as when positions are flattened; tells whether they pass now."""
        return self._turn_kills(GateState.REDUCING)

    def harden(self) -> None:
        """Close again what was softened."""
        self._turn_kills(GateState.HALTED)

    def block(
        self, account: str, instrument_id: str, state: GateState, reason: str, cause: str = "", *, lasting: bool = False
    ) -> None:
        """Set what an account lets through for an instrument; with "" for all instruments, or for all accounts.

        With "" for both it is the platform itself: the same as `close`, `reduce_only` or, for ACTIVE, `reopen`.
        Who blocks by a `cause` of its own neither lifts nor replaces the block of somebody else: the strictest counts.
        """
        if not account and not instrument_id:
            if state is GateState.ACTIVE:
                self.reopen(reason)
            else:
                self._restrict(state, reason, cause, lasting=lasting, killed=False)
            return
        stays = lasting and state is not GateState.ACTIVE  # a lasting ACTIVE would be a person's, and lift everybody's
        self._note(GateMoved(self._clock.now_ns(), state, account, instrument_id, reason, cause, stays), self._blocks)
        left = self._blocks.strictest((account, instrument_id))
        if state is GateState.ACTIVE and left is not None:
            state, reason = left.state, left.reason
        self._announce(state, reason, account, instrument_id)

    def lift(self, account: str, instrument_id: str, who: str, why: str) -> tuple[GateMoved, ...]:
        """Lift every block of a place, whoever set it, by a person's decision; returns those that stood."""
        place = (account, instrument_id)
        if place == PLATFORM:
            stood = self._platform.at(PLATFORM)
            self.reopen(who, why)
            return stood
        stood = self._blocks.at(place)
        text = f"lifted by {who}: {why}"
        self._note(GateMoved(self._clock.now_ns(), GateState.ACTIVE, *place, text, who, lasting=True), self._blocks)
        self._announce(GateState.ACTIVE, text, *place)
        return stood

    def blocked(self, account: str, instrument_id: str, cause: str = "") -> tuple[GateState, str] | None:
        """Return state and reason of the block that stands by a cause for exactly this account and instrument, or None."""
        found = self._blocks.by((account, instrument_id), cause)
        return None if found is None else (found.state, found.reason)

    def restore(self, moves: Iterable[GateMoved]) -> None:
        """Put back what an earlier run left standing: the lasting ones of the moves; they are not journaled again."""
        for found in StandingMoves(moves).lasting():
            state = GateState.HALTED if found.killed else found.state
            if (found.account, found.instrument_id) == PLATFORM:
                self._restrict(state, found.reason, found.who, lasting=True, killed=found.killed, restored=True)
            else:
                self._blocks.take(found)
                self._announce(state, found.reason, found.account, found.instrument_id)

    def take_outside(self, move: GateMoved) -> None:
        """Know of a move of the platform that another thread made in a run that is played again; what the permit said is on the tape."""
        self._platform.take(move)

    def keep_moves(self, _changed: object = None) -> None:
        """Journal what was moved since; called when a GateChanged or CloseGate is heard."""
        while self._unkept:
            move = self._unkept.popleft()
            if self.journal is not None and self.journal.keeps_reports:
                self.journal.append(move)

    def why_no_entries(self, account: str, instrument_id: str) -> str:
        """Return why no order passes here that may increase a position, "" when one does."""
        state, reason = self._strictest(account, instrument_id, self._permit.state, self._permit.reason)
        closed = "" if state is GateState.ACTIVE else f"the gate is {state}: {reason}"
        return closed or self.unknown.why(account, instrument_id)

    def check(self, order: ApprovedOrder) -> None:
        """Let an order through, or say why not.

        Raises:
            OrderRefused: the gate is closed for it; rule is gate or unknown_order.
        """
        state, reason = self._permit.state, self._permit.reason
        if self._blocks:
            state, reason = self._strictest(order.account, order.instrument_id, state, reason)
        if state is GateState.HALTED or (state is GateState.REDUCING and not order.reduces):
            raise OrderRefused("gate", str(state), reason or "closed", f"the gate is {state}: {reason}")
        if self.unknown.by_place and not order.reduces:
            self.unknown.check(order)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _restrict(
        self, state: GateState, reason: str, who: str, *, lasting: bool, killed: bool, restored: bool = False
    ) -> None:
        """Add a block of the platform, or make the same one's stricter; what it would weaken or repeat stays as it is."""

        def move() -> None:
            self._kills += killed
            known = self._platform.by(PLATFORM, who)
            if known is not None:
                stricter = STRICTNESS[state] > STRICTNESS[known.state]
                if not (stricter or (killed and not known.killed) or (lasting and not known.lasting)):
                    return
            moved = GateMoved(self._clock.now_ns(), state, "", "", reason, who, lasting, killed)
            self._note(moved, self._platform, kept=restored)
            self._follow(moved, loosens=False)

        self._permit.hold(move)

    def _turn_kills(self, state: GateState) -> bool:
        turned: list[bool] = []

        def move() -> None:
            for known in self._platform.at(PLATFORM):
                if known.killed and known.state is not state:
                    moved = msgspec.structs.replace(known, time_ns=self._clock.now_ns(), state=state)
                    self._note(moved, self._platform)
                    self._follow(moved, loosens=True)
            turned.append(self._permit.state is not GateState.HALTED)

        self._permit.hold(move)
        return turned[0]

    def _follow(self, moved: GateMoved, *, loosens: bool) -> None:
        """Let the permit be what the platform's blocks say, and tell what moved; somebody may have closed the permit itself."""
        strictest = self._platform.strictest(PLATFORM) or moved
        state, before = strictest.state, self._permit.allowed
        if STRICTNESS[state] > STRICTNESS[before] or (loosens and state is not before):
            self._permit.allow(state, "" if state is GateState.ACTIVE else strictest.reason)
            moved = strictest
        self._announce(self._permit.allowed, moved.reason, "", "")

    def _note(self, move: GateMoved, standing: StandingMoves, *, kept: bool = False) -> None:
        standing.take(move)
        if self.on_moved is not None:
            self.on_moved(move)
        if not kept:
            self._unkept.append(move)

    def _strictest(self, account: str, instrument_id: str, state: GateState, reason: str) -> tuple[GateState, str]:
        for place in ((account, ""), ("", instrument_id), (account, instrument_id)):
            found = self._blocks.strictest(place)
            if found is not None and STRICTNESS[found.state] > STRICTNESS[state]:
                state, reason = found.state, found.reason
        return state, reason

    def _announce(self, state: GateState, reason: str, account: str, instrument_id: str) -> None:
        try:
            self._sink.put(GateChanged(state, reason, account, instrument_id, self._clock.now_ns()))
        except QueueClosed:  # the engine has stopped: the gate moves all the same, and nobody is left to hear of it
            return
