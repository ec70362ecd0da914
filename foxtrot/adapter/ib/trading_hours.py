"""When a contract trades by IB's own words, for venues that have no calendar here."""

from datetime import datetime
from typing import Any

import msgspec
from loguru import logger

from foxtrot.adapter.ib.contract_codec import zone_of
from foxtrot.domain.interval import SECOND_NS


class VenueHours(msgspec.Struct, frozen=True):
    """The sessions of the next days, [open, close) in UTC ns, and up to when they are known."""

    sessions: tuple[tuple[int, int], ...]
    known_from_ns: int
    known_until_ns: int

    def is_open(self, ns: int) -> bool | None:
        """Tell whether it trades at a moment, None where IB's words do not reach."""
        if not self.known_from_ns <= ns < self.known_until_ns:
            return None
        return any(opens <= ns < closes for opens, closes in self.sessions)

    def next_open_ns(self, ns: int) -> int | None:
        """Return when it opens next, None where that is not known."""
        return min((opens for opens, _ in self.sessions if opens > ns), default=None)


NONE_KNOWN = VenueHours((), 0, 0)


def hours_of(details: Any, *, liquid: bool = True) -> VenueHours:
    """Return the hours of contract details: "20261130:0930-20261130:1600;20261201:CLOSED", or the older "20261130:0930-1600,1700-1800".

    Source: TWS API, ContractDetails: tradingHours, liquidHours, in the zone timeZoneId.

    Args:
        details: of the SDK.
        liquid: the regular hours, else all in which anything trades.
    """
    text = str(details.liquidHours if liquid else details.tradingHours)
    zone = zone_of(str(details.timeZoneId))
    found: list[tuple[int, int]] = []
    days: list[int] = []
    for part in (part.strip() for part in text.split(";")):
        if not part:
            continue
        day, _, rest = part.partition(":")
        try:
            days.append(_moment(day, "0000", zone))
            found += [_stretch(day, stretch, zone) for stretch in rest.split(",") if stretch != "CLOSED"]
        except ValueError:
            logger.warning("{}: {!r} is no trading hours of a day", details.contract.symbol, part)
            return NONE_KNOWN
    if not days:
        return NONE_KNOWN
    last_day_ends = max(days) + 86_400 * SECOND_NS
    return VenueHours(tuple(sorted(found)), min(days), max([last_day_ends, *(closes for _, closes in found)]))


def _stretch(day: str, text: str, zone: Any) -> tuple[int, int]:
    opens, _, closes = text.partition("-")
    close_day, _, close_time = closes.rpartition(":")
    open_day, _, open_time = opens.rpartition(":")
    first = _moment(open_day or day, open_time, zone)
    last = _moment(close_day or day, close_time, zone)
    if last <= first:
        raise ValueError(text)
    return first, last


def _moment(day: str, at: str, zone: Any) -> int:
    return int(datetime.strptime(day + at, "%Y%m%d%H%M").replace(tzinfo=zone).timestamp()) * SECOND_NS
