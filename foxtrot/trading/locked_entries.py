"""Entries of locked scopes: cancelled, and asked for again for as long as the lock stands, until none is open."""

from collections.abc import Iterator

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, OrderChanged
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import AdapterState
from foxtrot.trading.cancel_retries import CancelRetries
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import is_ours
from foxtrot.trading.order_record import OrderRecord

OWNER = "locked_entries"


class LockedEntries:
    """Cancels every order of ours in a locked scope that may increase a position, as the kill switch does in all of them.

    A cancel that is lost or refused is asked for again with growing pauses, and at once when its account is ready or reconciled,
    or the order itself is told of. A scope is an owner ("" for all) in an account ("" for all).

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk) -> None:
        self._dispatcher = dispatcher
        self._desk = desk
        self._retries = CancelRetries(desk)
        self._scopes: list[tuple[str, str]] = []
        self._while_locked: tuple[Subscription, ...] = ()

    def hold(self, owner: str, account: str) -> None:
        """Let no entry of a scope stay from now on."""
        self._scopes.append((owner, account))
        if not self._while_locked:
            subscribe = self._dispatcher.subscribe
            self._while_locked = (
                subscribe(AdapterStatus, self.on_adapter_status, owner=OWNER, core=True),
                subscribe(AccountReconciled, self.on_reconciled, owner=OWNER, core=True),
                subscribe(OrderChanged, self.on_order_changed, owner=OWNER, core=True),
            )

    def release(self, owner: str, account: str) -> None:
        """Let the entries of a scope be."""
        self._scopes.remove((owner, account))
        if not self._scopes:
            for subscription in self._while_locked:
                self._dispatcher.unsubscribe(subscription)
            self._while_locked = ()
            self._retries.clear()

    def look(self) -> None:
        """Ask for what is open still, each when its turn has come; called by a timer."""
        now_ns = self._dispatcher.clock.monotonic_ns()
        for record in list(self._unwanted()):
            self._retries.ask(record, now_ns)

    def on_adapter_status(self, status: AdapterStatus) -> None:
        """Ask at once for whatever is open in an account that is ready again."""
        if status.state is AdapterState.READY:
            self._ask_anew(status.account)

    def on_reconciled(self, notice: AccountReconciled) -> None:
        """Ask at once for whatever a reconciliation found."""
        self._ask_anew(notice.account)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Cancel an order that turns out alive; forget one that is done."""
        order = change.order
        record = self._desk.index.find(order.order_id, order.account, order.instrument_id)
        if record is None:
            return
        if not record.is_open:
            self._retries.forget(record)
        elif self._is_unwanted(record):
            self._retries.ask(record, self._dispatcher.clock.monotonic_ns())

    def _ask_anew(self, account: str) -> None:
        for record in self._desk.open_records(account=account):
            self._retries.forget(record)
        self.look()

    def _unwanted(self) -> Iterator[OrderRecord]:
        if self._scopes:
            yield from (record for record in self._desk.open_records() if self._is_unwanted(record))

    def _is_unwanted(self, record: OrderRecord) -> bool:
        terms = record.terms
        if record.reduces or terms.account not in self._desk.adapters:
            return False
        if record.owner == EXTERNAL and not is_ours(terms.order_id):
            return False
        return any(owner in ("", record.owner) and account in ("", terms.account) for owner, account in self._scopes)
