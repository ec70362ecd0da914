"""Market data asked for by REST: snapshots, quotes and prints, and the polling that stands in where no stream can be had."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.frames import (
    BookTickerFrame,
    Id,
    Price,
    Size,
    Symbol,
    TickerFrame,
    Time,
    TradeFrame,
    to_ns,
)
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.binance.topics import TopicKind
from foxtrot.adapter.book_stream import BookStream
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import AdapterError, BadMessage, OffGrid
from foxtrot.domain.market import REST, DepthData, MarketTrade
from foxtrot.domain.subscription import SubscribeRequest

SNAPSHOT_LEVELS = 1000
POLLED_LEVELS = 100
BOOK_FAILURES = 3
"""After so many requests in a row that failed, a book that is had by requests is not believed any more."""
BOOK_PATIENCE_S = 10.0
"""Nor after so long without an answer."""
TRADES_LIMIT = 1000
DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
"""The limits that both products know.

Source: Binance spot API, rest-api, Order book (any up to 5000); USDⓈ-M Futures, Order Book.
"""
PREFIX = {Product.SPOT: "publicGet", Product.PERPETUAL: "fapiPublicGet"}
"""What the names of ccxt's implicit methods begin with."""


class _BookTicker(msgspec.Struct, frozen=True, gc=False):
    symbol: Symbol
    bidPrice: Size  # noqa: N815  (the venue's name)
    bidQty: Size  # noqa: N815
    askPrice: Size  # noqa: N815
    askQty: Size  # noqa: N815
    time: Time | None = None


class _Ticker(msgspec.Struct, frozen=True, gc=False):
    symbol: Symbol
    lastPrice: Size  # noqa: N815
    lastQty: Size  # noqa: N815
    volume: Size
    quoteVolume: Size  # noqa: N815
    openPrice: Size  # noqa: N815
    highPrice: Size  # noqa: N815
    lowPrice: Size  # noqa: N815
    closeTime: Time  # noqa: N815
    prevClosePrice: Size = 0.0  # noqa: N815


class _Trade(msgspec.Struct, frozen=True, gc=False):
    id: Id
    price: Price
    qty: Price
    time: Time
    isBuyerMaker: bool  # noqa: N815


