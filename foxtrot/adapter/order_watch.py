"""Orders that need asking after: those whose outcome is unknown, and those of which fills are missing."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.own_order import own_order
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.domain.order_state import OPEN

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 8.0
NEEDED = 2
"""So many times the venue must say NOT FOUND after the bound before it is believed."""
LATE_FILLS_S = 2.0
"""How long after a state its fills may come by the user stream before they are asked for."""
NEVER_REACHED = "never_reached_market"


class OrderQuestions(Protocol):
    """How a venue is asked about orders; answers go to the tracker."""

    async def ask(self, order_id: str, instrument_id: str) -> bool:
        """Ask for one order and tell what came; False when the venue has no such order.

        Raises:
            AdapterError: no answer, or one that says nothing about the order.
        """
        ...

    async def ask_fills(self, order: OrderData) -> None:
        """Ask for all fills of one order and tell those that are new.

        Raises:
            AdapterError: no answer, or not a list of fills.
        """
        ...

    async def is_listed(self, order_id: str, instrument_id: str, since_ns: int) -> bool:
        """Look for an order in every list of the venue since a time, and tell it when it is there.

        Raises:
            AdapterError: a list could not be had.
        """
        ...


class OrderSession(Protocol):
    """What an order is asked for over."""

    @property
    def linked(self) -> bool:
        """Tell whether the venue can be asked."""
        ...

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a contract that is listed, or None."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run something on the adapter's own loop."""
        ...

    async def wait_s(self, seconds: float) -> None:
        """Wait by the adapter's clock."""
        ...


class Unknown(msgspec.Struct):
    """An order without an answer: when it may have left last, and how often since the bound it was not found.

    `of_earlier_run` says that this run never sent it, so that its account's stream need not tell of it.
    """

    order: ApprovedOrder
    sent_ns: int
    left_ns: int
    asked: int = 0
    not_found: int = 0
    of_earlier_run: bool = False


