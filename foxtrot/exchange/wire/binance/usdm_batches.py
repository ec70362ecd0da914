"""Several USD-M orders in one call; each is answered by itself, a refusal among the rows."""

from collections.abc import Callable

import msgspec

from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.usdm_errors import missing
from foxtrot.exchange.wire.binance.usdm_orders import UsdmOrders
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import Params

_MOST_NEW = 5
_MOST_CANCELLED = 10
_Value = str | bool | int | float | None


class UsdmBatches:
    """Enters, changes and cancels several orders.

    Thread: exchange-io.
    """

    def __init__(self, orders: UsdmOrders) -> None:
        self._orders = orders

    def place(self, call: Call) -> list[Row]:
        """Enter up to five orders.

        Source: Binance USDⓈ-M Futures, Place Multiple Orders.
        """
        return self._each(call, self._orders.place)

    def modify(self, call: Call) -> list[Row]:
        """Change up to five orders.

        Source: Binance USDⓈ-M Futures, Modify Multiple Orders.
        """
        return self._each(call, self._orders.modify)

    def cancel(self, call: Call) -> list[Row]:
        """Cancel up to ten orders of a symbol, named by either list of ids.

        Source: Binance USDⓈ-M Futures, Cancel Multiple Orders.
        """
        params = Params(call.params)
        names: list[tuple[str, str]]
        if params.has("orderIdList"):
            names = [("orderId", str(number)) for number in params.ids("orderIdList")]
        elif params.has("origClientOrderIdList"):
            names = [("origClientOrderId", name) for name in params.rows("origClientOrderIdList", str)]
        else:
            raise missing("orderIdList")
        if not 1 <= len(names) <= _MOST_CANCELLED:
            raise ApiError(-4032, "Exceed maximum cancel order size.")
        symbol = params.needed("symbol")
        calls = [msgspec.structs.replace(call, params={"symbol": symbol, name: text}) for name, text in names]
        return [_answer(self._orders.cancel, one) for one in calls]

    @staticmethod
    def _each(call: Call, handler: Callable[[Call], Row]) -> list[Row]:
        wishes = Params(call.params).rows("batchOrders", dict[str, _Value])
        if not 1 <= len(wishes) <= _MOST_NEW:
            raise ApiError(-4082, "Invalid number of batch place orders.")
        calls = [
            msgspec.structs.replace(call, params={name: _text(value) for name, value in wish.items()})
            for wish in wishes
        ]
        return [_answer(handler, one) for one in calls]


def _answer(handler: Callable[[Call], Row], call: Call) -> Row:
    try:
        return handler(call)
    except ApiError as refusal:
        return {"code": refusal.code, "msg": refusal.msg}


def _text(value: _Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
