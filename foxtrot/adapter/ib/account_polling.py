"""Asks for what IB does not tell: orders and fills of other clients, and what became of money and positions."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from loguru import logger

from foxtrot.adapter.ib.account import AccountAnswers
from foxtrot.adapter.ib.orders import Orders
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError

POLL_S: Final = 10.0
"""How often is asked: IB tells nothing unasked of the orders of others, nor is it certain to tell of ours."""
FILLS_S: Final = 0.25
"""How long fills are gathered before money and positions are asked for: they come in heaps."""


class AccountPolling:
    """Asks every few seconds and after each fill while the link stands; what is told of orders goes to the tracker.

    Thread: ib-io.
    """

    def __init__(self, session: IbSession, answers: AccountAnswers, orders: Orders, tracker: OrderTracker) -> None:
        self._session = session
        self._answers = answers
        self._orders = orders
        self._tracker = tracker
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self.stop()
        self._wake.clear()
        self._task = self._session.spawn(self._run(), "ib account")

    def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def hear_fill(self) -> None:
        """Ask soon: money and positions have changed."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._pause()
            await self._quietly("account", self._answers.poll)
            await self._quietly("open orders", self._compare_open)
            await self._quietly("fills", self._look_for_fills)

    async def _compare_open(self) -> None:
        """Tell the open orders, and ask for those that we believe open and IB does not."""
        believed = {order.order_id: order for order in self._tracker.open_orders()}
        listed = await self._orders.questions.tell_open()
        for order_id, order in believed.items():
            if order_id not in listed and order.status is not OrderStatus.UNKNOWN:
                await self._orders.watch.check(order_id, order.instrument_id)

    async def _look_for_fills(self) -> None:
        await self._orders.questions.tell_fills()
        self._orders.watch.note_fills()

    async def _pause(self) -> None:
        alarm = asyncio.ensure_future(self._session.wait_s(POLL_S))
        fill = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({alarm, fill}, return_when=asyncio.FIRST_COMPLETED)
            if fill.done():
                await self._session.wait_s(FILLS_S)
        finally:
            alarm.cancel()
            fill.cancel()
        self._wake.clear()

    async def _quietly(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except AdapterError as error:
            logger.warning("{}: {} could not be asked for: {}", self._session.account, what, error)
