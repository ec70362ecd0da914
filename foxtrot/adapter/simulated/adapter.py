"""SimulatedAdapter: one account at the embedded venue, in process."""

import enum
import threading
from functools import partial

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.adapter.health import HealthFigures
from foxtrot.adapter.simulated.answers import AccountAnswers
from foxtrot.adapter.simulated.book_reading import BookReading
from foxtrot.adapter.simulated.market_data import MarketData
from foxtrot.adapter.simulated.opening import open_session
from foxtrot.adapter.simulated.order_entry import NOT_CONNECTED, OrderEntry
from foxtrot.adapter.simulated.reports import AccountReports
from foxtrot.adapter.simulated.session import THREAD_NAME, Job, SessionFailed, SimulatedSession
from foxtrot.core.heartbeat import Part
from foxtrot.core.notices import BookLoaded, HistoryLoaded
from foxtrot.domain.enums import AdapterState, OrderType, PositionMode, TimeInForce
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest
from foxtrot.domain.outcome import Outcome
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

CAPABILITIES = Capabilities(
    order_types=frozenset(OrderType),
    times_in_force=frozenset(TimeInForce),
    position_modes=frozenset(PositionMode),
    post_only=True,
    reduce_only=True,
    iceberg=True,
    amend=True,
    oco=True,
    book=BookKind.FULL,
    book_levels=1000,
    best_by_stream=True,
    snapshot_levels=1000,
    depth_changes=True,
    market_trades=True,
    bars=True,
    history=True,
    network=False,
)


class _Life(enum.Enum):
    NEW = "new"
    ENTERED = "entered"
    CLOSED = "closed"


