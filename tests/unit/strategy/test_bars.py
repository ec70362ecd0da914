"""Bars close by the clock, follow the calendar and are corrected by what comes late."""

from datetime import time

import pytest

from foxtrot.domain.calendar import CalendarRules, DayStart, TradingCalendar
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.strategy.bars import BarBuilder, BarCorrection, BarOutput, BarSettings, PriceSource

S = 1_000_000_000
M = 60 * S
T0 = 1_700_006_400 * S  # midnight UTC


def trade(at: int, price: float, size: float = 1.0) -> MarketTrade:
    return MarketTrade("X", at, at, str(at), price, size, Side.BUY)


def tick(at: int, last: float, volume: float = 0.0, turnover: float = 0.0) -> TickData:
    return TickData("X", at, at, 0.0, 0.0, 0.0, 0.0, last, 0.0, volume, turnover)


def builder(interval: str = "1m", **settings: object) -> BarBuilder:
    return BarBuilder("X", BarSettings(interval=Interval.parse(interval), **settings))  # type: ignore[arg-type]


def ohlcv(bar: BarData) -> tuple[float, ...]:
    return (bar.open, bar.high, bar.low, bar.close, bar.volume)


def bar_of(outputs: tuple[BarOutput, ...]) -> BarData:
    (only,) = outputs
    assert isinstance(only, BarData)
    return only


def correction_of(outputs: tuple[BarOutput, ...]) -> BarCorrection:
    (only,) = outputs
    assert isinstance(only, BarCorrection)
    return only


def test_a_bar_closes_by_the_clock_without_another_tick() -> None:
    bars = builder()
    for second, price in [(1, 10.0), (20, 12.0), (40, 9.0), (59, 11.0)]:
        assert bars.on_trade(trade(T0 + second * S, price)) == ()
    assert bars.deadline_ns == T0 + M
    assert bars.on_time(T0 + M - 1) == ()
    bar = bar_of(bars.on_time(T0 + M))
    assert bar == BarData("X", "1m", T0, T0 + M, 10.0, 12.0, 9.0, 11.0, 4.0, 42.0, 4, T0 + M)
    assert bars.on_time(T0 + M + 1) == ()
    assert bars.deadline_ns is None


def test_a_trade_of_the_next_minute_closes_the_bar_too() -> None:
    bars = builder()
    bars.on_trade(trade(T0, 10.0))
    assert ohlcv(bar_of(bars.on_trade(trade(T0 + M, 11.0)))) == (10.0, 10.0, 10.0, 10.0, 1.0)
    current = bars.current
    assert current is not None
    assert current.open == 11.0


def test_a_bar_waits_for_what_is_under_way_when_asked_to() -> None:
    bars = builder(grace_ns=2 * S)
    bars.on_trade(trade(T0, 10.0))
    assert bars.on_time(T0 + M + S) == ()
    assert bars.on_trade(trade(T0 + 59 * S, 12.0)) == ()
    assert ohlcv(bar_of(bars.on_time(T0 + M + 2 * S))) == (10.0, 12.0, 10.0, 12.0, 2.0)


def test_a_late_trade_publishes_a_correction_and_leaves_the_open_bar_alone() -> None:
    bars = builder()
    bars.on_trade(trade(T0 + 5 * S, 10.0))
    closed = bar_of(bars.on_time(T0 + M))
    bars.on_trade(trade(T0 + M + S, 20.0))
    late = correction_of(bars.on_trade(trade(T0 + 59 * S, 8.0, 0.5)))
    assert late.previous == closed
    assert ohlcv(late.bar) == (10.0, 10.0, 8.0, 8.0, 1.5)
    earlier = correction_of(bars.on_trade(trade(T0 + S, 9.0, 0.5)))
    assert earlier.previous == late.bar
    assert ohlcv(earlier.bar) == (9.0, 10.0, 8.0, 8.0, 2.0)
    assert ohlcv(bar_of(bars.on_time(T0 + 2 * M))) == (20.0, 20.0, 20.0, 20.0, 1.0)


def test_a_late_trade_of_a_minute_without_a_bar_makes_one() -> None:
    bars = builder()
    bars.on_trade(trade(T0, 10.0))
    bars.on_trade(trade(T0 + 2 * M, 12.0))
    late = correction_of(bars.on_trade(trade(T0 + M, 11.0)))
    assert late.previous is None
    assert late.bar.open_time_ns == T0 + M
    again = correction_of(bars.on_trade(trade(T0 + M + S, 11.5)))
    assert again.previous == late.bar


def test_a_trade_after_the_clock_passed_an_empty_minute_is_late() -> None:
    bars = builder()
    bars.on_trade(trade(T0, 10.0))
    bars.on_time(T0 + 3 * M)
    assert correction_of(bars.on_trade(trade(T0 + 2 * M, 11.0))).previous is None


