"""The watchdog: finds connections that stand and say nothing, by our clock, since TCP and ccxt may wait for ever."""

from collections.abc import Callable
from typing import Any, Final

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth, StalenessRule, StreamHealth

PERIOD_S: Final = 1.0
FRAMES: Final = StalenessRule(floor_s=35.0, ceiling_s=35.0)
"""A connection is silent without any frame for this long: ccxt pings every 10 s, so three pongs are missing."""
Kick = Callable[[str, str], None]
Stale = Callable[[StreamHealth], None]


class Watchdog:
    """Counts the silence of every connection and every stream, a beat a second.

    A beat counts two seconds at most, so that a suspended process or a clock that jumped proves nothing.

    Thread: binance-io.

    Args:
        bridge: whose clock beats.
        health: whose streams are judged by their own, learnt limits.
        kick: told the URL of a silent connection, and why.
        on_stale: told once of each silence of a stream.
    """

    def __init__(self, bridge: AsyncBridge, health: AdapterHealth, kick: Kick, on_stale: Stale) -> None:
        self._bridge = bridge
        self._health = health
        self._kick = kick
        self._on_stale = on_stale
        self._frames: dict[str, StreamHealth] = {}
        self._told: set[str] = set()
        self._clients: dict[str, Any] = {}
        self._last_at: dict[str, Any] = {}

    def heard(self, client: Any) -> None:
        """Note a frame of any kind on a connection."""
        now_ns = self._bridge.clock.monotonic_ns()
        found = self._frames.get(client.url)
        if found is None:
            found = self._frames[client.url] = StreamHealth(client.url, FRAMES)
            found.up(now_ns)
        found.silent_s = 0.0
        self._clients[client.url] = client

    def forget(self) -> None:
        """Forget all connections."""
        self._frames.clear()
        self._clients.clear()
        self._last_at.clear()
        self._told.clear()

    async def watch(self) -> None:
        """Beat for ever."""
        clock = self._bridge.clock
        last_ns = clock.monotonic_ns()
        while True:
            await self._bridge.wait_s(PERIOD_S)
            now_ns = clock.monotonic_ns()
            self.beat(clock.now_ns(), (now_ns - last_ns) / 1e9)
            last_ns = now_ns

    def beat(self, utc_ns: int, elapsed_s: float) -> None:
        """Count silence and act on what has been silent for too long."""
        for url, frames in tuple(self._frames.items()):
            frames.beat(utc_ns, elapsed_s)
            last_at = getattr(self._clients[url], "last_message_at", None)
            if last_at != self._last_at.get(url):  # its reader notes every frame, the hot path's too
                self._last_at[url] = last_at
                frames.silent_s = 0.0
            if frames.stale:
                del self._frames[url], self._clients[url]
                self._kick(url, f"no frame for {frames.silent_s:.0f} s")
        stale = self._health.beat(utc_ns, elapsed_s)
        for stream in stale:
            if stream.name not in self._told:
                self._on_stale(stream)
        self._told = {stream.name for stream in stale}
