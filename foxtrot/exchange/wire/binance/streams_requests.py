"""What a client asks on a stream connection: SUBSCRIBE and its kin, and the answers, errors included."""

import msgspec

from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.channels import UserChannels
from foxtrot.exchange.wire.binance.streams_hub import Listener, StreamHub

STREAM_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_LONGEST_ID = 36


class StreamRequest(msgspec.Struct, frozen=True):
    """One request, its id as it was sent."""

    method: object = None
    params: object = None
    id: msgspec.Raw = msgspec.Raw(b"null")


class StreamDesk:
    """Serves the requests of stream connections.

    Thread: exchange-io.
    """

    def __init__(self, hub: StreamHub, channels: UserChannels, most_streams: int) -> None:
        self._hub = hub
        self._channels = channels
        self._most = most_streams

    def serve(self, listener: Listener, text: str) -> None:
        """Answer one request.

        Source: Binance spot API, WebSocket Streams, Live Subscribing/Unsubscribing to streams.
        """
        try:
            request = msgspec.json.decode(text, type=StreamRequest)
        except (msgspec.DecodeError, RecursionError):
            return self._refuse(listener, ApiError(3, "Invalid JSON: expected value at line 1 column 1"), b"null")
        number = bytes(request.id)
        try:
            _check_id(number)
            result = self._run(listener, request)
        except ApiError as error:
            return self._refuse(listener, error, number)
        return listener.connection.send(f'{{"result":{msgspec.json.encode(result).decode()},"id":{number.decode()}}}')

    def add(self, listener: Listener, names: list[str]) -> None:
        """Subscribe to streams; a listenKey is the user's own stream.

        Source: Binance spot API, WebSocket Streams: 1024 streams a connection; User Data Streams.

        Raises:
            ApiError: 2, too many.
        """
        if len(set(listener.names) | set(names)) > self._most:
            raise ApiError(2, f"Invalid request: too many subscriptions, maximum {self._most}")
        for name in names:
            if self._channels.is_key(name):
                self._channels.attach(listener.connection, name, frozenset(), listener.combined)
                listener.names[name] = None
            else:
                self._hub.add(listener, name)

    def drop(self, listener: Listener, names: list[str]) -> None:
        """Unsubscribe from streams.

        Source: Binance spot API, WebSocket Streams, Unsubscribe to a stream.
        """
        for name in names:
            if self._hub.is_wanted(name):
                self._hub.remove(listener, name)
            elif name in listener.names:
                del listener.names[name]
                self._channels.detach(listener.connection, name)

    def _run(self, listener: Listener, request: StreamRequest) -> object:
        method = request.method
        if method is None:
            raise ApiError(2, "Invalid request: missing field `method` at line 1 column 2")
        if method == "LIST_SUBSCRIPTIONS":
            return list(listener.names)
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            (self.add if method == "SUBSCRIBE" else self.drop)(listener, _names(request.params))
            return None
        if method in ("SET_PROPERTY", "GET_PROPERTY"):
            return _property(listener, str(method), request.params)
        expected = ", ".join(f"`{name}`" for name in STREAM_METHODS)
        raise ApiError(2, f"Invalid request: unknown variant {method}, expected one of {expected} at line 1 column 28")

    @staticmethod
    def _refuse(listener: Listener, error: ApiError, number: bytes) -> None:
        body = {"error": {"code": error.code, "msg": error.msg}, "id": msgspec.Raw(number)}
        listener.connection.send(msgspec.json.encode(body).decode())


def _check_id(number: bytes) -> None:
    try:
        value = msgspec.json.decode(number)
    except (msgspec.DecodeError, RecursionError):
        value = 0.0  # a number beyond all bounds
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value is None or is_whole or (isinstance(value, str) and len(value) <= _LONGEST_ID):
        return
    raise ApiError(2, "Invalid request: request ID must be an unsigned integer")


def _names(params: object) -> list[str]:
    if not isinstance(params, list) or not params or not all(isinstance(name, str) and name for name in params):
        raise ApiError(2, "Invalid request: params must be an array of stream names")
    return [str(name) for name in params]


def _property(listener: Listener, method: str, params: object) -> object:
    if not isinstance(params, list) or not params or not isinstance(params[0], str):
        raise ApiError(2, "Invalid request: property name must be a string")
    if params[0] != "combined":
        raise ApiError(0, "Unknown property")
    if method == "GET_PROPERTY":
        return listener.combined
    if len(params) != 2 or not isinstance(params[1], bool):
        raise ApiError(1, "Invalid value type: expected Boolean")
    listener.combined = params[1]
    return None
