"""What happens by itself as time passes: orders expire, funding is paid, contracts are settled. Each at its own time."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from foxtrot.domain.calendar_presets import ALWAYS_OPEN, calendar_named
from foxtrot.domain.enums import TimeInForce
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.sessions import day_end_ns
from foxtrot.exchange.expiry import settle_contract
from foxtrot.exchange.funding import pay_funding
from foxtrot.exchange.market import Market
from foxtrot.exchange.order_life import OrderLife
from foxtrot.exchange.tape import DAY_NS
from foxtrot.exchange.working_order import WorkingOrder

_ORDER, _FUNDING, _CONTRACT = range(3)
_Timer = tuple[int, int, int, str]
"""When, which kind, order id and instrument id: equal times are served in this order."""


class Clockwork:
    """Timers of orders and instruments; they are derived from the state and never part of it.

    Thread: belongs to its venue.
    """

    def __init__(self, life: OrderLife, settle: Callable[[], None]) -> None:
        self._life = life
        self._state = life.state
        self._settle = settle
        self.timers: list[_Timer] = []

    def time_order(self, market: Market, order: WorkingOrder) -> None:
        """Set the end of a GTD or DAY order.

        DAY ends with the trading day of the instrument's calendar, that of the next session while its market is closed there; where
        the calendar does not know the year, when the market is closed by command.
        """
        if order.time_in_force is TimeInForce.DAY and not order.expire_time_ns:
            order.expire_time_ns = self._day_end(market)
        if order.expire_time_ns and order.order_id in self._state.orders:
            heappush(self.timers, (order.expire_time_ns, _ORDER, order.order_id, market.instrument_id))

    def time_market(self, market: Market) -> None:
        """Set the next funding and the expiry of an instrument."""
        if market.next_funding_ns:
            heappush(self.timers, (market.next_funding_ns, _FUNDING, 0, market.instrument_id))
        if market.instrument.expiry_ns and not market.expired:
            heappush(self.timers, (market.instrument.expiry_ns, _CONTRACT, 0, market.instrument_id))

    def rebuild(self) -> None:
        """Derive all timers from the state anew."""
        self.timers.clear()
        for market in self._state.markets.values():
            self.time_market(market)
        for order in self._state.orders.values():
            if order.expire_time_ns:
                self.timers.append((order.expire_time_ns, _ORDER, order.order_id, order.instrument_id))
        heapify(self.timers)

    def next_ns(self) -> int | None:
        """Return when the next thing happens, None when nothing is due ever."""
        while self.timers and not self._is_live(self.timers[0]):
            heappop(self.timers)
        return self.timers[0][0] if self.timers else None

    def run(self, until_ns: int) -> None:
        """Let everything due up to a time happen."""
        stream, timers = self._state.stream, self.timers
        while timers and timers[0][0] <= until_ns:
            timer = heappop(timers)
            if self._is_live(timer):
                stream.time_ns = max(stream.time_ns, timer[0])
                self._ring(timer)
                self._settle()

    def _is_live(self, timer: _Timer) -> bool:
        time_ns, kind, order_id, instrument_id = timer
        if kind == _ORDER:
            return order_id in self._state.orders
        market = self._state.markets[instrument_id]
        return market.next_funding_ns == time_ns if kind == _FUNDING else not market.expired

    def _ring(self, timer: _Timer) -> None:
        time_ns, kind, order_id, instrument_id = timer
        market = self._state.markets[instrument_id]
        if kind == _ORDER:
            order = self._state.orders[order_id]
            self._life.expire(market, order, order.time_in_force.value)
        elif kind == _FUNDING:
            pay_funding(self._life, market)
            market.next_funding_ns = time_ns + market.instrument.funding_interval_s * 1_000_000_000
            self.time_market(market)
        else:
            settle_contract(self._life, market)

    def _day_end(self, market: Market) -> int:
        now = self._state.stream.time_ns
        if market.day_end_ns > now:
            return market.day_end_ns
        name = market.instrument.calendar
        if name == ALWAYS_OPEN.name:
            return now - now % DAY_NS + DAY_NS
        try:
            return day_end_ns(calendar_named(name), now)
        except ConfigError:
            return 0
