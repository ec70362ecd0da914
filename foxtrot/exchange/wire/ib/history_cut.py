"""Bars of any size cut out of the seconds and minutes that are remembered."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.history_terms import BarSize, Duration, begin_moment
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS, PriceBar
from foxtrot.exchange.wire.ib.traded_hours import TradedHours

_LONGEST_NS: Final = 32 * 86_400 * SECOND_NS


class CutBar(msgspec.Struct):
    """A bar of the size that was asked for: `last_ns` is where the newest of what it is made of begins.

    Thread: exchange-io.
    """

    group: int
    last_ns: int
    bar: PriceBar


def cut_bars(base: Iterable[PriceBar], size: BarSize, hours: TradedHours, *, regular: bool) -> list[CutBar]:
    """Return bars of a size, oldest first.

    Args:
        base: shorter bars, oldest first.
        size: how long the bars are to be.
        hours: where they are cut.
        regular: whether only regular sessions count.

    Source: TWS API documentation, Historical Bar Data, useRTH.
    """
    cut: list[CutBar] = []
    for one in base:
        if regular and hours.session_of(one.open_ns) is None:
            continue
        group = hours.group_of(one.open_ns, size)
        if cut and cut[-1].group == group:
            cut[-1].bar.absorb(one)
            cut[-1].last_ns = one.open_ns
        else:
            begins = group if size.length_s else one.open_ns
            cut.append(CutBar(group, one.open_ns, msgspec.structs.replace(one, open_ns=begins)))
    return cut


def bars_within(base: Sequence[PriceBar], asked: "Asked", hours: TradedHours) -> list[CutBar]:
    """Return the bars of the time that a request asks for, oldest first; each is whole, but for the one that still forms.

    A count of days is that of days on which something happened; a market without sessions has days of 24 hours.

    Source: TWS API documentation, Historical Bar Data, Duration.
    """
    size = asked.size
    if not base or asked.end_ns <= base[0].open_ns:
        return []
    if asked.back.unit == "D" and not hours.is_round_the_clock:
        return cut_bars(_last_days(base, asked, hours), size, hours, regular=asked.regular)
    begin_ns = max(begin_moment(asked.end_ns, asked.back, hours.zone), base[0].open_ns - _LONGEST_NS)
    reach_ns = size.length_ns if size.length_s else _LONGEST_NS
    cut = cut_bars(_between(base, begin_ns - reach_ns, asked.end_ns), size, hours, regular=asked.regular)
    if size.length_s:
        first = hours.group_of(begin_ns, size)
        return [one for one in cut if one.group >= first]
    before = hours.group_of(begin_ns - 1, size)
    return [one for one in cut if one.group > before] or cut[-1:]


class Asked(msgspec.Struct, frozen=True):
    """Which bars a request wants: those that begin before `end_ns`, so far back, of a size, in regular sessions or in all hours."""

    end_ns: int
    back: Duration
    size: BarSize
    regular: bool


def _last_days(base: Sequence[PriceBar], asked: Asked, hours: TradedHours) -> list[PriceBar]:
    """Return the bars of the last days on which something happened."""
    found: list[PriceBar] = []
    days: set[date] = set()
    for one in reversed(base):
        if one.open_ns >= asked.end_ns or (asked.regular and hours.session_of(one.open_ns) is None):
            continue
        day = hours.day_of(one.open_ns)
        if day not in days and len(days) == asked.back.count:
            break
        days.add(day)
        found.append(one)
    return found[::-1]


def _between(base: Sequence[PriceBar], begin_ns: int, end_ns: int) -> list[PriceBar]:
    return [one for one in base if begin_ns <= one.open_ns < end_ns]
