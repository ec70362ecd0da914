"""One stream of a hub on the client's side, with every feed that reads it."""

from typing import Generic

from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import FoxtrotError
from foxtrot.hub.client_feeds import HubFeed
from foxtrot.hub.client_streams import Value


class SharedStream(Generic[Value]):
    """What is read once from the hub, however many feeds of the program ask for it; it lasts until the last of them is closed.

    Thread: hub-client.

    Args:
        first: the feed for which it is read; others join.
    """

    def __init__(self, first: HubFeed[Value]) -> None:
        self.key = first.key
        self.ask = first.ask
        self.kept = first.kept
        self.number: int | None = None
        """The hub's number of it on this connection."""
        self.latest: Value = first.latest
        self._feeds: dict[HubFeed[Value], None] = {first: None}
        self._is_fresh = True

    @property
    def state(self) -> BookState:
        """Return whether the latest value may be believed."""
        return self.latest.state

    def join(self, feed: HubFeed[Value]) -> None:
        """Let one more feed read it, from the value that there is on."""
        self._feeds[feed] = None
        feed.kept = self.kept
        if not self._is_fresh:
            feed.hear(self.latest)

    def leave(self, feed: HubFeed[Value]) -> bool:
        """Let a feed read no more; tells whether it was the last."""
        return self._feeds.pop(feed, False) is None and not self._feeds

    def give(self, value: Value) -> None:
        """Tell every feed a newer value."""
        self.latest, self._is_fresh = value, False
        for feed in self._feeds:
            feed.hear(value)

    def finish(self, error: FoxtrotError | None) -> None:
        """End every feed."""
        for feed in self._feeds:
            feed.part(error)
        self._feeds.clear()
