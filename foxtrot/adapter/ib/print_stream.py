"""The public prints of one instrument, tick by tick, or from the quote's RTVolume where IB refuses that."""

from typing import Any, Protocol

from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.ib import codec
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.notices import Gap
from foxtrot.domain.market import MarketTrade


class PrintPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-run or ib-io.
    """

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Publish a public print."""

    def on_gap(self, gap: Gap) -> None:
        """Publish that prints are missing."""


class PrintStream:
    """What IB sends of one instrument's prints, which have no id of the venue's: each is called by its moment and its number within it.

    What happened while the link was lost is not sent afterwards; a Gap says so.

    Thread: whoever holds its entry's lock.

    Args:
        instrument_id: whose prints.
        publisher: takes them.
        snap: puts prices on the grid.
        multiplier: how many units one counted in a size is.
    """

    def __init__(self, instrument_id: str, publisher: PrintPublisher, snap: PriceSnap, multiplier: float = 1.0) -> None:
        self.is_told = False
        self.by_quote = False
        """Whether prints come from RTVolume, because IB refuses them tick by tick."""
        self.health: StreamHealth | None = None
        self._instrument_id = instrument_id
        self._publisher = publisher
        self._snap = snap
        self._multiplier = multiplier
        self._last: MarketTrade | None = None
        self._moment_ns = self._number = 0
        self._volume = 0.0

    def take(self, time: Any, price: Any, size: Any, quote: tuple[float, float, float, float], now_ns: int) -> None:
        """Take a print that came tick by tick.

        Raises:
            BadMessage: a number of it is none.
        """
        price = codec.price_of(price, self._snap)
        if price and self.is_told:
            self._tell(codec.seconds_ns(time), price, codec.size_of(size, self._multiplier), quote, now_ns)

    def take_rt(self, found: codec.RtTrade, quote: tuple[float, float, float, float], now_ns: int) -> None:
        """Take a print of RTVolume; one that brings no volume, or no price, is none."""
        if not self.by_quote or not self.is_told or not found.price or found.size <= 0.0:
            return
        if found.volume and found.volume <= self._volume and found.time_ns <= self._moment_ns:
            return  # sent again, as after a subscription
        self._volume = found.volume
        self._tell(found.time_ns, found.price, found.size, quote, now_ns)

    def lost(self) -> None:
        """Say, once, that prints are missing from here on until the next."""
        if self.is_told and self._last is not None:
            self._publisher.on_gap(Gap(self._instrument_id, "MarketTrade", 1))
        self._last, self._volume = None, 0.0

    def _tell(
        self, when_ns: int, price: float, size: float, quote: tuple[float, float, float, float], now_ns: int
    ) -> None:
        if when_ns > self._moment_ns:
            self._moment_ns, self._number = when_ns, 0
        self._number += 1
        side = codec.side_of(price, quote[0], quote[2], self._last)
        trade_id = f"{self._moment_ns // 1_000_000}-{self._number}"
        trade = MarketTrade(self._instrument_id, when_ns, now_ns, trade_id, price, size, side)
        self._last = trade
        self._publisher.on_market_trade(trade)
