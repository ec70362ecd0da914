"""Checks of the whole venue: whatever happens, money is conserved, locks match orders and books are sound."""

from foxtrot.domain.errors import InvariantBroken
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.market import Market
from foxtrot.exchange.venue_state import VenueState


def validate(state: VenueState) -> None:
    """Check every invariant of a venue.

    Raises:
        InvariantBroken: the first that does not hold, with the figures.
    """
    settle_assets = {name: market.money_asset for name, market in state.markets.items() if market.derivative}
    state.ledger.validate(settle_assets)
    for market in state.markets.values():
        market.book.validate()
        _validate_positions(state, market)
    for account in state.ledger.accounts.values():
        _validate_locks(state, account)
    _validate_orders(state)


def _validate_positions(state: VenueState, market: Market) -> None:
    if not market.derivative or market.external:
        return
    total = 0
    for account in state.ledger.accounts.values():
        for (instrument_id, _), position in account.positions.items():
            total += position.quantity if instrument_id == market.instrument_id else 0
    if total:
        raise InvariantBroken(f"{market.instrument_id}: longs and shorts differ by {total} units")


def _validate_locks(state: VenueState, account: Account) -> None:
    locked: dict[str, int] = {}
    for order in account.orders.values():
        market = state.markets[order.instrument_id]
        if not market.derivative:
            asset = market.money_asset if order.is_buy else market.instrument.base_asset
            locked[asset] = locked.get(asset, 0) + order.locked
    for asset, balance in account.balances.items():
        if balance.locked != locked.get(asset, 0):
            raise InvariantBroken(
                f"{account.name} {asset}: {balance.locked} locked, orders hold {locked.get(asset, 0)}"
            )
        if account.margin_checked and not account.allow_short and balance.free < 0 and not account.positions:
            raise InvariantBroken(f"{account.name} {asset}: {balance.free} free money units, below 0")


def _validate_orders(state: VenueState) -> None:
    of_accounts = {order_id for account in state.ledger.accounts.values() for order_id in account.orders}
    if of_accounts != set(state.orders):
        raise InvariantBroken(f"orders {of_accounts ^ set(state.orders)} are known to one side only")
    for order in state.orders.values():
        market = state.markets[order.instrument_id]
        waits = order.order_id in market.triggers.orders
        rests = order.order_id in market.book.orders
        if not market.external and waits == rests:
            raise InvariantBroken(f"order {order.order_id} must rest or wait: {rests}, {waits}")
        twin = state.orders.get(order.twin_id)
        if twin is not None and (order.filled or (order.locked and twin.locked)):
            raise InvariantBroken(
                f"order {order.order_id} and its twin {twin.order_id} both hold money or one has traded"
            )
        if order.leaves != order.quantity - order.filled or order.leaves <= 0:
            raise InvariantBroken(f"order {order.order_id}: {order.leaves} left of {order.quantity}-{order.filled}")
