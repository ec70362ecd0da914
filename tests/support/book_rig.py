"""The Binance rig with settings of books, and what its tests look at."""

from collections.abc import Callable
from typing import Any

from foxtrot.adapter.base_adapter import Setting
from foxtrot.adapter.binance.book_choice import BookWay
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.book_stream import BookStream
from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.enums import BookState, Product, Side
from foxtrot.domain.market import DepthChange, DepthData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.binance_rig import DEADLINE_S, BinanceRig, caught_up


class BookRig(BinanceRig):
    """A rig whose adapter is set up for books.

    Thread: the test's.
    """

    def __init__(self, product: Product, **settings: Setting) -> None:
        self._book_settings = settings
        self._moves = 0
        super().__init__(product)

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | self._book_settings

    def stream(self, **wishes: Any) -> None:
        """Connect where that was not done, and subscribe to the spot instrument's book."""
        if not self.heard.states():
            self.connect()
        self.adapter.subscribe(SubscribeRequest(self.spot.instrument_id, **({"ticks": False} | wishes)))
        self.settle()

    def move(self, times: int = 1) -> None:
        """Let the book change, near its best prices, and be told of it."""
        for _ in range(times):
            self._moves += 1
            self.rest(Side.BUY, 9_900 + self._moves % 40, 1_000 + self._moves)
            self.settle()

    @property
    def data(self) -> MarketData:
        """Return the adapter's market data; read here between two steps of the venue's thread."""
        found: Any = self.adapter
        return found.market_data  # type: ignore[no-any-return]

    @property
    def ours(self) -> BookStream:
        """Return the book as the adapter keeps it."""
        entry = self.data._entries[self.spot.instrument_id]
        assert entry.book is not None
        return entry.book

    def figures(self) -> BookFigures:
        """Return what health says of the book."""
        health = self.adapter.health()
        assert health is not None
        return health.books[self.spot.instrument_id]

    def way(self) -> BookWay:
        """Return by which way the book is had."""
        return BookWay(self.figures().implementation)

    def names(self) -> list[str]:
        """Return the streams of the book that the venue serves."""
        return [name for one in self._connections() for name in one["streams"] if "@depth" in name]

    def told(self, since: int = 0) -> list[DepthData | DepthChange]:
        """Return what was told of the book's levels."""
        return [event for event in self.heard.events(since) if isinstance(event, DepthData | DepthChange)]

    def states(self, since: int = 0) -> list[BookState]:
        """Return the states that were told."""
        return [event.state for event in self.heard.of(BookStateChanged, since)]

    def is_true(self, depth: DepthData, levels: int) -> bool:
        """Tell whether a depth is the venue's best levels now."""
        price, size = self.spot.price_grid.to_float, self.spot.quantity_grid.to_float
        sides = [tuple((price(p), size(q)) for p, q in side[:levels]) for side in self.book()]
        return [depth.bids, depth.asks] == sides

    def on_loop(self, act: Callable[[], object]) -> None:
        """Do something on the venue's thread and wait for it."""

        async def body() -> None:
            act()

        self._session().bridge.submit(body()).result(5)

    def asked_depth(self) -> int:
        """Return how many books were asked of the venue so far."""
        counted = self.server.call(lambda server: dict(server.traffic.requests))
        return sum(count for name, count in counted.items() if name.endswith("/depth"))

    def pass_until(self, condition: Callable[[], bool], limit_s: float) -> None:
        """Let time pass in small steps until a condition holds: connections answer at each, requests need not be answered."""
        bridge = self._session().bridge
        for _ in range(int(limit_s * 5)):
            if condition():
                return
            self.clock.advance(200_000_000)
            self.server.step()
            bridge.submit(caught_up(self.adapter, None, wait_jobs=False)).result(DEADLINE_S)
        raise AssertionError(f"not within {limit_s} s")
