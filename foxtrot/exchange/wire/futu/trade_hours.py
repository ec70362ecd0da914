"""When orders may be entered, when their day ends, and that nothing trades while a market is closed."""

from datetime import date, datetime, time, timedelta
from typing import Final

from foxtrot.domain.calendar import Session
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import SetTradingState, TradingState
from foxtrot.exchange.wire.futu.futu_hours import HOURS, US, calendar_of
from foxtrot.exchange.wire.futu.venue_side import FutuSide

REGULAR: Final = frozenset({"morning", "afternoon"})
"""Parts of the day in which every order may be filled."""
EXTENDED: Final = frozenset({"pre", "after"})
"""Parts of the day in which US orders may be filled that ask for it."""
_DAY_NS: Final = 86_400 * 1_000_000_000
_LONGEST_BREAK_DAYS: Final = 30


class TradeHours:
    """The sessions of the markets, as they bear on orders.

    Where the surface is always open, a day lasts 24 hours from the order that counts it.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide) -> None:
        self._side = side
        self._open: dict[str, bool] = {}

    def is_regular(self, instrument: Instrument, now_ns: int) -> bool:
        """Tell whether a stock is in its regular trading hours.

        Source: Futu OpenAPI documentation, Market State Definition.
        """
        return self._side.phase(self._side.market_of(instrument), now_ns) in REGULAR

    def may_enter(self, instrument: Instrument, now_ns: int, *, outside: bool) -> bool:
        """Tell whether an order can go to the market now; if not it waits.

        Source: Futu OpenAPI documentation, Place Order: fillOutsideRTH, session.
        """
        phase = self._side.phase(self._side.market_of(instrument), now_ns)
        return phase in REGULAR or (outside and phase in EXTENDED)

    def day_end_ns(self, instrument: Instrument, now_ns: int, *, outside: bool) -> int:
        """Return when an order that is good for the day ends.

        Source: Futu OpenAPI documentation, TimeInForce: DAY.
        """
        if self._side.always_open:
            return now_ns + _DAY_NS
        market = self._side.market_of(instrument)
        day = datetime.fromtimestamp(now_ns / 1e9, HOURS[market].zone).date()
        for ahead in range(_LONGEST_BREAK_DAYS):
            sessions = calendar_of(market).sessions_on(day + timedelta(days=ahead))
            if sessions and _last_moment(market, sessions, outside=outside) > now_ns:
                return _last_moment(market, sessions, outside=outside)
        return now_ns + _DAY_NS

    def date_end_ns(self, instrument: Instrument, day: date, *, outside: bool) -> int:
        """Return when an order ends that is good until a day.

        Source: Futu OpenAPI documentation, TimeInForce: GTD; Place Order: expireTime.
        """
        market = self._side.market_of(instrument)
        sessions = () if self._side.always_open else calendar_of(market).sessions_on(day)
        if sessions:
            return _last_moment(market, sessions, outside=outside)
        midnight = datetime.combine(day + timedelta(days=1), time(), HOURS[market].zone)
        return int(midnight.timestamp()) * 1_000_000_000

    def day_start_ns(self, instrument: Instrument, now_ns: int) -> int:
        """Return since when an order counts as one of today.

        Source: Futu OpenAPI documentation, Get Orders: orders of today.
        """
        if self._side.always_open:
            return now_ns - _DAY_NS
        zone = HOURS[self._side.market_of(instrument)].zone
        midnight = datetime.combine(datetime.fromtimestamp(now_ns / 1e9, zone).date(), time(), zone)
        return int(midnight.timestamp()) * 1_000_000_000

    def tick(self, now_ns: int) -> None:
        """Halt the stocks of markets that have closed, and let those trade that have opened.

        Source: HKEX trading hours: nothing is matched at lunch; Futu OpenAPI documentation, Market State Definition.
        """
        if self._side.always_open:
            return
        for (market, _), instrument in self._side.stocks().items():
            is_open = self._side.phase(market, now_ns) in REGULAR | EXTENDED
            name = instrument.instrument_id
            before = self._open.get(name)
            if before is None:  # at the start, or after one: the venue may have been restored halted
                before = self._side.venue.trading_state(name) is TradingState.TRADING
            self._open[name] = is_open
            if is_open is not before:
                state = TradingState.TRADING if is_open else TradingState.HALTED
                self._side.venue.execute(SetTradingState(now_ns, name, state))


def _last_moment(market: int, sessions: tuple[Session, ...], *, outside: bool) -> int:
    after = HOURS[market].after_ns if outside and market == US else 0
    return sessions[-1].close_ns + after
