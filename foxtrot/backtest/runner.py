"""The backtest: the whole line in one thread, fed by history."""

import hashlib
import time
from collections.abc import Callable
from decimal import Decimal

import msgspec
import numpy as np

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.bar_replay import BarReplay
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.history_adapter import HistoryAdapter
from foxtrot.backtest.round_trips import Fill, match_round_trips
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.backtest.statistics import EquityCurve, Statistic, statistics
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import HandlerFailed, TradeBooked
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import TradeData
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.order_ids import make_run_id
from foxtrot.trading.portfolio import signed

Progress = Callable[[int], None]


class BacktestResult(msgspec.Struct, frozen=True, eq=False):
    """What a backtest did. `statistics` has every figure by name; `equity` is sampled at every close."""

    statistics: dict[str, Statistic]
    equity_time_ns: np.ndarray[tuple[int], np.dtype[np.int64]]
    equity: np.ndarray[tuple[int], np.dtype[np.float64]]
    fills: tuple[Fill, ...]
    trades: tuple[TradeData, ...]
    orders: int
    denied: dict[str, int]
    failures: tuple[str, ...]
    bars: int
    start_balance: Decimal
    end_balance: Decimal
    fees: Decimal
    elapsed_s: float
    state_hash: str


class Backtest:
    """One run over history: venue, line and strategies, built, replayed once, then read.

    Thread: the caller's; nothing else runs.
    """

    def __init__(self, settings: BacktestSettings, progress: Progress | None = None) -> None:
        _check(settings)
        self.settings = settings
        self._progress = progress or _silent
        self._start_ns = min(int(bars.open_time_ns[0]) for bars in settings.bars)
        self.clock = ManualClock(self._start_ns)
        self.dispatcher = Dispatcher(self.clock)
        permit = SendPermit()
        self.session = SimulatedSession(self.clock, threaded=False, latency_ns=settings.latency_ns)
        base = settings.instruments[0].quote_asset
        run_id = make_run_id(self._start_ns, settings.seed)
        line_settings = LineSettings(
            run_id=run_id, base_currency=base, limits=settings.limits, modes={ACCOUNT: settings.position_mode}
        )
        self.line = Line(self.dispatcher, permit, line_settings)
        self._open_venue()
        context = AdapterContext(ACCOUNT, self.dispatcher, permit, self.clock, {}, {})
        self.adapter = HistoryAdapter(context, self.session, settings.bars)
        self.line.add_adapter(self.adapter)
        self._replay = BarReplay(self.dispatcher, self.clock, self.session.venue, self._run_delayed, self._progress)
        self._filled: list[tuple[int, TradeData]] = []
        self._failures: list[str] = []
        self.dispatcher.subscribe(TradeBooked, self._on_trade_booked, owner="backtest")
        self.dispatcher.subscribe(HandlerFailed, self._on_handler_failed, owner="backtest")

    def run(self) -> BacktestResult:
        """Replay all of history through the line.

        Raises:
            ConfigError: a strategy cannot be made.
        """
        started = time.perf_counter()
        self._start()
        fills = tuple(self._fill_model(instrument) for instrument in self.settings.instruments)
        self.session.observers = tuple(model.observe for model in fills)
        firsts = tuple(self.adapter.warm_up.get(bars.instrument_id, 0) for bars in self.settings.bars)
        if len(fills) == 1:
            self._replay.run_one(self.settings.bars[0], fills[0], firsts[0])
        else:
            self._replay.run_many(self.settings.bars, fills, firsts)
        self.dispatcher.drain()
        for strategy_id, host in self.line.strategies.hosts.items():
            if str(host.stage) != "running" and not self._failures:
                self._failures.append(f"{strategy_id} never ran: {host.stage} {host.reason}".rstrip())
        return self._result(time.perf_counter() - started)

    # --- building ---------------------------------------------------------------------------------------------------

    def _open_venue(self) -> None:
        settings, session, now_ns = self.settings, self.session, self._start_ns
        for instrument in settings.instruments:
            session.execute(AddInstrument(now_ns, instrument, "external", settings.fees, "quote"))
        checked = settings.margin_checked or not all(i.product.is_derivative for i in settings.instruments)
        session.execute(OpenAccount(now_ns, ACCOUNT, settings.position_mode, checked))
        asset = settings.instruments[0].settle_asset
        session.execute(Deposit(now_ns, ACCOUNT, asset, settings.balance))

    def _fill_model(self, instrument: Instrument) -> BarFills:
        return BarFills(self.session.venue, instrument, self.settings.fills)

    def _start(self) -> None:
        self.adapter.connect()
        self._settle_latency()
        for strategy_settings, strategy_class in self.settings.strategies:
            self.line.strategies.add(strategy_settings, strategy_class)
        for strategy_settings, _ in self.settings.strategies:
            self.line.strategies.start(strategy_settings.strategy_id)
        self.dispatcher.drain()
        self._settle_latency()

    def _settle_latency(self) -> None:
        """Let what was said before the first bar arrive: a platform is connected before the market opens."""
        while self.session.next_due_ns <= self._start_ns + 2 * self.settings.latency_ns:
            self.session.run_due(self.session.next_due_ns)
            self.dispatcher.drain()
        self.dispatcher.drain()

    # --- running ----------------------------------------------------------------------------------------------------

    def _run_delayed(self, time_ns: int) -> None:
        """Let everything that latency has delayed until a time happen, each at its own moment."""
        session = self.session
        while session.next_due_ns <= time_ns:
            self.clock.move_to(max(session.next_due_ns, self.clock.now_ns()))
            session.run_due(session.next_due_ns)
            self.dispatcher.drain()

    def _on_trade_booked(self, booked: TradeBooked) -> None:
        self._filled.append((self._replay.step, booked.trade))

    def _on_handler_failed(self, failure: HandlerFailed) -> None:
        self._replay.broken = self._replay.broken or failure.core
        self._failures.append(f"{failure.owner}: {failure.handler} on {failure.event_class}: {failure.error}")

    # --- reading ----------------------------------------------------------------------------------------------------

    def _result(self, elapsed_s: float) -> BacktestResult:
        settings, trades = self.settings, tuple(trade for _, trade in self._filled)
        times, equity = self._equity()
        fees = sum((trade.fee for trade in trades), Decimal(0))
        fills = match_round_trips([self._fill_of(trade) for trade in trades]).fills
        curve = EquityCurve(
            start_time_ns=self._start_ns, starting_balance=float(settings.balance), time_ns=times, equity=equity
        )
        end = self._end_balance()
        figures = statistics(curve, fills)
        figures["end_balance"] = float(end)
        figures["total_return"] = float(end / settings.balance - 1)
        denied: dict[str, int] = {}
        for order in self.line.desk.denied.values():
            denied[order.rule] = denied.get(order.rule, 0) + 1
        orders = sum(1 for _ in self.line.desk.records())
        return BacktestResult(
            figures, times, equity, tuple(fills), trades, orders, denied, tuple(self._failures), self._replay.bars +
            sum(self.adapter.warm_up.values()), settings.balance, end, fees, elapsed_s, self._hash(trades),
        )  # fmt: skip

    def _fill_of(self, trade: TradeData) -> Fill:
        instrument = self.line.instruments[trade.instrument_id]
        return Fill(
            trade.venue_time_ns, trade.side, trade.price, trade.quantity, float(trade.fee), trade.instrument_id,
            float(instrument.multiplier),
        )  # fmt: skip

    def _equity(
        self,
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """Return the equity at every close: cash after the fills so far plus position at the close."""
        bars = self.settings.bars
        skip = [self.adapter.warm_up.get(columns.instrument_id, 0) for columns in bars]
        if len(bars) == 1:
            times = bars[0].close_time_ns[skip[0] :]
        else:
            times = np.unique(np.concatenate([c.close_time_ns[n:] for c, n in zip(bars, skip, strict=True)]))
        equity = np.full(len(times), float(self.settings.balance))
        for columns, first, instrument in zip(bars, skip, self.settings.instruments, strict=True):
            mine = [(step, trade) for step, trade in self._filled if trade.instrument_id == instrument.instrument_id]
            rows = np.searchsorted(columns.close_time_ns[first:], times, side="right") - 1
            closes = np.where(rows >= 0, columns.close[first:][np.maximum(rows, 0)], 0.0)
            equity += _profit_at(mine, instrument, closes)
        return times, equity

    def _end_balance(self) -> Decimal:
        """Return cash plus positions at the last close, exactly."""
        total = self.settings.balance
        closes = {bars.instrument_id: Decimal(repr(float(bars.close[-1]))) for bars in self.settings.bars}
        for (_, instrument_id, _), position in self.line.portfolio.net_positions():
            total += position.profit(closes[instrument_id]) - sum(position.fees.values(), Decimal(0))
        return total

    def _hash(self, trades: tuple[TradeData, ...]) -> str:
        digest = hashlib.sha256(self.session.venue.state_hash().encode())
        for trade in trades:
            digest.update(
                f"{trade.venue_time_ns}|{trade.order_id}|{trade.side}|{trade.price!r}|{trade.quantity!r}".encode()
            )
        return digest.hexdigest()


def _profit_at(
    fills: list[tuple[int, TradeData]], instrument: Instrument, closes: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return cash flow plus value of the position at each step."""
    cash = np.zeros(len(closes) + 1)
    held = np.zeros(len(closes) + 1, dtype=np.int64)
    price_of, quantity_of = instrument.price_grid.from_float, instrument.quantity_grid.from_float
    money = float(instrument.price_grid.step * instrument.quantity_grid.step * instrument.multiplier)
    flow, units, fees, last = 0, 0, Decimal(0), 0
    for step, trade in fills:
        cash[last:step] = flow * money - float(fees)
        held[last:step] = units
        change = signed(trade.side, quantity_of(trade.quantity))
        flow -= change * price_of(trade.price)
        units += change
        fees += trade.fee
        last = step
    cash[last:] = flow * money - float(fees)
    held[last:] = units
    unit = float(instrument.quantity_grid.step * instrument.multiplier)
    return cash[:-1] + held[:-1] * unit * closes


def instrument_for(bars: BarColumns, terms: InstrumentTerms) -> Instrument:
    """Return the instrument of a file: its terms, and the file's smallest decimal steps where they say nothing."""
    tick = terms.tick or Decimal(1).scaleb(-bars.price_decimals)
    lot = terms.lot or Decimal(1).scaleb(-bars.quantity_decimals)
    symbol = bars.instrument_id.partition(".")[0]
    base = symbol.removesuffix(terms.currency) or symbol
    return Instrument(
        instrument_id=bars.instrument_id, symbol=symbol, venue=bars.instrument_id.partition(".")[2] or "HISTORY",
        product=terms.product, base_asset=base, quote_asset=terms.currency, settle_asset=terms.currency,
        price_grid=Grid.of(tick), quantity_grid=Grid.of(lot), multiplier=terms.multiplier,
    )  # fmt: skip


def _check(settings: BacktestSettings) -> None:
    if not settings.bars or len(settings.bars) != len(settings.instruments):
        raise ConfigError("a backtest needs bars, and one instrument for each of them")
    names = [bars.instrument_id for bars in settings.bars]
    if names != [instrument.instrument_id for instrument in settings.instruments] or len(set(names)) != len(names):
        raise ConfigError(f"bars {', '.join(names)} must each have an instrument of the same id, and only once")
    quotes = {instrument.settle_asset for instrument in settings.instruments}
    if len(quotes) > 1:
        raise ConfigError(f"a backtest has one currency; the instruments settle in {', '.join(sorted(quotes))}")
    if not settings.balance.is_finite() or settings.balance <= 0:
        raise ConfigError(f"balance {settings.balance} must be a finite number above 0")
    if not settings.strategies:
        raise ConfigError("a backtest needs a strategy")


def _silent(_bars: int) -> None:
    """Show no progress."""
