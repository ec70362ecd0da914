"""Questions about single orders: IB has only lists, so that an order is looked for in those of open, completed and filled ones.

Silence of the lists proves that an order never reached the market when they say so twice, each of the three, over a link that has stood
for the bound, of an order that left today: see `check_absence`.
"""

from datetime import datetime, tzinfo
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.figures import VENUE
from foxtrot.adapter.ib.report_codec import order_row
from foxtrot.adapter.ib.reports import Reports
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.ib.trade_requests import TradeRequests, each
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.order import OrderData

UNKNOWN_BOUND_S: Final = 30.0
"""How long after an order left its absence from all lists proves that it never reached the market.

TWS reads its socket in order: what left before a list was asked for over the same link is read before it, and is in the list from then on,
also while IB has not judged it (PendingSubmit). Over a new link with the same client id TWS has ended the old one, which it refuses to
share (326), and with it whatever it had not read. What is left is the way between TWS and IB's servers, over which an order that TWS
has taken stays in TWS's list. The bound is margin on top, and counts from the youngest of the order and the link.
"""
NEW_YORK: Final = ZoneInfo("America/New_York")
"""IB's day: at its midnight the lists of completed orders and of executions begin anew. The gateway's own may be later, so both count."""


class OrderQuestions:
    """Asks about orders of one account.

    Thread: ib-io.
    """

    def __init__(
        self, adapter: BaseAdapter, session: IbSession, requests: TradeRequests, tracker: OrderTracker, reports: Reports
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._requests = requests
        self._tracker = tracker
        self._reports = reports
        self.left_ns: dict[str, int] = {}
        """When an order of an earlier run left, UTC ns; those of this run leave now."""

    async def ask(self, order_id: str, instrument_id: str) -> bool:
        """Look for an order in all lists, and tell it; False without it.

        True also for one that IB has and has not judged.

        Raises:
            AdapterError: a list could not be had, or its lacking the order says nothing.
        """
        if order_id in await self.tell_open():
            return True
        if order_id in await self._completed(order_id):
            return True
        if order_id in await self.tell_fills():
            last = self._tracker.last(order_id)
            if last is not None and last.status is not OrderStatus.UNKNOWN:
                return True
            raise BadMessage(VENUE, "fills_alone", f"fills of {order_id} are told, and no state of it")
        self.check_absence(order_id)
        return False

    async def ask_fills(self, order: OrderData) -> None:
        """Ask for all fills, and tell those that are new.

        Raises:
            AdapterError: the list could not be had.
        """
        await self.tell_fills()

    async def is_listed(self, order_id: str, instrument_id: str, since_ns: int) -> bool:
        """Look for an order once more, and tell it when it is there.

        Raises:
            AdapterError: a list could not be had, or does not reach back so far.
        """
        return order_id in await self.tell_open() or order_id in await self._completed(order_id)

    async def tell_open(self) -> set[str]:
        """Tell all open orders; returns their names, also of those that IB has not judged."""
        names: set[str] = set()
        for name, told in await self._requests.open_orders():
            names |= set(each([told], partial(self._hear, name), "order"))
        return names - {""}

    async def tell_fills(self) -> set[str]:
        """Tell all fills that are new; returns the names of their orders."""
        rows = await self._requests.executions()
        names = set(each(rows, lambda one: self._reports.hear_fill(*one[-2:], pushed=False), "fill"))
        return names - {""}

    def check_absence(self, order_id: str) -> None:
        """Refuse to take an order for absent while its absence proves nothing.

        Raises:
            BadMessage: the link is younger than the bound, IB's servers are not to be had, or the order left before the lists begin.
        """
        last = self._tracker.last(order_id)
        if last is None or last.status is not OrderStatus.UNKNOWN:
            return
        clock = self._session.clock
        stands_s = (clock.monotonic_ns() - self._session.linked_since_ns) / 1e9
        if stands_s < UNKNOWN_BOUND_S:
            raise BadMessage(
                VENUE, "new_link", f"{order_id} is not listed, and the link stands for {stands_s:.1f} s only"
            )
        left_ns = self.left_ns.get(order_id, last.local_time_ns)
        if left_ns < max(midnight_ns(clock.now_ns(), zone) for zone in (NEW_YORK, self._reports.facts.zone)):
            text = f"{order_id} is not listed, but it left before today, and IB lists what ended today; only a person can tell"
            raise BadMessage(VENUE, "another_day", text)

    def _hear(self, kind: str, told: tuple[Any, ...]) -> str:
        hear = self._reports.hear_open if kind == "openOrder" else self._reports.hear_status
        return hear(*told, pushed=False)

    async def _completed(self, order_id: str) -> set[str]:
        """Tell the order that is meant if it is completed; the fills of one that has some come first, for only they say the price."""
        rows = each(await self._requests.completed_orders(), lambda one: order_row(*one, is_completed=True), "order")
        named = [(self._reports.read(row)[0], row) for row in rows]
        found = [row for name, row in named if name == order_id]
        if any(row.filled or row.status == "Filled" for row in found):
            await self.tell_fills()
        for row in found:
            self._reports.hear_row(row, pushed=False)
        return {name for name, _ in named}


def midnight_ns(now_ns: int, zone: tzinfo) -> int:
    """Return when today began in a zone, UTC ns."""
    today = datetime.fromtimestamp(now_ns / 1e9, zone)
    return int(today.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 10**9
