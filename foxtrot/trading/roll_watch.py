"""The watch over futures near their end: each position in one is named when it is first seen so, and once a day after that."""

from datetime import UTC, datetime
from typing import Final

from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import PositionEnds
from foxtrot.trading.limits import LimitTable
from foxtrot.trading.portfolio import Portfolio, PositionKey
from foxtrot.trading.roll_rules import DAY_NS, ends_ns, is_near, why_ends

LOOK_NS: Final = 10_000_000_000


class RollWatch:
    """Puts PositionEnds for every position within its `roll_days`, whoever owns it.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, portfolio: Portfolio, limits: LimitTable) -> None:
        self._dispatcher = dispatcher
        self._clock: Clock = dispatcher.clock
        self._portfolio = portfolio
        self._limits = limits
        self._told: dict[PositionKey, str] = {}
        self._next_ns = 0

    def look(self) -> None:
        """Name what is due; called often, it looks at positions every ten seconds."""
        now_ns = self._clock.now_ns()
        if self._next_ns - LOOK_NS <= now_ns < self._next_ns:  # a clock that was set back does not silence it
            return
        self._next_ns = now_ns + LOOK_NS
        day = f"{datetime.fromtimestamp(now_ns // 1_000_000_000, UTC):%Y-%m-%d}"
        for key, position in list(self._portfolio.positions()):
            instrument = position.instrument
            if not ends_ns(instrument) or not position.exact_quantity or self._told.get(key) == day:
                continue
            owner, account, instrument_id, side = key
            days = max(scope.limits.roll_days for scope in self._limits.scopes(account, owner))
            if is_near(instrument, now_ns, days):
                self._told[key] = day
                left = (ends_ns(instrument) - now_ns) / DAY_NS
                self._dispatcher.put(
                    PositionEnds(
                        owner,
                        account,
                        instrument_id,
                        side,
                        float(position.exact_quantity),
                        why_ends(instrument),
                        left,
                        now_ns,
                    )
                )
