"""The one way of requests to Binance: our errors only, deadlines by our clock, silence while the venue asks for it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import ccxt
from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.client import BinanceExchange
from foxtrot.adapter.binance.errors import (
    CLOCK_OFF,
    LONGEST_BAN_S,
    TOO_MANY_ORDERS,
    VENUE,
    NotSent,
    PermitClosed,
    UnknownOutcome,
    translate,
    translate_sent,
)
from foxtrot.adapter.binance.order_count import ORDERS_IN, OrderCount
from foxtrot.adapter.binance.permit_request import ORDER_PASS, OrderPass, Passage
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth
from foxtrot.adapter.quiet_time import QuietTime
from foxtrot.adapter.reconnect import CircuitBreaker
from foxtrot.domain.errors import AdapterError, ConnectionLost, InvariantBroken, RateLimited, RequestTimedOut

ORDER_DEADLINE_S: Final = 10.0
NOTABLE_OFFSET_MS: Final = 500
_EXPECTED: Final = (ccxt.BaseError, AdapterError, InvariantBroken, OSError, asyncio.TimeoutError)
Params = Mapping[str, str]


class RestDoor:
    """Asks Binance by REST.

    Thread: binance-io.

    Args:
        bridge: whose clock and loop are used.
        context: its permit is asked by orders alone, its home keeps bans.
        health: where requests are counted.
        orders: where orders are counted.
        host: whom Binance counts our requests for.
    """

    def __init__(
        self, bridge: AsyncBridge, context: AdapterContext, health: AdapterHealth, orders: OrderCount, host: str
    ) -> None:
        self.orders = orders
        self.exchange: BinanceExchange | None = None
        self.on_clock_off: Callable[[str], None] = logger.warning
        """Hears, once for each change, that our clock and Binance's differ notably, and what to do."""
        self._told_offset_ms = 0
        self._breaker = CircuitBreaker(bridge.clock.monotonic_ns)
        self._bridge = bridge
        self._clock = bridge.clock
        self._permit = context.permit
        self._health = health
        self._quiet = QuietTime(self._clock, context.home, host, LONGEST_BAN_S)
        self._no_orders_until_ns = 0
        self._in_flight: set[asyncio.Task[Any]] = set()

    def use(self, exchange: BinanceExchange | None) -> None:
        """Ask by this client from now on; None is nobody."""
        self.exchange = exchange
        self._breaker = self._health.breakers["requests"] = CircuitBreaker(self._clock.monotonic_ns)

    @property
    def quiet_s(self) -> float:
        """Return for how long nothing may be asked."""
        return self._quiet.left_s

    async def wait_s(self, seconds: float) -> None:
        """Wait by the injected clock."""
        await self._bridge.wait_s(seconds)

    async def request(self, endpoint: str, params: Params, *, deadline_s: float = 10.0) -> Any:
        """Call ccxt's method of an endpoint with these parameters, which do not trade.

        Raises:
            AdapterError: RateLimited, RequestTimedOut, LoginFailed, VenueRejected, ConnectionLost or BadMessage.
        """
        try:
            return await self.ask(lambda exchange: getattr(exchange, endpoint)(dict(params)), deadline_s)
        except AdapterError as error:
            if error.code != CLOCK_OFF:
                raise
        await self.sync_clock()
        return await self.ask(lambda exchange: getattr(exchange, endpoint)(dict(params)), deadline_s)

    async def ask(self, call: Callable[[BinanceExchange], Coroutine[Any, Any, Any]], deadline_s: float = 10.0) -> Any:
        """Await something of ccxt's that asks Binance and does not trade; raises as `request`."""
        exchange = self._exchange()
        self._check_open()
        asking = asyncio.ensure_future(call(exchange))
        try:
            await self._bridge.within(_ended(asking), deadline_s)
        except RequestTimedOut as late:
            self._note(late)
            raise RequestTimedOut(VENUE, "timeout", f"no answer in {deadline_s} s") from None
        except asyncio.CancelledError:
            self._breaker.failed()
            raise
        finally:
            asking.cancel()
        error = _error_of(asking)
        if error is not None:
            raise self._note(translate(error, getattr(error, "refusal", None))) from error
        return self._answered(asking.result())

    async def send_permitted(self, endpoint: str, params: Params, *, reduces: bool) -> Any:
        """Send an order; the permit is read as the last act before its bytes are handed to the transport.

        Raises:
            NotSent: it did not leave (PermitClosed: because of the permit).
            UnknownOutcome: it left, and may be live.
            AdapterError: the venue refused it.
        """
        self._check_may_send()
        exchange, taken_ns = self._exchange(), self._clock.monotonic_ns()
        count = ORDERS_IN.get(endpoint, 1)
        self.orders.take(taken_ns, count)
        way = OrderPass(self._permit, reduces=reduces)
        try:
            return await self._send(exchange, way, endpoint, params)
        finally:
            if way.passage is not Passage.LEFT:
                self.orders.give_back(taken_ns, count)

    async def _send(self, exchange: BinanceExchange, way: OrderPass, endpoint: str, params: Params) -> Any:
        """Send an order over its way; raises as `send_permitted`."""

        async def send() -> Any:
            ORDER_PASS.set(way)
            return await getattr(exchange, endpoint)(dict(params))

        sending = asyncio.ensure_future(send())
        self._in_flight.add(sending)
        sending.add_done_callback(self._landed)
        try:
            await self._bridge.within(_ended(sending), ORDER_DEADLINE_S)
        except RequestTimedOut:
            raise self._unanswered(way, sending, f"no answer in {ORDER_DEADLINE_S} s") from None
        except asyncio.CancelledError:
            raise self._unanswered(way, sending, "the adapter closes") from None
        error = _error_of(sending)
        if error is not None:
            judged = self._judge(error, way)
            if judged.code == CLOCK_OFF:
                with suppress(AdapterError):
                    await self.sync_clock()
            raise judged from error
        return self._answered(sending.result())

    async def sync_clock(self) -> int:
        """Measure how far our clock is from Binance's, keep it for signing, and say so when it is notable.

        Returns:
            Ours minus theirs, in ms.
        """
        offset_ms = int(await self.ask(lambda exchange: exchange.load_time_difference()))
        if abs(offset_ms - self._told_offset_ms) > NOTABLE_OFFSET_MS:
            self._told_offset_ms = offset_ms
            self.on_clock_off(_clock_words(offset_ms))
        return offset_ms

    async def drain(self, timeout_s: float) -> None:
        """Wait for orders that are on their way, for a time."""
        if self._in_flight:
            await asyncio.wait(tuple(self._in_flight), timeout=timeout_s)

    def _landed(self, sending: "asyncio.Task[Any]") -> None:
        self._in_flight.discard(sending)
        if not sending.cancelled():
            sending.exception()  # seen, also when nobody waits any longer

    def _exchange(self) -> BinanceExchange:
        if self.exchange is None:
            raise ConnectionLost(VENUE, "not_connected", "the venue is not connected")
        return self.exchange

    def _check_open(self) -> None:
        if self.quiet_s > 0:
            raise RateLimited(VENUE, "suspended", self._quiet.why, self.quiet_s)
        if not self._breaker.allows():
            raise ConnectionLost(VENUE, "breaker_open", "the last requests all failed; one will be tried soon")

    def _check_may_send(self) -> None:
        if self.exchange is None:
            raise NotSent("not_connected", "the venue is not connected")
        if self.quiet_s > 0:
            raise NotSent("rate_limited", f"{self._quiet.why}; nothing is sent for {self.quiet_s:.0f} s")
        full_s = (self._no_orders_until_ns - self._clock.monotonic_ns()) / 1e9
        if full_s > 0:
            raise NotSent(
                "rate_limited", f"Binance takes no more orders ({TOO_MANY_ORDERS}); none is sent for {full_s:.0f} s"
            )

    def _answered(self, answer: Any) -> Any:
        self._health.requests += 1
        self._breaker.succeeded()
        return answer

    def _judge(self, error: BaseException, way: OrderPass) -> AdapterError:
        """Return what an error of an order means, whatever its class, which depends on whether the order had left."""
        if isinstance(error, PermitClosed):
            return error
        refusal = getattr(error, "refusal", None)
        if way.passage is Passage.LEFT:
            return self._note(translate_sent(error, refusal))
        way.passage = Passage.REFUSED  # whatever of the request still runs must not write it now
        lost = self._note(translate(error, refusal))
        return NotSent("not_connected", str(lost))

    def _unanswered(self, way: OrderPass, sending: "asyncio.Task[Any]", why: str) -> AdapterError:
        left = way.passage is Passage.LEFT
        way.passage = Passage.LEFT if left else Passage.REFUSED
        sending.cancel()
        self._health.failed_requests += 1
        return UnknownOutcome(VENUE, "timeout", why) if left else NotSent("not_sent", f"{why}; it had not left yet")

    def _note(self, error: AdapterError) -> AdapterError:
        """Count a failure and act on what it says about the next request."""
        self._health.failed_requests += 1
        if isinstance(error, RateLimited) and error.code == TOO_MANY_ORDERS:
            self._no_orders_until_ns = self._clock.monotonic_ns() + int(error.retry_after_s * 1e9)
            logger.warning("Binance: {}; no order for {} s", error, error.retry_after_s)
        elif isinstance(error, RateLimited):
            self._quiet.begin(error.retry_after_s, f"Binance asks for fewer requests ({error.code})")
            logger.warning("Binance: {}; no request for {} s", error, error.retry_after_s)
        if isinstance(error, ConnectionLost | RequestTimedOut):
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        return error


def _clock_words(offset_ms: int) -> str:
    if abs(offset_ms) <= NOTABLE_OFFSET_MS:
        return "our clock agrees with Binance's again"
    where = "ahead of" if offset_ms > 0 else "behind"
    return (
        f"our clock is {abs(offset_ms) / 1000:.1f} s {where} Binance's, which it would refuse with {CLOCK_OFF} (outside of the "
        "recvWindow); requests carry Binance's time instead. Have this machine's clock set by NTP"
    )


async def _ended(asking: "asyncio.Future[Any]") -> None:
    """Wait for the end of a request, without its outcome, and without ending it when nobody waits any longer."""
    await asyncio.wait({asking})


def _error_of(asked: "asyncio.Future[Any]") -> BaseException | None:
    """Return what a request that has ended failed with, if it did; nobody listed what a client under way may raise.

    A request that gives itself up has lost its connection: aiohttp does so when its connector is closed.
    """
    if asked.cancelled():
        return ConnectionLost(VENUE, "given_up", "the connection was closed under the request")
    error = asked.exception()
    if error is not None and not isinstance(error, _EXPECTED):
        logger.opt(exception=error).error("a request to Binance failed in an unexpected way")
    return error
