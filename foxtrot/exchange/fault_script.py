"""Which fault acts now: what was armed, what it matched, how often it still acts. No sockets and no clock: time is told."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

import msgspec

from foxtrot.exchange.faults import Fault, Scope

_SECOND_NS = 1_000_000_000
_SPEEDS = ("@100ms", "@250ms", "@500ms", "@0ms", "@1s", "@1000ms", "@3s")


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something happens: a request, a handshake, a frame. What is not known is ""; `kinds` are a connection's."""

    product: str
    endpoint: str = ""
    stream: str = ""
    kinds: tuple[str, ...] = ()
    account: str = ""
    is_fill: bool = False


class ArmedFault:
    """A fault that was set, and what became of it.

    Thread: exchange-io.
    """

    __slots__ = ("ends_ns", "error", "fault", "fired", "has_swept", "matched", "number", "starts_ns")

    def __init__(self, number: int, fault: Fault, now_ns: int) -> None:
        self.number = number
        self.fault = fault
        self.matched = 0
        self.fired = 0
        self.has_swept = False
        self.error = ""
        self.starts_ns = now_ns + int(fault.at_s * _SECOND_NS)
        life_s = fault.life_s
        self.ends_ns = self.starts_ns + int(life_s * _SECOND_NS) if life_s else 0

    def is_active(self, now_ns: int) -> bool:
        """Tell whether it may act."""
        return self.starts_ns <= now_ns and not self.is_over(now_ns)

    def has_ended(self, now_ns: int) -> bool:
        """Tell whether its time is up, however often it acted."""
        return bool(self.ends_ns and now_ns >= self.ends_ns)

    def is_over(self, now_ns: int) -> bool:
        """Tell whether it will never act again."""
        limit = self.fault.limit
        return bool(limit and self.fired >= limit) or self.has_ended(now_ns)

    def concerns(self, place: Place) -> bool:
        """Tell whether a place is one of those it narrows itself to."""
        fault = self.fault
        return (
            fault.product in ("", place.product)
            and fault.account in ("", place.account)
            and (not fault.connection or fault.connection in place.kinds)
            and (not fault.endpoint or fnmatchcase(place.endpoint, fault.endpoint))
            and (not fault.streams or _is_stream(place, fault.streams))
        )

    def take(self, place: Place) -> bool:
        """Count a match; tell whether the fault acts on it."""
        if not self.concerns(place):
            return False
        self.matched += 1
        if self.matched <= self.fault.after:
            return False
        self.fired += 1
        return True


class FaultScript:
    """All faults that were set, oldest first; the first one that matches acts.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._armed: list[ArmedFault] = []
        self._count = 0

    def arm(self, fault: Fault, now_ns: int) -> ArmedFault:
        """Set a fault."""
        self._count += 1
        armed = ArmedFault(self._count, fault, now_ns)
        self._armed.append(armed)
        return armed

    def disarm(self, number: int = 0) -> int:
        """Remove one fault by its number, or all; return how many are gone."""
        kept = [armed for armed in self._armed if number not in (0, armed.number)]
        gone = len(self._armed) - len(kept)
        self._armed = kept
        return gone

    def armed(self) -> tuple[ArmedFault, ...]:
        """Return every fault that was set and not removed, spent ones included."""
        return tuple(self._armed)

    def has(self, scopes: Iterable[Scope], now_ns: int) -> bool:
        """Tell whether any fault of these scopes may act."""
        return any(armed.fault.scope in scopes and armed.is_active(now_ns) for armed in self._armed)

    def active(self, scope: Scope, now_ns: int) -> tuple[ArmedFault, ...]:
        """Return the faults of a scope that may act."""
        return tuple(armed for armed in self._armed if armed.fault.scope is scope and armed.is_active(now_ns))

    def lasting(self, kind: str, place: Place, now_ns: int) -> Fault | None:
        """Return the fault of a kind that holds at a place, without counting it."""
        for armed in self._armed:
            if armed.fault.kind == kind and armed.is_active(now_ns) and armed.concerns(place):
                return armed.fault
        return None

    def take(
        self, scope: Scope, place: Place, now_ns: int, wanted: Callable[[Fault], bool] = lambda _: True
    ) -> ArmedFault | None:
        """Return the first fault of a scope that acts on a place, counted; None when none does."""
        for armed in self._armed:
            fault = armed.fault
            if fault.scope is scope and armed.is_active(now_ns) and wanted(fault) and armed.take(place):
                return armed
        return None


def _is_stream(place: Place, pattern: str) -> bool:
    """Tell whether a stream is meant; the speed of a stream is not part of its name on a raw connection."""
    if pattern == "fills":
        return place.is_fill
    return bool(place.stream) and (
        fnmatchcase(place.stream, pattern) or fnmatchcase(_slow(place.stream), _slow(pattern))
    )


def _slow(stream: str) -> str:
    for speed in _SPEEDS:
        if stream.endswith(speed):
            return stream.removesuffix(speed)
    return stream
