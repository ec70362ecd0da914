"""How fast messages leave on one WebSocket connection: Binance closes one (1008) on which too many arrive in a second."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

WINDOW_NS: Final = 1_300_000_000
"""A second and what two messages may gain on each other on their way: Binance counts when they arrive."""
_ROUNDING_S: Final = 0.001
"""More than a wait may end too early by rounding, so that the clock has moved on when it ends."""


class MessagePace:
    """Gives the messages of one connection their turn: in order, as many at once as a window may hold, then as it empties.

    Pings and pongs count too but pass those who wait, up to one more than the window holds; Binance's limit has room for it.

    Thread: the loop's.

    Args:
        most: how many may leave in a window; 0 is any number.
        now_ns: the monotonic clock.
        wait_s: waits by the same clock.

    Source: Binance spot API, WebSocket Streams, WebSocket Limits: 5 incoming messages per second, PING and PONG frames among
        them; USDⓈ-M Futures, Connect: 10.
    """

    def __init__(self, most: int, now_ns: Callable[[], int], wait_s: Callable[[float], Awaitable[None]]) -> None:
        self.last_ns = 0
        """When the last message other than a ping or pong had its turn; 0 before the first."""
        self._most = most
        self._now_ns = now_ns
        self._wait_s = wait_s
        self._left: deque[int] = deque()
        self._queue = asyncio.Lock()
        self._ended = False

    def end(self) -> None:
        """Let nobody have a turn any more: the connection is closed."""
        self._ended = True

    async def turn(self) -> bool:
        """Wait for a message's turn; False when the connection was closed meanwhile."""
        async with self._queue:
            if not await self._room(self._most):
                return False
            self.last_ns = self._now_ns()
            return True

    async def control_turn(self) -> bool:
        """Wait for the turn of a ping or pong; False when the connection was closed meanwhile."""
        return await self._room(self._most + 1)

    async def _room(self, most: int) -> bool:
        while self._most and not self._ended and (pause_ns := self._pause_ns(most)) > 0:
            await self._wait_s(pause_ns / 1e9 + _ROUNDING_S)
        if self._most:
            self._left.append(self._now_ns())
        return not self._ended

    def _pause_ns(self, most: int) -> int:
        now_ns = self._now_ns()
        while self._left and now_ns - self._left[0] >= WINDOW_NS:
            self._left.popleft()
        return 0 if len(self._left) < most else self._left[-most] + WINDOW_NS - now_ns
