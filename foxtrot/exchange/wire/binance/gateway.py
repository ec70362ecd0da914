"""How a call gets in: limits, key, parameters, time, signature, in this order; then its handler; then the answer."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.connection import HttpAnswer, HttpRequest
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Routes, Security
from foxtrot.exchange.wire.binance.limits import RateLimits
from foxtrot.exchange.wire.binance.signing import is_signed_by, signed_text
from foxtrot.exchange.wire.binance.venue_side import ApiKey, VenueSide

_MS_NS = 1_000_000
_DEFAULT_WINDOW_US = 5_000_000
_LONGEST_WINDOW_US = 60_000_000
_AHEAD_US = 1_000_000
_FIRST_MICROSECONDS = 10**15
_LONGEST_NUMBER = 20
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
_HTML = {"Content-Type": "text/html"}
_NOT_FOUND = (
    b"<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>\n"
)


class Knock(msgspec.Struct, frozen=True):
    """A call before it was let in: its parameters, the key it names, what was signed and by which signature."""

    params: Mapping[str, str]
    key: str
    payload: str
    signature: str
    is_ws: bool = False
    is_logged_on: bool = False


class Gate:
    """The checks that REST and ws-api calls share.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, limits: RateLimits) -> None:
        self._side = side
        self.limits = limits

    def run(self, endpoint: Endpoint, knock: Knock, client: str) -> object:
        """Let a call in and return what its handler answers.

        Source: Binance spot API, Timing security and SIGNED endpoints; USDⓈ-M Futures, Endpoint Security Type.

        Raises:
            ApiError: the first check that fails, or the handler's own.
        """
        now_ns = self._side.now_ns()
        call = Call(knock.params, "", now_ns, "", knock.is_ws)
        weight = endpoint.weight if isinstance(endpoint.weight, int) else endpoint.weight(call)
        self.limits.use(client, weight, now_ns)
        key = self._key(endpoint, knock)
        _require(endpoint.required, knock.params)
        if endpoint.security is Security.SIGNED and key is not None:
            self._check_signed(key, knock, now_ns)
        account = key.account if key is not None else ""
        if endpoint.counts_order:
            for _ in range(endpoint.orders):
                self.limits.use_order(account, now_ns)
        return endpoint.handler(Call(knock.params, account, self._side.now_ns(), knock.key, knock.is_ws))

    def account(self, key: str) -> str:
        """Return the account of an API key, "" when there is none.

        Source: none; keys are given out by the operator of the venue.
        """
        found = self._side.keys.get(key)
        return found.account if found is not None else ""

    def _key(self, endpoint: Endpoint, knock: Knock) -> ApiKey | None:
        if endpoint.security is Security.NONE:
            return None
        if not knock.key:
            raise ApiError(-2014, "API-key format invalid.", 401)
        found = self._side.keys.get(knock.key)
        if found is None or (endpoint.counts_order and not found.can_trade):
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return found

    def _check_signed(self, key: ApiKey, knock: Knock, now_ns: int) -> None:
        wanted = ("timestamp",) if knock.is_logged_on else ("timestamp", "signature")
        _require(wanted, {**knock.params, "signature": knock.signature})
        check_time(knock.params, now_ns)
        if not knock.is_logged_on and not is_signed_by(key, knock.payload, knock.signature):
            raise ApiError(-1022, "Signature for this request is not valid.")
        later_ns = self._side.now_ns()
        if later_ns != now_ns:
            check_time(knock.params, later_ns)


class Gateway:
    """REST of one product: finds the endpoint, runs it through the gate, and writes the answer.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, gate: Gate, routes: Routes) -> None:
        self._side = side
        self._gate = gate
        self._routes = routes

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request.

        Source: Binance spot API, General API Information and HTTP Return Codes.
        """
        endpoint = self._routes.get((request.method, request.path))
        if endpoint is None:
            return self._unknown(request)
        key = request.headers.get("x-mbx-apikey", "")
        try:
            payload, signature = signed_text(request.query, request.body)
            knock = Knock(read_params(request), key, payload, signature)
            result = self._gate.run(endpoint, knock, request.client)
        except ApiError as error:
            return self._write(request, endpoint, error.status, _error_body(error), error.headers)
        return self._write(request, endpoint, 200, result, {})

    def _write(
        self, request: HttpRequest, endpoint: Endpoint, status: int, body: object, headers: Mapping[str, str]
    ) -> HttpAnswer:
        account = self._gate.account(request.headers.get("x-mbx-apikey", "")) if endpoint.counts_order else ""
        told = self._gate.limits.headers(request.client, account, self._side.now_ns())
        return HttpAnswer(status, msgspec.json.encode(body), {**_JSON, **told, **headers})

    def _unknown(self, request: HttpRequest) -> HttpAnswer:
        if self._side.product is Product.SPOT:
            return HttpAnswer(404, _NOT_FOUND, _HTML)
        error = {"code": -5000, "msg": f"Path {request.path}, Method {request.method} is invalid"}
        return HttpAnswer(404, msgspec.json.encode(error), _JSON)


def read_params(request: HttpRequest) -> dict[str, str]:
    """Return the decoded parameters of query and body without the signature; the query's value wins.

    Source: Binance spot API, General Information on Endpoints.

    Raises:
        ApiError: -1101, a name stands twice in one of them.
    """
    found: dict[str, str] = {}
    for part in (request.body, request.query):
        pairs = parse_qsl(part, keep_blank_values=True)
        names = {name for name, _ in pairs}
        if len(names) != len(pairs):
            raise ApiError(-1101, "Duplicate values for a parameter detected.")
        found.update(pairs)
    found.pop("signature", None)
    return found


def check_time(params: Mapping[str, str], now_ns: int) -> None:
    """Check timestamp and recvWindow of a signed call; both may be finer than a millisecond.

    Source: Binance spot API, Timing security; timestamps in milliseconds or microseconds.

    Raises:
        ApiError: -1021 outside the window, -1131 a window above 60000, -1102 no number.
    """
    stamp = params.get("timestamp", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > _LONGEST_NUMBER:
        raise _missing("timestamp")
    sent_us = int(stamp) if int(stamp) >= _FIRST_MICROSECONDS else int(stamp) * 1000
    window_us = _window_us(params.get("recvWindow", ""))
    now_us = now_ns // 1000
    if sent_us >= now_us + _AHEAD_US:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_us - sent_us > window_us:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _window_us(text: str) -> int:
    if not text:
        return _DEFAULT_WINDOW_US
    whole, _, part = text.partition(".")
    if not (whole + part).isdigit() or not text.isascii() or len(part) > 3 or len(whole) > _LONGEST_NUMBER:
        raise ApiError(
            -1100,
            "Illegal characters found in parameter 'recvWindow'; legal range is '^[0-9]{1,5}([.][0-9]{1,3})?$'.",
        )
    window_us = int(whole) * 1000 + int(part.ljust(3, "0"))
    if window_us > _LONGEST_WINDOW_US:
        raise ApiError(-1131, "recvWindow must be less than 60000")
    return window_us


def _require(names: tuple[str, ...], params: Mapping[str, str]) -> None:
    for name in names:
        if not params.get(name):
            raise _missing(name)


def _missing(name: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def _error_body(error: ApiError) -> dict[str, object]:
    body: dict[str, object] = {"code": error.code, "msg": error.msg}
    return body if error.data is None else {**body, "data": error.data}
