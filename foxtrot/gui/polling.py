"""Asks a question again and again while somebody looks, and only when the last was answered."""

from collections.abc import Callable
from time import monotonic
from typing import Final

import msgspec

from foxtrot.app.control_requests import Request
from foxtrot.gui.desk import Desk
from foxtrot.gui.texts import tr

EVERY_S: Final = 0.5
LATE_S: Final = 5.0
"""What has not been answered for so long is said: what is shown is as old as that."""


class Polling:
    """One question of one panel.

    Thread: the desktop's.

    Args:
        desk: where it is asked.
        ask: makes the question anew each time.
        heard: hears what was found.
        every_s: seconds between two of them; 0.0 asks once for each platform.
    """

    def __init__(
        self,
        desk: Desk,
        ask: Callable[[], Request],
        heard: Callable[[msgspec.Struct], None],
        every_s: float = EVERY_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._desk = desk
        self._ask = ask
        self._heard = heard
        self._every_s = every_s
        self._clock = clock
        self._asked_s = float("-inf")
        self._since_s = 0.0
        self._round = 0
        self._waits = False
        self.error = ""
        """Why the last question was not answered, or that it is not answered yet, "" when it was."""

    def look(self, rests: float = 1.0) -> None:
        """Ask, if it is time and nothing is awaited; called once a flush while the panel is seen.

        Args:
            rests: how many times as long as usual to rest.
        """
        now_s = self._clock()
        due = now_s - self._asked_s >= self._rest_s() * rests
        if self._waits and now_s - self._since_s > LATE_S:
            self.error = tr("window.unanswered", seconds=f"{now_s - self._since_s:.0f}")
        if self._waits or not due or self._desk.questions is None:
            return
        self._asked_s, self._since_s, self._waits = now_s, now_s, True
        asked = self._round
        self._desk.ask(self._ask(), lambda found, error: self._hear(asked, found, error))

    def hasten(self) -> None:
        """Ask at the next look at which nothing is awaited, for something has changed."""
        self._asked_s = float("-inf")

    def begin_anew(self) -> None:
        """Ask at the next look, whatever was asked before: another platform was opened, or more is to be known."""
        self._round += 1
        self._asked_s, self._waits = float("-inf"), False

    def end(self) -> None:
        """Hear no answer any more, and hold nothing of whoever asked: an answer may still be on its way."""
        self._round += 1
        self._waits = True
        self._heard = _hear_nothing
        self._ask = _ask_nothing

    def _rest_s(self) -> float:
        """Return how long to rest after a question; one that is asked once is asked again when it was refused."""
        if self._every_s:
            return self._every_s
        return LATE_S if self.error else float("inf") if self._asked_s >= 0.0 else 0.0

    def _hear(self, asked: int, found: msgspec.Struct | None, error: str) -> None:
        if asked != self._round:
            return
        self._waits, self.error = False, error
        if found is not None:
            self._heard(found)


def _hear_nothing(_found: msgspec.Struct) -> None:
    """Take an answer for which nobody waits any more."""


def _ask_nothing() -> Request:
    raise AssertionError("a polling that has ended asks nothing")
