"""The ticks of one instrument: put together of best prices, last trade and totals, which IB sends one by one."""

from typing import Any, Final, Protocol

from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.ib import codec
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.market import DELAYED, NOT_LIVE, STREAM, TickData

_SIZES: Final = {codec.BID: codec.BID_SIZE, codec.ASK: codec.ASK_SIZE, codec.LAST: codec.LAST_SIZE}
"""Prices that are followed by their size. Source: TWS API, EWrapper.tickPrice; seen with ibapi 9.81 and 10.46: tickSize is called next."""
_UNITS: Final = frozenset({codec.BID_SIZE, codec.ASK_SIZE, codec.LAST_SIZE, codec.VOLUME})
_COUNTS: Final = frozenset({codec.INTEREST})
_PRICES: Final = frozenset({*_SIZES, codec.HIGH, codec.LOW, codec.OPEN, codec.CLOSE, codec.MARK})
Quote = tuple[float, float, float, float]
"""Best bid, its size, best ask, its size; 0.0 where there is none."""


class TickPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-run.
    """

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""


class TickStream:
    """The newest best prices, last trade and totals of the day; tells a tick whenever one of them is another.

    A price that is followed by its size is told with it. IB stamps trades alone: the time of a tick is ours, and that of the last trade
    where the data is delayed.

    Thread: whoever holds its entry's lock.

    Args:
        instrument_id: whose ticks.
        publisher: takes them.
        snap: puts prices on the grid.
        multiplier: how many units one counted in a size is.
    """

    def __init__(self, instrument_id: str, publisher: TickPublisher, snap: PriceSnap, multiplier: float = 1.0) -> None:
        self.is_told = False
        """Whether ticks are told; otherwise their best prices serve prints and books alone."""
        self.health: StreamHealth | None = None
        self.type_source = STREAM
        """What IB has said of the data: live, frozen or delayed."""
        self.halted = False
        self.quote_ns = 0
        """When anything of the quote changed last."""
        self._instrument_id = instrument_id
        self._publisher = publisher
        self._snap = snap
        self._multiplier = multiplier
        self._values: dict[str, float] = {}
        self._source = STREAM
        self._stamp_ns = 0
        self._awaits = ""
        self._changed = False

    @property
    def quote(self) -> Quote:
        """Return the best prices as they are now."""
        get = self._values.get
        return get(codec.BID, 0.0), get(codec.BID_SIZE, 0.0), get(codec.ASK, 0.0), get(codec.ASK_SIZE, 0.0)

    @property
    def is_live(self) -> bool:
        """Tell whether what it has is neither delayed nor frozen."""
        return self._source not in NOT_LIVE and self.type_source not in NOT_LIVE

    def take_type(self, source: str) -> None:
        """Take what IB says of the data that follows; what was heard of another kind is forgotten."""
        if source != self.type_source:
            self.type_source = source
            self._begin(source)

    def take_price(self, number: Any, value: Any, now_ns: int) -> bool:
        """Take a price; True when best prices changed.

        Raises:
            BadMessage: it is no number.
        """
        name = self._name(number)
        if name not in _PRICES:
            return False
        if self._awaits:
            self._settle(now_ns)
        price = codec.price_of(value, self._snap)
        if self._set(name, price):
            size = _SIZES.get(name)
            if size is not None and not price:
                self._set(size, 0.0)
        if name in _SIZES:
            self._awaits = _SIZES[name]
            return False
        self._settle(now_ns)
        return False

    def take_size(self, number: Any, value: Any, now_ns: int) -> bool:
        """Take a size or a total; True when best prices or their sizes changed.

        Raises:
            BadMessage: it is no number.
        """
        name = self._name(number)
        if name not in _UNITS and name not in _COUNTS:
            return False
        priced = next((price for price, size in _SIZES.items() if size == name), "")
        size = codec.size_of(value, self._multiplier if name in _UNITS else 1.0)
        if priced and self._values.get(priced, 0.0) == 0.0:
            size = 0.0  # a size without a price is one of nothing
        self._set(name, size)
        changed = self._changed and name in (codec.BID_SIZE, codec.ASK_SIZE)
        self._settle(now_ns)
        return changed

    def take_text(self, number: Any, value: Any) -> None:
        """Take the time of the last trade.

        Raises:
            BadMessage: it is no time.
        """
        if self._name(number) == codec.STAMP:
            self._stamp_ns = max(self._stamp_ns, codec.seconds_ns(value))

    def take_generic(self, number: Any, value: Any, now_ns: int) -> None:
        """Take a mark price, or whether trading is halted."""
        name = self._name(number)
        if name == codec.HALTED:
            self.halted = codec.size_of(value) > 0.0
        elif name == codec.MARK:
            self.take_price(number, value, now_ns)

    def take_print(self, print_: codec.RtTrade, now_ns: int) -> None:
        """Take a print's time, which the ticks of it do not have."""
        self._stamp_ns = max(self._stamp_ns, print_.time_ns)

    def forget(self) -> None:
        """Believe no best price until the next ones: the link or the subscription is gone."""
        for name in (codec.BID, codec.BID_SIZE, codec.ASK, codec.ASK_SIZE):
            self._values.pop(name, None)
        self._awaits = ""

    def _name(self, number: Any) -> str:
        """Return what a tick is of; the first delayed one makes all others so."""
        found = codec.tick_name(number)
        if found is None:
            return ""
        name, delayed = found
        source = DELAYED if delayed else self.type_source
        if source != self._source:
            self._begin(source)
        return name

    def _begin(self, source: str) -> None:
        if source != self._source:
            self._source = source
            self._values.clear()
            self._awaits, self._changed = "", False

    def _set(self, name: str, value: float) -> bool:
        if self._values.get(name, 0.0) == value:
            return False
        self._values[name] = value
        self._changed = True
        return True

    def _settle(self, now_ns: int) -> None:
        self._awaits = ""
        if not self._changed:
            return
        self._changed = False
        self.quote_ns = now_ns
        if self.is_told:
            get = self._values.get
            venue_ns = self._stamp_ns if self._source in NOT_LIVE else now_ns
            self._publisher.on_tick(
                TickData(
                    self._instrument_id, venue_ns, now_ns, *self.quote, get(codec.LAST, 0.0), get(codec.LAST_SIZE, 0.0),
                    get(codec.VOLUME, 0.0), 0.0, get(codec.OPEN, 0.0), get(codec.HIGH, 0.0), get(codec.LOW, 0.0), get(codec.CLOSE, 0.0),
                    get(codec.INTEREST, 0.0), get(codec.MARK, 0.0), self._source,
                )
            )  # fmt: skip
