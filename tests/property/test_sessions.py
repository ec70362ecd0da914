"""Phases of a trading day: exact around half days, holidays, clock changes and storms, and in step with the calendars."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foxtrot.domain.calendar_presets import calendar_named, calendar_of_venue
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.sessions import Phase, calendar_hours, hours_text, market_hours
from foxtrot.exchange.listings import listing

HONG_KONG, NEW_YORK = ZoneInfo("Asia/Hong_Kong"), ZoneInfo("America/New_York")
S = 1_000_000_000
FIRST, LAST = datetime(2020, 1, 2, tzinfo=UTC), datetime(2031, 11, 1, tzinfo=UTC)
moments = st.integers(int(FIRST.timestamp()), int(LAST.timestamp())).map(lambda second: second * S)
minutes = st.integers(0, 59)
names = st.sampled_from(["XHKG", "XNYS", "XNYS_EXT", "FX", "CMES", "XSHG"])


def at(text, zone):
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * S


def said(ns, zone):
    return None if ns is None else datetime.fromtimestamp(ns // S, zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("moment", "phase", "ends", "regular", "extended"),
    [
        ("2026-11-25 03:59", "closed", "2026-11-25 04:00", "2026-11-25 09:30", "2026-11-25 04:00"),
        ("2026-11-25 04:00", "pre_market", "2026-11-25 09:30", "2026-11-25 09:30", "2026-11-25 16:00"),
        ("2026-11-25 09:30", "regular", "2026-11-25 16:00", "2026-11-27 09:30", "2026-11-25 16:00"),
        ("2026-11-25 16:00", "after_hours", "2026-11-25 20:00", "2026-11-27 09:30", "2026-11-27 04:00"),
        ("2026-11-25 20:00", "closed", "2026-11-27 04:00", "2026-11-27 09:30", "2026-11-27 04:00"),
        ("2026-11-26 11:00", "closed", "2026-11-27 04:00", "2026-11-27 09:30", "2026-11-27 04:00"),  # Thanksgiving
        ("2026-11-27 12:59", "regular", "2026-11-27 13:00", "2026-11-30 09:30", "2026-11-27 13:00"),  # half a day
        ("2026-11-27 13:00", "after_hours", "2026-11-27 17:00", "2026-11-30 09:30", "2026-11-30 04:00"),
        ("2026-11-27 17:00", "closed", "2026-11-30 04:00", "2026-11-30 09:30", "2026-11-30 04:00"),
        ("2026-03-06 21:00", "closed", "2026-03-09 04:00", "2026-03-09 09:30", "2026-03-09 04:00"),  # clocks go forward
    ],
)
def test_new_york_has_a_pre_market_and_after_hours(moment, phase, ends, regular, extended):
    for name in ("XNYS", "XNYS_EXT"):
        hours = calendar_hours(name, at(moment, NEW_YORK))
        found = (
            hours.phase,
            *(said(ns, NEW_YORK) for ns in (hours.ends_ns, hours.next_regular_ns, hours.next_extended_ns)),
        )
        assert found == (phase, ends, regular, extended)


@pytest.mark.parametrize(
    ("moment", "phase", "ends"),
    [
        ("2026-11-27 09:15", "closed", "2026-11-27 09:30"),
        ("2026-11-27 09:30", "regular", "2026-11-27 12:00"),
        ("2026-11-27 11:59", "regular", "2026-11-27 12:00"),
        ("2026-11-27 12:00", "break", "2026-11-27 13:00"),
        ("2026-11-27 12:59", "break", "2026-11-27 13:00"),
        ("2026-11-27 13:00", "regular", "2026-11-27 16:00"),
        ("2026-11-27 16:00", "closed", "2026-11-30 09:30"),
        ("2026-12-24 12:30", "closed", "2026-12-28 09:30"),  # half a day has no break
        ("2023-09-01 10:00", "closed", "2023-09-04 09:30"),  # typhoon Saola
        ("2023-09-08 14:00", "closed", "2023-09-11 09:30"),  # black rainstorm
        ("2023-10-09 12:30", "closed", "2023-10-09 14:00"),  # typhoon Koinu: the afternoon began late
        ("2023-10-09 14:00", "regular", "2023-10-09 16:00"),
    ],
)
def test_hong_kong_has_a_lunch_break_and_no_extended_hours(moment, phase, ends):
    hours = calendar_hours("XHKG", at(moment, HONG_KONG))
    assert (hours.phase, said(hours.ends_ns, HONG_KONG), hours.next_extended_ns) == (phase, ends, None)


def test_the_opening_moves_in_utc_with_the_clocks():
    before, after = (calendar_hours("XNYS", at(f"{day} 05:00", NEW_YORK)) for day in ("2026-03-06", "2026-03-09"))
    assert [said(hours.next_regular_ns, UTC)[-5:] for hours in (before, after)] == ["14:30", "13:30"]
    sessions = calendar_named("XNYS_EXT").sessions_on(date(2026, 11, 27))
    assert [(said(s.open_ns, NEW_YORK)[-5:], said(s.close_ns, NEW_YORK)[-5:]) for s in sessions] == [("04:00", "17:00")]


def test_a_market_that_never_closes_is_always_regular():
    hours = calendar_hours("24x7", at("2026-11-28 12:00", UTC))
    assert (hours.phase, hours.ends_ns, hours.next_session_ns(extended=True)) == (Phase.REGULAR, None, None)
    assert hours.takes_orders()


@given(names, moments)
@example("XHKG", at("2026-11-27 12:30", HONG_KONG))
@example("XNYS", at("2026-11-27 16:30", NEW_YORK))
@example("CMES", at("2026-11-26 18:30", NEW_YORK))
@example("XSHG", at("2026-11-27 12:30", HONG_KONG))
def test_a_phase_holds_until_it_ends_and_another_follows(name, ns):
    hours = calendar_hours(name, ns)
    assert hours.ends_ns > ns
    middle = calendar_hours(name, (ns + hours.ends_ns) // 2)
    last = calendar_hours(name, hours.ends_ns - 1)
    assert (middle.phase, middle.ends_ns) == (last.phase, last.ends_ns) == (hours.phase, hours.ends_ns)
    assert calendar_hours(name, hours.ends_ns).phase is not hours.phase


@given(names, moments)
def test_phases_agree_with_the_calendars(name, ns):
    hours = calendar_hours(name, ns)
    regular = calendar_named(name.removesuffix("_EXT"))
    assert (hours.phase is Phase.REGULAR) == regular.is_open(ns) == hours.takes_orders()
    assert hours.next_regular_ns == regular.next_open_ns(ns)
    if name.startswith("XNYS"):
        assert hours.takes_orders(extended=True) == calendar_named("XNYS_EXT").is_open(ns)


@given(names, moments)
def test_the_next_session_takes_the_order_and_nothing_before_it_does(name, ns):
    for extended in (False, True):
        hours = calendar_hours(name, ns)
        if hours.takes_orders(extended=extended):
            continue
        begins = hours.next_session_ns(extended=extended)
        assert calendar_hours(name, begins).takes_orders(extended=extended)
        assert not calendar_hours(name, begins - 1).takes_orders(extended=extended)
        assert not calendar_hours(name, (ns + begins) // 2).takes_orders(extended=extended)


def test_an_instrument_is_judged_by_its_own_calendar_and_says_so_in_words():
    tencent, apple = listing("00700.SEHK"), listing("AAPL.NASDAQ")
    lunch = at("2026-11-27 12:30", HONG_KONG)
    assert market_hours(tencent, lunch).phase is Phase.BREAK
    assert hours_text(tencent, lunch) == "break; regular trading begins Fri 2026-11-27 13:00 Asia/Hong_Kong"
    assert hours_text(apple, at("2026-11-28 12:00", NEW_YORK)).endswith("begins Mon 2026-11-30 09:30 America/New_York")
    assert hours_text(apple, at("2026-11-27 10:00", NEW_YORK)) == "regular"


def test_what_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="knows 2012-03-05 to 2031-12-31"):
        calendar_hours("XHKG", at("2040-01-03 10:00", HONG_KONG))
    with pytest.raises(ConfigError, match="did you mean XHKG"):
        calendar_hours("HKG", 0)


def test_venues_of_shares_have_their_calendar():
    assert [calendar_of_venue(venue) for venue in ("SEHK", "NASDAQ", "BINANCE")] == ["XHKG", "XNYS", "24x7"]
    assert {calendar_of_venue(venue) for venue in ("NYSE", "AMEX", "ARCA", "BATS", "OPRA")} == {"XNYS"}
    assert {calendar_of_venue(venue) for venue in ("SSE", "SZSE")} == {"XSHG"}
    assert [calendar_of_venue(venue) for venue in ("CME", "IDEALPRO")] == ["CMES", "FX"]
