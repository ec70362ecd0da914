"""All listeners of one server: opened together, closed together, and the rounds in which they do what is due."""

import asyncio
import errno
import shutil
import socket
import ssl
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.server_settings import FUTU, IB, SPOT, USDM
from foxtrot.exchange.serving.certificate import make_tls
from foxtrot.exchange.serving.control import ControlListener, RestartUnderWay
from foxtrot.exchange.serving.listener import BinanceListener, SharedParts
from foxtrot.exchange.serving.surface_port import AnnouncesShutdown

if TYPE_CHECKING:
    from foxtrot.exchange.server import ExchangeServer
    from foxtrot.exchange.serving.framed_socket import FramedWayOut
    from foxtrot.exchange.serving.futu_listener import FutuListener
    from foxtrot.exchange.serving.futu_socket import FutuSocket
    from foxtrot.exchange.serving.ib_listener import IbListener
    from foxtrot.exchange.serving.ib_socket import IbSocket

HOST = "127.0.0.1"
_PRODUCT = {"binance_spot": SPOT, "binance_usdm": USDM, "binance_spot_tls": SPOT, "binance_usdm_tls": USDM}
_BACKLOG = 256
_DRAIN_TURNS = 500
LONGEST_DOWN_S = 86_400.0
MOST_LOWER = 1_000_000_000


class Doors:
    """Every socket of a server, and the certificate of those that speak TLS.

    Thread: exchange-io; `ports` and `ca_file` may be read by any.
    """

    def __init__(self, server: "ExchangeServer") -> None:
        self.ports: dict[str, int | None] = dict.fromkeys((*_PRODUCT, FUTU, IB, "control"))
        self.ca_file: Path | None = None
        self.shared = SharedParts(server.host, server.guard, server.settings.surface)
        self._server = server
        self._folder: Path | None = None
        self._tls: ssl.SSLContext | None = None
        self._picked: dict[str, int] = {}
        self._listeners = {
            name: BinanceListener(name, server.faults, self.shared, server.settings.queue_bytes)
            for name in server.host.sides
        }
        self._futu = _futu_listener(server, self.shared)
        self._ib = _ib_listener(server, self.shared)
        self._control = ControlListener(server, self)
        self._restarting: asyncio.Task[None] | None = None
        self._moving = asyncio.Lock()  # held while the products close and open again
        self._is_closing = False

    async def open(self) -> None:
        """Listen on every port wanted.

        Raises:
            ConfigError: a port is taken; it is named.
        """
        self._is_closing = False
        self._server.faults.actions.restart = self._begin_restart
        await self._open_products()
        if self._server.settings.ports.control is not None:
            await self._control.open(self._bind("control", self._server.settings.ports.control))

    async def close(self) -> None:
        """Stop listening, drop every connection, remove the certificate."""
        self._is_closing = True
        self._server.faults.actions.restart = None
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.wait((self._restarting,))
        self._server.faults.cancel_waits()
        for surface in self._server.host.surfaces.values():
            if isinstance(surface, AnnouncesShutdown):
                self._server.guard.run("the notice of a stop", surface.announce_shutdown)
        async with self._moving:
            await self._close_products()
        await self._control.close()
        self.ports = dict.fromkeys(self.ports)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder, self._tls, self.ca_file = None, None, None

    async def restart(self, lower_by: int, down_s: float) -> None:
        """Drop every connection of the products, come back with the same orders on the same ports.

        Raises:
            ConfigError: a figure is out of its bounds; nothing was closed.
            RestartUnderWay: the products are closed for another restart; they come back by it.
        """
        _check_restart(lower_by, down_s)
        if self._moving.locked():
            raise RestartUnderWay("a restart is under way; ask again when it is over")
        async with self._moving:
            await self._close_products()
            try:
                self._server.host.reload(lower_by)
                if down_s and not self._is_closing:
                    await self._server.faults.wait_s(down_s)
            finally:
                if not self._is_closing:
                    await self._open_products()

    def futu_sockets(self) -> "tuple[FutuSocket, ...]":
        """Return the open connections of FutuOpenD's protocol."""
        return () if self._futu is None else self._futu.sockets()

    def ib_sockets(self) -> "tuple[IbSocket, ...]":
        """Return the open connections of TWS's protocol."""
        return () if self._ib is None else self._ib.sockets()

    def tick(self) -> None:
        """Do what is due: faults, the venue, then each product with its pings; one that fails holds up no other."""
        run, host = self._server.guard.run, self._server.host
        run("faults", self._server.faults.tick)
        run("the venue", host.pass_time)
        for product, listener in self._listeners.items():
            run(f"the surface of {product}", partial(host.publish, product))
            run(f"the pings of {product}", partial(listener.tick, host.now_ns()))
        if self._futu is not None:
            run("the surface of futu", partial(host.publish, FUTU))
        if self._ib is not None:
            run("the surface of ib", partial(host.publish, IB))

    async def drained(self) -> None:
        """Return when what was sent is on the sockets; who does not read is not waited for."""
        for one in tuple(self._server.faults.sockets.values()):
            if not one.outlet.is_trickling:
                one.outlet.flush()
        framed: tuple[FramedWayOut, ...] = (*self.futu_sockets(), *self.ib_sockets())
        for other in framed:
            if not other.outlet.is_trickling:
                other.outlet.flush()
        for _ in range(_DRAIN_TURNS):
            outlets = [one.outlet for one in self._server.faults.sockets.values()] + [one.outlet for one in framed]
            if not any(outlet.waiting_bytes for outlet in outlets):
                return
            await asyncio.sleep(0.001)

    async def _open_products(self) -> None:
        ports = self._server.settings.ports
        for name, product in _PRODUCT.items():
            wanted: int | None = getattr(ports, name)
            if wanted is not None:
                tls = self._certified() if name.endswith("_tls") else None
                await self._listeners[product].open(self._bind(name, wanted), tls)

        if self._futu is not None and ports.futu is not None:
            await self._futu.open(self._bind(FUTU, ports.futu))
        if self._ib is not None and ports.ib is not None:
            await self._ib.open(self._bind(IB, ports.ib))

    async def _close_products(self) -> None:
        for framed in (self._futu, self._ib):
            if framed is not None:
                await framed.close()
        for listener in self._listeners.values():
            await listener.close()

    def _begin_restart(self, down_s: float, lower_by: int) -> None:
        if not self._moving.locked() and (self._restarting is None or self._restarting.done()):
            self._restarting = asyncio.get_running_loop().create_task(self._restart_noted(lower_by, down_s))

    async def _restart_noted(self, lower_by: int, down_s: float) -> None:
        """Restart for a fault, which nobody waits for: what goes wrong is kept, unless another restart was first."""
        try:
            with suppress(RestartUnderWay):
                await self.restart(lower_by, down_s)
        except ConfigError as error:
            self._server.guard.note("a restart", error)

    def _certified(self) -> ssl.SSLContext:
        if self._tls is None:
            self._folder = Path(tempfile.mkdtemp(prefix="foxtrot-exchange-"))
            self._tls, self.ca_file = make_tls(self._folder)
        return self._tls

    def _bind(self, name: str, wanted: int) -> socket.socket:
        """Return a bound socket; a port that was picked before is picked again."""
        for port in dict.fromkeys((wanted or self._picked.get(name, 0), wanted)):
            bound = _bound(port)
            if bound is not None:
                self.ports[name] = self._picked[name] = bound.getsockname()[1]
                return bound
        raise ConfigError(
            f"{name}: port {wanted} of {HOST} is taken or not allowed; choose another, or 0 to have one picked"
        )