class RestMarket:
    """Asks for market data of one product.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession) -> None:
        self._session = session
        self._codec = MarketCodec(session.product)
        self._prefix = PREFIX[session.product]

    async def snapshot(self, symbol: str, levels: int = SNAPSHOT_LEVELS) -> DepthData:
        """Return a book.

        Source: Binance spot API, rest-api, Order book; USDⓈ-M Futures, Order Book.
        """
        raw = await self._ask("Depth", symbol, limit=str(_limit(levels)))
        return self._codec.snapshot(raw, self._session.clock.now_ns(), symbol)

    async def exact(self, instrument_id: str, levels: int) -> ExactBook:
        """Return a book with the venue's exact figures.

        Raises:
            AdapterError: it could not be had.
        """
        symbol = self._session.market_symbol(instrument_id)
        raw = await self._ask("Depth", symbol, limit=str(_limit(levels)))
        self._codec.snapshot(raw, 0, symbol)  # refuses what is none
        sides = [tuple((Decimal(p), Decimal(q)) for p, q in raw[side][:levels]) for side in ("bids", "asks")]
        return ExactBook(instrument_id, int(raw["lastUpdateId"]), sides[0], sides[1], "rest", 0.0)

    async def quote(self, symbol: str) -> BookTickerFrame:
        """Return the best bid and ask.

        Source: Binance spot API, rest-api, Symbol order book ticker; USDⓈ-M Futures, Symbol Order Book Ticker.
        """
        raw = _read(await self._ask("TickerBookTicker", symbol), _BookTicker, "ticker/bookTicker")
        return BookTickerFrame(symbol, 0, raw.bidPrice, raw.bidQty, raw.askPrice, raw.askQty, raw.time)

    async def totals(self, symbol: str) -> TickerFrame:
        """Return the last trade and the totals of 24 hours.

        Source: Binance spot API, rest-api, 24hr ticker price change statistics; USDⓈ-M Futures, likewise named.
        """
        t = _read(await self._ask("Ticker24hr", symbol), _Ticker, "ticker/24hr")
        return TickerFrame(
            symbol, t.closeTime, t.lastPrice, t.lastQty, t.volume, t.quoteVolume, t.openPrice, t.highPrice, t.lowPrice,
            t.prevClosePrice,
        )  # fmt: skip

    async def trades(self, symbol: str, limit: int = TRADES_LIMIT) -> list[TradeFrame]:
        """Return the latest prints, oldest first.

        Source: Binance spot API, rest-api, Recent trades list; USDⓈ-M Futures, Recent Trades List.
        """
        raw = _read(await self._ask("Trades", symbol, limit=str(limit)), list[_Trade], "trades")
        found = [TradeFrame(symbol, one.id, one.price, one.qty, one.time, one.isBuyerMaker) for one in raw]
        return sorted(found, key=lambda one: one.t)

    async def _ask(self, what: str, symbol: str, **params: str) -> Any:
        return await self._session.request(self._prefix + what, {"symbol": symbol, **params})


class _Polled:
    """A book that is had by requests: when it was last answered for, and how many requests have failed since."""

    def __init__(self, book: BookStream, heard_ns: int) -> None:
        self.book = book
        self.heard_ns = heard_ns
        self.failures = 0


class RestPoller:
    """Keeps instruments up to date by requests, one round at a time; prints are told once, by their ids.

    Thread: binance-io.
    """

    def __init__(self, market: RestMarket, now_ns: Callable[[], int]) -> None:
        self.rounds = 0
        self.failures = 0
        self.patience_s = BOOK_PATIENCE_S
        """How long a book that is had by requests is believed without an answer; more than the time between two rounds."""
        self._market = market
        self._now_ns = now_ns
        self._polled: dict[str, _Polled] = {}

    async def poll(
        self,
        request: SubscribeRequest,
        symbol: str,
        ticks: TickStream,
        book: BookStream | None,
        lacks: Callable[[TopicKind], bool],
    ) -> None:
        """Ask for everything a request wants of one instrument and no stream brings; what fails is tried in the next round.

        Args:
            request: what is wanted.
            symbol: the venue's name of the instrument.
            ticks: takes quotes and prints.
            book: takes snapshots.
            lacks: whether a stream is lacking; asked before each question and after its answer, for the stream may be quicker.
        """
        self.rounds += 1
        self._doubt_late()
        steps: list[Callable[[], Awaitable[None]]] = []
        if request.trades and lacks(TopicKind.TRADE):
            steps.append(lambda: self._trades(symbol, ticks, lambda: lacks(TopicKind.TRADE)))
        if request.ticks and lacks(TopicKind.QUOTE):
            steps.append(lambda: self.tick(symbol, ticks, fresh=False, wanted=lambda: lacks(TopicKind.QUOTE)))
        if book is not None and lacks(TopicKind.BOOK):
            steps.append(lambda: self._book(symbol, book, lambda: lacks(TopicKind.BOOK)))
        for step in steps:
            try:
                await step()
            except (AdapterError, OffGrid) as error:
                self.failures += 1
                logger.debug("polling {} failed: {}", symbol, error)

    async def tick(
        self, symbol: str, ticks: TickStream, *, fresh: bool, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Tell a tick of what is asked for now, if it is still wanted then; a fresh one yields to the stream's own quote."""
        totals = await self._market.totals(symbol)
        quote = await self._market.quote(symbol)
        if not wanted():
            return
        ticks.rest_totals(totals)
        if not fresh:
            ticks.forget_quote()
        ticks.rest_quote(quote, self._now_ns())
        ticks.publish(self._now_ns(), REST)

    async def _trades(self, symbol: str, ticks: TickStream, wanted: Callable[[], bool]) -> None:
        frames = await self._market.trades(symbol)
        if not wanted():
            return
        now_ns = self._now_ns()
        if not ticks.has_traded and frames:
            ticks.start_after(frames[-1].t)
        for frame in frames:
            if frame.t > ticks.last_id:
                ticks.trade(frame, now_ns, REST)

    async def _book(self, symbol: str, book: BookStream, wanted: Callable[[], bool]) -> None:
        levels = max(POLLED_LEVELS, book.levels) if not book.changes else SNAPSHOT_LEVELS
        try:
            snapshot = await self._market.snapshot(symbol, levels)
        except AdapterError as error:
            self._note_failure(symbol, book, error)
            raise
        if not wanted():
            return
        if not (book.polled and book.is_loaded and snapshot.update_id == book.update_id):
            self._take(book, snapshot)
        self._polled[symbol] = _Polled(book, self._now_ns())

    def _take(self, book: BookStream, snapshot: DepthData) -> None:
        """Take in a book; one off the grid leaves none behind, which is told."""
        try:
            book.load_polled(snapshot)
        except OffGrid as error:
            book.stale(f"asked for by REST: {error}")
            raise
        book.publish()

    def _note_failure(self, symbol: str, book: BookStream, error: AdapterError) -> None:
        """Let nobody believe a book that could not be asked for several times."""
        polled = self._polled.get(symbol)
        if polled is None or polled.book is not book:
            return
        polled.failures += 1
        if polled.failures >= BOOK_FAILURES:
            self._doubt(symbol, f"asked for by REST {polled.failures} times in vain: {error}")

    def _doubt_late(self) -> None:
        """Let nobody believe books that no answer has told of for long: the rounds stand still while a request does."""
        now_ns = self._now_ns()
        for symbol, polled in list(self._polled.items()):
            silent_s = (now_ns - polled.heard_ns) / 1e9
            if silent_s > self.patience_s:
                self._doubt(symbol, f"asked for by REST, without an answer for {silent_s:.0f} s")

    def _doubt(self, symbol: str, cause: str) -> None:
        book = self._polled.pop(symbol).book
        if book.polled and book.is_loaded:
            book.stale(cause)


def missing_trades(frames: list[TradeFrame], instrument_id: str, now_ns: int) -> list[MarketTrade]:
    """Return prints that were asked for as facts.

    Source: Binance spot API, rest-api, Recent trades list.
    """
    return [
        MarketTrade(
            instrument_id, to_ns(one.T), now_ns, str(one.t), one.p, one.q, Side.SELL if one.m else Side.BUY, REST
        )
        for one in frames
    ]  # fmt: skip


def _limit(levels: int) -> int:
    return next((limit for limit in DEPTH_LIMITS if limit >= levels), DEPTH_LIMITS[-1])


def _read(raw: object, kind: Any, what: str) -> Any:
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.MsgspecError as error:
        raise BadMessage("binance", what, str(error)) from None
