"""The customer's side: place, amend and cancel, each answered with a code. Refusals change nothing."""

from foxtrot.domain.enums import PositionMode, PositionSide, Side, TimeInForce
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.clockwork import Clockwork
from foxtrot.exchange.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from foxtrot.exchange.events import OrderAmended
from foxtrot.exchange.filters import amend_refusal, order_refusal
from foxtrot.exchange.floor import Floor
from foxtrot.exchange.market import Market
from foxtrot.exchange.order_life import BY_OWNER
from foxtrot.exchange.result import DONE, CommandResult, ResultCode
from foxtrot.exchange.working_order import CONDITIONAL, WorkingOrder

_BUY, _NET, _LONG, _FOK = Side.BUY, PositionSide.NET, PositionSide.LONG, TimeInForce.FOK
_NETTING = PositionMode.NETTING
_TIMED = frozenset({TimeInForce.GTD, TimeInForce.DAY})
_OK = ResultCode.OK


class OrderEntry:
    """Checks what customers ask and does it.

    Thread: belongs to its venue.
    """

    def __init__(self, floor: Floor, clockwork: Clockwork) -> None:
        self.floor = floor
        self.life = floor.life
        self.state = floor.state
        self.clockwork = clockwork

    def place(self, command: PlaceOrder) -> CommandResult:
        """Enter an order: check it, accept it, let it trade; a refusal is told as an event too."""
        state = self.state
        market = state.markets.get(command.instrument_id)
        account = state.ledger.accounts.get(command.account)
        if market is None or account is None:
            return self.reject(command, _unknown(command, market is None))
        refused = order_refusal(market, command, state.stream.time_ns) or account_refusal(account, market, command)
        if refused is not None:
            return self.reject(command, refused)
        order = self.made(account, market, command)
        refused = self.refusal(account, market, order, command.expire_unfillable)
        if refused is not None:
            return self.reject(command, refused)
        state.next_order_id += 1
        self.life.accept(account, market, order)
        if order.time_in_force in _TIMED:
            self.clockwork.time_order(market, order)
        if not market.external:
            self.start(market, order)
        return CommandResult(_OK, order.order_id)

    def amend(self, command: AmendOrder) -> CommandResult:
        """Change price or quantity; only a lower quantity at the same price keeps the order's place."""
        order = self.find(command.account, command.instrument_id, command.order_id, command.client_order_id)
        if order is None:
            return _not_found(command)
        market = self.state.markets[order.instrument_id]
        price, quantity = command.price or order.price, command.quantity or order.quantity
        refused = self._amend_refusal(market, order, price, quantity)
        if refused is not None:
            return refused
        if price == order.price and quantity <= order.quantity:
            self.life.lower(market, order, quantity - order.filled, "amended")
        else:
            self._replace(market, order, price, quantity)
            self.floor.wake(market)
        return CommandResult(_OK, order.order_id)

    def cancel(self, command: CancelOrder) -> CommandResult:
        """Take an order out."""
        order = self.find(command.account, command.instrument_id, command.order_id, command.client_order_id)
        if order is None:
            return _not_found(command)
        self.life.cancel(self.state.markets[order.instrument_id], order, BY_OWNER)
        return CommandResult(_OK, order.order_id)

    def cancel_all(self, command: CancelAll) -> CommandResult:
        """Take all orders of an account out, oldest first."""
        account = self.state.ledger.accounts.get(command.account)
        if account is None:
            return CommandResult(ResultCode.ACCOUNT_UNKNOWN, 0, f"account {command.account} is not open")
        for order in list(account.orders.values()):
            if command.instrument_id in ("", order.instrument_id) and order.order_id in account.orders:
                self.life.cancel(self.state.markets[order.instrument_id], order, BY_OWNER)
        return DONE

    def find(self, account: str, instrument_id: str, order_id: int, client_order_id: str) -> WorkingOrder | None:
        """Return an account's open order by the venue's or the customer's id."""
        if order_id:
            order = self.state.orders.get(order_id)
        else:
            holder = self.state.ledger.accounts.get(account)
            order = None if holder is None else holder.client_ids.get(client_order_id)
        if order is None or order.account != account or order.instrument_id != instrument_id:
            return None
        return order

    def made(self, account: Account, market: Market, command: PlaceOrder) -> WorkingOrder:
        """Return the order that a command describes, with the next id; nothing is noted yet."""
        c, quantity = command, command.quantity
        is_buy = c.side is _BUY
        closing = c.position_side is not _NET and is_buy is not (c.position_side is _LONG)
        reduce_only = c.reduce_only or closing
        if reduce_only:
            settlement = self.life.settlement(market)
            quantity = min(quantity, settlement.reducible(account, market, is_buy, c.position_side))
        return WorkingOrder(
            self.state.next_order_id,
            c.account,
            is_buy,
            c.price,
            quantity,
            quantity,
            c.display_quantity,
            account.stp if c.stp is None else c.stp,
            c.instrument_id,
            c.client_order_id,
            c.side,
            c.order_type,
            quantity,
            c.trigger_price,
            c.time_in_force,
            reduce_only,
            c.post_only,
            c.position_side,
            c.trailing_offset,
            c.expire_time_ns,
            self.state.stream.time_ns,
            c.order_type in CONDITIONAL,
        )

    def refusal(
        self, account: Account, market: Market, order: WorkingOrder, expire_unfillable: bool
    ) -> CommandResult | None:
        """Return why the book or the account refuses an order, or None; what its fees may take is noted in it."""
        if not order.quantity:
            return CommandResult(ResultCode.ACCOUNT_NOTHING_TO_REDUCE, 0, "there is no position that this would reduce")
        if not market.external and not order.pending:
            refused = self._book_refusal(market, order, expire_unfillable)
            if refused is not None:
                return refused
        if not account.margin_checked:
            return None
        notional = self.floor.worst_notional(market, order)
        order.fee_reserve = self.life.fee_desk.reserve(account, market, order, notional)
        code = self.life.settlement(market).refusal(account, market, order, notional)
        return None if code is _OK else CommandResult(code, 0, f"account {account.name} cannot cover this order")

    def _book_refusal(self, market: Market, order: WorkingOrder, expire_unfillable: bool) -> CommandResult | None:
        if order.post_only and market.book.would_take(order.is_buy, order.price):
            return CommandResult(ResultCode.MATCHING_POST_ONLY, 0, f"price {order.price} would take at once")
        if not expire_unfillable and self._is_unfillable(market, order):
            return CommandResult(ResultCode.MATCHING_FOK, 0, f"{order.leaves} units cannot be filled at once")
        return None

    def _is_unfillable(self, market: Market, order: WorkingOrder) -> bool:
        return order.time_in_force is _FOK and self.floor.fillable(market, order) < order.leaves

    def start(self, market: Market, order: WorkingOrder) -> None:
        """Let an accepted order wait for its trigger, or work."""
        if order.pending:
            market.triggers.add(order, market.last)
            if market.last and market.triggers.reached(order, market.last):
                market.triggers.remove(order)
                self.floor.activate(market, order)
        elif self._is_unfillable(market, order):
            self.life.expire(market, order, order.time_in_force.value)
        else:
            self.floor.work(market, order)
        if market.prints:
            self.floor.wake(market)

    def _amend_refusal(self, market: Market, order: WorkingOrder, price: int, quantity: int) -> CommandResult | None:
        if order.twin_id in self.state.orders:
            return CommandResult(ResultCode.ORDER_NOT_AMENDABLE, order.order_id, "an order of a pair is not amended")
        if order.reduce_only and quantity > order.quantity:
            return CommandResult(ResultCode.ORDER_NOT_AMENDABLE, order.order_id, "a reduce-only order only shrinks")
        if quantity <= order.filled:
            message = f"quantity {quantity} is not above the {order.filled} filled; cancel instead"
            return CommandResult(ResultCode.FILTER_QUANTITY_LOW, order.order_id, message)
        refused = amend_refusal(market, order, quantity, price)
        if refused is not None:
            return refused
        if order.post_only and not market.external and market.book.would_take(order.is_buy, price):
            return CommandResult(ResultCode.MATCHING_POST_ONLY, order.order_id, f"price {price} would take at once")
        return self._amend_funds(market, order, price, quantity)

    def _amend_funds(self, market: Market, order: WorkingOrder, price: int, quantity: int) -> CommandResult | None:
        account = self.state.ledger.accounts[order.account]
        if not account.margin_checked:
            return None
        before = order.price, order.leaves, order.fee_reserve
        order.price, order.leaves = price, quantity - order.filled
        notional = self.floor.worst_notional(market, order)
        order.fee_reserve = self.life.fee_desk.reserve(account, market, order, notional)
        code = self.life.settlement(market).refusal(account, market, order, notional)
        order.price, order.leaves, order.fee_reserve = before
        if code is _OK:
            return None
        return CommandResult(code, order.order_id, f"account {account.name} cannot cover the amended order")

    def _replace(self, market: Market, order: WorkingOrder, price: int, quantity: int) -> None:
        market.book.cancel(order.order_id)
        order.price, order.quantity, order.leaves = price, quantity, quantity - order.filled
        account = self.state.ledger.accounts[order.account]
        notional = self.floor.worst_notional(market, order)
        order.fee_reserve = self.life.fee_desk.reserve(account, market, order, notional)
        self.life.rehold(market, order)
        self.state.stream.ended(OrderAmended, order, "amended")
        if not order.pending:
            self.floor.work(market, order)

    def reject(self, command: PlaceOrder, refused: CommandResult) -> CommandResult:
        """Tell a refusal as an event too, and return it."""
        self.state.stream.rejected(command, refused.code, refused.message)
        return refused


