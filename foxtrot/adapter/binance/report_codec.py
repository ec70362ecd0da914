"""What Binance tells of our orders, as facts: cumulative states and single fills, BadMessage for what cannot be."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.adapter.binance.codec import VENUE_OF_PRODUCT
from foxtrot.adapter.binance.exact import maybe, number, read, read_with
from foxtrot.adapter.binance.frames import to_ns
from foxtrot.adapter.binance.order_frames import (
    AlgoRow,
    AlgoUpdate,
    ExecutionReport,
    OrderRow,
    OrderTradeUpdate,
    TradeRow,
)
from foxtrot.adapter.exact_sums import EXACT, average_of
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.market import REST
from foxtrot.domain.order import OrderData, TradeData

ZERO = Decimal(0)
_OPEN = OrderStatus.ACCEPTED

STATUSES: dict[str, OrderStatus] = {
    "NEW": _OPEN,
    "PENDING_NEW": _OPEN,
    "PENDING_CANCEL": _OPEN,
    "PARTIALLY_FILLED": _OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "NEW_INSURANCE": _OPEN,
    "NEW_ADL": _OPEN,
}
"""Binance's status → ours, before the filled quantity is looked at.

Source: Binance spot API, enums, Order status; USDⓈ-M Futures, Common Definition, Order status.
"""

ALGO_STATUSES: dict[str, OrderStatus] = {
    "NEW": _OPEN,
    "TRIGGERING": _OPEN,
    "TRIGGERED": _OPEN,
    "FINISHED": _OPEN,
    "CANCELED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
"""Status of a conditional order → ours; once triggered, the ordinary order it became says how it goes on.

Source: USDⓈ-M Futures, User Data Streams, Event: Algo Order Update.
"""

SPOT_TYPES: dict[str, OrderType] = {
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}
USDM_TYPES: dict[str, OrderType] = {
    "LIMIT": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "LIQUIDATION": OrderType.LIMIT,
    "STOP": OrderType.STOP_LIMIT,
    "STOP_MARKET": OrderType.STOP,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
    "TRAILING_STOP_MARKET": OrderType.TRAILING_STOP,
}
TIMES: dict[str, TimeInForce] = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "GTE_GTC": TimeInForce.GTC,
    "RPI": TimeInForce.GTC,
}
POSITION_SIDES = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}


class _Terms(msgspec.Struct, frozen=True):
    """What an order is, whoever tells it: Binance's own words for type, times and sides."""

    client_id: str
    venue_id: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    price: Decimal
    time_in_force: str
    trigger: Decimal = ZERO
    position_side: str = "BOTH"
    reduce_only: bool = False
    trails: bool = False


class _Progress(msgspec.Struct, frozen=True):
    """How far an order has come."""

    status: OrderStatus
    filled: Decimal
    average: float
    time_ms: int
    reason: str = ""


