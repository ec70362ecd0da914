"""Phases of the markets by the calendar, to the minute."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.futu.futu_hours import HK, US, phase_at
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from foxtrot.exchange.wire.futu.venue_side import FIRST_REAL, FIRST_SIMULATE, FutuSide

ZONES = {HK: ZoneInfo("Asia/Hong_Kong"), US: ZoneInfo("America/New_York")}


def at(market: int, text: str) -> int:
    """A moment of the market's own time, in ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONES[market]).timestamp() * 1e9)


HK_DAY = """
08:59:59 closed, 09:00:00 auction, 09:29:59 auction, 09:30:00 morning, 11:59:59 morning, 12:00:00 rest, 12:59:59 rest,
13:00:00 afternoon, 15:59:59 afternoon, 16:00:00 auction, 16:09:59 auction, 16:10:00 closed, 23:00:00 closed
"""
US_DAY = """
03:59:59 closed, 04:00:00 pre, 09:29:59 pre, 09:30:00 afternoon, 12:30:00 afternoon, 15:59:59 afternoon, 16:00:00 after,
19:59:59 after, 20:00:00 closed
"""


@pytest.mark.parametrize(("market", "day", "table"), [(HK, "2026-11-25", HK_DAY), (US, "2026-11-25", US_DAY)])
def test_each_part_of_a_day_begins_and_ends_to_the_second(market: int, day: str, table: str) -> None:
    for entry in table.split(","):
        moment, phase = entry.split()
        assert phase_at(market, at(market, f"{day} {moment}")) == phase, moment


def test_weekends_holidays_and_half_days() -> None:
    assert phase_at(HK, at(HK, "2026-11-28 10:00")) == "closed"
    assert phase_at(US, at(US, "2026-11-26 10:00")) == "closed"  # Thanksgiving
    assert phase_at(US, at(US, "2026-11-27 12:59")) == "afternoon"
    assert phase_at(US, at(US, "2026-11-27 13:00")) == "after"  # the day after it closes at 13:00
    assert phase_at(HK, at(HK, "2026-12-24 12:05")) == "auction"  # Christmas Eve closes at 12:00
    assert phase_at(HK, at(HK, "2026-12-24 13:30")) == "closed"


def test_a_year_that_the_calendar_does_not_know_is_named() -> None:
    with pytest.raises(ConfigError, match="XHKG knows"):
        phase_at(HK, at(HK, "2099-01-05 10:00"))


def test_always_open_is_the_morning_at_any_hour() -> None:
    night = at(HK, "2026-11-28 03:00")
    open_side = FutuSide(Venue(lambda _: None), lambda: night)
    strict = FutuSide(Venue(lambda _: None), lambda: night, FutuSettings(always_open=False))
    assert (open_side.phase(HK, night), strict.phase(HK, night)) == ("morning", "closed")


def test_each_account_is_seen_as_a_real_and_a_simulate_id() -> None:
    side = FutuSide(Venue(lambda _: None), lambda: 0)
    assert [one.acc_id for one in side.add_account("a")] == [FIRST_REAL, FIRST_SIMULATE]
    assert [one.acc_id for one in side.add_account("b")] == [FIRST_REAL + 1, FIRST_SIMULATE + 1]
    assert side.add_account("a") == (side.accounts[FIRST_REAL], side.accounts[FIRST_SIMULATE])
    assert [(one.account, one.real, one.markets) for one in side.accounts.values()] == [
        ("a", True, (1, 2)), ("a-simulate", False, (1, 2)), ("b", True, (1, 2)), ("b-simulate", False, (1, 2)),
    ]  # fmt: skip
    assert side.accounts[FIRST_REAL].password_md5 == "bb52aeb112dec1f523b47e0b1be60aed"
    assert side.accounts[FIRST_REAL].password_md5 not in repr(side.accounts)
