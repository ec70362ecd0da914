"""Live bars: one builder per instrument and interval, fed by prints or ticks, closed by clock and calendar."""

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import HistoryLoaded, TimerFired
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.strategy.bar_facts import BarCorrection, BarOutput
from foxtrot.strategy.bars import BarBuilder

OWNER = "bar_feed"
GRACE_NS = 100_000_000


class _Feed:
    """One builder. A bar that began before the feed did is asked of the venue instead; later ones wait for the answer."""

    __slots__ = ("adapter", "builder", "due_ns", "from_trades", "held", "since_ns", "waits_for")

    def __init__(self, builder: BarBuilder, adapter: BaseAdapter, since_ns: int) -> None:
        self.builder = builder
        self.adapter = adapter
        self.since_ns = since_ns
        self.from_trades = adapter.capabilities.market_trades
        self.held: list[BarOutput] = []
        self.waits_for = ""
        self.due_ns = 0


class BarFeed:
    """Publishes BarData and BarCorrection on the dispatcher.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._feeds: dict[tuple[str, str], _Feed] = {}
        self._by_instrument: dict[str, list[_Feed]] = {}
        dispatcher.subscribe(MarketTrade, self.on_market_trade, owner=OWNER, core=True)
        dispatcher.subscribe(TickData, self.on_tick, owner=OWNER, core=True)
        dispatcher.subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True)
        dispatcher.subscribe(HistoryLoaded, self.on_history, owner=OWNER, core=True)

    def add(self, instrument_id: str, interval: str, adapter: BaseAdapter) -> None:
        """Build bars of an instrument from now on; adding the same again does nothing."""
        key = (instrument_id, interval)
        if key in self._feeds:
            return
        feed = _Feed(BarBuilder(instrument_id, Interval.parse(interval)), adapter, self._dispatcher.clock.now_ns())
        self._feeds[key] = feed
        self._by_instrument.setdefault(instrument_id, []).append(feed)

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Add a print."""
        for feed in self._by_instrument.get(trade.instrument_id, ()):
            if feed.from_trades:
                self._take(feed, feed.builder.on_trade(trade))

    def on_tick(self, tick: TickData) -> None:
        """Add a tick, where the venue streams no prints."""
        for feed in self._by_instrument.get(tick.instrument_id, ()):
            if not feed.from_trades:
                self._take(feed, feed.builder.on_tick(tick))

    def on_timer(self, _timer: TimerFired) -> None:
        """Close the bars whose time is over."""
        now_ns = self._dispatcher.clock.now_ns()
        for feed in self._feeds.values():
            self._take(feed, feed.builder.on_time(now_ns - GRACE_NS))

    def on_history(self, loaded: HistoryLoaded) -> None:
        """Put the venue's bar in the place of the one that was begun late, then publish those that waited."""
        if not loaded.request_id.startswith(OWNER):
            return
        for feed in self._by_instrument.get(loaded.instrument_id, ()):
            if feed.waits_for == loaded.request_id:
                feed.waits_for = ""
                held, feed.held = feed.held, []
                for output in (*loaded.bars, *held):
                    self._dispatcher.put(output)

    def _take(self, feed: _Feed, outputs: tuple[BarOutput, ...]) -> None:
        for output in outputs:
            bar = output.bar if isinstance(output, BarCorrection) else output
            if isinstance(output, BarData) and bar.open_time_ns < feed.since_ns and not feed.waits_for:
                self._ask(feed, bar)
            elif feed.waits_for:
                feed.held.append(output)
            else:
                self._dispatcher.put(output)
        deadline_ns = feed.builder.deadline_ns
        if deadline_ns is not None and deadline_ns != feed.due_ns:
            feed.due_ns = deadline_ns
            delay_ns = max(0, deadline_ns + GRACE_NS - self._dispatcher.clock.now_ns())
            self._dispatcher.set_timer(OWNER, bar_name(feed), delay_ns)

    def _ask(self, feed: _Feed, bar: BarData) -> None:
        feed.waits_for = f"{OWNER}:{bar.instrument_id}:{bar.interval}"
        feed.since_ns = 0
        request = HistoryRequest(feed.waits_for, bar.instrument_id, bar.interval, 1, bar.close_time_ns)
        feed.adapter.query_history(request)


def bar_name(feed: _Feed) -> str:
    """Return the name of a feed's timer."""
    return feed.builder.settings.interval.text
