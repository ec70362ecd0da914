"""Bars as arrays: merged, aggregated, made live; where they are drawn; what is computed of them."""

from datetime import date

import numpy as np
import pytest

from foxtrot.domain.calendar import CalendarRules, TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.enums import Side
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.gui.chart.axis import round_step, short_text, time_places
from foxtrot.gui.chart.bar_series import Bars, BarSeries, aggregated, bars_of, merged
from foxtrot.gui.chart.candle_shapes import Scale, candles, columns, dashed, polyline, reduced, visible
from foxtrot.gui.chart.indicators import ALL, chosen, computed, day_vwap
from foxtrot.gui.chart.live_bar import LiveBar
from foxtrot.gui.chart.pane import with_lines, with_room
from foxtrot.gui.chart.view_range import ViewRange
from tests.support.builders import SECOND, T0

MINUTE = 60 * SECOND
ALWAYS = calendar_named("24x7")


def a_bar(place: int, close: float = 100.0, volume: float = 1.0, interval: str = "1m") -> BarData:
    length = Interval.parse(interval).duration_ns
    opened = T0 + place * length
    return BarData("BTCUSDT.PERP", interval, opened, opened + length, close - 1, close + 2, close - 2, close, volume)


def a_print(seconds: float, price: float, size: float = 1.0) -> MarketTrade:
    at = T0 + int(seconds * SECOND)
    return MarketTrade("BTCUSDT.PERP", at, at, str(seconds), price, size, Side.BUY)


def some_bars(count: int) -> Bars:
    rng = np.random.default_rng(7)
    close = 100 + np.cumsum(rng.normal(0, 0.5, count))
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) + 0.3, np.minimum(opened, close) - 0.3
    return Bars(T0 + np.arange(count) * MINUTE, opened, high, low, close, rng.random(count) * 10)


def test_bars_are_put_in_order_once_each() -> None:
    bars = bars_of([a_bar(1), a_bar(0), a_bar(1, 105.0)])
    assert bars.times.tolist() == [T0, T0 + MINUTE]
    assert bars.close.tolist() == [100.0, 105.0]
    assert len(bars_of(()).times) == 0


def test_a_series_takes_older_bars_and_says_how_many() -> None:
    series = BarSeries()
    assert series.merge(bars_of([a_bar(5), a_bar(6)])) == 0
    assert series.merge(bars_of([a_bar(3), a_bar(4), a_bar(5, 107.0)])) == 2
    assert series.bars.close.tolist() == [100.0, 100.0, 107.0, 100.0]
    before = series.rebuilt
    series.put(T0 + 7 * MINUTE, (1.0, 2.0, 0.5, 1.5, 3.0))
    assert (len(series), series.figures(4), series.rebuilt) == (5, (1.0, 2.0, 0.5, 1.5, 3.0), before)
    series.put(T0 + 2 * MINUTE, (9.0, 9.0, 9.0, 9.0, 9.0))  # late, and not here yet
    assert series.bars.open.tolist()[0] == 9.0


def test_a_series_grows_past_its_first_room() -> None:
    series = BarSeries()
    for place in range(3_000):
        series.put(T0 + place * MINUTE, (1.0, 2.0, 0.5, float(place), 3.0))
    assert series.bars.close.tolist() == [float(place) for place in range(3_000)]


def test_minutes_become_longer_bars() -> None:
    whole = aggregated(bars_of([a_bar(place, 100.0 + place) for place in range(7)]), Interval.parse("5m"), ALWAYS)
    assert whole.times.tolist() == [T0, T0 + 5 * MINUTE]
    assert (whole.open[0], whole.high[0], whole.low[0], whole.close[0], whole.volume[0]) == (
        99.0,
        106.0,
        98.0,
        104.0,
        5.0,
    )
    assert len(aggregated(bars_of(()), Interval.parse("5m"), ALWAYS).times) == 0


def test_hours_of_a_market_begin_with_its_session() -> None:
    hours = ((34_200, 57_600),)  # 09:30 to 16:00
    calendar = TradingCalendar(CalendarRules(name="x", timezone="UTC", weekly=(hours,) * 7))
    day = np.datetime64(date(2023, 11, 14), "ns").astype(np.int64)
    opened = int(day) + 34_200 * SECOND
    bars = Bars(np.array([opened, opened + 59 * MINUTE, opened + 60 * MINUTE]), *(np.ones(3) for _ in range(5)))
    assert aggregated(bars, Interval.parse("1h"), calendar).times.tolist() == [opened, opened + 60 * MINUTE]


