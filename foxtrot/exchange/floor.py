"""Where orders meet: runs an order through the book, books both sides of every trade, and wakes what the trades trigger."""

from foxtrot.domain.enums import Liquidity, Side, TimeInForce
from foxtrot.exchange.events import OrderAmended, TradePrinted
from foxtrot.exchange.market import Market
from foxtrot.exchange.order_book import Match, Outcome
from foxtrot.exchange.order_life import OrderLife
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.working_order import PRICED, WorkingOrder

SELF_TRADE = "self_trade"
NO_LIQUIDITY = "no_liquidity"
_BUY, _SELL = Side.BUY, Side.SELL
_MAKER, _TAKER = Liquidity.MAKER, Liquidity.TAKER
_TRADE = Outcome.TRADE
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


class Floor:
    """Matches accepted orders.

    Thread: belongs to its venue.
    """

    def __init__(self, life: OrderLife) -> None:
        self.life = life
        self.state = life.state

    def work(self, market: Market, order: WorkingOrder) -> None:
        """Let an accepted order take what it can; rest it, or end what its time in force does not let rest."""
        if market.external:
            return
        if not order.price or market.book.would_take(order.is_buy, order.price):
            self._match(market, order)
        if not order.leaves or order.order_id not in self.state.orders:
            return
        if order.order_type not in PRICED:
            self.life.expire(market, order, NO_LIQUIDITY)
        elif order.time_in_force in _AT_ONCE:
            self.life.expire(market, order, order.time_in_force.value)
        else:
            market.book.rest(order)

    def wake(self, market: Market) -> None:
        """Show the trades since the last call to the conditional orders, until no new trade comes of it."""
        prints = market.prints
        while prints:
            for order in market.triggers.fire(prints.popleft()):
                if order.order_id in self.state.orders:
                    self.activate(market, order)

    def activate(self, market: Market, order: WorkingOrder) -> None:
        """Turn a conditional order whose trigger was reached into a market or limit order and let it work."""
        if order.pair:
            self.life.part(market, order)
        order.pending = False
        self.state.stream.triggered(order)
        if market.external:
            return
        account = self.state.ledger.accounts[order.account]
        settlement = self.life.settlement(market)
        if order.reduce_only:
            most = settlement.reducible(account, market, order.is_buy, order.position_side)
            if not most:
                self.life.cancel(market, order, "nothing_to_reduce")
                return
            order.leaves = min(order.leaves, most)
            order.quantity = order.filled + order.leaves
        if order.time_in_force is TimeInForce.FOK and self.fillable(market, order) < order.leaves:
            self.life.expire(market, order, order.time_in_force.value)
            return
        if account.margin_checked:
            code = settlement.refusal(account, market, order, self.worst_notional(market, order))
            if code is not ResultCode.OK:
                self.life.cancel(market, order, code.value)
                return
        self.work(market, order)

    def fillable(self, market: Market, order: WorkingOrder) -> int:
        """Return how much of an order would trade now, in units."""
        return sum(quantity for _, quantity in market.book.preview(order))

    def worst_notional(self, market: Market, order: WorkingOrder) -> int:
        """Return the money an order is worth at worst: at its limit, or over the levels a market order would sweep."""
        price = order.price
        if not price and order.pending:
            price = order.trigger_price if market.derivative else 0
        elif not price and market.external:
            price = market.reference
        elif not price:
            return sum(level * quantity for level, quantity in market.book.preview(order)) * market.unit_value
        return order.leaves * price * market.unit_value

    def _match(self, market: Market, taker: WorkingOrder) -> None:
        first = last = 0
        orders = self.state.orders
        for match in market.book.match(taker):
            maker = orders[match.maker.order_id]
            if match.outcome is not _TRADE:
                self._prevent(market, taker, maker, match)
                continue
            self._trade(market, taker, maker, match)
            first, last = first or match.price, match.price
            if taker.order_id not in orders:
                break
        if last:
            if market.last != last and not market.mark:
                self.state.moved_marks[market.instrument_id] = None
            market.last = last
            market.prints.append(first)
            if first != last:
                market.prints.append(last)

    def _trade(self, market: Market, taker: WorkingOrder, maker: WorkingOrder, match: Match) -> None:
        price, quantity = match.price, match.quantity
        trade_id = market.next_trade_id
        market.next_trade_id = trade_id + 1
        stream = self.state.stream
        aggressor = _BUY if taker.is_buy else _SELL
        event = TradePrinted(stream.next(), stream.time_ns, market.instrument_id, trade_id, price, quantity, aggressor)
        stream.sink(event)
        market.tape.print(event)
        trade = (trade_id, price, quantity)
        self.life.fill(market, maker, trade, _MAKER)
        self.life.fill(market, taker, trade, _TAKER)

    def _prevent(self, market: Market, taker: WorkingOrder, maker: WorkingOrder, match: Match) -> None:
        outcome = match.outcome
        if outcome is Outcome.BOTH_REDUCED:
            self._reduced(market, maker, match.quantity)
            self._reduced(market, taker, match.quantity)
            return
        if outcome is not Outcome.TAKER_STOPPED:
            self.life.cancel(market, maker, SELF_TRADE)
        if outcome is not Outcome.MAKER_REMOVED:
            self.life.cancel(market, taker, SELF_TRADE)

    def _reduced(self, market: Market, order: WorkingOrder, quantity: int) -> None:
        if order.pair:
            self.life.part(market, order)
        if not order.leaves:
            self.life.cancel(market, order, SELF_TRADE)
            return
        order.quantity -= quantity
        self.life.rehold(market, order)
        self.state.stream.ended(OrderAmended, order, SELF_TRADE)
