"""What faults and counters must know of Binance's messages: which stream a frame is of, which order a request carries.

Source: Binance spot API and USDⓈ-M Futures, WebSocket Streams, User Data Streams and WebSocket API (forms of messages).
"""

import re
from typing import Final
from urllib.parse import unquote_plus

import msgspec

REPLY: Final = "reply"
"""The stream name of an answer to a request."""

_STREAMS: Final = {
    "depthUpdate": "depth",
    "trade": "trade",
    "aggTrade": "aggTrade",
    "24hrTicker": "ticker",
    "24hrMiniTicker": "miniTicker",
    "bookTicker": "bookTicker",
    "markPriceUpdate": "markPrice",
    "forceOrder": "forceOrder",
    "avgPrice": "avgPrice",
}
_LISTEN_KEY: Final = re.compile(r"[0-9A-Za-z]{60,}")
_CLIENT_ID: Final = re.compile(
    r'(?:newClientOrderId|clientAlgoId|aboveClientOrderId|belowClientOrderId)(?:=|"\s*:\s*")([^&"]+)'
)


class FrameFacts(msgspec.Struct, frozen=True, gc=False):
    """One frame to a client: its stream, or the type of a user event, or "reply"; `reply_id` is the id's JSON text."""

    stream: str = ""
    is_fill: bool = False
    reply_id: str = ""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """One frame from a client; `reply_id` is the JSON text of its id, "" when it is not a request."""

    method: str = ""
    reply_id: str = ""
    params: object = None


def read_frame(text: str) -> FrameFacts:
    """Return what a frame to a client is; one that cannot be read has no stream."""
    message = _decode(text)
    if isinstance(message, list):
        first = message[0] if message else None
        return FrameFacts(f"!{_STREAMS.get(_text(first, 'e'), '')}@arr")
    if not isinstance(message, dict):
        return FrameFacts()
    if "id" in message and "e" not in message:
        return FrameFacts(REPLY, reply_id=msgspec.json.encode(message["id"]).decode())
    payload = message.get("data", message.get("event", message))
    event = _text(payload, "e")
    if event in ("executionReport", "ORDER_TRADE_UPDATE"):
        return FrameFacts(event, is_fill=_execution(payload) == "TRADE")
    return FrameFacts(_text(message, "stream") if _is_market(message) else _name(payload, event))


def read_request(text: str) -> Asked:
    """Return what a frame from a client asks for."""
    message = _decode(text)
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        return Asked()
    return Asked(message["method"], msgspec.json.encode(message.get("id")).decode(), message.get("params"))


def connection_kinds(path: str, query: str) -> tuple[str, ...]:
    """Return what a WebSocket is for, by the path and query of its handshake."""
    if path.rstrip("/").endswith(("/ws-api/v3", "/ws-fapi/v1")):
        return ("ws_api", "user")
    named = [kind for kind in ("private", "public", "market") if f"/{kind}/" in path]
    kinds = named or ["stream"]
    if "private" in kinds or listen_key(path, query):
        kinds.append("user")
    return tuple(kinds)


def listen_key(path: str, query: str) -> str:
    """Return the listenKey with which a WebSocket was opened, "" without one."""
    named = re.search(r"listenKey=([^&]+)", query)
    if named:
        return named[1]
    found = _LISTEN_KEY.search(f"{path}?{query}")
    return found[0] if found else ""


def path_streams(path: str, query: str) -> set[str]:
    """Return the streams that a handshake asks for; a bare number is a client's own label."""
    named = re.search(r"streams=([^&]+)", query)
    tail = path.rpartition("/ws/")[2] if "/ws/" in path else ""
    names = (unquote_plus(named[1]) if named else tail).split("/")
    return {name for name in names if name and not name.isdecimal()}


def client_order_ids(text: str) -> list[str]:
    """Return the client order ids that a query, body or frame carries, in order."""
    return _CLIENT_ID.findall(text if text.startswith("{") else unquote_plus(text))


def spoil_number(text: str, instead: str) -> str:
    """Return a frame whose first decimal number in quotes is something else."""
    return re.sub(r'"\d+(?:\.\d+)?"', lambda _: msgspec.json.encode(instead).decode(), text, count=1)


def lower_snapshot(body: bytes, by: int) -> bytes:
    """Return the answer of a depth snapshot with a lower lastUpdateId."""
    return re.sub(rb'("lastUpdateId":\s*)(\d+)', lambda m: b"%b%d" % (m[1], max(1, int(m[2]) - by)), body, count=1)


def _decode(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _text(message: object, key: str) -> str:
    value = message.get(key) if isinstance(message, dict) else None
    return value if isinstance(value, str) else ""


def _execution(payload: object) -> str:
    inner = payload.get("o") if isinstance(payload, dict) else None
    return _text(inner, "x") or _text(payload, "x")


def _is_market(message: dict[str, object]) -> bool:
    """Tell whether a combined message is of a market stream: that of a user event is named by its listenKey."""
    stream = _text(message, "stream")
    return "@" in stream or stream.startswith("!")


def _name(payload: object, event: str) -> str:
    """Return the name of the stream that a raw payload is of."""
    if not isinstance(payload, dict):
        return ""
    symbol = _text(payload, "s").lower()
    kline = payload.get("k")
    if event == "kline":
        return f"{symbol}@kline_{_text(kline, 'i')}"
    if event in _STREAMS:
        return f"{symbol}@{_STREAMS[event]}"
    if not event and "lastUpdateId" in payload:
        return "@depth"
    if not event and {"u", "b", "a"} <= payload.keys():
        return f"{symbol}@bookTicker"
    return event
