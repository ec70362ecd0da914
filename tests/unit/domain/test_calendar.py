"""Calendars know sessions, breaks, holidays, clock changes and where bars begin and end."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from foxtrot.domain.calendar import CalendarRules, DayStart, TradingCalendar
from foxtrot.domain.calendar_presets import CALENDAR_NAMES, calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval

NEW_YORK, HONG_KONG, LONDON = "America/New_York", "Asia/Hong_Kong", "Europe/London"
CHICAGO, SHANGHAI = "America/Chicago", "Asia/Shanghai"


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000_000


def said(ns: int | None, zone: str = "UTC") -> str:
    assert ns is not None
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def bar(name: str, moment: str, interval: str, zone: str, day_start: DayStart | None = None) -> tuple[str, str] | None:
    bounds = calendar_named(name).bar_bounds(at(moment, zone), Interval.parse(interval), day_start)
    return None if bounds is None else (said(bounds[0], zone), said(bounds[1], zone))


@pytest.mark.parametrize("name", CALENDAR_NAMES)
def test_every_named_calendar_can_be_had_and_is_one_object(name: str) -> None:
    assert calendar_named(name).name == name
    assert calendar_named(name) is calendar_named(name)


def test_an_unknown_calendar_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean XNYS"):
        calendar_named("nys")


@pytest.mark.parametrize(
    ("name", "zone", "moment", "is_open"),
    [
        ("24x7", "UTC", "2024-12-25 03:00", True),
        ("XNYS", NEW_YORK, "2024-07-03 09:29", False),
        ("XNYS", NEW_YORK, "2024-07-03 09:30", True),
        ("XNYS", NEW_YORK, "2024-07-03 12:59", True),
        ("XNYS", NEW_YORK, "2024-07-03 13:00", False),
        ("XNYS", NEW_YORK, "2024-07-04 11:00", False),
        ("XNYS", NEW_YORK, "2024-07-05 15:59", True),
        ("XNYS", NEW_YORK, "2024-07-06 11:00", False),
        ("XHKG", HONG_KONG, "2024-10-02 11:59", True),
        ("XHKG", HONG_KONG, "2024-10-02 12:00", False),
        ("XHKG", HONG_KONG, "2024-10-02 13:00", True),
        ("XHKG", HONG_KONG, "2024-10-01 11:00", False),
        ("XHKG", HONG_KONG, "2024-12-24 13:30", False),
        ("FX", NEW_YORK, "2024-07-07 16:59", False),
        ("FX", NEW_YORK, "2024-07-07 17:00", True),
        ("FX", NEW_YORK, "2024-07-08 17:00", True),
        ("FX", NEW_YORK, "2024-07-12 16:59", True),
        ("FX", NEW_YORK, "2024-07-12 17:00", False),
        ("CMES", CHICAGO, "2026-11-22 16:59", False),
        ("CMES", CHICAGO, "2026-11-22 17:00", True),  # Sunday evening
        ("CMES", CHICAGO, "2026-11-23 15:59", True),
        ("CMES", CHICAGO, "2026-11-23 16:00", False),  # the daily break
        ("CMES", CHICAGO, "2026-11-23 16:59", False),
        ("CMES", CHICAGO, "2026-11-23 17:00", True),
        ("CMES", CHICAGO, "2026-11-26 11:59", True),  # Thanksgiving halts at noon
        ("CMES", CHICAGO, "2026-11-26 12:00", False),
        ("CMES", CHICAGO, "2026-11-26 17:00", True),
        ("CMES", CHICAGO, "2026-11-27 12:14", True),
        ("CMES", CHICAGO, "2026-11-27 12:15", False),
        ("CMES", CHICAGO, "2026-12-24 17:00", False),  # the evening before Christmas
        ("CMES", CHICAGO, "2026-12-25 17:00", False),  # Christmas is a Friday
        ("CMES", CHICAGO, "2025-12-25 17:00", True),
        ("CMES", CHICAGO, "2026-06-19 12:00", False),
        ("CMES", CHICAGO, "2024-03-29 10:00", False),  # Good Friday
        ("CMES", CHICAGO, "2026-04-03 08:14", True),  # Good Friday with a payroll report
        ("CMES", CHICAGO, "2026-04-03 08:15", False),
        ("XSHG", SHANGHAI, "2026-11-27 09:29", False),
        ("XSHG", SHANGHAI, "2026-11-27 11:29", True),
        ("XSHG", SHANGHAI, "2026-11-27 11:30", False),
        ("XSHG", SHANGHAI, "2026-11-27 13:00", True),
        ("XSHG", SHANGHAI, "2026-11-27 15:00", False),
        ("XSHG", SHANGHAI, "2026-02-23 10:00", False),  # the last day of the Spring Festival
        ("XSHG", SHANGHAI, "2026-02-24 10:00", True),
        ("XSHG", SHANGHAI, "2026-10-07 10:00", False),
        ("XSHG", SHANGHAI, "2027-02-05 10:00", False),  # predicted: the eve of the new year
    ],
)
def test_markets_are_open_when_they_are(name: str, zone: str, moment: str, is_open: bool) -> None:
    assert calendar_named(name).is_open(at(moment, zone)) is is_open


def test_a_session_names_the_trading_day_it_counts_for() -> None:
    session = calendar_named("FX").session_of(at("2024-07-07 20:00", NEW_YORK))
    assert session is not None
    assert session.day == date(2024, 7, 8)
    evening = calendar_named("CMES").session_of(at("2026-11-29 18:00", CHICAGO))
    assert evening is not None
    assert evening.day == date(2026, 11, 30)
    assert evening.close_ns - evening.open_ns == 23 * 3_600 * 10**9
    morning, afternoon = calendar_named("XHKG").sessions_on(date(2024, 10, 2))
    assert said(morning.close_ns, HONG_KONG) == "2024-10-02 12:00"
    assert said(afternoon.open_ns, HONG_KONG) == "2024-10-02 13:00"
    assert calendar_named("XHKG").sessions_on(date(2024, 10, 1)) == ()


@pytest.mark.parametrize(
    ("name", "zone", "moment", "opens", "closes"),
    [
        ("XNYS", NEW_YORK, "2024-07-03 10:00", "2024-07-05 09:30", "2024-07-03 13:00"),
        ("XNYS", NEW_YORK, "2024-07-05 16:00", "2024-07-08 09:30", "2024-07-08 16:00"),
        ("XNYS", NEW_YORK, "2024-07-05 09:29", "2024-07-05 09:30", "2024-07-05 16:00"),
        ("XHKG", HONG_KONG, "2024-10-02 10:00", "2024-10-02 13:00", "2024-10-02 12:00"),
        ("XHKG", HONG_KONG, "2024-10-02 12:30", "2024-10-02 13:00", "2024-10-02 16:00"),
        ("FX", NEW_YORK, "2024-07-08 10:00", "2024-07-14 17:00", "2024-07-12 17:00"),
        ("FX", NEW_YORK, "2024-07-07 17:00", "2024-07-14 17:00", "2024-07-12 17:00"),
        ("FX", NEW_YORK, "2024-07-13 10:00", "2024-07-14 17:00", "2024-07-19 17:00"),
        ("FX", NEW_YORK, "2024-03-08 16:00", "2024-03-10 17:00", "2024-03-08 17:00"),
        ("CMES", CHICAGO, "2026-11-27 12:30", "2026-11-29 17:00", "2026-11-30 16:00"),
        ("CMES", CHICAGO, "2026-11-30 16:30", "2026-11-30 17:00", "2026-12-01 16:00"),
        ("CMES", CHICAGO, "2026-03-06 15:00", "2026-03-08 17:00", "2026-03-06 16:00"),
        ("XSHG", SHANGHAI, "2026-11-27 12:00", "2026-11-27 13:00", "2026-11-27 15:00"),
    ],
)
def test_the_next_open_and_close_are_found(name: str, zone: str, moment: str, opens: str, closes: str) -> None:
    calendar = calendar_named(name)
    assert said(calendar.next_open_ns(at(moment, zone)), zone) == opens
    assert said(calendar.next_close_ns(at(moment, zone)), zone) == closes


def test_a_market_that_never_closes_has_no_next_open_or_close() -> None:
    assert calendar_named("24x7").next_open_ns(at("2024-07-07 17:00")) is None
    assert calendar_named("24x7").next_close_ns(at("2024-07-07 17:00")) is None


def test_clock_changes_move_the_session_in_utc() -> None:
    sessions = [calendar_named("XNYS").sessions_on(day)[0] for day in (date(2024, 3, 8), date(2024, 3, 11))]
    assert [said(session.open_ns)[-5:] for session in sessions] == ["14:30", "13:30"]


@pytest.mark.parametrize(
    ("name", "zone", "moment", "interval", "expected"),
    [
        ("24x7", "UTC", "2024-07-03 10:07", "5m", ("2024-07-03 10:05", "2024-07-03 10:10")),
        ("24x7", "UTC", "2024-07-03 23:59", "7m", ("2024-07-03 23:55", "2024-07-04 00:00")),
        ("24x7", "UTC", "2024-07-03 10:07", "1d", ("2024-07-03 00:00", "2024-07-04 00:00")),
        ("24x7", "UTC", "2024-07-03 10:07", "1w", ("2024-07-01 00:00", "2024-07-08 00:00")),
        ("24x7", "UTC", "1970-01-02 10:07", "3d", ("1970-01-01 00:00", "1970-01-04 00:00")),
        ("XNYS", NEW_YORK, "2024-07-02 09:31", "5m", ("2024-07-02 09:30", "2024-07-02 09:35")),
        ("XNYS", NEW_YORK, "2024-07-02 15:45", "1h", ("2024-07-02 15:30", "2024-07-02 16:00")),
        ("XNYS", NEW_YORK, "2024-07-03 12:45", "1h", ("2024-07-03 12:30", "2024-07-03 13:00")),
        ("XNYS", NEW_YORK, "2024-07-03 12:45", "1d", ("2024-07-03 09:30", "2024-07-03 13:00")),
        ("XNYS", NEW_YORK, "2024-07-03 12:45", "1w", ("2024-07-01 09:30", "2024-07-05 16:00")),
        ("XNYS", NEW_YORK, "2024-07-04 12:45", "1d", None),
        ("XHKG", HONG_KONG, "2024-10-02 11:45", "1h", ("2024-10-02 11:30", "2024-10-02 12:00")),
        ("XHKG", HONG_KONG, "2024-10-02 13:10", "1h", ("2024-10-02 13:00", "2024-10-02 14:00")),
        ("XHKG", HONG_KONG, "2024-10-02 12:10", "1h", None),
        ("XHKG", HONG_KONG, "2024-10-02 12:10", "1d", None),
        ("XHKG", HONG_KONG, "2024-10-02 11:45", "4h", ("2024-10-02 09:30", "2024-10-02 12:00")),
        ("XHKG", HONG_KONG, "2024-10-02 11:45", "1d", ("2024-10-02 09:30", "2024-10-02 16:00")),
        ("FX", NEW_YORK, "2024-07-07 20:10", "1d", ("2024-07-07 17:00", "2024-07-08 17:00")),
        ("FX", NEW_YORK, "2024-07-07 20:10", "1w", ("2024-07-07 17:00", "2024-07-12 17:00")),
        ("FX", NEW_YORK, "2024-07-08 22:10", "4h", ("2024-07-08 21:00", "2024-07-09 01:00")),
        ("CMES", CHICAGO, "2026-11-29 20:10", "1d", ("2026-11-29 17:00", "2026-11-30 16:00")),
        ("CMES", CHICAGO, "2026-11-30 15:50", "4h", ("2026-11-30 13:00", "2026-11-30 16:00")),
        ("CMES", CHICAGO, "2026-11-30 16:10", "4h", None),
        ("XSHG", SHANGHAI, "2026-11-27 11:10", "4h", ("2026-11-27 09:30", "2026-11-27 11:30")),
    ],
)
def test_bars_end_with_their_session_and_follow_trading_days(
    name: str, zone: str, moment: str, interval: str, expected: tuple[str, str] | None
) -> None:
    assert bar(name, moment, interval, zone) == expected


@pytest.mark.parametrize(
    ("name", "moment", "interval", "expected"),
    [
        ("24x7", "2024-07-03 10:07", "1d", ("2024-07-03 08:00", "2024-07-04 08:00")),
        ("24x7", "2024-07-03 07:07", "1d", ("2024-07-02 08:00", "2024-07-03 08:00")),
        ("24x7", "2024-07-03 07:59", "3h", ("2024-07-03 05:00", "2024-07-03 08:00")),
        ("24x7", "2024-07-03 07:59", "5h", ("2024-07-03 04:00", "2024-07-03 08:00")),
        ("24x7", "2024-07-01 07:59", "1w", ("2024-06-24 08:00", "2024-07-01 08:00")),
        ("XHKG", "2024-10-02 11:45", "1d", ("2024-10-02 09:30", "2024-10-02 16:00")),
        ("XHKG", "2024-10-02 11:45", "1w", ("2024-09-30 09:30", "2024-10-04 16:00")),
        ("FX", "2024-07-08 07:10", "1d", ("2024-07-08 05:00", "2024-07-08 08:00")),
        ("FX", "2024-07-08 09:10", "1d", ("2024-07-08 08:00", "2024-07-09 08:00")),
        ("FX", "2024-07-08 05:10", "4h", ("2024-07-08 05:00", "2024-07-08 08:00")),
    ],
)
def test_a_day_start_of_one_s_own_cuts_days_and_weeks(
    name: str, moment: str, interval: str, expected: tuple[str, str]
) -> None:
    assert bar(name, moment, interval, HONG_KONG, DayStart(time(8, 0), HONG_KONG)) == expected


@pytest.mark.parametrize(
    ("moment", "hours"), [("2024-03-31 12:00", 23), ("2024-10-27 12:00", 25), ("2024-06-01 12:00", 24)]
)
def test_a_day_of_a_clock_change_is_shorter_or_longer(moment: str, hours: int) -> None:
    bounds = calendar_named("24x7").bar_bounds(at(moment), Interval.parse("1d"), DayStart(time(0, 0), LONDON))
    assert bounds is not None
    assert bounds[1] - bounds[0] == hours * 3_600 * 10**9


def test_bars_counted_by_trading_have_no_bounds() -> None:
    with pytest.raises(ConfigError, match="no duration"):
        calendar_named("24x7").bar_bounds(0, Interval.parse("10t"))


def test_years_outside_a_calendar_are_refused_rather_than_called_open_or_closed() -> None:
    with pytest.raises(ConfigError, match="XHKG knows 2012-03-05 to 2031-12-31"):
        calendar_named("XHKG").is_open(at("2005-06-01 03:00"))
    with pytest.raises(ConfigError, match="XNYS knows"):
        calendar_named("XNYS").sessions_on(date(2040, 1, 3))


def test_wrong_rules_are_refused() -> None:
    with pytest.raises(ConfigError, match="7 days"):
        TradingCalendar(CalendarRules(name="x", timezone="UTC", weekly=()))
    with pytest.raises(ConfigError, match="IANA"):
        TradingCalendar(CalendarRules(name="x", timezone="Mars/Base", weekly=((),) * 7))
    with pytest.raises(ConfigError, match="IANA"):
        DayStart(time(0, 0), "nowhere").day_of(0)