def test_newer_bars_win() -> None:
    both = merged(bars_of([a_bar(0, 1.0), a_bar(1, 2.0)]), bars_of([a_bar(1, 3.0)]))
    assert both.close.tolist() == [1.0, 3.0]


# --- the live bar ---------------------------------------------------------------------------------------------------


def a_live_bar(interval: str = "1m") -> tuple[BarSeries, LiveBar]:
    series = BarSeries()
    return series, LiveBar(series, Interval.parse(interval), ALWAYS)


def test_prints_make_a_bar_and_the_venues_bar_sets_it_right() -> None:
    series, live = a_live_bar()
    for seconds, price in ((1, 100.0), (2, 103.0), (3, 99.0), (61, 101.0)):
        live.hear_trade(a_print(seconds, price, 2.0))
    assert series.figures(0) == (100.0, 103.0, 99.0, 99.0, 6.0)
    assert series.figures(1) == (101.0, 101.0, 101.0, 101.0, 2.0)
    live.hear_bar(a_bar(0, 100.0, 9.0))
    assert series.figures(0) == (99.0, 102.0, 98.0, 100.0, 9.0)
    live.hear_trade(a_print(30, 500.0))  # came late: its bar is closed
    assert series.figures(0)[1] == 102.0
    live.hear_bar(a_bar(3, interval="5m"))  # somebody else's
    assert len(series) == 2


def test_quotes_make_a_bar_only_where_no_prints_come() -> None:
    series, live = a_live_bar()
    quote = TickData("BTCUSDT.PERP", T0 + SECOND, T0 + SECOND, last_price=100.0)
    live.hear_tick(quote)
    assert series.figures(0) == (100.0, 100.0, 100.0, 100.0, 0.0)
    live.hear_trade(a_print(2, 101.0))
    live.hear_tick(TickData("BTCUSDT.PERP", T0 + 3 * SECOND, T0 + 3 * SECOND, last_price=400.0))
    assert series.figures(0) == (100.0, 101.0, 100.0, 101.0, 1.0)


def test_an_open_bar_is_begun_by_shorter_ones_and_nothing_counts_twice() -> None:
    series, live = a_live_bar("5m")
    live.hear_trade(a_print(90, 100.0, 1.0))  # in the second minute, which the answer has too
    live.hear_trade(a_print(121, 104.0, 1.0))  # in the third, which it has not
    live.take_beginning(bars_of([a_bar(0, 100.0, 5.0), a_bar(1, 101.0, 5.0)]), MINUTE)
    assert series.figures(0) == (99.0, 104.0, 98.0, 104.0, 11.0)
    assert not live.wants_beginning


# --- shapes ---------------------------------------------------------------------------------------------------------


def test_what_rose_is_hollow_and_keeps_its_wick_outside() -> None:
    one = Bars(
        np.array([T0, T0 + MINUTE]),
        *(np.array(c) for c in ([10.0, 12.0], [14.0, 13.0], [9.0, 8.0], [12.0, 9.0], [1.0, 1.0])),
    )
    shapes = candles(one, 0, 2, Scale(10.0, 0.0, -1.0, 100.0))
    assert shapes.up_bodies.tolist() == [[-3.0, 88.0, 6.0, 2.0]]
    assert sorted(shapes.up_wicks.tolist()) == [[0.0, 86.0, 0.0, 88.0], [0.0, 90.0, 0.0, 91.0]]
    assert shapes.down_bodies.tolist() == [[7.0, 88.0, 6.0, 3.0]]


def test_no_more_shapes_than_pixels_are_made() -> None:
    bars = some_bars(100_000)
    shapes = candles(bars, 0, 100_000, Scale(0.01, 0.0, -1.0, 0.0))
    assert len(shapes.up_wicks) + len(shapes.down_wicks) == 1_000
    whole, places = reduced(bars, 0, 100_000, 0.01)
    assert (whole.high.max(), whole.low.min()) == (bars.high.max(), bars.low.min())
    assert (len(places), places[0]) == (1_000, 49.5)
    rose, fell = columns(bars, 0, 100_000, Scale(0.01, 0.0, -1.0, 0.0))
    assert len(rose) + len(fell) == 1_000
    assert len(polyline(bars.close, 0, 100_000, Scale(0.01, 0.0, -1.0, 0.0))) == 1_999
    assert len(candles(bars, 5, 5, Scale(5.0, 0.0, -1.0, 0.0)).up_bodies) == 0


def test_a_line_has_gaps_where_there_is_no_value() -> None:
    values = np.array([np.nan, 1.0, 2.0, np.nan, 3.0, 4.0])
    assert len(polyline(values, 0, 6, Scale(10.0, 0.0, 1.0, 0.0))) == 2
    assert visible(100, -20.0, 5.2) == (0, 8)
    assert visible(100, 300.0, 400.0) == (100, 100)


