"""What bar builders take as settings and give out: bars, corrections of bars, counts of what they left out."""

import enum

import msgspec

from foxtrot.domain.calendar import DayStart, TradingCalendar
from foxtrot.domain.calendar_presets import ALWAYS_OPEN
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData


class BarCorrection(msgspec.Struct, frozen=True, gc=False):
    """A closed bar changed because something of its time came late; `previous` is None where there had been no bar."""

    bar: BarData
    previous: BarData | None


BarOutput = BarData | BarCorrection


class PriceSource(enum.StrEnum):
    """Which price of a tick makes the bar."""

    LAST = "last"
    BID = "bid"
    ASK = "ask"
    MID = "mid"


class BarSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How bars are built.

    `fill_empty` publishes a flat bar for every bar time without trading. `grace_ns` is how long after its close a bar waits
    for what is still under way. `kept` closed bars can be corrected. `rolling_volume` says that the volume of a tick is a
    rolling total (24 h), whose fall is not the start of a new session.
    """

    interval: Interval
    calendar: TradingCalendar = ALWAYS_OPEN
    day_start: DayStart | None = None
    price: PriceSource = PriceSource.LAST
    fill_empty: bool = False
    grace_ns: int = 0
    kept: int = 16
    rolling_volume: bool = False


class BarCounts(msgspec.Struct):
    """What a builder left out: prints while the market was closed, and prints too late to correct a bar."""

    outside: int = 0
    too_late: int = 0
