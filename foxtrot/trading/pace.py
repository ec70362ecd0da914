"""How fast orders may come: message rate and duplicates within a window."""

from collections import deque

from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest
from foxtrot.trading.limits import Scope

SECOND_NS = 1_000_000_000
_MOST_REMEMBERED = 10_000


class Pace:
    """Message times by owner and by account, and the latest requests by owner.

    The platform's rate and a strategy's hold for each owner by itself, an account's for all that is sent to it. Orders that
    reduce are counted apart, so that neither entries nor cancels use up the way out. Times are those of the monotonic clock,
    which does not go back when the time of day is set.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self._messages: dict[tuple[str, str], deque[int]] = {}
        self._reducing: dict[tuple[str, str], deque[int]] = {}
        self._requests: dict[str, dict[OrderRequest, int]] = {}

    def note_message(self, owner: str, account: str, steady_ns: int, *, reduces: bool = False) -> None:
        """Count a message of an owner to an account."""
        times = self._reducing if reduces else self._messages
        for key in ((owner, ""), ("", account)):
            known = times.get(key)
            if known is None:
                known = times[key] = deque(maxlen=_MOST_REMEMBERED)
            known.append(steady_ns)

    def check_rate(self, scope: Scope, owner: str, steady_ns: int, *, reduces: bool = False) -> None:
        """Refuse more messages in any second than a scope may send.

        Raises:
            OrderRefused: rule message_rate.
        """
        limit = scope.limits.messages_per_s
        key = ("", scope.account) if scope.account else (owner, "")
        times = (self._reducing if reduces else self._messages).get(key)
        if times is None or not limit:
            return
        while times and steady_ns - times[0] >= SECOND_NS:
            times.popleft()
        if len(times) >= limit:
            who = key[0] or f"account {key[1]}"
            raise OrderRefused("message_rate", f"{limit} messages/s of {scope}", f"{len(times) + 1} by {who}")

    def rate(self, scope: Scope, steady_ns: int) -> int:
        """Return how many messages a scope has sent in the last second; of the platform's, the busiest owner's."""
        key = ("", scope.account) if scope.account else (scope.owner, "")
        found = (
            [self._messages.get(key)]
            if key != ("", "")
            else [times for (owner, _), times in self._messages.items() if owner]
        )
        return max((sum(steady_ns - ns < SECOND_NS for ns in times) for times in found if times), default=0)

    def check_duplicate(self, owner: str, request: OrderRequest, window_s: float, steady_ns: int) -> None:
        """Refuse the same request twice within a window.

        Raises:
            OrderRefused: rule duplicate.
        """
        recent = self._requests.get(owner)
        if not recent or window_s <= 0.0:
            return
        asked_ns = recent.get(request)
        if asked_ns is not None and steady_ns - asked_ns < window_s * SECOND_NS:
            age_s = (steady_ns - asked_ns) / SECOND_NS
            raise OrderRefused("duplicate", f"{window_s} s between equal orders", f"{age_s:.3f} s")

    def note_request(self, owner: str, request: OrderRequest, window_s: float, steady_ns: int) -> None:
        """Remember a request that passed, and forget those older than the window."""
        if window_s <= 0.0:
            return
        recent = self._requests.setdefault(owner, {})
        recent.pop(request, None)
        while recent:
            oldest = next(iter(recent))
            if steady_ns - recent[oldest] < window_s * SECOND_NS:
                break
            del recent[oldest]
        recent[request] = steady_ns
