"""Pure translation between the embedded venue's events and commands and the platform's facts and orders.

Source: foxtrot/exchange/commands.py and events.py, the embedded venue's own vocabulary.
"""

from decimal import Decimal

from foxtrot.domain.account import AccountCharge, AccountData, BalanceData, PositionData
from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, DepthData, Level, MarketTrade, TickData
from foxtrot.domain.order import ApprovedOrder, OrderData, TradeData
from foxtrot.exchange.commands import AmendOrder, PlaceOrder, PlacePair
from foxtrot.exchange.events import (
    ChargeBooked,
    FundingPaid,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    PositionChanged,
    TradePrinted,
)
from foxtrot.exchange.reports import OrderReport, PositionReport
from foxtrot.exchange.tape import Candle, Ticker

_ACCEPTED, _PARTLY, _FILLED = OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED
STATUS_OF: dict[type[OrderEvent], OrderStatus] = {
    OrderAccepted: OrderStatus.ACCEPTED,
    OrderAmended: OrderStatus.ACCEPTED,
    OrderTriggered: OrderStatus.ACCEPTED,
    OrderFilled: OrderStatus.PARTIALLY_FILLED,
    OrderCancelled: OrderStatus.CANCELLED,
    OrderExpired: OrderStatus.EXPIRED,
    OrderRejected: OrderStatus.REJECTED,
}
"""Class of an order event → what it says of the order, before its filled quantity is looked at."""

_ENDS = (OrderRejected, OrderCancelled, OrderExpired)
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def place_order(order: ApprovedOrder, time_ns: int) -> PlaceOrder:
    """Return the venue's command for an approved order; the desk's id becomes the client order id.

    Source: exchange/commands.py, PlaceOrder.
    """
    return PlaceOrder(
        time_ns, order.account, order.instrument_id, order.order_id, order.side, order.order_type, order.quantity_units,
        order.price_units, order.trigger_units, order.time_in_force, order.reduce_only, order.post_only, order.position_side,
        order.trailing_offset_units, order.display_units, order.expire_time_ns,
    )  # fmt: skip


def amend_order(order: ApprovedOrder, time_ns: int) -> AmendOrder:
    """Return the venue's command that makes a resting order what it is to be.

    Source: exchange/commands.py, AmendOrder.
    """
    return AmendOrder(
        time_ns, order.account, order.instrument_id, 0, order.order_id, order.quantity_units, order.price_units
    )


def place_pair(first: ApprovedOrder, second: ApprovedOrder, time_ns: int) -> PlacePair:
    """Return the venue's command for two approved orders of which one ends the other; either may be the stop.

    Two that are no stop and limit stay as they come: the venue refuses them, and says what a pair is.

    Source: exchange/commands.py, PlacePair.
    """
    stop, limit = (second, first) if second.order_type in _STOPS else (first, second)
    return PlacePair(time_ns, stop.account, place_order(stop, time_ns), place_order(limit, time_ns))


def denied_order(order: ApprovedOrder, instrument: Instrument | None, now_ns: int, rule: str, reason: str) -> OrderData:
    """Return an order that never left; without an instrument, which no grid can be known of, its figures are 0.0.

    Source: domain/order.py, ApprovedOrder.
    """
    quantity = instrument.quantity(order.quantity_units) if instrument else 0.0
    price = instrument.price(order.price_units) if instrument else 0.0
    trigger = instrument.price(order.trigger_units) if instrument else 0.0
    return OrderData(
        order.order_id, order.account, order.instrument_id, order.side, order.order_type, quantity, price,
        OrderStatus.DENIED, 0.0, 0.0, "", now_ns, now_ns, order.strategy_id, trigger, order.time_in_force,
        order.reduce_only, order.post_only, order.position_side, rule, reason,
    )  # fmt: skip


