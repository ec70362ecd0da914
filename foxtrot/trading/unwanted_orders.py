"""Orders that somebody wants gone: cancelled, and asked for again until none of them is open."""

from collections.abc import Callable

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, OrderChanged
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.enums import AdapterState
from foxtrot.trading.cancel_retries import CancelRetries
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord


class UnwantedOrders:
    """Cancels every open order that `is_unwanted` names, from `begin` to `end`.

    A cancel that is lost or refused is asked for again with growing pauses when `sweep` is called, and at once when its account is
    ready or reconciled, or the order itself is told of. `then` is called after an account was gone through and after an order is done.

    Thread: the dispatcher's.
    """

    def __init__(
        self, dispatcher: Dispatcher, desk: OrderDesk, is_unwanted: Callable[[OrderRecord], bool], owner: str
    ) -> None:
        self._dispatcher = dispatcher
        self._desk = desk
        self._is_unwanted = is_unwanted
        self._owner = owner
        self._retries = CancelRetries(desk)
        self._heard: tuple[Subscription, ...] = ()
        self.then: Callable[[], None] = _nothing

    def begin(self) -> None:
        """Hear what may bring such an order to light; doing it while it is done already changes nothing."""
        if self._heard:
            return
        subscribe, owner = self._dispatcher.subscribe, self._owner
        self._heard = (
            subscribe(AdapterStatus, self.on_adapter_status, owner=owner, core=True),
            subscribe(AccountReconciled, self.on_reconciled, owner=owner, core=True),
            subscribe(OrderChanged, self.on_order_changed, owner=owner, core=True),
        )

    def end(self) -> None:
        """Let all orders be."""
        for subscription in self._heard:
            self._dispatcher.unsubscribe(subscription)
        self._heard = ()
        self._retries.clear()

    def sweep(self, account: str = "") -> None:
        """Ask for what is open still, each when its turn has come."""
        now_ns = self._dispatcher.clock.monotonic_ns()
        for record in list(self._desk.open_records(account=account)):
            if self._is_unwanted(record):
                self._retries.ask(record, now_ns)

    def count(self, record: OrderRecord) -> int:
        """Return how often the cancel of an order was asked for."""
        return self._retries.count(record)

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
            self.then()
        elif self._is_unwanted(record):
            self._retries.ask(record, self._dispatcher.clock.monotonic_ns())

    def _ask_anew(self, account: str) -> None:
        for record in self._desk.open_records(account=account):
            self._retries.forget(record)
        self.sweep(account)
        self.then()


def _nothing() -> None:
    """Do nothing more."""
