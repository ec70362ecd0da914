"""Bars by clock and calendar: they close when their time is over, and what comes later corrects them."""

from collections import deque
from decimal import Decimal

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.market import BarData
from foxtrot.strategy.bar_accumulator import BarAccumulator
from foxtrot.strategy.bar_facts import BarCorrection, BarCounts, BarOutput, BarSettings


class TimeBars:
    """Second, minute, hour, day and week bars of one instrument.

    Every moment before `_frontier` is over: its bars are published, and what arrives for it is late.

    Thread: belongs to its builder.
    """

    def __init__(self, instrument_id: str, settings: BarSettings) -> None:
        self.counts = BarCounts()
        self.current: BarAccumulator | None = None
        self._instrument_id = instrument_id
        self._settings = settings
        self._interval = settings.interval.text
        self._closed: deque[BarAccumulator] = deque()
        self._correctable_from = 0
        self._frontier = 0
        self._last_price: float | None = None
        self._now_ns = 0

    def add_print(self, time_ns: int, price: float, volume: Decimal, turnover: Decimal) -> tuple[BarOutput, ...]:
        """Take in one price; returns what it closed or corrected."""
        current = self.current
        if current is not None and time_ns in current:
            current.add_print(time_ns, price, volume, turnover)
            return ()
        slot, published = self._place(time_ns)
        if slot is None:
            return published
        slot.add_print(time_ns, price, volume, turnover)
        return published if slot is self.current else (*published, self._correct(slot))

    def add_bar(self, bar: BarData) -> tuple[BarOutput, ...]:
        """Take in a smaller bar; the larger one closes with the last bar of its time.

        Raises:
            ConfigError: the smaller bar reaches beyond the larger one.
        """
        slot, published = self._place(bar.open_time_ns)
        if slot is None:
            return published
        if bar.close_time_ns > slot.close_ns:
            raise ConfigError(
                f"{bar.interval} bars do not fit into {self._interval} bars: use a divisor of {self._interval}"
            )
        changed = slot.add_bar(bar)
        if slot is not self.current:
            return (*published, self._correct(slot)) if changed else published
        if bar.close_time_ns == slot.close_ns:
            return (*published, self._close(slot))
        return published

    def on_time(self, now_ns: int) -> tuple[BarOutput, ...]:
        """Close what is over at `now_ns`."""
        self.heard_at(now_ns)
        limit = now_ns - self._settings.grace_ns
        current = self.current
        if limit <= self._frontier or (current is not None and limit < current.close_ns):
            return ()
        bounds = self._bounds(limit)
        return self._advance(limit if bounds is None else bounds[0])

    def heard_at(self, local_time_ns: int) -> None:
        """Note the local time of what arrives; bars carry it."""
        self._now_ns = max(self._now_ns, local_time_ns)

    def snapshot(self) -> BarData | None:
        """Return the unfinished bar as it stands, or None when nothing has come for it."""
        return None if self.current is None else self._bar(self.current)

    def _bounds(self, ns: int) -> tuple[int, int] | None:
        settings = self._settings
        return settings.calendar.bar_bounds(ns, settings.interval, settings.day_start)

    def _place(self, ns: int) -> tuple[BarAccumulator | None, tuple[BarOutput, ...]]:
        if self.current is not None and ns in self.current:
            return self.current, ()
        if ns < self._frontier:
            return self._late_slot(ns), ()
        bounds = self._bounds(ns)
        if bounds is None:
            self.counts.outside += 1
            return None, ()
        published = self._advance(bounds[0])
        self.current = BarAccumulator(*bounds)
        return self.current, published

    def _late_slot(self, ns: int) -> BarAccumulator | None:
        if ns < self._correctable_from:
            self.counts.too_late += 1
            return None
        for slot in reversed(self._closed):
            if ns in slot:
                return slot
        bounds = self._bounds(ns)
        if bounds is None:
            self.counts.outside += 1
            return None
        slot = BarAccumulator(*bounds)
        self._keep(slot)
        return slot

    def _advance(self, reached: int) -> tuple[BarOutput, ...]:
        published: list[BarOutput] = []
        if self.current is not None and self.current.close_ns <= reached:
            published.append(self._close(self.current))
        if self._settings.fill_empty and self._last_price is not None:
            published += self._fill(self._frontier, reached, self._last_price)
        self._frontier = max(self._frontier, reached)
        return tuple(published)

    def _fill(self, start: int, reached: int, price: float) -> list[BarOutput]:
        filled: list[BarOutput] = []
        at: int | None = start
        while at is not None and at < reached:
            bounds = self._bounds(at)
            if bounds is None:
                at = self._settings.calendar.next_open_ns(at)
                continue
            if bounds[1] > reached:
                break
            slot = BarAccumulator(*bounds)
            slot.fill(price)
            filled.append(self._publish(slot))
            at = bounds[1]
        return filled

    def _close(self, slot: BarAccumulator) -> BarData:
        self.current = None
        self._frontier = max(self._frontier, slot.close_ns)
        self._last_price = slot.last_price
        return self._publish(slot)

    def _publish(self, slot: BarAccumulator) -> BarData:
        bar = slot.published = self._bar(slot)
        self._keep(slot)
        return bar

    def _keep(self, slot: BarAccumulator) -> None:
        self._closed.append(slot)
        if len(self._closed) > self._settings.kept:
            oldest = min(self._closed, key=lambda kept: kept.open_ns)
            self._closed.remove(oldest)
            self._correctable_from = max(self._correctable_from, oldest.close_ns)

    def _correct(self, slot: BarAccumulator) -> BarCorrection:
        previous, bar = slot.published, self._bar(slot)
        slot.published = bar
        return BarCorrection(bar, previous)

    def _bar(self, slot: BarAccumulator) -> BarData:
        return slot.bar(self._instrument_id, self._interval, self._now_ns)
