"""Live bars: one builder per instrument and interval, fed by prints or ticks, closed by clock and calendar."""

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AdapterStatus, HistoryLoaded, RequestFailed, TimerFired
from foxtrot.domain.calendar_presets import ALWAYS_OPEN, calendar_named
from foxtrot.domain.enums import AdapterState, Product
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import NOT_LIVE, BarData, MarketTrade, TickData
from foxtrot.domain.sessions import traded_time
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.strategy.bar_facts import BarOutput, BarSettings, PriceSource
from foxtrot.strategy.bars import BarBuilder

OWNER = "bar_feed"
GRACE_NS = 100_000_000
"""How long after its close a bar waits for prints that are under way; later ones become corrections."""
ANSWER_NS = 10_000_000_000
"""How long finished bars wait for the venue's bar that goes before them."""
MISSED_NS = 60_000_000_000
"""How long they wait for the bars of a loss, which may be many."""
QUOTED = frozenset({Product.FOREX})
"""Products whose trades nobody prints, as those of currencies between banks: their bars are made of the middle of the quote."""
_DOWN = frozenset({AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.FAILED})


class _Feed:
    """One builder, and what only the venue can tell whole.

    `partial` is the bar that had begun when the feed did, or when the link came back; it is asked of the venue at its close.
    `missed` is the time whose bars closed while the link was lost, `missed_bars` how many there are at most: a break or a weekend
    has none. Bars that opened in `withheld` are never the builder's own. `told_ns` is up to when bars have been told.
    """

    __slots__ = (
        "adapter", "asked_ns", "builder", "due_ns", "from_trades", "heard", "held", "instrument_id", "lost", "missed",
        "missed_bars", "partial", "rounds", "told_ns", "withheld",
    )  # fmt: skip

    def __init__(
        self, instrument_id: str, settings: BarSettings, adapter: BaseAdapter, now_ns: int, *, quoted: bool
    ) -> None:
        self.instrument_id = instrument_id
        self.builder = BarBuilder(instrument_id, settings)
        self.adapter = adapter
        self.from_trades = adapter.capabilities.market_trades and not quoted
        self.heard = False
        self.lost = False
        self.held: list[BarOutput] = []
        self.rounds = 0
        self.asked_ns = 0
        self.due_ns = 0
        self.missed: tuple[int, int] | None = None
        self.missed_bars = 0
        self.partial = self.forming(now_ns)
        self.told_ns = self.partial[0] if self.partial else now_ns
        self.withheld = self.partial or (0, 0)

    @property
    def interval(self) -> str:
        return self.builder.settings.interval.text

    @property
    def name(self) -> str:
        return f"{self.instrument_id} {self.interval}"

    @property
    def request_id(self) -> str:
        return f"{OWNER}:{self.instrument_id}:{self.interval}:{self.rounds}"

    @property
    def waits(self) -> bool:
        return self.partial is not None or self.missed is not None

    @property
    def by_time(self) -> bool:
        return self.builder.settings.interval.kind.is_time

    def forming(self, now_ns: int) -> tuple[int, int] | None:
        """Return the bar that has begun before this moment and is not over, None without one."""
        settings = self.builder.settings
        bounds = settings.calendar.bar_bounds(now_ns, settings.interval) if self.by_time else None
        return bounds if bounds is not None and bounds[0] < now_ns else None

    def lose(self) -> None:
        """Believe no bar that is under way: its prints no longer come."""
        self.lost = self.by_time
        if self.lost:
            self.held.clear()
            self.partial = self.missed = None
            self.asked_ns = 0
            self.rounds += 1

    def come_back(self, now_ns: int) -> None:
        """Note what has been missed, and the bar that forms without its beginning."""
        self.lost = False
        self.partial = self.forming(now_ns)
        until_ns = self.partial[0] if self.partial else now_ns
        calendar = self.builder.settings.calendar
        traded_ns, sessions = traded_time(calendar, self.told_ns, until_ns)
        self.missed = (self.told_ns, until_ns) if sessions else None
        self.missed_bars = traded_ns // self.builder.settings.interval.duration_ns + sessions
        self.withheld = (self.told_ns, self.partial[1] if self.partial else until_ns)

    def is_withheld(self, bar: BarData) -> bool:
        return self.withheld[0] <= bar.open_time_ns < self.withheld[1]


