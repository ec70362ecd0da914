"""Proof that the account's stream still speaks: what it tells is held against what Binance answers.

A stream can be deaf while its socket stands and answers pings: the listen key ended unheard, or a subscription was dropped at
the venue. Two things show it: an order of ours was taken and no event came, or a list of open orders shows what was never told.
"""

import asyncio
from typing import Final

from loguru import logger

from foxtrot.adapter.binance.account import AccountAnswers
from foxtrot.adapter.binance.orders import Orders
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.errors import AdapterError

PERIOD_S: Final = 30.0
"""Open orders (weight 80 of 6,000 on spot, 80 of 2,400 on USD-M) and the account (20; 5) are asked for so often."""
LATE_S: Final = 5.0
"""How long after the answer to an order the stream may take to tell of it."""
SETTLE_S: Final = 2.0
"""How long a change may take by the stream after a list has shown it."""


class AccountCheck:
    """Compares now and then; what differs is asked for and told, and a stream that told nothing in between is given up.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession, orders: Orders, answers: AccountAnswers) -> None:
        self._session = session
        self._orders = orders
        self._answers = answers
        self._heard_ns = self._compared_ns = -1
        self._watching: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        orders.tell_taken(self.note_taken)

    def start(self) -> None:
        """Begin to compare, over a new link."""
        self.stop()
        self._compared_ns = self._session.clock.monotonic_ns()
        self._watching = self._session.spawn(self._watch(), "check of the account's stream")

    def stop(self) -> None:
        """End what belongs to the present link."""
        for task in (self._watching, self._waiting):
            if task is not None:
                task.cancel()
        self._watching = self._waiting = None

    def note_event(self) -> None:
        """Note that the stream has told something."""
        self._heard_ns = self._session.clock.monotonic_ns()

    def note_taken(self, sent_ns: int) -> None:
        """Note that Binance has taken an order or a cancel that was sent at a monotonic time: the stream must tell of it."""
        if self._heard_ns < sent_ns and self._watching is not None and self._waiting is None:
            self._waiting = self._session.spawn(self._expect(sent_ns), "news of an order")

    async def _expect(self, sent_ns: int) -> None:
        await self._session.wait_s(LATE_S)
        self._waiting = None
        if self._heard_ns < sent_ns:
            self._session.lose(f"user stream: silent {LATE_S:g} s after an order was taken")

    async def _watch(self) -> None:
        while True:
            await self._session.wait_s(PERIOD_S)
            try:
                await self._compare()
            except AdapterError as error:
                logger.info("{}: the account's stream could not be checked: {}", self._session.account, error)

    async def _compare(self) -> None:
        since_ns, self._compared_ns = self._compared_ns, self._session.clock.monotonic_ns()
        known = self._orders.working()
        listed = await self._answers.open_orders()
        if self._orders.differing(listed, known):
            await self._session.wait_s(SETTLE_S)
        differing = self._orders.differing(listed, known)
        if differing and self._heard_ns < since_ns:
            self._session.lose(f"user stream: it told nothing of {len(differing)} orders that have changed")
            return
        for order_id, instrument_id in differing:
            logger.warning("{} order {} has changed and was not told", self._session.account, order_id)
            await self._orders.look_at(order_id, instrument_id)
        await self._answers.check_account()
