"""What the account's stream says while everything is asked for: kept in order, heard after it, and never without a bound."""

from collections.abc import Callable, Mapping
from typing import Any, Final

MOST: Final = 10_000
"""So many events are kept; with more, a new link asks for everything again."""

Event = Mapping[str, Any]


class HeldEvents:
    """Keeps events between `hold` and `take`.

    Thread: binance-io.

    Args:
        overflow: called once, with the cause, when an event can be kept no more.
    """

    def __init__(self, overflow: Callable[[str], None]) -> None:
        self._overflow = overflow
        self._kept: list[Event] | None = None
        self._full = False

    def hold(self) -> None:
        """Begin to keep events; what was kept before is dropped, for everything is asked for anew."""
        self._kept = []
        self._full = False

    def take(self) -> list[Event]:
        """Keep no more, and return what was kept, oldest first."""
        kept, self._kept = self._kept or [], None
        return kept

    def keeps(self, event: Event) -> bool:
        """Keep an event; False while none is to be kept."""
        if self._kept is None:
            return False
        if len(self._kept) < MOST:
            self._kept.append(event)
        elif not self._full:
            self._full = True
            self._overflow(f"user stream: more than {MOST} events came while the account was asked for")
        return True
