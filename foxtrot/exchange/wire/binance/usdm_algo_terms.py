"""A conditional order as it was sent, judged and turned into what the surface watches."""

from collections.abc import Mapping
from decimal import Decimal

from foxtrot.domain.enums import PositionSide
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.usdm_algo_order import PRICED, TRAILING, AlgoOrder
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import missing, not_required
from foxtrot.exchange.wire.binance.usdm_order_terms import CONDITIONAL, TIMES_IN_FORCE, limit_price, read_direction
from foxtrot.exchange.wire.binance.usdm_params import WORKING_TYPES, Params

_TYPES: Mapping[str, str] = {name: name for name in CONDITIONAL}
_ALGO_TYPES = {"CONDITIONAL": "CONDITIONAL"}
_LIVES: Mapping[str, str] = {name: name for name in (*TIMES_IN_FORCE, "GTE_GTC")}
_LEAST_CALLBACK, _MOST_CALLBACK = Decimal("0.1"), Decimal(10)


def read_algo(desk: UsdmDesk, account: str, params: Params, algo_id: int) -> AlgoOrder:
    """Return a new conditional order.

    Source: Binance USDⓈ-M Futures, New Algo Order; Error Codes.

    Raises:
        ApiError: the parameters make no conditional order.
    """
    params.choice("algoType", _ALGO_TYPES, ApiError(-1102, missing("algoType").msg))
    instrument = desk.side.instrument(params.needed("symbol"))
    side = params.side()
    params.needed("type")
    kind = params.choice("type", _TYPES, ApiError(-1116, "Invalid orderType."))
    position_side, reduce_only = read_direction(desk, account, params)
    closes = _read_close(desk, account, params, kind)
    life = params.choice("timeInForce", _LIVES, ApiError(-1115, "Invalid timeInForce."), "GTC")
    params.prevention()
    order = AlgoOrder(
        algo_id,
        params.client_id("clientAlgoId", desk.fresh_id()),
        account,
        instrument,
        kind,
        side,
        position_side,
        life,
        0 if closes else params.quantity(instrument),
        limit_price(desk, params, instrument) if kind in PRICED else 0,
        0 if kind == TRAILING else params.price("triggerPrice", instrument),
        _working_type(params),
        desk.side.now_ns(),
        reduce_only,
        closes,
        params.flag("priceProtect"),
        prevention=params.text("selfTradePreventionMode", "NONE"),
        good_till_ms=params.integer("goodTillDate"),
    )
    if kind == TRAILING:
        _read_trail(params, instrument, order)
    _refuse_sizes(order)
    _refuse_ended(order)
    return order


def _working_type(params: Params) -> str:
    refusal = ApiError(-4031, "Invalid parameter working type")
    return params.choice("workingType", WORKING_TYPES, refusal, "CONTRACT_PRICE")


def _read_close(desk: UsdmDesk, account: str, params: Params, kind: str) -> bool:
    if not params.flag("closePosition"):
        return False
    if kind not in ("STOP_MARKET", "TAKE_PROFIT_MARKET"):
        raise ApiError(-4136, f"Target strategy invalid for orderType {kind},closePosition true")
    if params.has("quantity"):
        raise ApiError(-4137, "Quantity must be zero with closePosition equals true")
    if params.flag("reduceOnly"):
        raise not_required("reduceOnly")
    if desk.is_hedged(account):
        closing = "SELL" if params.position_side() is PositionSide.LONG else "BUY"
        if params.text("side") != closing:
            raise ApiError(-2022, "ReduceOnly Order is rejected.")
    return True


def _read_trail(params: Params, instrument: Instrument, order: AlgoOrder) -> None:
    rate = params.decimal("callbackRate")
    if not _LEAST_CALLBACK <= rate <= _MOST_CALLBACK:
        raise ApiError(-2007, "Invalid callBack rate.")
    order.callback_rate = rate
    for name in ("activatePrice", "activationPrice"):
        if params.has(name):
            order.activate_price = params.price(name, instrument)


def _refuse_sizes(order: AlgoOrder) -> None:
    instrument = order.instrument
    if order.close_position:
        return
    if order.quantity < instrument.min_quantity_units:
        raise ApiError(-4004, "Quantity less than min quantity.")
    if order.quantity % instrument.lot_units:
        raise ApiError(-4023, "Qty not increased by step size.")
    if 0 < instrument.max_quantity_units < order.quantity:
        raise ApiError(-4005, "Quantity greater than max quantity.")
    for price in (order.price, order.trigger_price, order.activate_price):
        if price % instrument.step_units(price):
            raise ApiError(-4014, "Price not increased by tick size.")


def _refuse_ended(order: AlgoOrder) -> None:
    if order.time_in_force == "GTD" and order.good_till_ms * MS_NS <= order.created_ns:
        raise ApiError(
            -5040,
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than"
            " 253402300799000 (UTC 9999-12-31 23:59:59)",
        )
