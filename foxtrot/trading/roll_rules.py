"""The rule about futures near their end: what may still be opened, and when that ends for a contract."""

from datetime import UTC, datetime
from typing import Final

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.limits import Scope

RULE: Final = "roll_days"
DAY_NS = 86_400 * 1_000_000_000


def ends_ns(instrument: Instrument) -> int:
    """Return when a future is over for whoever does not want delivery: last trade or first notice, the earlier; 0 where it has no end."""
    if instrument.product is not Product.FUTURE:
        return 0
    return min((ns for ns in (instrument.expiry_ns, instrument.notice_ns) if ns), default=0)


def why_ends(instrument: Instrument) -> str:
    """Return what ends a future, with its day: "last trade on 2026-12-18"; "" for what has no end."""
    over_ns = ends_ns(instrument)
    if not over_ns:
        return ""
    what = "last trade" if over_ns == instrument.expiry_ns else "first notice"
    return f"{what} on {datetime.fromtimestamp(over_ns // 1_000_000_000, UTC):%Y-%m-%d}"


def is_near(instrument: Instrument, now_ns: int, days: float) -> bool:
    """Tell whether a future is within so many days of its end, or past it; 0 days is never."""
    over_ns = ends_ns(instrument)
    return bool(over_ns and days) and now_ns >= over_ns - int(days * DAY_NS)


def check_roll(order: Candidate, scopes: tuple[Scope, ...]) -> None:
    """Refuse to open a future that is about to end; asked of no order that only reduces.

    Raises:
        OrderRefused: rule roll_days.
    """
    instrument = order.instrument
    if instrument.product is not Product.FUTURE:
        return
    for scope in scopes:
        days = scope.limits.roll_days
        if is_near(instrument, order.now_ns, days):
            left = (ends_ns(instrument) - order.now_ns) / DAY_NS
            raise OrderRefused(RULE, f"{days:g} days of {scope} before {why_ends(instrument)}", f"{left:.1f} days left")