class ReportCodec:
    """Translates orders and fills of one account of one product.

    Thread: stateless, any thread.
    """

    def __init__(self, product: Product, account: str) -> None:
        self.product = product
        self.account = account
        self._venue = VENUE_OF_PRODUCT[product]
        self._types = SPOT_TYPES if product is Product.SPOT else USDM_TYPES

    def instrument_id(self, symbol: str) -> str:
        """Return the id of a symbol of this product.

        Source: Binance spot API and USDⓈ-M Futures, Exchange Information ("symbol"); the suffix is ours.
        """
        return f"{symbol}.{self._venue}"

    def order_row(self, raw: object, local_time_ns: int) -> tuple[OrderData, tuple[TradeData, ...]]:
        """Return an order of an answer or a list, and the fills it tells (a new spot order's only: it took them).

        Raises:
            BadMessage: it is no order, or says what cannot be.

        Source: Binance spot API, rest-api, New order (FULL), Query order, Cancel order; USDⓈ-M Futures, likewise named.
        """
        row = read(OrderRow, raw, "order")
        return read_with(lambda: self._order_row(row, local_time_ns), "order")

    def algo_row(self, raw: object, local_time_ns: int) -> tuple[OrderData, str]:
        """Return a conditional order, and the venue's id of the order that it became, "" while it waits.

        Raises:
            BadMessage: it is no such order, or says what cannot be.

        Source: USDⓈ-M Futures, Trade, New Algo Order, Query Algo Order, Current All Algo Open Orders.
        """
        row = read(AlgoRow, raw, "algo order")
        trigger = row.triggerPrice or maybe(row.activatePrice, "activatePrice")
        spawned = _spawned(row.actualOrderId)
        terms = _Terms(
            row.clientAlgoId, spawned or algo_id(row.algoId), row.symbol, row.side, row.orderType, row.quantity, row.price,
            row.timeInForce, trigger, row.positionSide, row.reduceOnly,
        )  # fmt: skip
        filled, price = maybe(row.actualQty, "actualQty"), number(maybe(row.actualPrice, "actualPrice"))
        time = row.updateTime or row.createTime
        return read_with(
            lambda: self._algo(terms, row.algoStatus, (filled, price), time, "", local_time_ns), "algo"
        ), spawned

    def trade_row(self, raw: object, order_id: str, local_time_ns: int) -> TradeData:
        """Return a fill of a list, which names the order by the venue's id only.

        Raises:
            BadMessage: it is no fill, or says what cannot be.

        Source: Binance spot API, rest-api, Account trade list; USDⓈ-M Futures, Trade, Account Trade List.
        """
        row = read(TradeRow, raw, "trade")
        return read_with(lambda: self._trade_row(row, order_id, local_time_ns), "trade")

    def execution_report(self, raw: Mapping[str, object], local_time_ns: int) -> tuple[OrderData, TradeData | None]:
        """Return a spot order as it stands after an event, and the fill that the event was.

        Raises:
            BadMessage: it is no such event, or says what cannot be.

        Source: Binance spot API, user-data-stream, Order Update.
        """
        report = read(ExecutionReport, raw, "executionReport")
        return read_with(lambda: self._execution_report(report, local_time_ns), "executionReport")

    def order_update(self, raw: Mapping[str, object], local_time_ns: int) -> tuple[OrderData, TradeData | None]:
        """Return a USD-M order as it stands after an event, and the fill that the event was.

        Raises:
            BadMessage: it is no such event, or says what cannot be.

        Source: USDⓈ-M Futures, User Data Streams, Event: Order Update.
        """
        update = read(OrderTradeUpdate, raw, "ORDER_TRADE_UPDATE")
        return read_with(lambda: self._order_update(update, local_time_ns), "ORDER_TRADE_UPDATE")

    def algo_update(self, raw: Mapping[str, object], local_time_ns: int) -> tuple[OrderData, str]:
        """Return a conditional order as it stands after an event, and the venue's id of the order that it became or "".

        Raises:
            BadMessage: it is no such event, or says what cannot be.

        Source: USDⓈ-M Futures, User Data Streams, Event: Algo Order Update.
        """
        update = read(AlgoUpdate, raw, "ALGO_UPDATE")
        o = update.o
        spawned = _spawned(str(o.ai))
        terms = _Terms(o.caid, spawned or algo_id(o.aid), o.s, o.S, o.o, o.q, o.p, o.f, o.tp, o.ps, o.R)
        done, price = (o.aq, number(o.ap)) if spawned else (ZERO, 0.0)
        return (
            read_with(lambda: self._algo(terms, o.X, (done, price), update.T, o.rm, local_time_ns), "ALGO_UPDATE"),
            spawned,
        )

    def _order_row(self, row: OrderRow, local_ns: int) -> tuple[OrderData, tuple[TradeData, ...]]:
        cost = row.cummulativeQuoteQty or row.cumQuote
        average = average_of(cost, row.executedQty) if cost > 0 else number(row.avgPrice)
        time_ms = row.transactTime or row.updateTime or row.time
        terms = _Terms(
            row.origClientOrderId or row.clientOrderId, str(row.orderId), row.symbol, row.side, row.origType or row.type,
            row.origQty, row.price, row.timeInForce, row.stopPrice, row.positionSide, row.reduceOnly, row.trailingDelta > 0,
        )  # fmt: skip
        reason = str(row.expiryReason or "")
        progress = _Progress(STATUSES[row.status], row.executedQty, average, time_ms, reason)
        order = self._order(terms, progress, local_ns)
        fills = tuple(
            self._trade(
                order, fill.tradeId, (fill.price, fill.qty), (fill.commission, fill.commissionAsset), maker=False
            )
            for fill in row.fills
        )
        return order, fills

    def _execution_report(self, e: ExecutionReport, local_ns: int) -> tuple[OrderData, TradeData | None]:
        reason = "" if e.r == "NONE" else e.r
        terms = _Terms(e.C or e.c, str(e.i), e.s, e.S, e.o, e.q, e.p, e.f, e.P, trails=e.d > 0)
        progress = _Progress(STATUSES[e.X], e.z, average_of(e.Z, e.z), e.T, reason or str(e.eR or ""))
        order = self._order(terms, progress, local_ns)
        if e.x != "TRADE":
            return order, None
        return order, self._trade(order, e.t, (e.L, e.l), (e.n or ZERO, e.N or ""), maker=e.m)

    def _order_update(self, update: OrderTradeUpdate, local_ns: int) -> tuple[OrderData, TradeData | None]:
        o = update.o
        terms = _Terms(o.c, str(o.i), o.s, o.S, o.ot or o.o, o.q, o.p, o.f, o.sp, o.ps, o.R)
        progress = _Progress(STATUSES[o.X], o.z, number(o.ap), o.T, str(o.er or ""))
        order = self._order(terms, progress, local_ns)
        if o.t <= 0 or o.l <= 0:
            return order, None
        return order, self._trade(order, o.t, (o.L, o.l), (o.n or ZERO, o.N or ""), maker=o.m)

    def _trade_row(self, row: TradeRow, order_id: str, local_ns: int) -> TradeData:
        buys, makes = _given(row.isBuyer, row.buyer), _given(row.isMaker, row.maker)
        _check_fill(row.price, row.qty)
        return TradeData(
            str(row.id), order_id, self.account, self.instrument_id(row.symbol), Side.BUY if buys else Side.SELL,
            number(row.price), number(row.qty), row.commission, row.commissionAsset,
            Liquidity.MAKER if makes else Liquidity.TAKER, str(row.orderId), to_ns(row.time), local_ns, "",
            POSITION_SIDES[row.positionSide], REST,
        )  # fmt: skip

    def _algo(
        self, terms: _Terms, status: str, done: tuple[Decimal, float], time_ms: int, reason: str, local_ns: int
    ) -> OrderData:
        known = ALGO_STATUSES[status]
        told = reason if known in (OrderStatus.REJECTED, OrderStatus.EXPIRED) else ""
        return self._order(terms, _Progress(known, done[0], done[1], time_ms, told), local_ns)

    def _order(self, terms: _Terms, progress: _Progress, local_ns: int) -> OrderData:
        """Return the fact of an order.

        Raises:
            ValueError: the quantities contradict each other.
            KeyError: a word is none of Binance's.
        """
        quantity, filled, time_in_force = terms.quantity, progress.filled, terms.time_in_force
        if quantity < 0 or filled < 0 or terms.price < 0 or (quantity and filled > quantity):
            raise ValueError(f"{filled} of {quantity} filled at {terms.price} cannot be")
        status = _status(progress.status, quantity, filled, time_in_force)
        rule, reason = _why(status, progress.reason, time_in_force)
        kind = OrderType.TRAILING_STOP if terms.trails else self._types[terms.kind]
        return OrderData(
            terms.client_id or f"venue{terms.venue_id}", self.account, self.instrument_id(terms.symbol), SIDES[terms.side],
            kind, number(quantity), number(terms.price), status, number(filled), progress.average, terms.venue_id,
            to_ns(progress.time_ms) or local_ns, local_ns, "", number(terms.trigger), TIMES[time_in_force],
            terms.reduce_only, terms.kind == "LIMIT_MAKER" or time_in_force == "GTX", POSITION_SIDES[terms.position_side],
            rule, reason,
        )  # fmt: skip

    def _trade(
        self, order: OrderData, trade_id: int, what: tuple[Decimal, Decimal], fee: tuple[Decimal, str], *, maker: bool
    ) -> TradeData:
        price, quantity = what
        _check_fill(price, quantity)
        return TradeData(
            str(trade_id), order.order_id, order.account, order.instrument_id, order.side, number(price), number(quantity),
            EXACT.plus(fee[0]), fee[1], Liquidity.MAKER if maker else Liquidity.TAKER, order.venue_order_id,
            order.venue_time_ns, order.local_time_ns, "", order.position_side,
        )  # fmt: skip


