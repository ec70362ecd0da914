"""A DepthCache on a bad connection to the embedded exchange: after everything that comes, what it says is held against what is true."""

from collections.abc import Callable
from random import Random

import msgspec

from foxtrot.books.audit import AuditVerdict
from foxtrot.books.cached_book import BookView, CachedBook
from foxtrot.books.checksums import Checksum, digits_crc32, paired_crc32
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.sequence import (
    ContiguousIds,
    FullSnapshot,
    NonceChain,
    PreviousId,
    SequenceRule,
    StreamOrder,
)
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData
from tests.support.book_link import ASK_EVERY_NS, BadLink, Item, SnapshotDesk
from tests.support.book_venue import (
    INSTRUMENT,
    Book,
    BookVenue,
    digits_checksum,
    paired_checksum,
    windowed,
)

LIVE_AGAIN_NS = 2_000_000_000 + 2 * ASK_EVERY_NS
"""After faults end a book is LIVE within two seconds and the rate limit: of the request under way and of the one after it."""
FAR = 600
"""Ids fall by half of this at least in a restart: a stale snapshot of before it could otherwise be taken for one of after it."""
CALM_NS = 4_000_000_000
FAR_PRICE = 10**12
NAME = INSTRUMENT.instrument_id


class Disproved(AssertionError):
    """What a book says is not true: thrown by the world alone, so that no other failure is taken for it."""


def hold(said: bool, otherwise: str) -> None:
    """Hold something that must be true.

    Raises:
        Disproved: it is not.
    """
    if not said:
        raise Disproved(otherwise)


class Kind(msgspec.Struct, frozen=True):
    """How a venue streams: its rule of sequence, and how much of the book that rule can vouch for."""

    name: str
    make_rule: Callable[[], SequenceRule]
    checksum: Callable[[Book], int] | None = None
    by_stream: bool = False
    """Snapshots come by the stream, when it is asked for them; else by request."""
    whole: bool = False
    """Every message is the whole book."""
    numbered: bool = True
    window: int = 0
    limit: int = 0
    vouched: int = 0
    """The best levels that must be right, 0 for all that are known."""
    silent_errors: bool = False
    """Changes come with levels missing and nothing shows it: only that a LIVE book is not crossed is vouched for, until an audit."""


KINDS = (
    Kind("contiguous", ContiguousIds, limit=15),
    Kind("previous", PreviousId, limit=6),
    Kind("nonce", NonceChain, by_stream=True),
    Kind(
        "digits",
        lambda: Checksum(StreamOrder(), digits_crc32(INSTRUMENT, 2, 3)),
        checksum=digits_checksum,
        by_stream=True,
        numbered=False,
        window=25,
        vouched=10,
    ),
    Kind(
        "paired",
        lambda: Checksum(NonceChain(), paired_crc32(INSTRUMENT)),
        checksum=paired_checksum,
        by_stream=True,
        vouched=25,
    ),
    Kind("window", ContiguousIds, window=25, limit=25, by_stream=True),
    Kind("whole", FullSnapshot, by_stream=True, whole=True, limit=20),
    Kind("silent", ContiguousIds, silent_errors=True),
)  # fmt: skip


class Figures(msgspec.Struct):
    """What was done."""

    updates: int = 0
    compared: int = 0
    live_again: int = 0
    slowest_ns: int = 0
    audits: int = 0
    repaired: int = 0
    renewed: int = 0
    unknown: int = 0
    """Times at which the market left what was known, so that the book began anew."""
    restarts: int = 0
    cuts: int = 0

    def add(self, other: "Figures") -> None:
        """Take in what another world did."""
        for name in self.__struct_fields__:
            join = max if name == "slowest_ns" else int.__add__
            setattr(self, name, join(getattr(self, name), getattr(other, name)))


