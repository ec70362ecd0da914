"""Looks after what Futu does not tell: money and holdings every few seconds and after each fill, and orders whose pushes were lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from loguru import logger

from foxtrot.adapter.futu.account import AccountAnswers
from foxtrot.adapter.futu.order_questions import OrderQuestions
from foxtrot.adapter.futu.order_reports import OrderReports
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import AdapterError

EVERY: Final = 3
"""In so many polls of the account the orders are asked for once: of ten questions of a kind in half a minute some stay free."""


POLLED: Final = ("funds", "positions")
SPARED: Final = 4
"""So many questions of a kind are left for others in each half minute: reconciliation, an audit, a person, the guardian."""
HALTED_S: Final = 30.0
"""How often is asked at least while nothing may be sent, as in a guardian: it shares OpenD's limits with the platform that it watches."""


class AccountPolling:
    """Asks while the link stands; what is told of orders goes to the tracker, which knows what is new.

    Thread: futu-io.
    """

    def __init__(
        self,
        session: FutuSession,
        requests: TradeRequests,
        answers: AccountAnswers,
        questions: OrderQuestions,
        reports: OrderReports,
        permit: SendPermit,
    ) -> None:
        self._session = session
        self._permit = permit
        self._requests = requests
        self._answers = answers
        self._questions = questions
        self._reports = reports
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.polls = 0
        self.on_looked: Callable[[], None] = _ignore
        """Called when the orders were looked at: of some of them fills may be missing now."""

    def start(self) -> None:
        """Begin to ask."""
        self.stop()
        self._wake.clear()
        self._task = self._session.spawn(self._run(), "futu account")

    def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def hear_fill(self) -> None:
        """Ask soon: money and holdings have changed."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._pause()
            self.polls += 1
            if self._has_room(*POLLED):
                await self._quietly("account", self._answers.poll)
            if self.polls % EVERY == 0 and self._has_room("orders"):
                await self._quietly("orders", self.look_at_orders)

    def _has_room(self, *kinds: str) -> bool:
        """Tell whether a poll leaves room for questions that somebody else asks: an audit does not wait half a minute for its turn."""
        spare = [self._session.ledger.spare(kind) for kind in kinds]
        return all(one is None or one > SPARED for one in spare)

    async def _pause(self) -> None:
        """Wait for the next time, or for a fill; while nothing may be sent, fills are no reason to ask."""
        poll_s = self._session.settings.poll_s
        if self._permit.allowed is GateState.HALTED:
            self._wake.clear()
            await self._session.wait_s(max(poll_s, HALTED_S))
            return
        alarm = asyncio.ensure_future(self._session.wait_s(poll_s))
        fill = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({alarm, fill}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            fill.cancel()
        self._wake.clear()

    async def look_at_orders(self) -> None:
        """Tell what pushes have not told: states, and fills of orders that have some; not what ended before the account's begin.

        Raises:
            AdapterError: a list could not be had.
        """
        for order in await self._requests.orders():
            if not self._reports.is_of_before(order):
                self._questions.tell(order)
        self.on_looked()

    async def _quietly(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except AdapterError as error:
            logger.warning("{}: the {} could not be asked for: {}", self._session.account, what, error)


def _ignore() -> None:
    """Hear nothing."""
