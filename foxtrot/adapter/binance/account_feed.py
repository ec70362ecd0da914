"""How one account is heard: by its stream, or asked for by REST while no stream can be had.

The stream's breaker decides. A stream that fails while the link is up costs the link, and is dialled again with the session's
back-off. When it cannot be had `FAILURES` times in a row, or the venue wants to be left alone for long, the link goes on without
it: the account is asked for every `poll_interval_s`. Half open, the stream is dialled once; when it stands, one whole round of
questions closes the gap, and the questions end.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from loguru import logger

from foxtrot.adapter.binance.config import BinanceSettings
from foxtrot.adapter.binance.user_stream import Lost, UserStream
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth
from foxtrot.adapter.reconnect import BreakerState, CircuitBreaker
from foxtrot.domain.errors import AdapterError, LoginFailed, RateLimited

FAILURES: Final = 3
"""After so many failed dials in a row the account goes by REST."""
REST_S: Final = 10.0
"""How long after a failed dial the stream is left alone: 30 dials in 5 minutes at the most, of 300 that Binance allows."""
PATIENCE_S: Final = 10.0
"""A venue that refuses the stream for less than this is waited for; for longer, the account goes by REST meanwhile."""
POLLS: Final = 5
"""After so many rounds in a row without any answer the link is lost."""
SWITCHED_OFF: Final = "the setting websocket is false"


class FeedUser(Protocol):
    """Who asks for the account, and hears its events; `opened` once everything was told over a new link."""

    opened: bool

    async def poll_account(self, *, whole: bool) -> None:
        """Ask for what has changed, or for everything, and tell what is new."""
        ...

    def hold_events(self) -> None:
        """Keep what the stream says until `release_events`."""
        ...

    def release_events(self) -> None:
        """Hear what was kept."""
        ...

    def stream_stands(self) -> None:
        """Hear that from now on the stream tells everything."""
        ...


class AccountFeed:
    """Opens the account's stream or does without it, and comes back to it.

    `by_rest` says why there is no stream, "" while there is one.

    Thread: binance-io.
    """

    def __init__(
        self, settings: BinanceSettings, stream: UserStream, bridge: AsyncBridge, health: AdapterHealth
    ) -> None:
        self.by_rest = ""
        self.breaker = CircuitBreaker(bridge.clock.monotonic_ns, failures=FAILURES, rest_s=REST_S)
        self._settings = settings
        self._stream = stream
        self._bridge = bridge
        if settings.has_keys:
            health.breakers["user"] = self.breaker

    async def open(self, lost: Lost) -> None:
        """Open the stream, or go on without it where its breaker says so.

        Raises:
            AdapterError: it could not be had, and is worth another attempt.
        """
        self.by_rest = "" if self._settings.websocket else SWITCHED_OFF
        if self.by_rest:
            return
        if not self.breaker.allows():
            self.by_rest = "the account's stream is left alone for a while"
            return
        try:
            await self._dial(lost)
        except (LoginFailed, RateLimited):
            raise
        except AdapterError as error:
            if self.breaker.state is BreakerState.CLOSED:
                raise self._with_pause(error) from error
            self.by_rest = str(error)
            logger.warning("{}; the account is asked for by REST", error)

    async def keep(self, user: FeedUser, lost: Lost, tell: Callable[[], None]) -> None:
        """Keep the stream, or ask by REST until it is back; then `tell`."""
        if self.by_rest:
            await self._poll_until_back(user, lost)
            self.by_rest = ""
            tell()
            user.stream_stands()
        await self._stream.keep(lost)

    async def _dial(self, lost: Lost) -> None:
        """Open the stream; the breaker hears how that went.

        Raises:
            AdapterError: it could not be had.
        """
        stands = False
        try:
            await self._stream.open(lost)
            stands = True
        finally:
            if stands:
                self.breaker.succeeded()
            elif self._stream.refused_for_s >= PATIENCE_S:
                self.breaker.trip(self._stream.refused_for_s)
            else:
                self.breaker.failed()

    def _with_pause(self, error: AdapterError) -> AdapterError:
        pause_s = self._stream.refused_for_s
        return RateLimited(error.venue, error.code, error.text, pause_s) if pause_s else error

    async def _poll_until_back(self, user: FeedUser, lost: Lost) -> None:
        failed = 0
        while True:
            await self._bridge.wait_s(self._settings.poll_interval_s)
            if not user.opened:
                continue
            if self._settings.websocket and self.breaker.allows() and await self._comes_back(user, lost):
                return
            failed = 0 if await self._asked(user.poll_account(whole=False), lost) else failed + 1
            if failed == POLLS:
                lost("the account can be had neither by its stream nor by REST")

    async def _comes_back(self, user: FeedUser, lost: Lost) -> bool:
        """Dial once; when the stream stands, tell whatever happened before it did, and then what it says."""
        user.hold_events()
        try:
            await self._dial(lost)
            return await self._closes_gap(user, lost)
        except LoginFailed as refused:
            self.breaker.succeeded()  # it was reached; the next link dials at once, and hears the same
            lost(f"user stream: {refused}")
            return False
        except AdapterError as error:
            logger.info("the account's stream cannot be had yet: {}", error)
            return False
        finally:
            user.release_events()

    async def _closes_gap(self, user: FeedUser, lost: Lost) -> bool:
        """Ask for everything while the stream's events are held; what cannot be had soon costs the link, so that none waits for ever.

        Raises:
            LoginFailed: the credentials are refused.
        """
        for _ in range(POLLS):
            self._stream.fell_back()
            pause_s = self._settings.poll_interval_s
            try:
                await user.poll_account(whole=True)
                return True
            except LoginFailed:
                raise
            except AdapterError as error:
                logger.warning("what came before the account's stream could not be asked for: {}", error)
                if isinstance(error, RateLimited):
                    pause_s = max(pause_s, error.retry_after_s)
            await self._bridge.wait_s(min(pause_s, PATIENCE_S))
        lost("the account's stream is back, but what came before it cannot be asked for")
        return False

    async def _asked(self, question: Awaitable[None], lost: Lost) -> bool:
        """Tell whether a round of questions was answered, or was not to be asked now."""
        self._stream.fell_back()
        try:
            await question
        except LoginFailed as refused:
            lost(str(refused))
            return False
        except RateLimited as limited:
            logger.info("the account is not asked for: {}", limited)
            await self._bridge.wait_s(limited.retry_after_s)
        except AdapterError as error:
            logger.warning("the account could not be asked for: {}", error)
            return False
        return True
