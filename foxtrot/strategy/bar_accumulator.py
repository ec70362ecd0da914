"""One bar while it is being built: prices in time order, volume and turnover summed exactly."""

from decimal import Context, Decimal

from foxtrot.domain.market import BarData

_EXACT = Context(prec=60)
_ZERO = Decimal(0)


class BarAccumulator:
    """Builds one bar over [open_ns, close_ns) from prints or from smaller bars.

    Sums are exact in decimal, so the float of a sum is the float a venue would print. Prints may come in any order: the
    open is the earliest one's price and the close the latest one's.

    Thread: belongs to its builder.
    """

    __slots__ = (
        "_close", "_first_ns", "_high", "_last_ns", "_low", "_open", "close_ns", "count", "is_filler", "open_ns", "parts",
        "published", "turnover", "volume",
    )  # fmt: skip

    def __init__(self, open_ns: int, close_ns: int) -> None:
        self.open_ns = open_ns
        self.close_ns = close_ns
        self.volume = _ZERO
        self.turnover = _ZERO
        self.count = 0
        self.is_filler = False
        self.parts: dict[int, BarData] = {}
        self.published: BarData | None = None
        self._first_ns = 0
        self._last_ns = -1
        self._open = self._high = self._low = self._close = 0.0

    def __contains__(self, ns: int) -> bool:
        return self.open_ns <= ns < self.close_ns

    @property
    def last_price(self) -> float:
        """Return the price at which the bar would close now."""
        return self._close

    @property
    def last_ns(self) -> int:
        """Return the time of the latest print, or the end of the latest part."""
        return self._last_ns

    def fill(self, price: float) -> None:
        """Make this an empty bar that stands at one price until a print says otherwise."""
        self.is_filler = True
        self._open = self._high = self._low = self._close = price

    def add_print(self, time_ns: int, price: float, volume: Decimal, turnover: Decimal) -> None:
        """Take in one price with the volume and turnover that came with it."""
        self._add_prices(time_ns, time_ns, (price, price, price, price))
        self._add_amounts(volume, turnover, 1)

    def add_bar(self, bar: BarData) -> bool:
        """Take in a smaller bar, or put it in the place of the one with the same open time.

        Returns:
            True when anything changed; False for a repetition.
        """
        known = self.parts.get(bar.open_time_ns)
        if known is not None and _same_content(known, bar):
            return False
        self.parts[bar.open_time_ns] = bar
        if known is None:
            self._add_part(bar)
        else:
            self._rebuild()
        return True

    def bar(self, instrument_id: str, interval: str, local_time_ns: int) -> BarData:
        """Return the bar as it stands."""
        return BarData(
            instrument_id,
            interval,
            self.open_ns,
            self.close_ns,
            self._open,
            self._high,
            self._low,
            self._close,
            float(self.volume),
            float(self.turnover),
            self.count,
            local_time_ns,
        )

    def _add_part(self, bar: BarData) -> None:
        self._add_prices(bar.open_time_ns, bar.close_time_ns, (bar.open, bar.high, bar.low, bar.close))
        self._add_amounts(exact(bar.volume), exact(bar.turnover), bar.trade_count)

    def _rebuild(self) -> None:
        self.volume, self.turnover, self.count, self._last_ns = _ZERO, _ZERO, 0, -1
        for part in self.parts.values():
            self._add_part(part)

    def _add_prices(self, first_ns: int, last_ns: int, prices: tuple[float, float, float, float]) -> None:
        opened, high, low, closed = prices
        if self._last_ns < 0:
            self.is_filler = False
            self._first_ns, self._last_ns = first_ns, last_ns
            self._open, self._high, self._low, self._close = prices
            return
        self._high = max(self._high, high)
        self._low = min(self._low, low)
        if last_ns >= self._last_ns:
            self._last_ns, self._close = last_ns, closed
        if first_ns < self._first_ns:
            self._first_ns, self._open = first_ns, opened

    def _add_amounts(self, volume: Decimal, turnover: Decimal, count: int) -> None:
        if volume:
            self.volume = _EXACT.add(self.volume, volume)
        if turnover:
            self.turnover = _EXACT.add(self.turnover, turnover)
        self.count += count


def exact(value: float) -> Decimal:
    """Return the decimal a float was rounded from: the shortest one that reads back as it."""
    return Decimal(repr(value)) if value else _ZERO


def exact_product(left: Decimal, right: Decimal) -> Decimal:
    """Return a product without rounding."""
    return _EXACT.multiply(left, right)


def exact_difference(left: Decimal, right: Decimal) -> Decimal:
    """Return a difference without rounding."""
    return _EXACT.subtract(left, right)


def _same_content(left: BarData, right: BarData) -> bool:
    return (left.close_time_ns, left.open, left.high, left.low, left.close, left.volume, left.turnover, left.trade_count) == (
        right.close_time_ns, right.open, right.high, right.low, right.close, right.volume, right.turnover, right.trade_count
    )  # fmt: skip
