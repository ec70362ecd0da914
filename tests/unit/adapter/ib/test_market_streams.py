"""Ticks, prints and bars of one instrument: put together, each told once, marked where they are not live."""

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.ib import codec
from foxtrot.adapter.ib.bar_sizes import bar_size, bounds_of, duration_of, stamp_ns
from foxtrot.adapter.ib.bar_stream import ASK_NS, LATE_NS, SETTLED_NS, BarStream, reader
from foxtrot.adapter.ib.print_stream import PrintStream
from foxtrot.adapter.ib.tick_stream import TickStream
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.notices import Gap
from foxtrot.domain.calendar_presets import ALWAYS_OPEN, calendar_named
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BadMessage, ConfigError
from foxtrot.domain.market import DELAYED, FROZEN, STREAM, BarData, MarketTrade, TickData
from foxtrot.exchange.listings import listing

AAPL = listing("AAPL.NASDAQ")
ID = AAPL.instrument_id
NOW = 10**18
BID, ASK, LAST, BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME = 1, 2, 4, 0, 3, 5, 8
MINUTE_NS = 60 * 10**9


class Up:
    def __init__(self) -> None:
        self.ticks: list[TickData] = []
        self.prints: list[MarketTrade] = []
        self.gaps: list[Gap] = []
        self.bars: list[BarData] = []

    def on_tick(self, tick: TickData) -> None:
        self.ticks.append(tick)

    def on_market_trade(self, trade: MarketTrade) -> None:
        self.prints.append(trade)

    def on_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)

    def on_bar(self, bar: BarData) -> None:
        self.bars.append(bar)


@pytest.fixture
def up() -> Up:
    return Up()


@pytest.fixture
def ticks(up: Up) -> TickStream:
    stream = TickStream(ID, up, PriceSnap(AAPL))
    stream.is_told = True
    return stream


def quote(stream: TickStream, bid: float = 99.0, ask: float = 101.0) -> None:
    stream.take_price(BID, bid, NOW)
    stream.take_size(BID_SIZE, 10, NOW)
    stream.take_price(ASK, ask, NOW)
    stream.take_size(ASK_SIZE, 20, NOW)


# --- ticks ----------------------------------------------------------------------------------------------------------


def test_a_price_is_told_with_its_size_in_one_tick(up: Up, ticks: TickStream) -> None:
    quote(ticks)
    assert [(tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size) for tick in up.ticks] == [
        (99.0, 10.0, 0.0, 0.0),
        (99.0, 10.0, 101.0, 20.0),
    ]
    assert (up.ticks[0].venue_time_ns, up.ticks[0].local_time_ns, up.ticks[0].source) == (NOW, NOW, STREAM)


def test_what_is_the_same_as_before_is_no_tick(up: Up, ticks: TickStream) -> None:
    for _ in range(3):
        quote(ticks)
    assert len(up.ticks) == 2
    ticks.take_size(VOLUME, 500, NOW)
    ticks.take_size(VOLUME, 500, NOW)
    assert len(up.ticks) == 3


def test_minus_one_takes_a_side_away_with_its_size(up: Up, ticks: TickStream) -> None:
    quote(ticks)
    ticks.take_price(ASK, -1.0, NOW)
    ticks.take_size(ASK_SIZE, 0, NOW)
    assert (up.ticks[-1].ask_price, up.ticks[-1].ask_size) == (0.0, 0.0)
    ticks.take_size(ASK_SIZE, 7, NOW)
    assert up.ticks[-1].ask_size == 0.0


def test_totals_of_the_day_are_in_every_tick(up: Up, ticks: TickStream) -> None:
    for number, value in ((6, 105.0), (7, 95.0), (9, 98.0), (14, 97.0)):
        ticks.take_price(number, value, NOW)
    ticks.take_size(VOLUME, Decimal(500), NOW)
    quote(ticks)
    tick = up.ticks[-1]
    assert (tick.high_price, tick.low_price, tick.previous_close, tick.open_price, tick.volume) == (
        105.0, 95.0, 98.0, 97.0, 500.0,
    )  # fmt: skip


def test_a_delayed_tick_is_marked_and_shares_nothing_with_live_ones(up: Up, ticks: TickStream) -> None:
    quote(ticks)
    ticks.take_text(88, "1641535089")
    ticks.take_price(66, 50.0, NOW)
    ticks.take_size(69, 1, NOW)
    tick = up.ticks[-1]
    assert (tick.source, tick.bid_price, tick.ask_price) == (DELAYED, 50.0, 0.0)
    assert tick.venue_time_ns == 1_641_535_089_000_000_000
    assert not ticks.is_live
    quote(ticks)
    assert (up.ticks[-1].source, up.ticks[-1].bid_price) == (STREAM, 99.0)


@pytest.mark.parametrize(("number", "source"), [(2, FROZEN), (3, DELAYED), (4, DELAYED), (1, STREAM)])
def test_ticks_are_marked_by_the_type_that_ib_tells(up: Up, ticks: TickStream, number: int, source: str) -> None:
    ticks.take_type(codec.TYPES[number])
    quote(ticks)
    assert {tick.source for tick in up.ticks} == {source}
    assert ticks.is_live is (source == STREAM)


