"""Everything a venue knows, in one place; the parts that act on it share this object and keep nothing of their own."""

from foxtrot.domain.enums import PositionSide
from foxtrot.exchange.accounts import Account, Ledger
from foxtrot.exchange.event_stream import EventStream, Sink
from foxtrot.exchange.events import BalanceChanged, PositionChanged
from foxtrot.exchange.history import History
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.working_order import WorkingOrder


class VenueState:
    """Accounts, markets, open orders, counters, and what the present command has touched.

    Thread: belongs to its venue.
    """

    __slots__ = (
        "history",
        "ledger",
        "markets",
        "moved_marks",
        "next_order_id",
        "noted",
        "notes",
        "orders",
        "stream",
        "touched_balances",
        "touched_positions",
    )

    def __init__(self, sink: Sink) -> None:
        self.stream = EventStream(sink)
        self.ledger = Ledger()
        self.markets: dict[str, Market] = {}
        self.orders: dict[int, WorkingOrder] = {}
        self.history = History()
        self.next_order_id = 1
        self.notes: dict[str, dict[str, str]] = {}
        """What surfaces keep with the state, by whose they are: the venue does not read them."""
        self.noted = 0
        self.touched_balances: dict[tuple[str, str], None] = {}
        self.touched_positions: dict[tuple[str, str, PositionSide], None] = {}
        self.moved_marks: dict[str, None] = {}

    def flush(self) -> None:
        """Tell every balance and position that changed since the last flush, once each."""
        while self.touched_positions:
            touched, self.touched_positions = self.touched_positions, {}
            for name, instrument_id, side in touched:
                self._tell_position(self.ledger.accounts[name], self.markets[instrument_id], side)
        while self.touched_balances:
            balances, self.touched_balances = self.touched_balances, {}
            for name, asset in balances:
                balance = self.ledger.accounts[name].balance(asset)
                total, locked = to_decimal(balance.total), to_decimal(balance.locked)
                stream = self.stream
                stream.sink(BalanceChanged(stream.next(), stream.time_ns, name, asset, total, locked))

    def _tell_position(self, account: Account, market: Market, side: PositionSide) -> None:
        position = account.position(market.instrument_id, side)
        stream = self.stream
        stream.sink(
            PositionChanged(
                stream.next(),
                stream.time_ns,
                account.name,
                market.instrument_id,
                side,
                position.quantity,
                average_price(market, position.quantity, position.cost),
                to_decimal(position.realised),
            )
        )


def average_price(market: Market, quantity: int, cost: int) -> float:
    """Return the average price of a position in quote money, 0.0 when flat."""
    if not quantity:
        return 0.0
    grid = market.instrument.price_grid
    return cost * grid.numerator / (quantity * market.unit_value * grid.denominator)
