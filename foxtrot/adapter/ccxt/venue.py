"""What a venue's row says: its names, what its streams give, and how its raw messages become facts."""

import enum
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Any, Protocol

import msgspec

from foxtrot.adapter.capabilities import BookKind
from foxtrot.books.level_book import LevelBook
from foxtrot.books.sequence import SequenceRule
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade


class Stream(enum.StrEnum):
    """What can be streamed of one instrument."""

    BOOK = "book"
    QUOTE = "quote"
    TRADE = "trade"
    BARS = "bars"


class Snapshots(enum.StrEnum):
    """Where the book comes from that changes follow."""

    STREAM = "stream"
    """The venue pushes it after each subscription; a fresh one needs a new subscription."""
    REST = "rest"
    """It is asked for; the rule says which changes follow it."""
    EVERY = "every"
    """Every message is a whole book: nothing follows anything."""


class Evidence(enum.StrEnum):
    """What the frames that a row is tried with are."""

    RECORDED = "recorded"
    DOCUMENTED = "documented"
    UNTESTED = "untested"


class Quote(msgspec.Struct, frozen=True, gc=False):
    """A best bid and ask; `update_id` orders them where the venue gives ids, 0 where it does not. 0.0 stands for an empty side."""

    instrument_id: str
    venue_time_ns: int
    local_time_ns: int
    update_id: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float


class Confirmed(msgspec.Struct, frozen=True, gc=False):
    """The venue's word that a stream of an instrument is subscribed."""

    instrument_id: str
    stream: Stream


Fact = DepthChange | DepthData | MarketTrade | Quote | Confirmed
"""What a tap finds in a message. A DepthData is a whole book: the snapshot that changes follow, or a partial book."""


class TapContext(Protocol):
    """What a tap may know besides the message.

    Thread: the adapter's.
    """

    @property
    def now_ns(self) -> int:
        """Return when the message was received, UTC nanoseconds."""
        ...

    @property
    def url(self) -> str:
        """Return the URL of its connection; on loopback the venue's host is the first part of its path."""
        ...

    @property
    def number(self) -> int:
        """Return the number of the message, higher for each that comes, also over a reconnect: an id for venues that give none."""
        ...

    def find(self, market_id: str, product: str = "") -> str | None:
        """Return the instrument id of ccxt's market id, or of its unified symbol where the venue writes that, None when it is not listed.

        Args:
            market_id: as the venue writes it.
            product: ccxt's market type ("spot", "swap", "future") where one id names markets of several products.
        """
        ...


Tap = Callable[[Any, TapContext], tuple[Fact, ...] | None]
"""Reads a decoded message before ccxt does; pure.

None: no business of the tap, ccxt reads it. Facts, or (): ccxt does not see it. What it raises of errors.UNREADABLE
means that the message cannot be read: it is counted and left out.
"""
Watcher = Callable[[Any, str], Awaitable[Any]]
"""Asks ccxt for a stream of a symbol of ccxt's: returns at each message, or never where the tap keeps them from ccxt."""
ChecksumMaker = Callable[[Instrument], Callable[[LevelBook], int]]
"""Makes the venue's recipe of a checksum for the grids of an instrument."""
GridText = Callable[[Mapping[str, Any]], str]
"""Returns a text, such as the step "0.01", from ccxt's market."""


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one venue besides what ccxt knows.

    Names: `suffixes` has our venue by ccxt's market type; an instrument is `SYMBOL.SUFFIX`, where the symbol is ccxt's unified one
    without its signs (BTC/USDT:USDT is BTCUSDT), so that suffixes keep products apart. Types that are missing are not listed.

    The book: `book` is what the stream gives at its best and `book_levels` how deep (0: the whole of it). With a `rule` it is kept by
    us from what the tap returns (book = "depth_cache"); `snapshots` says where it begins, `checksum` how the checksums are made that
    changes come with, and `window` > 0 that the venue tells of its best so many levels a side only: what falls out of them has to go.
    `book_limit` and `book_params` are given to ccxt's watch_order_book then. `partial_levels` > 0 says that a book of that depth is
    pushed whole (book = "partial"), asked for by `partial_params`. A request gives `rest_levels` at most and costs `rest_cost` of the
    venue's weights.

    Streams: `watchers` and `unwatchers` replace ccxt's own way to ask for one. `best_by_stream` tells whether the best bid and ask are
    streamed; where they are not, ticks are made of the book. `quote_by_ticker` asks for them by watch_ticker instead of
    watch_bids_asks. `price_step` and `size_step` replace ccxt's precision where that is no grid.
    """

    exchange: str
    """ccxt's id; its class is ccxt.pro's of that name."""
    title: str
    suffixes: Mapping[str, str]
    book: BookKind = BookKind.FULL
    book_levels: int = 0
    snapshots: Snapshots = Snapshots.STREAM
    rule: Callable[[], SequenceRule] | None = None
    window: int = 0
    checksum: ChecksumMaker | None = None
    checksums: bool = False
    """Whether the venue gives checksums at present."""
    tap: Tap | None = None
    book_limit: int | None = None
    book_params: Mapping[str, Any] = {}
    partial_levels: int = 0
    partial_params: Mapping[str, Any] = {}
    interval_ms: float = 0.0
    rest_levels: int = 0
    rest_limits: tuple[int, ...] = ()
    """The only limits that a request for a book takes; () where any number up to `rest_levels` will do."""
    rest_lists_orders: bool = False
    """Whether a request lists orders, `rest_levels` of them a side at most, which ccxt's limit counts then."""
    rest_cost: float = 0.0
    audit_levels: int = 0
    """How many levels a side are asked for to see whether our book is the venue's; 0 where that cannot be told."""
    unaudited: str = ""
    """Why it cannot be told."""
    rest_trades: bool = True
    """Whether a request gives everybody's prints; ccxt's word for it may mean one's own."""
    best_by_stream: bool = False
    quote_by_ticker: bool = False
    watchers: Mapping[Stream, Watcher] = {}
    unwatchers: Mapping[Stream, Watcher] = {}
    raw_id: GridText | None = None
    """What raw messages call a market, where that is not ccxt's id of it."""
    price_step: GridText | None = None
    size_step: GridText | None = None
    evidence: Evidence = Evidence.UNTESTED
    sources: tuple[str, ...] = ()
    notes: str = ""
    """What the stream can and cannot give, for the table of capabilities."""

    @property
    def keeps_book(self) -> bool:
        """Tell whether we can keep its book ourselves."""
        return self.tap is not None and (self.rule is not None or self.snapshots is Snapshots.EVERY)


def to_ns(milliseconds: object) -> int:
    """Return nanoseconds of a venue's milliseconds, as text or number; 0 for None."""
    return 0 if milliseconds is None else int(milliseconds) * 1_000_000  # type: ignore[call-overload]


def level(price: str | float, size: str | float) -> tuple[float, float]:
    """Return one level, or the price and size of a print.

    Raises:
        ValueError: a figure is negative, infinite or none, which JSON as ccxt reads it can have.
    """
    found = float(price), float(size)
    if not (0.0 <= found[0] < inf and 0.0 <= found[1] < inf):  # false of NaN too
        raise ValueError(f"no level has a price of {price} and a size of {size}")
    return found
