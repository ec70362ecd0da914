"""The canonical hash of a venue's state: the same for any implementation that went through the same commands.

What decides the future is in it: books with priorities, waiting orders, money, positions, counters, prices. What is only
remembered (ended orders, past fills, the tape) is not.
"""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from foxtrot.domain.enums import OrderStatus, PositionMode
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.market import Market
from foxtrot.exchange.triggers import TriggerBook
from foxtrot.exchange.venue_state import VenueState
from foxtrot.exchange.working_order import WorkingOrder

Row = tuple[str, ...]
"""One line of the state as text: a kind, then figures."""


def state_hash(state: VenueState) -> str:
    """Return the hash of a venue's state, 32 hexadecimal digits."""
    return hash_rows(state_rows(state))


def hash_rows(rows: Iterable[Row]) -> str:
    """Return the hash of state rows in any order."""
    encoded = sorted(msgspec.msgpack.encode(row) for row in rows)
    return hashlib.blake2b(b"".join(encoded), digest_size=16).hexdigest()


def state_rows(state: VenueState) -> Iterator[Row]:
    """Yield the state as text rows."""
    yield ("venue", str(state.stream.time_ns), str(state.next_order_id))
    for asset, money in state.ledger.external.items():
        if money:
            yield ("external", asset, str(money))
    for order in state.orders.values():
        if order.pair:
            yield ("pair", str(order.order_id), str(order.pair), order.pair_name)
    for account in state.ledger.accounts.values():
        yield from _account_rows(account)
    for market in state.markets.values():
        yield from _market_rows(market, state)


def _account_rows(account: Account) -> Iterator[Row]:
    if account.position_mode is not PositionMode.NETTING:
        yield ("position_mode", account.name, account.position_mode.value)
    if account.fee_plan:
        yield ("fee_plan", account.name, account.fee_plan)
    for instrument_id, leverage in account.leverages.items():
        yield ("leverage", account.name, instrument_id, str(leverage))
    for asset, balance in account.balances.items():
        if balance.total or balance.locked:
            yield ("balance", account.name, asset, str(balance.total), str(balance.locked))
    for (instrument_id, side), held in account.positions.items():
        if held.quantity or held.cost or held.realised:
            figures = (str(held.quantity), str(held.cost), str(held.realised))
            yield ("position", account.name, instrument_id, side.value, *figures)


def _market_rows(market: Market, state: VenueState) -> Iterator[Row]:
    name = market.instrument_id
    figures = (market.next_trade_id, market.last, market.mark, market.day_end_ns, market.next_funding_ns)
    yield ("market", name, market.state.value, str(market.funding_rate), *map(str, figures))
    if market.external:
        for order in state.orders.values():
            if order.instrument_id == name:
                yield ("parked", *order_row(order))
        return
    for is_buy in (True, False):
        for place, resting in enumerate(market.book.queue(is_buy)):
            yield ("resting", str(place), *order_row(state.orders[resting.order_id]))
    yield from _pending_rows(market.triggers)


def _pending_rows(triggers: TriggerBook) -> Iterator[Row]:
    for order in triggers.orders.values():
        yield ("pending", str(order.trigger_price), str(order.anchor), str(order.trailing_offset), *order_row(order))


def order_row(order: WorkingOrder) -> Row:
    """Return what identifies an open order and what is left of it."""
    texts = (order.account, order.instrument_id, order.client_order_id, order.side.value, order.order_type.value)
    flags = (order.time_in_force.value, order.position_side.value, order.stp.value)
    shown = 0 if order.pending else order.visible
    figures = (order.order_id, order.price, order.quantity, order.leaves, shown, order.display, order.filled)
    partly = order.status is OrderStatus.PARTIALLY_FILLED
    more = (order.cost, order.locked, order.fee_reserve, order.expire_time_ns, partly, order.reduce_only)
    return (*texts, *flags, *map(str, figures), *map(str, more))