class SimulatedAdapter(BookReading):
    """Trades one account at an embedded venue that other simulated accounts of the platform may share.

    Settings: see adapter/simulated/opening.py.

    Thread: public methods, any; everything that hears the venue, simulated-io (in line: the caller's). What is asked of an
        adapter that is not connected yet, or closed, is refused on the caller's thread, since there is no other.
    """

    adapter_name = "simulated"
    capabilities = CAPABILITIES

    def __init__(self, context: AdapterContext, session: SimulatedSession | None = None) -> None:
        super().__init__(context)
        self.session = session or open_session(context)
        self.logs_status = self.session.threaded
        self.market_data = MarketData(self, self.session)
        self._answers = AccountAnswers(self, self.session)
        self._reports = AccountReports(self, self.session, self._answers.tell_account, self._break)
        self._hear = self._reports.hear
        self._orders = OrderEntry(self, self.session, self._reports.flush)
        self._come_back: Job | None = None
        self._life = _Life.NEW
        self._door = threading.RLock()  # no job of ours enters the session's inbox behind the one that ends us
        self._ended = threading.Event()

    @classmethod
    def real_money(cls, environment: str) -> bool:
        """Tell that nothing here is."""
        return False

    def health(self) -> HealthFigures:
        """Return how well the link and its streams do."""
        return msgspec.structs.replace(super().health(), books=self.market_data.book_figures())

    @property
    def publish_balances(self) -> bool:
        """Tell whether balances and positions are published whenever they change."""
        return self._reports.balances

    @publish_balances.setter
    def publish_balances(self, wanted: bool) -> None:
        self._reports.balances = wanted

    # --- life -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Enter the session and log in; doing it twice, or after `close`, does nothing."""
        with self._door:
            if self._life is _Life.NEW:
                self._life = _Life.ENTERED
                self.session.enter(self.account)
                self.session.submit(self._begin)

    def close(self, deadline_s: float = 5.0) -> str:
        """Leave the session; whoever closes second waits for the first.

        Blocks: at most `deadline_s`.
        """
        own_thread = self.session.is_own_thread
        with self._door:
            before, self._life = self._life, _Life.CLOSED
            if before is _Life.ENTERED and self.session.threaded:
                self.session.submit(self._end)
            elif before is not _Life.CLOSED:
                self._end()
        overran = self.session.leave(self.account, deadline_s) if before is _Life.ENTERED else ""
        if overran or own_thread:
            return overran
        return "" if self._ended.wait(deadline_s) else THREAD_NAME

    def parts(self) -> tuple[Part, ...]:
        """Return the session's thread, which serves this account too."""
        return self.session.parts(self.account)

    def renew_link(self, cause: str) -> None:
        """Lose the link and connect anew."""
        self.drop_link(cause)

    def drop_link(self, cause: str, back_after_s: float = 0.0) -> None:
        """Lose the connection as a network would, and connect again after a time (at the next step of the session).

        While it is lost nothing is heard and nothing can be sent; the log-in after it recovers what was missed.
        """
        self._submit(lambda: self._lose_link(cause, back_after_s))

    def _begin(self) -> None:
        if self._life is _Life.ENTERED:
            self._say_status(AdapterState.CONNECTING)
            self._log_in()

    def _log_in(self) -> None:
        if self.account not in self.session.venue.accounts():
            self._say_status(AdapterState.FAILED, f"account {self.account} is not open at the simulated venue")
            return
        self._orders.linked = True
        if self.session.threaded:
            self.market_data.health = self.link.stream("market")
            self.market_data.health.up(self.clock.monotonic_ns())
        self.session.listen(self.account, self._hear)
        self._say_status(AdapterState.CONNECTED)
        contracts = self.session.venue.instruments()
        self.session.answer(lambda: self.on_contracts(contracts))
        self._answers.tell_account()
        self._answers.tell_positions()
        self._answers.tell_orders()
        self._reports.cursor_ns = self._answers.tell_trades(self._reports.cursor_ns)
        self.session.do_after_step(self._reports.flush)
        self.market_data.resume()
        self._say_status(AdapterState.READY)

    def _unlink(self) -> None:
        self._orders.linked = False
        self.market_data.stop()
        self.session.stop_after_step(self._reports.flush)
        self.session.unlisten(self.account, self._hear)

    def _end(self) -> None:
        try:
            self._unlink()
            if self._come_back is not None:
                self.session.stop_after_step(self._come_back)
            self.on_status(AdapterState.CLOSED)
        finally:
            self._ended.set()

    def _lose_link(self, cause: str, back_after_s: float) -> None:
        if not self._orders.linked:
            return
        self._unlink()
        self._say_status(AdapterState.LOST, cause)
        self._say_status(AdapterState.BACKING_OFF, cause, attempt=1, delay_s=back_after_s)
        due_ns = self.clock.monotonic_ns() + int(back_after_s * 1e9)

        def come_back() -> None:
            if self.clock.monotonic_ns() >= due_ns:
                self.session.stop_after_step(come_back)
                self._come_back = None
                self._say_status(AdapterState.CONNECTING, attempt=1)
                self._log_in()

        self._come_back = come_back
        self.session.do_after_step(come_back)

    def _break(self, failed: SessionFailed) -> None:
        self._orders.linked = False
        self.on_status(AdapterState.FAILED, failed.error)

    def _say_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        self.session.answer(lambda: self.on_status(state, cause, attempt, delay_s))

    def _submit(self, job: Job) -> bool:
        """Give the session a job; False when nobody would do it, before `connect` and after `close`."""
        with self._door:
            if self._life is not _Life.ENTERED:
                return False
            self.session.submit(job)
            return True

    # --- streams ----------------------------------------------------------------------------------------------------

    def subscribe(self, request: SubscribeRequest) -> None:
        """Add to the desired streams, also before connecting; an unknown instrument comes back as RequestFailed."""
        self._wish(f"subscribe {request.instrument_id}", lambda: self.market_data.add(request))

    def unsubscribe(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self._wish(f"unsubscribe {instrument_id}", lambda: self.market_data.remove(instrument_id))

    def request_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh depth snapshot."""
        self._ask(f"snapshot of {instrument_id}", lambda: self.market_data.publish_snapshot(instrument_id))

    def _wish(self, what: str, job: Job) -> None:
        with self._door:
            if self._life is not _Life.CLOSED:
                self.session.submit(job)
                return
        self.on_request_failed(what, "the adapter is closed")

    # --- orders -----------------------------------------------------------------------------------------------------

    def send_order(self, order: ApprovedOrder) -> None:
        """Send an order; the permit is asked in the same breath as the venue takes it."""
        if not self._submit(partial(self._orders.place, order)):
            self._orders.deny(order, "not_connected", NOT_CONNECTED)

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Send two orders of which one ends the other; what the venue keeps no pair of comes back as REJECTED for both."""
        if not self._submit(partial(self._orders.place_pair, first, second)):
            for order in (first, second):
                self._orders.deny(order, "not_connected", NOT_CONNECTED)

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Find out what became of an order of an earlier run."""
        self._ask(f"recovery of {order.order_id}", lambda: self._orders.recover(order))

    def amend_order(self, amend: ApprovedAmend) -> None:
        """Change quantity or limit price of a resting order; the permit is asked in the same breath as the venue takes it."""
        refuse = partial(self.answer_amend, amend, Outcome.DENIED_LOCALLY, "not_connected", NOT_CONNECTED)
        self._ask_or(partial(self._orders.amend, amend), refuse)

    def cancel_order(self, request: CancelRequest) -> None:
        """Cancel an order; one that the venue does not have comes back as RequestFailed."""
        self._ask(f"cancel of {request.order_id}", lambda: self._orders.cancel(request))

    # --- queries ----------------------------------------------------------------------------------------------------

    def query_account(self) -> None:
        """Ask for balances."""
        self._ask("account", self._answers.tell_account)

    def query_positions(self) -> None:
        """Ask for positions."""
        self._ask("positions", self._answers.tell_positions)

    def query_orders(self) -> None:
        """Ask for open orders."""
        self._ask("orders", self._answers.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order; what the venue does not have it never had, or has forgotten."""
        self._ask(f"order {order_id}", lambda: self._answers.tell_order(order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        """Ask for our trades since a time."""
        self._ask("trades", lambda: _discard(self._answers.tell_trades(since_ns)))

    def query_history(self, request: HistoryRequest) -> None:
        """Ask for closed bars of a whole number of minutes."""
        name = request.instrument_id
        refused = HistoryLoaded(request.request_id, name, request.interval, (), NOT_CONNECTED)
        self._ask_or(lambda: self._answers.tell_history(request), lambda: self.on_history(refused))

    def request_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Ask for a book without waiting."""
        refused = BookLoaded(request_id, instrument_id, None, "none", 0.0, NOT_CONNECTED)
        self._ask_or(lambda: self._answers.tell_book(request_id, instrument_id, levels), lambda: self.on_book(refused))

    def _ask(self, what: str, job: Job) -> None:
        self._ask_or(job, lambda: self.on_request_failed(what, NOT_CONNECTED))

    def _ask_or(self, job: Job, refuse: Job) -> None:
        """Do a job where the venue may be touched, if it is connected then; otherwise say that it is not."""
        if not self._submit(lambda: job() if self._orders.linked else self.session.answer(refuse)):
            refuse()


def _discard(_result: object) -> None:
    """Ignore a result."""