def _futu_listener(server: "ExchangeServer", shared: SharedParts) -> "FutuListener | None":
    """Return the listener of FutuOpenD's protocol where it is served; imported then, for it needs protobuf.

    Raises:
        ConfigError: the SDK, which has the messages, is not installed.
    """
    side = server.host.futu
    if side is None:
        return None
    from foxtrot.exchange.serving.futu_listener import FutuListener
    from foxtrot.exchange.wire.futu.message_types import messages
    from foxtrot.exchange.wire.futu.surface import futu_surface

    messages("KeepAlive")  # says now what is missing, not to the first client
    gateway = futu_surface(side)
    server.host.join(FUTU, gateway)
    server.faults.actions.lock_trade = gateway.lock_trade
    return FutuListener(gateway, server.faults, shared, server.settings.queue_bytes)


def _ib_listener(server: "ExchangeServer", shared: SharedParts) -> "IbListener | None":
    """Return the listener of TWS's protocol where it is served."""
    side = server.host.ib
    if side is None:
        return None
    from foxtrot.exchange.serving.ib_listener import IbListener
    from foxtrot.exchange.wire.ib.surface import ib_surface

    gateway = ib_surface(side)
    server.host.join(IB, gateway)
    return IbListener(gateway, server.faults, shared, server.settings.queue_bytes)


def _check_restart(lower_by: int, down_s: float) -> None:
    if not 0 <= lower_by <= MOST_LOWER:
        raise ConfigError(f"lower_by = {lower_by} must be a whole number from 0 to {MOST_LOWER}")
    if not 0 <= down_s <= LONGEST_DOWN_S:
        raise ConfigError(f"down_s = {down_s} must be a number of seconds from 0 to {LONGEST_DOWN_S:.0f}")


def _bound(port: int) -> socket.socket | None:
    """Return a socket bound to a port of the loopback address, None when the port cannot be had."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    try:
        bound.bind((HOST, port))
        bound.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        bound.close()
        if isinstance(error, OSError) and error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise ConfigError(f"port {port} of {HOST} cannot be listened on: {error}") from error
        return None
    return bound
