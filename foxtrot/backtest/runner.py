"""The backtest: the whole line in one thread, fed by history."""

import hashlib
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.checks import check_settings
from foxtrot.backtest.columns import Int64Column
from foxtrot.backtest.equity import equity_curve
from foxtrot.backtest.feed import Feed
from foxtrot.backtest.history_adapter import HistoryAdapter
from foxtrot.backtest.instrument_terms import instrument_for
from foxtrot.backtest.markets import Markets
from foxtrot.backtest.quote_bars import QuoteBars
from foxtrot.backtest.refusals import denied_by_rule, refused_by_reason
from foxtrot.backtest.replay import Replay
from foxtrot.backtest.result import BacktestResult
from foxtrot.backtest.round_trips import Fill, match_round_trips
from foxtrot.backtest.session_rows import in_sessions
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, watches_losses
from foxtrot.backtest.start_moment import check_captures, rows_until, start_moment
from foxtrot.backtest.statistics import EquityCurve, statistics
from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import StrategyStep
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import HandlerFailed, StrategyLog, TradeBooked
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.order import TradeData
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.host import Stage
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.order_ids import make_run_id

__all__ = ["Backtest", "BacktestResult", "instrument_for"]

Progress = Callable[[int], None]
Hear = Callable[[StrategyLog], None]