def account_refusal(account: Account, market: Market, command: PlaceOrder) -> CommandResult | None:
    """Return why an account may not enter an order, whatever its money and the book, or None."""
    if command.client_order_id in account.client_ids:
        message = f"client order id {command.client_order_id} is that of an open order"
        return CommandResult(ResultCode.ACCOUNT_DUPLICATE_CLIENT_ID, 0, message)
    hedged = market.derivative and account.position_mode is not _NETTING
    if hedged is (command.position_side is _NET):
        message = f"position side {command.position_side} does not fit an account in {account.position_mode} mode"
        return CommandResult(ResultCode.ACCOUNT_POSITION_SIDE, 0, message)
    most = market.instrument.max_open_orders
    if most and sum(order.instrument_id == market.instrument_id for order in account.orders.values()) >= most:
        return CommandResult(ResultCode.FILTER_MAX_OPEN_ORDERS, 0, f"{most} orders are open already")
    return None


def _unknown(command: PlaceOrder, instrument: bool) -> CommandResult:
    if instrument:
        return CommandResult(ResultCode.INSTRUMENT_UNKNOWN, 0, f"instrument {command.instrument_id} is not listed")
    return CommandResult(ResultCode.ACCOUNT_UNKNOWN, 0, f"account {command.account} is not open")


def _not_found(command: AmendOrder | CancelOrder) -> CommandResult:
    name = command.order_id or command.client_order_id
    message = f"order {name} of {command.account} is not open on {command.instrument_id}"
    return CommandResult(ResultCode.ORDER_NOT_FOUND, command.order_id, message)
