"""A Binance book that is changed by the text of its frames in compiled code; whatever is not as usual goes the plain way."""

from collections.abc import Callable

from typing_extensions import override

from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.frame_levels import FrameLevelBook, new_core
from foxtrot.books.book_state import HAS_LEVELS
from foxtrot.books.cached_book import BookOwner, CachedBook
from foxtrot.books.depth_book import DepthBook
from foxtrot.books.level_book import LevelBook
from foxtrot.books.sequence import ContiguousIds, PreviousId, SequenceRule
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData

_BY_PREVIOUS: dict[type[SequenceRule], bool] = {ContiguousIds: False, PreviousId: True}


class FrameDepthBook(DepthBook):
    """A DepthBook that `follow`s frames.

    The compiled part takes a frame only when it is as usual and follows; everything else happens in DepthBook, on the same levels. When
    numbers come that 64 bits do not hold, the levels move to a plain LevelBook, for good.

    Thread: belongs to the venue's thread that feeds it.

    Raises:
        ConfigError: the rule is not one of Binance's, or the compiled part was not built.
    """

    def __init__(self, instrument: Instrument, rule: SequenceRule) -> None:
        if type(rule) not in _BY_PREVIOUS:
            known = ", ".join(known.__name__ for known in _BY_PREVIOUS)
            raise ConfigError(f"{instrument.instrument_id}: compiled books know the rules {known}, not {rule.name}")
        super().__init__(instrument, rule)
        self._by_previous = _BY_PREVIOUS[type(rule)]
        self._core = new_core(instrument)
        if self._core is not None:
            self.levels = FrameLevelBook(self._core)

    @property
    def is_compiled(self) -> bool:
        """Tell whether the levels lie in compiled code."""
        return self._core is not None

    def follow(self, frame: bytes | str, local_time_ns: int) -> bool:
        """Take a change from its frame as it came; False when nothing has happened: it is for `apply`."""
        core = self._core
        if core is None or self.state not in HAS_LEVELS:
            return False
        told = core.take(frame, self.update_id, self._by_previous, self._bridged)
        if told is None:
            return False
        self._bridged = True
        if self._old.length:
            self._old.clear()
        self.update_id, self.venue_time_ns = told
        self.local_time_ns = local_time_ns
        self._note_followed()
        return True

    @override
    def apply(self, change: DepthChange) -> bool:
        try:
            return super().apply(change)
        except OverflowError:
            self._move_to_plain()
            return super().apply(change)

    @override
    def load(self, snapshot: DepthData, limit: int = 0) -> None:
        try:
            super().load(snapshot, limit)
        except OverflowError:
            self._move_to_plain()
            super().load(snapshot, limit)

    @override
    def replace(self, snapshot: DepthData, limit: int = 0) -> None:
        try:
            super().replace(snapshot, limit)
        except OverflowError:
            self._move_to_plain()
            super().replace(snapshot, limit)

    @override
    def adopt(self, other: DepthBook) -> None:
        try:
            super().adopt(other)
        except OverflowError:
            self._move_to_plain()
            super().adopt(other)

    def _move_to_plain(self) -> None:
        plain = LevelBook()
        plain.load(*self.levels.top(len(self.levels)))
        self.levels, self._core = plain, None


class FrameBook(CachedBook):
    """A CachedBook that takes frames as they come, by `take`; `apply` takes changes as ever.

    Its owner hears of a change that came by a frame without the change itself (None), because nobody has made one: who wants changes
    gives them to `apply`.

    Thread: the venue's, which feeds it.

    Args:
        instrument: whose book.
        rule: ContiguousIds or PreviousId.
        owner: hears of it.
        need_snapshot: as in CachedBook.

    Raises:
        ConfigError: the rule is not one of Binance's, or the compiled part was not built.
    """

    def __init__(
        self,
        instrument: Instrument,
        rule: SequenceRule,
        owner: BookOwner,
        need_snapshot: Callable[[CachedBook], None],
    ) -> None:
        super().__init__(instrument, rule, owner, need_snapshot)
        self.book = self._frames = FrameDepthBook(instrument, rule)
        self._codec = MarketCodec(instrument.product)

    def take(self, frame: bytes | str, local_time_ns: int) -> bool:
        """Take a depthUpdate frame, bare or of a combined stream; True when the levels changed.

        Raises:
            BadMessage: the frame cannot be read; the book stays as it was.
        """
        followed = self.follow(frame, local_time_ns)
        return self.apply(self._decoded(frame, local_time_ns)) if followed is None else followed

    def follow(self, frame: bytes | str, local_time_ns: int) -> bool | None:
        """Take a frame that is as usual, in compiled code.

        Returns:
            Whether the levels changed, or None when nothing has happened: the frame is to be decoded, and its change given to `apply`.
        """
        book = self._frames
        if not self.streams or self._audit is not None:
            return None
        if not book.follow(frame, local_time_ns):
            return None
        self.counters.changes += 1
        if (book.state is not self.state or self._crossed) and not self._survives_crossing():
            return False
        self._owner.on_change(self, None)
        return True

    def _decoded(self, frame: bytes | str, local_time_ns: int) -> DepthChange:
        fact = self._codec.decode(frame, local_time_ns)
        if isinstance(fact, DepthChange):
            return fact
        return self._codec.depth_change(frame, local_time_ns)
