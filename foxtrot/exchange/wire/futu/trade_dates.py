"""The days on which a market trades, from its calendar."""

from datetime import date, timedelta
from typing import Any, Final

from foxtrot.domain.calendar import TradingCalendar
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.futu_hours import HK, SH, US, calendar_of
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.quote_limits import refused
from foxtrot.exchange.wire.futu.quote_quota import CallPace
from foxtrot.exchange.wire.futu.quote_stocks import StockTable
from foxtrot.exchange.wire.futu.quote_times import day_text, epoch_s, midnight_ns, read_moment

REQUEST_TRADE_DATE = 3219
_MARKETS: Final = {1: HK, 2: US, 3: SH, 4: SH}
"""TradeDateMarket → QotMarket.

Source: Qot_Common.proto, TradeDateMarket.
"""
_WHOLE, _MORNING = 0, 1
"""Source: Qot_Common.proto, TradeDateType. A day that closes early in New York counts as a morning; that is not proved."""


class TradeDates:
    """Handler of Qot_RequestTradeDate.

    Thread: exchange-io.
    """

    def __init__(self, table: StockTable) -> None:
        self._table = table
        self._pace = CallPace("trade_date_calls", is_strict=table.side.settings.limits)

    def request(self, _client: FutuClient, c2s: Any) -> Any:
        """Return the trading days of a market, or of the market of a security, both ends included.

        Source: Qot_RequestTradeDate.proto; Futu OpenAPI documentation, Get Trading Days.

        Raises:
            FutuRefused: an unknown market, code or day, or too many calls.
        """
        self._pace.use(self._table.side.now_ns())
        market = self._table.find(c2s.security).market if c2s.HasField("security") else _MARKETS.get(c2s.market)
        if market is None:
            raise refused("bad_market", value=c2s.market, known="1 HK, 2 US, 3 and 4 the mainland")
        first = read_moment("beginTime", c2s.beginTime, is_end=False).date()
        last = read_moment("endTime", c2s.endTime, is_end=True).date()
        calendar, zone = calendar_of(market), self._table.side.zone_of(market)
        s2c = new_answer(REQUEST_TRADE_DATE)
        for day, kind in _days(calendar, first, last):
            s2c.tradeDateList.add(time=day_text(day), timestamp=epoch_s(midnight_ns(day, zone)), tradeDateType=kind)
        return s2c


def _days(calendar: TradingCalendar, first: date, last: date) -> list[tuple[date, int]]:
    """Return trading days with their kind, as far as the calendar knows."""
    rules = calendar.rules
    day, last = max(first, rules.first_day), min(last, rules.last_day)
    found = []
    while day <= last:
        if calendar.sessions_on(day):
            is_short = day in rules.special and rules.special[day][-1][1] < rules.weekly[day.weekday()][-1][1]
            found.append((day, _MORNING if is_short else _WHOLE))
        day += timedelta(days=1)
    return found
