"""The endpoints of USD-M's conditional (algo) orders."""

from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.usdm_algo_book import AlgoBook
from foxtrot.exchange.wire.binance.usdm_algo_order import PROFIT, TRAILING, AlgoOrder, algo_query_row, algo_row
from foxtrot.exchange.wire.binance.usdm_algo_terms import read_algo
from foxtrot.exchange.wire.binance.usdm_desk import UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import missing, no_such_order, unknown_order, would_trigger
from foxtrot.exchange.wire.binance.usdm_orders import ALL_CANCELLED
from foxtrot.exchange.wire.binance.usdm_page import Row, page
from foxtrot.exchange.wire.binance.usdm_params import Params


class UsdmAlgoOrders:
    """Enters, cancels and shows conditional orders.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk, book: AlgoBook) -> None:
        self._desk = desk
        self._book = book

    def place(self, call: Call) -> Row:
        """Enter a conditional order.

        Source: Binance USDⓈ-M Futures, New Algo Order; ws-fapi algoOrder.place.
        """
        algo = read_algo(self._desk, call.account, Params(call.params), self._book.take_id())
        self._judge(algo)
        self._book.add(algo)
        return algo_row(algo)

    def cancel(self, call: Call) -> Row:
        """Cancel a waiting conditional order.

        Source: Binance USDⓈ-M Futures, Cancel Algo Order; ws-fapi algoOrder.cancel.
        """
        algo = self._find(call)
        if algo is None or algo.status != "NEW":
            raise unknown_order()
        self._book.end(algo, "CANCELED")
        return {"algoId": algo.algo_id, "clientAlgoId": algo.client_algo_id, "code": "200", "msg": "success"}

    def cancel_all(self, call: Call) -> Row:
        """Cancel all waiting conditional orders on a symbol.

        Source: Binance USDⓈ-M Futures, Cancel All Algo Open Orders.
        """
        instrument = self._desk.side.instrument(Params(call.params).needed("symbol"))
        for algo in self._book.waiting(call.account, instrument.instrument_id):
            self._book.end(algo, "CANCELED")
        return ALL_CANCELLED

    def order(self, call: Call) -> Row:
        """Return one conditional order.

        Source: Binance USDⓈ-M Futures, Query Algo Order.
        """
        algo = self._find(call)
        if algo is None:
            raise no_such_order()
        return algo_query_row(algo)

    def open_orders(self, call: Call) -> list[Row]:
        """Return the waiting conditional orders of one symbol or of all.

        Source: Binance USDⓈ-M Futures, Current All Algo Open Orders.
        """
        params = Params(call.params)
        wanted = self._desk.side.instrument(params.text("symbol")).instrument_id if params.has("symbol") else ""
        found = self._book.waiting(call.account, wanted)
        return [algo_query_row(algo) for algo in found if params.integer("algoId") in (0, algo.algo_id)]

    def all_orders(self, call: Call) -> list[Row]:
        """Return the conditional orders of a symbol, waiting and past, oldest first.

        Source: Binance USDⓈ-M Futures, Query All Algo Orders.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        mine = [one for one in self._book.orders.values() if one.account == call.account]
        rows = [algo_query_row(one) for one in mine if one.instrument.instrument_id == instrument.instrument_id]
        timed = [{**row, "time": row["createTime"]} for row in rows]
        found = page(timed, params, identity="algoId", from_name="algoId")
        return [{name: value for name, value in row.items() if name != "time"} for row in found]

    def _find(self, call: Call) -> AlgoOrder | None:
        params = Params(call.params)
        if params.has("algoId"):
            found = self._book.orders.get(params.integer("algoId"))
            return found if found is not None and found.account == call.account else None
        if not params.has("clientAlgoId"):
            raise missing("algoId")
        name = params.text("clientAlgoId")
        named = [one for one in self._book.orders.values() if (one.account, one.client_algo_id) == (call.account, name)]
        return named[-1] if named else None

    def _judge(self, algo: AlgoOrder) -> None:
        waiting = self._book.waiting(algo.account)
        if any(one.client_algo_id == algo.client_algo_id for one in waiting):
            raise ApiError(-4116, "ClientOrderId is duplicated.")
        if algo.close_position and any(_rivals(algo, one) for one in waiting):
            raise ApiError(
                -4130, "An open stop or take profit order with GTE and closePosition in the direction is existing."
            )
        price = self._book.price_of(algo)
        if not price:
            return
        if algo.order_type == TRAILING:
            if algo.activate_price and (price < algo.activate_price if algo.is_buy else price > algo.activate_price):
                raise would_trigger()
            algo.is_reached(price)
        elif algo.is_reached(price):
            raise would_trigger()


def _rivals(one: AlgoOrder, other: AlgoOrder) -> bool:
    same = one.instrument.instrument_id == other.instrument.instrument_id and one.side is other.side
    kinds = (one.order_type in PROFIT) == (other.order_type in PROFIT)
    return other.close_position and same and kinds and one.position_side is other.position_side
