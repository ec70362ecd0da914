"""How many messages a client may send: more than fifty in a second are refused, and who goes on so is thrown out."""

from collections import deque
from typing import Final

MOST: Final = 50
WARNINGS: Final = 3
TOO_MANY: Final = 100
TEXT: Final = "Max rate of messages per second has been exceeded:max={} rec={} ({})"
_SECOND_NS: Final = 1_000_000_000


class MessageRate:
    """The messages of one connection in the last second.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._times: deque[int] = deque()
        self._warned_ns = -_SECOND_NS
        self.warnings = 0

    def is_within(self, now_ns: int) -> bool:
        """Count a message; tell whether it is one of the fifty of this second.

        Source: TWS API documentation, Architecture (limitations): 50 messages a second.
        """
        while self._times and self._times[0] <= now_ns - _SECOND_NS:
            self._times.popleft()
        self._times.append(now_ns)
        return len(self._times) <= MOST

    def warn(self, now_ns: int) -> str:
        """Return what the client is to be told, "" where it was told within this second.

        Source: TWS API documentation, Error Codes (100): after three of them the connection is ended.
        """
        if now_ns - self._warned_ns < _SECOND_NS:
            return ""
        self._warned_ns = now_ns
        self.warnings += 1
        return TEXT.format(MOST, len(self._times), self.warnings)

    @property
    def is_hopeless(self) -> bool:
        """Tell whether the connection is to be ended.

        Source: TWS API documentation, Error Codes (100).
        """
        return self.warnings >= WARNINGS
