"""HubClient: books and tickers of a hub in any Python program, blocking or async."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from decimal import Decimal, InvalidOperation
from functools import partial
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from loguru import logger

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError, ConnectionLost, RequestTimedOut
from foxtrot.hub.client_feeds import HubFeed
from foxtrot.hub.client_link import HubLink
from foxtrot.hub.client_streams import KeptBook, KeptTicker, Value
from foxtrot.hub.client_values import HubBook, HubTicker
from foxtrot.hub.wire import DEFAULT_PORT, PATH, PROTOCOL, Status, SubscribeAsk

THREAD_NAME: Final = "hub-client"
DEFAULT_URL: Final = f"ws://127.0.0.1:{DEFAULT_PORT}{PATH}"


class HubClient:
    """Reads a hub: `book` and `ticker` give feeds that stay right over every reconnect, or say that they are not.

    It connects when it is made and goes on trying; `close`, or the end of a `with` block, leaves nothing behind.

    Thread: every method, any; the connection is hub-client's.

    Args:
        url: where the hub listens, as it says at its start.
        token: where the hub needs one; it goes into the first frame and into no URL or log.
        clock: the system's by default.

    Raises:
        ConfigError: the URL is not one of a WebSocket, or the token is no text.
    """

    def __init__(self, url: str = DEFAULT_URL, token: str = "", clock: Clock | None = None) -> None:
        self.url = _checked(url)
        if not isinstance(token, str):
            raise ConfigError(f"token must be text, not {type(token).__name__}")  # its value is nobody's business
        self._bridge = AsyncBridge(THREAD_NAME, clock or SystemClock())
        self._link = HubLink(self.url, Secret(token), self._bridge)
        self._lock = threading.Lock()  # guards the end: no feed is added after it
        self._is_closed = False
        self._bridge.start()
        self._running = self._bridge.submit(self._link.run())
        self._running.add_done_callback(self._on_end)

    def __repr__(self) -> str:
        return f"HubClient({self.url!r})"

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> "HubClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_connected(self) -> bool:
        """Tell whether the hub is there now."""
        return self._link.is_connected

    def book(
        self,
        instrument_id: str,
        levels: int = 20,
        group: str | Decimal = "",
        on_value: Callable[[HubBook], None] | None = None,
    ) -> HubFeed[HubBook]:
        """Return a feed of a book, one of its own each time; those of the same levels and group share one stream of the hub.

        Args:
            instrument_id: which, as the hub offers it.
            levels: how many a side.
            group: a price step, such as "10", in which the hub sums them up.
            on_value: called with every book, on hub-client, which it must not keep waiting; of its errors each kind is logged once.

        Raises:
            ConfigError: the step is no number, or the client is closed.
        """
        ask = SubscribeAsk(instrument=instrument_id, levels=levels, group=_step(group))
        return self._feed(HubFeed(ask, KeptBook(instrument_id), self._end_feed), on_value)

    def ticker(self, instrument_id: str, on_value: Callable[[HubTicker], None] | None = None) -> HubFeed[HubTicker]:
        """Return a feed of a ticker; see `book`."""
        ask = SubscribeAsk(instrument=instrument_id, kind="ticker")
        return self._feed(HubFeed(ask, KeptTicker(instrument_id), self._end_feed), on_value)

    def status(self, timeout_s: float = 5.0) -> Status:
        """Return what the hub offers, where it comes from and how it does.

        Blocks: at most `timeout_s`, for the connection too.

        Raises:
            ConnectionLost: the hub is not there in time, or goes while it is asked.
            LoginFailed: the token is missing or wrong.
            RequestTimedOut: it is there, but does not answer in time.
        """
        answer: Future[Status] = Future()
        if not self._bridge.call_soon(lambda: self._link.ask_status(answer)):
            raise ConfigError("the client is closed")
        try:
            return answer.result(timeout_s)
        except FutureTimeout:
            answer.cancel()
            if not self.is_connected:
                text = f"no connection to {self.url} in {timeout_s} s: {self._link.trouble}"
                raise ConnectionLost(PROTOCOL, "not_connected", text) from None
            raise RequestTimedOut(PROTOCOL, "timeout", f"no status of {self.url} in {timeout_s} s") from None

    def close(self, deadline_s: float = 5.0) -> str:
        """End every feed and the connection; again is harmless. Returns the name of a thread that overran, or "".

        Blocks: at most `deadline_s`.
        """
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if was_closed:
            return ""
        self._bridge.call_soon(self._link.end)
        self._running.cancel()
        return self._bridge.stop(deadline_s)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _feed(self, made: HubFeed[Value], on_value: Callable[[Value], None] | None) -> HubFeed[Value]:
        """Have a feed read; its callback is known before, so that it hears the first value."""
        if on_value is not None:
            made.listen(on_value)
        with self._lock:
            if self._is_closed:
                raise ConfigError("the client is closed; make a new one")
            self._bridge.call_soon(partial(self._link.add, made))
        return made

    def _end_feed(self, feed: HubFeed[Any]) -> None:
        self._bridge.call_soon(partial(self._link.part, feed))

    def _on_end(self, running: "Future[None]") -> None:
        """Hear that the connection is not kept any more; an error is ours, and the feeds have been told that nothing comes."""
        if not running.cancelled() and (error := running.exception()) is not None:
            logger.opt(exception=error).error("hub client: {}: it failed and connects no more", self.url)


def _checked(url: str) -> str:
    if not isinstance(url, str):
        raise ConfigError(f"hub {url!r} must be a URL such as {DEFAULT_URL!r}")
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("ws", "wss") and parts.hostname and not parts.query and parts.port != 0
    except ValueError:  # a port or an address that is none
        is_right = False
    if not is_right:
        raise ConfigError(f"hub {url.partition('?')[0]!r} must be a URL such as {DEFAULT_URL!r}, without a query")
    return url


def _step(group: str | Decimal) -> str:
    """Return a price step as plain text, so that 10 and 10.0 are the same feed."""
    if not str(group):
        return ""
    try:
        return format(Decimal(str(group)).normalize(), "f")
    except InvalidOperation:
        raise ConfigError(f"group {str(group)[:40]!r} must be a price step such as '10'") from None
