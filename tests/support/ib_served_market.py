"""An exchange that serves TWS's protocol, on which two others trade by hand while the clock stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count

from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import CancelOrder, Deposit, OpenAccount, PlaceOrder, VenueCommand
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_rig import AAPL, new_york
from tests.support.ib_served_rig import ib_port, served_ib

START_NS = new_york("2026-11-27 10:00:00")
"""A Friday; the front future is ESZ6."""


class ServedMarket:
    """A served venue on which two others trade.

    Thread: the test's.
    """

    def __init__(self, server: ExchangeServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.port = ib_port(server)
        self._numbers = count(1)
        self._listed: dict[str, Instrument] = {}
        for account in ("alice", "bob"):
            self._do(OpenAccount(clock.now_ns(), account, allow_short=True))
            for asset in ("USD", "EUR", "HKD", "AAPL"):
                self._do(Deposit(clock.now_ns(), account, asset, Decimal(10**9)))

    def rest(self, side: Side, price: str, quantity: int = 1, *, account: str = "alice", name: str = AAPL) -> int:
        """Rest an order, or let it take, and return its id."""
        units = self.instrument(name).price_grid.from_decimal(price)
        return self._do(
            PlaceOrder(
                self.clock.now_ns(), account, name, f"o{next(self._numbers)}", side, OrderType.LIMIT, quantity, units,
                time_in_force=TimeInForce.GTC,
            )
        )  # fmt: skip

    def cancel(self, order_id: int, *, name: str = AAPL) -> None:
        """Take an order out."""
        self._do(CancelOrder(self.clock.now_ns(), "alice", name, order_id))

    def trade(self, price: str, quantity: int = 1, *, name: str = AAPL) -> None:
        """Print a trade in which a buyer took."""
        self.rest(Side.SELL, price, quantity, name=name)
        self.rest(Side.BUY, price, quantity, account="bob", name=name)

    def instrument(self, name: str) -> Instrument:
        """An instrument of the venue."""
        if name not in self._listed:
            listed = self.server.call(lambda server: server.host.venue.instruments())
            self._listed = {one.instrument_id: one for one in listed}
        return self._listed[name]

    def book(self, levels: int, name: str = AAPL) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
        """Bids and asks as prices and sizes, best first."""
        instrument = self.instrument(name)
        _, bids, asks = self.server.call(lambda server: server.host.venue.depth(name, levels))
        return [(instrument.price(p), q) for p, q in bids], [(instrument.price(p), q) for p, q in asks]

    def wait(self, seconds: float) -> None:
        """Move the clock, and let the server see it."""
        self.clock.advance(int(seconds * 1e9))
        self.server.step()

    def _do(self, command: VenueCommand) -> int:
        result = self.server.call(lambda server: server.host.execute(command))
        assert result.ok, result.message
        return result.order_id


@contextmanager
def served_market(settings: IbSettings | None = None, now_ns: int = START_NS) -> Iterator[ServedMarket]:
    """A venue without other traders."""
    clock = ManualClock(now_ns)
    with served_ib(clock=clock, ib=settings) as server:
        yield ServedMarket(server, clock)