def test_what_is_older_than_the_kept_bars_is_counted() -> None:
    bars = builder(kept=2)
    for minute in range(6):
        bars.on_trade(trade(T0 + minute * M, 10.0))
    assert bars.on_trade(trade(T0 + M, 11.0)) == ()
    assert bars.counts.too_late == 1
    assert correction_of(bars.on_trade(trade(T0 + 4 * M, 11.0))).bar.high == 11.0


def test_empty_minutes_make_no_bar_by_default() -> None:
    bars = builder()
    bars.on_trade(trade(T0, 10.0))
    assert len(bars.on_trade(trade(T0 + 5 * M, 11.0))) == 1


def test_empty_minutes_are_filled_when_asked_by_clock_and_by_trade() -> None:
    bars = builder(fill_empty=True)
    bars.on_trade(trade(T0, 10.0, 3.0))
    outputs = bars.on_time(T0 + 3 * M + S)
    assert [ohlcv(bar) for bar in outputs if isinstance(bar, BarData)] == [
        (10.0, 10.0, 10.0, 10.0, 3.0),
        (10.0, 10.0, 10.0, 10.0, 0.0),
        (10.0, 10.0, 10.0, 10.0, 0.0),
    ]
    by_trade = bars.on_trade(trade(T0 + 5 * M, 11.0))
    assert [bar.open_time_ns for bar in by_trade if isinstance(bar, BarData)] == [T0 + 3 * M, T0 + 4 * M]


def test_a_late_trade_corrects_a_filled_bar_as_if_it_had_been_empty() -> None:
    bars = builder(fill_empty=True)
    bars.on_trade(trade(T0, 10.0))
    filler = bars.on_time(T0 + 2 * M)[1]
    late = correction_of(bars.on_trade(trade(T0 + M + S, 11.0)))
    assert late.previous == filler
    assert ohlcv(late.bar) == (11.0, 11.0, 11.0, 11.0, 1.0)


def test_sums_of_volume_are_exact() -> None:
    bars = builder()
    for second in range(10):
        bars.on_trade(trade(T0 + second * S, 0.1, 0.1))
    bar = bar_of(bars.on_time(T0 + M))
    assert bar.volume == 1.0
    assert bar.turnover == 0.1
    assert sum([0.1] * 10) != 1.0


def test_volume_of_ticks_is_the_increase_of_the_total() -> None:
    bars = builder()
    bars.on_tick(tick(T0, 10.0, 1000.1, 50.0))
    bars.on_tick(tick(T0 + S, 11.0, 1000.4, 53.3))
    bars.on_tick(tick(T0 + 2 * S, 11.0, 1000.4, 53.3))
    bar = bar_of(bars.on_time(T0 + M))
    assert (bar.volume, bar.turnover, bar.trade_count) == (0.3, 3.3, 2)


def test_a_total_that_falls_starts_a_new_session_unless_it_is_a_rolling_one() -> None:
    for rolling, volume in [(False, 7.0), (True, 0.0)]:
        bars = builder(rolling_volume=rolling)
        bars.on_tick(tick(T0, 10.0, 1000.0))
        bars.on_tick(tick(T0 + S, 11.0, 7.0))
        assert bar_of(bars.on_time(T0 + M)).volume == volume


@pytest.mark.parametrize(
    ("source", "price"),
    [(PriceSource.BID, 10.0), (PriceSource.ASK, 11.0), (PriceSource.MID, 10.5), (PriceSource.LAST, 10.25)],
)
def test_the_price_of_a_tick_is_the_one_asked_for(source: PriceSource, price: float) -> None:
    bars = builder(price=source)
    bars.on_tick(TickData("X", T0, T0, 10.0, 1.0, 11.0, 1.0, 10.25))
    bars.on_tick(TickData("X", T0 + S, T0 + S))
    assert bar_of(bars.on_time(T0 + M)).close == price


def test_output_also_goes_to_the_callback() -> None:
    heard: list[BarOutput] = []
    bars = BarBuilder("X", Interval.parse("1m"), heard.append)
    bars.on_trade(trade(T0, 10.0))
    bars.on_time(T0 + M)
    bars.on_trade(trade(T0, 11.0))
    assert [type(output) for output in heard] == [BarData, BarCorrection]


def minute_bar(start: int, close: float = 10.0, volume: float = 0.1) -> BarData:
    return BarData("X", "1m", start, start + M, 10.0, max(10.0, close), min(10.0, close), close, volume)


def test_a_larger_bar_closes_with_its_last_smaller_one() -> None:
    bars = builder("5m")
    for minute in range(4):
        assert bars.on_bar(minute_bar(T0 + minute * M)) == ()
    bar = bar_of(bars.on_bar(minute_bar(T0 + 4 * M, 12.0)))
    assert (bar.open_time_ns, bar.close_time_ns) == (T0, T0 + 5 * M)
    assert ohlcv(bar) == (10.0, 12.0, 10.0, 12.0, 0.5)


