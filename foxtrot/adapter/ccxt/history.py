"""Past bars of a venue by ccxt: the last so many closed ones, asked for page by page."""

from operator import index
from typing import Final

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ccxt.live_bars import closed_bars, name_of
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import HistoryRequest

MOST: Final = 100_000
_BAD_REQUEST: Final = (FoxtrotError, TypeError, ValueError, OverflowError)


class History:
    """Asks for past bars; the open bar is never among them.

    Thread: the session's.
    """

    def __init__(self, adapter: BaseAdapter, session: CcxtSession) -> None:
        self._adapter = adapter
        self._session = session

    async def tell_history(self, request: HistoryRequest) -> None:
        """Publish the last closed bars that ended at or before a time, or why there are none. Never raises for a request."""
        try:
            bars, error = await self._closed_bars(request), ""
        except _BAD_REQUEST as refusal:
            bars, error = (), str(refusal) or type(refusal).__name__
        self._adapter.on_history(
            HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)
        )

    async def _closed_bars(self, request: HistoryRequest) -> tuple[BarData, ...]:
        interval = Interval.parse(request.interval)
        if self._session.find_instrument(request.instrument_id) is None:
            raise ConfigError(f"{self._session.name} does not list {request.instrument_id}")
        name = name_of(interval, self._session.exchange)
        count = index(request.count)
        if not 0 < count <= MOST:
            raise ConfigError(f"{count} bars of {name}: ask for 1 to {MOST}")
        end_ns = min(request.end_ns, self._session.clock.now_ns())
        start_ns = max(0, end_ns - end_ns % interval.duration_ns - count * interval.duration_ns)
        found: list[BarData] = []
        while start_ns + interval.duration_ns <= end_ns:
            page = await closed_bars(self._session, request.instrument_id, interval, name, start_ns)
            page = [bar for bar in page if bar.close_time_ns <= end_ns]
            if not page:
                break
            found += page
            start_ns = page[-1].close_time_ns
        return tuple(found[-count:])
