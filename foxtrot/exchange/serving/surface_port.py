"""What a listener expects of a protocol's surface, and what it calls when the surface offers it."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.binance.connection import Connection, HttpAnswer, HttpRequest
from foxtrot.exchange.wire.binance.venue_side import VenueSide


class EventHearer(Protocol):
    """Whoever is told what happens at the venue, and when time passes.

    Thread: exchange-io.
    """

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue, after the command that made it has returned."""
        ...

    def tick(self, now_ns: int) -> None:
        """Publish what is due."""
        ...


class Surface(Protocol):
    """One product in the venue's protocol: text in, text out, never a socket.

    Thread: exchange-io.
    """

    side: VenueSide

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one HTTP request."""
        ...

    def open(self, connection: Connection) -> None:
        """Hear that a WebSocket was accepted.

        Raises:
            ApiError: it is refused; the handshake is answered with the error's status.
        """
        ...

    def receive(self, connection: Connection, text: str) -> None:
        """Hear one text frame."""
        ...

    def closed(self, connection: Connection) -> None:
        """Hear that a WebSocket is gone."""
        ...

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue, after the command that made it has returned."""
        ...

    def tick(self, now_ns: int) -> None:
        """Publish what is due."""
        ...

    def knows(self, endpoint: str) -> bool:
        """Tell whether it has such an endpoint: "METHOD /path", or the method of a text frame."""
        ...

    def streams_of(self, connection: Connection) -> Collection[str]:
        """Return the streams that a connection is subscribed to."""
        ...


@runtime_checkable
class EndsUserStreams(Protocol):
    """A surface whose listen keys and user-data subscriptions can be ended from outside."""

    def expire_listen_key(self, account: str) -> object:
        """End the listen keys of an account and tell their streams."""
        ...

    def terminate_user_stream(self, account: str) -> object:
        """End the user-data subscriptions of an account and tell them."""
        ...


@runtime_checkable
class AnnouncesShutdown(Protocol):
    """A surface that can tell its streams that the server will stop."""

    def announce_shutdown(self) -> object:
        """Send the notice of a planned stop to every connection."""
        ...
