"""Spot orders that customers enter and take out, with the answers of Binance's trading endpoints."""

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import CancelAll, CancelOrder, PlaceOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.numbers import decimal_text
from foxtrot.exchange.wire.binance.order_errors import DUPLICATE, UNKNOWN_ORDER, refused
from foxtrot.exchange.wire.binance.spot_filters import SpotFilters
from foxtrot.exchange.wire.binance.spot_list_shapes import legs_of, list_cancelled
from foxtrot.exchange.wire.binance.spot_notes import OrderNote, OrderNotes
from foxtrot.exchange.wire.binance.spot_order_finder import OrderFinder
from foxtrot.exchange.wire.binance.spot_order_request import OrderAsk, read_order
from foxtrot.exchange.wire.binance.spot_order_shapes import (
    MS_NS,
    Fields,
    cancelled,
    client_id,
    conditions,
    fill_rows,
    is_open,
    named,
    order_fields,
)
from foxtrot.exchange.wire.binance.spot_parameters import client_id_of
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_NAMES = ("orderId", "origClientOrderId")
_RESTRICTIONS = {
    "": ("ACCEPTED", "PARTIALLY_FILLED"),
    "ONLY_NEW": ("ACCEPTED",),
    "ONLY_PARTIALLY_FILLED": ("PARTIALLY_FILLED",),
}
_RESTRICTION_TEXT = "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`."


