"""What IB answers when an account asks: money, positions, open orders and fills."""

import asyncio
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final, Protocol, TypeVar

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.account_codec import account_data, position_data
from foxtrot.adapter.ib.order_questions import midnight_ns
from foxtrot.adapter.ib.reports import Reports
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.ib.trade_requests import TradeRequests, each
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData, BalanceData, PositionData
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import OPEN

Row = TypeVar("Row", PositionData, BalanceData)
COMMISSIONS_S: Final = 2.0
"""How long a list of fills waits for their commissions, which come one by one behind it."""
SECOND_NS: Final = 10**9


class Contracts(Protocol):
    """Who knows IB's contracts."""

    def instrument_of(self, con_id: int) -> Instrument | None:
        """Return the instrument of a conId, None when it is not listed."""
        ...

    async def resolve_con_id(self, con_id: int) -> Instrument:
        """Return the instrument of a conId that nobody has named.

        Raises:
            ConfigError: IB knows none, or it is of a kind that is not traded here.
            AdapterError: TWS did not answer.
        """
        ...


class AccountAnswers:
    """Asks for money, positions, orders and fills of one account, and publishes what is said.

    Thread: ib-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: IbSession,
        market: Contracts,
        requests: TradeRequests,
        reports: Reports,
        tracker: OrderTracker,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._market = market
        self._requests = requests
        self._reports = reports
        self._tracker = tracker
        self._charged = asyncio.Event()
        self._told_account: AccountData | None = None
        self._told_positions: tuple[PositionData, ...] = ()
        self._left_out: set[int] = set()
        self._said_short = False

    def hear_commission(self) -> None:
        """Hear that a commission has come."""
        self._charged.set()

    async def tell_account(self) -> None:
        """Publish all balances.

        Raises:
            AdapterError: they could not be had.
        """
        self._publish_account(await self._account())

    async def tell_positions(self) -> None:
        """Publish all positions.

        Raises:
            AdapterError: they could not be had.
        """
        self._publish_positions(await self._positions())

    async def poll(self) -> None:
        """Ask for balances and positions, and tell those of which anything is new.

        Raises:
            AdapterError: they could not be had.
        """
        account = await self._account()
        if self._told_account is None or _undated(account.balances) != _undated(self._told_account.balances):
            self._publish_account(account)
        positions = await self._positions()
        if _undated(positions) != self._told_positions:
            self._publish_positions(positions)

    async def open_orders(self) -> tuple[OrderData, ...]:
        """Return all open orders without telling them; one that IB has not judged yet is told when it has.

        Raises:
            AdapterError: they could not be had.
        """
        found: dict[str, OrderData] = {}
        statuses: list[tuple[object, ...]] = []
        for kind, told in await self._requests.open_orders():
            if kind == "orderStatus":
                statuses.append(told)
                continue
            await self._resolve(told[1])
            listed = each([told], self._reports.read_open, "order")
            found |= {name: order for name, order in listed if name and order is not None}
        for name, row in each(statuses, self._reports.read_status, "status"):
            if name in found:
                found[name] = self._reports.facts.with_status(found[name], row)
        still_open = [order for order in found.values() if order.status in OPEN]
        return tuple(sorted(still_open, key=lambda order: (order.venue_time_ns, order.venue_order_id, order.order_id)))

    def publish_orders(self, orders: tuple[OrderData, ...]) -> None:
        """Publish all open orders."""
        self._adapter.on_open_orders(OpenOrdersLoaded(self._adapter.account, orders, self._adapter.clock.now_ns()))

    async def tell_trades(self, since_ns: int, asked_ns: int | None = None) -> int:
        """Publish our fills since a time, inclusive; returns the time of the last one, or `since_ns` without any.

        IB tells whole seconds, so that fills of the second of `since_ns` are all told; and of earlier days it tells none, which the list
        says by the time from which it is whole.

        Args:
            since_ns: venue time, UTC ns.
            asked_ns: from when on the list says that it is, for what lies before `since_ns` is none of the platform's.

        Raises:
            AdapterError: they could not be had.
        """
        with self._reports.fills.listing():
            rows = await self._requests.executions()
            for row in rows:
                await self._resolve(row[-2])  # what nobody has named may have been sold while we were away
            each(rows, lambda one: self._reports.hear_fill(*one[-2:], pushed=False), "fill")
            await self._await_commissions()
            trades = tuple(
                trade
                for trade in self._reports.fills.told()
                if trade.venue_time_ns >= since_ns // SECOND_NS * SECOND_NS
            )
            for trade in trades:
                self._reports.fills.note_listed(trade.trade_id)
                self._tracker.note_fill(trade)
            self._publish_trades(trades, since_ns if asked_ns is None else asked_ns)
        self._reports.heard_fill()
        return max([since_ns, *(trade.venue_time_ns for trade in trades)])

    # --- inside -----------------------------------------------------------------------------------------------------

    def _publish_trades(self, trades: tuple[TradeData, ...], since_ns: int) -> None:
        now_ns = self._adapter.clock.now_ns()
        if since_ns < midnight_ns(now_ns, self._reports.facts.zone) and not self._said_short:
            self._said_short = True
            logger.info("{}: IB may list the fills of today alone, and more is asked for", self._adapter.account)
        self._adapter.on_trades(TradesLoaded(self._adapter.account, trades, now_ns, since_ns))

    async def _await_commissions(self) -> None:
        """Wait a moment for the commissions of fills that are listed."""
        alarm = asyncio.ensure_future(self._session.wait_s(COMMISSIONS_S))
        try:
            while self._reports.fills.uncharged and not alarm.done():
                self._charged.clear()
                heard = asyncio.ensure_future(self._charged.wait())
                await asyncio.wait({heard, alarm}, return_when=asyncio.FIRST_COMPLETED)
                heard.cancel()
        finally:
            alarm.cancel()

    async def _account(self) -> AccountData:
        known = (
            frozenset(row.asset for row in self._told_account.balances)
            if self._told_account is not None
            else frozenset()
        )
        return account_data(await self._requests.values(), self._adapter.account, known, self._adapter.clock.now_ns())

    async def _positions(self) -> tuple[PositionData, ...]:
        now_ns = self._adapter.clock.now_ns()
        found: list[PositionData] = []
        for contract, quantity, cost in await self._requests.positions():
            instrument = await self._resolve(contract)
            if instrument is None:
                continue
            row = position_data(quantity, cost, self._adapter.account, instrument, now_ns)
            if row is not None and row.quantity:
                found.append(row)
        return tuple(sorted(found, key=attrgetter("instrument_id")))

    async def _resolve(self, contract: Any) -> Instrument | None:
        """Return the instrument of a contract, looked up where nobody has named it; None for a kind that is not traded here, told once."""
        con_id, name = int(contract.conId), str(contract.localSymbol or contract.symbol)
        known = self._market.instrument_of(con_id)
        if known is not None or con_id in self._left_out:
            return known
        try:
            return await self._market.resolve_con_id(con_id)
        except ConfigError as error:
            self._left_out.add(con_id)
            self._adapter.on_request_failed(f"what the account has of {name}", f"it is left out: {error}")
            return None

    def _publish_account(self, account: AccountData) -> None:
        self._told_account = account
        self._adapter.on_account(account)

    def _publish_positions(self, positions: tuple[PositionData, ...]) -> None:
        self._told_positions = _undated(positions)
        self._adapter.on_positions(PositionsLoaded(self._adapter.account, positions, self._adapter.clock.now_ns()))


def _undated(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows without their times, to see whether anything else of them is new."""
    return tuple(msgspec.structs.replace(row, venue_time_ns=0, local_time_ns=0) for row in rows)
