"""What a faulty exchange answers instead: refusals in Binance's words, pages of a gateway, limits with their Retry-After.

Source: Binance spot API and USDⓈ-M Futures, General API information (HTTP return codes, 503) and Error codes.
"""

from typing import Final

import msgspec

from foxtrot.exchange.fault_script import ArmedFault
from foxtrot.exchange.faults import DEFAULT_RETRY_AFTER_S, Fault
from foxtrot.exchange.wire.binance.connection import HttpAnswer

_SECOND_NS: Final = 1_000_000_000
_KNOWN: Final = {
    -1000: (500, "An unknown error occurred while processing the request."),
    -1001: (500, "Internal error; unable to process your request. Please try again."),
    -1003: (429, "Too many requests queued."),
    -1006: (500, "An unexpected response was received from the message bus. Execution status unknown."),
    -1007: (408, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
    -1008: (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    -1015: (429, "Too many new orders."),
    -1021: (400, "Timestamp for this request is outside of the recvWindow."),
    -2010: (400, "Account has insufficient balance for requested action."),
    -2015: (401, "Invalid API-key, IP, or permissions for action."),
}
_REASONS: Final = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}
_MANY: Final = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."
_BAN: Final = (
    "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates to avoid bans."
)


def instead(armed: ArmedFault, now_ns: int) -> HttpAnswer:
    """Return the answer that a fault gives in place of the true one."""
    fault = armed.fault
    if fault.kind in ("too_many_requests", "banned"):
        return _limited(armed, now_ns)
    if fault.kind == "html":
        return _page(fault.status or 200, {})
    if fault.kind == "http_status" and not (fault.code or fault.msg):
        return _page(fault.status, _retry_after(fault.retry_after_s))
    code = fault.code or -1000
    status, msg = _KNOWN.get(code, (400, "An error was asked for."))
    return _refusal(fault.status or status, code, fault.msg or msg, fault.retry_after_s)


def lost_answer(fault: Fault) -> HttpAnswer | None:
    """Return what stands in for an answer that is lost, None when nothing is to come."""
    if not fault.code:
        return None
    status, msg = _KNOWN.get(fault.code, (400, "An error was asked for."))
    return _refusal(fault.status or status, fault.code, fault.msg or msg, 0.0)


def ws_api_reply(reply_id: str, answer: HttpAnswer) -> str:
    """Return an answer as the WebSocket API gives it: status and error beside the id; a page has no place there."""
    try:
        error = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        error = {"code": -1000, "msg": _KNOWN[-1000][1]}
    return f'{{"id":{reply_id},"status":{answer.status},"error":{msgspec.json.encode(error).decode()}}}'


def stream_refusal(reply_id: str, fault: Fault) -> str:
    """Return the answer to a SUBSCRIBE that is refused."""
    error = {"code": fault.code or 2, "msg": fault.msg or "Invalid request: request refused"}
    return f'{{"error":{msgspec.json.encode(error).decode()},"id":{reply_id}}}'


def user_stream_refusal(reply_id: str, fault: Fault) -> str:
    """Return the answer to a user-data subscription that is refused."""
    code = fault.code or -2015
    status, msg = _KNOWN.get(code, (400, "An error was asked for."))
    return ws_api_reply(reply_id, _refusal(fault.status or status, code, fault.msg or msg, 0.0))


def refused_handshake(armed: ArmedFault, now_ns: int) -> HttpAnswer:
    """Return the answer to a WebSocket handshake that is refused; 503 unless told."""
    fault = armed.fault
    wait_s = fault.retry_after_s
    if fault.kind == "refuse_websockets" and armed.ends_ns:
        wait_s = (armed.ends_ns - now_ns) / _SECOND_NS
    return _page(fault.status or 503, _retry_after(wait_s))


def _limited(armed: ArmedFault, now_ns: int) -> HttpAnswer:
    left_s = armed.fault.retry_after_s or DEFAULT_RETRY_AFTER_S
    if armed.ends_ns:
        left_s = (armed.ends_ns - now_ns) / _SECOND_NS
    if armed.fault.kind == "too_many_requests":
        return _refusal(429, -1003, _MANY, left_s)
    return _refusal(418, -1003, _BAN.format((now_ns + int(left_s * _SECOND_NS)) // 1_000_000), left_s)


def _refusal(status: int, code: int, msg: str, retry_after_s: float) -> HttpAnswer:
    return HttpAnswer(status, msgspec.json.encode({"code": code, "msg": msg}), _retry_after(retry_after_s))


def _page(status: int, headers: dict[str, str]) -> HttpAnswer:
    title = f"{status} {_REASONS.get(status, 'Maintenance')}"
    page = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
    return HttpAnswer(status, page.encode(), {"Content-Type": "text/html", **headers})


def _retry_after(seconds: float) -> dict[str, str]:
    """Return the header; whole seconds, never too few."""
    return {"Retry-After": str(int(-(-seconds // 1)))} if seconds > 0 else {}
