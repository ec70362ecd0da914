"""Changes and snapshots for tests of local books, and who owns them."""

from foxtrot.books.cached_book import CachedBook
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData, Level
from tests.support.instruments import a_spot

BTC = a_spot()
MS = 1_000_000
Levels = tuple[Level, ...]


def change(
    first: int,
    last: int,
    bids: Levels = (),
    asks: Levels = (),
    *,
    previous: int | None = None,
    ms: int | None = None,
    checksum: int | None = None,
) -> DepthChange:
    """Return a change; its time is its last id in ms unless given."""
    at = (last if ms is None else ms) * MS
    before = first - 1 if previous is None else previous
    return DepthChange(BTC.instrument_id, at, at + 1, first, last, before, bids, asks, checksum)


def snapshot(
    update_id: int = 100,
    bids: Levels = ((99.99, 1.5), (99.98, 2.0)),
    asks: Levels = ((100.01, 0.5),),
    *,
    ms: int | None = None,
) -> DepthData:
    """Return a snapshot; its time is its id in ms unless given."""
    at = (update_id if ms is None else ms) * MS
    return DepthData(BTC.instrument_id, at, at + 1, update_id, bids, asks)


class Listener:
    """The owner of one book: keeps what it hears, in order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.causes: list[str] = []

    def need(self, book: CachedBook) -> None:
        """Note that a snapshot is asked for."""
        self.heard.append("ask")

    def on_state(self, book: CachedBook, cause: str) -> None:
        """Note a state."""
        self.heard.append(book.state.value)
        self.causes.append(cause)

    def on_change(self, book: CachedBook, change: DepthChange | None) -> None:
        """Note a change."""
        self.heard.append("book" if change is None else "change")

    def take(self) -> list[str]:
        """Return what was heard since the last time."""
        taken, self.heard = self.heard, []
        return taken


LIVE, SYNCING, STALE, CROSSED, EMPTY = (
    BookState.LIVE,
    BookState.SYNCING,
    BookState.STALE,
    BookState.CROSSED,
    BookState.EMPTY,
)
