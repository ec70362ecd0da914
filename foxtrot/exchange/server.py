"""The embedded exchange as a server on 127.0.0.1: its thread, its loop, and the way in from other threads."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from foxtrot.core.clock import Clock, SystemClock
from foxtrot.domain.errors import ConfigError, FoxtrotError, InvariantBroken
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server_settings import ServerSettings
from foxtrot.exchange.serving.doors import Doors
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.guard import Guard
from foxtrot.exchange.serving.traffic import Traffic
from foxtrot.exchange.serving.venue_host import SurfaceFactory, VenueHost
from foxtrot.exchange.wire.binance.venue_side import VenueSide

THREAD_NAME = "exchange-io"
Result = TypeVar("Result")


class ExchangeServer:
    """One embedded venue, served over sockets on loopback.

    What it holds is made at once and kept from stop to start: accounts, orders, books and the ports that were picked.

    Thread: exchange-io, started by `start`; `start`, `stop`, `call`, `step`, `restart` and `inject` from any other. `host` and
        `faults` are touched on exchange-io only, through `call`.

    Args:
        settings: what to serve.
        clock: judges everything that has a time; the system's by default.
        surface: makes the protocol of a side; Binance's by default.
    """

    def __init__(
        self, settings: ServerSettings, clock: Clock | None = None, surface: SurfaceFactory | None = None
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.control_token = secrets.token_hex(16)
        self.guard = Guard()
        self.host = VenueHost(settings, self.clock, surface or _binance_surface(settings))
        self.faults = FaultDesk(self.host)
        self._doors = Doors(self)
        self._life = threading.RLock()  # guards the thread and its loop
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        for fault in settings.faults:
            self.faults.arm(fault)

    @property
    def ports(self) -> dict[str, int | None]:
        """Return the ports listened on: binance_spot, binance_usdm, binance_spot_tls, binance_usdm_tls, futu, ib, control."""
        return dict(self._doors.ports)

    @property
    def ca_file(self) -> Path | None:
        """Return the certificate that clients of the TLS listeners must trust, None without such a listener."""
        return self._doors.ca_file

    @property
    def is_running(self) -> bool:
        """Tell whether the listeners accept."""
        return self._loop is not None

    @property
    def traffic(self) -> Traffic:
        """Return what was counted: connections, requests, orders received; to be read in `call`."""
        return self._doors.shared.traffic

    @property
    def failures(self) -> tuple[str, ...]:
        """Return the errors of our own code that ended a connection or a round; none is ever expected."""
        return tuple(self.guard.failures)

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self, deadline_s: float = 10.0) -> None:
        """Listen; a server that runs already goes on.

        Blocks: until every listener accepts, at most `deadline_s`.

        Raises:
            ConfigError: a port is taken; it is named.
        """
        with self._life:
            if self._thread is not None:
                return
            up: Future[None] = Future()
            self._thread = threading.Thread(target=self._run, args=(up,), name=THREAD_NAME, daemon=True)
            self._thread.start()
            try:
                up.result(deadline_s)
            except FutureTimeout as error:
                self.stop(deadline_s)
                raise InvariantBroken(f"{THREAD_NAME} did not listen within {deadline_s} s") from error
            except FoxtrotError:
                self.stop(deadline_s)
                raise

    def stop(self, deadline_s: float = 5.0) -> str:
        """Close every socket and end the thread; again is harmless. Returns the name of a thread that overran, or "".

        Blocks: at most `deadline_s`.
        """
        with self._life:
            thread, loop, ending = self._thread, self._loop, self._ending
            if thread is None or thread is threading.current_thread():
                return ""
            if loop is not None and ending is not None:
                with suppress(RuntimeError):  # the loop has just ended by itself
                    loop.call_soon_threadsafe(ending.set)
            thread.join(deadline_s)
            if thread.is_alive():
                return thread.name
            self._thread = None
            return ""

    # --- from other threads -----------------------------------------------------------------------------------------

    def call(self, function: "Callable[[ExchangeServer], Result]", deadline_s: float = 10.0) -> Result:
        """Run a function on exchange-io, give it the server, and return what it returns or raise what it raises.

        Blocks: at most `deadline_s`.

        Raises:
            ConfigError: the server does not run.
            InvariantBroken: no answer in time.
        """

        async def run() -> Result:
            return self.host.run(lambda: function(self))

        if threading.current_thread() is self._thread:
            return self.host.run(lambda: function(self))
        return self._await(run(), deadline_s)

    def step(self, deadline_s: float = 10.0) -> None:
        """Let one round happen now and return when all that it sent is on the sockets; a ManualClock is moved before.

        Blocks: at most `deadline_s`.
        """
        self._await(self._step(), deadline_s)

    def restart(self, *, lower_by: int = 0, down_s: float = 0.0, deadline_s: float = 10.0) -> None:
        """Drop every socket, come back on the same ports with the same orders; update ids lower by `lower_by`.

        Blocks: until it listens again, at most `deadline_s`.
        """
        self._await(self._doors.restart(lower_by, down_s), deadline_s)

    def inject(self, fault: Fault) -> int:
        """Set a fault and return its number."""
        return self.call(lambda server: server.faults.arm(fault).number)

    def clear_faults(self, number: int = 0) -> None:
        """Remove one fault, or all; what they hold ends."""
        self.call(lambda server: server.faults.disarm(number))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _await(self, work: Coroutine[None, None, Result], deadline_s: float) -> Result:
        loop = self._loop
        if loop is None:
            work.close()
            raise ConfigError("the exchange server does not run; start it first")
        try:
            future = asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError as error:  # the loop has ended since
            work.close()
            raise ConfigError("the exchange server does not run; start it first") from error
        try:
            return future.result(deadline_s)
        except FutureTimeout as error:
            if future.done():
                raise
            future.cancel()
            raise InvariantBroken(f"{THREAD_NAME} did not answer within {deadline_s} s") from error

    def _run(self, up: "Future[None]") -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(up))
        finally:
            if not up.done():
                up.set_exception(InvariantBroken(f"{THREAD_NAME} ended before it listened"))

    async def _serve(self, up: "Future[None]") -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self.guard.hear_loop)
        self._ending = asyncio.Event()
        try:
            await self._doors.open()
        except ConfigError as error:
            await self._doors.close()
            up.set_exception(error)
            return
        self._loop = loop
        self._round(loop)
        up.set_result(None)
        try:
            await self._ending.wait()
        finally:
            self._loop = None
            await self._doors.close()

    def _round(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what is due, and again after the pause, as long as the server runs."""
        if self._loop is loop:
            self._doors.tick()
            loop.call_later(self.settings.tick_ms / 1000, self._round, loop)

    async def _step(self) -> None:
        self._doors.tick()
        await self._doors.drained()


def _binance_surface(settings: ServerSettings) -> SurfaceFactory:
    """Return the maker of Binance's surfaces; imported when used, for it is large."""
    from foxtrot.exchange.wire.binance.surface import BinanceSurface

    def surface(side: VenueSide) -> BinanceSurface:
        return BinanceSurface(side, settings.surface)

    return surface
