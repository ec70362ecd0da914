"""The account's side of an IB adapter: what is told over a new link, and what is heard while it stands."""

from collections.abc import Awaitable, Callable
from datetime import tzinfo
from functools import partial
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.account import AccountAnswers
from foxtrot.adapter.ib.account_polling import AccountPolling
from foxtrot.adapter.ib.doubts import Doubts
from foxtrot.adapter.ib.errors import IbError, NotSent
from foxtrot.adapter.ib.order_names import OrderNames
from foxtrot.adapter.ib.orders import Orders
from foxtrot.adapter.ib.previews import OrderPreview, Previews
from foxtrot.adapter.ib.report_codec import gateway_zone
from foxtrot.adapter.ib.reports import Reports
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.ib.trade_requests import TradeRequests
from foxtrot.adapter.ib.trading_hours import VenueHours
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.errors import AdapterError, BadMessage, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.outcome import Outcome

HOUR_NS: Final = 3_600_000_000_000


class Contracts(Protocol):
    """Who lists what can be traded, and knows IB's contracts."""

    async def load_contracts(self) -> tuple[Instrument, ...]:
        """Return what can be traded.

        Raises:
            AdapterError: it could not be had.
        """
        ...

    def instrument_of(self, con_id: int) -> Instrument | None:
        """Return the instrument of a conId, None when it is not listed."""
        ...

    def contract_of(self, instrument_id: str) -> Any:
        """Return the SDK's contract of an instrument."""
        ...

    def hours_of(self, instrument_id: str) -> VenueHours | None:
        """Return when an instrument trades by IB's words, None where that is not known."""
        ...

    async def resolve_con_id(self, con_id: int) -> Instrument:
        """Return the instrument of a conId that nobody has named.

        Raises:
            ConfigError: IB knows none, or it is of a kind that is not traded here.
            AdapterError: TWS did not answer.
        """
        ...


