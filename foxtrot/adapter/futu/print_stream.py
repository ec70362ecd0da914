"""The public prints of one instrument: each once and in the venue's order, those of a lost link too as far as Futu keeps them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from foxtrot.adapter.futu.codec import market_trade, time_ns
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.notices import Gap
from foxtrot.domain.market import MarketTrade

KEPT: Final = 1_000
"""How many past prints Futu gives. Source: Futu OpenAPI, Get Real-time Tick-by-Tick: 1,000 at most."""
REMEMBERED: Final = 4 * KEPT
"""How many sequences are remembered at least once they are told."""
MOST_HELD: Final = 50_000
"""How many pushed prints wait at most for the answer that goes before them."""


class PrintPublisher(Protocol):
    """The adapter's way up.

    Thread: the SDK's or futu-io.
    """

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Publish a public print."""

    def on_gap(self, gap: Gap) -> None:
        """Publish that prints are missing."""


class PrintStream:
    """What was pushed of one instrument's prints, each known by Futu's sequence.

    After a lost link pushes wait until those of meanwhile were asked for; see `hold` and `fill`. That sequences rise is not relied
    on: those that were told are remembered, as many as Futu could send again.

    Thread: whoever holds its entry's lock, so that prints stay in order.

    Args:
        instrument_id: whose prints.
        publisher: takes them.
        zone: in which the market's texts tell the time.
        snap: puts prices on the grid.
        hear: takes each print besides, for ticks.
    """

    def __init__(
        self,
        instrument_id: str,
        publisher: PrintPublisher,
        zone: ZoneInfo,
        snap: PriceSnap,
        hear: Callable[[MarketTrade], None] | None = None,
    ) -> None:
        self.is_told = False
        """Whether prints are told as MarketTrade; otherwise they make ticks alone."""
        self.hear = hear
        self.since_ns = 0
        """Since when prints are wanted; 0 before they are."""
        self.last_sequence: int | None = None
        self._instrument_id = instrument_id
        self._publisher = publisher
        self._zone = zone
        self._snap = snap
        self._last: MarketTrade | None = None
        self._seen: set[int] = set()
        self._seen_before: set[int] = set()
        self._held: list[Any] | None = None

    def take(self, tickers: Iterable[Any], now_ns: int) -> int:
        """Take a push and tell what is new of it; returns how many prints it has.

        Raises:
            BadMessage: a time cannot be read.
        """
        if self._held is not None:
            self._held.extend(tickers)
            del self._held[:-MOST_HELD]
            return 0
        return self._tell(tickers, now_ns)

    @property
    def is_held(self) -> bool:
        """Tell whether pushes wait."""
        return self._held is not None

    def hold(self) -> None:
        """Let pushes wait: those before them are being asked for."""
        if self._held is None:
            self._held = []

    def fill(self, tickers: Sequence[Any], now_ns: int) -> None:
        """Tell the prints since the last one that was told, and then those that wait.

        Args:
            tickers: the newest prints as Futu keeps them, oldest first.
            now_ns: the time.

        Raises:
            BadMessage: a time cannot be read.
        """
        held, self._held = self._held or [], None
        self._tell(self._missed(tickers), now_ns)
        self._tell(held, now_ns)

    def release(self, now_ns: int) -> None:
        """Tell what waits, though those before it could not be had; a gap says so.

        Raises:
            BadMessage: a time cannot be read.
        """
        held, self._held = self._held or [], None
        self._tell_gap()
        self._tell(held, now_ns)

    def has_missed(self, tickers: Sequence[Any]) -> bool:
        """Tell whether the newest print as Futu keeps it was not told, though prints are pushed."""
        newest = tickers[-1] if tickers else None
        if newest is None or newest.sequence in self._seen or newest.sequence in self._seen_before:
            return False
        return self.last_sequence is not None or self._is_wanted(newest)

    def _missed(self, tickers: Sequence[Any]) -> Sequence[Any]:
        """Return the prints after the last that was told; when that is not among as many as Futu keeps, some are lost.

        Those before it that were never pushed come too late to be told in their order: a gap counts them.
        """
        last = self.last_sequence
        if last is None:
            return [ticker for ticker in tickers if self._is_wanted(ticker)]
        for place in range(len(tickers) - 1, -1, -1):
            if tickers[place].sequence == last:
                self._tell_gap(self._count_unpushed(tickers[:place]))
                return tickers[place + 1 :]
        if len(tickers) >= KEPT:
            self._tell_gap()
        return tickers

    def _count_unpushed(self, tickers: Sequence[Any]) -> int:
        """Count prints that were wanted and not told, each once."""
        missing = [
            one.sequence
            for one in tickers
            if one.sequence not in self._seen and one.sequence not in self._seen_before and self._is_wanted(one)
        ]
        self._seen.update(missing)
        return len(missing)

    def _is_wanted(self, ticker: Any) -> bool:
        """Tell whether a print happened since prints are wanted."""
        return bool(self.since_ns) and time_ns(ticker.time, ticker.timestamp, self._zone) >= self.since_ns

    def _tell_gap(self, count: int = 1) -> None:
        if count and self.is_told and self.last_sequence is not None:
            self._publisher.on_gap(Gap(self._instrument_id, "MarketTrade", count))

    def _tell(self, tickers: Iterable[Any], now_ns: int) -> int:
        count, hear = 0, self.hear
        for ticker in tickers:
            count += 1
            if not self._is_new(ticker.sequence):
                continue
            trade = market_trade(ticker, self._instrument_id, self._snap, self._zone, now_ns, self._last)
            self._last = trade
            if self.is_told:
                self._publisher.on_market_trade(trade)
            if hear is not None:
                hear(trade)
        return count

    def _is_new(self, sequence: int) -> bool:
        """Remember a sequence; False when it was told."""
        if sequence in self._seen or sequence in self._seen_before:
            return False
        if len(self._seen) >= REMEMBERED:
            self._seen_before, self._seen = self._seen, set()
        self._seen.add(sequence)
        self.last_sequence = sequence
        return True