class World:
    """One book of one kind; `run` goes through bad times and calm ones in turn."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self.kind = kind
        self.random = Random(f"{kind.name} {seed}")
        self.venue = BookVenue(self.random)
        self.link = BadLink(
            self.random, corrupts=kind.checksum is not None or kind.silent_errors, loses=not kind.silent_errors
        )
        self.desk = SnapshotDesk(self.random, self.link, self._answer)
        self.cache = DepthCache(self._need_snapshot, levels=5)
        self.figures = Figures()
        self.connected = True
        self._cut_for = 0
        self._before = self.venue.last
        self._heard = 0
        self._left = False
        self.book = self.cache.open(INSTRUMENT, kind.make_rule(), kind.window)
        self.cache.listen(NAME, self._hear)
        self.book.begin()

    def run(self, updates: int) -> Figures:
        """Go on until so many updates came."""
        while self.figures.updates < updates:
            self.go_badly(self.random.randrange(200, 600))
            self._calm()
        return self.figures

    def go_badly(self, events: int) -> None:
        """Let things go wrong for so many events."""
        self.link.bad = True
        for _ in range(events):
            self._bad_luck()
            self.step()

    def step(self) -> None:
        """Let the venue go on by an event, and bring what comes of it."""
        change = self.venue.step()
        if self.connected and change is not None:
            for item in self.link.send(self._told(change)):
                self._take(item)
        self._before = self.venue.last
        if not self.connected:
            self.check()
        waits = self.connected and self.book.state in (BookState.EMPTY, BookState.SYNCING)
        self.desk.tick(self.venue.now_ns, self.book.generation if waits else None)

    # --- faults -----------------------------------------------------------------------------------------------------

    def _bad_luck(self) -> None:
        if not self.connected:
            self._cut_for -= 1
            if self._cut_for <= 0:
                self._connect()
            return
        luck = self.random.random()
        if luck < 0.002:
            self.figures.cuts += 1
            self.connected = False
            self._cut_for = self.random.randrange(1, 60)
            self.link.drop()
            self.cache.silence("cut")
        elif luck < 0.007 and (last := self.venue.last.update_id) > FAR:
            self.figures.restarts += 1
            self.venue.restart(last if self.random.random() < 0.5 else self.random.randrange(FAR // 2, FAR))
            self._before = self.venue.last
            self._heard = 0
            self.link.drop()

    def _connect(self) -> None:
        self.connected = True
        self._heard = 0
        self.book.begin("connected again")

    def _calm(self) -> None:
        """Let nothing go wrong any more: the book must be LIVE in time, stay so, and be right throughout."""
        self.link.bad = False
        if not self.connected:
            self._connect()
        if self.kind.silent_errors:
            self._audit(self.kind.limit)
        self.figures.slowest_ns = max(self.figures.slowest_ns, self._until_live())
        ends = self.venue.now_ns + CALM_NS
        while self.venue.now_ns < ends:
            self.step()
            hold(self._left or self.book.state is BookState.LIVE, f"{self.book.state} when nothing goes wrong")
            if self.book.is_thin:
                self._audit(self.kind.limit)
                self.figures.renewed += 1
        self.figures.live_again += 1
        self._return()
        key = self.venue.last.update_id if self.kind.numbered else self.venue.last.time_ns
        hold(self.book.book.update_id == key, "the book stands still")
        self._compare(self.venue.last.book, exactly=self.kind.silent_errors)
        self._audit(self.random.choice((0, 1, 5, 10, 50, self.kind.limit)))

    def _until_live(self) -> int:
        """Go on until the book is LIVE, and has been for as long as a fault takes to show; returns how long that took."""
        began = live_at = self.venue.now_ns
        while self.venue.now_ns < began + LIVE_AGAIN_NS:
            self.step()
            if self.book.state is not BookState.LIVE and not self._left:
                live_at = self.venue.now_ns
        hold(live_at < self.venue.now_ns, f"{self.book.state} {self.venue.now_ns - began} ns after the last fault")
        return live_at - began

    def _return(self) -> None:
        """Go on until a book that has left what it knew is LIVE again."""
        until = self.venue.now_ns + LIVE_AGAIN_NS
        while self._left and self.venue.now_ns < until:
            self.step()
        hold(self.book.state is BookState.LIVE, f"{self.book.state} without end")

    def _audit(self, limit: int) -> None:
        """Audit the book by so many levels: it is equal, or, where nothing vouches for it, differs and begins anew."""
        kind = self.kind
        if not kind.numbered or kind.whole or kind.window:
            return
        result, began = None, self.venue.now_ns
        while result is None or result.verdict is AuditVerdict.UNKNOWN:
            hold(self.venue.now_ns < began + 3 * LIVE_AGAIN_NS, f"{self.book.state} without end")
            self.book.begin_audit()
            for _ in range(self.random.randrange(4)):
                self.step()
            if self.book.state is not BookState.LIVE:
                self.step()
                continue
            before = self._known()
            result = self.book.finish_audit(self.venue.snapshot(self.random.randrange(3), limit), limit)
        self.figures.audits += 1
        if result.verdict is AuditVerdict.DIFFERS:
            hold(kind.silent_errors or bool(kind.vouched), f"{result.levels - result.equal} levels differ")
            hold(self.book.state is BookState.SYNCING, "a book that differs goes on")
            self.figures.repaired += 1
        else:
            hold(all(map(int.__le__, before, self._known())), f"an audit by {limit} levels has taken knowledge away")
            self.check()

    def _known(self) -> tuple[int, int]:
        """Return how far down and up the book is known: the more, the higher the numbers."""
        lowest, highest = self.book.book.lowest_known, self.book.book.highest_known
        return FAR_PRICE if lowest is None else -lowest, FAR_PRICE if highest is None else highest

    # --- what the venue tells ---------------------------------------------------------------------------------------

    def _told(self, change: DepthChange) -> Item:
        """Return an event as this kind of venue tells it."""
        kind, last = self.kind, self.venue.last
        if kind.whole:
            return self._whole(0)
        if kind.window:
            bids, asks = windowed(self._before.book, last.book, kind.window)
            change = msgspec.structs.replace(change, bids=bids, asks=asks)
        if not kind.numbered:
            now = change.venue_time_ns
            change = msgspec.structs.replace(change, first_update_id=now, last_update_id=now, previous_update_id=0)
        if kind.checksum is not None:
            change = msgspec.structs.replace(change, checksum=kind.checksum(last.book))
        return change

    def _whole(self, events_ago: int) -> DepthData:
        snapshot = self.venue.snapshot(events_ago, self.kind.limit or self.kind.window)
        return snapshot if self.kind.numbered else msgspec.structs.replace(snapshot, update_id=snapshot.venue_time_ns)

    def _take(self, item: Item) -> None:
        self.figures.updates += 1
        self._heard = max(self._heard, item.update_id if isinstance(item, DepthData) else item.last_update_id)
        if isinstance(item, DepthData):
            self.book.replace(item, self.kind.limit or self.kind.window)
        else:
            self.book.apply(item)
        self._leave()
        self.check()

    def _leave(self) -> None:
        """Begin anew where the market has left what is known, as adapters do."""
        if self.book.state is BookState.LIVE:
            self._left = not self.book.book.is_best_known
            if self._left:
                self.figures.unknown += 1
                self.book.begin("not even the best level is known", same_stream=True)

    # --- snapshots --------------------------------------------------------------------------------------------------

    def _need_snapshot(self, book: CachedBook) -> None:
        view = self.cache.latest(NAME)
        told = view is None or view.state is not BookState.LIVE
        hold(told, "a snapshot is asked for before the book is told to be invalid")
        self.desk.ask(book.generation, self.venue.now_ns)

    def _answer(self, generation: int, events_ago: int) -> bool:
        if not self.kind.by_stream:
            before, current = self.book.state, self.book.generation
            loaded = self.book.load(self._whole(events_ago), generation, self.kind.limit)
            hold(not loaded or generation == current, "a snapshot of another generation was taken")
            hold(
                loaded or self.book.state in (before, BookState.SYNCING),
                f"{self.book.state} by a snapshot that was dropped",
            )
            self._leave()
            self.check()
            return loaded
        if self.connected:
            for item in self.link.send(self._whole(0)):
                self._take(item)
        return self.book.state is BookState.LIVE

    # --- checks -----------------------------------------------------------------------------------------------------

    def _hear(self, view: BookView) -> None:
        if view.state is BookState.LIVE:
            hold(self.book.state is BookState.LIVE, f"told LIVE while {self.book.state}")
            hold(view.update_id == self.book.book.update_id, "told of another id")

    def check(self) -> None:
        """Hold the book against the truth, if it says that it is LIVE."""
        view = self.cache.latest(NAME)
        if view is None:
            raise Disproved("there is no view")
        hold(view.state is self.book.state, f"the view says {view.state}, the book {self.book.state}")
        if view.state is not BookState.LIVE:
            return
        book = self.book.book
        hold(self.connected, "LIVE without a connection")
        hold(book.state is BookState.LIVE, f"told LIVE while the levels are {book.state}")
        hold(view.update_id == book.update_id, "the view is of another id")
        hold(view.is_best_known == book.is_best_known, "the view knows more than the book")
        hold(view.update_id >= self._heard, f"LIVE at {view.update_id}, though {self._heard} was heard of")
        hold(not (view.bids and view.asks and view.bids[0][0] >= view.asks[0][0]), "LIVE and crossed")
        truth = self._truth(view.update_id)
        if truth is None:
            raise Disproved(f"LIVE at {view.update_id}, which the venue never was at")
        if not self.kind.silent_errors:
            self._compare(truth, exactly=False)

    def _truth(self, update_id: int) -> Book | None:
        """Return the book at an id; one that is not reached yet in this count of ids may be of one before."""
        counts = (self.venue.books, *self.venue.books_before)
        return next((books[update_id] for books in counts if update_id in books), None)

    def _compare(self, truth: Book, *, exactly: bool) -> None:
        kind, book = self.kind, self.book.book
        self.figures.compared += 1
        cut = None if exactly else (kind.vouched or kind.window or (kind.limit if kind.whole else 0)) or None
        bounds = book.lowest_known, book.highest_known
        for ours, theirs, bound, down in zip(book.levels.top(10_000), truth, bounds, (1, -1), strict=True):
            side = "bids" if down > 0 else "asks"
            hold(ours[:1] == theirs[:1], f"best of {side} at {book.update_id}")
            told, known = ours[:cut], theirs[:cut]
            if bound is not None:
                told = tuple([row for row in told if row[0] * down >= bound * down])
                known = tuple([row for row in known if row[0] * down >= bound * down])
            hold(told == known, f"{side} at {book.update_id}")
