"""One desired stream of one instrument, and who hears of it."""

import asyncio
from typing import Any

import ccxt

from foxtrot.adapter.ccxt.client import Route
from foxtrot.adapter.ccxt.venue import Stream
from foxtrot.adapter.reconnect import Backoff


class Topic:
    """One desired stream of one instrument.

    Thread: the session's.
    """

    def __init__(self, stream: Stream, instrument_id: str, detail: str, backoff: Backoff) -> None:
        self.stream = stream
        self.instrument_id = instrument_id
        self.detail = detail
        """The interval of bars, by ccxt's name."""
        self.wanted = True
        self.up = asyncio.Event()
        """Set while the venue has confirmed the subscription, or may be believed to have."""
        self.settled = asyncio.Event()
        """Set once it is confirmed, or given up for good."""
        self.backoff = backoff
        self.route = Route()
        self.asked_ns = 0
        self.refused = 0
        self.suspect: ccxt.ExchangeError | None = None
        """An error that came while it was not answered yet, which may be its own or another's."""
        self.watching: asyncio.Future[Any] | None = None
        self.renewing = False
        """Whether its subscription is being ended to begin anew."""
        self.task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Return what it is called in logs."""
        return " ".join(part for part in (self.stream, self.detail, "of", self.instrument_id) if part)


class Listener:
    """What hears of topics; every method may be replaced.

    Thread: the session's.
    """

    def on_up(self, topic: Topic) -> None:
        """Hear that a subscription is confirmed: from now on everything comes."""

    def on_item(self, topic: Topic, item: Any) -> None:
        """Hear what a watcher of ccxt returned."""

    def on_down(self, topic: Topic, cause: str, *, gap: bool) -> None:
        """Hear that a topic is interrupted: by a gap, after which it goes on at once, or by a loss."""

    def on_refused(self, topic: Topic, cause: str) -> None:
        """Hear that a topic cannot be had."""
