"""The venue of the soak: an embedded exchange in its own process, with a market of a steady pace and resets of all connections.

    python -m tests.support.soak_exchange PAIRS_PER_S RESET_EVERY_S paced|free

`paced` has Binance's limits of requests and messages, `free` refuses nobody.

The first line on stdout are its ports; it goes on until stdin ends and then tells what was counted.
"""

import json
import select
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from random import Random

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder, VenueCommand
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.listings import REFERENCE_PRICES, default_listings
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey

ACCOUNT, KEY, SECRET = "soak", "soak-key", "soak-secret"
MAKER, TAKER = "maker", "taker"
LEVELS = 30
MOST_AT_ONCE = 300
"""How many pairs one round may make up for; a market that was held up goes on instead of flooding."""


class SteadyMarket:
    """A feed: someone quotes within the spread, is taken, and quotes again: each pair is a print and a change of the top.

    Thread: exchange-io.
    """

    def __init__(self, instruments: list[Instrument], pairs_per_s: float) -> None:
        self._instruments = instruments
        self._pairs_per_s = pairs_per_s
        self._random = Random(1)
        self._last_ns = 0
        self._due = 0.0
        self._quotes: dict[str, tuple[Side, int, int]] = {}
        self.pairs = 0

    def __call__(self, now_ns: int) -> tuple[VenueCommand, ...]:
        """Return what is due now."""
        if self._last_ns:
            self._due = min(self._due + (now_ns - self._last_ns) / 1e9 * self._pairs_per_s, MOST_AT_ONCE)
        self._last_ns = now_ns
        commands: list[VenueCommand] = []
        while self._due >= 1:
            self._due -= 1
            commands += self._pair(now_ns)
        return tuple(commands)

    def opening(self, now_ns: int) -> Iterator[VenueCommand]:
        """Yield the orders that stand on both sides all the time."""
        for instrument in self._instruments:
            middle, step = _middle(instrument)
            for level in range(1, LEVELS + 1):
                for side, away in ((Side.BUY, -level), (Side.SELL, level)):
                    name = f"{instrument.instrument_id}{side.name}{level}"
                    yield _order(now_ns, MAKER, instrument, name, side, middle + away * step, 1_000 * _lot(instrument))

    def _pair(self, now_ns: int) -> Iterator[VenueCommand]:
        """Yield an order that takes the last quote, and the next quote."""
        self.pairs += 1
        instrument = self._instruments[self.pairs % len(self._instruments)]
        last = self._quotes.get(instrument.instrument_id)
        if last is not None:
            side, price, quantity = last
            name = f"t{self.pairs}"
            yield _order(now_ns, TAKER, instrument, name, side.opposite, price, quantity, TimeInForce.IOC)
        middle, step = _middle(instrument)
        side = Side.BUY if self.pairs // len(self._instruments) % 2 else Side.SELL
        price = middle + self._random.randrange(-step + 1, step)
        quantity = self._random.randint(1, 20) * _lot(instrument)
        self._quotes[instrument.instrument_id] = side, price, quantity
        yield _order(now_ns, MAKER, instrument, f"q{self.pairs}", side, price, quantity)


def _middle(instrument: Instrument) -> tuple[int, int]:
    """Return the price in the middle and the distance of levels, in units."""
    middle = instrument.price_grid.from_decimal(REFERENCE_PRICES[instrument.instrument_id])
    return middle, middle // 10_000


def _lot(instrument: Instrument) -> int:
    """Return a hundredth of a coin in units."""
    return instrument.quantity_grid.from_decimal(Decimal("0.01"))


def _order(
    now_ns: int, account: str, instrument: Instrument, name: str, side: Side, price: int, quantity: int,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> PlaceOrder:  # fmt: skip
    return PlaceOrder(
        now_ns, account, instrument.instrument_id, name, side, OrderType.LIMIT, quantity, price, 0, time_in_force
    )


def _settings(*, paced: bool) -> ServerSettings:
    rich = {"USDT": Decimal(10**10), "BTC": Decimal(10**6), "ETH": Decimal(10**6)}
    ours = {"USDT": Decimal(10**6), "BTC": Decimal(10), "ETH": Decimal(100)}
    return ServerSettings(
        ports=ServerPorts(binance_spot=0, binance_usdm=0),
        accounts=(
            AccountSetup(ACCOUNT, (ApiKey(KEY, ACCOUNT, SECRET),), ours),
            AccountSetup(MAKER, (), rich),
            AccountSetup(TAKER, (), rich),
        ),
        agents=0,
        surface=SurfaceSettings(limits=paced),
    )


def main(pairs_per_s: float, reset_every_s: float, *, paced: bool) -> None:
    """Serve until stdin ends."""
    server = ExchangeServer(_settings(paced=paced))
    market = SteadyMarket([one for one in default_listings() if one.venue.startswith("BINANCE")], pairs_per_s)
    for command in market.opening(server.clock.now_ns()):
        result = server.host.execute(command)
        assert result.ok, result
    server.host.feeds.append(market)
    server.start()
    print(json.dumps(server.ports), flush=True)
    resets, due_s = 0, time.monotonic() + reset_every_s
    while not select.select([sys.stdin], [], [], max(0.0, due_s - time.monotonic()))[0]:
        server.clear_faults(server.inject(Fault(kind="reset", count=0)))
        resets, due_s = resets + 1, due_s + reset_every_s
    orders = server.call(lambda served: len(served.traffic.orders))
    print(
        json.dumps({"pairs": market.pairs, "resets": resets, "orders": orders, "failures": server.failures}), flush=True
    )
    assert server.stop() == ""


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), paced=sys.argv[3] == "paced")
