"""The markets of a backtest: per instrument its fill model, its history as sources, its price over time."""

from collections.abc import Iterator

import numpy as np

from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.columns import Int64Column
from foxtrot.backtest.depth_capture import DepthCapture
from foxtrot.backtest.depth_source import DepthSource, DepthWishes
from foxtrot.backtest.equity import MarkSeries, even_samples
from foxtrot.backtest.feed import Feed
from foxtrot.backtest.fill_model import FillModel
from foxtrot.backtest.history_adapter import HistoryAdapter
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings
from foxtrot.backtest.sources import BarSource, QuoteSource, Source, TradeSource
from foxtrot.backtest.start_moment import rows_until
from foxtrot.backtest.tick_fills import TickFills
from foxtrot.backtest.top_of_book import TopOfBook
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.venue import Venue
from foxtrot.strategy.base import Strategy

LEAST_LEVELS = 20


class Markets:
    """What is replayed and who fills orders in it; made when the strategies have said what they want to hear.

    Thread: the backtest's.
    """

    def __init__(
        self, settings: BacktestSettings, venue: Venue, feed: Feed, adapter: HistoryAdapter, start_ns: int
    ) -> None:
        self._settings = settings
        self._start_ns = start_ns
        self._feed = feed
        self._adapter = adapter
        self._books = {
            instrument.instrument_id: DepthBook(instrument, capture.sequence_rule)
            for capture in settings.depth
            for instrument in settings.instruments
            if instrument.instrument_id == capture.instrument_id
        }
        self._tops = {
            instrument.instrument_id: TopOfBook(instrument.instrument_id) for instrument in settings.instruments
        }
        self._barred: dict[str, BarFills] = {}
        self._ticked: dict[str, TickFills] = {}
        names = {bars.instrument_id for bars in settings.bars}
        self.models: tuple[FillModel, ...] = tuple(
            self._bar_model(venue, instrument)
            if instrument.instrument_id in names
            else self._tick_model(venue, instrument)
            for instrument in settings.instruments
        )
        self._captures = tuple(self._depth_source(capture) for capture in settings.depth)
        self.sources: tuple[Source, ...] = (*self._column_sources(), *self._captures)

    def marks(self) -> tuple[MarkSeries, ...]:
        """Return the price of each instrument over time, of the finest history it has: depth, quotes, trades, bars."""
        return tuple(self._mark_series(instrument) for instrument in self._settings.instruments)

    def sample_times(self, end_ns: int) -> Int64Column:
        """Return when equity is sampled: at every close, or evenly where there are no bars."""
        closes = [bars.close_time_ns[rows_until(bars, self._start_ns) :] for bars in self._settings.bars]
        closes = [times for times in closes if len(times)]
        if not closes:
            return even_samples(self._start_ns, end_ns)
        return closes[0] if len(closes) == 1 else np.unique(np.concatenate(closes))

    def warnings(self) -> tuple[str, ...]:
        """Return what readers and replay had to assume, each with its instrument."""
        found = [f"{part.instrument_id}: {text}" for part in self._settings.history for text in part.warnings]
        for source in self._captures:
            if source.gaps:
                name = source.book.instrument.instrument_id
                found.append(
                    f"{name}: {source.gaps} gaps in the recorded depth; after each, quotes and prints alone fill"
                )
        return (*found, *dict.fromkeys(self._adapter.shortfalls))

    # --- building ---------------------------------------------------------------------------------------------------

    def _bar_model(self, venue: Venue, instrument: Instrument) -> BarFills:
        model = self._barred[instrument.instrument_id] = BarFills(venue, instrument, self._settings.fills)
        return model

    def _tick_model(self, venue: Venue, instrument: Instrument) -> TickFills:
        name = instrument.instrument_id
        model = self._ticked[name] = TickFills(venue, instrument, self._settings.fills, self._books.get(name))
        return model

    def _column_sources(self) -> Iterator[Source]:
        settings, feed, start_ns = self._settings, self._feed, self._start_ns
        for bars in settings.bars:
            name = bars.instrument_id
            yield BarSource(bars, start_ns, self._barred[name], feed)
        for quotes in settings.quotes:
            name = quotes.instrument_id
            heard_quotes = quotes[int(np.searchsorted(quotes.time_ns, start_ns)) :]
            yield QuoteSource(heard_quotes, self._ticked[name], feed, self._tops[name])
        for trades in settings.trades:
            name = trades.instrument_id
            prints = trades[int(np.searchsorted(trades.time_ns, start_ns)) :]
            yield TradeSource(prints, self._ticked[name], feed, self._tops[name] if self._hears_ticks(name) else None)

    def _depth_source(self, capture: DepthCapture) -> DepthSource:
        name, settings = capture.instrument_id, self._settings
        wanted = self._adapter.wanted.get(name, SubscribeRequest(name))
        levels = max(LEAST_LEVELS, wanted.depth_levels)
        wishes = DepthWishes(ACCOUNT, levels, wanted.depth_changes, settings.recorded_latency)
        book = self._books[name]
        self._adapter.books[name] = book.depth
        return DepthSource(capture, book, self._ticked[name], self._feed, wishes)

    def _hears_ticks(self, name: str) -> bool:
        return any(
            name in strategy.symbols and kind.on_tick is not Strategy.on_tick
            for strategy, kind in self._settings.strategies
        )

    # --- prices -----------------------------------------------------------------------------------------------------

    def _mark_series(self, instrument: Instrument) -> MarkSeries:
        name, settings = instrument.instrument_id, self._settings
        for source in self._captures:
            if source.book.instrument.instrument_id == name and source.marks:
                times, prices = zip(*source.marks, strict=True)
                return MarkSeries(instrument, np.array(times, dtype=np.int64), np.array(prices, dtype=np.float64))
        for quotes in settings.quotes:
            if quotes.instrument_id == name:
                return MarkSeries(instrument, quotes.time_ns, (quotes.bid + quotes.ask) / 2)
        for trades in settings.trades:
            if trades.instrument_id == name:
                return MarkSeries(instrument, trades.time_ns, trades.price)
        for bars in settings.bars:
            if bars.instrument_id == name:
                return MarkSeries(instrument, bars.close_time_ns, bars.close)
        raise ConfigError(f"no price of {name} was replayed; its depth capture holds no book and no quote")
