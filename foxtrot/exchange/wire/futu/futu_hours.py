"""Which part of the day a market is in, by its calendar and the hours around its sessions.

Source: HKEX trading hours (pre-opening session, closing auction session); Futu OpenAPI documentation, Market State Definition.
"""

from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.domain.calendar import Session, TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named

Phase = Literal["closed", "pre", "auction", "morning", "rest", "afternoon", "after"]
HK, US, SH, SZ = 1, 11, 21, 22
"""Markets by their number in quotes (QotMarket)."""
_MINUTE_NS: Final = 60 * 1_000_000_000


class MarketHours(msgspec.Struct, frozen=True):
    """A market's calendar, how long before its first session and after its last one something happens, and how that is called."""

    calendar: str
    zone: ZoneInfo
    before_ns: int
    before: Phase
    after_ns: int
    after: Phase


HOURS: Final[dict[int, MarketHours]] = {
    HK: MarketHours("XHKG", ZoneInfo("Asia/Hong_Kong"), 30 * _MINUTE_NS, "auction", 10 * _MINUTE_NS, "auction"),
    US: MarketHours("XNYS", ZoneInfo("America/New_York"), 330 * _MINUTE_NS, "pre", 240 * _MINUTE_NS, "after"),
    **dict.fromkeys((SH, SZ), MarketHours("XSHG", ZoneInfo("Asia/Shanghai"), 15 * _MINUTE_NS, "auction", 0, "closed")),
}
"""HK: orders are collected from 09:00 and until 16:10; US: pre-market from 04:00, after-hours until 20:00 New York; SH and SZ: the opening call from
09:15."""


def calendar_of(market: int) -> TradingCalendar:
    """Return a market's trading calendar.

    Source: none; a look-up of our own.
    """
    return calendar_named(HOURS[market].calendar)


def phase_at(market: int, now_ns: int) -> Phase:
    """Return the part of the day a market is in.

    The regular hours of the US are one session; Futu calls all of it the afternoon.

    Source: Futu OpenAPI documentation, Market State Definition.

    Raises:
        ConfigError: the moment lies outside the years the calendar knows.
    """
    hours = HOURS[market]
    day = datetime.fromtimestamp(now_ns / 1e9, hours.zone).date()
    sessions = calendar_of(market).sessions_on(day)
    if not sessions:
        return "closed"
    opens, closes = sessions[0].open_ns, sessions[-1].close_ns
    if opens <= now_ns < closes:
        return _within(sessions, market, now_ns)
    if opens - hours.before_ns <= now_ns < opens:
        return hours.before
    return hours.after if closes <= now_ns < closes + hours.after_ns else "closed"


def _within(sessions: tuple[Session, ...], market: int, now_ns: int) -> Phase:
    if market == US:
        return "afternoon"
    for session, name in zip(sessions, ("morning", "afternoon"), strict=False):
        if session.open_ns <= now_ns < session.close_ns:
            return "morning" if name == "morning" else "afternoon"
    return "rest"
