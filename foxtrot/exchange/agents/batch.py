"""What all traders decide in one go, each looking at the same market, in an order in which none is refused.

Withdrawals come first, while every order that was seen is still there; then amendments, which never take; then the quotes of
the makers; then everybody else.
"""

from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.agents.purse import Endowment, Purse
from foxtrot.exchange.agents.terms import Terms
from foxtrot.exchange.commands import AmendOrder, CancelOrder, PlaceOrder, VenueCommand
from foxtrot.exchange.order_book import DepthRow
from foxtrot.exchange.queries import VenueQueries
from foxtrot.exchange.reports import OrderReport

LEVELS = 15
_BUY = Side.BUY
_LIMIT = OrderType.LIMIT


class Scene:
    """One instrument at one moment: what it is worth, the best levels, and the measures of a sensible order, in units.

    Thread: belongs to its batch.
    """

    __slots__ = ("asks", "bids", "clip", "fair", "now_ns", "pip", "terms")

    def __init__(
        self, terms: Terms, fair: int, bids: tuple[DepthRow, ...], asks: tuple[DepthRow, ...], now_ns: int
    ) -> None:
        self.terms = terms
        self.fair = fair
        self.bids = bids
        self.asks = asks
        self.now_ns = now_ns
        self.clip = terms.clip(fair)
        self.pip = terms.pip(fair)

    @property
    def band(self) -> tuple[int, int]:
        """Return the lowest and highest limit price to use, so that none is refused for its distance or its small value.

        That is a quarter of the fair value away at most, and within a fifth of the venue's price band; where a step is so
        large that nothing would be left, it is two steps, if these are within a third of the price band.
        """
        fair, rate = self.fair, self.terms.band_rate
        steps = 2 * self.terms.instrument.step_units(fair)
        reach = max(fair // 4, steps)
        if rate:
            reach = min(reach, max(int(fair * rate / 5), min(steps, int(fair * rate / 3))))
        return fair - reach, fair + reach

    @property
    def two_sided(self) -> bool:
        """Tell whether there are both a bid and an ask."""
        return bool(self.bids and self.asks)

    @property
    def middle(self) -> int:
        """Return the price half-way between best bid and ask, rounded down, or the fair value where a side is empty."""
        return (self.bids[0][0] + self.asks[0][0]) // 2 if self.two_sided else self.fair


class Batch:
    """Collects commands; orders that were touched once are not shown again.

    Thread: belongs to its population.
    """

    def __init__(self, venue: VenueQueries, endowment: Endowment, now_ns: int) -> None:
        self.now_ns = now_ns
        self._venue = venue
        self._endowment = endowment
        self._purses: dict[str, Purse] = {}
        self._orders: dict[tuple[str, str], list[OrderReport]] = {}
        self._open: dict[tuple[str, str], int] = {}
        self._bands: dict[str, tuple[int, int]] = {}
        self._cancels: list[VenueCommand] = []
        self._amends: list[VenueCommand] = []
        self._quotes: list[VenueCommand] = []
        self._orders_in: list[VenueCommand] = []

    def scene(self, terms: Terms, fair: int) -> Scene:
        """Return what can be seen of an instrument; a fair value beyond its price band is taken at a quarter of the band."""
        _, bids, asks = self._venue.depth(terms.instrument_id, LEVELS)
        rate = terms.band_rate
        if rate:
            reference = self._venue.ticker(terms.instrument_id).mark_price or fair
            reach = int(reference * rate / 4)
            fair = max(reference - reach, min(reference + reach, fair))
        scene = Scene(terms, fair, bids, asks, self.now_ns)
        self._bands[terms.instrument_id] = scene.band
        return scene

    def orders(self, account: str, terms: Terms) -> tuple[OrderReport, ...]:
        """Return an account's open orders that nothing was decided about yet, oldest first."""
        return tuple(self._seen(account, terms))

    def inventory(self, account: str, terms: Terms) -> int:
        """Return how much more of an instrument an account holds than at the beginning, in units."""
        return self._purse(account).inventory(terms)

    def cancel(self, terms: Terms, order: OrderReport) -> None:
        """Take an order out."""
        self._seen(order.account, terms).remove(order)
        self._open[order.account, terms.instrument_id] -= 1
        self._cancels.append(CancelOrder(self.now_ns, order.account, terms.instrument_id, order.order_id))

    def amend(self, terms: Terms, order: OrderReport, quantity: int, price: int) -> bool:
        """Change total quantity and price of an order to a price that does not take; tell whether that was possible."""
        low, high = self._bands[terms.instrument_id]
        if not low <= price <= high or not self._purse(order.account).spend(terms, order.side is _BUY, quantity, price):
            return False
        self._seen(order.account, terms).remove(order)
        self._amends.append(
            AmendOrder(self.now_ns, order.account, terms.instrument_id, order.order_id, "", quantity, price)
        )
        return True

    def quote(self, terms: Terms, order: PlaceOrder) -> bool:
        """Enter a maker's limit order, ahead of everybody else's; tell whether it was possible."""
        return self._enter(terms, order, order.price, self._quotes)

    def place(self, terms: Terms, order: PlaceOrder, price: int) -> bool:
        """Enter an order that will cost about `price`; tell whether it was possible."""
        return self._enter(terms, order, price, self._orders_in)

    def commands(self) -> tuple[VenueCommand, ...]:
        """Return all that was decided, in the order in which to execute it."""
        return (*self._cancels, *self._amends, *self._quotes, *self._orders_in)

    def _enter(self, terms: Terms, order: PlaceOrder, price: int, commands: list[VenueCommand]) -> bool:
        self._seen(order.account, terms)
        key = (order.account, terms.instrument_id)
        if self._open[key] >= terms.most_orders:
            return False
        low, high = self._bands[terms.instrument_id]
        if order.order_type is _LIMIT and not low <= price <= high:
            return False
        if not self._purse(order.account).spend(terms, order.side is _BUY, order.quantity, price):
            return False
        self._open[key] += 1
        commands.append(order)
        return True

    def _purse(self, account: str) -> Purse:
        purse = self._purses.get(account)
        if purse is None:
            purse = self._purses[account] = Purse(self._venue, account, self._endowment)
        return purse

    def _seen(self, account: str, terms: Terms) -> list[OrderReport]:
        key = (account, terms.instrument_id)
        seen = self._orders.get(key)
        if seen is None:
            seen = self._orders[key] = list(self._venue.open_orders(account, terms.instrument_id))
            self._open[key] = len(seen)
        return seen
