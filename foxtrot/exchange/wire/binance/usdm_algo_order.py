"""A USD-M conditional (algo) order: what it is, when its trigger is reached, and how answers and events show it."""

from decimal import Decimal

import msgspec

from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.numbers import price_text, quantity_text
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS
from foxtrot.exchange.wire.binance.usdm_order_rows import POSITION_SIDE_TEXT, SIDE_TEXT
from foxtrot.exchange.wire.binance.usdm_page import Row

PROFIT = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_MARKET"})
TRAILING = "TRAILING_STOP_MARKET"
PRICED = frozenset({"STOP", "TAKE_PROFIT"})
_EVENT_NAMES = {
    "clientAlgoId": "caid", "algoId": "aid", "algoType": "at", "orderType": "o", "symbol": "s", "side": "S",
    "positionSide": "ps", "timeInForce": "f", "quantity": "q", "algoStatus": "X", "triggerPrice": "tp", "price": "p",
    "selfTradePreventionMode": "V", "workingType": "wt", "priceMatch": "pm", "closePosition": "cp", "priceProtect": "pP",
    "reduceOnly": "R", "triggerTime": "tt", "goodTillDate": "gtd",
}  # fmt: skip
"""How ALGO_UPDATE names what an answer says in words."""


class AlgoOrder(msgspec.Struct):
    """One conditional order; prices and quantities in units. `anchor` is the best price a trailing one has seen.

    Thread: exchange-io.
    """

    algo_id: int
    client_algo_id: str
    account: str
    instrument: Instrument
    order_type: str
    side: Side
    position_side: PositionSide
    time_in_force: str
    quantity: int
    price: int
    trigger_price: int
    working_type: str
    created_ns: int
    reduce_only: bool = False
    close_position: bool = False
    price_protect: bool = False
    activate_price: int = 0
    callback_rate: Decimal = Decimal(0)
    prevention: str = "NONE"
    good_till_ms: int = 0
    status: str = "NEW"
    updated_ns: int = 0
    triggered_ns: int = 0
    order_id: int = 0
    anchor: int = 0
    filled: int = 0
    cost: int = 0
    reason: str = ""

    @property
    def is_buy(self) -> bool:
        """Tell whether it will buy.

        Source: Binance USDⓈ-M Futures, New Algo Order, side.
        """
        return self.side is Side.BUY

    def is_reached(self, price: int) -> bool:
        """Tell whether a price reaches the trigger; a trailing order notes the price first.

        Source: Binance USDⓈ-M Futures, New Algo Order: conditions of STOP, TAKE_PROFIT and TRAILING_STOP_MARKET.
        """
        if self.order_type == TRAILING:
            return self._is_trailed(price)
        rises = self.is_buy != (self.order_type in PROFIT)
        return price >= self.trigger_price if rises else price <= self.trigger_price

    def _is_trailed(self, price: int) -> bool:
        if not self.anchor:
            if self.activate_price and not self._is_active(price):
                return False
            self.anchor = price
        self.anchor = min(self.anchor, price) if self.is_buy else max(self.anchor, price)
        rate = self.callback_rate / 100
        return price >= self.anchor * (1 + rate) if self.is_buy else price <= self.anchor * (1 - rate)

    def _is_active(self, price: int) -> bool:
        return price <= self.activate_price if self.is_buy else price >= self.activate_price


def algo_row(algo: AlgoOrder) -> Row:
    """Return a conditional order as POST answers it.

    Source: Binance USDⓈ-M Futures, New Algo Order, response.
    """
    instrument = algo.instrument
    return {
        "algoId": algo.algo_id,
        "clientAlgoId": algo.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.order_type,
        "symbol": instrument.symbol,
        "side": SIDE_TEXT[algo.side],
        "positionSide": POSITION_SIDE_TEXT[algo.position_side],
        "timeInForce": algo.time_in_force,
        "quantity": quantity_text(instrument, algo.quantity),
        "algoStatus": algo.status,
        "triggerPrice": price_text(instrument, algo.trigger_price),
        "price": price_text(instrument, algo.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": algo.prevention,
        "workingType": algo.working_type,
        "priceMatch": "NONE",
        "closePosition": algo.close_position,
        "priceProtect": algo.price_protect,
        "reduceOnly": algo.reduce_only,
        "activatePrice": price_text(instrument, algo.activate_price) if algo.activate_price else "",
        "callbackRate": format(algo.callback_rate, "f") if algo.callback_rate else "",
        "createTime": algo.created_ns // MS_NS,
        "updateTime": (algo.updated_ns or algo.created_ns) // MS_NS,
        "triggerTime": algo.triggered_ns // MS_NS,
        "goodTillDate": algo.good_till_ms,
    }


def algo_query_row(algo: AlgoOrder) -> Row:
    """Return a conditional order as GET answers it: with the ordinary order that came of it.

    Source: Binance USDⓈ-M Futures, Query Algo Order.
    """
    spawned = {"actualOrderId": str(algo.order_id or ""), "actualPrice": _average(algo), "tpTriggerPrice": "0.000"}
    more = {"tpPrice": "0.000", "slTriggerPrice": "0.000", "slPrice": "0.000", "tpOrderType": "", "tpReduceOnly": False}
    return {**algo_row(algo), **spawned, **more}


def algo_event(algo: AlgoOrder, time_ms: int) -> Row:
    """Return the event that tells how a conditional order stands.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Algo Order Update.
    """
    row = algo_row(algo)
    told: Row = {short: row[name] for name, short in _EVENT_NAMES.items()}
    told |= {
        "ai": str(algo.order_id or ""),
        "ap": _average(algo),
        "aq": quantity_text(algo.instrument, algo.filled),
        "act": "LIMIT" if algo.order_type in PRICED and algo.order_id else "MARKET" if algo.order_id else "0",
        "rm": algo.reason,
    }
    return {"e": "ALGO_UPDATE", "T": time_ms, "E": time_ms, "o": told}


def _average(algo: AlgoOrder) -> str:
    if not algo.filled:
        return price_text(algo.instrument, 0)
    return price_text(algo.instrument, round(algo.cost / algo.filled))
