"""BinanceAdapter: one account at Binance, spot or USD-M, over ccxt.pro."""

import enum
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from random import Random
from typing import Any

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
from foxtrot.adapter.binance.session import THREAD_NAME, BinanceSession
from foxtrot.adapter.binance.trading_side import TradingSide
from foxtrot.adapter.health import HealthFigures
from foxtrot.core.heartbeat import Part
from foxtrot.core.notices import BookLoaded, HistoryLoaded
from foxtrot.domain.enums import AdapterState, Product
from foxtrot.domain.errors import ConnectionLost, FoxtrotError, InvariantBroken, RequestTimedOut
from foxtrot.domain.market import REST, STREAM, DepthData
from foxtrot.domain.order import ApprovedOrder, CancelRequest, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

Job = Callable[[], Coroutine[Any, Any, None]]
Refusal = Callable[[], None]
NO_KEYS = "the account has no keys: set api_key_env and api_secret_env"


class _Life(enum.Enum):
    NEW = "new"
    ENTERED = "entered"
    CLOSED = "closed"


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

    def __init__(
        self, context: AdapterContext, random: Random | None = None, make_connector: ConnectorMaker | None = None
    ) -> None:
        settings = read_settings(context).signed()
        context = replace(
            context, secrets={"api_key": settings.api_key}
        )  # the signer has the other; this tells accounts apart
        super().__init__(context)
        row = SPOT if settings.product is Product.SPOT else USDM
        self.capabilities = within(row, settings.recv_window_ms)  # type: ignore[misc]  # the class's is spot's
        self.session = BinanceSession(context, settings, random, make_connector)
        self.session.health.book_paths = self.book_paths
        self.market_data = MarketData(self, self.session, _market_options(self.session))
        self.trading = TradingSide(self, self.session, self.market_data, context)
        self.history = History(self, self.session)
        self._early: list[Callable[[], None]] = []  # wishes for streams before there was a thread
        self._life = _Life.NEW
        self._door = threading.RLock()  # no job of ours enters the loop behind the one that ends us
        self._ended = threading.Event()

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell whether orders in an environment spend real money."""
        return environment == LIVE

    @property
    def trades(self) -> bool:
        """Tell whether the account has keys."""
        return self.session.settings.has_keys

    def health(self) -> HealthFigures:
        """Return how well the link and its streams do."""
        return self.session.health.snapshot(self.clock.monotonic_ns())

    # --- life -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Start the thread and connect; doing it twice, or after `close`, does nothing."""
        with self._door:
            if self._life is _Life.NEW:
                self._life = _Life.ENTERED
                self.session.start(self.trading)
                for wish in self._early:
                    self.session.call_soon(wish)
                self._early.clear()

    def close(self, deadline_s: float = 5.0) -> str:
        """End the session; whoever closes second waits for the first.

        Blocks: at most `deadline_s`.
        """
        with self._door:
            before, self._life = self._life, _Life.CLOSED
        if before is _Life.NEW:
            self._end()
        elif before is _Life.ENTERED:
            return self.session.close(self._end, deadline_s)
        overran = self.session.bridge.join(deadline_s)
        if overran or self.session.bridge.is_own_thread:
            return overran
        return "" if self._ended.wait(deadline_s) else THREAD_NAME

    def on_trade(self, trade: TradeData) -> None:
        """Publish a fill, which moves the cursor of what need not be asked for again, but not past a fill that is missing."""
        if not self.trading.orders.tracker.lacks:
            self.trading.cursor_ns = max(self.trading.cursor_ns, trade.venue_time_ns)
        super().on_trade(trade)

    def _end(self) -> None:
        try:
            self.on_status(AdapterState.CLOSED)
        finally:
            self._ended.set()

    def parts(self) -> tuple[Part, ...]:
        """Return the loop and the task that holds the link."""
        return self.session.parts()

    def renew_link(self, cause: str) -> None:
        """Give the link up and make another, with fresh books and streams."""
        self.session.call_soon(partial(self.session.lose, cause))

    # --- streams ----------------------------------------------------------------------------------------------------

    def subscribe(self, request: SubscribeRequest) -> None:
        """Add to the desired streams, also before connecting; an unknown instrument comes back as RequestFailed."""
        self._wish(f"subscribe {request.instrument_id}", partial(self._add, request))

    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self._wish(f"unsubscribe {instrument_id}", partial(self._remove, instrument_id))

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh depth snapshot."""

        async def publish() -> None:
            self.market_data.publish_snapshot(instrument_id)

        self._ask(f"snapshot of {instrument_id}", publish)

    def _add(self, request: SubscribeRequest) -> None:
        self.trading.desired.add(request.instrument_id)
        self.market_data.add(request)
        self.trading.prepare_soon(request.instrument_id)

    def _remove(self, instrument_id: str) -> None:
        self.trading.desired.discard(instrument_id)
        self.market_data.remove(instrument_id)

    def _wish(self, what: str, job: Callable[[], None]) -> None:
        with self._door:
            if self._life is _Life.NEW:
                self._early.append(job)
                return
            if self._life is _Life.ENTERED and self.session.call_soon(job):
                return
        self.on_request_failed(what, "the adapter is closed")

    # --- orders -----------------------------------------------------------------------------------------------------

    def send_order(self, order: ApprovedOrder) -> None:
        """Send an order; the permit is read as the last act before its bytes go to the socket."""
        reason = NOT_CONNECTED if self.session.settings.has_keys else NO_KEYS
        if not self.session.settings.has_keys or not self._submit(partial(self.trading.place, order), order.order_id):
            self.trading.orders.deny(order, "not_connected", reason)

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Find out what became of an order of an earlier run: asked for until it is found, or past the bound proved absent."""
        self._wish(f"recovery of {order.order_id}", partial(self.trading.orders.recover, order, sent_ns))

    def cancel_order(self, request: CancelRequest) -> None:
        """Cancel an order; one that the venue does not have comes back as RequestFailed."""
        self._ask(f"cancel of {request.order_id}", partial(self.trading.orders.cancel, request))

    # --- queries ----------------------------------------------------------------------------------------------------

    def query_account(self) -> None:
        """Ask for balances."""
        self._ask("account", self.trading.answers.tell_account)

    def query_positions(self) -> None:
        """Ask for positions."""
        self._ask("positions", self.trading.answers.tell_positions)

    def query_orders(self) -> None:
        """Ask for open orders."""
        self._ask("orders", self.trading.answers.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order."""
        self._ask(f"order {order_id}", partial(self.trading.orders.look_up.tell, order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        """Ask for our trades since a time, or since `trades_since_hours` before the start if that is later."""

        async def tell() -> None:
            await self.trading.answers.tell_trades(max(since_ns, self.trading.fills_begin_ns), asked_ns=since_ns)

        self._ask("trades", tell)

    def query_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars."""

        def refuse(error: str) -> None:
            self.on_history(HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), error))

        self._ask_or(partial(self.history.tell_history, request), refuse, "history")

    def request_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Ask for a book without waiting: the stream's, or else the venue's."""

        def refuse(error: str) -> None:
            self.on_book(BookLoaded(request_id, instrument_id, None, "none", 0.0, error))

        async def tell() -> None:
            book = self.market_data.exact_book(instrument_id)
            if book is None:
                book = await self.market_data.read_book(instrument_id, levels)
            facts = _depth_of(book, levels, self.clock.now_ns())
            self.on_book(BookLoaded(request_id, instrument_id, facts, book.source, book.age_ms))

        self._ask_or(tell, refuse, f"book of {instrument_id}")

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the stream's full book from memory."""
        return self.market_data.exact_book(instrument_id) if self.session.linked else None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the stream's last quote, or else the best prices of its full book."""
        quote = self.market_data.best(instrument_id) if self.session.linked else None
        return quote or super().best_in_memory(instrument_id)

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Ask the venue for a book and wait for it.

        Blocks: at most `deadline_s`.

        Raises:
            ConnectionLost: the venue is not connected.
            AdapterError: it does not list the instrument, or refuses.
            RequestTimedOut: no answer in time.
            InvariantBroken: called on binance-io, which would wait for itself.
        """
        if self.session.bridge.is_own_thread:
            raise InvariantBroken(f"{THREAD_NAME} cannot wait for a book; request_book answers by an event")
        if not self.session.linked:
            raise ConnectionLost(self.adapter_name, "not_connected", NOT_CONNECTED)
        asked = self.session.bridge.submit(self.market_data.read_book(instrument_id, levels))
        try:
            return asked.result(deadline_s)
        except FutureTimeout as error:
            asked.cancel()
            text = f"no book of {instrument_id} in {deadline_s} s"
            raise RequestTimedOut(self.adapter_name, "timeout", text) from error

    # --- how jobs get to the loop -----------------------------------------------------------------------------------

    def _submit(self, job: Job, name: str) -> bool:
        """Give the loop a job; False when nobody would do it, before `connect` and after `close`."""
        with self._door:
            if self._life is not _Life.ENTERED:
                return False
            return self.session.call_soon(lambda: self.session.run(job(), name))

    def _ask(self, what: str, job: Job) -> None:
        self._ask_or(job, lambda error: self.on_request_failed(what, error), what)

    def _ask_or(self, job: Job, refuse: Callable[[str], None], name: str) -> None:
        """Do a job if the link stands then; otherwise, and when it fails, say so."""

        async def ask() -> None:
            if not self.session.linked:
                refuse(NOT_CONNECTED)
                return
            try:
                await job()
            except FoxtrotError as error:
                refuse(str(error))

        if not self._submit(ask, name):
            refuse(NOT_CONNECTED)


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


def _depth_of(book: ExactBook, levels: int, now_ns: int) -> DepthData:
    """Return a book as a fact."""
    bids = tuple((float(price), float(size)) for price, size in book.bids[:levels])
    asks = tuple((float(price), float(size)) for price, size in book.asks[:levels])
    return DepthData(
        book.instrument_id, 0, now_ns, book.update_id, bids, asks, STREAM if book.source == STREAM else REST
    )
