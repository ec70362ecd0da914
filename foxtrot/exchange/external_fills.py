"""Commands of an outside fill model, for instruments with external matching: it decides, the venue books."""

from foxtrot.exchange.commands import ExpireOrder, FillOrder, TriggerOrder
from foxtrot.exchange.floor import Floor
from foxtrot.exchange.market import Market
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.working_order import WorkingOrder

_OK = ResultCode.OK


class ExternalFills:
    """Books fills, triggers and expiries that were decided outside.

    Thread: belongs to its venue.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._life = floor.life
        self._state = floor.state

    def fill(self, command: FillOrder) -> CommandResult:
        """Fill (part of) an order; a conditional one is triggered first. What the account cannot pay is cancelled."""
        order = self._state.orders.get(command.order_id)
        market = self._state.markets.get(command.instrument_id)
        if order is None or market is None or not market.external or order.instrument_id != command.instrument_id:
            return self._refused(command, market)
        quantity, price = command.quantity, command.price
        if not 0 < quantity <= order.leaves or price <= 0:
            code = ResultCode.FILTER_QUANTITY_HIGH if price > 0 else ResultCode.FILTER_PRICE_MISSING
            message = f"fill {quantity} at {price} must be at a price above 0 and within the {order.leaves} left"
            return CommandResult(code, order.order_id, message)
        if order.pending:
            self._floor.activate(market, order)
        elif order.pair:
            self._life.part(market, order)  # what the other one held is this one's to pay with
        code = self._payable(market, order, price, quantity)
        if code is not _OK:
            self._life.cancel(market, order, code.value)
            return CommandResult(code, order.order_id, f"account {order.account} cannot pay {quantity} at {price}")
        trade_id = market.next_trade_id
        market.next_trade_id = trade_id + 1
        if market.last != price:
            market.last = price
            if not market.mark and market.derivative and self._state.ledger.watched:
                self._state.moved_marks[market.instrument_id] = None
        order.leaves -= quantity
        self._life.fill(market, order, (trade_id, price, quantity), command.liquidity)
        return CommandResult(_OK, order.order_id)

    def trigger(self, command: TriggerOrder) -> CommandResult:
        """Turn a conditional order into a market or limit order."""
        order, market = self._find(command)
        if order is None or market is None:
            return self._refused(command, market)
        if not order.pending:
            message = f"order {order.order_id} does not wait for a trigger"
            return CommandResult(ResultCode.ORDER_NOT_CONDITIONAL, order.order_id, message)
        self._floor.activate(market, order)
        return CommandResult(_OK, order.order_id)

    def expire(self, command: ExpireOrder) -> CommandResult:
        """End an order."""
        order, market = self._find(command)
        if order is None or market is None:
            return self._refused(command, market)
        self._life.expire(market, order, command.reason)
        return CommandResult(_OK, order.order_id)

    def _find(self, command: TriggerOrder | ExpireOrder) -> tuple[WorkingOrder | None, Market | None]:
        market = self._state.markets.get(command.instrument_id)
        order = self._state.orders.get(command.order_id)
        if market is None or not market.external or order is None or order.instrument_id != command.instrument_id:
            return None, market
        return order, market

    def _payable(self, market: Market, order: WorkingOrder, price: int, quantity: int) -> ResultCode:
        account = self._state.ledger.accounts[order.account]
        if not account.margin_checked or market.derivative or order.locked:
            return _OK
        return self._life.ownership.refusal(account, market, order, price * quantity * market.unit_value)

    @staticmethod
    def _refused(command: FillOrder | TriggerOrder | ExpireOrder, market: Market | None) -> CommandResult:
        if market is not None and not market.external:
            message = f"{command.instrument_id} matches inside the venue; only external matching takes fills"
            return CommandResult(ResultCode.MATCHING_EXTERNAL_ONLY, command.order_id, message)
        message = f"order {command.order_id} is not open on {command.instrument_id}"
        return CommandResult(ResultCode.ORDER_NOT_FOUND, command.order_id, message)
