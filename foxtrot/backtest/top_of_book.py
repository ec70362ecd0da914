"""The ticks of one instrument, put together from whatever the recording tells one after the other."""

from foxtrot.domain.market import TickData


class TopOfBook:
    """Latest best bid and ask, last print and the volume printed since the recording began.

    Thread: the backtest's.
    """

    def __init__(self, instrument_id: str) -> None:
        self._id = instrument_id
        self._quote = (0.0, 0.0, 0.0, 0.0)
        self._last = (0.0, 0.0)
        self._volume = 0.0
        self._turnover = 0.0

    def quote(self, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
        """Take in a best bid and ask."""
        self._quote = (bid, bid_size, ask, ask_size)

    def trade(self, price: float, size: float) -> None:
        """Take in a print."""
        self._last = (price, size)
        self._volume += size
        self._turnover += price * size

    def tick(self, venue_time_ns: int, local_time_ns: int) -> TickData:
        """Return it all as a fact."""
        return TickData(self._id, venue_time_ns, local_time_ns, *self._quote, *self._last, self._volume, self._turnover)
