"""Streams: which account's adapter streams which instrument. Each instrument has one source, so nothing is heard twice."""

from collections.abc import Mapping

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.strategy.bar_feed import BarFeed


class Streams:
    """Opens what strategies want to hear.

    Two accounts may trade one instrument; its prints must still come once. The account that wanted it first stays the
    source. A stream stays open when its strategy stops: a position that is kept needs its price.

    Thread: the dispatcher's.
    """

    def __init__(self, adapters: Mapping[str, BaseAdapter], bar_feed: BarFeed | None) -> None:
        self._adapters = adapters
        self._bar_feed = bar_feed
        self._sources: dict[str, str] = {}

    def open(self, instrument: Instrument, account: str, wishes: SubscribeRequest, interval: str = "") -> None:
        """Ask for what a strategy wants of an instrument, and for its bars when an interval is given.

        Raises:
            ConfigError: no bars of such an interval can be built.
        """
        name = instrument.instrument_id
        adapter = self._adapters[self._sources.setdefault(name, account)]
        if interval and self._bar_feed is not None:
            self._bar_feed.add(instrument, interval, adapter)
        adapter.subscribe(
            SubscribeRequest(name, wishes.ticks, wishes.trades, wishes.depth_levels, wishes.depth_changes)
        )

    def source_of(self, instrument_id: str) -> str:
        """Return the account whose adapter streams an instrument; empty when none does."""
        return self._sources.get(instrument_id, "")
