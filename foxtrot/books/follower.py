"""The views of a book one after the other, for whoever takes them at a pace of their own."""

from collections import deque
from collections.abc import Callable, Iterator

from foxtrot.books.cached_book import BookView


class BookFollower(Iterator[BookView]):
    """An iterator over the views that came since it was gone through the last time; it ends where there is no newer one, and goes on later.

    Thread: one reader, on any thread; the venue's thread adds.

    Args:
        keep: how many views wait at most: the oldest is let go and counted, 1 gives the newest alone.
    """

    def __init__(self, keep: int) -> None:
        self.missed = 0
        """Views that were let go because nobody took them."""
        self._views: deque[BookView] = deque(maxlen=keep)
        self._end: Callable[[], None] | None = None

    def begin(self, listen: Callable[[Callable[[BookView], None]], Callable[[], None]]) -> "BookFollower":
        """Hear of the book from now on."""
        self._end = listen(self._hear)
        return self

    def end(self) -> None:
        """Hear no more of it; what waits can still be taken."""
        if self._end is not None:
            self._end()
            self._end = None

    def __next__(self) -> BookView:
        try:
            return self._views.popleft()
        except IndexError:
            raise StopIteration from None

    def _hear(self, view: BookView) -> None:
        self.missed += len(self._views) == self._views.maxlen
        self._views.append(view)
