"""What the parts of the surface promise the gateway: who answers which request, and how messages leave."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.layout import FieldReader, Layout, Value

Handler = Callable[[IbClient, FieldReader], None]
"""Takes who asks and the fields behind the message's id, and sends what there is to say.

Raises IbRefused where TWS refuses; the refusal of a request that has an id names it."""


class Send(Protocol):
    """The way out of the surface."""

    def __call__(self, client: IbClient, of: Layout, values: Mapping[str, Value], key: str = "") -> None:
        """Send a message; under a key, a newer one may take its place while the client reads slowly."""
        ...


class IbPart(Protocol):
    """A part of the surface: the connection's own requests, contracts, quotes, the account, or orders.

    Thread: exchange-io.
    """

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id."""
        ...

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue, after the command that made it has returned."""
        ...

    def tick(self, now_ns: int) -> None:
        """Publish what is due."""
        ...

    def closed(self, client: IbClient) -> None:
        """Hear that a connection is gone."""
        ...


@runtime_checkable
class ForgetsData(Protocol):
    """A part that keeps subscriptions to market data: while no data flows it is not told to publish what is due."""

    def data_lost(self) -> None:
        """Forget every subscription of every client, silently, as TWS does before it says 1101."""
        ...
