"""What happens to market events when the lane is full: conflate per instrument, or shed and announce a gap."""

from collections import deque

from foxtrot.core.lanes import Overflow
from foxtrot.core.notices import Gap
from foxtrot.core.tokens import Key, Shed, Waiting


class MarketOverflow:
    """The waiting room of a full market lane.

    A tick that is conflated stays at its place in the lane and is replaced there until it is handled, also when the lane has
    room again: no older tick can come after it. A gap ends as soon as an event of its instrument is kept again.

    Thread: any, one at a time: callers hold the lock of the inbox.
    """

    def __init__(self, lane: deque[object]) -> None:
        self._lane = lane
        self.open: dict[Key, Waiting | Shed] = {}
        self.conflated = 0

    def take(self, event: object, policy: Overflow, put_s: float, *, full: bool) -> None:
        """Place an event that found the lane full, or that comes while something of it is conflated or shed."""
        key = (type(event), str(getattr(event, "instrument_id", "")))
        token = self.open.get(key)
        if isinstance(token, Waiting):
            self.conflated += 1
            token.event = event
        elif policy is Overflow.KEEP or not full:
            self.open.pop(key, None)
            self._lane.append(event)
        elif policy is Overflow.CONFLATE:
            self._open_token(key, Waiting(event, put_s, key))
        else:
            if token is None:
                token = Shed(key)
                self._open_token(key, token)
            token.count += 1
            self.conflated += 1

    def _open_token(self, key: Key, token: Waiting | Shed) -> None:
        self.open[key] = token
        self._lane.append(token)

    def close(self, token: Waiting | Shed) -> object:
        """Return the event a token stands for, and let nothing more join it."""
        if token.key is not None and self.open.get(token.key) is token:
            del self.open[token.key]
        if isinstance(token, Waiting):
            return token.event
        return Gap(token.key[1], token.key[0].__name__, token.count)
