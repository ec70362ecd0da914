"""What the parts of the surface promise the gateway: who answers which request, and how pushes leave."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.futu.connection import FutuClient

Handler = Callable[[FutuClient, Any], Any]
"""Takes who asks and the C2S of the request, returns the S2C of the answer (None where there is nothing to say).

Raises FutuRefused where OpenD refuses."""
Push = Callable[[FutuClient, int, Any, str], None]
"""Sends a client the S2C of a push: client, protocol id, S2C, and the key under which a newer one may take its place ("": none may)."""


class FutuPart(Protocol):
    """A part of the surface: the connection's own requests, quotes, or trading.

    Thread: exchange-io.
    """

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by protocol id."""
        ...

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue, after the command that made it has returned."""
        ...

    def after_answer(self, client: FutuClient, proto_id: int) -> None:
        """Hear that the answer of one of its requests is on the wire: what the request causes is pushed after it."""
        ...

    def tick(self, now_ns: int) -> None:
        """Publish what is due."""
        ...

    def closed(self, client: FutuClient) -> None:
        """Hear that a connection is gone."""
        ...


@runtime_checkable
class LocksTrading(Protocol):
    """A part that keeps whether trading is unlocked."""

    def lock(self) -> None:
        """Lock trading on all REAL accounts."""
        ...
