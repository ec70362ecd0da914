"""The gate: the one door between the desk and the adapters."""

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.notices import GateChanged
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import OrderRefused, QueueClosed
from foxtrot.domain.order import ApprovedOrder

_STRICTNESS = {GateState.ACTIVE: 0, GateState.REDUCING: 1, GateState.HALTED: 2}


class Gate:
    """ACTIVE lets all orders through, REDUCING only those that reduce, HALTED none; cancels always pass.

    There is one state for the platform and one for each account, instrument or both that somebody halted; the strictest
    counts. The platform's state is the send permit's, so that closing one closes both.
    An order whose outcome is unknown blocks risk-increasing orders of its account and instrument.

    Thread: `close` and `reduce_only`, any: both look and move while they hold the send permit's lock, so that neither undoes
        the other; the rest, the dispatcher's.
    """

    def __init__(self, permit: SendPermit, sink: EventSink, clock: Clock) -> None:
        self._permit = permit
        self._sink = sink
        self._clock = clock
        self._blocks: dict[tuple[str, str], dict[str, tuple[GateState, str]]] = {}
        self._unknown: dict[tuple[str, str], set[str]] = {}

    @property
    def state(self) -> GateState:
        """Return what the whole platform lets through."""
        return self._permit.state

    @property
    def reason(self) -> str:
        """Return why the platform does not let everything through; empty when it does."""
        return self._permit.reason

    def close(self, reason: str) -> None:
        """Let nothing through from now on; the first reason stays.

        Blocks: for at most one hand-over in progress.
        """

        def move() -> None:
            self._permit.close(reason)
            self._announce(GateState.HALTED, reason)

        self._permit.send(move, reduces=True)

    def reduce_only(self, reason: str) -> None:
        """Let only reducing orders through; a halted gate stays halted.

        Blocks: for at most one hand-over in progress.
        """

        def move() -> None:
            if self._permit.state is GateState.ACTIVE:
                self._permit.allow(GateState.REDUCING, reason)
                self._announce(GateState.REDUCING, reason)

        self._permit.send(move, reduces=True)

    def reopen(self, who: str) -> None:
        """Let everything through again; a person's decision, named in `who`."""
        self._permit.allow(GateState.ACTIVE)
        self._announce(GateState.ACTIVE, f"reopened by {who}")

    def block(self, account: str, instrument_id: str, state: GateState, reason: str, cause: str = "") -> None:
        """Set what an account lets through for an instrument; with "" for all instruments, or for all accounts.

        With "" for both it is the platform itself: the same as `close`, `reduce_only` or, for ACTIVE, `reopen`.
        Who blocks by a `cause` of its own neither lifts nor replaces the block of somebody else: the strictest counts.
        """
        if not account and not instrument_id:
            {GateState.HALTED: self.close, GateState.REDUCING: self.reduce_only, GateState.ACTIVE: self.reopen}[state](
                reason
            )
            return
        blocks = self._blocks.setdefault((account, instrument_id), {})
        if state is GateState.ACTIVE:
            blocks.pop(cause, None)
            state, reason = max(blocks.values(), key=_strictness, default=(state, reason))
        else:
            blocks[cause] = (state, reason)
        if not blocks:
            del self._blocks[account, instrument_id]
        self._sink.put(GateChanged(state, reason, account, instrument_id, self._clock.now_ns()))

    def blocked(self, account: str, instrument_id: str, cause: str = "") -> tuple[GateState, str] | None:
        """Return state and reason of the block that stands by a cause for exactly this account and instrument, or None."""
        return self._blocks.get((account, instrument_id), {}).get(cause)

    def note_unknown(self, account: str, instrument_id: str, order_id: str) -> None:
        """Block risk-increasing orders while the outcome of an order is unknown."""
        self._unknown.setdefault((account, instrument_id), set()).add(order_id)

    def note_known(self, account: str, instrument_id: str, order_id: str) -> None:
        """Forget an order whose outcome has become known."""
        orders = self._unknown.get((account, instrument_id))
        if orders is not None:
            orders.discard(order_id)
            if not orders:
                del self._unknown[account, instrument_id]

    def check(self, order: ApprovedOrder) -> None:
        """Let an order through, or say why not.

        Raises:
            OrderRefused: the gate is closed for it; rule is gate or unknown_order.
        """
        state, reason = self._permit.state, self._permit.reason
        if self._blocks:
            state, reason = self._strictest(order, state, reason)
        if state is GateState.HALTED or (state is GateState.REDUCING and not order.reduces):
            raise OrderRefused("gate", str(state), reason or "closed", f"the gate is {state}: {reason}")
        if self._unknown and not order.reduces:
            unknown = self._unknown.get((order.account, order.instrument_id))
            if unknown:
                names = ", ".join(sorted(unknown))
                raise OrderRefused("unknown_order", "no order of unknown outcome", names)

    def _strictest(self, order: ApprovedOrder, state: GateState, reason: str) -> tuple[GateState, str]:
        for key in ((order.account, ""), ("", order.instrument_id), (order.account, order.instrument_id)):
            for blocked in self._blocks.get(key, {}).values():
                if _STRICTNESS[blocked[0]] > _STRICTNESS[state]:
                    state, reason = blocked
        return state, reason

    def _announce(self, state: GateState, reason: str) -> None:
        try:
            self._sink.put(GateChanged(state, reason, "", "", self._clock.now_ns()))
        except QueueClosed:  # the engine has stopped: the gate moves all the same, and nobody is left to hear of it
            return


def _strictness(block: tuple[GateState, str]) -> int:
    return _STRICTNESS[block[0]]
