"""What Binance answers when an account asks, and what it tells of balances and positions unasked."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.account_codec import AccountCodec
from foxtrot.adapter.binance.account_trades import TradeLists
from foxtrot.adapter.binance.order_events import unwrapped
from foxtrot.adapter.binance.order_queries import of_source, rows_of
from foxtrot.adapter.binance.orders import Orders
from foxtrot.adapter.binance.report_codec import ReportCodec
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData, BalanceData, PositionData
from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.errors import AdapterError, BadMessage, RateLimited
from foxtrot.domain.market import REST
from foxtrot.domain.order import OrderData, TradeData

ZERO = Decimal(0)
Event = Mapping[str, object]
REFRESH_S = 1.0
REFRESH_AGAIN_S = 5.0
"""How long after the margin figures were asked for they are asked for again at the earliest; the latter without an answer."""


class AccountAnswers:
    """Asks for balances, positions, orders and fills of one account and publishes what is said; hears the user stream.

    Fills and, on Binance, only fills are had per symbol: those of the desired streams (`wanted`, instrument ids), of orders
    and positions heard of, and of pairs both of whose assets the account holds.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession, orders: Orders) -> None:
        self.wanted: Callable[[], Iterable[str]] = tuple
        self._adapter = adapter
        self._session = session
        self._orders = orders
        self._account = adapter.account
        self._spot = session.product is Product.SPOT
        self._codec = AccountCodec(session.product, adapter.account)
        self._reports = ReportCodec(session.product, adapter.account)
        self._trades = TradeLists(adapter, session, orders.tracker)
        self._balances: dict[str, BalanceData] = {}
        self._margin = (ZERO, ZERO)
        self._touched: set[str] = set()
        self._liquidation: dict[tuple[str, PositionSide], float] = {}
        self._held: set[str] = set()
        self._told_positions: list[PositionData | BalanceData] = []
        self._stale = False
        self._refreshing = False
        self._handlers: dict[str, Callable[[Event], None]] = {
            "outboundAccountPosition": self._on_balances,
            "balanceUpdate": self._on_balance_update,
            "ACCOUNT_UPDATE": self._on_account_update,
            "ACCOUNT_CONFIG_UPDATE": orders.leverage.hear,
        }

    # --- answers ----------------------------------------------------------------------------------------------------

    async def tell_account(self) -> None:
        """Publish all balances.

        Raises:
            AdapterError: they could not be had.
        """
        self._publish_balances(await self._load_account())

    async def check_account(self) -> None:
        """Ask for the balances, and tell them, and positions with them, if their totals are not what was told.

        Raises:
            AdapterError: they could not be had.
        """
        before = {asset: (row.total, row.locked if self._spot else ZERO) for asset, row in self._balances.items()}
        at_ns = await self._load_account()
        now = {asset: (row.total, row.locked if self._spot else ZERO) for asset, row in self._balances.items()}
        if now != before:
            self._publish_balances(at_ns)
            await self.tell_positions()

    async def _load_account(self) -> int:
        """Take in all balances and return the venue's time of them."""
        self._touched.clear()
        self._stale = False
        raw = await self._session.request("privateGetAccount" if self._spot else "fapiPrivateV3GetAccount", {})
        data = self._codec.account_data(raw, self._adapter.clock.now_ns())
        newer = self._touched if self._spot else set()
        for row in data.balances:
            known = self._balances.get(row.asset)
            if row.asset in newer and known is not None and known.venue_time_ns > row.venue_time_ns:
                continue
            if known is not None or row.total or row.locked:
                self._balances[row.asset] = row
        self._margin = (data.margin_used, data.margin_available)
        return data.venue_time_ns

    async def tell_positions(self) -> None:
        """Publish all positions; a spot account has none.

        Raises:
            AdapterError: they could not be had.
        """
        if not self._spot:
            await self._orders.leverage.load()
        rows = await self._load_positions()
        self._told_positions = _undated(rows)
        self._adapter.on_positions(PositionsLoaded(self._account, rows, self._adapter.clock.now_ns()))

    async def poll(self) -> None:
        """Ask for balances and positions, and tell those of which anything is new.

        Raises:
            AdapterError: they could not be had.
        """
        before = (_undated(self._balances.values()), self._margin)
        at_ns = await self._load_account()
        if (_undated(self._balances.values()), self._margin) != before:
            self._publish_balances(at_ns)
        rows = await self._load_positions()
        if _undated(rows) != self._told_positions:
            self._told_positions = _undated(rows)
            self._adapter.on_positions(PositionsLoaded(self._account, rows, self._adapter.clock.now_ns()))

    async def _load_positions(self) -> tuple[PositionData, ...]:
        """Return all positions; a spot account has none."""
        if self._spot:
            return ()
        raw = await self._session.request("fapiPrivateV3GetPositionRisk", {})
        rows = self._codec.positions(raw, self._adapter.clock.now_ns())
        self._liquidation = {(row.instrument_id, row.position_side): row.liquidation_price for row in rows}
        self._held |= {row.instrument_id for row in rows}
        return rows

    async def new_trades(self, symbols: Iterable[str]) -> tuple[TradeData, ...]:
        """Return our fills of some symbols that no list has had yet, without telling them.

        Raises:
            AdapterError: they could not be had.
        """
        return await self._trades.news(symbols)

    async def tell_orders(self) -> None:
        """Publish all open orders, those that wait for their trigger included.

        Raises:
            AdapterError: they could not be had.
        """
        orders = await self.open_orders()
        self._orders.note_listed(orders)
        self._adapter.on_open_orders(OpenOrdersLoaded(self._account, orders, self._adapter.clock.now_ns()))

    async def open_orders(self, symbol: str = "") -> tuple[OrderData, ...]:
        """Return all open orders, or a symbol's, those that wait for their trigger included, without telling them.

        Raises:
            AdapterError: they could not be had.
        """
        which = {"symbol": symbol} if symbol else {}
        endpoint = "privateGetOpenOrders" if self._spot else "fapiPrivateGetOpenOrders"
        plain = rows_of(await self._session.request(endpoint, which))
        waiting = [] if self._spot else rows_of(await self._session.request("fapiPrivateGetOpenAlgoOrders", which))
        now_ns = self._adapter.clock.now_ns()
        found = [self.told_as(self._reports.order_row(row, now_ns)[0]) for row in plain]
        found += [of_source(self._reports.algo_row(row, now_ns)[0], REST) for row in waiting]
        return tuple(sorted(found, key=lambda order: (order.venue_time_ns, order.venue_order_id)))

    async def tell_trades(self, since_ns: int, asked_ns: int | None = None) -> int:
        """Publish our fills since a time, inclusive; returns the time of the last one, or `since_ns` without any.

        With `asked_ns` the list says that it begins then, for what lies before `since_ns` is none of the platform's.

        Raises:
            AdapterError: they could not be had.
        """
        trades = await self._trades.since(self.symbols(), since_ns)
        for trade in trades:
            self._orders.tracker.note_fill(trade)
        self._adapter.on_trades(
            TradesLoaded(
                self._account, trades, self._adapter.clock.now_ns(), since_ns if asked_ns is None else asked_ns
            )
        )
        return trades[-1].venue_time_ns if trades else since_ns

    # --- the user stream --------------------------------------------------------------------------------------------

    def hear(self, raw_user_event: Event) -> bool:
        """Take one event of the user stream; False when it does not speak of the account. Never raises."""
        event = unwrapped(raw_user_event)
        handler = self._handlers.get(str(event.get("e")))
        if handler is None:
            return False
        try:
            handler(event)
        except BadMessage as error:
            logger.error("{} {}", self._account, error)
            self._adapter.on_request_failed(f"user event {event.get('e')}", error)
            self._refresh()
        return True

    def _on_balances(self, event: Event) -> None:
        rows = self._codec.balances_changed(event, self._adapter.clock.now_ns())
        news = [row for row in rows if not self._is_older(row)]
        for row in news:
            self._balances[row.asset] = row
            self._touched.add(row.asset)
        if news:
            self._publish_balances(news[0].venue_time_ns)

    def _on_balance_update(self, event: Event) -> None:
        self._adapter.on_charge(self._codec.balance_update(event, self._adapter.clock.now_ns()))

    def _on_account_update(self, event: Event) -> None:
        """Publish wallets and positions at once, and ask for the margin figures, which the event does not tell."""
        update, now_ns = self._codec.account_update(event), self._adapter.clock.now_ns()
        positions = self._codec.positions_changed(update, self._liquidation, now_ns)
        for charge in self._codec.charges(update, now_ns):
            self._adapter.on_charge(charge)
        for change in update.a.B:
            known = self._balances.get(change.a)
            locked = known.locked if known is not None else ZERO
            self._balances[change.a] = BalanceData(
                self._account, change.a, change.wb, change.wb - locked, locked, update.T * 1_000_000, now_ns
            )
        if update.a.B:
            self._publish_balances(update.T * 1_000_000)
        for position in positions:
            self._held.add(position.instrument_id)
            self._adapter.on_position(position)
        self._refresh()

    def _is_older(self, row: BalanceData) -> bool:
        known = self._balances.get(row.asset)
        return known is not None and row.venue_time_ns < known.venue_time_ns

    def _publish_balances(self, venue_time_ns: int) -> None:
        rows = tuple(self._balances[asset] for asset in sorted(self._balances))
        now_ns = self._adapter.clock.now_ns()
        self._adapter.on_account(AccountData(self._account, rows, venue_time_ns, now_ns, *self._margin))

    def _refresh(self) -> None:
        self._stale = True
        if not self._refreshing:
            self._refreshing = True
            self._session.spawn(self._refresh_while_stale(), "margin figures")

    async def _refresh_while_stale(self) -> None:
        try:
            while self._stale and self._session.linked:
                await self._session.wait_s(await self._try_refresh())
        finally:
            self._refreshing = False

    async def _try_refresh(self) -> float:
        """Ask once, and return for how long to wait before it may be asked again; without an answer they stay stale."""
        try:
            await self.tell_account()
        except AdapterError as error:
            logger.warning("{} margin figures could not be asked for: {}", self._account, error)
            self._stale = True
            return max(REFRESH_AGAIN_S, error.retry_after_s if isinstance(error, RateLimited) else 0.0)
        return REFRESH_S

    # --- inside -----------------------------------------------------------------------------------------------------

    def told_as(self, order: OrderData) -> OrderData:
        """Return an order under the id by which it was told first: a triggered one keeps that of its conditional order."""
        known = self._orders.tracker.order_id_of(order.instrument_id, order.venue_order_id)
        return msgspec.structs.replace(order, order_id=known or order.order_id, source=REST)

    def symbols(self) -> set[str]:
        """Return the symbols in which the account may have traded; of those that are halted only what was heard of or wanted."""
        instruments = self._session.instruments
        names = {*self.wanted(), *self._held, *self._orders.tracker.instruments} & instruments.keys()
        symbols = {instruments[name].symbol for name in names}
        if self._spot:
            assets = {asset for asset, row in self._balances.items() if row.total}
            trading = [one for name, one in instruments.items() if name not in self._session.halted]
            symbols |= {one.symbol for one in trading if one.base_asset in assets and one.quote_asset in assets}
        return symbols


def _undated(rows: Iterable[PositionData | BalanceData]) -> list[PositionData | BalanceData]:
    """Return rows without their times, to see whether anything else of them is new."""
    return [msgspec.structs.replace(row, venue_time_ns=0, local_time_ns=0) for row in rows]
