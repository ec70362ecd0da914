"""Order lists of the spot exchange: one-cancels-the-other, entered, taken out and asked for."""

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import CancelOrder, PlaceOrder, PlacePair
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.order_errors import BAD_PRICES, DUPLICATE, UNKNOWN_ORDER, refused
from foxtrot.exchange.wire.binance.spot_list_shapes import legs_of, list_cancelled, list_fields, placed_ms
from foxtrot.exchange.wire.binance.spot_notes import OrderNotes
from foxtrot.exchange.wire.binance.spot_order_desk import SpotOrderDesk
from foxtrot.exchange.wire.binance.spot_order_finder import OrderFinder
from foxtrot.exchange.wire.binance.spot_order_request import OrderAsk, read_order
from foxtrot.exchange.wire.binance.spot_order_shapes import MS_NS, Fields, is_open
from foxtrot.exchange.wire.binance.spot_parameters import client_id_of, integer_of, limit_of, neither, window_of
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_Legs = tuple[OrderReport, ...]
_STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")
_OF_LEG = {
    "Type": "type",
    "ClientOrderId": "newClientOrderId",
    "IcebergQty": "icebergQty",
    "Price": "price",
    "StopPrice": "stopPrice",
    "TrailingDelta": "trailingDelta",
    "TimeInForce": "timeInForce",
}
_OF_BOTH = ("symbol", "side", "quantity", "selfTradePreventionMode")


