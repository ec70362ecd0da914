"""The tape: everything that the engine's thread sees of the world outside, noted in the order in which it was handled.

What is not decided by what came before is an input: events that other threads put, timers that fire, and every look at the
clock or the send permit while an event is handled. Events that handlers themselves put follow from these; of them only their
place and a checksum are kept. So the same inputs, given again in the same order, must give the same orders again.
"""

import enum
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import NamedTuple

from foxtrot.core.clock import Clock
from foxtrot.core.lanes import MARKET_LANE, Overflow

NOW, STEADY, PERMIT, LOOK, INTENT = "now", "steady", "permit", "look", "intent"
"""What a handler can look at or do that is noted with its event: two clocks, the send permit, an adapter's state, an order intent."""
MOVED = "moved"
"""What was done to the gate from outside while the prologue paused."""

Read = tuple[str, int | str | bytes | bool]
"""What was looked at, and what was seen."""


class EntryKind(enum.IntEnum):
    """What an entry of the tape stands for."""

    PROLOGUE = 0
    INPUT = 1
    DERIVED = 2
    OPAQUE = 3


class Entry(NamedTuple):
    """One event in its place, with all that was read while it was handled; an OPAQUE one is a question that changes nothing."""

    sequence: int
    kind: EntryKind
    event: object
    reads: list[Read]


_entry = tuple.__new__  # a named tuple made by its own name takes twice as long
_INPUT, _DERIVED, _OPAQUE = EntryKind.INPUT, EntryKind.DERIVED, EntryKind.OPAQUE


def follows(event_class: type) -> bool:
    """Tell whether an event of a class that a handler puts is certain to be handled: the market lane may shed some."""
    return MARKET_LANE.get(event_class, Overflow.KEEP) is Overflow.KEEP


class Tape:
    """Takes notes on the thread that handles the events, and hands each finished entry to a sink that must not wait.

    Until `begin`, what the making thread reads is noted as the prologue; then the first event's thread is the one listened to.

    Thread: made by main; `hear`, `note_put` and the reads, foxtrot-engine; `end` by main once that has stopped.

    Args:
        sink: takes each entry and returns at once.
        is_known: whether events of a class can be written down and read again.
    """

    def __init__(self, sink: Callable[[Entry], None], is_known: Callable[[type], bool]) -> None:
        self.reads: list[Read] = []
        self.owner = get_ident()
        self._sink = sink
        self._is_known = is_known
        self._sequence = 0
        self._kind = EntryKind.PROLOGUE
        self._event: object = None
        self._control: deque[object] = deque()
        self._market: deque[object] = deque()
        self._heard = False
        self._paused = False

    def pause(self) -> None:
        """Take no notes of what is read until `go_on`, in the prologue."""
        self.owner, self._paused = 0, True

    def note_move(self, move: bytes) -> bool:
        """Note what was done from outside, on whatever thread, if the prologue pauses; tells whether it does."""
        if self._paused:
            self.reads.append((MOVED, move))
        return self._paused

    def go_on(self) -> None:
        """Go on with the prologue, on the thread that calls."""
        self._paused, self.owner = False, get_ident()

    def begin(self) -> None:
        """End the prologue: what other threads read from now on is none of the tape's business."""
        self.owner = 0

    def hear(self, sequence: int, event: object) -> None:
        """Finish the entry before, and begin that of an event which is about to be handled."""
        if not self._heard:
            self._heard, self.owner = True, get_ident()
        self._sink(_entry(Entry, (self._sequence, self._kind, self._event, self.reads)))
        self.reads = []
        lane = self._market if type(event) in MARKET_LANE else self._control
        if lane and lane[0] is event:
            lane.popleft()
            self._kind = _DERIVED
        else:
            self._kind = _INPUT if self._is_known(type(event)) else _OPAQUE
        self._sequence, self._event = sequence, event

    def note_put(self, event: object) -> None:
        """Hear that the dispatcher was given an event; one that a handler put follows from the event it handled."""
        if get_ident() != self.owner or self._kind is EntryKind.OPAQUE:
            return
        if type(event) not in MARKET_LANE:
            self._control.append(event)
        elif follows(type(event)):
            self._market.append(event)

    def end(self) -> None:
        """Hand out the last entry."""
        self._sink(Entry(self._sequence, self._kind, self._event, self.reads))
        self.reads = []
        self.owner = 0

    def note(self, what: str, value: int | str | bytes | bool) -> None:
        """Note what a handler has seen, if this is its thread."""
        if get_ident() == self.owner:
            self.reads.append((what, value))


class TapedClock:
    """The clock that trading and strategies are given while a tape runs.

    Thread: any; only what the tape's thread reads is noted.
    """

    def __init__(self, clock: Clock, tape: Tape) -> None:
        self._clock = clock
        self._tape = tape

    def now_ns(self) -> int:
        """Return the time of day, and note it."""
        value = self._clock.now_ns()
        if get_ident() == self._tape.owner:
            self._tape.reads.append((NOW, value))
        return value

    def monotonic_ns(self) -> int:
        """Return the steady time, and note it."""
        value = self._clock.monotonic_ns()
        if get_ident() == self._tape.owner:
            self._tape.reads.append((STEADY, value))
        return value
