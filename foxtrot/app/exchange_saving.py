"""Keeps a running exchange's venue in its folder: every few seconds while accounts change, and whole at the end."""

from collections.abc import Collection

from loguru import logger

from foxtrot.app.exchange_store import ExchangeStore
from foxtrot.domain.errors import FoxtrotError
from foxtrot.exchange.commands import CancelAll
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.venue import Venue

PAUSE_S = 5.0


class VenueSaving:
    """Saves the venue of a server without the orders of its trading agents, which would not know them again.

    The server's thread only takes the bytes; they are made ready and written by the thread that asks for it.

    Thread: main; `hear` on exchange-io.

    Args:
        server: whose venue it is.
        store: where it is kept.
        accounts: those whose changes are worth a save; the agents' market moves all the time.
    """

    def __init__(self, server: ExchangeServer, store: ExchangeStore, accounts: Collection[str]) -> None:
        self._server = server
        self._store = store
        self._accounts = frozenset(accounts)
        self._changes = 1  # what the exchange opened with is not saved yet
        self._saved = (0, 0)
        self._due_ns = server.clock.monotonic_ns()

    def hear(self, event: VenueEvent) -> None:
        """Note that something of an account has changed."""
        if getattr(event, "account", "") in self._accounts:
            self._changes += 1

    def save_if_due(self) -> bool:
        """Save when the pause is over and something changed; tell whether it was saved. What fails is tried again.

        Blocks: for the server and the disk.
        """
        now_ns = self._server.clock.monotonic_ns()
        if now_ns < self._due_ns or self._state() == self._saved:
            return False
        self._due_ns = now_ns + int(PAUSE_S * 1e9)
        try:
            changes, snapshot = self._server.call(lambda _: (self._state(), self._snapshot()))
            self._write(snapshot)
        except FoxtrotError as error:
            logger.error("exchange: what has changed is not saved yet: {}", error)
            return False
        self._saved = changes
        return True

    def save_at_end(self) -> str:
        """Save the venue of a server that has ended; returns where.

        Raises:
            ConfigError: it cannot be written.
        """
        return self._write(self._snapshot())

    def _state(self) -> tuple[int, int]:
        """Return how often accounts have changed, and how often a surface noted what has not reached the venue yet."""
        return self._changes, self._server.host.venue.noted

    def _snapshot(self) -> bytes:
        return self._server.host.venue.snapshot(frozenset(self._server.host.traders))

    def _write(self, snapshot: bytes) -> str:
        return str(self._store.save(without_orders_of(frozenset(self._server.host.traders), snapshot)))


def without_orders_of(accounts: frozenset[str], snapshot: bytes) -> bytes:
    """Return a venue's snapshot in which some accounts have no order and no past; their money is free again."""
    if not accounts:
        return snapshot
    venue = Venue(_heard_by_nobody)
    venue.take_up(snapshot)
    for account in sorted(accounts):
        venue.execute(CancelAll(venue.time_ns, account))
    return venue.snapshot(accounts)


def _heard_by_nobody(_event: VenueEvent) -> None:
    """A copy's events concern nobody."""
