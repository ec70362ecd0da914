"""Orders and fills as rows of Futu's messages."""

from datetime import datetime
from typing import Any, Final

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.wire.futu.trade_orders import OrderState, TradeOrder
from foxtrot.exchange.wire.futu.trade_request import BUY, SELL
from foxtrot.exchange.wire.futu.venue_side import FutuSide

CURRENCIES: Final = {"HKD": 1, "USD": 2, "CNH": 3}
"""Assets that are money → Trd_Common.Currency."""
FIRST_FILL_ID: Final = 3_910_000_000_000_000_000
"""Fill ids are this plus the number of the fill's event at the venue."""
TRAILING: Final = 14
GTD: Final = 3


def local_text(side: FutuSide, instrument: Instrument, time_ns: int) -> str:
    """Return a moment as Futu writes it: local time of the market, to the millisecond.

    Source: Futu OpenAPI documentation, Order: createTime, YYYY-MM-DD HH:MM:SS.MS.
    """
    moment = datetime.fromtimestamp(time_ns // 1_000_000 / 1000, side.zone_of(side.market_of(instrument)))
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}"


def fill_order(row: Any, side: FutuSide, order: TradeOrder, state: OrderState, status: int | None = None) -> None:
    """Fill in an order row; `status` is one that the order passes through.

    Source: Futu OpenAPI documentation, Trd_Common.Order.
    """
    instrument = order.instrument
    row.trdSide = BUY if order.side is Side.BUY else SELL
    row.orderType, row.orderStatus = order.order_type, state.status if status is None else status
    row.orderID, row.orderIDEx = order.order_id, order.order_id_ex
    row.code, row.name = instrument.symbol, instrument.name or instrument.symbol
    row.qty, row.price = instrument.quantity(state.quantity), instrument.price(state.price)
    row.createTime = local_text(side, instrument, order.created_ns)
    row.updateTime = local_text(side, instrument, state.updated_ns)
    row.createTimestamp, row.updateTimestamp = order.created_ns / 1e9, state.updated_ns / 1e9
    row.fillQty = instrument.quantity(state.filled)
    row.fillAvgPrice = average(instrument, state.cost, state.filled)
    row.lastErrMsg, row.remark = state.error, order.remark
    _fill_terms(row, order, state)
    row.secMarket, row.trdMarket = side.sec_market_of(instrument), side.trd_market_of(instrument)
    row.currency = CURRENCIES[instrument.quote_asset]


def fill_deal(row: Any, side: FutuSide, order: TradeOrder, fill: OrderFilled) -> None:
    """Fill in a fill row.

    Source: Futu OpenAPI documentation, Trd_Common.OrderFill.
    """
    instrument = order.instrument
    row.trdSide = BUY if fill.side is Side.BUY else SELL
    row.fillID, row.fillIDEx = FIRST_FILL_ID + fill.sequence, f"FD{fill.sequence:010d}"
    row.orderID, row.orderIDEx = order.order_id, order.order_id_ex
    row.code, row.name = instrument.symbol, instrument.name or instrument.symbol
    row.qty, row.price = instrument.quantity(fill.fill_quantity), instrument.price(fill.fill_price)
    row.createTime = local_text(side, instrument, fill.time_ns)
    row.createTimestamp = row.updateTimestamp = fill.time_ns / 1e9
    row.secMarket, row.trdMarket, row.status = side.sec_market_of(instrument), side.trd_market_of(instrument), 0


def average(instrument: Instrument, cost: int, filled: int) -> float:
    """Return the average price of what was filled, 0.0 before the first fill.

    Source: Futu OpenAPI documentation, Trd_Common.Order: fillAvgPrice, without limit of precision.
    """
    grid = instrument.price_grid
    return cost * grid.numerator / (filled * grid.denominator) if filled else 0.0


def _fill_terms(row: Any, order: TradeOrder, state: OrderState) -> None:
    row.timeInForce, row.fillOutsideRTH, row.session = order.time_in_force, order.outside_hours, order.session
    if state.trigger:
        row.auxPrice = order.instrument.price(state.trigger)
    if order.order_type == TRAILING:
        row.trailType, row.trailValue = order.trail_type, order.trail_value
    if order.time_in_force == GTD:
        row.expireTime = order.expire_time
