"""What happens to one order after it was found good: accepted, filled, reduced, ended. Every step leaves as an event."""

from foxtrot.domain.enums import Liquidity, OrderStatus
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.events import OrderAmended, OrderCancelled, OrderExpired
from foxtrot.exchange.fee_desk import FeeDesk
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import ZERO
from foxtrot.exchange.settlement import MarginSettlement, OwnershipSettlement, Settlement
from foxtrot.exchange.venue_state import VenueState
from foxtrot.exchange.working_order import WorkingOrder

_FILLED, _PARTLY = OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED


class OrderLife:
    """Moves orders through their life and money with them.

    Thread: belongs to its venue.
    """

    def __init__(self, state: VenueState) -> None:
        self.state = state
        self.ownership = OwnershipSettlement(state)
        self.margin = MarginSettlement(state)
        self.fee_desk = FeeDesk(state, self.ownership)

    def settlement(self, market: Market) -> Settlement:
        """Return how a market settles."""
        return self.margin if market.derivative else self.ownership

    def accept(self, account: Account, market: Market, order: WorkingOrder) -> None:
        """Note a new open order, hold what it needs and tell."""
        self.state.orders[order.order_id] = order
        account.add_order(order)
        if account.margin_checked:
            self.settlement(market).hold(account, market, order, order.leaves)
        self.state.stream.accepted(order)

    def fill(self, market: Market, order: WorkingOrder, trade: tuple[int, int, int], liquidity: Liquidity) -> None:
        """Book one fill (trade id, price, quantity) whose quantity has left `order.leaves` already."""
        _, price, quantity = trade
        state = self.state
        account = state.ledger.accounts[order.account]
        order.filled += quantity
        order.cost += price * quantity
        settlement = self.margin if market.derivative else self.ownership
        settlement.fill(account, market, order, price, quantity)
        if market.fee_free:
            fee = (ZERO, market.money_asset)
        else:
            fee = self.fee_desk.charge(account, market, order, (price, quantity), liquidity)
        if account.margin_checked:
            settlement.hold(account, market, order, order.leaves)
        done = not order.leaves
        order.status = _FILLED if done else _PARTLY
        state.history.add_fill(state.stream.filled(order, trade, liquidity, fee))
        if done:
            self._close(account, market, order)
        if account.reduce_only_orders:
            self.trim_reduce_only(account, market)

    def cancel(self, market: Market, order: WorkingOrder, reason: str) -> None:
        """Take the rest of an order out, wherever it waits."""
        self._withdraw(market, order)
        order.status, order.reason = OrderStatus.CANCELLED, reason
        self._close(self.state.ledger.accounts[order.account], market, order)
        self.state.stream.ended(OrderCancelled, order, reason)

    def expire(self, market: Market, order: WorkingOrder, reason: str) -> None:
        """End the rest of an order by its time in force."""
        self._withdraw(market, order)
        order.status, order.reason = OrderStatus.EXPIRED, reason
        self._close(self.state.ledger.accounts[order.account], market, order)
        self.state.stream.ended(OrderExpired, order, reason)

    def lower(self, market: Market, order: WorkingOrder, leaves: int, reason: str) -> None:
        """Lower what is left of an order without its losing its place."""
        order.quantity -= order.leaves - leaves
        if order.order_id in market.book.orders:
            market.book.reduce(order.order_id, leaves)
        else:
            order.leaves = leaves
        self.rehold(market, order)
        self.state.stream.ended(OrderAmended, order, reason)

    def rehold(self, market: Market, order: WorkingOrder) -> None:
        """Hold what the order needs now."""
        account = self.state.ledger.accounts[order.account]
        if account.margin_checked:
            self.settlement(market).hold(account, market, order, order.leaves)

    def trim_reduce_only(self, account: Account, market: Market) -> None:
        """Cancel or lower the reduce-only orders that would now do more than close the position."""
        for order in list(account.orders.values()):
            if not order.reduce_only or order.instrument_id != market.instrument_id:
                continue
            most = self.settlement(market).reducible(account, market, order.is_buy, order.position_side)
            if not most:
                self.cancel(market, order, "nothing_to_reduce")
            elif order.leaves > most:
                self.lower(market, order, most, "reduce_only")

    def _withdraw(self, market: Market, order: WorkingOrder) -> None:
        if order.order_id in market.triggers.orders:
            market.triggers.remove(order)
        else:
            market.book.cancel(order.order_id)

    def _close(self, account: Account, market: Market, order: WorkingOrder) -> None:
        if order.locked:
            self.settlement(market).hold(account, market, order, 0)
        account.remove_order(order)
        del self.state.orders[order.order_id]
        self.state.history.add_order(order)