class BarFeed:
    """Publishes BarData and BarCorrection on the dispatcher.

    A bar that had begun before its feed would lack its first prints. It is asked of the venue once it has closed, and the
    bars after it wait for the answer, so that live bars begin whole and in order; as long as nothing is streamed, nothing is
    asked. Bars counted in ticks, volume or value begin with the feed.

    While a link is lost no bar is told. When it is READY again the bars that closed meanwhile are asked of the venue and told
    first, in order, flagged `backfilled`; the bar that forms then is joined as at the beginning.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._clock = dispatcher.clock
        self._feeds: dict[tuple[str, str], _Feed] = {}
        self._by_instrument: dict[str, list[_Feed]] = {}
        self._down: set[str] = set()
        dispatcher.subscribe(MarketTrade, self.on_market_trade, owner=OWNER, core=True)
        dispatcher.subscribe(TickData, self.on_tick, owner=OWNER, core=True)
        dispatcher.subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True)
        dispatcher.subscribe(HistoryLoaded, self.on_history, owner=OWNER, core=True)
        dispatcher.subscribe(AdapterStatus, self.on_status, owner=OWNER, core=True)

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
        quoted = instrument.product in QUOTED
        price = PriceSource.MID if quoted else PriceSource.LAST
        settings = BarSettings(interval=kind, calendar=calendar, price=price, rolling_volume=calendar is ALWAYS_OPEN)
        feed = _Feed(instrument.instrument_id, settings, adapter, self._clock.now_ns(), quoted=quoted)
        self._feeds[key] = feed
        self._by_instrument.setdefault(instrument.instrument_id, []).append(feed)
        if adapter.account in self._down:
            feed.lose()
        elif feed.partial is not None:
            self._wake(feed, feed.partial[1] + GRACE_NS)

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Add a print."""
        for feed in self._by_instrument.get(trade.instrument_id, ()):
            if feed.from_trades:
                feed.heard = True
                self._take(feed, feed.builder.on_trade(trade))

    def on_tick(self, tick: TickData) -> None:
        """Add a tick, where the venue streams no prints; a delayed or frozen one tells the past, which its bar would not say."""
        if tick.source in NOT_LIVE:
            return
        for feed in self._by_instrument.get(tick.instrument_id, ()):
            feed.heard = True
            if not feed.from_trades:
                self._take(feed, feed.builder.on_tick(tick))

    def on_timer(self, _timer: TimerFired) -> None:
        """Close the bars whose time is over, and look after what was asked of the venue."""
        now_ns = self._clock.now_ns()
        for feed in self._feeds.values():
            self._take(feed, feed.builder.on_time(now_ns - GRACE_NS))
            patience_ns = ANSWER_NS if feed.missed is None else MISSED_NS
            if feed.asked_ns and now_ns >= feed.asked_ns + patience_ns:
                self._answer(feed, (), f"no answer within {patience_ns / 1e9:g} s")
            elif self._partial_is_due(feed, now_ns):
                self._ask_partial(feed)

    def on_status(self, status: AdapterStatus) -> None:
        """Stop telling bars when a link is lost; when it is ready again, ask for those that were missed."""
        account = status.account
        if status.state in _DOWN and account not in self._down:
            self._down.add(account)
            for feed in self._of(account):
                feed.lose()
        elif status.state is AdapterState.READY and account in self._down:
            self._down.discard(account)
            for feed in self._of(account):
                if feed.lost:
                    self._come_back(feed)

    def on_history(self, loaded: HistoryLoaded) -> None:
        """Tell the venue's bars that were asked for, then those that waited."""
        if not loaded.request_id.startswith(OWNER):
            return
        feed = self._feeds.get((loaded.instrument_id, loaded.interval))
        if feed is not None and feed.asked_ns and feed.request_id == loaded.request_id:
            self._answer(feed, loaded.bars, loaded.error)

    def _of(self, account: str) -> list[_Feed]:
        return [feed for feed in self._feeds.values() if feed.adapter.account == account]

    def _take(self, feed: _Feed, outputs: tuple[BarOutput, ...]) -> None:
        for output in outputs:
            bar = output if isinstance(output, BarData) else output.bar
            if feed.is_withheld(bar) or (feed.lost and bar is output):
                continue
            if feed.waits and bar.open_time_ns >= feed.withheld[1]:
                feed.held.append(output)
            else:
                self._tell(feed, output)
        if feed.partial is not None and feed.held and not feed.asked_ns:
            self._ask_partial(feed)
        deadline_ns = feed.builder.deadline_ns
        if deadline_ns is not None and deadline_ns + GRACE_NS != feed.due_ns:
            self._wake(feed, deadline_ns + GRACE_NS)

    def _tell(self, feed: _Feed, output: BarOutput) -> None:
        if isinstance(output, BarData):
            feed.told_ns = max(feed.told_ns, output.close_time_ns)
        self._dispatcher.put(output)

    def _come_back(self, feed: _Feed) -> None:
        feed.come_back(self._clock.now_ns())
        if feed.missed is not None:
            self._ask(feed, feed.missed_bars, feed.missed[1], MISSED_NS)
        elif feed.partial is not None:
            self._wake(feed, feed.partial[1] + GRACE_NS)

    def _partial_is_due(self, feed: _Feed, now_ns: int) -> bool:
        return feed.partial is not None and feed.heard and not feed.asked_ns and now_ns >= feed.partial[1] + GRACE_NS

    def _ask_partial(self, feed: _Feed) -> None:
        if feed.partial is not None:
            self._ask(feed, 1, feed.partial[1], ANSWER_NS)

    def _ask(self, feed: _Feed, count: int, end_ns: int, patience_ns: int) -> None:
        feed.rounds += 1
        feed.asked_ns = self._clock.now_ns()
        self._wake(feed, feed.asked_ns + patience_ns)
        feed.adapter.query_history(HistoryRequest(feed.request_id, feed.instrument_id, feed.interval, count, end_ns))

    def _answer(self, feed: _Feed, bars: tuple[BarData, ...], error: str) -> None:
        """End a wait; what the venue does not give is left out, because what was built of it would be wrong."""
        feed.asked_ns = 0
        if feed.missed is not None:
            self._answer_missed(feed, feed.missed, bars, error)
        elif feed.partial is not None:
            partial, feed.partial = feed.partial, None
            self._complain(feed, f"bar of {feed.name} at the join", f"{error}; the bar is left out" if error else "")
            for bar in bars:
                if (bar.open_time_ns, bar.close_time_ns) == partial:
                    self._tell(feed, bar)
            feed.told_ns = max(feed.told_ns, partial[1])
        if not feed.waits:
            held, feed.held = feed.held, []
            for output in held:
                self._tell(feed, output)

    def _answer_missed(self, feed: _Feed, missed: tuple[int, int], bars: tuple[BarData, ...], error: str) -> None:
        feed.missed = None
        since_ns, until_ns = missed
        self._complain(feed, f"bars of {feed.name} missed in a loss", f"{error}; bars are left out" if error else "")
        for bar in bars:
            if since_ns <= bar.open_time_ns < until_ns and bar.open_time_ns >= feed.told_ns:
                self._tell(feed, msgspec.structs.replace(bar, backfilled=True))
        feed.told_ns = max(feed.told_ns, until_ns)
        if feed.partial is not None:
            self._wake(feed, max(feed.partial[1] + GRACE_NS, self._clock.now_ns()))

    def _complain(self, feed: _Feed, what: str, error: str) -> None:
        if error:
            self._dispatcher.put(RequestFailed(feed.adapter.account, what, error, self._clock.now_ns()))

    def _wake(self, feed: _Feed, due_ns: int) -> None:
        feed.due_ns = due_ns
        self._dispatcher.set_timer(OWNER, feed.interval, max(0, due_ns - self._clock.now_ns()))
