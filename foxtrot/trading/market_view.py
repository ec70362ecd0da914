"""The market as last heard: latest tick, depth, trade and bar of each instrument."""

from math import inf

import msgspec

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.market import NOT_LIVE, BarData, DepthData, MarketTrade, TickData

SILENT_NS = 60_000_000_000
"""How long a live quote must be silent before a delayed one is shown in its place."""


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A price to judge orders by, when it was heard (local clock, UTC ns) and from what."""

    price: float
    time_ns: int
    source: str


class MarketView:
    """Latest market facts; written before any strategy hears the same fact.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self.ticks: dict[str, TickData] = {}
        self.depths: dict[str, DepthData] = {}
        self.trades: dict[str, MarketTrade] = {}
        self.bars: dict[str, BarData] = {}
        self.book_states: dict[tuple[str, str], BookState] = {}
        self._book_changed_ns: dict[tuple[str, str], int] = {}

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Hear the market as a core subscriber; call this before any strategy subscribes."""
        dispatcher.subscribe(TickData, self.on_tick, owner="market_view", core=True)
        dispatcher.subscribe(DepthData, self.on_depth, owner="market_view", core=True)
        dispatcher.subscribe(MarketTrade, self.on_market_trade, owner="market_view", core=True)
        dispatcher.subscribe(BarData, self.on_bar, owner="market_view", core=True)
        dispatcher.subscribe(BookStateChanged, self.on_book_state, owner="market_view", core=True)

    def on_tick(self, tick: TickData) -> None:
        """Keep the latest tick; a delayed one does not displace a live one that still comes."""
        if tick.source in NOT_LIVE:
            known = self.ticks.get(tick.instrument_id)
            is_live = known is not None and known.source not in NOT_LIVE
            if known is not None and is_live and tick.local_time_ns - known.local_time_ns < SILENT_NS:
                return
        self.ticks[tick.instrument_id] = tick

    def on_depth(self, depth: DepthData) -> None:
        """Keep the latest depth snapshot."""
        self.depths[depth.instrument_id] = depth

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Keep the latest print."""
        self.trades[trade.instrument_id] = trade

    def on_bar(self, bar: BarData) -> None:
        """Keep the latest bar."""
        self.bars[bar.instrument_id] = bar

    def on_book_state(self, notice: BookStateChanged) -> None:
        """Keep the state of a local book; a book that is not LIVE is no longer a reference."""
        key = (notice.account, notice.instrument_id)
        self.book_states[key] = notice.state
        self._book_changed_ns[key] = notice.local_time_ns
        if notice.state is not BookState.LIVE:
            self.depths.pop(notice.instrument_id, None)

    def reference(self, instrument_id: str) -> Reference | None:
        """Return the youngest price: middle of book or live quote, last print, close of bar; None when nothing was heard."""
        price, heard_ns, source = 0.0, -1, ""
        depth = self.depths.get(instrument_id)
        if depth is not None and depth.bids and depth.asks:
            middle = (depth.bids[0][0] + depth.asks[0][0]) / 2
            if 0.0 < middle < inf:
                price, heard_ns, source = middle, depth.local_time_ns, "depth"
        tick = self._live_tick(instrument_id)
        if tick is not None and tick.local_time_ns > heard_ns:
            middle = _tick_price(tick)
            if 0.0 < middle < inf:
                price, heard_ns, source = middle, tick.local_time_ns, "tick"
        trade = self.trades.get(instrument_id)
        if trade is not None and trade.local_time_ns > heard_ns and 0.0 < trade.price < inf:
            price, heard_ns, source = trade.price, trade.local_time_ns, "trade"
        bar = self.bars.get(instrument_id)
        if bar is not None and 0.0 < bar.close < inf:
            closed_ns = bar.close_time_ns if bar.backfilled else bar.local_time_ns or bar.close_time_ns
            if closed_ns > heard_ns:
                price, heard_ns, source = bar.close, closed_ns, "bar"
        return Reference(price, heard_ns, source) if source else None

    def heard_prices(self, instrument_id: str) -> list[float]:
        """Return every price that a venue might hold against a trigger: reference, mark, last print, last of the quote."""
        prices = []
        reference, tick, trade = (
            self.reference(instrument_id),
            self._live_tick(instrument_id),
            self.trades.get(instrument_id),
        )
        if reference is not None:
            prices.append(reference.price)
        if tick is not None:
            prices += (tick.last_price, tick.mark_price)
        if trade is not None:
            prices.append(trade.price)
        return [price for price in prices if 0.0 < price < inf]

    def has_live_book(self, account: str, instrument_id: str) -> bool:
        """Tell whether the account's local book is LIVE and was heard since it last became so."""
        key = (account, instrument_id)
        if self.book_states.get(key) is not BookState.LIVE:
            return False
        depth = self.depths.get(instrument_id)
        return depth is not None and depth.local_time_ns >= self._book_changed_ns[key]

    def far_touch(self, instrument_id: str, side: Side) -> float:
        """Return the best price an order of one side would meet, by book, else by quote; 0.0 when that is not known."""
        depth = self.depths.get(instrument_id)
        if depth is not None:
            levels = depth.asks if side is Side.BUY else depth.bids
            if levels:
                return levels[0][0]
        tick = self._live_tick(instrument_id)
        if tick is None:
            return 0.0
        return tick.ask_price if side is Side.BUY else tick.bid_price

    def mark(self, instrument_id: str) -> float | None:
        """Return the price to value a position by: the venue's mark price, else the reference, else a delayed quote."""
        tick = self.ticks.get(instrument_id)
        if tick is not None and 0.0 < tick.mark_price < inf:
            return tick.mark_price
        found = self.reference(instrument_id)
        if found is not None:
            return found.price
        price = 0.0 if tick is None else _tick_price(tick)
        return price if 0.0 < price < inf else None

    def is_delayed(self, instrument_id: str) -> bool:
        """Tell whether the latest quote is a delayed or frozen one, by which nothing is opened."""
        tick = self.ticks.get(instrument_id)
        return tick is not None and tick.source in NOT_LIVE

    def _live_tick(self, instrument_id: str) -> TickData | None:
        tick = self.ticks.get(instrument_id)
        return None if tick is None or tick.source in NOT_LIVE else tick


def _tick_price(tick: TickData) -> float:
    if tick.bid_price > 0.0 and tick.ask_price > 0.0:
        return (tick.bid_price + tick.ask_price) / 2
    return tick.last_price or tick.bid_price or tick.ask_price
