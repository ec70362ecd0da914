"""The questions of a reconciliation, in the order in which their answers can be compared, and what the answers come to."""

from collections.abc import Iterator

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order_state import WORKING
from foxtrot.trading.difference import BALANCE, Comparison, Finding
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.reconcile_account import OVERLAP_NS, AccountWatch
from foxtrot.trading.reconcile_run import EVERYTHING, Run, Single

FIRST = ("orders", "positions", "account")
"""These are asked for at once; fills only when these are answered, so that all that these count is told by fills."""
LOGIN = "log-in"
UNHEARD = frozenset({OrderStatus.CREATED, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN})
SILENT_NS = 30_000_000_000
"""So long after it was sent an order that was never told of is asked for."""


class Asking:
    """Asks adapters on behalf of runs, and compares what they answer.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio, comparison: Comparison, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._portfolio = portfolio
        self._comparison = comparison

    def begin(self, account: AccountWatch, whole_ns: int | None) -> None:
        """Take the fills that were restored as known, and let the log-in tell those of the instruments that were.

        `whole_ns` is up to when fills were whole by the runs before, None when they do not say.
        """
        latest_ns = max((trade.venue_time_ns for trade in self._desk.fills(account.name)), default=0)
        known_ns = latest_ns or self._portfolio.account(account.name).opening_time_ns
        account.note_fill(known_ns)
        if known_ns:
            account.note_listed(known_ns if whole_ns is None else min(known_ns, whole_ns + OVERLAP_NS))
        account.adapter.watched = self._places(account.name)

    def of_login(self, account: AccountWatch) -> Run:
        """Return a run that takes what a log-in tells as the answers of its first look."""
        run = Run(account.name, LOGIN, EVERYTHING)
        run.asked = set(EVERYTHING)
        run.known_ns = account.latest_ns
        return run

    def end_login(self, account: AccountWatch, run: Run) -> None:
        """Keep what the log-in has told, and let the rest be asked for.

        The first log-in tells all fills since the cursor. A later one tells those since the last one that its adapter has heard,
        which may have missed one before.
        """
        if account.started:
            run.answers.trades = None
        run.asked = set(EVERYTHING) - set(run.lacks(*EVERYTHING))

    def go_on(self, account: AccountWatch, run: Run) -> bool:
        """Ask for what can be asked for now; tells whether everything is answered."""
        for question in FIRST:
            if question in run.questions and question not in run.asked:
                self._ask(account, run, question)
        if run.lacks(*FIRST):
            return False
        if run.singles is None:
            self._ask_singly(account, run)
        if run.singles:
            return False
        if "trades" not in run.asked and self._wants_trades(run):
            self._ask(account, run, "trades")
        return not run.lacks("trades")

    def forgotten(self, run: Run) -> Iterator[OrderRecord]:
        """Yield the orders of which the venue knows nothing, and we no more than when it was asked."""
        for record in list(self._desk.open_records(account=run.account)):
            before = run.gone.get((record.terms.order_id, record.terms.instrument_id))
            if before is not None and _state(record) == before:
                yield record

    def findings(self, run: Run) -> list[Finding]:
        """Return what differs."""
        answers = run.answers
        found = list(self._comparison.fills(run.account))
        if answers.positions is not None:
            found += self._comparison.positions(run.account, answers.positions)
        if answers.account is not None:
            found += self._comparison.balances(run.account, answers.account)
        return found

    def may_be_ours(self, account: str, asset: str) -> bool:
        """Tell whether an order whose answer or fills are not heard yet may have moved an asset."""
        return any(
            record.missing_units > 0 or record.status in UNHEARD
            for record in self._desk.pending_records(account=account)
            if asset in (record.instrument.base_asset, record.instrument.quote_asset, record.instrument.settle_asset)
        )

    def release_orphans(self, run: Run) -> None:
        """Forget what could not be counted once everything agrees without it and none of it is open any more."""
        listed = {order.order_id for order in run.answers.orders.orders} if run.answers.orders is not None else set()
        facts = self._desk.orphans.facts(run.account)
        if facts and not any(fact.order_id in listed for fact in facts):
            self._desk.orphans.release(run.account)

    def _ask(self, account: AccountWatch, run: Run, question: str) -> None:
        run.asked.add(question)
        if question == "orders":
            account.adapter.query_orders()
        elif question == "positions":
            account.adapter.query_positions()
        elif question == "account":
            account.adapter.query_account()
        else:
            run.known_ns = account.latest_ns
            account.adapter.watched = self._places(account.name) | self._moved_places(run)
            account.adapter.query_trades(account.cursor_ns)

    def _ask_singly(self, account: AccountWatch, run: Run) -> None:
        """Ask for each of our orders that the list of open ones lacks and that nothing was heard of since it was asked for."""
        listed = {order.order_id for order in run.answers.orders.orders} if run.answers.orders is not None else set()
        now_ns = self._clock.now_ns()
        missing = [
            record
            for record in self._desk.open_records(account=run.account)
            if record.terms.order_id not in listed | run.moved and _should_be_listed(record, now_ns)
        ]
        run.singles = {(record.terms.order_id, record.terms.instrument_id): _state(record) for record in missing}
        for record in missing:
            account.adapter.query_order(record.terms.order_id, record.terms.instrument_id)

    def _wants_trades(self, run: Run) -> bool:
        return run.is_whole or bool(run.gone) or any(True for _ in self._comparison.fills(run.account))

    def _places(self, account: str) -> frozenset[str]:
        """Return the instruments in which an account has orders, or has traded."""
        names = {record.terms.instrument_id for record in self._desk.pending_records(account=account)}
        names |= {instrument_id for (name, instrument_id, _), _ in self._portfolio.net_positions() if name == account}
        return frozenset(names)

    def _moved_places(self, run: Run) -> frozenset[str]:
        """Return the pairs in which a balance that differs may have been traded."""
        if run.answers.account is None:
            return frozenset()
        moved = {
            one.subject for one in self._comparison.balances(run.account, run.answers.account) if one.kind == BALANCE
        }
        if not moved:
            return frozenset()
        held = {row.asset for row in run.answers.account.balances} | self._portfolio.balances(run.account).keys()
        return frozenset(
            one.instrument_id
            for one in self._portfolio.instruments.all()
            if one.base_asset in moved and one.quote_asset in held and not one.product.is_derivative
        )


def _should_be_listed(record: OrderRecord, now_ns: int) -> bool:
    """Tell whether a venue that has the order must list it; one of unknown outcome is its adapter's to find."""
    silent = record.status is OrderStatus.SUBMITTED and now_ns - record.terms.local_time_ns > SILENT_NS
    return silent or record.status in WORKING


def _state(record: OrderRecord) -> Single:
    return (record.status, record.filled_units)
