"""Questions about single orders: Futu has only lists, so that an order is looked for in them by its remark or its number."""

from typing import Any

from loguru import logger

from foxtrot.adapter.futu.capabilities import UNKNOWN_BOUND_S
from foxtrot.adapter.futu.contracts import code_of_instrument
from foxtrot.adapter.futu.errors import VENUE
from foxtrot.adapter.futu.order_reports import OrderReports
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.order import OrderData

BUY = 1
"""Source: Futu OpenAPI, trade, TrdSide; a sale is 2, or 3 where it is short."""
DAY_NS = 86_400_000_000_000
LOOK_BACK_DAYS = 2
SLACK_NS = 60_000_000_000
"""So long before its outcome became unknown an order may have been made: the SDK waits 12 s, and clocks differ."""


class OrderQuestions:
    """Asks about orders of one account.

    Thread: futu-io.
    """

    def __init__(
        self, session: FutuSession, requests: TradeRequests, tracker: OrderTracker, reports: OrderReports
    ) -> None:
        self._session = session
        self._requests = requests
        self._tracker = tracker
        self._reports = reports

    async def ask(self, order_id: str, instrument_id: str) -> bool:
        """Look for an order among those of today and those that are open, and then among the past ones of some days; False without it.

        Raises:
            AdapterError: a list could not be had, or its lacking the order says nothing.
        """
        listed = await self._requests.orders(fresh=True)
        if self._tell_from(listed, order_id, instrument_id):
            return True
        past = await self._requests.past_orders(self._session.clock.now_ns() - LOOK_BACK_DAYS * DAY_NS)
        if self._tell_from(past, order_id, instrument_id):
            return True
        self._check_absence(order_id, [*listed, *past])
        return False

    async def ask_fills(self, order: OrderData) -> None:
        """Ask for all fills of one order and tell those that are new; of a paper account, for the order.

        Raises:
            AdapterError: a list could not be had.
        """
        if not self._reports.real:
            await self.ask(order.order_id, order.instrument_id)
            return
        deals = await self._requests.deals(fresh=True)
        deals += await self._requests.past_deals(order.venue_time_ns - LOOK_BACK_DAYS * DAY_NS)
        for deal in deals:
            if deal.orderIDEx == order.venue_order_id:
                self._reports.hear_deal(deal, pushed=False)

    async def is_listed(self, order_id: str, instrument_id: str, since_ns: int) -> bool:
        """Look for an order among the past ones since a time, and tell it when it is there.

        Raises:
            AdapterError: the list could not be had.
        """
        return self._tell_from(await self._requests.past_orders(since_ns), order_id, instrument_id)

    async def ask_unheard(self) -> None:
        """Ask for the orders of which fills were told and nothing else.

        Raises:
            AdapterError: the list could not be had.
        """
        wanted = set(self._reports.unheard)
        for order in await self._requests.orders(fresh=True):
            if order.orderIDEx in wanted:
                self.tell(order)

    def tell(self, order: Any) -> OrderData | None:
        """Tell an order of a list; one that cannot be read is logged, for it must not hide the others."""
        try:
            return self._reports.hear_order(order, pushed=False)
        except BadMessage as error:
            logger.warning("a listed order cannot be used: {}", error)
            return None

    def _check_absence(self, order_id: str, listed: list[Any]) -> None:
        """Refuse to take an order for absent while its absence proves nothing.

        An OpenD that has just begun may not have its lists yet, and an order that lost its remark on the way cannot be told by it.

        Raises:
            BadMessage: the link is younger than the bound, or an order without a remark may be the one.
        """
        last = self._tracker.last(order_id)
        if last is None or last.status is not OrderStatus.UNKNOWN:
            return
        stands_s = (self._session.clock.monotonic_ns() - self._session.linked_since_ns) / 1e9
        if stands_s < UNKNOWN_BOUND_S:
            raise BadMessage(
                VENUE, "new_link", f"{order_id} is not listed, and the link stands for {stands_s:.1f} s only"
            )
        for order in listed:
            if self._may_be(order, last):
                text = f"{order_id} is not listed, but {order.orderIDEx} without a remark may be it"
                raise BadMessage(VENUE, "no_remark", text)

    def _may_be(self, order: Any, wanted: OrderData) -> bool:
        """Tell whether an order of a list that nobody here has placed may be one whose remark was lost."""
        known = self._tracker.order_id_of(wanted.instrument_id, order.orderIDEx)
        if order.remark.strip() or (known and not known.startswith("venue")):
            return False
        symbol = wanted.instrument_id.rpartition(".")[0]
        alike = (order.code, order.trdSide == BUY, order.qty) == (symbol, wanted.side is Side.BUY, wanted.quantity)
        made_ns = int(order.createTimestamp * 1e9)  # 0 where OpenD does not say
        return alike and (not made_ns or made_ns >= wanted.local_time_ns - SLACK_NS)

    def _tell_from(self, orders: list[Any], order_id: str, instrument_id: str) -> bool:
        """Tell the order of a list that is meant; True also when it is there and Futu has not judged it yet."""
        instrument = self._session.find_instrument(instrument_id)
        last = self._tracker.last(order_id)
        number = last.venue_order_id if last is not None else ""
        number = number or (order_id.removeprefix("venue") if order_id.startswith("venue") else "")
        for order in orders:
            meant = order.orderIDEx == number if number else order.remark.strip() == order_id
            if meant and (instrument is None or code_of_instrument(instrument).endswith(f".{order.code}")):
                self.tell(order)
                return True
        return False
