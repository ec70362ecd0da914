"""One connection of a client as the surface sees it: its ways out, and what it has asked to be told."""

from collections.abc import Callable
from typing import Any

from foxtrot.exchange.wire.futu.cipher import Cipher


class FutuClient:
    """A connection; the listener makes it and gives it its ways out, the surface keeps its state on it.

    `send` queues one whole frame and never waits; `push` does so under a key: of a newer push of the same key the older one may
    be dropped while the client reads slowly. `close` ends the connection (FIN) once what is queued is out.

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
    ) -> None:
        self.number = number
        self.opened_ns = opened_ns
        self.send = send
        self.push = push
        self.close = close
        self.conn_id = 0
        """Given by InitConnect; 0 before it."""
        self.hears_notices = False
        self.cipher: Cipher | None = None
        """Encrypts all but InitConnect; None where the client did not ask for it."""
        self.push_serial = 0
        self.accounts: frozenset[int] = frozenset()
        """Account ids whose orders and fills it is told of."""
        self.subscriptions: dict[tuple[int, str], dict[int, Any]] = {}
        """(market, code) → subscription type → how it was asked for; the quote side's own."""