def order_id_of(event: OrderEvent) -> str:
    """Return our id of an order, or a made-up one for an order placed without (another client's).

    Source: exchange/events.py, OrderEvent.client_order_id.
    """
    return event.client_order_id or f"venue{event.order_id}"


def order_data(event: OrderEvent, instrument: Instrument, local_time_ns: int) -> OrderData:
    """Return an order as its event tells it.

    Source: exchange/events.py, OrderEvent and its subclasses.
    """
    status = STATUS_OF[type(event)]
    filled = event.filled
    if filled and (status is _ACCEPTED or status is _PARTLY):
        status = _FILLED if filled >= event.quantity else _PARTLY
    price_grid, quantity_grid = instrument.price_grid, instrument.quantity_grid
    average = event.cost * price_grid.numerator / (filled * price_grid.denominator) if filled else 0.0
    price = event.price * price_grid.numerator / price_grid.denominator if event.price else 0.0
    trigger = instrument.price(event.trigger_price) if event.trigger_price else 0.0
    reason = event.reason if isinstance(event, _ENDS) else ""
    rule = event.code if isinstance(event, OrderRejected) else ""
    return OrderData(
        event.client_order_id or order_id_of(event), event.account, event.instrument_id, event.side, event.order_type,
        event.quantity * quantity_grid.numerator / quantity_grid.denominator, price, status,
        filled * quantity_grid.numerator / quantity_grid.denominator, average, str(event.order_id) if event.order_id else "",
        event.time_ns, local_time_ns, "", trigger, event.time_in_force, event.reduce_only, event.post_only,
        event.position_side, rule, reason,
    )  # fmt: skip


def trade_data(event: OrderFilled, instrument: Instrument, local_time_ns: int) -> TradeData:
    """Return one of our fills.

    Source: exchange/events.py, OrderFilled.
    """
    return TradeData(
        str(event.trade_id), event.client_order_id or order_id_of(event), event.account, event.instrument_id, event.side,
        instrument.price(event.fill_price), instrument.quantity(event.fill_quantity), event.fee, event.fee_asset,
        event.liquidity, str(event.order_id), event.time_ns, local_time_ns, "", event.position_side,
    )  # fmt: skip


def market_trade(event: TradePrinted, instrument: Instrument, local_time_ns: int) -> MarketTrade:
    """Return a public print.

    Source: exchange/events.py, TradePrinted.
    """
    price, size = instrument.price(event.price), instrument.quantity(event.quantity)
    return MarketTrade(
        event.instrument_id, event.time_ns, local_time_ns, str(event.trade_id), price, size, event.aggressor
    )


def account_data(account: str, balances: dict[str, tuple[Decimal, Decimal]], now_ns: int) -> AccountData:
    """Return balances from the venue's {asset: (total, locked)}.

    Source: exchange/venue.py, Venue.balances.
    """
    rows = tuple(
        BalanceData(account, asset, total, total - locked, locked, now_ns, now_ns)
        for asset, (total, locked) in sorted(balances.items())
    )
    return AccountData(account, rows, now_ns, now_ns)


def position_data(event: PositionChanged, instrument: Instrument, local_time_ns: int) -> PositionData:
    """Return a position.

    Source: exchange/events.py, PositionChanged.
    """
    return PositionData(
        event.account, event.instrument_id, event.position_side, instrument.quantity(event.quantity), event.average_price,
        Decimal(0), event.realised_profit, event.time_ns, local_time_ns,
    )  # fmt: skip


def charge(event: ChargeBooked | FundingPaid, local_time_ns: int) -> AccountCharge:
    """Return money that moved without a trade; the venue's event number is its id.

    Source: exchange/events.py, ChargeBooked and FundingPaid.
    """
    kind = "funding" if isinstance(event, FundingPaid) else event.kind
    instrument_id = event.instrument_id if isinstance(event, FundingPaid) else ""
    return AccountCharge(
        event.account, kind, event.asset, event.amount, instrument_id, str(event.sequence), event.time_ns, local_time_ns
    )


