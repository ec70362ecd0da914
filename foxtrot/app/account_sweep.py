"""The open orders of an account as its venue tells them, and the cancels of those of ours that may increase a position.

Needs no journal, no engine and no line: what an order is, its id says. Both the guardian and a kill without a platform use it.
"""

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.notices import AdapterStatus, OpenOrdersLoaded, RequestFailed
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.order import CancelRequest, OrderData
from foxtrot.domain.order_state import OPEN
from foxtrot.trading.order_ids import is_ours, reduces_by_id

RETRY_NS = 500_000_000
MOST_RETRY_NS = 8_000_000_000
LIST_NS, CALM_LIST_NS = 2_000_000_000, 10_000_000_000
"""How often the venue is asked for its list while something is open, and while nothing is: the list is dear where it is of all instruments."""
CANCEL = "cancel of "


class SweepReport(msgspec.Struct, frozen=True):
    """What became of an account: its connection, what was cancelled, what is open still and why, what stays and is whose."""

    account: str
    adapter: str
    state: str
    cause: str
    cancelled: tuple[str, ...]
    still_open: dict[str, str]
    reducing: tuple[str, ...]
    foreign: tuple[str, ...]
    listed: bool

    @property
    def done(self) -> bool:
        """Tell whether the venue has told its open orders and none of ours is left that may increase a position."""
        return self.listed and not self.still_open


class _Asked:
    """How often a cancel was asked for, when it is due again, and what the venue said of the last one."""

    __slots__ = ("count", "due_ns", "error")

    def __init__(self) -> None:
        self.count = 0
        self.due_ns = 0
        self.error = ""


class AccountSweep:
    """One account being watched, and swept when it is told to be.

    Thread: that of whoever takes the events.
    """

    def __init__(self, adapter: BaseAdapter) -> None:
        self.adapter = adapter
        self.account = adapter.account
        self.state = adapter.state
        self.cause = ""
        self._open: dict[tuple[str, str], OrderData] = {}
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._cancelled: list[str] = []
        self._listed = False
        self._list_due_ns = 0

    @property
    def is_ready(self) -> bool:
        """Tell whether cancels can leave."""
        return self.state in (AdapterState.READY, AdapterState.CONNECTED)

    def begin(self) -> None:
        """Begin a sweep anew: nothing counts as told before the venue is asked again."""
        self._listed, self._list_due_ns = False, 0
        self._asked.clear()
        self._cancelled.clear()

    def take(self, event: object) -> None:
        """Hear what the account's adapter tells."""
        if isinstance(event, OrderData):
            self._take_order(event)
        elif isinstance(event, OpenOrdersLoaded):
            self._open = {(order.instrument_id, order.order_id): order for order in event.orders}
            self._listed = True
        elif isinstance(event, AdapterStatus):
            self.state, self.cause = event.state, event.cause
            if event.state is AdapterState.READY:
                self._asked.clear()
        elif isinstance(event, RequestFailed) and event.what.startswith(CANCEL):
            self._note_failure(event.what.removeprefix(CANCEL), event.error)

    def act(self, now_ns: int) -> None:
        """Ask for the cancels that are due, and for the venue's list."""
        if not self.is_ready:
            return
        for key, order in self._entries().items():
            self._cancel(key, order, now_ns)
        if now_ns >= self._list_due_ns and self.state is AdapterState.READY:
            is_calm = self._listed and not self._entries()
            self._list_due_ns = now_ns + (CALM_LIST_NS if is_calm else LIST_NS)
            self.adapter.query_orders()

    def report(self) -> SweepReport:
        """Return how far it is."""
        stays = [order.order_id for key, order in self._open.items() if key not in self._entries()]
        return SweepReport(
            account=self.account,
            adapter=self.adapter.adapter_name,
            state=str(self.state),
            cause=self.cause,
            cancelled=tuple(self._cancelled),
            still_open={order.order_id: self._why(key) for key, order in self._entries().items()},
            reducing=tuple(name for name in stays if is_ours(name)),
            foreign=tuple(name for name in stays if not is_ours(name)),
            listed=self._listed,
        )

    def _entries(self) -> dict[tuple[str, str], OrderData]:
        return {
            key: one for key, one in self._open.items() if is_ours(one.order_id) and not reduces_by_id(one.order_id)
        }

    def _take_order(self, order: OrderData) -> None:
        key = (order.instrument_id, order.order_id)
        if order.status in OPEN:
            self._open[key] = order
            return
        self._open.pop(key, None)
        if self._asked.pop(key, None) is not None:
            self._cancelled.append(order.order_id)

    def _cancel(self, key: tuple[str, str], order: OrderData, now_ns: int) -> None:
        asked = self._asked.setdefault(key, _Asked())
        if asked.due_ns <= now_ns:
            asked.due_ns = now_ns + min(RETRY_NS << asked.count, MOST_RETRY_NS)
            asked.count += 1
            self.adapter.cancel_order(
                CancelRequest(order.order_id, self.account, order.instrument_id, order.venue_order_id)
            )

    def _note_failure(self, order_id: str, error: str) -> None:
        for (_, name), asked in self._asked.items():
            if name == order_id:
                asked.error = error

    def _why(self, key: tuple[str, str]) -> str:
        asked = self._asked.get(key)
        if asked is None or not asked.count:
            return f"not asked: the account is {self.state} {self.cause}".rstrip()
        return asked.error or f"asked {asked.count} times, no answer yet"
