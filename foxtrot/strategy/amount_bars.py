"""Bars by trading: they close after so many ticks, so much volume or so much value."""

from decimal import Decimal

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import IntervalKind
from foxtrot.domain.market import BarData
from foxtrot.strategy.bar_accumulator import BarAccumulator
from foxtrot.strategy.bar_facts import BarCounts, BarOutput, BarSettings


class AmountBars:
    """Tick, volume and value bars of one instrument, in the order of arrival.

    The print that reaches the amount closes the bar and belongs to it whole: a print is never divided. Such a bar runs
    from the time of its first print to that of its last.

    Thread: belongs to its builder.
    """

    def __init__(self, instrument_id: str, settings: BarSettings) -> None:
        self.counts = BarCounts()
        self.current: BarAccumulator | None = None
        self._instrument_id = instrument_id
        self._kind = settings.interval.kind
        self._step = settings.interval.step
        self._interval = settings.interval.text
        self._now_ns = 0

    def add_print(self, time_ns: int, price: float, volume: Decimal, turnover: Decimal) -> tuple[BarOutput, ...]:
        """Take in one price; returns the bar it closed."""
        slot = self.current
        if slot is None:
            slot = self.current = BarAccumulator(time_ns, time_ns)
        slot.add_print(time_ns, price, volume, turnover)
        return self._close_if_full(slot)

    def add_bar(self, bar: BarData) -> tuple[BarOutput, ...]:
        """Take in a bar whole.

        Raises:
            ConfigError: ticks are counted, which a bar no longer shows.
        """
        if self._kind is IntervalKind.TICK:
            raise ConfigError(
                f"{self._interval} bars are counted in ticks: build them from ticks or trades, not from bars"
            )
        slot = self.current
        if slot is None:
            slot = self.current = BarAccumulator(bar.open_time_ns, bar.close_time_ns)
        slot.add_bar(bar)
        return self._close_if_full(slot)

    def on_time(self, now_ns: int) -> tuple[BarOutput, ...]:
        """Note the time; it closes nothing here."""
        self.heard_at(now_ns)
        return ()

    def heard_at(self, local_time_ns: int) -> None:
        """Note the local time of what arrives; bars carry it."""
        self._now_ns = max(self._now_ns, local_time_ns)

    def snapshot(self) -> BarData | None:
        """Return the unfinished bar as it stands, or None when nothing has come for it."""
        return None if self.current is None else self._bar(self.current)

    def _close_if_full(self, slot: BarAccumulator) -> tuple[BarOutput, ...]:
        if self._reached(slot) < self._step:
            return ()
        self.current = None
        return (self._bar(slot),)

    def _reached(self, slot: BarAccumulator) -> int | Decimal:
        if self._kind is IntervalKind.TICK:
            return slot.count
        return slot.volume if self._kind is IntervalKind.VOLUME else slot.turnover

    def _bar(self, slot: BarAccumulator) -> BarData:
        slot.close_ns = slot.last_ns
        return slot.bar(self._instrument_id, self._interval, self._now_ns)
