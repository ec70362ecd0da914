"""Nine hand-written vectors of another exchange's limit and market matching, replayed through the whole venue."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.domain.instrument import Grid
from foxtrot.exchange.events import OrderFilled, TradePrinted
from tests.support.instruments import a_stock
from tests.support.trading_floor import TradingFloor

VECTORS = 9
PRICES = Grid.of("0.1")


@pytest.fixture(scope="module")
def vectors(data_dir: Path) -> list[dict]:
    found = json.loads((data_dir / "golden" / "matching_limit_market.json").read_text())
    assert len(found) == VECTORS
    return found


class Replay:
    """Runs the steps of a vector."""

    def __init__(self) -> None:
        self.floor = TradingFloor(a_stock(price_grid=PRICES))
        self.heard = 0

    def submit(self, orders: list[dict]) -> None:
        self.heard = len(self.floor.events)
        for order in orders:
            price = 0 if order["price"] == "M" else PRICES.from_decimal(Decimal(order["price"]))
            place = self.floor.buy if order["side"] == "Buy" else self.floor.sell
            assert place(order["broker"], int(order["qty"]), price).ok

    def trades(self, expected: list[dict]) -> None:
        assert self.told() == [(t["buyer"], t["seller"], t["qty"], t["price"]) for t in expected]

    def book(self, expected: dict) -> None:
        bids, asks = self.floor.book()
        for side, rows in (("bids", bids), ("asks", asks)):
            drawn = [[owner, str(shown), PRICES.to_text(price)] for owner, shown, price in rows]
            assert drawn == expected[side], side
        self.floor.venue.validate()

    def told(self) -> list[tuple[str, str, str, str]]:
        new = self.floor.events[self.heard :]
        prints = [event for event in new if isinstance(event, TradePrinted)]
        fills = [event for event in new if isinstance(event, OrderFilled)]
        rows = []
        for trade in prints:
            owner = {fill.side: fill.account for fill in fills if fill.trade_id == trade.trade_id}
            rows.append((owner["buy"], owner["sell"], str(trade.quantity), PRICES.to_text(trade.price)))
        return rows


@pytest.mark.parametrize("number", range(VECTORS))
def test_the_venue_trades_and_rests_as_the_golden_vector_says(vectors: list[dict], number: int) -> None:
    replay = Replay()
    for step in vectors[number]["steps"]:
        for verb, what in step.items():
            getattr(replay, verb)(what)
