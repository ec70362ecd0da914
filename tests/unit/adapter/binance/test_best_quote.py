"""The best prices of the quote stream: exact, with their age, and none where nobody keeps them up to date."""

from decimal import Decimal

import pytest

from foxtrot.adapter.base_adapter import BestBidOffer
from foxtrot.adapter.binance.best_quote import best_quote
from foxtrot.adapter.binance.frames import BookTickerFrame
from foxtrot.adapter.binance.tick_stream import TickStream
from tests.support.instruments import a_spot
from tests.support.recorder import Recorder

SPOT = a_spot()
MS = 1_000_000


class Publisher(Recorder):
    """Takes what a tick stream tells."""

    def on_tick(self, tick: object) -> None:
        self.put(tick)

    on_market_trade = on_gap = on_tick


def frame(update_id: int, bid: float = 99.37, ask: float = 100.63, size: float = 0.333) -> BookTickerFrame:
    return BookTickerFrame("BTCUSDT", update_id, bid, size, ask, 1.117)


def stream() -> TickStream:
    return TickStream(SPOT.instrument_id, Publisher(), lambda *_missing: None)


def test_a_quote_is_told_exactly_and_as_old_as_it_is() -> None:
    best = best_quote((frame(1), 5 * MS), SPOT, 12 * MS)
    assert best == BestBidOffer(
        SPOT.instrument_id, Decimal("99.37"), Decimal("0.333"), Decimal("100.63"), Decimal("1.117"), "stream", 7.0
    )


@pytest.mark.parametrize(
    "bad",
    [frame(1, bid=0.0), frame(1, ask=0.0), frame(1, bid=100.63), frame(1, bid=100.64), frame(1, bid=99.371), frame(1, size=0.3335)],
    ids=["no bid", "no ask", "locked", "crossed", "price off the grid", "size off the grid"],
)  # fmt: skip
def test_what_is_no_valid_quote_is_none(bad: BookTickerFrame) -> None:
    assert best_quote((bad, 0), SPOT, 0) is None


def test_without_a_quote_there_are_no_best_prices() -> None:
    assert best_quote(None, SPOT, 0) is None


def test_a_clock_that_went_back_makes_no_negative_age() -> None:
    best = best_quote((frame(1), 9 * MS), SPOT, 5 * MS)
    assert best is not None
    assert best.age_ms == 0.0


def test_the_stream_keeps_its_last_quote_and_no_older_one() -> None:
    ticks = stream()
    ticks.quote(frame(7), 1)
    ticks.quote(frame(6, bid=90.0), 2)
    assert ticks.best == (frame(7), 1)


def test_a_stream_that_is_lost_keeps_none() -> None:
    ticks = stream()
    ticks.quote(frame(7), 1)
    ticks.restart()
    assert ticks.best is None


def test_a_quote_that_was_asked_for_is_not_the_streams() -> None:
    ticks = stream()
    ticks.rest_quote(frame(0), 1)
    assert ticks.best is None
    ticks.quote(frame(7), 2)
    ticks.rest_quote(frame(0, bid=90.0), 3)
    assert ticks.best == (frame(7), 2)
