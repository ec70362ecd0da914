"""Requests for what is subscribed: quote, K-lines, trades and book as they are now."""

from typing import Any, Final

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.quote_limits import FIGURES, refused
from foxtrot.exchange.wire.futu.quote_pushes import QuotePushes
from foxtrot.exchange.wire.futu.quote_rows import CACHED, add_klines, fill_basic, fill_security, fill_ticker
from foxtrot.exchange.wire.futu.quote_sessions import Stretches
from foxtrot.exchange.wire.futu.quote_stocks import Stock, StockTable
from foxtrot.exchange.wire.futu.quote_subscriptions import SubscriptionDesk
from foxtrot.exchange.wire.futu.quote_types import BASIC, KLINES, ORDER_BOOK, REHABS, TICKER, KlineKind

GET_BASIC, GET_KL, GET_TICKER, GET_BOOK = 3004, 3006, 3010, 3012
_MOST_LEVELS: Final = 1000


class LiveQuotes:
    """Handlers of Qot_GetBasicQot, Qot_GetKL, Qot_GetTicker and Qot_GetOrderBook.

    Thread: exchange-io.
    """

    def __init__(self, table: StockTable, desk: SubscriptionDesk, pushes: QuotePushes) -> None:
        self._table = table
        self._desk = desk
        self._pushes = pushes

    def basic(self, client: FutuClient, c2s: Any) -> Any:
        """Return the quotes of some stocks.

        Source: Qot_GetBasicQot.proto; Futu OpenAPI documentation, Get Real-time Quote.

        Raises:
            FutuRefused: unknown, or not subscribed.
        """
        stocks = [self._stock(client, security, BASIC) for security in c2s.securityList]
        if not stocks:
            raise refused("no_security")
        s2c = new_answer(GET_BASIC)
        for stock in stocks:
            fill_basic(s2c.basicQotList.add(), self._table, stock)
        return s2c

    def klines(self, client: FutuClient, c2s: Any) -> Any:
        """Return the newest K-lines of a stock, the one that still forms at the end.

        Source: Qot_GetKL.proto; Futu OpenAPI documentation, Get Real-time Candlestick.

        Raises:
            FutuRefused: unknown, not subscribed, or too many.
        """
        kind = kline_kind(c2s.klType)
        check_rehab(c2s.rehabType)
        stock = self._stock(client, c2s.security, kind.sub_type)
        most = FIGURES["kline_rows"].value
        held = self._desk.held(client, (stock.key, kind.sub_type))
        memory = self._table.memory(stock)
        series = memory.series(kind, extended=held is not None and held.is_extended)
        s2c = _named(GET_KL, stock)
        add_klines(s2c.klList, stock, series.last(_checked("reqNum", c2s.reqNum, most)), kind, memory.stretches)
        return s2c

    def tickers(self, client: FutuClient, c2s: Any) -> Any:
        """Return the newest trades of a stock, oldest first.

        Source: Qot_GetTicker.proto; Futu OpenAPI documentation, Get Real-time Tick-by-Tick.

        Raises:
            FutuRefused: unknown, not subscribed, or too many.
        """
        stock = self._stock(client, c2s.security, TICKER)
        most = _checked("maxRetNum", c2s.maxRetNum, FIGURES["ticker_rows"].value)
        held = self._desk.held(client, (stock.key, TICKER))
        is_extended = held is not None and held.is_extended
        stretches, s2c = self._table.memory(stock).stretches, _named(GET_TICKER, stock)
        found = self._table.side.venue.trades(stock.instrument.instrument_id, FIGURES["ticker_rows"].value)
        shown = [trade for trade in found if _is_shown(stretches, trade.time_ns, is_extended=is_extended)]
        for trade in shown[-most:]:
            fill_ticker(s2c.tickerList.add(), stock, trade, stretches, CACHED)
        return s2c

    def book(self, client: FutuClient, c2s: Any) -> Any:
        """Return the best levels of a book.

        Source: Qot_GetOrderBook.proto; Futu OpenAPI documentation, Get Real-time Order Book.

        Raises:
            FutuRefused: unknown, not subscribed, or an odd-lot book.
        """
        if c2s.orderBookType:
            raise refused("bad_type", kind=c2s.orderBookType, known="0 (whole lots)")
        stock = self._stock(client, c2s.security, ORDER_BOOK)
        return self._pushes.book(new_answer(GET_BOOK), stock, _checked("num", c2s.num, _MOST_LEVELS))

    def _stock(self, client: FutuClient, security: Any, kind: int) -> Stock:
        stock = self._table.find(security)
        self._desk.check_held(client, stock, kind)
        return stock


def kline_kind(kl_type: int) -> KlineKind:
    """Return a kind of K-line.

    Source: Qot_Common.proto, KLType.

    Raises:
        FutuRefused: there is none of that number.
    """
    found = KLINES.get(kl_type)
    if found is None:
        raise refused("bad_kline", value=kl_type, known=", ".join(f"{n} {one.name}" for n, one in KLINES.items()))
    return found


def check_rehab(rehab: int) -> None:
    """Refuse a rehabilitation type that there is not.

    Source: Qot_Common.proto, RehabType.

    Raises:
        FutuRefused: there is none of that number.
    """
    if rehab not in REHABS:
        raise refused("bad_rehab", value=rehab)


def _named(proto_id: int, stock: Stock) -> Any:
    s2c = new_answer(proto_id)
    fill_security(s2c.security, stock)
    s2c.name = stock.name
    return s2c


def _checked(name: str, value: int, most: int) -> int:
    if not 0 < value <= most:
        raise refused("bad_number", name=name, value=value, most=most)
    return value


def _is_shown(stretches: Stretches, ns: int, *, is_extended: bool) -> bool:
    stretch = stretches.of(ns)
    return stretch is not None and (stretch.is_regular or is_extended)
