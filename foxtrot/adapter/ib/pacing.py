"""How much may be asked of TWS, and how soon: messages a second, questions for history, active orders. Pure, times are given.

Source: TWS API, Architecture ("50 messages per second"), Historical Data Limitations, Order Limitations ("20 active orders per contract
    per side per account").
"""

import asyncio
import enum
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Final

from foxtrot.adapter.ib.errors import NotSent

SECOND_NS: Final = 1_000_000_000
NowNs = Callable[[], int]
WaitS = Callable[[float], Awaitable[None]]


class Lane(enum.IntEnum):
    """How urgent a message is; the lower goes first."""

    CANCEL = 0
    ORDER = 1
    QUESTION = 2


RESERVED: Final = {Lane.CANCEL: 0.0, Lane.ORDER: 0.1, Lane.QUESTION: 0.35}
"""The part of the messages of a second that is kept for whoever is more urgent."""


class MessagePace:
    """At most so many messages in any second; cancels have a part of them that orders leave alone, and both one that questions do.

    Thread: ib-io.

    Args:
        per_second: how many.
        now_ns: monotonic.
        wait_s: waits by the same clock.
    """

    def __init__(self, per_second: int, now_ns: NowNs, wait_s: WaitS) -> None:
        self._limits = {lane: max(1, per_second - int(per_second * part)) for lane, part in RESERVED.items()}
        self._now_ns = now_ns
        self._wait_s = wait_s
        self._sent: deque[int] = deque()
        self._lines = {lane: asyncio.Lock() for lane in Lane}

    def left(self, lane: Lane) -> int:
        """Return how many messages may go now."""
        self._forget(self._now_ns())
        return max(0, self._limits[lane] - len(self._sent))

    async def turn(self, lane: Lane) -> None:
        """Return when a message may go, and count it; those of a lane go in their order."""
        async with self._lines[lane]:
            while not self.left(lane):
                await self._wait_s(self._delay_s(lane))
            self._sent.append(self._now_ns())

    def _delay_s(self, lane: Lane) -> float:
        gone = len(self._sent) - self._limits[lane]
        return max(0.001, (self._sent[gone] + SECOND_NS - self._now_ns()) / SECOND_NS)

    def _forget(self, now_ns: int) -> None:
        while self._sent and now_ns - self._sent[0] >= SECOND_NS:
            self._sent.popleft()


class HistoryPace:
    """Questions for historical bars: no more than the venue bears, each waits for its turn.

    Those limits that TWS has for bars under a minute alone are kept for those alone; 50 in flight count for all.

    Thread: ib-io.

    Args:
        now_ns: monotonic.
        wait_s: waits by the same clock.
    """

    MOST, WINDOW_S = 60, 600.0
    SAME_S = 15.0
    OF_CONTRACT, CONTRACT_S = 5, 2.0
    """Six of a contract within two seconds are a violation."""
    IN_FLIGHT = 50

    def __init__(self, now_ns: NowNs, wait_s: WaitS) -> None:
        self._now_ns = now_ns
        self._wait_s = wait_s
        self._all: deque[int] = deque()
        self._same: dict[Hashable, int] = {}
        self._contracts: dict[Hashable, deque[int]] = {}
        self._line = asyncio.Lock()
        self._flights = asyncio.Semaphore(self.IN_FLIGHT)
        self._quiet_until_ns = 0

    def hold(self, seconds: float) -> None:
        """Ask nothing for so long: the venue has complained."""
        self._quiet_until_ns = max(self._quiet_until_ns, self._now_ns() + int(seconds * SECOND_NS))

    @asynccontextmanager
    async def turn(self, request: Hashable, contract: Hashable, *, small: bool) -> AsyncIterator[None]:
        """Wait for the turn of a question, which is in flight for as long as the block lasts.

        Args:
            request: what is asked, so that the same is not asked twice within 15 s.
            contract: of which contract, exchange and kind of data.
            small: whether its bars are shorter than a minute.
        """
        async with self._flights:
            async with self._line:
                while (delay_s := self.delay_s(request, contract, small=small)) > 0.0:
                    await self._wait_s(delay_s)
                self._note(request, contract, small=small)
            yield

    def delay_s(self, request: Hashable, contract: Hashable, *, small: bool) -> float:
        """Return how long a question must wait."""
        now_ns = self._now_ns()
        due_ns = self._quiet_until_ns
        if small:
            due_ns = max(due_ns, self._same.get(request, -(10**18)) + int(self.SAME_S * SECOND_NS))
            due_ns = max(due_ns, _due_ns(self._all, self.MOST, self.WINDOW_S))
            due_ns = max(due_ns, _due_ns(self._contracts.get(contract, deque()), self.OF_CONTRACT, self.CONTRACT_S))
        return max(0.0, (due_ns - now_ns) / SECOND_NS)

    def _note(self, request: Hashable, contract: Hashable, *, small: bool) -> None:
        if not small:
            return
        now_ns = self._now_ns()
        self._same = {key: at for key, at in self._same.items() if now_ns - at < self.SAME_S * SECOND_NS}
        self._same[request] = now_ns
        for times, most in ((self._all, self.MOST), (self._contracts.setdefault(contract, deque()), self.OF_CONTRACT)):
            times.append(now_ns)
            while len(times) > most:
                times.popleft()


def _due_ns(times: deque[int], most: int, window_s: float) -> int:
    """Return when one more may follow, so that no window has more."""
    return times[-most] + int(window_s * SECOND_NS) if len(times) >= most else -(10**18)


class ActiveOrders:
    """How many orders of a contract and side are alive: IB takes 20.

    Thread: ib-io.
    """

    def __init__(self, most: int = 20) -> None:
        self._most = most
        self._alive: dict[tuple[Hashable, str], set[str]] = {}

    def check(self, contract: Hashable, side: str) -> None:
        """Refuse one more that IB would refuse.

        Raises:
            NotSent: so many are alive already.
        """
        alive = len(self._alive.get((contract, side), ()))
        if alive >= self._most:
            text = f"{alive} orders to {side} it are alive and IB takes {self._most} of a contract and side; cancel one first"
            raise NotSent("active_orders", text)

    def begin(self, order_id: str, contract: Hashable, side: str) -> None:
        """Note an order that may be alive."""
        self._alive.setdefault((contract, side), set()).add(order_id)

    def end(self, order_id: str) -> None:
        """Note that an order is dead, or never left."""
        for alive in self._alive.values():
            alive.discard(order_id)
