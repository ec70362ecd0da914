"""Orders changed in place of others: cancel-replace, and amendments that keep an order's priority."""

from foxtrot.exchange.commands import AmendOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.numbers import notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.order_errors import DUPLICATE, UNKNOWN_ORDER, refused
from foxtrot.exchange.wire.binance.spot_notes import OrderNotes
from foxtrot.exchange.wire.binance.spot_order_desk import SpotOrderDesk
from foxtrot.exchange.wire.binance.spot_order_finder import OrderFinder
from foxtrot.exchange.wire.binance.spot_order_request import quantity_units
from foxtrot.exchange.wire.binance.spot_order_shapes import (
    MS_NS,
    Fields,
    client_id,
    is_open,
    status_text,
    time_in_force_text,
    type_text,
    working_ms,
)
from foxtrot.exchange.wire.binance.spot_parameters import choice_of, client_id_of, decimal_of, missing
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_CANCEL_NAMES = ("cancelOrderId", "cancelOrigClientOrderId")
_MODES = ("STOP_ON_FAILURE", "ALLOW_FAILURE")
_OK, _FAILED, _NOT_TRIED = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"
_AMEND_REJECTED = -2038


class SpotReplace:
    """Replaces and amends orders.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, desk: SpotOrderDesk, notes: OrderNotes, finder: OrderFinder) -> None:
        self._side = side
        self._venue = side.venue
        self._desk = desk
        self._notes = notes
        self._finder = finder

    def cancel_replace(self, call: Call) -> Fields:
        """Cancel an order and enter another; the new one's filters are looked at before anything is done.

        Source: Binance spot API, REST, Cancel an Existing Order and Send a New Order; WebSocket API, order.cancelReplace.

        Raises:
            ApiError: -2021 (409) when one half was done, -2022 (400) when none was; `data` tells both halves.
        """
        self._desk.check_permission(call)
        if not call.params.get("cancelReplaceMode"):
            raise missing("cancelReplaceMode")
        mode = choice_of(call.params, "cancelReplaceMode", _MODES, "")
        ask, order = self._desk.prepare(call)
        cancel: Fields | ApiError
        entered: Fields | ApiError | None = None
        try:
            cancel = self._desk.take_out(call, _CANCEL_NAMES, "cancelNewClientOrderId")
        except ApiError as error:
            if error.code != -2011:
                raise
            cancel = error
        if isinstance(cancel, dict) or mode == "ALLOW_FAILURE":
            try:
                entered = self._desk.enter(call, ask, order)
            except ApiError as error:
                entered = error
        return _replaced(cancel, entered)

    def amend(self, call: Call) -> Fields:
        """Lower an order's quantity without its losing its place.

        Source: Binance spot API, REST, Order Amend Keep Priority; errors: -2038.

        Raises:
            ApiError: the order is not open, or the quantity is not lower and above what is filled.
        """
        self._desk.check_permission(call)
        instrument, params = self._side.instrument(call.params["symbol"]), call.params
        wanted, name = decimal_of(params, "newQty"), client_id_of(params, "newClientOrderId")
        found = self._finder.find(call.account, instrument, params, ("orderId", "origClientOrderId"))
        if found is None or not is_open(found):
            raise ApiError(-2013, "Order does not exist.")
        if wanted is None:
            raise missing("newQty")
        quantity = quantity_units(instrument, wanted)
        _check_lower(found, quantity)
        former = client_id(found, self._notes.seen(found.order_id))
        name = name or self._notes.new_name(call.time_ns)
        bearer = self._finder.named(call.account, instrument, name)
        if bearer is not None and is_open(bearer) and bearer.order_id != found.order_id:
            raise ApiError(-2010, DUPLICATE)
        since = self._venue.sequence
        command = AmendOrder(call.time_ns, call.account, instrument.instrument_id, found.order_id, quantity=quantity)
        result = self._venue.execute(command)
        if not result.ok:
            raise refused(result)
        self._notes.rename(call.account, found.order_id, former, name)
        self._notes.of(found.order_id).requested = quantity
        return self._amended(call, found.order_id, former, since + 1)

    def _amended(self, call: Call, order_id: int, former: str, execution_id: int) -> Fields:
        instrument = self._side.instrument(call.params["symbol"])
        report = self._venue.order(call.account, instrument.instrument_id, order_id)
        if report is None:
            raise ApiError(-2011, UNKNOWN_ORDER)
        note = self._notes.of(order_id)
        order = {
            "symbol": instrument.symbol,
            "orderId": order_id,
            "orderListId": report.pair or -1,
            "origClientOrderId": former,
            "clientOrderId": client_id(report, note),
            "price": price_text(instrument, report.price),
            "qty": quantity_text(instrument, report.quantity),
            "executedQty": quantity_text(instrument, report.filled),
            "preventedQty": quantity_text(instrument, 0),
            "quoteOrderQty": note.quote_quantity,
            "cumulativeQuoteQty": notional_text(instrument, report.cost),
            "status": status_text(report),
            "timeInForce": time_in_force_text(report),
            "type": type_text(report),
            "side": report.side.name,
            "workingTime": working_ms(report, note),
            "selfTradePreventionMode": note.stp,
        }
        return {"transactTime": self._venue.time_ns // MS_NS, "executionId": execution_id, "amendedOrder": order}


def _check_lower(order: OrderReport, quantity: int) -> None:
    if quantity == order.quantity:
        raise ApiError(_AMEND_REJECTED, "The requested action would change no state; rejecting.")
    if quantity > order.quantity:
        raise ApiError(_AMEND_REJECTED, "Order amend (quantity increase) is not supported.")
    if quantity <= order.filled:
        raise ApiError(_AMEND_REJECTED, "Order amend rejected.")


def _replaced(cancel: Fields | ApiError, entered: Fields | ApiError | None) -> Fields:
    data: Fields = {
        "cancelResult": _OK if isinstance(cancel, dict) else _FAILED,
        "newOrderResult": _NOT_TRIED if entered is None else _OK if isinstance(entered, dict) else _FAILED,
        "cancelResponse": _told(cancel),
        "newOrderResponse": _told(entered),
    }
    done = isinstance(cancel, dict) + isinstance(entered, dict)
    if done == 2:
        return data
    if done:
        raise ApiError(-2021, "Order cancel-replace partially failed.", 409, data)
    raise ApiError(-2022, "Order cancel-replace failed.", 400, data)


def _told(half: Fields | ApiError | None) -> Fields | None:
    return {"code": half.code, "msg": half.msg} if isinstance(half, ApiError) else half
