"""How recorded depth fills orders: one test per rule of docs/backtest_rules.md; captures are written for the purpose."""

from pathlib import Path

import pytest

from foxtrot.backtest.depth_capture import read_depth
from foxtrot.backtest.fill_settings import FillSettings
from foxtrot.backtest.queue_model import PessimisticQueue, ProportionalQueue
from foxtrot.domain.enums import Liquidity, OrderStatus, TimeInForce
from foxtrot.domain.errors import InputError
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from foxtrot.strategy.base import Strategy
from foxtrot.trading.limits import Limits, LimitTable
from tests.unit.backtest.scripted import T0, Deed, on_prints, told
from tests.unit.backtest.ticks import CaptureFile, run_ticks

BIDS = [(99.9, 2.0), (99.8, 1.0), (99.0, 5.0)]
ASKS = [(100.1, 1.0), (100.2, 0.5), (100.5, 9.0)]


@pytest.fixture
def capture(tmp_path: Path) -> CaptureFile:
    """A book of three levels a side, and a print at 100 ms at which the strategy acts."""
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.snapshot(BIDS, ASKS, 5)
    file.trade(100, 100.1, 0.001, buyer_made=False)
    return file


def fills(capture: CaptureFile, deed: Deed, **settings: object) -> list[tuple[str, float, float]]:
    result, _ = run_ticks(on_prints({0: deed}), depth=(capture.read(),), **settings)
    return told(result)


# --- taking -------------------------------------------------------------------------------------------------------------


def test_a_market_order_walks_the_levels(capture: CaptureFile) -> None:
    assert fills(capture, lambda s: s.buy(2.0)) == [("buy", 1.0, 100.1), ("buy", 0.5, 100.2), ("buy", 0.5, 100.5)]


def test_what_the_book_does_not_hold_ends_unfilled(capture: CaptureFile) -> None:
    limits = LimitTable(platform=Limits(check_funds=False, market_sweep=0.0))
    strategy_class = on_prints({0: lambda s: s.sell(10.0)})
    result, strategy = run_ticks(strategy_class, depth=(capture.read(),), limits=limits)
    assert sum(trade.quantity for trade in result.trades) == 8.0
    assert (strategy.orders[-1].status, strategy.orders[-1].reason) == (OrderStatus.EXPIRED, "no_liquidity")


def test_a_level_is_not_taken_twice_until_it_is_shown_anew(capture: CaptureFile) -> None:
    twice: Deed = lambda s: (s.buy(1.0), s.buy(0.25))  # noqa: E731
    assert fills(capture, twice) == [("buy", 1.0, 100.1), ("buy", 0.25, 100.2)]
    capture.depth(150, asks=[(100.1, 1.0)])
    capture.trade(200, 100.1, 0.001, buyer_made=False)
    result, _ = run_ticks(on_prints({0: lambda s: s.buy(1.0), 1: lambda s: s.buy(0.25)}), depth=(capture.read(),))
    assert told(result) == [("buy", 1.0, 100.1), ("buy", 0.25, 100.1)]


def test_a_younger_ticker_is_the_best_level(capture: CaptureFile) -> None:
    capture.ticker(50, (99.9, 2.0), (100.2, 0.3))
    assert fills(capture, lambda s: s.buy(1.0)) == [("buy", 0.3, 100.2), ("buy", 0.7, 100.5)]


def test_a_ticker_older_than_the_depth_counts_no_more(capture: CaptureFile) -> None:
    capture.ticker(50, (99.9, 2.0), (100.2, 0.3))
    capture.depth(60, bids=[(99.8, 1.5)])
    assert fills(capture, lambda s: s.buy(0.5)) == [("buy", 0.5, 100.1)]


def test_an_order_meets_the_book_of_the_time_it_arrives(capture: CaptureFile) -> None:
    capture.depth(103, asks=[(100.1, 0.0), (100.2, 0.0)])
    assert fills(capture, lambda s: s.buy(1.0), latency_ns=10_000_000) == []  # it would arrive after the end
    capture.depth(150)
    assert fills(capture, lambda s: s.buy(1.0), latency_ns=10_000_000) == [("buy", 1.0, 100.5)]


def test_the_venue_is_ahead_of_what_the_strategy_has_heard(tmp_path: Path) -> None:
    """The print is received late; by then the book has changed, though the strategy hears of that only later."""
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.snapshot(BIDS, ASKS, 5)
    file.trade(100, 100.1, 0.001, buyer_made=False, lag_ms=22)
    file.depth(110, asks=[(100.1, 0.0)], lag_ms=52)
    assert fills(file, lambda s: s.buy(0.5)) == [("buy", 0.5, 100.2)]
    assert fills(file, lambda s: s.buy(0.5), recorded_latency=False) == [("buy", 0.5, 100.1)]


