"""How fast an owner may act: message rate and duplicates within a window."""

from collections import deque

from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest

SECOND_NS = 1_000_000_000


class Pace:
    """Message times and latest requests by owner.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self._messages: dict[str, deque[int]] = {}
        self._requests: dict[str, dict[OrderRequest, int]] = {}

    def note_message(self, owner: str, now_ns: int) -> None:
        """Count a message."""
        times = self._messages.get(owner)
        if times is None:
            times = self._messages[owner] = deque(maxlen=10_000)
        times.append(now_ns)

    def check_rate(self, owner: str, limit: int, now_ns: int) -> None:
        """Refuse more than `limit` messages in any second.

        Raises:
            OrderRefused: rule message_rate.
        """
        times = self._messages.get(owner)
        if times is None or not limit:
            return
        while times and now_ns - times[0] >= SECOND_NS:
            times.popleft()
        if len(times) >= limit:
            raise OrderRefused("message_rate", f"{limit} messages/s", f"{len(times) + 1} by {owner}")

    def check_duplicate(self, owner: str, request: OrderRequest, window_s: float, now_ns: int) -> None:
        """Refuse the same request twice within a window.

        Raises:
            OrderRefused: rule duplicate.
        """
        recent = self._requests.get(owner)
        if not recent or window_s <= 0.0:
            return
        asked_ns = recent.get(request)
        if asked_ns is not None and now_ns - asked_ns < window_s * SECOND_NS:
            age_s = (now_ns - asked_ns) / SECOND_NS
            raise OrderRefused("duplicate", f"{window_s} s between equal orders", f"{age_s:.3f} s")

    def note_request(self, owner: str, request: OrderRequest, window_s: float, now_ns: int) -> None:
        """Remember a request that passed, and forget those older than the window."""
        recent = self._requests.setdefault(owner, {})
        if len(recent) >= 64:
            for old in [key for key, asked_ns in recent.items() if now_ns - asked_ns >= window_s * SECOND_NS]:
                del recent[old]
        recent[request] = now_ns
