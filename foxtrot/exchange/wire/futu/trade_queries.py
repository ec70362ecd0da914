"""Questions about orders, fills and fees, with the filters that requests may set."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from foxtrot.domain.fees import FeeBasis
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.trade_accounts import TradeAccounts
from foxtrot.exchange.wire.futu.trade_hours import TradeHours
from foxtrot.exchange.wire.futu.trade_orders import OPEN, OrderState, TradeOrder, TradeOrders
from foxtrot.exchange.wire.futu.trade_rows import FIRST_FILL_ID, fill_deal, fill_order
from foxtrot.exchange.wire.futu.trade_texts import refused
from foxtrot.exchange.wire.futu.venue_side import FutuAccount, FutuSide

_ORDERS, _FILLS, _PAST_ORDERS, _PAST_FILLS, _FEES = 2201, 2211, 2221, 2222, 2225
_Row = tuple[TradeOrder, OrderState]
_ZERO: Final = Decimal(0)
TITLES: Final = {
    "commission": "Commission", "platform": "Platform Fee", "settlement": "Settlement Fee", "stamp_duty": "Stamp Duty",
    "trading_fee": "Trading Fee", "sfc_levy": "SFC Transaction Levy", "frc_levy": "AFRC Transaction Levy",
    "sec_fee": "SEC Fee", "finra_taf": "Trading Activity Fee",
}  # fmt: skip
"""How the items of a fee schedule are called.

Source: Futu HK, fees of HK and US stocks.
"""


class _Conditions(msgspec.Struct, frozen=True):
    """What rows must fulfil; empty lets all pass. Times are text of the market's local time."""

    codes: frozenset[str]
    ids: frozenset[int]
    names: frozenset[str]
    market: int
    begin: str
    end: str

    @classmethod
    def of(cls, raw: Any, *, needs_times: bool = False) -> "_Conditions":
        if needs_times and not (raw.beginTime and raw.endTime):
            raise refused("times")
        times = frozenset(raw.orderIDExList)
        return cls(frozenset(raw.codeList), frozenset(raw.idList), times, raw.filterMarket, raw.beginTime, raw.endTime)

    def times(self, side: FutuSide, instrument: Instrument) -> tuple[int, int]:
        """Return the first and last moment wanted, in ns."""
        zone = side.zone_of(side.market_of(instrument))
        moments = []
        for text, default in ((self.begin, 0), (self.end, 2**63)):
            try:
                moment = (
                    int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1e6) * 1000 if text else default
                )
            except ValueError:
                raise refused("times") from None
            moments.append(moment)
        return moments[0], moments[1]

    def fit(self, side: FutuSide, order: TradeOrder, row_id: int, time_ns: int) -> bool:
        """Tell whether a row of an order passes."""
        instrument = order.instrument
        begin, end = self.times(side, instrument)
        return (
            (not self.codes or instrument.symbol in self.codes)
            and (not self.ids or row_id in self.ids)
            and (not self.names or order.order_id_ex in self.names)
            and self.market in (0, side.trd_market_of(instrument))
            and begin <= time_ns <= end
        )


