"""The compiled book as the adapter streams it: frames go to it as they come, unless somebody follows changes."""

from collections.abc import Callable

from foxtrot.adapter.binance.frame_book import FrameBook
from foxtrot.adapter.book_stream import BookPublisher, BookStream
from foxtrot.books.sequence import SequenceRule
from foxtrot.domain.instrument import Instrument


class FrameStream(BookStream):
    """A BookStream over a FrameBook.

    Thread: as BookStream.

    Raises:
        ConfigError: the compiled part was not built.
    """

    def __init__(
        self, instrument: Instrument, rule: SequenceRule, publisher: BookPublisher, need_snapshot: Callable[[], None]
    ) -> None:
        super().__init__(instrument, rule, publisher, need_snapshot)
        self._cached = self._framed = FrameBook(instrument, rule, self, self._note_need)

    def take_frame(self, text: str, now_ns: int) -> bool:
        """Take a frame as it came; False when nothing has happened: it is to be decoded, and its change given to `take`.

        Who follows changes needs them made, so then every frame is decoded; the levels are the same.
        """
        if self.changes:
            return False
        with self._lock:
            followed = self._framed.follow(text, now_ns)
        if followed is None:
            return False
        if self._untold or self._needs:
            self._tell()
        return True
