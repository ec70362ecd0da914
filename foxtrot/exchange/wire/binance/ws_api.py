"""The ws-api: the REST calls and some of its own by WebSocket, with sessions and user-data subscriptions."""

from collections.abc import Callable

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.channels import UserChannels
from foxtrot.exchange.wire.binance.connection import Connection
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Routes, Security
from foxtrot.exchange.wire.binance.gateway import Gate, Knock
from foxtrot.exchange.wire.binance.market_parameters import whole_number
from foxtrot.exchange.wire.binance.signing import is_ed25519, signed_params
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_MS_NS = 1_000_000
_SECOND_NS = 1_000_000_000
_OF_THE_CONNECTION = ("session.", "userDataStream.")
CONNECTION_METHODS = (
    "session.logon",
    "session.status",
    "session.logout",
    "session.subscriptions",
    "userDataStream.subscribe",
    "userDataStream.subscribe.signature",
    "userDataStream.unsubscribe",
)
"""What a ws-api connection is asked about itself; USD-M has the first three."""


class Session:
    """One ws-api connection and the key it is logged on with.

    Thread: exchange-io.
    """

    __slots__ = ("connection", "key", "key_since_ms", "tells_limits")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.key = ""
        self.key_since_ms = 0
        self.tells_limits = True


class WsRequest(msgspec.Struct, frozen=True):
    """One request; parameters and id as they were sent."""

    method: str
    id: msgspec.Raw = msgspec.Raw(b"null")
    params: dict[str, msgspec.Raw] = {}


