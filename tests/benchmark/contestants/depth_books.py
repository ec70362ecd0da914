"""Every local book from raw frames: each takes the bytes of a frame and reads the best 20 levels of both sides."""

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Any

from typing_extensions import override

from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.frame_book import FrameBook
from foxtrot.books.cached_book import BookView, CachedBook
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import BookState, Product
from tests.benchmark.contestants.depth_feed import DepthFeed

TOP = 20
Side = list[tuple[float, float]]
NOW_NS = 1_760_000_000_000_000_000


class Contestant(ABC):
    """One book."""

    def __init__(self, feed: DepthFeed) -> None:
        self.feed = feed

    @abstractmethod
    def take(self, frame: bytes) -> object:
        """Take a frame and read the best levels."""

    @abstractmethod
    def top(self) -> tuple[Side, Side]:
        """The best levels as floats, for comparing."""

    def hand_over(self) -> object:
        """Make what another thread can keep."""
        return self.top()

    def read(self, handed: Any) -> object:
        """Read the best levels of what was handed over, in the other thread."""
        return handed


class Ours(Contestant):
    """DepthCache behind the adapter's decoder: units, sequence check, state, counters, and a frozen view after every change."""

    def __init__(self, feed: DepthFeed, cache: DepthCache | None = None) -> None:
        super().__init__(feed)
        self.codec = MarketCodec(Product.SPOT)
        self.cache = cache or DepthCache(lambda book: None, TOP)
        self.name = feed.instrument.instrument_id
        self.book = self.open()
        self.book.begin()
        snapshot = self.codec.snapshot(feed.snapshot, NOW_NS, feed.instrument.symbol)
        assert self.book.load(snapshot, self.book.generation)

    def open(self) -> CachedBook:
        """Open the book."""
        return self.cache.open(self.feed.instrument, ContiguousIds())

    def take(self, frame: bytes) -> object:
        """Decode, apply, view."""
        self.book.apply(self.codec.depth_change(frame, NOW_NS))
        return self.cache.latest(self.name)

    def top(self) -> tuple[Side, Side]:
        """The last view in floats; it must be LIVE."""
        view = self.cache.latest(self.name)
        assert view is not None
        assert view.state is BookState.LIVE
        price, size = self.feed.instrument.price, self.feed.instrument.quantity
        return [(price(p), size(s)) for p, s in view.bids], [(price(p), size(s)) for p, s in view.asks]

    def hand_over(self) -> object:
        """Make a view."""
        return self.book.view(TOP)

    def read(self, handed: BookView) -> object:
        """A view is frozen: it is read as it is."""
        return handed.state, handed.bids, handed.asks


class Compiled(Ours):
    """The same by the compiled path from the frame's text to the levels; views and states are those of the plain one."""

    @override
    def open(self) -> CachedBook:
        book = FrameBook(self.feed.instrument, ContiguousIds(), self.cache, lambda book: None)
        self.frames = self.cache.add(book)
        return book

    @override
    def take(self, frame: bytes) -> object:
        self.frames.take(frame, NOW_NS)
        return self.cache.latest(self.name)


@cache
def _exchange() -> Any:
    import ccxt.pro

    return ccxt.pro.binance()


class CcxtBook(Contestant):
    """ccxt.pro's book: orjson as its client decodes, its own handle_order_book_message, no check of ids; read in place."""

    def __init__(self, feed: DepthFeed) -> None:
        import orjson

        super().__init__(feed)
        self.loads = orjson.loads
        self.exchange = _exchange()
        self.book: Any = self.exchange.order_book(self.exchange.parse_order_book(self._snapshot(), "BTC/USDT"))
        self.book["nonce"] = self._snapshot()["lastUpdateId"]

    def _snapshot(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.feed.snapshot)
        return loaded

    def take(self, frame: bytes) -> object:
        """Decode, apply, read."""
        self.exchange.handle_order_book_message(None, self.loads(frame), self.book)
        return self.book["bids"][:TOP], self.book["asks"][:TOP]

    def top(self) -> tuple[Side, Side]:
        """The best levels."""
        return [(p, s) for p, s in self.book["bids"][:TOP]], [(p, s) for p, s in self.book["asks"][:TOP]]

    def hand_over(self) -> object:
        """The copy that ccxt offers: the book itself changes under its reader."""
        return self.book.copy()

    def read(self, handed: Any) -> object:
        """Slice it."""
        return handed["bids"][:TOP], handed["asks"][:TOP]


