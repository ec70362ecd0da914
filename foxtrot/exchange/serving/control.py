"""The control port: faults, state, orders of others, deposits and restarts by HTTP and JSON, for who knows the token.

    GET    /state      accounts, connections, counters, ports
    GET    /faults     what was set and how often it acted
    POST   /faults     one fault {"kind": ...} or {"faults": [...]}
    DELETE /faults     all, or ?number=N
    POST   /orders     {"account", "symbol", "side", "quantity", "price"?, "product"?}: another client of the account
    POST   /deposit    {"account", "asset", "amount"}
    POST   /restart    {"lower_by"?, "down_s"?}: the same orders, on the same ports; 409 while another one is under way
    POST   /step       one round of the venue now

Every request carries the header X-Foxtrot-Token.
"""

import asyncio
import hmac
import socket
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.exchange.faults import read_fault
from foxtrot.exchange.serving.listener import SHUTDOWN_S, settled, stop_accepting
from foxtrot.exchange.serving.server_state import fault_rows, state_of

if TYPE_CHECKING:
    from foxtrot.exchange.server import ExchangeServer
    from foxtrot.exchange.serving.doors import Doors

HEADER: Final = "X-Foxtrot-Token"
MOST_DEPOSIT: Final = 10**24
_MOST_DIGITS: Final = 18
_SHOWN: Final = 40
"""So many characters of a wrong value are told back."""
Body = dict[str, object]
Reply = Callable[[Body, dict[str, list[str]]], Awaitable[object]]


class RestartUnderWay(ConfigError):
    """A restart was asked for while another one has the products closed."""


class ControlListener:
    """Serves the control port of a server.

    Thread: exchange-io.
    """

    def __init__(self, server: "ExchangeServer", doors: "Doors") -> None:
        self._server = server
        self._doors = doors
        self._web: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._routes: dict[tuple[str, str], Reply] = {
            ("GET", "/state"): self._state,
            ("GET", "/faults"): self._faults,
            ("POST", "/faults"): self._arm,
            ("DELETE", "/faults"): self._disarm,
            ("POST", "/orders"): self._order,
            ("POST", "/deposit"): self._deposit,
            ("POST", "/restart"): self._restart,
            ("POST", "/step"): self._step,
        }

    async def open(self, listening: socket.socket) -> None:
        """Accept on a socket that is bound."""
        self._web = web.Server(self._handle, access_log=None, lingering_time=0)
        self._listening = await asyncio.get_running_loop().create_server(self._web, sock=listening)

    async def close(self) -> None:
        """Stop accepting and drop every connection."""
        if self._listening is not None and self._web is not None:
            await stop_accepting((self._listening,))
            await self._web.shutdown(timeout=SHUTDOWN_S)
            await settled()
        self._listening, self._web = None, None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._server.control_token.encode()):
            return _json(403, _error(f"the header {HEADER} must carry the control token of the port file"))
        path, _, query = request.raw_path.encode("utf-8", "replace").decode().partition("?")
        reply = self._routes.get((request.method, path))
        if reply is None:
            known = ", ".join(f"{method} {where}" for method, where in self._routes)
            return _json(404, _error(f"{request.method} {path} is not served; there are: {known}"))
        try:
            return _json(200, await reply(_body(await request.read()), parse_qs(query)))
        except RestartUnderWay as error:
            return _json(409, _error(str(error)))
        except FoxtrotError as error:
            return _json(400, _error(str(error)))

    async def _state(self, _body: Body, _query: dict[str, list[str]]) -> object:
        return self._server.host.run(
            lambda: state_of(
                self._server, self._doors.shared.traffic, self._doors.futu_sockets(), self._doors.ib_sockets()
            )
        )

    async def _faults(self, _body: Body, _query: dict[str, list[str]]) -> object:
        return {"faults": fault_rows(self._server)}

    async def _arm(self, body: Body, _query: dict[str, list[str]]) -> object:
        listed = body.get("faults", [body])
        if not isinstance(listed, list):
            raise ConfigError("faults must be a list of faults")
        faults = [read_fault(table, f"fault {number}") for number, table in enumerate(listed, 1)]
        armed = [self._server.host.run(lambda fault=fault: self._server.faults.arm(fault)) for fault in faults]  # type: ignore[misc]
        failed = [one.error for one in armed if one.error]
        if failed:
            raise ConfigError("; ".join(failed))
        return {"numbers": [one.number for one in armed]}

    async def _disarm(self, _body: Body, query: dict[str, list[str]]) -> object:
        number = query.get("number", ["0"])[0]
        if not number.isdecimal() or len(number) > _MOST_DIGITS:
            raise ConfigError(f"number = {number[:_SHOWN]!r} must be the number of a fault; GET /faults lists them")
        return {"removed": self._server.faults.disarm(int(number))}

    async def _order(self, body: Body, _query: dict[str, list[str]]) -> object:
        fault = read_fault({**{key: _text(value) for key, value in body.items()}, "kind": "other_order"}, "order")
        return {"order_id": self._server.faults.actions.place(fault).order_id}

    async def _deposit(self, body: Body, _query: dict[str, list[str]]) -> object:
        missing = [key for key in ("account", "asset", "amount") if not isinstance(body.get(key), str)]
        if missing:
            raise ConfigError(
                f"a deposit needs {', '.join(missing)} as text, such as"
                ' {"account": "a", "asset": "USDT", "amount": "100"}'
            )
        amount = _amount(str(body["amount"]))
        self._server.host.deposit(str(body["account"]), str(body["asset"]), amount)
        return {}

    async def _restart(self, body: Body, _query: dict[str, list[str]]) -> object:
        wanted = _convert(body, _Restart)
        await self._doors.restart(wanted.lower_by, wanted.down_s)
        return {"ports": self._doors.ports}

    async def _step(self, _body: Body, _query: dict[str, list[str]]) -> object:
        self._doors.tick()
        await self._doors.drained()
        return {}


class _Restart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lower_by: int = 0
    down_s: float = 0.0


def _convert(body: Body, kind: type[_Restart]) -> _Restart:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the body is wrong: {error}") from error


def _body(raw: bytes) -> Body:
    if not raw:
        return {}
    try:
        return msgspec.json.decode(raw, type=Body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigError(f"the body must be a JSON object: {error}") from error


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except ArithmeticError:
        raise ConfigError(f"amount {text[:_SHOWN]!r} is not a decimal number; write one such as 100.5") from None
    if not amount.is_finite() or not 0 < amount <= MOST_DEPOSIT:
        raise ConfigError(f"amount {text[:_SHOWN]!r} must be above 0 and at most {MOST_DEPOSIT}")
    return amount


def _text(value: object) -> object:
    """Return numbers as text: quantities and prices are decimal text, and people write numbers."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _error(message: str) -> dict[str, object]:
    return {"error": {"type": "ConfigError", "message": message}}


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), headers={"Content-Type": "application/json"})
