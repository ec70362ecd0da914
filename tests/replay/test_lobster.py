"""One hour of AAPL at NASDAQ, order by order, through the whole venue: its best prices against the recorded ones.

Hidden executions are ignored; a visible one is a marketable order of the same size from the other side, so that it is our
price-time priority that decides whom it meets.
"""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Grid
from foxtrot.exchange.commands import AddInstrument, AmendOrder, CancelOrder, OpenAccount, PlaceOrder
from foxtrot.exchange.events import OrderFilled, VenueEvent
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_stock

MESSAGES = 91_997
WANTED = 91_906
ADD, PARTIAL_CANCEL, DELETE, EXECUTION = "1", "2", "3", "4"
AAPL = "AAPL.TEST"
NO_ASK, NO_BID = 9_999_999_999, -9_999_999_999


def rows(file: Path) -> Iterator[list[str]]:
    with gzip.open(file, "rt", newline="") as lines:
        yield from csv.reader(lines)


class Tape:
    """Feeds LOBSTER messages to a venue as commands."""

    def __init__(self) -> None:
        self.met: list[str] = []
        self.venue = Venue(self.hear)
        self.venue.execute(AddInstrument(0, a_stock(price_grid=Grid.of("0.0001"))))
        for account in ("market", "taker"):
            self.venue.execute(OpenAccount(0, account, margin_checked=False))
        self.seeded: dict[tuple[Side, int], str] = {}
        self.stand_ins: dict[str, list[str]] = {}
        self.takers = 0

    def hear(self, event: VenueEvent) -> None:
        if isinstance(event, OrderFilled) and event.account == "market":
            self.met.append(event.client_order_id)

    def seed(self, row: list[str]) -> None:
        for at in range(0, len(row), 4):
            ask, ask_size, bid, bid_size = map(int, row[at : at + 4])
            for side, price, size, absent in ((Side.SELL, ask, ask_size, NO_ASK), (Side.BUY, bid, bid_size, NO_BID)):
                if price != absent:
                    name = self.seeded[side, price] = f"seed-{side}-{price}"
                    self.place("market", name, side, size, price)

    def feed(self, row: list[str]) -> None:
        time_s, kind, order_id, size, price, direction = row
        time_ns = int(float(time_s) * 1e9)
        side = Side.BUY if direction == "1" else Side.SELL
        if kind == ADD:
            self.place("market", order_id, side, int(size), int(price), time_ns)
        elif kind == EXECUTION:
            self.takers += 1
            self.met.clear()
            self.place("taker", f"t{self.takers}", side.opposite, int(size), int(price), time_ns, TimeInForce.IOC)
            for name in self.met:
                if name != order_id:
                    self.stand_ins.setdefault(name, []).append(order_id)
        elif kind in (PARTIAL_CANCEL, DELETE):
            self.take_out(time_ns, order_id, side, int(size), int(price))

    def place(
        self, account: str, name: str, side: Side, size: int, price: int, time_ns: int = 0, tif: TimeInForce = TimeInForce.GTC
    ) -> None:  # fmt: skip
        command = PlaceOrder(time_ns, account, AAPL, name, side, OrderType.LIMIT, size, price, 0, tif)
        assert self.venue.execute(command).ok

    def take_out(self, time_ns: int, name: str, side: Side, size: int, price: int) -> None:
        """Cancel `size` of an order.

        What arrived before the recording comes out of the seeded order of its price; what our priority rule filled in the
        place of another order comes out of that other one.
        """
        candidates = [name, self.seeded.get((side, price), "")]
        for candidate in candidates:
            candidates += [other for other in self.stand_ins.get(candidate, ()) if other not in candidates]
            order = self.venue.order("market", AAPL, client_order_id=candidate)
            if order is None or order.status not in ("accepted", "partially_filled"):
                continue
            left = order.quantity - order.filled - size
            if left > 0:
                assert self.venue.execute(AmendOrder(time_ns, "market", AAPL, 0, candidate, order.filled + left)).ok
                return
            assert self.venue.execute(CancelOrder(time_ns, "market", AAPL, 0, candidate)).ok
            size = -left
            if not size:
                return

    def best(self) -> tuple[int, int]:
        _, bids, asks = self.venue.depth(AAPL, 1)
        return asks[0][0] if asks else NO_ASK, bids[0][0] if bids else NO_BID


def test_the_venue_fed_the_recorded_orders_shows_the_recorded_best_prices(data_dir: Path) -> None:
    folder = data_dir / "l3"
    tape = Tape()
    tape.seed(next(rows(folder / "aapl_20120621_lobster50_orderbook_first672.csv.gz")))
    messages = rows(folder / "aapl_20120621_lobster50_message.csv.gz")
    recorded = rows(folder / "aapl_20120621_lobster50_orderbook_l1.csv.gz")
    equal = total = 0
    for number, (message, book) in enumerate(zip(messages, recorded, strict=True)):
        if number:
            tape.feed(message)
        equal += tape.best() == (int(book[0]), int(book[2]))
        total += 1
    assert total == MESSAGES
    tape.venue.validate()
    print(f"{equal} of {total} rows equal")
    assert equal >= WANTED