def test_best_prices_are_forgotten_with_the_link_and_what_nobody_wants_is_not_told(up: Up, ticks: TickStream) -> None:
    quote(ticks)
    ticks.forget()
    assert ticks.quote == (0.0, 0.0, 0.0, 0.0)
    ticks.is_told = False
    told = len(up.ticks)
    quote(ticks)
    assert len(up.ticks) == told
    assert ticks.quote == (99.0, 10.0, 101.0, 20.0)


def test_sizes_in_lots_are_told_in_shares(up: Up) -> None:
    stream = TickStream(ID, up, PriceSnap(AAPL), 100.0)
    stream.is_told = True
    quote(stream)
    stream.take_size(VOLUME, 3, NOW)
    assert (up.ticks[-1].bid_size, up.ticks[-1].volume) == (1_000.0, 300.0)


def test_numbers_that_are_none_are_bad_messages_and_ticks_of_other_kinds_are_left_alone(
    ticks: TickStream, up: Up
) -> None:
    with pytest.raises(BadMessage):
        ticks.take_price(BID, "much", NOW)
    with pytest.raises(BadMessage):
        ticks.take_size(BID_SIZE, "much", NOW)
    ticks.take_price(9_999, 5.0, NOW)
    ticks.take_size(9_999, 5, NOW)
    assert up.ticks == []


# --- prints ---------------------------------------------------------------------------------------------------------

AROUND = (99.0, 10.0, 101.0, 20.0)


@pytest.fixture
def prints(up: Up) -> PrintStream:
    stream = PrintStream(ID, up, PriceSnap(AAPL))
    stream.is_told = True
    return stream


def test_prints_of_one_second_are_told_apart_and_their_side_follows_from_the_quote(up: Up, prints: PrintStream) -> None:
    for price, size in ((101.0, 5), (99.0, Decimal(6)), (100.0, 7)):
        prints.take(1_641_535_089, price, size, AROUND, NOW)
    assert [(trade.price, trade.size, trade.aggressor) for trade in up.prints] == [
        (101.0, 5.0, Side.BUY), (99.0, 6.0, Side.SELL), (100.0, 7.0, Side.BUY),
    ]  # fmt: skip
    assert len({trade.trade_id for trade in up.prints}) == 3
    assert up.prints[0].venue_time_ns == 1_641_535_089_000_000_000


def test_rt_volume_is_told_only_where_prints_do_not_come_tick_by_tick(up: Up, prints: PrintStream) -> None:
    snap = PriceSnap(AAPL)
    found = codec.rt_volume("100.0;5;1641535089500;1000;100;true", snap)
    prints.take_rt(found, AROUND, NOW)
    assert up.prints == []
    prints.by_quote = True
    prints.take_rt(found, AROUND, NOW)
    prints.take_rt(found, AROUND, NOW)  # sent again
    prints.take_rt(codec.rt_volume(";0;1641535089600;1000;100;true", snap), AROUND, NOW)
    prints.take_rt(codec.rt_volume("100.5;2;1641535089700;1002;100;true", snap), AROUND, NOW)
    assert [(trade.price, trade.size) for trade in up.prints] == [(100.0, 5.0), (100.5, 2.0)]


def test_a_lost_link_leaves_a_gap_where_there_were_prints(up: Up, prints: PrintStream) -> None:
    prints.lost()
    assert up.gaps == []
    prints.take(1_641_535_089, 100.0, 1, AROUND, NOW)
    prints.lost()
    assert up.gaps == [Gap(ID, "MarketTrade", 1)]


# --- bars -----------------------------------------------------------------------------------------------------------


def row(stamp_s: int, close: float = 100.0, volume: int = 10) -> Any:
    return SimpleNamespace(
        date=str(stamp_s), open=100.0, high=max(100.0, close), low=min(100.0, close), close=close, volume=volume, average=100.0, barCount=3
    )  # fmt: skip


def bars(up: Up, begins_s: int, text: str = "1m") -> BarStream:
    stream = BarStream(ID, bar_size(text), ALWAYS_OPEN, up, reader(PriceSnap(AAPL), 1.0))
    stream.texts.append(text)
    stream.begin(begins_s * 10**9)
    return stream


