"""Bars of one instrument's trades, or of its bids, asks or midpoints, by the second and by the minute; everything longer is made of them."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
_KEPT_SECONDS: Final = 14_400
_KEPT_MINUTES: Final = 12_000


class PriceBar(msgspec.Struct, gc=False):
    """What a price did from `open_ns` on, in units.

    Of trades, `volume` is what was traded, `turnover` the sum of price * quantity and `count` their number; of quotes, volume and
    count say how often they were looked at, so that turnover / volume is the mean of both.

    Thread: exchange-io.
    """

    open_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    count: int

    def absorb(self, later: "PriceBar") -> None:
        """Take in what happened next.

        Source: none; it is arithmetic.
        """
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.count += later.count


class BarTape:
    """The bars of one price, those of seconds for four hours and those of minutes for a week; times without any have none.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self.seconds: deque[PriceBar] = deque(maxlen=_KEPT_SECONDS)
        self.minutes: deque[PriceBar] = deque(maxlen=_KEPT_MINUTES)

    def add(self, bar: PriceBar) -> None:
        """Add what happened at a moment.

        Source: none; bars are made of what happened.
        """
        _put(self.seconds, bar, SECOND_NS)
        _put(self.minutes, bar, MINUTE_NS)

    def add_minute(self, bar: PriceBar) -> None:
        """Add a minute of which the seconds are not known.

        Source: none; the venue remembers minutes.
        """
        _put(self.minutes, bar, MINUTE_NS)

    def add_second(self, bar: PriceBar) -> None:
        """Add what happened at a moment of a minute that is known already.

        Source: none; the venue remembers its last trades.
        """
        _put(self.seconds, bar, SECOND_NS)

    def base_of(self, length_ns: int) -> Sequence[PriceBar]:
        """Return what bars of a length are made of: seconds below a minute, else minutes.

        Source: none; a longer bar is the sum of shorter ones.
        """
        return self.seconds if length_ns < MINUTE_NS else self.minutes


def _put(bars: deque[PriceBar], bar: PriceBar, length_ns: int) -> None:
    start = bar.open_ns - bar.open_ns % length_ns
    if bars and start <= bars[-1].open_ns:
        bars[-1].absorb(bar)
    else:
        bars.append(msgspec.structs.replace(bar, open_ns=start))
