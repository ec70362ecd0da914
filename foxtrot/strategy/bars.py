"""The bar builder: ticks, trades or smaller bars of one instrument in, bars of any interval out."""

from collections.abc import Callable
from decimal import Decimal

from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.strategy.amount_bars import AmountBars
from foxtrot.strategy.bar_accumulator import exact, exact_difference, exact_product
from foxtrot.strategy.bar_facts import (
    BarCorrection,
    BarCounts,
    BarOutput,
    BarSettings,
    PriceSource,
)
from foxtrot.strategy.time_bars import TimeBars

__all__ = [
    "BarBuilder", "BarCorrection", "BarCounts", "BarOutput", "BarSettings", "PriceSource",
]  # fmt: skip

_ZERO = Decimal(0)


class BarBuilder:
    """Builds the bars of one instrument.

    Prints belong to a bar by venue time. Time bars close by `on_time`, or by the first thing of a later bar if that comes
    first; what comes for a closed bar leaves as a BarCorrection. Feed one kind of input only.

    Volume of a tick is the increase of the running total it carries; the first tick only sets the total. A tick that shows
    neither a new price nor new volume is no trade and is left out where the feed gives volume.

    Thread: belongs to its owner.

    Args:
        instrument_id: whose bars these are; the caller sends nothing else.
        settings: a BarSettings, or just an Interval.
        publish: called with each output, besides it being returned.
    """

    def __init__(
        self,
        instrument_id: str,
        settings: BarSettings | Interval,
        publish: Callable[[BarOutput], None] | None = None,
    ) -> None:
        self.settings = BarSettings(interval=settings) if isinstance(settings, Interval) else settings
        kind = self.settings.interval.kind
        self._bars = (TimeBars if kind.is_time else AmountBars)(instrument_id, self.settings)
        self._publish = publish
        self._total_volume: Decimal | None = None
        self._total_turnover = _ZERO
        self._price = 0.0

    @property
    def counts(self) -> BarCounts:
        """Return what was left out so far."""
        return self._bars.counts

    @property
    def current(self) -> BarData | None:
        """Return the unfinished bar as it stands, or None when nothing has come for it."""
        return self._bars.snapshot()

    @property
    def deadline_ns(self) -> int | None:
        """Return when `on_time` will close the unfinished bar, or None when no time will."""
        slot = self._bars.current
        if slot is None or not self.settings.interval.kind.is_time:
            return None
        return slot.close_ns + self.settings.grace_ns

    def on_tick(self, tick: TickData) -> tuple[BarOutput, ...]:
        """Take in a tick; returns what it closed or corrected."""
        self._bars.heard_at(tick.local_time_ns)
        price = self._price_of(tick)
        if price == 0.0:
            return ()
        volume, turnover = self._increase(tick)
        if self.settings.price is PriceSource.LAST and tick.volume and not volume and price == self._price:
            return ()
        self._price = price
        return self._out(self._bars.add_print(tick.venue_time_ns, price, volume, turnover))

    def on_trade(self, trade: MarketTrade) -> tuple[BarOutput, ...]:
        """Take in a public trade; returns what it closed or corrected."""
        self._bars.heard_at(trade.local_time_ns)
        size = exact(trade.size)
        turnover = exact_product(size, exact(trade.price))
        return self._out(self._bars.add_print(trade.venue_time_ns, trade.price, size, turnover))

    def on_bar(self, bar: BarData) -> tuple[BarOutput, ...]:
        """Take in a smaller bar; a repetition changes nothing, and one with other content replaces the earlier one.

        Raises:
            ConfigError: these bars cannot be built from such bars.
        """
        self._bars.heard_at(bar.local_time_ns)
        return self._out(self._bars.add_bar(bar))

    def on_correction(self, correction: BarCorrection) -> tuple[BarOutput, ...]:
        """Take in the correction of a smaller bar; returns the correction of the larger one, if that was closed."""
        return self.on_bar(correction.bar)

    def on_time(self, now_ns: int) -> tuple[BarOutput, ...]:
        """Close the bars whose time is over; call it at least at every `deadline_ns`."""
        return self._out(self._bars.on_time(now_ns))

    def _price_of(self, tick: TickData) -> float:
        source = self.settings.price
        if source is PriceSource.LAST:
            return tick.last_price
        if source is PriceSource.BID:
            return tick.bid_price
        if source is PriceSource.ASK:
            return tick.ask_price
        return (tick.bid_price + tick.ask_price) / 2 if tick.bid_price and tick.ask_price else 0.0

    def _increase(self, tick: TickData) -> tuple[Decimal, Decimal]:
        if not tick.volume:
            return _ZERO, _ZERO
        volume, turnover = exact(tick.volume), exact(tick.turnover)
        before, turnover_before = self._total_volume, self._total_turnover
        self._total_volume, self._total_turnover = volume, turnover
        if before is None:
            return _ZERO, _ZERO
        if volume < before:
            return (_ZERO, _ZERO) if self.settings.rolling_volume else (volume, turnover)
        return exact_difference(volume, before), max(_ZERO, exact_difference(turnover, turnover_before))

    def _out(self, published: tuple[BarOutput, ...]) -> tuple[BarOutput, ...]:
        if self._publish is not None:
            for output in published:
                self._publish(output)
        return published