class CcxtLine(CcxtBook):
    """The same by ccxt.pro's handle_message: routing, check of ids, and telling who waits."""

    def __init__(self, feed: DepthFeed) -> None:
        super().__init__(feed)
        market = self.exchange.safe_market_structure(
            {"id": "BTCUSDT", "symbol": "BTC/USDT", "spot": True, "type": "spot"}
        )
        self.exchange.set_markets([market])
        self.exchange.orderbooks["BTC/USDT"] = self.book
        self.client = _Client()

    def take(self, frame: bytes) -> object:
        """Decode, route, apply, read."""
        self.exchange.handle_message(self.client, self.loads(frame))
        return self.book["bids"][:TOP], self.book["asks"][:TOP]


class _Client:
    """What ccxt's handlers want of a client with nobody waiting."""

    url = "wss://stream.binance.com:9443/ws"

    def __init__(self) -> None:
        self.subscriptions: dict[str, Any] = {}

    def resolve(self, result: object, _message_hash: str) -> object:
        """Tell nobody."""
        return result

    def reject(self, error: Exception, _message_hash: str) -> None:
        """Fail."""
        raise error


class PythonBinanceBook(Contestant):
    """python-binance's DepthCache: json as its socket decodes, no check of ids; it sorts on every read."""

    def __init__(self, feed: DepthFeed) -> None:
        from binance.ws.depthcache import DepthCache as PeerCache

        super().__init__(feed)
        self.book: Any = PeerCache("BTCUSDT")
        self._apply(json.loads(feed.snapshot), "bids", "asks")

    def _apply(self, message: dict[str, Any], bids: str, asks: str) -> None:
        for row in message[bids]:
            self.book.add_bid(row)
        for row in message[asks]:
            self.book.add_ask(row)

    def take(self, frame: bytes) -> object:
        """Decode, apply, read."""
        self._apply(json.loads(frame), "b", "a")
        return self.book.get_bids()[:TOP], self.book.get_asks()[:TOP]

    def top(self) -> tuple[Side, Side]:
        """The best levels."""
        return [(p, s) for p, s in self.book.get_bids()[:TOP]], [(p, s) for p, s in self.book.get_asks()[:TOP]]


class SortedBook(Contestant):
    """Two SortedDicts of floats behind orjson, as many write it by hand; no check of ids."""

    def __init__(self, feed: DepthFeed) -> None:
        import orjson
        from sortedcontainers import SortedDict

        super().__init__(feed)
        self.loads = orjson.loads
        self.bids: Any = SortedDict()
        self.asks: Any = SortedDict()
        snapshot = json.loads(feed.snapshot)
        self._apply(snapshot["bids"], snapshot["asks"])

    def _apply(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, rows, sign in ((self.bids, bids, -1.0), (self.asks, asks, 1.0)):
            for price_text, size_text in rows:
                price, size = sign * float(price_text), float(size_text)
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def take(self, frame: bytes) -> object:
        """Decode, apply, read."""
        message = self.loads(frame)
        self._apply(message["b"], message["a"])
        return self.bids.items()[:TOP], self.asks.items()[:TOP]

    def top(self) -> tuple[Side, Side]:
        """The best levels."""
        return [(-p, s) for p, s in self.bids.items()[:TOP]], list(self.asks.items()[:TOP])


Make = Callable[[DepthFeed], Contestant]


def run(make: Make, feed: DepthFeed) -> tuple[float, tuple[Side, Side]]:
    """Feed one book from its snapshot on; returns µs of processor time a message, and the last top."""
    contestant = make(feed)
    take = contestant.take
    began_s = time.thread_time()
    for frame in feed.frames:
        take(frame)
    return (time.thread_time() - began_s) / len(feed.frames) * 1e6, contestant.top()


def hand_over(make: Make, feed: DepthFeed) -> float:
    """Hand the best levels to another thread after every message; returns µs of both threads' processor time for each."""
    contestant, line = make(feed), SimpleQueue[Any]()
    spent_s = [0.0, 0.0]

    def read() -> None:
        began_s = time.thread_time()
        while (handed := line.get()) is not None:
            contestant.read(handed)
        spent_s[1] = time.thread_time() - began_s

    reader = threading.Thread(target=read, name="reader")
    reader.start()
    for frame in feed.frames:
        contestant.take(frame)
        began_s = time.thread_time()
        line.put(contestant.hand_over())
        spent_s[0] += time.thread_time() - began_s
    line.put(None)
    reader.join()
    return sum(spent_s) / len(feed.frames) * 1e6


def keep_many(contestants: list[Contestant], per_s: int) -> float:
    """Feed many books from one thread, each `per_s` times a second; returns the percentage of one core that it took."""
    pace, turns = threading.Event(), len(contestants[0].feed.frames)
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    for turn in range(turns):
        for contestant in contestants:
            contestant.take(contestant.feed.frames[turn])
        pace.wait(max(0.0, began_s + (turn + 1) / per_s - time.perf_counter()))
    return (time.thread_time() - began_cpu_s) / (time.perf_counter() - began_s) * 100
