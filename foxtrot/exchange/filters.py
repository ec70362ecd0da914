"""What an instrument demands of an order before anybody looks at money; each refusal has its own code."""

from decimal import Decimal

from foxtrot.domain.enums import OrderType, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder, TradingState
from foxtrot.exchange.market import Market
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.working_order import CONDITIONAL, PRICED, WorkingOrder

_RESTING = frozenset({TimeInForce.GTC, TimeInForce.GTD, TimeInForce.DAY})
_LIMIT, _MARKET, _TRAILING = OrderType.LIMIT, OrderType.MARKET, OrderType.TRAILING_STOP
_GTC, _GTD, _TRADING = TimeInForce.GTC, TimeInForce.GTD, TradingState.TRADING
_ZERO = Decimal(0)


def order_refusal(market: Market, order: PlaceOrder, now_ns: int) -> CommandResult | None:
    """Return why an instrument refuses an order, or None."""
    if market.state is not _TRADING:
        return state_refusal(market)
    order_type = order.order_type
    refused = quantity_refusal(market.instrument, order.quantity)
    if refused is None and (order.price or order_type is not _MARKET):
        refused = price_refusal(market, order_type, order.price)
    if refused is not None:
        return refused
    if order_type in CONDITIONAL or order.trigger_price or order.trailing_offset:
        refused = trigger_refusal(market.instrument, order)
        if refused is not None:
            return refused
    if order.post_only or order.display_quantity or order.time_in_force is not _GTC or order.expire_time_ns:
        refused = combination_refusal(market.instrument, order, now_ns)
        if refused is not None:
            return refused
    if order.reduce_only or not market.limits_notional:
        return None
    return notional_refusal(market, order.quantity, order.price or order.trigger_price or market.reference)


def amend_refusal(market: Market, order: WorkingOrder, quantity: int, price: int) -> CommandResult | None:
    """Return why an instrument refuses a new quantity and limit price of an open order, or None."""
    if market.state is not _TRADING:
        return state_refusal(market)
    refused = quantity_refusal(market.instrument, quantity) or price_refusal(market, order.order_type, price)
    if refused is not None or order.reduce_only or not market.limits_notional:
        return refused
    return notional_refusal(market, quantity, price or order.trigger_price or market.reference)


def state_refusal(market: Market) -> CommandResult:
    """Return the refusal of a market that does not trade."""
    name = market.instrument_id
    if market.expired:
        return CommandResult(ResultCode.INSTRUMENT_EXPIRED, 0, f"{name} has expired; trade another contract")
    if market.state is TradingState.HALTED:
        return CommandResult(ResultCode.INSTRUMENT_HALTED, 0, f"{name} is halted; only cancels are taken")
    return CommandResult(ResultCode.INSTRUMENT_CLOSED, 0, f"{name} is closed; wait for the next session")


def quantity_refusal(instrument: Instrument, quantity: int) -> CommandResult | None:
    """Return why a quantity is refused, or None."""
    if quantity <= 0 or quantity < instrument.min_quantity_units:
        low = instrument.min_quantity_units or 1
        return _refuse(ResultCode.FILTER_QUANTITY_LOW, f"quantity {quantity} is below {low} units")
    if quantity % instrument.lot_units:
        return _refuse(ResultCode.FILTER_LOT, f"quantity {quantity} is not a multiple of {instrument.lot_units} units")
    if 0 < instrument.max_quantity_units < quantity:
        return _refuse(
            ResultCode.FILTER_QUANTITY_HIGH, f"quantity {quantity} is above {instrument.max_quantity_units} units"
        )
    return None


def price_refusal(market: Market, order_type: OrderType, price: int) -> CommandResult | None:
    """Return why a limit price is refused, or None."""
    if order_type not in PRICED:
        if price:
            return _refuse(ResultCode.FILTER_COMBINATION, f"a {order_type} order takes no limit price; leave it 0")
        return None
    if price <= 0:
        return _refuse(ResultCode.FILTER_PRICE_MISSING, f"a {order_type} order needs a price above 0, not {price}")
    step = market.instrument.step_units(price)
    if price % step:
        return _refuse(ResultCode.FILTER_PRICE_GRID, f"price {price} is not a multiple of {step} units")
    rate = market.instrument.price_limit_rate
    if rate and market.reference and abs(price - market.reference) > rate * market.reference:
        return _refuse(ResultCode.FILTER_PRICE_BAND, f"price {price} is more than {rate} away from {market.reference}")
    return None


def trigger_refusal(instrument: Instrument, order: PlaceOrder) -> CommandResult | None:
    """Return why trigger price or trailing offset are refused, or None."""
    needs_trigger = order.order_type.needs_trigger
    if needs_trigger != (order.trigger_price > 0) or order.trigger_price < 0:
        need = "needs" if needs_trigger else "takes no"
        return _refuse(ResultCode.FILTER_TRIGGER, f"a {order.order_type} order {need} trigger price")
    if (order.order_type is _TRAILING) != (order.trailing_offset > 0) or order.trailing_offset < 0:
        need = "needs" if order.order_type is _TRAILING else "takes no"
        return _refuse(ResultCode.FILTER_TRIGGER, f"a {order.order_type} order {need} trailing offset")
    if order.trigger_price % instrument.step_units(order.trigger_price):
        return _refuse(ResultCode.FILTER_TRIGGER, f"trigger {order.trigger_price} is off the price grid")
    return None


def combination_refusal(instrument: Instrument, order: PlaceOrder, now_ns: int) -> CommandResult | None:
    """Return why attributes that do not fit together are refused, or None."""
    tif, display = order.time_in_force, order.display_quantity
    if (tif is _GTD) != (order.expire_time_ns > 0):
        return _refuse(ResultCode.FILTER_EXPIRY, "an expiry time belongs to GTD orders, and they need one")
    if tif is _GTD and order.expire_time_ns <= now_ns:
        return _refuse(ResultCode.FILTER_EXPIRY, f"expiry {order.expire_time_ns} is not after {now_ns}")
    if order.post_only and (order.order_type is not _LIMIT or tif not in _RESTING):
        return _refuse(ResultCode.FILTER_COMBINATION, "post-only belongs to limit orders that may rest")
    return display_refusal(instrument, order) if display else None


def display_refusal(instrument: Instrument, order: PlaceOrder) -> CommandResult | None:
    """Return why a display quantity is refused, or None."""
    display = order.display_quantity
    if order.order_type not in PRICED or order.time_in_force not in _RESTING:
        return _refuse(ResultCode.FILTER_DISPLAY, "a display quantity belongs to limit orders that may rest")
    if display < 0 or display > order.quantity or display % instrument.lot_units:
        return _refuse(
            ResultCode.FILTER_DISPLAY, f"display {display} must be a multiple of the lot within the quantity"
        )
    return None


def notional_refusal(market: Market, quantity: int, price: int) -> CommandResult | None:
    """Return why the value of an order is refused, or None; without a price it is not judged."""
    instrument = market.instrument
    low, high = instrument.min_notional, instrument.max_notional
    if not price:
        return None
    value = instrument.notional(price, quantity)
    if value < low:
        return _refuse(ResultCode.FILTER_NOTIONAL_LOW, f"order value {value} is below {low}")
    if _ZERO < high < value:
        return _refuse(ResultCode.FILTER_NOTIONAL_HIGH, f"order value {value} is above {high}")
    return None


def _refuse(code: ResultCode, message: str) -> CommandResult:
    return CommandResult(code, 0, message)
