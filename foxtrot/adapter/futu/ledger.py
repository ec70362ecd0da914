"""What Futu allows of calls and subscriptions, counted here first, so that OpenD need not refuse.

Source: Futu OpenAPI, each call's "API limits"; Quotation, subscription quota.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Final, NamedTuple

from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.errors import VENUE, WINDOW_S, NotSent
from foxtrot.domain.errors import VenueRejected

WINDOW_NS: Final = int(WINDOW_S * 1e9)
RESERVED: Final = 4
"""How many changes in each window are kept for cancels."""
HELD_S: Final = 60.0
"""How long a subscription must stand before OpenD lets it be ended.

Source: Futu OpenAPI, Quotation, subscribe: "at least one minute".
"""
Key = tuple[str, str]
"""A subscription: Futu's code of the instrument, "HK.00700", and the kind of data."""


class _Rule(NamedTuple):
    window: str
    """What is counted together."""
    limit: int
    """The most in a window; 0 is any number."""
    waits: bool = True
    """Whether a call waits for its turn; else it is refused."""


ACCOUNT: Final = (
    "orders", "history_orders", "deals", "history_deals", "positions", "funds", "max_quantities", "fees",
)  # fmt: skip
"""Questions about the account; each kind has a window of its own."""
QUOTE: Final = {"snapshot": 60, "history": 60, "days": 30, "static": 10, "market_state": 10}
"""Questions about the market that are counted, by kind.

Source: Futu OpenAPI, Quotation: get_market_snapshot, request_history_kline, request_trading_days, get_stock_basicinfo.
"""
FREE: Final = ("accounts", "state", "subscribe", "unsubscribe", "sub_info", "book", "quote", "ticker", "bars", "push")
"""What is not counted: answers that OpenD has in memory."""
LANES: Final = {"place": "order", "modify": "order", "cancel": "cancel", "unlock": "order"}
"""Which thread makes a call, where it is not the one for questions: an order does not wait for an answer about the account, nor a
cancel for one about an order."""


def rules(settings: FutuSettings) -> dict[str, _Rule]:
    """Return by kind how calls are counted."""
    changes = settings.changes_per_30_s
    table = {
        "place": _Rule("place", settings.orders_per_30_s, waits=False),
        "modify": _Rule("change", max(1, changes - RESERVED), waits=False),
        "cancel": _Rule("change", changes),
        "unlock": _Rule("unlock", 10),
    }
    table |= {kind: _Rule(kind, settings.queries_per_30_s) for kind in ACCOUNT}
    table |= {kind: _Rule(kind, limit) for kind, limit in QUOTE.items()}
    return table | {kind: _Rule(kind, 0) for kind in FREE}


class CallLedger:
    """Counts calls by kind in a sliding half minute.

    What is new is refused when there is no room: an order that waited would come at another price. Questions and cancels wait
    for their turn; the last few changes are kept for cancels.

    Thread: futu-io.
    """

    def __init__(
        self, settings: FutuSettings, now_ns: Callable[[], int], wait_s: Callable[[float], Awaitable[None]]
    ) -> None:
        self._rules = rules(settings)
        self._now_ns = now_ns
        self._wait_s = wait_s
        self._spent: dict[str, deque[int]] = {}

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds of calls that there are."""
        return frozenset(self._rules)

    async def turn(self, kind: str) -> None:
        """Count a call, when its turn has come.

        Raises:
            NotSent: it is an order or a change, and there is no room for it now.
        """
        rule = self._rules[kind]
        while (pause_s := self.room_in_s(kind)) > 0.0:
            if not rule.waits:
                text = f"{rule.limit} calls of this kind left in {WINDOW_S:.0f} s; the next may in {pause_s:.1f} s"
                raise NotSent("call_frequency", text)
            await self._wait_s(pause_s)
        if rule.limit:
            self._spent.setdefault(rule.window, deque()).append(self._now_ns())

    def room_in_s(self, kind: str) -> float:
        """Return after how long there is room for one more call of a kind; 0.0 is now."""
        rule, now_ns = self._rules[kind], self._now_ns()
        spent = self._spent.setdefault(rule.window, deque())
        while spent and now_ns - spent[0] >= WINDOW_NS:
            spent.popleft()
        if not rule.limit or len(spent) < rule.limit:
            return 0.0
        return (spent[-rule.limit] + WINDOW_NS - now_ns) / 1e9

    def spare(self, kind: str) -> int | None:
        """Return how many calls of a kind there is room for now; None is any number."""
        limit = self._rules[kind].limit
        return max(0, limit - self.spent(kind)) if limit else None

    def spent(self, kind: str) -> int:
        """Return how many calls that are counted with a kind stand in the present window."""
        self.room_in_s(kind)
        return len(self._spent[self._rules[kind].window])


class SubscriptionQuota:
    """The slots that subscriptions take, and since when each is taken.

    Thread: futu-io.
    """

    def __init__(self, limit: int, now_ns: Callable[[], int]) -> None:
        self.limit = limit
        self._now_ns = now_ns
        self._since_ns: dict[Key, int] = {}

    @property
    def used(self) -> int:
        """Return how many slots are taken."""
        return len(self._since_ns)

    def take(self, keys: Collection[Key]) -> None:
        """Take slots, all or none; one that is taken stays as it is.

        Raises:
            VenueRejected: there are not enough.
        """
        fresh = [key for key in dict.fromkeys(keys) if key not in self._since_ns]
        if self.used + len(fresh) > self.limit:
            text = (
                f"{len(fresh)} more than the {self.used} of {self.limit} in use: unsubscribe from something, or raise "
                "subscription_quota if your customer level has more"
            )
            raise VenueRejected(VENUE, "subscription_quota", text)
        now_ns = self._now_ns()
        self._since_ns.update(dict.fromkeys(fresh, now_ns))

    def ripe_in_s(self, keys: Collection[Key]) -> float:
        """Return after how long OpenD lets all of these be ended; 0.0 is now."""
        youngest_ns = max((self._since_ns.get(key, 0) for key in keys), default=0)
        return max(0.0, HELD_S - (self._now_ns() - youngest_ns) / 1e9) if youngest_ns else 0.0

    def give_back(self, keys: Collection[Key]) -> None:
        """Free slots."""
        for key in keys:
            self._since_ns.pop(key, None)

    def forget(self) -> None:
        """Free all slots: the connection that had them is gone."""
        self._since_ns.clear()
