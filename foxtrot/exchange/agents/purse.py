"""What an account can still spend, so that a trader never asks for more than the venue would grant."""

from decimal import Decimal

from foxtrot.exchange.agents.terms import Terms
from foxtrot.exchange.money import from_decimal
from foxtrot.exchange.queries import VenueQueries

_CLIPS = 100_000
"""With how many clips of an instrument, and of the money for it, a trader begins: months of fees."""


class Endowment:
    """What every trader begins with: money units by asset, and which assets are margin of a derivative.

    Thread: any; it is constant.
    """

    __slots__ = ("assets", "margins")

    def __init__(self, listed: tuple[tuple[Terms, int], ...]) -> None:
        self.assets: dict[str, int] = {}
        self.margins = frozenset(terms.money_asset for terms, _ in listed if terms.derivative)
        for terms, price in listed:
            quantity = _CLIPS * terms.clip(price)
            self._add(terms.money_asset, quantity * price * terms.unit_value)
            if not terms.derivative:
                self._add(terms.base_asset, quantity * terms.quantity_value)

    def _add(self, asset: str, money: int) -> None:
        self.assets[asset] = self.assets.get(asset, 0) + money


class Purse:
    """Free balances and margin of one account at one moment, less what was asked for since.

    A twentieth is added to the cost of everything for fees and for what a market order may slip.

    Thread: belongs to its batch.
    """

    def __init__(self, venue: VenueQueries, account: str, endowment: Endowment) -> None:
        self._venue = venue
        self._account = account
        self._endowment = endowment
        self._balances: dict[str, tuple[Decimal, Decimal]] | None = None
        self._positions: dict[str, int] | None = None
        self._free: dict[str, int] = {}

    def spend(self, terms: Terms, is_buy: bool, quantity: int, price: int) -> bool:
        """Set aside what an order needs; tell whether there was enough."""
        if terms.derivative:
            asset, cost = terms.money_asset, int(quantity * price * terms.unit_value * terms.initial_margin)
        elif is_buy:
            asset, cost = terms.money_asset, quantity * price * terms.unit_value
        else:
            asset, cost = terms.base_asset, quantity * terms.quantity_value
        if asset not in self._free:
            self._free[asset] = self._available(asset)
        cost += cost // 20
        if cost > self._free[asset]:
            return False
        self._free[asset] -= cost
        return True

    def inventory(self, terms: Terms) -> int:
        """Return how much more (or, below 0, less) of an instrument is held than at the beginning, in units."""
        if terms.derivative:
            if self._positions is None:
                reports = self._venue.positions(self._account)
                self._positions = {report.instrument_id: report.quantity for report in reports}
            return self._positions.get(terms.instrument_id, 0)
        asset = terms.base_asset
        return (from_decimal(self._balance(asset)[0]) - self._endowment.assets[asset]) // terms.quantity_value

    def _available(self, asset: str) -> int:
        total, locked = self._balance(asset)
        free = from_decimal(total) - from_decimal(locked)
        if asset not in self._endowment.margins:
            return free
        margin = self._venue.margin(self._account, asset)
        return min(free, from_decimal(margin.equity) - from_decimal(margin.initial))

    def _balance(self, asset: str) -> tuple[Decimal, Decimal]:
        if self._balances is None:
            self._balances = self._venue.balances(self._account)
        return self._balances.get(asset, (Decimal(0), Decimal(0)))
