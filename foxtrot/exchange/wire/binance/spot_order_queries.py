"""What a customer may ask about its spot orders and fills.

The venue keeps 10 000 ended orders and 100 000 fills; when there are more, who has most of them loses its oldest, and what is
forgotten is not found here.
"""

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.spot_notes import OrderNotes
from foxtrot.exchange.wire.binance.spot_order_finder import OrderFinder
from foxtrot.exchange.wire.binance.spot_order_shapes import MS_NS, Fields, queried, trade_row
from foxtrot.exchange.wire.binance.spot_parameters import integer_of, limit_of, window_of
from foxtrot.exchange.wire.binance.venue_side import VenueSide


class SpotOrderQueries:
    """Reads orders and fills.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, notes: OrderNotes, finder: OrderFinder) -> None:
        self._side = side
        self._venue = side.venue
        self._notes = notes
        self._finder = finder

    def order(self, call: Call) -> Fields:
        """Return one order.

        Source: Binance spot API, REST, Query order; errors: -2013.

        Raises:
            ApiError: there is none of that name.
        """
        instrument = self._side.instrument(call.params["symbol"])
        found = self._finder.find(call.account, instrument, call.params, ("orderId", "origClientOrderId"))
        if found is None:
            raise ApiError(-2013, "Order does not exist.")
        return self._row(instrument, found)

    def open_orders(self, call: Call) -> list[Fields]:
        """Return the open orders, on one symbol or on all.

        Source: Binance spot API, REST, Current open orders; WebSocket API, openOrders.status.
        """
        symbol = call.params.get("symbol", "")
        wanted = [self._side.instrument(symbol)] if symbol else list(self._side.symbols().values())
        by_id = {instrument.instrument_id: instrument for instrument in wanted}
        orders = self._venue.open_orders(call.account)
        return [self._row(by_id[one.instrument_id], one) for one in orders if one.instrument_id in by_id]

    def all_orders(self, call: Call) -> list[Fields]:
        """Return orders on a symbol, open and ended: from an id or a time on, else the newest.

        Source: Binance spot API, REST, All orders.
        """
        instrument, limit = self._side.instrument(call.params["symbol"]), limit_of(call.params)
        first, (start, end) = integer_of(call.params, "orderId"), window_of(call.params)
        orders = [
            order
            for order in self._venue.all_orders(call.account, instrument.instrument_id)
            if order.order_id >= (first or 0) and _within(order.time_ns, start, end)
        ]
        forward = first is not None or start is not None
        return [self._row(instrument, order) for order in (orders[:limit] if forward else orders[-limit:])]

    def trades(self, call: Call) -> list[Fields]:
        """Return fills on a symbol: from an id or a time on, else the newest.

        Source: Binance spot API, REST, Account trade list: supported combinations of parameters; errors: -1128.

        Raises:
            ApiError: -1128, fromId together with a time.
        """
        instrument, limit = self._side.instrument(call.params["symbol"]), limit_of(call.params)
        first, order_id = integer_of(call.params, "fromId"), integer_of(call.params, "orderId")
        start, end = window_of(call.params)
        if first is not None and (start is not None or end is not None):
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        fills = [
            fill
            for fill in self._venue.fills(call.account)
            if fill.instrument_id == instrument.instrument_id
            and order_id in (None, fill.order_id)
            and fill.trade_id >= (first or 0)
            and _within(fill.time_ns, start, end)
        ]
        forward = first is not None or start is not None
        chosen = fills[:limit] if forward else fills[-limit:]
        return [trade_row(instrument, fill, self._list_of(fill)) for fill in chosen]

    def _list_of(self, fill: OrderFilled) -> int:
        order = self._venue.order(fill.account, fill.instrument_id, fill.order_id)
        return (order and order.pair) or -1

    def _row(self, instrument: Instrument, report: OrderReport) -> Fields:
        return queried(instrument, report, self._notes.seen(report.order_id))


def _within(time_ns: int, start_ms: int | None, end_ms: int | None) -> bool:
    time_ms = time_ns // MS_NS
    return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)