class Backtest:
    """One run over history: venue, line and strategies, built, replayed once, then read.

    `progress` is told how much was replayed, `hear` each line that a strategy logs and, as an ERROR, each failure.

    Thread: the caller's; nothing else runs.
    """

    def __init__(self, settings: BacktestSettings, progress: Progress | None = None, hear: Hear | None = None) -> None:
        check_settings(settings)
        self.settings = settings = in_sessions(settings)
        self._start_ns, self._end_ns = _span(settings)
        self._progress = progress or _silent
        self._hear = hear
        self._build()

    def _build(self) -> None:
        """Build clock, venue, line and adapter, all of them new, at the start."""
        settings = self.settings
        self.clock = ManualClock(self._start_ns)
        self.dispatcher = Dispatcher(self.clock)
        permit = SendPermit()
        self.session = SimulatedSession(self.clock, threaded=False, latency_ns=settings.latency_ns)
        self.line = Line(self.dispatcher, permit, self._line_settings())
        self._open_venue()
        context = AdapterContext(ACCOUNT, self.dispatcher, permit, self.clock, {}, {})
        self.adapter = HistoryAdapter(context, self.session, settings.bars)
        self.line.add_adapter(self.adapter)
        self._feed = Feed(self.dispatcher, self.clock, settings.feed_latency_ns)
        self._replay = Replay(self.dispatcher, self.clock, self.session, self._feed, self._progress)
        self._trades: list[TradeData] = []
        self._failures: list[str] = []
        self._unheard: list[StrategyLog] = []
        self.dispatcher.subscribe(TradeBooked, self._on_trade_booked, owner="backtest")
        self.dispatcher.subscribe(HandlerFailed, self._on_handler_failed, owner="backtest")
        if self._hear is not None:
            self.dispatcher.subscribe(StrategyLog, self._on_strategy_log, owner="backtest")

    def run(self) -> BacktestResult:
        """Replay all of history through the line.

        Raises:
            ConfigError: a strategy cannot be made, or a file cannot be read.
        """
        started = time.perf_counter()
        self._start()
        markets = Markets(self.settings, self.session.venue, self._feed, self.adapter, self._start_ns)
        self._build_quote_bars()
        self.session.observers = tuple(model.observe for model in markets.models)
        alone = markets.models[0] if len(self.settings.history) == 1 and not self.settings.feed_latency_ns else None
        if isinstance(alone, BarFills):
            bars = self.settings.bars[0]
            self._replay.run_one(bars, alone, rows_until(bars, self._start_ns))
        else:
            self._replay.run(markets.sources, markets.models)
        self._finish()
        return self._result(markets, time.perf_counter() - started)

    # --- building ---------------------------------------------------------------------------------------------------

    def _line_settings(self) -> LineSettings:
        settings = self.settings
        return LineSettings(
            run_id=make_run_id(self._start_ns, settings.seed),
            base_currency=settings.base_currency or settings.instruments[0].settle_asset,
            timezone=settings.timezone,
            day_start=settings.day_start,
            pairs=settings.rates,
            limits=settings.limits_in_force,
            modes={ACCOUNT: settings.position_mode},
        )

    def _open_venue(self) -> None:
        settings, session, now_ns = self.settings, self.session, self._start_ns
        for instrument in settings.instruments:
            session.execute(AddInstrument(now_ns, instrument, "external", settings.fees, "quote"))
        checked = settings.margin_checked or not all(i.product.is_derivative for i in settings.instruments)
        session.execute(OpenAccount(now_ns, ACCOUNT, settings.position_mode, checked))
        asset = settings.instruments[0].settle_asset
        session.execute(Deposit(now_ns, ACCOUNT, asset, settings.balance))

    def _start(self) -> None:
        """Start the strategies together, when all of their warm-ups are over.

        How much they need is known when on_init has run: where one asks for bars, everything is built anew at the moment at
        which all have theirs, and initialised there.
        """
        self.adapter.rehearses = True
        self._initialise()
        if self.adapter.wishes:
            self._start_ns = start_moment(self.settings.bars, self.adapter.wishes)
            check_captures(self.settings.depth, self._start_ns)
            self._build()
            self._initialise()
        self.adapter.rehearses = False
        for line in self._unheard:
            self._on_strategy_log(line)
        self._watch_losses()
        for strategy_id, host in self.line.strategies.hosts.items():
            if host.stage is Stage.READY:
                self.line.strategies.start(strategy_id)
        self.dispatcher.drain()
        self._settle_latency()

    def _initialise(self) -> None:
        """Connect and initialise the strategies; a platform is connected before the market opens."""
        self.adapter.connect()
        self._settle_latency()
        for strategy_settings, strategy_class in self.settings.strategies:
            self.line.strategies.add(strategy_settings, strategy_class)
        for strategy_id, host in self.line.strategies.hosts.items():
            self.line.strategies.start(strategy_id)
            host.auto_start = False
        self.dispatcher.drain()
        self._settle_latency()

    def _watch_losses(self) -> None:
        """Note equity at each close, and between ticks as often as live, where a loss limit needs it."""
        if watches_losses(self.settings.limits_in_force):
            self._replay.at_close = self.line.risk.mark_losses
            if len(self.settings.history) > len(self.settings.bars):
                self.line.start_housekeeping()

    def _build_quote_bars(self) -> None:
        """Build bars of instruments that have only quotes; those of prints come from the line's own bar feed."""
        printed = {trades.instrument_id for trades in self.settings.trades}
        printed |= {capture.instrument_id for capture in self.settings.depth}
        quoted = {quotes.instrument_id for quotes in self.settings.quotes} - printed
        heard = {
            (symbol, strategy.interval)
            for strategy, kind in self.settings.strategies
            for symbol in strategy.symbols
            if symbol in quoted and kind.on_bar is not Strategy.on_bar
        }
        for symbol, interval in sorted(heard):
            QuoteBars(self.dispatcher, self.line.instruments[symbol], interval)

    def _settle_latency(self) -> None:
        """Let what was said before the first moment arrive, without time passing."""
        while self.session.next_due_ns <= self._start_ns + 2 * self.settings.latency_ns:
            self.session.run_due(self.session.next_due_ns)
            self.dispatcher.drain()
        self.dispatcher.drain()

    # --- running ----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Let what is under way arrive; what reaches the venue after the end of history meets no market."""
        self._replay.advance(self._end_ns)
        self._replay.close_markets()
        self._let_arrive()
        self._stop_strategies()
        self._let_arrive()
        for strategy_id, host in self.line.strategies.hosts.items():
            if host.stage is Stage.FAILED and host.reason and f"{strategy_id}: {host.reason}" not in self._failures:
                self._fail(strategy_id, host.reason)
            elif host.stage is not Stage.RUNNING and not self._failures:
                self._fail(strategy_id, f"never ran: it is {host.stage} {host.reason}".rstrip())

    def _let_arrive(self) -> None:
        """Let what latency has delayed arrive."""
        delay_ns = 2 * self.settings.latency_ns + self.settings.feed_latency_ns
        self._replay.advance(max(self.clock.now_ns(), self._end_ns) + delay_ns)
        self.dispatcher.drain()

    def _stop_strategies(self) -> None:
        """Call on_stop; exit policies are left out, since positions are marked at the end and not closed."""
        for strategy_id, host in self.line.strategies.hosts.items():
            if host.stage is Stage.RUNNING and not self._replay.broken:
                self.dispatcher.put(StrategyStep(strategy_id, "stop"))
        self.dispatcher.drain()

    def _on_trade_booked(self, booked: TradeBooked) -> None:
        self._trades.append(booked.trade)

    def _on_handler_failed(self, failure: HandlerFailed) -> None:
        self._replay.broken = self._replay.broken or failure.core
        self._fail(failure.owner, f"{failure.handler} on {failure.event_class}: {failure.error}")

    def _fail(self, owner: str, text: str) -> None:
        self._failures.append(f"{owner}: {text}")
        if self._hear is not None:
            self._on_strategy_log(StrategyLog(owner, "ERROR", text, self.clock.now_ns()))

    def _on_strategy_log(self, line: StrategyLog) -> None:
        """Hand a line on, once it is certain that the instance that spoke is the one that runs."""
        if self._hear is None or self.adapter.rehearses:
            self._unheard.append(line)
        else:
            self._hear(line)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _result(self, markets: Markets, elapsed_s: float) -> BacktestResult:
        settings, trades = self.settings, tuple(self._trades)
        marks = markets.marks()
        times: Int64Column = markets.sample_times(self._end_ns)
        equity = equity_curve(settings.balance, times, marks, trades)
        matched = match_round_trips([self._fill_of(trade) for trade in trades])
        curve = EquityCurve(
            start_time_ns=self._start_ns, starting_balance=float(settings.balance), time_ns=times, equity=equity
        )
        end = self._end_balance({series.instrument.instrument_id: series.last for series in marks})
        figures = statistics(curve, matched.fills, matched)
        figures["end_balance"] = float(end)
        figures["total_return"] = float(end / settings.balance - 1)
        return BacktestResult(
            figures, times, equity, tuple(matched.fills), trades, sum(1 for _ in self.line.desk.records()),
            denied_by_rule(self.line.desk),
            tuple(self._failures), sum(map(len, settings.bars)), settings.balance, end,
            sum((trade.fee for trade in trades), Decimal(0)), elapsed_s, self._hash(trades), settings,
            self._replay.moments, (*markets.warnings(), *self._unplayed()), refused_by_reason(self.line.desk),
        )  # fmt: skip

    def _unplayed(self) -> tuple[str, ...]:
        """Return a warning when the warm-up used up all of the history."""
        if self._start_ns < self._end_ns:
            return ()
        return ("the warm-up takes all of the history: nothing was replayed; ask load_bar for fewer bars or give more",)

    def _fill_of(self, trade: TradeData) -> Fill:
        instrument = self.line.instruments[trade.instrument_id]
        return Fill(
            trade.venue_time_ns, trade.side, trade.price, trade.quantity, float(trade.fee), trade.instrument_id,
            float(instrument.multiplier),
        )  # fmt: skip

    def _end_balance(self, marks: dict[str, Decimal]) -> Decimal:
        """Return cash plus positions at the last price, exactly."""
        total = self.settings.balance
        for (_, instrument_id, _), position in self.line.portfolio.net_positions():
            total += position.profit(marks[instrument_id]) - sum(position.fees.values(), Decimal(0))
        return total

    def _hash(self, trades: Sequence[TradeData]) -> str:
        digest = hashlib.sha256(self.session.venue.state_hash().encode())
        for trade in trades:
            digest.update(
                f"{trade.venue_time_ns}|{trade.order_id}|{trade.side}|{trade.price!r}|{trade.quantity!r}".encode()
            )
        return digest.hexdigest()


def _span(settings: BacktestSettings) -> tuple[int, int]:
    """Return the first and the last moment of all history."""
    spans = [(int(bars.open_time_ns[0]), int(bars.close_time_ns[-1])) for bars in settings.bars]
    spans += [(int(trades.time_ns[0]), int(trades.time_ns[-1])) for trades in settings.trades]
    spans += [(int(quotes.time_ns[0]), int(quotes.time_ns[-1])) for quotes in settings.quotes]
    spans += [(capture.start_ns, capture.end_ns) for capture in settings.depth]
    return min(start for start, _ in spans), max(end for _, end in spans)


def _silent(_moments: int) -> None:
    """Show no progress."""