class TradeQueries:
    """Answers what was ordered and filled, and what it cost.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide, accounts: TradeAccounts, orders: TradeOrders, hours: TradeHours) -> None:
        self._side = side
        self._accounts = accounts
        self._orders = orders
        self._hours = hours

    def orders(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the open orders and those of today.

        Source: Futu OpenAPI documentation, Get Orders.
        """
        return self._order_list(_ORDERS, c2s, _Conditions.of(c2s.filterConditions))

    def past_orders(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the orders that have ended, of a stretch of time.

        Source: Futu OpenAPI documentation, Get Historical Orders.
        """
        return self._order_list(_PAST_ORDERS, c2s, _Conditions.of(c2s.filterConditions, needs_times=True))

    def fills(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the fills of today; SIMULATE accounts have none to show.

        Source: Futu OpenAPI documentation, Get Today's Deals.
        """
        return self._fill_list(_FILLS, c2s, _Conditions.of(c2s.filterConditions))

    def past_fills(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the fills of a stretch of time.

        Source: Futu OpenAPI documentation, Get Historical Deals.
        """
        return self._fill_list(_PAST_FILLS, c2s, _Conditions.of(c2s.filterConditions, needs_times=True))

    def fees(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer what the fills of orders cost, as it was charged.

        Source: Futu OpenAPI documentation, Get Order Fee.
        """
        account = self._accounts.of(c2s.header)
        if not account.real:
            raise refused("simulate_fees")
        s2c = new_answer(_FEES)
        s2c.header.CopyFrom(c2s.header)
        for order_id_ex in c2s.orderIdExList:
            order = self._orders.named(account, order_id_ex)
            if order is None:
                raise refused("order", order_id=order_id_ex)
            fills = [fill for fill in self._side.venue.fills(account.account) if fill.order_id == order.venue_id]
            row = s2c.orderFeeList.add(orderIDEx=order_id_ex, feeAmount=float(sum((one.fee for one in fills), _ZERO)))
            for title, value in self._items(order, fills):
                row.feeList.add(title=title, value=float(value))
        return s2c

    def _items(self, order: TradeOrder, fills: list[OrderFilled]) -> list[tuple[str, Decimal]]:
        """Return the fee items of an order; none where they are not what was charged."""
        schedule, grid = self._side.venue.fees(order.instrument.instrument_id), order.instrument.quantity_grid
        totals: dict[str, Decimal] = {}
        done, value, charged = _ZERO, _ZERO, _ZERO
        for fill in fills:
            quantity = grid.to_decimal(fill.fill_quantity)
            notional = order.instrument.notional(fill.fill_price, fill.fill_quantity)
            basis = FeeBasis(fill.side, fill.liquidity, quantity, notional, done, value, charged)
            for name, amount in schedule.breakdown(basis):
                totals[name] = totals.get(name, _ZERO) + amount
            done, value, charged = done + quantity, value + notional, charged + fill.fee
        if sum(totals.values(), _ZERO) != charged:
            return []
        return [(TITLES.get(name, name), amount) for name, amount in totals.items() if amount]

    def _order_list(self, proto_id: int, c2s: Any, wanted: _Conditions) -> Any:
        account = self._accounts.of(c2s.header)
        s2c = new_answer(proto_id)
        s2c.header.CopyFrom(c2s.header)
        statuses = frozenset(c2s.filterStatusList)
        rows = self._named(account, wanted) if wanted.names else self._orders.all(account)
        found = self._past(rows) if proto_id == _PAST_ORDERS else self._present(rows)
        for order, state in sorted(found, key=lambda row: row[0].created_ns):
            if statuses and state.status not in statuses:
                continue
            if wanted.fit(self._side, order, order.order_id, order.created_ns):
                fill_order(s2c.orderList.add(), self._side, order, state)
        return s2c

    def _named(self, account: FutuAccount, wanted: _Conditions) -> Iterator[_Row]:
        """Return the orders asked for by their ids; the SDK asks so after each order, however many there are."""
        for order_id_ex in sorted(wanted.names):
            order = self._orders.named(account, order_id_ex)
            if order is not None:
                yield order, self._orders.state(order)

    def _present(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        now_ns = self._side.now_ns()
        for order, state in rows:
            today = max(order.created_ns, state.updated_ns) >= self._hours.day_start_ns(order.instrument, now_ns)
            if today or state.status in OPEN:
                yield order, state

    @staticmethod
    def _past(rows: Iterable[_Row]) -> Iterator[_Row]:
        return ((order, state) for order, state in rows if state.status not in OPEN)

    def _fill_list(self, proto_id: int, c2s: Any, wanted: _Conditions) -> Any:
        account = self._accounts.of(c2s.header)
        if not account.real:
            raise refused("simulate_deals")
        s2c = new_answer(proto_id)
        s2c.header.CopyFrom(c2s.header)
        stocks = {one.instrument_id: one for one in self._side.stocks().values()}
        now_ns = self._side.now_ns()
        for fill in self._side.venue.fills(account.account):
            instrument = stocks.get(fill.instrument_id)
            order = None if instrument is None else self._orders.by_venue_id(account, instrument, fill.order_id)
            if order is None or (
                proto_id == _FILLS and fill.time_ns < self._hours.day_start_ns(order.instrument, now_ns)
            ):
                continue
            if wanted.fit(self._side, order, FIRST_FILL_ID + fill.sequence, fill.time_ns):
                fill_deal(s2c.orderFillList.add(), self._side, order, fill)
        return s2c
