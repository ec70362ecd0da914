"""The send permit: the last thing read before bytes leave for a venue, closed directly from any thread."""

import threading
from collections.abc import Callable

from foxtrot.core.clock import suspend_aware_ns
from foxtrot.domain.enums import GateState


class SendPermit:
    """Whether orders may leave; a send and a closing exclude each other.

    Once `close` has returned, no send that asked this permit starts. Cancels do not ask it.

    It may be held on a lease, which somebody renews again and again. A process that stands still, frozen or on a machine that
    sleeps, lets it lapse, and what was decided before is not sent after: nothing leaves, not even a reducing order, until
    `revive` says that the accounts are known again. Without a lease it never lapses.

    Thread: any; one lock guards the state and is held during the send itself, so a send must only hand over
        (an SDK call, a write to a buffer), never wait. A send that fails may close the permit itself: the lock lets its
        own thread in again.
    """

    def __init__(self, now_ns: Callable[[], int] = suspend_aware_ns) -> None:
        self._lock = threading.RLock()
        self._state = GateState.ACTIVE
        self._reason = ""
        self._now_ns = now_ns
        self._renewed_ns = 0
        self._deadline_ns: int | None = None
        self._lapsed = ""
        self._lapses = 0
        self._lapsed_ns = 0

    @property
    def state(self) -> GateState:
        """Return what may leave now; nothing while the lease has lapsed."""
        return GateState.HALTED if self._look() else self._state

    @property
    def reason(self) -> str:
        """Return why the permit is not fully open; empty when it is."""
        lapsed = self._look()
        return lapsed if lapsed and self._state is not GateState.HALTED else self._reason

    @property
    def allowed(self) -> GateState:
        """Return what was last allowed, whatever became of the lease."""
        return self._state

    @property
    def lapsed(self) -> str:
        """Return why nothing leaves although it may have been allowed, "" while the lease holds or there is none."""
        return self._look()

    @property
    def lapses(self) -> int:
        """Return how often the lease has lapsed; `revive` is told this number."""
        return self._lapses

    @property
    def lapsed_ns(self) -> int:
        """Return when it was seen that the lease had lapsed, the last time, by `now_ns`; 0 when it never has."""
        self._look()
        return self._lapsed_ns

    def allow_until(self, deadline_ns: int | None) -> int:
        """Renew the lease until a time of `now_ns`, or do without one; what has lapsed stays so until `revive`.

        Blocks: for at most one hand-over in progress.

        Returns:
            How often it has lapsed before it was renewed.
        """
        with self._lock:
            self._look()
            self._renewed_ns = self._now_ns()
            self._deadline_ns = deadline_ns
            return self._lapses

    def explain(self, lapses: int, reason: str) -> None:
        """Say more exactly why nothing leaves since a lapse; nothing happens when it is revived, or has lapsed again.

        Blocks: for at most one hand-over in progress.
        """
        with self._lock:
            if self._look() and lapses == self._lapses:
                self._lapsed = reason

    def revive(self, lapses: int) -> bool:
        """Let orders leave again after a lapse, now that the accounts are known; tells whether they do.

        Blocks: for at most one hand-over in progress.

        Args:
            lapses: how often the lease had lapsed when the accounts were asked for: a lapse since then stands.
        """
        with self._lock:
            if not self._look() or lapses != self._lapses:
                return not self._lapsed
            self._lapsed = ""
            return True

    def is_free(self, within_s: float) -> bool:
        """Tell whether no hand-over is in progress, or it ends in time; one that does not is stuck.

        Blocks: at most `within_s`.
        """
        if not self._lock.acquire(timeout=within_s):
            return False
        self._lock.release()
        return True

    def _look(self) -> str:
        """Return why the lease has lapsed, "" when it has not."""
        deadline_ns = self._deadline_ns
        if deadline_ns is None or self._now_ns() <= deadline_ns:
            return self._lapsed
        with self._lock:
            now_ns = self._now_ns()
            if self._deadline_ns is not None and now_ns > self._deadline_ns:
                self._deadline_ns = None
                self._lapses += 1
                self._lapsed_ns = now_ns
                still_s = (now_ns - self._renewed_ns) / 1e9
                self._lapsed = (
                    f"this process stood still for {still_s:.1f} s; nothing leaves until every account is reconciled"
                )
            return self._lapsed

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
            if self._state is GateState.HALTED or self._look() or (self._state is GateState.REDUCING and not reduces):
                return False
            hand_over()
            return True
