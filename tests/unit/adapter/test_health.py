"""Figures of streams and of the link: learnt staleness, sessions, latencies, counts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.health import AdapterHealth, StalenessRule, StreamHealth, quantile
from foxtrot.adapter.reconnect import CircuitBreaker
from foxtrot.domain.calendar import CalendarRules, TradingCalendar

SECOND_NS = 1_000_000_000
RULE = StalenessRule(quantile=0.9, factor=4.0, floor_s=2.0, ceiling_s=60.0)


def _up(rule: StalenessRule = RULE, calendar: TradingCalendar | None = None) -> StreamHealth:
    stream = StreamHealth("trades", rule, calendar)
    stream.up(0)
    return stream


def test_a_stream_that_is_not_known_yet_has_the_longest_patience() -> None:
    assert _up().stale_after_s == 60.0


def test_staleness_is_learnt_from_the_streams_own_intervals() -> None:
    stream = _up()
    for number in range(40):
        stream.heard(number * 2 * SECOND_NS)
    assert stream.stale_after_s == 8.0
    for _ in range(8):
        stream.beat(0, 1.0)
    assert not stream.stale
    stream.beat(0, 1.0)
    assert stream.stale
    stream.heard(90 * SECOND_NS)
    assert not stream.stale


@given(intervals=st.lists(st.floats(0.0, 1_000.0), min_size=30, max_size=60))
def test_patience_stays_between_floor_and_ceiling(intervals: list[float]) -> None:
    stream, now_s = _up(), 0.0
    for interval in intervals:
        now_s += interval
        stream.heard(int(now_s * SECOND_NS))
    assert 2.0 <= stream.stale_after_s <= 60.0


def test_one_beat_proves_little_however_long_it_was_ago() -> None:
    stream = _up(StalenessRule(ceiling_s=60.0))
    stream.beat(0, 3_600.0)
    assert stream.silent_s == 2.0
    assert not stream.stale


def test_silence_outside_the_session_does_not_count() -> None:
    hours = (((9 * 3_600, 10 * 3_600),),) * 7
    calendar = TradingCalendar(CalendarRules(name="short", timezone="UTC", weekly=hours, first_day=date(2020, 1, 1)))
    nine = 1_700_006_400 // 86_400 * 86_400 + 9 * 3_600
    stream = _up(calendar=calendar)
    stream.beat((nine - 10) * SECOND_NS, 1.0)
    assert stream.silent_s == 0.0
    stream.beat((nine + 10) * SECOND_NS, 1.0)
    assert stream.silent_s == 1.0


def _nine_to_ten() -> tuple[TradingCalendar, int]:
    hours = (((9 * 3_600, 10 * 3_600),),) * 7
    rules = CalendarRules(
        name="short", timezone="UTC", weekly=hours, first_day=date(2020, 1, 1), last_day=date(2030, 1, 1)
    )
    return TradingCalendar(rules), (1_700_006_400 // 86_400 * 86_400 + 9 * 3_600) * SECOND_NS


def test_what_was_stale_at_the_close_is_not_while_the_market_is_closed_and_a_session_begins_with_all_patience() -> None:
    calendar, nine = _nine_to_ten()
    health = AdapterHealth("ours")
    stream = health.stream("book", lambda name: StreamHealth(name, RULE, calendar))
    stream.up(0)
    for _ in range(31):
        found = health.beat(nine + SECOND_NS, 2.0)
    assert found == [stream]
    assert health.beat(nine + 3_600 * SECOND_NS, 2.0) == []
    assert not stream.figures(0).stale
    assert health.beat(nine + 86_400 * SECOND_NS, 2.0) == []
    assert stream.silent_s == 2.0
    for _ in range(30):
        found = health.beat(nine + 86_401 * SECOND_NS, 2.0)
    assert found == [stream]


def test_the_time_over_a_break_teaches_nothing() -> None:
    calendar, nine = _nine_to_ten()
    stream = _up(StalenessRule(quantile=1.0, factor=1.0, floor_s=1.0, ceiling_s=600.0), calendar)
    for second in range(30):
        stream.heard(second * SECOND_NS)
        stream.beat(nine + second * SECOND_NS, 1.0)
    stream.beat(nine + 3_600 * SECOND_NS, 1.0)
    stream.beat(nine + 86_400 * SECOND_NS, 1.0)
    stream.heard(500 * SECOND_NS)
    assert stream.stale_after_s == 1.0
    stream.heard(502 * SECOND_NS)
    assert stream.stale_after_s == 2.0


def test_a_year_that_the_calendar_does_not_know_counts_as_open() -> None:
    calendar, nine = _nine_to_ten()
    stream = _up(calendar=calendar)
    stream.beat(nine + 10 * 366 * 86_400 * SECOND_NS, 1.0)
    assert stream.silent_s == 1.0


def test_a_stream_that_is_down_is_not_silent() -> None:
    stream = _up()
    stream.down()
    stream.beat(0, 1.0)
    assert stream.silent_s == 0.0


def test_the_figures_are_those_of_what_was_noted() -> None:
    health = AdapterHealth("ours")
    health.up(0)
    stream = health.stream("trades")
    stream.up(0)
    for number in range(100):
        stream.heard(number * SECOND_NS // 10, venue_ms=float(number), engine_ms=0.5)
    stream.fell_back()
    health.down("cable pulled")
    health.up(20 * SECOND_NS)
    stream.up(20 * SECOND_NS)
    figures = health.snapshot(25 * SECOND_NS)
    (told,) = figures.streams
    assert (figures.up, figures.uptime_s, figures.reconnects, figures.last_cause) == (True, 5.0, 1, "cable pulled")
    assert (told.messages, told.reconnects, told.uptime_s, told.rest_fallbacks) == (100, 1, 5.0, 1)
    assert (told.venue_latency.p50_ms, told.venue_latency.p99_ms) == (50.0, 99.0)
    assert (told.engine_latency.p50_ms, told.engine_latency.p99_ms) == (0.5, 0.5)


def test_the_rate_is_of_the_last_ten_seconds() -> None:
    stream = _up()
    for number in range(300):
        stream.heard(number * SECOND_NS // 10)
    assert stream.figures(29_900_000_000).messages_per_s == 10.0
    assert stream.figures(60 * SECOND_NS).messages_per_s == 0.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0.0, 1.0))
def test_a_quantile_is_one_of_the_values(values: list[float], share: float) -> None:
    assert quantile(values, share) in values
    assert sum(value < quantile(values, share) for value in values) <= share * len(values)


def test_messages_that_came_together_all_count_and_are_one_interval() -> None:
    stream = _up()
    for second in range(40):
        stream.heard(second * SECOND_NS, messages=7)
    assert stream.figures(39 * SECOND_NS).messages == 280
    assert stream.figures(39 * SECOND_NS).messages_per_s == 7.0
    assert stream.stale_after_s == 4.0, "four times the interval of a second"


def test_breakers_are_shown_and_fallbacks_are_added_up() -> None:
    now = [0]
    health, breaker = AdapterHealth("ours"), CircuitBreaker(lambda: now[0], failures=2, rest_s=10.0)
    health.breakers["user"] = breaker
    for name in ("user", "ticks BTCUSDT", "ticks BTCUSDT"):
        health.stream(name).fell_back()
    assert health.snapshot(0).rest_fallbacks == 3
    assert health.snapshot(0).breakers == {"user": "closed"}
    breaker.failed()
    breaker.failed()
    assert health.snapshot(0).breakers == {"user": "open"}
    now[0] = 10 * SECOND_NS
    assert health.snapshot(now[0]).breakers == {"user": "half_open"}
    assert breaker.allows(), "to look at it is no attempt"