def test_a_repeated_bar_changes_nothing_and_a_different_one_replaces() -> None:
    bars = builder("5m")
    bars.on_bar(minute_bar(T0, 30.0))
    bars.on_bar(minute_bar(T0, 30.0))
    bars.on_bar(minute_bar(T0, 11.0, 0.2))
    for minute in range(1, 5):
        outputs = bars.on_bar(minute_bar(T0 + minute * M))
    assert ohlcv(bar_of(outputs)) == (10.0, 11.0, 10.0, 10.0, 0.6)
    assert bars.on_bar(minute_bar(T0, 11.0, 0.2)) == ()


def test_the_correction_of_a_smaller_bar_corrects_the_larger_one() -> None:
    small, large = builder("1m"), builder("5m")
    for minute in range(5):
        small.on_trade(trade(T0 + minute * M, 10.0))
        large.on_bar(bar_of(small.on_time(T0 + (minute + 1) * M)))
    fix = correction_of(small.on_trade(trade(T0 + 4 * M + S, 15.0)))
    larger = correction_of(large.on_correction(fix))
    assert larger.previous is not None
    assert ohlcv(larger.previous) == (10.0, 10.0, 10.0, 10.0, 5.0)
    assert ohlcv(larger.bar) == (10.0, 15.0, 10.0, 15.0, 6.0)


def test_bars_that_do_not_fit_are_refused() -> None:
    bars = builder("5m")
    with pytest.raises(ConfigError, match="7m bars do not fit into 5m"):
        bars.on_bar(BarData("X", "7m", T0, T0 + 7 * M, 1.0, 1.0, 1.0, 1.0, 1.0))
    with pytest.raises(ConfigError, match="counted in ticks"):
        builder("10t").on_bar(minute_bar(T0))


def test_tick_bars_close_after_so_many_trades() -> None:
    bars = builder("3t")
    bars.on_trade(trade(T0, 10.0))
    bars.on_trade(trade(T0 + S, 12.0))
    bar = bar_of(bars.on_trade(trade(T0 + 3 * S, 11.0)))
    assert (bar.open_time_ns, bar.close_time_ns) == (T0, T0 + 3 * S)
    assert ohlcv(bar) == (10.0, 12.0, 10.0, 11.0, 3.0)
    assert bars.on_time(T0 + 100 * M) == ()
    assert bars.current is None


def test_volume_and_value_bars_close_with_the_trade_that_reaches_them() -> None:
    volume, value = builder("0.3v"), builder("100$")
    assert volume.on_trade(trade(T0, 10.0, 0.1)) == ()
    assert volume.on_trade(trade(T0, 10.0, 0.1)) == ()
    assert bar_of(volume.on_trade(trade(T0, 10.0, 0.1))).volume == 0.3
    assert value.on_trade(trade(T0, 10.0, 9.0)) == ()
    assert bar_of(value.on_trade(trade(T0, 12.0, 5.0))).turnover == 150.0
    assert bar_of(builder("0.1v").on_bar(minute_bar(T0))).interval == "0.1v"


HONG_KONG = TradingCalendar(
    CalendarRules(
        name="test",
        timezone="Asia/Hong_Kong",
        weekly=(((9 * 3600 + 1800, 12 * 3600), (13 * 3600, 16 * 3600)),) * 5 + ((), ()),
    )
)


def test_a_bar_does_not_span_the_lunch_break_and_trades_in_it_are_counted() -> None:
    monday = 1_700_438_400 * S  # 2023-11-20 00:00 UTC
    bars = builder("1h", calendar=HONG_KONG)
    bars.on_trade(trade(monday + 3 * 60 * M + 45 * M, 10.0))
    current = bars.current
    assert current is not None
    assert current.close_time_ns - current.open_time_ns == 30 * M
    assert current.close_time_ns == monday + 4 * 60 * M
    assert bar_of(bars.on_time(monday + 4 * 60 * M)).close == 10.0
    assert bars.on_trade(trade(monday + 4 * 60 * M + M, 10.0)) == ()
    assert bars.counts.outside == 1


def test_filling_skips_closed_hours() -> None:
    monday = 1_700_438_400 * S
    bars = builder("1h", calendar=HONG_KONG, fill_empty=True)
    bars.on_trade(trade(monday + 90 * M, 10.0))
    outputs = bars.on_time(monday + 8 * 60 * M)
    starts = [(bar.open_time_ns - monday) // M for bar in outputs if isinstance(bar, BarData)]
    assert starts == [90, 150, 210, 300, 360, 420]


def test_days_begin_where_they_are_told_to() -> None:
    bars = builder("1d", day_start=DayStart(time(17, 0), "America/New_York"))
    bars.on_trade(trade(T0, 10.0))
    bar = bar_of(bars.on_time(T0 + 22 * 60 * M))
    assert bar.close_time_ns == T0 + 22 * 60 * M
    assert bar.open_time_ns == T0 - 2 * 60 * M