def test_a_long_line_is_dashed_by_leaving_pieces_out() -> None:
    rows = np.column_stack((np.arange(100.0), np.zeros(100), np.arange(1.0, 101.0), np.zeros(100)))
    assert dashed(rows, dotted=False)[:, 0].tolist()[:8] == [0, 1, 2, 3, 4, 5, 10, 11]
    assert len(dashed(rows, dotted=True)) == 50


# --- indicators -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ALL)
@pytest.mark.parametrize("count", [0, 1, 3, 300])
def test_every_indicator_is_as_long_as_its_bars(key: str, count: int) -> None:
    one = chosen(key)
    assert one is not None
    lines = computed(some_bars(count), (one,))[one]
    assert [len(line) for line in lines] == [count] * len(one.indicator.lines)
    assert count < 300 or all(np.isfinite(line[-1]) for line in lines)


def test_at_least_ten_indicators_and_only_sensible_periods() -> None:
    assert len(ALL) >= 10
    assert chosen("nonsense") is None
    assert chosen("sma", 1) == chosen("sma")
    assert chosen("sma", "7") == chosen("sma")
    found = chosen("sma", 7)
    assert found is not None
    assert found.period == 7
    assert chosen("macd", 7) == chosen("macd")


def test_the_average_of_the_day_begins_anew_each_day() -> None:
    times = np.array([T0 - MINUTE, T0, T0 + MINUTE])
    flat = np.array([10.0, 20.0, 40.0])
    (line,) = day_vwap(Bars(times, flat, flat, flat, flat, np.array([1.0, 1.0, 3.0])))
    assert line.tolist() == [10.0, 20.0, 35.0]


# --- axes and view --------------------------------------------------------------------------------------------------


def test_steps_are_round_and_whole_ticks() -> None:
    assert [round_step(least) for least in (0.13, 0.6, 3.0, 11.0)] == pytest.approx([0.2, 1.0, 5.0, 20.0])
    assert round_step(0.001, 0.25) == 0.25
    assert round_step(1.1, 0.25) == 2.0
    assert round_step(2.1, 0.25) == 2.5


def test_figures_are_short_and_never_a_power_of_ten() -> None:
    assert [short_text(one) for one in (0.0, 950.0, 1_500.0, -2_500_000.0, 3e9)] == ["0", "950", "1.5K", "−2.5M", "3B"]
    assert "e" not in short_text(0.0000123, 0.00001)
    assert short_text(float("nan")) == ""


def test_times_are_labelled_by_the_bars_that_are_there() -> None:
    hour = T0 + np.arange(120) * MINUTE
    assert list(time_places(hour, 3).values()) == ["00:30", "01:00", "01:30"]
    days = T0 + np.arange(10) * 1_440 * MINUTE
    assert time_places(days, 12)[1] == "11-16"
    gap = np.concatenate((T0 + np.arange(60) * MINUTE, T0 + (6_000 + np.arange(60)) * MINUTE))
    assert (
        time_places(gap, 3)[60] == "11-19"
    )  # the session after the gap is next to the one before, and its day is said
    years = T0 + np.arange(3_000) * 1_440 * MINUTE
    assert len(time_places(years, 9)) <= 9
    assert time_places(hour[:1], 5) == {0: "00:00"}


def test_the_view_follows_the_newest_bar_only_while_it_is_seen() -> None:
    view = ViewRange()
    view.show_newest(1_000, 100)
    right = view.right
    view.take_count(1_003)
    assert view.right == right + 3
    view.pan(-300)
    left = view.left
    view.take_count(1_010)
    assert view.left == left
    view.take_older(500)
    assert view.left == left + 500


def test_the_view_never_leaves_the_bars() -> None:
    view = ViewRange()
    view.show_newest(1_000, 100)
    view.pan(-5_000)
    assert view.right == pytest.approx(4)
    view.pan(9_000)
    assert view.left == pytest.approx(996)
    view.show_newest(1_000, 100)
    view.zoom(1_000, 500)
    assert view.width == pytest.approx(1_100)
    view.zoom(0.00001, 500)
    assert view.width == pytest.approx(8)
    assert view.follows


def test_lines_that_are_near_are_brought_into_view() -> None:
    assert with_lines((100.0, 110.0), [95.0, 119.0, 500.0]) == (95.0, 119.0)
    low, high = with_room(100.0, 100.0, least=4.0)
    assert high - low > 4.0
