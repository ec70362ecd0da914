"""The send permit as the gate sees it, while a tape runs and when it is played."""

from collections.abc import Callable
from threading import get_ident

from typing_extensions import override

from foxtrot.core.played_tape import TapeFeed
from foxtrot.core.send_permit import SendPermit
from foxtrot.core.tape import PERMIT, Tape
from foxtrot.domain.enums import GateState


class TapedPermit(SendPermit):
    """The very permit that adapters ask, with each look of the gate at it noted.

    Thread: any; only what the tape's thread sees is noted.
    """

    def __init__(self, permit: SendPermit, tape: Tape) -> None:
        super().__init__()
        self._behind = permit
        self._tape = tape

    @property
    @override
    def state(self) -> GateState:
        """Return what may leave now."""
        return GateState(self._note(str(self._behind.state)))

    @property
    @override
    def reason(self) -> str:
        """Return why the permit is not fully open."""
        return self._note(self._behind.reason)

    @property
    @override
    def allowed(self) -> GateState:
        """Return what was last allowed."""
        return GateState(self._note(str(self._behind.allowed)))

    @property
    @override
    def lapsed(self) -> str:
        """Return why nothing leaves although it may have been allowed."""
        return self._note(self._behind.lapsed)

    @property
    @override
    def lapses(self) -> int:
        """Return how often the lease has lapsed."""
        lapses = self._behind.lapses
        self._tape.note(PERMIT, lapses)
        return lapses

    @property
    @override
    def lapsed_ns(self) -> int:
        """Return when it was seen that the lease had lapsed."""
        lapsed_ns = self._behind.lapsed_ns
        self._tape.note(PERMIT, lapsed_ns)
        return lapsed_ns

    @override
    def allow_until(self, deadline_ns: int | None) -> int:
        """Renew the lease."""
        return self._behind.allow_until(deadline_ns)

    @override
    def explain(self, lapses: int, reason: str) -> None:
        """Say more exactly why nothing leaves since a lapse."""
        self._behind.explain(lapses, reason)

    @override
    def revive(self, lapses: int) -> bool:
        """Let orders leave again after a lapse, and note whether they do."""
        revived = self._behind.revive(lapses)
        self._tape.note(PERMIT, revived)
        return revived

    @override
    def is_free(self, within_s: float) -> bool:
        """Tell whether no hand-over is in progress, or it ends in time."""
        return self._behind.is_free(within_s)

    @override
    def allow(self, state: GateState, reason: str = "") -> None:
        """Set what may leave."""
        self._behind.allow(state, reason)

    @override
    def close(self, reason: str) -> None:
        """Let nothing leave from now on."""
        self._behind.close(reason)

    @override
    def hold(self, move: Callable[[], None]) -> None:
        """Call something while nothing can be sent."""
        self._behind.hold(move)

    @override
    def send(self, hand_over: Callable[[], None], *, reduces: bool) -> bool:
        """Call `hand_over` if the permit lets it; whether it did is noted before whatever that reads itself."""
        if get_ident() != self._tape.owner:
            return self._behind.send(hand_over, reduces=reduces)
        reads = self._tape.reads
        place = len(reads)
        reads.append((PERMIT, False))
        made = self._behind.send(hand_over, reduces=reduces)
        reads[place] = (PERMIT, made)
        return made

    def _note(self, text: str) -> str:
        self._tape.note(PERMIT, text)
        return text


class PlayedPermit(SendPermit):
    """A permit that says again what the gate saw when the tape was made; what is done to it changes nothing.

    Thread: the caller's.
    """

    def __init__(self, feed: TapeFeed) -> None:
        super().__init__()
        self._feed = feed

    @property
    @override
    def state(self) -> GateState:
        """Return what might leave then."""
        return GateState(self._feed.text(PERMIT))

    @property
    @override
    def reason(self) -> str:
        """Return why the permit was not fully open."""
        return self._feed.text(PERMIT)

    @property
    @override
    def allowed(self) -> GateState:
        """Return what had last been allowed."""
        return GateState(self._feed.text(PERMIT))

    @property
    @override
    def lapsed(self) -> str:
        """Return why nothing left although it might have been allowed."""
        return self._feed.text(PERMIT)

    @property
    @override
    def lapses(self) -> int:
        """Return how often the lease had lapsed."""
        return self._feed.number(PERMIT)

    @property
    @override
    def lapsed_ns(self) -> int:
        """Return when it had been seen that the lease had lapsed."""
        return self._feed.number(PERMIT)

    @override
    def revive(self, lapses: int) -> bool:
        """Tell whether orders left again."""
        return bool(self._feed.number(PERMIT))

    @override
    def send(self, hand_over: Callable[[], None], *, reduces: bool) -> bool:
        """Call `hand_over` if it was called then."""
        made = bool(self._feed.number(PERMIT))
        if made:
            hand_over()
        return made
