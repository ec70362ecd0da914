"""Bars of a history file as the sessions of their market have them: none spans a break, a night or a weekend."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np

from foxtrot.backtest.columns import BarColumns, Int64Column
from foxtrot.backtest.settings import BacktestSettings
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import SECOND_NS, Interval

DAY_NS = 86_400 * SECOND_NS
_ONE_DAY = timedelta(days=1)


def in_sessions(settings: BacktestSettings) -> BacktestSettings:
    """Return the settings with bars that keep to the sessions of their instruments' calendars; what was left out is among their warnings.

    Raises:
        ConfigError: no bar of a file lies in a session, or its calendar does not know a day of the history.
    """
    closing = {one.instrument_id: one for one in settings.instruments if not calendar_named(one.calendar).always_open}
    if not closing:
        return settings
    spans = [(one.instrument_id, int(one.time_ns[0]), int(one.time_ns[-1])) for one in settings.trades if len(one)]
    spans += [(one.instrument_id, int(one.time_ns[0]), int(one.time_ns[-1])) for one in settings.quotes if len(one)]
    spans += [(one.instrument_id, one.start_ns, one.end_ns) for one in settings.depth]
    for name, first_ns, last_ns in spans:
        if name in closing:
            _check_known(closing[name], first_ns, last_ns)
    bars = tuple(
        _fitted(part, closing[part.instrument_id]) if part.instrument_id in closing else part for part in settings.bars
    )
    return msgspec.structs.replace(settings, bars=bars)


def _check_known(instrument: Instrument, first_ns: int, last_ns: int) -> None:
    calendar = calendar_named(instrument.calendar)
    try:
        for ns in (first_ns, last_ns):
            calendar.is_open(ns)
    except ConfigError as error:
        raise ConfigError(f"{instrument.instrument_id}: {error}; choose another calendar, such as 24x7") from None


def _fitted(bars: BarColumns, instrument: Instrument) -> BarColumns:
    calendar = calendar_named(instrument.calendar)
    _check_known(instrument, int(bars.open_time_ns[0]), int(bars.open_time_ns[-1]))
    interval = Interval.parse(bars.interval)
    if interval.kind.is_calendar:
        days = interval.duration_ns // DAY_NS
        spans = [_span_of_days(calendar, _day_of(calendar, int(ns)), days) for ns in bars.open_time_ns]
        opens = np.array([span[0] for span in spans], dtype=np.int64)
        closes = np.array([span[1] for span in spans], dtype=np.int64)
        cut = 0
    else:
        opens, closes = _cut(bars, *_sessions(calendar, bars))
        kept = closes > opens
        cut = int(((opens != bars.open_time_ns) | (closes != bars.close_time_ns))[kept].sum())
    return _kept(bars, calendar, opens, closes, cut)


def _kept(bars: BarColumns, calendar: TradingCalendar, opens: Int64Column, closes: Int64Column, cut: int) -> BarColumns:
    """Return the bars that lie in a session, with the times that they have there."""
    rows = np.flatnonzero(closes > opens)
    left_out = len(bars) - len(rows)
    if not len(rows):
        first = datetime.fromtimestamp(int(bars.open_time_ns[0]) // SECOND_NS, UTC)
        raise ConfigError(
            f"no bar of {bars.instrument_id} lies in a session of {calendar.name}; the first opens {first:%Y-%m-%d %H:%M} UTC: "
            "give times with their offset, or choose another calendar, such as 24x7"
        )
    notes = (f"{left_out} bars outside the sessions of {calendar.name} are left out",) * (left_out > 0)
    notes += (f"{cut} bars are cut to the sessions of {calendar.name}",) * (cut > 0)
    return msgspec.structs.replace(
        bars, open_time_ns=opens[rows], close_time_ns=closes[rows], open=bars.open[rows], high=bars.high[rows],
        low=bars.low[rows], close=bars.close[rows], volume=bars.volume[rows], warnings=bars.warnings + notes,
    )  # fmt: skip


def _cut(bars: BarColumns, begins: Int64Column, ends: Int64Column) -> tuple[Int64Column, Int64Column]:
    """Return when each bar opens and closes within the session it reaches first; one that reaches none closes where it opens."""
    if not len(begins):
        return bars.open_time_ns, bars.open_time_ns
    found = np.searchsorted(ends, bars.open_time_ns, side="right")
    index = np.minimum(found, len(begins) - 1)
    opens = np.maximum(bars.open_time_ns, begins[index])
    closes = np.minimum(bars.close_time_ns, ends[index])
    inside = (found < len(begins)) & (closes > opens)
    return np.where(inside, opens, bars.open_time_ns), np.where(inside, closes, bars.open_time_ns)


def _sessions(calendar: TradingCalendar, bars: BarColumns) -> tuple[Int64Column, Int64Column]:
    """Return when the sessions of a history begin and end; sessions that touch are one."""
    day, last = (_day_of(calendar, int(ns)) for ns in (bars.open_time_ns[0], bars.close_time_ns[-1]))
    begins: list[int] = []
    ends: list[int] = []
    known = _days(calendar, day - _ONE_DAY, last + 2 * _ONE_DAY)
    for session in (one for here in known for one in calendar.sessions_on(here)):
        if ends and ends[-1] == session.open_ns:
            ends[-1] = session.close_ns
        else:
            begins.append(session.open_ns)
            ends.append(session.close_ns)
    return np.array(begins, dtype=np.int64), np.array(ends, dtype=np.int64)


def _days(calendar: TradingCalendar, first: date, end: date) -> list[date]:
    """Return the days of a span that the calendar knows."""
    rules, days = calendar.rules, (end - first).days
    return [day for day in (first + timedelta(days=n) for n in range(days)) if rules.first_day <= day <= rules.last_day]


def _day_of(calendar: TradingCalendar, ns: int) -> date:
    """Return the day that a bar of days is named by: the date in UTC at midnight UTC, the market's own date otherwise."""
    return datetime.fromtimestamp(ns // SECOND_NS, calendar.zone if ns % DAY_NS else UTC).date()


def _span_of_days(calendar: TradingCalendar, day: date, days: int) -> tuple[int, int]:
    """Return from the first opening to the last close of some days; nothing where they have no session."""
    inside = [one for here in _days(calendar, day, day + timedelta(days=days)) for one in calendar.sessions_on(here)]
    return (inside[0].open_ns, inside[-1].close_ns) if inside else (0, 0)
