"""The differences that stand between us and venues, the blocks they cause, and what people decided about them."""

from collections.abc import Iterable

import msgspec

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.notices import DifferenceFound
from foxtrot.domain.enums import GateState
from foxtrot.trading.difference import Finding, plain
from foxtrot.trading.gate import Gate

CAUSE = "reconcile"
"""By which instruments and accounts are blocked at the gate."""


class OpenDifference(msgspec.Struct, frozen=True):
    """A difference that stands, and since when."""

    difference_id: str
    finding: Finding
    since_ns: int


class DifferenceBook:
    """What differs now; an instrument is halted as long as a difference in it stands that nobody has ignored.

    Thread: the dispatcher's.
    """

    def __init__(self, sink: EventSink, clock: Clock, gate: Gate) -> None:
        self._sink = sink
        self._clock = clock
        self._gate = gate
        self._open: dict[str, OpenDifference] = {}
        self._ignored: dict[str, str] = {}
        self._blocked: dict[str, set[str]] = {}

    def all(self) -> tuple[OpenDifference, ...]:
        """Return what differs and is not ignored, oldest first."""
        return tuple(self._open.values())

    def get(self, difference_id: str) -> OpenDifference | None:
        """Return a difference that stands."""
        return self._open.get(difference_id)

    def count(self, account: str) -> int:
        """Return how many differences of an account stand."""
        return sum(one.finding.account == account for one in self._open.values())

    def ignore(self, difference_id: str, account: str) -> None:
        """Tell a difference no more, as long as it stays the same; one that stands is closed."""
        self._ignored[difference_id] = account
        self.close(difference_id)

    def close(self, difference_id: str) -> None:
        """Let a difference stand no longer."""
        found = self._open.pop(difference_id, None)
        if found is not None:
            self._block(found.finding.account)

    def replace(self, account: str, findings: Iterable[Finding]) -> None:
        """Take what a whole look at an account has found in place of what stood, and tell what is new."""
        found = {finding.difference_id: finding for finding in findings}
        for name in [name for name, one in self._open.items() if one.finding.account == account and name not in found]:
            del self._open[name]
        for name in [name for name, place in self._ignored.items() if place == account and name not in found]:
            del self._ignored[name]  # it is over; should it come again it is another one
        for name, finding in found.items():
            if name not in self._open and name not in self._ignored:
                self._open[name] = OpenDifference(name, finding, self._clock.now_ns())
                self._tell(name, finding)
        self._block(account)

    def _tell(self, name: str, finding: Finding) -> None:
        ours, venue, halts = plain(finding.ours), plain(finding.venue), bool(finding.places)
        subject = finding.subject if finding.side == "net" else f"{finding.subject} {finding.side}"
        now_ns = self._clock.now_ns()
        self._sink.put(DifferenceFound(name, finding.account, finding.kind, subject, ours, venue, halts, now_ns))

    def _block(self, account: str) -> None:
        """Halt the instruments of an account in which something stands, and lift the blocks of the others."""
        reasons = {
            place: f"{one.finding.kind} of {one.finding.subject}: {plain(one.finding.ours)} here, {plain(one.finding.venue)} at the venue"
            for one in self._open.values()
            if one.finding.account == account
            for place in one.finding.places
        }
        before = self._blocked.get(account, set())
        for place in sorted(before - reasons.keys()):
            self._gate.block(
                account, place, GateState.ACTIVE, "it agrees with the venue, or a person settled it", CAUSE
            )
        for place, reason in sorted(reasons.items()):
            if self._gate.blocked(account, place, CAUSE) is None:
                self._gate.block(account, place, GateState.HALTED, reason, CAUSE)
        self._blocked[account] = set(reasons)