class WsApi:
    """All ws-api connections of one product.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, gate: Gate, channels: UserChannels, routes: Routes) -> None:
        self._side = side
        self._gate = gate
        self._channels = channels
        self._routes = routes
        self._sessions: dict[int, Session] = {}

    def open(self, connection: Connection) -> None:
        """Take a connection.

        Source: Binance spot API, WebSocket API, General API Information.
        """
        self._sessions[connection.number] = Session(connection)

    def has(self, connection: Connection) -> bool:
        """Tell whether a connection is one of the ws-api.

        Source: none; stream connections are others.
        """
        return connection.number in self._sessions

    def closed(self, connection: Connection) -> None:
        """Forget a connection.

        Source: none; the socket is gone.
        """
        self._sessions.pop(connection.number, None)

    def end_old(self, now_ns: int, life_s: float) -> None:
        """Close the connections that are too old.

        Source: Binance spot API, WebSocket API: a single connection is only valid for 24 hours.
        """
        for session in list(self._sessions.values()):
            if now_ns - session.connection.opened_ns >= life_s * _SECOND_NS:
                session.connection.close(1001, "Connection lifetime is over")
                self.closed(session.connection)
                self._channels.closed(session.connection)

    def receive(self, connection: Connection, text: str) -> None:
        """Answer one request.

        Source: Binance spot API, WebSocket API, Request format and Response format.
        """
        session = self._sessions[connection.number]
        try:
            request = msgspec.json.decode(text, type=WsRequest)
        except (msgspec.DecodeError, RecursionError):
            self._answer(session, msgspec.Raw(b"null"), ApiError(-1135, "Invalid JSON Request"), None)
            return
        params = {name: _text(raw) for name, raw in request.params.items()}
        endpoint = self._endpoint(session, request.method)
        try:
            if endpoint is None:
                raise self._unknown(request.method)
            result = self._gate.run(endpoint, _knock(session, endpoint, params), connection.client)
        except ApiError as error:
            self._answer(session, request.id, error, self._limits(session, endpoint, params))
            return
        self._answer(session, request.id, result, self._limits(session, endpoint, params))

    def _endpoint(self, session: Session, method: str) -> Endpoint | None:
        if method.startswith(_OF_THE_CONNECTION):
            own = self._own(session).get(method)
            if own is not None:
                return own
        return self._routes.get(("WS", method))

    def _own(self, session: Session) -> dict[str, Endpoint]:
        """Return what belongs to the connection itself, not to the venue."""

        def bound(handler: Callable[[Session, Call], object]) -> Callable[[Call], object]:
            return lambda call: handler(session, call)

        rows = {
            "session.logon": Endpoint(bound(self._logon), Security.SIGNED, weight=2),
            "session.status": Endpoint(bound(self._status), weight=2),
            "session.logout": Endpoint(bound(self._logout), weight=2),
        }
        if self._side.product is Product.SPOT:
            signed = Endpoint(bound(self._subscribe_signed), Security.SIGNED, weight=2)
            rows |= {
                "session.subscriptions": Endpoint(bound(self._list), weight=2),
                "userDataStream.subscribe": Endpoint(bound(self._subscribe), weight=2),
                "userDataStream.subscribe.signature": signed,
                "userDataStream.unsubscribe": Endpoint(bound(self._unsubscribe), weight=2),
            }
        return rows

    def _logon(self, session: Session, call: Call) -> object:
        if not is_ed25519(self._side.keys[call.api_key]):
            raise ApiError(-4056, "HMAC_SHA256 API key is not supported.")
        session.key, session.key_since_ms = call.api_key, call.time_ms
        return self._status(session, call)

    def _status(self, session: Session, call: Call) -> object:
        return {
            "apiKey": session.key or None,
            "authorizedSince": session.key_since_ms or None,
            "connectedSince": session.connection.opened_ns // _MS_NS,
            "returnRateLimits": session.tells_limits,
            "serverTime": call.time_ms,
            "userDataStream": bool(self._channels.subscriptions(session.connection)),
        }

    def _logout(self, session: Session, call: Call) -> object:
        session.key, session.key_since_ms = "", 0
        return self._status(session, call)

    def _subscribe(self, session: Session, _call: Call) -> object:
        if not session.key:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        account = self._gate.account(session.key)
        return {"subscriptionId": self._channels.subscribe(session.connection, account)}

    def _subscribe_signed(self, session: Session, call: Call) -> object:
        return {"subscriptionId": self._channels.subscribe(session.connection, call.account)}

    def _unsubscribe(self, session: Session, call: Call) -> object:
        number = whole_number(call, "subscriptionId", -1)
        self._channels.unsubscribe(session.connection, None if number < 0 else number)
        return {}

    def _list(self, session: Session, _call: Call) -> object:
        return [{"subscriptionId": number} for number in self._channels.subscriptions(session.connection)]

    def _unknown(self, method: str) -> ApiError:
        if self._side.product is Product.SPOT:
            return ApiError(-1020, "This operation is not supported.")
        return ApiError(-5000, f"Method {method} is invalid", 404)

    def _limits(
        self, session: Session, endpoint: Endpoint | None, params: dict[str, str]
    ) -> list[dict[str, object]] | None:
        asked = params.get("returnRateLimits", "true" if session.tells_limits else "false")
        if asked == "false":
            return None
        key = params.get("apiKey") or session.key
        counted = self._gate.account(key) if endpoint is not None and endpoint.counts_order else ""
        return self._gate.limits.used_table(session.connection.client, counted, self._side.now_ns())

    def _error_data(self, error: ApiError) -> object:
        """Return what an error carries besides code and text; a limit says here when it is over, having no header."""
        wait_s = error.headers.get("Retry-After")
        if wait_s is None:
            return error.data
        now_ms = self._side.now_ns() // _MS_NS
        return {"serverTime": now_ms, "retryAfter": now_ms + 1000 * int(wait_s)}

    def _answer(
        self, session: Session, number: msgspec.Raw, result: object, limits: list[dict[str, object]] | None
    ) -> None:
        body: dict[str, object] = {"id": number}
        if isinstance(result, ApiError):
            error: dict[str, object] = {"code": result.code, "msg": result.msg}
            data = self._error_data(result)
            if data is not None:
                error["data"] = data
            body |= {"status": result.status, "error": error}
        else:
            body |= {"status": 200, "result": result}
        if limits is not None:
            body["rateLimits"] = limits
        session.connection.send(msgspec.json.encode(body).decode())


def _knock(session: Session, endpoint: Endpoint, params: dict[str, str]) -> Knock:
    payload, signature = signed_params(params)
    asked = {name: value for name, value in params.items() if name not in ("signature", "apiKey")}
    key = params.get("apiKey", "")
    is_logged_on = bool(session.key) and not signature and key in ("", session.key)
    key = key or (session.key if endpoint.security is not Security.NONE else "")
    return Knock(asked, key, payload, signature, True, is_logged_on)


def _text(raw: msgspec.Raw) -> str:
    """Return a JSON value as it stands in a signature: text without quotes, all else as it was sent."""
    sent = bytes(raw)
    return str(msgspec.json.decode(sent)) if sent.startswith(b'"') else sent.decode()
