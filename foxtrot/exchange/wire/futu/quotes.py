"""The quote side of FutuOpenD: subscriptions, what is pushed, what can be asked for."""

from collections.abc import Mapping
from typing import Any, Final

from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    FundingPaid,
    PositionChanged,
    TradePrinted,
    TradingStateChanged,
    VenueEvent,
)
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.endpoint import Handler, Push
from foxtrot.exchange.wire.futu.kline_history import REQUEST_HISTORY, KlineHistory
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings
from foxtrot.exchange.wire.futu.quote_live import GET_BASIC, GET_BOOK, GET_KL, GET_TICKER, LiveQuotes
from foxtrot.exchange.wire.futu.quote_pushes import QuotePushes
from foxtrot.exchange.wire.futu.quote_stocks import StockTable
from foxtrot.exchange.wire.futu.quote_subscriptions import SubscriptionDesk
from foxtrot.exchange.wire.futu.static_info import GET_SNAPSHOT, GET_STATIC, StaticInfo
from foxtrot.exchange.wire.futu.trade_dates import REQUEST_TRADE_DATE, TradeDates
from foxtrot.exchange.wire.futu.venue_side import FutuSide

SUB, REG_PUSH, GET_SUB_INFO = 3001, 3002, 3003
_CAUSES_PUSHES: Final = frozenset({SUB, REG_PUSH})
_MOVES_NO_MARKET: Final = frozenset({BalanceChanged, PositionChanged, ChargeBooked, FundingPaid})


class Quotes:
    """Everything about quotes that FutuOpenD answers and pushes.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it; its `limits` switch decides whether quotas and frequencies refuse anything.
        push: how a push leaves.
        settings: quote rights and quotas.
    """

    def __init__(self, side: FutuSide, push: Push, settings: QuoteSettings | None = None) -> None:
        self.settings = settings or QuoteSettings()
        self._side = side
        self._table = StockTable(side)
        self._desk = SubscriptionDesk(self._table, self.settings)
        self._pushes = QuotePushes(self._table, self._desk, push, self.settings)

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by protocol id.

        Source: Futu OpenAPI documentation, Protocol ID Introduction (quote).
        """
        live = LiveQuotes(self._table, self._desk, self._pushes)
        static = StaticInfo(self._table, self.settings)
        return {
            SUB: self._desk.sub,
            REG_PUSH: self._desk.reg_push,
            GET_SUB_INFO: self._sub_info,
            GET_BASIC: live.basic,
            GET_KL: live.klines,
            GET_TICKER: live.tickers,
            GET_BOOK: live.book,
            REQUEST_HISTORY: KlineHistory(self._table, self.settings).request,
            GET_STATIC: static.static,
            GET_SNAPSHOT: static.snapshot,
            REQUEST_TRADE_DATE: TradeDates(self._table).request,
        }

    def on_event(self, event: VenueEvent) -> None:
        """Push what an event of the venue changes: a trade at once, then the book.

        Source: Futu OpenAPI documentation, the callbacks of real-time data.
        """
        if type(event) in _MOVES_NO_MARKET:
            return
        stock = self._table.by_instrument(getattr(event, "instrument_id", ""))
        if stock is None:
            return
        if isinstance(event, TradePrinted):
            self._pushes.on_trade(stock, event)
        elif isinstance(event, TradingStateChanged):
            self._pushes.on_quote(stock)
        self._pushes.on_change(stock)

    def after_answer(self, client: FutuClient, proto_id: int) -> None:
        """Push what there is already of what was just subscribed.

        Source: Qot_Sub.proto and Qot_RegQotPush.proto, isFirstPush.
        """
        if proto_id in _CAUSES_PUSHES:
            self._pushes.first(client, self._desk.take_first(client))

    def tick(self, now_ns: int) -> None:
        """Free the slots that a quick close has left taken for a minute.

        Source: Futu OpenAPI documentation, Q&A, Quote related, 4.
        """
        self._desk.slots.expire(now_ns)

    def closed(self, client: FutuClient) -> None:
        """Hear that a connection is gone.

        Source: none; the socket is gone.
        """
        self._desk.closed(client)

    def _sub_info(self, client: FutuClient, c2s: Any) -> Any:
        return self._desk.info(client, c2s, new_answer(GET_SUB_INFO))
