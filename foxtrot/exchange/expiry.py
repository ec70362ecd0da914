"""The end of a dated contract: orders end, positions are settled in cash at the mark price, trading closes for good."""

from foxtrot.exchange.commands import TradingState
from foxtrot.exchange.events import PositionSettled, TradingStateChanged
from foxtrot.exchange.market import Market
from foxtrot.exchange.order_life import OrderLife


def settle_contract(life: OrderLife, market: Market) -> None:
    """Settle an instrument whose expiry has come."""
    state, stream = life.state, life.state.stream
    for order in [order for order in state.orders.values() if order.instrument_id == market.instrument_id]:
        if order.order_id in state.orders:
            life.expire(market, order, "contract_expired")
    for account in state.ledger.accounts.values():
        for (instrument_id, side), position in list(account.positions.items()):
            quantity = position.quantity
            if instrument_id != market.instrument_id or not quantity or not market.derivative:
                continue
            life.margin.move(account, market, side, -quantity, market.reference)
            if market.external:
                state.ledger.bring_in(market.money_asset, quantity * market.reference * market.unit_value)
            stream.sink(
                PositionSettled(
                    stream.next(), stream.time_ns, account.name, instrument_id, side, quantity, market.reference
                )
            )
    market.expired, market.state = True, TradingState.CLOSED
    stream.sink(TradingStateChanged(stream.next(), stream.time_ns, market.instrument_id, "expired"))