class IbTrading:
    """Brings everything up to date over a new link, in the promised order, and hears what is told.

    Fills older than `fills_begin_ns` are part of what the account began with, and never told; those older than `cursor_ns` were. What
    is heard while a link is brought up to date is kept and heard after it, so that nothing older follows something newer; commissions
    are heard at once, for the list of fills waits for them.

    Thread: ib-io, except `deny`, which any thread may call.
    """

    def __init__(self, adapter: BaseAdapter, session: IbSession, market: Contracts) -> None:
        self._adapter = adapter
        self._session = session
        self._market = market
        context, requests = adapter.context, TradeRequests(session)
        self.tracker = OrderTracker(self._tell_order, self._tell_trade)
        self.tracker.tells_changes = True
        names = OrderNames(session.settings.client_id)
        names.saw = session.ids.saw
        self.reports = Reports(adapter, market, session.find_instrument, self.tracker, names)
        self.orders = Orders(adapter, session, market, self.tracker, self.reports, requests)
        self.previews = Previews(session, context.permit, market)
        self.answers = AccountAnswers(adapter, session, market, requests, self.reports, self.tracker)
        begin_ns = adapter.clock.now_ns() - session.settings.trades_since_hours * HOUR_NS
        self.fills_begin_ns = self.cursor_ns = min(begin_ns, context.fills_since_ns or begin_ns)
        self.reports.fills.begin_ns = self.fills_begin_ns
        self._held: list[Callable[[], object]] | None = None
        self.doubts = Doubts(session, adapter.account, self.tracker, self.orders.questions, self.reports.fills)
        self.reports.doubt, self.reports.heard_fill = self.doubts.note, self.doubts.note_fill
        self.polling = AccountPolling(session, self.answers, self.orders, self.tracker)
        self._listen()

    def _listen(self) -> None:
        reports = self.reports
        handlers: dict[str, Callable[..., object]] = {
            "openOrder": self._hear_open,
            "orderStatus": reports.hear_status,
            "execDetails": lambda _request_id, *told: self._hear_fill(*told),
        }
        for name, hear in handlers.items():
            self._session.hear_on_loop(name, partial(self._take, hear))
        self._session.hear_on_loop("commissionReport", partial(self._safely, self._hear_commission))
        self._session.hear_on_loop("error", partial(self._take, self._hear_error))

    # --- orders -----------------------------------------------------------------------------------------------------

    async def place(self, order: ApprovedOrder) -> None:
        """Send an order; its life comes back as OrderData and TradeData."""
        await self.orders.place(order)

    async def cancel(self, request: CancelRequest) -> None:
        """Cancel an order, whatever the send permit says."""
        await self.orders.cancel(request)

    async def amend(self, amend: ApprovedAmend) -> None:
        """Change a resting order past the send permit; the answer comes back as AmendAnswered."""
        try:
            await self.orders.change(amend.order)
        except NotSent as refusal:
            self._adapter.answer_amend(amend, Outcome.DENIED_LOCALLY, refusal.rule, refusal.text)
        except VenueRejected as refusal:
            self._adapter.answer_amend(amend, Outcome.REFUSED, "venue", str(refusal))
        except AdapterError as error:
            self._adapter.answer_amend(amend, Outcome.UNKNOWN, "unknown_outcome", str(error))
        else:
            self._adapter.answer_amend(amend, Outcome.CONFIRMED)

    async def preview(self, order: ApprovedOrder) -> OrderPreview:
        """Return what an order would do to the account, without placing it; see `Previews.ask`.

        Raises:
            NotSent: it did not leave, or IB has no such order.
            AdapterError: IB refused, or did not answer.
        """
        return await self.previews.ask(order)

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
        """Publish all positions.

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
        """Ask for one order, and tell it, or that there is none once that is proved.

        Raises:
            AdapterError: no answer, or one that proves nothing yet.
        """
        await self.orders.look_up.tell(order_id, instrument_id)

    async def tell_trades(self, since_ns: int) -> None:
        """Publish our fills since a time, those excepted that are part of what the account began with.

        Raises:
            AdapterError: they could not be had.
        """
        await self.answers.tell_trades(max(since_ns, self.fills_begin_ns), asked_ns=since_ns)

    # --- the link ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Tell contracts, account, positions, open orders and the fills since the last ones that were told, in this order.

        Raises:
            AdapterError: something could not be had.
        """
        self._held = []
        try:
            self.reports.account = self._session.account_id
            self.reports.facts.zone = self._zone()
            contracts = await self._market.load_contracts()
            self._session.instruments = {
                **self._session.instruments,
                **{one.instrument_id: one for one in contracts},
            }  # others read it
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

    def cut(self) -> None:
        """Ask for nothing while TWS is cut off from IB; what is told of orders goes on being heard."""
        self.polling.stop()

    def lost(self) -> None:
        """Stop what needs the link."""
        self.cut()
        self.previews.lost()
        self.orders.lost()

    # --- what is heard ----------------------------------------------------------------------------------------------

    def _take(self, hear: Callable[..., object], *told: Any) -> None:
        if self._held is not None:
            self._held.append(partial(self._safely, hear, *told))
        else:
            self._safely(hear, *told)

    def _safely(self, hear: Callable[..., object], *told: Any) -> None:
        try:
            hear(*told)
        except BadMessage as error:
            logger.error("{}: a message about an order cannot be used: {}", self._adapter.account, error)
            self._adapter.on_request_failed("message about an order", error)
        self.orders.watch.note_fills()

    def _hear_open(self, *told: Any) -> None:
        if not self.previews.hear_open(*told):
            self.reports.hear_open(*told)

    def _hear_fill(self, contract: Any, execution: Any) -> None:
        self.reports.hear_fill(contract, execution)
        self.polling.hear_fill()

    def _hear_commission(self, report: Any) -> None:
        self.reports.hear_commission(report)
        self.answers.hear_commission()

    def _hear_error(self, error: IbError) -> None:
        if not self.previews.hear_error(error):
            self.orders.hear_error(error)

    def _zone(self) -> tzinfo:
        """Return the zone of the gateway's clock, which it told when it was dialled."""
        link = self._session.dialling.link
        return gateway_zone(link.told_time if link is not None else "", self._adapter.clock.now_ns())

    # --- what the tracker tells -------------------------------------------------------------------------------------

    def _tell_order(self, order: OrderData) -> None:
        self._adapter.on_order(order)
        self.orders.hear(order)

    def _tell_trade(self, trade: TradeData) -> None:
        if not self.tracker.lacks:
            self.cursor_ns = max(self.cursor_ns, trade.venue_time_ns)
        self._adapter.on_trade(trade)
        self.polling.hear_fill()

    async def _quietly(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except AdapterError as error:
            logger.warning("{}: {} could not be asked for: {}", self._adapter.account, what, error)