class SpotOrderLists:
    """Enters, cancels and reads order lists. A list is numbered as its stop is.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, desk: SpotOrderDesk, notes: OrderNotes, finder: OrderFinder) -> None:
        self._side = side
        self._venue = side.venue
        self._desk = desk
        self._notes = notes
        self._finder = finder

    def place(self, call: Call) -> Fields:
        """Enter two orders of which one ends the other.

        Source: Binance spot API, REST, New Order list - OCO; WebSocket API, orderList.place.oco.

        Raises:
            ApiError: either order is refused, or their prices do not lie around the last one; nothing was entered.
        """
        self._desk.check_permission(call)
        instrument = self._side.instrument(call.params["symbol"])
        name = client_id_of(call.params, "listClientOrderId") or self._notes.new_name(call.time_ns)
        calls = [_leg_call(call, leg) for leg in ("above", "below")]
        self._check_prices(instrument, *(read_order(instrument, one.params) for one in calls))
        legs = sorted((self._desk.prepare(one) for one in calls), key=lambda leg: leg[0].type_name not in _STOPS)
        self._check_names(call, instrument, name, legs)
        since = self._venue.sequence
        result = self._venue.execute(PlacePair(call.time_ns, call.account, legs[0][1], legs[1][1], name))
        if not result.ok:
            raise refused(result)
        reports = self._find(call.account, instrument, result.order_id)
        answers = [
            self._desk.placed(ask, report, self._desk.note(ask, order, report), since)
            for (ask, order), report in zip(legs, reports, strict=True)
        ]
        now_ms = self._venue.time_ns // MS_NS
        return {**list_fields(instrument, reports, self._notes, now_ms), "orderReports": answers}

    def cancel(self, call: Call) -> Fields:
        """Take a list out: both its orders, or the one that is left of them.

        Source: Binance spot API, REST, Cancel Order list; WebSocket API, orderList.cancel.

        Raises:
            ApiError: -2011, there is no such list, or both orders have ended.
        """
        self._desk.check_permission(call)
        instrument = self._side.instrument(call.params["symbol"])
        name = client_id_of(call.params, "newClientOrderId") or self._notes.new_name(call.time_ns)
        legs = self._named(call, (instrument,), "listClientOrderId")
        left = [leg for leg in legs if is_open(leg)]
        if not left:
            raise ApiError(-2011, UNKNOWN_ORDER)
        for leg in legs:
            self._notes.of(leg.order_id).cancel_id = name
        order_id = left[0].order_id
        result = self._venue.execute(CancelOrder(call.time_ns, call.account, instrument.instrument_id, order_id))
        if not result.ok:
            raise refused(result)
        ended = self._find(call.account, instrument, legs[0].pair)
        return list_cancelled(instrument, ended, self._notes, self._venue.time_ns // MS_NS)

    def order_list(self, call: Call) -> Fields:
        """Return one list.

        Source: Binance spot API, REST, Query Order list; errors: -2013.

        Raises:
            ApiError: there is none of that name.
        """
        legs = self._named(call, tuple(self._side.symbols().values()), "origClientOrderId")
        if not legs:
            raise ApiError(-2013, "Order does not exist.")
        return self._row(legs)

    def open_lists(self, call: Call) -> list[Fields]:
        """Return the lists of which an order is open.

        Source: Binance spot API, REST, Query Open Order lists.
        """
        return [self._row(legs) for legs in self._all(call.account) if any(is_open(leg) for leg in legs)]

    def all_lists(self, call: Call) -> list[Fields]:
        """Return lists, open and ended: from a number or a time on, else the newest.

        Source: Binance spot API, REST, Query all Order lists; errors: -1128.

        Raises:
            ApiError: -1128, fromId together with a time.
        """
        first, limit, (start, end) = integer_of(call.params, "fromId"), limit_of(call.params), window_of(call.params)
        if first is not None and (start is not None or end is not None):
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        lists = [
            legs
            for legs in self._all(call.account)
            if legs[0].pair >= (first or 0)
            and (start or 0) <= placed_ms(legs) <= (placed_ms(legs) if end is None else end)
        ]
        forward = first is not None or start is not None
        return [self._row(legs) for legs in (lists[:limit] if forward else lists[-limit:])]

    def _check_prices(self, instrument: Instrument, above: OrderAsk, below: OrderAsk) -> None:
        stop, limit = (above, below) if above.side is Side.BUY else (below, above)
        if stop.type_name not in _STOPS or limit.type_name != "LIMIT_MAKER":
            raise ApiError(-1014, "Unsupported order combination.")
        last = self._venue.ticker(instrument.instrument_id).last_price
        low, high = (below.price, above.stop_price) if above.side is Side.BUY else (below.stop_price, above.price)
        if low >= high or (last and not low < last < high):
            raise ApiError(-2010, BAD_PRICES)

    def _check_names(
        self, call: Call, instrument: Instrument, name: str, legs: list[tuple[OrderAsk, PlaceOrder]]
    ) -> None:
        bearers = [self._finder.named(call.account, instrument, order.client_order_id) for _, order in legs]
        if any(bearer is not None and is_open(bearer) for bearer in bearers):
            raise ApiError(-2010, DUPLICATE)
        if legs[0][1].client_order_id == legs[1][1].client_order_id:
            raise ApiError(-2010, DUPLICATE)
        if any(order.pair_name == name for order in self._venue.open_orders(call.account)):
            raise ApiError(-2010, DUPLICATE)

    def _named(self, call: Call, wanted: tuple[Instrument, ...], parameter: str) -> _Legs:
        """Return the newest list that a call names; where number and name are given, both must fit."""
        number, name = integer_of(call.params, "orderListId"), client_id_of(call.params, parameter)
        if number is None and not name:
            raise neither(parameter, "orderListId")
        ids = {instrument.instrument_id for instrument in wanted}
        for legs in reversed(self._all(call.account)):
            fits = number in (None, legs[0].pair) and name in ("", legs[0].pair_name)
            if fits and legs[0].instrument_id in ids:
                return legs
        return ()

    def _all(self, account: str) -> list[_Legs]:
        names = [instrument.instrument_id for instrument in self._side.symbols().values()]
        orders = [order for name in names for order in self._venue.all_orders(account, name)]
        stops = sorted((o for o in orders if o.pair == o.order_id), key=lambda order: order.pair)
        return [legs for legs in (legs_of(self._venue, stop) for stop in stops) if legs]

    def _find(self, account: str, instrument: Instrument, pair: int) -> _Legs:
        stop = self._venue.order(account, instrument.instrument_id, pair)
        return legs_of(self._venue, stop) if stop is not None else ()

    def _row(self, legs: _Legs) -> Fields:
        instrument = self._side.instrument(legs[0].instrument_id.partition(".")[0])
        return list_fields(instrument, legs, self._notes, placed_ms(legs))


def _leg_call(call: Call, leg: str) -> Call:
    """Return the call that would enter one order of a list by itself."""
    params = {name: call.params[name] for name in _OF_BOTH if name in call.params}
    params |= {name: call.params[leg + end] for end, name in _OF_LEG.items() if leg + end in call.params}
    params["newOrderRespType"] = call.params.get("newOrderRespType") or "RESULT"
    return Call(params, call.account, call.time_ns, call.api_key, call.is_ws)
