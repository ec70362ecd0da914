"""The spot exchange as its customers use it: what can be called to trade and to read an account, and what they hear."""

from collections.abc import Callable

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Routes, Security
from foxtrot.exchange.wire.binance.spot_account import SpotAccount
from foxtrot.exchange.wire.binance.spot_notes import OrderNotes
from foxtrot.exchange.wire.binance.spot_order_desk import SpotOrderDesk
from foxtrot.exchange.wire.binance.spot_order_finder import OrderFinder
from foxtrot.exchange.wire.binance.spot_order_lists import SpotOrderLists
from foxtrot.exchange.wire.binance.spot_order_queries import SpotOrderQueries
from foxtrot.exchange.wire.binance.spot_replace import SpotReplace
from foxtrot.exchange.wire.binance.spot_user_events import Deliverer, SpotUserEvents
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_Handler = Callable[[Call], object]
_Row = tuple[str, str, str, _Handler, int | Callable[[Call], int], tuple[str, ...]]
"""Method, REST path, ws-api method ("" for none), handler, weight, required parameters."""

_SYMBOL = ("symbol",)
_NEW_ORDER = ("symbol", "side", "type")
_OCO = ("symbol", "side", "quantity", "aboveType", "belowType")
_LISTS = {"oto": "OTO", "otoco": "OTO", "opo": "OPO", "opoco": "OPO"}


class SpotTrading:
    """Spot trading, accounts and user-data events on the embedded venue.

    Thread: exchange-io.

    Args:
        side: the spot side of the venue.
        channels: who brings user-data events to the connections.
    """

    def __init__(self, side: VenueSide, channels: Deliverer) -> None:
        notes = OrderNotes()
        finder = OrderFinder(side, notes)
        self._desk = SpotOrderDesk(side, notes, finder)
        self._replace = SpotReplace(side, self._desk, notes, finder)
        self._queries = SpotOrderQueries(side, notes, finder)
        self._lists = SpotOrderLists(side, self._desk, notes, finder)
        self._account = SpotAccount(side, self._desk)
        self._events = SpotUserEvents(side, channels, notes, self._account.updated_ns)

    def on_event(self, event: VenueEvent) -> None:
        """Tell an account what happened to it.

        Source: Binance spot API, User Data Streams.
        """
        self._events.hear(event)

    def tick(self, now_ns: int) -> None:
        """Tell what still waits to be told.

        Source: Binance spot API, User Data Streams.
        """
        self._events.flush()

    def routes(self) -> Routes:
        """Return every call that trades or reads an account, REST and ws-api.

        Source: Binance spot API, REST and WebSocket API, Trading and Account endpoints; Wallet API.
        """
        routes: Routes = {}
        for method, path, ws_method, handler, weight, required in (*self._orders(), *self._questions()):
            counts = handler in (self._desk.place, self._replace.cancel_replace)
            endpoint = Endpoint(handler, Security.SIGNED, weight, counts, required)
            routes[method, path] = endpoint
            if ws_method:
                routes["WS", ws_method] = endpoint
        return routes | _wallet(self._account) | _order_lists(self._lists) | _margin()

    def _orders(self) -> tuple[_Row, ...]:
        desk, replace = self._desk, self._replace
        changes = (*_NEW_ORDER, "cancelReplaceMode")
        return (
            ("POST", "/api/v3/order", "order.place", desk.place, 1, _NEW_ORDER),
            ("POST", "/api/v3/order/test", "order.test", self._account.test_order, 1, _NEW_ORDER),
            ("DELETE", "/api/v3/order", "order.cancel", desk.cancel, 1, _SYMBOL),
            ("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", desk.cancel_all, 1, _SYMBOL),
            ("POST", "/api/v3/order/cancelReplace", "order.cancelReplace", replace.cancel_replace, 1, changes),
            (
                "PUT",
                "/api/v3/order/amend/keepPriority",
                "order.amend.keepPriority",
                replace.amend,
                4,
                ("symbol", "newQty"),
            ),
        )

    def _questions(self) -> tuple[_Row, ...]:
        asked, account = self._queries, self._account
        return (
            ("GET", "/api/v3/order", "order.status", asked.order, 4, _SYMBOL),
            ("GET", "/api/v3/openOrders", "openOrders.status", asked.open_orders, _open_orders_weight, ()),
            ("GET", "/api/v3/allOrders", "allOrders", asked.all_orders, 20, _SYMBOL),
            ("GET", "/api/v3/myTrades", "myTrades", asked.trades, _trades_weight, _SYMBOL),
            ("GET", "/api/v3/account", "account.status", account.account, 20, ()),
            ("GET", "/api/v3/account/commission", "account.commission", account.commission, 20, _SYMBOL),
        )


