"""Corrections that overtook their bar: they take the control lane, bars wait in the market lane."""

from foxtrot.domain.market import BarData
from foxtrot.strategy.bar_facts import BarCorrection


class EarlyCorrections:
    """Keeps corrections until the bar they correct has been heard.

    Thread: belongs to its owner.
    """

    def __init__(self) -> None:
        self._heard: dict[str, int] = {}
        self._waiting: dict[tuple[str, int], list[BarCorrection]] = {}

    def clear(self) -> None:
        """Forget everything: a new run begins."""
        self._heard.clear()
        self._waiting.clear()

    def is_early(self, correction: BarCorrection) -> bool:
        """Tell whether the bar has not been heard yet, and keep the correction then."""
        bar = correction.bar
        if correction.previous is None or bar.open_time_ns <= self._heard.get(bar.instrument_id, -1):
            return False
        self._waiting.setdefault((bar.instrument_id, bar.open_time_ns), []).append(correction)
        return True

    def after(self, bar: BarData) -> list[BarCorrection]:
        """Note that a bar was heard, and return the corrections that waited for it."""
        self._heard[bar.instrument_id] = bar.open_time_ns
        return self._waiting.pop((bar.instrument_id, bar.open_time_ns), []) if self._waiting else []
