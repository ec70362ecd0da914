"""Bars of any size cut out of the seconds and minutes that are remembered."""

from collections.abc import Iterable, Sequence

import msgspec

from foxtrot.exchange.wire.ib.history_terms import BarSize, Duration, begin_moment
from foxtrot.exchange.wire.ib.price_bars import PriceBar
from foxtrot.exchange.wire.ib.traded_hours import TradedHours


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


def within(
    base: Sequence[PriceBar], end_ns: int, back: Duration, hours: TradedHours, *, regular: bool
) -> list[PriceBar]:
    """Return the bars of the time that a request asks for, both ends by when a bar begins.

    A count of days is that of days on which something happened; a market without sessions has days of 24 hours.

    Source: TWS API documentation, Historical Bar Data, Duration.
    """
    past = [one for one in base if one.open_ns < end_ns]
    if back.unit == "D" and not hours.is_round_the_clock:
        days = sorted({hours.day_of(one.open_ns) for one in past if not regular or hours.session_of(one.open_ns)})
        if not days:
            return []
        first = days[-back.count :][0]
        return [one for one in past if hours.day_of(one.open_ns) >= first]
    begin_ns = begin_moment(end_ns, back, hours.zone)
    return [one for one in past if one.open_ns >= begin_ns]
