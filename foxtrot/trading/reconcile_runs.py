"""The runs of reconciliation: each takes answers as they come, looks until what differs is sure, acts on it, and ends."""

from collections.abc import Callable, Mapping

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    OpenOrdersLoaded,
    OrderMissing,
    PositionsLoaded,
    RequestFailed,
    TradeBooked,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading.difference import BALANCE, Finding
from foxtrot.trading.difference_book import DifferenceBook
from foxtrot.trading.reconcile_account import AccountWatch
from foxtrot.trading.reconcile_acts import ReconcileActs
from foxtrot.trading.reconcile_asking import Asking
from foxtrot.trading.reconcile_run import LOOKS, Answer, Run

OWNER = "reconcile"
DEADLINE_NS = 30_000_000_000
"""How long an account may take to answer one look."""
SETTLE_NS = 2_000_000_000
"""How long after one look the next follows: what a list has shown comes by the stream meanwhile."""

Ended = Callable[[AccountWatch, Run, str], None]
"""Hears that a run of an account is over, and why it is not complete, "" when it is."""


class ReconcileRuns:
    """One run of an account at a time.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        accounts: Mapping[str, AccountWatch],
        asking: Asking,
        acts: ReconcileActs,
        book: DifferenceBook,
    ) -> None:
        self.on_end: Ended = _nobody
        self._dispatcher = dispatcher
        self._accounts = accounts
        self._asking = asking
        self._acts = acts
        self._book = book
        dispatcher.subscribe(OpenOrdersLoaded, self._on_orders, owner=OWNER, core=True)
        dispatcher.subscribe(TradesLoaded, self._on_trades, owner=OWNER, core=True)
        dispatcher.subscribe(PositionsLoaded, self._on_positions, owner=OWNER, core=True)
        dispatcher.subscribe(AccountData, self._on_account, owner=OWNER, core=True)
        dispatcher.subscribe(RequestFailed, self._on_request_failed, owner=OWNER, core=True)
        dispatcher.subscribe(OrderMissing, self._on_order_missing, owner=OWNER, core=True)
        dispatcher.subscribe(OrderData, self._on_order, owner=OWNER, core=True)
        dispatcher.subscribe(TradeData, self._on_trade, owner=OWNER, core=True)
        dispatcher.subscribe(TradeBooked, self._on_booked, owner=OWNER, core=True)

    def start(self, account: AccountWatch, run: Run) -> None:
        """Begin a run, or its next look; what ran before is given up."""
        if account.run is not run:
            self.drop(account)
        account.run = run
        self.set_timer(account, "deadline", DEADLINE_NS)
        self._go_on(account, run)

    def drop(self, account: AccountWatch) -> None:
        """Give up the run of an account, and whatever was to follow."""
        self._dispatcher.cancel_timer(account.timer)
        account.run = None

    def set_timer(self, account: AccountWatch, what: str, delay_ns: int) -> None:
        """Set the one timer of an account's run: its "deadline", or when to ask "again"."""
        self._dispatcher.cancel_timer(account.timer)
        account.timer = self._dispatcher.set_timer(OWNER, f"{what}|{account.name}", delay_ns)

    def _go_on(self, account: AccountWatch, run: Run) -> None:
        if account.linked and self._asking.go_on(account, run):
            self._look(account, run)

    def _look(self, account: AccountWatch, run: Run) -> None:
        """Judge what has come, and act on what is sure."""
        for record in self._asking.forgotten(run):
            self._acts.forget(record)
        if not run.is_whole:
            self._end(account, run, "")
            return
        findings = self._asking.findings(run)
        unsure = run.note(findings)
        if not unsure:
            self._act(account, findings)
            if not findings:
                self._asking.release_orphans(run)
            self._end(account, run, "")
        elif run.looks < LOOKS:
            run.begin_look()
            self.set_timer(account, "again", SETTLE_NS)
        else:
            names = ", ".join(f"{finding.kind} of {finding.subject}" for finding in unsure)
            self._end(account, run, f"it does not come to rest: {names}")

    def _act(self, account: AccountWatch, findings: list[Finding]) -> None:
        for finding in findings:  # what an unheard order of ours may have moved waits for a look after its end
            if finding.kind == BALANCE and not self._asking.may_be_ours(account.name, finding.subject):
                self._acts.take_outside(finding, account.cursor_ns)
        self._book.replace(account.name, [finding for finding in findings if finding.kind != BALANCE])

    def time_is_over(self, account: AccountWatch, run: Run) -> None:
        """End a run whose answers did not come in time."""
        self._end(account, run, f"no answer in time for {', '.join(run.waits_for)}")

    def _end(self, account: AccountWatch, run: Run, error: str) -> None:
        self.drop(account)
        self.on_end(account, run, error)

    # --- what comes -------------------------------------------------------------------------------------------------

    def _on_orders(self, loaded: OpenOrdersLoaded) -> None:
        account = self._accounts.get(loaded.account)
        if account is not None and account.run is not None and account.run.singles:
            account.run.singles.clear()  # asked for singly, a venue that cannot be asked so has listed them all again
        self._take(loaded.account, "orders", loaded)

    def _on_trades(self, loaded: TradesLoaded) -> None:
        account = self._accounts.get(loaded.account)
        if account is not None:
            for trade in loaded.trades:
                account.note_fill(trade.venue_time_ns)
            if not account.linked or loaded.since_ns <= account.cursor_ns:  # else somebody else asked for fewer
                self._take(loaded.account, "trades", loaded)

    def _on_positions(self, loaded: PositionsLoaded) -> None:
        self._take(loaded.account, "positions", loaded)

    def _on_account(self, data: AccountData) -> None:
        self._take(data.account, "account", data)

    def _take(self, name: str, question: str, answer: Answer) -> None:
        account = self._accounts.get(name)
        if account is None or account.run is None:
            return
        taken = account.run.take(question, answer)
        if taken and question == "trades" and (account.linked or not account.started):
            account.note_listed(account.run.known_ns)
        if taken or account.run.singles == {}:
            self._go_on(account, account.run)

    def _on_order(self, order: OrderData) -> None:
        self._heard(order.account, order.order_id, order.instrument_id, missing=False)

    def _on_order_missing(self, missing: OrderMissing) -> None:
        self._heard(missing.account, missing.order_id, missing.instrument_id, missing=True)

    def _heard(self, name: str, order_id: str, instrument_id: str, *, missing: bool) -> None:
        """Note that an order was told, and go on if the run was waiting for it alone."""
        account = self._accounts.get(name)
        if account is None or account.run is None:
            return
        if account.run.hear(order_id, instrument_id, missing=missing):
            self._go_on(account, account.run)

    def _on_trade(self, trade: TradeData) -> None:
        account = self._accounts.get(trade.account)
        if account is not None:
            account.note_fill(trade.venue_time_ns)
            if account.run is not None:
                account.run.moved.update((trade.order_id, trade.instrument_id))

    def _on_booked(self, booked: TradeBooked) -> None:
        account = self._accounts.get(booked.trade.account)
        if account is not None and account.run is not None:
            account.run.moved.add(booked.trade.instrument_id)

    def _on_request_failed(self, failure: RequestFailed) -> None:
        account = self._accounts.get(failure.account)
        if account is None or account.run is None or not account.linked:
            return
        run = account.run
        if failure.what in run.waits_for:
            self._end(account, run, f"the venue did not answer for {failure.what}: {failure.error}")


def _nobody(_account: AccountWatch, _run: Run, _error: str) -> None:
    """Be heard by nobody."""
