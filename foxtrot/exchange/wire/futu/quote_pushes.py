"""What is pushed: quotes, K-lines, trades and whole books, as they change and once after subscribing."""

from typing import Any, Final

from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.endpoint import Push
from foxtrot.exchange.wire.futu.kline_series import Bar
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.quote_limits import BOOK_LEVELS, FIGURES, QuoteSettings
from foxtrot.exchange.wire.futu.quote_quota import Slot
from foxtrot.exchange.wire.futu.quote_rows import (
    CACHED,
    REALTIME,
    add_klines,
    fill_basic,
    fill_book,
    fill_security,
    fill_ticker,
)
from foxtrot.exchange.wire.futu.quote_sessions import QUIET, Stretch
from foxtrot.exchange.wire.futu.quote_stocks import Stock, StockTable
from foxtrot.exchange.wire.futu.quote_subscriptions import Subscription, SubscriptionDesk
from foxtrot.exchange.wire.futu.quote_types import BASIC, KLINES_BY_SUB, ORDER_BOOK, TICKER, KlineKind

UPDATE_BASIC, UPDATE_KL, UPDATE_TICKER, UPDATE_BOOK = 3005, 3007, 3011, 3013
_LEVELS: Final = FIGURES["pushed_levels"].value
Told = tuple[FutuClient, int, Any, str]
"""Client, protocol id, S2C and key, as `Push` takes them."""


class QuotePushes:
    """Makes the pushes of the quote side.

    A book or a quote goes under a key of its stock, a K-line under one of itself: of each only the newest state counts. Trades go
    without: each is told.

    Thread: exchange-io.
    """

    def __init__(self, table: StockTable, desk: SubscriptionDesk, push: Push, settings: QuoteSettings) -> None:
        self._table = table
        self._desk = desk
        self._push = push
        self._settings = settings
        self._told_books: dict[tuple[int, str], int] = {}

    def on_trade(self, stock: Stock, trade: TradePrinted) -> None:
        """Push a trade, the K-lines it moved and the quote; one of a time in which nothing trades is not told.

        Source: Futu OpenAPI documentation, Real-time Tick-by-Tick, Candlestick and Quote Callback.
        """
        stretch = self._table.add(stock, trade)
        if stretch is None or not self._table.side.quote_is_up:
            return
        for client, held in self._desk.hearers((stock.key, TICKER)):
            if stretch.is_regular or held.is_extended:
                self._push(client, UPDATE_TICKER, self._ticker(stock, (trade,), REALTIME), "")
        for kind in self._desk.slots.kinds(stock.key):
            if kind in KLINES_BY_SUB:
                self._push_kline(stock, KLINES_BY_SUB[kind], stretch)
        self.on_quote(stock)

    def on_quote(self, stock: Stock) -> None:
        """Push the quote: a trade or a halt has changed it.

        Source: Futu OpenAPI documentation, Real-time Quote Callback.
        """
        side = self._table.side
        hearers = self._desk.hearers((stock.key, BASIC))
        if hearers and side.quote_is_up and side.phase(stock.market, side.now_ns()) not in QUIET:
            s2c = self._basic(stock)
            for client, _ in hearers:
                self._push(client, UPDATE_BASIC, s2c, _key(UPDATE_BASIC, stock))

    def on_change(self, stock: Stock) -> None:
        """Push the whole book when it has changed and the market is in a time of trading.

        Source: Futu OpenAPI documentation, Real-time Order Book Callback.
        """
        side, name = self._table.side, stock.instrument.instrument_id
        hearers = self._desk.hearers((stock.key, ORDER_BOOK))
        if not hearers or not side.quote_is_up:
            return
        update_id = side.venue.depth(name, 1)[0]
        if self._told_books.get(stock.key) == update_id or side.phase(stock.market, side.now_ns()) in QUIET:
            return
        self._told_books[stock.key] = update_id
        s2c = self.book(new_answer(UPDATE_BOOK), stock, _LEVELS)
        for client, _ in hearers:
            self._push(client, UPDATE_BOOK, s2c, _key(UPDATE_BOOK, stock))

    def first(self, client: FutuClient, slots: list[Slot]) -> None:
        """Push what is known of each subscription once, in the order in which they were asked for.

        Source: Qot_Sub.proto, isFirstPush: what there is already.
        """
        for key, kind in slots:
            stock, held = self._table.by_key(key), self._desk.held(client, (key, kind))
            if stock is not None and held is not None:
                for proto_id, s2c, push_key in self._known(stock, kind, held):
                    self._push(client, proto_id, s2c, push_key)

    def book(self, s2c: Any, stock: Stock, levels: int) -> Any:
        """Fill an answer or a push with as many levels of a book as the quote right shows.

        Source: Futu OpenAPI documentation, Get Real-time Order Book, Details of price levels.
        """
        right = self._settings.rights.get(stock.market, "")
        fill_book(s2c, self._table, stock, min(levels, BOOK_LEVELS.get((stock.market, right), _LEVELS)))
        return s2c

    def _known(self, stock: Stock, kind: int, held: Subscription) -> list[tuple[int, Any, str]]:
        if kind == BASIC:
            return [(UPDATE_BASIC, self._basic(stock), _key(UPDATE_BASIC, stock))]
        if kind == ORDER_BOOK:
            return [(UPDATE_BOOK, self.book(new_answer(UPDATE_BOOK), stock, _LEVELS), _key(UPDATE_BOOK, stock))]
        if kind == TICKER:
            newest = self._table.side.venue.trades(stock.instrument.instrument_id, 1)
            return [(UPDATE_TICKER, self._ticker(stock, newest, CACHED), "")] if newest else []
        kline = KLINES_BY_SUB[kind]
        bars = self._table.memory(stock).series(kline, extended=held.is_extended).last(1)
        return [self._kline(stock, kline, bar, rehab) for bar in bars for rehab in held.rehabs]

    def _push_kline(self, stock: Stock, kind: KlineKind, stretch: Stretch) -> None:
        for client, held in self._desk.hearers((stock.key, kind.sub_type)):
            series = self._table.latest(stock).series(kind, extended=held.is_extended)
            if series.bars and series.counts(stretch):
                for rehab in held.rehabs:
                    self._push(client, *self._kline(stock, kind, series.bars[-1], rehab))

    def _basic(self, stock: Stock) -> Any:
        s2c = new_answer(UPDATE_BASIC)
        fill_basic(s2c.basicQotList.add(), self._table, stock)
        return s2c

    def _ticker(self, stock: Stock, trades: tuple[TradePrinted, ...], pushed: int) -> Any:
        s2c = new_answer(UPDATE_TICKER)
        fill_security(s2c.security, stock)
        s2c.name = stock.name
        stretches = self._table.latest(stock).stretches
        for trade in trades:
            fill_ticker(s2c.tickerList.add(), stock, trade, stretches, pushed)
        return s2c

    def _kline(self, stock: Stock, kind: KlineKind, bar: Bar, rehab: int) -> tuple[int, Any, str]:
        s2c = new_answer(UPDATE_KL)
        fill_security(s2c.security, stock)
        s2c.name = stock.name
        s2c.rehabType, s2c.klType = rehab, kind.kl_type
        add_klines(s2c.klList, stock, [bar], kind, self._table.latest(stock).stretches)
        return UPDATE_KL, s2c, f"{_key(UPDATE_KL, stock)}:{kind.kl_type}:{rehab}:{bar.open_ns}"


def _key(proto_id: int, stock: Stock) -> str:
    return f"{proto_id}:{stock.market}:{stock.code}"
