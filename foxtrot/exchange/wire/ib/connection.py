"""One connection of a client as the surface sees it: its ways out, and what it has asked to be told."""

from collections.abc import Callable

from foxtrot.exchange.wire.ib.limits import MessageRate


class IbClient:
    """A connection; the listener makes it and gives it its ways out, the surface keeps its state on it.

    `send` queues one whole message and never waits; `push` does so under a key: of a newer message of the same key the older one may
    be dropped while the client reads slowly, as `is_slow` tells. `close` ends the connection (FIN) once what is queued is out.

    Thread: exchange-io.
    """

    def __init__(
        self,
        number: int,
        opened_ns: int,
        *,
        send: Callable[[bytes], None],
        push: Callable[[bytes, str], None],
        close: Callable[[], None],
        is_slow: Callable[[], bool] = lambda: False,
    ) -> None:
        self.number = number
        self.opened_ns = opened_ns
        self.send = send
        self.push = push
        self.close = close
        self.is_slow = is_slow
        self.version = 0
        """The server version that both speak; 0 before the handshake."""
        self.client_id = -1
        """What START_API said; -1 before it."""
        self.is_paced = False
        """Whether it asked TWS to hold its messages back where they are too many, instead of refusing them."""
        self.rate = MessageRate()

    @property
    def is_started(self) -> bool:
        """Tell whether START_API has come, before which nothing but the version may be sent."""
        return self.client_id >= 0
