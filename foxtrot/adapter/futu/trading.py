"""The account's side of a Futu adapter: what is told over a new link, and what pushes say while the link stands."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.futu.account import AccountAnswers
from foxtrot.adapter.futu.account_polling import AccountPolling
from foxtrot.adapter.futu.derived_trades import DerivedTrades
from foxtrot.adapter.futu.order_reports import OrderReports
from foxtrot.adapter.futu.orders import Orders
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.own_order import own_order
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError, FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest, OrderData, TradeData

HOUR_NS: Final = 3_600_000_000_000
LATE_S: Final = 2.0
"""How long after a fill the state of its order may come by a push, before it is asked for."""


class Contracts(Protocol):
    """Who lists what can be traded."""

    async def load_contracts(self) -> tuple[Instrument, ...]:
        """Return what can be traded.

        Raises:
            AdapterError: it could not be had.
        """
        ...


class FutuTrading:
    """Brings everything up to date over a new link, in the promised order, and hears what pushes tell.

    Fills older than `fills_begin_ns` are part of what the account began with, and never told; those older than `cursor_ns` were. What
    pushes say while a link is brought up to date is kept and heard after it, so that nothing older follows something newer.

    Thread: futu-io, except `deny`, which any thread may call.
    """

    def __init__(self, adapter: BaseAdapter, session: FutuSession, market: Contracts) -> None:
        self._adapter = adapter
        self._session = session
        self._market = market
        context = adapter.context
        self.requests = TradeRequests(session)
        self.tracker = OrderTracker(self._tell_order, self._tell_trade)
        self.tracker.tells_changes = True
        derived = DerivedTrades(None if session.settings.is_real else context.home, adapter.account)
        self.reports = OrderReports(adapter, session, self.tracker, derived)
        self.orders = Orders(adapter, session, self.tracker, self.reports, self.requests)
        self.answers = AccountAnswers(adapter, session, self.requests, self.reports, self.tracker)
        self.polling = AccountPolling(
            session, self.requests, self.answers, self.orders.questions, self.reports, context.permit
        )
        self.polling.on_looked = self.orders.watch.note_fills
        begin_ns = adapter.clock.now_ns() - session.settings.trades_since_hours * HOUR_NS
        self.fills_begin_ns = self.cursor_ns = min(begin_ns, context.fills_since_ns or begin_ns)
        self.reports.begin_ns = self.fills_begin_ns
        self._held: list[Callable[[], object]] | None = None
        self._late = False
        session.on_push["order"] = partial(self._push, self._hear_order)
        session.on_push["deal"] = partial(self._push, self._hear_deal)

    # --- orders -----------------------------------------------------------------------------------------------------

    async def place(self, order: ApprovedOrder) -> None:
        """Send an order; its life comes back as OrderData and TradeData."""
        await self.orders.place(order)

    async def cancel(self, request: CancelRequest) -> None:
        """Cancel an order, whatever the send permit says."""
        await self.orders.cancel(request)

    async def amend(self, amend: ApprovedAmend) -> None:
        """Change a resting order, past the send permit."""
        await self.orders.amend(amend)

    def deny(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Publish that an order never left."""
        self.orders.deny(order, rule, reason)

    def recover(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Find out what became of an order that an earlier run may have sent."""
        self.orders.recover(order, sent_ns)

    # --- answers ----------------------------------------------------------------------------------------------------

    async def tell_account(self) -> None:
        """Publish all balances.

        Raises:
            AdapterError: they could not be had.
        """
        await self.answers.tell_account()

    async def tell_positions(self) -> None:
        """Publish all holdings.

        Raises:
            AdapterError: they could not be had.
        """
        await self.answers.tell_positions()

    async def tell_orders(self) -> None:
        """Publish all open orders.

        Raises:
            AdapterError: they could not be had.
        """
        orders = await self.answers.open_orders()
        self.orders.note_listed(orders)
        self.answers.publish_orders(orders)
        self.orders.tell_found(orders)

    async def tell_order(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order, and tell it, or that there is none once that is proved; one that waits for its market is with us.

        Raises:
            AdapterError: no answer, or one that proves nothing yet.
        """
        waiting = self.orders.queue.waiting(order_id)
        if waiting is None:
            await self.orders.look_up.tell(order_id, instrument_id)
            return
        instrument, now_ns = self._session.find_instrument(instrument_id), self._adapter.clock.now_ns()
        self._adapter.on_order(own_order(waiting, instrument, now_ns, OrderStatus.SUBMITTED, "", ""))

    async def tell_trades(self, since_ns: int) -> None:
        """Publish our fills since a time, those excepted that are part of what the account began with.

        Raises:
            AdapterError: they could not be had.
        """
        await self.answers.tell_trades(max(since_ns, self.fills_begin_ns), asked_ns=since_ns)

    # --- the link ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Tell contracts, account, holdings, open orders and the fills since the last ones that were told, in this order.

        Raises:
            AdapterError: something could not be had.
        """
        self._held = []
        try:
            await self.orders.unlocking.open()
            contracts = await self._market.load_contracts()
            self._session.instruments = {one.instrument_id: one for one in contracts}
            self._adapter.on_contracts(contracts)
            await self.tell_account()
            await self.tell_positions()
            await self.tell_orders()
            self.cursor_ns = await self.answers.tell_trades(self.cursor_ns)
            self.tracker.catch_up()
        finally:
            held, self._held = self._held or [], None
        for hear in held:
            hear()
        self._session.spawn(self._quietly("unknown orders", self.orders.resolve_unknown), "unknown orders")
        self.polling.start()

    def lost(self) -> None:
        """Stop what needs the link; orders that wait for their market are denied."""
        self.polling.stop()
        self.orders.queue.drop_all(
            "the link to OpenD was lost while it waited for its market to open; it was never sent"
        )

    # --- pushes -----------------------------------------------------------------------------------------------------

    def _push(self, hear: Callable[[Any], None], s2c: Any) -> None:
        """Take a push on the SDK's thread."""
        self._session.call_soon(partial(self._take, hear, s2c))

    def _take(self, hear: Callable[[Any], None], s2c: Any) -> None:
        if self._held is not None:
            self._held.append(partial(self._safely, hear, s2c))
        else:
            self._safely(hear, s2c)

    def _safely(self, hear: Callable[[Any], None], s2c: Any) -> None:
        try:
            hear(s2c)
        except FoxtrotError as error:
            logger.error("{}: a push cannot be used: {}", self._adapter.account, error)
            self._adapter.on_request_failed("push of the account", error)

    def _hear_order(self, s2c: Any) -> None:
        if self._is_ours(s2c.header):
            self.reports.hear_order(s2c.order, pushed=True)
            self.orders.watch.note_fills()

    def _hear_deal(self, s2c: Any) -> None:
        if self._is_ours(s2c.header) and self.reports.real:
            self.reports.hear_deal(s2c.orderFill, pushed=True)
            if self.reports.unheard and not self._late:
                self._late = True
                self._session.spawn(self._ask_late(), "orders of fills")

    def _is_ours(self, header: Any) -> bool:
        return any(account.account_id == header.accID for account in self._session.accounts.values())

    async def _ask_late(self) -> None:
        try:
            await self._session.wait_s(LATE_S)
            if self.reports.unheard and self._session.linked:
                await self._quietly("orders of fills", self.orders.questions.ask_unheard)
        finally:
            self._late = False

    # --- what the tracker tells -------------------------------------------------------------------------------------

    def _tell_order(self, order: OrderData) -> None:
        self._adapter.on_order(order)
        self.orders.note_heard(order.order_id)

    def _tell_trade(self, trade: TradeData) -> None:
        if not self.tracker.lacks:
            self.cursor_ns = max(self.cursor_ns, trade.venue_time_ns)
        self._adapter.on_trade(trade)
        self.polling.hear_fill()

    async def _quietly(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except AdapterError as error:
            self._adapter.on_request_failed(what, error)
