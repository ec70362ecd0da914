"""A raw capture of a venue's streams as history: read once for its grid and span, then read again while it is replayed."""

from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path

import msgspec
import numpy as np

from foxtrot.adapter.binance.archive import read_capture, read_frames
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.backtest.number_values import decimals_of
from foxtrot.books.sequence import ContiguousIds, PreviousId, SequenceRule
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import InputError
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData

StreamFact = TickData | MarketTrade | DepthChange | DepthData
Dated = tuple[int, int, StreamFact]
"""(when it happened at the venue, when it was received, the fact); both times by the receiver's clock, UTC ns."""

REORDER_NS = 1_000_000_000
_BATCH = 100_000


class DepthCapture(msgspec.Struct, frozen=True, kw_only=True):
    """Streams of one instrument: changes of depth with their REST snapshot, prints and best bids and asks.

    `clock_offset_ns` is the least difference between receive time and event time: two clocks need not agree, so that the
    latency of a frame is what exceeds it. A frame that names no time is given the latency of the one before it.
    `warnings` says what the reader had to assume.
    """

    instrument_id: str
    paths: tuple[Path, ...]
    product: Product
    symbol: str
    clock_offset_ns: int
    start_ns: int
    end_ns: int
    frames: int
    has_snapshot: bool
    price_decimals: int
    quantity_decimals: int
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frames

    @property
    def sequence_rule(self) -> SequenceRule:
        """Return how its changes follow each other."""
        return ContiguousIds() if self.product is Product.SPOT else PreviousId()

    def facts(self) -> Iterator[Dated]:
        """Yield the facts in the order they happened at the venue, at most a second out of the order received.

        Blocks: for the disk.

        Raises:
            InputError: a file changed or cannot be read any more.
        """
        waiting: list[tuple[int, int, int, StreamFact]] = []
        reached = 0
        for number, (moment_ns, received_ns, fact) in enumerate(self._as_received()):
            heappush(waiting, (moment_ns, number, received_ns, fact))
            while waiting[0][0] <= received_ns - REORDER_NS:
                due_ns, _, heard_ns, first = heappop(waiting)
                reached = max(reached, due_ns)
                yield reached, heard_ns, first
        while waiting:
            due_ns, _, heard_ns, first = heappop(waiting)
            reached = max(reached, due_ns)
            yield reached, heard_ns, first

    def _as_received(self) -> Iterator[Dated]:
        latency_ns = 0
        for fact in _facts(self.paths, self.product, self.symbol):
            received_ns = fact.local_time_ns
            if fact.venue_time_ns != received_ns:
                latency_ns = max(0, received_ns - fact.venue_time_ns - self.clock_offset_ns)
            yield received_ns - latency_ns, received_ns, fact


def read_depth(*paths: Path, instrument_id: str = "") -> DepthCapture:
    """Read through a capture: lines of "<receive time in ns> <frame>", in one file or in several that follow each other.

    Blocks: for the disk; takes about 10 µs a frame.

    Raises:
        InputError: a file cannot be read, a frame cannot be decoded, or there are several symbols.
    """
    product = _product_of(paths[0])
    scan = _Scan()
    for fact in _facts(paths, product, ""):
        scan.add(fact)
    name = paths[0].name
    if len(scan.names) != 1:
        raise InputError(f"{name} holds {', '.join(sorted(scan.names)) or 'no frames'}; give a capture of one symbol")
    (found,) = scan.names
    prices, sizes = scan.decimals()
    warnings = [] if scan.has_snapshot else [f"{name} holds no book snapshot: fills use its quotes and prints alone"]
    return DepthCapture(
        instrument_id=instrument_id or found, paths=tuple(paths), product=product, symbol=found.rpartition(".")[0],
        clock_offset_ns=scan.offset_ns or 0, start_ns=scan.start_ns - scan.largest_latency_ns, end_ns=scan.end_ns,
        frames=scan.frames, has_snapshot=scan.has_snapshot, price_decimals=prices, quantity_decimals=sizes,
        warnings=tuple(warnings),
    )  # fmt: skip


class _Scan:
    """What one pass over a capture finds out."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.frames = 0
        self.has_snapshot = False
        self.start_ns = self.end_ns = 0
        self.offset_ns: int | None = None
        self._largest: int = 0
        self._values: tuple[set[float], set[float]] = (set(), set())
        self._decimals = (0, 0)

    @property
    def largest_latency_ns(self) -> int:
        """Return by how much the slowest frame exceeds the least difference of the clocks."""
        return 0 if self.offset_ns is None else self._largest - self.offset_ns

    def add(self, fact: StreamFact) -> None:
        """Take in a fact."""
        received_ns = fact.local_time_ns
        self.frames += 1
        self.names.add(fact.instrument_id)
        self.start_ns = self.start_ns or received_ns
        self.end_ns = received_ns
        if fact.venue_time_ns != received_ns:
            apart = received_ns - fact.venue_time_ns
            self._largest = apart if self.offset_ns is None else max(self._largest, apart)
            self.offset_ns = apart if self.offset_ns is None else min(self.offset_ns, apart)
        self._note(fact)

    def decimals(self) -> tuple[int, int]:
        """Return the decimal places of prices and sizes."""
        found = [decimals_of(np.array(sorted(values), dtype=np.float64)) for values in self._values]
        self._decimals = (max(self._decimals[0], found[0]), max(self._decimals[1], found[1]))
        for values in self._values:
            values.clear()
        return self._decimals

    def _note(self, fact: StreamFact) -> None:
        prices, sizes = self._values
        if isinstance(fact, MarketTrade):
            prices.add(fact.price)
            sizes.add(fact.size)
        elif isinstance(fact, TickData):
            prices.update((fact.bid_price, fact.ask_price))
            sizes.update((fact.bid_size, fact.ask_size))
        else:
            self.has_snapshot |= isinstance(fact, DepthData)
            for levels in (fact.bids, fact.asks):
                prices.update([price for price, _ in levels])
                sizes.update([size for _, size in levels])
        if len(sizes) > _BATCH:
            self.decimals()


def _facts(paths: tuple[Path, ...], product: Product, symbol: str) -> Iterator[StreamFact]:
    codec = MarketCodec(product)
    for path in paths:
        for fact in read_capture(path, codec, symbol):
            if isinstance(fact, BarData):
                continue
            symbol = symbol or fact.instrument_id.rpartition(".")[0]
            yield fact


def _product_of(path: Path) -> Product:
    """Tell spot from futures by what a change of depth follows: futures name the previous id."""
    for _, frame in read_frames(path):
        if b'"depthUpdate"' in frame:
            return Product.PERPETUAL if b'"pu":' in frame else Product.SPOT
    raise InputError(f"{path} holds no change of depth; give a raw capture of Binance's depth stream")