def test_fok_and_post_only_are_judged_by_the_book(capture: CaptureFile) -> None:
    assert fills(capture, lambda s: s.buy(2.0, 100.2, time_in_force=TimeInForce.FOK)) == []
    assert len(fills(capture, lambda s: s.buy(1.5, 100.2, time_in_force=TimeInForce.FOK))) == 2
    assert fills(capture, lambda s: s.buy(1.0, 100.1, post_only=True)) == []


# --- resting: the queue -------------------------------------------------------------------------------------------------


def test_a_resting_limit_waits_for_the_displayed_size_to_be_printed(capture: CaptureFile) -> None:
    capture.trade(200, 99.9, 1.5, buyer_made=True)
    capture.trade(300, 99.9, 0.75, buyer_made=True)
    capture.trade(400, 99.9, 5.0, buyer_made=True)
    assert fills(capture, lambda s: s.buy(1.0, 99.9)) == [("buy", 0.25, 99.9), ("buy", 0.75, 99.9)]


def test_a_print_that_took_from_the_other_side_moves_no_queue(capture: CaptureFile) -> None:
    capture.trade(200, 99.9, 50.0, buyer_made=False)
    assert fills(capture, lambda s: s.buy(1.0, 99.9)) == []


def test_a_print_through_the_price_fills_whatever_stood_before(capture: CaptureFile) -> None:
    capture.trade(200, 99.8, 0.4, buyer_made=True)
    assert fills(capture, lambda s: s.buy(1.0, 99.9)) == [("buy", 0.4, 99.9)]


def test_inside_the_spread_nobody_stands_before(capture: CaptureFile) -> None:
    capture.trade(200, 100.0, 0.4, buyer_made=True)
    result, _ = run_ticks(on_prints({0: lambda s: s.buy(1.0, 100.0)}), depth=(capture.read(),))
    assert told(result) == [("buy", 0.4, 100.0)]
    assert result.trades[0].liquidity is Liquidity.MAKER


def test_the_other_side_coming_to_the_price_fills_it_up_to_its_size(capture: CaptureFile) -> None:
    capture.depth(200, bids=[(99.9, 0.0)], asks=[(99.9, 0.6)])
    assert fills(capture, lambda s: s.buy(1.0, 99.9)) == [("buy", 0.6, 99.9)]


def test_an_order_older_than_the_book_joins_the_queue_when_the_snapshot_comes(tmp_path: Path) -> None:
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.ticker(50, (99.9, 2.0), (100.1, 0.3))
    file.trade(100, 100.1, 0.001, buyer_made=False)
    file.snapshot(BIDS, ASKS, 150)
    file.trade(200, 99.9, 1.5, buyer_made=True)
    file.trade(300, 99.9, 1.0, buyer_made=True)
    assert fills(file, lambda s: s.buy(1.0, 99.9)) == [("buy", 0.5, 99.9)]


def test_after_a_gap_nothing_is_known_of_the_queue(capture: CaptureFile) -> None:
    capture.depth(200, bids=[(99.9, 1.0)], skip=5)
    capture.trade(300, 99.9, 50.0, buyer_made=True)
    assert fills(capture, lambda s: s.buy(1.0, 99.9)) == []
    capture.trade(400, 99.8, 50.0, buyer_made=True)
    assert fills(capture, lambda s: s.buy(1.0, 99.9)) == [("buy", 1.0, 99.9)]


def test_the_queue_models_differ_in_who_left_a_shrinking_level(capture: CaptureFile) -> None:
    """2.0 ahead; 0.5 are printed, then the level shrinks to 1.2 of the 1.5 left, joined by nobody; then 1.3 are printed."""
    capture.trade(200, 99.9, 0.5, buyer_made=True)
    capture.depth(250, bids=[(99.9, 1.2)])
    capture.depth(260, bids=[(99.9, 2.0)])
    capture.depth(270, bids=[(99.9, 1.0)])
    capture.trade(300, 99.9, 0.9, buyer_made=True)
    deed: Deed = lambda s: s.buy(1.0, 99.9)  # noqa: E731
    assert fills(capture, deed) == []
    assert fills(capture, deed, fills=FillSettings(queue=ProportionalQueue())) == [("buy", 0.3, 99.9)]


@pytest.mark.parametrize(
    ("ahead", "before", "after", "printed", "pessimistic", "proportional"),
    [
        (5, 10, 10, 0, 5, 5),
        (5, 10, 12, 0, 5, 5),
        (5, 10, 6, 0, 5, 3),
        (5, 10, 3, 0, 3, 2),
        (5, 10, 0, 0, 0, 0),
        (5, 10, 7, 3, 5, 5),
        (5, 10, 2, 6, 2, 2),
        (5, 0, 7, 0, 5, 5),
    ],
)
def test_the_models_table(
    ahead: int, before: int, after: int, printed: int, pessimistic: int, proportional: int
) -> None:
    assert PessimisticQueue().after_change(ahead, before, after, printed) == pessimistic
    assert ProportionalQueue().after_change(ahead, before, after, printed) == proportional


