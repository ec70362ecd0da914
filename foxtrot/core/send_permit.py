"""The send permit: the last thing read before bytes leave for a venue, closed directly from any thread."""

import threading
from collections.abc import Callable

from foxtrot.domain.enums import GateState


class SendPermit:
    """Whether orders may leave; a send and a closing exclude each other.

    Once `close` has returned, no send that asked this permit starts. Cancels do not ask it.

    Thread: any; one lock guards the state and is held during the send itself, so a send must only hand over
        (an SDK call, a write to a buffer), never wait. A send that fails may close the permit itself: the lock lets its
        own thread in again.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._state = GateState.ACTIVE
        self._reason = ""

    @property
    def state(self) -> GateState:
        """Return what may leave now."""
        return self._state

    @property
    def reason(self) -> str:
        """Return why the permit is not fully open; empty when it is."""
        return self._reason

    def allow(self, state: GateState, reason: str = "") -> None:
        """Set what may leave: everything, reducing orders only, or nothing.

        Blocks: for at most one hand-over in progress.
        """
        with self._lock:
            self._state = state
            self._reason = reason

    def close(self, reason: str) -> None:
        """Let nothing leave from now on.

        Blocks: for at most one hand-over in progress.
        """
        self.allow(GateState.HALTED, reason)

    def hold(self, move: Callable[[], None]) -> None:
        """Call something while nothing can be sent and nobody else changes what may, whatever that is now.

        Blocks: for at most one hand-over in progress.
        """
        with self._lock:
            move()

    def send(self, hand_over: Callable[[], None], *, reduces: bool) -> bool:
        """Call `hand_over` if the permit lets the order leave, and tell whether it did.

        Args:
            hand_over: gives the finished request to the SDK or the socket; must not wait.
            reduces: whether the order can only reduce a position.
        """
        with self._lock:
            if self._state is GateState.HALTED or (self._state is GateState.REDUCING and not reduces):
                return False
            hand_over()
            return True
