"""BinanceAdapter: one account at Binance, spot or USD-M, over ccxt.pro."""

from functools import partial
from random import Random

from msgspec.structs import replace

from foxtrot.adapter.base_adapter import AdapterContext, BestBidOffer, ExactBook
from foxtrot.adapter.binance.capabilities import SPOT, USDM, within
from foxtrot.adapter.binance.client import ConnectorMaker
from foxtrot.adapter.binance.config import SECRETS, read_settings
from foxtrot.adapter.binance.environments import LIVE, NAMES, SAFEST
from foxtrot.adapter.binance.history import History
from foxtrot.adapter.binance.market_data import MarketData, MarketOptions
from foxtrot.adapter.binance.orders import NOT_CONNECTED
from foxtrot.adapter.binance.pair_sending import PairSending
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.trading_side import TradingSide
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.enums import Product
from foxtrot.domain.order import ApprovedOrder, CancelRequest, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

NO_KEYS = "the account has no keys: set api_key_env and api_secret_env"


class BinanceAdapter(PairSending):
    """Trades one account of one product of Binance; without keys it gives prices only.

    Settings: see adapter/binance/config.py.

    Thread: public methods, any; everything that hears the venue, binance-io. What is asked of an adapter that is not
        connected yet, or closed, is refused on the caller's thread, since there is no other.
    """

    adapter_name = "binance"
    capabilities = SPOT
    secret_names: tuple[str, ...] = SECRETS
    safest_environment = SAFEST
    environments = NAMES
    not_connected = NOT_CONNECTED

    def __init__(
        self, context: AdapterContext, random: Random | None = None, make_connector: ConnectorMaker | None = None
    ) -> None:
        settings = read_settings(context).signed()
        context = replace(
            context, secrets={"api_key": settings.api_key}
        )  # the signer has the other; this tells accounts apart
        self.session = BinanceSession(context, settings, random, make_connector)
        super().__init__(context, self.session)
        row = SPOT if settings.product is Product.SPOT else USDM
        self.capabilities = within(row, settings.recv_window_ms)  # type: ignore[misc]  # the class's is spot's
        self.market_data = MarketData(self, self.session, _market_options(self.session))
        self.trading = TradingSide(self, self.session, self.market_data, context)
        self.history = History(self, self.session)

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell whether orders in an environment spend real money."""
        return environment == LIVE

    @property
    def trades(self) -> bool:
        """Tell whether the account has keys."""
        return self.session.settings.has_keys

    # --- life -------------------------------------------------------------------------------------------------------

    def start_session(self) -> None:
        """Start the session with the account's side as the user of its link."""
        self.session.start(self.trading)

    def on_trade(self, trade: TradeData) -> None:
        """Publish a fill, which moves the cursor of what need not be asked for again, but not past a fill that is missing."""
        if not self.trading.orders.tracker.lacks:
            self.trading.cursor_ns = max(self.trading.cursor_ns, trade.venue_time_ns)
        super().on_trade(trade)

    # --- streams ----------------------------------------------------------------------------------------------------

    def subscribe(self, request: SubscribeRequest) -> None:
        """Add to the desired streams, also before connecting; an unknown instrument comes back as RequestFailed."""
        self.wish(f"subscribe {request.instrument_id}", partial(self._add, request))

    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self.wish(f"unsubscribe {instrument_id}", partial(self._remove, instrument_id))

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh depth snapshot."""

        async def publish() -> None:
            self.market_data.publish_snapshot(instrument_id)

        self.ask(f"snapshot of {instrument_id}", publish)

    def _add(self, request: SubscribeRequest) -> None:
        self.trading.desired.add(request.instrument_id)
        self.market_data.add(request)
        self.trading.prepare_soon(request.instrument_id)

    def _remove(self, instrument_id: str) -> None:
        self.trading.desired.discard(instrument_id)
        self.market_data.remove(instrument_id)

    # --- orders -----------------------------------------------------------------------------------------------------

    def send_order(self, order: ApprovedOrder) -> None:
        """Send an order; the permit is read as the last act before its bytes go to the socket."""
        reason = NOT_CONNECTED if self.session.settings.has_keys else NO_KEYS
        if not self.session.settings.has_keys or not self.submit(partial(self.trading.place, order), order.order_id):
            self.trading.orders.deny(order, "not_connected", reason)

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Find out what became of an order of an earlier run: asked for until it is found, or past the bound proved absent."""
        self.wish(f"recovery of {order.order_id}", partial(self.trading.orders.recover, order, sent_ns))

    def cancel_order(self, request: CancelRequest) -> None:
        """Cancel an order; one that the venue does not have comes back as RequestFailed."""
        self.ask(f"cancel of {request.order_id}", partial(self.trading.orders.cancel, request))

    # --- queries ----------------------------------------------------------------------------------------------------

    def query_account(self) -> None:
        """Ask for balances."""
        self.ask("account", self.trading.answers.tell_account)

    def query_positions(self) -> None:
        """Ask for positions."""
        self.ask("positions", self.trading.answers.tell_positions)

    def query_orders(self) -> None:
        """Ask for open orders."""
        self.ask("orders", self.trading.answers.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order."""
        self.ask(f"order {order_id}", partial(self.trading.orders.look_up.tell, order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        """Ask for our trades since a time, or since `trades_since_hours` before the start if that is later."""

        async def tell() -> None:
            await self.trading.answers.tell_trades(max(since_ns, self.trading.fills_begin_ns), asked_ns=since_ns)

        self.ask("trades", tell)

    def query_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars."""

        def refuse(error: str) -> None:
            self.on_history(HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), error))

        self.ask_or(partial(self.history.tell_history, request), refuse, "history")

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the stream's full book from memory."""
        return self.market_data.exact_book(instrument_id) if self.session.linked else None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the stream's last quote, or else the best prices of its full book."""
        quote = self.market_data.best(instrument_id) if self.session.linked else None
        return quote or super().best_in_memory(instrument_id)

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask Binance for a book."""
        return await self.market_data.read_book(instrument_id, levels)


def _market_options(session: BinanceSession) -> MarketOptions:
    settings = session.settings
    return MarketOptions(
        hot_path=settings.hot_path,
        websocket=settings.websocket,
        no_websocket=settings.no_websocket,
        totals=settings.totals,
        poll_interval_s=settings.poll_interval_s,
        books=settings.books,
    )
