"""Orders as customers enter, modify and cancel them; an order may wait here until its market opens."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import CancelOrder, PlaceOrder, TradingState
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from foxtrot.exchange.wire.futu.trade_accounts import TradeAccounts
from foxtrot.exchange.wire.futu.trade_changes import OrderChanges
from foxtrot.exchange.wire.futu.trade_hours import TradeHours
from foxtrot.exchange.wire.futu.trade_orders import (
    CANCELLED_ALL,
    CANCELLING_ALL,
    FAILED,
    IOC,
    OPEN,
    WAITING_SUBMIT,
    OrderState,
    TradeOrder,
    TradeOrders,
)
from foxtrot.exchange.wire.futu.trade_packets import TradePackets
from foxtrot.exchange.wire.futu.trade_request import (
    ABSOLUTE_LIMIT,
    OrderAsk,
    OrderReader,
)
from foxtrot.exchange.wire.futu.trade_texts import refused, text, venue_text
from foxtrot.exchange.wire.futu.venue_side import FutuAccount, FutuSide

_PLACE, _MODIFY_ORDER = 2202, 2205
_MODIFY, _CANCEL = 1, 2
Tell = Callable[[TradeOrder, int | None], None]
"""Pushes an order as it stands, or in a status that it passes through."""


class TradeDesk:
    """Enters, modifies and cancels orders.

    Thread: exchange-io.

    Args:
        side: the venue.
        accounts: who may trade.
        orders: what is known of orders.
        hours: when markets are open.
        tell: pushes an order of which the venue tells nothing; after the answer of the request.
    """

    def __init__(
        self, side: FutuSide, accounts: TradeAccounts, orders: TradeOrders, hours: TradeHours, tell: Tell
    ) -> None:
        self._side = side
        self._accounts = accounts
        self._orders = orders
        self._hours = hours
        self._tell = tell
        self._packets = TradePackets()
        self._reader = OrderReader(side, hours)
        self._changes = OrderChanges(side, orders, self._reader, tell)

    def place(self, client: FutuClient, c2s: Any) -> Any:
        """Enter an order.

        Source: Futu OpenAPI documentation, Place Order.

        Raises:
            FutuRefused: the order, its account or the venue does not allow it.
        """
        account = self._accounts.trading(c2s.header)
        self._packets.take(client, c2s.packetID)
        ask = self._reader.read(account, c2s)
        order = self._entered(ask) if self._goes_now(ask) else self._held_back(ask)
        s2c = new_answer(_PLACE)
        s2c.header.CopyFrom(c2s.header)
        s2c.orderID, s2c.orderIDEx = order.order_id, order.order_id_ex
        return s2c

    def modify(self, client: FutuClient, c2s: Any) -> Any:
        """Modify or cancel an order, or cancel all of an account.

        Source: Futu OpenAPI documentation, Modify or Cancel Orders.

        Raises:
            FutuRefused: there is no such order, or it cannot be changed so.
        """
        account = self._accounts.trading(c2s.header)
        self._packets.take(client, c2s.packetID)
        s2c = new_answer(_MODIFY_ORDER)
        s2c.header.CopyFrom(c2s.header)
        s2c.orderID = 0
        if c2s.forAll:
            self._cancel_all(account, c2s)
            return s2c
        order = self._open_order(account, c2s.orderIDEx)
        if c2s.modifyOrderOp == _MODIFY:
            self._changes.amend(order, c2s)
        elif c2s.modifyOrderOp == _CANCEL:
            self._cancel(order)
        else:
            raise refused("operation", operation=c2s.modifyOrderOp)
        s2c.orderID, s2c.orderIDEx = order.order_id, order.order_id_ex
        return s2c

    def tick(self, now_ns: int) -> None:
        """Enter the orders whose market has opened, oldest first.

        Source: Futu OpenAPI documentation, OrderStatus: WAITING_SUBMIT.
        """
        for order in self._orders.waiting():
            if order.command is not None and order.held is not None:
                self._wake(order, order.command, order.held, now_ns)

    # --- entering ---------------------------------------------------------------------------------------------------

    def _goes_now(self, ask: OrderAsk) -> bool:
        """Tell whether an order goes to the market now; of those that cannot, only some may wait."""
        now_ns = self._side.now_ns()
        if not ask.account.real:
            if not self._hours.is_regular(ask.instrument, now_ns):
                raise refused("simulate_session")
            return True
        if self._hours.may_enter(ask.instrument, now_ns, outside=ask.outside):
            return True
        if ask.kind.at_once is not None or ask.time_in_force == IOC:
            market = self._side.trd_market_of(ask.instrument)
            raise refused("closed", market=market, order_type=ask.order_type)
        return False

    def _entered(self, ask: OrderAsk) -> TradeOrder:
        if ask.order_type == ABSOLUTE_LIMIT and not self._meets_exactly(ask):
            return self._failed(ask)
        now_ns = self._side.now_ns()
        name = self._orders.venue_name(ask.account, ask.raw.remark)
        result = self._side.venue.execute(self._reader.command(ask, name, now_ns))
        if not result.ok:
            raise FutuRefused(venue_text(result, ask.instrument.symbol, selling=ask.side is Side.SELL))
        return self._orders.add(_order_of(ask, now_ns), result.order_id)

    def _meets_exactly(self, ask: OrderAsk) -> bool:
        _, bids, asks = self._side.venue.depth(ask.instrument.instrument_id, 1)
        opposite = asks if ask.side is Side.BUY else bids
        return bool(opposite) and opposite[0][0] == ask.price

    def _held_back(self, ask: OrderAsk) -> TradeOrder:
        now_ns = self._side.now_ns()
        order = self._orders.add(_order_of(ask, now_ns))
        name = self._orders.venue_name(ask.account, ask.raw.remark)
        order.command = self._reader.command(ask, name, now_ns)
        order.held = _held(ask, WAITING_SUBMIT, now_ns)
        self._tell(order, None)
        return order

    def _failed(self, ask: OrderAsk) -> TradeOrder:
        """Return an order that was taken and then failed."""
        now_ns = self._side.now_ns()
        order = self._orders.add(_order_of(ask, now_ns))
        order.held = _held(ask, FAILED, now_ns, text("absolute"))
        self._tell(order, None)
        return order

    def _wake(self, order: TradeOrder, command: PlaceOrder, held: OrderState, now_ns: int) -> None:
        """Enter an order that waited, if its market is open, or end it with its day."""
        trades = self._side.venue.trading_state(order.instrument.instrument_id) is TradingState.TRADING
        if 0 < command.expire_time_ns <= now_ns:
            self._end_held(order, held, CANCELLED_ALL, text("expired"))
        elif trades and self._hours.may_enter(order.instrument, now_ns, outside=order.outside_hours):
            entered = replace(command, time_ns=now_ns, quantity=held.quantity, price=held.price)
            result = self._side.venue.execute(entered)
            if result.ok:
                order.updated_ns = now_ns
                self._orders.bind(order, result.order_id)
                return
            told = venue_text(result, order.instrument.symbol, selling=order.side is Side.SELL)
            self._end_held(order, held, FAILED, told)

    def _end_held(self, order: TradeOrder, held: OrderState, status: int, error: str = "") -> None:
        order.updated_ns = self._side.now_ns()
        order.held = replace(held, status=status, updated_ns=order.updated_ns, error=error)
        self._tell(order, None)

    # --- changing ---------------------------------------------------------------------------------------------------

    def _open_order(self, account: FutuAccount, order_id_ex: str) -> TradeOrder:
        order = self._orders.named(account, order_id_ex)
        if order is None:
            raise refused("order", order_id=order_id_ex)
        if self._orders.state(order).status not in OPEN:
            raise refused("ended", order_id=order_id_ex)
        return order

    def _cancel(self, order: TradeOrder) -> None:
        now_ns = self._side.now_ns()
        if order.held is not None:
            self._tell(order, CANCELLING_ALL)
            self._end_held(order, order.held, CANCELLED_ALL)
            return
        account, instrument_id = order.account.account, order.instrument.instrument_id
        result = self._side.venue.execute(CancelOrder(now_ns, account, instrument_id, order.venue_id))
        if not result.ok:
            raise refused("ended", order_id=order.order_id_ex)

    def _cancel_all(self, account: FutuAccount, c2s: Any) -> None:
        if c2s.modifyOrderOp != _CANCEL:
            raise refused("operation", operation=c2s.modifyOrderOp)
        if not account.real:
            raise refused("simulate_all")
        for order, state in list(self._orders.all(account)):
            on_market = c2s.trdMarket in (0, self._side.trd_market_of(order.instrument))
            if on_market and state.status in OPEN:
                self._cancel(order)


def _order_of(ask: OrderAsk, now_ns: int) -> TradeOrder:
    """Return the order that a request makes; its ids come later."""
    raw = ask.raw
    return TradeOrder(
        ask.account, ask.instrument, 0, "", ask.side, ask.order_type, ask.time_in_force, now_ns, now_ns, raw.remark,
        ask.outside, raw.session, raw.expireTime, raw.trailType, raw.trailValue,
    )  # fmt: skip


def _held(ask: OrderAsk, status: int, now_ns: int, error: str = "") -> OrderState:
    return OrderState(status, ask.quantity, ask.price, ask.trigger, 0, 0, now_ns, error)