def test_a_bar_is_asked_for_at_its_close_and_told_as_the_answer_has_it(up: Up) -> None:
    stream = bars(up, 1_000_030)
    for close in (100.0, 101.0, 102.0):
        stream.take(row(1_000_020, close), 1_000_055 * 10**9)
    closes_ns = 1_000_080 * 10**9
    assert not stream.is_due(closes_ns + ASK_NS - 1)
    assert stream.is_due(closes_ns + ASK_NS)
    assert up.bars == []
    stream.fill([row(999_960), row(1_000_020, 104.0), row(1_000_080, 105.0)], closes_ns + ASK_NS)
    assert [(bar.open_time_ns // 10**9, bar.close, bar.backfilled) for bar in up.bars] == [(1_000_020, 104.0, False)]
    assert not stream.is_due(closes_ns + ASK_NS)


def test_a_later_bar_makes_the_one_before_due_whatever_the_clock_says(up: Up) -> None:
    stream = bars(up, 1_000_030)
    stream.take(row(1_000_020), 1_000_055 * 10**9)
    stream.take(row(1_000_080), 1_000_056 * 10**9)
    assert stream.is_due(1_000_056 * 10**9)


def test_a_bar_that_the_answer_lacks_is_told_as_it_was_sent_last_and_not_again(up: Up) -> None:
    stream = bars(up, 1_000_030)
    stream.take(row(1_000_020, 103.0), 1_000_050 * 10**9)
    now_ns = 1_000_080 * 10**9 + ASK_NS
    stream.fill([], now_ns)
    stream.take(row(1_000_020, 999.0), now_ns)
    stream.fill([row(1_000_020, 999.0)], now_ns)
    assert [bar.close for bar in up.bars] == [103.0]


def test_bars_too_short_to_be_asked_for_are_told_once_a_later_one_begins_or_by_the_clock(up: Up) -> None:
    stream = bars(up, 1_000_000, "5s")
    stream.take(row(1_000_000, 101.0), 1_000_003 * 10**9)
    assert not stream.is_due(1_000_050 * 10**9)
    stream.take(row(1_000_005, 102.0), 1_000_006 * 10**9)
    assert [bar.close for bar in up.bars] == [101.0]
    stream.beat(1_000_010 * 10**9 + SETTLED_NS - 1)
    assert len(up.bars) == 1
    stream.beat(1_000_010 * 10**9 + SETTLED_NS)
    assert [bar.close for bar in up.bars] == [101.0, 102.0]


def test_bars_of_a_lost_link_come_with_the_next_answer_in_order_and_marked(up: Up) -> None:
    stream = bars(up, 1_000_030)
    stream.take(row(1_000_020), 1_000_050 * 10**9)
    stream.lost()
    now_ns = 1_000_211 * 10**9
    assert stream.span_s(now_ns) == 5 * 60
    stream.fill([row(999_960), *[row(1_000_020 + 60 * n, 100.0 + n) for n in range(4)]], now_ns)
    assert [(bar.open_time_ns // 10**9, bar.backfilled) for bar in up.bars] == [
        (1_000_020, True), (1_000_080, True), (1_000_140, True),
    ]  # fmt: skip
    assert now_ns - up.bars[-1].close_time_ns > LATE_NS


def test_a_minute_without_a_trade_is_no_bar(up: Up) -> None:
    stream = bars(up, 1_000_030)
    blank = SimpleNamespace(date="1000020", open=0.0, high=0.0, low=0.0, close=0.0, volume=0, average=0.0, barCount=0)
    stream.fill([blank, row(1_000_080)], 1_000_140 * 10**9 + ASK_NS)
    assert [bar.open_time_ns // 10**9 for bar in up.bars] == [1_000_080]


def test_a_bar_is_told_in_every_word_that_its_length_was_asked_in(up: Up) -> None:
    stream = bars(up, 1_000_030)
    stream.texts.append("60s")
    stream.fill([row(1_000_020), row(1_000_080)], 1_000_081 * 10**9)
    assert [bar.interval for bar in up.bars] == ["1m", "60s"]


def test_each_length_has_ibs_name_and_one_that_it_lacks_is_refused_with_those_it_has() -> None:
    assert [bar_size(text).name for text in ("5s", "1m", "60m", "1d", "7d", "1w")[:4]] == [
        "5 secs",
        "1 min",
        "1 hour",
        "1 day",
    ]
    with pytest.raises(ConfigError, match="IB has no bars of 7m; it has 1s, 5s"):
        bar_size("7m")


@pytest.mark.parametrize(
    ("text", "seconds", "duration"),
    [
        ("1m", 120, "120 S"), ("1m", 10**6, "1 D"), ("5m", 200_000, "3 D"), ("5m", 10**7, "1 W"), ("1d", 86_400 * 10, "10 D"),
        ("1d", 10**9, "1 Y"), ("5s", 10, "30 S"),
    ],
)  # fmt: skip
def test_a_duration_is_the_shortest_that_covers_and_none_is_longer_than_one_question_may_have(
    text: str, seconds: int, duration: str
) -> None:
    assert duration_of(seconds, bar_size(text)) == duration


def new_york(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


def test_a_bar_is_cut_at_the_close_and_a_daily_one_goes_from_open_to_close() -> None:
    calendar = calendar_named("XNYS")
    opens, closes = new_york("2026-11-27 09:30:00"), new_york("2026-11-27 13:00:00")  # the day after Thanksgiving
    assert bounds_of(new_york("2026-11-27 12:30:00"), bar_size("1h"), calendar) == (
        new_york("2026-11-27 12:30:00"),
        closes,
    )
    day = stamp_ns("20261127", calendar)
    assert day == new_york("2026-11-27 00:00:00")
    assert bounds_of(day, bar_size("1d"), calendar) == (opens, closes)
    assert stamp_ns("1641535089", calendar) == 1_641_535_089 * 10**9
    with pytest.raises(BadMessage, match="neither seconds nor a day"):
        stamp_ns("20261127 09:30:00", calendar)
