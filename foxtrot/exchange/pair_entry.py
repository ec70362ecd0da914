"""The customer's side of pairs: two orders of which one ends the other, entered together or not at all."""

from foxtrot.domain.enums import OrderType, TimeInForce
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.commands import PlaceOrder, PlacePair
from foxtrot.exchange.filters import order_refusal
from foxtrot.exchange.market import Market
from foxtrot.exchange.order_entry import OrderEntry, account_refusal
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.working_order import WorkingOrder

_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_DATED = frozenset({TimeInForce.GTD, TimeInForce.DAY})


class PairEntry:
    """Checks a pair and enters it. Pairs are for markets where assets change hands, not for derivatives.

    Where an outside fill model decides, it alone knows the market: what it has reached is then not refused here.

    Thread: belongs to its venue.
    """

    def __init__(self, entry: OrderEntry) -> None:
        self._entry = entry
        self._life = entry.life
        self._state = entry.state

    def place(self, command: PlacePair) -> CommandResult:
        """Enter both orders; a refusal of one is the refusal of both, told for both. The answer bears the stop's id."""
        market = self._state.markets.get(command.stop.instrument_id)
        account = self._state.ledger.accounts.get(command.account)
        if market is None:
            name = command.stop.instrument_id
            return self._reject(
                command, CommandResult(ResultCode.INSTRUMENT_UNKNOWN, 0, f"instrument {name} is not listed")
            )
        if account is None:
            message = f"account {command.account} is not open"
            return self._reject(command, CommandResult(ResultCode.ACCOUNT_UNKNOWN, 0, message))
        refused = _shape_refusal(market, command) or self._early_refusal(account, market, command)
        if refused is not None:
            return self._reject(command, refused)
        stop, limit = (self._entry.made(account, market, one) for one in (command.stop, command.limit))
        refused = self._late_refusal(account, market, stop, limit)
        if refused is not None:
            return self._reject(command, refused)
        self._enter(account, market, stop, limit, command.name)
        return CommandResult(ResultCode.OK, stop.order_id)

    def _enter(self, account: Account, market: Market, stop: WorkingOrder, limit: WorkingOrder, name: str) -> None:
        limit.order_id = stop.order_id + 1
        self._state.next_order_id += 2
        for order in (stop, limit):
            order.pair, order.pair_name = stop.order_id, name
        self._life.accept_pair(account, market, stop, limit)
        if market.external:
            return  # both park until a fill model fills one
        for order in (stop, limit):
            self._entry.start(market, order)

    def _early_refusal(self, account: Account, market: Market, command: PlacePair) -> CommandResult | None:
        for order in (command.stop, command.limit):
            refused = order_refusal(market, order, self._state.stream.time_ns) or account_refusal(
                account, market, order
            )
            if refused is not None:
                return refused
        most = market.instrument.max_open_orders
        if most and sum(order.instrument_id == market.instrument_id for order in account.orders.values()) + 2 > most:
            return CommandResult(
                ResultCode.FILTER_MAX_OPEN_ORDERS, 0, f"a pair would make more than {most} open orders"
            )
        return None

    def _late_refusal(
        self, account: Account, market: Market, stop: WorkingOrder, limit: WorkingOrder
    ) -> CommandResult | None:
        if not market.external and market.last and market.triggers.reached(stop, market.last):
            return _no_pair(f"the last price {market.last} has reached the stop at {stop.trigger_price}")
        if (limit.price <= stop.trigger_price) is not limit.is_buy:
            return _no_pair(f"limit {limit.price} and stop {stop.trigger_price} are on the wrong sides of each other")
        # Only one of the two ever trades, so each must be affordable by itself and not both together.
        return self._entry.refusal(account, market, stop, expire_unfillable=True) or self._entry.refusal(
            account, market, limit, expire_unfillable=True
        )

    def _reject(self, command: PlacePair, refused: CommandResult) -> CommandResult:
        self._entry.reject(command.stop, refused)
        return self._entry.reject(command.limit, refused)


def _shape_refusal(market: Market, command: PlacePair) -> CommandResult | None:
    stop, limit = command.stop, command.limit
    if market.derivative:
        return _no_pair(f"{market.instrument_id} takes no pairs; enter one order and cancel the other yourself")
    if _terms(stop) != _terms(limit) or stop.account != command.account:
        return _no_pair("both orders of a pair have one account, instrument, side and quantity")
    if stop.client_order_id == limit.client_order_id:
        return _no_pair(f"both orders are named {stop.client_order_id}; give each its own name")
    if stop.order_type not in _STOPS or limit.order_type is not OrderType.LIMIT or not limit.post_only:
        return _no_pair(f"a pair is a stop and a post-only limit, not {stop.order_type} and {limit.order_type}")
    if (
        stop.time_in_force in _DATED
        or limit.time_in_force is not TimeInForce.GTC
        or stop.reduce_only
        or limit.reduce_only
    ):
        return _no_pair("orders of a pair end with each other, not at a time, and are not reduce-only")
    return None


def _terms(order: PlaceOrder) -> tuple[object, ...]:
    return order.account, order.instrument_id, order.side, order.quantity, order.position_side


def _no_pair(message: str) -> CommandResult:
    return CommandResult(ResultCode.ORDER_PAIR, 0, message)
