"""Questions about orders: by our id, by lists, and for the fills of one; the answers go to the tracker."""

from collections.abc import Mapping, Sequence

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.errors import VENUE
from foxtrot.adapter.binance.exact import Exact, read
from foxtrot.adapter.binance.order_codec import is_conditional
from foxtrot.adapter.binance.order_lists import check_pair, rows_of_answer
from foxtrot.adapter.binance.report_codec import ReportCodec
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import BadMessage, OffGrid, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, STREAM
from foxtrot.domain.order import ApprovedOrder, OrderData, TradeData

NOT_FOUND = frozenset({"-2013", "-2011"})
"""There is no such order.

Source: Binance spot API, Errors (-2013 NO_SUCH_ORDER); USDⓈ-M Futures, Error Codes.
"""


ARCHIVED = "-2026"
"""The order ended without a fill more than 90 days ago.

Source: Binance spot API, Errors (-2026 ORDER_ARCHIVED).
"""
FILLS_PAGE = 1000
"""The most fills in one answer."""


class _LastPrice(Exact, frozen=True):
    price: str


class _FillId(Exact, frozen=True):
    id: int


class OrderQueries:
    """Asks the venue about orders of one account.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession, tracker: OrderTracker) -> None:
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._spot = session.product is Product.SPOT
        self.codec = ReportCodec(session.product, adapter.account)

    async def ask(self, order_id: str, instrument_id: str) -> bool:
        """Ask for one order and tell what came; False when the venue has no such order.

        Raises:
            AdapterError: no answer, or one that says nothing about the order.
        """
        last = self._tracker.last(order_id)
        if self._spot or (last is not None and not is_conditional(last.order_type, self._session.product)):
            return await self._ask_plain(order_id, instrument_id)
        if last is not None:
            return await self._ask_conditional(order_id, instrument_id)
        return await self._ask_plain(order_id, instrument_id) or await self._ask_conditional(order_id, instrument_id)

    async def last_price_units(self, instrument: Instrument) -> int:
        """Return the last price, by which Binance measures a trailing distance.

        Raises:
            AdapterError: it could not be had.

        Source: Binance spot API, rest-api, Symbol price ticker; USDⓈ-M Futures, Symbol Price Ticker.
        """
        endpoint = "publicGetTickerPrice" if self._spot else "fapiPublicGetTickerPrice"
        answer = await self._session.request(endpoint, {"symbol": instrument.symbol})
        try:
            return instrument.price_grid.from_decimal(read(_LastPrice, answer, "last price").price)
        except OffGrid as error:
            raise BadMessage(VENUE, "last_price", str(error)) from None

    async def ask_fills(self, order: OrderData) -> None:
        """Ask for all fills of one order and tell those that are new; a full page means that there are others before or after.

        Raises:
            AdapterError: no answer, or not a list of fills.

        Source: Binance spot API, rest-api, Account trade list (orderId with fromId); USDⓈ-M Futures, Account Trade List.
        """
        rows = await self._fills_page(order, {})
        if len(rows) >= FILLS_PAGE:
            rows = await self._fills_page(order, {"fromId": "1"})
        while rows:
            now_ns = self._adapter.clock.now_ns()
            for row in rows:
                self._tracker.fill(self.codec.trade_row(row, order.order_id, now_ns))
            if len(rows) < FILLS_PAGE:
                return
            last = read(_FillId, rows[-1], "fill").id
            rows = await self._fills_page(order, {"fromId": str(last + 1)})

    async def _fills_page(self, order: OrderData, which: dict[str, str]) -> list[dict[str, object]]:
        symbol = self._session.market_symbol(order.instrument_id)
        params = {"symbol": symbol, "orderId": order.venue_order_id, "limit": str(FILLS_PAGE)} | which
        endpoint = "privateGetMyTrades" if self._spot else "fapiPrivateGetUserTrades"
        return rows_of(await self._session.request(endpoint, params))

    async def is_listed(self, order_id: str, instrument_id: str, since_ns: int) -> bool:
        """Look for an order among the open ones and among all since a time, and tell it when it is there.

        Raises:
            AdapterError: a list could not be had.
        """
        symbol = self._session.market_symbol(instrument_id)
        since = {"symbol": symbol, "startTime": str(since_ns // 1_000_000), "limit": "1000"}
        if self._spot:
            asked = (("privateGetOpenOrders", {"symbol": symbol}), ("privateGetAllOrders", since))
            return await self._is_in(asked, order_id, conditional=False)
        plain = (("fapiPrivateGetOpenOrders", {"symbol": symbol}), ("fapiPrivateGetAllOrders", since))
        waiting = (("fapiPrivateGetOpenAlgoOrders", {"symbol": symbol}), ("fapiPrivateGetAllAlgoOrders", since))
        found = await self._is_in(plain, order_id, conditional=False)
        return found or await self._is_in(waiting, order_id, conditional=True)

    def take_plain(self, raw: object, source: str = STREAM) -> OrderData:
        """Tell an ordinary order of an answer, under the id of the conditional one that became it.

        `source` is REST where the order was asked for; the answer to placing or cancelling it is as good as the stream.

        Raises:
            BadMessage: it is no order.
        """
        order, fills = self.codec.order_row(raw, self._adapter.clock.now_ns())
        order = of_source(order, source)
        self.tell(order, *fills)
        return order

    def read_plain(self, raw: object) -> OrderData:
        """Return an ordinary order of an answer without telling it.

        Raises:
            BadMessage: it is no order.
        """
        return self.codec.order_row(raw, self._adapter.clock.now_ns())[0]

    def take_conditional(self, raw: object, source: str = STREAM) -> tuple[OrderData, str]:
        """Tell a conditional order of an answer; returns it and the venue's id of the order it became.

        Raises:
            BadMessage: it is no such order.
        """
        order, spawned = self.codec.algo_row(raw, self._adapter.clock.now_ns())
        order = of_source(order, source)
        if spawned:
            self._tracker.note_id(order.instrument_id, spawned, order.order_id)
        self._tracker.report(order)
        return order, spawned

    def tell(self, order: OrderData, *trades: TradeData) -> None:
        """Give the tracker a state and fills under the id that the order was told by first."""
        known = self._tracker.order_id_of(order.instrument_id, order.venue_order_id)
        if known and known != order.order_id and not self._tracker.knows(order.order_id):
            order = msgspec.structs.replace(order, order_id=known)
            trades = tuple(msgspec.structs.replace(trade, order_id=known) for trade in trades)
        self._tracker.report(order, *trades)

    async def _ask_plain(self, order_id: str, instrument_id: str) -> bool:
        endpoint = "privateGetOrder" if self._spot else "fapiPrivateGetOrder"
        params = {"symbol": self._session.market_symbol(instrument_id)} | name_of(order_id)
        raw = await self._found(endpoint, params)
        if raw is None:
            return False
        self._check_echo(order_id, self.take_plain(raw, REST))
        return True

    async def _ask_conditional(self, order_id: str, instrument_id: str) -> bool:
        raw = await self._found("fapiPrivateGetAlgoOrder", {"clientAlgoId": order_id})
        if raw is None:
            return False
        order, spawned = self.take_conditional(raw, REST)
        self._check_echo(order_id, order)
        if spawned:
            symbol = self._session.market_symbol(instrument_id)
            child = await self._found("fapiPrivateGetOrder", {"symbol": symbol, "orderId": spawned})
            if child is not None:
                self.take_plain(child, REST)
        return True

    async def _found(self, endpoint: str, params: Mapping[str, str]) -> object | None:
        """Return the answer, or None when the venue says that there is no such order."""
        try:
            answer: object = await self._session.request(endpoint, params)
        except VenueRejected as refusal:
            if refusal.code in NOT_FOUND or refusal.code == ARCHIVED:
                return None
            raise
        return answer

    async def _is_in(
        self, asked: "tuple[tuple[str, Mapping[str, str]], ...]", order_id: str, *, conditional: bool
    ) -> bool:
        field = "clientAlgoId" if conditional else "clientOrderId"
        for endpoint, params in asked:
            for row in rows_of(await self._session.request(endpoint, params)):
                if row.get(field) != order_id:
                    continue
                if conditional:
                    self.take_conditional(row, REST)
                else:
                    self.take_plain(row, REST)
                return True
        return False

    @staticmethod
    def _check_echo(order_id: str, order: OrderData) -> None:
        if order_id not in (order.order_id, f"venue{order.venue_order_id}"):
            raise BadMessage(VENUE, "echo", f"asked for order {order_id}, told of {order.order_id}")


def take_pair(queries: OrderQueries, orders: Sequence[ApprovedOrder], answer: object) -> None:
    """Tell both orders of the answer to a new order list, if it speaks of the orders that were sent.

    Raises:
        BadMessage: it does not; then neither is told.
    """
    rows = rows_of_answer(answer)
    check_pair(orders, [queries.read_plain(row) for row in rows])
    for row in rows:
        queries.take_plain(row)


def name_of(order_id: str) -> dict[str, str]:
    """Return how Binance is told which order is meant; what was placed without an id of its own has the venue's."""
    number = order_id.removeprefix("venue")
    if number != order_id and number.isdecimal():
        return {"orderId": number}
    return {"origClientOrderId": order_id}


def of_source(order: OrderData, source: str) -> OrderData:
    """Return an order as heard of by a source."""
    return order if source == order.source else msgspec.structs.replace(order, source=source)


def rows_of(answer: object) -> list[dict[str, object]]:
    """Return the rows of a list; USD-M's older lists of conditional orders wrap them in `orders`.

    Raises:
        BadMessage: it is no list of rows.
    """
    if isinstance(answer, dict):
        answer = answer.get("orders", answer)
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise BadMessage(VENUE, "bad_message", f"a list of rows was asked for, not {type(answer).__name__}")
    return answer