def levels(rows: tuple[tuple[int, int], ...], instrument: Instrument) -> tuple[Level, ...]:
    """Return book levels in units as (price, size) floats.

    Source: exchange/venue.py, Venue.depth.
    """
    price, quantity = instrument.price_grid, instrument.quantity_grid
    pn, pd, qn, qd = price.numerator, price.denominator, quantity.numerator, quantity.denominator
    return tuple((row[0] * pn / pd, row[1] * qn / qd) for row in rows)


def depth_data(
    book: tuple[int, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]], instrument: Instrument, now_ns: int
) -> DepthData:
    """Return the venue's (update id, bids, asks) as a fact.

    Source: exchange/queries.py, VenueQueries.depth.
    """
    update_id, bids, asks = book
    rows = levels(bids, instrument), levels(asks, instrument)
    return DepthData(instrument.instrument_id, now_ns, now_ns, update_id, *rows)


def listed_order(order: OrderReport, instrument: Instrument, local_time_ns: int) -> OrderData:
    """Return an order from the venue's list of open orders.

    Source: exchange/reports.py, OrderReport.
    """
    status = OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.ACCEPTED
    average = (
        order.cost * instrument.price_grid.numerator / (order.filled * instrument.price_grid.denominator)
        if order.filled
        else 0.0
    )
    return OrderData(
        order.client_order_id or f"venue{order.order_id}", order.account, order.instrument_id, order.side, order.order_type,
        instrument.quantity(order.quantity), instrument.price(order.price) if order.price else 0.0, status,
        instrument.quantity(order.filled), average, str(order.order_id), order.time_ns, local_time_ns, "",
        instrument.price(order.trigger_price) if order.trigger_price else 0.0, order.time_in_force, order.reduce_only,
        order.post_only, order.position_side,
    )  # fmt: skip


def bar_data(candle: Candle, instrument: Instrument, interval: Interval, local_time_ns: int) -> BarData:
    """Return a closed candle as a bar.

    Source: exchange/tape.py, Candle.
    """
    price, quantity = instrument.price_grid, instrument.quantity_grid
    turnover = candle.turnover * price.numerator * quantity.numerator / (price.denominator * quantity.denominator)
    return BarData(
        instrument.instrument_id, interval.text, candle.open_time_ns, candle.open_time_ns + interval.duration_ns,
        instrument.price(candle.open), instrument.price(candle.high), instrument.price(candle.low),
        instrument.price(candle.close), instrument.quantity(candle.volume), turnover, candle.trade_count, local_time_ns,
    )  # fmt: skip


def tick_data(ticker: Ticker, instrument: Instrument, local_time_ns: int) -> TickData:
    """Return top of book, last trade and the day's figures.

    Source: exchange/tape.py, Ticker.
    """
    price, quantity = instrument.price, instrument.quantity
    grids = instrument.price_grid, instrument.quantity_grid
    turnover = ticker.turnover * grids[0].numerator * grids[1].numerator / (grids[0].denominator * grids[1].denominator)
    return TickData(
        ticker.instrument_id, ticker.time_ns, local_time_ns, price(ticker.bid_price), quantity(ticker.bid_quantity),
        price(ticker.ask_price), quantity(ticker.ask_quantity), price(ticker.last_price), quantity(ticker.last_quantity),
        quantity(ticker.volume), turnover, price(ticker.open), price(ticker.high), price(ticker.low), 0.0, 0.0,
        price(ticker.mark_price),
    )  # fmt: skip


def listed_position(row: PositionReport, instrument: Instrument, local_time_ns: int) -> PositionData:
    """Return a position from the venue's list.

    Source: exchange/reports.py, PositionReport.
    """
    return PositionData(
        row.account, row.instrument_id, row.position_side, instrument.quantity(row.quantity), row.average_price,
        row.unrealised_profit, row.realised_profit, local_time_ns, local_time_ns,
    )  # fmt: skip
