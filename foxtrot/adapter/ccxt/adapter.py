"""CcxtAdapter: the market data of any exchange that ccxt.pro has."""

import enum
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from random import Random
from typing import Any

import ccxt.pro

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, BestBidOffer, ExactBook
from foxtrot.adapter.ccxt.capabilities import ANY, capabilities_of
from foxtrot.adapter.ccxt.config import ENVIRONMENTS, read_settings
from foxtrot.adapter.ccxt.history import History
from foxtrot.adapter.ccxt.market_data import MarketData
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.venue_rows import venue_row
from foxtrot.core.heartbeat import Part
from foxtrot.core.notices import BookLoaded, HistoryLoaded, OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.errors import ConnectionLost, FoxtrotError, InvariantBroken, RequestTimedOut
from foxtrot.domain.market import REST, STREAM, DepthData
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

Job = Callable[[], Coroutine[Any, Any, None]]
NOT_CONNECTED = "the venue is not connected"
NO_ORDERS = "the ccxt adapter gives market data only: it sends no orders"


class _Life(enum.Enum):
    NEW = "new"
    ENTERED = "entered"
    CLOSED = "closed"


class CcxtAdapter(BaseAdapter):
    """Market data of one exchange; every order comes back as DENIED, and the account has nothing.

    Settings: see adapter/ccxt/config.py.

    Thread: public methods, any; everything that hears the venue, ccxt-io-EXCHANGE. What is asked of an adapter that is not connected
        yet, or closed, is refused on the caller's thread, since there is no other.
    """

    adapter_name = "ccxt"
    environments: tuple[str, ...] = ENVIRONMENTS
    capabilities = ANY

    def __init__(self, context: AdapterContext, random: Random | None = None) -> None:
        super().__init__(context)
        settings = read_settings(context)
        venue = venue_row(settings.exchange)
        has = getattr(ccxt.pro, settings.exchange)().has
        self.capabilities = capabilities_of(venue, settings, has)  # type: ignore[misc]  # the class's is any venue's
        self.session = CcxtSession(context, settings, venue, self.link, random)
        self.market_data = MarketData(self, self.session)
        self.history = History(self, self.session)
        self._early: list[Callable[[], None]] = []  # wishes for streams before there was a thread
        self._life = _Life.NEW
        self._door = threading.RLock()  # no job of ours enters the loop behind the one that ends us
        self._ended = threading.Event()

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell that no order leaves, whatever the environment."""
        return False

    @property
    def trades(self) -> bool:
        """Tell that there are prices only."""
        return False

    # --- life -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Start the thread and connect; doing it twice, or after `close`, does nothing."""
        with self._door:
            if self._life is _Life.NEW:
                self._life = _Life.ENTERED
                self.session.start(self)
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
        return "" if self._ended.wait(deadline_s) else self.session.thread_name

    async def open_link(self) -> None:
        """Tell the contracts and an empty account, and resume the streams."""
        self.on_contracts(tuple(self.session.listed.instruments.values()))
        for tell in (self._tell_account, self._tell_positions, self._tell_orders, self._tell_trades):
            await tell()
        await self.market_data.resume()

    def link_lost(self) -> None:
        """Stop what needs the link."""
        self.market_data.stop()

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
        self._wish(f"subscribe {request.instrument_id}", partial(self.market_data.add, request))

    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self._wish(f"unsubscribe {instrument_id}", partial(self.market_data.remove, instrument_id))

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh depth snapshot."""

        async def publish() -> None:
            self.market_data.publish_snapshot(instrument_id)

        self._ask(f"snapshot of {instrument_id}", publish)

    def _wish(self, what: str, job: Callable[[], None]) -> None:
        with self._door:
            if self._life is _Life.NEW:
                self._early.append(job)
                return
            if self._life is _Life.ENTERED and self.session.call_soon(job):
                return
        self.on_request_failed(what, "the adapter is closed")

    # --- orders and the account: none -------------------------------------------------------------------------------

    def send_order(self, order: ApprovedOrder) -> None:
        """Deny an order: this adapter sends none."""
        self.on_order(_denied(order, self.session, self.clock.now_ns()))

    def cancel_order(self, request: CancelRequest) -> None:
        """Say that there is nothing to cancel."""
        self.on_request_failed(f"cancel of {request.order_id}", NO_ORDERS)

    def query_account(self) -> None:
        """Answer with an account that has nothing: no order of ours can be here."""
        self._ask("account", self._tell_account)

    def query_positions(self) -> None:
        """Answer with no positions."""
        self._ask("positions", self._tell_positions)

    def query_orders(self) -> None:
        """Answer with no orders."""
        self._ask("orders", self._tell_orders)

    def query_trades(self, since_ns: int) -> None:
        """Answer with no trades."""
        self._ask("trades", self._tell_trades)

    async def _tell_account(self) -> None:
        now_ns = self.clock.now_ns()
        self.on_account(AccountData(self.account, (), now_ns, now_ns))

    async def _tell_positions(self) -> None:
        self.on_positions(PositionsLoaded(self.account, (), self.clock.now_ns()))

    async def _tell_orders(self) -> None:
        self.on_open_orders(OpenOrdersLoaded(self.account, (), self.clock.now_ns()))

    async def _tell_trades(self) -> None:
        self.on_trades(TradesLoaded(self.account, (), self.clock.now_ns()))

    # --- questions --------------------------------------------------------------------------------------------------

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
                book = await self.market_data.fetching.read_book(instrument_id, levels)
            facts = _depth_of(book, levels, self.clock.now_ns())
            self.on_book(BookLoaded(request_id, instrument_id, facts, book.source, book.age_ms))

        self._ask_or(tell, refuse, f"book of {instrument_id}")

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the stream's full book; None where the venue's stream has none, as Aster's."""
        return self.market_data.exact_book(instrument_id) if self.session.linked else None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best bid and ask that the stream told."""
        best = super().best_in_memory(instrument_id)
        return best or (self.market_data.best(instrument_id) if self.session.linked else None)

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Ask the venue for a book and wait for it.

        Blocks: at most `deadline_s`.

        Raises:
            ConnectionLost: the venue is not connected.
            AdapterError: it does not list the instrument, or refuses.
            RequestTimedOut: no answer in time.
            InvariantBroken: called on the session's thread, which would wait for itself.
        """
        if self.session.bridge.is_own_thread:
            raise InvariantBroken(
                f"{self.session.thread_name} cannot wait for a book; request_book answers by an event"
            )
        if not self.session.linked:
            raise ConnectionLost(self.adapter_name, "not_connected", NOT_CONNECTED)
        asked = self.session.bridge.submit(self.market_data.fetching.read_book(instrument_id, levels))
        try:
            return asked.result(deadline_s)
        except FutureTimeout as error:
            asked.cancel()
            text = f"no book of {instrument_id} in {deadline_s} s"
            raise RequestTimedOut(self.adapter_name, "timeout", text) from error

    def _ask(self, what: str, job: Job) -> None:
        self._ask_or(job, partial(self.on_request_failed, what), what)

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

        with self._door:
            entered = self._life is _Life.ENTERED
            if entered and self.session.call_soon(lambda: self.session.run(ask(), name)):
                return
        refuse(NOT_CONNECTED)


def _denied(order: ApprovedOrder, session: CcxtSession, now_ns: int) -> OrderData:
    """Return an order that never left; without an instrument, which no grid can be known of, its figures are 0.0."""
    listed = session.find_instrument(order.instrument_id)
    quantity = listed.quantity(order.quantity_units) if listed else 0.0
    price, trigger = (listed.price(units) if listed else 0.0 for units in (order.price_units, order.trigger_units))
    return OrderData(
        order.order_id, order.account, order.instrument_id, order.side, order.order_type, quantity, price,
        OrderStatus.DENIED, 0.0, 0.0, "", now_ns, now_ns, order.strategy_id, trigger, order.time_in_force,
        order.reduce_only, order.post_only, order.position_side, "market_data_only", NO_ORDERS,
    )  # fmt: skip


def _depth_of(book: ExactBook, levels: int, now_ns: int) -> DepthData:
    """Return a book as a fact."""
    bids = tuple((float(price), float(size)) for price, size in book.bids[:levels])
    asks = tuple((float(price), float(size)) for price, size in book.asks[:levels])
    return DepthData(
        book.instrument_id, 0, now_ns, book.update_id, bids, asks, STREAM if book.source == STREAM else REST
    )
