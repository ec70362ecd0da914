"""Live bars: one builder per instrument and interval, fed by prints or ticks, closed by clock and calendar."""

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import HistoryLoaded, RequestFailed, TimerFired
from foxtrot.domain.calendar_presets import ALWAYS_OPEN, calendar_named
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.strategy.bar_facts import BarOutput, BarSettings
from foxtrot.strategy.bars import BarBuilder

OWNER = "bar_feed"
GRACE_NS = 100_000_000
"""How long after its close a bar waits for prints that are under way; later ones become corrections."""
ANSWER_NS = 10_000_000_000
"""How long finished bars wait for the venue's bar that goes before them."""


class _Feed:
    """One builder, and the join: `partial` is the bar that had begun when the feed did, asked of the venue at its close."""

    __slots__ = (
        "adapter", "asked_ns", "builder", "due_ns", "from_trades", "heard", "held", "instrument_id", "joined_ns", "partial",
    )  # fmt: skip

    def __init__(
        self, instrument_id: str, settings: BarSettings, adapter: BaseAdapter, partial: tuple[int, int] | None
    ) -> None:
        self.instrument_id = instrument_id
        self.builder = BarBuilder(instrument_id, settings)
        self.adapter = adapter
        self.partial = partial
        self.from_trades = adapter.capabilities.market_trades
        self.heard = False
        self.held: list[BarOutput] = []
        self.asked_ns = 0
        self.joined_ns = -1
        self.due_ns = 0

    @property
    def interval(self) -> str:
        return self.builder.settings.interval.text


class BarFeed:
    """Publishes BarData and BarCorrection on the dispatcher.

    A bar that had begun before its feed would lack its first prints. It is asked of the venue once it has closed, and the
    bars after it wait for the answer, so that live bars begin whole and in order; as long as nothing is streamed, nothing is
    asked. Bars counted in ticks, volume or value begin with the feed.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._clock = dispatcher.clock
        self._feeds: dict[tuple[str, str], _Feed] = {}
        self._by_instrument: dict[str, list[_Feed]] = {}
        dispatcher.subscribe(MarketTrade, self.on_market_trade, owner=OWNER, core=True)
        dispatcher.subscribe(TickData, self.on_tick, owner=OWNER, core=True)
        dispatcher.subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True)
        dispatcher.subscribe(HistoryLoaded, self.on_history, owner=OWNER, core=True)

    def add(self, instrument: Instrument, interval: str, adapter: BaseAdapter) -> None:
        """Build bars of an instrument from now on, by its own calendar; adding the same again does nothing.

        Raises:
            ConfigError: the interval or the instrument's calendar is not known.
        """
        kind = Interval.parse(interval)
        key = (instrument.instrument_id, kind.text)
        if key in self._feeds:
            return
        calendar = calendar_named(instrument.calendar)
        settings = BarSettings(interval=kind, calendar=calendar, rolling_volume=calendar is ALWAYS_OPEN)
        now_ns = self._clock.now_ns()
        bounds = calendar.bar_bounds(now_ns, kind) if kind.kind.is_time else None
        partial = bounds if bounds is not None and bounds[0] < now_ns else None
        feed = _Feed(instrument.instrument_id, settings, adapter, partial)
        self._feeds[key] = feed
        self._by_instrument.setdefault(instrument.instrument_id, []).append(feed)
        if partial is not None:
            self._wake(feed, partial[1] + GRACE_NS)

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Add a print."""
        for feed in self._by_instrument.get(trade.instrument_id, ()):
            if feed.from_trades:
                feed.heard = True
                self._take(feed, feed.builder.on_trade(trade))

    def on_tick(self, tick: TickData) -> None:
        """Add a tick, where the venue streams no prints."""
        for feed in self._by_instrument.get(tick.instrument_id, ()):
            feed.heard = True
            if not feed.from_trades:
                self._take(feed, feed.builder.on_tick(tick))

    def on_timer(self, _timer: TimerFired) -> None:
        """Close the bars whose time is over, and look after the joins."""
        now_ns = self._clock.now_ns()
        for feed in self._feeds.values():
            self._take(feed, feed.builder.on_time(now_ns - GRACE_NS))
            if feed.partial is None:
                continue
            if not feed.asked_ns and feed.heard and now_ns >= feed.partial[1] + GRACE_NS:
                self._ask(feed, feed.partial)
            elif feed.asked_ns and now_ns >= feed.asked_ns + ANSWER_NS:
                self._join(feed, (), f"no answer within {ANSWER_NS / 1e9:g} s")

    def on_history(self, loaded: HistoryLoaded) -> None:
        """Put the venue's bar in the place of the one that was begun late, then publish those that waited."""
        if not loaded.request_id.startswith(OWNER):
            return
        feed = self._feeds.get((loaded.instrument_id, loaded.interval))
        if feed is not None and feed.partial is not None and feed.asked_ns:
            bars = tuple(bar for bar in loaded.bars if (bar.open_time_ns, bar.close_time_ns) == feed.partial)
            self._join(feed, bars, loaded.error)

    def _take(self, feed: _Feed, outputs: tuple[BarOutput, ...]) -> None:
        for output in outputs:
            bar = output if isinstance(output, BarData) else output.bar
            if feed.partial is not None and bar.open_time_ns > feed.partial[0]:
                feed.held.append(output)
            elif feed.partial is None and bar.open_time_ns > feed.joined_ns:
                self._dispatcher.put(output)
        if feed.partial is not None and feed.held and not feed.asked_ns:
            self._ask(feed, feed.partial)
        deadline_ns = feed.builder.deadline_ns
        if deadline_ns is not None and deadline_ns + GRACE_NS != feed.due_ns:
            self._wake(feed, deadline_ns + GRACE_NS)

    def _ask(self, feed: _Feed, partial: tuple[int, int]) -> None:
        name = feed.instrument_id
        feed.asked_ns = self._clock.now_ns()
        self._wake(feed, feed.asked_ns + ANSWER_NS)
        feed.adapter.query_history(
            HistoryRequest(f"{OWNER}:{name}:{feed.interval}", name, feed.interval, 1, partial[1])
        )

    def _join(self, feed: _Feed, bars: tuple[BarData, ...], error: str) -> None:
        """End the wait; a partial bar that the venue does not give is left out, because it would be wrong."""
        partial, feed.partial = feed.partial, None
        if partial is not None:
            feed.joined_ns = partial[0]
        if error:
            name = f"bar of {feed.instrument_id} {feed.interval} at the join"
            now_ns = self._clock.now_ns()
            self._dispatcher.put(RequestFailed(feed.adapter.account, name, f"{error}; the bar is left out", now_ns))
        held, feed.held = feed.held, []
        for output in (*bars, *held):
            self._dispatcher.put(output)

    def _wake(self, feed: _Feed, due_ns: int) -> None:
        feed.due_ns = due_ns
        self._dispatcher.set_timer(OWNER, feed.interval, max(0, due_ns - self._clock.now_ns()))
