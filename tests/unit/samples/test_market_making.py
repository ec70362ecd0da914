"""Market making on small captures whose fair price is known without a calculator; the recorded day is in tests/replay."""

from pathlib import Path

import pytest

from foxtrot.domain.enums import OrderStatus, Product, Side
from foxtrot.domain.market import DepthData
from foxtrot.domain.order import OrderData
from foxtrot.samples.market_making import MarketMaking
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.ticks import CaptureFile, run_ticks

# The book is 99 (1) to 101 (1): fair 100. Half a spread of 10 bps is 0.1, a full inventory shifts by 20 bps, 0.2.
PARAMETERS: dict[str, float] = {
    "size": 1.0,
    "max_position": 4.0,
    "half_spread_bps": 10.0,
    "skew_bps": 20.0,
    "requote_bps": 4.0,
}


class Noting(MarketMaking):
    """The sample with set parameters, noting its open quotes after each event of its orders."""

    def on_init(self) -> None:
        vars(self).update(PARAMETERS)
        super().on_init()
        self.sent: list[tuple[str, float, float]] = []
        self.refused: list[str] = []
        self.most = 0.0

    def _quote(self, side: Side, price: float) -> None:
        before = self._quotes.get(side)
        super()._quote(side, price)
        after = self._quotes.get(side)
        if after is not None and after != before:
            order = self.order(after)
            assert order is not None
            self.sent.append((str(order.side), order.quantity, order.price))

    def on_order(self, order: OrderData) -> None:
        super().on_order(order)
        if order.status is OrderStatus.EXPIRED:
            self.refused.append(order.reason)

    def on_depth(self, depth: DepthData) -> None:
        super().on_depth(depth)
        self.most = max(self.most, abs(self.position))


@pytest.fixture
def capture(tmp_path: Path) -> CaptureFile:
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.snapshot([(99.0, 1.0)], [(101.0, 1.0)], 5)
    return file


def sent(capture: CaptureFile, product: Product = Product.PERPETUAL) -> list[tuple[str, float, float]]:
    _, strategy = run_ticks(Noting, depth=(capture.read(),), product=product)
    return noting(strategy).sent


def noting(strategy: Strategy) -> Noting:
    assert isinstance(strategy, Noting)
    return strategy


def test_it_quotes_both_sides_of_the_fair_price(capture: CaptureFile) -> None:
    assert sent(capture) == [("buy", 1.0, 99.9), ("sell", 1.0, 100.1)]


def test_the_fair_price_leans_away_from_the_larger_side(tmp_path: Path) -> None:
    """3 wait to buy at 99, 1 to sell at 101: fair is 100.5, half a spread 0.1005."""
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.snapshot([(99.0, 3.0)], [(101.0, 1.0)], 5)
    assert sent(file) == [("buy", 1.0, 100.39), ("sell", 1.0, 100.61)]


def test_on_spot_it_begins_by_buying_above_the_middle_and_sells_what_it_bought(capture: CaptureFile) -> None:
    """With nothing held it aims at 2 of 4: shifted up by 0.2, the bid stands at 100.2 - 0.1002."""
    capture.trade(100, 99.0, 50.0, buyer_made=True)
    capture.depth(600, bids=[(99.0, 1.0)])
    first, *rest = sent(capture, Product.SPOT)
    assert first == ("buy", 1.0, 100.09)
    assert rest[0][0] == "buy"
    assert rest[1][:2] == ("sell", 1.0)


def test_inventory_shifts_both_quotes_against_itself(capture: CaptureFile) -> None:
    """1 of 4 is held after the print through the bid: fair 100 is shifted by a quarter of 0.2 to 99.95."""
    capture.trade(100, 99.0, 50.0, buyer_made=True)
    capture.depth(600, bids=[(99.0, 1.0)])
    capture.depth(700, bids=[(99.0, 1.0)])
    assert sent(capture)[2:] == [("buy", 1.0, 99.85), ("sell", 1.0, 100.05)]


def test_a_quote_is_moved_only_when_it_is_far_off_and_its_pause_is_over(capture: CaptureFile) -> None:
    """The book moves by 1 at 100 ms; the quotes may move from 405 ms on: first they are given up, then sent anew."""
    capture.depth(100, bids=[(99.0, 0.0), (100.0, 1.0)], asks=[(101.0, 0.0), (102.0, 1.0)])
    assert len(sent(capture)) == 2
    capture.depth(500, bids=[(100.0, 1.0)])
    assert len(sent(capture)) == 2
    capture.depth(600, bids=[(100.0, 1.0)])
    assert sent(capture)[2:] == [("buy", 1.0, 100.89), ("sell", 1.0, 101.11)]
    capture.depth(1100, bids=[(100.0, 1.01)])
    capture.depth(1200, bids=[(100.0, 1.01)])
    assert len(sent(capture)) == 4


def test_it_holds_no_more_than_its_bounds(capture: CaptureFile) -> None:
    for second in range(1, 12):
        capture.trade(1000 * second, 99.0, 50.0, buyer_made=True)
        capture.depth(1000 * second + 600, bids=[(99.0, 1.0)])
    _, strategy = run_ticks(Noting, depth=(capture.read(),))
    assert noting(strategy).most == 4.0


def test_a_quote_that_would_take_is_refused_by_the_venue_and_sent_again(capture: CaptureFile) -> None:
    """The book falls while the bid at 99.9 is on its way: it would take at 99.6, ends, and is sent anew below."""
    capture.depth(20, bids=[(99.0, 0.0), (99.5, 1.0)], asks=[(101.0, 0.0), (99.6, 1.0)])
    capture.depth(600, bids=[(99.5, 1.0)])
    capture.depth(1100, bids=[(99.5, 1.0)])
    result, strategy = run_ticks(Noting, depth=(capture.read(),), latency_ns=30_000_000)
    assert noting(strategy).refused == ["post_only"]
    assert noting(strategy).sent[2] == ("buy", 1.0, 99.45)
    assert result.trades == ()


def test_no_quote_is_left_when_it_stops(capture: CaptureFile) -> None:
    class Stopping(Noting):
        def on_start(self) -> None:
            super().on_start()
            self.set_timer("end", 1.0)

        def on_timer(self, timer: object) -> None:
            self.on_stop()
            self.stopped = True

        def on_depth(self, depth: DepthData) -> None:
            if not vars(self).get("stopped"):
                super().on_depth(depth)

    capture.depth(1_500)
    _, strategy = run_ticks(Stopping, depth=(capture.read(),))
    assert noting(strategy).sent != []
    assert list(strategy.open_orders()) == []