def algo_id(number: int) -> str:
    """Return our name of a conditional order's number, which counts apart from those of ordinary orders.

    Source: USDⓈ-M Futures, Trade, New Algo Order (algoId).
    """
    return f"algo{number}"


def _spawned(text: str) -> str:
    """Return the venue's id of the order that a conditional one became; none is said as "" or "0"."""
    return "" if not text or not text.isdigit() or int(text) == 0 else text


def _given(first: bool | None, second: bool | None) -> bool:
    value = first if first is not None else second
    if value is None:
        raise ValueError("a fill does not say which side we were")
    return value


def _check_fill(price: Decimal, quantity: Decimal) -> None:
    if price <= 0 or quantity <= 0:
        raise ValueError(f"a fill of {quantity} at {price} cannot be")


def _status(status: OrderStatus, quantity: Decimal, filled: Decimal, time_in_force: str) -> OrderStatus:
    """Return what a status and the filled quantity say together.

    A fill-or-kill order of which nothing could be done is refused on USD-M and expires on spot: one fact, one name.
    """
    if status is OrderStatus.EXPIRED and time_in_force == "FOK" and not filled:
        return OrderStatus.REJECTED
    if status is not _OPEN:
        return status
    if not filled:
        return _OPEN
    return OrderStatus.FILLED if filled >= quantity > 0 else OrderStatus.PARTIALLY_FILLED


def _why(status: OrderStatus, reason: str, time_in_force: str) -> tuple[str, str]:
    """Return rule and reason of an order that ended otherwise than filled or cancelled."""
    if status is OrderStatus.REJECTED:
        return "venue", reason or ("it could not be filled whole at once" if time_in_force == "FOK" else "rejected")
    if status is OrderStatus.EXPIRED:
        return "expired", reason or f"the venue ended it ({time_in_force})"
    return "", reason if status is OrderStatus.CANCELLED else ""
