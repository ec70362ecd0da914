"""What an account is worth in the base currency: balances, what is owned beside them, open profit; and what of it no price is known for."""

from decimal import Decimal

from foxtrot.app.desktop_requests import Worth
from foxtrot.strategy.line import Line
from foxtrot.trading.position import ZERO, Position


def account_worth(line: Line, account: str) -> Worth | None:
    """Return what an account is worth by our own count, None before its balances are known; nothing without a price is guessed.

    Thread: foxtrot-engine.
    """
    portfolio = line.portfolio
    if portfolio.account(account).opening is None:
        return None
    totals = portfolio.balances(account)
    held = [
        position
        for (name, _, _), position in portfolio.net_positions()
        if name == account and not position.instrument.product.is_balance
    ]
    parts = _Parts(line)
    for position in held:
        if not position.instrument.product.is_derivative:  # it is valued as a position, not as so many of its asset
            totals.pop(position.instrument.base_asset, None)
        parts.add_position(position)
    for asset, amount in sorted(totals.items()):
        parts.add_asset(asset, amount)
    return Worth(parts.amount, tuple(parts.missing), at_least=parts.at_least)


class _Parts:
    """Adds up what can be valued, and names what cannot.

    Thread: foxtrot-engine.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.amount = ZERO
        self.missing: list[str] = []
        self.at_least = True

    def add_asset(self, asset: str, amount: Decimal) -> None:
        """Add a balance."""
        if amount:
            self._add(asset, amount, asset, known=True, owned=amount > 0)

    def add_position(self, position: Position) -> None:
        """Add the open profit of a derivative, or the value of what is owned."""
        instrument, quantity = position.instrument, position.exact_quantity
        if not quantity:
            return
        mark = self._line.view.mark(instrument.instrument_id)
        price = ZERO if mark is None else Decimal(repr(mark))
        is_derivative = instrument.product.is_derivative
        amount = position.unrealised_profit(price) if is_derivative else quantity * price * instrument.multiplier
        currency = instrument.settle_asset if is_derivative else instrument.quote_asset
        owned = not is_derivative and quantity > 0
        self._add(instrument.instrument_id, amount, currency, known=mark is not None, owned=owned)

    def _add(self, name: str, amount: Decimal, currency: str, *, known: bool, owned: bool) -> None:
        part = self._line.rates.convert(amount, currency, self._line.portfolio.base_currency) if known else None
        if part is None:
            self.missing.append(name)
            self.at_least &= owned
        else:
            self.amount += part
