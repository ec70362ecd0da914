"""When a contract trades, as the text of contract details."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.calendar_presets import CALENDAR_NAMES, calendar_named
from foxtrot.exchange.wire.ib.ib_contract import STK, IbContract

_DAYS: Final = 6
_EXTENDED: Final = {"XNYS": "XNYS_EXT"}


def hours_text(contract: IbContract, now_ns: int, *, is_liquid: bool, always_open: bool) -> str:
    """Return the hours of today and the next days: `20261130:0930-20261130:1600;20261205:CLOSED`, in the contract's timezone.

    Args:
        contract: whose hours.
        now_ns: the server's time.
        is_liquid: the regular session alone; else with what trades before and after it.
        always_open: the server trades at any hour.

    Source: TWS API documentation, ContractDetails.tradingHours and liquidHours.
    """
    today = datetime.fromtimestamp(now_ns / 1e9, contract.zone).date()
    days = [today + timedelta(ahead) for ahead in range(_DAYS)]
    if always_open:
        return ";".join(f"{day:%Y%m%d}:0000-{day + timedelta(1):%Y%m%d}:0000" for day in days)
    name = contract.instrument.calendar
    if not is_liquid and contract.sec_type == STK:
        name = _EXTENDED.get(name, name)
    calendar = calendar_named(name if name in CALENDAR_NAMES else "24x7")
    rules = calendar.rules
    return ";".join(_day_text(calendar, day, contract.zone) for day in days if rules.first_day <= day <= rules.last_day)


def _day_text(calendar: TradingCalendar, day: date, zone: ZoneInfo) -> str:
    sessions = calendar.sessions_on(day)
    if not sessions:
        return f"{day:%Y%m%d}:CLOSED"
    return ",".join(f"{_moment(one.open_ns, zone)}-{_moment(one.close_ns, zone)}" for one in sessions)


def _moment(ns: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone(zone).strftime("%Y%m%d:%H%M")
