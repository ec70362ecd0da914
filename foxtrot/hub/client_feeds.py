"""What a program reads of one stream: the latest value, each value by callback, or one after the other in a loop, blocking or async."""

import asyncio
from collections.abc import Callable

from foxtrot.adapter.latest_value import LatestValue
from foxtrot.adapter.reader_callback import guarded
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import ConfigError, FoxtrotError, RequestTimedOut
from foxtrot.hub.client_streams import KeptStream, Value
from foxtrot.hub.wire import PROTOCOL, Kind, SubscribeAsk

FeedKey = tuple[Kind, str, int, str]
"""Kind, instrument, levels, step."""


class HubFeed(LatestValue[Value]):
    """One reader of a stream of a hub, kept over every reconnect; feeds that ask for the same share the stream, and each is closed by itself.

    `for value in feed` and `async for value in feed` give the newest value whenever there is a newer one, and leave out those that came in
    between; a callback gets each. A value that is not LIVE is given too, without levels: believe nothing until the next one that is.

    Thread: any; values are made on hub-client.

    Args:
        ask: what to subscribe to.
        kept: the stream as the client keeps it.
        end: called once when it is closed.
    """

    def __init__(self, ask: SubscribeAsk, kept: KeptStream[Value], end: "Callable[[HubFeed[Value]], None]") -> None:
        first: Value = kept.nothing(BookState.EMPTY, "not subscribed yet")
        super().__init__(first)
        self.ask = ask
        self.kept: KeptStream[Value] = kept
        self.callbacks: list[Callable[[Value], None]] = []
        self._has_parted = False  # hub-client's alone
        self._close: Callable[[HubFeed[Value]], None] = end

    @property
    def key(self) -> FeedKey:
        """Return what tells it from other feeds of a client."""
        return self.ask.kind, self.ask.instrument, self.ask.levels, self.ask.group

    @property
    def instrument_id(self) -> str:
        """Return whose it is."""
        return self.ask.instrument

    @property
    def state(self) -> BookState:
        """Return whether the last value may be believed."""
        return self.latest.state

    @property
    def conflated(self) -> int:
        """Return how many frames the hub left out because this client was too slow."""
        return self.kept.conflated

    def listen(self, on_value: Callable[[Value], None]) -> None:
        """Call `on_value` with every value from now on, on hub-client, which it must not keep waiting; of its errors each kind is logged once.

        The last value, which is never LIVE, comes when the feed or its client is closed, or the hub refuses.
        """
        self.callbacks.append(guarded(on_value, "hub client", self.instrument_id))

    def wait(self, timeout_s: float = 5.0) -> Value:
        """Return the latest value that is LIVE, at once when it is.

        Blocks: at most `timeout_s`.

        Raises:
            RequestTimedOut: none came in time.
            FoxtrotError: the hub refused, or the feed is closed.
        """
        try:
            value = self.first(lambda value: value.is_live, timeout_s)
        except TimeoutError:
            raise self._too_late(timeout_s) from None
        if not value.is_live:
            raise ConfigError(f"the feed of {self.instrument_id} is closed")
        return value

    async def wait_async(self, timeout_s: float = 5.0) -> Value:
        """Return the latest value that is LIVE, as `wait` does, without blocking the loop."""
        try:
            async with asyncio.timeout(timeout_s):
                async for value in self:
                    if value.is_live:
                        return value
        except TimeoutError:
            raise self._too_late(timeout_s) from None
        raise ConfigError(f"the feed of {self.instrument_id} is closed")

    def close(self) -> None:
        """Read no more: loops over it end, other feeds of the same go on; again is harmless."""
        self.finish(None)
        self._close(self)

    def finish(self, error: FoxtrotError | None) -> None:
        """Give nothing any more; an error is raised where somebody waits."""
        self.end(self.kept.nothing(BookState.EMPTY, str(error) if error else "closed"), error)

    def hear(self, value: Value) -> None:
        """Take a newer value and call back; after the end it is left alone.

        Thread: hub-client.
        """
        if not self.is_ended:
            self.give(value)
            self._tell(value)

    def part(self, error: FoxtrotError | None) -> None:
        """End it and call back with its last value, once.

        Thread: hub-client.
        """
        self.finish(error)
        if not self._has_parted:
            self._has_parted = True
            self._tell(self.latest)

    def _tell(self, value: Value) -> None:
        loop = asyncio.get_running_loop()  # not by the bridge, which takes no job once it has been told to stop
        for callback in tuple(self.callbacks):
            loop.call_soon(callback, value)

    def _too_late(self, timeout_s: float) -> RequestTimedOut:
        latest = self.latest
        text = f"no LIVE {self.ask.kind} of {self.instrument_id} in {timeout_s} s: it is {latest.state}, {latest.cause}"
        return RequestTimedOut(PROTOCOL, "timeout", text)
