"""The figures of market streams: every frame counts, with its way from the venue and to the engine."""

import pytest

from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.health import StreamHealth
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import Gap
from foxtrot.domain.market import MarketTrade, TickData

START_NS = 1_700_000_000_000_000_000
HANDED_NS = 400_000


class Handler:
    """Takes facts and a moment of the clock for each.

    Thread: the test's.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.facts: list[TickData | MarketTrade | Gap] = []
        self._clock = clock

    def on_tick(self, tick: TickData) -> None:
        self._clock.advance(HANDED_NS)
        self.facts.append(tick)

    def on_market_trade(self, trade: MarketTrade) -> None:
        self.facts.append(trade)

    def on_gap(self, gap: Gap) -> None:
        self.facts.append(gap)


class Board:
    """A board with one instrument.

    Thread: the test's.
    """

    def __init__(self, *, ticks: bool = True) -> None:
        self.clock = ManualClock(START_NS)
        self.handler = Handler(self.clock)
        self.waits = 0
        self.board = StreamBoard(self.clock, self._wait)
        self.board.live = True
        self.stream = TickStream("BTCUSDT.BINANCE", self.handler, lambda *_missing: None)
        self.stream.ticks, self.stream.trades = ticks, True
        self.health = self.stream.health = StreamHealth("ticks BTCUSDT.BINANCE")
        self.health.up(self.clock.monotonic_ns())
        self.board.ticks["BTCUSDT"] = self.stream

    def take(self, *frames: str) -> None:
        for frame in frames:
            assert self.board.take(frame)
        self.board.end_batch()

    def _wait(self) -> None:
        self.waits += 1


def quote(update: int, sent_ms: int | None = None) -> str:
    """Return a quote; spot's have no time."""
    prices = f'"s":"BTCUSDT","b":"1.{update}","B":"1","a":"2","A":"1"'
    if sent_ms is None:
        return f'{{"u":{update},{prices}}}'
    return f'{{"e":"bookTicker","u":{update},{prices},"T":{sent_ms},"E":{sent_ms}}}'


def trade(number: int, sent_ms: int) -> str:
    """Return a print."""
    return f'{{"e":"trade","E":{sent_ms},"s":"BTCUSDT","t":{number},"p":"1","q":"1","T":{sent_ms},"m":true}}'


def test_every_frame_of_a_batch_counts() -> None:
    made = Board()
    made.take(quote(1), trade(1, 1), quote(2), trade(2, 1), quote(3))
    made.take(quote(4))
    assert made.health.messages == 6


def test_the_way_from_the_venue_is_measured_where_it_tells_a_time() -> None:
    made, now_ms = Board(), START_NS // 1_000_000
    made.take(quote(1))
    assert made.health.figures(0).venue_latency.p50_ms == 0.0, "spot's quotes have no time"
    made.take(quote(2, now_ms - 30))
    assert made.health.figures(0).venue_latency.p50_ms == pytest.approx(30.0, abs=1.0)
    made.take(quote(3))
    assert len(made.health._venue_ms) == 1, "an old time is measured once"
    made.take(trade(1, now_ms - 80), quote(4))
    assert made.health.figures(0).venue_latency.p99_ms == pytest.approx(80.0, abs=3.0)


def test_the_way_to_the_engine_is_from_receipt_to_hand_over() -> None:
    made = Board()
    made.take(quote(1))
    assert made.health.figures(0).engine_latency.p50_ms == HANDED_NS / 1e6


def test_prints_alone_count_too_and_no_tick_waits() -> None:
    made = Board(ticks=False)
    made.take(trade(1, 1), trade(2, 1))
    assert (made.health.messages, made.waits) == (2, 0)
