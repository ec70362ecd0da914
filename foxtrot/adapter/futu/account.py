"""What Futu answers when an account asks: money, holdings, orders and fills. Of money and holdings it tells nothing unasked."""

from collections.abc import Iterable
from operator import attrgetter
from typing import TypeVar

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.futu.account_codec import Money, balances_of, code_of_position, money_of, position_data
from foxtrot.adapter.futu.codec import MARKETS, QUOTED
from foxtrot.adapter.futu.order_reports import OrderReports, row_or_none
from foxtrot.adapter.futu.report_codec import OrderRow, deal_row
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData, BalanceData, PositionData
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import OPEN

Row = TypeVar("Row", PositionData, BalanceData)
DAY_NS = 86_400_000_000_000
OLDEST_NS = 90 * DAY_NS
"""How long an order may rest at most: so far back the orders of fills are looked for. Source: Futu OpenAPI, trade, TimeInForce (GTC)."""


class AccountAnswers:
    """Asks for money, holdings, orders and fills of one account, and publishes what is said.

    Thread: futu-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: FutuSession,
        requests: TradeRequests,
        reports: OrderReports,
        tracker: OrderTracker,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._requests = requests
        self._reports = reports
        self._tracker = tracker
        self._told_balances: tuple[BalanceData, ...] = ()
        self._told_positions: tuple[PositionData, ...] = ()

    async def tell_account(self) -> None:
        """Publish all balances.

        Raises:
            AdapterError: they could not be had.
        """
        self._publish_balances(await self._balances())

    async def tell_positions(self) -> None:
        """Publish all holdings.

        Raises:
            AdapterError: they could not be had.
        """
        self._publish_positions(await self._positions())

    async def poll(self) -> None:
        """Ask for balances and holdings, and tell those of which anything is new.

        Raises:
            AdapterError: they could not be had.
        """
        balances = await self._balances()
        if _undated(balances) != self._told_balances:
            self._publish_balances(balances)
        positions = await self._positions()
        if _undated(positions) != self._told_positions:
            self._publish_positions(positions)

    async def open_orders(self) -> tuple[OrderData, ...]:
        """Return all open orders without telling them; one that Futu has not judged yet is told when it has.

        Raises:
            AdapterError: they could not be had.
        """
        rows = [row_or_none(order) for order in await self._requests.orders(fresh=True)]
        facts = [self._reports.read(row)[0] for row in rows if row is not None]
        found = [order for order in facts if order is not None and order.status in OPEN]
        return tuple(sorted(found, key=lambda order: (order.venue_time_ns, order.venue_order_id)))

    async def trades(self, since_ns: int) -> tuple[TradeData, ...]:
        """Return all fills since a time, inclusive, oldest first, without telling them.

        Raises:
            AdapterError: they could not be had.
        """
        found = await (self._told_deals(since_ns) if self._reports.real else self._derived(since_ns))
        since = [trade for trade in found.values() if trade.venue_time_ns >= since_ns]
        return tuple(sorted(since, key=lambda trade: (trade.venue_time_ns, trade.venue_order_id, _number(trade))))

    async def tell_trades(self, since_ns: int, asked_ns: int | None = None) -> int:
        """Publish our fills since a time, inclusive; returns the time of the last one, or `since_ns` without any.

        With `asked_ns` the list says that it begins then, for what lies before `since_ns` is none of the platform's.

        Raises:
            AdapterError: they could not be had.
        """
        trades = await self.trades(since_ns)
        for trade in trades:
            self._tracker.note_fill(trade)
        now_ns, told_ns = self._adapter.clock.now_ns(), since_ns if asked_ns is None else asked_ns
        self._adapter.on_trades(TradesLoaded(self._adapter.account, trades, now_ns, told_ns))
        return trades[-1].venue_time_ns if trades else since_ns

    def publish_orders(self, orders: tuple[OrderData, ...]) -> None:
        """Publish all open orders."""
        self._adapter.on_open_orders(OpenOrdersLoaded(self._adapter.account, orders, self._adapter.clock.now_ns()))

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _balances(self) -> tuple[BalanceData, ...]:
        accounts = self._requests.accounts()
        monies: list[Money] = []
        for market, _ in accounts:
            asked = MARKETS[QUOTED[market][0]].currency if len(accounts) > 1 else self._session.settings.currency
            monies.append(money_of(await self._requests.funds(market, asked), asked))
        known = {row.asset for row in self._told_balances}
        found = balances_of(monies, self._adapter.account, self._adapter.clock.now_ns())
        return tuple(row for row in found if row.total or row.locked or row.asset in known)

    async def _positions(self) -> tuple[PositionData, ...]:
        now_ns = self._adapter.clock.now_ns()
        found: list[PositionData] = []
        for position in await self._requests.positions():
            instrument = self._reports.instrument_of(code_of_position(position))
            if instrument is not None and position.qty:
                found.append(position_data(position, self._adapter.account, instrument.instrument_id, now_ns))
        return tuple(sorted(found, key=attrgetter("instrument_id")))

    async def _told_deals(self, since_ns: int) -> dict[str, TradeData]:
        """Return the fills that Futu lists, each once, under the ids of their orders, which are asked for where nobody told them."""
        deals = [*await self._requests.past_deals(since_ns), *await self._requests.deals(fresh=True)]
        if deals:
            await self._name_orders({deal.orderIDEx for deal in deals}, since_ns)
        found: dict[str, TradeData] = {}
        for deal in sorted(deals, key=attrgetter("createTime", "fillID")):
            try:
                trade = self._reports.read_deal(deal_row(deal, pushed=False))
            except BadMessage as error:
                logger.warning("{}: a listed fill cannot be used: {}", self._adapter.account, error)
                continue
            if trade is not None:
                found[trade.trade_id] = trade
        return found

    async def _derived(self, since_ns: int) -> dict[str, TradeData]:
        found: dict[str, TradeData] = {}
        for row in await self._rows(
            since_ns - 2 * DAY_NS
        ):  # the orders of a paper account are those of one trading day
            found |= {trade.trade_id: trade for trade in self._reports.read(row)[1]}
        for trade in found.values():
            if (
                trade.venue_time_ns < self._reports.begin_ns
            ):  # part of what the account began with: its order brings it again
                self._tracker.note_fill(trade)
        return found

    async def _name_orders(self, numbers: set[str], since_ns: int) -> None:
        """Learn under which ids orders are told; those that rested for long are looked for further back."""
        for begin_ns in (since_ns - 2 * DAY_NS, since_ns - OLDEST_NS):
            for row in await self._rows(begin_ns):
                numbers.discard(row.venue_order_id)
                self._reports.read(row)
            if not numbers:
                return

    async def _rows(self, since_ns: int) -> list[OrderRow]:
        orders = [*await self._requests.past_orders(since_ns), *await self._requests.orders(fresh=True)]
        rows = [row_or_none(order) for order in orders]
        newest = {(row.code, row.venue_order_id): row for row in rows if row is not None}
        return sorted(newest.values(), key=attrgetter("created_ns"))

    def _publish_balances(self, balances: tuple[BalanceData, ...]) -> None:
        now_ns = self._adapter.clock.now_ns()
        self._told_balances = _undated(balances)
        self._adapter.on_account(AccountData(self._adapter.account, balances, now_ns, now_ns))

    def _publish_positions(self, positions: tuple[PositionData, ...]) -> None:
        self._told_positions = _undated(positions)
        self._adapter.on_positions(PositionsLoaded(self._adapter.account, positions, self._adapter.clock.now_ns()))


def _undated(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows without their times, to see whether anything else of them is new."""
    return tuple(msgspec.structs.replace(row, venue_time_ns=0, local_time_ns=0) for row in rows)


def _number(trade: TradeData) -> tuple[int, str]:
    """Return what fills of one moment are sorted by: their numbers, which grow."""
    return (int(trade.trade_id) if trade.trade_id.isdecimal() else 0), trade.trade_id
