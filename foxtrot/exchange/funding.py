"""Funding of perpetuals: at each funding time, longs pay shorts the rate times the value of their position at the mark."""

from fractions import Fraction

from foxtrot.exchange.events import FundingPaid
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.order_life import OrderLife


def pay_funding(life: OrderLife, market: Market) -> None:
    """Pay funding on every open position; what rounding leaves goes to the insurance fund (external matching: outside)."""
    state, stream, asset = life.state, life.state.stream, market.money_asset
    if not market.reference or not market.funding_rate:
        return
    rate = Fraction(market.funding_rate)
    paid = 0
    for account in state.ledger.accounts.values():
        for (instrument_id, side), position in account.positions.items():
            if instrument_id != market.instrument_id or not position.quantity:
                continue
            value = position.quantity * market.reference * market.unit_value
            amount = -round(value * rate)
            paid += amount
            account.balance(asset).total += amount
            state.touched_balances[account.name, asset] = None
            stream.sink(
                FundingPaid(
                    stream.next(),
                    stream.time_ns,
                    account.name,
                    instrument_id,
                    side,
                    position.quantity,
                    market.reference,
                    market.funding_rate,
                    asset,
                    to_decimal(amount),
                )
            )
    state.moved_marks[market.instrument_id] = None
    if market.external:
        state.ledger.bring_in(asset, paid)
    elif paid:
        state.ledger.insurance.balance(asset).total -= paid
        state.touched_balances[state.ledger.insurance.name, asset] = None
