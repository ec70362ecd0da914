"""USD-M orders: new, changed, cancelled, one by one or several at once."""

from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AmendOrder, CancelAll, CancelOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.usdm_desk import UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import no_such_order, refused, unknown_order
from foxtrot.exchange.wire.binance.usdm_order_rows import acknowledged, order_row
from foxtrot.exchange.wire.binance.usdm_order_terms import limit_price, read_order
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import Params

ALL_CANCELLED: Row = {"code": 200, "msg": "The operation of cancel all open order is done."}
_OPEN = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED})
_RESPONSES = {"ACK": True, "RESULT": False}


class UsdmOrders:
    """Enters, changes and cancels ordinary orders.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk) -> None:
        self._desk = desk

    def place(self, call: Call) -> Row:
        """Enter an order.

        Source: Binance USDⓈ-M Futures, New Order; ws-fapi order.place.
        """
        params = Params(call.params)
        only_ack = params.choice("newOrderRespType", _RESPONSES, ApiError(-1136, "Invalid newOrderRespType"), "ACK")
        instrument, order, note = read_order(self._desk, call.account, params)
        result = self._desk.execute(order)
        if not result.ok:
            raise refused(result, instrument)
        self._desk.write_note(result.order_id, note)
        row = self._row(call.account, instrument, result.order_id)
        return acknowledged(row, instrument) if only_ack else row

    def test(self, call: Call) -> Row:
        """Judge an order as if it were entered, without money or book.

        Source: Binance USDⓈ-M Futures, Test Order.
        """
        instrument, order, note = read_order(self._desk, call.account, Params(call.params))
        refusal = self._desk.venue.filter_refusal(order)
        if refusal is not None:
            raise refused(refusal, instrument)
        report = OrderReport(
            order.account, order.instrument_id, 0, order.client_order_id, order.side, order.order_type, order.quantity,
            order.price, 0, order.time_in_force, order.reduce_only, order.post_only, order.position_side, 0, 0,
            OrderStatus.ACCEPTED, "", order.time_ns, False, 0, order.expire_time_ns, 0,
        )  # fmt: skip
        return order_row(instrument, report, note)

    def modify(self, call: Call) -> Row:
        """Change price and quantity of an open limit order; what is filled already beyond it, or would now take, is cancelled.

        Source: Binance USDⓈ-M Futures, Modify Order; ws-fapi order.modify; Error Codes, -5025, -5027.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        params.side()
        found = self._open(call.account, instrument, params)
        if found.order_type is not OrderType.LIMIT:
            raise ApiError(-5025, "Only limit order is supported.")
        quantity, price = params.quantity(instrument), limit_price(self._desk, params, instrument)
        if (quantity, price) == (found.quantity, found.price):
            raise ApiError(-5027, "No need to modify the order.")
        if quantity <= found.filled:
            return self._cancel(found, instrument)
        now_ns = self._desk.side.now_ns()
        command = AmendOrder(now_ns, call.account, instrument.instrument_id, found.order_id, "", quantity, price)
        result = self._desk.execute(command)
        if result.code is ResultCode.MATCHING_POST_ONLY:
            return self._cancel(found, instrument)
        if not result.ok:
            raise refused(result, instrument)
        return self._changed(call.account, instrument, found.order_id)

    def cancel(self, call: Call) -> Row:
        """Cancel an open order.

        Source: Binance USDⓈ-M Futures, Cancel Order; ws-fapi order.cancel.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        found = find_order(self._desk, call.account, instrument, params)
        if found is None:
            raise unknown_order()
        return self._cancel(found, instrument)

    def cancel_all(self, call: Call) -> Row:
        """Cancel all open orders on a symbol.

        Source: Binance USDⓈ-M Futures, Cancel All Open Orders.
        """
        instrument = self._desk.side.instrument(Params(call.params).needed("symbol"))
        self._desk.execute(CancelAll(self._desk.side.now_ns(), call.account, instrument.instrument_id))
        return ALL_CANCELLED

    def _open(self, account: str, instrument: Instrument, params: Params) -> OrderReport:
        found = find_order(self._desk, account, instrument, params)
        if found is None:
            raise no_such_order()
        if found.status not in _OPEN:
            raise unknown_order()
        return found

    def _cancel(self, found: OrderReport, instrument: Instrument) -> Row:
        command = CancelOrder(self._desk.side.now_ns(), found.account, found.instrument_id, found.order_id)
        result = self._desk.execute(command)
        if not result.ok:
            raise refused(result, instrument)
        return self._changed(found.account, instrument, found.order_id)

    def _changed(self, account: str, instrument: Instrument, order_id: int) -> Row:
        self._desk.touch(order_id, self._desk.venue.time_ns)
        return self._row(account, instrument, order_id)

    def _row(self, account: str, instrument: Instrument, order_id: int) -> Row:
        report = self._desk.venue.order(account, instrument.instrument_id, order_id)
        if report is None:
            raise no_such_order()
        return order_row(instrument, report, self._desk.note(order_id))


def find_order(desk: UsdmDesk, account: str, instrument: Instrument, params: Params) -> OrderReport | None:
    """Return the order that a call names by either id, open or ended; None when it is not known.

    Source: Binance USDⓈ-M Futures, Query Order: orderId, else origClientOrderId; Error Codes, -1102.
    """
    if params.has("orderId"):
        return desk.venue.order(account, instrument.instrument_id, params.integer("orderId"))
    if not params.has("origClientOrderId"):
        raise ApiError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return desk.venue.order(account, instrument.instrument_id, 0, params.text("origClientOrderId"))
