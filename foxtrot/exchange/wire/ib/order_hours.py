"""When orders may go to the market, when their day ends, and that nothing trades while a market is closed."""

from datetime import datetime
from typing import Final

from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.calendar_presets import CALENDAR_NAMES, calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.commands import SetTradingState, TradingState
from foxtrot.exchange.wire.ib.venue_side import IbContract, IbSide

_EXTENDED: Final = {"XNYS": "XNYS_EXT"}
"""Calendars by which orders with outsideRth go."""
_DAY_NS: Final = 86_400 * 1_000_000_000


class OrderHours:
    """The sessions of contracts, as they bear on orders.

    Where the surface is always open, a day lasts 24 hours from the order that counts it.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide) -> None:
        self._side = side
        self._open: dict[str, bool] = {}

    def may_enter(self, contract: IbContract, now_ns: int, *, outside: bool) -> bool:
        """Tell whether an order can go to the market now; if not it waits. Of years that no calendar knows nothing opens.

        Source: TWS API documentation, Order: outsideRth.
        """
        try:
            if self._side.is_open(contract, now_ns):
                return True
            calendar = self._calendar(contract, outside=outside)
            return outside and calendar is not None and calendar.is_open(now_ns)
        except ConfigError:
            return False

    def day_end_ns(self, contract: IbContract, now_ns: int, *, outside: bool) -> int:
        """Return when an order that is good for the day ends.

        Source: TWS API documentation, Order: tif DAY.
        """
        calendar = self._calendar(contract, outside=outside)
        opening = None if calendar is None else self._session_ns(calendar, now_ns)
        if calendar is None or opening is None:
            return now_ns + _DAY_NS
        session = calendar.session_of(opening)
        return now_ns + _DAY_NS if session is None else calendar.sessions_on(session.day)[-1].close_ns

    def opening_text(self, contract: IbContract, now_ns: int, *, outside: bool) -> str:
        """Return when the market opens next, as the warning of TWS says it.

        Source: TWS API documentation, Error Codes (399); seen in logs of real TWS.
        """
        calendar = self._calendar(contract, outside=outside)
        opening = None if calendar is None else self._session_ns(calendar, now_ns)
        moment = datetime.fromtimestamp((opening or now_ns) / 1e9, contract.zone)
        return f"{moment:%Y-%m-%d %H:%M:%S} {contract.zone_text}"

    def tick(self, now_ns: int) -> None:
        """Halt the contracts whose market has closed, and let those trade whose market has opened.

        Source: the exchanges' trading hours.
        """
        if self._side.settings.always_open:
            return
        for contract in self._side.contracts.all():
            if 0 < contract.instrument.expiry_ns <= now_ns:
                continue
            name, is_open = contract.instrument_id, self.may_enter(contract, now_ns, outside=True)
            before = self._open.get(name)
            if before is None:  # at the start, or after one: the venue may have been restored halted
                before = self._side.venue.trading_state(name) is TradingState.TRADING
            self._open[name] = is_open
            if is_open is not before:
                state = TradingState.TRADING if is_open else TradingState.HALTED
                self._side.venue.execute(SetTradingState(now_ns, name, state))

    @staticmethod
    def _session_ns(calendar: TradingCalendar, now_ns: int) -> int | None:
        """Return a moment of the session that is on or comes next, None where no calendar knows it."""
        try:
            return now_ns if calendar.is_open(now_ns) else calendar.next_open_ns(now_ns)
        except ConfigError:
            return None

    def _calendar(self, contract: IbContract, *, outside: bool) -> TradingCalendar | None:
        """Return the calendar of a contract, None where it never closes."""
        name = contract.instrument.calendar
        name = _EXTENDED.get(name, name) if outside else name
        if self._side.settings.always_open or name not in CALENDAR_NAMES:
            return None
        calendar = calendar_named(name)
        return None if calendar.always_open else calendar