# --- what the strategy hears --------------------------------------------------------------------------------------------


class Listening(Strategy):
    """Notes every depth fact with when it was heard, in ms, and asks for the book once."""

    def on_init(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.books: list[object] = []
        self.facts: list[DepthData | DepthChange] = []

    def on_depth(self, depth: DepthData) -> None:
        self.note(depth)

    def on_depth_change(self, change: DepthChange) -> None:
        self.note(change)

    def on_market_trade(self, trade: MarketTrade) -> None:
        self.request_book("", 30)

    def on_book(self, book: object) -> None:
        self.books.append(book)

    def note(self, fact: DepthData | DepthChange) -> None:
        self.facts.append(fact)
        self.heard.append((type(fact).__name__, (self.clock.now_ns() - T0) // 10**6))


def test_depth_is_heard_when_it_was_received_first_whole_then_as_changes(capture: CaptureFile) -> None:
    capture.depth(200, bids=[(99.9, 1.0)], lag_ms=7)
    result, strategy = run_ticks(Listening, depth=(capture.read(),))
    assert isinstance(strategy, Listening)
    assert strategy.heard == [("DepthData", 5), ("DepthChange", 207), ("DepthData", 207)]
    assert strategy.facts[-1].bids == ((99.9, 1.0), (99.8, 1.0), (99.0, 5.0))
    assert {fact.instrument_id for fact in strategy.facts} == {"BTCUSDT.HISTORY"}
    assert [book.book.asks for book in strategy.books] == [tuple(ASKS)]  # type: ignore[attr-defined]
    assert result.equity[-1] == 1_000_000.0


def test_a_gap_drops_the_book_until_the_next_snapshot_and_is_told(capture: CaptureFile) -> None:
    capture.depth(200, bids=[(99.9, 1.0)], skip=5)
    capture.trade(300, 99.9, 0.5, buyer_made=True)
    backtested: list[object] = []

    class Looking(Listening):
        def on_market_trade(self, trade: MarketTrade) -> None:
            backtested.append(self.book())

    result, _ = run_ticks(Looking, depth=(capture.read(),))
    assert [book is None for book in backtested] == [False, True]
    assert result.warnings == (
        "BTCUSDT.HISTORY: 1 gaps in the recorded depth; after each, quotes and prints alone fill",
    )


def test_the_clocks_of_venue_and_recorder_need_not_agree(tmp_path: Path) -> None:
    """The recorder's clock is 1.3 s behind; the fastest frame counts as latency 0, the others as what they exceed it."""
    file = CaptureFile(tmp_path, skew_ms=-1_300)
    file.depth(0, lag_ms=2)
    file.snapshot(BIDS, ASKS, 5)
    file.depth(100, bids=[(99.9, 1.0)], lag_ms=12)
    read = file.read()
    assert read.clock_offset_ns == -1_298_000_000
    moments = [((moment - T0) // 10**6, (received - T0) // 10**6) for moment, received, _ in read.facts()]
    assert moments == [(-1298, -1298), (-1295, -1295), (-1198, -1188)]


def test_facts_are_given_in_the_order_they_happened(tmp_path: Path) -> None:
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.snapshot(BIDS, ASKS, 3)
    file.trade(50, 100.0, 1.0, buyer_made=True, lag_ms=200)
    file.depth(100, bids=[(99.9, 1.0)])
    kinds = [type(fact).__name__ for _, _, fact in file.read().facts()]
    assert kinds == ["DepthChange", "DepthData", "MarketTrade", "DepthChange"]


def test_a_capture_without_depth_or_of_several_symbols_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "capture.txt"
    trade = '{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true}'
    depth = '{"e":"depthUpdate","E":2,"s":"ETHUSDT","U":1,"u":1,"b":[],"a":[]}'
    path.write_text(f"1 {trade}\n")
    with pytest.raises(InputError, match="holds no change of depth"):
        read_depth(path)
    path.write_text(f"1 {trade}\n2 {depth}\n")
    with pytest.raises(InputError, match=r"holds BTCUSDT\.BINANCE, ETHUSDT\.BINANCE; give a capture of one symbol"):
        read_depth(path)


def test_a_capture_without_a_snapshot_is_replayed_on_its_quotes_and_prints(tmp_path: Path) -> None:
    file = CaptureFile(tmp_path)
    file.depth(0)
    file.ticker(50, (99.9, 2.0), (100.1, 0.3))
    file.trade(100, 100.1, 0.001, buyer_made=False)
    result, _ = run_ticks(on_prints({0: lambda s: s.buy(0.2)}), depth=(file.read(),))
    assert told(result) == [("buy", 0.2, 100.1)]
    assert "holds no book snapshot" in result.warnings[0]
