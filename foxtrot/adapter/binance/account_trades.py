"""Our fills since a time, complete: per symbol, page by page, under the ids of the orders that made them."""

from collections.abc import Iterable

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.errors import Kind, kind_of_code
from foxtrot.adapter.binance.exact import read
from foxtrot.adapter.binance.frames import to_ns
from foxtrot.adapter.binance.order_frames import OrderRow, TradeRow
from foxtrot.adapter.binance.order_queries import rows_of
from foxtrot.adapter.binance.report_codec import ReportCodec
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import VenueRejected
from foxtrot.domain.order import TradeData

PAGE = 1_000
HOUR_MS = 3_600_000
SPOT_WINDOW_MS = 24 * HOUR_MS
USDM_WINDOW_MS = 7 * SPOT_WINDOW_MS
"""The longest span between startTime and endTime of one question.

Source: Binance spot API, rest-api, Account trade list; USDⓈ-M Futures, Trade, Account Trade List.
"""

PASSING = frozenset({"-1008", "-1021"})
"""Refusals that say nothing of the symbol: the server is busy, our clock is off.

Source: Binance spot API, Errors; USDⓈ-M Futures, Error Codes.
"""

Row = dict[str, object]


class TradeLists:
    """Asks for fills and finds out which of our orders they belong to.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession, tracker: OrderTracker) -> None:
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._spot = session.product is Product.SPOT
        self._endpoint = "privateGetMyTrades" if self._spot else "fapiPrivateGetUserTrades"
        self._codec = ReportCodec(session.product, adapter.account)
        self._last_ids: dict[str, int] = {}
        """The id of the last fill of a symbol that was in a list; ids of a symbol's fills grow."""
        self._listed_ns = 0
        self._refused: dict[str, int] = {}
        """Since when the fills of a symbol are lacking that the venue would not list; they are asked for again from there on."""

    async def since(self, symbols: Iterable[str], since_ns: int) -> tuple[TradeData, ...]:
        """Return our fills of some symbols since a time, inclusive, oldest first.

        Raises:
            AdapterError: a page could not be had or read.
        """
        self._last_ids.clear()
        self._listed_ns = self._adapter.clock.now_ns()
        found: list[TradeData] = []
        for symbol in sorted({*symbols, *self._refused}):
            found += await self._since(symbol, since_ns)
        return _sorted(found)

    async def news(self, symbols: Iterable[str]) -> tuple[TradeData, ...]:
        """Return our fills of some symbols that were in no list yet, oldest first, asked for by the id of the last one.

        Raises:
            AdapterError: a page could not be had or read.
        """
        found: list[TradeData] = []
        for symbol in sorted(symbols):
            # where no list was had: what is wanted since the lists were asked for; of older fills nobody has asked
            found += await (self._next(symbol) if symbol in self._last_ids else self._since(symbol, self._listed_ns))
        return _sorted(found)

    async def _since(self, symbol: str, since_ns: int) -> list[TradeData]:
        """Return a symbol's fills since a time; one that the venue refuses is left for later, so that the others are told."""
        since_ns = min(since_ns, self._refused.get(symbol, since_ns))
        try:
            facts = await self._take(symbol, await self._rows_since(symbol, since_ns), since_ns)
        except VenueRejected as refusal:
            self._leave_out(symbol, since_ns, refusal)
            return []
        self._refused.pop(symbol, None)
        return facts

    async def _next(self, symbol: str) -> list[TradeData]:
        """Return a symbol's fills after the last one that was listed; refused ones are asked for in the next round."""
        try:
            facts = await self._take(symbol, await self._rows_from(symbol, self._last_ids[symbol] + 1), 0)
        except VenueRejected as refusal:
            self._leave_out(symbol, self._listed_ns, refusal)
            return []
        self._refused.pop(symbol, None)
        return facts

    def _leave_out(self, symbol: str, since_ns: int, refusal: VenueRejected) -> None:
        if not is_of_symbol(refusal):
            raise refusal
        if symbol not in self._refused:
            logger.warning("{} fills of {} are left out for now: {}", self._adapter.account, symbol, refusal)
        self._refused[symbol] = since_ns

    async def _take(self, symbol: str, rows: list[Row], since_ns: int) -> list[TradeData]:
        """Return the facts of the rows since a time, and remember the last id of all."""
        wanted = [row for row in rows if _time_ns(row) >= since_ns]
        facts = await self._facts(symbol, wanted) if wanted else []
        self._last_ids[symbol] = max([self._last_ids.get(symbol, 0), *map(_id, rows)])
        return facts

    async def _rows_since(self, symbol: str, since_ns: int) -> list[Row]:
        """Return the rows of a symbol from a time on; the newest page alone is asked for where that reaches back far enough."""
        latest = await self._page(symbol, {})
        if len(latest) < PAGE or _time_ns(latest[0]) < since_ns:
            return latest
        first = 0 if since_ns <= 0 else await self._first_id(symbol, since_ns // 1_000_000, _id(latest[0]))
        return await self._rows_from(symbol, first)

    async def _rows_from(self, symbol: str, first: int) -> list[Row]:
        """Return the rows of a symbol from an id on."""
        rows: list[Row] = []
        while True:
            page = await self._page(symbol, {"fromId": str(first)})
            rows += page
            if len(page) < PAGE:
                return rows
            first = _id(page[-1]) + 1

    async def _first_id(self, symbol: str, since_ms: int, before: int) -> int:
        """Return the id of the first fill from a time on, looking through one window after the other."""
        window, now_ms = SPOT_WINDOW_MS if self._spot else USDM_WINDOW_MS, self._adapter.clock.now_ns() // 1_000_000
        start = since_ms
        while start <= now_ms:
            page = await self._page(symbol, {"startTime": str(start), "endTime": str(start + window - 1)})
            if page:
                return _id(page[0])
            start += window
        return before

    async def _page(self, symbol: str, which: dict[str, str]) -> list[Row]:
        params = {"symbol": symbol, "limit": str(PAGE)} | which
        return rows_of(await self._session.request(self._endpoint, params))

    async def _facts(self, symbol: str, rows: list[Row]) -> list[TradeData]:
        parsed = [read(TradeRow, row, "trade") for row in rows]
        owners = await self._owners(symbol, sorted({row.orderId for row in parsed}))
        now_ns = self._adapter.clock.now_ns()
        return [self._codec.trade_row(raw, owners[row.orderId], now_ns) for raw, row in zip(rows, parsed, strict=True)]

    async def _owners(self, symbol: str, venue_ids: list[int]) -> dict[int, str]:
        """Return our id of each order; an order that the venue no longer lists keeps a name made of the venue's id."""
        instrument_id = self._codec.instrument_id(symbol)
        owners = {number: self._tracker.order_id_of(instrument_id, str(number)) for number in venue_ids}
        if not self._spot and not all(owners.values()):
            owners |= {number: name for number, name in (await self._became(symbol)).items() if number in owners}
        unknown = [number for number, name in owners.items() if not name]
        while unknown:
            listed = await self._orders_from(symbol, unknown[0])
            for row in listed:
                if not owners.get(row.orderId, "known"):
                    owners[row.orderId] = row.clientOrderId or f"venue{row.orderId}"
                    self._tracker.note_id(instrument_id, str(row.orderId), owners[row.orderId])
            last = listed[-1].orderId if len(listed) == PAGE else unknown[-1]
            unknown = [number for number in unknown if not owners[number] and number > last]
        return {number: name or f"venue{number}" for number, name in owners.items()}

    async def _became(self, symbol: str) -> dict[int, str]:
        """Return the ids of the conditional orders by the number of the order that each became."""
        params = {"symbol": symbol, "limit": str(PAGE)}
        rows = await self._listed("fapiPrivateGetAllAlgoOrders", params)
        found = [self._codec.algo_row(row, 0) for row in rows]
        for order, spawned in found:
            if spawned:
                self._tracker.note_id(order.instrument_id, spawned, order.order_id)
        return {int(spawned): order.order_id for order, spawned in found if spawned}

    async def _orders_from(self, symbol: str, first: int) -> list[OrderRow]:
        endpoint = "privateGetAllOrders" if self._spot else "fapiPrivateGetAllOrders"
        params = {"symbol": symbol, "orderId": str(first), "limit": str(PAGE)}
        return [read(OrderRow, row, "order") for row in await self._listed(endpoint, params)]

    async def _listed(self, endpoint: str, params: dict[str, str]) -> list[Row]:
        """Return the rows of a list of orders; one that the venue refuses costs names, not fills."""
        try:
            return rows_of(await self._session.request(endpoint, params))
        except VenueRejected as refusal:
            logger.warning("{} names of the orders of {}: {}", self._adapter.account, params["symbol"], refusal)
            return []


def is_of_symbol(refusal: VenueRejected) -> bool:
    """Tell whether what was asked about one symbol is refused because of it, so that others may be answered, and now too."""
    return refusal.code not in PASSING and kind_of_code(refusal.code) is Kind.REFUSED


def _sorted(found: list[TradeData]) -> tuple[TradeData, ...]:
    return tuple(sorted(found, key=lambda trade: (trade.venue_time_ns, trade.instrument_id, int(trade.trade_id))))


def _time_ns(row: Row) -> int:
    return to_ns(read(TradeRow, row, "trade").time)


def _id(row: Row) -> int:
    return read(TradeRow, row, "trade").id
