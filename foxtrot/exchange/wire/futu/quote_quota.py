"""What is counted on the quote side: slots of subscriptions, securities whose history was asked for, calls in a while."""

from collections import deque

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.quote_limits import FIGURES, refused
from foxtrot.exchange.wire.futu.quote_times import SECOND_NS

Slot = tuple[tuple[int, str], int]
"""(market, code) and subscription type: what one subscription of OpenD costs, however many connections share it."""


class SlotTable:
    """Who holds which slot. A connection that ends early leaves its slots taken until they are a minute old.

    Thread: exchange-io.
    """

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self._holders: dict[Slot, dict[int, FutuClient]] = {}
        self._kinds: dict[tuple[int, str], dict[int, None]] = {}
        self._left_until: dict[Slot, int] = {}

    @property
    def used(self) -> int:
        """Return how many slots are taken.

        Source: Futu OpenAPI documentation, Authorities and Limitations (Subscription Quota).
        """
        return len(self._holders) + sum(1 for slot in self._left_until if slot not in self._holders)

    @property
    def left(self) -> int:
        """Return how many slots are free.

        Source: Qot_GetSubInfo.proto, remainQuota.
        """
        return max(self.quota - self.used, 0)

    def new(self, slots: list[Slot]) -> int:
        """Return how many more slots these would take.

        Source: Futu OpenAPI documentation, Authorities and Limitations (Subscription Quota).
        """
        return sum(1 for slot in set(slots) if slot not in self._holders and slot not in self._left_until)

    def hold(self, slot: Slot, client: FutuClient) -> None:
        """Take a slot for a connection.

        Source: Futu OpenAPI documentation, Authorities and Limitations (Subscription Quota).
        """
        self._holders.setdefault(slot, {})[client.number] = client
        self._kinds.setdefault(slot[0], {})[slot[1]] = None

    def give_back(self, slot: Slot, client: FutuClient, kept_until_ns: int = 0) -> None:
        """Give a slot back; it is free when no other connection holds it and its minute is over.

        Source: Futu OpenAPI documentation, Q&A, Quote related, 3 and 4.
        """
        holders = self._holders.get(slot, {})
        holders.pop(client.number, None)
        if not holders:
            self._holders.pop(slot, None)
            self._kinds.get(slot[0], {}).pop(slot[1], None)
        if kept_until_ns:
            self._left_until[slot] = max(kept_until_ns, self._left_until.get(slot, 0))

    def expire(self, now_ns: int) -> None:
        """Free the slots whose minute is over.

        Source: Futu OpenAPI documentation, Q&A, Quote related, 4.
        """
        if self._left_until:
            self._left_until = {slot: until for slot, until in self._left_until.items() if until > now_ns}

    def kinds(self, key: tuple[int, str]) -> tuple[int, ...]:
        """Return the subscription types that somebody holds of a stock.

        Source: none; a look-up of our own.
        """
        return tuple(self._kinds.get(key, ()))

    def clients(self, slot: Slot) -> tuple[FutuClient, ...]:
        """Return the connections that hold a slot.

        Source: none; a look-up of our own.
        """
        holders = self._holders.get(slot)
        return tuple(holders.values()) if holders else ()


class HistoryQuota:
    """Distinct securities whose history was asked for in the last 30 days.

    Thread: exchange-io.
    """

    def __init__(self, quota: int, *, is_strict: bool) -> None:
        self.quota = quota
        self._is_strict = is_strict
        self._asked: dict[tuple[int, str], int] = {}

    def use(self, key: tuple[int, str], now_ns: int) -> None:
        """Count a security; one that is counted already costs nothing.

        Source: Futu OpenAPI documentation, Authorities and Limitations (Historical Candlestick Quota).

        Raises:
            FutuRefused: the quota is used up.
        """
        days = FIGURES["history_days"].value
        oldest_ns = now_ns - days * 86_400 * SECOND_NS
        self._asked = {one: at for one, at in self._asked.items() if at > oldest_ns}
        if self._is_strict and key not in self._asked and len(self._asked) >= self.quota:
            raise refused("history_quota", days=days)
        self._asked[key] = now_ns


class CallPace:
    """How often one kind of request may be sent to OpenD in 30 seconds, by all connections together.

    Thread: exchange-io.
    """

    def __init__(self, figure: str, *, is_strict: bool) -> None:
        self._most = FIGURES[figure].value
        self._is_strict = is_strict
        self._called: deque[int] = deque()

    def use(self, now_ns: int) -> None:
        """Count one call.

        Source: Futu OpenAPI documentation, Authorities and Limitations (Interface Frequency Limitations).

        Raises:
            FutuRefused: there were too many.
        """
        seconds, called = FIGURES["calls_s"].value, self._called
        while called and not called[0] <= now_ns < called[0] + seconds * SECOND_NS:
            called.popleft()
        if self._is_strict and len(called) >= self._most:
            raise refused("too_often", calls=self._most, seconds=seconds)
        called.append(now_ns)