def _open_orders_weight(call: Call) -> int:
    return 6 if call.params.get("symbol") else 80


def _trades_weight(call: Call) -> int:
    return 5 if call.params.get("orderId") else 20


def _wallet(account: SpotAccount) -> Routes:
    rows: tuple[tuple[str, _Handler], ...] = (
        ("/sapi/v1/asset/tradeFee", account.trade_fees),
        ("/sapi/v1/capital/config/getall", account.coins),
        ("/sapi/v1/account/apiRestrictions", account.restrictions),
    )
    return {("GET", path): Endpoint(handler, Security.SIGNED) for path, handler in rows}


def _order_lists(lists: SpotOrderLists) -> Routes:
    """Return the order-list calls: one-cancels-the-other is taken, what triggers another order is not."""
    rows: tuple[tuple[str, str, str, Endpoint], ...] = (
        ("GET", "/api/v3/openOrderList", "openOrderLists.status", Endpoint(lists.open_lists, Security.SIGNED, 6)),
        ("GET", "/api/v3/allOrderList", "allOrderLists", Endpoint(lists.all_lists, Security.SIGNED, 20)),
        ("GET", "/api/v3/orderList", "orderList.status", Endpoint(lists.order_list, Security.SIGNED, 4)),
        (
            "DELETE",
            "/api/v3/orderList",
            "orderList.cancel",
            Endpoint(lists.cancel, Security.SIGNED, required=_SYMBOL),
        ),
        (
            "POST",
            "/api/v3/orderList/oco",
            "orderList.place.oco",
            Endpoint(lists.place, Security.SIGNED, counts_order=True, required=_OCO, orders=2),
        ),
    )
    routes: Routes = {}
    for method, path, ws_method, endpoint in rows:
        routes[method, path] = routes["WS", ws_method] = endpoint
    for name, kind in _LISTS.items():
        refused = Endpoint(_refusal(-2010, f"{kind} orders are not supported for this symbol"), Security.SIGNED)
        routes["POST", f"/api/v3/orderList/{name}"] = routes["WS", f"orderList.place.{name}"] = refused
    former = Endpoint(_refusal(-2010, "OCO orders are not supported for this symbol"), Security.SIGNED)
    routes["POST", "/api/v3/order/oco"] = routes["WS", "orderList.place"] = former
    return routes


def _margin() -> Routes:
    """Return the margin calls that clients make by themselves: no pair can be traded on margin, no account has it."""
    routes: Routes = {("GET", "/sapi/v1/margin/allPairs"): Endpoint(_none, Security.KEY)}
    routes["GET", "/sapi/v1/margin/isolated/allPairs"] = Endpoint(_none, Security.SIGNED, 10)
    refused = Endpoint(_refusal(-3003, "Margin account does not exist."), Security.SIGNED, 10)
    for path in ("account", "isolated/account", "openOrders", "allOrders", "myTrades", "order"):
        routes["GET", f"/sapi/v1/margin/{path}"] = refused
    routes["POST", "/sapi/v1/margin/order"] = routes["DELETE", "/sapi/v1/margin/order"] = refused
    return routes


def _none(_call: Call) -> list[object]:
    return []


def _refusal(code: int, text: str) -> _Handler:
    def refuse(_call: Call) -> object:
        raise ApiError(code, text)

    return refuse