class OrderWatch:
    """Asks until an unknown order is found or, past the venue's bound, proved never to have reached the market.

    Nothing is ever sent again. Where the capability table gives no bound, an order stays unknown until it is found.

    Thread: the adapter's own.
    """

    def __init__(
        self, adapter: BaseAdapter, session: OrderSession, tracker: OrderTracker, queries: OrderQuestions
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._queries = queries
        self.on_found: Callable[[int], None] = _ignore
        """Hears the monotonic time at which an order was sent that was found by asking."""
        self._unknown: dict[str, Unknown] = {}
        self._pursuits: dict[str, asyncio.Task[None]] = {}
        self._filling = False

    @property
    def unknown(self) -> frozenset[str]:
        """Return the ids of the orders whose outcome is not known."""
        return frozenset(self._unknown)

    def note_unknown(self, order: ApprovedOrder, cause: str, left_ns: int | None = None) -> None:
        """Tell that an order's outcome is unknown, and begin to ask.

        Args:
            order: the order.
            cause: why it is not known.
            left_ns: when it may have left at the earliest, UTC ns; now by default.
        """
        clock = self._adapter.clock
        instrument = self._session.find_instrument(order.instrument_id)
        told = own_order(order, instrument, clock.now_ns(), OrderStatus.UNKNOWN, "unknown_outcome", cause)
        self._tracker.report(told)
        if self._is_settled(order.order_id):
            return
        logger.warning("{} order {}: no answer ({}); asking for it", self._adapter.account, order.order_id, cause)
        self._unknown[order.order_id] = Unknown(
            order, clock.monotonic_ns(), left_ns or clock.now_ns(), of_earlier_run=left_ns is not None
        )
        self._start_pursuit(order.order_id)

    def note_fills(self) -> None:
        """Begin to wait for fills that are missing; doing it while one waits does nothing."""
        if self._tracker.lacks and not self._filling:
            self._filling = True
            self._session.spawn(self._complete_fills(), "missing fills")

    async def ask_all(self) -> None:
        """Ask once for every order that is unknown, and see to it that each is asked for until it is found."""
        for order_id in list(self._unknown):
            await self._ask(order_id)
            if order_id in self._unknown:
                self._start_pursuit(order_id)

    async def check(self, order_id: str, instrument_id: str) -> None:
        """Ask for one order whose state we may have wrong; without an answer nothing changes."""
        try:
            await self._queries.ask(order_id, instrument_id)
        except AdapterError as error:
            logger.warning("{} order {} could not be asked for: {}", self._adapter.account, order_id, error)
        self.note_fills()

    async def fetch_fills(self) -> None:
        """Ask once for the fills of every order that lacks some."""
        for order in list(self._tracker.lacking()):
            try:
                await self._queries.ask_fills(order)
            except AdapterError as error:
                logger.warning("{} fills of {}: {}", self._adapter.account, order.order_id, error)

    def _start_pursuit(self, order_id: str) -> None:
        running = self._pursuits.get(order_id)
        if running is None or running.done():
            task = self._session.spawn(self._pursue(order_id), f"ask for {order_id}")
            self._pursuits[order_id] = task
            task.add_done_callback(lambda ended: self._forget_pursuit(order_id, ended))

    def _forget_pursuit(self, order_id: str, ended: "asyncio.Task[None]") -> None:
        if self._pursuits.get(order_id) is ended:
            del self._pursuits[order_id]

    async def _pursue(self, order_id: str) -> None:
        delay_s = FIRST_DELAY_S
        while order_id in self._unknown:
            await self._ask(order_id)
            if order_id in self._unknown:
                await self._session.wait_s(delay_s)
                delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    async def _complete_fills(self) -> None:
        delay_s = LATE_FILLS_S
        try:
            while self._tracker.lacks:
                await self._session.wait_s(delay_s)
                if self._session.linked:
                    await self.fetch_fills()
                delay_s = min(2 * delay_s, 60.0)
        finally:
            self._filling = False

    async def _ask(self, order_id: str) -> None:
        """Ask for an unknown order once, and judge what the answer means."""
        unknown = self._unknown.get(order_id)
        if unknown is None or self._is_settled(order_id):
            self._unknown.pop(order_id, None)
            return
        if not self._session.linked:
            return
        asked_ns = self._adapter.clock.monotonic_ns()
        try:
            found = await self._queries.ask(order_id, unknown.order.instrument_id)
            unknown.asked += 1
            if found and not unknown.of_earlier_run:
                self.on_found(unknown.sent_ns)
            if not found and self._is_past_bound(unknown, asked_ns):
                unknown.not_found += 1
                await self._judge(unknown)
        except AdapterError as error:
            logger.info("{} order {} is still unknown: {}", self._adapter.account, order_id, error)
        if self._is_settled(order_id):
            self._unknown.pop(order_id, None)
            self.note_fills()

    async def _judge(self, unknown: Unknown) -> None:
        """Tell that an order never reached the market, once id, lists and stream agree on it."""
        order, bound_s = unknown.order, self._adapter.capabilities.unknown_bound_s
        if unknown.not_found < NEEDED:
            return
        listed = await self._queries.is_listed(order.order_id, order.instrument_id, unknown.left_ns - 60_000_000_000)
        if listed or self._is_settled(order.order_id):
            return
        after_s = (self._adapter.clock.monotonic_ns() - unknown.sent_ns) / 1e9
        reason = (
            f"never reached the market: not found by {unknown.asked} queries up to {after_s:.1f} s after it was sent "
            f"(the venue's bound is {bound_s:g} s), nor among open orders or all orders since"
        )
        instrument = self._session.find_instrument(order.instrument_id)
        now_ns = self._adapter.clock.now_ns()
        self._tracker.report(own_order(order, instrument, now_ns, OrderStatus.DENIED, NEVER_REACHED, reason))

    def _is_past_bound(self, unknown: Unknown, asked_ns: int) -> bool:
        bound_s = self._adapter.capabilities.unknown_bound_s
        return bound_s > 0 and asked_ns - unknown.sent_ns >= bound_s * 1e9

    def _is_settled(self, order_id: str) -> bool:
        last = self._tracker.last(order_id)
        return last is not None and last.status is not OrderStatus.UNKNOWN


def _ignore(_sent_ns: int) -> None:
    """Hear nothing."""


def is_open(order: OrderData | None) -> bool:
    """Tell whether an order may still trade, as far as we know."""
    return order is not None and order.status in OPEN
