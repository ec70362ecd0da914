"""Which part of its trading day a market is in at a moment, and when it trades again.

Not told apart: the auctions of Hong Kong (09:00 to 09:30, 16:00 to 16:10) count as closed, for no continuous trading is had in
them, and the overnight session that some brokers offer in the United States.
"""

import enum
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec

from foxtrot.domain.calendar import Session, TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import SECOND_NS

_EXTENDED = {"XNYS": "XNYS_EXT"}
"""Regular calendars of markets that also trade before and after, with the calendar of the whole."""
_REGULAR = {extended: regular for regular, extended in _EXTENDED.items()}


class Phase(enum.StrEnum):
    """Part of a trading day."""

    CLOSED = "closed"
    PRE_MARKET = "pre_market"
    REGULAR = "regular"
    BREAK = "break"
    AFTER_HOURS = "after_hours"

    @property
    def is_extended(self) -> bool:
        """Tell whether only orders that ask for extended hours trade."""
        return self in (Phase.PRE_MARKET, Phase.AFTER_HOURS)


class MarketHours(msgspec.Struct, frozen=True):
    """The phase of a market at a moment, and when it trades again.

    `ends_ns` is when the phase ends; `next_regular_ns` is when the next regular session (or the rest of one after its break)
    begins, `next_extended_ns` when extended hours begin next, which is None where a market has none. All are None for a market
    that never closes.
    """

    phase: Phase
    ends_ns: int | None = None
    next_regular_ns: int | None = None
    next_extended_ns: int | None = None

    def takes_orders(self, *, extended: bool = False) -> bool:
        """Tell whether an order trades at once; `extended` says that it asks for extended hours too."""
        return self.phase is Phase.REGULAR or (extended and self.phase.is_extended)

    def next_session_ns(self, *, extended: bool = False) -> int | None:
        """Return when the next session begins in which such an order trades."""
        found = [ns for ns in (self.next_regular_ns, self.next_extended_ns if extended else None) if ns is not None]
        return min(found, default=None)


def market_hours(instrument: Instrument, ns: int) -> MarketHours:
    """Return the phase of an instrument's market at a moment.

    Raises:
        ConfigError: the calendar is not known, or does not know that year.
    """
    return calendar_hours(instrument.calendar, ns)


def calendar_hours(name: str, ns: int) -> MarketHours:
    """Return the phase of a market by the name of its calendar; the regular and the extended one of a market say the same.

    Raises:
        ConfigError: the calendar is not known, or does not know that year.
    """
    regular, whole = _calendars(name)
    if regular.always_open:
        return MarketHours(Phase.REGULAR)
    session = regular.session_of(ns)
    outer = None if whole is None else whole.session_of(ns)
    phase = _phase(regular, session, outer, ns)
    hours = MarketHours(phase, None, regular.next_open_ns(ns), _next_extended(whole, regular, ns))
    if phase is Phase.REGULAR:
        ends_ns = regular.next_close_ns(ns)
    elif phase is Phase.AFTER_HOURS and outer is not None:
        ends_ns = outer.close_ns
    else:
        ends_ns = hours.next_session_ns(extended=phase is Phase.CLOSED)
    return msgspec.structs.replace(hours, ends_ns=ends_ns)


def hours_text(instrument: Instrument, ns: int) -> str:
    """Return the phase in words, with the next regular session in the market's own time: for refusals and for people.

    Raises:
        ConfigError: the calendar is not known, or does not know that year.
    """
    hours = market_hours(instrument, ns)
    said = hours.phase.value.replace("_", "-")
    if hours.phase is Phase.REGULAR or hours.next_regular_ns is None:
        return said
    zone = calendar_named(instrument.calendar).zone
    begins = datetime.fromtimestamp(hours.next_regular_ns // SECOND_NS, UTC).astimezone(zone)
    return f"{said}; regular trading begins {begins:%a %Y-%m-%d %H:%M} {zone.key}"


def silence_counts(calendar: TradingCalendar | None, ns: int) -> bool:
    """Tell whether silence of a market means anything at a moment: it trades then, or nobody knows whether it does.

    Clocks of silence and of sick books ask this, so that a break, a weekend and a holiday raise no alert; None never closes. A year
    that the calendar does not know counts as open: an alert too many is better than none.
    """
    if calendar is None or calendar.always_open:
        return True
    try:
        return calendar.is_open(ns)
    except ConfigError:
        return True


def market_silence_counts(instrument: Instrument | None, ns: int) -> bool:
    """Tell whether silence of an instrument's market means anything; it does where instrument or calendar are not known."""
    try:
        return silence_counts(None if instrument is None else calendar_named(instrument.calendar), ns)
    except ConfigError:
        return True


def day_end_ns(calendar: TradingCalendar, ns: int) -> int:
    """Return when the trading day ends that a moment counts for; outside the sessions that is the day of the next one.

    Raises:
        ConfigError: the calendar does not know that year, or no later session.
    """
    session = calendar.session_of(ns)
    opens_ns = calendar.next_open_ns(ns) if session is None else None
    if opens_ns is not None:
        session = calendar.session_of(opens_ns)
    if session is None:
        raise ConfigError(f"calendar {calendar.name} knows no session after {ns} ns")
    return calendar.sessions_on(session.day)[-1].close_ns


def traded_time(calendar: TradingCalendar, since_ns: int, until_ns: int) -> tuple[int, int]:
    """Return for how long a market was open between two moments, in ns, and in how many sessions.

    Raises:
        ConfigError: the calendar does not know one of the days.
    """
    if calendar.always_open:
        return max(0, until_ns - since_ns), int(until_ns > since_ns)
    traded_ns = number = 0
    day = datetime.fromtimestamp(since_ns // SECOND_NS, calendar.zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(until_ns // SECOND_NS, calendar.zone).date() + timedelta(days=1)
    while day <= last:
        for session in calendar.sessions_on(day):
            shared_ns = min(session.close_ns, until_ns) - max(session.open_ns, since_ns)
            traded_ns, number = traded_ns + max(0, shared_ns), number + (shared_ns > 0)
        day += timedelta(days=1)
    return traded_ns, number


@cache
def _calendars(name: str) -> tuple[TradingCalendar, TradingCalendar | None]:
    regular = calendar_named(_REGULAR.get(name, name))
    whole = _EXTENDED.get(regular.name)
    return regular, None if whole is None else calendar_named(whole)


def _phase(regular: TradingCalendar, session: Session | None, outer: Session | None, ns: int) -> Phase:
    if session is not None:
        return Phase.REGULAR
    if outer is not None:
        return Phase.PRE_MARKET if ns < regular.sessions_on(outer.day)[0].open_ns else Phase.AFTER_HOURS
    sessions = regular.sessions_on(datetime.fromtimestamp(ns // SECOND_NS, regular.zone).date())
    inside = bool(sessions) and sessions[0].open_ns <= ns < sessions[-1].close_ns
    return Phase.BREAK if inside else Phase.CLOSED


def _next_extended(whole: TradingCalendar | None, regular: TradingCalendar, ns: int) -> int | None:
    """Return when extended hours begin next: after today's close, or before a later opening."""
    if whole is None:
        return None
    session = regular.session_of(ns)
    if session is not None:
        return session.close_ns
    outer = whole.session_of(ns)
    if outer is not None:
        first = regular.sessions_on(outer.day)[0]
        if ns < first.open_ns:
            return regular.sessions_on(outer.day)[-1].close_ns
    return whole.next_open_ns(ns)
