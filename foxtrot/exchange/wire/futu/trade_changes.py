"""Modifying orders: a new total quantity, a new price, a new trigger; the order keeps its id whatever the venue does for it."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import AmendOrder, CancelOrder, PlaceOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from foxtrot.exchange.wire.futu.trade_orders import OrderState, TradeOrder, TradeOrders
from foxtrot.exchange.wire.futu.trade_request import KINDS, TRAILING_STOP, OrderReader, price_units, quantity_units
from foxtrot.exchange.wire.futu.trade_texts import refused, venue_text
from foxtrot.exchange.wire.futu.venue_side import FutuSide


class _Terms(msgspec.Struct, frozen=True):
    """What an order shall be from now on, in units; `trailing` is 0 where it stays."""

    quantity: int
    price: int
    trigger: int
    trailing: int


class OrderChanges:
    """Modifies open orders.

    Thread: exchange-io.
    """

    def __init__(
        self,
        side: FutuSide,
        orders: TradeOrders,
        reader: OrderReader,
        tell: Callable[[TradeOrder, int | None], None],
    ) -> None:
        self._side = side
        self._orders = orders
        self._reader = reader
        self._tell = tell

    def amend(self, order: TradeOrder, c2s: Any) -> None:
        """Set the total quantity and the price of an order, and its trigger where one is given.

        Source: Futu OpenAPI documentation, Modify or Cancel Orders: qty, price, auxPrice, trailType, trailValue.

        Raises:
            FutuRefused: the figures are not legal, or the venue does not allow the change.
        """
        state = self._orders.state(order)
        terms = self._terms(order, state, c2s)
        self._apply(order, state, terms)
        if terms.trailing:
            order.trail_type, order.trail_value = c2s.trailType, c2s.trailValue

    def _apply(self, order: TradeOrder, state: OrderState, terms: _Terms) -> None:
        if order.held is not None:
            self._rewrite(order, order.held, terms)
            return
        report = self._side.venue.order(order.account.account, order.instrument.instrument_id, order.venue_id)
        if report is None:
            raise refused("order", order_id=order.order_id_ex)
        if terms.trailing or terms.trigger != state.trigger:
            self._enter_again(order, report, terms)
            return
        command = AmendOrder(
            self._side.now_ns(),
            report.account,
            report.instrument_id,
            order.venue_id,
            quantity=terms.quantity,
            price=terms.price,
        )
        result = self._side.venue.execute(command)
        if not result.ok:
            raise self._refused(order, result)

    def _terms(self, order: TradeOrder, state: OrderState, c2s: Any) -> _Terms:
        kind, instrument = KINDS[order.order_type], order.instrument
        price = price_units(instrument, c2s, c2s.price) if kind.order_type.needs_price else 0
        is_moved = kind.order_type.needs_trigger and c2s.HasField("auxPrice")
        trigger = self._reader.trigger(instrument, c2s) if is_moved else state.trigger
        trails = order.order_type == TRAILING_STOP and c2s.HasField("trailValue")
        trailing = self._reader.trailing(instrument, c2s) if trails else 0
        return _Terms(quantity_units(instrument, c2s.qty), price, trigger, trailing)

    def _rewrite(self, order: TradeOrder, held: OrderState, terms: _Terms) -> None:
        """Change an order that waits for its market to open."""
        order.updated_ns = self._side.now_ns()
        order.held = replace(
            held, quantity=terms.quantity, price=terms.price, trigger=terms.trigger, updated_ns=order.updated_ns
        )
        if order.command is not None:
            offset = terms.trailing or order.command.trailing_offset
            order.command = replace(order.command, trigger_price=terms.trigger, trailing_offset=offset)
        self._tell(order, None)

    def _enter_again(self, order: TradeOrder, report: OrderReport, terms: _Terms) -> None:
        """Change the trigger of an order: the venue gets another one in its place, under the same name.

        A client sees one order. Only after a restart of the server the two are two, for its notes are gone then.
        """
        if not report.pending:
            raise refused("not_modifiable", order_id=order.order_id_ex, reason="it was triggered already")
        former = _command_of(report, self._side.now_ns())
        command = replace(
            former,
            quantity=terms.quantity,
            price=terms.price,
            trigger_price=terms.trigger,
            trailing_offset=terms.trailing or report.trailing_offset,
        )
        if terms.trailing:
            command = replace(command, trigger_price=0)
        self._side.venue.execute(CancelOrder(former.time_ns, report.account, report.instrument_id, order.venue_id))
        result = self._side.venue.execute(command)
        if result.ok:
            self._orders.rebind(order, result.order_id)
            return
        again = self._side.venue.execute(former)  # it held this much a moment ago
        self._orders.rebind(order, again.order_id)
        raise self._refused(order, result)

    @staticmethod
    def _refused(order: TradeOrder, result: CommandResult) -> FutuRefused:
        told = venue_text(result, order.instrument.symbol, selling=order.side is Side.SELL)
        return refused("not_modifiable", order_id=order.order_id_ex, reason=told)


def _command_of(report: OrderReport, now_ns: int) -> PlaceOrder:
    """Return the command that enters an order as it stands."""
    trails = report.trailing_offset > 0
    return PlaceOrder(
        now_ns,
        report.account,
        report.instrument_id,
        report.client_order_id,
        report.side,
        report.order_type,
        report.quantity,
        report.price,
        0 if trails else report.trigger_price,
        report.time_in_force,
        trailing_offset=report.trailing_offset,
        expire_time_ns=report.expire_time_ns,
        expire_unfillable=True,
    )
