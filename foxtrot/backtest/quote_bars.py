"""Bars of an instrument that has quotes and no prints: built from the middle of bid and ask, closed by the clock."""

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import TimerFired
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import TickData
from foxtrot.strategy.bar_facts import BarOutput, BarSettings, PriceSource
from foxtrot.strategy.bars import BarBuilder


class QuoteBars:
    """Publishes the bars of one instrument and interval, by its calendar.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, instrument: Instrument, interval: str) -> None:
        instrument_id, calendar = instrument.instrument_id, calendar_named(instrument.calendar)
        self._dispatcher = dispatcher
        settings = BarSettings(interval=Interval.parse(interval), calendar=calendar, price=PriceSource.MID)
        self._builder = BarBuilder(instrument_id, settings)
        self._due_ns = 0
        self._owner = f"quote_bars {instrument_id} {interval}"
        dispatcher.subscribe(TickData, self.on_tick, owner=self._owner, key=instrument_id, core=True)
        dispatcher.subscribe(TimerFired, self.on_timer, owner=self._owner, key=self._owner, core=True)

    def on_tick(self, tick: TickData) -> None:
        """Take in a quote."""
        self._publish(self._builder.on_tick(tick))
        deadline_ns = self._builder.deadline_ns
        if deadline_ns is not None and deadline_ns != self._due_ns:
            self._due_ns = deadline_ns
            delay_ns = max(0, deadline_ns - self._dispatcher.clock.now_ns())
            self._dispatcher.set_timer(self._owner, "close", delay_ns)

    def on_timer(self, timer: TimerFired) -> None:
        """Close the bar whose time is over."""
        self._publish(self._builder.on_time(timer.now_ns))

    def _publish(self, outputs: tuple[BarOutput, ...]) -> None:
        for output in outputs:
            self._dispatcher.put(output)
