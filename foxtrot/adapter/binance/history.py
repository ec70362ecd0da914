"""Past bars and prints of Binance: the last so many closed ones for the platform, and page by page for the store."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from operator import index

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.advice import unlisted
from foxtrot.adapter.binance.exact import bad
from foxtrot.adapter.binance.history_codec import bar_data, interval_name, market_trade, server_time_ns
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, FoxtrotError, RateLimited
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade
from foxtrot.domain.subscription import HistoryRequest

SPOT_PAGE, USDM_PAGE, TRADE_PAGE = 1_000, 1_500, 1_000
SPOT_PAUSE_S, USDM_PAUSE_S = 0.05, 0.3
"""Between two pages, so that a long download takes at most about half of the minute's weight.

Source: Binance spot API, rest-api, Kline/Candlestick data (weight 2 of 6,000); USDⓈ-M Futures, likewise (10 of 2,400).
"""
CLOSE_CALL_NS = 10_000_000_000
"""Bars that closed within so much of our own clock are judged by the venue's."""
MOST = 1_000_000

Question = Callable[[Mapping[str, str]], Awaitable[list[object]]]
_BAD_REQUEST = (FoxtrotError, TypeError, ValueError, OverflowError)


class History:
    """Asks for past bars and prints; the open bar is never among them.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession) -> None:
        self._adapter = adapter
        self._session = session
        self._spot = session.product is Product.SPOT
        self._page = SPOT_PAGE if self._spot else USDM_PAGE
        self._pause_s = SPOT_PAUSE_S if self._spot else USDM_PAUSE_S

    async def tell_history(self, request: HistoryRequest) -> None:
        """Publish the last closed bars that ended at or before a time, or why there are none. Never raises for a request."""
        try:
            bars, error = await self._closed_bars(request), ""
        except _BAD_REQUEST as refusal:
            bars, error = (), str(refusal) or type(refusal).__name__
        self._adapter.on_history(
            HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)
        )

    async def pages(
        self, instrument_id: str, interval: str, start_ns: int, end_ns: int
    ) -> AsyncIterator[tuple[BarData, ...]]:
        """Yield closed bars that open at or after a start and end at or before an end, oldest first, page by page.

        To go on after a break, ask from the last bar's close time on. A rate limit is waited for.

        Raises:
            ConfigError: instrument or interval cannot be had.
            AdapterError: the venue did not answer.
        """
        instrument, kind = self._instrument(instrument_id), Interval.parse(interval)
        name = interval_name(kind, spot=self._spot)
        start_ms, end_ns = -(-start_ns // 1_000_000), await self._closed_by(end_ns)
        while start_ms * 1_000_000 + kind.duration_ns <= end_ns:
            params = {
                "symbol": instrument.symbol, "interval": name, "startTime": str(start_ms),
                "endTime": str((end_ns - kind.duration_ns) // 1_000_000), "limit": str(self._page),
            }  # fmt: skip
            bars = self._bars(await self._patiently(self._klines, params), instrument, kind)
            if not bars:
                return
            yield tuple(bar for bar in bars if bar.close_time_ns <= end_ns)
            start_ms = bars[-1].open_time_ns // 1_000_000 + 1
            await self._session.wait_s(self._pause_s)

    async def trade_pages(
        self, instrument_id: str, start_ns: int, end_ns: int, from_id: int = -1
    ) -> AsyncIterator[tuple[MarketTrade, ...]]:
        """Yield aggregate prints from a start up to an end, inclusive, oldest first, page by page.

        To go on after a break, give the id after the last print's. For the store of ticks that `foxtrot data` will fill; until then
        only its tests call it.

        Raises:
            ConfigError: the instrument cannot be had.
            AdapterError: the venue did not answer.
        """
        instrument = self._instrument(instrument_id)
        params = {"symbol": instrument.symbol, "limit": str(TRADE_PAGE)}
        where = {"fromId": str(from_id)} if from_id >= 0 else {"startTime": str(-(-start_ns // 1_000_000))}
        while True:
            rows = await self._patiently(self._prints, params | where)
            now_ns = self._adapter.clock.now_ns()
            prints = [market_trade(row, instrument_id, now_ns) for row in rows]
            wanted = tuple(p for p in prints if start_ns <= p.venue_time_ns <= end_ns)
            if wanted:
                yield wanted
            if not prints or prints[-1].venue_time_ns > end_ns or (len(prints) < TRADE_PAGE and "fromId" in where):
                return
            where = {"fromId": str(int(prints[-1].trade_id) + 1)}
            await self._session.wait_s(self._pause_s)

    async def _closed_bars(self, request: HistoryRequest) -> tuple[BarData, ...]:
        """Return the bars of a request, asked for from the end backwards.

        Raises:
            ConfigError: the interval, the count or the instrument cannot be had.
            AdapterError: the venue did not answer.
        """
        instrument, interval = self._instrument(request.instrument_id), Interval.parse(request.interval)
        name = interval_name(interval, spot=self._spot)
        left = index(request.count)
        if not 0 < left <= MOST:
            raise ConfigError(f"{left} bars of {name}: ask for 1 to {MOST}")
        end_ns = await self._closed_by(request.end_ns)
        last_open_ms = (end_ns - interval.duration_ns) // 1_000_000
        found: list[BarData] = []
        while left > 0 and last_open_ms >= 0:
            limit = min(left, self._page)
            params = {"symbol": instrument.symbol, "interval": name, "endTime": str(last_open_ms), "limit": str(limit)}
            bars = self._bars(await self._patiently(self._klines, params), instrument, interval)
            closed = [bar for bar in bars if bar.close_time_ns <= end_ns]
            found[:0] = closed
            left -= len(closed)
            if len(bars) < limit:
                break
            last_open_ms = bars[0].open_time_ns // 1_000_000 - 1
        return tuple(found)

    async def _closed_by(self, end_ns: int) -> int:
        """Return the time up to which bars are wanted and closed by the venue's clock, which is asked where it is close."""
        now_ns = self._adapter.clock.now_ns()
        if end_ns <= now_ns - CLOSE_CALL_NS:
            return end_ns
        endpoint = "publicGetTime" if self._spot else "fapiPublicGetTime"
        return min(end_ns, server_time_ns(await self._session.request(endpoint, {})))

    async def _klines(self, params: Mapping[str, str]) -> list[object]:
        answer = await self._session.request("publicGetKlines" if self._spot else "fapiPublicGetKlines", params)
        return _rows(answer)

    async def _prints(self, params: Mapping[str, str]) -> list[object]:
        answer = await self._session.request("publicGetAggTrades" if self._spot else "fapiPublicGetAggTrades", params)
        return _rows(answer)

    async def _patiently(self, ask: Question, params: Mapping[str, str]) -> list[object]:
        """Ask, and after a rate limit ask again when the venue allows it."""
        while True:
            try:
                rows = await ask(params)
            except RateLimited as limit:
                logger.info("{} history waits {} s: {}", self._adapter.account, limit.retry_after_s, limit)
                await self._session.wait_s(limit.retry_after_s)
            else:
                return rows

    def _bars(self, rows: list[object], instrument: Instrument, interval: Interval) -> list[BarData]:
        now_ns = self._adapter.clock.now_ns()
        return [bar_data(row, instrument.instrument_id, interval, now_ns) for row in rows]

    def _instrument(self, instrument_id: str) -> Instrument:
        instrument = self._session.find_instrument(instrument_id)
        if instrument is None:
            raise ConfigError(unlisted(instrument_id, self._session.instruments))
        return instrument


def _rows(answer: object) -> list[object]:
    if not isinstance(answer, list):
        raise bad("history", f"a list was asked for, not {type(answer).__name__}")
    return answer
