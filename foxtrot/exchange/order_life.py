"""What happens to one order after it was found good: accepted, filled, reduced, ended. Every step leaves as an event."""

from foxtrot.domain.enums import Liquidity, OrderStatus
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.events import OrderAmended, OrderCancelled, OrderExpired, PairChanged
from foxtrot.exchange.fee_desk import FeeDesk
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import ZERO
from foxtrot.exchange.settlement import MarginSettlement, OwnershipSettlement, Settlement
from foxtrot.exchange.venue_state import VenueState
from foxtrot.exchange.working_order import WorkingOrder

_FILLED, _PARTLY = OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED
BY_OWNER = "cancelled"
"""Why an order ends that its owner takes out."""
OTHER_OF_PAIR = "oco"
"""Why an order ends whose twin traded, was triggered or was ended by a rule."""


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

    def accept_pair(self, account: Account, market: Market, stop: WorkingOrder, limit: WorkingOrder) -> None:
        """Note two new open orders that end each other; what the one that needs more holds is held for both."""
        self.accept(account, market, stop)
        self.accept(account, market, limit)
        spared = stop if stop.locked <= limit.locked else limit
        if spared.locked:
            self.settlement(market).hold(account, market, spared, 0)
        self._tell_pair(stop, is_open=True)

    def part(self, market: Market, order: WorkingOrder) -> None:
        """Expire the twin of an order of a pair, if it is still open: this one trades from now on."""
        twin = self.state.orders.get(order.twin_id)
        if twin is not None:
            self._end(market, twin, OrderStatus.EXPIRED, OTHER_OF_PAIR)
            self.rehold(market, order)

    def fill(self, market: Market, order: WorkingOrder, trade: tuple[int, int, int], liquidity: Liquidity) -> None:
        """Book one fill (trade id, price, quantity) whose quantity has left `order.leaves` already."""
        _, price, quantity = trade
        state = self.state
        if order.pair:
            self.part(market, order)
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
            if order.pair:
                self._tell_pair(order, is_open=False)
        if account.reduce_only_orders:
            self.trim_reduce_only(account, market)

    def cancel(self, market: Market, order: WorkingOrder, reason: str) -> None:
        """Take the rest of an order out, wherever it waits."""
        self._end(market, order, OrderStatus.CANCELLED, reason)
        if order.pair:
            self._end_pair(market, order, reason)

    def expire(self, market: Market, order: WorkingOrder, reason: str) -> None:
        """End the rest of an order by its time in force."""
        self._end(market, order, OrderStatus.EXPIRED, reason)
        if order.pair:
            self._end_pair(market, order, reason)

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

    def _end(self, market: Market, order: WorkingOrder, status: OrderStatus, reason: str) -> None:
        self._withdraw(market, order)
        order.status, order.reason = status, reason
        self._close(self.state.ledger.accounts[order.account], market, order)
        kind = OrderCancelled if status is OrderStatus.CANCELLED else OrderExpired
        self.state.stream.ended(kind, order, reason)

    def _end_pair(self, market: Market, order: WorkingOrder, reason: str) -> None:
        twin = self.state.orders.get(order.twin_id)
        if twin is not None and reason == BY_OWNER:
            self._end(market, twin, OrderStatus.CANCELLED, reason)
        elif twin is not None:
            self._end(market, twin, OrderStatus.EXPIRED, OTHER_OF_PAIR)
        self._tell_pair(order, is_open=False)

    def _tell_pair(self, order: WorkingOrder, *, is_open: bool) -> None:
        stream = self.state.stream
        stream.sink(PairChanged(stream.next(), stream.time_ns, order.account, order.instrument_id, order.pair, is_open))

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
