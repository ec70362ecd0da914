"""Who listens to which stream; a frame is encoded once, however many listen."""

from collections import deque
from collections.abc import Callable

import msgspec

from foxtrot.exchange.wire.binance.connection import Connection
from foxtrot.exchange.wire.binance.streams_names import StreamName, parse_stream


class Listener:
    """One stream connection: how it wants its frames, and what it listens to.

    Thread: exchange-io.
    """

    __slots__ = ("category", "combined", "connection", "is_told_of_end", "names", "received_ns")

    def __init__(self, connection: Connection, *, combined: bool, category: str) -> None:
        self.connection = connection
        self.combined = combined
        self.category = category
        self.names: dict[str, None] = {}
        self.received_ns: deque[int] = deque()
        self.is_told_of_end = False


class StreamHub:
    """The table of streams and listeners.

    Thread: exchange-io.

    Args:
        is_strict: withhold a stream from connections of another category.
    """

    def __init__(self, *, is_strict: bool) -> None:
        self._is_strict = is_strict
        self._by_name: dict[str, dict[int, Listener]] = {}
        self._hears: list[Callable[[StreamName, bool], None]] = []

    def watch(self, hear: Callable[[StreamName, bool], None]) -> None:
        """Let a publisher hear of every stream that gets its first listener (True) or loses its last (False).

        Source: none; nothing is made that nobody listens to.
        """
        self._hears.append(hear)

    @property
    def is_busy(self) -> bool:
        """Tell whether anybody listens to anything.

        Source: none; nothing is made that nobody listens to.
        """
        return bool(self._by_name)

    def is_wanted(self, name: str) -> bool:
        """Tell whether anybody listens to a stream.

        Source: none; nothing is made that nobody listens to.
        """
        return name in self._by_name

    def add(self, listener: Listener, name: str) -> None:
        """Subscribe; a stream already held stays as it is.

        Source: Binance spot API, WebSocket Streams, Subscribe to a stream.
        """
        if name in listener.names:
            return
        listener.names[name] = None
        listeners = self._by_name.get(name)
        if listeners is None:
            listeners = self._by_name[name] = {}
            self._tell(name, is_wanted=True)
        listeners[listener.connection.number] = listener

    def remove(self, listener: Listener, name: str) -> None:
        """Unsubscribe; a stream that is not held is no error.

        Source: Binance spot API, WebSocket Streams, Unsubscribe to a stream.
        """
        if name not in listener.names:
            return
        del listener.names[name]
        listeners = self._by_name[name]
        del listeners[listener.connection.number]
        if not listeners:
            del self._by_name[name]
            self._tell(name, is_wanted=False)

    def publish(self, name: str, payload: object) -> None:
        """Send a payload to everyone who listens to a stream: raw, or wrapped with the name of the stream.

        Source: Binance spot API, WebSocket Streams: {"stream":"<streamName>","data":<rawPayload>}.
        """
        listeners = self._by_name.get(name)
        if not listeners:
            return
        text = msgspec.json.encode(payload).decode()
        wrapped = ""
        for listener in list(listeners.values()):
            if self._is_strict and listener.category and listener.category != self._category(name):
                continue
            if listener.combined:
                wrapped = wrapped or f'{{"stream":{msgspec.json.encode(name).decode()},"data":{text}}}'
            listener.connection.send(wrapped if listener.combined else text)

    @staticmethod
    def _category(name: str) -> str:
        stream = parse_stream(name)
        return stream.category if stream is not None else ""

    def _tell(self, name: str, *, is_wanted: bool) -> None:
        stream = parse_stream(name)
        if stream is not None:
            for hear in self._hears:
                hear(stream, is_wanted)
