"""IbAdapter: one account at Interactive Brokers, over TWS or IB Gateway."""

from functools import partial
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext, BestBidOffer, ExactBook
from foxtrot.adapter.ib.capabilities import IB
from foxtrot.adapter.ib.config import ENVIRONMENTS, LIVE, PAPER, read_settings
from foxtrot.adapter.ib.market_data import IbMarketData
from foxtrot.adapter.ib.previews import OrderPreview
from foxtrot.adapter.ib.sdk import check_installed
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.ib.trading import IbTrading
from foxtrot.adapter.session_adapter import SessionAdapter
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest
from foxtrot.domain.outcome import Outcome
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

NOT_CONNECTED = "not connected to TWS, or TWS not to IB"


class IbAdapter(SessionAdapter):
    """Trades one account of Interactive Brokers, a paper one unless the environment is `live`.

    Settings: see adapter/ib/config.py; there are no secrets, for TWS is logged in by a person. ibapi is imported when the session first
    dials.

    Thread: public methods, any; orders and answers are heard on ib-io, market data on ib-run.

    Raises:
        ConfigError: a setting is wrong, or ibapi is not installed.
    """

    adapter_name = "ib"
    capabilities = IB
    secret_names: tuple[str, ...] = ()
    safest_environment = PAPER
    environments: tuple[str, ...] = ENVIRONMENTS
    not_connected = NOT_CONNECTED

    def __init__(self, context: AdapterContext, random: Random | None = None) -> None:
        settings = read_settings(context)
        check_installed()
        self.session = IbSession(context, settings, random)
        super().__init__(context, self.session)
        self.market_data = IbMarketData(self, self.session, context.home)
        self.trading = IbTrading(self, self.session, self.market_data)

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell whether orders in an environment spend real money."""
        return environment == LIVE

    # --- the link ---------------------------------------------------------------------------------------------------

    def start_session(self) -> None:
        """Start the session with this adapter as the user of its link."""
        self.session.start(self)

    async def open_link(self) -> None:
        """Tell contracts, account, positions, open orders and trades since the cursor, and resume or verify the streams."""
        await self.trading.open()
        await self.market_data.open()

    def link_cut(self, cause: str) -> None:
        """Believe no price while TWS is cut off from IB; what is told of orders is still heard."""
        self.market_data.cut(cause)
        self.trading.cut()

    def data_lost(self) -> None:
        """Forget the streams, which TWS has forgotten."""
        self.market_data.data_lost()

    def link_lost(self) -> None:
        """Stop what needs the link."""
        self.market_data.lost()
        self.trading.lost()

    # --- streams ----------------------------------------------------------------------------------------------------

    def subscribe(self, request: SubscribeRequest) -> None:
        """Add to the desired streams, also before connecting; an unknown instrument comes back as RequestFailed."""
        self.wish(f"subscribe {request.instrument_id}", partial(self.market_data.add, request))

    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self.wish(f"unsubscribe {instrument_id}", partial(self.market_data.remove, instrument_id))

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh depth snapshot."""

        async def publish() -> None:
            self.market_data.publish_snapshot(instrument_id)

        self.ask(f"snapshot of {instrument_id}", publish)

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the stream's book from memory."""
        return self.market_data.exact_book(instrument_id) if self.session.linked else None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the stream's best prices."""
        quote = self.market_data.best(instrument_id) if self.session.linked else None
        return quote or super().best_in_memory(instrument_id)

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask TWS for a book."""
        return await self.market_data.read_book(instrument_id, levels)

    # --- orders -----------------------------------------------------------------------------------------------------

    def send_order(self, order: ApprovedOrder) -> None:
        """Send an order; the permit is read as the last act before its bytes go to the socket."""
        if not self.submit(partial(self.trading.place, order), order.order_id):
            self.trading.deny(order, "not_connected", NOT_CONNECTED)

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Find out what became of an order of an earlier run."""
        self.wish(f"recovery of {order.order_id}", partial(self.trading.recover, order, sent_ns))

    def amend_order(self, amend: ApprovedAmend) -> None:
        """Change a resting order; the permit is read as the last act before its bytes go to the socket."""
        if not self.submit(partial(self.trading.amend, amend), amend.amend_id):
            self.answer_amend(amend, Outcome.DENIED_LOCALLY, "not_connected", NOT_CONNECTED)

    async def preview(self, order: ApprovedOrder) -> OrderPreview:
        """Return what an order would do to margin and cost, without placing it; on ib-io.

        Raises:
            NotSent: it did not leave, or IB has no such order.
            AdapterError: IB refused, or did not answer.
        """
        return await self.trading.preview(order)

    def cancel_order(self, request: CancelRequest) -> None:
        """Cancel an order; one that IB does not have comes back as RequestFailed."""
        self.ask(f"cancel of {request.order_id}", partial(self.trading.cancel, request))

    # --- queries ----------------------------------------------------------------------------------------------------

    def query_account(self) -> None:
        """Ask for balances."""
        self.ask("account", self.trading.tell_account)

    def query_positions(self) -> None:
        """Ask for positions."""
        self.ask("positions", self.trading.tell_positions)

    def query_orders(self) -> None:
        """Ask for open orders."""
        self.ask("orders", self.trading.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order."""
        self.ask(f"order {order_id}", partial(self.trading.tell_order, order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        """Ask for our trades since a time, or since `trades_since_hours` before the start if that is later."""
        self.ask("trades", partial(self.trading.tell_trades, since_ns))

    def query_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars."""

        def refuse(error: str) -> None:
            self.on_history(HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), error))

        self.ask_or(partial(self.market_data.tell_history, request), refuse, "history")