class SpotOrderDesk:
    """Enters and cancels orders.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, notes: OrderNotes, finder: OrderFinder) -> None:
        self._side = side
        self._venue = side.venue
        self._notes = notes
        self._finder = finder
        self._filters = SpotFilters(side)

    def place(self, call: Call) -> Fields:
        """Enter an order.

        Source: Binance spot API, REST, New order; WebSocket API, order.place.
        """
        self.check_permission(call)
        return self.enter(call, *self.prepare(call))

    def prepare(self, call: Call) -> tuple[OrderAsk, PlaceOrder]:
        """Return the order that a call asks for and the venue's command for it, filters passed.

        Source: Binance spot API, REST, New order; Filters.
        """
        ask = read_order(self._side.instrument(call.params["symbol"]), call.params)
        name = ask.client_id or self._notes.new_name(call.time_ns)
        return ask, self._filters.command(ask, call.account, name, call.time_ns)

    def enter(self, call: Call, ask: OrderAsk, order: PlaceOrder) -> Fields:
        """Give an order to the venue and answer what became of it.

        Source: Binance spot API, REST, New order: ACK, RESULT, FULL.

        Raises:
            ApiError: the venue refuses it.
        """
        bearer = self._finder.named(call.account, ask.instrument, order.client_order_id)
        if bearer is not None and is_open(bearer):
            raise ApiError(-2010, DUPLICATE)
        since = self._venue.sequence
        result = self._venue.execute(order)
        if not result.ok:
            raise refused(result)
        report = self._report(call, ask.instrument, result.order_id)
        return self.placed(ask, report, self.note(ask, order, report), since)

    def note(self, ask: OrderAsk, order: PlaceOrder, report: OrderReport) -> OrderNote:
        """Keep what the venue does not about an order that was just entered.

        Source: Binance spot API, REST, Query order: fields beside those of matching.
        """
        now_ns = self._venue.time_ns
        note = OrderNote(
            ask.stp,
            decimal_text(ask.quote_quantity),
            order.quantity,
            ask.trailing_bips,
            now_ns,
            0 if report.pending else now_ns,
        )
        self._notes.put(report.order_id, note)
        self._notes.forget_name(order.account, order.client_order_id)
        return note

    def cancel(self, call: Call) -> Fields:
        """Take an order out.

        Source: Binance spot API, REST, Cancel order; WebSocket API, order.cancel.
        """
        self.check_permission(call)
        return self.take_out(call, _NAMES, "newClientOrderId")

    def take_out(self, call: Call, names: tuple[str, str], new_name: str) -> Fields:
        """Take the order out that a call names; `new_name` is the parameter with the cancel's own id.

        Source: Binance spot API, REST, Cancel order: cancelRestrictions; errors: -2011, -1145.

        Raises:
            ApiError: it is not open, or not in a state in which it may be cancelled.
        """
        instrument = self._side.instrument(call.params["symbol"])
        allowed = _RESTRICTIONS.get(call.params.get("cancelRestrictions", ""))
        if allowed is None:
            raise ApiError(-1145, _RESTRICTION_TEXT)
        name = client_id_of(call.params, new_name)
        found = self._finder.find(call.account, instrument, call.params, names)
        if found is None or not is_open(found):
            raise ApiError(-2011, UNKNOWN_ORDER)
        if found.status.name not in allowed:
            raise ApiError(-2011, "Order was not canceled due to cancel restrictions.")
        name = name or self._notes.new_name(call.time_ns)
        for leg in (found, *legs_of(self._venue, found)):
            self._notes.of(leg.order_id).cancel_id = name
        result = self._venue.execute(
            CancelOrder(call.time_ns, call.account, instrument.instrument_id, order_id=found.order_id)
        )
        if not result.ok:
            raise refused(result)
        return self._cancelled(call, instrument, found)

    def cancel_all(self, call: Call) -> list[Fields]:
        """Take all orders on a symbol out.

        Source: Binance spot API, REST, Cancel all open orders on a symbol; WebSocket API, openOrders.cancelAll.
        """
        self.check_permission(call)
        instrument = self._side.instrument(call.params["symbol"])
        orders = self._venue.open_orders(call.account, instrument.instrument_id)
        if not orders:
            raise ApiError(-2011, UNKNOWN_ORDER)
        name = self._notes.new_name(call.time_ns)
        for order in orders:
            self._notes.of(order.order_id).cancel_id = name
        self._venue.execute(CancelAll(call.time_ns, call.account, instrument.instrument_id))
        # Both orders of a list end together and are answered as one.
        alone = {order.pair or -order.order_id: order for order in reversed(orders)}
        return [self._cancelled(call, instrument, order) for order in reversed(alone.values())]

    def check_permission(self, call: Call) -> None:
        """Refuse a key that may not trade.

        Source: Binance spot API, errors: -2015.
        """
        key = self._side.keys.get(call.api_key)
        if key is not None and not key.can_trade:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def placed(self, ask: OrderAsk, report: OrderReport, note: OrderNote, since: int) -> Fields:
        """Return what is answered of an order that was just entered; `since` is the venue's last event before it.

        Source: Binance spot API, REST, New order: ACK, RESULT, FULL.
        """
        instrument = ask.instrument
        answer = named(instrument, report, client_id(report, note))
        answer["transactTime"] = self._venue.time_ns // MS_NS
        if ask.response == "ACK":
            return answer
        answer |= order_fields(instrument, report, note)
        answer |= conditions(instrument, report)
        if ask.response == "FULL":
            fills = self._venue.fills(report.account, since)
            answer["fills"] = fill_rows(instrument, (fill for fill in fills if fill.order_id == report.order_id))
        return answer

    def _cancelled(self, call: Call, instrument: Instrument, order: OrderReport) -> Fields:
        time_ms = self._venue.time_ns // MS_NS
        legs = legs_of(self._venue, order)
        if legs:
            return list_cancelled(instrument, legs, self._notes, time_ms)
        report = self._report(call, instrument, order.order_id)
        return cancelled(instrument, report, self._notes.of(order.order_id), time_ms)

    def _report(self, call: Call, instrument: Instrument, order_id: int) -> OrderReport:
        report = self._venue.order(call.account, instrument.instrument_id, order_id)
        if report is None:
            raise ApiError(-1006, "An unexpected response was received from the message bus. Execution status unknown.")
        return report
